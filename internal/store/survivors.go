package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// aliveEvery is how often the lock file is touched.
const aliveEvery = 2 * time.Second

// Dialog is a SIP dialog that was up. State is its owner's to read and write.
type Dialog struct {
	ID    string
	State []byte // JSON
}

// SaveCallback queues a callback, as Journal does. The same call again replaces it.
func (s *Store) SaveCallback(c route.Callback) { s.queue.push(callbackEntry{c}) }

// DropCallback queues the removal of a callback, as Journal does.
func (s *Store) DropCallback(call route.CallID) { s.queue.push(dropEntry{"callback", int64(call)}) }

// SavePlace queues a place in a line, as Journal does. The same call again replaces it.
func (s *Store) SavePlace(p route.Place) { s.queue.push(placeEntry{p}) }

// DropPlace queues the removal of a place, as Journal does.
func (s *Store) DropPlace(call route.CallID) { s.queue.push(dropEntry{"place", int64(call)}) }

// SaveDialog queues a dialog, as Journal does. The same id again replaces it.
func (s *Store) SaveDialog(d Dialog) { s.queue.push(d) }

// DropDialog queues the removal of a dialog, as Journal does.
func (s *Store) DropDialog(id string) { s.queue.push(dropEntry{"dialog", id}) }

// PastCalls lists the calls that ended after a time, newest first and at most limit, without their offers and paths:
// what the figures of a new process are made of.
func (s *Store) PastCalls(ctx context.Context, after time.Time, limit int) ([]route.CallRecord, error) {
	return query(ctx, s.readers, scanDoc[route.CallRecord], `SELECT json_remove(CAST(doc AS TEXT), '$.Offers', '$.Path')
		FROM call WHERE ended > ? ORDER BY ended DESC, id DESC LIMIT ?`, nanos(after), limit)
}

// Journalled reads the entries of some events after a time, in order, of the last 500,000 steps.
func (s *Store) Journalled(ctx context.Context, after time.Time, events ...string) ([]JournalEntry, error) {
	names, err := json.Marshal(events)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return query(ctx, s.readers, scanEntry, `SELECT step, at, event, body FROM journal
		WHERE step > (SELECT max(step) FROM journal) - ? AND at > ? AND event IN (SELECT value FROM json_each(?))
		ORDER BY step`, lostSteps, nanos(after), string(names))
}

// Callbacks lists the callbacks that were not dropped, in the order in which they were asked for.
func (s *Store) Callbacks(ctx context.Context) ([]route.Callback, error) {
	return query(ctx, s.readers, scanDoc[route.Callback], "SELECT doc FROM callback ORDER BY asked, id")
}

// Places lists the places that were not dropped.
func (s *Store) Places(ctx context.Context) ([]route.Place, error) {
	return query(ctx, s.readers, scanDoc[route.Place], "SELECT doc FROM place ORDER BY id")
}

// Dialogs lists the dialogs that were not dropped.
func (s *Store) Dialogs(ctx context.Context) ([]Dialog, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (d Dialog, err error) {
		err = rows.Scan(&d.ID, &d.State)
		return d, err
	}, "SELECT id, doc FROM dialog ORDER BY id")
}

// LastAlive is when a process before this one last held the data directory, within aliveEvery; zero: none ever did.
func (s *Store) LastAlive() time.Time { return s.lastAlive }

// stayAlive leaves a sign of life for the next process: a crash leaves no other.
func (s *Store) stayAlive() {
	ticker := time.NewTicker(aliveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.closing:
			return
		case now := <-ticker.C:
			// A directory that cannot be written to is reported by every commit.
			_ = os.Chtimes(s.lock.Name(), now, now)
		}
	}
}

func scanDoc[T any](rows *sql.Rows) (v T, err error) {
	var doc []byte
	if err = rows.Scan(&doc); err != nil {
		return v, err
	}
	found, err := decode[T](doc)
	if err != nil {
		return v, err
	}
	return *found, nil
}

type callbackEntry struct{ callback route.Callback }

func (e callbackEntry) write(w *writer) error {
	doc, err := encode(e.callback)
	if err != nil {
		return err
	}
	return w.execSQL("INSERT OR REPLACE INTO callback (id, asked, doc) VALUES (?, ?, ?)",
		int64(e.callback.Call), nanos(e.callback.Asked), string(doc))
}

type placeEntry struct{ place route.Place }

func (e placeEntry) write(w *writer) error {
	doc, err := encode(e.place)
	if err != nil {
		return err
	}
	_, err = w.stmts.savePlace.Exec(int64(e.place.Call), string(doc))
	return err
}

func (d Dialog) write(w *writer) error {
	_, err := w.stmts.saveDialog.Exec(d.ID, string(d.State))
	return err
}

// dropEntry removes a row by its id. The table is one of this file's.
type dropEntry struct {
	table string
	id    any
}

func (e dropEntry) write(w *writer) error {
	_, err := w.stmts.drops[e.table].Exec(e.id)
	return err
}

// lostSteps bounds how far back LostCalls looks in the journal.
const lostSteps = 500_000

// LostCall is a call that arrived and has no record.
type LostCall struct {
	Call   route.CallID
	Center callcenter.ID
	From   string
	To     string
	At     time.Time
}

// LostCalls lists calls of the journal that have no record: asked before calls are taken, those that were lost with the
// process before. It looks at the last 500,000 steps.
func (s *Store) LostCalls(ctx context.Context) ([]LostCall, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (lost LostCall, err error) {
		var body []byte
		var at int64
		if err = rows.Scan(&body, &at); err == nil {
			err = json.Unmarshal(body, &lost)
		}
		lost.At = instant(at)
		return lost, err
	}, `SELECT body, at FROM journal WHERE step > (SELECT max(step) FROM journal) - ? AND event = 'CallArrived'
		AND NOT EXISTS (SELECT 1 FROM call WHERE call.id = json_extract(CAST(body AS TEXT), '$.Call')) ORDER BY step`,
		lostSteps)
}
