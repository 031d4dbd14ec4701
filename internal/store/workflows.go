package store

import (
	"cmp"
	"errors"
	"time"

	"modernc.org/sqlite"
)

// MaxRunTasks bounds the attempts of one run: their rows are numbered within it.
const MaxRunTasks = 1 << runShift

const runShift = 20

// What bounds the writes of workflow runs: changes that wait before WriteRuns makes its caller wait, and changes of one
// commit.
const (
	maxRunsWaiting = 4096
	maxRunsCommit  = 2048
)

// RunRow is a workflow run on disk: what SQL must find it by, and the rest as its owner's JSON.
type RunRow struct {
	Num            int64 // ascending in the order in which runs are made, from 1; its owner gives it
	ID             string
	Name           string
	Version        int
	State          string
	Correlation    string
	IdempotencyKey string
	Parent         string // id of the run that waits for this one
	Gate           string // key of a limit of runs under way that it counts for
	Created        time.Time
	Updated        time.Time
	Ended          time.Time // zero: it is under way
	Due            time.Time // when time alone moves it on; zero: never
	Parked         bool      // it waits for nothing but time and people
	Snapshot       []byte    // hash of its definition
	Doc            []byte
}

// TaskRow is one attempt at a task of a run.
type TaskRow struct {
	Seq       int // 1 and up within the run, below MaxRunTasks
	ID        string
	Ref       string
	Name      string
	Type      string
	Status    string
	Scheduled time.Time
	Updated   time.Time
	Doc       []byte
}

// RunChange is what one step did to a run: the run itself and the attempts it touched.
type RunChange struct {
	Run      RunRow
	Snapshot []byte    // the definition behind Run.Snapshot; needed with a run that is new
	Tasks    []TaskRow // of one that is there already: only its status, times and document may differ
	Moved    bool      // the run is on disk, under way, and still is: only State, Updated, Due, Parked, Doc differ
	Cut      int       // attempts behind this Seq are removed; negative: none are
	Remove   bool      // the run and all that belongs to it goes
}

// runWrite is one call of WriteRuns.
type runWrite struct {
	changes []RunChange
	done    func(error)
	err     error
}

// WriteRuns makes changes durable, all of one call together and calls in the order in which they were made, in the same
// commit as whatever else waits. It returns at once, unless too much waits already: then the caller waits too, so that
// nothing is ever dropped. A commit that fails is tried again until it does not.
//
// done is called on the writer's goroutine, and must not block: with nil once it is on disk, with an error when the
// database refuses these very changes or the store closed before they were written.
func (s *Store) WriteRuns(changes []RunChange, done func(error)) {
	if !s.runs.push(&runWrite{changes: changes, done: done}) {
		done(ErrClosed)
	}
}

// writeRuns writes what was taken from the queue. What the database refuses for what it is gets its error and leaves
// the rest alone; the second error ends the group.
func (w *writer) writeRuns(list []*runWrite) (own, fatal error) {
	all := func() error {
		for _, r := range list {
			if err := w.writeRun(r); err != nil {
				return err
			}
		}
		return nil
	}
	own, fatal = w.nested(all)
	if own == nil || fatal != nil || !refused(own) {
		return own, fatal
	}
	for _, r := range list {
		own, fatal = w.nested(func() error { return w.writeRun(r) })
		switch {
		case fatal != nil:
			return own, fatal
		case own != nil && !refused(own):
			return own, nil
		}
		r.err = own
	}
	return nil, nil
}

// The results of SQLite that say that a row can never be written, however often it is tried (sqlite.org/rescode.html).
const (
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
)

func refused(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // the upper bytes say more of the same
	case sqliteTooBig, sqliteConstraint, sqliteMismatch:
		return true
	}
	return false
}

func (w *writer) writeRun(r *runWrite) error {
	for i := range r.changes {
		c := &r.changes[i]
		write := w.saveRun
		if c.Remove {
			write = w.removeRun
		}
		if err := write(c); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) saveRun(c *RunChange) error {
	row := &c.Run
	if c.Snapshot != nil {
		_, err := w.stmts.addSnapshot.Exec(row.Snapshot, nanos(row.Created), string(c.Snapshot))
		if err != nil {
			return err
		}
	}
	var err error
	if c.Moved {
		_, err = w.stmts.moveRun.Exec(row.Num, row.State, nanos(row.Updated), nanos(row.Due), row.Parked, string(row.Doc))
		return cmp.Or(err, w.saveTasks(c))
	}
	_, err = w.stmts.saveRun.Exec(row.Num, row.ID, row.Name, row.Version, row.State, row.Correlation,
		row.IdempotencyKey, row.Parent, row.Gate, nanos(row.Created), nanos(row.Updated), nanos(row.Ended),
		nanos(row.Due), row.Parked, row.Snapshot, string(row.Doc))
	return cmp.Or(err, w.saveTasks(c))
}

func (w *writer) saveTasks(c *RunChange) (err error) {
	num := c.Run.Num
	if c.Cut >= 0 {
		err = w.execSQL("DELETE FROM wf_task WHERE row > ? AND row < ?", num<<runShift|int64(c.Cut), (num+1)<<runShift)
	}
	for i := range c.Tasks {
		if err != nil {
			return err
		}
		t := &c.Tasks[i]
		_, err = w.stmts.saveTask.Exec(num<<runShift|int64(t.Seq), t.ID, t.Ref, t.Name, t.Type, t.Status,
			nanos(t.Scheduled), nanos(t.Updated), string(t.Doc))
	}
	return err
}

func (w *writer) removeRun(c *RunChange) error {
	num := c.Run.Num
	return cmp.Or(
		w.execSQL("DELETE FROM wf_task WHERE row > ? AND row < ?", num<<runShift, (num+1)<<runShift),
		w.execSQL("DELETE FROM wf_log WHERE run = ?", num),
		w.execSQL("DELETE FROM wf WHERE num = ?", num))
}

const saveRunSQL = `INSERT INTO wf (num, id, name, version, state, correlation, idempotency, parent, gate, created,
	updated, ended, due, parked, snapshot, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (num) DO UPDATE SET state = excluded.state, version = excluded.version, updated = excluded.updated,
		ended = excluded.ended, due = excluded.due, parked = excluded.parked, snapshot = excluded.snapshot,
		doc = excluded.doc, trimmed = 0`

const saveTaskSQL = `INSERT INTO wf_task (row, id, ref, name, type, status, scheduled, updated, doc)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (row) DO UPDATE SET status = excluded.status, updated = excluded.updated, doc = excluded.doc`

// moveRunSQL is saveRunSQL for a run that was under way before and still is: it leaves all indexes alone.
const moveRunSQL = `UPDATE wf SET state = ?2, updated = ?3, due = ?4, parked = ?5, doc = ?6 WHERE num = ?1`
