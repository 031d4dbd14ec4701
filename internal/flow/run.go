package flow

import "time"

// RunID names a run; TaskID one attempt at a task of it. Both are UUIDs as text.
type (
	RunID  string
	TaskID string
)

// State is how a run stands.
type State string

// The states of a run. The last four are final.
const (
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Completed  State = "COMPLETED"
	Failed     State = "FAILED"
	TimedOut   State = "TIMED_OUT"
	Terminated State = "TERMINATED"
)

// Final says whether a run is over.
func (s State) Final() bool { return s != Running && s != Paused }

// Status is how an attempt at a task stands.
type Status string

// The statuses of an attempt. All but the first two are final.
const (
	Scheduled           Status = "SCHEDULED"
	InProgress          Status = "IN_PROGRESS"
	TaskCompleted       Status = "COMPLETED"
	CompletedWithErrors Status = "COMPLETED_WITH_ERRORS"
	TaskFailed          Status = "FAILED"
	FailedTerminally    Status = "FAILED_WITH_TERMINAL_ERROR"
	TaskTimedOut        Status = "TIMED_OUT"
	Canceled            Status = "CANCELED"
	Skipped             Status = "SKIPPED"
)

// Final says whether an attempt is over.
func (s Status) Final() bool { return s != Scheduled && s != InProgress }

// known says whether it is one of the statuses.
func (s Status) known() bool {
	switch s {
	case Scheduled, InProgress, TaskCompleted, CompletedWithErrors, TaskFailed, FailedTerminally, TaskTimedOut, Canceled,
		Skipped:
		return true
	}
	return false
}

// Good says whether what follows the task may go on.
func (s Status) Good() bool { return s == TaskCompleted || s == CompletedWithErrors || s == Skipped }

// Run is one execution of a workflow: all that is known of it, and all that is kept on disk. Its exported fields are
// for reading; Step alone changes them.
type Run struct {
	ID             RunID               `json:"workflowId"`
	Definition     *Definition         `json:"workflowDefinition"` // as it was at the start; shared, never written to
	TaskDefs       map[string]*TaskDef `json:"taskDefs,omitzero"`  // as they were at the start, by task name; shared
	State          State               `json:"status"`
	Input          Map                 `json:"input"`
	Output         Map                 `json:"output"`
	Variables      Map                 `json:"variables"`
	CorrelationID  string              `json:"correlationId,omitzero"`
	IdempotencyKey string              `json:"idempotencyKey,omitzero"`
	TaskToDomain   map[string]string   `json:"taskToDomain,omitzero"`
	Priority       int                 `json:"priority"`
	CreatedBy      string              `json:"createdBy,omitzero"`
	Identity       string              `json:"identity,omitzero"` // with whose rights it calls our own API
	Event          string              `json:"event,omitzero"`    // the event or schedule that started it
	Parent         RunID               `json:"parentWorkflowId,omitzero"`
	ParentTask     TaskID              `json:"parentWorkflowTaskId,omitzero"`
	Depth          int                 `json:"depth,omitzero"` // runs that it is within: below MaxRunDepth
	Reason         string              `json:"reasonForIncompletion,omitzero"`
	FailedRefs     []string            `json:"failedReferenceTaskNames,omitzero"`
	FailedTask     TaskID              `json:"failedTaskId,omitzero"`
	Created        time.Time           `json:"created"`
	Updated        time.Time           `json:"updated"`
	Ended          time.Time           `json:"ended,omitzero"`
	PausedAt       time.Time           `json:"pausedAt,omitzero"`
	LastRetried    time.Time           `json:"lastRetried,omitzero"`
	Seed           uint64              `json:"seed"`  // of task ids and jitter
	Drawn          uint64              `json:"drawn"` // random numbers taken from it so far
	Tasks          []*Attempt          `json:"-"`     // in the order of their Seq; rows of their own on disk
	Env            Map                 `json:"-"`     // ${workflow.env.NAME}: the host sets it before Step

	mem memory
}

// Attempt is one attempt at one task of a run: a row that is appended for each retry and each turn of a loop.
type Attempt struct {
	ID            TaskID    `json:"taskId"`
	Run           RunID     `json:"workflowInstanceId"`
	Seq           int       `json:"seq"`               // 1 and up within the run
	Ref           string    `json:"referenceTaskName"` // within a loop: with __N, the number of the turn
	Name          string    `json:"taskDefName"`
	Type          string    `json:"taskType"`
	Status        Status    `json:"status"`
	Input         Map       `json:"inputData"` // expressions filled in, references to secrets still as text
	Output        Map       `json:"outputData"`
	Task          *Task     `json:"workflowTask"` // shared with the definition
	Def           *TaskDef  `json:"-"`            // found again by Name after a restart; nil: none
	Reason        string    `json:"reasonForIncompletion,omitzero"`
	Retry         int       `json:"retryCount"` // 0: the first attempt
	RetryOf       TaskID    `json:"retriedTaskId,omitzero"`
	Retried       bool      `json:"retried"` // another attempt followed
	Executed      bool      `json:"executed"`
	Iteration     int       `json:"iteration"` // turn of the loop it is in; 0: in none
	Domain        string    `json:"domain,omitzero"`
	Worker        string    `json:"workerId,omitzero"`
	PollCount     int       `json:"pollCount"`
	Child         RunID     `json:"subWorkflowId,omitzero"` // of SUB_WORKFLOW and START_WORKFLOW
	ScheduledAt   time.Time `json:"scheduledTime"`
	DueAt         time.Time `json:"dueAt,omitzero"` // not to be begun, or looked at again, before; zero: at once
	StartedAt     time.Time `json:"startTime,omitzero"`
	UpdatedAt     time.Time `json:"updateTime,omitzero"`
	EndedAt       time.Time `json:"endTime,omitzero"`
	FirstAt       time.Time `json:"firstStartTime,omitzero"` // of the first attempt: totalTimeoutSeconds counts from it
	CallbackAfter int64     `json:"callbackAfterSeconds,omitzero"`
	Polls         int       `json:"polls,omitzero"` // of HTTP_POLL: requests made so far

	touched bool
}
