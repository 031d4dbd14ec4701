package conductor

import (
	"strconv"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

var workflowRoutes = []route{
	{method: "POST", path: "/api/workflow", handle: (*API).start},
	{method: "POST", path: "/api/workflow/{id}", handle: (*API).startNamed},
	{method: "POST", path: "/api/workflow/start/{name}/{version}", handle: (*API).startVersion},
	{method: "POST", path: "/api/workflow/execute/{name}", handle: (*API).executeNamed},
	{method: "GET", path: "/api/workflow/execute/{name}", handle: (*API).executeNamed},
	{method: "POST", path: "/api/workflow/execute/{name}/{version}", handle: (*API).execute},
	{method: "POST", path: "/api/workflow/test", handle: (*API).dryRun},
	{method: "GET", path: "/api/workflow/{id}", handle: orElsewhere((*API).getRun)},
	{method: "DELETE", path: "/api/workflow/{id}", handle: orElsewhere((*API).terminate)},
	{method: "GET", path: "/api/workflow/{id}/status", handle: orElsewhere((*API).getStatus)},
	{method: "GET", path: "/api/workflow/{id}/tasks", handle: orElsewhere((*API).getTasks)},
	{method: "PUT", path: "/api/workflow/{id}/pause", handle: orElsewhere(order(flow.Pause{}))},
	{method: "PUT", path: "/api/workflow/{id}/resume", handle: orElsewhere(order(flow.Resume{}))},
	{method: "POST", path: "/api/workflow/{id}/resetcallbacks", handle: orElsewhere(order(flow.ResetCallbacks{}))},
	{method: "POST", path: "/api/workflow/{id}/retry", handle: orElsewhere((*API).retry)},
	{method: "POST", path: "/api/workflow/{id}/restart", handle: orElsewhere((*API).restart)},
	{method: "POST", path: "/api/workflow/{id}/rerun", handle: orElsewhere((*API).rerun)},
	{method: "PUT", path: "/api/workflow/{id}/skiptask/{ref}", handle: orElsewhere((*API).skip)},
	{method: "DELETE", path: "/api/workflow/{id}/remove", handle: orElsewhere((*API).remove)},
	{method: "PUT", path: "/api/workflow/decide/{id}", handle: orElsewhere((*API).decide)},
	{method: "POST", path: "/api/workflow/{id}/variables", handle: orElsewhere((*API).setVariables)},
	{method: "POST", path: "/api/workflow/{id}/state", handle: orElsewhere((*API).setState)},
	{method: "POST", path: "/api/workflow/{id}/jump/{ref}", handle: orElsewhere((*API).jump)},
	{method: "POST", path: "/api/workflow/{id}/upgrade", handle: orElsewhere((*API).upgrade)},
}

func (r *request) run() flow.RunID { return flow.RunID(r.path["id"]) }

// order is a route that gives a run one order.
func order(event flow.Event) handle {
	return func(a *API, r *request) (any, error) { return nothing{}, a.Runner.Do(r.Context(), r.run(), event) }
}

func whole(field, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, invalid(field, "must be a whole number, not negative")
	}
	return n, nil
}

func (a *API) begin(r *request, req flow.StartRequest) (any, error) {
	if req.CreatedBy == "" {
		req.CreatedBy = r.by()
	}
	id, err := a.Runner.Start(r.Context(), req, r.identity(), "")
	return text(id), err
}

func (a *API) start(r *request) (any, error) {
	var req flow.StartRequest
	if err := r.decode(&req, true); err != nil {
		return nil, err
	}
	return a.begin(r, req)
}

// startNamed takes the input as the body, all else from the query.
func (a *API) startNamed(r *request) (any, error) {
	req, err := r.named(r.path["id"])
	if err != nil {
		return nil, err
	}
	return a.begin(r, req)
}

func (r *request) named(name string) (req flow.StartRequest, err error) {
	req = flow.StartRequest{
		Name: name, CorrelationID: r.query.Get("correlationId"), IdempotencyKey: r.query.Get("idempotencyKey"),
		IdempotencyStrategy: r.query.Get("idempotencyStrategy"),
	}
	if req.IdempotencyKey == "" {
		req.IdempotencyKey = r.Header.Get("X-Idempotency-key")
	}
	if req.Version, err = r.number("version", 0); err != nil {
		return req, err
	}
	if req.Priority, err = r.number("priority", 0); err != nil {
		return req, err
	}
	req.Input, err = r.object()
	return req, err
}

// versioned reads a request whose name and version are in the path.
func (r *request) versioned() (req flow.StartRequest, err error) {
	if err = r.decode(&req, false); err != nil {
		return req, err
	}
	if req.Definition == nil {
		req.Name = r.path["name"]
		req.Version, err = whole("version", r.path["version"])
	}
	return req, err
}

func (a *API) startVersion(r *request) (any, error) {
	req, err := r.versioned()
	if err != nil {
		return nil, err
	}
	return a.begin(r, req)
}

// What an answer shows of a run that was waited for.
const (
	showTarget        = "TARGET_WORKFLOW"   // the run itself
	showBlocking      = "BLOCKING_WORKFLOW" // the run, perhaps a child, that has the task that waits for somebody
	showBlockingTask  = "BLOCKING_TASK"     // that task
	showBlockingInput = "BLOCKING_TASK_INPUT"
)

// DefaultWait is how long execute waits when nothing is said.
const DefaultWait = 10 * time.Second

// wait reads what is waited for.
func (r *request) wait() (show string, until runner.Until, wait time.Duration, err error) {
	show = r.query.Get("returnStrategy")
	switch show {
	case "":
		show = showTarget
	case showTarget, showBlocking, showBlockingTask, showBlockingInput:
	default:
		return "", until, 0, invalid("returnStrategy", "must be %s, %s, %s or %s", showTarget, showBlocking,
			showBlockingTask, showBlockingInput)
	}
	until.Blocked = show != showTarget
	until.Refs = list(r.query["waitUntilTaskRef"])
	seconds, err := r.number("waitForSeconds", int(DefaultWait/time.Second))
	return show, until, time.Duration(seconds) * time.Second, err
}

func (a *API) execute(r *request) (any, error) {
	req, err := r.versioned()
	if err != nil {
		return nil, err
	}
	return a.executed(r, req)
}

func (a *API) executeNamed(r *request) (any, error) {
	req, err := r.named(r.path["name"])
	if err != nil {
		return nil, err
	}
	return a.executed(r, req)
}

func (a *API) executed(r *request, req flow.StartRequest) (any, error) {
	show, until, wait, err := r.wait()
	if err != nil {
		return nil, err
	}
	if req.CreatedBy == "" {
		req.CreatedBy = r.by()
	}
	first := wait
	if until.Blocked {
		first = min(wait, blockedLook)
	}
	run, err := a.Runner.ExecuteUntil(r.Context(), req, r.identity(), until, first)
	if err == nil && until.Blocked && !run.State.Final() {
		run, err = a.await(r, run.ID, until, wait-first)
	}
	if err != nil {
		return nil, err
	}
	return a.show(r, run, show)
}

func (a *API) getRun(r *request) (any, error) {
	tasks, err := r.yes("includeTasks", true)
	if err != nil {
		return nil, err
	}
	short, err := r.yes("summarize", false)
	if err != nil {
		return nil, err
	}
	run, err := a.Runner.Run(r.Context(), r.run(), tasks)
	if err != nil {
		return nil, err
	}
	w := runOf(run)
	if short {
		w.summarize()
	}
	return w, nil
}

func (a *API) getStatus(r *request) (any, error) {
	output, err := r.yes("includeOutput", false)
	if err != nil {
		return nil, err
	}
	variables, err := r.yes("includeVariables", false)
	if err != nil {
		return nil, err
	}
	run, err := a.Runner.Run(r.Context(), r.run(), false)
	if err != nil {
		return nil, err
	}
	status := map[string]any{
		"workflowId": run.ID, "correlationId": run.CorrelationID, "status": run.State,
		"output": flow.Map{}, "variables": flow.Map{},
	}
	if output {
		status["output"] = run.Output
	}
	if variables {
		status["variables"] = run.Variables
	}
	return status, nil
}

// getTasks lists the attempts of a run, of some statuses if any are named.
func (a *API) getTasks(r *request) (any, error) {
	start, err := r.number("start", 0)
	if err != nil {
		return nil, err
	}
	count, err := r.number("count", defaultTasks)
	if err != nil {
		return nil, err
	}
	if start < 0 || count < 0 {
		return nil, invalid("start, count", "must not be negative")
	}
	run, err := a.Runner.Run(r.Context(), r.run(), true)
	if err != nil {
		return nil, err
	}
	wanted := list(r.query["status"])
	found, summary := []wireTask{}, map[string]int{}
	for _, t := range tasksOf(run) {
		summary[string(t.Status)]++
		if len(wanted) == 0 || has(wanted, string(t.Status)) {
			found = append(found, t)
		}
	}
	total := len(found)
	found = found[min(start, total):]
	return map[string]any{
		"results": found[:min(count, len(found))], "totalHits": total, "summary": summary,
	}, nil
}

// defaultTasks is how many tasks are listed when nothing is said.
const defaultTasks = 15

func (a *API) terminate(r *request) (any, error) {
	failure, err := r.yes("triggerFailureWorkflow", false)
	if err != nil {
		return nil, err
	}
	event := flow.Terminate{Reason: r.query.Get("reason"), Failure: failure}
	return nothing{}, a.Runner.Do(r.Context(), r.run(), event)
}

func (a *API) retry(r *request) (any, error) {
	children, err := r.yes("resumeSubworkflowTasks", false)
	if err != nil {
		return nil, err
	}
	return nothing{}, a.Runner.Do(r.Context(), r.run(), flow.Retry{ResumeChildren: children})
}

func (a *API) restart(r *request) (any, error) {
	latest, err := r.yes("useLatestDefinitions", false)
	if err != nil {
		return nil, err
	}
	if latest {
		return nothing{}, a.Runner.RestartLatest(r.Context(), r.run())
	}
	return nothing{}, a.Runner.Do(r.Context(), r.run(), flow.Restart{})
}

func (a *API) rerun(r *request) (any, error) {
	var in struct {
		From          flow.TaskID `json:"reRunFromTaskId"`
		TaskInput     flow.Map    `json:"taskInput"`
		WorkflowInput flow.Map    `json:"workflowInput"`
	}
	if err := r.decode(&in, false); err != nil {
		return nil, err
	}
	event := flow.Rerun{From: in.From, TaskInput: in.TaskInput, WorkflowInput: in.WorkflowInput}
	return text(r.run()), a.Runner.Do(r.Context(), r.run(), event)
}

func (a *API) skip(r *request) (any, error) {
	var in struct {
		Input  flow.Map `json:"taskInput"`
		Output flow.Map `json:"taskOutput"`
	}
	if err := r.decode(&in, false); err != nil {
		return nil, err
	}
	event := flow.Skip{Ref: r.path["ref"], Input: in.Input, Output: in.Output}
	return nothing{}, a.Runner.Do(r.Context(), r.run(), event)
}

func (a *API) remove(r *request) (any, error) {
	return nothing{}, a.Runner.Remove(r.Context(), r.run())
}

// decide has nothing to do: runs here go on by themselves. It says whether there is such a run.
func (a *API) decide(r *request) (any, error) {
	_, err := a.Runner.Run(r.Context(), r.run(), false)
	return nothing{}, err
}

func (a *API) setVariables(r *request) (any, error) {
	variables, err := r.object()
	if err != nil {
		return nil, err
	}
	if err := a.Runner.Do(r.Context(), r.run(), flow.SetVariables{Variables: variables}); err != nil {
		return nil, err
	}
	run, err := a.Runner.Run(r.Context(), r.run(), true)
	if err != nil {
		return nil, err
	}
	return runOf(run), nil
}

// setState sets variables and then reports on a task, and may wait for what comes of it.
func (a *API) setState(r *request) (any, error) {
	var in struct {
		Ref       string   `json:"taskReferenceName"`
		Result    *result  `json:"taskResult"`
		Variables flow.Map `json:"variables"`
	}
	if err := r.decode(&in, true); err != nil {
		return nil, err
	}
	show, until, wait, err := r.wait()
	if err != nil {
		return nil, err
	}
	if in.Variables != nil {
		if err := a.Runner.Do(r.Context(), r.run(), flow.SetVariables{Variables: in.Variables}); err != nil {
			return nil, err
		}
	}
	if in.Result != nil {
		news, err := in.Result.news()
		if err != nil {
			return nil, err
		}
		if in.Ref == "" && in.Result.Task == "" {
			return nil, invalid("taskReferenceName", "is required")
		}
		if in.Ref == "" {
			err = a.Runner.Report(r.Context(), r.run(), news)
		} else {
			_, err = a.Runner.ReportByRef(r.Context(), r.run(), in.Ref, news)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(until.Refs) == 0 && !until.Blocked && !r.query.Has("waitForSeconds") {
		wait = 0
	}
	run, err := a.await(r, r.run(), until, wait)
	if err != nil {
		return nil, err
	}
	return a.show(r, run, show)
}
