package store

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// TriggerDef is something that starts workflows: its owner's JSON.
type TriggerDef struct {
	Kind string
	Name string
	Doc  []byte
}

// TriggerEvent is something that happened and that a trigger waits for.
type TriggerEvent struct {
	Num     int64 // ascending; its owner gives it
	ID      string
	Name    string
	At      time.Time
	Payload []byte
}

// TriggerShot is what a trigger caused once.
type TriggerShot struct {
	Num      int64 // ascending in the order in which they were written
	Kind     string
	Name     string // of the trigger
	Cause    string // what makes it unique: id of the event, the due time
	Action   int    // place among the actions that the cause has
	At       time.Time
	Due      time.Time // of schedules
	State    string
	Workflow string // name
	Run      string // id
	Reason   string // what went wrong
}

// TriggerChange is what is written of triggers in one commit.
type TriggerChange struct {
	Put   []TriggerDef
	Drop  []TriggerDef // by kind and name
	Shots []TriggerShot
	Done  []int64 // events
}

// WriteTriggers makes a change durable, all or nothing. A shot that is there already stays as it is.
func (s *Store) WriteTriggers(ctx context.Context, change TriggerChange) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		for _, d := range change.Put {
			err := w.execSQL("INSERT OR REPLACE INTO trigger_def (kind, name, doc) VALUES (?, ?, ?)", d.Kind, d.Name,
				string(d.Doc))
			if err != nil {
				return err
			}
		}
		for _, d := range change.Drop {
			if err := w.execSQL("DELETE FROM trigger_def WHERE kind = ? AND name = ?", d.Kind, d.Name); err != nil {
				return err
			}
		}
		for _, x := range change.Shots {
			err := w.execSQL(`INSERT OR IGNORE INTO trigger_shot (kind, name, cause, action, at, due, state, workflow,
				run, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, x.Kind, x.Name, x.Cause, x.Action, nanos(x.At),
				nanos(x.Due), x.State, x.Workflow, x.Run, x.Reason)
			if err != nil {
				return err
			}
		}
		for _, num := range change.Done {
			if err := w.execSQL("UPDATE trigger_event SET done = 1 WHERE num = ?", num); err != nil {
				return err
			}
		}
		return nil
	}})
}

// TriggerDefs lists what starts workflows, by kind and name.
func (s *Store) TriggerDefs(ctx context.Context) ([]TriggerDef, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (d TriggerDef, err error) {
		err = rows.Scan(&d.Kind, &d.Name, &d.Doc)
		return d, err
	}, "SELECT kind, name, doc FROM trigger_def ORDER BY kind, name")
}

// AddTriggerEvents keeps events durably, all or nothing, and says which of them are new: an id that is known already is
// left out.
func (s *Store) AddTriggerEvents(ctx context.Context, list []TriggerEvent) (fresh []TriggerEvent, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		fresh = nil
		for _, e := range list {
			res, err := w.conn.ExecContext(context.Background(), `INSERT OR IGNORE INTO trigger_event
				(num, id, name, at, done, payload) VALUES (?, ?, ?, ?, 0, ?)`, e.Num, e.ID, e.Name, nanos(e.At),
				string(e.Payload))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n > 0 {
				fresh = append(fresh, e)
			}
		}
		return nil
	}})
	return fresh, err
}

// OpenTriggerEvents lists events behind num that are not done, oldest first, at most limit.
func (s *Store) OpenTriggerEvents(ctx context.Context, num int64, limit int) ([]TriggerEvent, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (e TriggerEvent, err error) {
		var at int64
		err = rows.Scan(&e.Num, &e.ID, &e.Name, &at, &e.Payload)
		e.At = instant(at)
		return e, err
	}, "SELECT num, id, name, at, payload FROM trigger_event WHERE done = 0 AND num > ? ORDER BY num LIMIT ?", num, limit)
}

// LastTriggerEvent is the highest Num of all events; 0: there was none.
func (s *Store) LastTriggerEvent(ctx context.Context) (int64, error) {
	list, err := query(ctx, s.readers, scanNumber, "SELECT coalesce(max(num), 0) FROM trigger_event")
	if err != nil {
		return 0, err
	}
	return list[0], nil
}

// ShotQuery says which shots are looked for; what is zero does not matter.
type ShotQuery struct {
	Kind      string
	Name      string
	State     string
	Workflow  string
	Start     int
	Size      int
	Ascending bool // oldest first
}

// TriggerShots lists what triggers caused, newest first, and how many there are beyond the page.
func (s *Store) TriggerShots(ctx context.Context, q ShotQuery) (list []TriggerShot, total int, err error) {
	var where []string
	var args []any
	for _, c := range []struct{ column, value string }{
		{"kind", q.Kind}, {"name", q.Name}, {"state", q.State}, {"workflow", q.Workflow},
	} {
		if c.value != "" {
			where, args = append(where, c.column+" = ?"), append(args, c.value)
		}
	}
	text := "FROM trigger_shot"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	counted, err := query(ctx, s.readers, scanNumber, "SELECT count(*) "+text, args...)
	if err != nil {
		return nil, 0, err
	}
	order := " ORDER BY num DESC LIMIT ? OFFSET ?"
	if q.Ascending {
		order = " ORDER BY num LIMIT ? OFFSET ?"
	}
	list, err = query(ctx, s.readers, func(rows *sql.Rows) (x TriggerShot, err error) {
		var at, due int64
		err = rows.Scan(&x.Num, &x.Kind, &x.Name, &x.Cause, &x.Action, &at, &due, &x.State, &x.Workflow, &x.Run, &x.Reason)
		x.At, x.Due = instant(at), instant(due)
		return x, err
	}, "SELECT num, kind, name, cause, action, at, due, state, workflow, run, reason "+text+order,
		append(args, q.Size, q.Start)...)
	return list, int(counted[0]), err
}

// TrimTriggers removes events that are done and shots, from before a time; and the oldest shots beyond most.
func (s *Store) TrimTriggers(ctx context.Context, before time.Time, most int) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		// The last event stays: its number says where the next one goes on.
		err := w.execSQL(`DELETE FROM trigger_event WHERE done = 1 AND at < ?
			AND num < (SELECT max(num) FROM trigger_event)`, nanos(before))
		if err == nil {
			err = w.execSQL("DELETE FROM trigger_shot WHERE at < ?", nanos(before))
		}
		if err == nil {
			err = w.execSQL("DELETE FROM trigger_shot WHERE num <= (SELECT max(num) FROM trigger_shot) - ?", most)
		}
		return err
	}})
}

// WaitingTask is an attempt that waits for a webhook.
type WaitingTask struct {
	ID      string
	Run     string // id
	Name    string // of the workflow
	Version int
	Doc     []byte
}

// TasksForWebhook lists attempts that wait for a webhook in runs of a workflow, of a version or of any (0), oldest
// first.
func (s *Store) TasksForWebhook(ctx context.Context, workflow string, version, limit int) ([]WaitingTask, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (t WaitingTask, err error) {
		err = rows.Scan(&t.ID, &t.Run, &t.Name, &t.Version, &t.Doc)
		return t, err
	}, `SELECT t.id, wf.id, wf.name, wf.version, t.doc
		FROM wf_task AS t INDEXED BY wf_task_open JOIN wf ON wf.num = t.row >> ?
		WHERE t.status IN ('SCHEDULED', 'IN_PROGRESS') AND t.type = 'WAIT_FOR_WEBHOOK' AND wf.name = ?
			AND ? IN (0, wf.version) ORDER BY t.row LIMIT ?`, runShift, workflow, version, limit)
}
