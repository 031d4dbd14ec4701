package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/test/lab"
)

// extras changes what a call center can be told beyond its settings.
func (h *hall) extras(center *lab.Center, patch string) {
	h.T.Helper()
	h.MustAPI("PATCH", "/api/v2/x/callcenters/"+center.ID+"/extras", patch)
}

func TestAlertsCCServiceLevelIsTheGoalBelowWhichOneIsRaised(t *testing.T) {
	h := newHall(t)
	center, _, talking := h.busyLine(`{"alerts": {"cc_service_level": 80, "cc_service_level_seconds": 1}}`)
	h.extras(center, `{"alert_min_calls": 2}`)
	began := time.Now()
	h.caller(center)
	h.waiting(center, 1) // one of two is not answered in time, at two evaluations half a minute apart
	raised := func(p lab.Picture) bool { return p.Center(center).Alert.Text != "" }
	for time.Since(began) < 25*time.Second {
		if raised(h.Now()) {
			t.Fatalf("an alert after %s; it takes 30 s", time.Since(began))
		}
		time.Sleep(time.Second)
	}
	h.untilLong("an alert is raised", raised)
	want := "Support answered 50 % of the last 2 calls within 1 s; goal 80 %"
	wantText(t, "the alert", h.Now().Center(center).Alert.Text, want)
	h.Until("supervisors are told", func(p lab.Picture) bool {
		for _, n := range p.Notices {
			if n.Alert == route.AlertRaised && n.Text == want && n.Level == "warning" {
				return true
			}
		}
		return false
	})
	// Switched off, it is over.
	center.Patch(`{"alerts": {"cc_service_level": 0}}`)
	h.Until("the alert is cleared", func(p lab.Picture) bool {
		cleared := false
		for _, n := range p.Notices {
			cleared = cleared || n.Alert == route.AlertCleared && strings.Contains(n.Text, "switched off")
		}
		return cleared && !raised(p)
	})
	talking.Hangup()
}

// untilLong is Until for what takes longer than the lab waits.
func (h *hall) untilLong(what string, holds func(lab.Picture) bool) {
	h.T.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * frameTime) {
		if holds(h.Now()) {
			return
		}
	}
	h.lost("until " + what)
}

func TestMaxWrapUpSecondsIsExtendedOnceAndEndedEarly(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	center.Patch(`{"advanced_settings": {"max_wrap_up_seconds": 60}}`)
	ada := h.desk("Ada", serves)
	center.Add(ada.Operator, 50)
	wrapUp := func(action string) int {
		return h.API("PATCH", "/api/v2/x/users/"+ada.ID+"/wrapup", fmt.Sprintf(`{"action": %q}`, action)).Status
	}
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	h.stands(ada, route.WrapUp)
	if got := wrapUp("extend"); got != 409 {
		t.Errorf("more time where none is granted: %d", got)
	}
	if got := wrapUp("end"); got != 200 {
		t.Errorf("ending the wrap-up: %d", got)
	}
	h.stands(ada, route.Available)

	h.extras(center, `{"wrap_up_extension_seconds": 30}`)
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	before := h.stands(ada, route.WrapUp)
	if got := wrapUp("extend"); got != 200 {
		t.Errorf("more time: %d", got)
	}
	if more := h.stands(ada, route.WrapUp).Until.Sub(before.Until); more != 30*time.Second {
		t.Errorf("the wrap-up became %s longer, want 30s", more)
	}
	if got := wrapUp("extend"); got != 409 {
		t.Errorf("more time for the second time: %d", got)
	}
	waiting := h.caller(center)
	h.waiting(center, 1)
	if got := wrapUp("end"); got != 200 {
		t.Errorf("ending the wrap-up: %d", got)
	}
	h.ended(waiting, route.Answered, "operator_hung_up") // rung at once
}

func TestHolidayHasHoursOfItsOwn(t *testing.T) {
	h := newHall(t)
	center, _ := h.office("fixedorder", serves)
	today := time.Now().UTC()
	// From yesterday to tomorrow: midnight must not end the test.
	made := h.MustAPI("POST", "/api/v2/x/callcenters/"+center.ID+"/holidays", fmt.Sprintf(
		`{"name": "Founders' Day", "start_date": %q, "end_date": %q, "hours": []}`,
		today.AddDate(0, 0, -1).Format(time.DateOnly), today.AddDate(0, 0, 1).Format(time.DateOnly)))
	availability := func() map[string]any { return center.Status().Body["availability"].(map[string]any) }
	wantText(t, "status", availability()["status"].(string), "holiday_closed")
	wantText(t, "name", availability()["name"].(string), "Founders' Day")
	closed := h.caller(center)
	h.ended(closed, route.Message, "closed")
	closed.hears("CLOSED")

	holiday := "/api/v2/x/callcenters/" + center.ID + "/holidays/" + made.Text("id")
	h.MustAPI("PATCH", holiday, `{"hours": ["00:00", "24:00"]}`)
	center.Patch(noHours) // a holiday goes before the week
	wantText(t, "status", availability()["status"].(string), "holiday_open")
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	h.MustAPI("DELETE", holiday, "")
	wantText(t, "status", availability()["status"].(string), "closed")
}
