// Package engine drives the core: it takes events in order, steps the machine, journals, performs the effects and wakes
// the machine when time is due. One engine serves one company, on one goroutine.
//
// It refuses to decide anything about a call: rules live in route. It never waits for the disk or the network; what it
// calls must not block.
package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// FeedInterval is how long changes are gathered before readers see them: a page shows a change well within a second,
// and a burst of calls costs one update.
const FeedInterval = 100 * time.Millisecond

// Performer carries out what concerns calls. It must not block; results come back through Say.
type Performer interface {
	Perform(effect route.Effect)
}

// Records makes facts durable. It must not block.
type Records interface {
	Journal(step uint64, at time.Time, event route.Event)
	SaveCall(record route.CallRecord)
	SaveDuty(operator callcenter.OperatorID, duty callcenter.Duty)
}

// Keeper makes durable what must go on after a crash. It must not block.
type Keeper interface {
	SaveCallback(c route.Callback)
	DropCallback(call route.CallID)
	SavePlace(p route.Place)
	DropPlace(call route.CallID)
}

// Config is what an engine needs.
type Config struct {
	Company   callcenter.CompanyID
	Seed      uint64
	FirstStep uint64 // the last step journalled by an earlier run
	Performer Performer
	Records   Records
	Keeper    Keeper                                // nil: nothing is kept
	Alert     func(at time.Time, alert route.Alert) // told besides the pages; must not block; nil: nobody
	// Observer, if any, is told of every step after it was journalled and performed. It must not block, nor keep m.
	Observer func(now time.Time, m *route.Machine, event route.Event, effects []route.Effect)
	Talks    func() []Talk // what a page that opens now sees of the calls that are listened to; nil: of none
	Log      *slog.Logger
}

// Engine owns the machine of one company.
type Engine struct {
	cfg     Config
	machine *route.Machine
	feed    *feed

	mu    sync.Mutex
	inbox []item
	wake  chan struct{} // capacity 1: something is in the inbox
	done  chan struct{} // closed when Run returns

	step    uint64
	notices gathered[Notice]
	ended   gathered[route.CallRecord]
	talks   []Talk // not published yet
	waiting answers
}

// item is an event, or a question to the machine.
type item struct {
	event route.Event
	ask   func(*route.Machine, time.Time)
}

// New returns an engine that does nothing until Run.
func New(cfg Config) *Engine {
	if cfg.Keeper == nil {
		cfg.Keeper = forgetful{}
	}
	if cfg.Alert == nil {
		cfg.Alert = func(time.Time, route.Alert) {}
	}
	e := &Engine{
		cfg:     cfg,
		machine: route.New(route.Config{Company: cfg.Company, Seed: cfg.Seed, Step: cfg.FirstStep}),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		step:    cfg.FirstStep,
	}
	e.feed = newFeed(e.everything)
	return e
}

// Say hands the machine a fact. It never blocks; facts are taken in the order in which Say was called.
func (e *Engine) Say(event route.Event) { e.put(item{event: event}) }

// Ask runs f on the engine's goroutine, after all that was said before, and waits for it. The error is the context's,
// or that of an engine that no longer runs; f has not run then and never will.
func (e *Engine) Ask(ctx context.Context, f func(m *route.Machine, now time.Time)) error {
	var taken atomic.Bool // by f, or by whoever gave up waiting
	answered := make(chan struct{})
	e.put(item{ask: func(m *route.Machine, now time.Time) {
		if taken.CompareAndSwap(false, true) {
			f(m, now)
			close(answered)
		}
	}})
	var err error
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-e.done:
		err = fmt.Errorf("ask the engine of company %d: it has stopped", e.cfg.Company)
	}
	if taken.CompareAndSwap(false, true) {
		return err
	}
	<-answered // f is running
	return nil
}

// Notice shows something to supervisors that belongs to no call.
func (e *Engine) Notice(level, text string) {
	e.put(item{ask: func(_ *route.Machine, now time.Time) {
		e.notices.add(Notice{At: now, Level: level, Text: text})
	}})
}

// Heard shows the pages how conversations go.
func (e *Engine) Heard(talks []Talk) {
	e.put(item{ask: func(*route.Machine, time.Time) { e.talks = append(e.talks, talks...) }})
}

// Subscribe reads the live feed from the update after the given sequence number; 0 starts with a Reset.
func (e *Engine) Subscribe(after uint64) Reader { return e.feed.subscribe(after) }

func (e *Engine) put(it item) {
	e.mu.Lock()
	e.inbox = append(e.inbox, it)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
}

func (e *Engine) take(into []item) []item {
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := e.inbox
	e.inbox = into[:0]
	return taken
}

// Run drives the machine until the context ends.
func (e *Engine) Run(ctx context.Context) {
	defer close(e.done)
	defer e.feed.close()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	publish := time.NewTimer(FeedInterval)
	defer publish.Stop()
	publishing := true // the publish timer runs only while something may have changed
	var batch []item
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
			e.apply(route.Tick{})
		case <-e.wake:
			batch = e.take(batch)
			for i := range batch {
				e.handle(batch[i])
				batch[i] = item{}
			}
		case <-publish.C:
			publishing = e.publish()
			if publishing {
				publish.Reset(FeedInterval)
			}
			continue
		}
		if !publishing {
			publishing = true
			publish.Reset(FeedInterval)
		}
		if next := e.machine.Next(); next.IsZero() {
			due.Stop()
		} else {
			due.Reset(max(0, time.Until(next)))
		}
	}
}

func (e *Engine) handle(it item) {
	if it.ask != nil {
		it.ask(e.machine, time.Now())
		return
	}
	e.apply(it.event)
}

// apply steps the machine once and carries out what it orders. A panic of the core is a bug: it is logged with the
// event that caused it, and the call it concerned is ended, so that no caller hears silence for ever.
func (e *Engine) apply(event route.Event) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		e.cfg.Log.Error("the core panicked", "company", e.cfg.Company, "event", fmt.Sprintf("%T", event),
			"cause", cause, "stack", string(debug.Stack()))
		e.notices.add(Notice{
			At: time.Now(), Level: "warning", Text: "An internal error ended a call. The log has the details.",
		})
		if call, ok := callOf(event); ok {
			if _, again := event.(route.CallFailed); !again {
				e.Say(route.CallFailed{Call: call, Reason: "internal_error"})
			}
		}
	}()
	now := time.Now()
	written := e.masked(event)
	effects := e.machine.Step(now, event)
	e.step++
	e.cfg.Records.Journal(e.step, now, written)
	for _, effect := range effects {
		e.perform(now, effect)
	}
	if e.cfg.Observer != nil {
		e.cfg.Observer(now, e.machine, event, effects)
	}
}

// maskedDigit stands in the journal for a key that was pressed while the recording was paused.
const maskedDigit = '?'

// masked is an event as it may be written down: what a caller types while the recording is paused is nobody's business.
func (e *Engine) masked(event route.Event) route.Event {
	switch ev := event.(type) {
	case route.Digit:
		if e.machine.Masks(ev.Call) {
			ev.Digit = maskedDigit
		}
		return ev
	case route.OperatorDigit:
		if e.machine.Masks(ev.Leg.Call) {
			ev.Digit = maskedDigit
		}
		return ev
	}
	return event
}

func (e *Engine) perform(now time.Time, effect route.Effect) {
	switch order := effect.Order.(type) {
	case route.SetDuty:
		e.cfg.Records.SaveDuty(order.Operator, order.Duty)
	case route.Warn:
		e.notices.add(Notice{At: now, Level: "warning", Text: order.Text})
	case route.Alert:
		e.notices.add(Notice{At: now, Level: alertLevel(order.Kind), Text: order.Text, Alert: order.Kind})
		e.cfg.Alert(now, order)
	case route.CallbackDecided:
		e.waiting.decided(order)
	case route.SaveCallback:
		e.cfg.Keeper.SaveCallback(order.Callback)
	case route.DropCallback:
		e.cfg.Keeper.DropCallback(order.Call)
	case route.SavePlace:
		e.cfg.Keeper.SavePlace(order.Place)
	case route.DropPlace:
		e.cfg.Keeper.DropPlace(order.Call)
	case route.Pass:
		e.cfg.Records.SaveCall(order.Record)
		e.ended.add(order.Record)
	case route.End:
		e.cfg.Records.SaveCall(order.Record)
		e.ended.add(order.Record)
		e.cfg.Performer.Perform(effect)
	default:
		e.cfg.Performer.Perform(effect)
	}
}

// callOf names the call that an event is about.
func callOf(event route.Event) (route.CallID, bool) {
	switch ev := event.(type) {
	case route.CallArrived:
		return ev.Call, true
	case route.CallerHungUp:
		return ev.Call, true
	case route.CallFailed:
		return ev.Call, true
	case route.Digit:
		return ev.Call, true
	case route.PlayDone:
		return ev.Call, true
	case route.LegRinging:
		return ev.Leg.Call, true
	case route.LegAnswered:
		return ev.Leg.Call, true
	case route.LegFailed:
		return ev.Leg.Call, true
	case route.LegHungUp:
		return ev.Leg.Call, true
	case route.RecordingEnded:
		return ev.Call, true
	case route.OperatorDigit:
		return ev.Leg.Call, true
	case route.RouterAnswered:
		return ev.Call, true
	case route.FarAnswered:
		return ev.Call, true
	case route.FarFailed:
		return ev.Call, true
	case route.HangupAsked:
		return ev.Call, true
	}
	return 0, false
}
