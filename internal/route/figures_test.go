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
