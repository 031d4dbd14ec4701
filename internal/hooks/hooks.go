// Package hooks tells programs of the company what happens: call, duty and alert events to webhooks, alerts by mail;
// and asks call routers where a caller goes.
//
// It refuses to lose an event that is on disk, to send anywhere but through the client it is given (package egress has
// the guard), and to make the core wait: it is told of facts, and works on them on goroutines of its own.
package hooks

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/graph"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/trigger"
)

// stateAlert is the call state by which a subscription asks for alerts; all does not include it.
const (
	stateAlert = "alert"
	stateAll   = "all"
)

// How long a recording event waits for the recording's file to be complete, and how often that is looked at.
const (
	tapeLife  = time.Minute
	tapeEvery = 250 * time.Millisecond
)

// Settings are the settings of the company.
type Settings interface {
	Snapshot() *store.Snapshot
	Update(ctx context.Context, by store.Actor, change func(*store.Tx) error) error
}

// Outbox keeps events until a webhook took them.
type Outbox interface {
	AddDeliveries(ctx context.Context, list []store.Delivery) error
	Deliveries(ctx context.Context, limit int) ([]store.Delivery, error)
	Delivery(ctx context.Context, id int64) (store.Delivery, bool, error)
	SettleDelivery(d store.Delivery, done bool)
	ReviveDelivery(ctx context.Context, id int64) (bool, error)
	DropDeliveriesOf(ctx context.Context, webhook callcenter.WebhookID) error
	TrimDeliveries(ctx context.Context, before time.Time) error
}

// Calls tells what is known of a call besides its legs.
type Calls interface {
	CallNotes(ctx context.Context, call route.CallID) (store.CallNotes, error)
	Recordings(ctx context.Context, q store.RecordingQuery) ([]store.RecordingRecord, error)
	VoicemailOf(ctx context.Context, call route.CallID) (store.VoicemailRecord, bool, error)
}

// Events is told of what happens, too, where somebody wants it. It never waits.
type Events interface {
	Wanted(name string) bool
	Tell(event trigger.Event)
}

// Config is what hooks need. Mail is nil where no mail is sent; Notice shows a sentence to supervisors.
type Config struct {
	Settings Settings
	Outbox   Outbox
	Calls    Calls
	Webhooks *http.Client // behind the address guard, with DeliveryTimeout
	Routers  *http.Client // behind the address guard, with RouterTimeout
	Mail     Mailer
	Events   Events // nil: nobody else is told
	Notice   func(text string)
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
}

// Hooks sends what happens.
type Hooks struct {
	cfg     Config
	tracker *graph.Tracker // of the core's goroutine
	sender  *sender
	stop    context.CancelFunc
	ctx     context.Context
	wg      sync.WaitGroup

	mu    sync.Mutex
	inbox []fact
	wake  chan struct{} // one place: there is something in the inbox

	asking chan struct{} // a place for each router that is being asked
}

// fact is one thing to tell of: exactly one of the pointers is set.
type fact struct {
	at     time.Time
	change *graph.Change
	alert  *route.Alert
	duty   *route.OperatorView
	gone   callcenter.WebhookID
	booked *route.Callback
	center *store.Change
}

// New starts to work. What an earlier run left in the outbox is sent.
func New(ctx context.Context, cfg Config) (*Hooks, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Notice == nil {
		cfg.Notice = func(string) {}
	}
	h := &Hooks{cfg: cfg, wake: make(chan struct{}, 1), asking: make(chan struct{}, MaxRouterCalls)}
	h.tracker = graph.NewTracker(func(c graph.Change) { h.put(fact{at: c.At, change: &c}) })
	left, err := cfg.Outbox.Deliveries(ctx, MaxPending)
	if err != nil {
		return nil, err
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.sender = newSender(cfg)
	h.sender.add(left)
	h.wg.Go(h.run)
	h.wg.Go(func() { h.sender.run(h.ctx) })
	h.wg.Go(h.trim)
	return h, nil
}

// Close stops and waits. What was not sent is sent after the next start.
func (h *Hooks) Close() {
	h.stop()
	h.wg.Wait()
	h.sender.wg.Wait()
}

// Observe is told of every step of the core, on its goroutine (engine.Config.Observer).
func (h *Hooks) Observe(now time.Time, m *route.Machine, event route.Event, effects []route.Effect) {
	h.tracker.Step(now, event, effects, m)
	for _, effect := range effects {
		if alert, ok := effect.Order.(route.Alert); ok {
			h.put(fact{at: now, alert: &alert})
		}
		if saved, ok := effect.Order.(route.SaveCallback); ok && saved.Callback.Tries == 0 && h.wanted(eventCallback) {
			h.put(fact{at: now, booked: &saved.Callback})
		}
	}
}

// Committed is told of every change of the settings (store.OnCommit).
func (h *Hooks) Committed(changes []store.Change) {
	for _, change := range changes {
		if change.Kind == store.KindCenter && h.wanted(centerEventName(change)) {
			h.put(fact{at: h.cfg.Now(), center: &change})
		}
		if old, ok := change.Old.(*callcenter.Webhook); ok && change.New == nil {
			h.put(fact{gone: old.ID})
		}
	}
}

// Watch reads the live feed for who is on duty, until the context ends or Close.
func (h *Hooks) Watch(reader engine.Reader) {
	h.wg.Go(func() {
		known := map[callcenter.OperatorID]presence{}
		for {
			update, ok := reader.Next(h.ctx)
			if !ok {
				return
			}
			for _, view := range changed(known, update) {
				h.put(fact{at: update.At, duty: &view})
			}
		}
	})
}

// Replay sends a dead event again; false: there is none.
func (h *Hooks) Replay(ctx context.Context, id int64) (bool, error) {
	found, err := h.cfg.Outbox.ReviveDelivery(ctx, id)
	if err != nil || !found {
		return false, err
	}
	revived, ok, err := h.cfg.Outbox.Delivery(ctx, id)
	if err == nil && ok {
		h.sender.add([]store.Delivery{revived})
	}
	return ok, err
}

func (h *Hooks) put(f fact) {
	h.mu.Lock()
	h.inbox = append(h.inbox, f)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
}

func (h *Hooks) take() []fact {
	h.mu.Lock()
	defer h.mu.Unlock()
	facts := h.inbox
	h.inbox = nil
	return facts
}

// run turns facts into deliveries.
func (h *Hooks) run() {
	var waiting []fact // recordings that are not complete yet
	for {
		var later <-chan time.Time
		if len(waiting) > 0 {
			later = time.After(tapeEvery)
		}
		select {
		case <-h.wake:
		case <-later:
		case <-h.ctx.Done():
			h.tell(h.take()) // what happened before the end is kept for the next start
			return
		}
		waiting = h.tell(append(waiting, h.take()...))
	}
}

// tell keeps the deliveries of facts and has them sent. It returns those that have to wait for a file.
func (h *Hooks) tell(facts []fact) (waiting []fact) {
	var list []store.Delivery
	for _, f := range facts {
		made, wait := h.deliveries(f)
		list = append(list, made...)
		if wait {
			waiting = append(waiting, f)
		}
	}
	if len(list) == 0 {
		return waiting
	}
	// Not the context of Close: what was told of must reach the disk.
	if err := h.cfg.Outbox.AddDeliveries(context.Background(), list); err != nil {
		h.cfg.Log.Error("events could not be kept", "events", len(list), "error", err)
		h.cfg.Notice("Events for webhooks could not be kept: the disk failed.")
		return waiting
	}
	h.sender.add(list)
	return waiting
}

// deliveries are those of one fact; wait: not yet.
func (h *Hooks) deliveries(f fact) (list []store.Delivery, wait bool) {
	w := writer{h.cfg.Settings.Snapshot()}
	switch {
	case f.change != nil:
		return h.ofCall(w, f)
	case f.duty != nil:
		to := receivers(w.snapshot, func(s *callcenter.Subscription) bool { return s.Kind == callcenter.AgentStatusEvents })
		body := w.status(f.at, *f.duty)
		h.event(eventDuty, int64(f.duty.ID), f.at, body)
		return addressed(to, int64(f.duty.ID), "agent status", f.at, body), false
	case f.alert != nil:
		h.mailAlert(w, f.at, *f.alert)
		to := receivers(w.snapshot, func(s *callcenter.Subscription) bool {
			return s.Kind == callcenter.CallEvents && slices.Contains(s.States, stateAlert) &&
				concerns(w.snapshot, s.Target, f.alert.Center, 0)
		})
		body := w.alert(f.at, *f.alert)
		h.event(eventAlert+string(f.alert.Kind), int64(f.alert.Center), f.at, body)
		return addressed(to, int64(f.alert.Center), "alert "+string(f.alert.Kind), f.at, body), false
	case f.booked != nil:
		h.event(eventCallback, int64(f.booked.Call), f.booked.Asked, w.callback(f.at, *f.booked))
		return nil, false
	case f.center != nil:
		h.centerEvent(w, f)
		return nil, false
	}
	h.sender.forget(f.gone)
	if err := h.cfg.Outbox.DropDeliveriesOf(context.Background(), f.gone); err != nil {
		h.cfg.Log.Error("events of a deleted webhook could not be removed", "error", err)
	}
	return nil, false
}

// ofCall are the deliveries of a call event. That a call was recorded is told when the file is complete.
func (h *Hooks) ofCall(w writer, f fact) (list []store.Delivery, wait bool) {
	leg := f.change.Leg
	to := receivers(w.snapshot, func(s *callcenter.Subscription) bool { return wantsCall(w.snapshot, s, leg) })
	names := h.wantedOf(leg)
	if len(to)+len(names) == 0 {
		return nil, false
	}
	notes, err := h.cfg.Calls.CallNotes(h.ctx, leg.Entry)
	if err != nil {
		h.cfg.Log.Error("the labels of a call could not be read", "call", leg.Entry, "error", err)
	}
	var tapes []store.RecordingRecord
	var box int64
	switch leg.State {
	case graph.Recording:
		tapes, err = h.cfg.Calls.Recordings(h.ctx, store.RecordingQuery{Call: leg.Visit, Limit: maxTapes})
		complete := err == nil && len(tapes) > 0 &&
			!slices.ContainsFunc(tapes, func(t store.RecordingRecord) bool { return !t.Complete })
		if !complete {
			return nil, h.cfg.Now().Sub(f.at) < tapeLife
		}
	case graph.VoicemailUploaded:
		found, ok, err := h.cfg.Calls.VoicemailOf(h.ctx, leg.Visit)
		if (err != nil || !ok || !found.Complete) && h.cfg.Now().Sub(f.at) < tapeLife {
			return nil, true
		}
		box = found.ID
	}
	body := w.call(*f.change, notes, tapes, box)
	for _, name := range names {
		h.event(name, int64(leg.ID), f.at, body)
	}
	return addressed(to, int64(leg.Visit), "call "+string(leg.State), f.at, body), false
}

// maxTapes bounds the recordings that one event names.
const maxTapes = 100

// wantsCall says whether a subscription asks for this state of this leg.
func wantsCall(snapshot *store.Snapshot, s *callcenter.Subscription, leg graph.Leg) bool {
	return s.Kind == callcenter.CallEvents && (!s.GroupCallsOnly || ofGroup(snapshot, leg)) &&
		(len(s.States) == 0 || slices.Contains(s.States, string(leg.State)) || slices.Contains(s.States, stateAll)) &&
		concerns(snapshot, s.Target, leg.Center, leg.Operator)
}

// ofGroup says whether the caller came to a call center or call router, and not to a person.
func ofGroup(snapshot *store.Snapshot, leg graph.Leg) bool {
	return leg.Center != 0 && snapshot.AtTheDoor(leg.Center).Type != callcenter.TargetUser
}

// concerns says whether something of a call center and a person is a target's. No target: everything is.
func concerns(
	snapshot *store.Snapshot, target callcenter.Target, at callcenter.ID, operator callcenter.OperatorID,
) bool {
	switch target.Type {
	case "":
		return true
	case callcenter.TargetCallCenter:
		return target.ID == int64(at)
	case callcenter.TargetUser:
		return target.ID == int64(operator) && operator != 0 || target.ID == int64(at) // or whose own number it is
	case callcenter.TargetOffice:
		center, ok := snapshot.Center(at)
		return ok && int64(center.OfficeID) == target.ID
	}
	return false
}

// receivers are the webhooks of the enabled subscriptions that want something, each once.
func receivers(snapshot *store.Snapshot, want func(*callcenter.Subscription) bool) []callcenter.WebhookID {
	var to []callcenter.WebhookID
	for _, s := range snapshot.Subscriptions() {
		if s.Enabled && want(s) && !slices.Contains(to, s.Webhook) {
			to = append(to, s.Webhook)
		}
	}
	return to
}

func addressed(
	to []callcenter.WebhookID, lane int64, event string, at time.Time, body []byte,
) (list []store.Delivery) {
	for _, webhook := range to {
		list = append(list, store.Delivery{
			Webhook: webhook, Lane: lane, Event: event, Body: body, Created: at, Due: at,
		})
	}
	return list
}

// trim removes dead events that nobody looked at for long.
func (h *Hooks) trim() {
	for {
		if err := h.cfg.Outbox.TrimDeliveries(h.ctx, h.cfg.Now().Add(-DeadLife)); err != nil && h.ctx.Err() == nil {
			h.cfg.Log.Error("old events could not be removed", "error", err)
		}
		select {
		case <-time.After(24 * time.Hour):
		case <-h.ctx.Done():
			return
		}
	}
}
