package flow

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"
)

// The limits of a run (docs/reference/workflows.md, "Limits"). Each is tested at its edge.
const (
	MaxAttempts  = 10_000               // at all tasks of a run together
	MaxTurns     = 5_000                // of one loop
	MaxFanOut    = 1_000                // branches of one dynamic fork
	MaxOutput    = 4 << 20              // bytes of the output of an attempt
	MaxVariables = 1 << 20              // bytes of all variables of a run
	MaxDelay     = 366 * 24 * time.Hour // of a retry, a callback, a start
	MaxPolls     = 1_000                // of an HTTP_POLL task that names no number of its own
	MinPolling   = time.Second          // between two requests of an HTTP_POLL task
	PollEvery    = 60 * time.Second     // unless the task says otherwise
)

// memory is what a run knows while it is in memory; all of it is found again from what is kept.
type memory struct {
	now     time.Time
	out     []Effect
	begin   bool       // the event of this step begins the run, if it has not begun
	moves   int        // changes of attempts so far in this step
	dirty   bool       // something changed since the last Changes
	touched []*Attempt // since the last Changes
	dropped []TaskID   // since the last Dropped
	live    []*Attempt
	index   *index
	with    map[string]Map // input that a rerun gives, by reference name
	extra   map[string]Map // input that a dynamic fork adds, by reference name
	ready   bool
}

// New makes a run of def that stands before its first task: Begin starts it. defs are the task definitions by name; def
// and defs are shared and never written to. The same id, seed and events give the same attempts, bit for bit.
func New(
	id RunID, req StartRequest, def *Definition, defs map[string]*TaskDef, seed uint64, now time.Time,
) *Run {
	now = plainTime(now)
	r := &Run{
		ID: id, Definition: def, TaskDefs: defs, State: Running, Input: Map{}, Variables: Map{},
		CorrelationID: req.CorrelationID, IdempotencyKey: req.IdempotencyKey, TaskToDomain: req.TaskToDomain,
		Priority: req.Priority, CreatedBy: req.CreatedBy, Created: now, Updated: now, Seed: seed,
		Depth: req.Depth,
	}
	maps.Copy(r.Input, def.InputTemplate)
	for key, v := range req.Input {
		if old, ok := r.Input[key]; v != nil || !ok || old == nil {
			r.Input[key] = v
		}
	}
	maps.Copy(r.Variables, def.Variables)
	r.mem.ready, r.mem.dirty = true, true
	return r
}

// Attach gives a run that was read from disk its attempts. An attempt without a Task gets that of the definition.
func (r *Run) Attach(tasks []*Attempt) {
	r.Tasks = tasks
	r.mem = memory{}
	r.prepare()
}

func bySeq(a, b *Attempt) int { return a.Seq - b.Seq }

// prepare finds again what is not kept.
func (r *Run) prepare() {
	if r.mem.ready {
		return
	}
	r.mem.ready = true
	slices.SortFunc(r.Tasks, bySeq)
	var own map[string]*Task
	for _, a := range r.Tasks {
		if own == nil {
			own = map[string]*Task{}
			eachTask(r.Definition.Tasks, func(t *Task) { own[t.Ref] = t })
		}
		t := own[a.Ref]
		if t == nil {
			t = own[bareRef(a)]
		}
		if t != nil && (a.Task == nil || a.Task.Type == t.Type) {
			a.Task = t
		}
		if a.Task == nil {
			a.Task = &Task{Name: a.Name, Ref: a.Ref, Type: a.Type}
		}
		a.Def = r.taskDef(a.Task, a.Name)
		if !a.Status.Final() {
			r.mem.live = append(r.mem.live, a)
		}
	}
}

// Step takes one event and says what is to be done. Now never goes back.
func (r *Run) Step(now time.Time, e Event) []Effect {
	r.prepare()
	w := &r.mem
	w.now, w.out, w.begin = plainTime(now), nil, false
	r.take(e)
	if r.State == Running && r.begun() {
		r.expire()
	}
	if r.State == Running && r.begun() {
		r.advance()
	}
	w.live = slices.DeleteFunc(w.live, func(a *Attempt) bool { return a.Status.Final() })
	w.with = nil
	if w.moves > 0 {
		w.moves, w.dirty = 0, true
		r.Updated = w.now
	}
	out := w.out
	w.out = nil
	return out
}

// begun says whether Begin has come: until then nothing is begun and nothing times out.
func (r *Run) begun() bool { return len(r.Tasks) > 0 || r.mem.begin }

// take applies the event to what it names. What follows from it is found by advance.
func (r *Run) take(e Event) {
	switch e := e.(type) {
	case Begin:
		r.mem.begin = true
	case Tick:
	case Polled:
		r.polled(e)
	case Reported:
		r.reported(e)
	case Evaluated:
		r.evaluated(e)
	case ChildStarted:
		r.childStarted(e)
	case ChildEnded:
		r.childEnded(e)
	case ChildRevived:
		r.childRevived(e)
	case Published:
		r.published(e)
	default:
		r.order(e)
	}
}

// Changes are copies of the attempts that changed since the last Changes, in the order of their Seq.
func (r *Run) Changes() []*Attempt {
	w := &r.mem
	w.dirty = false
	if len(w.touched) == 0 {
		return nil
	}
	out := make([]*Attempt, 0, len(w.touched))
	for _, a := range w.touched {
		a.touched = false
		out = append(out, a.copied())
	}
	w.touched = w.touched[:0]
	slices.SortFunc(out, bySeq)
	return out
}

// Dirty says whether anything of the run or its attempts changed since the last Changes: whether it is to be written.
func (r *Run) Dirty() bool { return r.mem.dirty }

// Dropped are the attempts that Restart and Rerun took away since the last Dropped: their rows are to be removed.
func (r *Run) Dropped() []TaskID {
	out := r.mem.dropped
	r.mem.dropped = nil
	return out
}

// copied is what leaves the machine: it may be read while the run goes on. Its maps are never written to.
func (a *Attempt) copied() *Attempt {
	c := *a
	c.touched = false
	return &c
}

func (r *Run) emit(e Effect) { r.mem.out = append(r.mem.out, e) }

// touch notes that a is about to change.
func (r *Run) touch(a *Attempt) {
	r.mem.moves++
	a.UpdatedAt = r.mem.now
	if !a.touched {
		a.touched = true
		r.mem.touched = append(r.mem.touched, a)
	}
}

// attempt is the attempt with that id, or nil.
func (r *Run) attempt(id TaskID) *Attempt {
	for _, a := range r.mem.live {
		if a.ID == id {
			return a
		}
	}
	for _, a := range slices.Backward(r.Tasks) {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// draw is the next random number: the same for the same run, seed and count.
func (r *Run) draw() uint64 {
	r.Drawn++
	x := r.Seed + r.Drawn*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// drawID is a UUID of version 4: half of it is of the run's own id, so that two runs of one seed have no id in common.
func (r *Run) drawID() TaskID {
	hi := r.draw()
	h := fnv.New64a()
	h.Write([]byte(r.ID))
	lo := h.Sum64() + r.Drawn*0xd1342543de82ef95
	lo = (lo ^ lo>>32) * 0xd6e8feb86659fd93
	lo ^= lo >> 32
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	return TaskID(fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&(1<<48-1)))
}

// plainTime is t as it comes back from disk.
func plainTime(t time.Time) time.Time { return t.Round(0).UTC() }

// eachTask calls f for every task and those within it.
func eachTask(tasks []*Task, f func(*Task)) {
	for _, t := range tasks {
		f(t)
		for _, line := range t.lines() {
			eachTask(line.tasks, f)
		}
	}
}
