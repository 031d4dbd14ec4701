package runner

import (
	"context"
	"slices"
	"sync"

	"switchboard/internal/flow"
)

// job is work that a run ordered. It may wait for its turn and for the limits of its task definition.
type job struct {
	task flow.TaskID
	name string
	def  *flow.TaskDef // whose limits it keeps; nil: none
	do   func(context.Context)
}

// pool does jobs, a bounded number at once, in the order in which they came; those that their limits hold back let
// others pass.
type pool struct {
	ctx    context.Context
	size   int
	brakes *brakes // nil: no job has limits
	wg     sync.WaitGroup

	mu      sync.Mutex
	ready   []job
	blocked map[string][]job          // by task name
	current map[flow.TaskID]*underway // the last job that was begun for a task
	workers int
	waiting int // ready and blocked
	closed  bool
}

func newPool(ctx context.Context, size int, limits *brakes) *pool {
	return &pool{
		ctx: ctx, size: size, brakes: limits, blocked: map[string][]job{}, current: map[flow.TaskID]*underway{},
	}
}

// put never blocks.
func (p *pool) put(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.ready = append(p.ready, j)
	p.waiting++
	p.hire()
}

// hire starts workers for what is ready. Held: mu.
func (p *pool) hire() {
	for n := len(p.ready); n > 0 && p.workers < p.size && !p.closed; n-- {
		p.workers++
		p.wg.Go(p.work)
	}
}

// underway is a job that was begun.
type underway struct {
	job
	ctx  context.Context
	stop context.CancelFunc
}

// work does jobs until none is ready. An answer may bring the next job of the same task before the worker comes back
// from this one: the next turn of a loop asks for its condition under the same id.
func (p *pool) work() {
	for {
		u := p.next()
		if u == nil {
			return
		}
		u.do(u.ctx)
		u.stop()
		p.mu.Lock()
		if p.current[u.task] == u {
			delete(p.current, u.task)
		}
		p.mu.Unlock()
	}
}

// next begins a job; nil: none is ready.
func (p *pool) next() *underway {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) > 0 && !p.closed {
		j := p.ready[0]
		p.ready[0] = job{}
		p.ready = p.ready[1:]
		if p.brakes != nil && !p.brakes.take(j.name, j.def, j.task) {
			p.blocked[j.name] = append(p.blocked[j.name], j)
			continue
		}
		p.waiting--
		u := &underway{job: j}
		u.ctx, u.stop = context.WithCancel(p.ctx)
		p.current[j.task] = u
		return u
	}
	p.workers--
	return nil
}

// kick tries jobs of a task name again that were held back.
func (p *pool) kick(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if held := p.blocked[name]; len(held) > 0 {
		delete(p.blocked, name)
		p.ready = append(held, p.ready...)
		p.hire()
	}
}

// cancel stops the job of a task, or takes it out and says that it had not begun.
func (p *pool) cancel(task flow.TaskID) (out bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.current[task]; u != nil {
		u.stop()
		return false
	}
	without := func(list []job) []job {
		before := len(list)
		list = slices.DeleteFunc(list, func(j job) bool { return j.task == task })
		p.waiting -= before - len(list)
		out = out || len(list) < before
		return list
	}
	p.ready = without(p.ready)
	for name, list := range p.blocked {
		if list = without(list); len(list) == 0 {
			delete(p.blocked, name)
		} else {
			p.blocked[name] = list
		}
	}
	return out
}

// figures are the jobs under way and those that wait.
func (p *pool) figures() (busy, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.workers, p.waiting
}

// close waits for the jobs under way, whose context has ended, and forgets the others.
func (p *pool) close() {
	p.mu.Lock()
	p.closed, p.ready, p.blocked, p.waiting = true, nil, map[string][]job{}, 0
	p.mu.Unlock()
	p.wg.Wait()
}
