package interop

import (
	"slices"
	"strings"
	"testing"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// routing is a PATCH of the open branch's strategy.
func routing(strategy string) string {
	return `{"routing_options": {
		"open": {"action": "message", "try_dial_operators": true, "operator_routing": "` + strategy + `"},
		"closed": {"action": "message", "try_dial_operators": false}}}`
}

// office is a call center with Ada, Ben and Cid, in this order, and these skills.
func (h *hall) office(strategy string, m manner, skills ...int) (*lab.Center, []*desk) {
	h.T.Helper()
	center := h.Center("Support", routing(strategy))
	var desks []*desk
	for i, name := range []string{"Ada", "Ben", "Cid"} {
		d := h.desk(name, m)
		center.Add(d.Operator, append(skills, 50, 50, 50)[i])
		desks = append(desks, d)
	}
	return center, desks
}

// oneByOne has so many callers served, one after the other, and says who was rung.
func (h *hall) oneByOne(center *lab.Center, callers, before int, desks []*desk) string {
	h.T.Helper()
	h.crowd(center, callers, 1).MustSucceed()
	calls := h.records(before + callers)[before:]
	for _, c := range calls {
		wantText(h.T, "offers of a call", results(c), route.ResultAnswered)
	}
	return rung(calls, desks...)
}

func TestOperatorRoutingFixedOrderAlwaysStartsWithTheFirstOfTheList(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("fixedorder", serves)
	wantText(t, "rung for one caller after the other", h.oneByOne(center, 3, 0, desks), "Ada Ada Ada")
	for _, d := range desks {
		d.now(talks)
	}
	crowd := h.crowd(center, 3, 3)
	for _, d := range desks {
		h.stands(d, route.OnCall)
	}
	for _, d := range slices.Backward(desks) { // the order in which they become free must not matter
		d.now(serves)
		busyCall(d).Hangup()
	}
	crowd.MustSucceed()
	wantText(t, "rung for three at once", rung(h.records(6)[3:], desks...), "Ada Ben Cid")
	wantText(t, "rung for the next", h.oneByOne(center, 1, 6, desks), "Ada")
}

// busyCall is the last call that rang at a desk.
func busyCall(d *desk) (last *softphone.Call) {
	last = d.next()
	for len(d.rang) > 0 {
		last = d.next()
	}
	return last
}

func TestOperatorRoutingLongestIdleRingsWhoHasBeenIdleLongest(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	cid, ada, ben := h.desk("Cid", serves), h.desk("Ada", serves), h.desk("Ben", serves)
	desks := []*desk{ada, ben, cid}
	for _, d := range desks {
		center.Add(d.Operator, 50)
	}
	wantText(t, "rung: not by the list, but since when their phones are there", h.oneByOne(center, 6, 0, desks),
		"Cid Ada Ben Cid Ada Ben")
	ada.Duty(false)
	ada.Duty(true) // idle anew
	wantText(t, "rung after Ada came back on duty", h.oneByOne(center, 3, 6, desks), "Cid Ben Ada")
}

func TestOperatorRoutingTiesOfIdleTimeGoByTheList(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("simultaneous", ringsOn, 10, 20, 20)
	center.Patch(`{"ring_seconds": 10}`)
	lost := h.caller(center)
	h.ended(lost, route.Message, "no_answer") // all three missed it in the same instant
	for _, d := range desks {
		h.stands(d, route.Available)
		d.now(serves)
	}
	center.Patch(routing("longestidle"))
	wantText(t, "rung with equal idle times", h.oneByOne(center, 3, 1, desks), "Ada Ben Cid")
	for _, d := range desks {
		d.now(ringsOn)
	}
	center.Patch(routing("simultaneous"))
	h.ended(h.caller(center), route.Message, "no_answer")
	for _, d := range desks {
		h.stands(d, route.Available)
		d.now(serves)
	}
	center.Patch(routing("mostskilled"))
	wantText(t, "rung with equal skills and idle times", h.oneByOne(center, 1, 5, desks), "Ben")
}

func TestOperatorRoutingMostSkilledRingsTheMostSkilledThenTheLongestIdle(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("mostskilled", talks, 10, 90, 90)
	crowd := h.crowd(center, 3, 3)
	for _, d := range desks {
		h.stands(d, route.OnCall)
	}
	for _, d := range []*desk{desks[2], desks[0], desks[1]} { // Cid is idle first
		d.now(serves)
		busyCall(d).Hangup()
		h.stands(d, route.Available)
	}
	crowd.MustSucceed()
	wantText(t, "rung for three at once", rung(h.records(3), desks...), "Ben Cid Ada")
	wantText(t, "rung with equal skills", h.oneByOne(center, 2, 3, desks), "Cid Ben")
	h.MustAPI("PATCH", "/api/v2/callcenters/"+center.ID+"/operators/"+desks[0].ID+"/skill", `{"skill_level": 100}`)
	wantText(t, "rung after Ada learned a lot", h.oneByOne(center, 2, 5, desks), "Ada Ada")
}

func TestOperatorRoutingRandomGoesThroughAShuffledListBeforeAnybodyIsRungAgain(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("random", serves)
	order := strings.Fields(h.oneByOne(center, 12, 0, desks))
	for round := range slices.Chunk(order, 3) {
		slices.Sort(round)
		wantText(t, "rung in one pass of the list", strings.Join(round, " "), "Ada Ben Cid")
	}
}

func TestOperatorRoutingRoundRobinRingsInTurn(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("roundrobin", serves)
	wantText(t, "rung", h.oneByOne(center, 4, 0, desks), "Ada Ben Cid Ada")
	desks[1].now(talks)
	long := h.caller(center)
	h.stands(desks[1], route.OnCall)
	wantText(t, "rung while Ben talks", h.oneByOne(center, 3, 4, desks), "Cid Ada Cid")
	desks[1].now(serves)
	busyCall(desks[1]).Hangup()
	h.ended(long, route.Answered, "operator_hung_up")
	wantText(t, "rung when Ben is back, who was passed over", h.oneByOne(center, 3, 8, desks), "Ada Ben Cid")
	dan := h.desk("Dan", serves)
	center.Add(dan.Operator, 50)
	desks = append(desks, dan)
	wantText(t, "rung with Dan at the end of the round", h.oneByOne(center, 5, 11, desks),
		"Ada Ben Cid Dan Ada")
	center.Patch(routing("fixedorder"))
	center.Patch(routing("roundrobin"))
	wantText(t, "rung after a change of strategy", h.oneByOne(center, 2, 16, desks), "Ada Ben")
}

func TestOperatorRoutingSimultaneousRingsAllAndOneWins(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("simultaneous", ringsOn)
	one := h.caller(center)
	var calls []*softphone.Call
	for _, d := range desks {
		calls = append(calls, d.next())
	}
	calls[1].Answer()
	h.stands(desks[1], route.OnCall)
	desks[0].ends(calls[0]) // CANCEL
	desks[2].ends(calls[2])
	two := h.caller(center) // rings those who are free
	second := desks[0].next()
	desks[2].next()
	second.Answer()
	h.stands(desks[0], route.OnCall)
	third := h.stands(desks[2], route.Available)
	calls[1].Hangup()
	second.Hangup()
	wantText(t, "offers of the first", results(h.ended(one, route.Answered, "operator_hung_up")),
		"cancelled answered cancelled")
	wantText(t, "offers of the second", results(h.ended(two, route.Answered, "operator_hung_up")), "answered cancelled")
	for _, d := range desks {
		if on, reason := h.duty(d); !on || reason != "" {
			t.Errorf("%s: on duty %t, %q", d.Name, on, reason)
		}
	}
	if third.Missed != 0 {
		t.Errorf("Cid missed %d calls that another took", third.Missed)
	}
}
