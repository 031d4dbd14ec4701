package trigger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"switchboard/internal/cron"
	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// Schedule starts a workflow at times: WorkflowSchedule in Conductor's words. Times are Unix milliseconds.
type Schedule struct {
	Name         string            `json:"name"`
	Description  string            `json:"description,omitzero"`
	Cron         string            `json:"cronExpression,omitzero"` // of six fields; or Crons
	Zone         string            `json:"zoneId,omitzero"`         // tz database name; empty: UTC
	Crons        []Cron            `json:"cronSchedules,omitzero"`
	Request      flow.StartRequest `json:"startWorkflowRequest"`
	Paused       bool              `json:"paused"`
	PausedReason string            `json:"pausedReason,omitzero"`
	CatchUp      bool              `json:"runCatchupScheduleInstances"` // times that were missed are all run
	StartTime    int64             `json:"scheduleStartTime,omitzero"`  // not before; 0: now
	EndTime      int64             `json:"scheduleEndTime,omitzero"`    // not after; 0: for ever
	CreatedBy    string            `json:"createdBy,omitzero"`
	UpdatedBy    string            `json:"updatedBy,omitzero"`
	CreateTime   int64             `json:"createTime,omitzero"`
	UpdatedTime  int64             `json:"updatedTime,omitzero"`
	NextRun      int64             `json:"nextRunTime,omitzero"` // 0: never
}

// Cron is one of several expressions of a schedule.
type Cron struct {
	Expression string `json:"cronExpression"`
	Zone       string `json:"zoneId,omitzero"`
}

// What bounds schedules.
const (
	MaxCrons   = 20               // expressions of one
	MaxPreview = 1000             // times that are asked for at once
	MaxLate    = 10 * time.Minute // without CatchUp: the last time that was missed is run if it is not longer ago
	MaxCatchUp = 1000             // with CatchUp: times that are run late; of more, the latest
)

// timetable is the expressions of a schedule, read.
type timetable []row

type row struct {
	text string
	cron *cron.Expression
	zone *time.Location
}

func (s *Schedule) crons() []Cron {
	if len(s.Crons) > 0 {
		return s.Crons
	}
	return []Cron{{s.Cron, s.Zone}}
}

func readTable(list []Cron, p *problems, path func(i int) string) timetable {
	var table timetable
	for i, c := range list {
		expression, err := cron.Parse(c.Expression)
		if err != nil {
			p.add(path(i)+"/cronExpression", "%v", err)
		}
		zone, err := zoneOf(c.Zone)
		if err != nil {
			p.add(path(i)+"/zoneId", "%v", err)
		}
		table = append(table, row{c.Expression, expression, zone})
	}
	return table
}

func zoneOf(name string) (*time.Location, error) {
	if name == "Local" {
		name = "?" // that is the host's, not one of the database
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%.60q is not in the tz database", name)
	}
	return zone, nil
}

// next is the first time after after, and which expression it is of; the zero time: there is none.
func (t timetable) next(after time.Time) (due time.Time, of string) {
	for _, r := range t {
		if at := r.cron.Next(after, r.zone); !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due, of = at, r.text
		}
	}
	return due, of
}

// within is next within the bounds of a schedule.
func (t timetable) within(s *Schedule, after time.Time) (due time.Time, of string) {
	if from := time.UnixMilli(s.StartTime); s.StartTime > 0 && after.Before(from) {
		after = from.Add(-time.Nanosecond)
	}
	due, of = t.next(after)
	if s.EndTime > 0 && due.After(time.UnixMilli(s.EndTime)) {
		return time.Time{}, ""
	}
	return due, of
}

func (s *Schedule) table(p *problems) timetable {
	if len(s.Crons) > 0 {
		return readTable(s.Crons, p, func(i int) string { return fmt.Sprintf("/cronSchedules/%d", i) })
	}
	return readTable(s.crons(), p, func(int) string { return "" })
}

func (t *Triggers) checkSchedule(s *Schedule) (timetable, error) {
	var p problems
	p.name(s.Name)
	p.text("/description", s.Description)
	p.text("/pausedReason", s.PausedReason)
	switch {
	case s.Cron == "" && len(s.Crons) == 0:
		p.add("/cronExpression", "is required, or cronSchedules")
	case s.Cron != "" && len(s.Crons) > 0:
		p.add("/cronSchedules", "there is a cronExpression, too")
	case len(s.Crons) > MaxCrons:
		p.add("/cronSchedules", "may have %d members", MaxCrons)
	}
	if len(p) > 0 {
		return nil, p.err()
	}
	table := s.table(&p)
	p.request("/startWorkflowRequest", s.Request)
	if s.StartTime < 0 {
		p.add("/scheduleStartTime", "must not be negative")
	}
	if s.EndTime < 0 || s.EndTime > 0 && s.EndTime < s.StartTime {
		p.add("/scheduleEndTime", "is before scheduleStartTime")
	}
	return table, p.err()
}

// PutSchedule registers a schedule, in the place of the one of its name; what is wrong with it is an ErrInvalid.
// identity is with whose rights the runs that it starts call our own API. s must not be written to afterwards.
func (t *Triggers) PutSchedule(ctx context.Context, by, identity string, s *Schedule) error {
	table, err := t.checkSchedule(s)
	if err != nil {
		return err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	now := t.cfg.Now()
	s.CreatedBy, s.UpdatedBy, s.CreateTime, s.UpdatedTime = by, by, now.UnixMilli(), now.UnixMilli()
	if old, ok := t.schedules.get(s.Name); ok {
		s.CreatedBy, s.CreateTime = old.Of.CreatedBy, old.Of.CreateTime
	}
	s.plan(table, now)
	return t.putSchedule(ctx, owned[Schedule]{identity, s})
}

// plan says when a schedule is due next.
func (s *Schedule) plan(table timetable, after time.Time) {
	s.NextRun = 0
	if due, _ := table.within(s, after); !due.IsZero() && !s.Paused {
		s.NextRun = due.UnixMilli()
	}
}

func (t *Triggers) putSchedule(ctx context.Context, one owned[Schedule]) error {
	err := put(ctx, t, &t.schedules, kindSchedule, map[string]owned[Schedule]{one.Of.Name: one})
	if err == nil {
		wake(t.changed)
	}
	return err
}

// PauseSchedule stops a schedule: what is due until it is resumed is not run.
func (t *Triggers) PauseSchedule(ctx context.Context, by, name, reason string) error {
	var p problems
	if p.text("/pausedReason", reason); len(p) > 0 {
		return p.err()
	}
	return t.changeSchedule(ctx, by, name, func(s *Schedule) { s.Paused, s.PausedReason = true, reason })
}

// ResumeSchedule lets a schedule go on from now.
func (t *Triggers) ResumeSchedule(ctx context.Context, by, name string) error {
	return t.changeSchedule(ctx, by, name, func(s *Schedule) { s.Paused, s.PausedReason = false, "" })
}

func (t *Triggers) changeSchedule(ctx context.Context, by, name string, change func(*Schedule)) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	one, ok := t.schedules.get(name)
	if !ok {
		return notFound(kindSchedule, name)
	}
	s := *one.Of
	change(&s)
	s.UpdatedBy, s.UpdatedTime = by, t.cfg.Now().UnixMilli()
	var p problems
	table := s.table(&p)
	if err := p.err(); err != nil {
		return err
	}
	s.plan(table, t.cfg.Now())
	return t.putSchedule(ctx, owned[Schedule]{one.Identity, &s})
}

// DeleteSchedule forgets a schedule.
func (t *Triggers) DeleteSchedule(ctx context.Context, name string) error {
	return remove(ctx, t, &t.schedules, kindSchedule, name)
}

// Schedule finds a schedule. It must not be written to.
func (t *Triggers) Schedule(name string) (*Schedule, bool) {
	one, ok := t.schedules.get(name)
	return one.Of, ok
}

// Schedules lists those of a workflow, of all if it is empty, by name. They must not be written to.
func (t *Triggers) Schedules(workflow string) []*Schedule {
	return slices.DeleteFunc(t.schedules.list(), func(s *Schedule) bool {
		return workflow != "" && s.Request.Name != workflow
	})
}

// Preview lists the next n times of expressions (MaxPreview at most) after from, and not after until unless that is
// zero.
func (t *Triggers) Preview(crons []Cron, from, until time.Time, n int) ([]time.Time, error) {
	var p problems
	if len(crons) == 0 || len(crons) > MaxCrons {
		p.add("/cronExpression", "must be from 1 to %d", MaxCrons)
		return nil, p.err()
	}
	table := readTable(crons, &p, func(i int) string {
		if len(crons) == 1 {
			return ""
		}
		return fmt.Sprintf("/cronSchedules/%d", i)
	})
	if n < 1 || n > MaxPreview {
		p.add("/limit", "must be from 1 to %d", MaxPreview)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	times := []time.Time{}
	for at, _ := table.next(from); !at.IsZero() && len(times) < n; at, _ = table.next(at) {
		if !until.IsZero() && at.After(until) {
			break
		}
		times = append(times, at)
	}
	return times, nil
}

// How often the clock is looked at when nothing is due: whoever sets it does not say so.
const lookEvery = time.Minute

// clock runs what is due.
func (t *Triggers) clock() {
	for {
		next := t.tick(t.cfg.Now())
		wait := lookEvery
		if !next.IsZero() {
			wait = min(max(next.Sub(t.cfg.Now()), 0), lookEvery)
		}
		select {
		case <-time.After(wait):
		case <-t.changed:
		case <-t.ctx.Done():
			return
		}
		if t.ctx.Err() != nil {
			return
		}
	}
}

// tick runs what is due now, and says when something is next; the zero time: nothing is.
func (t *Triggers) tick(now time.Time) (next time.Time) {
	var due []owned[Schedule]
	for _, one := range t.schedules.all() {
		if one.Of.NextRun > 0 && one.Of.NextRun <= now.UnixMilli() && !one.Of.Paused {
			due = append(due, one)
		}
	}
	inParallel(due, func(one owned[Schedule]) {
		if err := t.fire(one, now); err != nil && t.ctx.Err() == nil {
			t.cfg.Log.Error("a schedule could not be run now", "schedule", one.Of.Name, "error", err)
			t.pause(retryAfter)
		}
	})
	for _, one := range t.schedules.all() {
		if at := time.UnixMilli(one.Of.NextRun); one.Of.NextRun > 0 && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// fire runs a schedule for the time that it is due, unless that is missed for good, and plans the next. An error: not
// now.
func (t *Triggers) fire(one owned[Schedule], now time.Time) error {
	var p problems
	table := one.Of.table(&p)
	if err := p.err(); err != nil {
		return err
	}
	due, run := one.Of.dueNow(table, now)
	var change store.TriggerChange
	if run {
		shot, err := t.startDue(one, table, due)
		if err != nil {
			return err
		}
		change.Shots = []store.TriggerShot{t.note(shot)}
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	current, ok := t.schedules.get(one.Of.Name)
	if ok && current.Of == one.Of { // else it was changed meanwhile, and planned anew
		s := *one.Of
		s.plan(table, due)
		current.Of = &s
		doc, err := current.doc(kindSchedule, s.Name)
		if err != nil {
			return err
		}
		change.Put = append(change.Put, doc)
	} else {
		ok = false
	}
	// Not the context of Close: what was done must be known.
	if err := t.cfg.Store.WriteTriggers(context.Background(), change); err != nil {
		return err
	}
	if ok {
		t.schedules.set(one.Of.Name, current)
	}
	return nil
}

// dueNow is the time for which a schedule is run now: the one that was planned, or of several that passed since then
// the one that the schedule wants. Without run that time is over, and only what comes behind it counts.
func (s *Schedule) dueNow(table timetable, now time.Time) (due time.Time, run bool) {
	due = time.UnixMilli(s.NextRun)
	if s.CatchUp {
		return s.latest(table, due, now), true
	}
	if oldest := now.Add(-MaxLate); due.Before(oldest) {
		first, _ := table.within(s, oldest.Add(-time.Nanosecond))
		if first.IsZero() || first.After(now) {
			return now, false
		}
		due = first
	}
	for {
		next, _ := table.within(s, due)
		if next.IsZero() || next.After(now) {
			return due, true
		}
		due = next
	}
}

// latest leaves out what is more than MaxCatchUp times behind.
func (s *Schedule) latest(table timetable, due, now time.Time) time.Time {
	behind := []time.Time{due}
	for at, _ := table.within(s, due); !at.IsZero() && !at.After(now); at, _ = table.within(s, at) {
		if behind = append(behind, at); len(behind) > MaxCatchUp {
			behind = slices.Delete(behind, 0, 1)
		}
	}
	return behind[0]
}

// startDue starts the workflow of a schedule for a time.
func (t *Triggers) startDue(one owned[Schedule], table timetable, due time.Time) (store.TriggerShot, error) {
	s := one.Of
	id := fmt.Sprintf("schedule:%s:%d", s.Name, due.UnixMilli())
	_, expression := table.within(s, due.Add(-time.Second))
	req := s.Request
	req.Input = maps.Clone(req.Input)
	if req.Input == nil {
		req.Input = flow.Map{}
	}
	req.Input["_startedByScheduler"], req.Input["_scheduledTime"] = s.Name, due.UnixMilli()
	req.Input["_executedTime"], req.Input["_executionId"] = t.cfg.Now().UnixMilli(), id
	req.Input["_schedulerCron"] = expression
	req.IdempotencyKey, req.IdempotencyStrategy, req.CreatedBy = id, returnExisting, "schedule:"+s.Name
	shot := store.TriggerShot{
		Kind: kindSchedule, Name: s.Name, Cause: id, At: t.cfg.Now(), Due: due, State: Executed, Workflow: req.Name,
	}
	run, err := t.cfg.Runs.Start(t.ctx, req, one.Identity, "schedule:"+s.Name)
	if passing(err) {
		return shot, err
	}
	shot.Run = string(run)
	if err != nil {
		shot.State, shot.Reason = Failed, err.Error()
	}
	return shot, nil
}
