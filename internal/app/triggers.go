package app

import (
	"context"
	"fmt"
	"time"

	"switchboard/internal/conductor"
	"switchboard/internal/flow"
	"switchboard/internal/limit"
	"switchboard/internal/runner"
	"switchboard/internal/trigger"
)

// webhookRate bounds the requests that one incoming webhook takes, a second.
const webhookRate = 20

// openTriggers starts what starts workflows. It stands before all that tells of events; runs begin once there is a
// runner.
func (a *App) openTriggers(ctx context.Context) (err error) {
	a.runs = &lateRuns{ready: make(chan struct{})}
	gate := limit.NewLog[string](webhookRate, time.Second)
	a.triggers, err = trigger.New(ctx, trigger.Config{
		Store: a.store, Runs: a.runs, Evaluator: a.scripts, Compiles: a.compiles, Secrets: a.vault, Log: a.cfg.Log,
		Allow: func(webhook string) time.Duration {
			if v := gate.Allow(time.Now(), webhook); !v.OK {
				return v.RetryAfter
			}
			return 0
		},
	})
	if err != nil {
		return fmt.Errorf("read the triggers of workflows: %w", err)
	}
	return nil
}

// Triggers starts workflows.
func (a *App) Triggers() *trigger.Triggers { return a.triggers }

// lateRuns is the runner, once there is one. It is trigger.Runs.
type lateRuns struct {
	ready  chan struct{}
	runner *runner.Runner
}

func (l *lateRuns) are(r *runner.Runner) {
	l.runner = r
	close(l.ready)
}

func (l *lateRuns) get(ctx context.Context) (*runner.Runner, error) {
	select {
	case <-l.ready:
		return l.runner, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Start implements trigger.Runs.
func (l *lateRuns) Start(
	ctx context.Context, req flow.StartRequest, identity, event string,
) (flow.RunID, error) {
	r, err := l.get(ctx)
	if err != nil {
		return "", err
	}
	return r.Start(ctx, req, identity, event)
}

// Report implements trigger.Runs.
func (l *lateRuns) Report(ctx context.Context, run flow.RunID, news flow.Reported) error {
	r, err := l.get(ctx)
	if err != nil {
		return err
	}
	return r.Report(ctx, run, news)
}

// ReportByRef implements trigger.Runs.
func (l *lateRuns) ReportByRef(
	ctx context.Context, run flow.RunID, ref string, news flow.Reported,
) (flow.TaskID, error) {
	r, err := l.get(ctx)
	if err != nil {
		return "", err
	}
	return r.ReportByRef(ctx, run, ref, news)
}

// Do implements trigger.Runs.
func (l *lateRuns) Do(ctx context.Context, id flow.RunID, event flow.Event) error {
	r, err := l.get(ctx)
	if err != nil {
		return err
	}
	return r.Do(ctx, id, event)
}

// schedules is conductor.Scheduler.
type schedules struct{ *trigger.Triggers }

// Executions implements conductor.Scheduler.
func (s schedules) Executions(
	ctx context.Context, q conductor.ExecutionQuery,
) ([]conductor.Execution, int, error) {
	shots, total, err := s.Shots(ctx, trigger.ShotQuery{
		Kind: trigger.KindSchedule, Name: q.Schedule, Workflow: q.Workflow, State: q.State, Start: q.Start, Size: q.Size,
		Ascending: q.Ascending,
	})
	if err != nil {
		return nil, 0, err
	}
	known := map[string]flow.Schedule{}
	for _, one := range s.Schedules() {
		known[one.Name] = one
	}
	list := []conductor.Execution{}
	for _, shot := range shots {
		of := known[shot.Name]
		if of.Start.Name == "" {
			of.Start.Name = shot.Workflow // the schedule is gone
		}
		list = append(list, conductor.Execution{
			ID: shot.Cause, Schedule: shot.Name, Scheduled: shot.Due.UnixMilli(), Executed: shot.At.UnixMilli(),
			Workflow: shot.Workflow, Run: flow.RunID(shot.Run), Reason: shot.Reason, State: shot.State,
			Request: of.Start, Zone: of.Zone,
		})
	}
	return list, total, nil
}
