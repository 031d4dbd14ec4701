package flow

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// begun is a run of these tasks after Begin.
func begun(t testing.TB, tasks string, input Map) *Run {
	t.Helper()
	def, _, err := Parse([]byte(`{"name": "wf", "tasks": [` + tasks + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := New("run-1", StartRequest{Input: input}, def, nil, 1, stepsStart)
	r.Step(stepsStart, Begin{})
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

func numbers(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = int64(i)
	}
	return list
}

const loopOfNothing = `{"name": "l", "taskReferenceName": "l", "type": "DO_WHILE", "items": "${workflow.input.list}",
	"keepLastN": 3, "loopOver": [{"name": "n", "taskReferenceName": "n", "type": "NOOP"}]}`

func TestTurnsAreBounded(t *testing.T) {
	if r := begun(t, loopOfNothing, Map{"list": numbers(MaxTurns)}); r.State != Completed || len(r.Tasks) != MaxTurns+1 {
		t.Errorf("%s (%s) after %d attempts", r.State, r.Reason, len(r.Tasks))
	}
	if r := begun(t, loopOfNothing, Map{"list": numbers(MaxTurns + 1)}); r.State != Failed ||
		!strings.Contains(r.Reason, "5000 turns") {
		t.Errorf("%s (%s)", r.State, r.Reason)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	wait := `{"name": "h", "taskReferenceName": "h", "type": "NOOP"}`
	loop := strings.Replace(loopOfNothing, `"NOOP"}]`,
		`"NOOP"}, {"name": "m", "taskReferenceName": "m", "type": "NOOP"}]`, 1)
	n := (MaxAttempts - 2) / 2
	two := loop + `,` + wait
	if r := begun(t, two, Map{"list": numbers(n)}); r.State != Completed || len(r.Tasks) != MaxAttempts {
		t.Errorf("%s (%s) after %d attempts", r.State, r.Reason, len(r.Tasks))
	}
	three := two + `,` + strings.ReplaceAll(wait, `"h"`, `"k"`)
	if r := begun(t, three, Map{"list": numbers(n)}); r.State != Failed || len(r.Tasks) != MaxAttempts {
		t.Errorf("%s (%s) after %d attempts", r.State, r.Reason, len(r.Tasks))
	}
}

func TestRetriesCountAsAttempts(t *testing.T) {
	def := &Definition{Name: "wf", Tasks: []*Task{{Name: "a", Ref: "a", Type: TypeHTTP}}}
	r := New("run-1", StartRequest{}, def, map[string]*TaskDef{"a": {RetryCount: 2 * MaxAttempts}}, 1, stepsStart)
	r.Step(stepsStart, Begin{})
	for n := 1; n < MaxAttempts; n++ {
		r.Step(stepsStart, Reported{Task: r.Tasks[len(r.Tasks)-1].ID, Status: TaskFailed})
	}
	if r.State != Running || len(r.Tasks) != MaxAttempts {
		t.Fatalf("%s after %d attempts", r.State, len(r.Tasks))
	}
	r.Step(stepsStart, Reported{Task: r.Tasks[MaxAttempts-1].ID, Status: TaskFailed})
	if r.State != Failed || len(r.Tasks) != MaxAttempts || r.Check() != nil {
		t.Errorf("%s (%s) after %d attempts: %v", r.State, r.Reason, len(r.Tasks), r.Check())
	}
	r.Step(stepsStart, Retry{})
	if r.State != Failed || len(r.Tasks) != MaxAttempts || r.Check() != nil {
		t.Errorf("retried: %s (%s) after %d attempts: %v", r.State, r.Reason, len(r.Tasks), r.Check())
	}
}

func TestBranchesAreBounded(t *testing.T) {
	fork := `{"name": "f", "taskReferenceName": "f", "type": "FORK_JOIN_DYNAMIC", "inputParameters":
		{"forkTaskInputs": "${workflow.input.list}", "forkTaskName": "x"}},
		{"name": "j", "taskReferenceName": "j", "type": "JOIN"}`
	r := begun(t, fork, Map{"list": numbers(MaxFanOut)})
	if r.State != Running || len(r.Tasks) != MaxFanOut+2 {
		t.Fatalf("%s (%s) after %d attempts", r.State, r.Reason, len(r.Tasks))
	}
	for _, a := range r.Tasks[1 : MaxFanOut+1] {
		r.Step(stepsStart, Reported{Task: a.ID, Status: TaskCompleted})
	}
	if r.State != Completed {
		t.Errorf("%s (%s)", r.State, r.Reason)
	}
	if r := begun(t, fork, Map{"list": numbers(MaxFanOut + 1)}); r.State != Failed {
		t.Errorf("%s with %d branches", r.State, MaxFanOut+1)
	}
}

func TestOutputIsBounded(t *testing.T) {
	frame := len(Encode(Map{"x": ""})) + 1
	for over, want := range []Status{TaskCompleted, FailedTerminally} {
		r := begun(t, `{"name": "a", "taskReferenceName": "a"}`, nil)
		text := strings.Repeat("x", MaxOutput-frame+over)
		r.Step(stepsStart, Reported{Task: r.Tasks[0].ID, Status: TaskCompleted, Output: Map{"x": text}})
		if a := r.Tasks[0]; a.Status != want {
			t.Errorf("%d over: %s (%s)", over, a.Status, a.Reason)
		}
		r = begun(t, `{"name": "a", "taskReferenceName": "a", "type": "INLINE",
			"inputParameters": {"expression": "1"}}`, nil)
		r.Step(stepsStart, Evaluated{Task: r.Tasks[0].ID, Value: strings.Repeat("x", MaxOutput-2+over)})
		if a := r.Tasks[0]; a.Status != want {
			t.Errorf("%d over: %s (%s)", over, a.Status, a.Reason)
		}
	}
}

// TestTurnsAndJoinsAreBounded: what is put together from outputs is bounded like any output.
func TestTurnsAndJoinsAreBounded(t *testing.T) {
	big := Map{"x": strings.Repeat("x", MaxOutput*2/3)}
	r := begun(t, `{"name": "f", "taskReferenceName": "f", "type": "FORK_JOIN", "forkTasks": [
		[{"name": "a", "taskReferenceName": "a"}], [{"name": "b", "taskReferenceName": "b"}]]},
		{"name": "j", "taskReferenceName": "j", "type": "JOIN"}`, nil)
	for _, a := range r.Tasks[1:3] {
		r.Step(stepsStart, Reported{Task: a.ID, Status: TaskCompleted, Output: big})
	}
	if r.State != Failed || !strings.Contains(r.Reason, "joins") {
		t.Errorf("%s (%s)", r.State, r.Reason)
	}
	for keep, want := range map[int]State{0: Failed, 1: Completed} {
		r := begun(t, fmt.Sprintf(`{"name": "l", "taskReferenceName": "l", "type": "DO_WHILE", "items": [1, 2],
			"keepLastN": %d, "loopOver": [{"name": "a", "taskReferenceName": "a"}]}`, keep), nil)
		for n := 1; n <= 2; n++ {
			r.Step(stepsStart, Reported{Task: r.Tasks[n].ID, Status: TaskCompleted, Output: big})
		}
		if r.State != want {
			t.Errorf("keeping %d: %s (%s)", keep, r.State, r.Reason)
		}
	}
}

func TestVariablesAreBounded(t *testing.T) {
	frame := len(Encode(Map{"x": ""})) + 1
	set := `{"name": "s", "taskReferenceName": "s", "type": "SET_VARIABLE",
		"inputParameters": {"x": "${workflow.input.x}"}}`
	for over, want := range []State{Completed, Failed} {
		text := strings.Repeat("x", MaxVariables-frame+over)
		if r := begun(t, set, Map{"x": text}); r.State != want {
			t.Errorf("%d over: %s (%s)", over, r.State, r.Reason)
		}
		r := begun(t, `{"name": "a", "taskReferenceName": "a"}`, nil)
		if refused := r.Refused(SetVariables{Map{"x": text}}) != nil; refused != (over > 0) {
			t.Errorf("%d over: refused is %v", over, refused)
		}
	}
}

func TestDelaysAreBounded(t *testing.T) {
	r := begun(t, `{"name": "a", "taskReferenceName": "a"}`, nil)
	a := r.Tasks[0]
	for _, n := range []int64{int64(MaxDelay / time.Second), int64(MaxDelay/time.Second) + 1, 1 << 62} {
		r.Step(stepsStart, Reported{Task: a.ID, Status: InProgress, CallbackAfter: n})
		if got := a.DueAt.Sub(stepsStart); got != MaxDelay {
			t.Errorf("a callback after %d seconds is due after %v", n, got)
		}
	}
	def := &TaskDef{RetryDelaySeconds: 1 << 40, RetryLogic: RetryExponential}
	for _, retry := range []int{0, 10, 1000} {
		if got := delayOf(def, retry); got != MaxDelay {
			t.Errorf("attempt %d waits %v", retry, got)
		}
	}
	if _, err := parseWait("366 days"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"366 days 1s", "99999999999999999999d", "2000000000 days", "", "5", "d", "1x", "-1s"} {
		if d, err := parseWait(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

// TestIDsAreUUIDs: of version 4, none twice, the same for the same run and seed.
func TestIDsAreUUIDs(t *testing.T) {
	seen := map[TaskID]bool{}
	for _, run := range []RunID{"a", "b"} {
		for seed := range uint64(4) {
			r, again := &Run{ID: run, Seed: seed}, &Run{ID: run, Seed: seed}
			for range 1000 {
				id := r.drawID()
				if len(id) != 36 || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) || seen[id] {
					t.Fatalf("%s", id)
				}
				if again.drawID() != id {
					t.Fatal("another id for the same run")
				}
				seen[id] = true
			}
		}
	}
}

// TestUnknownEventPanics: an event of no known type is a fault of the program.
func TestUnknownEventPanics(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "unknown event") {
			t.Errorf("recovered %v", v)
		}
	}()
	begun(t, `{"name": "a", "taskReferenceName": "a"}`, nil).Step(stepsStart, nil)
}

// TestWhatLeavesTheMachineStays: an effect and a change may be read while the run goes on.
func TestWhatLeavesTheMachineStays(t *testing.T) {
	r := begun(t, `{"name": "a", "taskReferenceName": "a"}`, nil)
	change := r.Changes()[0]
	before := fmt.Sprintf("%+v", *change)
	r.Step(stepsStart, Polled{Task: change.ID, Worker: "ada"})
	r.Step(stepsStart, Reported{Task: change.ID, Status: TaskCompleted, Output: Map{"x": int64(1)}})
	if after := fmt.Sprintf("%+v", *change); after != before {
		t.Errorf("%s became %s", before, after)
	}
	if r.Dirty() != true || len(r.Changes()) != 1 || r.Dirty() {
		t.Error("the changes are not those since the last time")
	}
}

// BenchmarkStep plays a run of three HTTP tasks: 4 steps.
func BenchmarkStep(b *testing.B) {
	task := `{"name": "%[1]s", "taskReferenceName": "%[1]s", "type": "HTTP",
		"inputParameters": {"uri": "https://a.example/${workflow.input.n}", "method": "GET"}}`
	def, _, err := Parse(fmt.Appendf(nil, `{"name": "wf", "tasks": [%s, %s, %s]}`,
		fmt.Sprintf(task, "a"), fmt.Sprintf(task, "b"), fmt.Sprintf(task, "c")))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := New("run-1", StartRequest{Input: Map{"n": int64(1)}}, def, nil, 1, stepsStart)
		effects := r.Step(stepsStart, Begin{})
		for r.State == Running {
			id := effects[0].(Call).Task.ID
			effects = r.Step(stepsStart, Reported{Task: id, Status: TaskCompleted, Output: Map{"ok": true}})
			r.Changes()
		}
	}
}

// BenchmarkLoop plays a loop of 1,000 turns that are over at once.
func BenchmarkLoop(b *testing.B) {
	for b.Loop() {
		begun(b, loopOfNothing, Map{"list": numbers(1000)})
	}
}
