package interop

import (
	"fmt"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/test/lab"
)

const noHours = `{"hours_on": true, "sunday_hours": [], "monday_hours": [], "tuesday_hours": [], "wednesday_hours": [],
	"thursday_hours": [], "friday_hours": [], "saturday_hours": []}`

// everyDay opens each day of the week for one interval.
func everyDay(open, close string) string {
	hours := `{"hours_on": true`
	for day := time.Sunday; day <= time.Saturday; day++ {
		hours += fmt.Sprintf(`, %q: [%q, %q]`, []string{
			"sunday", "monday", "tuesday", "wednesday", "thursday", "friday",
			"saturday",
		}[day]+"_hours", open, close)
	}
	return hours + "}"
}

// closedAction is a PATCH of what callers get while the center is closed.
func closedAction(action string, tryOperators bool) string {
	return fmt.Sprintf(`{"routing_options": {"open": {"action": "message", "try_dial_operators": true},
		"closed": {"action": %q, "try_dial_operators": %t}}}`, action, tryOperators)
}

func TestHoursOnChoosesRoutingOptionsOpenOrClosed(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("fixedorder", serves)
	center.Patch(everyDay("00:00", "24:00"))
	h.ended(h.caller(center), route.Answered, "operator_hung_up")

	center.Patch(noHours)
	wantText(t, "availability", center.Status().Body["availability"].(map[string]any)["status"].(string), "closed")
	message := h.caller(center)
	h.ended(message, route.Message, "closed")
	message.hears("CLOSED")

	center.Patch(closedAction("disabled", false))
	disabled := h.caller(center)
	h.ended(disabled, route.Message, "disabled")
	disabled.hears("DISABLED")
	disabled.neverHeard("CLOSED", "MESSAGE")

	center.Patch(closedAction("voicemail", false))
	voicemail := h.caller(center)
	voicemail.hears("CLOSED")
	voicemail.hears("VM_UNAVAILABLE")
	voicemail.leavesMessage()
	h.ended(voicemail, route.Voicemail, "closed")

	center.Patch(closedAction("operator", false)) // tries them all the same
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	center.Patch(closedAction("message", true))
	h.ended(h.caller(center), route.Answered, "operator_hung_up")

	center.Patch(closedAction("message", false))
	center.Patch(`{"hours_on": false}`)
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	// The closed branch has its own strategy, longestidle.
	wantText(t, "rung", rung(h.records(7), desks...), "Ada Ben Cid Ada")
}

// weekdays are the names of the days as their keys begin, by time.Weekday.
var weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// onlyOn opens one day of the week, from midnight to midnight.
func onlyOn(day time.Weekday) string {
	hours := `{"hours_on": true`
	for i, name := range weekdays {
		interval := "[]"
		if time.Weekday(i) == day {
			interval = `["00:00", "24:00"]`
		}
		hours += fmt.Sprintf(", %q: %s", name+"_hours", interval)
	}
	return hours + "}"
}

// twoDays are two time zones in which it is not the same day now, nor about to become the next.
func twoDays() [2]string {
	if hour := time.Now().UTC().Hour(); hour >= 10 {
		return [2]string{"Etc/GMT+5", "Etc/GMT-14"} // today from 5 on, tomorrow until 14
	}
	return [2]string{"Etc/GMT-12", "Etc/GMT+12"} // today from 12 on, yesterday from 12 on
}

// TestMondayHoursToSundayHoursOpenTheirOwnDay opens one day of the week at a time: only today's lets callers in.
func TestMondayHoursToSundayHoursOpenTheirOwnDay(t *testing.T) {
	h := newHall(t)
	center, _ := h.office("fixedorder", serves)
	seen := map[time.Weekday]bool{}
	for _, zone := range twoDays() {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		today := time.Now().In(loc).Weekday()
		seen[today] = true
		center.Patch(fmt.Sprintf(`{"timezone": %q}`, zone))
		for day := range time.Saturday + 1 {
			want := "closed"
			if center.Patch(onlyOn(day)); day == today {
				want = "open"
				h.ended(h.caller(center), route.Answered, "operator_hung_up")
			}
			got := center.Status().Body["availability"].(map[string]any)["status"]
			wantText(t, fmt.Sprintf("on a %s, %s_hours alone make it", today, weekdays[day]), fmt.Sprint(got), want)
		}
		for _, other := range []time.Weekday{(today + 6) % 7, (today + 1) % 7} {
			center.Patch(onlyOn(other))
			h.ended(h.caller(center), route.Message, "closed")
		}
	}
	if len(seen) != 2 {
		t.Errorf("only %v was tried", seen)
	}
}

func TestTimezoneIsTheClockOfTheHours(t *testing.T) {
	h := newHall(t)
	center, _ := h.office("fixedorder", serves)
	// POSIX signs: Etc/GMT-12 is twelve hours ahead. One of the two is in its first half of the day, the other not.
	first, second := "Etc/GMT-12", "UTC"
	if time.Now().UTC().Hour() < 12 {
		first, second = second, first
	}
	center.Patch(everyDay("00:00", "12:00"))
	center.Patch(fmt.Sprintf(`{"timezone": %q}`, first))
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	center.Patch(fmt.Sprintf(`{"timezone": %q}`, second))
	h.ended(h.caller(center), route.Message, "closed")
}

func TestTryDialOperatorsOffBringsTheActionAtOnce(t *testing.T) {
	h := newHall(t)
	center, desks := h.office("fixedorder", serves)
	center.Patch(`{"routing_options": {"open": {"action": "disabled", "try_dial_operators": false},
		"closed": {"action": "message", "try_dial_operators": false}}}`)
	c := h.caller(center)
	h.ended(c, route.Message, "disabled")
	c.hears("DISABLED")
	center.Patch(`{"routing_options": {"open": {"action": "message", "try_dial_operators": false},
		"closed": {"action": "message", "try_dial_operators": false}}}`)
	h.ended(h.caller(center), route.Message, "not_dialled")
	center.Patch(fmt.Sprintf(`{"routing_options": {"open": {"action": "person", "try_dial_operators": false,
		"action_target_id": %q, "action_target_type": "user"},
		"closed": {"action": "message", "try_dial_operators": false}}}`, desks[0].ID))
	h.ended(h.caller(center), route.Forwarded, "person")
	wantText(t, "rung", rung(h.records(3), desks...), "Ada")
}

// closesSoon is the time zone of hours that end at the next full minute, at least eight seconds away, and these hours.
// The zone keeps midnight far.
func closesSoon() (zone, hours string) {
	now := time.Now().UTC().Add(8 * time.Second)
	at := now.Truncate(time.Minute).Add(time.Minute)
	zone, shift := "UTC", 0
	if at.Hour() < 2 || at.Hour() > 21 {
		zone, shift = "Etc/GMT-12", 12
	}
	return zone, everyDay("00:00", at.Add(time.Duration(shift)*time.Hour).Format("15:04"))
}

func TestStayInQueueAfterClosingDecidesAtClosingTime(t *testing.T) {
	h := newHall(t)
	leaving, ada, talking := h.busyLine(`{}`)
	staying := h.Center("Sales", routing("longestidle"))
	staying.Patch(`{"hold_queue": {"stay_in_queue_after_closing": true}}`)
	staying.Add(ada.Operator, 50)
	zone, hours := closesSoon()
	for _, center := range []*lab.Center{leaving, staying} {
		center.Patch(fmt.Sprintf(`{"timezone": %q}`, zone))
		center.Patch(hours)
	}
	leaves, stays := h.caller(leaving), h.caller(staying)
	h.ended(leaves, route.Message, "closing")
	leaves.hears("HOLD_INTERRUPT")
	leaves.hears("CLOSED")
	late := h.caller(staying)
	h.ended(late, route.Message, "closed")
	h.waiting(staying, 1)
	ada.now(serves)
	talking.Hangup()
	h.ended(stays, route.Answered, "operator_hung_up")
}
