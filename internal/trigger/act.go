package trigger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// returnExisting is the strategy for idempotency keys that all triggers have: done again, it is the same run.
const returnExisting = "RETURN_EXISTING"

// passing says that an error is about now, not about what was asked.
func passing(err error) bool {
	return errors.Is(err, store.ErrClosed) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded)
}

// act does one action of a handler. An error: not now.
func (t *Triggers) act(h *flow.EventHandler, shot store.TriggerShot, payload flow.Map) (store.TriggerShot, error) {
	action := &h.Actions[shot.Action]
	if action.ExpandJSON {
		payload, _ = expanded(payload, 0).(flow.Map)
	}
	f := filler{payload: payload}
	err := t.perform(&f, h, action, &shot)
	if passing(err) {
		return shot, err
	}
	if err = errors.Join(f.err, err); err != nil {
		shot.State, shot.Reason = Failed, err.Error()
	}
	return shot, nil
}

func (t *Triggers) perform(f *filler, h *flow.EventHandler, a *flow.Action, shot *store.TriggerShot) error {
	switch a.Action {
	case ActionStart:
		req := f.start(*a.Start)
		req.IdempotencyKey = fmt.Sprint("event:", shot.Name, ":", shot.Cause, ":", shot.Action)
		req.IdempotencyStrategy = returnExisting
		req.Input["conductor.event.messageId"], req.Input["conductor.event.name"] = shot.Cause, h.Event
		req.CreatedBy = "handler:" + shot.Name
		shot.Workflow = req.Name
		if f.err != nil {
			return nil
		}
		id, err := t.cfg.Runs.Start(t.ctx, req, h.Identity, h.Event)
		shot.Run = string(id)
		return err
	case ActionComplete:
		return t.report(f, a.Complete, flow.TaskCompleted, shot)
	case ActionFail:
		return t.report(f, a.Fail, flow.TaskFailed, shot)
	case ActionTerminate:
		run := flow.RunID(f.text(a.Terminate.Run))
		shot.Run = string(run)
		return t.order(f, run, flow.Terminate{Reason: f.text(a.Terminate.Reason)})
	case ActionUpdate:
		run := flow.RunID(f.text(a.SetVariables.Run))
		shot.Run = string(run)
		return t.order(f, run, flow.SetVariables{Variables: f.object(a.SetVariables.Variables)})
	}
	return fmt.Errorf("the action %q is not known", a.Action)
}

func (t *Triggers) order(f *filler, run flow.RunID, event flow.Event) error {
	if f.err != nil {
		return nil
	}
	return t.cfg.Runs.Do(t.ctx, run, event)
}

func (t *Triggers) report(f *filler, d *flow.ActionTask, status flow.Status, shot *store.TriggerShot) error {
	run, task, ref := f.text(d.Run), f.text(d.Task), f.text(d.Ref)
	news := flow.Reported{Task: flow.TaskID(task), Status: status, Output: f.object(d.Output)}
	if status == flow.TaskFailed {
		news.Reason = "an event handler failed it"
	}
	correlation := f.text(d.Correlation)
	shot.Run = run
	switch {
	case f.err != nil:
		return nil
	case task != "":
		return t.cfg.Runs.Report(t.ctx, flow.RunID(run), news)
	case run == "" && ref != "" && correlation != "":
		return t.reportAll(correlation, ref, news)
	case run == "" || ref == "":
		return errors.New("the event names no run and task")
	}
	_, err := t.cfg.Runs.ReportByRef(t.ctx, flow.RunID(run), ref, news)
	return err
}

// MaxCorrelated bounds the runs with one correlation id in which one action ends a task.
const MaxCorrelated = 1000

// reportAll reports on the tasks of a reference name in all runs with a correlation id that are under way. That there
// is none is an error.
func (t *Triggers) reportAll(correlation, ref string, news flow.Reported) error {
	runs, _, err := t.cfg.Store.SearchRuns(t.ctx, store.RunQuery{
		Correlation: correlation, States: []string{string(flow.Running), string(flow.Paused)}, Size: MaxCorrelated,
		Ascending: true,
	})
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("no run with the correlation id %s is under way", correlation)
	}
	var failed error
	for _, run := range runs {
		_, err := t.cfg.Runs.ReportByRef(t.ctx, flow.RunID(run.ID), ref, news)
		if passing(err) {
			return err
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// filler fills in what an event says. The first error stays.
type filler struct {
	payload flow.Map
	err     error
}

func (f *filler) value(template flow.Value) flow.Value {
	v, err := flow.Filled(template, f.payload)
	if err != nil && f.err == nil {
		f.err = err
	}
	return v
}

func (f *filler) text(template string) string {
	if !strings.Contains(template, "${") {
		return template
	}
	switch v := f.value(template).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return string(flow.Encode(v))
	}
}

func (f *filler) object(template flow.Map) flow.Map {
	if template == nil {
		return nil
	}
	m, _ := f.value(template).(flow.Map)
	return m
}

func (f *filler) start(req flow.StartRequest) flow.StartRequest {
	req.Name, req.CorrelationID = f.text(req.Name), f.text(req.CorrelationID)
	req.Input = maps.Clone(f.object(req.Input))
	if req.Input == nil {
		req.Input = flow.Map{}
	}
	return req
}

// expanded reads the texts in a value that are JSON objects or lists.
func expanded(v flow.Value, depth int) flow.Value {
	if depth > flow.MaxFilledDepth {
		return v
	}
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
			if read, err := flow.Decode([]byte(s)); err == nil {
				return read
			}
		}
	case []any:
		list := make([]any, len(v))
		for i, member := range v {
			list[i] = expanded(member, depth+1)
		}
		return list
	case flow.Map:
		object := make(flow.Map, len(v))
		for key, member := range v {
			object[key] = expanded(member, depth+1)
		}
		return object
	}
	return v
}
