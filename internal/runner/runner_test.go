package runner

import (
	"context"
	"errors"
	"testing"
	"time"

	"switchboard/internal/flow"
)

var addOne = task("add", "INLINE", `"inputParameters":{"evaluatorType":"javascript","expression":"$.n + 1",
	"n":"${workflow.variables.n}"}`)

func TestRunOfThreeStepsEnds(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("steps", task("set", "SET_VARIABLE", `"inputParameters":{"n":"${workflow.input.n}"}`)+","+
		addOne+","+httpTask("send"), `"outputParameters":{"sum":"${add.output.result}",
			"status":"${send.output.response.statusCode}","region":"${workflow.env.REGION}"}`)
	id := w.start("steps", flow.Map{"n": int64(4)})
	run := w.untilState(id, flow.Completed)
	if got := trace(run); got != "COMPLETED, set COMPLETED, add COMPLETED, send COMPLETED" {
		t.Error(got)
	}
	if run.Output["sum"] != int64(5) || run.Output["status"] != int64(200) || run.Output["region"] != "eu" {
		t.Errorf("the output is %v", run.Output)
	}
	if st := w.runner.Stats(); st.RunsStarted != 1 || st.RunsCompleted != 1 || st.TasksEnded != 3 || st.CallsMade != 1 {
		t.Errorf("%+v", st)
	}
}

func TestExecuteAnswersTheEndOrATaskOrWhatThereIs(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("quick", httpTask("one"), "")
	w.define("slow", httpTask("one")+","+task("hold", "WAIT", "")+","+httpTask("two"), "")
	for _, c := range []struct {
		name  string
		until []string
		wait  time.Duration
		want  string
	}{
		{"quick", nil, time.Minute, "COMPLETED, one COMPLETED"},
		{"slow", []string{"hold"}, time.Minute, "RUNNING, one COMPLETED, hold IN_PROGRESS"},
		{"slow", nil, time.Second, "RUNNING, one COMPLETED, hold IN_PROGRESS"},
	} {
		run, err := w.runner.Execute(t.Context(), flow.StartRequest{Name: c.name}, "", c.until, c.wait)
		if err != nil {
			t.Fatal(err)
		}
		if got := trace(run); got != c.want {
			t.Errorf("%s until %v: %s", c.name, c.until, got)
		}
	}
}

func TestWorkersPollAndReport(t *testing.T) {
	w := newWorld(t, Limits{})
	w.define("work", task("pick", "SIMPLE", `"inputParameters":{"order":"${workflow.input.order}"}`)+","+
		task("pack", "SIMPLE", ""), "")
	ids := []flow.RunID{w.start("work", flow.Map{"order": "7"}), w.start("work", nil)}
	if sizes := w.runner.QueueSizes(); sizes["pick"] != 2 {
		t.Errorf("sizes are %v", sizes)
	}
	polled, err := w.runner.Poll(t.Context(), "pick", "ada", "", 5, time.Second)
	if err != nil || len(polled) != 2 || polled[0].Run != ids[0] || polled[0].Input["order"] != "7" ||
		polled[0].Worker != "ada" || polled[0].Status != flow.InProgress {
		t.Fatalf("%+v %v", polled, err)
	}
	if again, err := w.runner.Poll(t.Context(), "pick", "bob", "", 5, 0); err != nil || len(again) != 0 {
		t.Errorf("polled twice: %v %v", again, err)
	}
	answer := make(chan []*flow.Attempt)
	go func() {
		next, err := w.runner.Poll(context.Background(), "pack", "ada", "", 1, 10*time.Second)
		if err != nil {
			t.Error(err)
		}
		answer <- next
	}()
	report := flow.Reported{Task: polled[0].ID, Status: flow.TaskCompleted, Output: flow.Map{"box": "b"}}
	if err := w.runner.Report(t.Context(), "", report); err != nil {
		t.Fatal(err)
	}
	next := <-answer
	if len(next) != 1 || next[0].Ref != "pack" {
		t.Fatalf("%+v", next)
	}
	if err := w.runner.Report(t.Context(), ids[0], report); !errors.Is(err, ErrConflict) {
		t.Errorf("a second report gives %v", err)
	}
	report.Task = "no"
	if err := w.runner.Report(t.Context(), ids[0], report); !errors.Is(err, ErrNotFound) {
		t.Errorf("a report on nothing gives %v", err)
	}
	if _, err := w.runner.ReportByRef(t.Context(), ids[0], "pack", flow.Reported{Status: flow.TaskCompleted}); err != nil {
		t.Fatal(err)
	}
	w.untilState(ids[0], flow.Completed)
	if data := w.runner.PollData("pick"); len(data) != 2 || data[0].Worker != "ada" || data[0].At.IsZero() {
		t.Errorf("%+v", data)
	}
	if found, err := w.runner.Task(t.Context(), polled[0].ID); err != nil || found.Output["box"] != "b" {
		t.Errorf("%+v %v", found, err)
	}
}

func TestRestartTakesUpWhatWasUnderWay(t *testing.T) {
	w := newWorld(t, Limits{})
	w.taskDef(`{"name":"send","retryCount":2,"retryDelaySeconds":1,"ownerEmail":"a@example.com"}`)
	w.define("work", task("pick", "SIMPLE", "")+","+httpTask("send"), "")
	w.define("hold", task("wait", "WAIT", `"inputParameters":{"duration":"1 seconds"}`), "")
	w.define("parent", task("sub", "SUB_WORKFLOW", `"subWorkflowParam":{"name":"work","version":1}`), "")
	w.define("stuck", httpTask("send"), "")
	block := make(chan struct{})
	w.do = func(ctx context.Context, _ *flow.Run, _ *flow.Attempt) flow.Reported {
		select {
		case <-ctx.Done():
		case <-block:
		}
		return flow.Reported{Status: flow.TaskCompleted}
	}
	parent, hold, stuck := w.start("parent", nil), w.start("hold", nil), w.start("stuck", nil)
	for w.called() == 0 {
		time.Sleep(time.Millisecond)
	}
	w.restart()
	close(block)
	w.untilState(stuck, flow.Completed)
	w.untilState(hold, flow.Completed)
	polled, err := w.runner.Poll(t.Context(), "pick", "ada", "", 1, 10*time.Second)
	if err != nil || len(polled) != 1 {
		t.Fatalf("%+v %v", polled, err)
	}
	w.restart()
	if err := w.runner.Report(t.Context(), "", flow.Reported{Task: polled[0].ID, Status: flow.TaskCompleted}); err != nil {
		t.Fatal(err)
	}
	w.untilState(parent, flow.Completed)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.calls) != 3 || w.calls[0] != w.calls[1] {
		t.Errorf("the calls were %v: the first one should have come twice, with one id", w.calls)
	}
}
