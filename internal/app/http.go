package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/api"
	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/console"
	"switchboard/internal/engine"
	"switchboard/internal/hooks"
	"switchboard/internal/limit"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/trigger"
	"switchboard/web"
)

// addressFile tells the command that makes sign-in links where the pages of the server on this directory are.
const addressFile = "pages-url"

// startHTTP serves the pages and the API on one listener.
func (a *App) startHTTP(ctx context.Context) error {
	a.sessions = auth.NewSessions(a.store, a.store, time.Now)
	if err := a.openAPIs(); err != nil {
		return err
	}
	tests := newTestRequests(a.apis)
	rest := api.New(api.Config{
		Settings: a.store, Voicemails: a.store, History: a.store, Live: live{a.engine}, Phones: a.sip,
		DataDir: a.cfg.DataDir, RateLimit: a.cfg.RateLimit, CompanyRateLimit: a.cfg.CompanyRateLimit, Log: a.cfg.Log,
		Calls: a.store, Recordings: a.store, Callbacks: callbacks{a.engine, a.store}, Uploads: a.uploads,
		DeadLetters: deadLetters{a.store, a.hooks}, Dialable: a.lines.Allowed, Directory: apis{a.apis},
		Conversations: a.talks, Tests: tests, Transcripts: a.store, Speech: a.words, PublicURL: a.publicAddress,
	})
	pages := console.New(console.Config{
		Feed: a.engine.Subscribe, Sessions: browsers{a.sessions}, Dist: web.Dist(), Version: Version,
		Voicemails: voicemailShelf{a.store, a.cfg.DataDir}, Recordings: recordingShelf{a.store, a.cfg.DataDir},
		Company: a.store.Snapshot().Company().Name, SIPAddress: "sip:" + a.PublicSIPAddr().String(),
		LinkHelp: "switchboard key sign-in --data DIR", Log: a.cfg.Log,
	})
	var err error
	if a.listener, err = net.Listen("tcp", a.cfg.HTTP); err != nil {
		return fmt.Errorf("listen for pages and API on %s: %w", a.cfg.HTTP, err)
	}
	if err := os.WriteFile(filepath.Join(a.cfg.DataDir, addressFile), []byte(a.URL()+"\n"), 0o600); err != nil {
		return fmt.Errorf("note where the pages are: %w", err)
	}
	automation := newLater()
	all := bySide{rest: rest, automation: automation, pages: pages, metrics: a.metrics(), incoming: a.triggers}
	if err := a.openRequests(all); err != nil {
		return err
	}
	if err := a.openWorkflows(ctx); err != nil {
		return err
	}
	if err := a.openAutomation(automation); err != nil {
		return err
	}
	tests.workflows.Store(a.runner)
	a.http = httpServer(ofBrowsers{all, browsers{a.sessions}, http.NewCrossOriginProtection()}, a.cfg.Log)
	a.wg.Go(func() {
		if err := a.http.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.cfg.Log.Error("the web side stopped; calls go on", "error", err)
		}
	})
	return nil
}

// healthPath is where clients of Conductor ask whether the server is well.
const healthPath = "/health"

// bySide hands a request to one of the APIs or to the pages. The APIs also get paths that only lead to them when
// cleaned: the pages' ServeMux would answer them with a redirect, where the API promises its own 404.
type bySide struct{ rest, automation, pages, metrics, incoming http.Handler }

// ServeHTTP implements http.Handler.
func (b bySide) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	clean := path.Clean("/" + r.URL.Path)
	switch {
	case clean == "/openapi.json", strings.HasPrefix(clean+"/", "/api/v2/"):
		b.rest.ServeHTTP(w, r)
	case clean == healthPath, strings.HasPrefix(clean+"/", "/api/"), strings.HasPrefix(r.URL.Path, "/api/"):
		b.automation.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, trigger.PathIn):
		b.incoming.ServeHTTP(w, r)
	case clean == metricsPath:
		b.metrics.ServeHTTP(w, r)
	default:
		b.pages.ServeHTTP(w, r)
	}
}

// live answers what only the running core knows.
type live struct{ engine *engine.Engine }

// CenterLive implements api.Live.
func (l live) CenterLive(ctx context.Context, id callcenter.ID) (view route.CenterView, ok bool) {
	err := l.engine.Ask(ctx, func(m *route.Machine, _ time.Time) { view, ok = m.Center(id) })
	return view, ok && err == nil
}

// OperatorLive implements api.Live.
func (l live) OperatorLive(ctx context.Context, id callcenter.OperatorID) (view route.OperatorView, ok bool) {
	err := l.engine.Ask(ctx, func(m *route.Machine, _ time.Time) { view, ok = m.Operator(id) })
	return view, ok && err == nil
}

// CallLive implements api.Live.
func (l live) CallLive(ctx context.Context, id route.CallID) (view route.CallView, ok bool) {
	err := l.engine.Ask(ctx, func(m *route.Machine, _ time.Time) { view, ok = m.Call(id) })
	return view, ok && err == nil
}

// LegLive implements api.Live.
func (l live) LegLive(ctx context.Context, id route.CallID) (view route.CallView, place int, ok bool) {
	err := l.engine.Ask(ctx, func(m *route.Machine, _ time.Time) { view, place, ok = m.Leg(id) })
	return view, place, ok && err == nil
}

// Say implements api.Live.
func (l live) Say(event route.Event) { l.engine.Say(event) }

// browsers lets the console sign browsers in.
type browsers struct{ sessions *auth.Sessions }

// SignIn implements console.Sessions.
func (b browsers) SignIn(ctx context.Context, token string) (cookie string, expires time.Time, err error) {
	taken, err := b.sessions.TakeLink(ctx, token)
	if err == nil && !taken {
		err = console.ErrLink
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return b.sessions.NewSession(ctx)
}

// Valid implements console.Sessions.
func (b browsers) Valid(ctx context.Context, cookie string) bool {
	return b.sessions.Valid(ctx, cookie)
}

// SignOut implements console.Sessions.
func (b browsers) SignOut(ctx context.Context, cookie string) error {
	return b.sessions.EndSession(ctx, cookie)
}

// guard lets sipd refuse addresses that guess passwords.
type guard struct{ *limit.Guard }

// Blocked implements sipd.Guard.
func (g guard) Blocked(addr netip.Addr, now time.Time) bool { return g.Refused(now, addr) > 0 }

// Failed implements sipd.Guard.
func (g guard) Failed(addr netip.Addr, now time.Time) bool { return g.Fail(now, addr) }

// callbacks asks the core for callbacks.
type callbacks struct {
	engine *engine.Engine
	store  *store.Store
}

// Ask implements api.Callbacks. A callback that was booked is on disk: somebody was promised it.
func (c callbacks) Ask(
	ctx context.Context, center callcenter.ID, number string, dryRun bool,
) (position int, refused string, err error) {
	position, refused, err = c.engine.AskCallback(ctx, center, number, dryRun)
	if err == nil && position > 0 && !dryRun {
		err = c.store.Flush(ctx)
	}
	return position, refused, err
}

// deadLetters are the events that no webhook took.
type deadLetters struct {
	*store.Store
	hooks *hooks.Hooks
}

// Replay implements api.DeadLetters.
func (d deadLetters) Replay(ctx context.Context, id int64) (bool, error) {
	return d.hooks.Replay(ctx, id)
}
