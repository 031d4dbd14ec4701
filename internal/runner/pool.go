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
	blocked map[string][]job // by task name
	cancels map[flow.TaskID]context.CancelFunc
	workers int
	waiting int // ready and blocked
	closed  bool
}

func newPool(ctx context.Context, size int, limits *brakes) *pool {
	return &pool{
		ctx: ctx, size: size, brakes: limits, blocked: map[string][]job{}, cancels: map[flow.TaskID]context.CancelFunc{},
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

// work does jobs until none is ready.
func (p *pool) work() {
	for {
		j, ctx, ok := p.next()
		if !ok {
			return
		}
		j.do(ctx)
		p.mu.Lock()
		if cancel := p.cancels[j.task]; cancel != nil {
			cancel()
			delete(p.cancels, j.task)
		}
		p.mu.Unlock()
	}
}

func (p *pool) next() (job, context.Context, bool) {
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
		ctx, cancel := context.WithCancel(p.ctx)
		p.cancels[j.task] = cancel
		return j, ctx, true
	}
	p.workers--
	return job{}, nil, false
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
	if stop := p.cancels[task]; stop != nil {
		stop()
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
