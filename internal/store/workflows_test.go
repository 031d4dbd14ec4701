package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// aRun is a run with tasks attempts, under way.
func aRun(num int64, tasks int) RunChange {
	c := RunChange{
		Run: RunRow{
			Num: num, ID: fmt.Sprintf("run-%d", num), Name: "close", Version: 1, State: "RUNNING", Created: noon,
			Updated: noon, Snapshot: []byte("hash"), Doc: []byte(`{"input":{"center":7}}`),
		},
		Snapshot: []byte(`{"definition":{}}`), Cut: -1,
	}
	for seq := 1; seq <= tasks; seq++ {
		c.Tasks = append(c.Tasks, TaskRow{
			Seq: seq, ID: fmt.Sprintf("task-%d-%d", num, seq), Ref: fmt.Sprintf("step%d", seq), Name: "call", Type: "HTTP",
			Status: "SCHEDULED", Scheduled: noon, Updated: noon,
			Doc: []byte(`{"outputData":{"response":{"body":"long","statusCode":200}}}`),
		})
	}
	return c
}

// writeRuns waits until the changes are on disk.
func writeRuns(t testing.TB, s *Store, changes ...RunChange) error {
	t.Helper()
	answer := make(chan error, 1)
	s.WriteRuns(changes, func(err error) { answer <- err })
	return <-answer
}

func mustWriteRuns(t testing.TB, s *Store, changes ...RunChange) {
	t.Helper()
	if err := writeRuns(t, s, changes...); err != nil {
		t.Fatal(err)
	}
}

func TestRunsAndTheirAttemptsComeBack(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	c := aRun(1, 3)
	c.Run.Due, c.Run.Parked, c.Run.Gate, c.Run.Correlation = noon.Add(time.Hour), true, "gate", "order 7"
	mustWriteRuns(t, s, c, aRun(2, 1))
	row, tasks, err := s.Run(t.Context(), "run-1", true)
	if err != nil || !reflect.DeepEqual(row, c.Run) || !reflect.DeepEqual(tasks, c.Tasks) {
		t.Errorf("%+v\n%+v\n%v", row, tasks, err)
	}
	if doc, err := s.RunSnapshot(t.Context(), []byte("hash")); err != nil || string(doc) != string(c.Snapshot) {
		t.Errorf("the definition is %s, %v", doc, err)
	}
	if num, err := s.LastRun(t.Context()); err != nil || num != 2 {
		t.Errorf("the last run is %d, %v", num, err)
	}
	if found, run, err := s.Task(t.Context(), "task-1-2"); err != nil || run != "run-1" || found.Seq != 2 {
		t.Errorf("task-1-2 is %+v of %s, %v", found, run, err)
	}
	for _, missing := range []error{
		func() error { _, _, err := s.Run(t.Context(), "run-9", true); return err }(),
		func() error { _, _, err := s.Task(t.Context(), "task-9-9"); return err }(),
		func() error { _, err := s.RunSnapshot(t.Context(), []byte("no")); return err }(),
		s.AddTaskLog(t.Context(), "task-9-9", "line", noon, 10),
	} {
		if !errors.Is(missing, ErrNotFound) {
			t.Errorf("what is not there gives %v", missing)
		}
	}
}

func TestChangesOfRunsReplaceCutAndRemove(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	mustWriteRuns(t, s, aRun(1, 3), aRun(2, 2))
	again := aRun(1, 1)
	again.Run.State, again.Run.Ended, again.Cut = "COMPLETED", noon, 2
	again.Tasks[0].Status = "COMPLETED"
	mustWriteRuns(t, s, again)
	row, tasks, err := s.Run(t.Context(), "run-1", true)
	if err != nil || row.State != "COMPLETED" || len(tasks) != 2 || tasks[0].Status != "COMPLETED" || tasks[1].Seq != 2 {
		t.Errorf("%+v %+v %v", row, tasks, err)
	}
	var live []string
	if err := s.LiveRuns(t.Context(), func(r RunRow) error { live = append(live, r.ID); return nil }); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(live) != "[run-2]" {
		t.Errorf("under way are %v", live)
	}
	mustWriteRuns(t, s, RunChange{Run: RunRow{Num: 1}, Remove: true})
	if _, _, err := s.Run(t.Context(), "run-1", false); !errors.Is(err, ErrNotFound) {
		t.Errorf("a removed run gives %v", err)
	}
	if _, _, err := s.Task(t.Context(), "task-1-2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an attempt of a removed run gives %v", err)
	}
	if _, tasks, err := s.Run(t.Context(), "run-2", true); err != nil || len(tasks) != 2 {
		t.Errorf("the other run has %+v, %v", tasks, err)
	}
}

func TestRefusedRunLeavesTheOthersOfItsCommitAlone(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	mustWriteRuns(t, s, aRun(1, 0))
	twice := aRun(2, 0)
	twice.Run.ID = "run-1"
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i, c := range []RunChange{aRun(3, 1), twice, aRun(4, 1)} {
		wg.Add(1)
		s.WriteRuns([]RunChange{c}, func(err error) {
			errs[i] = err
			wg.Done()
		})
	}
	wg.Wait()
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("the answers are %v", errs)
	}
	for _, id := range []string{"run-3", "run-4"} {
		if _, tasks, err := s.Run(t.Context(), id, true); err != nil || len(tasks) != 1 {
			t.Errorf("%s: %v, %v", id, tasks, err)
		}
	}
}

func TestRunsAreWrittenOnceTheDiskIsWellAgain(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	s.sql(t, "ALTER TABLE wf RENAME TO away")
	answers := make(chan error, 2)
	s.WriteRuns([]RunChange{aRun(1, 1)}, func(err error) { answers <- err })
	for s.Stats().LastError == nil {
		time.Sleep(time.Millisecond)
	}
	s.WriteRuns([]RunChange{aRun(1, 2)}, func(err error) { answers <- err })
	if st := s.Stats(); st.RunsWaiting == 0 || len(answers) != 0 {
		t.Errorf("%+v, answers: %d", st, len(answers))
	}
	s.sql(t, "ALTER TABLE away RENAME TO wf")
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if _, tasks, err := s.Run(t.Context(), "run-1", true); err != nil || len(tasks) != 2 {
		t.Errorf("%+v, %v", tasks, err)
	}
	if st := s.Stats(); st.LastError != nil || st.RunChanges != 2 || st.RunsWaiting != 0 {
		t.Errorf("%+v", st)
	}
}

func TestTooManyRunChangesMakeTheirCallerWait(t *testing.T) {
	q := newRunQueue()
	fits := &runWrite{changes: make([]RunChange, maxRunsWaiting)}
	if !q.push(fits) {
		t.Fatal("the first write was refused")
	}
	pushed := make(chan bool)
	go func() { pushed <- q.push(&runWrite{changes: make([]RunChange, 1)}) }()
	select {
	case <-pushed:
		t.Fatal("one change too many did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	if taken := q.take(); len(taken) != 1 || taken[0] != fits {
		t.Errorf("taken were %d writes", len(taken))
	}
	if !<-pushed {
		t.Error("the write that waited was refused")
	}
	if left := q.shut(); len(left) != 1 || q.push(&runWrite{}) {
		t.Errorf("left are %d writes, or a closed queue takes more", len(left))
	}
}

func TestRunsOfAClosedStoreAreToldSo(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	answers := make(chan error, 1)
	s.WriteRuns([]RunChange{aRun(1, 1)}, func(err error) { answers <- err })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answers; err != nil {
		t.Errorf("what was handed in before is %v", err)
	}
	s.WriteRuns([]RunChange{aRun(2, 1)}, func(err error) { answers <- err })
	if err := <-answers; !errors.Is(err, ErrClosed) {
		t.Errorf("what was handed in later is %v", err)
	}
}

func TestSearchRunsAndTasks(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for num := range int64(5) {
		c := aRun(num+1, 2)
		c.Run.Created = noon.Add(time.Duration(num) * time.Minute)
		if num%2 == 0 {
			c.Run.Name, c.Run.State, c.Run.Ended = "reopen", "FAILED", noon
			c.Run.Correlation, c.Run.IdempotencyKey, c.Run.Parent = "even", "key", "run-2"
			c.Tasks[0].Status = "FAILED"
		}
		mustWriteRuns(t, s, c)
	}
	for _, c := range []struct {
		query RunQuery
		want  string
	}{
		{RunQuery{}, "5: [run-5 run-4 run-3 run-2 run-1]"},
		{RunQuery{Ascending: true, Start: 1}, "5: [run-2 run-3 run-4 run-5]"},
		{RunQuery{Name: "reopen", Version: 1}, "3: [run-5 run-3 run-1]"},
		{RunQuery{States: []string{"RUNNING", "PAUSED"}}, "2: [run-4 run-2]"},
		{RunQuery{Correlation: "even", Parent: "run-2", ID: "run-3"}, "1: [run-3]"},
		{RunQuery{Text: "n-4"}, "1: [run-4]"},
		{RunQuery{Text: "%"}, "0: []"},
		{RunQuery{From: noon.Add(time.Minute), To: noon.Add(3 * time.Minute)}, "2: [run-3 run-2]"},
		{RunQuery{Sort: OrderName, Ascending: true}, "5: [run-2 run-4 run-1 run-3 run-5]"},
		{RunQuery{Sort: OrderState, Ascending: true}, "5: [run-1 run-3 run-5 run-2 run-4]"},
	} {
		c.query.Size = 10
		list, total, err := s.SearchRuns(t.Context(), c.query)
		ids := []string{}
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		if got := fmt.Sprintf("%d: %v", total, ids); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.query, got, err, c.want)
		}
	}
	if r, ok, err := s.RunByKey(t.Context(), "reopen", "key"); err != nil || !ok || r.ID != "run-5" {
		t.Errorf("by key: %+v %v %v", r, ok, err)
	}
	if list, err := s.Children(t.Context(), "run-2"); err != nil || len(list) != 3 {
		t.Errorf("children: %+v %v", list, err)
	}
	found, total, err := s.SearchTasks(t.Context(), TaskQuery{Workflow: "reopen", Statuses: []string{"FAILED"}, Size: 2})
	if err != nil || total != 3 || len(found) != 2 || found[0].Run != "run-5" || found[0].Ref != "step1" {
		t.Errorf("tasks: %+v %d %v", found, total, err)
	}
	if found, total, err = s.SearchTasks(t.Context(), TaskQuery{Run: "run-2", Size: 9}); err != nil || total != 2 {
		t.Errorf("tasks of a run: %+v %v", found, err)
	}
	if open, err := s.OpenTasks(t.Context(), "call", "SCHEDULED"); err != nil || len(open) != 7 || open[0].Run != "run-1" {
		t.Errorf("open tasks: %+v %v", open, err)
	}
}

func TestOrphanRunsAreUnderWayWithAParentThatIsOver(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	parent, child := aRun(1, 0), aRun(2, 0)
	child.Run.Parent = "run-1"
	mustWriteRuns(t, s, parent, child)
	for _, want := range []string{"[]", "[run-2]"} {
		if ids, err := s.OrphanRuns(t.Context()); err != nil || fmt.Sprint(ids) != want {
			t.Errorf("orphans are %v, %v; want %s", ids, err, want)
		}
		parent.Run.Ended = noon
		mustWriteRuns(t, s, parent)
	}
}

func TestOldRunsAreTrimmedAndThenRemoved(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for num := range int64(3) {
		c := aRun(num+1, 1)
		if num > 0 {
			c.Run.Ended = noon.Add(time.Duration(num) * time.Hour)
		}
		mustWriteRuns(t, s, c)
	}
	if err := s.AddTaskLog(t.Context(), "task-2-1", "line", noon, 5); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if n, err := s.TrimEndedRuns(t.Context(), noon.Add(2*time.Hour), 10); err != nil || n != want {
			t.Errorf("trimmed %d, %v; want %d", n, err, want)
		}
	}
	if task, _, err := s.Task(t.Context(), "task-2-1"); err != nil ||
		string(task.Doc) != `{"outputData":{"response":{"statusCode":200}}}` {
		t.Errorf("the trimmed attempt is %s, %v", task.Doc, err)
	}
	if n, err := s.DropEndedRuns(t.Context(), noon.Add(2*time.Hour), 10); err != nil || n != 1 {
		t.Errorf("removed %d, %v", n, err)
	}
	if logs, err := s.TaskLogs(t.Context(), "task-2-1"); err != nil || len(logs) != 0 {
		t.Errorf("the log of a removed run is %v, %v", logs, err)
	}
	if _, total, err := s.SearchRuns(t.Context(), RunQuery{Size: 1}); err != nil || total != 2 {
		t.Errorf("left are %d, %v", total, err)
	}
	if err := s.DropSnapshots(t.Context(), noon.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := s.RunSnapshot(t.Context(), []byte("hash")); err != nil {
		t.Errorf("a definition that runs still have is gone: %v", err)
	}
}

func TestTaskLogsAreBounded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	mustWriteRuns(t, s, aRun(1, 2))
	for i := range 5 {
		if err := s.AddTaskLog(context.Background(), "task-1-1", fmt.Sprint("line ", i), noon, 3); err != nil {
			t.Fatal(err)
		}
	}
	logs, err := s.TaskLogs(t.Context(), "task-1-1")
	if err != nil || len(logs) != 3 || logs[0].Text != "line 2" || logs[2].Text != "line 4" || !logs[0].At.Equal(noon) {
		t.Errorf("%+v %v", logs, err)
	}
}

func TestProgramsAndTaskDefs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	err := s.PutPrograms(t.Context(), Program{"b", 1, []byte(`{"v":1}`)}, Program{"a", 2, []byte(`{}`)},
		Program{"b", 1, []byte(`{"v":2}`)}, Program{"gone", 1, []byte(`{}`)})
	if err == nil {
		err = s.DropProgram(t.Context(), "gone", 1)
	}
	if err == nil {
		err = s.PutTaskDefs(t.Context(), map[string][]byte{"t": []byte(`{"t":1}`), "u": []byte(`{}`)})
	}
	if err == nil {
		err = s.DropTaskDef(t.Context(), "u")
	}
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Programs(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "a" || string(list[1].Doc) != `{"v":2}` {
		t.Errorf("%+v %v", list, err)
	}
	if docs, err := s.TaskDefs(t.Context()); err != nil || len(docs) != 1 || string(docs[0]) != `{"t":1}` {
		t.Errorf("%s %v", docs, err)
	}
}
