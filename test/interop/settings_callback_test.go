package interop

import (
	"context"
	"fmt"
	"testing"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// callbacks is a PATCH that offers them by the key 9 where more than so many wait.
func callbacks(threshold int) string {
	return fmt.Sprintf(`{"hold_queue": {"allow_queue_callback": true, "queue_callback_dtmf": "9",
		"queue_callback_threshold": %d, "announcement_interval_seconds": 10}}`, threshold)
}

// calledBack is the record of the callback to a number, once it is over.
func (h *hall) calledBack(number string) route.CallRecord {
	h.T.Helper()
	var found route.CallRecord
	h.Until("the callback to "+number+" is over", func(p lab.Picture) bool {
		for _, r := range p.Records {
			if r.Callback && r.To == number {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

// talkAsCallback waits until somebody who is called back talks.
func (h *hall) talkAsCallback() {
	h.T.Helper()
	h.Until("they talk", func(p lab.Picture) bool {
		for _, call := range p.Calls {
			if call.Callback && call.State == "connected" {
				return true
			}
		}
		return false
	})
}

// noting has a phone's owner take down what they hear, from before they do anything else.
func (h *hall) noting(then manner) (manner, <-chan earpiece) {
	notes := make(chan earpiece, 16)
	return func(ctx context.Context, c *softphone.Call) {
		notes <- h.listens(c)
		then(ctx, c)
	}, notes
}

func TestAllowQueueCallbackKeepsThePlaceAndCallsBackInItsTurn(t *testing.T) {
	h := newHall(t)
	h.callsOut()
	center, ada, talking := h.busyLine(callbacks(0))
	first := h.caller(center)
	home := h.outside(first.from, ringsOn)
	first.hears("HOLD_CALLBACK")
	first.hears("PRESS_9")
	first.press('9')
	first.hears("HOLD_CALLBACK_NUMBER")
	first.press('1') // this number
	h.ended(first, route.CallbackRequested, "callback")
	first.hears("HOLD_CALLBACK_BOOKED")
	h.waiting(center, 1) // the place
	second := h.caller(center)
	second.hears("HOLD_POSITION_2")
	if a := h.API("POST", "/api/v2/callback", fmt.Sprintf(
		`{"call_center_id": %q, "phone_number": %q}`, center.ID, first.from)); a.Status != 409 {
		t.Errorf("the same number books again: %d %s", a.Status, a.Raw)
	}

	listens, notes := h.noting(talks)
	ada.now(listens)
	talking.Hangup()
	ringing := ada.next() // it is the callback's turn
	wantText(t, "the operator's phone shows", ringing.From, first.from)
	far := home.next()
	heard := <-notes
	heard.hears("CALLBACK_FOR")
	far.Answer()
	far.Loop(note(600))
	heard.hearsTone(600)
	h.waiting(center, 1)
	far.Hangup()
	back := h.calledBack(first.from)
	if back.Outcome != route.Answered || back.Direction != route.Outbound || back.Operator != ada.OperatorID() {
		t.Errorf("the callback ended as %s %s (%s)", back.Direction, back.Outcome, back.Reason)
	}
	second.hearsFrom(ada.next(), 850) // who came later is served later
	if served := h.Now().Calls; len(served) == 0 {
		t.Error("nobody is served")
	}
}

func TestQueueCallbackThresholdIsHowManyMustWaitForTheOffer(t *testing.T) {
	h := newHall(t)
	center, _, _ := h.busyLine(callbacks(1))
	first := h.caller(center)
	first.hears("HOLD_POSITION_1")
	first.hears("HOLD_ESCAPE_VM_STAR")
	first.hearsSound(frameTime * 50)
	first.press('9') // means nothing yet
	second := h.caller(center)
	second.hears("HOLD_CALLBACK")
	first.neverHeard("HOLD_CALLBACK", "HOLD_CALLBACK_NUMBER")
	center.Patch(`{"hold_queue": {"allow_queue_callback": false}}`)
	third := h.caller(center)
	third.hears("HOLD_POSITION_3")
	third.hears("HOLD_ESCAPE_VM_STAR")
	third.hearsSound(frameTime * 50)
	third.neverHeard("HOLD_CALLBACK")
	second.forget()
	second.press('9') // no longer
	second.hearsSound(frameTime * 50)
	second.neverHeard("HOLD_CALLBACK_NUMBER")
}

func TestQueueCallbackDTMFBooksForTheNumberThatIsTyped(t *testing.T) {
	h := newHall(t)
	h.callsOut()
	center, ada, talking := h.busyLine(callbacks(0))
	center.Patch(`{"hold_queue": {"queue_callback_dtmf": "5"}}`)
	c := h.caller(center)
	c.hears("HOLD_CALLBACK")
	c.hears("PRESS_5")
	c.press('9') // was the key before
	c.press('5')
	c.hears("HOLD_CALLBACK_NUMBER")
	c.press('2')
	c.hearsPartOf("HOLD_CALLBACK_TYPE")
	c.dials("12125550199#")
	c.hears("SAY_9") // the number is read out
	c.press('1')
	h.ended(c, route.CallbackRequested, "callback")
	mobile := h.outside("+12125550199", declines)
	talking.Hangup()
	ada.next()
	mobile.next()
	h.waiting(center, 1) // the place, for another try in five minutes
	h.stands(ada, route.Available)
	if on, _ := h.duty(ada); !on {
		t.Error("a number that was busy took the operator off duty")
	}
}

func TestCallbackAskedByAPIJoinsTheSameLine(t *testing.T) {
	h := newHall(t)
	h.callsOut()
	center, ada, talking := h.busyLine(callbacks(0))
	first := h.caller(center)
	h.waiting(center, 1)
	number := "+12125550123"
	body := fmt.Sprintf(`{"call_center_id": %q, "phone_number": %q}`, center.ID, number)
	h.MustAPI("POST", "/api/v2/callback/validate", body)
	h.waiting(center, 1) // that booked nothing
	wantText(t, "position", h.MustAPI("POST", "/api/v2/callback", body).Text("position"), "2")
	home := h.outside(number, talks)
	talking.Hangup()
	served := ada.next()
	first.hearsFrom(served, 850)
	served.Hangup()
	ringing := ada.next()
	wantText(t, "the operator's phone shows", ringing.From, number)
	far := home.next()
	h.talkAsCallback()
	far.Hangup()
	wantText(t, "the callback ended as", string(h.calledBack(number).Outcome), string(route.Answered))
}
