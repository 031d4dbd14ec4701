package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/flow"
)

func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", ""), "")
	start := func(strategy string) (flow.RunID, error) {
		req := flow.StartRequest{Name: "hold", IdempotencyKey: "order 7", IdempotencyStrategy: strategy}
		return w.runner.Start(t.Context(), req, "", "")
	}
	first, err := start("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ strategy, want string }{
		{"", "conflict"}, {"FAIL", "conflict"}, {"RETURN_EXISTING", "same"}, {"FAIL_ON_RUNNING", "conflict"},
	} {
		id, err := start(c.strategy)
		var e *Error
		if got := map[bool]string{true: "same"}[id == first]; got != c.want && !errors.Is(err, ErrConflict) ||
			c.want == "conflict" && (!errors.As(err, &e) || e.Run != first) {
			t.Errorf("%s: %s, %v", c.strategy, id, err)
		}
	}
	if err := w.runner.Do(t.Context(), first, flow.Terminate{}); err != nil {
		t.Fatal(err)
	}
	if id, err := start("FAIL"); !errors.Is(err, ErrConflict) {
		t.Errorf("FAIL with an ended run: %s, %v", id, err)
	}
	if id, err := start("FAIL_ON_RUNNING"); err != nil || id == first {
		t.Errorf("FAIL_ON_RUNNING with an ended run: %s, %v", id, err)
	}
}

func TestOneIdempotencyKeyAtOnceMakesOneRun(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", ""), "")
	ids := make([]flow.RunID, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			req := flow.StartRequest{Name: "hold", IdempotencyKey: "k", IdempotencyStrategy: "RETURN_EXISTING"}
			var err error
			if ids[i], err = w.runner.Start(context.Background(), req, "", ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
		t.Errorf("the runs are %v", ids)
	}
}

func TestWhatIsWrongWithAStartIsSaid(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", ""), "")
	long := strings.Repeat("x", MaxKey)
	for _, c := range []struct {
		req   flow.StartRequest
		kind  error
		field string
	}{
		{flow.StartRequest{}, ErrInvalid, "/name"},
		{flow.StartRequest{Name: "none"}, ErrNotFound, ""},
		{flow.StartRequest{Name: "hold", Version: 2}, ErrNotFound, ""},
		{flow.StartRequest{Name: "hold", Version: -1}, ErrInvalid, "/version"},
		{flow.StartRequest{Name: "hold", Priority: MaxPriority + 1}, ErrInvalid, "/priority"},
		{flow.StartRequest{Name: "hold", CorrelationID: long + "x"}, ErrInvalid, "/correlationId"},
		{flow.StartRequest{Name: "hold", IdempotencyKey: long + "x"}, ErrInvalid, "/idempotencyKey"},
		{flow.StartRequest{Name: "hold", IdempotencyStrategy: "MAYBE"}, ErrInvalid, "/idempotencyStrategy"},
		{flow.StartRequest{Name: "hold", Input: flow.Map{"x": strings.Repeat("x", MaxInput)}}, ErrInvalid, "/input"},
		{flow.StartRequest{Definition: &flow.Definition{Name: "none"}}, ErrInvalid, "/tasks"},
		{flow.StartRequest{Name: "hold", Priority: MaxPriority, CorrelationID: long, IdempotencyKey: long}, nil, ""},
		{flow.StartRequest{Name: "hold", Input: flow.Map{"x": strings.Repeat("x", MaxInput-len(`{"x":""}`))}}, nil, ""},
	} {
		_, err := w.runner.Start(t.Context(), c.req, "", "")
		var e *Error
		if !errors.Is(err, c.kind) {
			t.Errorf("%.60v: %v", c.req, err)
		} else if errors.As(err, &e) && c.field != "" && !names(e.Problems, c.field) {
			t.Errorf("%s: the problems are %v", c.field, e.Problems)
		}
	}
}

func names(problems []flow.Problem, field string) bool {
	return slices.ContainsFunc(problems, func(p flow.Problem) bool { return p.Path == field })
}

// underWay counts how many calls are at it at once. None ends before as many as are wanted were.
type underWay struct {
	want      int
	mu        sync.Mutex
	reached   sync.Cond
	now, most int
}

func (u *underWay) do(context.Context, *flow.Run, *flow.Attempt) flow.Reported {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now++
	u.most = max(u.most, u.now)
	u.reached.Broadcast()
	for u.most < u.want {
		u.reached.Wait()
	}
	u.mu.Unlock()
	time.Sleep(time.Millisecond) // one too many would show
	u.mu.Lock()
	u.now--
	return flow.Reported{Status: flow.TaskCompleted}
}

func TestCallsUnderWayAreBounded(t *testing.T) {
	for _, c := range []struct {
		name, def string
		calls     int
		most      int
	}{
		{"pool", "", 3, 3},
		{"task", `{"name":"send","concurrentExecLimit":2,"ownerEmail":"a@example.com"}`, 20, 2},
	} {
		w := newWorld(t, Limits{Calls: c.calls})
		if c.def != "" {
			w.taskDef(c.def)
		}
		seen := &underWay{want: c.most}
		seen.reached.L = &seen.mu
		w.do = seen.do
		w.define("call", httpTask("send"), "")
		var ids []flow.RunID
		for range 12 {
			ids = append(ids, w.start("call", nil))
		}
		for _, id := range ids {
			w.untilState(id, flow.Completed)
		}
		if seen.most != c.most {
			t.Errorf("%s: %d at once, want %d", c.name, seen.most, c.most)
		}
	}
}

func TestConcurrentExecLimitHoldsForWorkers(t *testing.T) {
	w := newWorld(t, Limits{})
	w.taskDef(`{"name":"pick","concurrentExecLimit":2,"responseTimeoutSeconds":3600,"ownerEmail":"a@example.com"}`)
	w.define("work", task("pick", "SIMPLE", ""), "")
	for range 3 {
		w.start("work", nil)
	}
	poll := func(wait time.Duration) []*flow.Attempt {
		polled, err := w.runner.Poll(context.Background(), "pick", "ada", "", 5, wait)
		if err != nil {
			t.Error(err)
		}
		return polled
	}
	first := poll(time.Second)
	if len(first) != 2 || len(poll(0)) != 0 {
		t.Fatalf("the first poll gave %d", len(first))
	}
	w.restart() // those under way still count
	for began := time.Now(); w.runner.QueueSizes()["pick"] != 1; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the third task is not offered again")
		}
	}
	if again := poll(0); len(again) != 0 {
		t.Fatalf("after a restart %d more were polled", len(again))
	}
	answer := make(chan []*flow.Attempt)
	go func() { answer <- poll(20 * time.Second) }()
	if err := w.runner.Report(t.Context(), "", flow.Reported{Task: first[0].ID, Status: flow.TaskCompleted}); err != nil {
		t.Fatal(err)
	}
	if third := <-answer; len(third) != 1 {
		t.Errorf("the third was not polled: %v", third)
	}
}

func TestRateLimitOfATask(t *testing.T) {
	w := newWorld(t, Limits{})
	w.taskDef(`{"name":"send","rateLimitPerFrequency":2,"rateLimitFrequencyInSeconds":1,"ownerEmail":"a@example.com"}`)
	w.define("call", httpTask("send"), "")
	var mu sync.Mutex
	var at []time.Time
	w.do = func(context.Context, *flow.Run, *flow.Attempt) flow.Reported {
		mu.Lock()
		at = append(at, time.Now())
		mu.Unlock()
		return flow.Reported{Status: flow.TaskCompleted}
	}
	var ids []flow.RunID
	for range 3 {
		ids = append(ids, w.start("call", nil))
	}
	for _, id := range ids {
		w.untilState(id, flow.Completed)
	}
	if gap := at[2].Sub(at[0]); gap < 990*time.Millisecond {
		t.Errorf("the third call came %v after the first", gap)
	}
}

func TestRateLimitConfigHasRunsWait(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", ""),
		`"rateLimitConfig":{"rateLimitKey":"${workflow.input.center}","concurrentExecLimit":1}`)
	first, second := w.start("hold", flow.Map{"center": "7"}), w.start("hold", flow.Map{"center": "7"})
	other := w.start("hold", flow.Map{"center": "8"})
	for id, want := range map[flow.RunID]string{
		first: "RUNNING, hold IN_PROGRESS", second: "RUNNING", other: "RUNNING, hold IN_PROGRESS",
	} {
		if got := trace(w.run(id)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	w.restart()
	third := w.start("hold", flow.Map{"center": "7"})
	for _, id := range []flow.RunID{first, second, third} {
		w.until(id, func(r *flow.Run) bool { return len(r.Tasks) == 1 })
		if _, err := w.runner.ReportByRef(t.Context(), id, "hold", flow.Reported{Status: flow.TaskCompleted}); err != nil {
			t.Fatal(err)
		}
		if id == first && len(w.run(third).Tasks) > 0 {
			t.Error("the third run went before the second")
		}
	}
}

func TestRunsThatWaitAreLeftOnDisk(t *testing.T) {
	w := newWorld(t, Limits{Loaded: 4, Lanes: 2})
	w.define("work", task("pick", "SIMPLE", "")+","+task("hold", "WAIT", `"inputParameters":{"duration":"1 seconds"}`), "")
	var ids []flow.RunID
	for range 60 {
		ids = append(ids, w.start("work", nil))
	}
	loaded := 0
	for _, l := range w.runner.lanes {
		counted := make(chan int)
		l.put(func() { counted <- len(l.runs) })
		loaded += <-counted
	}
	if loaded > 4 {
		t.Errorf("%d runs are in memory", loaded)
	}
	for polled := 0; polled < 60; {
		tasks, err := w.runner.Poll(t.Context(), "pick", "ada", "", 20, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range tasks {
			if err := w.runner.Report(t.Context(), a.Run, flow.Reported{Task: a.ID, Status: flow.TaskCompleted}); err != nil {
				t.Fatal(err)
			}
		}
		polled += len(tasks)
	}
	for _, id := range ids {
		w.untilState(id, flow.Completed)
	}
	if w.runner.Stats().RunsRead == 0 {
		t.Error("no run was read from disk")
	}
}

func TestPollersWakeInTheirOrderAndTasksByPriority(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("work", task("pick", "SIMPLE", ""), "")
	for i, priority := range []int{1, 9, 5} {
		req := flow.StartRequest{Name: "work", Priority: priority, CorrelationID: fmt.Sprint(i)}
		if _, err := w.runner.Start(t.Context(), req, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	var order []string
	for range 3 {
		polled, err := w.runner.Poll(t.Context(), "pick", "ada", "", 1, time.Second)
		if err != nil || len(polled) != 1 {
			t.Fatal(polled, err)
		}
		run := w.run(polled[0].Run)
		order = append(order, run.CorrelationID)
	}
	if fmt.Sprint(order) != "[1 2 0]" {
		t.Errorf("polled in the order %v", order)
	}
}

func TestDomainsKeepWorkersApart(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("work", task("pick", "SIMPLE", ""), "")
	req := flow.StartRequest{Name: "work", TaskToDomain: map[string]string{"*": "north"}}
	if _, err := w.runner.Start(t.Context(), req, "", ""); err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]int{"": 0, "south": 0} {
		if polled, err := w.runner.Poll(t.Context(), "pick", "ada", domain, 1, 0); err != nil || len(polled) != want {
			t.Errorf("domain %q: %v %v", domain, polled, err)
		}
	}
	if polled, err := w.runner.Poll(t.Context(), "pick", "ada", "north", 1, 0); err != nil || len(polled) != 1 {
		t.Errorf("%v %v", polled, err)
	}
}
