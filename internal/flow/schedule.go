package flow

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// started are the types that outside workers, people or other parts of the program carry out; the others are carried
// out within the step that schedules them.
var started = map[string]bool{
	TypeSimple: true, TypeHTTP: true, TypeHTTPPoll: true, TypeWait: true, TypeInline: true, TypeJQ: true,
	TypeSubWorkflow: true, TypeStartWorkflow: true, TypeHuman: true, TypeEvent: true, TypeUpdateTask: true,
	TypeGetWorkflow: true, TypeTerminateRuns: true, TypeWaitForWebhook: true,
}

// operators never are tried again: the same input would give the same result.
var operators = map[string]bool{
	TypeSwitch: true, TypeFork: true, TypeForkDynamic: true, TypeJoin: true, TypeExclusiveJoin: true, TypeDoWhile: true,
	TypeTerminate: true, TypeSetVariable: true, TypeNoop: true,
}

// schedule makes the first attempt at a task. It gives nil if the run ends instead.
func (r *Run) schedule(t *Task, s scope) *Attempt {
	if len(r.Tasks) >= MaxAttempts {
		r.end(Failed, fmt.Sprintf("the run has more than %d attempts at tasks", MaxAttempts), nil)
		return nil
	}
	a := r.newAttempt(t, s)
	if a.Status.Final() { // its input could not be filled in
		return a
	}
	a.DueAt = r.after(t.StartDelay)
	if !started[a.Type] {
		a.DueAt = time.Time{}
	}
	r.launch(a)
	if r.State.Final() {
		return nil
	}
	return a
}

// launch begins an attempt, now or when it is due. Outside workers are told at once: they wait by themselves.
func (r *Run) launch(a *Attempt) {
	if a.Type == TypeSimple || a.DueAt.IsZero() || !a.DueAt.After(r.mem.now) {
		r.begin(a)
	}
}

// after is so many seconds from now; the zero time if none are to pass.
func (r *Run) after(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return r.mem.now.Add(min(time.Duration(min(seconds, int64(MaxDelay/time.Second)))*time.Second, MaxDelay))
}

// newAttempt appends an attempt whose input is filled in, or failed at that.
func (r *Run) newAttempt(t *Task, s scope) *Attempt {
	a := &Attempt{
		ID: r.drawID(), Run: r.ID, Ref: t.Ref + s.suffix, Name: t.Name, Type: t.Type, Status: Scheduled,
		Task: t, Iteration: s.turn,
	}
	if a.Type == "" {
		a.Type = TypeSimple
	}
	input, err := r.fill(a, t.Input)
	a.Input = input
	switch {
	case err != nil:
	case t.Type == TypeDynamic:
		err = r.resolveDynamic(a)
	case t.InputExpression != nil:
		a.Input, err = r.fillWhole(a, t.InputExpression)
	}
	if extra, ok := r.mem.extra[t.Ref]; ok {
		a.Input = merged(a.Input, extra)
	}
	if with, ok := r.mem.with[a.Ref]; ok {
		a.Input = with
	}
	a.Def = r.taskDef(t, a.Name)
	a.Domain = r.domain(a.Name)
	r.append(a)
	if err != nil {
		r.finish(a, FailedTerminally, err.Error())
	}
	return a
}

func (r *Run) append(a *Attempt) {
	a.Seq = len(r.Tasks) + 1
	a.ScheduledAt = r.mem.now
	r.Tasks = append(r.Tasks, a)
	r.mem.live = append(r.mem.live, a)
	if r.mem.index != nil {
		r.mem.index.add(a)
	}
	r.touch(a)
}

// taskDef is what holds for tasks of that name: what the task itself brings, else what is registered.
func (r *Run) taskDef(t *Task, name string) *TaskDef {
	if t.Def != nil {
		return t.Def
	}
	return r.TaskDefs[name]
}

// domain is the group of workers that the starter of the run chose for tasks of that name; "*" is for all the others.
func (r *Run) domain(name string) string {
	if d, ok := r.TaskToDomain[name]; ok {
		return d
	}
	return r.TaskToDomain["*"]
}

// fill gives the input of a from its template and that of its task definition, which gives what is absent or null.
func (r *Run) fill(a *Attempt, template Map) (Map, error) {
	if def := r.taskDef(a.Task, a.Name); def != nil && len(def.InputTemplate) > 0 {
		whole := maps.Clone(def.InputTemplate)
		for key, v := range template {
			if _, ok := whole[key]; !ok || v != nil {
				whole[key] = v
			}
		}
		template = whole
	}
	return resolveMap(template, r.lookup(scopeOf(a), a.ID))
}

// fillWhole gives the input that one expression stands for.
func (r *Run) fillWhole(a *Attempt, expression Map) (Map, error) {
	path, _ := expression["expression"].(string)
	v, err := resolveWithin("${"+path+"}", r.lookup(scopeOf(a), a.ID))
	if err != nil {
		return Map{}, err
	}
	if input, ok := v.(Map); ok {
		return input, nil
	}
	return Map{}, fmt.Errorf("inputExpression: %s is no object", path)
}

// resolveDynamic finds what a DYNAMIC task is to be.
func (r *Run) resolveDynamic(a *Attempt) error {
	param := a.Task.DynamicTaskNameParam
	name, _ := Plain(a.Input[param]).(string)
	if name == "" {
		return fmt.Errorf("dynamicTaskNameParam: the input %q names no task", param)
	}
	a.Name, a.Type = name, TypeSimple
	if started[name] {
		a.Type = name
	}
	var err error
	a.Input, err = r.fill(a, a.Task.Input)
	return err
}

// lookup gives what expressions in scope s start from. own is the id of the task they are of.
func (r *Run) lookup(s scope, own TaskID) lookup {
	return func(name string) (Value, bool) {
		switch name {
		case "workflow":
			return r.asValue(), true
		case "CPEWF_TASK_ID":
			return string(own), true
		}
		if a := r.seen(name, s); a != nil {
			return a.asValue(), true
		}
		return nil, false
	}
}

// asValue is the run as ${workflow.} sees it.
func (r *Run) asValue() Map {
	m := Map{
		"input": r.Input, "output": r.Output, "variables": r.Variables, "env": r.Env, "status": string(r.State),
		"workflowId": string(r.ID), "correlationId": orNil(r.CorrelationID), "version": int64(r.Definition.Version),
		"workflowType": r.Definition.Name, "workflowName": r.Definition.Name,
		"parentWorkflowId": orNil(string(r.Parent)), "parentWorkflowTaskId": orNil(string(r.ParentTask)),
		"reasonForIncompletion": orNil(r.Reason), "priority": int64(r.Priority), "createdBy": orNil(r.CreatedBy),
		"createTime": r.Created.UnixMilli(), "updateTime": r.Updated.UnixMilli(),
		"taskToDomain": stringMap(r.TaskToDomain), "failedTaskId": orNil(string(r.FailedTask)),
		"schemaVersion": int64(SchemaVersion),
	}
	if len(r.Tasks) > 0 {
		m["startTime"] = r.Tasks[0].ScheduledAt.UnixMilli()
	}
	return m
}

// asValue is the attempt as ${ref.} sees it.
func (a *Attempt) asValue() Map {
	return Map{
		"input": PlainMap(a.Input), "output": a.Output, "status": string(a.Status), "taskId": string(a.ID),
		"retryCount": int64(a.Retry), "referenceTaskName": a.Ref, "taskType": a.Type, "taskDefName": a.Name,
		"seq": int64(a.Seq), "iteration": int64(a.Iteration), "pollCount": int64(a.PollCount),
		"scheduledTime": millis(a.ScheduledAt), "startTime": millis(a.StartedAt), "updateTime": millis(a.UpdatedAt),
		"endTime": millis(a.EndedAt), "reasonForIncompletion": orNil(a.Reason), "workerId": orNil(a.Worker),
		"subWorkflowId": orNil(string(a.Child)), "callbackAfterSeconds": a.CallbackAfter, "domain": orNil(a.Domain),
	}
}

func orNil(s string) Value {
	if s == "" {
		return nil
	}
	return s
}

func millis(t time.Time) Value {
	if t.IsZero() {
		return int64(0)
	}
	return t.UnixMilli()
}

func stringMap(m map[string]string) Value {
	if m == nil {
		return nil
	}
	out := Map{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// merged is a with b's members over it; neither is written to.
func merged(a, b Map) Map {
	if len(b) == 0 && a != nil {
		return a
	}
	out := make(Map, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// number is v as a whole number.
func number(v Value) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		n, ok := Number(v).(int64)
		return n, ok
	case string:
		var n int64
		if _, err := fmt.Sscanf(v, "%d", &n); err == nil && fmt.Sprint(n) == v {
			return n, true
		}
	}
	return 0, false
}

// texts is v as a list of texts; what is no text is left out.
func texts(v Value) []string {
	var out []string
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
	case []string:
		out = slices.Clone(v)
	}
	return out
}
