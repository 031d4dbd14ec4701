package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/flow"
)

func TestOrders(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", "")+","+httpTask("send"), "")
	id := w.start("hold", nil)
	steps := []struct {
		event flow.Event
		state flow.State
		kind  error
	}{
		{flow.Resume{}, flow.Running, ErrConflict},
		{flow.Pause{}, flow.Paused, nil},
		{flow.Pause{}, flow.Paused, ErrConflict},
		{flow.Resume{}, flow.Running, nil},
		{flow.SetVariables{Variables: flow.Map{"a": int64(1)}}, flow.Running, nil},
		{flow.Terminate{Reason: "enough"}, flow.Terminated, nil},
		{flow.Terminate{}, flow.Terminated, ErrConflict},
		{flow.Restart{}, flow.Running, nil},
		{flow.Skip{Ref: "none"}, flow.Running, ErrNotFound},
		{flow.Skip{Ref: "send"}, flow.Running, nil},
	}
	for _, c := range steps {
		err := w.runner.Do(t.Context(), id, c.event)
		if run := w.run(id); !errors.Is(err, c.kind) || run.State != c.state {
			t.Errorf("%T: %v, the run is %s", c.event, err, run.State)
		}
	}
	if _, err := w.runner.ReportByRef(t.Context(), id, "", flow.Reported{Status: flow.TaskCompleted}); err != nil {
		t.Fatal(err)
	}
	if got := trace(w.untilState(id, flow.Completed)); got != "COMPLETED, hold COMPLETED, send SKIPPED" {
		t.Error(got)
	}
	if w.called() != 0 {
		t.Error("a skipped task was carried out")
	}
	if err := w.runner.Do(t.Context(), "none", flow.Pause{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an order to nobody: %v", err)
	}
}

func TestTerminateStopsTheRequestUnderWay(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("call", httpTask("send"), "")
	stopped := make(chan struct{})
	w.do = func(ctx context.Context, _ *flow.Run, _ *flow.Attempt) flow.Reported {
		<-ctx.Done()
		close(stopped)
		return flow.Reported{Status: flow.TaskFailed, Reason: "given up"}
	}
	id := w.start("call", nil)
	for w.called() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := w.runner.Do(t.Context(), id, flow.Terminate{Reason: "enough"}); err != nil {
		t.Fatal(err)
	}
	<-stopped
	if got := trace(w.run(id)); got != "TERMINATED, send CANCELED" {
		t.Error(got)
	}
}

func TestRetriesAndRerun(t *testing.T) {
	w := newWorld(t, Limits{})
	w.taskDef(`{"name":"send","retryCount":1,"retryDelaySeconds":1,"retryLogic":"FIXED","ownerEmail":"a@example.com"}`)
	w.define("call", httpTask("first")+","+httpTask("send"), "")
	failing := true
	w.do = func(_ context.Context, _ *flow.Run, a *flow.Attempt) flow.Reported {
		if failing && a.Ref == "send" {
			return flow.Reported{Status: flow.TaskFailed, Reason: "no answer"}
		}
		return flow.Reported{Status: flow.TaskCompleted}
	}
	id := w.start("call", nil)
	run := w.untilState(id, flow.Failed)
	if got := trace(run); got != "FAILED, first COMPLETED, send FAILED, send FAILED" || run.Reason == "" {
		t.Error(got, run.Reason)
	}
	w.mu.Lock()
	failing = false
	w.mu.Unlock()
	if err := w.runner.Do(t.Context(), id, flow.Retry{}); err != nil {
		t.Fatal(err)
	}
	run = w.untilState(id, flow.Completed)
	if got := trace(run); got != "COMPLETED, first COMPLETED, send FAILED, send FAILED, send COMPLETED" {
		t.Error(got)
	}
	if err := w.runner.Do(t.Context(), id, flow.Rerun{From: run.Tasks[0].ID}); err != nil {
		t.Fatal(err)
	}
	run = w.until(id, func(r *flow.Run) bool { return r.State == flow.Completed && len(r.Tasks) == 2 })
	if got := trace(run); got != "COMPLETED, first COMPLETED, send COMPLETED" {
		t.Error(got)
	}
	// What is on disk is counted a moment after it can be read.
	st := w.runner.Stats()
	for until := time.Now().Add(5 * time.Second); st.RunsCompleted < 2 && time.Now().Before(until); st = w.runner.Stats() {
		time.Sleep(time.Millisecond)
	}
	if st.RunsRevived != 2 || st.RunsFailed != 1 || st.RunsCompleted != 2 {
		t.Errorf("%+v", st)
	}
}

func TestBrokenTextIsNoReasonNotToWrite(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("call", httpTask("send"), "")
	w.do = func(context.Context, *flow.Run, *flow.Attempt) flow.Reported {
		return flow.Reported{Status: flow.TaskFailed, Reason: "no such host: \xff", Output: flow.Map{"x": "\xfe"}}
	}
	run := w.untilState(w.start("call", nil), flow.Failed)
	if a := run.Tasks[0]; a.Reason != "no such host: \ufffd" || a.Output["x"] != "\ufffd" {
		t.Errorf("%q %q", a.Reason, a.Output)
	}
}

func TestRestartWithTheLatestDefinition(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("call", httpTask("old"), "")
	id := w.start("call", nil)
	w.untilState(id, flow.Completed)
	w.define("call", httpTask("new"), "")
	if err := w.runner.Do(t.Context(), id, flow.Restart{}); err != nil {
		t.Fatal(err)
	}
	if got := trace(w.untilState(id, flow.Completed)); got != "COMPLETED, old COMPLETED" {
		t.Error(got)
	}
	if err := w.runner.RestartLatest(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if got := trace(w.untilState(id, flow.Completed)); got != "COMPLETED, new COMPLETED" {
		t.Error(got)
	}
}

func TestFamilies(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("child", task("hold", "WAIT", ""), `"outputParameters":{"said":"${hold.output.word}"}`)
	w.define("sorry", httpTask("apologise"), "")
	w.define("parent", task("sub", "SUB_WORKFLOW", `"subWorkflowParam":{"name":"child","version":1}`),
		`"failureWorkflow":"sorry","outputParameters":{"said":"${sub.output.said}"}`)
	childOf := func(id flow.RunID) flow.RunID {
		parent := w.until(id, func(r *flow.Run) bool { return len(r.Tasks) > 0 && r.Tasks[0].Child != "" })
		w.until(parent.Tasks[0].Child, func(r *flow.Run) bool { return len(r.Tasks) > 0 })
		return parent.Tasks[0].Child
	}
	good := w.start("parent", nil)
	child := childOf(good)
	if err := answer(w, child, flow.TaskCompleted); err != nil {
		t.Fatal(err)
	}
	if run := w.untilState(good, flow.Completed); run.Output["said"] != "hello" {
		t.Errorf("the parent says %v", run.Output)
	}
	bad := w.start("parent", nil)
	child = childOf(bad)
	if err := answer(w, child, flow.TaskFailed); err != nil {
		t.Fatal(err)
	}
	w.untilState(bad, flow.Failed)
	list, total, err := w.runner.Search(t.Context(), Query{Name: "sorry"})
	if err != nil || total != 1 || list[0].Input["workflowId"] != string(bad) {
		t.Fatalf("the failure workflow: %+v %v", list, err)
	}
	w.untilState(list[0].ID, flow.Completed)
	if err := w.runner.Do(t.Context(), child, flow.Retry{}); err != nil {
		t.Fatal(err)
	}
	w.untilState(bad, flow.Running)
	if kids, err := w.runner.Children(t.Context(), bad); err != nil || len(kids) != 1 || kids[0].ID != child {
		t.Errorf("the children are %+v %v", kids, err)
	}
	if err := w.runner.Do(t.Context(), bad, flow.Terminate{Reason: "enough"}); err != nil {
		t.Fatal(err)
	}
	w.untilState(child, flow.Terminated)
}

func answer(w *world, id flow.RunID, status flow.Status) error {
	news := flow.Reported{Status: status, Output: flow.Map{"word": "hello"}}
	_, err := w.runner.ReportByRef(context.Background(), id, "hold", news)
	return err
}

func TestUnknownChildFailsItsParent(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("parent", task("sub", "SUB_WORKFLOW", `"subWorkflowParam":{"name":"${workflow.input.name}","version":1}`), "")
	run := w.untilState(w.start("parent", flow.Map{"name": "none"}), flow.Failed)
	if !strings.Contains(run.Reason, "there is no workflow none") {
		t.Error(run.Reason)
	}
}

func TestChildWithAKeyThatIsThereAlready(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("child", task("hold", "WAIT", ""), "")
	w.define("parent", task("sub", "SUB_WORKFLOW", `"subWorkflowParam":{"name":"child","version":1,
		"idempotencyKey":"one","idempotencyStrategy":"RETURN_EXISTING"}`), "")
	parents := []flow.RunID{w.start("parent", nil), w.start("parent", nil), w.start("parent", nil)}
	w.restart()
	var child flow.RunID
	for _, id := range parents {
		child = w.until(id, func(r *flow.Run) bool { return r.Tasks[0].Child != "" }).Tasks[0].Child
	}
	w.until(child, func(r *flow.Run) bool { return len(r.Tasks) > 0 })
	if err := answer(w, child, flow.TaskCompleted); err != nil {
		t.Fatal(err)
	}
	for _, id := range parents {
		w.untilState(id, flow.Completed)
	}
}

func TestTasksAboutOtherRuns(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", ""), "")
	other, third := w.start("hold", flow.Map{"x": int64(3)}), w.start("hold", nil)
	w.define("about", task("get", "GET_WORKFLOW",
		`"inputParameters":{"id":"${workflow.input.id}","includeTasks":true}`)+","+
		task("tell", "UPDATE_TASK", `"inputParameters":{"workflowId":"${workflow.input.id}","taskRefName":"hold",
			"taskStatus":"COMPLETED","taskOutput":{"word":"told"}}`)+","+
		task("begin", "START_WORKFLOW", `"inputParameters":{"startWorkflow":{"name":"hold"}}`)+","+
		task("end", "TERMINATE_WORKFLOW", `"inputParameters":{"workflowId":["${workflow.input.third}"]}`)+","+
		task("shout", "EVENT", `"sink":"switchboard:told","inputParameters":{"a":1}`), "")
	run := w.untilState(w.start("about", flow.Map{"id": string(other), "third": string(third)}), flow.Completed)
	got, _ := run.Tasks[0].Output["input"].(flow.Map)
	if tasks, _ := run.Tasks[0].Output["tasks"].([]any); got["x"] != int64(3) || len(tasks) != 1 {
		t.Errorf("GET_WORKFLOW gave %v", run.Tasks[0].Output)
	}
	if at, _ := run.Tasks[0].Output["startTime"].(int64); time.Since(time.UnixMilli(at)) > time.Hour {
		t.Errorf("GET_WORKFLOW gives startTime %v", run.Tasks[0].Output["startTime"])
	}
	for _, private := range []string{"identity", "seed", "drawn"} {
		if v, there := run.Tasks[0].Output[private]; there {
			t.Errorf("GET_WORKFLOW gives %s: %v", private, v)
		}
	}
	if told := w.untilState(other, flow.Completed); told.Tasks[0].Output["word"] != "told" {
		t.Errorf("UPDATE_TASK told %v", told.Tasks[0].Output)
	}
	w.untilState(third, flow.Terminated)
	begun, _ := run.Tasks[2].Output["workflowId"].(string)
	w.untilState(flow.RunID(begun), flow.Running)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent["switchboard:told"] != 1 {
		t.Errorf("published were %v", w.sent)
	}
}

func TestRemove(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("work", task("pick", "SIMPLE", ""), "")
	id := w.start("work", nil)
	if err := w.runner.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.runner.Run(t.Context(), id, true); !errors.Is(err, ErrNotFound) {
		t.Errorf("a removed run: %v", err)
	}
	if polled, err := w.runner.Poll(t.Context(), "pick", "ada", "", 1, 0); err != nil || len(polled) != 0 {
		t.Errorf("a task of a removed run was polled: %v %v", polled, err)
	}
	for range 2 {
		if err := w.runner.Remove(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("removed again: %v", err)
		}
	}
}

func TestLogsAndRequeue(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("work", task("pick", "SIMPLE", ""), "")
	id := w.start("work", nil)
	own := w.run(id).Tasks[0].ID
	if err := w.runner.AddLog(t.Context(), own, "half way"); err != nil {
		t.Fatal(err)
	}
	if logs, err := w.runner.Logs(t.Context(), own); err != nil || len(logs) != 1 || logs[0].Text != "half way" {
		t.Errorf("%v %v", logs, err)
	}
	if err := w.runner.AddLog(t.Context(), own, strings.Repeat("x", MaxLogBytes+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("a long line: %v", err)
	}
	if err := w.runner.AddLog(t.Context(), own, strings.Repeat("x", MaxLogBytes)); err != nil {
		t.Error(err)
	}
	if err := w.runner.AddLog(t.Context(), "none", "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a line about nothing: %v", err)
	}
	w.runner.queues.remove(own)
	if n, err := w.runner.Requeue(t.Context(), "pick"); err != nil || n != 1 {
		t.Errorf("requeued %d, %v", n, err)
	}
}

func TestWatchers(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("call", httpTask("send"), "")
	reader := w.runner.Watch(0)
	first, ok := reader.Next(t.Context())
	if !ok || !first.Reset {
		t.Fatalf("%+v %v", first, ok)
	}
	id := w.start("call", nil)
	for {
		u, ok := reader.Next(t.Context())
		if !ok || u.Reset || len(u.Runs) != 1 || u.Runs[0].ID != id || u.Runs[0].Name != "call" {
			t.Fatalf("%+v %v", u, ok)
		}
		if u.Runs[0].State == flow.Completed {
			break
		}
	}
	f := newFeed()
	behind := &Reader{feed: f, after: f.seq}
	for i := range keptUpdates + 1 {
		f.note([]Summary{{ID: flow.RunID(fmt.Sprint(i))}})
		f.publish()
	}
	if u, ok := behind.Next(t.Context()); !ok || !u.Reset || u.Seq != f.seq {
		t.Errorf("one who fell behind got %+v", u)
	}
	for i := range maxNews + 1 {
		f.note([]Summary{{ID: flow.RunID(fmt.Sprint(i))}})
	}
	f.publish()
	if u, ok := behind.Next(t.Context()); !ok || !u.More || len(u.Runs) != maxNews {
		t.Errorf("an update of many names %d, more: %v", len(u.Runs), u.More)
	}
}

func TestPanicOfTheMachineEndsTheRun(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("hold", task("hold", "WAIT", ""), "")
	id, other := w.start("hold", nil), w.start("hold", nil)
	type unknown struct{ flow.Event }
	w.runner.tell(order{run: id, event: unknown{}})
	if run := w.untilState(id, flow.Terminated); !strings.Contains(run.Reason, "internal error") {
		t.Error(run.Reason)
	}
	if err := answer(w, other, flow.TaskCompleted); err != nil {
		t.Errorf("the others do not go on: %v", err)
	}
}

func TestDefinitions(t *testing.T) {
	w := newWorld(t, Limits{})
	put := func(def *flow.Definition, overwrite bool) error {
		return w.runner.PutDefinition(t.Context(), "ada", def, overwrite)
	}
	two := parse(t, "a", httpTask("send"), "")
	two.Version = 2
	for _, c := range []struct {
		def       *flow.Definition
		overwrite bool
		kind      error
	}{
		{parse(t, "a", httpTask("send"), ""), false, nil},
		{parse(t, "a", httpTask("send"), ""), false, ErrConflict},
		{parse(t, "a", httpTask("again"), ""), true, nil},
		{two, false, nil},
		{parse(t, "b", task("x", "KAFKA_PUBLISH", ""), ""), true, ErrInvalid},
	} {
		if err := put(c.def, c.overwrite); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", c.def.Name, err)
		}
	}
	w.taskDef(`{"name":"send","retryCount":1,"ownerEmail":"a@example.com"}`)
	w.restart()
	list := w.runner.Definitions()
	if len(list) != 2 || list[0].Tasks[0].Ref != "again" || list[1].Version != 2 || list[0].CreatedBy != "ada" ||
		list[0].CreateTime == 0 {
		t.Errorf("%+v", list)
	}
	if def, ok := w.runner.Definition("a", 0); !ok || def.Version != 2 {
		t.Errorf("the latest is %+v", def)
	}
	if err := w.runner.DeleteDefinition(t.Context(), "a", 2); err != nil {
		t.Error(err)
	}
	if err := w.runner.DeleteDefinition(t.Context(), "a", 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if defs := w.runner.TaskDefs(); len(defs) != 1 || defs[0].RetryCount != 1 {
		t.Errorf("%+v", defs)
	}
	if err := w.runner.DeleteTaskDef(t.Context(), "send"); err != nil {
		t.Error(err)
	}
	if err := w.runner.DeleteTaskDef(t.Context(), "send"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestSearches(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("call", httpTask("send"), "")
	w.define("hold", task("hold", "WAIT", ""), "")
	id := w.start("call", flow.Map{"x": "needle"})
	w.untilState(id, flow.Completed)
	w.start("hold", nil)
	list, total, err := w.runner.Search(t.Context(), Query{Text: "needle"})
	if err != nil || total != 1 || list[0].ID != id || list[0].Name != "call" || list[0].State != flow.Completed ||
		list[0].Input["x"] != "needle" || list[0].Ended.IsZero() {
		t.Errorf("%+v %d %v", list, total, err)
	}
	tasks, total, err := w.runner.SearchTasks(t.Context(), TaskQuery{Types: []string{"WAIT"}})
	if err != nil || total != 1 || tasks[0].Ref != "hold" || tasks[0].Workflow != "hold" {
		t.Errorf("%+v %d %v", tasks, total, err)
	}
	for _, q := range []Query{{Size: MaxSearch + 1}, {Size: -1}, {Start: -1}} {
		if _, _, err := w.runner.Search(t.Context(), q); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, _, err := w.runner.Search(t.Context(), Query{Size: MaxSearch}); err != nil {
		t.Error(err)
	}
}

func TestOldRunsAreSweptAway(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("call", httpTask("send"), "")
	w.define("hold", task("hold", "WAIT", ""), "")
	w.do = func(context.Context, *flow.Run, *flow.Attempt) flow.Reported {
		response := flow.Map{"body": "b", "statusCode": int64(200)}
		return flow.Reported{Status: flow.TaskCompleted, Output: flow.Map{"response": response}}
	}
	id, hold := w.start("call", nil), w.start("hold", nil)
	w.untilState(id, flow.Completed)
	if err := w.runner.sweepOnce(time.Now().Add(DefaultBodyRetention + time.Minute)); err != nil {
		t.Fatal(err)
	}
	response, _ := w.run(id).Tasks[0].Output["response"].(flow.Map)
	if _, has := response["body"]; has || response["statusCode"] != int64(200) {
		t.Errorf("after the bodies' time: %v", response)
	}
	if err := w.runner.sweepOnce(time.Now().Add(DefaultRetention + time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.runner.Run(t.Context(), id, false); !errors.Is(err, ErrNotFound) {
		t.Errorf("an old run: %v", err)
	}
	w.untilState(hold, flow.Running)
}
