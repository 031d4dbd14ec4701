package route

import (
	"reflect"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// afterRestart is a machine with the center of a world, that was given the figures of its records.
func (w *alertWorld) afterRestart(t *testing.T) *Machine {
	t.Helper()
	m := benchMachine(1, callcenter.FixedOrder)
	m.centers[1].settings = w.m.centers[1].settings
	m.centers[1].extras = w.m.centers[1].extras
	target := time.Duration(w.goal.ServiceLevelSeconds) * time.Second
	m.Step(w.now, RestoreFigures{FiguresOf(1, target, w.records, w.now)})
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	return m
}

// A machine that begins with the records of another one's calls shows that one's figures, now and as the window moves
// on.
func TestFiguresOutliveTheMachine(t *testing.T) {
	for seed := range uint64(50) {
		w := newAlertWorld(t, seed)
		for range 200 {
			w.advance(time.Duration(w.random.Int64N(int64(time.Minute))) + 1)
			w.act(4)
		}
		for len(w.waits)+len(w.talks) > 0 {
			w.advance(time.Second)
			w.act(0)
		}
		next := w.afterRestart(t)
		for range 40 {
			w.step(Tick{})
			next.Step(w.now, Tick{})
			was, _ := w.m.Center(1)
			is, _ := next.Center(1)
			for what, values := range map[string][2]any{
				"outcomes": {was.Outcomes, is.Outcomes}, "level": {was.ServiceLevel, is.ServiceLevel},
				"answered in target": {was.AnsweredInTarget, is.AnsweredInTarget},
				"longest wait":       {was.LongestWait, is.LongestWait},
			} {
				if !reflect.DeepEqual(values[0], values[1]) {
					t.Fatalf("seed %d: %s was %v, is %v", seed, what, values[0], values[1])
				}
			}
			w.advance(time.Minute)
		}
	}
}

func TestFiguresGoBackADay(t *testing.T) {
	at := scriptStart
	ended := func(center callcenter.ID, before time.Duration) CallRecord {
		end := at.Add(-before)
		return CallRecord{
			Center: center, Outcome: Abandoned, Entered: end.Add(-time.Minute), Ended: end, LeftAt: end, LeftAs: "abandoned",
		}
	}
	got := FiguresOf(1, time.Minute, []CallRecord{
		ended(1, FiguresFor), ended(1, FiguresFor-1), ended(2, time.Second), ended(1, LevelWindow), ended(1, LevelWindow-1),
		ended(1, time.Second),
		{Center: 1, Outcome: Failed, Ended: at},
	}, at)
	want := Figures{
		Center: 1, Outcomes: map[Outcome]int{Abandoned: 4, Failed: 1}, LongestWait: time.Minute,
		Left: []Departure{
			{at.Add(1 - LevelWindow), time.Minute, "abandoned"}, {at.Add(-time.Second), time.Minute, "abandoned"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What cannot be is left out, and changes nothing else.
func TestFiguresThatCannotBe(t *testing.T) {
	m := benchMachine(0, callcenter.FixedOrder)
	now := scriptStart.Add(time.Hour)
	m.Step(now, RestoreFigures{Figures{Center: 99, Outcomes: map[Outcome]int{Answered: 1}}})
	m.Step(now, RestoreFigures{Figures{
		Center: 1, Outcomes: map[Outcome]int{Answered: -1, "lost": 5, Voicemail: 2}, AnsweredInTarget: -3, LongestWait: -1,
		Left: []Departure{
			{now.Add(-time.Minute), 0, "answered"},
			{now.Add(-time.Hour), 0, "answered"},
			{now.Add(1), 0, "answered"},
			{now, 0, "vanished"},
			{now, 0, ""},
		},
	}})
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	v, _ := m.Center(1)
	if !reflect.DeepEqual(v.Outcomes, map[Outcome]int{Voicemail: 2}) || v.AnsweredInTarget != 0 || v.LongestWait != 0 ||
		len(m.centers[1].level.list) != 1 {
		t.Errorf("%+v, %d in the window", v, len(m.centers[1].level.list))
	}
}

// A wrap-up goes on in the next machine, to the end that it had; one that is over lets its operator be idle since then.
func TestTheLastTalkOutlivesTheMachine(t *testing.T) {
	now := scriptStart.Add(time.Hour)
	for name, test := range map[string]struct {
		ended, wrapUp time.Duration // from now
		off           bool
		state         OperatorState
		idle          time.Duration // since, from now
	}{
		"goes on":                {-10 * time.Second, time.Second, false, WrapUp, -10 * time.Second},
		"is over in this moment": {-10 * time.Second, 0, false, Available, 0},
		"was over":               {-10 * time.Second, -9 * time.Second, false, Available, -9 * time.Second},
		"there was none":         {-10 * time.Second, -10 * time.Second, false, Available, -10 * time.Second},
		"before they came":       {-time.Hour - 1, time.Hour, false, Available, -time.Hour},
		"has yet to end":         {time.Second, time.Hour, false, Available, -time.Hour},
		"off duty":               {-10 * time.Second, time.Second, true, OffDuty, -time.Hour},
	} {
		m := benchMachine(1, callcenter.FixedOrder)
		o := m.operators[1]
		o.duty.OnSince, o.idleSince = scriptStart, scriptStart
		if test.off {
			m.Step(scriptStart, DutySet{Operator: 1})
		}
		m.Step(now, RestoreTalk{1, now.Add(test.ended), now.Add(test.wrapUp), time.Minute})
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		v, _ := m.Operator(1)
		idle := o.idleSince.Sub(now)
		if v.State != test.state || idle != test.idle {
			t.Errorf("%s: %s, idle since %s; want %s, %s", name, v.State, idle, test.state, test.idle)
		}
		if test.state != WrapUp {
			continue
		}
		if !v.Until.Equal(now.Add(test.wrapUp)) || v.Extend != time.Minute {
			t.Errorf("%s: until %s, and %s more", name, v.Until, v.Extend)
		}
		m.Step(now.Add(test.wrapUp), Tick{})
		if v, _ := m.Operator(1); v.State != Available {
			t.Errorf("%s: %s afterwards", name, v.State)
		}
	}
	m := benchMachine(1, callcenter.FixedOrder)
	m.Step(now, RestoreTalk{99, now, now.Add(time.Hour), 0})
	if len(m.OperatorIDs()) != 1 {
		t.Error("somebody unknown was made up")
	}
}
