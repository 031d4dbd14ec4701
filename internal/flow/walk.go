package flow

import (
	"strconv"
	"strings"
)

// scope is where in the loops a task is begun: its suffix goes behind the reference names.
type scope struct {
	suffix string // "" outside of loops, "__3" in the third turn, "__3__1" in the first of a loop within it
	turn   int
}

func (s scope) inner(turn int) scope { return scope{s.suffix + "__" + strconv.Itoa(turn), turn} }

// outer is the suffix without its last turn.
func outer(suffix string) string {
	if i := strings.LastIndex(suffix, "__"); i >= 0 {
		return suffix[:i]
	}
	return ""
}

// bareRef is the reference name as the definition has it.
func bareRef(a *Attempt) string {
	if a.Task != nil {
		return a.Task.Ref
	}
	ref := a.Ref
	for a.Iteration > 0 {
		i := strings.LastIndex(ref, "__")
		if i <= 0 {
			break
		}
		if _, err := strconv.Atoi(ref[i+2:]); err != nil {
			break
		}
		ref = ref[:i]
	}
	return ref
}

// scopeOf is the scope that a was begun in.
func scopeOf(a *Attempt) scope {
	s := scope{suffix: strings.TrimPrefix(a.Ref, a.Task.Ref)}
	if s.suffix != "" {
		s.turn, _ = strconv.Atoi(s.suffix[strings.LastIndex(s.suffix, "_")+1:])
	}
	return s
}

// index finds the latest attempt by reference name. Small runs do without.
type index struct{ full, bare map[string]*Attempt }

// indexFrom is how many attempts make an index worth its memory.
const indexFrom = 24

func (x *index) add(a *Attempt) {
	x.full[a.Ref] = a
	x.bare[bareRef(a)] = a
}

func (r *Run) indexed() *index {
	if r.mem.index == nil && len(r.Tasks) >= indexFrom {
		r.mem.index = &index{make(map[string]*Attempt, len(r.Tasks)), make(map[string]*Attempt, len(r.Tasks))}
		for _, a := range r.Tasks {
			r.mem.index.add(a)
		}
	}
	return r.mem.index
}

// latest is the last attempt at the task with that reference name, suffix and all; nil if there was none.
func (r *Run) latest(ref string) *Attempt {
	if x := r.indexed(); x != nil {
		return x.full[ref]
	}
	for i := len(r.Tasks) - 1; i >= 0; i-- {
		if r.Tasks[i].Ref == ref {
			return r.Tasks[i]
		}
	}
	return nil
}

// latestBare is the last attempt at the task of that name in the definition, in whatever turn of a loop.
func (r *Run) latestBare(ref string) *Attempt {
	if x := r.indexed(); x != nil {
		return x.bare[ref]
	}
	for i := len(r.Tasks) - 1; i >= 0; i-- {
		if bareRef(r.Tasks[i]) == ref {
			return r.Tasks[i]
		}
	}
	return nil
}

// seen is the attempt that a task in scope s means by a reference name: of its own turn, of the turns around it, else
// the latest.
func (r *Run) seen(ref string, s scope) *Attempt {
	for suffix := s.suffix; ; suffix = outer(suffix) {
		if a := r.latest(ref + suffix); a != nil {
			return a
		}
		if suffix == "" {
			return r.latestBare(ref)
		}
	}
}

// verdict is how far a task, or a line of them, has come.
type verdict int

const (
	waits   verdict = iota // something of it is under way
	passed                 // what follows may begin
	stopped                // the run is over or must not go on
)

// advance goes through the definition and begins whatever can begin now. All it goes by is the attempts, so that a run
// read from disk goes on like one that never left.
func (r *Run) advance() {
	for {
		before := r.mem.moves
		if r.line(r.Definition.Tasks, scope{}) == passed && !r.busy() && r.State == Running {
			r.complete()
		}
		if r.State != Running || r.mem.moves == before {
			return
		}
	}
}

// busy says whether any attempt is under way.
func (r *Run) busy() bool {
	for _, a := range r.mem.live {
		if !a.Status.Final() {
			return true
		}
	}
	return false
}

// fork is what stands before a join.
type fork struct {
	task *Task // nil: it is none
	open bool  // its branches are not all through
}

// line goes through tasks that follow each other. What follows a fork begins with it if it is the join.
func (r *Run) line(tasks []*Task, s scope) verdict {
	var before fork
	for i, t := range tasks {
		v := r.visit(t, s, before)
		before = fork{}
		if forks(t) {
			before = fork{task: t, open: v == waits}
		}
		if before.open && i+1 < len(tasks) && joins(tasks[i+1]) {
			continue
		}
		if v != passed {
			return v
		}
	}
	return passed
}

func forks(t *Task) bool { return t.Type == TypeFork || t.Type == TypeForkDynamic }
func joins(t *Task) bool { return t.Type == TypeJoin || t.Type == TypeExclusiveJoin }

// visit begins a task, or looks after it.
func (r *Run) visit(t *Task, s scope, before fork) verdict {
	a := r.latest(t.Ref + s.suffix)
	if a == nil {
		if a = r.schedule(t, s); a == nil {
			return stopped
		}
	}
	if !a.Status.Final() {
		switch a.Type {
		case TypeDoWhile:
			if v := r.loop(a, s); v != passed {
				return v
			}
		case TypeJoin:
			r.join(a, s, before)
		case TypeExclusiveJoin:
			r.exclusiveJoin(a, s)
		}
	}
	switch {
	case r.State != Running:
		return stopped
	case !a.Status.Final():
		return waits
	case !a.Status.Good():
		return r.failed(a)
	case a.Status == Skipped:
		return passed
	}
	return r.within(a, s)
}

// within goes through what a finished SWITCH or fork has begun.
func (r *Run) within(a *Attempt, s scope) verdict {
	switch a.Type {
	case TypeSwitch:
		return r.line(chosen(a), s)
	case TypeFork:
		return r.branches(a.Task.ForkTasks, s)
	case TypeForkDynamic:
		return r.dynamicBranches(a, s)
	}
	return passed
}

// branches goes through lines that run beside each other.
func (r *Run) branches(lines [][]*Task, s scope) verdict {
	all := passed
	for _, tasks := range lines {
		switch r.line(tasks, s) {
		case stopped:
			return stopped
		case waits:
			all = waits
		}
	}
	return all
}
