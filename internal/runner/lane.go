package runner

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// lazyWrite is how long what nobody waits for may stay unwritten: a script's result, say. A crash has it done again.
const lazyWrite = 50 * time.Millisecond

// lane owns the runs whose ids fall to it: it alone steps them, so that there is nothing to lock. While one write is on
// its way to disk it goes on stepping; what comes of that goes into the next.
type lane struct {
	r  *Runner
	wg sync.WaitGroup

	mu     sync.Mutex
	inbox  []func()
	closed bool
	wake   chan struct{} // one place: there is something in the inbox
	stop   chan struct{}

	loaded, waiting atomic.Int64 // runs in memory, and in timers, when the lane last slept

	// of the lane's own goroutine
	runs    map[flow.RunID]*live
	idle    *list.List // of *live, those longest unused first
	maxIdle int
	timers  timers
	todo    []todo    // steps that follow from a step
	dirty   []*live   // in the order in which they changed
	births  []*live   // runs that steps here started; they belong to other lanes once they are on disk
	held    []func()  // what may be done once the next write is on disk, in order
	lazyAt  time.Time // when to write though nobody waits; zero: nothing is to be written
	writing bool      // a write is on its way
}

// todo is a step of a run that is in memory.
type todo struct {
	lv    *live
	event flow.Event
}

// live is a run in memory.
type live struct {
	run       *flow.Run
	num       int64
	snap      *snapshot
	gate      string
	fresh     bool                  // it has no row yet
	dirty     bool                  // it is in lane.dirty
	writes    int                   // writes of it that are on their way: 0 or 1
	changed   map[int]*flow.Attempt // by Seq, since the last write
	under     bool                  // it is on disk as under way
	rewrite   bool                  // attempts went away: all rows are written anew
	removed   bool                  // its rows are to go
	underWay  int                   // orders whose answer is to come; it stays in memory for them
	pins      int                   // orders of it that are held; likewise
	broken    bool                  // the machine panicked over it: it is not written any more
	withdrawn map[flow.TaskID]bool  // of what is still held
	waiters   []*waiter             // of its end
	place     *list.Element         // in lane.idle
}

func newLane(r *Runner, maxIdle int) *lane {
	return &lane{
		r: r, wake: make(chan struct{}, 1), stop: make(chan struct{}), runs: map[flow.RunID]*live{}, idle: list.New(),
		maxIdle: maxIdle, timers: timers{byRun: map[flow.RunID]*timer{}},
	}
}

// put has f run on the lane's goroutine, in the order of the puts; false: the lane is closed.
func (l *lane) put(f func()) bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	l.inbox = append(l.inbox, f)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
	return true
}

func (l *lane) take(into []func()) []func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.inbox
	l.inbox = into[:0]
	return taken
}

func (l *lane) backlog() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.inbox)
}

// run is the lane's goroutine: until close, and then until all is on disk.
func (l *lane) run() {
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	var batch []func()
	stop := l.stop
	for {
		select {
		case <-l.wake:
			batch = l.take(batch)
			for i, f := range batch {
				f()
				batch[i] = nil
			}
		case <-due.C:
			l.tick()
		case <-stop:
			stop = nil
		}
		l.flush(stop == nil)
		if stop == nil && l.finished() {
			return
		}
		l.loaded.Store(int64(len(l.runs)))
		l.waiting.Store(int64(len(l.timers.heap)))
		if next := l.next(); next.IsZero() {
			due.Stop()
		} else {
			due.Reset(max(0, time.Until(next)))
		}
	}
}

// finished says, once the lane was told to stop, whether all is on disk. It takes nothing new from then on.
func (l *lane) finished() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = !l.writing && len(l.inbox) == 0
	return l.closed
}

func (l *lane) close() {
	close(l.stop)
	l.wg.Wait()
}

// next is when the lane has something to do by itself.
func (l *lane) next() time.Time {
	next := l.timers.next()
	if !l.lazyAt.IsZero() && !l.writing && (next.IsZero() || l.lazyAt.Before(next)) {
		return l.lazyAt
	}
	return next
}

// maxTicks bounds the runs that are woken before the lane looks into its inbox again.
const maxTicks = 256

func (l *lane) tick() {
	now := time.Now()
	for range maxTicks {
		id, ok := l.timers.pop(now)
		if !ok {
			return
		}
		lv, err := l.get(id)
		if err != nil {
			if !errors.Is(err, ErrNotFound) {
				l.timers.set(id, now.Add(time.Second)) // the database cannot be read: later, perhaps
			}
			continue
		}
		l.step(lv, flow.Tick{})
	}
}

// get is a run in memory, read from disk if it is not there.
func (l *lane) get(id flow.RunID) (*live, error) {
	if lv := l.runs[id]; lv != nil {
		return lv, nil
	}
	row, tasks, err := l.r.cfg.Store.Run(context.Background(), string(id), true)
	if err != nil {
		return nil, found(err, "there is no workflow run %s", id)
	}
	return l.load(row, tasks)
}

// load takes up a run from its rows.
func (l *lane) load(row store.RunRow, tasks []store.TaskRow) (*live, error) {
	snap, err := l.r.book.kept(context.Background(), l.r.cfg.Store, row.Snapshot)
	if err != nil {
		return nil, err
	}
	run, err := readRun(row, tasks, snap)
	if err != nil {
		return nil, err
	}
	lv := &live{run: run, num: row.Num, snap: snap, gate: row.Gate, under: row.Ended.IsZero()}
	l.runs[run.ID] = lv
	l.r.counts.Loaded.Add(1)
	if !run.State.Final() && !l.recover(lv) {
		return nil, fmt.Errorf("workflow run %s cannot be taken up; the log has the details", run.ID)
	}
	if !lv.dirty && !lv.needed() {
		l.rest(lv)
	}
	return lv, nil
}

// adopt takes a run that was just made.
func (l *lane) adopt(lv *live) {
	l.runs[lv.run.ID] = lv
	l.mark(lv)
}

// mark notes that a run is to be written.
func (l *lane) mark(lv *live) {
	if lv.dirty {
		return
	}
	lv.dirty = true
	l.unrest(lv)
	l.dirty = append(l.dirty, lv)
	if l.lazyAt.IsZero() {
		l.lazyAt = time.Now().Add(lazyWrite)
	}
}

// hold has f done once all that was stepped so far is on disk.
func (l *lane) hold(f func()) { l.held = append(l.held, f) }

// holdFor is hold for what a run ordered: it stays in memory until then.
func (l *lane) holdFor(lv *live, f func()) {
	lv.pins++
	l.unrest(lv)
	l.hold(func() {
		f()
		lv.pins--
		l.settle(lv)
	})
}

// flush writes what changed, if somebody waits for it or it has waited long enough.
func (l *lane) flush(now bool) {
	if l.writing || len(l.held) == 0 && !now && (l.lazyAt.IsZero() || time.Now().Before(l.lazyAt)) {
		return
	}
	dirty, births, held := l.dirty, l.births, l.held
	l.dirty, l.births, l.held, l.lazyAt = nil, nil, nil, time.Time{}
	changes := make([]store.RunChange, 0, len(dirty)+len(births))
	news := make([]Summary, 0, cap(changes))
	add := func(lv *live) {
		if lv.broken {
			return
		}
		change, err := lv.change()
		if err != nil {
			l.r.cfg.Log.Error("a workflow run cannot be written", "run", lv.run.ID, "error", err)
			return
		}
		changes, news = append(changes, change), append(news, summary(lv.run))
	}
	for _, lv := range births {
		add(lv)
	}
	for _, lv := range dirty {
		lv.dirty = false
		lv.writes++
		held = append(held, lv.reached()...)
		add(lv)
	}
	done := func() {
		l.r.feed.note(news)
		for _, f := range held {
			f()
		}
		for _, lv := range dirty {
			lv.writes--
			l.settle(lv)
		}
	}
	if len(changes) == 0 {
		done()
		return
	}
	l.writing = true
	l.write(changes, func() {
		l.writing = false
		done()
	})
}

// write has done run on the lane once the changes are on disk. A change that the database can never take is logged; its
// run stays as it was on disk.
func (l *lane) write(changes []store.RunChange, done func()) {
	s := l.r.cfg.Store
	s.WriteRuns(changes, func(err error) {
		l.put(func() {
			switch {
			case err == nil:
				l.r.counts.Written.Add(int64(len(changes)))
				done()
			case errors.Is(err, store.ErrClosed):
				l.r.cfg.Log.Error("workflow runs were not written: the database is closed", "runs", len(changes))
				l.writing, l.held = false, nil
			case len(changes) == 1:
				l.r.cfg.Log.Error("a workflow run cannot be written", "run", changes[0].Run.ID, "error", err)
				done()
			default:
				l.write(changes[:1], func() { l.write(changes[1:], done) })
			}
		})
	})
}

// settle decides where a run whose write is done stays: nowhere, if it is over; among the idle, if nothing of it is
// under way.
func (l *lane) settle(lv *live) {
	if lv.dirty || lv.writes > 0 || l.runs[lv.run.ID] != lv {
		return
	}
	switch {
	case lv.needed():
	case lv.run.State.Final() || lv.removed:
		l.timers.set(lv.run.ID, time.Time{})
		l.unrest(lv)
		delete(l.runs, lv.run.ID)
	default:
		l.rest(lv)
	}
}

// needed says whether somebody holds on to a run in memory.
func (lv *live) needed() bool { return lv.pins > 0 || lv.underWay > 0 || len(lv.waiters) > 0 }

// rest puts a run among the idle. The one that was idle for longest goes when there are too many: its time to wake is
// kept, all else is on disk.
func (l *lane) rest(lv *live) {
	if lv.place != nil {
		l.idle.MoveToBack(lv.place)
		return
	}
	lv.place = l.idle.PushBack(lv)
	for l.idle.Len() > l.maxIdle {
		old, _ := l.idle.Front().Value.(*live)
		l.unrest(old)
		delete(l.runs, old.run.ID)
	}
}

func (l *lane) unrest(lv *live) {
	if lv.place != nil {
		l.idle.Remove(lv.place)
		lv.place = nil
	}
}

// change is what is to be written of a run.
func (lv *live) change() (store.RunChange, error) {
	if lv.removed {
		return store.RunChange{Run: store.RunRow{Num: lv.num, ID: string(lv.run.ID)}, Remove: true}, nil
	}
	row, err := runRow(lv)
	if err != nil {
		return store.RunChange{}, err
	}
	change := store.RunChange{Run: row, Cut: -1, Moved: lv.under && !lv.rewrite && row.Ended.IsZero()}
	lv.under = row.Ended.IsZero()
	if lv.fresh {
		change.Snapshot, lv.fresh = lv.snap.doc, false
	}
	if lv.rewrite {
		change.Snapshot = lv.snap.doc // a restart may have brought another definition
		change.Cut, lv.rewrite = 0, false
		for _, a := range lv.run.Tasks {
			task, err := taskRow(a, lv.snap)
			if err != nil {
				return store.RunChange{}, err
			}
			change.Tasks = append(change.Tasks, task)
		}
		lv.changed = nil
		return change, nil
	}
	for _, a := range lv.changed {
		task, err := taskRow(a, lv.snap)
		if err != nil {
			return store.RunChange{}, err
		}
		change.Tasks = append(change.Tasks, task)
	}
	lv.changed = nil
	return change, nil
}
