package flow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json"
)

// TestSteps plays testdata/steps/*.txt: events in, orders out, one script a sentence of docs/reference/workflows.md.
// Before every event the run is written to JSON and read back, so that nothing lives in memory alone. Blocks: workflow
// and tasks (definitions), start, given (orders are not shown), when (shown), show (the run). `-rewrite` writes what
// happened.
func TestSteps(t *testing.T) {
	datadriven.Walk(t, "testdata/steps", func(t *testing.T, path string) {
		s := &steps{t: t, now: stepsStart, defs: map[string]*TaskDef{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d, s.out = t, d, &strings.Builder{}
			s.quiet = d.Cmd == "given"
			s.block()
			return s.out.String()
		})
	})
}

// stepsStart is a Monday.
var stepsStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type steps struct {
	t     *testing.T
	d     *datadriven.TestData
	now   time.Time
	out   *strings.Builder
	quiet bool
	def   *Definition
	defs  map[string]*TaskDef
	disk  *disk
	r     *Run
}

// disk keeps a run as the host does: the run, and a row an attempt.
type disk struct {
	run  []byte
	rows map[TaskID][]byte
}

func (d *disk) save(r *Run) error {
	dirty := r.Dirty()
	for _, id := range r.Dropped() {
		delete(d.rows, id)
	}
	changes := r.Changes()
	if len(changes) > 0 && !dirty {
		return fmt.Errorf("attempts changed and the run is not dirty")
	}
	for _, a := range changes {
		row, err := json.Marshal(a, JSON)
		if err != nil {
			return err
		}
		d.rows[a.ID] = row
	}
	if dirty {
		var err error
		d.run, err = json.Marshal(r, JSON)
		return err
	}
	return nil
}

func (d *disk) load() (*Run, error) {
	r := &Run{}
	if err := json.Unmarshal(d.run, r, JSON); err != nil {
		return nil, err
	}
	var tasks []*Attempt
	for _, row := range d.rows {
		a := &Attempt{}
		if err := json.Unmarshal(row, a, JSON); err != nil {
			return nil, err
		}
		tasks = append(tasks, a)
	}
	r.Attach(tasks)
	return r, nil
}

func (s *steps) must(err error) {
	s.t.Helper()
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
}

func (s *steps) block() {
	switch s.d.Cmd {
	case "workflow":
		s.def = &Definition{}
		s.must(json.Unmarshal([]byte(s.d.Input), s.def, JSON))
		s.def.Name = "wf"
	case "tasks":
		var list []*TaskDef
		s.must(json.Unmarshal([]byte(s.d.Input), &list, JSON))
		for _, def := range list {
			s.defs[def.Name] = def
		}
	case "start":
		s.start()
	case "given", "when":
		for line := range strings.Lines(s.d.Input) {
			s.line(strings.TrimSpace(line))
		}
	case "show":
		s.show()
	default:
		s.d.Fatalf(s.t, "unknown block %s", s.d.Cmd)
	}
}

func (s *steps) start() {
	req := StartRequest{Name: s.def.Name}
	if s.d.Input != "" {
		s.must(json.Unmarshal([]byte(s.d.Input), &req, JSON))
	}
	s.disk = &disk{rows: map[TaskID][]byte{}}
	s.r = New("run-1", req, s.def, s.defs, 7, s.now)
	if s.d.HasArg("child") {
		s.r.Parent, s.r.ParentTask = "run-0", "task-0"
	}
	s.must(s.disk.save(s.r))
	if !s.d.HasArg("waiting") {
		s.step(Begin{})
	}
}

// step gives one event to the run as it is on disk.
func (s *steps) step(e Event) {
	var err error
	env := s.r.Env
	s.r, err = s.disk.load()
	s.must(err)
	s.r.Env = env
	s.effects(s.r.Step(s.now, e))
	s.must(s.r.Check())
	s.must(s.disk.save(s.r))
}

func (s *steps) line(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
	case "advance":
		s.advance(rest)
	case "recover":
		var err error
		s.r, err = s.disk.load()
		s.must(err)
		s.effects(s.r.Recover(s.now))
	case "env":
		s.r.Env = s.object(rest)
	default:
		e := s.event(word, rest)
		if err := s.r.Refused(e); err != nil {
			fmt.Fprintf(s.out, "refused: %v\n", err)
		}
		s.step(e)
	}
}

// advance lets time pass, with a tick whenever the run asks for one.
func (s *steps) advance(text string) {
	d, err := time.ParseDuration(text)
	s.must(err)
	to := s.now.Add(d)
	for range 1000 {
		next := s.r.Next()
		if next.IsZero() || next.After(to) {
			s.now = to
			return
		}
		if next.After(s.now) {
			s.now = next
		}
		s.printf("at %s:\n", s.now.Format("Mon 15:04:05.999"))
		s.step(Tick{})
	}
	s.d.Fatalf(s.t, "time does not pass")
}

func (s *steps) printf(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.out, format, args...)
	}
}

// attempt finds REF, the latest attempt at it, or REF#N, the one with the retry count N.
func (s *steps) attempt(name string) TaskID {
	ref, retry, numbered := strings.Cut(name, "#")
	for _, a := range slices.Backward(s.r.Tasks) {
		if a.Ref == ref && (!numbered || fmt.Sprint(a.Retry) == retry) {
			return a.ID
		}
	}
	return TaskID(name)
}

func (s *steps) value(text string) Value {
	if text == "" {
		return nil
	}
	v, err := Decode([]byte(text))
	s.must(err)
	return v
}

func (s *steps) object(text string) Map {
	m, _ := s.value(text).(Map)
	return m
}

func (s *steps) event(word, rest string) Event {
	first, rest2, _ := strings.Cut(rest, " ")
	id := s.attempt(first)
	switch word {
	case "polled":
		return Polled{Task: id, Worker: rest2}
	case "completed":
		return Reported{Task: id, Status: TaskCompleted, Output: s.object(rest2)}
	case "failed", "hopeless", "canceled":
		status := map[string]Status{"failed": TaskFailed, "hopeless": FailedTerminally, "canceled": Canceled}[word]
		return Reported{Task: id, Status: status, Reason: rest2}
	case "report":
		return Reported{Task: id, Status: Status(rest2)}
	case "progress":
		return Reported{Task: id, Status: InProgress, Output: s.object(rest2)}
	case "lease":
		return Reported{Task: id, Status: InProgress, ExtendLease: true}
	case "callback":
		n, _ := number(rest2)
		return Reported{Task: id, Status: InProgress, CallbackAfter: n}
	case "evaluated":
		return Evaluated{Task: id, Value: s.value(rest2)}
	case "wrong":
		return Evaluated{Task: id, Error: rest2}
	case "published":
		return Published{Task: id, Error: rest2}
	case "child":
		return s.child(id, rest2)
	}
	return s.order(word, rest)
}

func (s *steps) child(id TaskID, rest string) Event {
	word, rest, _ := strings.Cut(rest, " ")
	child, rest, _ := strings.Cut(rest, " ")
	if word == "started" {
		return ChildStarted{Task: id, Child: RunID(child)}
	}
	if word == "revived" {
		return ChildRevived{Task: id, Child: RunID(child)}
	}
	e := ChildEnded{Task: id, Child: RunID(child), State: State(strings.ToUpper(word))}
	if word == "missing" {
		return ChildEnded{Task: id, Reason: strings.TrimSpace(child + " " + rest)}
	}
	if e.State == Completed {
		e.Output = s.object(rest)
	} else {
		e.Reason = rest
	}
	return e
}

func (s *steps) order(word, rest string) Event {
	first, rest2, _ := strings.Cut(rest, " ")
	switch word {
	case "begin":
		return Begin{}
	case "tick":
		return Tick{}
	case "pause":
		return Pause{}
	case "resume":
		return Resume{}
	case "terminate":
		return Terminate{Reason: rest}
	case "terminate-failing":
		return Terminate{Reason: rest, Failure: true}
	case "retry":
		return Retry{ResumeChildren: rest == "children"}
	case "restart":
		return Restart{}
	case "restart-latest":
		return Restart{Definition: s.def, TaskDefs: s.defs}
	case "rerun":
		e := Rerun{TaskInput: s.object(rest2)}
		if first != "" {
			e.From = s.attempt(first)
		}
		return e
	case "rerun-with":
		return Rerun{WorkflowInput: s.object(rest)}
	case "skip":
		return Skip{Ref: first, Output: s.object(rest2)}
	case "set":
		return SetVariables{s.object(rest)}
	case "reset-callbacks":
		return ResetCallbacks{}
	}
	s.d.Fatalf(s.t, "unknown event %s", word)
	return nil
}
