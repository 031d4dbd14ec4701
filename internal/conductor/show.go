package conductor

import (
	"slices"
	"strings"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

// MaxDepth is how deep children are looked through for the task that a run waits at.
const MaxDepth = 10

// wireResponse is what execute, signal and state answer: one shape for a run and for a task.
type wireResponse struct {
	ResponseType  string     `json:"responseType"`
	TargetID      flow.RunID `json:"targetWorkflowId"`
	TargetStatus  flow.State `json:"targetWorkflowStatus"`
	RequestID     string     `json:"requestId,omitzero"`
	ID            flow.RunID `json:"workflowId"`
	CorrelationID string     `json:"correlationId,omitzero"`
	Input         flow.Map   `json:"input"`
	Output        flow.Map   `json:"output"`
	Priority      int        `json:"priority"`
	Variables     flow.Map   `json:"variables"`
	Tasks         []wireTask `json:"tasks"`
	CreatedBy     string     `json:"createdBy,omitzero"`
	CreateTime    int64      `json:"createTime"`
	UpdateTime    int64      `json:"updateTime"`
	Status        string     `json:"status"`
	Reason        string     `json:"reasonForIncompletion,omitzero"`

	TaskType     string      `json:"taskType,omitzero"`
	TaskID       flow.TaskID `json:"taskId,omitzero"`
	Ref          string      `json:"referenceTaskName,omitzero"`
	RetryCount   int         `json:"retryCount,omitzero"`
	TaskDefName  string      `json:"taskDefName,omitzero"`
	RetriedTask  flow.TaskID `json:"retriedTaskId,omitzero"`
	WorkflowType string      `json:"workflowType,omitzero"`
}

// show tells of a run, or of where it waits for somebody; without such a task, of the run.
func (a *API) show(r *request, target *flow.Run, how string) (any, error) {
	run, task := target, (*flow.Attempt)(nil)
	if how != showTarget {
		blocked, at, err := a.blocked(r, target, MaxDepth)
		if err != nil {
			return nil, err
		}
		if at == nil {
			how = showTarget
		} else {
			run, task = blocked, at
		}
	}
	w := wireResponse{
		ResponseType: how, TargetID: target.ID, TargetStatus: target.State, RequestID: r.query.Get("requestId"),
		ID: run.ID, CorrelationID: run.CorrelationID, Input: run.Input, Output: run.Output, Priority: run.Priority,
		Variables: run.Variables, CreatedBy: run.CreatedBy, CreateTime: millis(run.Created),
		UpdateTime: millis(run.Updated), Status: string(run.State), Reason: run.Reason,
		WorkflowType: run.Definition.Name,
	}
	if how == showTarget || how == showBlocking {
		w.Tasks = tasksOf(run)
		return w, nil
	}
	w.TaskType, w.TaskID, w.Ref, w.RetryCount = task.Type, task.ID, task.Ref, task.Retry
	w.TaskDefName, w.RetriedTask, w.Status, w.Reason = task.Name, task.RetryOf, string(task.Status), task.Reason
	w.Input, w.Output = flow.PlainMap(task.Input), task.Output
	return w, nil
}

// blockedLook is how often children are looked at for a task that waits for somebody: the runner tells of the run
// itself only.
const blockedLook = 20 * time.Millisecond

// await waits until a run is over or where it is waited for, with until.Blocked also in its children.
func (a *API) await(r *request, id flow.RunID, until runner.Until, wait time.Duration) (*flow.Run, error) {
	if !until.Blocked {
		return a.Runner.Await(r.Context(), id, until, wait)
	}
	for deadline := time.Now().Add(min(wait, runner.MaxExecuteWait)); ; {
		left := time.Until(deadline)
		run, err := a.Runner.Await(r.Context(), id, until, min(left, blockedLook))
		if err != nil || run.State.Final() || left <= blockedLook {
			return run, err
		}
		if _, at, err := a.blocked(r, run, MaxDepth); at != nil || err != nil || until.Reached(run) {
			return run, err
		}
	}
}

// blocked finds the first task that waits for somebody, in the run or in those that it waits for; nil: there is none.
func (a *API) blocked(r *request, run *flow.Run, depth int) (*flow.Run, *flow.Attempt, error) {
	for _, t := range run.Tasks {
		if runner.Blocks(t) {
			return run, t, nil
		}
	}
	if depth == 0 {
		return nil, nil, nil
	}
	for _, t := range run.Tasks {
		if t.Type != flow.TypeSubWorkflow || t.Status.Final() || t.Child == "" {
			continue
		}
		child, err := a.Runner.Run(r.Context(), t.Child, true)
		if err != nil {
			return nil, nil, err
		}
		if found, at, err := a.blocked(r, child, depth-1); at != nil || err != nil {
			return found, at, err
		}
	}
	return nil, nil, nil
}

// list splits values that are lists with commas.
func list(values []string) []string {
	var all []string
	for _, v := range values {
		for one := range strings.SplitSeq(v, ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

func has(list []string, value string) bool { return slices.Contains(list, value) }
