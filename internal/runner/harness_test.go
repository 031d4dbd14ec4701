package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// world is a runner on a real database with an outside world that the test makes up.
type world struct {
	t      testing.TB
	dir    string
	store  *store.Store
	runner *Runner
	limits Limits

	mu    sync.Mutex
	calls []flow.TaskID
	do    func(ctx context.Context, run *flow.Run, a *flow.Attempt) flow.Reported
	sent  map[string]int // published, by sink
}

func newWorld(t testing.TB, limits Limits) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), limits: limits, sent: map[string]int{}}
	w.do = func(context.Context, *flow.Run, *flow.Attempt) flow.Reported {
		return flow.Reported{Status: flow.TaskCompleted, Output: flow.Map{"response": flow.Map{"statusCode": int64(200)}}}
	}
	w.open()
	t.Cleanup(func() { w.close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.dir, store.Options{}); err != nil {
		w.t.Fatal(err)
	}
	w.runner, err = New(context.Background(), Config{
		Store: w.store, Doer: w, Evaluator: w, Limits: w.limits, Log: slog.New(slog.DiscardHandler),
		Env: func() flow.Map { return flow.Map{"REGION": "eu"} },
		Publish: func(_ context.Context, _ flow.TaskID, sink string, _ flow.Map) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sent[sink]++
			return nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	w.runner.Close()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// restart is a stop and a start on the same directory.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
}

// Do implements Doer.
func (w *world) Do(ctx context.Context, run *flow.Run, a *flow.Attempt) flow.Reported {
	w.mu.Lock()
	w.calls = append(w.calls, a.ID)
	do := w.do
	w.mu.Unlock()
	return do(ctx, run, a)
}

// Evaluate implements Evaluator: it knows one script, which adds one.
func (w *world) Evaluate(_ context.Context, _ flow.Language, script string, input flow.Map) (flow.Value, error) {
	n, ok := input["n"].(int64)
	switch {
	case script == "$.n + 1" && ok:
		return n + 1, nil
	case script == "true":
		return true, nil
	}
	return nil, errors.New("only $.n + 1 is understood")
}

func (w *world) called() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.calls)
}

// define registers a definition of that name with these tasks and what else is given, all JSON.
func (w *world) define(name, tasks, more string) {
	w.t.Helper()
	def := parse(w.t, name, tasks, more)
	if err := w.runner.PutDefinition(w.t.Context(), "test", def, true); err != nil {
		w.t.Fatal(err)
	}
}

func parse(t testing.TB, name, tasks, more string) *flow.Definition {
	t.Helper()
	if more != "" {
		more = "," + more
	}
	text := fmt.Sprintf(`{"name":%q,"version":1,"schemaVersion":2,"tasks":[%s]%s}`, name, tasks, more)
	def, _, err := flow.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func (w *world) taskDef(text string) {
	w.t.Helper()
	def, _, err := flow.ParseTaskDef([]byte(text))
	if err == nil {
		err = w.runner.PutTaskDefs(w.t.Context(), "test", def)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// task is a task of a type; what else it has is given as JSON.
func task(ref, kind, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"name":%q,"taskReferenceName":%q,"type":%q%s}`, ref, ref, kind, more)
}

func httpTask(ref string) string {
	return task(ref, "HTTP", `"inputParameters":{"uri":"http://example.com/","method":"GET"}`)
}

func (w *world) start(name string, input flow.Map) flow.RunID {
	w.t.Helper()
	id, err := w.runner.Start(context.Background(), flow.StartRequest{Name: name, Input: input}, "", "")
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) run(id flow.RunID) *flow.Run {
	w.t.Helper()
	run, err := w.runner.Run(context.Background(), id, true)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := run.Check(); err != nil {
		w.t.Errorf("run %s: %v", id, err)
	}
	return run
}

// until waits until a run is as is says.
func (w *world) until(id flow.RunID, is func(*flow.Run) bool) *flow.Run {
	w.t.Helper()
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		run := w.run(id)
		if is(run) {
			return run
		}
		if time.Since(began) > 20*time.Second {
			w.t.Fatalf("the run is %s: %s\n%s", run.State, run.Reason, trace(run))
		}
	}
}

func (w *world) untilState(id flow.RunID, state flow.State) *flow.Run {
	w.t.Helper()
	return w.until(id, func(r *flow.Run) bool { return r.State == state })
}

// trace is a run in one line: its state and its attempts.
func trace(run *flow.Run) string {
	parts := []string{string(run.State)}
	for _, a := range run.Tasks {
		parts = append(parts, a.Ref+" "+string(a.Status))
	}
	return strings.Join(parts, ", ")
}
