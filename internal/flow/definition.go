package flow

// Value is a JSON value: nil, bool, int64 (a number without fraction that fits), float64, string, []any or
// map[string]any.
type Value = any

// Map is a JSON object.
type Map = map[string]any

// SchemaVersion is the only version of the language that is run.
const SchemaVersion = 2

// Definition is a workflow as it is registered: WorkflowDef in Conductor's words.
type Definition struct {
	Name            string   `json:"name"`
	Description     string   `json:"description,omitzero"`
	Version         int      `json:"version"` // 1 and up
	Tasks           []*Task  `json:"tasks"`
	InputParameters []string `json:"inputParameters"`
	Output          Map      `json:"outputParameters"` // empty: the output of the last task
	InputTemplate   Map      `json:"inputTemplate,omitzero"`
	Variables       Map      `json:"variables"`

	FailureWorkflow        string `json:"failureWorkflow,omitzero"`
	FailureWorkflowVersion int    `json:"failureWorkflowVersion,omitzero"` // 0: the latest
	SchemaVersion          int    `json:"schemaVersion"`
	Restartable            bool   `json:"restartable"`
	TimeoutSeconds         int64  `json:"timeoutSeconds"` // 0: none
	TimeoutPolicy          string `json:"timeoutPolicy"`  // TIME_OUT_WF or ALERT_ONLY

	OwnerEmail            string     `json:"ownerEmail,omitzero"`
	OwnerApp              string     `json:"ownerApp,omitzero"`
	StatusListenerEnabled bool       `json:"workflowStatusListenerEnabled"`
	StatusListenerSink    string     `json:"workflowStatusListenerSink,omitzero"`
	RateLimit             *RateLimit `json:"rateLimitConfig,omitzero"`
	InputSchema           Map        `json:"inputSchema,omitzero"`
	OutputSchema          Map        `json:"outputSchema,omitzero"`
	EnforceSchema         bool       `json:"enforceSchema"`
	Metadata              Map        `json:"metadata,omitzero"`
	CacheConfig           Map        `json:"cacheConfig,omitzero"`
	MaskedFields          []string   `json:"maskedFields,omitzero"`
	Engine                string     `json:"engine,omitzero"` // ours: empty, or "conductor": a cluster runs it

	CreateTime int64  `json:"createTime,omitzero"` // Unix milliseconds
	UpdateTime int64  `json:"updateTime,omitzero"`
	CreatedBy  string `json:"createdBy,omitzero"`
	UpdatedBy  string `json:"updatedBy,omitzero"`
}

// RateLimit bounds how many runs with the same key are under way at once.
type RateLimit struct {
	Key                 string `json:"rateLimitKey"`
	ConcurrentExecLimit int    `json:"concurrentExecLimit"`
	Policy              string `json:"policy,omitzero"` // QUEUE
}

// Task is one step of a definition: WorkflowTask in Conductor's words.
type Task struct {
	Name            string `json:"name"`
	Ref             string `json:"taskReferenceName"`
	Description     string `json:"description,omitzero"`
	Type            string `json:"type"` // one of the Type constants, aliases resolved by Parse; empty: SIMPLE
	Input           Map    `json:"inputParameters"`
	InputExpression Map    `json:"inputExpression,omitzero"`

	Optional      bool     `json:"optional"`
	Permissive    bool     `json:"permissive,omitzero"`
	AsyncComplete bool     `json:"asyncComplete"`
	StartDelay    int64    `json:"startDelay"` // seconds
	RetryCount    *int     `json:"retryCount,omitzero"`
	RateLimited   bool     `json:"rateLimited,omitzero"`
	Def           *TaskDef `json:"taskDefinition,omitzero"`
	CacheConfig   Map      `json:"cacheConfig,omitzero"`
	OnStateChange Map      `json:"onStateChange,omitzero"`
	Metadata      Map      `json:"metadata,omitzero"`

	EvaluatorType  string             `json:"evaluatorType,omitzero"` // value-param, javascript, graaljs
	Expression     string             `json:"expression,omitzero"`
	DecisionCases  map[string][]*Task `json:"decisionCases,omitzero"`
	DefaultCase    []*Task            `json:"defaultCase,omitzero"`
	CaseValueParam string             `json:"caseValueParam,omitzero"` // of old DECISION tasks
	CaseExpression string             `json:"caseExpression,omitzero"`

	ForkTasks       [][]*Task `json:"forkTasks,omitzero"`
	JoinOn          []string  `json:"joinOn,omitzero"`
	JoinStatus      string    `json:"joinStatus,omitzero"`
	JoinMode        string    `json:"joinMode,omitzero"`
	DefaultJoinTask []string  `json:"defaultExclusiveJoinTask,omitzero"`

	LoopCondition string  `json:"loopCondition,omitzero"`
	LoopOver      []*Task `json:"loopOver,omitzero"`
	Items         Value   `json:"items,omitzero"`
	KeepLastN     int     `json:"keepLastN,omitzero"`

	DynamicTaskNameParam       string `json:"dynamicTaskNameParam,omitzero"`
	DynamicForkTasksParam      string `json:"dynamicForkTasksParam,omitzero"`
	DynamicForkTasksInputParam string `json:"dynamicForkTasksInputParamName,omitzero"`

	SubWorkflow      *SubWorkflow `json:"subWorkflowParam,omitzero"`
	Sink             string       `json:"sink,omitzero"`
	ScriptExpression string       `json:"scriptExpression,omitzero"` // of old LAMBDA tasks
}

// SubWorkflow says which workflow a SUB_WORKFLOW task runs.
type SubWorkflow struct {
	Name                string            `json:"name,omitzero"`
	Version             Value             `json:"version,omitzero"`            // number, expression, or nothing: latest
	Definition          Value             `json:"workflowDefinition,omitzero"` // inline: an object, or an expression
	TaskToDomain        map[string]string `json:"taskToDomain,omitzero"`
	Priority            Value             `json:"priority,omitzero"`
	IdempotencyKey      string            `json:"idempotencyKey,omitzero"`
	IdempotencyStrategy string            `json:"idempotencyStrategy,omitzero"`
}

// TaskDef is what holds for every task of a name: retries, timeouts, limits.
type TaskDef struct {
	Name                 string   `json:"name"`
	Description          string   `json:"description,omitzero"`
	RetryCount           int      `json:"retryCount"`                    // 3
	RetryLogic           string   `json:"retryLogic"`                    // FIXED, EXPONENTIAL_BACKOFF, LINEAR_BACKOFF
	RetryDelaySeconds    int64    `json:"retryDelaySeconds"`             // 60
	MaxRetryDelaySeconds int64    `json:"maxRetryDelaySeconds,omitzero"` // 0: no cap
	BackoffScaleFactor   int64    `json:"backoffScaleFactor,omitzero"`   // 1
	BackoffJitterMs      int64    `json:"backoffJitterMs,omitzero"`
	TotalTimeoutSeconds  int64    `json:"totalTimeoutSeconds,omitzero"` // over all attempts; 0: none
	TimeoutSeconds       int64    `json:"timeoutSeconds"`               // 0: none
	TimeoutPolicy        string   `json:"timeoutPolicy"`                // RETRY, TIME_OUT_WF, ALERT_ONLY
	ResponseTimeout      int64    `json:"responseTimeoutSeconds"`       // 3600
	PollTimeout          int64    `json:"pollTimeoutSeconds,omitzero"`
	ConcurrentExecLimit  int      `json:"concurrentExecLimit,omitzero"`
	RateLimitPerFreq     int      `json:"rateLimitPerFrequency,omitzero"`
	RateLimitFreqSeconds int      `json:"rateLimitFrequencyInSeconds,omitzero"`
	InputKeys            []string `json:"inputKeys,omitzero"`
	OutputKeys           []string `json:"outputKeys,omitzero"`
	InputTemplate        Map      `json:"inputTemplate,omitzero"`
	IsolationGroupID     string   `json:"isolationGroupId,omitzero"`
	ExecutionNameSpace   string   `json:"executionNameSpace,omitzero"`
	OwnerEmail           string   `json:"ownerEmail,omitzero"`
	OwnerApp             string   `json:"ownerApp,omitzero"`
	BaseType             string   `json:"baseType,omitzero"`
	RuntimeMetadata      Value    `json:"runtimeMetadata,omitzero"`
	InputSchema          Map      `json:"inputSchema,omitzero"`
	OutputSchema         Map      `json:"outputSchema,omitzero"`
	EnforceSchema        bool     `json:"enforceSchema,omitzero"`
	CreateTime           int64    `json:"createTime,omitzero"`
	UpdateTime           int64    `json:"updateTime,omitzero"`
	CreatedBy            string   `json:"createdBy,omitzero"`
	UpdatedBy            string   `json:"updatedBy,omitzero"`
}

// The task types that are run. Parse turns the old names DECISION, LAMBDA and USER_DEFINED into what they became.
const (
	TypeSimple         = "SIMPLE"
	TypeHTTP           = "HTTP"
	TypeHTTPPoll       = "HTTP_POLL"
	TypeSwitch         = "SWITCH"
	TypeSetVariable    = "SET_VARIABLE"
	TypeWait           = "WAIT"
	TypeTerminate      = "TERMINATE"
	TypeInline         = "INLINE"
	TypeJQ             = "JSON_JQ_TRANSFORM"
	TypeNoop           = "NOOP"
	TypeFork           = "FORK_JOIN"
	TypeForkDynamic    = "FORK_JOIN_DYNAMIC"
	TypeJoin           = "JOIN"
	TypeExclusiveJoin  = "EXCLUSIVE_JOIN"
	TypeDoWhile        = "DO_WHILE"
	TypeSubWorkflow    = "SUB_WORKFLOW"
	TypeStartWorkflow  = "START_WORKFLOW"
	TypeHuman          = "HUMAN"
	TypeEvent          = "EVENT"
	TypeDynamic        = "DYNAMIC"
	TypeUpdateTask     = "UPDATE_TASK"
	TypeGetWorkflow    = "GET_WORKFLOW"
	TypeTerminateRuns  = "TERMINATE_WORKFLOW"
	TypeWaitForWebhook = "WAIT_FOR_WEBHOOK"
)
