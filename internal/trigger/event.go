package trigger

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// Event is something that happened.
type Event struct {
	ID      string // however often an event with this id is told of, it counts once
	Name    string // provider:queue
	At      time.Time
	Payload []byte // a JSON object
}

// What bounds events.
const (
	MaxWaiting  = 4096    // that are not on disk yet; more are dropped
	MaxPayload  = 1 << 20 // bytes
	maxEventID  = 100     // characters; a longer one is hashed
	maxGathered = 256     // events of one commit
	retryAfter  = time.Second
)

// Wanted says whether an active handler waits for events of that name.
func (t *Triggers) Wanted(name string) bool { return (*t.listens.Load())[name] }

// Tell tells of an event. It never waits: when too many wait already, the event is dropped and counted. One that no
// handler waits for is nothing.
func (t *Triggers) Tell(e Event) {
	if !t.Wanted(e.Name) {
		return
	}
	select {
	case t.inbox <- e:
	default:
		t.counts.dropped.Add(1)
	}
}

// Publish tells of an event, PROVIDER:NAME, and returns once it is on disk. An empty id is any that there was not yet.
func (t *Triggers) Publish(ctx context.Context, id, event string, payload flow.Map) error {
	if !t.Wanted(event) {
		return nil
	}
	if id == "" {
		id = rand.Text()
	}
	if payload == nil {
		payload = flow.Map{}
	}
	return t.keep(ctx, []Event{{ID: id, Name: event, At: t.cfg.Now(), Payload: flow.Encode(payload)}})
}

// collect brings events to disk.
func (t *Triggers) collect() {
	for {
		var batch []Event
		select {
		case e := <-t.inbox:
			batch = t.gather([]Event{e})
		case <-t.ctx.Done():
			batch = t.gather(nil)
			if len(batch) == 0 {
				return
			}
		}
		// Not the context of Close: what was told of must reach the disk.
		if err := t.keep(context.Background(), batch); err != nil {
			t.counts.dropped.Add(int64(len(batch)))
			t.cfg.Log.Error("events for event handlers could not be kept", "events", len(batch), "error", err)
		}
	}
}

func (t *Triggers) gather(batch []Event) []Event {
	for len(batch) < maxGathered {
		select {
		case e := <-t.inbox:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// keep brings events to disk, each once.
func (t *Triggers) keep(ctx context.Context, list []Event) error {
	rows := make([]store.TriggerEvent, 0, len(list))
	for _, e := range list {
		row, err := t.row(e)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	fresh, err := t.cfg.Store.AddTriggerEvents(ctx, rows)
	if err != nil {
		return err
	}
	if len(fresh) > 0 {
		t.counts.events.Add(int64(len(fresh)))
		wake(t.kept)
	}
	return nil
}

// row gives an event its place, and tells handlers of it in the payload.
func (t *Triggers) row(e Event) (store.TriggerEvent, error) {
	if len(e.Payload) > MaxPayload {
		return store.TriggerEvent{}, fmt.Errorf("the payload of the event %s has more than %d bytes", e.Name, MaxPayload)
	}
	value, err := flow.Decode(e.Payload)
	payload, ok := value.(flow.Map)
	if err != nil || !ok {
		return store.TriggerEvent{}, fmt.Errorf("the payload of the event %s is no JSON object", e.Name)
	}
	id, num := e.ID, t.num.Add(1)
	if len(id) > maxEventID {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	payload["event_id"], payload["event_name"], payload["event_sequence"] = id, e.Name, num
	return store.TriggerEvent{Num: num, ID: id, Name: e.Name, At: e.At, Payload: flow.Encode(payload)}, nil
}

// work does what events on disk cause, in their order as far as maxAtOnce allows.
func (t *Triggers) work() {
	for t.ctx.Err() == nil {
		n, err := t.workOnce()
		if err != nil && t.ctx.Err() == nil {
			t.cfg.Log.Error("what events cause could not be done or kept", "error", err)
			t.pause(retryAfter)
			continue
		}
		if n > 0 {
			continue
		}
		select {
		case <-t.kept:
		case <-t.ctx.Done():
		}
	}
}

func (t *Triggers) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
	}
}

// workOnce does what some events cause and says how many there were. An event that could not be dealt with now stays.
func (t *Triggers) workOnce() (int, error) {
	list, err := t.cfg.Store.OpenTriggerEvents(t.ctx, 0, maxGathered)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	var mu sync.Mutex
	var change store.TriggerChange
	var failed error
	inParallel(list, func(e store.TriggerEvent) {
		shots, err := t.handle(e)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed = errors.Join(failed, err)
			return
		}
		change.Shots, change.Done = append(change.Shots, shots...), append(change.Done, e.Num)
	})
	// Not the context of Close: what was done must be known.
	if err := t.cfg.Store.WriteTriggers(context.Background(), change); err != nil {
		return 0, err
	}
	return len(list), failed
}

// inParallel does f for all of a list, at most maxAtOnce at once, and waits.
func inParallel[T any](list []T, f func(T)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxAtOnce)
	for _, one := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(one)
		})
	}
	wg.Wait()
}

// handle has all handlers of an event do what they are for. An error: not now.
func (t *Triggers) handle(e store.TriggerEvent) (shots []store.TriggerShot, err error) {
	value, err := flow.Decode(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("decode the event %s: %w", e.ID, err)
	}
	payload, _ := value.(flow.Map)
	for _, h := range t.handlers.all() {
		if !h.Active || h.Event != e.Name {
			continue
		}
		shot := store.TriggerShot{Kind: KindHandler, Name: h.Name, Cause: e.ID, At: t.cfg.Now(), State: Executed}
		holds, err := t.condition(h.Evaluator, h.Condition, payload)
		switch {
		case err != nil && t.ctx.Err() != nil:
			return nil, err
		case err != nil:
			shot.State, shot.Reason = Failed, "condition: "+err.Error()
			shots = append(shots, t.note(shot))
			continue
		case !holds:
			continue
		}
		for i := range h.Actions {
			shot.Action = i
			one, err := t.act(h, shot, payload)
			if err != nil {
				return nil, err
			}
			shots = append(shots, t.note(one))
		}
	}
	return shots, nil
}

// condition says whether a condition holds for a payload.
func (t *Triggers) condition(evaluator, condition string, payload flow.Map) (bool, error) {
	if condition == "" {
		return true, nil
	}
	language, _ := languageOf(evaluator)
	if language == "" {
		return truth(payload[condition]), nil
	}
	v, err := t.cfg.Evaluator.Evaluate(t.ctx, language, condition, payload)
	if list, ok := v.([]any); ok && language == flow.JQ {
		v = len(list) > 0 && truth(list[0])
	}
	return truth(v), err
}

// truth is what a value means where yes or no is asked: as JavaScript has it, and the text "false" is no.
func truth(v flow.Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != "" && v != "false"
	}
	return true
}
