package route

import (
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// With a thousand callers in line, the step in which an operator turns free rings that operator for who waited longest:
// nothing waits for a later moment, and nobody overtakes.
func TestAThousandWaitAndAreServedInTheirOrder(t *testing.T) {
	const callers, operators = 1000, 10
	m := benchMachine(operators, callcenter.LongestIdle)
	m.centers[1].settings.HoldQueue.AnnouncePosition = false
	now := scriptStart
	for id := range CallID(operators + callers) {
		now = now.Add(time.Millisecond)
		for _, ring := range orders[Ring](m.Step(now, CallArrived{Call: id + 1, Center: 1})) {
			m.Step(now, LegAnswered{ring.Leg})
		}
	}
	if v, _ := m.Center(1); v.Waiting != callers {
		t.Fatalf("%d wait, want %d", v.Waiting, callers)
	}
	for id := range CallID(callers) {
		now = now.Add(time.Millisecond)
		rings := orders[Ring](m.Step(now, CallerHungUp{Call: id + 1}))
		if len(rings) != 1 || rings[0].Leg.Call != operators+id+1 {
			t.Fatalf("call %d ended: %+v rings, want call %d", id+1, rings, operators+id+1)
		}
		m.Step(now, LegAnswered{rings[0].Leg})
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
	}
}
