package flow

import (
	"fmt"
	"time"
)

// begin carries out an attempt whose time has come, or asks for it to be.
func (r *Run) begin(a *Attempt) {
	r.touch(a)
	a.DueAt = r.dueOfWorkers(a)
	if a.Type == TypeSimple {
		r.offer(a)
		return
	}
	a.Status = InProgress
	r.startClock(a)
	switch a.Type {
	case TypeHTTP, TypeHTTPPoll, TypeInline, TypeJQ, TypeSubWorkflow, TypeStartWorkflow, TypeEvent, TypeUpdateTask,
		TypeGetWorkflow, TypeTerminateRuns:
		r.ask(a)
	case TypeHuman, TypeWaitForWebhook, TypeJoin, TypeExclusiveJoin:
	case TypeWait:
		r.beginWait(a)
	case TypeNoop, TypeFork:
		r.finish(a, TaskCompleted, "")
	case TypeSetVariable:
		r.setVariable(a)
	case TypeSwitch:
		r.beginSwitch(a)
	case TypeTerminate:
		r.terminateTask(a)
	case TypeDoWhile:
		r.beginLoop(a)
	case TypeForkDynamic:
		r.forkDynamic(a)
	default:
		r.finish(a, FailedTerminally, fmt.Sprintf("the task type %s is not run", a.Type))
	}
}

// dueOfWorkers keeps the time from which outside workers may take an attempt; for all others it is over.
func (r *Run) dueOfWorkers(a *Attempt) time.Time {
	if a.Type == TypeSimple && a.DueAt.After(r.mem.now) {
		return a.DueAt
	}
	return time.Time{}
}

func (r *Run) startClock(a *Attempt) {
	if a.StartedAt.IsZero() {
		a.StartedAt = r.mem.now
	}
	if a.FirstAt.IsZero() {
		a.FirstAt = r.mem.now
	}
}

// ask gives the order that an attempt under way waits for, and gives it again after a crash.
func (r *Run) ask(a *Attempt) {
	switch a.Type {
	case TypeHTTP, TypeHTTPPoll:
		r.emit(Call{Task: a.copied()})
	case TypeInline:
		r.askInline(a)
	case TypeJQ:
		input := PlainMap(a.Input)
		query, _ := input["queryExpression"].(string)
		r.askScript(a, JQ, query, "queryExpression", input)
	case TypeSwitch:
		r.emit(Evaluate{a.ID, JavaScript, a.Task.Expression, PlainMap(a.Input)})
	case TypeDoWhile:
		r.emit(Evaluate{a.ID, JavaScript, a.Task.LoopCondition, r.loopInput(a)})
	case TypeSubWorkflow:
		r.askChild(a)
	case TypeStartWorkflow:
		r.askStart(a)
	case TypeEvent:
		r.askPublish(a)
	case TypeUpdateTask:
		r.askUpdate(a)
	case TypeGetWorkflow:
		r.askFetch(a)
	case TypeTerminateRuns:
		r.askTerminate(a)
	}
}

func (r *Run) offer(a *Attempt) { r.emit(Offer{Task: a.copied(), Queue: a.Name}) }

func (r *Run) askScript(a *Attempt, language Language, script, from string, input Map) {
	if script == "" {
		r.finish(a, FailedTerminally, from+" is missing or no text")
		return
	}
	r.emit(Evaluate{a.ID, language, script, input})
}

// askInline has the script of an INLINE task run. value-param needs none: it names a member of the input.
func (r *Run) askInline(a *Attempt) {
	input := PlainMap(a.Input)
	kind, _ := input["evaluatorType"].(string)
	if kind == "" {
		kind = a.Task.EvaluatorType
	}
	expression, _ := input["expression"].(string)
	for _, other := range []string{a.Task.Expression, a.Task.ScriptExpression} {
		if expression == "" {
			expression = other
		}
	}
	if kind == EvaluatorValueParam {
		a.Output = Map{"result": input[expression]}
		r.finish(a, TaskCompleted, "")
		return
	}
	r.askScript(a, JavaScript, expression, "expression", input)
}

func (r *Run) setVariable(a *Attempt) {
	if err := r.setVariables(PlainMap(a.Input)); err != nil {
		r.finish(a, FailedTerminally, err.Error())
		return
	}
	r.finish(a, TaskCompleted, "")
}

func (r *Run) setVariables(with Map) error {
	variables := merged(r.Variables, with)
	if !fits(variables, MaxVariables) {
		return fmt.Errorf("the variables of a run may have %d bytes together", MaxVariables)
	}
	r.Variables = variables
	r.mem.moves++
	return nil
}

// beginSwitch chooses a case by a member of the input, or has a script choose it.
func (r *Run) beginSwitch(a *Attempt) {
	if a.Task.EvaluatorType == EvaluatorValueParam {
		r.choose(a, PlainMap(a.Input)[a.Task.Expression])
		return
	}
	r.ask(a)
}

func (r *Run) choose(a *Attempt, v Value) {
	name := asText(v)
	a.Output = Map{"evaluationResult": []any{name}, "selectedCase": name}
	r.finish(a, TaskCompleted, "")
}

// chosen are the tasks of the case that a SWITCH chose.
func chosen(a *Attempt) []*Task {
	name, ok := a.Output["selectedCase"].(string)
	if !ok {
		return nil // it failed and was optional
	}
	if tasks, ok := a.Task.DecisionCases[name]; ok {
		return tasks
	}
	return a.Task.DefaultCase
}

// terminateTask ends the run as a TERMINATE task says.
func (r *Run) terminateTask(a *Attempt) {
	input := PlainMap(a.Input)
	state := State(asText(input["terminationStatus"]))
	if state != Completed && state != Failed && state != Terminated {
		r.finish(a, FailedTerminally, "terminationStatus is none of COMPLETED, FAILED, TERMINATED")
		return
	}
	reason, _ := input["terminationReason"].(string)
	if reason == "" && state != Completed {
		reason = "the task " + a.Ref + " ended the run"
	}
	output, given := input["workflowOutput"]
	if m, ok := output.(Map); ok {
		a.Output = m
	} else if given && output != nil {
		a.Output = Map{"output": output}
	}
	r.finish(a, TaskCompleted, "")
	r.end(state, reason, nil)
	if a.Output != nil {
		r.Output = a.Output
	}
}

// polled notes that an outside worker took an attempt, or that ours began it: its time runs from now.
func (r *Run) polled(e Polled) {
	a := r.attempt(e.Task)
	if a == nil || a.Status.Final() || r.State.Final() {
		return
	}
	r.touch(a)
	a.Worker = e.Worker
	if a.Type != TypeSimple {
		a.StartedAt = r.mem.now
		return
	}
	a.PollCount++
	a.Status, a.DueAt, a.CallbackAfter = InProgress, time.Time{}, 0
	r.startClock(a)
}

// reported takes the outcome of an attempt, or news of it.
func (r *Run) reported(e Reported) {
	if r.refusedReport(e) != nil {
		return
	}
	a := r.attempt(e.Task)
	r.touch(a)
	if e.Worker != "" {
		a.Worker = e.Worker
	}
	if e.ExtendLease && !e.Status.Final() {
		return
	}
	if len(e.Output) > 0 {
		output := merged(a.Output, e.Output)
		if !fits(output, MaxOutput) {
			r.startClock(a)
			r.finish(a, FailedTerminally, fmt.Sprintf("its output has more than %d bytes", MaxOutput))
			return
		}
		a.Output = output
	}
	r.startClock(a)
	switch {
	case e.Status == TaskCompleted && a.Type == TypeHTTPPoll:
		r.polledOnce(a)
	case e.Status.Final():
		if a.Status == Scheduled || e.Status == Canceled {
			r.withdraw(a)
		}
		if a.Type == TypeDoWhile {
			r.leave(a, e.Status)
		}
		r.finish(a, e.Status, e.Reason)
	default:
		r.news(a, e)
	}
}

// news is a report that an attempt is not over: an outside worker gives it back for a while.
func (r *Run) news(a *Attempt, e Reported) {
	a.Reason = e.Reason
	if a.Type != TypeSimple {
		a.Status = InProgress
		return
	}
	a.Status = Scheduled
	a.CallbackAfter = max(e.CallbackAfter, 0)
	a.DueAt = r.after(a.CallbackAfter)
	r.offer(a)
}

// evaluated takes what a script came to.
func (r *Run) evaluated(e Evaluated) {
	a := r.attempt(e.Task)
	if a == nil || a.Status != InProgress || r.State.Final() {
		return
	}
	if e.Error != "" {
		a.Output = merged(a.Output, Map{"error": e.Error})
		r.finish(a, FailedTerminally, e.Error)
		return
	}
	if !fits(e.Value, MaxOutput) {
		r.finish(a, FailedTerminally, fmt.Sprintf("its output has more than %d bytes", MaxOutput))
		return
	}
	switch a.Type {
	case TypeInline:
		a.Output = Map{"result": e.Value}
		r.finish(a, TaskCompleted, "")
	case TypeJQ:
		list, _ := e.Value.([]any)
		a.Output = Map{"result": nil, "resultList": list}
		if len(list) > 0 {
			a.Output["result"] = list[0]
		}
		r.finish(a, TaskCompleted, "")
	case TypeSwitch:
		r.choose(a, e.Value)
	case TypeDoWhile:
		if a.asked() { // else it is the answer of a turn before
			r.decided(a, e.Value)
		}
	case TypeHTTPPoll:
		r.pollDecided(a, e.Value)
	}
}

func (r *Run) published(e Published) {
	a := r.attempt(e.Task)
	switch {
	case a == nil || a.Status != InProgress || a.Type != TypeEvent || r.State.Final():
	case e.Error != "":
		r.finish(a, TaskFailed, e.Error)
	case a.Task.AsyncComplete:
		r.touch(a)
		a.Output = r.eventOutput(a)
	default:
		a.Output = r.eventOutput(a)
		r.finish(a, TaskCompleted, "")
	}
}

// fits says whether v takes at most limit bytes, roughly as JSON counts them.
func fits(v Value, limit int) bool { return weigh(v, limit) >= 0 }

// weigh takes the size of v off left and stops below zero.
func weigh(v Value, left int) int {
	switch v := v.(type) {
	case string:
		return left - len(v) - 2
	case []any:
		left -= 2
		for _, x := range v {
			if left = weigh(x, left-1); left < 0 {
				return left
			}
		}
		return left
	case Map:
		left -= 2
		for key, x := range v {
			if left = weigh(x, left-len(key)-4); left < 0 {
				return left
			}
		}
		return left
	}
	return left - 4
}
