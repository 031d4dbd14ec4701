package flow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// beginLoop begins a DO_WHILE with its first turn, or ends it at once if it goes over an empty list.
func (r *Run) beginLoop(a *Attempt) {
	if a.Task.Items != nil {
		items, err := resolveWithin(a.Task.Items, r.lookup(scopeOf(a), a.ID))
		if err != nil {
			r.finish(a, FailedTerminally, "items: "+err.Error())
			return
		}
		a.Input = merged(a.Input, Map{"items": items})
	}
	items, given := a.items()
	if given && items == nil {
		r.finish(a, FailedTerminally, "items is no list")
		return
	}
	a.Output = Map{"iteration": int64(0)}
	if given && len(items) == 0 {
		a.Iteration = 0
		r.finish(a, TaskCompleted, "")
		return
	}
	r.turn(a, 1)
}

// items is the list that a loop goes over, if it goes over one; nil and true if what is given is none.
func (a *Attempt) items() (list []any, given bool) {
	v, given := a.Input["items"]
	if !given || (v == nil && a.Task.LoopCondition != "" && a.Task.Items == nil) {
		return nil, false
	}
	list, ok := v.([]any)
	if ok && list == nil {
		list = []any{}
	}
	return list, true
}

// turn begins a turn of a loop: what is within it is begun by advance. The loop's own Iteration is the turn it is at.
func (r *Run) turn(a *Attempt, n int) {
	if n > MaxTurns {
		r.finish(a, FailedTerminally, fmt.Sprintf("a loop may take %d turns", MaxTurns))
		return
	}
	r.touch(a)
	a.Iteration = n
	output := maps.Clone(a.Output)
	output["iteration"] = int64(n)
	if items, given := a.items(); given {
		output["loopIndex"], output["loopItem"] = int64(n-1), Plain(items[n-1])
	}
	a.Output = output
}

// loop goes through the tasks of the turn that a loop is at, and asks whether there is to be another.
func (r *Run) loop(a *Attempt, s scope) verdict {
	for !a.Status.Final() {
		if a.asked() {
			return waits
		}
		if v := r.line(a.Task.LoopOver, s.inner(a.Iteration)); v != passed {
			return v
		}
		r.record(a, s.inner(a.Iteration))
		if a.Status.Final() {
			break
		}
		switch {
		case a.Task.LoopCondition == "":
			r.decided(a, true)
		case a.Task.EvaluatorType == EvaluatorValueParam:
			r.decided(a, PlainMap(a.Input)[a.Task.LoopCondition])
		default:
			r.ask(a)
		}
	}
	return passed
}

// asked says whether a loop waits for its condition: what the turn gave is in its output by then.
func (a *Attempt) asked() bool {
	_, asked := a.Output[strconv.Itoa(a.Iteration)]
	return asked
}

// record writes what a turn gave into the output of the loop, and lets go of older ones if only some are to be kept.
func (r *Run) record(a *Attempt, inner scope) {
	r.touch(a)
	turn := Map{}
	eachTask(a.Task.LoopOver, func(t *Task) {
		if x := r.latest(t.Ref + inner.suffix); x != nil {
			turn[t.Ref] = x.Output
		}
	})
	output := maps.Clone(a.Output)
	output[strconv.Itoa(a.Iteration)] = turn
	keep := int64(a.Task.KeepLastN)
	if n, ok := number(a.Input["keepLastN"]); ok {
		keep = n
	}
	if keep > 0 {
		delete(output, strconv.Itoa(a.Iteration-int(keep)))
	}
	if !fits(output, MaxOutput) {
		r.finish(a, FailedTerminally,
			fmt.Sprintf("its turns gave more than %d bytes: keepLastN keeps only the last ones", MaxOutput))
		return
	}
	a.Output = output
}

// loopInput is what a loop's condition sees: its input, its output and those of its tasks in this turn.
func (r *Run) loopInput(a *Attempt) Map {
	input := merged(PlainMap(a.Input), Map{a.Task.Ref: a.Output})
	inner := scopeOf(a).inner(a.Iteration)
	eachTask(a.Task.LoopOver, func(t *Task) {
		if x := r.latest(t.Ref + inner.suffix); x != nil {
			input[t.Ref] = x.Output
		}
	})
	return input
}

// decided goes on with a loop after a turn.
func (r *Run) decided(a *Attempt, more Value) {
	items, given := a.items()
	endless := a.Task.LoopCondition == "" && !given
	if !truthy(more) || endless || (given && a.Iteration >= len(items)) {
		r.finish(a, TaskCompleted, "")
		return
	}
	r.turn(a, a.Iteration+1)
}

// truthy is what counts as yes in the answer of a condition.
func truthy(v Value) bool {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v == "true"
	}
	return false
}

// inside gives the turn of loop a that an attempt is in; 0: in none. Gone are attempts that are no longer the run's.
func (r *Run) inside(a *Attempt, gone []*Attempt) func(*Attempt) int {
	refs := map[string]bool{}
	add := func(t *Task) { refs[t.Ref] = true }
	eachTask(a.Task.LoopOver, add)
	branches := map[string]bool{} // of dynamic forks, which may hold more tasks
	for _, x := range slices.Concat(r.Tasks, gone) {
		if branches[x.Task.Ref] {
			eachTask([]*Task{x.Task}, add)
		}
		if x.Type == TypeForkDynamic && refs[x.Task.Ref] {
			for _, ref := range texts(x.Input["forkedTasks"]) {
				branches[ref] = true
			}
		}
	}
	prefix := scopeOf(a).suffix + "__"
	return func(x *Attempt) int {
		rest, ok := strings.CutPrefix(scopeOf(x).suffix, prefix)
		if !ok || !refs[x.Task.Ref] {
			return 0
		}
		turn, _, _ := strings.Cut(rest, "__")
		n, _ := number(turn)
		return int(n)
	}
}

// leave ends what is under way within a loop that is ended from outside.
func (r *Run) leave(a *Attempt, status Status) {
	inside := r.inside(a, nil)
	for _, x := range r.mem.live {
		if inside(x) == 0 || x.Status.Final() {
			continue
		}
		r.withdraw(x)
		r.finish(x, Skipped, "")
		x.Reason = "the loop " + a.Ref + " was reported " + string(status)
	}
}
