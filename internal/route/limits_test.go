package route

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// orders are those of one type that a step gave.
func orders[T Order](effects []Effect) (list []T) {
	for _, f := range effects {
		if o, ok := f.Order.(T); ok {
			list = append(list, o)
		}
	}
	return list
}

func TestAnswerWithin(t *testing.T) {
	m := benchMachine(1, callcenter.FixedOrder)
	m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
	if got := m.Step(scriptStart.Add(AnswerWithin-1), Tick{}); len(got) > 0 {
		t.Errorf("before its time: %v", got)
	}
	got := m.Step(scriptStart.Add(AnswerWithin), Tick{})
	if len(orders[Answer](got)) != 1 || len(orders[Ringback](got)) != 1 {
		t.Errorf("at its time: %v", got)
	}
}

func TestShortAbandon(t *testing.T) {
	for wait, want := range map[time.Duration]Outcome{
		5*time.Second - 1: ShortAbandoned,
		5 * time.Second:   Abandoned,
	} {
		m := benchMachine(1, callcenter.FixedOrder)
		m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
		m.Step(scriptStart.Add(AnswerWithin), Tick{})
		end := orders[End](m.Step(scriptStart.Add(wait), CallerHungUp{Call: 1}))
		if len(end) != 1 || end[0].Record.Outcome != want {
			t.Errorf("after %s: %v, not %s", wait, end, want)
		}
	}
}

func TestMaxSimultaneous(t *testing.T) {
	for _, extra := range []int{0, 1} {
		n := MaxSimultaneous + extra
		m := benchMachine(n, callcenter.Simultaneous)
		m.centers[1].extras.MaxMissedCalls = 0
		now := scriptStart.Add(time.Hour)
		m.Step(now, DutySet{Operator: 7}) // number 7 was idle shortest
		m.Step(now, DutySet{Operator: 7, On: true})
		rings := orders[Ring](m.Step(now, CallArrived{Call: 1, Center: 1}))
		if len(rings) != MaxSimultaneous {
			t.Fatalf("%d of %d ring", len(rings), n)
		}
		has7 := slices.ContainsFunc(rings, func(r Ring) bool { return r.Operator == 7 })
		if has7 != (extra == 0) {
			t.Errorf("of %d, number 7 rings: %v", n, has7)
		}
		ringFor := callcenter.Defaults("").RingSeconds
		got := m.Step(now.Add(time.Duration(ringFor)*time.Second), Tick{})
		if len(orders[Ring](got)) > 0 || len(orders[Play](got)) != 1 {
			t.Errorf("one ring is the round, but then: %v", got)
		}
	}
}

func TestMaxLeftOut(t *testing.T) {
	for _, extra := range []int{0, 1} {
		m := benchMachine(MaxLeftOut+extra+1, callcenter.FixedOrder)
		for i := range MaxLeftOut + extra {
			m.Step(scriptStart, DutySet{Operator: callcenter.OperatorID(i + 1)})
		}
		effects := m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
		if got := effects[1].Why.LeftOut; len(got) != MaxLeftOut || got[0] != 1 {
			t.Errorf("left out are named: %v", got)
		}
	}
}

func TestMaxPath(t *testing.T) {
	m := benchMachine(MaxPath, callcenter.FixedOrder)
	m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
	for n := 1; ; n++ {
		v, _ := m.Call(1)
		if len(v.Path) == MaxPath {
			break
		}
		if len(v.Path) > MaxPath || n > MaxPath {
			t.Fatalf("the path has %d steps", len(v.Path))
		}
		m.Step(scriptStart, LegFailed{LegID{1, n}, 486})
	}
	before, _ := m.Call(1)
	m.withCall(1, func(c *call) { m.walk(c, "test", "the last") })
	after, _ := m.Call(1)
	if len(after.Path) != MaxPath || after.Path[MaxPath-1].Text != "the last" || after.Path[0] != before.Path[1] {
		t.Errorf("the path is %v", after.Path)
	}
}

// TestWrapUpExtension: once a wrap-up, at most what the center allowed when it began, and all of that where no time is
// given.
func TestWrapUpExtension(t *testing.T) {
	for extra, want := range map[time.Duration]time.Duration{
		0: 60 * time.Second, 59 * time.Second: 59 * time.Second, time.Minute: time.Minute, time.Hour: time.Minute,
	} {
		m := benchMachine(1, callcenter.FixedOrder)
		m.centers[1].settings.AdvancedSettings.MaxWrapUpSeconds = 10
		m.centers[1].extras.WrapUpExtensionSeconds = 60
		m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
		m.Step(scriptStart, LegAnswered{LegID{1, 1}})
		m.Step(scriptStart, CallerHungUp{Call: 1})
		m.centers[1].extras.WrapUpExtensionSeconds = 0
		if v, _ := m.Operator(1); v.Extend != time.Minute {
			t.Fatalf("may extend by %s", v.Extend)
		}
		for _, e := range []time.Duration{-time.Second, extra, extra} {
			m.Step(scriptStart, WrapUpExtended{1, e})
		}
		v, _ := m.Operator(1)
		if until := scriptStart.Add(10*time.Second + want); !v.Until.Equal(until) || v.Extend != 0 {
			t.Errorf("extended by %s: until %s, then %s", extra, v.Until, v.Extend)
		}
	}
}

func TestMaxLevelCalls(t *testing.T) {
	w := &levelWindow{}
	for range MaxLevelCalls {
		w.add(leaver{at: scriptStart, how: leftAnswered})
	}
	if len(w.list) != MaxLevelCalls || w.good != MaxLevelCalls {
		t.Fatalf("the window holds %d", len(w.list))
	}
	w.add(leaver{at: scriptStart, how: leftAbandoned})
	if len(w.list) != MaxLevelCalls || w.good != MaxLevelCalls-1 || w.total != MaxLevelCalls {
		t.Errorf("the window holds %d, %d of %d good", len(w.list), w.good, w.total)
	}
}

func TestLevelWindow(t *testing.T) {
	w := &levelWindow{}
	w.add(leaver{at: scriptStart, how: leftAnswered})
	if w.roll(scriptStart.Add(LevelWindow-1), 0); w.total != 1 {
		t.Error("forgotten too early")
	}
	if w.roll(scriptStart.Add(LevelWindow), 0); w.total != 0 {
		t.Error("kept too long")
	}
}

// TestTimeNeverGoesBack: a clock that is set back stands still for the machine.
func TestTimeNeverGoesBack(t *testing.T) {
	m := benchMachine(1, callcenter.FixedOrder)
	m.Step(scriptStart.Add(time.Hour), CallArrived{Call: 1, Center: 1})
	m.Step(scriptStart, LegAnswered{LegID{1, 1}})
	end := orders[End](m.Step(scriptStart, CallerHungUp{Call: 1}))[0].Record
	if !end.Ended.Equal(scriptStart.Add(time.Hour)) || end.Wait() != 0 {
		t.Errorf("the record is %+v", end)
	}
}

// TestStepsGoOn: the ids of a machine that was started again do not repeat those journalled before.
func TestStepsGoOn(t *testing.T) {
	m := New(Config{Company: 4, Step: 70})
	got := m.Step(scriptStart, CallArrived{Call: 1})
	if len(got) != 2 || got[0].ID != (EffectID{4, 71, 0}) || got[1].ID != (EffectID{4, 71, 1}) || m.Steps() != 71 {
		t.Errorf("effects %v", got)
	}
}

// TestChanged lists what changed once, and callers whose place moved.
func TestChanged(t *testing.T) {
	m := benchMachine(1, callcenter.FixedOrder)
	m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
	m.Step(scriptStart, LegAnswered{LegID{1, 1}})
	for id := CallID(2); id <= 5; id++ {
		m.Step(scriptStart, CallArrived{Call: id, Center: 1})
	}
	all := m.Changed()
	if fmt.Sprint(all.Centers, all.Operators, all.Calls, all.Ended) != "[1] [1] [1 2 3 4 5] []" {
		t.Errorf("first %+v", all)
	}
	if none := m.Changed(); fmt.Sprintf("%v", none) != fmt.Sprintf("%v", Dirty{}) {
		t.Errorf("then %+v", none)
	}
	m.Step(scriptStart, CallerHungUp{Call: 3})
	d := m.Changed()
	if fmt.Sprint(d.Calls, d.Ended) != "[4 5] [3]" {
		t.Errorf("after a hangup %+v", d)
	}
	m.Step(scriptStart, CenterDeleted{1})
	m.Step(scriptStart, OperatorDeleted{1})
	d = m.Changed()
	if fmt.Sprint(d.DeletedCenters, d.DeletedOperators) != "[1] [1]" {
		t.Errorf("after deletions %+v", d)
	}
	if len(m.CenterIDs())+len(m.OperatorIDs()) != 0 || fmt.Sprint(m.CallIDs()) != "[1 2 4 5]" {
		t.Errorf("left are %v %v %v", m.CenterIDs(), m.OperatorIDs(), m.CallIDs())
	}
}

// TestUnknownTimezone counts in UTC and says so.
func TestUnknownTimezone(t *testing.T) {
	m := New(Config{})
	c := &callcenter.Center{ID: 1, Settings: callcenter.Defaults("Nowhere")}
	c.Settings.Timezone = "Nowhere/Land"
	if warned := orders[Warn](m.Step(scriptStart, CenterChanged{Center: c})); len(warned) != 1 || warned[0].Center != 1 {
		t.Errorf("warned %v", warned)
	}
	if m.centers[1].loc != time.UTC {
		t.Error("does not count in UTC")
	}
}
