package conductor

import (
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

// wireTask is an attempt at a task as clients know it (docs/reference/automation-api.md, Shapes). Times are Unix
// milliseconds, 0: not yet.
type wireTask struct {
	TaskType        string        `json:"taskType"`
	Status          flow.Status   `json:"status"`
	Input           flow.Map      `json:"inputData"`
	Ref             string        `json:"referenceTaskName"`
	RetryCount      int           `json:"retryCount"`
	Seq             int           `json:"seq"`
	CorrelationID   string        `json:"correlationId,omitzero"`
	PollCount       int           `json:"pollCount"`
	TaskDefName     string        `json:"taskDefName"`
	ScheduledTime   int64         `json:"scheduledTime"`
	StartTime       int64         `json:"startTime"`
	EndTime         int64         `json:"endTime"`
	UpdateTime      int64         `json:"updateTime"`
	FirstStartTime  int64         `json:"firstStartTime"`
	StartDelay      int64         `json:"startDelayInSeconds"`
	RetriedTaskID   flow.TaskID   `json:"retriedTaskId,omitzero"`
	Retried         bool          `json:"retried"`
	Executed        bool          `json:"executed"`
	ResponseTimeout int64         `json:"responseTimeoutSeconds"`
	Run             flow.RunID    `json:"workflowInstanceId"`
	WorkflowType    string        `json:"workflowType,omitzero"`
	TaskID          flow.TaskID   `json:"taskId"`
	Reason          string        `json:"reasonForIncompletion,omitzero"`
	CallbackAfter   int64         `json:"callbackAfterSeconds"`
	Worker          string        `json:"workerId,omitzero"`
	Output          flow.Map      `json:"outputData"`
	Task            *flow.Task    `json:"workflowTask,omitzero"`
	Domain          string        `json:"domain,omitzero"`
	Priority        int           `json:"workflowPriority"`
	Iteration       int           `json:"iteration"`
	Child           flow.RunID    `json:"subWorkflowId,omitzero"`
	LoopOver        bool          `json:"loopOverTask"`
	QueueWait       int64         `json:"queueWaitTime"` // milliseconds
	ParentTask      flow.TaskID   `json:"parentTaskId,omitzero"`
	RateLimit       int           `json:"rateLimitPerFrequency"`
	RateSeconds     int           `json:"rateLimitFrequencyInSeconds"`
	Isolation       string        `json:"isolationGroupId,omitzero"`
	NameSpace       string        `json:"executionNameSpace,omitzero"`
	Definition      *flow.TaskDef `json:"taskDefinition,omitzero"`
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// taskOf gives an attempt as clients know it. Run may be nil: what it says about the task is left out then.
func taskOf(a *flow.Attempt, run *flow.Run) wireTask {
	t := wireTask{
		TaskType: a.Type, Status: a.Status, Input: flow.PlainMap(a.Input), Ref: a.Ref, RetryCount: a.Retry, Seq: a.Seq,
		PollCount: a.PollCount, TaskDefName: a.Name, ScheduledTime: millis(a.ScheduledAt),
		StartTime: millis(a.StartedAt), EndTime: millis(a.EndedAt), UpdateTime: millis(a.UpdatedAt),
		FirstStartTime: millis(a.FirstAt), RetriedTaskID: a.RetryOf, Retried: a.Retried, Executed: a.Executed,
		Run: a.Run, TaskID: a.ID, Reason: a.Reason, CallbackAfter: a.CallbackAfter, Worker: a.Worker, Output: a.Output,
		Task: a.Task, Domain: a.Domain, Iteration: a.Iteration, Child: a.Child, LoopOver: a.Iteration > 0,
	}
	if !a.StartedAt.IsZero() && !a.ScheduledAt.IsZero() {
		t.QueueWait = max(0, a.StartedAt.Sub(a.ScheduledAt).Milliseconds())
	}
	def := a.Def
	if a.Task != nil {
		t.StartDelay = a.Task.StartDelay
		if def == nil {
			def = a.Task.Def
		}
	}
	if run != nil {
		t.CorrelationID, t.Priority = run.CorrelationID, run.Priority
		if run.Definition != nil {
			t.WorkflowType = run.Definition.Name
		}
		if def == nil {
			def = run.TaskDefs[a.Name]
		}
	}
	if def != nil {
		t.ResponseTimeout, t.RateLimit, t.RateSeconds = def.ResponseTimeout, def.RateLimitPerFreq, def.RateLimitFreqSeconds
		t.Isolation, t.NameSpace, t.Definition = def.IsolationGroupID, def.ExecutionNameSpace, def
	} else {
		t.ResponseTimeout = flow.DefaultResponseTimeoutSeconds
	}
	return t
}

func tasksOf(run *flow.Run) []wireTask {
	tasks := make([]wireTask, 0, len(run.Tasks))
	for _, a := range run.Tasks {
		tasks = append(tasks, taskOf(a, run))
	}
	return tasks
}

// wireRun is a run as clients know it.
type wireRun struct {
	ID             flow.RunID        `json:"workflowId"`
	Name           string            `json:"workflowName"`
	Version        int               `json:"workflowVersion"`
	Type           string            `json:"workflowType"`
	Status         flow.State        `json:"status"`
	CreateTime     int64             `json:"createTime"`
	StartTime      int64             `json:"startTime"`
	UpdateTime     int64             `json:"updateTime"`
	EndTime        int64             `json:"endTime"`
	LastRetried    int64             `json:"lastRetriedTime"`
	Input          flow.Map          `json:"input"`
	Output         flow.Map          `json:"output"`
	Variables      flow.Map          `json:"variables"`
	CorrelationID  string            `json:"correlationId,omitzero"`
	IdempotencyKey string            `json:"idempotencyKey,omitzero"`
	Reason         string            `json:"reasonForIncompletion,omitzero"`
	Event          string            `json:"event,omitzero"`
	TaskToDomain   map[string]string `json:"taskToDomain"`
	FailedRefs     []string          `json:"failedReferenceTaskNames"`
	FailedTasks    []string          `json:"failedTaskNames"`
	FailedTask     flow.TaskID       `json:"failedTaskId,omitzero"`
	Priority       int               `json:"priority"`
	CreatedBy      string            `json:"createdBy,omitzero"`
	OwnerApp       string            `json:"ownerApp,omitzero"`
	Parent         flow.RunID        `json:"parentWorkflowId,omitzero"`
	ParentTask     flow.TaskID       `json:"parentWorkflowTaskId,omitzero"`
	Definition     *flow.Definition  `json:"workflowDefinition,omitzero"`
	Tasks          []wireTask        `json:"tasks"`
	History        []wireRun         `json:"history"`
}

func runOf(run *flow.Run) wireRun {
	w := wireRun{
		ID: run.ID, Status: run.State, CreateTime: millis(run.Created), StartTime: millis(run.Created),
		UpdateTime: millis(run.Updated), EndTime: millis(run.Ended), LastRetried: millis(run.LastRetried),
		Input: run.Input, Output: run.Output, Variables: run.Variables, CorrelationID: run.CorrelationID,
		IdempotencyKey: run.IdempotencyKey, Reason: run.Reason, Event: run.Event, TaskToDomain: run.TaskToDomain,
		FailedRefs: run.FailedRefs, FailedTask: run.FailedTask, Priority: run.Priority, CreatedBy: run.CreatedBy,
		Parent: run.Parent, ParentTask: run.ParentTask, Definition: run.Definition, Tasks: tasksOf(run),
	}
	if run.Definition != nil {
		w.Name, w.Version, w.OwnerApp = run.Definition.Name, run.Definition.Version, run.Definition.OwnerApp
		w.Type = w.Name
	}
	for _, a := range run.Tasks {
		if a.Status.Final() && !a.Status.Good() && !a.Retried {
			w.FailedTasks = append(w.FailedTasks, a.Name)
		}
	}
	return w
}

// MaxSummarized is the size from which summarize leaves out inputs and outputs, in bytes of JSON.
const MaxSummarized = 10_000

// summarize leaves out what is large.
func (w *wireRun) summarize() {
	brief(&w.Input)
	brief(&w.Output)
	brief(&w.Variables)
	for i := range w.Tasks {
		brief(&w.Tasks[i].Input)
		brief(&w.Tasks[i].Output)
	}
}

func brief(m *flow.Map) {
	if size := len(flow.Encode(*m)); size > MaxSummarized {
		*m = flow.Map{"_summarized": true, "_bytes": int64(size)}
	}
}

// isoTime is how summaries write times.
const isoTime = "2006-01-02T15:04:05.000Z"

func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(isoTime)
}

// wireSummary is a run in the answer to a search.
type wireSummary struct {
	Type           string     `json:"workflowType"`
	Version        int        `json:"version"`
	ID             flow.RunID `json:"workflowId"`
	CorrelationID  string     `json:"correlationId,omitzero"`
	StartTime      string     `json:"startTime"`
	UpdateTime     string     `json:"updateTime"`
	EndTime        string     `json:"endTime,omitzero"`
	Status         flow.State `json:"status"`
	Input          string     `json:"input"`
	Output         string     `json:"output"`
	Reason         string     `json:"reasonForIncompletion,omitzero"`
	ExecutionTime  int64      `json:"executionTime"` // milliseconds
	Event          string     `json:"event,omitzero"`
	FailedRefs     string     `json:"failedReferenceTaskNames"`
	Priority       int        `json:"priority"`
	CreatedBy      string     `json:"createdBy,omitzero"`
	IdempotencyKey string     `json:"idempotencyKey,omitzero"`
	InputSize      int        `json:"inputSize"`
	OutputSize     int        `json:"outputSize"`
	Parent         flow.RunID `json:"parentWorkflowId,omitzero"`
}

func summaryOf(s runner.Summary) wireSummary {
	input, output := string(flow.Encode(s.Input)), string(flow.Encode(s.Output))
	w := wireSummary{
		Type: s.Name, Version: s.Version, ID: s.ID, CorrelationID: s.CorrelationID, StartTime: iso(s.Created),
		UpdateTime: iso(s.Updated), EndTime: iso(s.Ended), Status: s.State, Input: input, Output: output,
		Reason: s.Reason, Event: s.Event, Priority: s.Priority, CreatedBy: s.CreatedBy,
		IdempotencyKey: s.IdempotencyKey, InputSize: len(input), OutputSize: len(output), Parent: s.Parent,
	}
	for i, ref := range s.FailedRefs {
		if i > 0 {
			w.FailedRefs += ","
		}
		w.FailedRefs += ref
	}
	end := s.Ended
	if end.IsZero() {
		end = s.Updated
	}
	w.ExecutionTime = max(0, end.Sub(s.Created).Milliseconds())
	return w
}

// wireTaskSummary is an attempt in the answer to a search.
type wireTaskSummary struct {
	Run           flow.RunID  `json:"workflowId"`
	WorkflowType  string      `json:"workflowType"`
	ScheduledTime string      `json:"scheduledTime"`
	StartTime     string      `json:"startTime"`
	UpdateTime    string      `json:"updateTime"`
	EndTime       string      `json:"endTime"`
	Status        flow.Status `json:"status"`
	Reason        string      `json:"reasonForIncompletion,omitzero"`
	ExecutionTime int64       `json:"executionTime"` // milliseconds
	QueueWait     int64       `json:"queueWaitTime"` // milliseconds
	TaskDefName   string      `json:"taskDefName"`
	TaskType      string      `json:"taskType"`
	Ref           string      `json:"taskReferenceName"`
	Input         string      `json:"input"`
	Output        string      `json:"output"`
	TaskID        flow.TaskID `json:"taskId"`
	Domain        string      `json:"domain,omitzero"`
}

func taskSummaryOf(f runner.FoundTask) wireTaskSummary {
	a := f.Attempt
	t := wireTaskSummary{
		Run: a.Run, WorkflowType: f.Workflow, ScheduledTime: iso(a.ScheduledAt), StartTime: iso(a.StartedAt),
		UpdateTime: iso(a.UpdatedAt), EndTime: iso(a.EndedAt), Status: a.Status, Reason: a.Reason, TaskDefName: a.Name,
		TaskType: a.Type, Ref: a.Ref, Input: string(flow.Encode(flow.PlainMap(a.Input))),
		Output: string(flow.Encode(a.Output)), TaskID: a.ID, Domain: a.Domain,
	}
	if !a.StartedAt.IsZero() {
		t.QueueWait = max(0, a.StartedAt.Sub(a.ScheduledAt).Milliseconds())
		if !a.EndedAt.IsZero() {
			t.ExecutionTime = max(0, a.EndedAt.Sub(a.StartedAt).Milliseconds())
		}
	}
	return t
}
