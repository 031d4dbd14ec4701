// Package egress is the way out to addresses that somebody else wrote down: webhooks and call routers. Its HTTP clients
// reach the public internet and what the configuration allows, and nothing else.
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
	"strings"
	"syscall"
	"time"
)

// ErrRefused is the error of a connection that the guard did not let out.
var ErrRefused = errors.New("the address is not on the public internet; allow it with --egress-allow")

// dialTimeout bounds DNS and connecting, within the timeout of the whole exchange.
const dialTimeout = 5 * time.Second

// inside are networks that are no private ones by the book, and yet not the public internet.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network (RFC 791)
	netip.MustParsePrefix("100.64.0.0/10"),  // carriers' shared space (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),   // protocol assignments (RFC 6890)
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks (RFC 2544)
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved, and broadcast (RFC 1112)
	netip.MustParsePrefix("64:ff9b::/96"),   // IPv4 behind a translator (RFC 6052)
	netip.MustParsePrefix("64:ff9b:1::/48"), // the same, local (RFC 8215)
	netip.MustParsePrefix("2001::/32"),      // Teredo (RFC 4380)
	netip.MustParsePrefix("2002::/16"),      // 6to4 (RFC 3056)
	netip.MustParsePrefix("fec0::/10"),      // site-local, no longer used (RFC 3879)
}

// Guard says where connections may lead. Safe for concurrent use.
type Guard struct {
	hosts    map[string]bool
	networks []netip.Prefix
}

// New makes a guard. allow lists what is reachable besides the public internet: host names, IP addresses, networks.
func New(allow []string) (*Guard, error) {
	g := &Guard{hosts: map[string]bool{}}
	for _, text := range allow {
		text = strings.ToLower(strings.TrimSpace(text))
		if network, err := netip.ParsePrefix(text); err == nil {
			g.networks = append(g.networks, network.Masked())
			continue
		}
		if addr, err := netip.ParseAddr(text); err == nil {
			g.networks = append(g.networks, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		if text == "" || strings.ContainsAny(text, "/: *") {
			return nil, fmt.Errorf("%q is no host, address or network", text)
		}
		g.hosts[text] = true
	}
	return g, nil
}

// Allows says whether an address may be connected to.
func (g *Guard) Allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range g.networks {
		if network.Contains(addr) {
			return true
		}
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return false
	}
	for _, network := range inside {
		if network.Contains(addr) {
			return false
		}
	}
	return true
}

// Client is an HTTP client behind the guard. A whole exchange takes timeout at most; redirects are answers.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: g.dial, ForceAttemptHTTP2: true, MaxIdleConns: 100, MaxIdleConnsPerHost: 8,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial connects. The check runs on the very address that is connected to, so that a name cannot lead elsewhere between
// a check and its use.
func (g *Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !g.hosts[strings.ToLower(strings.TrimSuffix(host, "."))] {
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil || !g.Allows(at.Addr()) {
				return ErrRefused
			}
			return nil
		}
	}
	return dialer.DialContext(ctx, network, address)
}
