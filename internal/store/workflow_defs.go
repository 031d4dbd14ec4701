package store

import (
	"context"
	"database/sql"
	"time"
)

// Program is a registered workflow definition: its owner's JSON.
type Program struct {
	Name    string
	Version int
	Doc     []byte
}

// PutPrograms keeps definitions durably, all or none, in the place of those of the same name and version.
func (s *Store) PutPrograms(ctx context.Context, list ...Program) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		for _, p := range list {
			err := w.execSQL("INSERT OR REPLACE INTO wf_def (name, version, doc) VALUES (?, ?, ?)", p.Name, p.Version,
				string(p.Doc))
			if err != nil {
				return err
			}
		}
		return nil
	}})
}

// DropProgram forgets a definition; an unknown one is no error.
func (s *Store) DropProgram(ctx context.Context, name string, version int) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("DELETE FROM wf_def WHERE name = ? AND version = ?", name, version)
	}})
}

// Programs lists all definitions by name and version.
func (s *Store) Programs(ctx context.Context) ([]Program, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (p Program, err error) {
		err = rows.Scan(&p.Name, &p.Version, &p.Doc)
		return p, err
	}, "SELECT name, version, doc FROM wf_def ORDER BY name, version")
}

// PutTaskDefs keeps what holds for tasks of a name, by name, durably, all or none.
func (s *Store) PutTaskDefs(ctx context.Context, docs map[string][]byte) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		for name, doc := range docs {
			err := w.execSQL("INSERT OR REPLACE INTO task_def (name, doc) VALUES (?, ?)", name, string(doc))
			if err != nil {
				return err
			}
		}
		return nil
	}})
}

// DropTaskDef forgets what holds for tasks of a name; an unknown one is no error.
func (s *Store) DropTaskDef(ctx context.Context, name string) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("DELETE FROM task_def WHERE name = ?", name)
	}})
}

// TaskDefs lists what holds for tasks of a name, by name.
func (s *Store) TaskDefs(ctx context.Context) (docs [][]byte, err error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (doc []byte, err error) {
		err = rows.Scan(&doc)
		return doc, err
	}, "SELECT doc FROM task_def ORDER BY name")
}

// DropEndedRuns removes at most limit runs that ended before a time, with all that belongs to them, and says how many.
func (s *Store) DropEndedRuns(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		nums, err := query(ctx, w.conn, scanNumber,
			"SELECT num FROM wf WHERE ended > 0 AND ended < ? ORDER BY ended LIMIT ?", nanos(before), limit)
		if err != nil {
			return err
		}
		for _, num := range nums {
			if err := w.removeRun(&RunChange{Run: RunRow{Num: num}}); err != nil {
				return err
			}
		}
		n = len(nums)
		return nil
	}})
	return n, err
}

// TrimEndedRuns removes the bodies of HTTP answers from at most limit runs that ended before a time, and says of how
// many.
func (s *Store) TrimEndedRuns(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		nums, err := query(ctx, w.conn, scanNumber,
			"SELECT num FROM wf WHERE ended > 0 AND trimmed = 0 AND ended < ? ORDER BY ended LIMIT ?", nanos(before), limit)
		if err != nil {
			return err
		}
		for _, num := range nums {
			err := w.execSQL(`UPDATE wf_task SET doc = json_remove(doc, '$.outputData.response.body', '$.outputData.exchange')
				WHERE row > ? AND row < ? AND type IN ('HTTP', 'HTTP_POLL')`, num<<runShift, (num+1)<<runShift)
			if err == nil {
				err = w.execSQL("UPDATE wf SET trimmed = 1 WHERE num = ?", num)
			}
			if err != nil {
				return err
			}
		}
		n = len(nums)
		return nil
	}})
	return n, err
}

// DropSnapshots forgets definitions that were kept before a time and that no run has any more.
func (s *Store) DropSnapshots(ctx context.Context, before time.Time) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("DELETE FROM wf_snapshot WHERE at < ? AND hash NOT IN (SELECT snapshot FROM wf)", nanos(before))
	}})
}

func scanNumber(rows *sql.Rows) (n int64, err error) {
	err = rows.Scan(&n)
	return n, err
}
