package runner

import (
	"errors"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// takeUpAhead bounds the runs that are handed to the lanes ahead of what they did.
const takeUpAhead = 256

// takeUp takes up the runs under way that an earlier process left. Those that only wait get their alarm and stay on
// disk; the others are read and what they wait for is ordered again.
func (r *Runner) takeUp() {
	began, parked, read := time.Now(), 0, 0
	slots := make(chan struct{}, takeUpAhead)
	err := r.cfg.Store.LiveRuns(r.ctx, func(row store.RunRow) error {
		id := flow.RunID(row.ID)
		l := r.lane(id)
		select {
		case slots <- struct{}{}:
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
		if row.Parked {
			parked++
		} else {
			read++
		}
		if !l.put(func() { l.takeUp(id, row); <-slots }) {
			return ErrClosed
		}
		return nil
	})
	for range takeUpAhead { // the lanes are through with all of them
		select {
		case slots <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
	}
	r.brakes.counted()
	if err == nil {
		err = r.endOrphans()
	}
	if err != nil && r.ctx.Err() == nil {
		r.cfg.Log.Error("the workflow runs under way could not all be read", "error", err)
		return
	}
	if parked+read > 0 {
		r.cfg.Log.Info("workflow runs were taken up", "waiting", parked, "going on", read, "took", time.Since(began))
	}
}

func (l *lane) takeUp(id flow.RunID, row store.RunRow) {
	if l.runs[id] != nil {
		return
	}
	if row.Parked {
		if l.timers.byRun[id] == nil {
			l.timers.set(id, row.Due)
		}
		return
	}
	if _, err := l.get(id); err != nil && !errors.Is(err, ErrNotFound) {
		l.r.cfg.Log.Error("a workflow run could not be taken up", "run", id, "error", err)
	}
}

// endOrphans ends runs whose parent ended without their hearing of it.
func (r *Runner) endOrphans() error {
	ids, err := r.cfg.Store.OrphanRuns(r.ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		r.tell(order{
			run: flow.RunID(id), event: flow.Terminate{Reason: "the run that waited for it has ended"}, asked: true,
		})
	}
	return nil
}

// How often old runs are looked for, and how many are removed in one commit.
const (
	sweepEvery = time.Hour
	sweepChunk = 100
)

// sweep removes what is too old, now and then.
func (r *Runner) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := r.sweepOnce(time.Now()); err != nil && r.ctx.Err() == nil {
			r.cfg.Log.Error("old workflow runs could not be removed", "error", err)
		}
		select {
		case <-ticker.C:
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *Runner) sweepOnce(now time.Time) error {
	s := r.cfg.Store
	limit := now.Add(-r.limits.Retention)
	for n := sweepChunk; n == sweepChunk; {
		var err error
		if n, err = s.DropEndedRuns(r.ctx, limit, sweepChunk); err != nil {
			return err
		}
	}
	for n := sweepChunk; n == sweepChunk; {
		var err error
		if n, err = s.TrimEndedRuns(r.ctx, now.Add(-r.limits.BodyRetention), sweepChunk); err != nil {
			return err
		}
	}
	return s.DropSnapshots(r.ctx, limit)
}
