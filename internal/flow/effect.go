package flow

// Effect is an order to the host. What concerns an attempt names it; performing it twice after a crash is allowed for,
// since the attempt's id goes along as the idempotency key. Effects are performed only after what Step changed is on
// disk.
type Effect interface{ effect() }

// The orders.
type (
	// Call performs the HTTP request of an HTTP or HTTP_POLL attempt whose time has come; Reported answers.
	Call struct{ Task *Attempt }
	// Evaluate runs a script; Evaluated answers: with what the script came to, for jq with the list of all its results.
	Evaluate struct {
		Task     TaskID
		Language Language
		Script   string
		Input    Map // what the script sees as $; for jq the whole of it is the input
	}
	// Offer puts an attempt into the queue of the outside workers of Queue, to be polled from Task.DueAt on.
	Offer struct {
		Task  *Attempt
		Queue string // the task's name
	}
	// Withdraw takes an attempt out of every queue and stops the request or script that runs for it, if any.
	Withdraw struct{ Task TaskID }
	// StartRun starts another run: of SUB_WORKFLOW (answered by ChildStarted and ChildEnded), of START_WORKFLOW
	// (ChildStarted), or a failure workflow (Task is empty, no answer). Asked again for a Task that has its run already,
	// the host answers with that one.
	StartRun struct {
		Task    TaskID
		Wait    bool // ChildEnded is wanted
		Request StartRequest
	}
	// Order hands an order to other runs: a terminated parent's children, TERMINATE_WORKFLOW, a resumed child.
	Order struct {
		Run   RunID
		Event Event
	}
	// Publish sends an event: "switchboard:NAME" or "conductor:NAME" to event handlers; Published answers.
	Publish struct {
		Task    TaskID
		Sink    string
		Payload Map
	}
	// Fetch reads another run for GET_WORKFLOW; Reported answers.
	Fetch struct {
		Task         TaskID
		Run          RunID
		IncludeTasks bool
	}
	// Update reports on another run's task for UPDATE_TASK; Reported answers for Task.
	Update struct {
		Task   TaskID
		Target TaskID // or Run and Ref
		Run    RunID
		Ref    string
		Status Status
		Output Map
	}
	// Ended says that the run is over.
	Ended struct{ State State }
)

// Language is what a script is written in.
type Language string

// The languages. LoopCondition and SWITCH use JavaScript too.
const (
	JavaScript Language = "javascript"
	JQ         Language = "jq"
)

// StartRequest asks for a run.
type StartRequest struct {
	Name                string            `json:"name"`
	Version             int               `json:"version,omitzero"` // 0: the latest
	Input               Map               `json:"input,omitzero"`
	CorrelationID       string            `json:"correlationId,omitzero"`
	Definition          *Definition       `json:"workflowDef,omitzero"` // inline
	TaskToDomain        map[string]string `json:"taskToDomain,omitzero"`
	Priority            int               `json:"priority,omitzero"` // 0 to 99
	CreatedBy           string            `json:"createdBy,omitzero"`
	IdempotencyKey      string            `json:"idempotencyKey,omitzero"`
	IdempotencyStrategy string            `json:"idempotencyStrategy,omitzero"` // FAIL, RETURN_EXISTING, FAIL_ON_RUNNING
	Depth               int               `json:"-"`                            // runs around this one
}

func (Call) effect()     {}
func (Evaluate) effect() {}
func (Offer) effect()    {}
func (Withdraw) effect() {}
func (StartRun) effect() {}
func (Order) effect()    {}
func (Publish) effect()  {}
func (Fetch) effect()    {}
func (Update) effect()   {}
func (Ended) effect()    {}
