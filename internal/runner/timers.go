package runner

import (
	"container/heap"
	"time"

	"switchboard/internal/flow"
)

// timers say when runs are due: one entry a run, in memory or not.
type timers struct {
	byRun map[flow.RunID]*timer
	heap  timerHeap
}

type timer struct {
	at    int64 // Unix nanoseconds
	run   flow.RunID
	index int
}

// set has the run come up at that time, and at no other; the zero time: at none.
func (t *timers) set(run flow.RunID, at time.Time) {
	entry := t.byRun[run]
	switch {
	case at.IsZero() && entry == nil:
	case at.IsZero():
		heap.Remove(&t.heap, entry.index)
		delete(t.byRun, run)
	case entry == nil:
		entry = &timer{at: at.UnixNano(), run: run}
		t.byRun[run] = entry
		heap.Push(&t.heap, entry)
	case entry.at != at.UnixNano():
		entry.at = at.UnixNano()
		heap.Fix(&t.heap, entry.index)
	}
}

// next is when the first run is due; zero: none is.
func (t *timers) next() time.Time {
	if len(t.heap) == 0 {
		return time.Time{}
	}
	return time.Unix(0, t.heap[0].at)
}

// pop takes out a run that is due; false: none is.
func (t *timers) pop(now time.Time) (flow.RunID, bool) {
	if len(t.heap) == 0 || t.heap[0].at > now.UnixNano() {
		return "", false
	}
	entry, _ := heap.Pop(&t.heap).(*timer)
	delete(t.byRun, entry.run)
	return entry.run, true
}

// timerHeap implements heap.Interface.
type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) {
	entry, _ := x.(*timer)
	entry.index = len(*h)
	*h = append(*h, entry)
}

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	entry := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return entry
}
