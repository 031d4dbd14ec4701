package flow

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/go-json-experiment/json"
)

// taskOf reads a task that came as a value.
func taskOf(v Value) (*Task, error) {
	if _, ok := v.(Map); !ok {
		return nil, errors.New("it is no task")
	}
	t := &Task{}
	err := json.Unmarshal(Encode(v), t, JSON)
	if err == nil {
		err = noNullTasks([]*Task{t}, "")
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is no task: %w", err)
	case t.Ref == "":
		return nil, errors.New("it has no taskReferenceName")
	}
	return t, nil
}

// definitionOf reads a definition that came as a value; nil if there is none.
func definitionOf(v Value) (*Definition, error) {
	if v == nil {
		return nil, nil
	}
	d, _, err := Parse(Encode(v))
	if err != nil {
		return nil, fmt.Errorf("workflowDefinition: %w", err)
	}
	return d, nil
}

// askChild asks for the run that a SUB_WORKFLOW task waits for.
func (r *Run) askChild(a *Attempt) {
	req, err := r.childRequest(a)
	if err != nil {
		r.finish(a, FailedTerminally, err.Error())
		return
	}
	r.emit(StartRun{Task: a.ID, Wait: true, Request: req})
}

var errTooManyRuns = fmt.Errorf("runs may be only %d deep within each other", MaxRunDepth)

func (r *Run) childRequest(a *Attempt) (StartRequest, error) {
	p := a.Task.SubWorkflow
	if p == nil {
		p = &SubWorkflow{}
	}
	fill := func(v Value) Value { return resolve(v, r.lookup(scopeOf(a), a.ID)) }
	input := PlainMap(a.Input)
	req := StartRequest{
		CorrelationID: r.CorrelationID, TaskToDomain: p.TaskToDomain, Priority: r.Priority, Input: input,
		IdempotencyStrategy: p.IdempotencyStrategy, Depth: r.Depth + 1,
	}
	if req.Depth >= MaxRunDepth {
		return req, errTooManyRuns
	}
	if p.IdempotencyKey != "" {
		req.IdempotencyKey = asText(Plain(fill(p.IdempotencyKey)))
	}
	if len(req.TaskToDomain) == 0 {
		req.TaskToDomain = r.TaskToDomain
	}
	if own, ok := input["workflowInput"].(Map); ok && len(own) > 0 {
		req.Input = own
	}
	if n, ok := number(Plain(fill(p.Priority))); ok {
		req.Priority = int(n)
	}
	var err error
	definition := p.Definition
	if _, text := definition.(string); text {
		definition = fill(definition) // a definition written here is the child's to fill in
	}
	if req.Definition, err = definitionOf(definition); err != nil {
		return req, err
	}
	name, _ := Plain(fill(p.Name)).(string)
	version := Plain(fill(p.Version))
	if name == "" {
		name, _ = input["subWorkflowName"].(string)
		version = input["subWorkflowVersion"]
	}
	if req.Definition != nil {
		name, version = req.Definition.Name, int64(req.Definition.Version)
	}
	req.Name = name
	if n, ok := number(version); ok {
		req.Version = int(n)
	} else if isGiven(version) {
		return req, fmt.Errorf("subWorkflowParam.version: %s is no number", asText(version))
	}
	if req.Name == "" {
		return req, errors.New("subWorkflowParam names no workflow")
	}
	return req, nil
}

// askStart asks for the run that a START_WORKFLOW task starts and does not wait for.
func (r *Run) askStart(a *Attempt) {
	stored, ok := a.Input["startWorkflow"].(Map)
	if !ok {
		r.finish(a, FailedTerminally, "startWorkflow is missing or no object")
		return
	}
	plain := maps.Clone(PlainMap(stored))
	delete(plain, "workflowDef")
	var req StartRequest
	err := json.Unmarshal(Encode(plain), &req, JSON)
	if err == nil {
		req.Definition, err = definitionOf(stored["workflowDef"])
	}
	if err == nil && req.Definition != nil && req.Name == "" {
		req.Name, req.Version = req.Definition.Name, req.Definition.Version
	}
	switch {
	case err != nil:
		r.finish(a, FailedTerminally, "startWorkflow: "+err.Error())
		return
	case req.Name == "":
		r.finish(a, FailedTerminally, "startWorkflow names no workflow")
		return
	}
	if req.CorrelationID == "" {
		req.CorrelationID = r.CorrelationID
	}
	if len(req.TaskToDomain) == 0 {
		req.TaskToDomain = r.TaskToDomain
	}
	r.emit(StartRun{Task: a.ID, Request: req})
}

func (r *Run) childStarted(e ChildStarted) {
	a := r.attempt(e.Task)
	if a == nil || a.Status.Final() || r.State.Final() {
		return
	}
	r.touch(a)
	a.Child = e.Child
	if a.Type == TypeStartWorkflow {
		a.Output = Map{"workflowId": string(e.Child)}
		r.finish(a, TaskCompleted, "")
		return
	}
	a.Output = merged(a.Output, Map{"subWorkflowId": string(e.Child)})
}

func (r *Run) childEnded(e ChildEnded) {
	a := r.attempt(e.Task)
	if a == nil || a.Status.Final() || r.State.Final() || (a.Child != "" && e.Child != a.Child) {
		return
	}
	r.touch(a)
	if e.Child == "" {
		r.finish(a, TaskFailed, e.Reason)
		return
	}
	if a.Child = e.Child; a.Type != TypeSubWorkflow {
		return
	}
	a.Output = merged(e.Output, Map{"subWorkflowId": string(e.Child)})
	switch e.State {
	case Completed:
		r.finish(a, TaskCompleted, "")
	case TimedOut:
		r.finish(a, TaskTimedOut, e.Reason)
	case Terminated:
		r.finish(a, Canceled, e.Reason)
	default:
		r.finish(a, TaskFailed, e.Reason)
	}
}

// event is the name and the payload of what an EVENT task publishes.
func (r *Run) event(a *Attempt) (sink string, payload Map) {
	payload = merged(PlainMap(a.Input), Map{
		"workflowInstanceId": string(r.ID), "workflowType": r.Definition.Name,
		"workflowVersion": int64(r.Definition.Version), "correlationId": orNil(r.CorrelationID),
	})
	sink, _ = Plain(resolve(a.Task.Sink, r.lookup(scopeOf(a), a.ID))).(string)
	if sink == "" {
		sink, _ = payload["sink"].(string)
	}
	switch rest, of := strings.CutPrefix(sink, "conductor:"); {
	case sink == "conductor":
		sink = "conductor:" + r.Definition.Name + ":" + a.Ref
	case of:
		sink = "conductor:" + r.Definition.Name + ":" + rest
	}
	return sink, payload
}

func (r *Run) askPublish(a *Attempt) {
	sink, payload := r.event(a)
	if !strings.HasPrefix(sink, "conductor:") && !strings.HasPrefix(sink, "switchboard:") {
		r.finish(a, FailedTerminally, fmt.Sprintf("the sink %q is neither conductor: nor switchboard:", sink))
		return
	}
	r.emit(Publish{a.ID, sink, payload})
}

func (r *Run) eventOutput(a *Attempt) Map {
	sink, payload := r.event(a)
	return merged(payload, Map{"event_produced": sink})
}

func (r *Run) askUpdate(a *Attempt) {
	input := PlainMap(a.Input)
	u := Update{Task: a.ID}
	u.Output, _ = input["taskOutput"].(Map)
	for key, to := range map[string]*string{
		"taskId": (*string)(&u.Target), "workflowId": (*string)(&u.Run), "taskRefName": &u.Ref,
		"taskStatus": (*string)(&u.Status),
	} {
		*to, _ = input[key].(string)
	}
	switch {
	case u.Target == "" && (u.Run == "" || u.Ref == ""):
		r.finish(a, FailedTerminally, "give taskId, or workflowId and taskRefName")
	case !u.Status.known():
		r.finish(a, FailedTerminally, fmt.Sprintf("taskStatus %q is no status", u.Status))
	default:
		r.emit(u)
	}
}

func (r *Run) askFetch(a *Attempt) {
	input := PlainMap(a.Input)
	id, _ := input["id"].(string)
	if id == "" {
		id, _ = input["workflowId"].(string)
	}
	if id == "" {
		r.finish(a, FailedTerminally, "id is missing or no text")
		return
	}
	r.emit(Fetch{a.ID, RunID(id), truthy(input["includeTasks"])})
}

// askTerminate ends other runs. The attempt lasts until the next tick, so that a crash in between repeats the orders.
func (r *Run) askTerminate(a *Attempt) {
	input := PlainMap(a.Input)
	ids := texts(input["workflowId"])
	if len(ids) == 0 {
		r.finish(a, FailedTerminally, "workflowId names no run")
		return
	}
	reason, _ := input["terminationReason"].(string)
	if reason == "" {
		reason = "ended by the run " + string(r.ID)
	}
	for _, id := range ids {
		r.emit(Order{RunID(id), Terminate{Reason: reason, Failure: truthy(input["triggerFailureWorkflow"])}})
	}
	a.DueAt = r.mem.now
}

// pollSettings are those of an HTTP_POLL task.
func pollSettings(a *Attempt) Map {
	input := PlainMap(a.Input)
	if inner, ok := input["http_request"].(Map); ok {
		return inner
	}
	return input
}

// polledOnce takes the answer to one request of an HTTP_POLL task and asks whether that was the last.
func (r *Run) polledOnce(a *Attempt) {
	if !a.DueAt.IsZero() {
		return // the same answer a second time
	}
	a.Polls++
	condition, _ := pollSettings(a)["terminationCondition"].(string)
	if condition == "" {
		r.finish(a, TaskCompleted, "")
		return
	}
	a.Status = InProgress
	r.emit(Evaluate{a.ID, JavaScript, condition, Map{"output": a.Output, "input": PlainMap(a.Input)}})
}

// pollDecided goes on with an HTTP_POLL task: yes ends it well, -1 badly, anything else asks again after a while.
func (r *Run) pollDecided(a *Attempt, v Value) {
	settings := pollSettings(a)
	limit, ok := number(settings["maxPollCount"])
	if !ok || limit <= 0 {
		limit = MaxPolls
	}
	switch n, isNumber := number(v); {
	case isNumber && n < 0:
		r.finish(a, TaskFailed, "its terminationCondition gave up")
		return
	case truthy(v):
		r.finish(a, TaskCompleted, "")
		return
	case int64(a.Polls) >= limit:
		r.finish(a, TaskFailed, fmt.Sprintf("its terminationCondition did not hold after %d requests", a.Polls))
		return
	}
	r.touch(a)
	every := PollEvery
	if n, ok := number(settings["pollingInterval"]); ok {
		every = max(seconds(n), MinPolling)
	}
	switch settings["pollingStrategy"] {
	case RetryLinear:
		every *= min(seconds(int64(a.Polls))/MinPolling, MaxDelay/every)
	case RetryExponential:
		for range min(a.Polls-1, 64) {
			every = min(2*every, MaxDelay)
		}
	}
	a.DueAt = r.mem.now.Add(min(every, MaxDelay))
}
