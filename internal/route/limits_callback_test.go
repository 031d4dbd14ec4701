package route

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// callbackMachine has one center with one operator; a callback waits and its operator's phone is answered.
func callbackMachine(t *testing.T) *Machine {
	t.Helper()
	m := benchMachine(1, callcenter.FixedOrder)
	m.centers[1].settings.HoldQueue.AllowQueueCallback = true
	got := m.Step(scriptStart, CallbackAsked{Call: 1, Center: 1, Number: "+15550101"})
	if len(orders[Ring](got)) != 1 {
		t.Fatalf("nobody rings: %v", got)
	}
	if got = m.Step(scriptStart, LegAnswered{LegID{1, 1}}); len(orders[DialFar](got)) != 1 {
		t.Fatalf("nobody is called: %v", got)
	}
	return m
}

func TestFarWithin(t *testing.T) {
	m := callbackMachine(t)
	if got := m.Step(scriptStart.Add(FarWithin-1), Tick{}); len(orders[Hangup](got)) != 0 {
		t.Errorf("before its time: %v", got)
	}
	if got := m.Step(scriptStart.Add(FarWithin), Tick{}); len(orders[Hangup](got)) != 1 {
		t.Errorf("at its time: %v", got)
	}
}

func TestTryPauses(t *testing.T) {
	m := callbackMachine(t)
	now := scriptStart
	for i, pause := range tryPauses {
		m.Step(now, FarFailed{1, 486})
		if got := m.Step(now.Add(pause-1), Tick{}); len(orders[Ring](got)) != 0 {
			t.Errorf("try %d comes too early: %v", i+2, got)
		}
		now = now.Add(pause)
		if got := m.Step(now, Tick{}); len(orders[Ring](got)) != 1 {
			t.Fatalf("try %d does not come: %v", i+2, got)
		}
		m.Step(now, LegAnswered{LegID{1, i + 2}})
	}
	end := orders[End](m.Step(now, FarFailed{1, 486}))
	if len(end) != 1 || end[0].Record.Outcome != Failed || len(end[0].Record.Offers) != MaxTries {
		t.Errorf("after %d tries: %+v", MaxTries, end)
	}
}

func TestRoundPause(t *testing.T) {
	m := benchMachine(1, callcenter.FixedOrder)
	m.centers[1].settings.HoldQueue.AllowQueueCallback = true
	m.centers[1].extras.MaxMissedCalls = 0
	m.Step(scriptStart, CallbackAsked{Call: 1, Center: 1, Number: "+15550101"})
	m.Step(scriptStart, LegFailed{LegID{1, 1}, 486})
	if got := m.Step(scriptStart.Add(RoundPause-1), Tick{}); len(orders[Ring](got)) != 0 {
		t.Errorf("rung again too early: %v", got)
	}
	if got := m.Step(scriptStart.Add(RoundPause), Tick{}); len(orders[Ring](got)) != 1 {
		t.Errorf("not rung again: %v", got)
	}
}

func TestOwnRing(t *testing.T) {
	m := benchMachine(1, callcenter.FixedOrder)
	m.Step(scriptStart, CallAsked{Call: 1, Operator: 1, To: "+15550101"})
	if got := m.Step(scriptStart.Add(OwnRing-1), Tick{}); len(orders[End](got)) != 0 {
		t.Errorf("before its time: %v", got)
	}
	if got := m.Step(scriptStart.Add(OwnRing), Tick{}); len(orders[End](got)) != 1 {
		t.Errorf("at its time: %v", got)
	}
}

// dialogMachine has a caller in the line who has just pressed the callback digit.
func dialogMachine(from string) *Machine {
	m := benchMachine(1, callcenter.FixedOrder)
	q := &m.centers[1].settings.HoldQueue
	q.AllowQueueCallback, q.QueueCallbackDTMF, q.QueueCallbackThreshold = true, "9", 0
	m.Step(scriptStart, CallArrived{Call: 1, Center: 1})
	m.Step(scriptStart, LegAnswered{LegID{1, 1}})
	m.Step(scriptStart, CallArrived{Call: 2, Center: 1, From: from, To: "+498900"})
	m.Step(scriptStart, PlayDone{2, 1})
	m.Step(scriptStart, Digit{2, '9'})
	return m
}

func TestKeyWithin(t *testing.T) {
	m := dialogMachine("+15550102")
	now := scriptStart
	for try := 1; try <= MaxKeyTries; try++ {
		m.Step(now, PlayDone{2, m.calls[2].plays})
		if got := m.Step(now.Add(KeyWithin-1), Tick{}); len(orders[Play](got)) != 0 {
			t.Errorf("asked again too early: %v", got)
		}
		now = now.Add(KeyWithin)
		want := PromptCallbackConfirm
		if try == MaxKeyTries {
			want = PromptCallbackRefused
		}
		if got := orders[Play](m.Step(now, Tick{})); len(got) != 1 || got[0].Phrases[0].Prompt != want {
			t.Errorf("after try %d: %v, not %s", try, got, want)
		}
	}
}

func TestMaxTypedDigits(t *testing.T) {
	m := dialogMachine("")
	for range MaxTypedDigits - 1 {
		if got := m.Step(scriptStart, Digit{2, '7'}); len(orders[Play](got)) != 0 {
			t.Fatalf("judged too early: %v", got)
		}
	}
	if got := m.Step(scriptStart, Digit{2, '7'}); len(orders[Play](got)) != 1 {
		t.Errorf("not judged: %v", got)
	}
}

func TestTypedNumber(t *testing.T) {
	for _, c := range []struct{ typed, dialled, want string }{
		{strings.Repeat("7", MinNumberDigits), "+498900", "+7777777"},
		{strings.Repeat("7", MinNumberDigits-1), "+498900", ""},
		{strings.Repeat("7", MaxNumberDigits), "+498900", "+" + strings.Repeat("7", 15)},
		{strings.Repeat("7", MaxNumberDigits+1), "+498900", ""},
		{"00" + strings.Repeat("7", MaxNumberDigits), "+498900", "+" + strings.Repeat("7", 15)},
		{"0114989123456", "+15550000", "+4989123456"},
		{"2125550100", "+15550000", "+12125550100"},
		{"2125550100", "+498900", "+2125550100"},
		{"089123456", "+498900", ""},
		{"", "+498900", ""},
	} {
		got, ok := typedNumber(c.typed, c.dialled)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s is %s (%v), not %s", c.typed, got, ok, c.want)
		}
	}
	for _, bad := range []string{"", "+", "15550101", "+05550101", "+1555010a", "+1555 0101"} {
		if isE164(bad) {
			t.Errorf("%q can be called", bad)
		}
	}
}

func TestPauseKeyWithin(t *testing.T) {
	for _, late := range []time.Duration{0, 1} {
		m := benchMachine(1, callcenter.FixedOrder)
		m.centers[1].settings.AdvancedSettings.AutoCallRecording = callcenter.AutoCallRecording{
			Outbound: true, AllowPause: true,
		}
		m.Step(scriptStart, CallAsked{Call: 1, Operator: 1, Center: 1, To: "+15550101"})
		m.Step(scriptStart, LegAnswered{LegID{1, 1}})
		m.Step(scriptStart, FarAnswered{1})
		m.Step(scriptStart, PlayDone{1, m.calls[1].playing})
		m.Step(scriptStart, OperatorDigit{LegID{1, 1}, '*'})
		m.Step(scriptStart.Add(PauseKeyWithin+late), OperatorDigit{LegID{1, 1}, '2'})
		if m.Masks(1) != (late == 0) {
			t.Errorf("%s after the star, masked is %v", PauseKeyWithin+late, m.Masks(1))
		}
	}
}

func TestPlaceKept(t *testing.T) {
	for _, late := range []time.Duration{-1, 0} {
		m := benchMachine(0, callcenter.FixedOrder)
		m.centers[1].settings.HoldQueue.UnattendedQueue = true
		m.Step(scriptStart, CallArrived{Call: 1, Center: 1, From: "+15550101"})
		m.Step(scriptStart, CallFailed{1, "media_dead"})
		now := scriptStart.Add(PlaceKept + late)
		m.Step(now, CallArrived{Call: 2, Center: 1, From: "+15550101"})
		if v, _ := m.Call(2); v.Entered.Equal(scriptStart) != (late < 0) {
			t.Errorf("%s later the entry is %s", PlaceKept+late, v.Entered)
		}
	}
}

func TestMaxPlaces(t *testing.T) {
	m := benchMachine(0, callcenter.FixedOrder)
	place := func(n int) []Effect {
		return m.Step(scriptStart, RestorePlace{Place: Place{
			Call: CallID(n), Center: 1, From: fmt.Sprintf("+1%09d", n), Entered: scriptStart,
		}})
	}
	for n := range MaxPlaces {
		if got := place(n + 1); len(got) != 0 {
			t.Fatalf("place %d of %d: %v", n+1, MaxPlaces, got)
		}
	}
	if got := place(MaxPlaces + 1); len(orders[DropPlace](got)) != 1 {
		t.Errorf("one too many: %v", got)
	}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
}

// TestDerivedIDs: ids that no host picked are of the size of those that are, and do not meet.
func TestDerivedIDs(t *testing.T) {
	seen := map[CallID]bool{}
	for call := CallID(1); call <= 2000; call++ {
		for _, id := range []CallID{CallbackCall(call), entryID(call, 1), entryID(call, 2), OfferCall(call, 1)} {
			if id <= 0 || id >= 1<<52 || seen[id] {
				t.Fatalf("call %d leads to %d", call, id)
			}
			seen[id] = true
		}
	}
}
