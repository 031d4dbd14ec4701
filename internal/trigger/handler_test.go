package trigger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

const ended = "switchboard:call.ended"

func TestEventStartsAWorkflow(t *testing.T) {
	w := newWorld(t)
	w.handler(starter("tell", ended))
	w.tell("e1", ended, `{"call":{"id":7,"from":"+4930"}}`)
	w.tell("e1", ended, `{"call":{"id":7,"from":"+4930"}}`)
	w.tell("e2", "switchboard:call.missed", `{}`)
	shots := w.until("tell", 1)
	w.restart() // the events are still known
	w.tell("e1", ended, `{"call":{"id":7,"from":"+4930"}}`)
	w.tell("e3", ended, `{"call":{"id":8}}`)
	w.until("tell", 2)
	got := w.requests()
	if len(got) != 2 || shots[0].Run == "" || shots[0].State != Executed || shots[0].Workflow != "tell" {
		t.Fatalf("started %d, %+v", len(got), shots)
	}
	req := got[0]
	if req.CorrelationID != "call 7" || req.Input["who"] != "+4930" || req.Input["all"] != "e1" ||
		req.Input["conductor.event.messageId"] != "e1" || req.Input["conductor.event.name"] != ended {
		t.Errorf("started %+v", req)
	}
	if got[1].Input["who"] != nil {
		t.Errorf("a path that leads nowhere is %v", got[1].Input["who"])
	}
	if stats := w.triggers.Stats(); stats.Events != 1 || stats.Caused != 1 || stats.Dropped != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestHandlerThatDoesNotListen(t *testing.T) {
	w := newWorld(t)
	idle := starter("idle", ended)
	idle.Active = false
	w.handler(idle)
	picky := starter("picky", ended)
	picky.Condition = `$.n == 2`
	w.handler(picky)
	broken := starter("broken", ended)
	broken.Condition = `what`
	w.handler(broken)
	param := starter("param", ended)
	param.Condition, param.Evaluator = "yes", evaluatorValueParam
	w.handler(param)
	w.tell("e1", ended, `{"n":1,"yes":"false"}`)
	w.tell("e2", ended, `{"n":2,"yes":true}`)
	failed := w.until("broken", 2)
	if w.until("picky", 1)[0].Cause != "e2" || w.until("param", 1)[0].Cause != "e2" || len(w.requests()) != 2 {
		t.Errorf("started %v", w.requests())
	}
	if failed[0].State != Failed || !strings.Contains(failed[0].Reason, "condition: it is not understood") {
		t.Errorf("%+v", failed[0])
	}
	if _, total, err := w.triggers.Shots(t.Context(), ShotQuery{Name: "idle"}); err != nil || total != 0 {
		t.Errorf("the idle one did %d, %v", total, err)
	}
}

func TestEveryAction(t *testing.T) {
	w := newWorld(t)
	w.handler(&flow.EventHandler{Name: "all", Event: "conductor:w:x", Active: true, Actions: []flow.Action{
		{Action: ActionComplete, Complete: &flow.ActionTask{
			Run: "${run}", Ref: "wait_${n}", Output: flow.Map{"n": "${n}"},
		}},
		{Action: ActionFail, Fail: &flow.ActionTask{Task: "${task}"}},
		{Action: ActionTerminate, Terminate: &flow.ActionTerminate{Run: "${run}", Reason: "of ${n}"}},
		{Action: ActionUpdate, SetVariables: &flow.ActionVariables{Run: "${run}", Variables: flow.Map{"n": "${n}"}}},
		{Action: ActionComplete, Complete: &flow.ActionTask{Run: "${none}", Ref: "x"}},
		{Action: ActionComplete, ExpandJSON: true, Complete: &flow.ActionTask{
			Task: "t", Output: flow.Map{"inner": "${text.a}"},
		}},
	}})
	payload := flow.Map{"run": "r1", "n": int64(3), "task": "t9", "text": `{"a":5}`}
	if err := w.triggers.Publish(t.Context(), "task-1", "conductor:w:x", payload); err != nil {
		t.Fatal(err)
	}
	if err := w.triggers.Publish(t.Context(), "task-1", "conductor:w:x", payload); err != nil {
		t.Fatal(err)
	}
	shots := w.until("all", 6)
	want := []string{
		`report r1 wait_3 COMPLETED {"n":3}`, `report  t9 FAILED {}`, `do r1 flow.Terminate{of 3 false}`,
		`do r1 flow.SetVariables{map[n:3]}`, `report  t COMPLETED {"inner":5}`,
	}
	if !slices.Equal(w.orders, want) {
		t.Errorf("orders:\n%s\nwant\n%s", strings.Join(w.orders, "\n"), strings.Join(want, "\n"))
	}
	if shots[4].State != Failed || !strings.Contains(shots[4].Reason, "names no run") || shots[3].Run != "r1" {
		t.Errorf("%+v", shots)
	}
}

func TestEventThatCannotBeDealtWithNowIsLeftForLater(t *testing.T) {
	w := newWorld(t)
	w.handler(starter("tell", ended))
	w.refuse(store.ErrClosed)
	w.tell("e1", ended, `{"call":{}}`)
	for w.triggers.Stats().Events == 0 { // until it is on disk
		w.triggers.pause(1)
	}
	w.refuse(errors.New("there is no workflow tell"))
	w.restart()
	if shot := w.until("tell", 1)[0]; shot.State != Failed || shot.Reason != "there is no workflow tell" {
		t.Errorf("%+v", shot)
	}
}

func TestEventsBeyondTheLimitAreDroppedAndCounted(t *testing.T) {
	w := newWorld(t)
	w.handler(starter("tell", ended))
	w.triggers.Close() // so that nobody takes what is told
	for i := range MaxWaiting + 3 {
		w.tell(fmt.Sprint(i), ended, `{}`)
	}
	if s := w.triggers.Stats(); s.Dropped != 3 || s.Waiting != MaxWaiting {
		t.Errorf("%+v", s)
	}
}

func TestPayloadThatIsNoneIsCounted(t *testing.T) {
	w := newWorld(t)
	w.handler(starter("tell", ended))
	big := flow.Map{"x": strings.Repeat("x", MaxPayload-len(`{"x":""}`))}
	if err := w.triggers.Publish(t.Context(), "t1", ended, big); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	big["x"] = big["x"].(string) + "x"
	if err := w.triggers.Publish(t.Context(), "t2", ended, big); err == nil {
		t.Error("beyond the limit")
	}
	w.tell("e1", ended, `[]`)
	for w.triggers.Stats().Dropped == 0 {
		w.triggers.pause(1)
	}
	if err := w.triggers.Publish(t.Context(), "t3", "switchboard:nobody", nil); err != nil {
		t.Errorf("that nobody waits for: %v", err)
	}
}

func TestHandlersThatAreWrong(t *testing.T) {
	w := newWorld(t)
	for path, spoil := range map[string]func(*flow.EventHandler){
		"/name":                     func(h *flow.EventHandler) { h.Name = "a/b" },
		"/event":                    func(h *flow.EventHandler) { h.Event = "kafka:x" },
		"/event ":                   func(h *flow.EventHandler) { h.Event = "switchboard:" },
		"/event  ":                  func(h *flow.EventHandler) { h.Event = "" },
		"/condition":                func(h *flow.EventHandler) { h.Condition = ";;" },
		"/condition ":               func(h *flow.EventHandler) { h.Condition = strings.Repeat("x", MaxText+1) },
		"/description":              func(h *flow.EventHandler) { h.Description = strings.Repeat("x", MaxText+1) },
		"/evaluatorType":            func(h *flow.EventHandler) { h.Evaluator = "python" },
		"/actions":                  func(h *flow.EventHandler) { h.Actions = nil },
		"/actions ":                 func(h *flow.EventHandler) { h.Actions = make([]flow.Action, MaxActions+1) },
		"/actions/0/action":         func(h *flow.EventHandler) { h.Actions[0].Action = "dance" },
		"/actions/0/start_workflow": func(h *flow.EventHandler) { h.Actions[0].Start = nil },
		"/actions/0/start_workflow/name": func(h *flow.EventHandler) {
			h.Actions[0].Start = &flow.StartRequest{}
		},
		"/actions/0/start_workflow/idempotencyKey": func(h *flow.EventHandler) { h.Actions[0].Start.IdempotencyKey = "x" },
		"/actions/0/start_workflow/input": func(h *flow.EventHandler) {
			h.Actions[0].Start.Input = flow.Map{"x": strings.Repeat("x", MaxInput)}
		},
		"/actions/0/complete_task": func(h *flow.EventHandler) { h.Actions[0].Action = ActionComplete },
		"/actions/0/fail_task": func(h *flow.EventHandler) {
			h.Actions[0] = flow.Action{Action: ActionFail, Fail: &flow.ActionTask{}}
		},
		"/actions/0/terminate_workflow": func(h *flow.EventHandler) { h.Actions[0].Action = ActionTerminate },
		"/actions/0/update_workflow_variables/workflowId": func(h *flow.EventHandler) {
			h.Actions[0] = flow.Action{Action: ActionUpdate, SetVariables: &flow.ActionVariables{}}
		},
		"/actions/0/update_workflow_variables/appendArray": func(h *flow.EventHandler) {
			h.Actions[0] = flow.Action{Action: ActionUpdate, SetVariables: &flow.ActionVariables{Run: "r", Append: true}}
		},
	} {
		h := starter("tell", ended)
		spoil(h)
		err := w.triggers.PutHandlers(t.Context(), "ada", []flow.EventHandler{*h}, false)
		var wrong *Error
		if !errors.As(err, &wrong) || !errors.Is(err, ErrInvalid) || wrong.Problems[0].Path != strings.TrimSpace(path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if list := w.triggers.Handlers(); len(list) != 0 {
		t.Errorf("kept %d", len(list))
	}
}

func TestHandlersAreKept(t *testing.T) {
	w := newWorld(t)
	w.handler(starter("b", ended))
	w.handler(starter("a", "switchboard:alert.raised"))
	two := []flow.EventHandler{*starter("c", ended), *starter("a", ended)}
	if err := w.triggers.PutHandlers(t.Context(), "bob", two, false); !errors.Is(err, ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	two[1].Active = false
	if err := w.triggers.PutHandlers(t.Context(), "bob", two[1:], true); err != nil {
		t.Fatal(err)
	}
	w.restart()
	list := w.triggers.Handlers()
	if len(list) != 2 || list[0].Name != "a" || list[0].Active || list[0].CreatedBy != "ada" ||
		list[1].Identity != "key:1" {
		t.Errorf("kept %+v", list)
	}
	if !w.triggers.Wanted(ended) || w.triggers.Wanted("switchboard:alert.raised") {
		t.Error("it waits for other events")
	}
	if err := w.triggers.DropHandler(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if err := w.triggers.DropHandler(t.Context(), "b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	if w.triggers.Wanted(ended) {
		t.Error("nobody waits any more")
	}
}

func TestTasksAreFoundByCorrelation(t *testing.T) {
	w := newWorld(t)
	w.handler(&flow.EventHandler{Name: "over", Event: ended, Active: true, Actions: []flow.Action{{
		Action: ActionComplete, Complete: &flow.ActionTask{Correlation: "alert ${n}", Ref: "cleared"},
	}}})
	w.waiting(1, "help", 1, `{}`)
	w.waiting(2, "help", 1, `{}`)
	w.tell("e1", ended, `{"n":5}`)
	w.tell("e2", ended, `{"n":6}`)
	shots := w.until("over", 2)
	want := []string{"report r1 cleared COMPLETED {}", "report r2 cleared COMPLETED {}"}
	if !slices.Equal(w.orders, want) {
		t.Errorf("orders %v", w.orders)
	}
	for _, shot := range shots {
		if alone := shot.Cause == "e2"; alone != (shot.State == Failed) {
			t.Errorf("%+v", shot)
		}
	}
}
