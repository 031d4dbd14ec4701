// Package trigger starts workflows, and moves those that wait: when something happens (event handlers), when it is time
// (schedules), and when another program says so (incoming webhooks); docs/reference/triggers.md.
//
// It refuses to hold up whoever tells it of an event, to do what an event or a due time causes twice, and to run
// anything itself: that is package runner, which it knows by an interface.
package trigger

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// Runs starts runs and gives them orders. Of an idempotency key that a run has, and RETURN_EXISTING, Start answers that
// run. It is runner.Runner.
type Runs interface {
	Start(ctx context.Context, req flow.StartRequest, identity, event string) (flow.RunID, error)
	Report(ctx context.Context, run flow.RunID, news flow.Reported) error
	ReportByRef(ctx context.Context, run flow.RunID, ref string, news flow.Reported) (flow.TaskID, error)
	Do(ctx context.Context, id flow.RunID, event flow.Event) error
}

// Evaluator runs scripts, bounded in time and memory.
type Evaluator interface {
	Evaluate(ctx context.Context, language flow.Language, script string, input flow.Map) (flow.Value, error)
}

// Secrets has judge look at a secret; what judge says is what Judge says. A secret that is not there is an error.
type Secrets interface {
	Judge(name string, judge func(secret string) bool) (bool, error)
}

// Config is what triggers need.
type Config struct {
	Store     *store.Store
	Runs      Runs
	Evaluator Evaluator                                         // of conditions
	Compiles  func(language flow.Language, script string) error // is a script one at all; nil: nobody asks
	Secrets   Secrets                                           // of incoming webhooks
	Allow     func(webhook string) time.Duration                // when it takes a request again; 0: now; nil: always
	Now       func() time.Time                                  // nil: time.Now
	Log       *slog.Logger
}

// The kinds of triggers.
const (
	KindHandler  = "handler"
	KindSchedule = "schedule"
	KindWebhook  = "webhook"
)

// MaxTriggers bounds how many there may be of each kind.
const MaxTriggers = 1000

// How long is kept what was caused, how much of it at most, and how often the rest is removed.
const (
	keptFor   = 30 * 24 * time.Hour
	keptShots = 100_000
	trimEvery = time.Hour
)

// maxAtOnce bounds the events, and the schedules, that are worked on at once.
const maxAtOnce = 16

// Triggers are those of one company. Safe for concurrent use.
type Triggers struct {
	cfg       Config
	handlers  shelf[flow.EventHandler]
	schedules shelf[flow.Schedule]
	webhooks  shelf[Webhook]
	writing   sync.Mutex // held by whoever changes what is on disk

	listens atomic.Pointer[map[string]bool] // names of events that active handlers wait for
	inbox   chan Event
	num     atomic.Int64  // of the last event
	kept    chan struct{} // one place: there is an event on disk
	changed chan struct{} // one place: schedules are others
	counts  counts

	ctx  context.Context // ends when Close begins
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New reads what there is, and begins: with the events that an earlier process did not get to, and with the times that
// it missed.
func New(ctx context.Context, cfg Config) (*Triggers, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Compiles == nil {
		cfg.Compiles = func(flow.Language, string) error { return nil }
	}
	if cfg.Allow == nil {
		cfg.Allow = func(string) time.Duration { return 0 }
	}
	t, err := read(ctx, cfg)
	if err != nil {
		return nil, err
	}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.wg.Go(t.collect)
	t.wg.Go(t.work)
	t.wg.Go(t.clock)
	t.wg.Go(t.trim)
	return t, nil
}

func read(ctx context.Context, cfg Config) (*Triggers, error) {
	t := &Triggers{
		cfg: cfg, inbox: make(chan Event, MaxWaiting), kept: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	defs, err := cfg.Store.TriggerDefs(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range defs {
		switch d.Kind {
		case KindHandler:
			err = t.handlers.read(d)
		case KindSchedule:
			err = t.schedules.read(d)
		case KindWebhook:
			err = t.webhooks.read(d)
		}
		if err != nil {
			return nil, fmt.Errorf("decode the %s %s: %w", d.Kind, d.Name, err)
		}
	}
	last, err := cfg.Store.LastTriggerEvent(ctx)
	if err != nil {
		return nil, err
	}
	t.num.Store(last)
	t.listen()
	return t, nil
}

// Close stops. Events that wait are kept for the next start; the store must still be open.
func (t *Triggers) Close() {
	t.stop()
	t.wg.Wait()
}

// trim removes what is old, now and then.
func (t *Triggers) trim() {
	for {
		err := t.cfg.Store.TrimTriggers(t.ctx, t.cfg.Now().Add(-keptFor), keptShots)
		if err != nil && t.ctx.Err() == nil {
			t.cfg.Log.Error("old events of triggers could not be removed", "error", err)
		}
		select {
		case <-time.After(trimEvery):
		case <-t.ctx.Done():
			return
		}
	}
}

// Stats count what triggers did since the start.
type Stats struct {
	Events  int64 // that handlers were there for
	Dropped int64 // events that came faster than they could be kept
	Caused  int64 // actions, schedules and requests that did what they are for
	Failed  int64 // and that did not
	Waiting int64 // events that are not on disk yet
}

type counts struct{ events, dropped, caused, failed atomic.Int64 }

// Stats counts.
func (t *Triggers) Stats() Stats {
	return Stats{
		Events: t.counts.events.Load(), Dropped: t.counts.dropped.Load(), Caused: t.counts.caused.Load(),
		Failed: t.counts.failed.Load(), Waiting: int64(len(t.inbox)),
	}
}

// The states of a shot.
const (
	Executed = "EXECUTED"
	Failed   = "FAILED"
)

// Shot is what a trigger caused once.
type Shot = store.TriggerShot

// ShotQuery says which shots are looked for; what is zero does not matter. Kind is handler, schedule or webhook.
type ShotQuery = store.ShotQuery

// MaxSearch bounds a page of shots; DefaultSearch is one that says no size.
const (
	MaxSearch     = 1000
	DefaultSearch = 100
)

// Shots lists what triggers caused, newest first, and how many there are beyond the page.
func (t *Triggers) Shots(ctx context.Context, q ShotQuery) ([]Shot, int, error) {
	switch {
	case q.Start < 0:
		return nil, 0, invalid("start", "must not be negative")
	case q.Size < 0 || q.Size > MaxSearch:
		return nil, 0, invalid("size", "must be from 1 to %d", MaxSearch)
	case q.Size == 0:
		q.Size = DefaultSearch
	}
	return t.cfg.Store.TriggerShots(ctx, q)
}

// note counts a shot.
func (t *Triggers) note(s store.TriggerShot) store.TriggerShot {
	if s.State == Executed {
		t.counts.caused.Add(1)
		return s
	}
	t.counts.failed.Add(1)
	t.cfg.Log.Warn("a trigger did not do what it is for", "kind", s.Kind, "name", s.Name, "reason", s.Reason)
	return s
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is woken already
	}
}

// docOf is a trigger as it is on disk.
func docOf(kind, name string, one any) (store.TriggerDef, error) {
	doc, err := json.Marshal(one, flow.JSON)
	if err != nil {
		return store.TriggerDef{}, fmt.Errorf("encode the %s %s: %w", kind, name, err)
	}
	return store.TriggerDef{Kind: kind, Name: name, Doc: doc}, nil
}
