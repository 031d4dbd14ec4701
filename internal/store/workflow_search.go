package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// RunQuery says which runs are looked for; what is zero does not matter.
type RunQuery struct {
	Name                     string
	Version                  int
	States                   []string // any of them
	Correlation              string
	ID                       string
	Parent                   string
	From, To                 time.Time // when it was created: from, and before
	UpdatedFrom, UpdatedTo   time.Time // when it changed last: from, and before
	IDs, Names, Correlations []string  // any of them
	Text                     string    // somewhere in id, name, correlation id, input or output
	Start                    int       // how many to leave out
	Size                     int       // how many at most
	Sort                     RunOrder
	Ascending                bool
}

// RunOrder is what found runs are ordered by.
type RunOrder string

// The orders; OrderCreated is the default.
const (
	OrderCreated RunOrder = "num"
	OrderUpdated RunOrder = "updated"
	OrderEnded   RunOrder = "ended"
	OrderName    RunOrder = "name"
	OrderState   RunOrder = "state"
)

// SearchRuns lists the runs that are looked for, with their documents, and how many there are beyond Start and Size.
func (s *Store) SearchRuns(ctx context.Context, q RunQuery) (list []RunRow, total int, err error) {
	where := q.where()
	text, args := where.sql()
	err = s.readers.QueryRowContext(ctx, "SELECT count(*) FROM wf WHERE "+text, args...).Scan(&total)
	if err != nil {
		return nil, 0, fmt.Errorf("search runs: %w", err)
	}
	order := map[RunOrder]string{
		OrderUpdated: "updated", OrderEnded: "ended", OrderName: "name", OrderState: "state",
	}[q.Sort]
	if order != "" {
		order += direction(q.Ascending) + ", "
	}
	list, err = query(ctx, s.readers, func(rows *sql.Rows) (r RunRow, err error) {
		dest, convert := r.into()
		err = rows.Scan(append(dest, &r.Doc)...)
		convert()
		return r, err
	}, "SELECT "+runColumns+", doc FROM wf WHERE "+text+" ORDER BY "+order+"num"+direction(q.Ascending)+
		" LIMIT ? OFFSET ?", append(args, q.Size, q.Start)...)
	return list, total, err
}

func (q RunQuery) where() *conditions {
	var c conditions
	c.text("name", q.Name)
	c.text("correlation", q.Correlation)
	c.text("id", q.ID)
	c.text("parent", q.Parent)
	c.any("state", q.States)
	c.any("id", q.IDs)
	c.any("name", q.Names)
	c.any("correlation", q.Correlations)
	if q.Version != 0 {
		c.add("version = ?", q.Version)
	}
	c.within("created", q.From, q.To)
	c.within("updated", q.UpdatedFrom, q.UpdatedTo)
	if q.Text != "" {
		// instr, not LIKE: nothing in the text is a pattern.
		c.add("(instr(id, ?) OR instr(name, ?) OR instr(correlation, ?) OR instr(doc, ?))", q.Text, q.Text, q.Text, q.Text)
	}
	return &c
}

// TaskQuery says which attempts are looked for; what is zero does not matter.
type TaskQuery struct {
	ID        string
	Name      string
	Ref       string
	Types     []string // any of them
	Statuses  []string // any of them
	Run       string   // id of a run
	Workflow  string   // name of the workflow
	Text      string   // somewhere in it
	Start     int
	Size      int
	Ascending bool // by when it was scheduled
}

// FoundTask is an attempt with its run.
type FoundTask struct {
	TaskRow
	Run      string // id
	Workflow string // name
}

// SearchTasks lists the attempts that are looked for and how many there are beyond Start and Size.
func (s *Store) SearchTasks(ctx context.Context, q TaskQuery) (list []FoundTask, total int, err error) {
	var c conditions
	c.text("t.id", q.ID)
	c.text("t.name", q.Name)
	c.text("t.ref", q.Ref)
	c.any("t.type", q.Types)
	c.any("t.status", q.Statuses)
	c.text("wf.id", q.Run)
	c.text("wf.name", q.Workflow)
	if q.Run != "" {
		c.add("t.row >= (SELECT num << ? FROM wf WHERE id = ?)", runShift, q.Run)
		c.add("t.row < (SELECT (num + 1) << ? FROM wf WHERE id = ?)", runShift, q.Run)
	}
	if q.Text != "" {
		c.add("(instr(t.id, ?) OR instr(t.ref, ?) OR instr(t.doc, ?))", q.Text, q.Text, q.Text)
	}
	text, args := c.sql()
	from := fmt.Sprintf(" FROM wf_task AS t JOIN wf ON wf.num = t.row >> %d WHERE %s", runShift, text)
	if err := s.readers.QueryRowContext(ctx, "SELECT count(*)"+from, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("search tasks: %w", err)
	}
	list, err = query(ctx, s.readers, func(rows *sql.Rows) (f FoundTask, err error) {
		_, err = f.scan(rows, &f.Doc, &f.Run, &f.Workflow)
		return f, err
	}, "SELECT t.row, t.id, t.ref, t.name, t.type, t.status, t.scheduled, t.updated, t.doc, wf.id, wf.name"+from+
		" ORDER BY t.row"+direction(q.Ascending)+" LIMIT ? OFFSET ?", append(args, q.Size, q.Start)...)
	return list, total, err
}

// OpenTask is an attempt under way and its run.
type OpenTask struct {
	ID  string
	Run string
}

// OpenTasks lists the attempts of a task name that have a status, oldest first.
func (s *Store) OpenTasks(ctx context.Context, name, status string) ([]OpenTask, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (t OpenTask, err error) {
		err = rows.Scan(&t.ID, &t.Run)
		return t, err
	}, `SELECT t.id, wf.id FROM wf_task AS t JOIN wf ON wf.num = t.row >> ?
		WHERE t.name = ? AND t.status = ? AND t.status IN ('SCHEDULED', 'IN_PROGRESS') ORDER BY t.row`,
		runShift, name, status)
}

// conditions are joined with AND.
type conditions struct {
	texts []string
	args  []any
}

func (c *conditions) add(text string, args ...any) {
	c.texts, c.args = append(c.texts, text), append(c.args, args...)
}

func (c *conditions) text(column, value string) {
	if value != "" {
		c.add(column+" = ?", value)
	}
}

func (c *conditions) any(column string, values []string) {
	if len(values) == 0 {
		return
	}
	marks := strings.Repeat("?, ", len(values))
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	c.add(column+" IN ("+marks[:len(marks)-2]+")", args...)
}

func (c *conditions) within(column string, from, to time.Time) {
	if !from.IsZero() {
		c.add(column+" >= ?", nanos(from))
	}
	if !to.IsZero() {
		c.add(column+" < ?", nanos(to))
	}
}

func (c *conditions) sql() (string, []any) {
	if len(c.texts) == 0 {
		return "1", nil
	}
	return strings.Join(c.texts, " AND "), c.args
}

func direction(ascending bool) string {
	if ascending {
		return " ASC"
	}
	return " DESC"
}
