package flow

import (
	"fmt"
	"slices"
	"strings"
)

// join ends a JOIN when everything it waits for is through, or cannot come any more.
func (r *Run) join(a *Attempt, s scope, before fork) {
	refs, pending := r.joined(a, s, before), false
	var bad []string
	output := Map{}
	for _, ref := range refs {
		x := r.near(ref, s)
		switch {
		case x == nil:
			pending = pending || before.task == nil || before.open
		case !x.Status.Final():
			pending = true
		case x.Status.Good():
			output[ref] = x.Output
			if v := r.within(x, s); v == stopped {
				return
			} else if v == waits {
				pending = true
			}
		case x.Task.Permissive:
			bad = append(bad, strings.TrimSpace(ref+": "+x.Reason))
		default:
			pending = true // to be tried again, or the end of the run
		}
	}
	if pending {
		return
	}
	if !fits(output, MaxOutput) {
		bad = append(bad, fmt.Sprintf("what it joins has more than %d bytes", MaxOutput))
		output = nil
	}
	a.Output = output
	if len(bad) > 0 {
		r.finish(a, TaskFailed, strings.Join(bad, "; "))
		return
	}
	r.finish(a, TaskCompleted, "")
}

// joined are the reference names that a JOIN waits for: those that it names, those of the dynamic fork before it, or
// the last of every branch. They are written into its input.
func (r *Run) joined(a *Attempt, s scope, before fork) []string {
	if list, ok := a.Input["joinOn"]; ok {
		return texts(list)
	}
	refs := slices.Clone(a.Task.JoinOn)
	if before.task != nil {
		switch {
		case before.task.Type == TypeForkDynamic:
			refs = nil
			if f := r.latest(before.task.Ref + s.suffix); f != nil {
				refs = texts(f.Input["forkedTasks"])
			}
		case len(refs) == 0:
			for _, branch := range before.task.ForkTasks {
				if len(branch) > 0 {
					refs = append(refs, branch[len(branch)-1].Ref)
				}
			}
		}
	}
	list := make([]any, len(refs))
	for i, ref := range refs {
		list[i] = ref
	}
	r.touch(a)
	a.Input = merged(a.Input, Map{"joinOn": list})
	return refs
}

// near is the attempt that a reference name means in a join: of the same turn of a loop, else of none.
func (r *Run) near(ref string, s scope) *Attempt {
	if a := r.latest(ref + s.suffix); a != nil || s.suffix == "" {
		return a
	}
	return r.latest(ref)
}

// exclusiveJoin ends an EXCLUSIVE_JOIN with the first of the tasks it names that was begun, when that is through.
func (r *Run) exclusiveJoin(a *Attempt, s scope) {
	x := r.firstBegun(a.Task.JoinOn, s)
	if x == nil {
		x = r.firstBegun(a.Task.DefaultJoinTask, s)
	}
	switch {
	case x == nil:
		if !slices.ContainsFunc(r.mem.live, func(o *Attempt) bool { return o != a && !o.Status.Final() }) {
			r.finish(a, FailedTerminally, "none of the tasks that it joins was begun")
		}
	case !x.Status.Final():
	case x.Status.Good():
		if r.within(x, s) == passed {
			a.Output = x.Output
			r.finish(a, TaskCompleted, "")
		}
	case x.Task.Permissive:
		r.finish(a, TaskFailed, x.Ref+": "+x.Reason)
	}
}

func (r *Run) firstBegun(refs []string, s scope) *Attempt {
	for _, ref := range refs {
		if x := r.near(ref, s); x != nil && x.Status != Skipped {
			return x
		}
	}
	return nil
}

// planned is one branch of a dynamic fork.
type planned struct {
	task  *Task
	input Map // goes over what the task's own template gives
}

// forkDynamic begins a FORK_JOIN_DYNAMIC: it reads what the branches are to be. advance begins them.
func (r *Run) forkDynamic(a *Attempt) {
	plan, err := r.plan(a)
	if err != nil {
		r.finish(a, FailedTerminally, err.Error())
		return
	}
	refs := make([]any, len(plan))
	for i, p := range plan {
		refs[i] = p.task.Ref
	}
	a.Input = merged(a.Input, Map{"forkedTasks": refs})
	r.finish(a, TaskCompleted, "")
}

// plan reads the branches out of the input of a dynamic fork. What is read came by value, so that references to secrets
// in it have been made harmless already.
func (r *Run) plan(a *Attempt) (plan []planned, err error) {
	if list, ok := a.Input["forkTaskInputs"].([]any); ok {
		plan = r.planOfOne(a, list)
	} else if plan, err = planOfTasks(a); err != nil {
		return nil, err
	}
	if len(plan) > MaxFanOut {
		return nil, fmt.Errorf("a dynamic fork may have %d branches, not %d", MaxFanOut, len(plan))
	}
	used := map[string]bool{}
	eachTask(r.Definition.Tasks, func(t *Task) { used[t.Ref] = true })
	for _, p := range plan {
		if used[p.task.Ref] {
			return nil, fmt.Errorf("the reference name %q of a branch is used already", p.task.Ref)
		}
		used[p.task.Ref] = true
	}
	return plan, nil
}

// planOfOne is a fork that does one task, or one workflow, with every member of a list.
func (r *Run) planOfOne(a *Attempt, list []any) []planned {
	workflow, _ := a.Input["forkTaskWorkflow"].(string)
	kind, _ := a.Input["forkTaskType"].(string)
	name, _ := a.Input["forkTaskName"].(string)
	if name == "" && kind != TypeSimple {
		name = kind
	}
	if name == "" {
		name = a.Task.Ref
	}
	if kind == "" {
		kind = TypeSimple
	}
	plan := make([]planned, len(list))
	for i, v := range list {
		t := &Task{Name: name, Ref: fmt.Sprintf("_%s_%d", name, i), Type: kind, Optional: a.Task.Optional}
		if workflow != "" {
			t.Type, t.Name = TypeSubWorkflow, workflow
			t.SubWorkflow = &SubWorkflow{Name: workflow, Version: a.Input["forkTaskWorkflowVersion"]}
		}
		input, ok := v.(Map)
		if !ok {
			input = Map{"input": v}
		}
		plan[i] = planned{t, merged(input, Map{"__index": int64(i)})}
	}
	return plan
}

func planOfTasks(a *Attempt) ([]planned, error) {
	param := a.Task.DynamicForkTasksParam
	list, ok := a.Input[param].([]any)
	if !ok && a.Input[param] != nil {
		return nil, fmt.Errorf("dynamicForkTasksParam: the input %q is no list of tasks", param)
	}
	inputs, ok := a.Input[a.Task.DynamicForkTasksInputParam].(Map)
	if !ok && a.Input[a.Task.DynamicForkTasksInputParam] != nil {
		return nil, fmt.Errorf("dynamicForkTasksInputParamName: the input %q is no object",
			a.Task.DynamicForkTasksInputParam)
	}
	plan := make([]planned, len(list))
	for i, v := range list {
		t, err := taskOf(v)
		if err != nil {
			return nil, fmt.Errorf("dynamicForkTasksParam: %q[%d]: %w", param, i, err)
		}
		input, _ := inputs[t.Ref].(Map)
		plan[i] = planned{t, input}
	}
	return plan, nil
}

// dynamicBranches goes through what a dynamic fork has begun, and begins what is missing.
func (r *Run) dynamicBranches(a *Attempt, s scope) verdict {
	all := passed
	var plan []planned
	for i, ref := range texts(a.Input["forkedTasks"]) {
		x := r.latest(ref + s.suffix)
		if x == nil && plan == nil {
			if plan, _ = r.plan(a); plan == nil {
				return passed
			}
		}
		t := (*Task)(nil)
		if x != nil {
			t = x.Task
		} else {
			t = plan[i].task
			r.mem.extra = map[string]Map{t.Ref: plan[i].input}
		}
		v := r.visit(t, s, fork{})
		r.mem.extra = nil
		if v == stopped {
			return stopped
		} else if v == waits {
			all = waits
		}
	}
	return all
}
