package runner

import (
	"context"
	"fmt"
	"sync"

	"switchboard/internal/flow"
)

// gates keep the limits of definitions (rateLimitConfig): how many runs with the same key are under way. Those beyond
// wait, in the order in which they came, before their first task.
type gates struct {
	mu    sync.Mutex
	byKey map[string]*gate
}

type gate struct {
	running map[flow.RunID]bool
	waiting []flow.RunID
}

func (g *gates) of(key string) *gate {
	if g.byKey == nil {
		g.byKey = map[string]*gate{}
	}
	one := g.byKey[key]
	if one == nil {
		one = &gate{running: map[flow.RunID]bool{}}
		g.byKey[key] = one
	}
	return one
}

// gateOf is the key of the limit that a run counts for; "": none. Expressions in it are filled in.
func gateOf(run *flow.Run) string {
	limit := run.Definition.RateLimit
	if limit == nil || limit.ConcurrentExecLimit <= 0 {
		return ""
	}
	return fmt.Sprint(run.Definition.Name, "/", run.Resolved(limit.Key))
}

// enter says whether a run may begin. If not it is begun later.
func (r *Runner) enter(lv *live) bool {
	if lv.gate == "" {
		return true
	}
	g := &r.gates
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.of(lv.gate)
	if one.running[lv.run.ID] {
		return true
	}
	if len(one.running) < lv.run.Definition.RateLimit.ConcurrentExecLimit {
		one.running[lv.run.ID] = true
		return true
	}
	for _, id := range one.waiting {
		if id == lv.run.ID {
			return false
		}
	}
	one.waiting = append(one.waiting, lv.run.ID)
	return false
}

// reenter counts a run again that had ended and goes on: it does not wait.
func (r *Runner) reenter(lv *live) {
	if lv.gate == "" {
		return
	}
	r.gates.mu.Lock()
	defer r.gates.mu.Unlock()
	r.gates.of(lv.gate).running[lv.run.ID] = true
}

// leave counts a run off that is over, and has the next one begin.
func (r *Runner) leave(lv *live) {
	if lv.gate == "" {
		return
	}
	g := &r.gates
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.of(lv.gate)
	for i, id := range one.waiting {
		if id == lv.run.ID {
			one.waiting = append(one.waiting[:i:i], one.waiting[i+1:]...)
			break
		}
	}
	if !one.running[lv.run.ID] {
		return
	}
	delete(one.running, lv.run.ID)
	if len(one.waiting) == 0 {
		if len(one.running) == 0 {
			delete(g.byKey, lv.gate)
		}
		return
	}
	next := one.waiting[0]
	one.waiting = one.waiting[1:]
	one.running[next] = true
	l := r.lane(next)
	l.put(func() {
		if lv, err := l.get(next); err == nil && len(lv.run.Tasks) == 0 && !lv.run.State.Final() {
			l.begin(lv)
		}
	})
}

// readGates finds again who is under way and who waits.
func (r *Runner) readGates(ctx context.Context) error {
	runs, err := r.cfg.Store.GatedRuns(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		one, id := r.gates.of(run.Gate), flow.RunID(run.ID)
		if run.Begun {
			one.running[id] = true
		} else {
			one.waiting = append(one.waiting, id)
		}
	}
	return nil
}
