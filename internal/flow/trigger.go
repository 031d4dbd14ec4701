package flow

// Schedule starts a workflow at times: WorkflowSchedule in Conductor's words. Times are Unix milliseconds, 0: none.
type Schedule struct {
	Name         string       `json:"name"`
	Description  string       `json:"description,omitzero"`
	Cron         string       `json:"cronExpression,omitzero"` // seconds first; or Crons
	Zone         string       `json:"zoneId,omitzero"`         // of Cron; empty: UTC
	Crons        []CronTime   `json:"cronSchedules,omitzero"`
	CatchUp      bool         `json:"runCatchupScheduleInstances"`
	Paused       bool         `json:"paused"`
	PausedReason string       `json:"pausedReason,omitzero"`
	Start        StartRequest `json:"startWorkflowRequest"`
	From         int64        `json:"scheduleStartTime,omitzero"`
	To           int64        `json:"scheduleEndTime,omitzero"`
	Identity     string       `json:"identity,omitzero"` // with whose rights its runs call our own API; not set by clients

	CreateTime int64  `json:"createTime,omitzero"`
	UpdateTime int64  `json:"updatedTime,omitzero"`
	CreatedBy  string `json:"createdBy,omitzero"`
	UpdatedBy  string `json:"updatedBy,omitzero"`
	NextRun    int64  `json:"nextRunTime,omitzero"` // not set by clients
}

// CronTime is a cron expression with its time zone.
type CronTime struct {
	Cron string `json:"cronExpression"`
	Zone string `json:"zoneId,omitzero"` // empty: UTC
}

// EventHandler does something about events: EventHandler in Conductor's words.
type EventHandler struct {
	Name        string   `json:"name"`
	Event       string   `json:"event"`              // PROVIDER:NAME
	Condition   string   `json:"condition,omitzero"` // empty: always
	Evaluator   string   `json:"evaluatorType,omitzero"`
	Actions     []Action `json:"actions"`
	Active      bool     `json:"active"`
	Description string   `json:"description,omitzero"`
	Identity    string   `json:"identity,omitzero"` // as of Schedule

	CreatedBy string `json:"createdBy,omitzero"`
}

// Action is one of the things that an event handler does.
type Action struct {
	// Action is start_workflow, complete_task, fail_task, terminate_workflow or update_workflow_variables.
	Action       string           `json:"action"`
	Start        *StartRequest    `json:"start_workflow,omitzero"`
	Complete     *ActionTask      `json:"complete_task,omitzero"`
	Fail         *ActionTask      `json:"fail_task,omitzero"`
	Terminate    *ActionTerminate `json:"terminate_workflow,omitzero"`
	SetVariables *ActionVariables `json:"update_workflow_variables,omitzero"`
	ExpandJSON   bool             `json:"expandInlineJSON,omitzero"`
}

// ActionTask names a task that an event ends, by its id or by run (or correlation id) and reference name; all may have
// expressions.
type ActionTask struct {
	Run    string `json:"workflowId,omitzero"`
	Ref    string `json:"taskRefName,omitzero"`
	Task   string `json:"taskId,omitzero"`
	Output Map    `json:"output,omitzero"`

	// Correlation, ours, names the runs in the place of Run: all under way that have it.
	Correlation string `json:"correlationId,omitzero"`
}

// ActionTerminate names a run that an event terminates.
type ActionTerminate struct {
	Run    string `json:"workflowId"`
	Reason string `json:"terminationReason,omitzero"`
}

// ActionVariables names a run of which an event sets variables.
type ActionVariables struct {
	Run       string `json:"workflowId"`
	Variables Map    `json:"variables"`
	Append    bool   `json:"appendArray,omitzero"`
}
