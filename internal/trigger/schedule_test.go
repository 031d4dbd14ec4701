package trigger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

func every(name, expression string) *flow.Schedule {
	return &flow.Schedule{
		Name: name, Cron: expression, Start: flow.StartRequest{Name: "tell", Input: flow.Map{"from": "schedule"}},
	}
}

// schedule registers one; the clock of the world stands, so that nothing but step runs it.
func (w *world) schedule(s *flow.Schedule) {
	w.t.Helper()
	if err := w.triggers.PutSchedule(w.t.Context(), "ada", *s); err != nil {
		w.t.Fatal(err)
	}
}

// step lets time pass and what is due be run.
func (w *world) step(d time.Duration) {
	w.pass(d)
	w.triggers.tick(w.clock())
}

// due are the times for which workflows were started, as seconds since noon.
func (w *world) due() (due []int64) {
	for _, req := range w.requests() {
		at, _ := req.Input["_scheduledTime"].(int64)
		due = append(due, at/1000-noon.Unix())
	}
	return due
}

func (w *world) wantDue(want ...int64) {
	w.t.Helper()
	if got := w.due(); !slices.Equal(got, want) {
		w.t.Errorf("started for %v, want %v", got, want)
	}
}

func TestScheduleStartsItsWorkflow(t *testing.T) {
	w := newWorld(t)
	w.schedule(every("minutely", "0 * * * * *"))
	if next := w.triggers.tick(w.clock()); !next.Equal(noon.Add(time.Minute)) {
		t.Errorf("next at %s", next)
	}
	w.step(59 * time.Second)
	w.wantDue()
	w.step(2 * time.Second)
	w.step(0)
	w.wantDue(60)
	req := w.requests()[0]
	if req.Input["from"] != "schedule" || req.Input["_startedByScheduler"] != "minutely" ||
		req.Input["_schedulerCron"] != "0 * * * * *" || req.Input["_executedTime"] != noon.Add(61*time.Second).UnixMilli() ||
		req.Input["_executionId"] != fmt.Sprint("schedule:minutely:", noon.Add(time.Minute).UnixMilli()) {
		t.Errorf("started with %v", req.Input)
	}
	shot := w.until("minutely", 1)[0]
	if shot.State != Executed || !shot.Due.Equal(noon.Add(time.Minute)) || shot.Run == "" || shot.Workflow != "tell" {
		t.Errorf("%+v", shot)
	}
	if s := w.triggers.Schedules()[0]; s.NextRun != noon.Add(2*time.Minute).UnixMilli() {
		t.Errorf("next at %d", s.NextRun)
	}
}

func TestTimesThatWereMissed(t *testing.T) {
	for _, c := range []struct {
		name     string
		catchUp  bool
		missed   time.Duration
		started  []int64
		schedule string
	}{
		{"a while", false, 3*time.Minute + time.Second, []int64{180}, "0 * * * * *"},
		{"a while, all", true, 3*time.Minute + time.Second, []int64{60, 120, 180}, "0 * * * * *"},
		{"one, late", false, time.Minute + MaxLate, []int64{60}, "0 1 12 * * *"},
		{"one, too late", false, time.Minute + MaxLate + time.Second, nil, "0 1 12 * * *"},
		{"one, too late, all", true, time.Hour, []int64{60}, "0 1 12 * * *"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			s := every("s", c.schedule)
			s.CatchUp = c.catchUp
			w.schedule(s)
			w.triggers.Close()
			w.pass(c.missed)
			for range 5 {
				w.triggers.ctx = t.Context()
				w.triggers.tick(w.clock())
			}
			w.wantDue(c.started...)
			if s := w.triggers.Schedules()[0]; s.NextRun <= w.clock().UnixMilli() {
				t.Errorf("next at %d", s.NextRun)
			}
		})
	}
}

func TestSoMuchIsCaughtUpAndNoMore(t *testing.T) {
	s := every("s", "* * * * * *")
	table := tableOf(s, new(problems))
	now := noon.Add((MaxCatchUp + 9) * time.Second)
	if first := latest(s, table, noon, now); !first.Equal(noon.Add(10 * time.Second)) {
		t.Errorf("from %s", first)
	}
	if first := latest(s, table, noon, noon.Add((MaxCatchUp-1)*time.Second)); !first.Equal(noon) {
		t.Errorf("at the limit from %s", first)
	}
}

// TestDueTimeIsRunOnceAcrossACrash stops between the start of the run and the note of it.
func TestDueTimeIsRunOnceAcrossACrash(t *testing.T) {
	w := newWorld(t)
	w.schedule(every("s", "0 * * * * *"))
	before, err := w.store.TriggerDefs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.step(time.Minute)
	w.wantDue(60)
	if err := w.store.WriteTriggers(t.Context(), store.TriggerChange{Put: before}); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.until("s", 1)
	w.step(0)
	w.wantDue(60)
	w.step(time.Minute)
	w.wantDue(60, 120)
}

func TestScheduleThatCannotBeRunNowIsRunLater(t *testing.T) {
	w := newWorld(t)
	w.schedule(every("s", "0 * * * * *"))
	w.refuse(store.ErrClosed)
	w.step(time.Minute)
	w.refuse(errors.New("there is no workflow tell"))
	w.step(time.Second)
	shots := w.until("s", 1)
	if len(shots) != 1 || shots[0].State != Failed || shots[0].Reason != "there is no workflow tell" {
		t.Errorf("%+v", shots)
	}
	w.refuse(nil)
	w.step(time.Minute)
	w.wantDue(120)
}

func TestPausedScheduleMissesItsTimes(t *testing.T) {
	w := newWorld(t)
	w.schedule(every("s", "0 * * * * *"))
	if err := w.triggers.PauseSchedule(t.Context(), "s", true, "holidays"); err != nil {
		t.Fatal(err)
	}
	w.step(90 * time.Second)
	if s := w.triggers.Schedules()[0]; !s.Paused || s.PausedReason != "holidays" || s.NextRun != 0 ||
		s.CreatedBy != "ada" {
		t.Errorf("%+v", s)
	}
	if err := w.triggers.PauseSchedule(t.Context(), "s", false, ""); err != nil {
		t.Fatal(err)
	}
	w.step(0)
	w.wantDue()
	w.step(30 * time.Second)
	w.wantDue(120)
	for _, err := range []error{
		w.triggers.PauseSchedule(t.Context(), "t", true, ""),
		w.triggers.DropSchedule(t.Context(), "t"),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
	}
	if err := w.triggers.DropSchedule(t.Context(), "s"); err != nil || len(w.triggers.Schedules()) != 0 {
		t.Errorf("deleted: %v", err)
	}
}

func TestBoundsAndSeveralExpressions(t *testing.T) {
	w := newWorld(t)
	s := every("s", "")
	s.Crons = []flow.CronTime{
		{Cron: "0 2 12 * * *", Zone: "UTC"}, {Cron: "0 1 13 * * *", Zone: "Europe/Berlin"}, {Cron: "0 1 12 * * *"},
	}
	s.From, s.To = noon.Add(time.Minute).UnixMilli(), noon.Add(2*time.Minute).UnixMilli()
	w.schedule(s)
	for range 5 {
		w.step(time.Minute)
	}
	w.wantDue(60, 120)
	if s := w.triggers.Schedules()[0]; s.NextRun != 0 {
		t.Errorf("next at %d", s.NextRun)
	}
	if of := w.requests()[1].Input["_schedulerCron"]; of != "0 2 12 * * *" {
		t.Errorf("of %s", of)
	}
}

func TestSchedulesThatAreWrong(t *testing.T) {
	w := newWorld(t)
	for path, spoil := range map[string]func(*flow.Schedule){
		"/name":            func(s *flow.Schedule) { s.Name = "" },
		"/cronExpression":  func(s *flow.Schedule) { s.Cron = "" },
		"/cronExpression ": func(s *flow.Schedule) { s.Cron = "* * * * *" },
		"/cronSchedules":   func(s *flow.Schedule) { s.Crons = []flow.CronTime{{Cron: "@daily"}} },
		"/cronSchedules ": func(s *flow.Schedule) {
			s.Cron, s.Crons = "", make([]flow.CronTime, MaxCrons+1)
		},
		"/cronSchedules/1/cronExpression": func(s *flow.Schedule) {
			s.Cron, s.Crons = "", []flow.CronTime{{Cron: "@daily"}, {Cron: "x"}}
		},
		"/zoneId":                           func(s *flow.Schedule) { s.Zone = "Mars/Olympus" },
		"/zoneId ":                          func(s *flow.Schedule) { s.Zone = "Local" },
		"/startWorkflowRequest/name":        func(s *flow.Schedule) { s.Start.Name = "" },
		"/startWorkflowRequest/workflowDef": func(s *flow.Schedule) { s.Start.Definition = &flow.Definition{} },
		"/startWorkflowRequest/version":     func(s *flow.Schedule) { s.Start.Version = -1 },
		"/scheduleStartTime":                func(s *flow.Schedule) { s.From = -1 },
		"/scheduleEndTime":                  func(s *flow.Schedule) { s.From, s.To = 2, 1 },
		"/pausedReason":                     func(s *flow.Schedule) { s.PausedReason = strings.Repeat("x", MaxText+1) },
	} {
		s := every("s", "0 * * * * *")
		spoil(s)
		err := w.triggers.PutSchedule(t.Context(), "ada", *s)
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Problems[0].Path != strings.TrimSpace(path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if list := w.triggers.Schedules(); len(list) != 0 {
		t.Errorf("kept %d", len(list))
	}
}

func TestSchedulesAreKept(t *testing.T) {
	w := newWorld(t)
	w.schedule(every("b", "0 0 3 * * *"))
	other := every("a", "@daily")
	other.Start.Name = "other"
	w.schedule(other)
	w.restart()
	list := w.triggers.Schedules()
	if len(list) != 2 || list[0].NextRun != noon.Add(12*time.Hour).UnixMilli() ||
		list[1].Start.Input["from"] != "schedule" {
		t.Errorf("kept %v", list)
	}
}

func TestPreview(t *testing.T) {
	w := newWorld(t)
	five, err := w.triggers.NextTimes("0 30 2 * * *", "Europe/Berlin", noon, time.Time{}, 5)
	if err != nil || len(five) != 5 || five[0].Format(time.RFC3339) != "2026-11-24T02:30:00+01:00" {
		t.Errorf("%v, %v", five, err)
	}
	some, err := w.triggers.NextTimes("0 * * * * *", "", noon, noon.Add(3*time.Minute), MaxPreview)
	if err != nil || len(some) != 3 {
		t.Errorf("%v, %v", some, err)
	}
	for _, n := range []int{0, MaxPreview + 1} {
		if _, err := w.triggers.NextTimes("@daily", "", noon, noon, n); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d: %v", n, err)
		}
	}
	if _, err := w.triggers.NextTimes("@often", "", noon, noon, 5); !errors.Is(err, ErrInvalid) {
		t.Errorf("of nothing: %v", err)
	}
}

func TestThereMayBeSoManyTriggers(t *testing.T) {
	w := newWorld(t)
	list := make([]flow.EventHandler, MaxTriggers)
	for i := range list {
		list[i] = *starter(fmt.Sprint("h", i), ended)
	}
	if err := w.triggers.PutHandlers(t.Context(), "ada", list, false); err != nil {
		t.Fatal(err)
	}
	more := []flow.EventHandler{*starter("more", ended)}
	if err := w.triggers.PutHandlers(t.Context(), "ada", more, false); !errors.Is(err, ErrConflict) {
		t.Errorf("one more: %v", err)
	}
	if err := w.triggers.PutHandlers(t.Context(), "ada", list[:1], true); err != nil {
		t.Errorf("one of them: %v", err)
	}
}
