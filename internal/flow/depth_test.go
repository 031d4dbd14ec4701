package flow

import (
	"testing"
	"time"
)

// Runs that start each other, on a condition that never ends them, are only so many.
func TestRunsWithinEachOtherAreBounded(t *testing.T) {
	child, _, err := Parse([]byte(`{"name": "w", "tasks": [{"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW",
		"subWorkflowParam": {"name": "w"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	fails, _, err := Parse([]byte(`{"name": "w", "failureWorkflow": "w", "tasks": [{"name": "t", "taskReferenceName": "t",
		"type": "TERMINATE", "inputParameters": {"terminationStatus": "FAILED"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, def := range map[string]*Definition{"child": child, "failure workflow": fails} {
		req, runs := StartRequest{Name: "w"}, 0
		for started := true; started && runs <= MaxRunDepth; runs++ {
			run := New("run", req, def, nil, 1, now)
			started = false
			for _, effect := range run.Step(now, Begin{}) {
				if start, ok := effect.(StartRun); ok {
					req, started = start.Request, true
				}
			}
			if !started && run.State != Failed {
				t.Errorf("%s: the last run is %s", name, run.State)
			}
		}
		if runs != MaxRunDepth {
			t.Errorf("%s: %d runs", name, runs)
		}
	}
}
