package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/conductor"
	apidir "switchboard/internal/directory"
	"switchboard/internal/engine"
	"switchboard/internal/exchange"
	"switchboard/internal/hooks"
	"switchboard/internal/httptask"
	"switchboard/internal/limit"
	"switchboard/internal/media"
	"switchboard/internal/route"
	"switchboard/internal/runner"
	"switchboard/internal/script"
	"switchboard/internal/sipd"
	"switchboard/internal/speech"
	"switchboard/internal/store"
	"switchboard/internal/trigger"
	"switchboard/internal/vault"
)

// unjournalled bounds the steps that an earlier run may have performed without their journal entry reaching the disk
// before a crash; skipping that many keeps effect ids unique.
const unjournalled = 100_000

// How long the journal is kept, and how often what is older is removed.
const (
	journalLife = 30 * 24 * time.Hour
	trimEvery   = 24 * time.Hour
)

// App is a running server.
type App struct {
	cfg      Config
	store    *store.Store
	engine   *engine.Engine
	exchange *exchange.Exchange
	lines    *lines
	hooks    *hooks.Hooks
	desks    map[callcenter.ID]desk // as the core knows them; of the store's writer
	records  *records
	talks    *conversations
	words    *transcripts
	worker   atomic.Pointer[speech.Worker] // nil: there is none, or not now
	pool     *media.Pool
	uploads  *uploads
	speech   *media.Speech
	sip      *sipd.Server
	late     *phones // the way to sip for those who stand before it
	sessions *auth.Sessions
	apis     *apidir.Directory
	vault    *vault.Vault
	scripts  *script.Sandbox
	requests *httptask.Client // of workflows
	runner   *runner.Runner
	triggers *trigger.Triggers
	runs     *lateRuns

	environment *conductor.Environment
	cluster     *conductor.Cluster // nil: there is none
	listener    net.Listener
	http        *http.Server

	firstStart bool
	wg         sync.WaitGroup
	stop       context.CancelFunc // of what runs in wg
}

// New opens the database, takes the ports and starts to take calls and requests. The error says which part could not
// start; nothing is left running then.
func New(ctx context.Context, cfg Config) (_ *App, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg}
	background, stop := context.WithCancel(context.Background())
	a.stop = stop
	defer func() {
		if err != nil {
			_ = a.Close()
		}
	}()
	a.wg.Go(func() { giveBack(background) })
	if err := a.openStore(ctx); err != nil {
		return nil, err
	}
	if err := a.openSecrets(ctx); err != nil {
		return nil, err
	}
	if err := a.openTriggers(ctx); err != nil {
		return nil, err
	}
	if err := a.startCalls(ctx, background); err != nil {
		return nil, err
	}
	if err := a.startHTTP(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *App) openStore(ctx context.Context) (err error) {
	if a.store, err = store.Open(a.cfg.DataDir, store.Options{}); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if a.firstStart, err = firstStart(ctx, a.store, a.cfg); err != nil {
		return fmt.Errorf("create the company: %w", err)
	}
	return nil
}

// startCalls starts core, audio and signalling, in this order: a call finds everything in place.
func (a *App) startCalls(ctx, background context.Context) error {
	step, err := a.store.MaxStep(ctx)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	if step > 0 {
		step += unjournalled
	}
	if err := a.openMedia(); err != nil {
		return err
	}
	box, err := newMailbox(a.cfg.DataDir, a.store, a.cfg.Log)
	if err != nil {
		return err
	}
	if err := box.recover(ctx); err != nil {
		return err
	}
	a.lines = &lines{store: a.store, allow: a.cfg.DialAllow, cap: a.cfg.DialCap, notice: a.warn, log: a.cfg.Log}
	a.talks = newConversations(a.store, a.cfg.Log)
	tapes, err := newRecordings(a.cfg.DataDir, a.store, a.warn, a.cfg.Log)
	if err != nil {
		return err
	}
	if err := tapes.recover(ctx); err != nil {
		return err
	}
	if _, err := a.store.FinishConversations(ctx); err != nil {
		return err
	}
	if err := a.openSpeech(ctx, background); err != nil {
		return err
	}
	if a.uploads, err = newUploads(a.cfg.DataDir, a.store, a.cfg.Log); err != nil {
		return err
	}
	if err := a.openHooks(ctx); err != nil {
		return err
	}
	a.speech = media.NewSpeech(filepath.Join(a.cfg.DataDir, speechDir), a.cfg.Log)
	a.late = &phones{}
	a.exchange = exchange.New(exchange.Config{
		Say: func(event route.Event) { a.engine.Say(event) }, Phones: a.late, Log: a.cfg.Log,
		Prompts: prompts{media.NewLibrary(a.cfg.Prompts, a.speech, a.cfg.Log), a.uploads, a.speech},
		Ports:   ports{a.pool, media.NewTrack(audio.Music()), a.uploads},
		Mailbox: box, Recordings: tapes, Directory: directory{a.store},
		Lines: a.lines, Routers: programs{a.hooks}, Voices: heard{a.talks, a.words},
	})
	if err := a.lostCalls(ctx); err != nil {
		return err
	}
	return a.startCore(ctx, step, background)
}

// warn shows something to supervisors. Before the engine stands there is nobody to show it to but the log.
func (a *App) warn(text string) {
	if a.engine != nil {
		a.engine.Notice("warning", text)
	}
}

// startCore starts the signalling and then the engine.
func (a *App) startCore(ctx context.Context, step uint64, background context.Context) (err error) {
	company := a.store.Snapshot().Company().ID
	a.records = &records{store: a.store, log: a.cfg.Log}
	a.engine = engine.New(engine.Config{
		Company: company, Seed: uint64(company), FirstStep: step,
		Performer: a.exchange, Records: a.records, Keeper: a.store, Log: a.cfg.Log,
		Observer: a.hooks.Observe, Talks: func() []engine.Talk { return a.talks.talks(shownTurns) },
	})
	a.store.OnCommit(a.settingsEvents)
	a.store.OnCommit(a.hooks.Committed)
	a.tellAll()
	if err := a.tellPast(ctx, time.Now()); err != nil {
		return err
	}
	if err := a.tellSurvivors(ctx); err != nil {
		return err
	}
	if a.sip, err = sipd.New(a.sipConfig()); err != nil {
		return fmt.Errorf("listen for calls on %s: %w", a.cfg.SIP, err)
	}
	a.late.server.Store(a.sip)
	if err := a.endOrphans(ctx, a.sip); err != nil {
		return err
	}
	// Only now: the first step may ring somebody, for a callback of the process before.
	a.wg.Go(func() { a.engine.Run(background) })
	a.hooks.Watch(a.engine.Subscribe(0))
	a.wg.Go(func() { a.talks.tell(background, a.engine.Heard) })
	a.wg.Go(func() { a.trim(background) })
	a.wg.Go(func() { retention{a.cfg.DataDir, a.store, a.cfg.Log}.run(background) })
	return nil
}

func (a *App) openMedia() error {
	bind, err := a.cfg.sipHost()
	if err != nil {
		return err
	}
	advertise, err := a.cfg.advertised()
	if err != nil {
		return err
	}
	low, high, _ := portRange(a.cfg.RTPPorts) // checked at the start
	a.pool, err = media.NewPool(media.PoolConfig{
		Host: bind, Advertise: advertise, Low: low, High: high, Log: a.cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("open audio: %w", err)
	}
	return nil
}

func (a *App) sipConfig() sipd.Config {
	known := directory{a.store}
	return sipd.Config{
		Addr: a.cfg.SIP, Advertise: a.cfg.Advertise, Realm: auth.Realm, Account: known.account,
		AllowTrunk: known.trunk, MaxNewCalls: a.cfg.NewCallsPerSec, Log: a.cfg.Log, Keeper: dialogs{a.store},
		Guard: guard{limit.NewGuard(limit.MaxSIPFailures)},
		OnCall: func(leg *sipd.Leg) {
			leg.Handle(a.exchange.Incoming(leg))
		},
		OnDevice: func(owner callcenter.OperatorID, device callcenter.DeviceID, reachable bool) {
			a.engine.Say(route.DeviceReachable{Operator: owner, Device: device, Reachable: reachable})
		},
		OnNotice: func(n sipd.Notice) {
			text := n.Text
			if n.Addr.IsValid() {
				text = n.Addr.String() + ": " + text
			}
			a.engine.Notice("warning", text)
		},
	}
}

// SIPAddr is where phones on this computer reach the server.
func (a *App) SIPAddr() netip.AddrPort {
	addr := a.sip.Addr()
	if addr.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port())
	}
	return addr
}

// PublicSIPAddr is where phones reach the server from as far as it listens.
func (a *App) PublicSIPAddr() netip.AddrPort {
	addr := a.sip.Addr()
	if advertised, _ := a.cfg.advertised(); advertised.IsValid() {
		return netip.AddrPortFrom(advertised, addr.Port())
	}
	if addr.Addr().IsUnspecified() {
		return netip.AddrPortFrom(outwardAddress(), addr.Port())
	}
	return addr
}

// URL is the address of the pages and the API.
func (a *App) URL() string { return "http://" + a.listener.Addr().String() }

// FirstStart says whether this start created the company.
func (a *App) FirstStart() bool { return a.firstStart }

// NeedsAdmin says that nobody can administer this company yet: no admin key was ever shown. It stays so when a first
// start created the company and then found a port taken.
func (a *App) NeedsAdmin() bool {
	return !slices.ContainsFunc(a.store.Snapshot().Keys(), func(k *store.Key) bool {
		return k.Role == store.RoleCompanyAdmin
	})
}

// Store is the database, for commands that prepare a company before it takes calls.
func (a *App) Store() *store.Store { return a.store }

// Engine is the core's host, for those who watch it.
func (a *App) Engine() *engine.Engine { return a.engine }

// MediaStats counts the audio of all calls.
func (a *App) MediaStats() media.PoolStats { return a.pool.Stats() }

// SIPStats counts the signalling.
func (a *App) SIPStats() sipd.Stats { return a.sip.Stats() }

// Run serves until the context ends, then drains: no new calls, waiting callers are told goodbye, talking ones have
// Config.Drain to end by themselves, then get their BYE.
func (a *App) Run(ctx context.Context) error {
	<-ctx.Done()
	a.drain()
	return nil
}

func (a *App) drain() {
	a.engine.Say(route.Draining{})
	a.cfg.Log.Info("draining", "bound", a.cfg.Drain)
	deadline := time.Now().Add(a.cfg.Drain)
	for time.Now().Before(deadline) {
		if callers, devices := a.exchange.Legs(); callers+devices == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	a.exchange.HangupAll()
}

// trim keeps the journal bounded.
func (a *App) trim(ctx context.Context) {
	ticker := time.NewTicker(trimEvery)
	defer ticker.Stop()
	for {
		if n, err := a.store.TrimJournal(ctx, time.Now().Add(-journalLife)); err != nil && ctx.Err() == nil {
			a.cfg.Log.Error("the journal could not be trimmed", "error", err)
		} else if n > 0 {
			a.cfg.Log.Info("the journal was trimmed", "entries", n)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Close stops everything and waits for it. It may be called on a server that Run left, or never started.
func (a *App) Close() error {
	var errs []error
	if a.http != nil {
		errs = append(errs, a.http.Close())
	}
	if a.sip != nil {
		errs = append(errs, a.sip.Close())
	}
	if a.apis != nil {
		a.apis.Close()
	}
	a.stop()
	a.wg.Wait()
	if a.hooks != nil {
		a.hooks.Close()
	}
	if a.triggers != nil {
		a.triggers.Close()
	}
	if a.runner != nil {
		a.runner.Close()
	}
	if a.scripts != nil {
		a.scripts.Close()
	}
	if a.pool != nil {
		errs = append(errs, a.pool.Close())
	}
	if a.words != nil {
		a.words.scribe.Close() // behind the pool: nobody speaks any more
	}
	if a.speech != nil {
		a.speech.Close()
	}
	if a.records != nil {
		a.records.wg.Wait()
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}
