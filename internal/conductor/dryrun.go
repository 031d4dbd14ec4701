package conductor

import (
	"context"
	"regexp"
	"time"

	"switchboard/internal/flow"
)

// What bounds a dry run.
const (
	MaxDrySteps = 10_000
	MaxDryTime  = 20 * time.Second // of the clock on the wall: scripts are really run
)

// dry is a run that nobody else sees: time flies, requests and workers are what the caller says they answer.
type dry struct {
	run   *flow.Run
	now   time.Time
	mocks map[string][]mock
	steps int
	todo  []flow.Event
}

// mock is what a task of a dry run comes to.
type mock struct {
	Status        flow.Status `json:"status"`
	Output        flow.Map    `json:"output"`
	ExecutionTime int64       `json:"executionTime"` // milliseconds
}

// dryRun runs a workflow with made-up answers (docs/reference/automation-api.md, Dry runs).
func (a *API) dryRun(r *request) (any, error) {
	var in struct {
		flow.StartRequest
		Mocks map[string][]mock `json:"taskRefToMockOutput"`
	}
	if err := r.decode(&in, true); err != nil {
		return nil, err
	}
	def := in.Definition
	if def == nil {
		var ok bool
		if def, ok = a.Runner.Definition(in.Name, in.Version); !ok {
			return nil, noWorkflow(in.Name, in.Version)
		}
	} else if err := a.Runner.Check(def); err != nil {
		return nil, err
	}
	defs := map[string]*flow.TaskDef{}
	for _, d := range a.Runner.TaskDefs() {
		defs[d.Name] = d
	}
	for ref, mocks := range in.Mocks {
		for i := range mocks {
			if mocks[i].Status == "" {
				mocks[i].Status = flow.TaskCompleted
			}
			if _, err := statusOf(string(mocks[i].Status)); err != nil {
				return nil, invalid("taskRefToMockOutput/"+ref, "%v", err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), MaxDryTime)
	defer cancel()
	now := a.Now()
	d := &dry{run: flow.New("dry-run", in.StartRequest, def, defs, 1, now), now: now, mocks: in.Mocks}
	if err := a.play(ctx, d); err != nil {
		return nil, err
	}
	return runOf(d.run), nil
}

// play steps a dry run until nothing happens any more.
func (a *API) play(ctx context.Context, d *dry) error {
	d.run.Env = a.Environment.Map()
	d.todo = []flow.Event{flow.Begin{}}
	for {
		for len(d.todo) > 0 {
			event := d.todo[0]
			d.todo = d.todo[1:]
			if d.steps++; d.steps > MaxDrySteps || ctx.Err() != nil {
				return badRequest("a dry run may have %d steps and take %v", MaxDrySteps, MaxDryTime)
			}
			for _, effect := range d.run.Step(d.now, event) {
				a.pretend(ctx, d, effect)
			}
		}
		if d.run.State.Final() || d.answered() {
			if d.run.State.Final() {
				return nil
			}
			continue
		}
		next := d.run.Next()
		if next.IsZero() {
			return nil
		}
		if next.After(d.now) {
			d.now = next
		}
		d.todo = append(d.todo, flow.Tick{})
	}
}

// pretend carries out what needs nobody outside.
func (a *API) pretend(ctx context.Context, d *dry, effect flow.Effect) {
	switch e := effect.(type) {
	case flow.Evaluate:
		value, err := a.Evaluator.Evaluate(ctx, e.Language, e.Script, e.Input)
		done := flow.Evaluated{Task: e.Task, Value: value}
		if err != nil {
			done.Error = err.Error()
		}
		d.todo = append(d.todo, done)
	case flow.Publish:
		d.todo = append(d.todo, flow.Published{Task: e.Task})
	}
}

// turnOf is what attempts within loops have behind their reference name.
var turnOf = regexp.MustCompile(`__[0-9]+$`)

// answered reports on the first open task that the caller says something about; false: there is none.
func (d *dry) answered() bool {
	for _, t := range d.run.Tasks {
		ref := turnOf.ReplaceAllString(t.Ref, "")
		if t.Status.Final() || len(d.mocks[ref]) == 0 || t.DueAt.After(d.now) {
			continue
		}
		next := d.mocks[ref][0]
		d.mocks[ref] = d.mocks[ref][1:]
		d.now = d.now.Add(time.Duration(max(0, next.ExecutionTime)) * time.Millisecond)
		d.todo = append(d.todo, flow.Reported{Task: t.ID, Status: next.Status, Output: next.Output})
		return true
	}
	return false
}
