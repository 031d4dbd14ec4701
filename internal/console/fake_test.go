package console

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"switchboard/internal/engine"
)

// sessions is a door with one link, "good", that works once.
type sessions struct {
	mu     sync.Mutex
	spent  bool
	open   map[string]bool
	broken bool
}

func (s *sessions) SignIn(_ context.Context, token string) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken:
		return "", time.Time{}, errors.New("disk full")
	case token != "good" || s.spent:
		return "", time.Time{}, ErrLink
	}
	s.spent = true
	s.open = map[string]bool{"c0ffee": true}
	return "c0ffee", time.Now().Add(time.Hour), nil
}

func (s *sessions) Valid(_ context.Context, cookie string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[cookie]
}

func (s *sessions) SignOut(_ context.Context, cookie string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("disk full")
	}
	delete(s.open, cookie)
	return nil
}

// feed hands out what the test puts into updates, and remembers what was asked for.
type feed struct {
	mu      sync.Mutex
	asked   []uint64
	updates chan engine.Update
	done    chan struct{} // closed when a reader's Next returned for good
}

func newFeed() *feed {
	return &feed{updates: make(chan engine.Update, 16), done: make(chan struct{}, 16)}
}

func (f *feed) open(after uint64) engine.Reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, after)
	return f
}

func (f *feed) after() []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]uint64(nil), f.asked...)
}

func (f *feed) Next(ctx context.Context) (engine.Update, bool) {
	select {
	case u, ok := <-f.updates:
		return u, ok
	case <-ctx.Done():
		return engine.Update{}, false
	}
}

var built = fstest.MapFS{
	"manifest.json":   {Data: []byte(`{"script":"main-AB.js","style":"style-CD.css","licenses":"licenses-EF.txt"}`)},
	"main-AB.js":      {Data: []byte("console.log(1)")},
	"main-AB.js.gz":   {Data: compressed([]byte("console.log(1)"))},
	"style-CD.css":    {Data: []byte("b{}")},
	"licenses-EF.txt": {Data: []byte("MIT")},
}

type world struct {
	*console
	sessions *sessions
	feed     *feed
	server   *httptest.Server
	client   *http.Client // follows no redirect, keeps cookies
}

func start(t *testing.T, change func(*console)) *world {
	t.Helper()
	w := &world{sessions: new(sessions), feed: newFeed()}
	w.console = newConsole(Config{
		Feed: w.feed.open, Sessions: w.sessions, Dist: built, Version: "1.2.3", SIPAddress: "sip:127.0.0.1:5060",
		LinkHelp: "switchboard link", Log: slog.New(slog.DiscardHandler),
	})
	if change != nil {
		change(w.console)
	}
	w.server = httptest.NewServer(w.handler())
	t.Cleanup(w.server.Close)
	t.Cleanup(w.server.CloseClientConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return w
}

func (w *world) do(t *testing.T, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	resp := w.open(t, method, path, header...)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func (w *world) open(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (w *world) signIn(t *testing.T) {
	t.Helper()
	if resp, _ := w.do(t, "GET", "/signin?token=good"); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign-in answered %d", resp.StatusCode)
	}
}

// block reads one event of a stream, without the empty line behind it.
func block(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("stream ended (%v) after %q", err, b.String())
		}
		if line == "\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}
