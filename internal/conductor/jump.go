package conductor

import (
	"fmt"
	"net/http"
	"slices"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

// jump has a run go on at a task, with more input for it if the body has any. To one that was begun before it goes
// back, as rerun does. To one that is still to come it skips what stands in between, outside of all branches and loops.
func (a *API) jump(r *request) (any, error) {
	input, err := r.object()
	if err != nil {
		return nil, err
	}
	run, err := a.Runner.Run(r.Context(), r.run(), true)
	if err != nil {
		return nil, err
	}
	ref := r.path["ref"]
	for _, t := range slices.Backward(run.Tasks) {
		if t.Ref == ref {
			return nothing{}, a.jumpBack(r, run, t, input)
		}
	}
	return nothing{}, a.jumpAhead(r, run, ref, input)
}

func (a *API) jumpBack(r *request, run *flow.Run, to *flow.Attempt, input flow.Map) error {
	if !run.State.Final() {
		event := flow.Terminate{Reason: "jumps back to " + to.Ref}
		if err := a.Runner.Do(r.Context(), run.ID, event); err != nil {
			return err
		}
	}
	return a.Runner.Do(r.Context(), run.ID, flow.Rerun{From: to.ID, TaskInput: input})
}

func (a *API) jumpAhead(r *request, run *flow.Run, ref string, input flow.Map) error {
	tasks := run.Definition.Tasks
	to := slices.IndexFunc(tasks, func(t *flow.Task) bool { return t.Ref == ref })
	if to < 0 {
		return missing("the workflow %s has no task %s outside of branches and loops", run.Definition.Name, ref)
	}
	refuse := func(format string, args ...any) error {
		return &runner.Error{Kind: runner.ErrConflict, Message: fmt.Sprintf(format, args...)}
	}
	if len(input) > 0 {
		return refuse("input can be given only for a task that was begun before")
	}
	var open *flow.Attempt
	for _, t := range run.Tasks {
		if t.Status.Final() {
			continue
		}
		at := slices.IndexFunc(tasks, func(of *flow.Task) bool { return of.Ref == t.Ref })
		if at < 0 || open != nil || holds(t.Type) {
			return refuse("the run is within %s: it can be left only from a task outside of branches and loops", t.Ref)
		}
		open = t
	}
	if run.State != flow.Running || open == nil {
		return refuse("the run is %s and at no task", run.State)
	}
	from := slices.IndexFunc(tasks, func(t *flow.Task) bool { return t.Ref == open.Ref })
	for _, t := range tasks[from+1 : to] {
		if err := a.Runner.Do(r.Context(), run.ID, flow.Skip{Ref: t.Ref}); err != nil {
			return err
		}
	}
	return a.Runner.Report(r.Context(), run.ID, flow.Reported{Task: open.ID, Status: flow.Skipped})
}

// holds says whether tasks of a type have others within them.
func holds(kind string) bool {
	switch kind {
	case flow.TypeFork, flow.TypeForkDynamic, flow.TypeDoWhile, flow.TypeSwitch, flow.TypeSubWorkflow:
		return true
	}
	return false
}

// upgrade is refused: a run keeps the definition that it began with until it is restarted.
func (a *API) upgrade(*request) (any, error) {
	return nil, &failure{
		status: http.StatusNotImplemented, code: "NOT_IMPLEMENTED",
		message: "a run keeps the definition that it began with; restart?useLatestDefinitions=true takes the latest",
	}
}
