package interop

import (
	"testing"

	"switchboard/internal/route"
)

// TestWhoLostTheLineAndCallsAgainHasThePlaceBack: the first caller's ACK never comes, so the line is given up; the same
// number calls again and is served before one who came later.
func TestWhoLostTheLineAndCallsAgainHasThePlaceBack(t *testing.T) {
	h := newHall(t)
	center, ada, talking := h.busyLine(`{}`)
	lost := h.call(center, "lost")
	h.waiting(center, 1)
	later := h.caller(center)
	h.waiting(center, 2)
	later.hears("HOLD_POSITION_2")
	h.ended(lost, route.Abandoned, "caller_hung_up")
	lost.sipp.MustSucceed() // it got its BYE
	h.waiting(center, 1)

	again := h.callFrom(lost.from, center, "heard")
	h.reads(again, "Has the place back that was lost with the last call")
	again.hears("HOLD_POSITION_1")
	talking.Hangup()
	again.hearsFrom(ada.next(), 850)
	h.waiting(center, 1)
}

// TestABusyOperatorIsNotRungAndStaysOnDuty: the second caller waits, and nobody missed anything.
func TestABusyOperatorIsNotRungAndStaysOnDuty(t *testing.T) {
	h := newHall(t)
	center, ada, talking := h.busyLine(`{"ring_seconds": 10}`)
	c := h.caller(center)
	h.waiting(center, 1)
	c.hears("HOLD_POSITION_1")
	if on, reason := h.duty(ada); !on || reason != "" || h.stands(ada, route.OnCall).Missed != 0 {
		t.Errorf("Ada, who talks, is on duty %t, %q", on, reason)
	}
	talking.Hangup()
	c.hearsFrom(ada.next(), 850)
	call := h.now().Calls
	if len(call) != 1 || call[0].From != c.from {
		t.Errorf("served: %+v", call)
	}
}
