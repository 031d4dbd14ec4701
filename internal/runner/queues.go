package runner

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"switchboard/internal/flow"
)

// What bounds polling by outside workers.
const (
	MaxPollCount   = 1000             // tasks of one answer
	MaxPollTimeout = 60 * time.Second // that an empty-handed worker waits
	maxPollers     = 10_000           // workers whose last poll is remembered
)

// queues hold the attempts that outside workers may take, by task name and domain.
type queues struct {
	brakes *brakes

	mu      sync.Mutex
	byKey   map[queueKey]*queue
	entries map[flow.TaskID]*entry
	order   uint64
	polls   map[PollData]time.Time // without its time
}

type queueKey struct{ name, domain string }

type queue struct {
	ready   readyHeap
	later   laterHeap
	pollers []chan struct{} // in the order in which they came; closed when something may be there
}

// entry is one attempt in a queue.
type entry struct {
	key      queueKey
	task     flow.TaskID
	run      flow.RunID
	def      *flow.TaskDef
	priority int
	order    uint64
	due      int64 // Unix nanoseconds; 0: at once
	index    int   // in its heap
}

// PollData says when a worker last asked for tasks of a name.
type PollData struct {
	Queue, Domain, Worker string
	At                    time.Time
}

func newQueues(b *brakes) *queues {
	return &queues{
		brakes: b, byKey: map[queueKey]*queue{}, entries: map[flow.TaskID]*entry{}, polls: map[PollData]time.Time{},
	}
}

func (q *queues) of(key queueKey) *queue {
	one := q.byKey[key]
	if one == nil {
		one = &queue{}
		q.byKey[key] = one
	}
	return one
}

// put offers an attempt, in the place of an offer of it that is there.
func (q *queues) put(name string, a *flow.Attempt, priority int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(a.ID)
	q.order++
	e := &entry{
		key: queueKey{name, a.Domain}, task: a.ID, run: a.Run, def: a.Def, priority: priority, order: q.order,
	}
	if !a.DueAt.IsZero() {
		e.due = a.DueAt.UnixNano()
	}
	q.insert(e)
}

// insert puts an entry into its queue and wakes a poller for it.
func (q *queues) insert(e *entry) {
	one := q.of(e.key)
	q.entries[e.task] = e
	if e.due > time.Now().UnixNano() {
		heap.Push(&one.later, e)
	} else {
		e.due = 0
		heap.Push(&one.ready, e)
	}
	one.wake(1) // also for what comes later: a poller then knows until when to wait
}

func (one *queue) wake(n int) {
	for ; n > 0 && len(one.pollers) > 0; n-- {
		close(one.pollers[0])
		one.pollers = one.pollers[1:]
	}
}

// remove takes an attempt out; one that is not there is no error.
func (q *queues) remove(task flow.TaskID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(task)
}

func (q *queues) drop(task flow.TaskID) {
	e := q.entries[task]
	if e == nil {
		return
	}
	delete(q.entries, task)
	one := q.byKey[e.key]
	if e.due > 0 {
		heap.Remove(&one.later, e.index)
	} else {
		heap.Remove(&one.ready, e.index)
	}
	q.tidy(e.key)
}

func (q *queues) tidy(key queueKey) {
	if one := q.byKey[key]; one != nil && len(one.ready)+len(one.later)+len(one.pollers) == 0 {
		delete(q.byKey, key)
	}
}

// kick wakes those who poll for a name: its limits may let something through.
func (q *queues) kick(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, one := range q.byKey {
		if key.name == name {
			one.wake(len(one.pollers))
		}
	}
}

// take hands over at most n entries that are due, the most urgent and oldest first. It waits for the first one until
// the context ends or wait is over.
func (q *queues) take(ctx context.Context, key queueKey, n int, wait time.Duration) []*entry {
	deadline := time.Now().Add(wait)
	for {
		q.mu.Lock()
		taken, next := q.takeNow(key, n)
		now := time.Now()
		if len(taken) > 0 || !now.Before(deadline) || ctx.Err() != nil {
			q.tidy(key)
			q.mu.Unlock()
			return taken
		}
		woken := make(chan struct{})
		one := q.of(key)
		one.pollers = append(one.pollers, woken)
		q.mu.Unlock()
		until := deadline
		if next > 0 && next < until.UnixNano() {
			until = time.Unix(0, next)
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-woken:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		q.mu.Lock()
		if i := slices.Index(one.pollers, woken); i >= 0 {
			one.pollers = slices.Delete(one.pollers, i, i+1)
		}
		q.mu.Unlock()
	}
}

// takeNow also says when the next entry is due; 0: none is. Held: mu.
func (q *queues) takeNow(key queueKey, n int) (taken []*entry, next int64) {
	one := q.byKey[key]
	if one == nil {
		return nil, 0
	}
	now := time.Now().UnixNano()
	for len(one.later) > 0 && one.later[0].due <= now {
		e, _ := heap.Pop(&one.later).(*entry)
		e.due = 0
		heap.Push(&one.ready, e)
	}
	var held []*entry
	for len(one.ready) > 0 && len(taken) < n {
		e, _ := heap.Pop(&one.ready).(*entry)
		if !q.brakes.take(e.key.name, e.def, e.task) {
			held = append(held, e)
			break // all of a queue have the same limits
		}
		delete(q.entries, e.task)
		taken = append(taken, e)
	}
	for _, e := range held {
		heap.Push(&one.ready, e)
	}
	if len(one.ready) > 0 && len(held) == 0 {
		one.wake(1) // there is more than one poller could take
	}
	if len(one.later) > 0 {
		next = one.later[0].due
	}
	return taken, next
}

// asked notes who polls. The one who was silent for longest is forgotten for those beyond maxPollers.
func (q *queues) asked(name, domain, worker string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	who := PollData{Queue: name, Domain: domain, Worker: worker}
	if _, known := q.polls[who]; !known && len(q.polls) >= maxPollers {
		var oldest PollData
		for p, at := range q.polls {
			if oldest.At.IsZero() || at.Before(oldest.At) {
				oldest = p
				oldest.At = at
			}
		}
		oldest.At = time.Time{}
		delete(q.polls, oldest)
	}
	q.polls[who] = time.Now()
}

// polled lists who asked for a name, all names for "", in the order of names, domains and workers.
func (q *queues) polled(name string) []PollData {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []PollData
	for p, at := range q.polls {
		if name == "" || p.Queue == name {
			p.At = at
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b PollData) int {
		return cmp.Or(cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Worker, b.Worker))
	})
	return list
}

// sizes are the attempts in the queues by task name, those of later too.
func (q *queues) sizes() map[string]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	sizes := map[string]int{}
	for key, one := range q.byKey {
		if n := len(one.ready) + len(one.later); n > 0 {
			sizes[key.name] += n
		}
	}
	return sizes
}

func (q *queues) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries)
}

// readyHeap and laterHeap implement heap.Interface: the most urgent first, and the one that is due first.
type (
	readyHeap []*entry
	laterHeap []*entry
)

func (h readyHeap) Len() int { return len(h) }
func (h readyHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[j].priority, h[i].priority), cmp.Compare(h[i].order, h[j].order)) < 0
}
func (h readyHeap) Swap(i, j int) { swap(h, i, j) }

// Push implements heap.Interface.
func (h *readyHeap) Push(x any) { *h = push(*h, x) }

// Pop implements heap.Interface.
func (h *readyHeap) Pop() any {
	rest, last := pop(*h)
	*h = rest
	return last
}

func (h laterHeap) Len() int           { return len(h) }
func (h laterHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h laterHeap) Swap(i, j int)      { swap(h, i, j) }

// Push implements heap.Interface.
func (h *laterHeap) Push(x any) { *h = push(*h, x) }

// Pop implements heap.Interface.
func (h *laterHeap) Pop() any {
	rest, last := pop(*h)
	*h = rest
	return last
}

func swap(h []*entry, i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func push(h []*entry, x any) []*entry {
	e, _ := x.(*entry)
	e.index = len(h)
	return append(h, e)
}

func pop(h []*entry) ([]*entry, *entry) {
	last := h[len(h)-1]
	h[len(h)-1] = nil
	return h[:len(h)-1], last
}
