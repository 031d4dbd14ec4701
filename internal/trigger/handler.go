package trigger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"switchboard/internal/flow"
)

// Handler does something whenever an event happens: EventHandler in Conductor's words.
type Handler struct {
	Name          string   `json:"name"`
	Description   string   `json:"description,omitzero"`
	Event         string   `json:"event"`                  // provider:queue
	Condition     string   `json:"condition,omitzero"`     // empty: always
	EvaluatorType string   `json:"evaluatorType,omitzero"` // javascript, graaljs, jq, value-param; empty: javascript
	Actions       []Action `json:"actions"`
	Active        bool     `json:"active"`
	CreatedBy     string   `json:"createdBy,omitzero"`
	UpdatedBy     string   `json:"updatedBy,omitzero"`
	CreateTime    int64    `json:"createTime,omitzero"` // Unix milliseconds
	UpdateTime    int64    `json:"updateTime,omitzero"`
}

// Action is one thing that a handler does; of the members behind ExpandInlineJSON the one that Action names counts.
// Texts in them may hold expressions: ${name.path} is of the event's payload.
type Action struct {
	Action           string             `json:"action"`                    // one of the Action constants
	ExpandInlineJSON bool               `json:"expandInlineJSON,omitzero"` // texts of the payload that are JSON are read
	Start            *flow.StartRequest `json:"start_workflow,omitzero"`
	Complete         *TaskDetails       `json:"complete_task,omitzero"`
	Fail             *TaskDetails       `json:"fail_task,omitzero"`
	Terminate        *Termination       `json:"terminate_workflow,omitzero"`
	Update           *Variables         `json:"update_workflow_variables,omitzero"`
}

// TaskDetails is a task that waits: by its id, or by its run and reference name.
type TaskDetails struct {
	Workflow flow.RunID  `json:"workflowId,omitzero"`
	Ref      string      `json:"taskRefName,omitzero"`
	Task     flow.TaskID `json:"taskId,omitzero"`
	Output   flow.Map    `json:"output,omitzero"`
}

// Termination ends a run.
type Termination struct {
	Workflow flow.RunID `json:"workflowId"`
	Reason   string     `json:"terminationReason,omitzero"`
}

// Variables are those of a run that are changed.
type Variables struct {
	Workflow  flow.RunID `json:"workflowId"`
	Variables flow.Map   `json:"variables"`
}

// What a handler can do.
const (
	ActionStart     = "start_workflow"
	ActionComplete  = "complete_task"
	ActionFail      = "fail_task"
	ActionTerminate = "terminate_workflow"
	ActionUpdate    = "update_workflow_variables"
)

// MaxActions is how many actions a handler may have.
const MaxActions = 20

// How a condition is written, besides flow's languages.
const (
	evaluatorValueParam = "value-param" // the condition names a member of the payload
	evaluatorGraalJS    = "graaljs"
)

// The providers of events.
const (
	ProviderOwn       = "switchboard" // call centers, and EVENT tasks
	ProviderConductor = "conductor"   // EVENT tasks
)

func (t *Triggers) checkHandler(h *Handler) error {
	var p problems
	p.name(h.Name)
	p.text("/description", h.Description)
	p.text("/condition", h.Condition)
	provider, queue, _ := strings.Cut(h.Event, ":")
	switch {
	case h.Event == "":
		p.add("/event", "is required")
	case provider != ProviderOwn && provider != ProviderConductor:
		p.add("/event", "%q is not the provider %s or %s", provider, ProviderOwn, ProviderConductor)
	case queue == "":
		p.add("/event", "names no event behind %s:", provider)
	}
	p.text("/event", h.Event)
	switch language, ok := languageOf(h.EvaluatorType); {
	case !ok:
		p.add("/evaluatorType", "%q is none of javascript, graaljs, jq, value-param", h.EvaluatorType)
	case h.Condition != "" && language != "":
		if err := t.cfg.Compiles(language, h.Condition); err != nil {
			p.add("/condition", "%v", err)
		}
	}
	if len(h.Actions) == 0 || len(h.Actions) > MaxActions {
		p.add("/actions", "must be from 1 to %d", MaxActions)
	}
	for i := range h.Actions {
		p.action(fmt.Sprintf("/actions/%d", i), &h.Actions[i])
	}
	return p.err()
}

// languageOf is what a condition is written in; "" for value-param.
func languageOf(evaluator string) (flow.Language, bool) {
	switch evaluator {
	case "", string(flow.JavaScript), evaluatorGraalJS:
		return flow.JavaScript, true
	case string(flow.JQ):
		return flow.JQ, true
	case evaluatorValueParam:
		return "", true
	}
	return "", false
}

func (p *problems) action(path string, a *Action) {
	needed := func(there bool) bool {
		if !there {
			p.add(path+"/"+a.Action, "is required")
		}
		return there
	}
	switch a.Action {
	case ActionStart:
		if needed(a.Start != nil) {
			p.request(path+"/"+a.Action, *a.Start)
		}
	case ActionComplete, ActionFail:
		details := a.Complete
		if a.Action == ActionFail {
			details = a.Fail
		}
		if !needed(details != nil) {
			return
		}
		if details.Task == "" && (details.Workflow == "" || details.Ref == "") {
			p.add(path+"/"+a.Action, "needs taskId, or workflowId and taskRefName")
		}
	case ActionTerminate:
		if needed(a.Terminate != nil) && a.Terminate.Workflow == "" {
			p.add(path+"/"+a.Action+"/workflowId", "is required")
		}
	case ActionUpdate:
		if needed(a.Update != nil) && a.Update.Workflow == "" {
			p.add(path+"/"+a.Action+"/workflowId", "is required")
		}
	default:
		p.add(path+"/action", "%q is none of %s, %s, %s, %s, %s", a.Action, ActionStart, ActionComplete, ActionFail,
			ActionTerminate, ActionUpdate)
	}
}

// CreateHandler registers a handler; one of its name that is there already is an ErrConflict, what is wrong with it an
// ErrInvalid with all problems. identity is with whose rights the runs that it starts call our own API. h must not be
// written to afterwards.
func (t *Triggers) CreateHandler(ctx context.Context, by, identity string, h *Handler) error {
	return t.putHandlers(ctx, by, identity, []*Handler{h}, false)
}

// UpdateHandler replaces a handler; one that is not there is an ErrNotFound.
func (t *Triggers) UpdateHandler(ctx context.Context, by, identity string, h *Handler) error {
	if _, ok := t.handlers.get(h.Name); !ok {
		return notFound("event handler", h.Name)
	}
	return t.putHandlers(ctx, by, identity, []*Handler{h}, true)
}

// PutHandlers registers handlers, each in the place of the one of its name; all or none.
func (t *Triggers) PutHandlers(ctx context.Context, by, identity string, list []*Handler) error {
	return t.putHandlers(ctx, by, identity, list, true)
}

func (t *Triggers) putHandlers(ctx context.Context, by, identity string, list []*Handler, overwrite bool) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	named := map[string]owned[Handler]{}
	for _, h := range list {
		if err := t.checkHandler(h); err != nil {
			return err
		}
		h.CreatedBy, h.UpdatedBy, h.CreateTime = by, by, t.cfg.Now().UnixMilli()
		h.UpdateTime = h.CreateTime
		if old, ok := t.handlers.get(h.Name); ok {
			if !overwrite {
				return &Error{Kind: ErrConflict, Message: "there is an event handler " + h.Name + " already"}
			}
			h.CreatedBy, h.CreateTime = old.Of.CreatedBy, old.Of.CreateTime
		}
		named[h.Name] = owned[Handler]{identity, h}
	}
	defer t.listen()
	return put(ctx, t, &t.handlers, kindHandler, named)
}

// DeleteHandler forgets a handler.
func (t *Triggers) DeleteHandler(ctx context.Context, name string) error {
	defer t.listen()
	return remove(ctx, t, &t.handlers, kindHandler, name)
}

// Handler finds a handler. It must not be written to.
func (t *Triggers) Handler(name string) (*Handler, bool) {
	one, ok := t.handlers.get(name)
	return one.Of, ok
}

// Handlers lists those of an event, of all if it is empty, by name. They must not be written to.
func (t *Triggers) Handlers(event string, activeOnly bool) []*Handler {
	return slices.DeleteFunc(t.handlers.list(), func(h *Handler) bool {
		return event != "" && h.Event != event || activeOnly && !h.Active
	})
}

// listen notes which events somebody waits for.
func (t *Triggers) listen() {
	names := map[string]bool{}
	for _, h := range t.handlers.list() {
		if h.Active {
			names[h.Event] = true
		}
	}
	t.listens.Store(&names)
}
