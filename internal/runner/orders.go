package runner

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// Do gives a run an order (flow's Pause, Resume, Terminate, Retry, Restart, Rerun, Skip, SetVariables, ResetCallbacks)
// and returns once it is durable. What is not possible as the run stands is an ErrConflict. A Restart without a
// definition keeps the run's own; one that it brings is checked, and the task definitions are those of now.
func (r *Runner) Do(ctx context.Context, id flow.RunID, event flow.Event) error {
	o := order{run: id, event: event, asked: true}
	if restart, ok := event.(flow.Restart); ok && restart.Definition != nil {
		if err := r.Check(restart.Definition); err != nil {
			return err
		}
		var err error
		if o.snap, err = r.book.snapshot(restart.Definition); err != nil {
			return err
		}
		o.event = flow.Restart{Definition: o.snap.def, TaskDefs: o.snap.defs}
	}
	return r.ask(ctx, o)
}

// RestartLatest restarts a run with the latest definition of its name.
func (r *Runner) RestartLatest(ctx context.Context, id flow.RunID) error {
	run, err := r.Run(ctx, id, false)
	if err != nil {
		return err
	}
	def, ok := r.book.definition(run.Definition.Name, 0)
	if !ok {
		return unknownWorkflow(run.Definition.Name, 0)
	}
	return r.Do(ctx, id, flow.Restart{Definition: def})
}

// Remove removes a run and all that is known of it; one under way is terminated.
func (r *Runner) Remove(ctx context.Context, id flow.RunID) error {
	answer := make(chan error, 1)
	l := r.lane(id)
	taken := l.put(func() {
		lv, err := l.get(id)
		if err != nil || lv.removed {
			answer <- found(errors.Join(err, removedError(lv)), "there is no workflow run %s", id)
			return
		}
		if !lv.run.State.Final() {
			l.step(lv, flow.Terminate{Reason: "removed"})
		}
		lv.removed = true
		l.mark(lv)
		l.hold(func() { answer <- nil })
	})
	if !taken {
		return ErrClosed
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func removedError(lv *live) error {
	if lv != nil && lv.removed {
		return store.ErrNotFound
	}
	return nil
}

// Run reads a run as it is on disk, with or without its attempts. The caller may do with it what it likes, but for the
// definitions, which are shared.
func (r *Runner) Run(ctx context.Context, id flow.RunID, withTasks bool) (*flow.Run, error) {
	row, tasks, err := r.cfg.Store.Run(ctx, string(id), withTasks)
	if err != nil {
		return nil, found(err, "there is no workflow run %s", id)
	}
	snap, err := r.book.kept(ctx, r.cfg.Store, row.Snapshot)
	if err != nil {
		return nil, err
	}
	return readRun(row, tasks, snap)
}

// Report takes the outcome of an attempt, or with InProgress news of it, and returns once it is durable. An attempt
// that is over is an ErrConflict. Run may be empty: it is looked for.
func (r *Runner) Report(ctx context.Context, run flow.RunID, news flow.Reported) error {
	if run == "" {
		_, id, err := r.cfg.Store.Task(ctx, string(news.Task))
		if err != nil {
			return found(err, "there is no task %s", news.Task)
		}
		run = flow.RunID(id)
	}
	return r.ask(ctx, order{run: run, event: news, asked: true, wants: func(run *flow.Run) error {
		if attemptOf(run, news.Task) == nil {
			return notFound("there is no task %s in the run %s", news.Task, run.ID)
		}
		return nil
	}})
}

// ReportByRef is Report for the latest attempt of a reference name that is under way; "" means the first one under way
// that waits for somebody outside. It says which attempt that was.
func (r *Runner) ReportByRef(ctx context.Context, run flow.RunID, ref string, news flow.Reported) (flow.TaskID, error) {
	whole, err := r.Run(ctx, run, true)
	if err != nil {
		return "", err
	}
	for _, a := range slices.Backward(whole.Tasks) {
		if !a.Status.Final() && (a.Ref == ref || ref == "" && outside(a.Type)) {
			news.Task = a.ID
			return a.ID, r.Report(ctx, run, news)
		}
	}
	if ref == "" {
		return "", conflict("the run %s waits for nobody outside", run)
	}
	return "", notFound("the run %s has no task %s under way", run, ref)
}

// outside says whether tasks of a type wait for somebody outside.
func outside(kind string) bool {
	switch kind {
	case flow.TypeSimple, flow.TypeWait, flow.TypeHuman, flow.TypeWaitForWebhook:
		return true
	}
	return false
}

// Task reads an attempt as it is on disk.
func (r *Runner) Task(ctx context.Context, id flow.TaskID) (*flow.Attempt, error) {
	row, _, err := r.cfg.Store.Task(ctx, string(id))
	if err != nil {
		return nil, found(err, "there is no task %s", id)
	}
	return readAttempt(&row)
}

// Poll hands tasks of a name to an outside worker: at most count (MaxPollCount), waiting for the first at most wait
// (MaxPollTimeout). That the worker has them is durable. Domain "" takes those of no domain only.
func (r *Runner) Poll(
	ctx context.Context, name, worker, domain string, count int, wait time.Duration,
) ([]*flow.Attempt, error) {
	if name == "" {
		return nil, invalid("taskType", "is required")
	}
	r.queues.asked(name, domain, worker)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.ctx, cancel)()
	taken := r.queues.take(ctx, queueKey{name, domain}, min(max(count, 1), MaxPollCount), min(wait, MaxPollTimeout))
	polled := make([]*flow.Attempt, len(taken))
	var wg sync.WaitGroup
	for i, e := range taken {
		wg.Add(1)
		var seen *flow.Attempt
		r.tell(order{
			run: e.run, event: flow.Polled{Task: e.task, Worker: worker},
			wants: func(run *flow.Run) error {
				if a := attemptOf(run, e.task); a == nil || a.Status != flow.Scheduled || run.State != flow.Running {
					return conflict("the task %s is not to be polled", e.task)
				}
				return nil
			},
			look: func(run *flow.Run) {
				if a := attemptOf(run, e.task); a != nil && a.Status == flow.InProgress {
					copied := *a
					seen = &copied
				}
			},
			after: func(err error) {
				if err != nil {
					r.brakes.release(name, e.task)
				} else {
					polled[i] = seen
				}
				wg.Done()
			},
		})
	}
	wg.Wait()
	return slices.DeleteFunc(polled, func(a *flow.Attempt) bool { return a == nil }), nil
}

// Requeue offers all scheduled tasks of a name again that are in no queue, and says how many are in one then.
func (r *Runner) Requeue(ctx context.Context, name string) (int, error) {
	open, err := r.cfg.Store.OpenTasks(ctx, name, string(flow.Scheduled))
	if err != nil {
		return 0, err
	}
	for _, t := range open {
		l, id, task := r.lane(flow.RunID(t.Run)), flow.RunID(t.Run), flow.TaskID(t.ID)
		done := make(chan struct{})
		taken := l.put(func() {
			defer close(done)
			lv, err := l.get(id)
			if err != nil {
				return
			}
			if a := attemptOf(lv.run, task); a != nil && a.Status == flow.Scheduled && a.Type == flow.TypeSimple {
				copied := *a
				r.queues.put(a.Name, &copied, lv.run.Priority)
			}
		})
		if !taken {
			return 0, ErrClosed
		}
		select {
		case <-done:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return r.queues.sizes()[name], nil
}

// QueueSizes are the tasks that wait for outside workers, by task name.
func (r *Runner) QueueSizes() map[string]int { return r.queues.sizes() }

// PollData says who polled for a task name when last, for all names if it is empty.
func (r *Runner) PollData(name string) []PollData { return r.queues.polled(name) }

// What bounds the log of an attempt.
const (
	MaxLogs     = 1000
	MaxLogBytes = 16 << 10
)

// Log is a line that a worker wrote about an attempt.
type Log = store.TaskLog

// AddLog keeps a line about an attempt. The oldest goes when there are more than MaxLogs.
func (r *Runner) AddLog(ctx context.Context, task flow.TaskID, text string) error {
	if len(text) > MaxLogBytes {
		return invalid("log", "may have %d bytes", MaxLogBytes)
	}
	err := r.cfg.Store.AddTaskLog(ctx, string(task), text, time.Now(), MaxLogs)
	return found(err, "there is no task %s", task)
}

// Logs lists the lines about an attempt, oldest first.
func (r *Runner) Logs(ctx context.Context, task flow.TaskID) ([]Log, error) {
	return r.cfg.Store.TaskLogs(ctx, string(task))
}

// fetch answers GET_WORKFLOW.
func (r *Runner) fetch(ctx context.Context, e flow.Fetch) flow.Event {
	fail := func(err error) flow.Event {
		return flow.Reported{Task: e.Task, Status: flow.TaskFailed, Reason: err.Error()}
	}
	run, err := r.Run(ctx, e.Run, e.IncludeTasks)
	if err != nil {
		return fail(err)
	}
	output := shownRun(run)
	if e.IncludeTasks {
		list := make([]any, 0, len(run.Tasks))
		for _, a := range run.Tasks {
			list = append(list, shownTask(a))
		}
		output["tasks"] = list
	}
	return flow.Reported{Task: e.Task, Status: flow.TaskCompleted, Output: output}
}

// shownRun is a run as GET_WORKFLOW gives it to the next tasks: by the names of the REST API, without what is nobody's
// business. Times are Unix milliseconds, 0: not yet.
func shownRun(run *flow.Run) flow.Map {
	return flow.Map{
		"workflowId": string(run.ID), "workflowName": run.Definition.Name, "workflowType": run.Definition.Name,
		"workflowVersion": int64(run.Definition.Version), "status": string(run.State), "input": run.Input,
		"output": run.Output, "variables": run.Variables, "correlationId": run.CorrelationID,
		"reasonForIncompletion": run.Reason, "priority": int64(run.Priority), "createdBy": run.CreatedBy,
		"event": run.Event, "parentWorkflowId": string(run.Parent), "failedTaskId": string(run.FailedTask),
		"createTime": millis(run.Created), "startTime": millis(run.Created), "updateTime": millis(run.Updated),
		"endTime": millis(run.Ended),
	}
}

// shownTask is likewise an attempt.
func shownTask(a *flow.Attempt) flow.Map {
	return flow.Map{
		"taskId": string(a.ID), "taskType": a.Type, "taskDefName": a.Name, "referenceTaskName": a.Ref,
		"workflowInstanceId": string(a.Run), "status": string(a.Status), "inputData": flow.PlainMap(a.Input),
		"outputData": a.Output, "reasonForIncompletion": a.Reason, "seq": int64(a.Seq), "retryCount": int64(a.Retry),
		"iteration": int64(a.Iteration), "workerId": a.Worker, "subWorkflowId": string(a.Child),
		"scheduledTime": millis(a.ScheduledAt), "startTime": millis(a.StartedAt), "updateTime": millis(a.UpdatedAt),
		"endTime": millis(a.EndedAt),
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// update carries out UPDATE_TASK.
func (r *Runner) update(ctx context.Context, e flow.Update) flow.Event {
	news := flow.Reported{Task: e.Target, Status: e.Status, Output: e.Output}
	var err error
	if e.Target == "" {
		_, err = r.ReportByRef(ctx, e.Run, e.Ref, news)
	} else {
		err = r.Report(ctx, e.Run, news)
	}
	if err != nil {
		return flow.Reported{Task: e.Task, Status: flow.TaskFailed, Reason: err.Error()}
	}
	return flow.Reported{Task: e.Task, Status: flow.TaskCompleted}
}
