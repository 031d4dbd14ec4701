package interop

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/internal/voice"
	"switchboard/test/lab"
)

// voiceSettings is a PATCH of voice_intelligence.
func voiceSettings(start, pause bool) string {
	return fmt.Sprintf(`{"voice_intelligence": {"auto_start": %t, "allow_pause": %t}}`, start, pause)
}

// conversation asks for the figures of a call.
func (h *hall) conversation(call string) lab.Answer {
	h.T.Helper()
	return h.API("GET", "/api/v2/x/calls/"+call+"/conversation", "")
}

// measured waits until the conversation of a call is in a state.
func (h *hall) measured(call, state string) lab.Answer {
	h.T.Helper()
	var got lab.Answer
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * frameTime) {
		if got = h.conversation(call); got.Status == 200 && got.Text("state") == state {
			return got
		}
	}
	h.T.Fatalf("the conversation is %d %s, want %s", got.Status, got.Raw, state)
	return got
}

// part is a built-in sentence after a silence.
type part struct {
	after  time.Duration
	prompt string
}

// speech is what one side says, in mu-law, from the answer on.
func speech(t *testing.T, parts ...part) []byte {
	t.Helper()
	var sound []byte
	for _, p := range parts {
		sound = append(sound, quiet(p.after)...)
		sentence, ok := audio.Prompt(p.prompt)
		if !ok {
			t.Fatalf("there is no prompt %s", p.prompt)
		}
		sound = append(sound, sentence...)
	}
	return sound
}

func quiet(length time.Duration) []byte {
	return bytes.Repeat([]byte{audio.ULawSilence}, int(length*audio.Rate/time.Second))
}

func lasts(sound []byte) time.Duration { return time.Duration(len(sound)) * time.Second / audio.Rate }

// figures measures what two sides say as if it came over a line without fault.
func figures(customer, operator []byte) voice.Report {
	var m voice.Meter
	length := max(len(customer), len(operator))
	for at := 0; at+frame <= length; at += frame {
		now := time.Duration(at) * time.Second / audio.Rate
		for leg, sound := range [][]byte{customer, operator} {
			if at+frame <= len(sound) {
				m.Frame(voice.Leg(leg), now, audio.DecodeAll(sound[at:at+frame], audio.ULaw))
			}
		}
		m.Tick(now)
	}
	m.End(time.Duration(length) * time.Second / audio.Rate)
	return m.Report()
}

// side is a number of one side of a conversation, in milliseconds where it is a time.
func side(t *testing.T, a lab.Answer, who, key string) int64 {
	t.Helper()
	object, _ := a.Body[who].(map[string]any)
	text, _ := object[key].(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s of %s is %v: %s", key, who, object[key], a.Raw)
	}
	return n
}

func share(a lab.Answer, who string) float64 {
	object, _ := a.Body[who].(map[string]any)
	part, _ := object["talk_share"].(float64)
	return part
}

// dials lets a phone in the telephone network call, and say something from the answer on.
func (h *hall) dials(to *lab.Center, sound []byte) *softphone.Call {
	h.T.Helper()
	c, err := h.station.Call("+14155550177", to.Number)
	if err != nil {
		h.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.T.Context(), patience)
	defer cancel()
	if _, ok := c.Wait(ctx, softphone.AnsweredEvent); !ok {
		h.T.Fatal("the call was never answered")
	}
	c.Say(sound)
	return c
}

// live is the call in which an operator is now.
func (h *hall) live(d *desk) string {
	h.T.Helper()
	return strconv.FormatInt(int64(h.stands(d, route.OnCall).Call), 10)
}

func TestAutoStartMeasuresAConversationFromTheAnswer(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	center.Patch(voiceSettings(true, false))
	asks := speech(t, part{time.Second, "MESSAGE"})
	answers := speech(t, part{lasts(asks) + 1500*time.Millisecond, "CLOSED"})
	asks = append(asks, speech(t, part{lasts(answers) - lasts(asks) + 7*time.Second, "NOT_FOUND"})...)
	ada := h.desk("Ada", func(_ context.Context, c *softphone.Call) {
		c.Answer()
		c.Say(answers)
	})
	center.Add(ada.Operator, 50)
	caller := h.dials(center, asks)
	call := h.live(ada)
	h.measured(call, "live")
	seen := func() bool {
		for _, talk := range h.now().Talks {
			if strconv.FormatInt(int64(talk.Call), 10) == call {
				return len(talk.Report.Turns) > 0 && talk.Report.Legs[voice.Customer].Talk > time.Second
			}
		}
		return false
	}
	for deadline := time.Now().Add(patience); !seen(); time.Sleep(5 * frameTime) {
		if time.Now().After(deadline) {
			t.Fatal("the page never shows the conversation")
		}
	}
	time.Sleep(lasts(asks)) // of which some has passed
	caller.Hangup()
	got, want := h.measured(call, "ended"), figures(asks, answers)
	wantShare, _ := want.Share(voice.Customer)
	if math.Abs(share(got, "customer")-wantShare) > 0.03 {
		t.Errorf("the customer's share is %.3f, want %.3f", share(got, "customer"), wantShare)
	}
	if off := side(t, got, "dead_air", "longest") - want.LongestDead.Milliseconds(); off < -500 || off > 500 {
		t.Errorf("the dead air is %d ms off %s", off, want.LongestDead)
	}
	if off := side(t, got, "response", "longest") - want.LongestResponse.Milliseconds(); off < -500 || off > 500 {
		t.Errorf("the response is %d ms off %s", off, want.LongestResponse)
	}
	for key, n := range map[string]int{"interruptions": 0, "overlap": 0, "missed": 0} {
		wantText(t, key, got.Text(key), strconv.Itoa(n))
	}
	for who, leg := range map[string]voice.Leg{"customer": voice.Customer, "operator": voice.Operator} {
		if turns := side(t, got, who, "turns"); turns != int64(want.Legs[leg].Turns) {
			t.Errorf("%d turns of the %s, want %d", turns, who, want.Legs[leg].Turns)
		}
	}
	averages := h.MustAPI("GET", "/api/v2/x/conversations/averages?target_type=user&target_id="+ada.ID, "")
	if n := side(t, averages, "target", "conversations"); n != 1 {
		t.Errorf("averaged over %d conversations", n)
	}
	h.stands(ada, route.Available)
	center.Patch(voiceSettings(false, true))
	caller = h.dials(center, asks)
	call = h.live(ada)
	time.Sleep(2 * time.Second)
	if a := h.conversation(call); a.Status != 404 {
		t.Errorf("nobody is to listen, and yet: %d %s", a.Status, a.Raw)
	}
	caller.Hangup()
	h.stands(ada, route.Available)
	if a := h.conversation(call); a.Status != 404 {
		t.Errorf("nobody was to listen, and yet: %d %s", a.Status, a.Raw)
	}
}

// toggles asks the API to pause, or to go on with, the voice analysis of a person's call.
func (h *hall) toggles(d *desk, on bool) lab.Answer {
	h.T.Helper()
	return h.API("PATCH", "/api/v2/users/"+d.ID+"/togglevi", fmt.Sprintf(`{"enable_vi": %t}`, on))
}

func TestAllowPauseLeavesAGapInTheConversation(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	center.Patch(voiceSettings(true, true))
	manner, notes := h.noting(func(_ context.Context, c *softphone.Call) { c.Answer() })
	ada := h.desk("Ada", manner)
	center.Add(ada.Operator, 50)
	chatter := speech(t, part{0, "MESSAGE"}, part{time.Second, "CLOSED"}, part{time.Second, "VM_FULL"},
		part{time.Second, "MESSAGE"}, part{time.Second, "CLOSED"})
	caller := h.dials(center, chatter)
	served, hears, call := ada.next(), <-notes, h.live(ada)
	h.measured(call, "live")
	time.Sleep(3 * time.Second)
	if a := h.toggles(ada, false); a.Status != 200 {
		t.Fatalf("pause: %d %s", a.Status, a.Raw)
	}
	h.measured(call, "paused")
	hears.hears("VOICE_PAUSED")
	time.Sleep(3 * time.Second)
	center.Patch(voiceSettings(true, false)) // what is paused may still go on
	served.Press('*')
	served.Press('3')
	h.measured(call, "live")
	hears.hears("VOICE_RESUMED")
	time.Sleep(3 * time.Second)
	if a := h.toggles(ada, false); a.Status != 409 {
		t.Errorf("a pause that is not allowed: %d %s", a.Status, a.Raw)
	}
	caller.Hangup()
	got := h.measured(call, "ended")
	gaps, _ := got.Body["gaps"].([]any)
	if len(gaps) != 1 {
		t.Fatalf("gaps: %s", got.Raw)
	}
	span := func(of any) (from, to int64) {
		object := lab.Answer{Body: of.(map[string]any)}
		from, _ = strconv.ParseInt(object.Text("start"), 10, 64)
		to, _ = strconv.ParseInt(object.Text("end"), 10, 64)
		return from, to
	}
	from, to := span(gaps[0])
	if to-from < 3000 || got.Text("paused") != strconv.FormatInt(to-from, 10) {
		t.Errorf("the gap is from %d to %d, and %s ms are paused", from, to, got.Text("paused"))
	}
	before, after := 0, 0
	for _, turn := range got.Body["timeline"].([]any) {
		switch start, end := span(turn); {
		case end <= from:
			before++
		case start >= to:
			after++
		default:
			t.Errorf("somebody spoke from %d to %d, in the gap", start, end)
		}
	}
	if before == 0 || after == 0 {
		t.Errorf("%d turns before the gap, %d after it", before, after)
	}
}
