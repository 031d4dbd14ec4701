package runner

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/flow"
)

// Until is what may be waited for besides the end of a run.
type Until struct {
	Refs    []string // a task with one of these reference names is over or waits for somebody
	Blocked bool     // a WAIT, HUMAN or WAIT_FOR_WEBHOOK task waits for somebody
}

// Reached says whether the run is where it is waited for.
func (u Until) Reached(run *flow.Run) bool {
	return slices.ContainsFunc(run.Tasks, func(a *flow.Attempt) bool {
		return u.sees(a) || u.Blocked && Blocks(a)
	})
}

func (u Until) sees(a *flow.Attempt) bool {
	if !slices.Contains(u.Refs, a.Ref) || a.Retried {
		return false
	}
	return outside(a.Type) || a.Status.Final()
}

// Blocks says whether an attempt waits for somebody to say that it is over.
func Blocks(a *flow.Attempt) bool {
	switch a.Type {
	case flow.TypeWait, flow.TypeHuman, flow.TypeWaitForWebhook:
		return a.Status == flow.InProgress
	}
	return false
}

// Await waits until a run is over or where it is waited for, but not longer than wait (MaxExecuteWait), and answers it
// as it is then.
func (r *Runner) Await(ctx context.Context, id flow.RunID, until Until, wait time.Duration) (*flow.Run, error) {
	ready := make(chan error, 1)
	w := &waiter{until: until, told: func(*flow.Run) { ready <- nil }}
	l := r.lane(id)
	taken := l.put(func() {
		lv, err := l.get(id)
		switch {
		case err != nil:
			ready <- err
		case lv.run.State.Final() || until.Reached(lv.run):
			l.hold(func() { ready <- nil })
			l.settle(lv)
		default:
			lv.waiters = append(lv.waiters, w)
			l.unrest(lv)
		}
	})
	if !taken {
		return nil, ErrClosed
	}
	timer := time.NewTimer(min(max(wait, 0), MaxExecuteWait))
	defer timer.Stop()
	select {
	case err := <-ready:
		if err != nil {
			return nil, err
		}
	case <-timer.C:
		l.put(func() { l.unwait(id, w) })
	case <-ctx.Done():
		l.put(func() { l.unwait(id, w) })
		return nil, ctx.Err()
	}
	return r.Run(ctx, id, true)
}
