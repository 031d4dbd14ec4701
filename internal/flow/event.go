package flow

// Event is a fact about a run.
type Event interface{ event() }

// The facts. An answer to an effect names the attempt; an answer that comes after the attempt is over changes nothing.
type (
	// Begin starts a run that New made.
	Begin struct{}
	// Tick says that time passed.
	Tick struct{}
	// Polled says that an outside worker took an attempt, or that our own worker began it.
	Polled struct {
		Task   TaskID
		Worker string
	}
	// Reported is the outcome of an attempt, or with InProgress news of it: from an HTTP call, an outside worker, a
	// person, an event handler.
	Reported struct {
		Task          TaskID
		Status        Status // InProgress or a final one
		Output        Map    // merged into the output so far
		Reason        string
		Worker        string
		CallbackAfter int64 // seconds; InProgress: offer it again after them
		ExtendLease   bool  // InProgress: only that the worker still works on it
	}
	// Evaluated is the answer to Evaluate. Error: what was wrong with the script, in words; empty: nothing. Value of
	// jq is the list of all outputs.
	Evaluated struct {
		Task  TaskID
		Value Value
		Error string
	}
	// ChildStarted and ChildEnded tell of the run that StartRun asked for.
	ChildStarted struct {
		Task  TaskID
		Child RunID
	}
	// ChildEnded also tells that the child could not be started: Child is empty then.
	ChildEnded struct {
		Task   TaskID
		Child  RunID
		State  State
		Output Map
		Reason string
	}
	// ChildRevived tells that a run that had ended goes on: it was retried, restarted or rerun.
	ChildRevived struct {
		Task  TaskID
		Child RunID
	}
	// Published is the answer to Publish.
	Published struct {
		Task  TaskID
		Error string
	}
	// What people order. Refused says beforehand whether a run takes an order.
	Pause     struct{}
	Resume    struct{}
	Terminate struct {
		Reason  string
		Failure bool // its failure workflow is started
	}
	// Retry goes on from what failed.
	Retry struct{ ResumeChildren bool }
	// Restart begins anew under the same id, with the definition as it was, or the latest.
	Restart struct {
		Definition *Definition // nil: as it was
		TaskDefs   map[string]*TaskDef
	}
	// Rerun goes back to a task and goes on from there, with other input if any is given.
	Rerun struct {
		From          TaskID // empty: from the start
		TaskInput     Map    // nil: as it was
		WorkflowInput Map    // nil: as it was
	}
	// Skip lets a task that is not yet begun count as done.
	Skip struct {
		Ref           string
		Input, Output Map
	}
	// SetVariables changes variables of a run under way.
	SetVariables struct{ Variables Map }
	// ResetCallbacks offers everything that waits for an outside worker at once.
	ResetCallbacks struct{}
)

func (Begin) event()          {}
func (Tick) event()           {}
func (Polled) event()         {}
func (Reported) event()       {}
func (Evaluated) event()      {}
func (ChildStarted) event()   {}
func (ChildEnded) event()     {}
func (ChildRevived) event()   {}
func (Published) event()      {}
func (Pause) event()          {}
func (Resume) event()         {}
func (Terminate) event()      {}
func (Retry) event()          {}
func (Restart) event()        {}
func (Rerun) event()          {}
func (Skip) event()           {}
func (SetVariables) event()   {}
func (ResetCallbacks) event() {}
