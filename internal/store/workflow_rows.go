package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	runColumns = `num, id, name, version, state, correlation, idempotency, parent, gate, created, updated, ended, due,
		parked, snapshot`
	taskColumns = "row, id, ref, name, type, status, scheduled, updated"
)

// Run reads a run, and with tasks its attempts in the order of their Seq, both as of one moment. An unknown run is
// ErrNotFound.
func (s *Store) Run(ctx context.Context, id string, tasks bool) (RunRow, []TaskRow, error) {
	fail := func(err error) (RunRow, []TaskRow, error) {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		return RunRow{}, nil, fmt.Errorf("read run %s: %w", id, err)
	}
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	row := RunRow{}
	dest, convert := row.into()
	err = tx.QueryRowContext(ctx, "SELECT "+runColumns+", doc FROM wf WHERE id = ?", id).Scan(append(dest, &row.Doc)...)
	if err != nil {
		return fail(err)
	}
	convert()
	if !tasks {
		return row, nil, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+taskColumns+", doc FROM wf_task WHERE row > ? AND row < ? ORDER BY row",
		row.Num<<runShift, (row.Num+1)<<runShift)
	if err != nil {
		return fail(err)
	}
	list, err := collect(rows, func(rows *sql.Rows) (t TaskRow, err error) {
		_, err = t.scan(rows, &t.Doc)
		return t, err
	})
	if err != nil {
		return fail(err)
	}
	return row, list, nil
}

// RunSnapshot reads the definition that runs with this hash were started with. An unknown one is ErrNotFound.
func (s *Store) RunSnapshot(ctx context.Context, hash []byte) ([]byte, error) {
	var doc []byte
	err := s.readers.QueryRowContext(ctx, "SELECT doc FROM wf_snapshot WHERE hash = ?", hash).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read the definition of a run: %w", err)
	}
	return doc, nil
}

// LastRun is the greatest Num that a run has, 0 for none.
func (s *Store) LastRun(ctx context.Context) (num int64, err error) {
	if err = s.readers.QueryRowContext(ctx, "SELECT coalesce(max(num), 0) FROM wf").Scan(&num); err != nil {
		return 0, fmt.Errorf("read the last run: %w", err)
	}
	return num, nil
}

// LiveRuns hands the runs under way to each, oldest first, without their documents, until it returns an error.
func (s *Store) LiveRuns(ctx context.Context, each func(RunRow) error) error {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+runColumns+" FROM wf WHERE ended = 0 ORDER BY num")
	if err != nil {
		return fmt.Errorf("read the runs under way: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, err := scanRun(rows)
		if err != nil {
			return fmt.Errorf("read the runs under way: %w", err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the runs under way: %w", err)
	}
	return nil
}

// GatedRun is a run under way that counts for a limit of such.
type GatedRun struct {
	ID, Gate string
	Begun    bool // it has attempts
}

// GatedRuns lists the runs under way that have a Gate, oldest first.
func (s *Store) GatedRuns(ctx context.Context) ([]GatedRun, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (g GatedRun, err error) {
		err = rows.Scan(&g.ID, &g.Gate, &g.Begun)
		return g, err
	}, `SELECT id, gate, EXISTS (SELECT 1 FROM wf_task WHERE row > num << ?1 AND row < (num + 1) << ?1)
		FROM wf WHERE ended = 0 AND gate <> '' ORDER BY num`, runShift)
}

// OrphanRuns lists the ids of the runs under way whose parent is over: a crash came before they could be told.
func (s *Store) OrphanRuns(ctx context.Context) ([]string, error) {
	return query(ctx, s.readers, scanID, `SELECT child.id FROM wf AS child JOIN wf AS parent ON parent.id = child.parent
		WHERE child.ended = 0 AND child.parent <> '' AND parent.ended > 0`)
}

// RunByKey finds the newest run of a workflow that was started with an idempotency key, without its document.
func (s *Store) RunByKey(ctx context.Context, name, key string) (RunRow, bool, error) {
	list, err := query(ctx, s.readers, scanRun, "SELECT "+runColumns+` FROM wf
		WHERE name = ? AND idempotency = ? AND idempotency <> '' ORDER BY num DESC LIMIT 1`, name, key)
	if err != nil || len(list) == 0 {
		return RunRow{}, false, err
	}
	return list[0], true, nil
}

// Children lists the runs that a run waits for or waited for, oldest first, without their documents.
func (s *Store) Children(ctx context.Context, id string) ([]RunRow, error) {
	return query(ctx, s.readers, scanRun, "SELECT "+runColumns+` FROM wf
		WHERE parent = ? AND parent <> '' ORDER BY num`, id)
}

// Task finds an attempt and the id of its run. An unknown one is ErrNotFound.
func (s *Store) Task(ctx context.Context, id string) (t TaskRow, run string, err error) {
	list, err := query(ctx, s.readers, scanFound, "SELECT "+taskColumns+", doc FROM wf_task WHERE id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err == nil {
		err = s.readers.QueryRowContext(ctx, "SELECT id FROM wf WHERE num = ?", list[0].num).Scan(&run)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
	}
	if err != nil {
		return TaskRow{}, "", fmt.Errorf("read task %s: %w", id, err)
	}
	return list[0].TaskRow, run, nil
}

// AddTaskLog keeps a line that a worker wrote about an attempt, durably. An unknown attempt is ErrNotFound; the oldest
// lines of an attempt make room for those beyond keep.
func (s *Store) AddTaskLog(ctx context.Context, task, text string, at time.Time, keep int) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		var num int64
		err := w.conn.QueryRowContext(ctx, "SELECT row >> ? FROM wf_task WHERE id = ?", runShift, task).Scan(&num)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("task %s: %w", task, ErrNotFound)
		}
		if err != nil {
			return err
		}
		err = w.execSQL("INSERT INTO wf_log (run, task, at, text) VALUES (?, ?, ?, ?)", num, task, nanos(at), text)
		if err != nil {
			return err
		}
		return w.execSQL(`DELETE FROM wf_log WHERE run = ?1 AND task = ?2 AND rowid NOT IN (
			SELECT rowid FROM wf_log WHERE run = ?1 AND task = ?2 ORDER BY rowid DESC LIMIT ?3)`, num, task, keep)
	}})
}

// TaskLog is a line about an attempt.
type TaskLog struct {
	At   time.Time
	Text string
}

// TaskLogs lists the lines about an attempt, oldest first.
func (s *Store) TaskLogs(ctx context.Context, task string) ([]TaskLog, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (l TaskLog, err error) {
		var at int64
		err = rows.Scan(&at, &l.Text)
		l.At = instant(at)
		return l, err
	}, `SELECT at, text FROM wf_log WHERE run = (SELECT row >> ? FROM wf_task WHERE id = ?2) AND task = ?2
		ORDER BY rowid`, runShift, task)
}

// into gives the places that runColumns are read to, and what turns them into the row afterwards.
func (r *RunRow) into() (dest []any, convert func()) {
	var created, updated, ended, due int64
	dest = []any{
		&r.Num, &r.ID, &r.Name, &r.Version, &r.State, &r.Correlation, &r.IdempotencyKey, &r.Parent, &r.Gate,
		&created, &updated, &ended, &due, &r.Parked, &r.Snapshot,
	}
	return dest, func() {
		r.Created, r.Updated, r.Ended, r.Due = instant(created), instant(updated), instant(ended), instant(due)
	}
}

func scanRun(rows *sql.Rows) (r RunRow, err error) {
	dest, convert := r.into()
	err = rows.Scan(dest...)
	convert()
	return r, err
}

// scan reads taskColumns and what else was asked for, and says the Num of the run.
func (t *TaskRow) scan(rows *sql.Rows, more ...any) (num int64, err error) {
	var row, scheduled, updated int64
	err = rows.Scan(append([]any{
		&row, &t.ID, &t.Ref, &t.Name, &t.Type, &t.Status, &scheduled, &updated,
	}, more...)...)
	t.Seq, t.Scheduled, t.Updated = int(row&(MaxRunTasks-1)), instant(scheduled), instant(updated)
	return row >> runShift, err
}

// foundTask is an attempt with the Num of its run.
type foundTask struct {
	TaskRow
	num int64
}

func scanFound(rows *sql.Rows) (t foundTask, err error) {
	t.num, err = t.scan(rows, &t.Doc)
	return t, err
}

func scanID(rows *sql.Rows) (id string, err error) {
	err = rows.Scan(&id)
	return id, err
}
