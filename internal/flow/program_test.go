package flow

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// programs are made up at random: what becomes of a task is decided by its reference name and the number of the
// attempt, so that a plain recursive reading of the definition (oracle) can tell how a run must end.
type programs struct {
	random *rand.Rand
	refs   int
	defs   map[string]*TaskDef
	hasty  bool // tasks time out
}

func (p *programs) chance(percent int) bool { return p.random.IntN(100) < percent }

func (p *programs) ref(kind string) string {
	p.refs++
	return fmt.Sprintf("%s%d", strings.ToLower(kind[:2]), p.refs)
}

func (p *programs) line(depth, longest int) []*Task {
	var tasks []*Task
	for range 1 + p.random.IntN(longest) {
		t := p.task(depth)
		tasks = append(tasks, t)
		if t.Type == TypeFork && p.chance(95) {
			tasks = append(tasks, p.joinOf(t))
		}
		if t.Type == TypeForkDynamic {
			tasks = append(tasks, &Task{Name: "join", Ref: p.ref("join"), Type: TypeJoin})
		}
	}
	return tasks
}

func (p *programs) joinOf(f *Task) *Task {
	j := &Task{Name: "join", Ref: p.ref("join"), Type: TypeJoin}
	if p.chance(70) {
		for _, branch := range f.ForkTasks {
			j.JoinOn = append(j.JoinOn, branch[len(branch)-1].Ref)
		}
	}
	return j
}

var leaves = []string{
	TypeSimple, TypeSimple, TypeHTTP, TypeHTTP, TypeHTTPPoll, TypeInline, TypeJQ, TypeNoop, TypeSetVariable, TypeWait,
	TypeWait, TypeHuman, TypeEvent, TypeSubWorkflow, TypeStartWorkflow, TypeDynamic, TypeWaitForWebhook, TypeUpdateTask,
	TypeGetWorkflow, TypeTerminateRuns,
}

func (p *programs) task(depth int) *Task {
	kind := leaves[p.random.IntN(len(leaves))]
	if depth > 0 && p.chance(40) {
		kind = []string{TypeSwitch, TypeFork, TypeDoWhile, TypeForkDynamic}[p.random.IntN(4)]
	}
	t := &Task{Ref: p.ref(kind), Type: kind, Input: Map{}}
	t.Name = "name_of_" + t.Ref
	switch kind {
	case TypeSwitch:
		t.EvaluatorType, t.Expression = "javascript", "case"
		t.DecisionCases = map[string][]*Task{"a": p.line(depth-1, 2), "b": p.line(depth-1, 2)}
		if p.chance(50) {
			t.DefaultCase = p.line(depth-1, 2)
		}
	case TypeFork:
		for range 1 + p.random.IntN(3) {
			t.ForkTasks = append(t.ForkTasks, p.line(depth-1, 2))
		}
	case TypeDoWhile:
		t.LoopCondition, t.LoopOver = "more", p.line(depth-1, 2)
		if p.chance(40) {
			t.LoopCondition, t.Items = "", []any{"x", int64(2), nil}[:p.random.IntN(4)]
		}
		t.KeepLastN = p.random.IntN(3)
	case TypeForkDynamic:
		t.Input["forkTaskName"] = "many_" + t.Ref
		t.Input["forkTaskInputs"] = []any{Map{"a": int64(1)}, "b", nil}[:p.random.IntN(4)]
		p.define("many_" + t.Ref)
	default:
		p.leaf(t)
	}
	return t
}

func (p *programs) leaf(t *Task) {
	p.define(t.Name)
	t.Optional = p.chance(15)
	t.Permissive = !t.Optional && p.chance(10)
	if p.chance(20) {
		n := p.random.IntN(3)
		t.RetryCount = &n
	}
	if p.chance(20) {
		t.StartDelay = int64(p.random.IntN(50))
	}
	switch t.Type {
	case TypeInline:
		t.Input["expression"] = "1"
	case TypeJQ:
		t.Input["queryExpression"] = "."
	case TypeHTTPPoll:
		t.Input["terminationCondition"], t.Input["pollingInterval"] = "done", int64(p.random.IntN(20))
	case TypeWait:
		t.Input["duration"] = fmt.Sprintf("%d s", p.random.IntN(100))
	case TypeEvent:
		t.Sink = "switchboard:x"
	case TypeSubWorkflow:
		t.SubWorkflow = &SubWorkflow{Name: "child"}
	case TypeStartWorkflow:
		t.Input["startWorkflow"] = Map{"name": "other"}
	case TypeDynamic:
		t.DynamicTaskNameParam, t.Input["what"] = "what", "dynamic_"+t.Ref
		p.define("dynamic_" + t.Ref)
	case TypeUpdateTask:
		t.Input = Map{"taskId": "x", "taskStatus": "COMPLETED"}
	case TypeGetWorkflow:
		t.Input["id"] = "x"
	case TypeTerminateRuns:
		t.Input["workflowId"] = []any{"x", "y"}
	}
}

func (p *programs) define(name string) {
	if p.chance(70) {
		p.defs[name] = &TaskDef{
			Name: name, RetryCount: p.random.IntN(4), RetryDelaySeconds: int64(p.random.IntN(30)),
			RetryLogic:         []string{"FIXED", "EXPONENTIAL_BACKOFF", "LINEAR_BACKOFF"}[p.random.IntN(3)],
			BackoffScaleFactor: int64(p.random.IntN(3)), BackoffJitterMs: int64(p.random.IntN(2) * 500),
			ResponseTimeout: 3600, TimeoutPolicy: RetryOnTimeout,
		}
		if p.hasty {
			def := p.defs[name]
			def.TimeoutPolicy = []string{RetryOnTimeout, TimeOutWorkflow, AlertOnly}[p.random.IntN(3)]
			def.TimeoutSeconds, def.ResponseTimeout = int64(p.random.IntN(200)), int64(p.random.IntN(100))
			def.PollTimeout, def.TotalTimeoutSeconds = int64(p.random.IntN(100)), int64(p.random.IntN(300))
		}
	}
}

// fate is what becomes of an attempt: by its full reference name and number. 0 to 99.
func fate(what, ref string, n int) int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", what, ref, n)
	x := h.Sum64()
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return int((x ^ x>>32) % 100)
}

func outcome(a *Attempt) Status { return outcomeOf(a.Type, a.Ref, a.Retry) }

func outcomeOf(kind, ref string, n int) Status {
	f := fate("outcome", ref, n)
	switch {
	case f < 84:
		return TaskCompleted
	case f < 97 && kind != TypeInline && kind != TypeJQ:
		return TaskFailed
	}
	return FailedTerminally
}

func caseOf(ref string) string { return []string{"a", "b", "c"}[fate("case", ref, 0)%3] }

func moreTurns(ref string, turn int) bool { return turn < 6 && fate("more", ref, turn) < 60 }

// world answers what a run asks for, in any order, sometimes twice, and crashes.
type world struct {
	t       *testing.T
	random  *rand.Rand
	now     time.Time
	kept    *Run // stays in memory
	disk    *disk
	pending []Effect
	ended   int
	crashes bool
	meddles int // orders that people still give
}

func describe(t *testing.T, effects []Effect) string {
	var b strings.Builder
	for _, e := range effects {
		text, err := json.Marshal(e, JSON)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%T %s\n", e, text)
	}
	return b.String()
}

// step gives an event to the run in memory and to one that is read from disk: both must order the same.
func (w *world) step(e Event) {
	w.t.Helper()
	read, err := w.disk.load()
	if err != nil {
		w.t.Fatal(err)
	}
	effects := w.kept.Step(w.now, e)
	if err := w.kept.Check(); err != nil {
		w.t.Fatalf("after %T %+v: %v", e, e, err)
	}
	got, want := describe(w.t, read.Step(w.now, e)), describe(w.t, effects)
	if got != want {
		w.t.Fatalf("after %T %+v the run from disk orders\n%s\nand the one in memory\n%s", e, e, got, want)
	}
	if !read.Next().Equal(w.kept.Next()) {
		w.t.Fatalf("the run from disk wants to be woken at %v, the one in memory at %v", read.Next(), w.kept.Next())
	}
	if err := w.disk.save(w.kept); err != nil {
		w.t.Fatal(err)
	}
	w.take(effects)
}

func (w *world) take(effects []Effect) {
	for _, e := range effects {
		switch e.(type) {
		case Ended:
			w.ended++
		case Withdraw, Order:
		default:
			w.pending = append(w.pending, e)
		}
	}
}

// crash forgets everything that is not on disk.
func (w *world) crash() {
	run, err := w.disk.load()
	if err != nil {
		w.t.Fatal(err)
	}
	w.kept, w.pending = run, nil
	w.take(run.Recover(w.now))
	if err := w.disk.save(run); err != nil {
		w.t.Fatal(err)
	}
}

// play goes on until the run ends.
func (w *world) play() {
	w.step(Begin{})
	for n := 0; !w.kept.State.Final() || w.meddles > 0; n++ {
		if n > 20_000 {
			w.t.Fatal("the run does not end")
		}
		if w.kept.State.Final() {
			w.meddle()
			continue
		}
		if w.crashes && w.random.IntN(12) == 0 {
			w.crash()
		}
		if w.meddles > 0 && w.random.IntN(8) == 0 {
			w.meddle()
			continue
		}
		if len(w.pending) == 0 {
			w.idle()
			continue
		}
		i := w.random.IntN(len(w.pending))
		e := w.pending[i]
		if w.random.IntN(10) > 0 { // else it is answered twice
			w.pending = slices.Delete(w.pending, i, i+1)
		}
		w.now = w.now.Add(time.Duration(w.random.IntN(3000)) * time.Millisecond)
		if next := w.kept.Next(); !next.IsZero() && !next.After(w.now) {
			w.step(Tick{})
		}
		w.answer(e)
	}
}

// meddle gives an order that people might give, whether it is possible or not.
func (w *world) meddle() {
	w.meddles--
	var some TaskID
	ref := "nothing"
	if n := len(w.kept.Tasks); n > 0 {
		a := w.kept.Tasks[w.random.IntN(n)]
		some, ref = a.ID, a.Ref
	}
	eachTask(w.kept.Definition.Tasks, func(t *Task) {
		if w.random.IntN(6) == 0 {
			ref = t.Ref
		}
	})
	orders := []Event{
		Pause{},
		Resume{},
		Retry{},
		Retry{ResumeChildren: true},
		Rerun{From: some},
		Rerun{From: some},
		Rerun{},
		Restart{},
		Rerun{From: some, TaskInput: Map{"duration": "1 s", "expression": "2"}},
		Terminate{Reason: "enough"},
		Skip{Ref: ref},
		SetVariables{Map{"x": int64(1)}},
		ResetCallbacks{},
		ChildRevived{some, RunID("child of " + some)},
		Reported{Task: some, Status: TaskCompleted},
		Reported{Task: some, Status: Canceled},
	}
	e := orders[w.random.IntN(len(orders))]
	before := describe(w.t, []Effect{Ended{w.kept.State}}) + fmt.Sprint(len(w.kept.Tasks), w.kept.Updated)
	_, isRevival := e.(ChildRevived)
	refused := w.kept.State.Final() && w.kept.Refused(e) != nil && !isRevival // else time may do something too
	w.step(e)
	after := describe(w.t, []Effect{Ended{w.kept.State}}) + fmt.Sprint(len(w.kept.Tasks), w.kept.Updated)
	if refused && before != after {
		w.t.Fatalf("%T %+v was refused and changed the run: %s to %s", e, e, before, after)
	}
	if w.kept.State == Paused && w.meddles == 0 {
		w.step(Resume{})
	}
}

// idle lets time pass until the run wants it to, or updates what waits for a person.
func (w *world) idle() {
	if w.kept.State == Paused {
		w.step(Resume{})
		return
	}
	for _, a := range w.kept.Tasks {
		if !a.Status.Final() && (a.Type == TypeHuman || a.Type == TypeWaitForWebhook) && a.Status == InProgress {
			w.step(Reported{Task: a.ID, Status: outcome(a), Reason: "so it was decided"})
			return
		}
		if !a.Status.Final() && a.Type == TypeSubWorkflow && a.Child != "" { // the child was revived
			w.step(ChildEnded{Task: a.ID, Child: a.Child, State: Completed})
			return
		}
	}
	next := w.kept.Next()
	if next.IsZero() {
		w.t.Fatalf("the run waits for nothing: %+v", w.kept)
	}
	if next.After(w.now) {
		w.now = next
	}
	w.step(Tick{})
}

func (w *world) answer(e Effect) {
	switch e := e.(type) {
	case Call:
		w.step(Reported{Task: e.Task.ID, Status: outcome(e.Task), Output: Map{"n": int64(1)}, Reason: "it broke"})
	case Offer:
		w.work(e)
	case Evaluate:
		w.evaluate(e)
	case StartRun:
		w.childOf(e)
	case Publish:
		w.step(Published{Task: e.Task, Error: w.errorOf(e.Task)})
	case Fetch:
		w.report(e.Task)
	case Update:
		w.report(e.Task)
	}
}

func (w *world) report(id TaskID) {
	if a := w.kept.attempt(id); a != nil {
		w.step(Reported{Task: id, Status: outcome(a), Reason: "it broke"})
	}
}

func (w *world) errorOf(id TaskID) string {
	if a := w.kept.attempt(id); a != nil && !outcome(a).Good() {
		return "it broke"
	}
	return ""
}

func (w *world) work(e Offer) {
	a := w.kept.attempt(e.Task.ID)
	if a == nil || a.Status.Final() {
		return
	}
	if a.DueAt.After(w.now) { // not to be had yet
		w.now = a.DueAt
	}
	w.step(Polled{Task: a.ID, Worker: "ada"})
	if fate("callback", string(a.ID), a.PollCount) < 15 {
		w.step(Reported{Task: a.ID, Status: InProgress, CallbackAfter: int64(w.random.IntN(20))})
		return
	}
	if w.kept.State.Final() {
		return
	}
	w.report(a.ID)
}

func (w *world) evaluate(e Evaluate) {
	a := w.kept.attempt(e.Task)
	answer := Evaluated{Task: e.Task}
	switch {
	case a == nil:
		return
	case a.Type == TypeSwitch:
		answer.Value = caseOf(a.Ref)
	case a.Type == TypeDoWhile:
		if e.Input[a.Task.Ref].(Map)["iteration"] != int64(a.Iteration) {
			return // of a turn before
		}
		answer.Value = moreTurns(a.Ref, a.Iteration)
	case a.Type == TypeHTTPPoll:
		answer.Value = a.Polls > fate("polls", a.Ref, a.Retry)%4
	case !outcome(a).Good():
		answer.Error = "it threw"
	default:
		answer.Value = []any{int64(7)}
	}
	w.step(answer)
}

func (w *world) childOf(e StartRun) {
	a := w.kept.attempt(e.Task)
	if a == nil {
		return // a failure workflow
	}
	status := outcome(a)
	child := RunID("child of " + a.ID)
	if a.Type == TypeStartWorkflow {
		if status.Good() {
			w.step(ChildStarted{a.ID, child})
		} else {
			w.step(ChildEnded{Task: a.ID, Reason: "no such workflow"})
		}
		return
	}
	w.step(ChildStarted{a.ID, child})
	state := map[Status]State{TaskCompleted: Completed, TaskFailed: Failed, FailedTerminally: Terminated}[status]
	w.step(ChildEnded{Task: a.ID, Child: child, State: state, Reason: "the child broke"})
}
