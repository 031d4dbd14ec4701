package runner

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// stored are the options under which rows are written and read. Broken text, which an error of the world outside may
// hold, becomes U+FFFD: a run must never be impossible to write.
var stored = json.JoinOptions(flow.JSON, jsontext.AllowInvalidUTF8(true))

// snapshot is a definition with the task definitions that a run of it needs, as they were when the run began: shared by
// all runs that began with the same.
type snapshot struct {
	hash []byte
	doc  []byte
	def  *flow.Definition
	defs map[string]*flow.TaskDef
	own  map[*flow.Task]bool // the tasks of the definition
}

// snapshotDoc is a snapshot on disk.
type snapshotDoc struct {
	Definition *flow.Definition         `json:"definition"`
	TaskDefs   map[string]*flow.TaskDef `json:"taskDefs"`
}

func newSnapshot(def *flow.Definition, defs map[string]*flow.TaskDef) (*snapshot, error) {
	doc, err := json.Marshal(snapshotDoc{def, defs}, stored)
	if err != nil {
		return nil, fmt.Errorf("encode definition %s: %w", def.Name, err)
	}
	sum := sha256.Sum256(doc)
	return (&snapshot{hash: sum[:16], doc: doc, def: def, defs: defs}).indexed(), nil
}

func readSnapshot(hash, doc []byte) (*snapshot, error) {
	var d snapshotDoc
	if err := json.Unmarshal(doc, &d, stored); err != nil {
		return nil, fmt.Errorf("decode the definition of a run: %w", err)
	}
	return (&snapshot{hash: hash, doc: doc, def: d.Definition, defs: d.TaskDefs}).indexed(), nil
}

func (s *snapshot) indexed() *snapshot {
	s.own = map[*flow.Task]bool{}
	eachTask(s.def.Tasks, func(t *flow.Task) { s.own[t] = true })
	return s
}

// eachTask calls f for every task and those within it.
func eachTask(tasks []*flow.Task, f func(*flow.Task)) {
	for _, t := range tasks {
		f(t)
		for _, name := range slices.Sorted(maps.Keys(t.DecisionCases)) {
			eachTask(t.DecisionCases[name], f)
		}
		eachTask(t.DefaultCase, f)
		for _, branch := range t.ForkTasks {
			eachTask(branch, f)
		}
		eachTask(t.LoopOver, f)
	}
}

// runRow is a run as it is written, without its attempts.
func runRow(lv *live) (store.RunRow, error) {
	run := *lv.run
	run.Definition, run.TaskDefs, run.Tasks = nil, nil, nil // rows of their own
	doc, err := json.Marshal(&run, stored)
	if err != nil {
		return store.RunRow{}, fmt.Errorf("encode run %s: %w", run.ID, err)
	}
	row := store.RunRow{
		Num: lv.num, ID: string(run.ID), Name: lv.snap.def.Name, Version: lv.snap.def.Version, State: string(run.State),
		Correlation: run.CorrelationID, IdempotencyKey: run.IdempotencyKey, Parent: string(run.Parent), Gate: lv.gate,
		Created: run.Created, Updated: run.Updated, Snapshot: lv.snap.hash, Doc: doc,
	}
	if run.State.Final() {
		row.Ended = run.Ended
		if row.Ended.IsZero() {
			row.Ended = run.Updated
		}
		return row, nil
	}
	row.Due, row.Parked = dueOf(lv.run), parked(lv.run)
	return row, nil
}

// parked says whether a run waits for nothing but time and people, so that after a restart it needs no look.
func parked(run *flow.Run) bool {
	if len(run.Tasks) == 0 {
		return false
	}
	for _, a := range run.Tasks {
		if a.Status.Final() {
			continue
		}
		switch a.Type {
		case flow.TypeWait, flow.TypeHuman, flow.TypeWaitForWebhook, flow.TypeJoin, flow.TypeExclusiveJoin:
		default:
			if a.Status != flow.Scheduled || a.Type == flow.TypeSimple || a.DueAt.IsZero() {
				return false
			}
		}
	}
	return true
}

// taskRow is an attempt as it is written. A task that the definition has is not written again.
func taskRow(a *flow.Attempt, snap *snapshot) (store.TaskRow, error) {
	copied := *a
	if snap.own[a.Task] {
		copied.Task = nil
	}
	doc, err := json.Marshal(&copied, stored)
	if err != nil {
		return store.TaskRow{}, fmt.Errorf("encode attempt %s: %w", a.ID, err)
	}
	return store.TaskRow{
		Seq: a.Seq, ID: string(a.ID), Ref: a.Ref, Name: a.Name, Type: a.Type, Status: string(a.Status),
		Scheduled: a.ScheduledAt, Updated: latest(a.UpdatedAt, a.ScheduledAt), Doc: doc,
	}, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// readRun makes a run out of its rows; without tasks it cannot be stepped.
func readRun(row store.RunRow, tasks []store.TaskRow, snap *snapshot) (*flow.Run, error) {
	run := &flow.Run{}
	if err := json.Unmarshal(row.Doc, run, stored); err != nil {
		return nil, fmt.Errorf("decode run %s: %w", row.ID, err)
	}
	run.Definition, run.TaskDefs = snap.def, snap.defs
	attempts := make([]*flow.Attempt, 0, len(tasks))
	for i := range tasks {
		a, err := readAttempt(&tasks[i])
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, a)
	}
	run.Attach(attempts)
	return run, nil
}

func readAttempt(row *store.TaskRow) (*flow.Attempt, error) {
	a := &flow.Attempt{}
	if err := json.Unmarshal(row.Doc, a, stored); err != nil {
		return nil, fmt.Errorf("decode attempt %s: %w", row.ID, err)
	}
	return a, nil
}
