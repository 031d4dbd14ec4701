package httptask

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/internal/egress"
	"switchboard/internal/vault"
)

// answer is what came of a request.
type answer struct {
	status   int // 0: there was no answer
	phrase   string
	protocol string
	header   http.Header
	body     []byte // at most MaxRead
	cut      bool   // there was more of it, or it broke off
	tls      *tls.ConnectionState
	err      error // why the request failed, whatever the status
	hops     []hop
	took     time.Duration
}

func (a *answer) failed() bool { return a.err != nil }

// hop is one request of those that redirects lead through.
type hop struct {
	method   string
	url      *url.URL
	header   http.Header
	body     []byte
	status   int
	location string
	dropped  []string // headers that were left out, as this is another host
	times    times
	address  string // IP and port that were connected to
}

// times are how long the parts of one request took; zero: there was none of it.
type times struct{ dns, connect, tls, first, all time.Duration }

// send performs a request with its redirects.
func (c *Client) send(ctx context.Context, r *request) *answer {
	a := &answer{}
	ctx = egress.ConnectWithin(ctx, r.connect)
	method, at, header, body := r.method, r.url, r.header.Clone(), r.body
	var dropped []string
	for {
		h := hop{method: method, url: at, header: header.Clone(), body: body, dropped: dropped}
		res, err := c.once(ctx, r, &h, a)
		a.hops = append(a.hops, h)
		if err != nil {
			a.err = err
			return a
		}
		next, err := redirect(at, res)
		switch {
		case err != nil:
			a.err = err
			return a
		case next == nil || r.own:
			return a
		case len(a.hops) > MaxRedirects:
			a.err = fmt.Errorf("more than %d redirects", MaxRedirects)
			return a
		}
		if a.status != http.StatusTemporaryRedirect && a.status != http.StatusPermanentRedirect && method != "HEAD" {
			if body = nil; method != "GET" {
				method = "GET" // RFC 9110, section 15.4.2 and following: what browsers do
			}
			header.Del("Content-Type")
		}
		dropped = nil
		if !sameOrigin(at, next) {
			if dropped, err = r.leaveBehind(header, body); err != nil {
				a.err = err
				return a
			}
		}
		at = next
		*a = answer{hops: a.hops}
	}
}

// leaveBehind takes out of a request to another host what was for the first one only.
func (r *request) leaveBehind(header http.Header, body []byte) (dropped []string, err error) {
	for name, values := range header {
		if vault.MaskedHeader(name) || slices.ContainsFunc(values, r.red.Holds) {
			dropped = append(dropped, name)
		}
	}
	slices.Sort(dropped)
	for _, name := range dropped {
		header.Del(name)
	}
	if r.red.Holds(string(body)) {
		return dropped, errors.New("redirected to another host, where the secret in the body may not go")
	}
	return dropped, nil
}

// redirect is where an answer sends us; nil: nowhere.
func redirect(from *url.URL, res *http.Response) (*url.URL, error) {
	switch res.StatusCode {
	case 301, 302, 303, 307, 308:
	default:
		return nil, nil
	}
	location := res.Header.Get("Location")
	if location == "" {
		return nil, nil
	}
	next, err := from.Parse(location)
	if err != nil || next.Hostname() == "" || next.Scheme != "http" && next.Scheme != "https" {
		return nil, errors.New("redirected to what is no address: " + fmt.Sprintf("%.200q", location))
	}
	return next, nil
}

// sameOrigin says whether credentials may go along: to the same scheme, host and port, or from http to https of it.
func sameOrigin(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	if a.Scheme == b.Scheme {
		return portOf(a) == portOf(b)
	}
	return a.Scheme == "http" && b.Scheme == "https" && portOf(a) == "80" && portOf(b) == "443"
}

// once sends one request and reads the answer into a.
func (c *Client) once(ctx context.Context, r *request, h *hop, a *answer) (*http.Response, error) {
	silence := newSilence(ctx, r.connect+r.read)
	defer silence.end()
	trace := &tracer{started: time.Now(), times: &h.times, address: &h.address}
	hooks := trace.hooks(func() { silence.again(r.read) })
	req, err := newRequest(httptrace.WithClientTrace(silence.ctx, hooks), h, func() { silence.again(r.read) })
	if err != nil {
		return nil, errors.New(r.red.Text(reason(err)))
	}
	res, err := c.exchange(r, req)
	if err == nil {
		defer func() { _ = res.Body.Close() }()
		h.status, h.location = res.StatusCode, res.Header.Get("Location")
		a.status, a.header, a.protocol, a.tls = res.StatusCode, res.Header, res.Proto, res.TLS
		a.phrase = strings.TrimSpace(strings.TrimPrefix(res.Status, fmt.Sprint(res.StatusCode)))
		silence.again(r.read)
		a.body, err = readAll(res.Body, func() { silence.again(r.read) })
		a.cut = err != nil
	}
	trace.mu.Lock()
	h.times.all = time.Since(trace.started)
	trace.mu.Unlock()
	if err != nil {
		return nil, silence.why(r, err)
	}
	return res, nil
}

// newRequest makes a request whose body tells when some of it was taken.
func newRequest(ctx context.Context, h *hop, progress func()) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, h.method, h.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = h.header
	if len(h.body) > 0 {
		req.ContentLength = int64(len(h.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(&told{bytes.NewReader(h.body), progress}), nil }
		req.Body, _ = req.GetBody()
	}
	return req, nil
}

// told is a reader that tells when it is read.
type told struct {
	io.Reader
	tell func()
}

// Read implements io.Reader.
func (t *told) Read(p []byte) (int, error) {
	t.tell()
	return t.Reader.Read(p)
}

// exchange hands a request to our own API or sends it.
func (c *Client) exchange(r *request, req *http.Request) (*http.Response, error) {
	if r.own {
		return c.Own.Do(r.identity, req)
	}
	return c.Transport.RoundTrip(req)
}

var errTooLong = fmt.Errorf("the answer has more than %d bytes", MaxRead)

// readAll reads an answer up to MaxRead, and tells of each part.
func readAll(body io.Reader, progress func()) ([]byte, error) {
	all := make([]byte, 0, 2<<10)
	for {
		if len(all) == cap(all) {
			all = slices.Grow(all, len(all))
		}
		n, err := body.Read(all[len(all):cap(all)])
		if all = all[:len(all)+n]; n > 0 {
			progress()
		}
		switch {
		case len(all) > MaxRead:
			return all[:MaxRead], errTooLong
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
	}
}

var errSilence = errors.New("silence")

// silence ends a request in which nothing was heard for too long.
type silence struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func newSilence(parent context.Context, first time.Duration) *silence {
	s := &silence{parent: parent}
	s.ctx, s.cancel = context.WithCancelCause(parent)
	s.timer = time.AfterFunc(first, func() { s.cancel(errSilence) })
	return s
}

func (s *silence) again(timeout time.Duration) { s.timer.Reset(timeout) }

func (s *silence) end() {
	s.timer.Stop()
	s.cancel(nil)
}

// why says in words why a request failed, without secrets.
func (s *silence) why(r *request, err error) error {
	var dns *net.DNSError
	var network net.Error
	text := reason(err)
	switch {
	case errors.Is(err, errTooLong):
		text = errTooLong.Error()
	case errors.Is(s.parent.Err(), context.DeadlineExceeded):
		text = fmt.Sprintf("not done within %s", r.total)
	case s.parent.Err() != nil:
		text = "withdrawn"
	case context.Cause(s.ctx) == errSilence:
		text = fmt.Sprintf("nothing was heard for %s (readTimeOut)", r.read)
	case errors.Is(err, egress.ErrRefused):
		text = unwrapped(err, egress.ErrRefused)
	case errors.As(err, &dns):
		text = "the name of the host leads nowhere: " + dns.Err
	case errors.As(err, &network) && network.Timeout():
		text = fmt.Sprintf("no connection within %s (connectionTimeOut)", r.connect)
	}
	return &failure{r.red.Text("the request failed: " + text), err}
}

// unwrapped is the innermost text that begins with that of target.
func unwrapped(err, target error) string {
	_, rest, _ := strings.Cut(err.Error(), target.Error()+": ")
	return target.Error() + ": " + rest
}

// failure is an error for people that remembers what it was.
type failure struct {
	text  string
	cause error
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Unwrap gives the cause, which may hold secrets.
func (f *failure) Unwrap() error { return f.cause }

// tracer notes when the parts of a request begin and end. The transport may still call it when the request is over.
type tracer struct {
	mu                   sync.Mutex
	started              time.Time
	dns, connecting, tls time.Time
	times                *times
	address              *string
}

func (t *tracer) hooks(written func()) *httptrace.ClientTrace {
	note := func(f func(now time.Time)) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.times.all == 0 {
			f(time.Now())
		}
	}
	return &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { note(func(now time.Time) { t.dns = now }) },
		DNSDone:      func(httptrace.DNSDoneInfo) { note(func(now time.Time) { t.times.dns = now.Sub(t.dns) }) },
		ConnectStart: func(_, _ string) { note(func(now time.Time) { t.connecting = now }) },
		ConnectDone: func(_, _ string, err error) {
			note(func(now time.Time) { t.times.connect = now.Sub(t.connecting) })
		},
		TLSHandshakeStart: func() { note(func(now time.Time) { t.tls = now }) },
		TLSHandshakeDone: func(tls.ConnectionState, error) {
			note(func(now time.Time) { t.times.tls = now.Sub(t.tls) })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			note(func(time.Time) { *t.address = info.Conn.RemoteAddr().String() })
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { written() },
		GotFirstResponseByte: func() { note(func(now time.Time) { t.times.first = now.Sub(t.started) }) },
	}
}
