package interop

import (
	"os"
	"testing"

	"switchboard/internal/audio"
	"switchboard/internal/route"
)

// toneMP3 is two seconds of 600 Hz in stereo, at 44,100 Hz.
const toneMP3, toneOfMP3 = "../../internal/media/testdata/tone.mp3", 600

// tones are three seconds each, as an upload.
func tones(hz float64) []int16 { return audio.Sine(3*audio.Rate, voiceLevel, hz) }

func TestUploadedGreetingAndMusicAreHeard(t *testing.T) {
	h := newHall(t)
	center, _, _ := h.busyLine(`{"hold_queue": {"announce_position": false}}`)
	h.upload(center, "GREETING", audio.Sine(3*audio.Rate, voiceLevel, 523))
	h.upload(center, "HOLD_MUSIC", audio.Sine(3*audio.Rate, voiceLevel, 659))
	c := h.caller(center)
	c.hearsTone(523)
	c.hears("HOLD_INTRO")
	c.hearsTone(659)
}

// TestUploadsForClosedHoursAreHeard has one of them as MP3, the others as WAV. Menu and voicemail of the time that the
// center is open stay as they are.
func TestUploadsForClosedHoursAreHeard(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	file, err := os.ReadFile(toneMP3)
	if err != nil {
		t.Fatal(err)
	}
	h.uploadFile(center, "CLOSED_MENU", file)
	h.upload(center, "CLOSED_MENU_OPTION", tones(783))
	h.upload(center, "VM_UNAVAILABLE_CLOSED", tones(987))
	const choose = `{"action": "menu", "try_dial_operators": false, "dtmf": [
		{"input": "1", "options": {"action": "voicemail"}}]}`
	center.Patch(`{"routing_options": {"open": ` + choose + `, "closed": ` + choose + `}}`)
	open := h.caller(center)
	open.hearsPartOf("MENU")

	center.Patch(noHours)
	c := h.caller(center)
	c.hearsTone(toneOfMP3)
	c.press('5')
	c.hearsTone(783)
	c.hearsTone(toneOfMP3)
	c.press('1')
	c.hearsTone(987)
	c.leavesMessage()
	h.ended(c, route.Voicemail, "menu")
	c.neverHeard("MENU", "MENU_OPTION", "VM_UNAVAILABLE")
}

// TestUploadsAboutACallbackAreHeard goes through the questions, and is called back.
func TestUploadsAboutACallbackAreHeard(t *testing.T) {
	h := newHall(t)
	h.callsOut()
	center, ada, talking := h.busyLine(callbacks(0))
	h.upload(center, "HOLD_CALLBACK_CONFIRM_NUMBER", tones(523))
	h.upload(center, "HOLD_CALLBACK_SAME_NUMBER", tones(587))
	h.upload(center, "HOLD_CALLBACK_DIFFERENT_NUMBER", tones(659))
	h.upload(center, "HOLD_CALLBACK_INVALID_NUMBER", tones(698))
	h.upload(center, "HOLD_CALLBACK_FULFILLED", tones(783))
	h.upload(center, "HOLD_CALLBACK_ACCEPTED", tones(880))
	c := h.caller(center)
	home := h.outside(c.from, ringsOn)
	c.hears("HOLD_CALLBACK")
	c.hears("PRESS_9")
	c.press('9')
	c.hearsTone(523)
	c.hears("SAY_PLUS") // of the number, which is spelled as before
	c.hearsTone(587)
	c.hearsTone(659)
	c.press('2')
	c.hearsPartOf("HOLD_CALLBACK_TYPE")
	c.dials("12#")
	c.hearsTone(698)
	c.forget()
	c.hearsPartOf("HOLD_CALLBACK_TYPE")
	c.dials(c.from[1:] + "#")
	c.hearsTone(523)
	c.press('1')
	h.ended(c, route.CallbackRequested, "callback")
	c.neverHeard("HOLD_CALLBACK_NUMBER", "HOLD_CALLBACK_CHOICE")

	listens, notes := h.noting(talks)
	ada.now(listens)
	talking.Hangup()
	ada.next()
	far := home.next()
	(<-notes).hearsTone(880)
	ear := h.listens(far)
	far.Answer()
	ear.hearsTone(783)
	h.talkAsCallback()
	far.Hangup()
	wantText(t, "the callback ended as", string(h.calledBack(c.from).Outcome), string(route.Answered))
}

// TestUploadsOfACallThatIsHandedOnAreHeard: the center that the caller leaves says so, the one they come to greets.
func TestUploadsOfACallThatIsHandedOnAreHeard(t *testing.T) {
	h := newHall(t)
	sales, _, _ := h.busyLine(`{"hold_queue": {"announce_position": false, "announcement_interval_seconds": 10}}`)
	desk := h.Center("Desk", routing("longestidle"))
	bob := h.desk("Bob", declines)
	h.upload(desk, "NEXT_TARGET", tones(523))
	h.upload(desk, "ASK_FIRST_OPERATOR_NOT_AVAILABLE", tones(587))
	h.upload(sales, "DEPARTMENT_INTRO", tones(659))
	h.upload(sales, "HOLD_WAIT", tones(783))
	desk.Patch(menu("1 department "+sales.ID+" callcenter", "2 person "+bob.ID+" user"))
	c := h.caller(desk)
	c.hearsPartOf("MENU")
	c.press('1')
	c.hearsTone(523)
	c.hearsTone(659)
	c.hears("HOLD_INTRO")
	c.hearsTone(783)

	away := h.caller(desk)
	away.hearsPartOf("MENU")
	away.press('2')
	away.hearsTone(587)
	away.hearsPartOf("VM_UNAVAILABLE")
}
