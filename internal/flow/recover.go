package flow

import (
	"fmt"
	"time"
)

// Recover gives the orders that are under way for a run that was read from disk: each may have been performed before,
// or may not. Of a run that has ended it gives those that were to follow its end.
func (r *Run) Recover(now time.Time) []Effect {
	r.prepare()
	if r.State == Running && !r.begun() {
		return r.Step(now, Begin{})
	}
	r.mem.now, r.mem.out = plainTime(now), nil
	if r.State.Final() {
		for _, a := range r.Tasks {
			if a.Status == Canceled || a.Status == TaskTimedOut {
				r.stopChild(a)
			}
		}
		if r.State == Failed || r.State == TimedOut {
			r.startFailure()
		}
	}
	for _, a := range r.mem.live {
		r.askAgain(a)
	}
	out := r.mem.out
	r.mem.out = nil
	return out
}

func (r *Run) askAgain(a *Attempt) {
	waiting := a.Task.AsyncComplete && len(a.Output) > 0
	switch {
	case a.Type == TypeSimple:
		if a.Status == Scheduled {
			r.offer(a)
		}
	case a.Status != InProgress:
	case a.Type == TypeDoWhile:
		if a.asked() {
			r.ask(a)
		}
	case a.Type == TypeHTTPPoll && !a.DueAt.IsZero():
	case (a.Type == TypeHTTP || a.Type == TypeEvent) && waiting:
	default:
		r.ask(a)
	}
}

// Check says what is wrong with a run that no events could have led to; nil: nothing.
func (r *Run) Check() error {
	r.prepare()
	live := map[string]bool{}
	ids := map[TaskID]bool{}
	for i, a := range r.Tasks {
		switch {
		case a.Seq != i+1:
			return fmt.Errorf("attempt %d has the number %d", i+1, a.Seq)
		case ids[a.ID]:
			return fmt.Errorf("two attempts have the id %s", a.ID)
		case a.Task == nil:
			return fmt.Errorf("attempt %d has no task", a.Seq)
		case a.Run != r.ID:
			return fmt.Errorf("attempt %d is of the run %s", a.Seq, a.Run)
		}
		ids[a.ID] = true
		if err := r.checkAttempt(a, live); err != nil {
			return fmt.Errorf("attempt %d at %s: %w", a.Seq, a.Ref, err)
		}
	}
	switch {
	case r.State.Final() && r.Ended.IsZero():
		return fmt.Errorf("the run is %s since never", r.State)
	case !r.State.Final() && !r.Ended.IsZero():
		return fmt.Errorf("the run is %s and has an end", r.State)
	case (r.State == Paused) != !r.PausedAt.IsZero():
		return fmt.Errorf("the run is %s, paused at %v", r.State, r.PausedAt)
	case r.State == Running && len(r.Tasks) > 0 && len(live) == 0:
		return fmt.Errorf("the run waits for nothing")
	case len(r.Tasks) > MaxAttempts:
		return fmt.Errorf("the run has %d attempts", len(r.Tasks))
	}
	return nil
}

func (r *Run) checkAttempt(a *Attempt, live map[string]bool) error {
	last := r.latest(a.Ref) == a
	switch {
	case !a.Status.Final() && r.State.Final():
		return fmt.Errorf("it is %s in a run that is %s", a.Status, r.State)
	case !a.Status.Final() && live[a.Ref]:
		return fmt.Errorf("it is under way twice")
	case !a.Status.Final() && !last:
		return fmt.Errorf("it is under way and not the latest")
	case a.Status.Final() != !a.EndedAt.IsZero():
		return fmt.Errorf("it is %s, ended at %v", a.Status, a.EndedAt)
	case a.Retried == last:
		return fmt.Errorf("retried is %v", a.Retried)
	case a.Status.Final() && !a.DueAt.IsZero():
		return fmt.Errorf("it is %s and due", a.Status)
	}
	if !a.Status.Final() {
		live[a.Ref] = true
	}
	return nil
}
