package trigger

import (
	"context"
	"fmt"
	"maps"
	"time"

	"switchboard/internal/cron"
	"switchboard/internal/flow"
	"switchboard/internal/store"
)

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

func readTable(list []flow.CronTime, p *problems, path func(i int) string) timetable {
	var table timetable
	for i, c := range list {
		expression, err := cron.Parse(c.Cron)
		if err != nil {
			p.add(path(i)+"/cronExpression", "%v", err)
		}
		zone, err := zoneOf(c.Zone)
		if err != nil {
			p.add(path(i)+"/zoneId", "%v", err)
		}
		table = append(table, row{c.Cron, expression, zone})
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
func (t timetable) within(s *flow.Schedule, after time.Time) (due time.Time, of string) {
	if from := time.UnixMilli(s.From); s.From > 0 && after.Before(from) {
		after = from.Add(-time.Nanosecond)
	}
	due, of = t.next(after)
	if s.To > 0 && due.After(time.UnixMilli(s.To)) {
		return time.Time{}, ""
	}
	return due, of
}

func tableOf(s *flow.Schedule, p *problems) timetable {
	if len(s.Crons) > 0 {
		return readTable(s.Crons, p, func(i int) string { return fmt.Sprintf("/cronSchedules/%d", i) })
	}
	return readTable([]flow.CronTime{{Cron: s.Cron, Zone: s.Zone}}, p, func(int) string { return "" })
}

func (t *Triggers) checkSchedule(s *flow.Schedule) (timetable, error) {
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
	table := tableOf(s, &p)
	p.request("/startWorkflowRequest", s.Start)
	if s.From < 0 {
		p.add("/scheduleStartTime", "must not be negative")
	}
	if s.To < 0 || s.To > 0 && s.To < s.From {
		p.add("/scheduleEndTime", "is before scheduleStartTime")
	}
	return table, p.err()
}

// PutSchedule registers a schedule, in the place of the one of its name; what is wrong with it is an ErrInvalid.
// Its Identity is with whose rights the runs that it starts call our own API.
func (t *Triggers) PutSchedule(ctx context.Context, by string, s flow.Schedule) error {
	table, err := t.checkSchedule(&s)
	if err != nil {
		return err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	now := t.cfg.Now()
	s.CreatedBy, s.UpdatedBy, s.CreateTime, s.UpdateTime = by, by, now.UnixMilli(), now.UnixMilli()
	if old, ok := t.schedules.get(s.Name); ok {
		s.CreatedBy, s.CreateTime = old.CreatedBy, old.CreateTime
	}
	plan(&s, table, now)
	return t.putSchedule(ctx, &s)
}

// plan says when a schedule is due next.
func plan(s *flow.Schedule, table timetable, after time.Time) {
	s.NextRun = 0
	if due, _ := table.within(s, after); !due.IsZero() && !s.Paused {
		s.NextRun = due.UnixMilli()
	}
}

func (t *Triggers) putSchedule(ctx context.Context, one *flow.Schedule) error {
	err := put(ctx, t, &t.schedules, KindSchedule, map[string]*flow.Schedule{one.Name: one})
	if err == nil {
		wake(t.changed)
	}
	return err
}

// PauseSchedule stops a schedule, or lets it go on from now: what is due while it is paused is not run.
func (t *Triggers) PauseSchedule(ctx context.Context, name string, paused bool, reason string) error {
	var p problems
	if p.text("/pausedReason", reason); len(p) > 0 {
		return p.err()
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	old, ok := t.schedules.get(name)
	if !ok {
		return notFound(KindSchedule, name)
	}
	s := *old
	if s.Paused, s.PausedReason = paused, reason; !paused {
		s.PausedReason = ""
	}
	s.UpdateTime = t.cfg.Now().UnixMilli()
	table := tableOf(&s, &p)
	if err := p.err(); err != nil {
		return err
	}
	plan(&s, table, t.cfg.Now())
	return t.putSchedule(ctx, &s)
}

// DropSchedule forgets a schedule.
func (t *Triggers) DropSchedule(ctx context.Context, name string) error {
	return remove(ctx, t, &t.schedules, KindSchedule, name)
}

// Schedules lists schedules by name. What they point to must not be written to.
func (t *Triggers) Schedules() []flow.Schedule { return t.schedules.list() }

// NextTimes are the next n times (MaxPreview at most) of an expression in a time zone, after from and now, and not
// after until; a zero bound is none.
func (t *Triggers) NextTimes(expression, zone string, from, until time.Time, n int) ([]time.Time, error) {
	var p problems
	s := &flow.Schedule{Cron: expression, Zone: zone}
	table := tableOf(s, &p)
	if n < 1 || n > MaxPreview {
		p.add("/limit", "must be from 1 to %d", MaxPreview)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if now := t.cfg.Now(); from.Before(now) {
		from = now
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
	var due []*flow.Schedule
	for _, one := range t.schedules.all() {
		if one.NextRun > 0 && one.NextRun <= now.UnixMilli() && !one.Paused {
			due = append(due, one)
		}
	}
	inParallel(due, func(one *flow.Schedule) {
		if err := t.fire(one, now); err != nil && t.ctx.Err() == nil {
			t.cfg.Log.Error("a schedule could not be run now", "schedule", one.Name, "error", err)
			t.pause(retryAfter)
		}
	})
	for _, one := range t.schedules.all() {
		if at := time.UnixMilli(one.NextRun); one.NextRun > 0 && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// fire runs a schedule for the time that it is due, unless that is missed for good, and plans the next. An error: not
// now.
func (t *Triggers) fire(one *flow.Schedule, now time.Time) error {
	var p problems
	table := tableOf(one, &p)
	if err := p.err(); err != nil {
		return err
	}
	due, run := dueNow(one, table, now)
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
	current, ok := t.schedules.get(one.Name)
	if ok && current == one { // else it was changed meanwhile, and planned anew
		s := *one
		plan(&s, table, due)
		current = &s
		doc, err := docOf(KindSchedule, s.Name, current)
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
		t.schedules.set(one.Name, current)
	}
	return nil
}

// dueNow is the time for which a schedule is run now: the one that was planned, or of several that passed since then
// the one that the schedule wants. Without run that time is over, and only what comes behind it counts.
func dueNow(s *flow.Schedule, table timetable, now time.Time) (due time.Time, run bool) {
	due = time.UnixMilli(s.NextRun)
	if s.CatchUp {
		return latest(s, table, due, now), true
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
func latest(s *flow.Schedule, table timetable, due, now time.Time) time.Time {
	var last [MaxCatchUp]time.Time // the latest, each in the place of the one before the oldest
	last[0] = due
	n := 1
	for at, _ := table.within(s, due); !at.IsZero() && !at.After(now); at, _ = table.within(s, at) {
		last[n%MaxCatchUp] = at
		n++
	}
	if n <= MaxCatchUp {
		return due
	}
	return last[n%MaxCatchUp]
}

// startDue starts the workflow of a schedule for a time.
func (t *Triggers) startDue(s *flow.Schedule, table timetable, due time.Time) (store.TriggerShot, error) {
	id := fmt.Sprintf("schedule:%s:%d", s.Name, due.UnixMilli())
	_, expression := table.within(s, due.Add(-time.Second))
	req := s.Start
	req.Input = maps.Clone(req.Input)
	if req.Input == nil {
		req.Input = flow.Map{}
	}
	req.Input["_startedByScheduler"], req.Input["_scheduledTime"] = s.Name, due.UnixMilli()
	req.Input["_executedTime"], req.Input["_executionId"] = t.cfg.Now().UnixMilli(), id
	req.Input["_schedulerCron"] = expression
	req.IdempotencyKey, req.IdempotencyStrategy, req.CreatedBy = id, returnExisting, "schedule:"+s.Name
	shot := store.TriggerShot{
		Kind: KindSchedule, Name: s.Name, Cause: id, At: t.cfg.Now(), Due: due, State: Executed, Workflow: req.Name,
	}
	run, err := t.cfg.Runs.Start(t.ctx, req, s.Identity, "schedule:"+s.Name)
	if passing(err) {
		return shot, err
	}
	shot.Run = string(run)
	if err != nil {
		shot.State, shot.Reason = Failed, err.Error()
	}
	return shot, nil
}
