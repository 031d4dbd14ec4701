package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"switchboard/internal/console"
	"switchboard/web"
)

var look = flag.String("look", "", "serve the page of a made-up company at this address, until interrupted")

func TestMain(m *testing.M) {
	flag.Parse()
	if *look == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := newSite()
	if err := s.serve(*look); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("open http://%s/signin?token=door\n", s.address)
	s.company.bustle(ctx)
	s.close()
}

// doors is a session store whose link always works and whose sessions can be ended.
type doors struct {
	mu     sync.Mutex
	closed bool
}

func (d *doors) SignIn(_ context.Context, token string) (string, time.Time, error) {
	if token != "door" {
		return "", time.Time{}, console.ErrLink
	}
	return "in", time.Now().Add(time.Hour), nil
}

func (d *doors) Valid(_ context.Context, cookie string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cookie == "in" && !d.closed
}

func (d *doors) SignOut(context.Context, string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// site is the console of a company on a port of its own; it can go away and come back.
type site struct {
	company *company
	left    *shelf // voicemails
	taped   *shelf // recordings
	doors   doors
	address string
	server  *http.Server
	wg      sync.WaitGroup
}

func newSite() *site {
	now := time.Now()
	return &site{company: newCompany(), left: someVoicemails(now), taped: someRecordings(now)}
}

func (s *site) serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.server = &http.Server{Handler: console.New(console.Config{
		Feed: s.company.feed, Sessions: &s.doors, Voicemails: s.left, Recordings: s.taped, Dist: web.Dist(), Version: "test",
		Company:    "Analytical Engines",
		SIPAddress: "sip:demo@127.0.0.1:5060", LinkHelp: "switchboard link", Log: slog.New(slog.DiscardHandler),
	})}
	s.wg.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	})
	return nil
}

func (s *site) close() {
	_ = s.server.Close() // the sockets of the page go with it
	s.wg.Wait()
}

// tab is a page in a browser.
type tab struct {
	*testing.T
	ctx context.Context
	*site
}

// missing ends a test that lacks a program or a build: with a plain message on a developer's machine, as a failure
// where everything must be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" || os.Getenv("SWITCHBOARD_INTEROP") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// startBrowser starts one Chromium for all tabs of a test; it ends with the test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	const path = "/usr/bin/chromium"
	if _, err := os.Stat(path); err != nil {
		missing(t, "Chromium is missing: apt-get install chromium")
	}
	if _, err := web.Dist().Open("manifest.json"); err != nil {
		missing(t, "the pages are not built: npm --prefix web ci && npm --prefix web run build")
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// open shows a new company's page in a new tab, signed in.
func open(t *testing.T, browser context.Context) *tab {
	t.Helper()
	s := newSite()
	if err := s.serve("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &tab{T: t, ctx: ctx, site: s}
	p.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+s.address+"/signin?token=door"))
	p.until(`document.querySelector("[data-link=live]") !== null && document.querySelector(".card") !== null`)
	return p
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

func value[T any](p *tab, expression string) T {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a condition in the page. The policy forbids eval, so the waiting is done on our side.
func (p *tab) until(condition string) {
	p.Helper()
	const patience = 20 * time.Second
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		v, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && v { // an error is a page that is being replaced
			return
		}
		if time.Since(start) > patience {
			p.shoot("gave-up")
			p.Fatalf("the page never came to: %s (%v)\n%s", condition, err, value[string](p, "document.body.innerText"))
		}
	}
}

func (p *tab) text(selector string) string {
	p.Helper()
	return value[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

func (p *tab) scheme(name string) {
	p.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	}))
}

// shoot keeps a picture of the whole page among the test's artifacts.
func (p *tab) shoot(name string) {
	p.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.Fatal(err)
	}
	path := filepath.Join(p.ArtifactDir(), name+".png")
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		p.Fatal(err)
	}
	p.Logf("picture: %s", path)
}
