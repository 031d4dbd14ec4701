package interop

import (
	"fmt"
	"net/http"
	"testing"

	"switchboard/internal/route"
	"switchboard/test/lab"
)

// number takes a number into the company and assigns it.
func (h *hall) number(e164, target, kind string) *lab.Center {
	h.T.Helper()
	h.MustAPI("POST", "/api/v2/x/numbers", fmt.Sprintf(`{"numbers": [%q]}`, e164))
	h.MustAPI("POST", "/api/v2/numbers/"+e164+"/assign",
		fmt.Sprintf(`{"target_id": %q, "target_type": %q}`, target, kind))
	return &lab.Center{Number: e164}
}

// TestAPersonsOwnNumberRingsThemAndThenTakesAMessage: a call center of theirs, on duty or not, plays no part.
func TestAPersonsOwnNumberRingsThemAndThenTakesAMessage(t *testing.T) {
	h := newHall(t)
	h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", talks)
	own := h.number("+12125550001", ada.ID, "user")
	ada.Duty(false)
	webhook := h.webhook("hangup")
	c := h.caller(own)
	served := ada.next()
	c.hearsFrom(served, 850)
	served.Hangup()
	record := h.ended(c, route.Forwarded, "person")
	told := webhook.waits(t, "the call", func(e map[string]any) bool { return e["entry_point_call_id"] == nil })
	target, _ := told["target"].(map[string]any)
	if target["type"] != "user" || target["name"] != "Ada" || told["group_id"] != nil {
		t.Errorf("the call's target is %v, its group %v", target, told["group_id"])
	}
	shown := h.MustAPI("GET", fmt.Sprintf("/api/v2/call/%d", record.Call), "")
	wantText(t, "whom the caller called", shown.Body["target"].(map[string]any)["id"].(string), ada.ID)

	ada.now(declines)
	late := h.caller(own)
	late.hears("VM_UNAVAILABLE")
	late.leavesMessage()
	h.ended(late, route.Forwarded, "person")
	wantText(t, "whose box", h.messages()[0].Text("target_id"), ada.ID)
	if n := len(h.now().Centers); n != 1 {
		t.Errorf("%d call centers are shown, want only Support", n)
	}
}

func TestAnOfficesNumberLeadsToItsOldestCallCenter(t *testing.T) {
	h := newHall(t)
	first, second := h.Center("Support", routing("longestidle")), h.Center("Sales", routing("longestidle"))
	main := h.number("+12125550002", fmt.Sprint(h.Office), "office")
	ada, ben := h.desk("Ada", serves), h.desk("Ben", serves)
	first.Add(ada.Operator, 50)
	second.Add(ben.Operator, 50)
	h.ended(h.caller(main), route.Answered, "operator_hung_up")
	h.MustAPI("DELETE", "/api/v2/callcenters/"+first.ID, "")
	h.ended(h.caller(main), route.Answered, "operator_hung_up")
	wantText(t, "rung", rung(h.records(2), ada, ben), "Ada Ben")
}

// TestANumberIsUsedAgainAfterItsCallCenterWasDeleted: nobody gets through to it meanwhile.
func TestANumberIsUsedAgainAfterItsCallCenterWasDeleted(t *testing.T) {
	h := newHall(t)
	old, ada, talking := h.busyLine(`{}`)
	h.MustAPI("DELETE", "/api/v2/callcenters/"+old.ID, "")
	h.call(old, "refused_404").sipp.MustSucceed()
	fresh := h.Center("Sales", routing("longestidle"))
	h.MustAPI("POST", "/api/v2/numbers/"+old.Number+"/assign",
		fmt.Sprintf(`{"target_id": %q, "target_type": "callcenter"}`, fresh.ID))
	fresh.Add(ada.Operator, 50)
	c := h.caller(old)
	h.waiting(fresh, 1) // Ada talks on, for the center that is gone
	c.hears("HOLD_POSITION_1")
	talking.Hangup()
	c.hearsFrom(ada.next(), 850)
}

// TestTheLegOfAnOperatorIsFoundWhileItRingsAndTalks uses the id that a webhook is told.
func TestTheLegOfAnOperatorIsFoundWhileItRingsAndTalks(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", ringsOn)
	center.Add(ada.Operator, 50)
	webhook := h.webhook("ringing")
	c := h.caller(center)
	told := webhook.waits(t, "Ada's leg", func(e map[string]any) bool { return e["entry_point_call_id"] != nil })
	leg := fmt.Sprintf("/api/v2/call/%.0f", told["call_id"])
	shows := func(state string) {
		t.Helper()
		shown := h.MustAPI("GET", leg, "")
		wantText(t, "state", shown.Text("state"), state)
		wantText(t, "entry leg", shown.Text("entry_point_call_id"), fmt.Sprintf("%.0f", told["entry_point_call_id"]))
		wantText(t, "whose leg", shown.Body["target"].(map[string]any)["id"].(string), ada.ID)
	}
	ringing := ada.next()
	shows("ringing")
	ringing.Answer()
	c.hearsFrom(ringing, 850)
	shows("connected")
	h.MustAPI("PUT", leg+"/actions/hangup", "")
	for range 20 { // in the instant of its end, and after it
		if got := h.API("GET", leg, ""); got.Status != http.StatusOK {
			t.Fatalf("after hanging up: %d %s", got.Status, got.Raw)
		}
	}
	h.ended(c, route.Answered, "hangup_asked")
	shows("hangup")
}
