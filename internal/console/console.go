// Package console serves the live page: signing a browser in with a one-time link, the page and its assets, and the
// stream of updates that feeds it (server-sent events), and the voicemails and recordings to play.
//
// It refuses to change anything in the company (that is the API's work), to read the database or the machine (it sees
// only the feed, the sessions and the shelves it is handed), to run inline scripts, to show a page to a browser that is
// not signed in, and to play anything without noting who listens.
package console

import (
	"context"
	"crypto/rand"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"switchboard/internal/engine"
)

// The limits of the console.
const (
	// MaxStreams is how many pages may be open at once; the next one gets 503 with Retry-After.
	MaxStreams = 500
	// Heartbeat is the longest silence on a stream, and how often its session is checked again.
	Heartbeat = 15 * time.Second
	// WriteTimeout is how long one write to a page may take before the page counts as too slow and is dropped.
	WriteTimeout = 10 * time.Second
	// MaxTokenBytes is the longest sign-in token or cookie that is looked up at all.
	MaxTokenBytes = 512
)

// ErrLink says that a sign-in link is unknown, expired or used: its holder needs a new one.
var ErrLink = errors.New("sign-in link is unknown, expired or used")

// Sessions signs browsers in and out.
type Sessions interface {
	// SignIn spends the one-time token of a link and opens a session: the cookie's value and when it ends. The error
	// is ErrLink when the token is good for nothing, anything else when the session could not be kept.
	SignIn(ctx context.Context, token string) (cookie string, expires time.Time, err error)
	// Valid says whether a cookie's session is open.
	Valid(ctx context.Context, cookie string) bool
	// SignOut ends a cookie's session. Ending one that is over is no error.
	SignOut(ctx context.Context, cookie string) error
}

// Config is what the console stands on.
type Config struct {
	Feed       func(after uint64) engine.Reader // updates after a sequence number; 0: from the beginning, a Reset
	Sessions   Sessions
	Voicemails Shelf        // nil: the page has none to play
	Recordings Shelf        // the same
	Secure     bool         // pages are reached over HTTPS only: Secure cookie, HSTS
	Dist       fs.FS        // the built pages: manifest.json and what it names; a bundle without one is "not built"
	Version    string       // shown at the foot of the page
	Company    string       // shown beside the product's name; may be empty
	SIPAddress string       // where a softphone calls, shown at the foot of the page; may be empty
	LinkHelp   string       // the command that prints a new sign-in link; empty: whoever runs the server knows
	Log        *slog.Logger // nil: slog.Default
}

type console struct {
	Config
	instance string // changes with every start, so that a page never resumes another process's sequence
	bundle   *bundle
	streams  atomic.Int64
	listens  listenings

	// The limits above, smaller in tests.
	maxStreams   int64
	heartbeat    time.Duration
	writeTimeout time.Duration
}

// New gives the handler of all console routes: /, /automation, /signin, /signout, /events, /voicemails, /recordings,
// /assets/ and /healthz.
func New(cfg Config) http.Handler { return newConsole(cfg).handler() }

func newConsole(cfg Config) *console {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	c := &console{
		Config: cfg, instance: rand.Text(),
		maxStreams: MaxStreams, heartbeat: Heartbeat, writeTimeout: WriteTimeout,
	}
	c.bundle = loadBundle(cfg.Dist)
	return c
}

func (c *console) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.index)
	mux.HandleFunc("GET /automation", c.index) // the page itself knows which of its views a path shows
	mux.HandleFunc("GET /automation/{view...}", c.index)
	mux.HandleFunc("GET /signin", c.signIn)
	mux.HandleFunc("POST /signout", c.signOut)
	mux.HandleFunc("GET /events", c.signedInOnly(c.events))
	for name, shelf := range map[string]Shelf{"voicemail": c.Voicemails, "recording": c.Recordings} {
		if shelf != nil {
			mux.HandleFunc("GET /"+name+"s", c.listTapes(shelf))
			mux.HandleFunc("GET /"+name+"s/{id}/audio", c.playTape(name, shelf))
		}
	}
	mux.HandleFunc("GET /assets/{name}", c.asset)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.page(w, r, http.StatusNotFound, "plain.html", plainPage{
			Title: "There is no such page",
			Lines: []string{"The live page is at the start address."}, Link: "/", LinkText: "Go to the live page",
		})
	})
	return c.secured(http.NewCrossOriginProtection().Handler(mux))
}

// contentPolicy lets the page load only what this server serves, and nothing inline.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (c *console) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if c.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// index is the live page itself, or what stands in its way.
func (c *console) index(w http.ResponseWriter, r *http.Request) {
	switch {
	case !c.signedIn(r):
		c.needSignIn(w, r)
	case c.bundle == nil:
		c.page(w, r, http.StatusServiceUnavailable, "plain.html", plainPage{
			Title: "The pages are not built yet",
			Lines: []string{"Calls and the API work without them. To see the live page, build it and start again:"},
			Code:  "npm --prefix web ci\nnpm --prefix web run build\nmake build",
		})
	default:
		c.page(w, r, http.StatusOK, "index.html", indexPage{
			Script: c.bundle.manifest.Script, Style: c.bundle.manifest.Style, Licenses: c.bundle.manifest.Licenses,
			Instance: c.instance, Version: c.Version, Company: c.Company, SIP: c.SIPAddress,
		})
	}
}

type indexPage struct{ Script, Style, Licenses, Instance, Version, Company, SIP string }

type plainPage struct {
	Title          string
	Lines          []string
	Code           string
	Link, LinkText string
}

func (c *console) page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if err := templates.ExecuteTemplate(w, name, data); err != nil {
		c.Log.Warn("write page", "page", name, "error", err)
	}
}

var templates = template.Must(
	template.New("").Funcs(template.FuncMap{"own": ownAsset}).ParseFS(ownFiles, "pages/*.html"))
