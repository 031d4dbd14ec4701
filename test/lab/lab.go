// Package lab is a real server for end-to-end tests: a fresh company on loopback with free ports, phones to register,
// sipp and baresip to call, the API and the live feed to look at. It refuses to reach into the server for what the
// network can tell; settings that no API of today can make are the exception, and named so.
package lab

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/engine"
)

// Lab is one server in this process, with its company.
type Lab struct {
	*Company
	App *app.App

	watch watch
}

// Patience is how long a test waits for what must happen.
const Patience = 20 * time.Second

// New starts a server that stops with the test. Change adjusts its Config; nil leaves it.
func New(t testing.TB, change func(*app.Config)) *Lab {
	t.Helper()
	cfg := app.Config{
		DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", Timezone: "UTC",
		RateLimit: 1_000_000, CompanyRateLimit: 1_000_000, Drain: time.Second, Log: testLog(t),
	}
	if change != nil {
		change(&cfg)
	}
	server, err := app.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	key, err := server.NewAdminKey(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{Company: NewCompany(t, server.URL(), server.SIPAddr(), key), App: server}
	l.watch.start(t, server.Engine())
	return l
}

// testLog shows the server's log with a failing test, when SWITCHBOARD_TEST_LOG is set.
func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("SWITCHBOARD_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Until waits for a condition on the live feed's picture, and fails the test with what it was waiting for. The picture
// is that of the server's whole life: it also holds what was over before Until was called.
func (l *Lab) Until(what string, holds func(Picture) bool) Picture {
	l.T.Helper()
	patience := time.NewTimer(Patience)
	defer patience.Stop()
	for {
		seen, changed := l.watch.now()
		if holds(seen) {
			return seen
		}
		select {
		case <-changed:
		case <-patience.C:
			l.T.Fatalf("waited %s for: %s\nthe last picture: %s", Patience, what, seen)
		}
	}
}

// Now is the live feed's picture at this moment.
func (l *Lab) Now() Picture {
	seen, _ := l.watch.now()
	return seen
}

// Feed reads the live feed from its beginning.
func (l *Lab) Feed() engine.Reader { return l.App.Engine().Subscribe(0) }
