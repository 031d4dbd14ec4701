package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// openBranch is a PATCH of the open branch; the closed one takes a message.
func openBranch(branch string) string {
	return `{"routing_options": {"open": ` + branch +
		`, "closed": {"action": "message", "try_dial_operators": false}}}`
}

// opens sets the action that every caller gets at once, and whom it leads to.
func opens(center *lab.Center, action, target, kind string) {
	whom := ""
	if target != "" {
		whom = fmt.Sprintf(`, "action_target_id": %q, "action_target_type": %q`, target, kind)
	}
	center.Patch(openBranch(fmt.Sprintf(`{"action": %q, "try_dial_operators": false%s}`, action, whom)))
}

// menu is a PATCH that lets callers choose: each key as "1 voicemail", or "2 person ID user".
func menu(keys ...string) string {
	var list []string
	for _, key := range keys {
		parts := strings.Fields(key)
		whom := ""
		if len(parts) == 4 {
			whom = fmt.Sprintf(`, "action_target_id": %q, "action_target_type": %q`, parts[2], parts[3])
		}
		list = append(list, fmt.Sprintf(`{"input": %q, "options": {"action": %q%s}}`, parts[0], parts[1], whom))
	}
	return openBranch(`{"action": "menu", "try_dial_operators": false, "dtmf": [` + strings.Join(list, ", ") + `]}`)
}

// dials presses one key after the other.
func (e *ear) dials(keys string) {
	for _, key := range []byte(keys) {
		e.press(key)
	}
}

// passes waits until a rule is on the path of a caller's call.
func (h *hall) passes(c *caller, rule string) {
	h.T.Helper()
	h.walks(c, rule, func(step route.PathStep) bool { return step.Rule == rule })
}

// reads waits until a sentence is on the path of a caller's call.
func (h *hall) reads(c *caller, text string) {
	h.T.Helper()
	h.walks(c, text, func(step route.PathStep) bool { return step.Text == text })
}

func (h *hall) walks(c *caller, what string, is func(route.PathStep) bool) {
	h.T.Helper()
	h.Until(c.from+" passes "+what, func(p lab.Picture) bool {
		for _, call := range p.Calls {
			if call.From == c.from && slices.ContainsFunc(call.Path, is) {
				return true
			}
		}
		return false
	})
}

func TestActionMenuDTMFKeysDoWhatTheySayAndInterruptThePrompt(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", talks)
	center.Add(ada.Operator, 50)
	center.Patch(menu("1 operator", "2 message", "3 voicemail", "4 disabled"))

	one := h.caller(center)
	one.hearsPartOf("MENU")
	one.press('1')
	served := ada.next()
	one.hearsFrom(served, 850)
	one.neverHeard("MENU") // the key cut it
	served.Hangup()
	h.ended(one, route.Answered, "operator_hung_up")

	two := h.caller(center)
	two.hears("MENU")
	two.press('9')
	two.hears("MENU_OPTION") // and the menu once more
	two.press('4')           // switched off: as one that means nothing
	h.passes(two, "menu")
	two.press('2')
	two.hears("MESSAGE")
	h.ended(two, route.Message, "menu")

	three := h.caller(center)
	three.hearsPartOf("MENU")
	center.Patch(menu("3 message")) // who is in the menu has the one that they heard
	three.press('3')
	three.leavesMessage()
	h.ended(three, route.Voicemail, "menu")
	four := h.caller(center)
	four.hearsPartOf("MENU")
	four.press('3')
	h.ended(four, route.Message, "menu")
}

func TestActionMenuAsksThreeTimesThenTakesAMessage(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	center.Patch(menu("1 message"))
	c := h.caller(center)
	for range 3 {
		c.hears("MENU")
		c.forget()
	}
	c.leavesMessage()
	h.ended(c, route.Voicemail, "no_choice")
	if first := h.messages()[0]; first.Text("target_id") != center.ID {
		t.Errorf("the message is in the box of %s, want that of the call center %s", first.Text("target_id"), center.ID)
	}
	left := h.briefCaller(center, 0)
	h.ended(left, route.Abandoned, "menu")
}

func TestActionPersonRingsAllTheirPhonesThenTakesAMessage(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", talks)
	second := make(chan *softphone.Call, 1)
	ada.Phone(h.station, func(c *softphone.Call) { second <- c })
	opens(center, "person", ada.ID, "user")
	one := h.caller(center)
	served := ada.next()
	<-second // it rang as well
	one.hearsFrom(served, 850)
	served.Hangup()
	h.ended(one, route.Forwarded, "person")

	ada.now(declines)
	go func() { (<-second).Decline(486) }()
	two := h.caller(center)
	two.hears("VM_UNAVAILABLE")
	two.leavesMessage()
	h.ended(two, route.Forwarded, "person")
	wantText(t, "whose box", h.messages()[0].Text("target_id"), ada.ID)
	if on, _ := h.duty(ada); !on {
		t.Error("a caller who asked for Ada herself took her off duty")
	}
}

func TestActionDepartmentAndBridgeTargetGiveTheWholeFlowOfTheOtherCenter(t *testing.T) {
	h := newHall(t)
	support := h.Center("Support", routing("longestidle"))
	sales, ada, talking := h.busyLine(`{}`)
	for _, action := range []string{"department", "bridge_target"} {
		opens(support, action, sales.ID, "callcenter")
		c := h.caller(support)
		h.waiting(sales, 1)
		c.hears("HOLD_INTRO")
		c.hears("HOLD_POSITION_1")
		talking.Hangup()
		talking = ada.next()
		c.hearsFrom(talking, 850)
		legs := h.entries(c) // the second leg goes on
		if len(legs) != 1 || legs[0].Outcome != route.Forwarded || legs[0].Reason != action ||
			legs[0].Center != support.CenterID() {
			t.Errorf("%s: %d entry legs have ended, the first as %s, %s", action, len(legs), legs[0].Outcome, legs[0].Reason)
		}
	}
	talking.Hangup()
	// bridge_target may also name a person.
	opens(support, "bridge_target", ada.ID, "user")
	c := h.caller(support)
	served := ada.next()
	c.hearsFrom(served, 1000)
	served.Hangup()
	h.ended(c, route.Forwarded, "bridge_target")
}

// entries are the records of a caller's visit so far, in order.
func (h *hall) entries(c *caller) []route.CallRecord {
	h.T.Helper()
	h.record(c)
	list, err := h.App.Store().Calls(h.T.Context(), 1000, time.Time{})
	if err != nil {
		h.T.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(r route.CallRecord) bool { return r.From != c.from })
	slices.SortFunc(list, func(a, b route.CallRecord) int { return a.Arrived.Compare(b.Arrived) })
	return list
}

// names gives a person a first and a last name, and an extension.
func (h *hall) names(d *desk, first, last, extension string) {
	h.T.Helper()
	h.MustAPI("PATCH", "/api/v2/users/"+d.ID,
		fmt.Sprintf(`{"first_name": %q, "last_name": %q, "extension": %q}`, first, last, extension))
}

func TestActionDirectoryFindsPeopleOfTheCenterByTheirNames(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada, ben, cid := h.desk("Ada", talks), h.desk("Ben", talks), h.desk("Cid", talks)
	h.names(ada, "Ada", "Lovelace", "101")
	h.names(ben, "Ben", "Lovell", "102")
	h.names(cid, "Cid", "Kay", "103") // not of the center
	center.Add(ada.Operator, 50)
	center.Add(ben.Operator, 50)

	opens(center, "directory", "", "")
	one := h.caller(center)
	one.hearsPartOf("DIRECTORY")
	one.dials("529#") // Kay
	one.hears("NOT_FOUND")
	one.dials("56835#") // Lovel: both
	one.hears("DIRECTORY_FOR")
	one.hears("PRESS_2")
	one.press('2')
	served := ben.next()
	one.hearsFrom(served, 850)
	served.Hangup()
	h.ended(one, route.Forwarded, "directory")

	opens(center, "company_directory", "", "")
	two := h.caller(center)
	two.hearsPartOf("DIRECTORY")
	two.dials("529") // and waits
	served = cid.next()
	two.hearsFrom(served, 850)
	served.Hangup()
	h.ended(two, route.Forwarded, "directory")
}

func TestActionExtensionRingsWhoeverHasIt(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", talks)
	h.names(ada, "Ada", "Lovelace", "101")
	opens(center, "extension", "", "")
	c := h.caller(center)
	c.hearsPartOf("EXTENSION")
	c.dials("999#")
	c.hears("NOT_FOUND")
	c.dials("101#")
	served := ada.next()
	c.hearsFrom(served, 850)
	served.Hangup()
	h.ended(c, route.Forwarded, "extension")
}

func TestActionTargetIDIsWhoseBoxTheVoicemailIsIn(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", talks)
	opens(center, "voicemail", ada.ID, "user")
	c := h.caller(center)
	c.leavesMessage()
	h.ended(c, route.Voicemail, "not_dialled")
	wantText(t, "whose box", h.messages()[0].Text("target_id"), ada.ID)
	// Who is gone has no box: it is the center's.
	h.MustAPI("DELETE", "/api/v2/users/"+ada.ID, "")
	late := h.caller(center)
	late.leavesMessage()
	h.ended(late, route.Voicemail, "not_dialled")
	wantText(t, "the last message is in the box of", h.messages()[1].Text("target_id"), center.ID)
}
