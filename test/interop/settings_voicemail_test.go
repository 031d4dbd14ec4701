package interop

import (
	"fmt"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/route"
	"switchboard/test/lab"
)

// messages lists the voicemails, as the API has them.
func (h *hall) messages() []lab.Answer {
	h.T.Helper()
	return h.MustAPI("GET", "/api/v2/x/voicemails", "").Items()
}

// playback is the audio of a voicemail through the API.
func (h *hall) playback(message lab.Answer) []int16 {
	h.T.Helper()
	played := h.MustAPI("GET", "/api/v2/x/voicemails/"+message.Text("id")+"/audio", "")
	wantText(h.T, "media type", played.Header.Get("Content-Type"), "audio/wav")
	sound, err := audio.ReadWAV(played.Raw)
	if err != nil || sound.Rate != audio.Rate {
		h.T.Fatalf("the recording: %d Hz, %v", sound.Rate, err)
	}
	return sound.Samples
}

func TestActionVoicemailKeepsWhatTheCallerSaid(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", `{}`) // nobody is on duty
	c := h.caller(center)
	c.hears("VM_UNAVAILABLE")
	c.leavesMessage()
	h.ended(c, route.Voicemail, "no_operators")
	list := h.messages()
	if len(list) != 1 {
		t.Fatalf("%d voicemails, want 1", len(list))
	}
	for key, want := range map[string]string{
		"external_number": c.from, "target_id": center.ID, "target_type": "callcenter", "reason": "no_operators",
	} {
		wantText(t, key, list[0].Text(key), want)
	}
	said := h.playback(list[0])
	middle := said[len(said)/4 : 3*len(said)/4]
	if !isTone(middle, 700) {
		t.Errorf("of %.0f RMS heard in the recording, %.0f is the caller's tone", audio.RMS(middle),
			audio.ToneRMS(middle, 700))
	}
	if length := time.Duration(len(said)) * time.Second / audio.Rate; length < 2*time.Second || length > 20*time.Second {
		t.Errorf("the recording of 3 s of speech is %s long", length)
	}
}

func TestVoicemailEndsWithHangingUp(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", `{}`)
	c := h.briefCaller(center, 14*time.Second) // the greeting and the beep take 9.2 s of it
	c.hears("BEEP")
	c.say(1200, 8*time.Second)
	h.ended(c, route.Voicemail, "no_operators")
	list := h.messages()
	if len(list) != 1 {
		t.Fatalf("%d voicemails, want 1", len(list))
	}
	said := h.playback(list[0])
	if middle := said[len(said)/4 : 3*len(said)/4]; !isTone(middle, 1200) {
		t.Error("the recording has not what the caller said")
	}
}

func TestVoicemailOfLessThanTwoSecondsIsDiscarded(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", `{}`)
	c := h.caller(center)
	c.hears("BEEP")
	c.say(700, time.Second/2)
	c.press('#')
	h.ended(c, route.Abandoned, "no_message")
	if list := h.messages(); len(list) != 0 {
		t.Errorf("%d voicemails are listed, want none", len(list))
	}
}

func TestCCServiceLevelSecondsIsTheTargetOfTheLevelThatIsShown(t *testing.T) {
	h := newHall(t)
	center, ada, talking := h.busyLine(`{"alerts": {"cc_service_level": 80, "cc_service_level_seconds": 1}}`)
	slow := h.caller(center)
	h.waiting(center, 1)
	h.Until("the goal is shown", func(p lab.Picture) bool {
		goal := p.Center(center).Goal
		return goal.ServiceLevelPercent == 80 && goal.ServiceLevelSeconds == 1
	})
	time.Sleep(1100 * time.Millisecond)
	ada.now(serves)
	talking.Hangup()
	h.ended(slow, route.Answered, "operator_hung_up")
	h.Until("one of two was answered within 1 s", func(p lab.Picture) bool { return p.Center(center).ServiceLevel == 50 })
	center.Patch(`{"alerts": {"cc_service_level_seconds": 60}}`) // the window is kept and judged anew
	h.Until("both were answered within 60 s", func(p lab.Picture) bool { return p.Center(center).ServiceLevel == 100 })
}

func TestNameAndGroupDescriptionAreInTheNextEvent(t *testing.T) {
	h := newHall(t)
	center, _ := h.office("fixedorder", serves)
	webhook := h.webhook("hangup")
	h.ended(h.caller(center), route.Answered, "operator_hung_up")
	before := webhook.waits(t, "the first call", func(e map[string]any) bool { return e["entry_point_call_id"] == nil })
	wantText(t, "a webhook's target", fmt.Sprint(before["target"].(map[string]any)["name"]), "Support")
	center.Patch(`{"name": "Kundendienst", "group_description": "answers in German"}`)
	h.Until("the live page has the new name and description", func(p lab.Picture) bool {
		return p.Center(center).Name == "Kundendienst" && p.Center(center).Description == "answers in German"
	})
	c := h.caller(center)
	h.Until("a caller's path has the new name", func(p lab.Picture) bool {
		for _, call := range p.Records { // of ended ones, since a short call may end before it is drawn
			if len(call.Path) > 0 && call.Path[0].Text == "Arrived at Kundendienst, open" {
				return true
			}
		}
		return false
	})
	h.ended(c, route.Answered, "operator_hung_up")
	after := webhook.waits(t, "the second call", func(e map[string]any) bool {
		return e["entry_point_call_id"] == nil && e["call_id"] != before["call_id"]
	})
	wantText(t, "a webhook's target", fmt.Sprint(after["target"].(map[string]any)["name"]), "Kundendienst")
	got := h.MustAPI("GET", "/api/v2/callcenters/"+center.ID, "")
	wantText(t, "group_description", got.Text("group_description"), "answers in German")
}
