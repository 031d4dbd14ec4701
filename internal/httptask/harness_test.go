package httptask

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/egress"
	"switchboard/internal/flow"
	"switchboard/internal/store"
	"switchboard/internal/vault"
)

const secret = "s3cret/value+of=ours"

// memory keeps sealed secrets.
type memory struct{}

func (memory) Secrets(context.Context) ([]store.Secret, error)    { return nil, nil }
func (memory) PutSecret(context.Context, store.Secret) error      { return nil }
func (memory) DeleteSecret(context.Context, string) (bool, error) { return false, nil }
func (memory) SecretUsed(string, time.Time)                       {}

// seen is a request as a server got it.
type seen struct {
	method, uri, body string
	header            http.Header
}

// world is a client and a server on loopback that the guard lets it reach.
type world struct {
	*Client
	vault  *vault.Vault
	server *httptest.Server
	host   string

	mu   sync.Mutex
	seen []seen
}

// newWorld serves with handler; nil: 200 and {"ok":true}.
func newWorld(t *testing.T, handler http.HandlerFunc) *world {
	t.Helper()
	w := &world{}
	w.server = w.serve(t, handler)
	w.host = w.server.Listener.Addr().String()
	guard, err := egress.New([]string{"127.0.0.1", "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	if w.vault, err = vault.Open(t.Context(), t.TempDir(), "", memory{}, time.Now); err != nil {
		t.Fatal(err)
	}
	transport := guard.Transport()
	w.Client = New(Config{Transport: transport, Secrets: w.vault, Version: "1.2"})
	t.Cleanup((&http.Client{Transport: transport}).CloseIdleConnections)
	return w
}

// serve starts another server that notes what it gets.
func (w *world) serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		w.seen = append(w.seen, seen{r.Method, r.RequestURI, string(body), r.Header.Clone()})
		w.mu.Unlock()
		if handler != nil {
			handler(res, r)
			return
		}
		res.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(res, `{"ok":true}`)
	}))
	t.Cleanup(server.Close)
	return server
}

// requests gives what servers saw so far, and forgets it.
func (w *world) requests() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.seen
	w.seen = nil
	return all
}

func (w *world) secret(t *testing.T, name string, hosts ...string) {
	t.Helper()
	if err := w.vault.Put(t.Context(), name, secret, hosts); err != nil {
		t.Fatal(err)
	}
}

// attempt is one of a task whose definition says just what its input is.
func attempt(input flow.Map) *flow.Attempt {
	return &flow.Attempt{
		ID: "task-1", Type: flow.TypeHTTP, Input: input,
		Task: &flow.Task{Name: "call", Ref: "call", Type: flow.TypeHTTP, Input: input},
	}
}

var run = &flow.Run{ID: "run-1", Definition: &flow.Definition{Name: "w"}}

// do performs a task that sends one request, with what spec says, to the world's server unless it has an uri.
func (w *world) do(t *testing.T, spec flow.Map) flow.Reported {
	t.Helper()
	if _, ok := spec["uri"]; !ok {
		spec["uri"] = w.server.URL + "/x"
	}
	if _, ok := spec["method"]; !ok {
		spec["method"] = "GET"
	}
	return w.Do(t.Context(), run, attempt(flow.Map{"http_request": spec}))
}

// response is that of a report.
func response(t *testing.T, report flow.Reported) flow.Map {
	t.Helper()
	found, ok := report.Output["response"].(flow.Map)
	if !ok {
		t.Fatalf("no response: %+v", report)
	}
	return found
}

// holdsNone fails if a secret is anywhere in what is kept.
func holdsNone(t *testing.T, kept string) {
	t.Helper()
	for _, form := range []string{secret, url.QueryEscape(secret), "s3cret", "czNjcmV0"} {
		if strings.Contains(kept, form) {
			t.Errorf("%s is in %s", form, kept)
		}
	}
}

// own stands for our own API.
type own struct {
	host     string
	identity string
	request  *http.Request
	err      error
}

func (o *own) Serves(u *url.URL) bool { return u.Host == o.host }

func (o *own) Do(identity string, r *http.Request) (*http.Response, error) {
	if o.identity, o.request = identity, r; o.err != nil {
		return nil, o.err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Location", "http://elsewhere.test/")
	w.WriteHeader(http.StatusFound)
	_, _ = io.WriteString(w, `{"ours":1}`)
	return w.Result(), nil
}

// silent accepts connections and never says anything.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var conns []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return l.Addr().String()
}

// secure is a server with a certificate that only its own client knows.
func (w *world) secure(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}
