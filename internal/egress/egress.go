// Package egress is the way out to addresses that somebody else wrote down: webhooks, call routers, the HTTP tasks of
// workflows, documents of the API directory. Its HTTP clients reach the usual ports of the public internet and what the
// configuration allows, and nothing else (docs/reference/egress.md, Addresses).
//
// It refuses to trust names (an address is judged after DNS, at the moment of connecting), to follow redirects, to use
// a proxy of the environment, and to lend its connections to anything that needs the inside of the network.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// ErrRefused is the error of a connection that the guard did not let out. Its text goes on to say why.
var ErrRefused = errors.New("refused")

// The reasons.
var (
	errInside = fmt.Errorf("%w: the address is not on the public internet; allow it with --egress-allow", ErrRefused)
	errPort   = fmt.Errorf("%w: only ports 80 and 443 are open; allow others with --egress-allow", ErrRefused)
	errNumber = fmt.Errorf("%w: this is no address", ErrRefused)
)

// ConnectTimeout bounds DNS and connecting, within the timeout of the whole exchange.
const ConnectTimeout = 5 * time.Second

// The sizes of a client.
const (
	maxHeaderBytes = 64 << 10
	idleTimeout    = 90 * time.Second
	maxIdle        = 256
	maxIdlePerHost = 64
)

// Guard says where connections may lead. Safe for concurrent use.
type Guard struct {
	allowed  exceptions
	proxy    *url.URL
	resolver *net.Resolver // nil: the host's
}

// New makes a guard. allow lists what is reachable besides the public internet's ports 80 and 443: a host name, an IP
// address or a network, each with or without a port (HOST, HOST:PORT, NETWORK:PORT, [V6]:PORT; without: all ports), or
// :PORT, a further port of the public internet.
func New(allow []string) (*Guard, error) {
	g := &Guard{}
	for _, text := range allow {
		if err := g.allowed.add(strings.ToLower(strings.TrimSpace(text))); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Through is a guard whose clients go through an HTTP proxy, which then must judge where names lead: the guard judges
// only the ports, and the addresses that are written as such. proxy is an URL such as http://proxy.example.com:3128;
// empty: no proxy.
func (g *Guard) Through(proxy string) (*Guard, error) {
	through := *g
	if proxy == "" {
		return &through, nil
	}
	at, err := url.Parse(proxy)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL of a proxy, such as http://proxy.example.com:3128", proxy)
	}
	through.proxy = at
	return &through, nil
}

// Allows says whether an address may be connected to, at a port that is open.
func (g *Guard) Allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return public(addr) || g.allowed.network(addr, 0)
}

// judge says why an address may not be connected to; nil: it may.
func (g *Guard) judge(at netip.AddrPort) error {
	addr := at.Addr().Unmap().WithZone("")
	switch {
	case g.allowed.network(addr, at.Port()):
		return nil
	case !public(addr):
		return errInside
	case at.Port() != 80 && at.Port() != 443 && !g.allowed.ports[at.Port()]:
		return errPort
	}
	return nil
}

// Client is an HTTP client behind the guard. A whole exchange takes timeout at most, 0: as long as its context allows;
// redirects are answers.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout, Transport: g.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Transport is what a Client sends through, for those who look at redirects themselves.
func (g *Guard) Transport() http.RoundTripper {
	transport := &http.Transport{
		DialContext: g.dial, ForceAttemptHTTP2: true, MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdlePerHost,
		IdleConnTimeout: idleTimeout, TLSHandshakeTimeout: ConnectTimeout, MaxResponseHeaderBytes: maxHeaderBytes,
	}
	if g.proxy == nil {
		return transport
	}
	transport.Proxy = http.ProxyURL(g.proxy)
	transport.DialContext = (&net.Dialer{Timeout: ConnectTimeout}).DialContext // the proxy, and nothing else
	return proxied{g, transport}
}

type connectTimeout struct{}

// ConnectWithin gives a request less time to connect than ConnectTimeout.
func ConnectWithin(ctx context.Context, timeout time.Duration) context.Context {
	return context.WithValue(ctx, connectTimeout{}, timeout)
}

// dial connects. The check runs on the very address that is connected to, so that a name cannot lead elsewhere between
// a check and its use.
func (g *Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: ConnectTimeout, Resolver: g.resolver}
	if shorter, ok := ctx.Value(connectTimeout{}).(time.Duration); ok && shorter > 0 {
		dialer.Timeout = min(dialer.Timeout, shorter)
	}
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	if !g.allowed.host(host, port) {
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return errNumber
			}
			return g.judge(at)
		}
	}
	return dialer.DialContext(ctx, network, address)
}

// proxied judges what can be judged before the proxy sees it.
type proxied struct {
	guard *Guard
	*http.Transport
}

// RoundTrip implements http.RoundTripper.
func (p proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.guard.judgeURL(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return p.Transport.RoundTrip(r)
}

func (g *Guard) judgeURL(u *url.URL) error {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host, number, err := split(net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	if g.allowed.host(host, number) {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.judge(netip.AddrPortFrom(addr, number))
	}
	if looksLikeNumber(host) {
		return errNumber
	}
	return g.judge(netip.AddrPortFrom(somewhere, number))
}

// somewhere is a public address that stands for a name which the proxy resolves.
var somewhere = netip.MustParseAddr("1.1.1.1")
