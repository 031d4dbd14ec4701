package interop

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// earpiece is what an operator, or somebody in the telephone network, hears on a softphone.
type earpiece struct {
	t    testing.TB
	path string
}

// listens takes down what a phone hears from now on.
func (h *hall) listens(c *softphone.Call) earpiece {
	h.T.Helper()
	e := earpiece{h.T, filepath.Join(h.T.TempDir(), "heard.wav")}
	if err := c.Record(e.path); err != nil {
		h.T.Error(err)
	}
	return e
}

// heard is mu-law, as the ear has it: the detour through the file changes no sample.
func (e earpiece) heard() []byte {
	e.t.Helper()
	return audio.EncodeAll(lab.Recording(e.t, e.path), audio.ULaw)
}

func (e earpiece) until(what string, holds func(heard []byte) bool) {
	e.t.Helper()
	for deadline := time.Now().Add(patience); !holds(e.heard()); time.Sleep(5 * frameTime) {
		if time.Now().After(deadline) {
			e.t.Fatalf("%.1f s were heard, but never %s", float64(len(e.heard()))/audio.Rate, what)
		}
	}
}

func (e earpiece) hears(prompt string) {
	e.t.Helper()
	e.until(prompt, func(heard []byte) bool { return contains(e.t, heard, prompt) })
}

func (e earpiece) hearsTone(hz float64) {
	e.t.Helper()
	e.until(fmt.Sprintf("a tone of %.0f Hz", hz), func(heard []byte) bool { return endsInTone(heard, hz) })
}

// endsInTone says that the last half second heard is of one frequency.
func endsInTone(heard []byte, hz float64) bool {
	if len(heard) < audio.Rate/2 {
		return false
	}
	return isTone(audio.DecodeAll(heard[len(heard)-audio.Rate/2:], audio.ULaw), hz)
}

// upload gives a call center a prompt of its own, as WAV.
func (h *hall) upload(center *lab.Center, kind string, sound []int16) {
	h.T.Helper()
	h.uploadFile(center, kind, audio.WriteWAV(sound))
}

func (h *hall) uploadFile(center *lab.Center, kind string, file []byte) {
	h.T.Helper()
	h.MustAPI("POST", "/api/v2/customivrs", fmt.Sprintf(
		`{"file": %q, "ivr_type": %q, "target_id": %q, "target_type": "callcenter"}`,
		base64.StdEncoding.EncodeToString(file), kind, center.ID))
}
