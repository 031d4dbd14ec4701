package runner

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"switchboard/internal/flow"
)

// order is an event for a run that may be in memory or not.
type order struct {
	run    flow.RunID
	event  flow.Event
	asked  bool                      // by people: the run may refuse it
	answer bool                      // of something that the run had under way
	look   func(run *flow.Run)       // right after the step, on the lane's goroutine; nil: nobody looks
	after  func(err error)           // once it is durable, or why it was not taken; nil: nobody waits
	snap   *snapshot                 // of the definition that the event brings; nil: it brings none
	wants  func(run *flow.Run) error // beforehand; nil: nothing more is wanted of the run
}

// tell hands an order to the lane of its run. It never blocks.
func (r *Runner) tell(o order) {
	l := r.lane(o.run)
	if !l.put(func() { l.obey(o) }) && o.after != nil {
		o.after(ErrClosed)
	}
}

// ask hands an order over and waits until it is durable.
func (r *Runner) ask(ctx context.Context, o order) error {
	answer := make(chan error, 1)
	o.after = func(err error) { answer <- err }
	r.tell(o)
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lane) obey(o order) {
	refuse := func(err error) {
		if o.after != nil {
			o.after(err)
		}
	}
	lv := l.runs[o.run]
	if o.answer {
		if lv == nil {
			refuse(notFound("there is no workflow run %s under way", o.run))
			return // it ended meanwhile
		}
		lv.underWay = max(0, lv.underWay-1)
	}
	if lv == nil {
		var err error
		if lv, err = l.get(o.run); err != nil {
			refuse(err)
			return
		}
	}
	if lv.removed {
		refuse(notFound("there is no workflow run %s", o.run))
		return
	}
	if o.asked {
		if err := lv.run.Refused(o.event); err != nil {
			refuse(refusal(err))
			return
		}
	}
	if o.wants != nil {
		if err := o.wants(lv.run); err != nil {
			refuse(err)
			return
		}
	}
	l.step(lv, o.event)
	if o.snap != nil && lv.run.Definition == o.snap.def {
		lv.snap = o.snap
	}
	if o.look != nil {
		o.look(lv.run)
	}
	switch {
	case o.after == nil:
	case lv.broken:
		o.after(fmt.Errorf("workflow run %s: %s", o.run, lastResort.Reason))
	default:
		l.hold(func() { o.after(nil) })
	}
	if !lv.dirty {
		l.settle(lv)
	}
}

// step steps a run, and those and itself again that follow from it.
func (l *lane) step(lv *live, event flow.Event) {
	l.todo = append(l.todo, todo{lv, event})
	l.follow()
}

// follow takes the steps that follow from others.
func (l *lane) follow() {
	for len(l.todo) > 0 {
		next := l.todo[0]
		l.todo = l.todo[1:]
		l.stepOnce(next.lv, next.event)
	}
	l.todo = nil
}

func (l *lane) stepOnce(lv *live, event flow.Event) {
	was := lv.run.State
	if lv.broken {
		return
	}
	effects, ok := l.safely(lv, eventName(event), func() []flow.Effect { return lv.run.Step(time.Now(), event) })
	if !ok {
		return
	}
	l.r.counts.Steps.Add(1)
	l.gather(lv)
	for _, effect := range effects {
		l.emit(lv, effect)
	}
	if was.Final() && !lv.run.State.Final() {
		l.r.counts.Revived.Add(1)
		l.r.reenter(lv)
	}
	l.arm(lv, event)
}

// arm sets the run's alarm.
func (l *lane) arm(lv *live, event flow.Event) {
	next := dueOf(lv.run)
	if _, ticked := event.(flow.Tick); ticked && !next.IsZero() {
		next = latest(next, time.Now().Add(minTick))
	}
	l.timers.set(lv.run.ID, next)
}

// minTick is how long a run that was just woken by time sleeps at least.
const minTick = time.Millisecond

// dueOf is when time alone moves a run on; zero: never. One that has not begun waits for its turn only.
func dueOf(run *flow.Run) time.Time {
	if len(run.Tasks) == 0 {
		return time.Time{}
	}
	return run.Next()
}

// safely has the machine do something. A panic of it is a bug: it is logged with what caused it, and the run is
// forgotten as it is in memory and ended as it is on disk, so that nobody waits for it for ever.
func (l *lane) safely(lv *live, cause string, do func() []flow.Effect) (effects []flow.Effect, ok bool) {
	defer func() {
		panicked := recover()
		if panicked == nil {
			return
		}
		l.r.cfg.Log.Error("the workflow machine panicked", "run", lv.run.ID, "event", cause,
			"cause", fmt.Sprint(panicked), "stack", string(debug.Stack()))
		lv.broken = true
		l.timers.set(lv.run.ID, time.Time{})
		l.unrest(lv)
		if l.runs[lv.run.ID] == lv {
			delete(l.runs, lv.run.ID)
		}
		if cause == recovering || cause == eventName(lastResort) {
			return // it would happen again
		}
		l.r.tell(order{run: lv.run.ID, event: lastResort})
	}()
	lv.run.Env = l.r.cfg.Env()
	return do(), true
}

// lastResort is told to a run that the machine panicked over.
var lastResort = flow.Terminate{Reason: "an internal error; the log has the details"}

// recovering stands for an event when a run is read from disk.
const recovering = "recovery"

func eventName(e flow.Event) string { return fmt.Sprintf("%T", e) }

// gather notes what a step changed.
func (l *lane) gather(lv *live) {
	if !lv.run.Dirty() {
		return
	}
	l.mark(lv)
	if len(lv.run.Dropped()) > 0 {
		lv.rewrite = true
	}
	for _, a := range lv.run.Changes() {
		if lv.changed == nil {
			lv.changed = map[int]*flow.Attempt{}
		}
		lv.changed[a.Seq] = a
		l.r.counts.attempt(a)
		if a.Status.Final() {
			l.r.brakes.release(a.Name, a.ID)
		}
	}
}

// emit does at once what cannot be seen outside, and holds the rest until it is on disk what ordered it.
func (l *lane) emit(lv *live, effect flow.Effect) {
	switch e := effect.(type) {
	case flow.Evaluate:
		l.expect(lv)
		l.r.scripts.put(job{task: e.Task, do: func(ctx context.Context) {
			value, err := l.r.cfg.Evaluator.Evaluate(ctx, e.Language, e.Script, e.Input)
			done := flow.Evaluated{Task: e.Task, Value: value}
			if err != nil {
				done.Error = err.Error()
			}
			l.r.answer(lv.run.ID, done)
		}})
	case flow.StartRun:
		l.startRun(lv, e)
	case flow.Withdraw:
		if lv.withdrawn == nil {
			lv.withdrawn = map[flow.TaskID]bool{}
		}
		lv.withdrawn[e.Task] = true
		l.holdFor(lv, func() { l.perform(lv, effect) })
	default:
		l.holdFor(lv, func() { l.perform(lv, effect) })
	}
}

// expect notes that an answer to an order of the run is to come.
func (l *lane) expect(lv *live) {
	lv.underWay++
	l.unrest(lv)
}

// answer hands the answer to an order back to the run. Once the runner is being closed there are none: what was
// interrupted is done again by the next process.
func (r *Runner) answer(run flow.RunID, event flow.Event) {
	if r.ctx.Err() == nil {
		r.tell(order{run: run, event: event, answer: true})
	}
}

// perform carries out what was held.
func (l *lane) perform(lv *live, effect flow.Effect) {
	r := l.r
	switch e := effect.(type) {
	case flow.Call:
		l.call(lv, e)
	case flow.Offer:
		if lv.withdrawn[e.Task.ID] || !asOffered(lv.run, e.Task) {
			return
		}
		r.queues.put(e.Queue, e.Task, lv.run.Priority)
	case flow.Withdraw:
		delete(lv.withdrawn, e.Task)
		for _, p := range []*pool{r.calls, r.scripts, r.errands} {
			if p.cancel(e.Task) {
				lv.underWay = max(0, lv.underWay-1) // it had not begun: there is no answer to come
			}
		}
		r.queues.remove(e.Task)
	case flow.Order:
		r.tell(order{run: e.Run, event: e.Event, asked: true})
	case flow.Publish:
		l.errand(lv, e.Task, func(ctx context.Context) flow.Event {
			if err := r.cfg.Publish(ctx, e.Task, e.Sink, e.Payload); err != nil {
				return flow.Published{Task: e.Task, Error: err.Error()}
			}
			return flow.Published{Task: e.Task}
		})
	case flow.Fetch:
		l.errand(lv, e.Task, func(ctx context.Context) flow.Event { return r.fetch(ctx, e) })
	case flow.Update:
		l.errand(lv, e.Task, func(ctx context.Context) flow.Event { return r.update(ctx, e) })
	case flow.Ended:
		l.ended(lv, e)
	default:
		panic(fmt.Sprintf("runner: nobody performs a %T", effect))
	}
}

// asOffered says whether an attempt still stands as it did when it was offered.
func asOffered(run *flow.Run, offered *flow.Attempt) bool {
	a := attemptOf(run, offered.ID)
	return a != nil && a.Status == offered.Status && a.PollCount == offered.PollCount
}

// attemptOf finds an attempt, the latest first; nil: there is none.
func attemptOf(run *flow.Run, id flow.TaskID) *flow.Attempt {
	for i := len(run.Tasks) - 1; i >= 0; i-- {
		if run.Tasks[i].ID == id {
			return run.Tasks[i]
		}
	}
	return nil
}

// slowStart is how long a request may wait for its turn before the run is told when it really began.
const slowStart = 50 * time.Millisecond

func (l *lane) call(lv *live, e flow.Call) {
	if lv.withdrawn[e.Task.ID] {
		return
	}
	l.expect(lv)
	r, run, ordered := l.r, withoutTasks(lv.run), time.Now()
	r.calls.put(job{task: e.Task.ID, name: e.Task.Name, def: e.Task.Def, do: func(ctx context.Context) {
		if time.Since(ordered) > slowStart {
			r.tell(order{run: run.ID, event: flow.Polled{Task: e.Task.ID, Worker: e.Task.Worker}})
		}
		done := r.cfg.Doer.Do(ctx, run, e.Task)
		done.Task = e.Task.ID
		r.counts.Calls.Add(1)
		r.answer(run.ID, done)
	}})
}

// withoutTasks is a run as it may be read while it goes on: its maps are never written to.
func withoutTasks(run *flow.Run) *flow.Run {
	return &flow.Run{
		ID: run.ID, Definition: run.Definition, TaskDefs: run.TaskDefs, State: run.State, Input: run.Input,
		Output: run.Output, Variables: run.Variables, CorrelationID: run.CorrelationID,
		IdempotencyKey: run.IdempotencyKey, TaskToDomain: run.TaskToDomain, Priority: run.Priority,
		CreatedBy: run.CreatedBy, Identity: run.Identity, Event: run.Event, Parent: run.Parent,
		ParentTask: run.ParentTask, Reason: run.Reason, FailedRefs: run.FailedRefs, FailedTask: run.FailedTask,
		Created: run.Created, Updated: run.Updated, Ended: run.Ended, PausedAt: run.PausedAt,
		LastRetried: run.LastRetried, Seed: run.Seed, Drawn: run.Drawn, Env: run.Env,
	}
}

// errand does for a run what may take a while.
func (l *lane) errand(lv *live, task flow.TaskID, do func(context.Context) flow.Event) {
	l.expect(lv)
	id := lv.run.ID
	l.r.errands.put(job{task: task, do: func(ctx context.Context) { l.r.answer(id, do(ctx)) }})
}

// recover orders again what a run that was read from disk waits for; false: it cannot go on.
func (l *lane) recover(lv *live) bool {
	if len(lv.run.Tasks) == 0 {
		l.begin(lv)
		return !lv.broken
	}
	effects, ok := l.safely(lv, recovering, func() []flow.Effect { return lv.run.Recover(time.Now()) })
	if !ok {
		return false
	}
	l.gather(lv)
	for _, effect := range effects {
		l.emit(lv, effect)
	}
	for _, a := range lv.run.Tasks {
		if a.Status == flow.InProgress && a.Type == flow.TypeSimple {
			l.r.brakes.hold(a.Name, a.Def, a.ID)
		}
	}
	l.arm(lv, nil)
	l.follow()
	return !lv.broken
}

// ended tells everybody who waits for the end of a run.
func (l *lane) ended(lv *live, e flow.Ended) {
	r, run := l.r, lv.run
	r.counts.ended(e.State)
	r.leave(lv)
	if run.Parent != "" && run.ParentTask != "" {
		r.tell(order{run: run.Parent, event: flow.ChildEnded{
			Task: run.ParentTask, Child: run.ID, State: e.State, Output: run.Output, Reason: run.Reason,
		}})
	}
}
