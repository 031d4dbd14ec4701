package interop

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// orphanBound is how long after the server is back everybody it had lost must have their BYE.
const orphanBound = 5 * time.Second

// fiveSecondsOf is five seconds of one frequency.
func fiveSecondsOf(hz float64) []byte {
	return audio.EncodeAll(audio.Sine(5*audio.Rate, -20, hz), audio.ULaw)
}

// A crash in mid-call: both sides get their BYE when the server is back, the recording plays up to the crash, the call
// has its one outcome, and a caller who waited has the place back when they call again.
func TestACrashLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := lab.Serve(t, dir)
	company := first.Company()
	company.Trunk()
	center := company.Center("Support", `{"advanced_settings": {"auto_call_recording": {"call_recording_inbound": true}},
		"hold_queue": {"announce_position": true}}`)
	ada := company.Operator("Ada")
	center.Add(ada, 50)
	station := company.Station()
	rung := make(chan *softphone.Call, 10)
	station.Static("ada", func(c *softphone.Call) {
		c.Answer()
		rung <- c
	})
	ada.StaticPhone("ada", station.Addr())

	talking, err := station.Call("+12025550101", center.Number)
	if err != nil {
		t.Fatal(err)
	}
	operator := <-rung
	wait(t, talking, softphone.AnsweredEvent, bound)
	time.Sleep(2 * time.Second) // the consent notice
	talking.Say(fiveSecondsOf(400))
	operator.Say(fiveSecondsOf(1000))
	waiting, err := station.Call("+12025550102", center.Number)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, waiting, softphone.AnsweredEvent, bound)
	file := filepath.Join(dir, "recordings", "*.wav")
	eventually(t, "three seconds of recording", func() bool { return largest(t, file) > 3*4*audio.Rate })
	first.Kill()

	second := lab.Serve(t, dir, "--sip", first.SIP.String())
	back := time.Now()
	for _, call := range []*softphone.Call{talking, operator, waiting} {
		wait(t, call, softphone.EndedEvent, orphanBound)
	}
	t.Logf("all three had their BYE %s after the restart", time.Since(back).Round(time.Millisecond))
	again := lab.NewCompany(t, second.URL, second.SIP, first.Key)
	heardUpToTheCrash(t, again)
	once, err := station.Call("+12025550102", center.Number)
	if err != nil {
		t.Fatal(err)
	}
	<-rung
	wait(t, once, softphone.AnsweredEvent, bound)
	once.Hangup()
	eventually(t, "the record of a call that had its place back", func() bool {
		var n int
		row := open(t, dir).QueryRow("SELECT count(*) FROM call WHERE doc LIKE '%Has the place back%'")
		return row.Scan(&n) == nil && n == 1
	})
	calls := again.MustAPI("GET", "/api/v2/call", "")
	if lost := strings.Count(string(calls.Raw), "+12025550101"); lost == 0 {
		t.Errorf("the lost call is not listed: %s", calls.Raw)
	}
	sound(t, dir)
}

// Two callers wait when the server dies. Those who redial within 120 s are in line before who called in the meantime,
// in their old order, whatever the order in which they redial; who never waited before is behind them.
func TestWhoRedialsAfterACrashHasTheOldPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := lab.Serve(t, dir)
	company := first.Company()
	company.Trunk()
	center := company.Center("Support", `{"hold_queue": {"unattended_queue": true}}`)
	ada := company.Operator("Ada")
	center.Add(ada, 50)
	station := company.Station()
	rung := make(chan *softphone.Call, 10)
	station.Static("ada", func(c *softphone.Call) { rung <- c })
	ada.StaticPhone("ada", station.Addr())
	ada.Duty(false)
	const one, two, stranger = "+12025550101", "+12025550102", "+12025550103"
	waits := func(from string) *softphone.Call {
		call, err := station.Call(from, center.Number)
		if err != nil {
			t.Fatal(err)
		}
		wait(t, call, softphone.AnsweredEvent, bound)
		return call
	}
	lost := []*softphone.Call{waits(one), waits(two)}
	time.Sleep(2 * settled) // until the disk knows of them
	first.Kill()

	second := lab.Serve(t, dir, "--sip", first.SIP.String())
	for _, call := range lost {
		wait(t, call, softphone.EndedEvent, orphanBound)
	}
	for _, from := range []string{stranger, two, one} {
		waits(from)
	}
	again := lab.NewCompany(t, second.URL, second.SIP, first.Key)
	again.MustAPI("PATCH", "/api/v2/callcenters/operators/"+ada.ID+"/dutystatus", `{"on_duty": true}`)
	for _, from := range []string{one, two, stranger} {
		select {
		case call := <-rung:
			if call.From != from {
				t.Errorf("served %s, want %s", call.From, from)
			}
			serves(t.Context(), call)
		case <-time.After(bound):
			t.Fatalf("nobody rang for %s", from)
		}
	}
}

func wait(t *testing.T, call *softphone.Call, kind softphone.EventKind, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if _, ok := call.Wait(ctx, kind); !ok {
		t.Fatalf("the call of %s was not %s within %s", call.From, kind, within)
	}
}

// heardUpToTheCrash plays the one recording: the caller left, the operator right.
func heardUpToTheCrash(t *testing.T, company *lab.Company) {
	t.Helper()
	list := company.MustAPI("GET", "/api/v2/x/recordings", "").Items()
	if len(list) != 1 {
		t.Fatalf("%d recordings", len(list))
	}
	file := company.API("GET", "/api/v2/x/recordings/"+list[0].Text("id")+"/audio", "")
	if file.Status != http.StatusOK {
		t.Fatalf("play: %d %s", file.Status, file.Raw)
	}
	left, right, err := audio.ReadStereoWAV(file.Raw)
	if err != nil || left.Length() < 2*time.Second {
		t.Fatalf("%s of recording, %v", left.Length(), err)
	}
	for side, want := range map[*audio.Sound]float64{&left: 400, &right: 1000} {
		if got := audio.ToneRMS(side.Samples, want); got < 0.7*audio.RMS(side.Samples) {
			t.Errorf("%g Hz are %.0f of %.0f RMS", want, got, audio.RMS(side.Samples))
		}
	}
}
