package interop

import (
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// busyLine is a call center whose only operator, Ada, talks: who calls now has to wait. The caller who talks with her
// is there as well.
func (h *hall) busyLine(patch string) (center *lab.Center, ada *desk, talking *softphone.Call) {
	h.T.Helper()
	center = h.Center("Support", routing("longestidle"))
	center.Patch(patch)
	ada = h.desk("Ada", talks)
	center.Add(ada.Operator, 50)
	h.caller(center)
	talking = ada.next()
	h.stands(ada, route.OnCall)
	return center, ada, talking
}

func TestMaxHoldCountIsHowManyMayWait(t *testing.T) {
	h := newHall(t)
	center, ada, talking := h.busyLine(`{"hold_queue": {"max_hold_count": 1}, "routing_options": {
		"open": {"action": "voicemail", "try_dial_operators": true},
		"closed": {"action": "voicemail", "try_dial_operators": false}}}`)
	waiting := h.caller(center)
	h.waiting(center, 1)
	refused := h.briefCaller(center, time.Second)
	refused.hearsPartOf("VM_UNAVAILABLE")
	h.ended(refused, route.Abandoned, "greeting") // heard enough of the greeting to hang up
	center.Patch(`{"hold_queue": {"max_hold_count": 2}}`)
	second := h.caller(center)
	h.waiting(center, 2)
	center.Patch(`{"routing_options": {"open": {"action": "message", "try_dial_operators": false},
		"closed": {"action": "message", "try_dial_operators": false}}}`)
	h.ended(h.caller(center), route.Message, "not_dialled") // new callers only
	h.waiting(center, 2)
	ada.now(serves)
	talking.Hangup()
	first, next := h.ended(waiting, route.Answered, "operator_hung_up"),
		h.ended(second, route.Answered, "operator_hung_up")
	if !first.Connected.Before(next.Connected) {
		t.Error("the second caller in line was served before the first")
	}
}

func TestMaxHoldCountReachedGivesTheActionWithItsReason(t *testing.T) {
	h := newHall(t)
	center, _, _ := h.busyLine(`{"hold_queue": {"max_hold_count": 1}}`)
	waiting := h.caller(center)
	h.waiting(center, 1)
	refused := h.caller(center)
	h.ended(refused, route.Message, "queue_full")
	refused.hears("MESSAGE")
	refused.neverHeard("HOLD_INTRO", "HOLD_INTERRUPT")
	waiting.hears("HOLD_INTRO")
}

func TestMaxHoldSecondsIsTheLongestWait(t *testing.T) {
	h := newHall(t)
	center, _, talking := h.busyLine(`{"hold_queue": {"max_hold_seconds": 30}, "routing_options": {
		"open": {"action": "voicemail", "try_dial_operators": true},
		"closed": {"action": "voicemail", "try_dial_operators": false}}}`)
	waiting := h.caller(center)
	h.waiting(center, 1)
	center.Patch(routing("longestidle")) // who waits gets the new action when it comes to that
	r := h.ended(waiting, route.Message, "timeout")
	if r.Wait() < 30*time.Second {
		t.Errorf("sent away after %s, want 30s", r.Wait())
	}
	waiting.hears("HOLD_INTRO")
	waiting.hears("HOLD_INTERRUPT")
	waiting.hears("MESSAGE")
	waiting.neverHeard("HOLD_POSITION_1", "HOLD_ESCAPE_VM_STAR") // there is no time for announcements
	talking.Hangup()
}

func TestAnnouncePositionIsOnEntryAndAtAnnouncementIntervalSeconds(t *testing.T) {
	h := newHall(t)
	center, ada, talking := h.busyLine(`{"hold_queue": {"announcement_interval_seconds": 20}}`)
	first := h.caller(center)
	h.waiting(center, 1)
	second := h.caller(center)
	h.waiting(center, 2)
	for _, c := range []*caller{first, second} {
		c.hears("HOLD_INTRO")
		c.hears("HOLD_ESCAPE_VM_STAR")
	}
	first.hears("HOLD_POSITION_1")
	second.hears("HOLD_POSITION_2")
	second.hearsSound(time.Second) // music
	second.neverHeard("HOLD_POSITION_1")
	talking.Hangup()
	served := ada.next()
	h.waiting(center, 1)
	second.hears("HOLD_POSITION_1") // at the next announcement
	first.neverHeard("HOLD_POSITION_2")
	first.hearsFrom(served, 850) // the prompts have stopped
}

func TestAnnouncePositionOffLeavesTheMusic(t *testing.T) {
	h := newHall(t)
	center, _, _ := h.busyLine(`{"hold_queue": {"announce_position": false, "announcement_interval_seconds": 10}}`)
	c := h.caller(center)
	c.hears("HOLD_INTRO")
	c.hearsSound(2 * time.Second)
	c.neverHeard("HOLD_POSITION_1", "HOLD_ESCAPE_VM_STAR")
	center.Patch(`{"hold_queue": {"announce_position": true}}`) // from the next announcement
	c.hears("HOLD_POSITION_1")
}

func TestQueueEscapeDTMFLeavesTheLineForVoicemail(t *testing.T) {
	h := newHall(t)
	center, _, _ := h.busyLine(`{}`)
	early, late := h.caller(center), h.caller(center)
	h.waiting(center, 2)
	early.hearsPartOf("HOLD_INTRO")
	early.press('*') // during a prompt
	early.hears("VM_UNAVAILABLE")
	late.hears("HOLD_ESCAPE_VM_STAR")
	h.waiting(center, 1)

	center.Patch(`{"hold_queue": {"queue_escape_dtmf": "5"}}`)
	third := h.caller(center)
	third.hearsPartOf("HOLD_INTRO")
	third.press('1') // means nothing
	third.hears("HOLD_ESCAPE_VM_5")
	h.waiting(center, 2)
	third.press('5')
	late.press('*') // was told so before the change
	for _, c := range []*caller{early, third, late} {
		c.hears("VM_UNAVAILABLE")
		c.neverHeard("HOLD_INTERRUPT")
		c.leavesMessage()
		h.ended(c, route.Voicemail, "escape")
	}
}

func TestUnattendedQueueHoldsCallersWithNobodyOnDuty(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("longestidle", serves)
	for _, d := range desks {
		d.Duty(false)
	}
	refused := h.caller(center)
	h.ended(refused, route.Message, "no_operators")
	center.Patch(`{"hold_queue": {"unattended_queue": true}}`)
	waiting := h.caller(center)
	h.waiting(center, 1)
	waiting.hears("HOLD_INTRO")
	desks[1].Duty(true)
	call := h.ended(waiting, route.Answered, "operator_hung_up")
	wantText(t, "rung", rung([]route.CallRecord{call}, desks...), "Ben")

	// Switched off with callers waiting: ten seconds of grace, then the fallback.
	desks[1].Duty(false)
	last := h.caller(center)
	h.waiting(center, 1)
	center.Patch(`{"hold_queue": {"unattended_queue": false}}`)
	if r := h.ended(last, route.Message, "no_operators"); r.Ended.Sub(r.Entered) < 10*time.Second {
		t.Errorf("sent away %s after entering, within the grace of 10 s", r.Ended.Sub(r.Entered))
	}
}

func TestNoOfferWaitsForAnAnnouncementAndAnAnswerCutsIt(t *testing.T) {
	h := newHall(t)
	center, ada, talking := h.busyLine(`{}`)
	ben := h.desk("Ben", ringsOn)
	center.Add(ben.Operator, 50)
	ben.Duty(false)
	for _, said := range []string{"HOLD_INTRO", "HOLD_ESCAPE_VM_STAR"} {
		c := h.caller(center)
		c.hearsPartOf(said)
		asked := time.Now()
		ben.Duty(true)
		ringing := ben.next()
		t.Logf("the phone rang %s after the API was asked to put the operator on duty, during %s", time.Since(asked), said)
		c.neverHeard(said) // it is still being said
		ringing.Answer()
		c.hearsFrom(ringing, 850)
		c.neverHeard(said) // and never was to its end
		ringing.Hangup()
		h.ended(c, route.Answered, "operator_hung_up")
		ben.Duty(false)
	}
	talking.Hangup()
	h.stands(ada, route.Available)
}
