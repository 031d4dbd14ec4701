package runner

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// MaxSearch bounds the size of one page of a search; its default is DefaultSearch.
const (
	MaxSearch     = 5000
	DefaultSearch = 100
)

// Query says which runs are looked for; what is zero does not matter. Their order is that of the store.
type Query = store.RunQuery

// TaskQuery says which attempts are looked for.
type TaskQuery = store.TaskQuery

// Summary is a run in a list.
type Summary struct {
	ID             flow.RunID
	Name           string
	Version        int
	State          flow.State
	CorrelationID  string
	IdempotencyKey string
	Parent         flow.RunID
	Priority       int
	CreatedBy      string
	Event          string
	Reason         string
	FailedRefs     []string
	Input, Output  flow.Map
	Created        time.Time
	Updated        time.Time
	Ended          time.Time // zero: it is under way
}

func summary(run *flow.Run) Summary {
	s := Summary{
		ID: run.ID, State: run.State, CorrelationID: run.CorrelationID, IdempotencyKey: run.IdempotencyKey,
		Parent: run.Parent, Priority: run.Priority, CreatedBy: run.CreatedBy, Event: run.Event, Reason: run.Reason,
		FailedRefs: run.FailedRefs, Input: run.Input, Output: run.Output, Created: run.Created, Updated: run.Updated,
		Ended: run.Ended,
	}
	if run.Definition != nil {
		s.Name, s.Version = run.Definition.Name, run.Definition.Version
	}
	return s
}

// Search lists the runs that are looked for, and how many there are beyond the page.
func (r *Runner) Search(ctx context.Context, q Query) ([]Summary, int, error) {
	if err := page(&q.Start, &q.Size); err != nil {
		return nil, 0, err
	}
	rows, total, err := r.cfg.Store.SearchRuns(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	list := make([]Summary, 0, len(rows))
	for i := range rows {
		run := &flow.Run{}
		if err := json.Unmarshal(rows[i].Doc, run, stored); err != nil {
			return nil, 0, err
		}
		s := summary(run)
		s.Name, s.Version = rows[i].Name, rows[i].Version
		list = append(list, s)
	}
	return list, total, nil
}

// FoundTask is an attempt in a list, with the name of its workflow.
type FoundTask struct {
	*flow.Attempt
	Workflow string
}

// SearchTasks lists the attempts that are looked for, and how many there are beyond the page.
func (r *Runner) SearchTasks(ctx context.Context, q TaskQuery) ([]FoundTask, int, error) {
	if err := page(&q.Start, &q.Size); err != nil {
		return nil, 0, err
	}
	rows, total, err := r.cfg.Store.SearchTasks(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	list := make([]FoundTask, 0, len(rows))
	for i := range rows {
		a, err := readAttempt(&rows[i].TaskRow)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, FoundTask{a, rows[i].Workflow})
	}
	return list, total, nil
}

// Children lists the runs that a run waits for or waited for, oldest first.
func (r *Runner) Children(ctx context.Context, id flow.RunID) ([]Summary, error) {
	list, _, err := r.Search(ctx, Query{Parent: string(id), Size: MaxSearch, Ascending: true})
	return list, err
}

func page(start, size *int) error {
	switch {
	case *start < 0:
		return invalid("start", "must not be negative")
	case *size < 0 || *size > MaxSearch:
		return invalid("size", "must be from 1 to %d", MaxSearch)
	case *size == 0:
		*size = DefaultSearch
	}
	return nil
}
