package trigger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// world is triggers on a real database, with runs and a clock that the test makes up.
type world struct {
	t        *testing.T
	dir      string
	store    *store.Store
	triggers *Triggers

	mu      sync.Mutex
	now     time.Time
	started []flow.StartRequest
	orders  []string
	refusal func(req flow.StartRequest) error
	allow   time.Duration
}

// noon is when the world's clock starts to stand.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: noon}
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.dir, store.Options{}); err != nil {
		w.t.Fatal(err)
	}
	w.triggers, err = New(context.Background(), Config{
		Store: w.store, Runs: w, Evaluator: w, Secrets: w, Log: slog.New(slog.DiscardHandler), Now: w.clock,
		Compiles: func(_ flow.Language, text string) error {
			if strings.Contains(text, ";;") {
				return errors.New("cannot be read")
			}
			return nil
		},
		Allow: func(string) time.Duration { return w.allow },
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	w.triggers.Close()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Start implements Runs: a run's id is its idempotency key.
func (w *world) Start(_ context.Context, req flow.StartRequest, identity, event string) (flow.RunID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refusal != nil {
		if err := w.refusal(req); err != nil {
			return "", err
		}
	}
	if !slices.ContainsFunc(w.started, func(s flow.StartRequest) bool {
		return s.IdempotencyKey == req.IdempotencyKey && s.Name == req.Name
	}) {
		w.started = append(w.started, req)
	}
	return flow.RunID("run of " + req.IdempotencyKey), nil
}

// Report implements Runs.
func (w *world) Report(_ context.Context, run flow.RunID, news flow.Reported) error {
	w.order("report", run, news.Task, news.Status, string(flow.Encode(news.Output)))
	return nil
}

// ReportByRef implements Runs.
func (w *world) ReportByRef(
	_ context.Context, run flow.RunID, ref string, news flow.Reported,
) (flow.TaskID, error) {
	w.order("report", run, ref, news.Status, string(flow.Encode(news.Output)))
	return "", nil
}

// Do implements Runs.
func (w *world) Do(_ context.Context, id flow.RunID, event flow.Event) error {
	w.order("do", id, fmt.Sprintf("%T%v", event, event))
	return nil
}

func (w *world) order(what ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orders = append(w.orders, strings.TrimSpace(fmt.Sprintln(what...)))
}

// Evaluate implements Evaluator: it knows conditions of the form $.member == "text".
func (w *world) Evaluate(_ context.Context, _ flow.Language, script string, input flow.Map) (flow.Value, error) {
	name, want, ok := strings.Cut(strings.TrimPrefix(script, "$."), " == ")
	if !ok {
		return nil, errors.New("it is not understood")
	}
	return string(flow.Encode(input[name])) == want, nil
}

// Judge implements Secrets: there is one, "knock".
func (w *world) Judge(name string, judge func(string) bool) (bool, error) {
	if name != "knock" {
		return false, fmt.Errorf("%s: there is no such secret", name)
	}
	return judge("open sesame"), nil
}

func (w *world) requests() []flow.StartRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.started)
}

// until waits until n shots of a trigger are on disk, and gives them, oldest first.
func (w *world) until(name string, n int) []Shot {
	w.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		list, total, err := w.triggers.Shots(w.t.Context(), ShotQuery{Name: name, Ascending: true})
		if err != nil {
			w.t.Fatal(err)
		}
		if total >= n {
			return list
		}
		if time.Since(began) > 20*time.Second {
			w.t.Fatalf("%d of %d shots of %s", total, n, name)
		}
	}
}

func (w *world) tell(id, name, payload string) {
	w.triggers.Tell(Event{ID: id, Name: name, At: w.clock(), Payload: []byte(payload)})
}

// starter is a handler that starts a workflow with what the event says.
func starter(name, event string) *flow.EventHandler {
	return &flow.EventHandler{Name: name, Event: event, Active: true, Identity: "key:1", Actions: []flow.Action{{
		Action: ActionStart,
		Start: &flow.StartRequest{
			Name: "tell", CorrelationID: "call ${call.id}", Input: flow.Map{"who": "${call.from}", "all": "${event_id}"},
		},
	}}}
}

func (w *world) handler(h *flow.EventHandler) {
	w.t.Helper()
	if err := w.triggers.PutHandlers(w.t.Context(), "ada", []flow.EventHandler{*h}, false); err != nil {
		w.t.Fatal(err)
	}
}

// refuse has no run started, or with nil lets them be.
func (w *world) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusal = func(flow.StartRequest) error { return err }
}
