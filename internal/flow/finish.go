package flow

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// finish ends an attempt. What follows from it, advance finds.
func (r *Run) finish(a *Attempt, status Status, reason string) {
	r.touch(a)
	a.Status, a.EndedAt, a.DueAt, a.Executed = status, r.mem.now, time.Time{}, true
	a.Reason = ""
	if !status.Good() {
		a.Reason = reason
	}
}

// withdraw stops what goes on outside for an attempt that is about to end without it.
func (r *Run) withdraw(a *Attempt) {
	switch a.Type {
	case TypeSimple, TypeHTTP, TypeHTTPPoll, TypeInline, TypeJQ, TypeSwitch, TypeDoWhile:
		r.emit(Withdraw{a.ID})
	case TypeSubWorkflow:
		r.stopChild(a)
	}
}

// failed says how a run goes on after an attempt that ended badly: with another one, regardless, or not at all.
func (r *Run) failed(a *Attempt) verdict {
	if delay, again := r.again(a); again {
		if len(r.Tasks) >= MaxAttempts {
			r.end(Failed, fmt.Sprintf("the run has more than %d attempts at tasks", MaxAttempts), a)
			return stopped
		}
		r.retry(a, r.jittered(a.Def, delay))
		return waits
	}
	switch {
	case a.Task.Optional:
		r.touch(a)
		a.Status = CompletedWithErrors
		return passed
	case a.Task.Permissive:
		return passed
	}
	state := Failed
	switch a.Status {
	case TaskTimedOut:
		state = TimedOut
	case Canceled:
		state = Terminated
	}
	r.end(state, a.Reason, a)
	return stopped
}

// again says whether there is to be another attempt, and after how long.
func (r *Run) again(a *Attempt) (time.Duration, bool) {
	def := a.Def
	if def == nil || operators[a.Type] || (a.Status != TaskFailed && a.Status != TaskTimedOut) {
		return 0, false
	}
	count := def.RetryCount
	if a.Task.RetryCount != nil {
		count = *a.Task.RetryCount
	}
	if a.Retry >= count {
		return 0, false
	}
	delay := delayOf(def, a.Retry)
	if total := seconds(def.TotalTimeoutSeconds); total > 0 && !a.FirstAt.IsZero() &&
		!r.mem.now.Add(delay).Before(a.FirstAt.Add(total)) {
		return 0, false
	}
	return delay, true
}

// delayOf is how long the attempt after number retry (0: the first) has to wait, but for the jitter.
func delayOf(def *TaskDef, retry int) time.Duration {
	d := float64(max(def.RetryDelaySeconds, 0))
	switch def.RetryLogic {
	case RetryExponential:
		for range min(retry, 64) {
			d *= 2
		}
	case RetryLinear:
		d *= float64(max(def.BackoffScaleFactor, 1)) * float64(retry+1)
	}
	if def.MaxRetryDelaySeconds > 0 {
		d = min(d, float64(def.MaxRetryDelaySeconds))
	}
	return time.Duration(min(d, MaxDelay.Seconds())) * time.Second
}

func (r *Run) jittered(def *TaskDef, delay time.Duration) time.Duration {
	if jitter := min(def.BackoffJitterMs, MaxDelay.Milliseconds()); jitter > 0 {
		delay += time.Duration(r.draw()%uint64(jitter+1)) * time.Millisecond
	}
	return min(delay, MaxDelay)
}

// retry appends another attempt at the same task. Its input is filled in anew, over what it was.
func (r *Run) retry(a *Attempt, delay time.Duration) *Attempt {
	r.touch(a)
	a.Retried = true
	next := &Attempt{
		ID: r.drawID(), Run: r.ID, Ref: a.Ref, Name: a.Name, Type: a.Type, Status: Scheduled, Task: a.Task, Def: a.Def,
		Input: a.Input, Retry: a.Retry + 1, RetryOf: a.ID, Iteration: a.Iteration, Domain: a.Domain, FirstAt: a.FirstAt,
	}
	input, err := r.fill(next, a.Task.Input)
	if a.Task.InputExpression != nil && err == nil {
		input, err = r.fillWhole(next, a.Task.InputExpression)
	}
	next.Input = merged(a.Input, input)
	if with, ok := r.mem.with[a.Ref]; ok {
		next.Input = with
	}
	if delay > 0 {
		next.DueAt = r.mem.now.Add(delay)
	}
	r.append(next)
	if err != nil {
		r.finish(next, FailedTerminally, err.Error())
		return next
	}
	r.launch(next)
	return next
}

// complete ends a run of which nothing is left to do: it failed if a permissive task did.
func (r *Run) complete() {
	var reasons []string
	var first *Attempt
	for _, a := range r.bad() {
		if !a.Task.Permissive {
			continue // within a loop that was ended from outside
		}
		if first == nil {
			first = a
		}
		reasons = append(reasons, strings.TrimSpace(a.Ref+": "+a.Reason))
	}
	if first != nil {
		r.end(Failed, strings.Join(reasons, "; "), first)
		return
	}
	r.end(Completed, "", nil)
}

// end ends the run by itself. Because says which attempt it failed by, if any.
func (r *Run) end(state State, reason string, because *Attempt) {
	r.close(state, reason, because)
	if state != Completed {
		r.startFailure()
	}
	r.emit(Ended{state})
}

func (r *Run) close(state State, reason string, because *Attempt) {
	r.mem.moves++
	r.State, r.Reason, r.Ended, r.PausedAt = state, reason, r.mem.now, time.Time{}
	r.FailedTask, r.FailedRefs = "", nil
	if because != nil {
		r.FailedTask = because.ID
	}
	for _, a := range r.Tasks {
		if a.Status.Final() && !a.Status.Good() && !a.Retried && !slices.Contains(r.FailedRefs, a.Ref) {
			r.FailedRefs = append(r.FailedRefs, a.Ref)
		}
	}
	for _, a := range r.mem.live {
		if a.Status.Final() {
			continue
		}
		r.withdraw(a)
		r.finish(a, Canceled, reason)
	}
	r.Output = r.output(because)
}

func (r *Run) stopChild(a *Attempt) {
	if a.Type == TypeSubWorkflow && a.Child != "" {
		r.emit(Order{a.Child, Terminate{Reason: "the run that waits for it, " + string(r.ID) + ", has ended"}})
	}
}

// output is what the run comes to: what its definition says, else the output of the attempt it failed by, or of the
// last task.
func (r *Run) output(because *Attempt) Map {
	if len(r.Definition.Output) > 0 {
		output, err := resolveMap(r.Definition.Output, r.lookup(scope{}, ""))
		if err != nil {
			return Map{"error": "outputParameters: " + err.Error()}
		}
		return PlainMap(output)
	}
	if because == nil {
		because = r.last(r.Definition.Tasks)
	}
	if because == nil || because.Output == nil {
		return Map{}
	}
	return because.Output
}

// last is the attempt that a line of tasks ended with.
func (r *Run) last(tasks []*Task) *Attempt {
	for _, t := range slices.Backward(tasks) {
		a := r.latest(t.Ref)
		if a == nil {
			continue
		}
		if a.Type == TypeSwitch {
			if inner := r.last(chosen(a)); inner != nil {
				return inner
			}
		}
		return a
	}
	return nil
}

// startFailure starts the failure workflow of a run that ended badly. Its idempotency key makes a repeated order
// harmless.
func (r *Run) startFailure() {
	if r.Definition.FailureWorkflow == "" || r.Depth+1 >= MaxRunDepth {
		return
	}
	name, _ := Plain(resolve(r.Definition.FailureWorkflow, r.lookup(scope{}, ""))).(string)
	if name == "" {
		return
	}
	r.emit(StartRun{Request: StartRequest{
		Name: name, Version: r.Definition.FailureWorkflowVersion, CorrelationID: r.CorrelationID,
		TaskToDomain: r.TaskToDomain, Priority: r.Priority, Depth: r.Depth + 1,
		Input: merged(r.Input, Map{
			"workflowId": string(r.ID), "reason": r.Reason, "failureStatus": string(r.State),
			"failureTaskId": string(r.FailedTask),
		}),
		IdempotencyKey:      fmt.Sprintf("failure of %s after %d", r.ID, len(r.Tasks)),
		IdempotencyStrategy: "RETURN_EXISTING",
	}})
}

func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, 0), int64(10*MaxDelay/time.Second))) * time.Second
}
