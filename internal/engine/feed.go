package engine

import (
	"context"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/voice"
)

// Update is what changed on the live pages since the one before. A Reset update carries everything and replaces all
// that the reader knew.
type Update struct {
	Seq              uint64
	At               time.Time
	Reset            bool
	Centers          []route.CenterView
	Operators        []route.OperatorView
	Calls            []route.CallView
	Ended            []route.CallRecord // calls that are over; in a Reset: the last ones, oldest first
	DeletedCenters   []callcenter.ID
	DeletedOperators []callcenter.OperatorID
	Notices          []Notice
	Talks            []Talk // with their last turns; what a page had of earlier ones stays
}

// Talk is what is heard of a call that goes on: who speaks, and the figures so far.
type Talk struct {
	Call   route.CallID
	Began  time.Time // of listening
	Report voice.Report
}

// Notice is something a supervisor should see that belongs to no call: a blocked address, a full disk.
type Notice struct {
	At    time.Time
	Level string // "info", "warning"
	Text  string
	Alert route.AlertKind // "": it is of no alert
}

// Reader receives updates in order. Next blocks until there is one, the context ends or the feed closes (false). A
// reader that fell behind the kept updates gets a Reset.
type Reader interface {
	Next(ctx context.Context) (Update, bool)
}

// keptUpdates bounds how far a reader may fall behind before it gets a Reset: about half a minute of a busy center.
const keptUpdates = 256

// feed numbers updates, keeps the last ones and wakes the readers.
type feed struct {
	everything func(context.Context) (Update, bool) // a Reset as of now

	mu      sync.Mutex
	kept    []Update // ascending by Seq, without gaps
	seq     uint64
	changed chan struct{} // closed and replaced at each publish
	closed  bool
}

// newFeed starts numbering at the wall clock, so that a number from an earlier run is never mistaken for one of this.
func newFeed(everything func(context.Context) (Update, bool)) *feed {
	return &feed{everything: everything, seq: uint64(time.Now().UnixMilli()), changed: make(chan struct{})}
}

// publish gives the update its number and keeps it.
func (f *feed) publish(u Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	u.Seq = f.seq
	if len(f.kept) == keptUpdates {
		f.kept = append(f.kept[:0], f.kept[1:]...)
	}
	f.kept = append(f.kept, u)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seq
}

func (f *feed) subscribe(after uint64) Reader {
	return &subscription{feed: f, after: after, reset: after == 0}
}

// subscription is one reader's place in the feed.
type subscription struct {
	feed  *feed
	after uint64
	reset bool
}

// Next implements Reader.
func (s *subscription) Next(ctx context.Context) (Update, bool) {
	for {
		if s.reset {
			u, ok := s.feed.everything(ctx)
			if ok {
				s.reset, s.after = false, u.Seq
			}
			return u, ok
		}
		u, changed, state := s.feed.next(s.after)
		switch state {
		case feedHas:
			s.after = u.Seq
			return u, true
		case feedLost:
			s.reset = true
			continue
		case feedClosed:
			return Update{}, false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Update{}, false
		}
	}
}

type feedState int

const (
	feedWaits  feedState = iota // nothing newer yet
	feedHas                     // the update after the reader's place
	feedLost                    // the reader's place is no longer kept, or from another run
	feedClosed                  // the engine stopped
)

func (f *feed) next(after uint64) (Update, <-chan struct{}, feedState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case after > f.seq, after < f.seq && (len(f.kept) == 0 || f.kept[0].Seq > after+1):
		return Update{}, nil, feedLost
	case after < f.seq:
		return f.kept[after+1-f.kept[0].Seq], nil, feedHas
	case f.closed:
		return Update{}, nil, feedClosed
	}
	return Update{}, f.changed, feedWaits
}
