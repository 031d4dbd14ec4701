package conductor

import (
	"errors"
	"slices"
	"strings"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

var taskRoutes = []route{
	{method: "GET", path: "/api/tasks/poll/{type}", handle: (*API).poll},
	{method: "GET", path: "/api/tasks/poll/batch/{type}", handle: (*API).pollBatch},
	{method: "POST", path: "/api/tasks", handle: (*API).updateTask},
	{method: "POST", path: "/api/tasks/update-v2", handle: (*API).updateTaskNext},
	{method: "POST", path: "/api/tasks/{id}/{ref}/{status}", handle: (*API).updateByRef},
	{method: "POST", path: "/api/tasks/{id}/{ref}/{status}/sync", handle: (*API).updateByRefSync},
	{method: "POST", path: "/api/tasks/{id}/{status}/signal", handle: (*API).signal},
	{method: "POST", path: "/api/tasks/{id}/{status}/signal/sync", handle: (*API).signalSync},
	{method: "GET", path: "/api/tasks/{id}", handle: (*API).getTask},
	{method: "GET", path: "/api/tasks/{id}/log", handle: (*API).getLog},
	{method: "POST", path: "/api/tasks/{id}/log", handle: (*API).addLog},
	{method: "GET", path: "/api/tasks/queue/sizes", handle: (*API).queueSizes},
	{method: "GET", path: "/api/tasks/queue/all", handle: (*API).allQueues},
	{method: "GET", path: "/api/tasks/queue/all/verbose", handle: (*API).allQueuesVerbose},
	{method: "GET", path: "/api/tasks/queue/polldata", handle: (*API).pollData},
	{method: "GET", path: "/api/tasks/queue/polldata/all", handle: (*API).pollData},
	{method: "POST", path: "/api/tasks/queue/requeue/{type}", handle: (*API).requeue},
}

// DefaultPollWait is how long a batch poll waits for a first task when nothing is said.
const DefaultPollWait = 100 * time.Millisecond

func (a *API) poll(r *request) (any, error) {
	tasks, err := a.polled(r, r.path["type"], r.query.Get("workerid"), r.query.Get("domain"), 1, 0)
	if err != nil {
		return nil, err
	}
	if len(tasks) == 0 {
		return none{}, nil
	}
	return tasks[0], nil
}

func (a *API) pollBatch(r *request) (any, error) {
	count, err := r.number("count", 1)
	if err != nil {
		return nil, err
	}
	if count < 1 || count > runner.MaxPollCount {
		return nil, invalid("count", "must be from 1 to %d", runner.MaxPollCount)
	}
	ms, err := r.number("timeout", int(DefaultPollWait/time.Millisecond))
	if err != nil {
		return nil, err
	}
	wait := time.Duration(max(0, ms)) * time.Millisecond
	return a.polled(r, r.path["type"], r.query.Get("workerid"), r.query.Get("domain"), count, wait)
}

// polled takes tasks for a worker.
func (a *API) polled(
	r *request, name, worker, domain string, count int, wait time.Duration,
) ([]wireTask, error) {
	attempts, err := a.Runner.Poll(r.Context(), name, worker, domain, count, wait)
	if err != nil {
		return nil, err
	}
	runs := map[flow.RunID]*flow.Run{}
	tasks := make([]wireTask, 0, len(attempts))
	for _, t := range attempts {
		run := runs[t.Run]
		if run == nil {
			// A run that cannot be read now: the worker has the task all the same, with less about its run.
			run, _ = a.Runner.Run(r.Context(), t.Run, false)
			runs[t.Run] = run
		}
		tasks = append(tasks, taskOf(t, run))
	}
	return tasks, nil
}

// result is what a worker reports: TaskResult.
type result struct {
	Run           flow.RunID  `json:"workflowInstanceId"`
	Task          flow.TaskID `json:"taskId"`
	Status        flow.Status `json:"status"`
	Output        flow.Map    `json:"outputData"`
	Reason        string      `json:"reasonForIncompletion"`
	CallbackAfter int64       `json:"callbackAfterSeconds"`
	ExtendLease   bool        `json:"extendLease"`
	Worker        string      `json:"workerId"`
	Logs          []struct {
		Text string `json:"log"`
	} `json:"logs"`
}

// reportable are the statuses that may be reported.
var reportable = []flow.Status{
	flow.InProgress, flow.TaskCompleted, flow.CompletedWithErrors, flow.TaskFailed, flow.FailedTerminally, flow.Canceled,
}

func statusOf(text string) (flow.Status, error) {
	if status := flow.Status(text); slices.Contains(reportable, status) {
		return status, nil
	}
	names := make([]string, 0, len(reportable))
	for _, s := range reportable {
		names = append(names, string(s))
	}
	return "", invalid("status", "must be one of %s", strings.Join(names, ", "))
}

func (in *result) news() (flow.Reported, error) {
	status, err := statusOf(string(in.Status))
	if err != nil {
		return flow.Reported{}, err
	}
	if in.CallbackAfter < 0 {
		return flow.Reported{}, invalid("callbackAfterSeconds", "must not be negative")
	}
	return flow.Reported{
		Task: in.Task, Status: status, Output: in.Output, Reason: in.Reason, Worker: in.Worker,
		CallbackAfter: in.CallbackAfter, ExtendLease: in.ExtendLease,
	}, nil
}

func (a *API) updateTask(r *request) (any, error) {
	in, err := a.reported(r)
	if err != nil {
		return nil, err
	}
	return text(in.Task), nil
}

// updateTaskNext answers with the next task of the same name for the same worker.
func (a *API) updateTaskNext(r *request) (any, error) {
	in, err := a.reported(r)
	if err != nil {
		return nil, err
	}
	done, err := a.Runner.Task(r.Context(), in.Task)
	if err != nil {
		return nil, err
	}
	next, err := a.polled(r, done.Name, in.Worker, done.Domain, 1, 0)
	if err != nil {
		return nil, err
	}
	if len(next) == 0 {
		return none{}, nil
	}
	return next[0], nil
}

// reported takes what a worker reports. What comes for a task that is over changes nothing and is no error: a worker
// whose first report got through but whose answer was lost sends it again.
func (a *API) reported(r *request) (*result, error) {
	in := &result{}
	if err := r.decode(in, true); err != nil {
		return nil, err
	}
	if in.Task == "" {
		return nil, invalid("taskId", "is required")
	}
	news, err := in.news()
	if err != nil {
		return nil, err
	}
	for _, line := range in.Logs {
		if err := a.Runner.AddLog(r.Context(), in.Task, cut(line.Text, runner.MaxLogBytes)); err != nil {
			return nil, err
		}
	}
	if err := a.Runner.Report(r.Context(), in.Run, news); err != nil && !errors.Is(err, runner.ErrConflict) {
		return nil, err
	}
	return in, nil
}

func cut(s string, size int) string {
	if len(s) > size {
		return strings.ToValidUTF8(s[:size], "")
	}
	return s
}

// byRef reports on the task of a reference name that is under way.
func (a *API) byRef(r *request) (flow.TaskID, error) {
	status, err := statusOf(r.path["status"])
	if err != nil {
		return "", err
	}
	output, err := r.object()
	if err != nil {
		return "", err
	}
	return a.Runner.ReportByRef(r.Context(), r.run(), r.path["ref"], flow.Reported{
		Status: status, Output: output, Worker: r.query.Get("workerid"),
	})
}

func (a *API) updateByRef(r *request) (any, error) {
	id, err := a.byRef(r)
	return text(id), err
}

func (a *API) updateByRefSync(r *request) (any, error) {
	if _, err := a.byRef(r); err != nil {
		return nil, err
	}
	run, err := a.Runner.Run(r.Context(), r.run(), true)
	if err != nil {
		return nil, err
	}
	return runOf(run), nil
}

// signalled reports on the first task of a run, or of those that it waits for, that waits for somebody.
func (a *API) signalled(r *request) error {
	status, err := statusOf(r.path["status"])
	if err != nil {
		return err
	}
	output, err := r.object()
	if err != nil {
		return err
	}
	target, err := a.Runner.Run(r.Context(), r.run(), true)
	if err != nil {
		return err
	}
	run, task, err := a.blocked(r, target, MaxDepth)
	if err != nil {
		return err
	}
	if task == nil {
		return &runner.Error{Kind: runner.ErrConflict, Message: "the run waits for nobody"}
	}
	return a.Runner.Report(r.Context(), run.ID, flow.Reported{Task: task.ID, Status: status, Output: output})
}

func (a *API) signal(r *request) (any, error) { return nothing{}, a.signalled(r) }

// signalSync waits until the run is over or waits for somebody again.
func (a *API) signalSync(r *request) (any, error) {
	show, until, wait, err := r.wait()
	if err != nil {
		return nil, err
	}
	if err := a.signalled(r); err != nil {
		return nil, err
	}
	until.Blocked = true
	run, err := a.await(r, r.run(), until, wait)
	if err != nil {
		return nil, err
	}
	return a.show(r, run, show)
}

func (a *API) getTask(r *request) (any, error) {
	task, err := a.Runner.Task(r.Context(), flow.TaskID(r.path["id"]))
	if err != nil {
		return nil, err
	}
	run, err := a.Runner.Run(r.Context(), task.Run, true)
	if err != nil {
		return nil, err
	}
	for _, t := range run.Tasks { // they know their definitions
		if t.ID == task.ID {
			task = t
		}
	}
	return taskOf(task, run), nil
}

// logLine is one line of a task's log.
type logLine struct {
	Text    string `json:"log"`
	Task    string `json:"taskId"`
	Created int64  `json:"createdTime"`
}

func (a *API) getLog(r *request) (any, error) {
	logs, err := a.Runner.Logs(r.Context(), flow.TaskID(r.path["id"]))
	if err != nil {
		return nil, err
	}
	lines := make([]logLine, 0, len(logs))
	for _, l := range logs {
		lines = append(lines, logLine{l.Text, r.path["id"], l.At.UnixMilli()})
	}
	return lines, nil
}

// addLog takes the line as JSON text, or as the body is.
func (a *API) addLog(r *request) (any, error) {
	data, err := r.body()
	if err != nil {
		return nil, err
	}
	line := string(data)
	if v, err := flow.Decode(data); err == nil {
		if s, ok := v.(string); ok {
			line = s
		}
	}
	return nothing{}, a.Runner.AddLog(r.Context(), flow.TaskID(r.path["id"]), line)
}

func (a *API) queueSizes(r *request) (any, error) {
	all := a.Runner.QueueSizes()
	names := list(r.query["taskType"])
	if len(names) == 0 {
		return all, nil
	}
	sizes := map[string]int{}
	for _, name := range names {
		sizes[name] = all[name]
	}
	return sizes, nil
}

func (a *API) allQueues(*request) (any, error) { return a.Runner.QueueSizes(), nil }

// allQueuesVerbose has the depth of Conductor's answer: queue, shard, figures.
func (a *API) allQueuesVerbose(*request) (any, error) {
	out := map[string]any{}
	for name, n := range a.Runner.QueueSizes() {
		out[name] = map[string]any{"a": map[string]int{"size": n, "uacked": 0}}
	}
	return out, nil
}

func (a *API) pollData(r *request) (any, error) {
	type poll struct {
		Queue  string `json:"queueName"`
		Domain string `json:"domain,omitzero"`
		Worker string `json:"workerId"`
		At     int64  `json:"lastPollTime"`
	}
	polls := []poll{}
	for _, p := range a.Runner.PollData(r.query.Get("taskType")) {
		polls = append(polls, poll{p.Queue, p.Domain, p.Worker, p.At.UnixMilli()})
	}
	return polls, nil
}

func (a *API) requeue(r *request) (any, error) {
	n, err := a.Runner.Requeue(r.Context(), r.path["type"])
	if err != nil {
		return nil, err
	}
	return text(itoa(n)), nil
}
