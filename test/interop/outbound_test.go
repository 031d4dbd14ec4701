package interop

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// An operator has a number called over a trunk: their phone rings first, the number sees the call center's own, both
// hear each other, and the recording has the number left, the operator right, and silence where it was paused.
func TestAnOperatorCallsANumberOverATrunk(t *testing.T) {
	t.Parallel()
	company := lab.Serve(t, t.TempDir()).Company()
	station := company.Station()
	company.MustAPI("POST", "/api/v2/x/trunks",
		fmt.Sprintf(`{"name": "out", "addresses": ["127.0.0.0/8"], "outbound": "sip:%s"}`, station.Addr()))
	center := company.Center("Support", `{"advanced_settings": {"auto_call_recording": {
		"call_recording_outbound": true, "allow_pause_recording": true}}}`)
	ada := company.Operator("Ada")
	center.Add(ada, 50)
	ada.StaticPhone("ada", station.Addr())
	const number = "+12025550177"
	rung, called := make(chan *softphone.Call, 1), make(chan *softphone.Call, 1)
	station.Static("ada", func(c *softphone.Call) { c.Answer(); rung <- c })
	station.Static(number, func(c *softphone.Call) { c.Answer(); called <- c })

	body := `{"phone_number": %q, "user_id": %s, "group_id": %s, "group_type": "callcenter"}`
	for _, forbidden := range []string{"+442055500177", "+18765550177", "+19005550177", "+12029765501", "+1911"} {
		refused := company.API("POST", "/api/v2/call", fmt.Sprintf(body, forbidden, ada.ID, center.ID))
		if refused.Status != http.StatusBadRequest {
			t.Errorf("a call to %s: %d %s", forbidden, refused.Status, refused.Raw)
		}
	}
	company.MustAPI("POST", "/api/v2/call", fmt.Sprintf(body, number, ada.ID, center.ID))
	operator, far := <-rung, <-called
	if far.From != center.Number {
		t.Errorf("the number sees %q, want %s", far.From, center.Number)
	}
	active := "/api/v2/users/" + ada.ID + "/activecall"
	eventually(t, "the end of the notice", func() bool {
		return company.API("PATCH", active, `{"is_recording": true}`).Status == http.StatusOK
	})
	operator.Say(fiveSecondsOf(1000))
	far.Say(fiveSecondsOf(400))
	time.Sleep(time.Second)
	for _, recorded := range []bool{false, true} {
		company.MustAPI("PATCH", active, fmt.Sprintf(`{"is_recording": %t}`, recorded))
		time.Sleep(time.Second)
	}
	far.Hangup()
	wait(t, operator, softphone.EndedEvent, bound)

	var file lab.Answer
	eventually(t, "the recording", func() bool {
		list := company.MustAPI("GET", "/api/v2/x/recordings", "").Items()
		if len(list) != 1 || list[0].Text("direction") != "outbound" {
			return false
		}
		file = company.API("GET", "/api/v2/x/recordings/"+list[0].Text("id")+"/audio", "")
		return file.Status == http.StatusOK
	})
	left, right, err := audio.ReadStereoWAV(file.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for side, hz := range map[*audio.Sound]float64{&left: 400, &right: 1000} {
		if got := toneLevel(side.Samples, hz); got < 0.5*audio.RMS(side.Samples) {
			t.Errorf("%g Hz are %.0f of %.0f RMS", hz, got, audio.RMS(side.Samples))
		}
		if pause := longestSilence(audio.Trim(side.Samples, 0)); pause < 800*time.Millisecond {
			t.Errorf("the longest silence is %s, want the second of the pause", pause)
		}
	}
}

// toneLevel is the level of a tone in a recording, taken piece by piece: a pause leaves out any number of samples, and
// behind it the tone goes on out of step with itself.
func toneLevel(samples []int16, hz float64) float64 {
	const piece = audio.Rate / 20
	power, pieces := 0.0, 0
	for at := 0; at+piece <= len(samples); at += piece {
		level := audio.ToneRMS(samples[at:at+piece], hz)
		power, pieces = power+level*level, pieces+1
	}
	return math.Sqrt(power / float64(max(pieces, 1)))
}

func longestSilence(samples []int16) time.Duration {
	longest, run := 0, 0
	for _, s := range samples {
		if run++; s != 0 {
			run = 0
		}
		longest = max(longest, run)
	}
	return time.Duration(longest) * time.Second / audio.Rate
}

// A callback that was answered with 200 is on disk then, not a moment later.
func TestABookedCallbackIsOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	company := lab.Serve(t, dir).Company()
	center := company.Center("Support", `{"hold_queue": {"allow_queue_callback": true}}`)
	db := open(t, dir)
	const booked = 20
	for i := range booked {
		number := fmt.Sprintf("+1202555%04d", 7000+i)
		company.MustAPI("POST", "/api/v2/callback",
			fmt.Sprintf(`{"call_center_id": %q, "phone_number": %q}`, center.ID, number))
		var n int
		if err := db.QueryRow("SELECT count(*) FROM callback").Scan(&n); err != nil || n != i+1 {
			t.Fatalf("%d of %d callbacks are on disk, %v", n, i+1, err)
		}
	}
}
