package store

import (
	"slices"
	"sync"
)

// runQueue holds writes of workflow runs until the writer takes them. Full, it makes its callers wait.
type runQueue struct {
	wake    chan struct{} // one place: there is something new
	mu      sync.Mutex
	room    *sync.Cond
	waiting []*runWrite
	changes int // in waiting
	closed  bool
}

func newRunQueue() *runQueue {
	q := &runQueue{wake: make(chan struct{}, 1)}
	q.room = sync.NewCond(&q.mu)
	return q
}

// push reports false once the store is closed.
func (q *runQueue) push(w *runWrite) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	// One write that is larger than the bound passes when it is alone.
	for !q.closed && q.changes > 0 && q.changes+len(w.changes) > maxRunsWaiting {
		q.room.Wait()
	}
	if q.closed {
		return false
	}
	q.waiting = append(q.waiting, w)
	q.changes += len(w.changes)
	q.nudge()
	return true
}

func (q *runQueue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default: // the writer has a wake-up to come already
	}
}

func (q *runQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// take hands over the oldest writes: as many as go into one commit, at least one.
func (q *runQueue) take() []*runWrite {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, changes := 0, 0
	for n < len(q.waiting) && (n == 0 || changes+len(q.waiting[n].changes) <= maxRunsCommit) {
		changes += len(q.waiting[n].changes)
		n++
	}
	taken := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.changes -= changes
	q.room.Broadcast()
	return taken
}

// putBack returns what could not be written to the head of the line.
func (q *runQueue) putBack(list []*runWrite) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.Concat(list, q.waiting)
	for _, w := range list {
		w.err = nil
		q.changes += len(w.changes)
	}
}

// shut refuses whatever comes and hands over what is left.
func (q *runQueue) shut() []*runWrite {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.waiting
	q.waiting, q.changes, q.closed = nil, 0, true
	q.room.Broadcast()
	return left
}

// figures are the changes that wait.
func (q *runQueue) figures() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changes
}
