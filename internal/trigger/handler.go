package trigger

import (
	"context"
	"fmt"
	"strings"

	"switchboard/internal/flow"
)

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

func (t *Triggers) checkHandler(h *flow.EventHandler) error {
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
	switch language, ok := languageOf(h.Evaluator); {
	case !ok:
		p.add("/evaluatorType", "%q is none of javascript, graaljs, jq, value-param", h.Evaluator)
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

func (p *problems) action(path string, a *flow.Action) {
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
		if details.Task == "" && (details.Run == "" && details.Correlation == "" || details.Ref == "") {
			p.add(path+"/"+a.Action, "needs taskId, or workflowId (or correlationId) and taskRefName")
		}
	case ActionTerminate:
		if needed(a.Terminate != nil) && a.Terminate.Run == "" {
			p.add(path+"/"+a.Action+"/workflowId", "is required")
		}
	case ActionUpdate:
		if !needed(a.SetVariables != nil) {
			return
		}
		if a.SetVariables.Run == "" {
			p.add(path+"/"+a.Action+"/workflowId", "is required")
		}
		if a.SetVariables.Append {
			p.add(path+"/"+a.Action+"/appendArray", "is not done here: give the whole list")
		}
	default:
		p.add(path+"/action", "%q is none of %s, %s, %s, %s, %s", a.Action, ActionStart, ActionComplete, ActionFail,
			ActionTerminate, ActionUpdate)
	}
}

// PutHandlers registers event handlers, all or none; what is wrong with one is an ErrInvalid with all its problems.
// One of a name that is there already is replaced, or without replace an ErrConflict. Their Identity is with whose
// rights the runs that they start call our own API.
func (t *Triggers) PutHandlers(ctx context.Context, by string, handlers []flow.EventHandler, replace bool) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	named := map[string]*flow.EventHandler{}
	for _, h := range handlers {
		if err := t.checkHandler(&h); err != nil {
			return err
		}
		h.CreatedBy = by
		if old, ok := t.handlers.get(h.Name); ok {
			if !replace {
				return &Error{Kind: ErrConflict, Message: "there is an event handler " + h.Name + " already"}
			}
			h.CreatedBy = old.CreatedBy
		}
		named[h.Name] = &h
	}
	defer t.listen()
	return put(ctx, t, &t.handlers, KindHandler, named)
}

// DropHandler forgets an event handler.
func (t *Triggers) DropHandler(ctx context.Context, name string) error {
	defer t.listen()
	return remove(ctx, t, &t.handlers, KindHandler, name)
}

// Handlers lists event handlers by name. What they point to must not be written to.
func (t *Triggers) Handlers() []flow.EventHandler { return t.handlers.list() }

// listen notes which events somebody waits for.
func (t *Triggers) listen() {
	names := map[string]bool{}
	for _, h := range t.handlers.all() {
		if h.Active {
			names[h.Event] = true
		}
	}
	t.listens.Store(&names)
}
