package flow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ErrConflict is what errors.Is finds in an order that is not possible as the run stands; ErrUnknown in one that names
// a task that the run does not have.
var (
	ErrConflict = errors.New("not possible as the run stands")
	ErrUnknown  = errors.New("the run has no such task")
)

type refusal struct {
	sentence string
	kind     error
}

func (e refusal) Error() string { return e.sentence }
func (e refusal) Unwrap() error { return e.kind }

func conflict(format string, args ...any) error {
	return refusal{fmt.Sprintf(format, args...), ErrConflict}
}

// Refused says why the run does not take an event that people sent, as an ErrConflict or ErrUnknown with a sentence;
// nil: it takes it. Step does nothing with an order that is refused.
func (r *Run) Refused(e Event) error {
	r.prepare()
	over := r.State.Final()
	switch e := e.(type) {
	case Reported:
		return r.refusedReport(e)
	case Pause:
		if r.State != Running {
			return conflict("the run is %s: only a running one can be paused", r.State)
		}
	case Resume:
		if r.State != Paused {
			return conflict("the run is %s: only a paused one can be resumed", r.State)
		}
	case Terminate:
		if over {
			return conflict("the run has ended already: %s", r.State)
		}
	case SetVariables:
		if over {
			return conflict("the run has ended: %s", r.State)
		}
		if !fits(merged(r.Variables, e.Variables), MaxVariables) {
			return conflict("the variables of a run may have %d bytes together", MaxVariables)
		}
	case Retry:
		return r.refusedRetry(e)
	case Restart:
		if !over {
			return conflict("the run is %s: only one that has ended can be restarted", r.State)
		}
		if r.State == Completed && !r.Definition.Restartable {
			return conflict("runs of %s that are completed cannot be restarted", r.Definition.Name)
		}
	case Rerun:
		if !over {
			return conflict("the run is %s: only one that has ended can be rerun", r.State)
		}
		if e.From != "" && r.attempt(e.From) == nil {
			return refusal{fmt.Sprintf("the run has no task %s", e.From), ErrUnknown}
		}
	case Skip:
		return r.refusedSkip(e)
	}
	return nil
}

func (r *Run) refusedReport(e Reported) error {
	a := r.attempt(e.Task)
	switch {
	case a == nil:
		return refusal{fmt.Sprintf("the run has no task %s", e.Task), ErrUnknown}
	case r.State.Final():
		return conflict("the run has ended: %s", r.State)
	case a.Status.Final():
		return conflict("the task %s has ended: %s", a.Ref, a.Status)
	case !e.Status.known():
		return conflict("%q is no status of a task", e.Status)
	}
	return nil
}

func (r *Run) refusedRetry(e Retry) error {
	switch {
	case !r.State.Final():
		return conflict("the run is %s: only one that has ended can be retried", r.State)
	case r.State == Completed:
		return conflict("the run is completed: nothing of it failed")
	case len(r.bad()) == 0 && r.State != TimedOut && !(e.ResumeChildren && r.terminator() != nil):
		return conflict("nothing of the run failed: restart begins it anew")
	}
	return nil
}

func (r *Run) refusedSkip(e Skip) error {
	if r.State != Running {
		return conflict("the run is %s: only tasks of a running one can be skipped", r.State)
	}
	if r.defined(e.Ref) == nil {
		return refusal{fmt.Sprintf("the workflow %s has no task %q", r.Definition.Name, e.Ref), ErrUnknown}
	}
	if r.latest(e.Ref) != nil {
		return conflict("the task %s was begun already", e.Ref)
	}
	return nil
}

func (r *Run) defined(ref string) (found *Task) {
	eachTask(r.Definition.Tasks, func(t *Task) {
		if t.Ref == ref {
			found = t
		}
	})
	return found
}

// order carries out what people ask for.
func (r *Run) order(e Event) {
	if r.Refused(e) != nil {
		return
	}
	r.mem.moves++
	switch e := e.(type) {
	case Pause:
		r.State, r.PausedAt = Paused, r.mem.now
	case Resume:
		r.resume()
	case Terminate:
		r.close(Terminated, e.Reason, nil)
		if e.Failure {
			r.startFailure()
		}
		r.emit(Ended{Terminated})
	case SetVariables:
		r.Variables = merged(r.Variables, e.Variables)
	case ResetCallbacks:
		r.resetCallbacks()
	case Skip:
		r.skip(e)
	case Retry:
		r.retryRun(e)
	case Restart:
		r.restart(e)
	case Rerun:
		r.rerun(e)
	default:
		panic(fmt.Sprintf("flow: unknown event %T", e))
	}
}

// resume goes on. What waits for workers is offered again: those that asked for it meanwhile were sent away.
func (r *Run) resume() {
	r.State, r.PausedAt, r.mem.begin = Running, time.Time{}, true
	for _, a := range r.mem.live {
		if a.Type == TypeSimple && a.Status == Scheduled {
			r.offer(a)
		}
	}
}

func (r *Run) resetCallbacks() {
	for _, a := range r.mem.live {
		if a.Type == TypeSimple && a.Status == Scheduled && a.CallbackAfter > 0 {
			r.touch(a)
			a.CallbackAfter, a.DueAt = 0, time.Time{}
			r.offer(a)
		}
	}
}

// skip lets a task count as done before it is begun.
func (r *Run) skip(e Skip) {
	t := r.defined(e.Ref)
	a := &Attempt{
		ID: r.drawID(), Run: r.ID, Ref: t.Ref, Name: t.Name, Type: t.Type, Status: Skipped, Task: t,
		Def: r.taskDef(t, t.Name), Input: neutral(e.Input), Output: e.Output, EndedAt: r.mem.now, Executed: true,
	}
	r.append(a)
	a.StartedAt = r.mem.now
}

// neutral makes a value that people sent harmless: nothing in it is filled in.
func neutral(m Map) Map {
	if m == nil {
		return nil
	}
	v, _ := (&resolver{work: work{left: MaxFilledWork}}).neutral(m, 0)
	out, _ := v.(Map)
	return out
}

// bad are the latest attempts that ended badly, in the order of their Seq.
func (r *Run) bad() []*Attempt {
	var out []*Attempt
	for _, a := range r.Tasks {
		if a.Status.Final() && !a.Status.Good() && !a.Retried && r.latest(a.Ref) == a {
			out = append(out, a)
		}
	}
	return out
}

// revive lets a run that has ended go on, and tells the run that waits for it.
func (r *Run) revive() {
	r.State, r.Reason, r.Output, r.mem.begin = Running, "", nil, true
	r.Ended, r.LastRetried = time.Time{}, r.mem.now
	r.FailedTask, r.FailedRefs = "", nil
	if r.Parent != "" && r.ParentTask != "" {
		r.emit(Order{r.Parent, ChildRevived{Task: r.ParentTask, Child: r.ID}})
	}
}

func (r *Run) retryRun(e Retry) {
	bad, last := r.bad(), r.terminator()
	r.revive()
	if len(bad) == 0 && last != nil && e.ResumeChildren {
		r.retry(last, 0) // it ends as before, but the run that waits for it hears of it
		return
	}
	r.goOn(bad, e.ResumeChildren, nil)
}

// terminator is the TERMINATE task by which the run ended; nil: none.
func (r *Run) terminator() *Attempt {
	for _, a := range slices.Backward(r.Tasks) {
		if a.Type == TypeTerminate && a.Status == TaskCompleted {
			return a
		}
	}
	return nil
}

// goOn tries again what ended badly: joins and loops go on where they were, other tasks get another attempt.
func (r *Run) goOn(bad []*Attempt, resumeChildren bool, except *Attempt) {
	for _, a := range bad {
		switch {
		case a == except:
		case a.Type == TypeJoin || a.Type == TypeExclusiveJoin || a.Type == TypeDoWhile:
			r.reopen(a)
		case a.Type == TypeSubWorkflow && a.Child != "" && resumeChildren:
			r.reopen(a)
			r.emit(Order{a.Child, Retry{ResumeChildren: true}})
		case len(r.Tasks) >= MaxAttempts:
			r.end(Failed, fmt.Sprintf("the run has more than %d attempts at tasks", MaxAttempts), a)
			return
		default:
			r.retry(a, 0)
		}
		if r.State.Final() {
			return
		}
	}
}

// reopen lets an attempt that has ended go on.
func (r *Run) reopen(a *Attempt) {
	r.touch(a)
	a.Status, a.EndedAt, a.Reason, a.Executed, a.Retried = InProgress, time.Time{}, "", false, false
	switch a.Type {
	case TypeDoWhile:
		output := maps.Clone(a.Output)
		delete(output, "error")
		for turn := range output {
			if n, ok := number(turn); ok && n >= int64(a.Iteration) {
				delete(output, turn)
			}
		}
		a.Output = output
	case TypeJoin, TypeExclusiveJoin:
		a.Output = nil
	}
	if !slices.Contains(r.mem.live, a) {
		r.mem.live = append(r.mem.live, a)
		slices.SortFunc(r.mem.live, bySeq) // in the order in which they would come from disk
	}
}

// childRevived goes on waiting for a run that had ended and goes on.
func (r *Run) childRevived(e ChildRevived) {
	a := r.attempt(e.Task)
	if a == nil || a.Type != TypeSubWorkflow || a.Child != e.Child || !a.Status.Final() || a.Status.Good() ||
		r.latest(a.Ref) != a {
		return
	}
	if r.State.Final() {
		if r.State == Completed {
			return
		}
		bad := r.bad()
		r.revive()
		r.reopen(a)
		r.goOn(bad, false, a)
		return
	}
	r.reopen(a)
}

func (r *Run) restart(e Restart) {
	r.drop(0)
	if e.Definition != nil {
		r.Definition, r.TaskDefs = e.Definition, e.TaskDefs
	}
	r.revive()
	r.Variables = merged(Map{}, r.Definition.Variables)
	r.Created, r.LastRetried = r.mem.now, time.Time{}
}

// drop takes away all attempts but the first keep.
func (r *Run) drop(keep int) {
	for _, a := range r.Tasks[keep:] {
		r.mem.dropped = append(r.mem.dropped, a.ID)
	}
	r.Tasks = slices.Clone(r.Tasks[:keep])
	gone := func(a *Attempt) bool { return a.Seq > keep }
	r.mem.live = slices.DeleteFunc(r.mem.live, gone)
	r.mem.touched = slices.DeleteFunc(r.mem.touched, gone)
	r.mem.index = nil
}

// rerun goes back to the first attempt at a task: what was begun since is taken away, and what waited for it waits
// again.
func (r *Run) rerun(e Rerun) {
	if e.WorkflowInput != nil {
		r.Input = e.WorkflowInput
	}
	keep := 0
	if e.From != "" {
		ref := r.attempt(e.From).Ref
		keep = slices.IndexFunc(r.Tasks, func(a *Attempt) bool { return a.Ref == ref })
		if e.TaskInput != nil {
			r.mem.with = map[string]Map{ref: neutral(e.TaskInput)}
		}
	}
	dropped := r.Tasks[keep:]
	r.drop(keep)
	if keep == 0 {
		r.Variables = merged(Map{}, r.Definition.Variables)
	}
	r.revive()
	for _, a := range r.Tasks {
		if a.Retried && r.latest(a.Ref) == a {
			r.touch(a)
			a.Retried = false
		}
		if a.Type == TypeDoWhile {
			r.rewind(a, dropped)
		}
	}
	for r.reopenJoins() {
	}
	r.goOn(r.bad(), false, nil)
}

// rewind takes a loop back to the first turn of which something was taken away.
func (r *Run) rewind(a *Attempt, dropped []*Attempt) {
	inside := r.inside(a, dropped)
	first := 0
	for _, x := range dropped {
		if n := inside(x); n > 0 && (first == 0 || n < first) {
			first = n
		}
	}
	if first > 0 && a.Status != Skipped {
		r.turn(a, first)
		r.reopen(a)
	}
}

// reopenJoins lets joins that are through wait again if what they wait for is no longer there. It says whether it did.
func (r *Run) reopenJoins() (did bool) {
	for _, a := range r.Tasks {
		if (a.Type != TypeJoin && a.Type != TypeExclusiveJoin) || a.Status != TaskCompleted {
			continue
		}
		for _, ref := range texts(a.Input["joinOn"]) {
			if x := r.near(ref, scopeOf(a)); x == nil || !x.Status.Good() {
				r.reopen(a)
				did = true
				break
			}
		}
	}
	return did
}
