package interop

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// recording is a PATCH of auto_call_recording.
func recording(inbound, outbound, pause bool) string {
	return fmt.Sprintf(`{"advanced_settings": {"auto_call_recording": {"call_recording_inbound": %t,
		"call_recording_outbound": %t, "allow_pause_recording": %t}}}`, inbound, outbound, pause)
}

// tapes waits until so many recordings are listed.
func (h *hall) tapes(n int) []lab.Answer {
	h.T.Helper()
	var list []lab.Answer
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * frameTime) {
		list = h.MustAPI("GET", "/api/v2/x/recordings", "").Items()
		if len(list) == n {
			return list
		}
	}
	h.T.Fatalf("%d recordings are listed, want %d", len(list), n)
	return nil
}

// sides are what caller and operator said, as the recording has it.
func (h *hall) sides(tape lab.Answer) (caller, operator []int16) {
	h.T.Helper()
	played := h.MustAPI("GET", "/api/v2/x/recordings/"+tape.Text("id")+"/audio", "")
	left, right, err := audio.ReadStereoWAV(played.Raw)
	if err != nil {
		h.T.Fatal(err)
	}
	if len(left.Samples) != len(right.Samples) {
		h.T.Errorf("%d samples on the left, %d on the right", len(left.Samples), len(right.Samples))
	}
	return left.Samples, right.Samples
}

// recorded waits until the recording of an operator's call is "on" or "paused".
func (h *hall) recorded(d *desk, state string) {
	h.T.Helper()
	h.Until("the recording of "+d.Name+"'s call is "+state, func(p lab.Picture) bool {
		for _, call := range p.Calls {
			if call.Operator == d.OperatorID() && call.Recording == state && !p.Ended[call.ID] {
				return true
			}
		}
		return false
	})
}

// talksTo is talks in a tone of one's own, taking down what is heard.
func (h *hall) talksTo(hz float64) (manner, <-chan earpiece) {
	return h.noting(func(_ context.Context, c *softphone.Call) {
		c.Answer()
		c.Loop(note(hz))
	})
}

func TestCallRecordingInboundTellsTheCallerAndKeepsBothSides(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	center.Patch(recording(true, false, true))
	answers, _ := h.talksTo(850)
	ada := h.desk("Ada", answers)
	center.Add(ada.Operator, 50)
	c := h.caller(center)
	served := ada.next() // rings while the notice is played
	c.hears("AUTO_RECORDING")
	c.hearsTone(850) // connected at the end of the notice, not before
	h.recorded(ada, "on")
	c.say(700, 2*time.Second)
	served.Hangup()
	h.ended(c, route.Answered, "operator_hung_up")
	tape := h.tapes(1)[0]
	for key, want := range map[string]string{
		"external_number": c.from, "target_id": center.ID, "user_id": ada.ID, "direction": "inbound",
	} {
		wantText(t, key, tape.Text(key), want)
	}
	caller, operator := h.sides(tape)
	if !lab.Hears(caller, 700) || lab.Hears(caller, 850) {
		t.Error("the left side is not what the caller said")
	}
	if !lab.Hears(operator, 850) || lab.Hears(operator, 700) {
		t.Error("the right side is not what the operator said")
	}
	listened := h.MustAPI("GET", "/api/v2/x/recordings/"+tape.Text("id")+"/accesses", "").Items()
	if len(listened) != 1 {
		t.Errorf("%d accesses are noted, want 1", len(listened))
	}

	center.Patch(recording(false, true, true))
	quiet := h.caller(center)
	served = ada.next()
	quiet.hearsTone(850)
	served.Hangup()
	h.ended(quiet, route.Answered, "operator_hung_up")
	quiet.neverHeard("AUTO_RECORDING")
	h.tapes(1)
}

func TestCallRecordingOutboundTellsWhoIsCalled(t *testing.T) {
	h := newHall(t)
	h.callsOut()
	center := h.Center("Support", routing("longestidle"))
	ada := h.desk("Ada", talks)
	center.Add(ada.Operator, 50)
	number := "+12125550177"
	picksUp, notes := h.talksTo(600)
	home := h.outside(number, picksUp)
	call := fmt.Sprintf(`{"phone_number": %q, "user_id": %q, "group_id": %q, "group_type": "callcenter"}`,
		number, ada.ID, center.ID)
	for i, outbound := range []bool{true, false} {
		center.Patch(recording(!outbound, outbound, true))
		h.MustAPI("POST", "/api/v2/call", call)
		ada.next()
		far := home.next()
		wantText(t, "the caller id shown", far.From, center.Number)
		heard := <-notes
		heard.hearsTone(440)
		if told := contains(t, heard.heard(), "AUTO_RECORDING"); told != outbound {
			t.Errorf("recording of outbound calls %t: who was called heard the notice: %t", outbound, told)
		}
		time.Sleep(1500 * time.Millisecond) // something to keep
		far.Hangup()
		h.stands(ada, route.Available)
		if i == 0 {
			tape := h.tapes(1)[0]
			wantText(t, "direction", tape.Text("direction"), "outbound")
			if caller, _ := h.sides(tape); !lab.Hears(caller, 600) {
				t.Error("the left side is not what was said outside")
			}
		}
	}
	h.tapes(1)
}

// pause asks the API to pause, or to go on with, the recording of a person's call.
func (h *hall) pause(d *desk, on bool) lab.Answer {
	h.T.Helper()
	return h.API("PATCH", "/api/v2/users/"+d.ID+"/activecall", fmt.Sprintf(`{"is_recording": %t}`, !on))
}

func TestAllowPauseRecordingLeavesOutWhatIsSaidMeanwhile(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	center.Patch(recording(true, false, true))
	answers, notes := h.talksTo(850)
	ada := h.desk("Ada", answers)
	center.Add(ada.Operator, 50)
	c := h.caller(center)
	served, at := ada.next(), <-notes
	c.hearsTone(850)
	h.recorded(ada, "on")
	c.say(700, 2*time.Second)
	if a := h.pause(ada, true); a.Status != 200 {
		t.Fatalf("pause: %d %s", a.Status, a.Raw)
	}
	h.recorded(ada, "paused")
	at.hears("RECORDING_PAUSED")
	c.say(1500, 2*time.Second) // a card number
	c.dials("4111")
	center.Patch(recording(true, false, false)) // what is paused may still go on
	served.Press('*')
	served.Press('2')
	h.recorded(ada, "on")
	at.hears("RECORDING_RESUMED")
	c.say(1100, 2*time.Second)
	if a := h.pause(ada, true); a.Status != 409 {
		t.Errorf("a pause that is not allowed: %d %s", a.Status, a.Raw)
	}
	served.Hangup()
	call := h.ended(c, route.Answered, "operator_hung_up")
	for _, step := range call.Path {
		if strings.Contains(step.Text, "4111") || strings.Contains(step.Text, "Pressed") {
			t.Errorf("the path tells what was typed: %s", step.Text)
		}
	}
	caller, operator := h.sides(h.tapes(1)[0])
	for hz, kept := range map[float64]bool{700: true, 1500: false, 1100: true} {
		if lab.Hears(caller, hz) != kept {
			t.Errorf("%.0f Hz is in the recording: %t", hz, !kept)
		}
	}
	if !lab.Hears(operator, 850) {
		t.Error("the right side is not what the operator said")
	}
}
