package flow

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// oracle reads a definition as a person would and says how a run of it must end.
type oracle struct {
	defs     map[string]*TaskDef
	attempts map[string]int // by full reference name
	fatal    bool           // some task fails the run at once
	late     bool           // some permissive task fails it at its end
	broken   map[string]bool
}

func (o *oracle) line(tasks []*Task, s scope) {
	for i, t := range tasks {
		if o.fatal {
			return
		}
		o.task(t, s)
		if joins(t) && !o.fatal {
			o.attempts[t.Ref+s.suffix] = 1
			for _, branch := range tasks[i-1].ForkTasks {
				o.fatal = o.fatal || o.broken[branch[len(branch)-1].Ref+s.suffix]
			}
		}
	}
}

func (o *oracle) task(t *Task, s scope) {
	ref := t.Ref + s.suffix
	switch t.Type {
	case TypeSwitch:
		o.attempts[ref] = 1
		if tasks, ok := t.DecisionCases[caseOf(ref)]; ok {
			o.line(tasks, s)
		} else {
			o.line(t.DefaultCase, s)
		}
	case TypeFork:
		o.attempts[ref] = 1
		for _, branch := range t.ForkTasks {
			o.line(branch, s)
		}
	case TypeForkDynamic:
		o.attempts[ref] = 1
		name := t.Input["forkTaskName"].(string)
		for i := range t.Input["forkTaskInputs"].([]any) {
			o.leaf(&Task{Name: name, Ref: fmt.Sprintf("_%s_%d", name, i), Type: TypeSimple}, s)
		}
	case TypeDoWhile:
		o.attempts[ref] = 1
		items, given := t.Items.([]any)
		for turn := 1; !given || turn <= len(items); turn++ {
			o.line(t.LoopOver, s.inner(turn))
			if o.fatal || (!given && !moreTurns(ref, turn)) {
				break
			}
		}
	case TypeJoin:
	case TypeNoop, TypeSetVariable, TypeWait, TypeTerminateRuns:
		o.attempts[ref] = 1
	default:
		o.leaf(t, s)
	}
}

// leaf tries until it is well, or hopeless, or often enough.
func (o *oracle) leaf(t *Task, s scope) {
	ref, kind, name := t.Ref+s.suffix, t.Type, t.Name
	if kind == TypeDynamic {
		kind, name = TypeSimple, t.Input["what"].(string)
	}
	limit := 0
	if def := o.defs[name]; def != nil {
		limit = def.RetryCount
		if t.RetryCount != nil {
			limit = *t.RetryCount
		}
	}
	for n := 0; ; n++ {
		o.attempts[ref] = n + 1
		status := outcomeOf(kind, ref, n)
		if status == FailedTerminally && (kind == TypeEvent || kind == TypeStartWorkflow) {
			status = TaskFailed // they know of no worse
		}
		switch {
		case status.Good():
			return
		case status == TaskFailed && n < limit:
			continue
		}
		o.fatal = o.fatal || !t.Optional && !t.Permissive
		o.late = o.late || t.Permissive
		o.broken[ref] = t.Permissive
		return
	}
}

var (
	programSeed  = flag.Uint64("program", 0, "the only program to play")
	programCount = flag.Uint64("programs", 250, "how many programs to play")
)

func seeds() (from, to uint64) {
	if *programSeed != 0 {
		return *programSeed, *programSeed
	}
	return 1, *programCount
}

// TestAnyProgramEnds plays programs made up at random, with answers in any order and twice, late ticks and crashes, and
// compares how each ends with what the oracle says.
func TestAnyProgramEnds(t *testing.T) {
	from, to := seeds()
	ends := map[State]int{}
	attempts := 0
	for seed := from; seed <= to && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("go test ./internal/flow -run TestAnyProgramEnds -program %d", seed), func(t *testing.T) {
			run := playProgram(t, seed)
			ends[run.State]++
			attempts += len(run.Tasks)
		})
	}
	if *programSeed == 0 && (ends[Completed] < 50 || ends[Failed] < 50) {
		t.Errorf("the programs are one-sided: %v", ends)
	}
	t.Logf("%v, %d attempts", ends, attempts)
}

// TestAnyProgramBearsOrders plays programs while people pause, retry, rerun, restart, skip and terminate them: whatever
// they do, the run stays sound and comes to an end.
func TestAnyProgramBearsOrders(t *testing.T) {
	from, to := seeds()
	for seed := from; seed <= to && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("go test ./internal/flow -run TestAnyProgramBearsOrders -program %d", seed), func(t *testing.T) {
			w, _ := newWorld(t, seed, true)
			w.meddles = 12
			w.play()
		})
	}
}

func newWorld(t *testing.T, seed uint64, hasty bool) (*world, *programs) {
	random := rand.New(rand.NewPCG(seed, 1))
	p := &programs{random: random, defs: map[string]*TaskDef{}, hasty: hasty}
	def := &Definition{
		Name: "program", Version: 1, Tasks: p.line(3, 4), TimeoutPolicy: AlertOnly, Restartable: true,
	}
	if hasty && p.chance(30) {
		def.TimeoutSeconds, def.TimeoutPolicy = int64(1+p.random.IntN(1000)), TimeOutWorkflow
	}
	w := &world{
		t: t, random: random, now: stepsStart, disk: &disk{rows: map[TaskID][]byte{}}, crashes: seed%3 > 0,
		kept: New("run-1", StartRequest{Name: "program"}, def, p.defs, seed, stepsStart),
	}
	if err := w.disk.save(w.kept); err != nil {
		t.Fatal(err)
	}
	return w, p
}

func playProgram(t *testing.T, seed uint64) *Run {
	w, p := newWorld(t, seed, false)
	w.play()
	o := &oracle{defs: p.defs, attempts: map[string]int{}, broken: map[string]bool{}}
	o.line(w.kept.Definition.Tasks, scope{})
	good := !o.fatal && !o.late
	if good != (w.kept.State == Completed) {
		t.Fatalf("the run is %s (%s), the oracle says good: %v", w.kept.State, w.kept.Reason, good)
	}
	seen := map[string]int{}
	for _, a := range w.kept.Tasks {
		seen[a.Ref]++
		if want := o.attempts[a.Ref]; !o.fatal && want == 0 {
			t.Errorf("%s was begun, and should not have been", a.Ref)
		}
	}
	for ref, want := range o.attempts {
		if got := seen[ref]; !o.fatal && got != want {
			t.Errorf("%s: %d attempts, not %d", ref, got, want)
		} else if got > want && want > 0 {
			t.Errorf("%s: %d attempts, more than %d", ref, got, want)
		}
	}
	return w.kept
}
