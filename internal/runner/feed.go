package runner

import (
	"context"
	"sync"
	"time"

	"switchboard/internal/flow"
)

// FeedInterval is how long changes are gathered before readers see them.
const FeedInterval = 200 * time.Millisecond

// What bounds the feed: runs named in one update, and updates that a reader may fall behind.
const (
	maxNews     = 200
	keptUpdates = 128
)

// Update is what became of runs since the update before. With Reset the reader missed some, or knows nothing yet: it
// should search again. With More there were more changes than are named.
type Update struct {
	Seq   uint64
	Reset bool
	More  bool
	Runs  []Summary // each once, as it is now
}

// feed numbers updates, keeps the last ones and wakes the readers.
type feed struct {
	mu      sync.Mutex
	fresh   []Summary
	place   map[flow.RunID]int // in fresh
	more    bool
	kept    []Update // ascending by Seq, without gaps
	seq     uint64
	changed chan struct{} // closed and replaced at each update
	closed  bool
}

// newFeed starts numbering at the wall clock, so that a number from an earlier process is never mistaken for one of
// this.
func newFeed() *feed {
	return &feed{
		place: map[flow.RunID]int{}, seq: uint64(time.Now().UnixMilli()), changed: make(chan struct{}),
	}
}

// note gathers what the next update says.
func (f *feed) note(news []Summary) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range news {
		i, known := f.place[s.ID]
		switch {
		case known:
			f.fresh[i] = s
		case len(f.fresh) >= maxNews:
			f.more = true
		default:
			f.place[s.ID] = len(f.fresh)
			f.fresh = append(f.fresh, s)
		}
	}
}

func (f *feed) run(ctx context.Context) {
	ticker := time.NewTicker(FeedInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.publish()
		case <-ctx.Done():
			f.mu.Lock()
			defer f.mu.Unlock()
			f.closed = true
			close(f.changed)
			return
		}
	}
}

func (f *feed) publish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.fresh) == 0 {
		return
	}
	f.seq++
	if len(f.kept) == keptUpdates {
		f.kept = append(f.kept[:0], f.kept[1:]...)
	}
	f.kept = append(f.kept, Update{Seq: f.seq, More: f.more, Runs: f.fresh})
	f.fresh, f.more = nil, false
	clear(f.place)
	close(f.changed)
	f.changed = make(chan struct{})
}

// Watch reads the changes of runs from the update after that number on; 0 begins with a Reset. Not safe for concurrent
// use of one Reader.
func (r *Runner) Watch(after uint64) *Reader { return &Reader{feed: r.feed, after: after} }

// Reader is one reader's place among the updates.
type Reader struct {
	feed  *feed
	after uint64
}

// Next blocks until there is an update; false: the context ended or the runner was closed.
func (w *Reader) Next(ctx context.Context) (Update, bool) {
	for {
		u, changed, ok := w.feed.next(w.after)
		if ok {
			w.after = u.Seq
			return u, true
		}
		if changed == nil {
			return Update{}, false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Update{}, false
		}
	}
}

func (f *feed) next(after uint64) (Update, <-chan struct{}, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return Update{}, nil, false
	case after == 0, after > f.seq, after < f.seq && (len(f.kept) == 0 || f.kept[0].Seq > after+1):
		return Update{Seq: f.seq, Reset: true}, nil, true
	case after < f.seq:
		return f.kept[after+1-f.kept[0].Seq], nil, true
	}
	return Update{}, f.changed, false
}
