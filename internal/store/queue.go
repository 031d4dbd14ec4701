package store

import (
	"context"
	"slices"
	"sync"

	"switchboard/internal/route"
)

// entry is something that rides along with the next commit and that nobody waits for.
type entry interface{ write(w *writer) error }

// queue holds entries until the writer takes them. Full, it drops the newest, because a gap at the end of a journal can
// be seen and one in its middle cannot.
type queue struct {
	max     int
	wake    chan struct{} // one place: there is something new
	mu      sync.Mutex
	waiting []entry
	pushed  int64
	settled int64 // written or dropped
	dropped int64
	closed  bool
}

func (q *queue) push(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pushed++
	if q.closed || len(q.waiting) >= q.max {
		q.dropped++
		q.settled++
		return
	}
	q.waiting = append(q.waiting, e)
	if n := len(q.waiting); n == 1 || n == maxEntries {
		select {
		case q.wake <- struct{}{}:
		default: // the writer has a wake-up to come already
		}
	}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// take hands over the oldest n at most.
func (q *queue) take(n int) []entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) <= n {
		taken := q.waiting
		q.waiting = nil
		q.settled += int64(len(taken))
		return taken
	}
	taken := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.settled += int64(n)
	return taken
}

// putBack returns what could not be written to the head of the line.
func (q *queue) putBack(entries []entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settled -= int64(len(entries))
	q.waiting = slices.Concat(entries, q.waiting)
	if over := len(q.waiting) - q.max; over > 0 {
		q.waiting = q.waiting[:q.max]
		q.dropped += int64(over)
		q.settled += int64(over)
	}
}

// shut drops what is left and whatever comes, and says how much was left.
func (q *queue) shut() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.waiting)
	q.waiting, q.closed = nil, true
	q.dropped += int64(n)
	q.settled += int64(n)
	return n
}

func (q *queue) figures() (waiting int, dropped int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), q.dropped
}

func (q *queue) progress() (pushed, settled int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pushed, q.settled
}

// Journal queues one event of the core for the disk, where it is within 100 ms. It never blocks: when MaxJournal
// entries wait already, or the store is closed, the entry is dropped and counted. The body must not be written to
// afterwards. A step that is on disk already stays as it was; the second entry counts as dropped.
func (s *Store) Journal(e JournalEntry) { s.queue.push(e) }

// SaveCall queues the record of a call, as Journal does. The same call again replaces its record.
func (s *Store) SaveCall(rec route.CallRecord) { s.queue.push(callEntry{rec}) }

// SaveVoicemail queues a voicemail, as Journal does. The same id again replaces all but who listened, which only
// Listened changes.
func (s *Store) SaveVoicemail(rec VoicemailRecord) { s.queue.push(rec) }

// DropVoicemail queues the removal of a voicemail, as Journal does. Its audio file is the caller's.
func (s *Store) DropVoicemail(id int64) { s.queue.push(dropVoicemail(id)) }

// Flush returns once everything queued before it is on disk or was dropped, or with the error that keeps it in the
// queue.
func (s *Store) Flush(ctx context.Context) error {
	target, _ := s.queue.progress()
	for {
		if err := s.submit(ctx, &request{}); err != nil {
			return err
		}
		// Only after the writer's answer: what it took before was counted when it was taken, not when it was written.
		if _, settled := s.queue.progress(); settled >= target {
			return nil
		}
	}
}

type callEntry struct{ rec route.CallRecord }

type dropVoicemail int64

func (w *writer) writeEntries(entries []entry) error {
	for _, e := range entries {
		if err := e.write(w); err != nil {
			return err
		}
	}
	return nil
}

func (e JournalEntry) write(w *writer) error {
	body := e.Body
	if body == nil {
		body = []byte{}
	}
	res, err := w.stmts.addStep.Exec(int64(e.Step), nanos(e.At), e.Event, body)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 {
		w.twice++
	}
	return nil
}

func (e callEntry) write(w *writer) error {
	doc, err := encode(e.rec)
	if err != nil {
		return err
	}
	if _, err = w.stmts.saveCall.Exec(int64(e.rec.Call), nanos(e.rec.Ended), string(doc)); err != nil {
		return err
	}
	return w.writeLegs(e.rec)
}

func (e VoicemailRecord) write(w *writer) error {
	_, err := w.stmts.saveVoicemail.Exec(e.ID, int64(e.Call), int64(e.Center), e.From, nanos(e.At), int64(e.Duration),
		e.Reason, e.Path, e.Complete, int64(e.User))
	return err
}

func (id dropVoicemail) write(w *writer) error {
	if _, err := w.stmts.dropListeners.Exec(int64(id)); err != nil {
		return err
	}
	_, err := w.stmts.dropVoicemail.Exec(int64(id))
	return err
}
