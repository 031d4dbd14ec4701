package runner

import (
	"sync/atomic"

	"switchboard/internal/flow"
)

// counts are what happened since New.
type counts struct {
	Started, Completed, Failed, TimedOut, Terminated, Revived atomic.Int64
	Ended                                                     atomic.Int64
	Calls, Steps, Loaded, Written                             atomic.Int64
}

func (c *counts) ended(state flow.State) {
	switch state {
	case flow.Completed:
		c.Completed.Add(1)
	case flow.Failed:
		c.Failed.Add(1)
	case flow.TimedOut:
		c.TimedOut.Add(1)
	case flow.Terminated:
		c.Terminated.Add(1)
	}
}

func (c *counts) attempt(a *flow.Attempt) {
	if a.Status.Final() {
		c.Ended.Add(1)
	}
}

// Stats are figures of a runner: counts since it began, and sizes as of now.
type Stats struct {
	RunsStarted, RunsCompleted, RunsFailed, RunsTimedOut, RunsTerminated, RunsRevived int64

	TasksEnded int64 // attempts
	CallsMade  int64 // HTTP requests that were answered or given up
	Steps      int64
	RunsRead   int64 // from disk, to go on
	RunsSaved  int64 // writes of a run

	CallsUnderWay, CallsWaiting     int
	ScriptsUnderWay, ScriptsWaiting int
	RunsLoaded                      int // in memory
	RunsWaiting                     int // for a time of their own, in memory or not
	QueuedTasks                     int // for outside workers
	LaneBacklog                     int // orders that wait for their lane
}

// Stats gives the figures as of now.
func (r *Runner) Stats() Stats {
	c := &r.counts
	s := Stats{
		RunsStarted: c.Started.Load(), RunsCompleted: c.Completed.Load(), RunsFailed: c.Failed.Load(),
		RunsTimedOut: c.TimedOut.Load(), RunsTerminated: c.Terminated.Load(), RunsRevived: c.Revived.Load(),
		TasksEnded: c.Ended.Load(), CallsMade: c.Calls.Load(), Steps: c.Steps.Load(), RunsRead: c.Loaded.Load(),
		RunsSaved: c.Written.Load(), QueuedTasks: r.queues.len(),
	}
	s.CallsUnderWay, s.CallsWaiting = r.calls.figures()
	s.ScriptsUnderWay, s.ScriptsWaiting = r.scripts.figures()
	for _, l := range r.lanes {
		s.LaneBacklog += l.backlog()
		s.RunsLoaded += int(l.loaded.Load())
		s.RunsWaiting += int(l.waiting.Load())
	}
	return s
}
