package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/audio"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// speechModel names the folder that install.sh fills.
const speechModel = "SWITCHBOARD_SPEECH_DEV"

// human is what Debian's recorded voice says under these names, through G.711.
func human(t *testing.T, names ...string) (sound []byte) {
	t.Helper()
	for _, name := range names {
		file, err := os.ReadFile(filepath.Join("/usr/share/asterisk/sounds/en_US_f_Allison", name+".wav"))
		if err != nil {
			t.Fatal(err)
		}
		wave, err := audio.ReadWAV(file)
		if err != nil {
			t.Fatal(err)
		}
		pcm, err := audio.Resample(wave)
		if err != nil {
			t.Fatal(err)
		}
		sound = append(append(sound, audio.EncodeAll(pcm, audio.ULaw)...), quiet(time.Second)...)
	}
	return sound
}

// said waits until the transcript of a call is as it should be.
func (h *hall) said(call string, enough func(lab.Answer) bool) lab.Answer {
	h.T.Helper()
	var got lab.Answer
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); time.Sleep(5 * frameTime) {
		got = h.API("GET", "/api/v2/x/calls/"+call+"/transcript", "")
		if got.Status == 200 && enough(got) {
			return got
		}
	}
	h.T.Fatalf("the transcript is %d %s", got.Status, got.Raw)
	return got
}

// startedBy waits until a workflow runs for a phrase of a call, which must still be up then.
func (h *hall) startedBy(call, phrase string) {
	h.T.Helper()
	var got lab.Answer
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * frameTime) {
		got = h.API("GET", "/api/workflow/search?query=workflowType%3D'heard'", "")
		if strings.Contains(string(got.Raw), phrase) && strings.Contains(string(got.Raw), call) {
			if now := h.API("GET", "/api/v2/call/"+call, ""); now.Text("state") != "connected" {
				h.T.Fatalf("the workflow runs, but the call is %s", now.Raw)
			}
			return
		}
	}
	h.T.Fatalf("no workflow was started by %q: %s", phrase, got.Raw)
}

func withText(a lab.Answer) (lines int) { return strings.Count(string(a.Raw), `"words":`) }

// A phrase starts a workflow while the call is up. Then the worker is killed in mid-call: the call goes on, captions
// come again, and the gap is there to be seen.
func TestAKilledSpeechWorkerCostsAGapAndNoPacket(t *testing.T) {
	dir := os.Getenv(speechModel)
	if dir == "" {
		t.Skipf("no development model: %s names its folder, test/interop/install.sh fills it", speechModel)
	}
	program := filepath.Join(t.TempDir(), "switchboard-speech")
	build := exec.Command("go", "build", "-o", program, "switchboard/cmd/switchboard-speech")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h := openHall(t, func(cfg *app.Config) {
		cfg.Speech = app.SpeechConfig{
			Engine: "worker", Worker: program, Library: filepath.Join(dir, "libvosk.so"), Model: filepath.Join(dir, "model"),
		}
	})
	center := h.Center("Support", routing("longestidle"))
	center.Patch(voiceSettings(true, true))
	h.MustAPI("PUT", "/api/v2/x/callcenters/"+center.ID+"/speech",
		`{"phrases": [{"class": "menu", "phrase": "press"}], "mood": false}`)
	h.MustAPI("POST", "/api/metadata/workflow", `{"name": "heard", "version": 1, "schemaVersion": 2,
		"ownerEmail": "ada@example.com", "tasks": [{"name": "note", "taskReferenceName": "note", "type": "SET_VARIABLE",
		"inputParameters": {"said": "${workflow.input.phrase}", "call": "${workflow.input.call_id}"}}]}`)
	h.MustAPI("POST", "/api/event", `{"name": "on_menu", "event": "switchboard:call.moment", "active": true,
		"condition": "$.class == 'menu'", "actions": [{"action": "start_workflow", "start_workflow": {"name": "heard",
		"input": {"phrase": "${phrase}", "call_id": "${call_id}"}}}]}`)
	asks := human(t, "vm-saveoper", "vm-review", "conf-adminmenu", "vm-starmain", "vm-saveoper", "vm-review",
		"vm-undelete", "conf-adminmenu")
	ada := h.desk("Ada", func(_ context.Context, c *softphone.Call) { c.Answer() })
	center.Add(ada.Operator, 50)
	for deadline := time.Now().Add(patience); h.App.SpeechWorker() == 0; time.Sleep(frameTime) {
		if time.Now().After(deadline) {
			t.Fatal("the worker does not start")
		}
	}
	caller := h.dials(center, asks)
	call := h.live(ada)
	h.said(call, func(a lab.Answer) bool { return withText(a) >= 2 && strings.Contains(string(a.Raw), `"class":"menu"`) })
	h.startedBy(call, "press")
	first := h.App.SpeechWorker()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gap := h.said(call, func(a lab.Answer) bool {
		_, after, found := strings.Cut(string(a.Raw), `"gap":"engine"`)
		return found && strings.Contains(after, `"words":`)
	})
	if now := h.App.SpeechWorker(); now == first || now == 0 {
		t.Errorf("the worker is %d, was %d", now, first)
	}
	caller.Hangup()
	if figures := h.measured(call, "ended"); figures.Text("missed") != "0" {
		t.Errorf("%s frames missed: %s", figures.Text("missed"), gap.Raw)
	}
	if stats := h.App.MediaStats(); stats.Lost > 0 {
		t.Errorf("%d packets lost", stats.Lost)
	}
	h.said(call, func(a lab.Answer) bool { return strings.Contains(string(a.Raw), `"kind":"extractive"`) })
	if a := h.API("GET", "/api/v2/transcripts/"+call, ""); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
}
