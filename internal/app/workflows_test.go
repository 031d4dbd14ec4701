package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
	"switchboard/internal/store"
)

// ring is a workflow that computes a number in a script and sets it through our own API.
const ring = `{"name":"ring","version":1,"schemaVersion":2,"tasks":[
	{"name":"add","taskReferenceName":"add","type":"INLINE","inputParameters":{
		"evaluatorType":"javascript","expression":"$.n + 1","n":"${workflow.input.n}"}},
	{"name":"pick","taskReferenceName":"pick","type":"JSON_JQ_TRANSFORM","inputParameters":{
		"queryExpression":".n * 2","n":"${add.output.result}"}},
	{"name":"set","taskReferenceName":"set","type":"HTTP","inputParameters":{
		"uri":"${workflow.input.base}/api/v2/callcenters/5","method":"PATCH",
		"body":{"ring_seconds":"${pick.output.result}"}}}],
	"outputParameters":{"seconds":"${set.output.response.body.ring_seconds}"}}`

func define(t *testing.T, a *App, text string) error {
	t.Helper()
	def, _, err := flow.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a.runner.PutDefinition(t.Context(), "test", def, true)
}

func TestWorkflowChangesASettingThroughScriptsAndOurAPI(t *testing.T) {
	a := withACenter(t)
	_, admin := keyIn(t, a, store.RoleCompanyAdmin, 0)
	if err := define(t, a, ring); err != nil {
		t.Fatal(err)
	}
	req := flow.StartRequest{Name: "ring", Input: flow.Map{"n": int64(16), "base": a.URL()}}
	run, err := a.runner.Execute(t.Context(), req, "key:"+admin.ID, nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if run.State != flow.Completed || run.Output["seconds"] != "34" || ringSeconds(a) != 34 {
		t.Errorf("the run is %s %s, its output %v, the center rings for %d s", run.State, run.Reason, run.Output,
			ringSeconds(a))
	}
	run, err = a.runner.Execute(t.Context(), req, "key:none", nil, time.Minute)
	if err != nil || run.State != flow.Failed {
		t.Errorf("of nobody: %s, %v", run.State, err)
	}
}

func TestScriptThatCannotBeReadIsRefusedAtRegistration(t *testing.T) {
	a := withACenter(t)
	err := define(t, a, strings.Replace(ring, "$.n + 1", "$.n + ;", 1))
	if !errors.Is(err, runner.ErrInvalid) || !strings.Contains(err.Error(), "expression") {
		t.Errorf("registered with %v", err)
	}
}

func TestWorkflowDaysAreBounded(t *testing.T) {
	for days, ok := range map[int]bool{0: true, 1: true, 3650: true, 3651: false, -1: false} {
		config := Config{DataDir: "x", WorkflowDays: days}.withDefaults()
		if err := config.check(); (err == nil) != ok {
			t.Errorf("%d days: %v", days, err)
		}
	}
}
