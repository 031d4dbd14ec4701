package interop

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/test/lab"
)

const (
	shortRing = 10 * time.Second // the least ring_seconds
	longRing  = 45 * time.Second // the most
)

func TestRingSecondsIsHowLongOneOfferRings(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("fixedorder"))
	center.Patch(`{"ring_seconds": 10}`)
	// A sipp that nobody picks up.
	phone := lab.ScenarioAt(t, ownAddr(), "no_answer", netip.AddrPort{}, patience, "-m", "1")
	ada := h.Operator("Ada")
	ada.StaticPhone("ada", phone.Addr)
	center.Add(ada, 50)
	ben := h.desk("Ben", serves)
	center.Add(ben.Operator, 50)

	one := h.caller(center)
	h.Until("Ada's phone rings", func(p lab.Picture) bool { return p.Operator(ada).State == route.Ringing })
	center.Patch(`{"ring_seconds": 45}`) // a ringing offer keeps its timer
	call := h.ended(one, route.Answered, "operator_hung_up")
	phone.MustSucceed() // it got its CANCEL
	wantText(t, "offers", results(call), "missed answered")
	if rang := call.Offers[0].Until.Sub(call.Offers[0].At); rang < shortRing || rang >= longRing {
		t.Errorf("Ada's phone rang %s, want %s", rang, shortRing)
	}
	on, reason := h.duty(&desk{Operator: ada})
	if on || reason != "Missed call" {
		t.Errorf("Ada is on duty %t, %q, after a missed call", on, reason)
	}

	// The next offer rings as long as the setting says now: longer than 10 s.
	ben.now(ringsOn)
	two := h.caller(center)
	ben.next() // the one above
	ringing := ben.next()
	time.Sleep(shortRing + time.Second)
	ringing.Answer()
	h.stands(ben, route.OnCall)
	ringing.Hangup()
	wantText(t, "offers of the next", results(h.ended(two, route.Answered, "operator_hung_up")), "answered")
}

func TestDeclinedCallGoesOnAndTakesTheOperatorOffDuty(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("fixedorder", declines)
	desks[1].now(serves)
	call := h.ended(h.caller(center), route.Answered, "operator_hung_up")
	wantText(t, "offers", results(call), "declined answered")
	if on, reason := h.duty(desks[0]); on || reason != "Missed call" {
		t.Errorf("Ada is on duty %t, %q, after declining", on, reason)
	}
	desks[0].Duty(true)
	desks[0].now(serves)
	wantText(t, "rung when Ada is back", h.oneByOne(center, 1, 1, desks), "Ada")
}

func TestSomebodyWhoDoesNotWantToBeDisturbedIsNotRung(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("fixedorder", serves)
	disturb := func(d *desk, body string) { h.MustAPI("PATCH", "/api/v2/users/"+d.ID+"/togglednd", body) }

	// While it rings: cancelled, not missed, and the next one is rung.
	desks[0].now(ringsOn)
	one := h.caller(center)
	ringing := desks[0].next()
	disturb(desks[0], `{"do_not_disturb": true}`)
	desks[0].ends(ringing)
	wantText(t, "offers", results(h.ended(one, route.Answered, "operator_hung_up")), "cancelled answered")
	h.stands(desks[0], route.DND)
	if on, reason := h.duty(desks[0]); !on || reason != "" {
		t.Errorf("Ada is on duty %t, %q, after asking not to be disturbed", on, reason)
	}

	// Ben does not want to be by this center.
	disturb(desks[1], fmt.Sprintf(`{"do_not_disturb": true, "group_type": "callcenter", "group_id": %s}`, center.ID))
	wantText(t, "rung while Ada and Ben are left alone", h.oneByOne(center, 1, 1, desks), "Cid")
	desks[0].now(serves)
	disturb(desks[0], `{"do_not_disturb": false}`)
	h.stands(desks[0], route.Available)
	wantText(t, "rung when Ada is back", h.oneByOne(center, 1, 2, desks), "Ada")
}

func TestActionMessageIsGivenWhenNobodyAnswers(t *testing.T) {
	h := newHall(t)
	center, _ := h.office("fixedorder", declines)
	c := h.caller(center)
	call := h.ended(c, route.Message, "no_answer")
	wantText(t, "offers", results(call), "declined declined declined")
	c.hears("MESSAGE")
}

func TestOperatorAddedWhileCallersWaitIsRungAtOnce(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("longestidle", talks)
	removed := h.Operator("Dan")
	for _, d := range desks[1:] {
		d.Duty(false)
	}
	talking := h.caller(center)
	busy := desks[0].next()
	waiting := h.caller(center)
	h.waiting(center, 1)
	eve := h.desk("Eve", ringsOn)
	center.Add(removed, 50) // has no phone: changes nothing
	center.Add(eve.Operator, 50)
	answered := time.Now()
	ringing := eve.next()
	t.Logf("an operator added while a caller waits: the phone rang %s after the API answered", time.Since(answered))

	// Removed while it rings: cancelled, not missed, and the caller waits on.
	h.MustAPI("DELETE", "/api/v2/callcenters/"+center.ID+"/operators?user_id="+eve.ID, "")
	eve.ends(ringing)
	h.waiting(center, 1)
	if on, reason := h.duty(eve); !on || reason != "" {
		t.Errorf("Eve is on duty %t, %q, after having been removed while it rang", on, reason)
	}
	center.Add(eve.Operator, 50)
	second := eve.next()
	second.Answer()
	h.stands(eve, route.OnCall)

	// Removed while talking: the call goes on.
	h.MustAPI("DELETE", "/api/v2/callcenters/"+center.ID+"/operators?user_id="+eve.ID, "")
	waiting.hearsFrom(second, 850)
	second.Hangup()
	wantText(t, "offers", results(h.ended(waiting, route.Answered, "operator_hung_up")), "cancelled answered")
	busy.Hangup()
	h.ended(talking, route.Answered, "operator_hung_up")
}

func TestLastOperatorGoingOffDutySendsCallersToTheFallback(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("longestidle", talks)
	for _, d := range desks[1:] {
		d.Duty(false)
	}
	talking := h.caller(center)
	busy := desks[0].next()
	h.stands(desks[0], route.OnCall)
	waiting := h.caller(center)
	h.waiting(center, 1)
	desks[0].Duty(false) // takes effect when the call ends
	h.waiting(center, 1)
	busy.Hangup()
	h.ended(talking, route.Answered, "operator_hung_up")
	h.ended(waiting, route.Message, "no_operators")
	waiting.hears("HOLD_INTERRUPT")
	waiting.hears("MESSAGE")
}

func TestDeletedCenterGivesWaitingCallersTheFallbackAndLetsTalkersFinish(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("longestidle", talks)
	for _, d := range desks[1:] {
		d.Duty(false)
	}
	talking := h.caller(center)
	busy := desks[0].next()
	waiting := []*caller{h.caller(center), h.caller(center)}
	h.waiting(center, 2)
	h.MustAPI("DELETE", "/api/v2/callcenters/"+center.ID, "")
	for _, c := range waiting {
		h.ended(c, route.Message, "center_deleted")
		c.hears("HOLD_INTERRUPT")
	}
	talking.hearsFrom(busy, 900)
	busy.Hangup()
	h.ended(talking, route.Answered, "operator_hung_up")
	late := h.caller(center)
	if r := h.record(late); r.Outcome != route.Rejected || r.Reason != "unknown_number" {
		t.Errorf("a caller of a deleted center ended as %s, %s", r.Outcome, r.Reason)
	}
	if late.sipp.Wait() == nil {
		t.Error("sipp reached a deleted center; want 404")
	}
}

func TestMaxWrapUpSecondsBlocksAllCentersOfTheOperatorForItsTime(t *testing.T) {
	h := newHall(t)
	sales, support := h.Center("Sales", routing("longestidle")), h.Center("Support", routing("longestidle"))
	sales.Patch(`{"advanced_settings": {"max_wrap_up_seconds": 4}}`)
	ada := h.desk("Ada", talks)
	sales.Add(ada.Operator, 50)
	support.Add(ada.Operator, 50)

	first := h.caller(sales)
	call := ada.next()
	h.stands(ada, route.OnCall)
	other := h.caller(support)
	h.waiting(support, 1)
	call.Hangup()
	resting := h.stands(ada, route.WrapUp)
	sales.Patch(`{"advanced_settings": {"max_wrap_up_seconds": 3600}}`) // for wrap-ups that start later
	ended := h.ended(first, route.Answered, "operator_hung_up").Ended
	if rest := resting.Until.Sub(ended); rest != 4*time.Second {
		t.Errorf("the wrap-up is until %s after the call, want 4s", rest)
	}
	ada.next().Hangup()
	served := h.ended(other, route.Answered, "operator_hung_up")
	if at := served.Offers[0].At; at.Before(resting.Until) {
		t.Errorf("the other center rang Ada %s before the end of her wrap-up", resting.Until.Sub(at))
	}
	h.stands(ada, route.Available) // the other center has no wrap-up

	ada.now(serves)
	h.ended(h.caller(sales), route.Answered, "operator_hung_up")
	if view := h.stands(ada, route.WrapUp); view.Until.Sub(view.Since) != time.Hour {
		t.Errorf("a later wrap-up lasts %s, want an hour", view.Until.Sub(view.Since))
	}
	ada.Duty(false) // ends it
	h.stands(ada, route.OffDuty)
}
