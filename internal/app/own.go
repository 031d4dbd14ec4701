package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// maxOwnAnswer bounds an answer of our own API to a workflow, in bytes; more than a task reads of any answer.
const maxOwnAnswer = 6 << 20

// errRights is why a workflow may not use our own API any more.
var errRights = errors.New("whoever started the run may not use this API any more: the key is gone, over, or of " +
	"somebody who is not active")

// ownAPI answers requests of workflows to this very server inside of the program, with the rights of whoever started
// the run. It is httptask.OwnAPI.
type ownAPI struct {
	store   *store.Store
	handler http.Handler
	listens netip.AddrPort
	public  *url.URL // nil: the listening address is the only one
	now     func() time.Time
}

// Serves implements httptask.OwnAPI: the public URL and the listening address, by any name that leads to this host
// alone, are ours.
func (o ownAPI) Serves(u *url.URL) bool {
	host, port := strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), portOrUsual(u)
	if o.public != nil && u.Scheme == o.public.Scheme && port == portOrUsual(o.public) &&
		host == strings.ToLower(o.public.Hostname()) {
		return true
	}
	if u.Scheme != "http" || port != fmt.Sprint(o.listens.Port()) {
		return false
	}
	at := o.listens.Addr().Unmap()
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr == at || at.IsUnspecified() && (addr.IsLoopback() || ofThisHost(addr))
	}
	return host == "localhost" && (at.IsLoopback() || at.IsUnspecified())
}

func portOrUsual(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

func ofThisHost(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, one := range all {
		if network, ok := one.(*net.IPNet); ok && network.IP.Equal(addr.AsSlice()) {
			return true
		}
	}
	return false
}

// Do implements httptask.OwnAPI. identity is "key:ID", "page", or empty for a run that nobody started: that one has the
// rights of the key in the request, if there is one.
func (o ownAPI) Do(identity string, r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if identity != "" {
		who, err := o.principal(ctx, identity)
		if err != nil {
			return nil, err
		}
		ctx = auth.With(ctx, who)
	}
	in := r.Clone(ctx)
	in.RequestURI = r.URL.RequestURI()
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.Host, in.RemoteAddr = r.URL.Host, o.listens.String()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &answerBuffer{header: http.Header{}}
	o.handler.ServeHTTP(w, in)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return w.response(r)
}

// principal is who a run acts for. What was true when it started must still be.
func (o ownAPI) principal(ctx context.Context, identity string) (auth.Principal, error) {
	if identity == "page" {
		return auth.Page(), nil
	}
	id, ok := strings.CutPrefix(identity, "key:")
	if !ok {
		return auth.Principal{}, errRights
	}
	key, ok, err := o.store.Key(ctx, id)
	if err != nil {
		return auth.Principal{}, err
	}
	if !ok || auth.Expired(key, o.now()) {
		return auth.Principal{}, errRights
	}
	if key.User != 0 {
		user, there := o.store.Snapshot().User(key.User)
		if !there || user.State != callcenter.StateActive {
			return auth.Principal{}, errRights
		}
	}
	return auth.Of(key), nil
}

// answerBuffer holds an answer of our own.
type answerBuffer struct {
	header http.Header
	sent   http.Header // as they were when the status was written
	status int
	body   bytes.Buffer
	over   bool
}

// Header implements http.ResponseWriter.
func (b *answerBuffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *answerBuffer) WriteHeader(status int) {
	if b.status == 0 && status >= 200 {
		b.status, b.sent = status, b.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (b *answerBuffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	if b.body.Len()+len(p) > maxOwnAnswer {
		b.over = true
		return 0, errors.New("the answer is too long for a workflow")
	}
	return b.body.Write(p)
}

func (b *answerBuffer) response(r *http.Request) (*http.Response, error) {
	b.WriteHeader(http.StatusOK)
	if b.over {
		return nil, fmt.Errorf("our own answer has more than %d bytes", maxOwnAnswer)
	}
	if r.Method == http.MethodHead {
		b.body.Reset()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", b.status, http.StatusText(b.status)), StatusCode: b.status, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1, Header: b.sent, Body: io.NopCloser(&b.body), ContentLength: int64(b.body.Len()),
		Request: r,
	}, nil
}
