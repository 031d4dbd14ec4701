package interop

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// spoken is the sound of the only text that the server has spoken so far.
func (h *hall) spoken() []byte {
	h.T.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(frameTime) {
		files, err := filepath.Glob(filepath.Join(h.data, "speech", "*.ulaw"))
		if err != nil {
			h.T.Fatal(err)
		}
		if len(files) == 1 {
			sound, err := os.ReadFile(files[0])
			if err != nil {
				h.T.Fatal(err)
			}
			return sound
		}
	}
	h.T.Fatal("nothing was spoken")
	return nil
}

// toneFrom is the place in what was heard from which on a tenth of a second is of one frequency; -1: nowhere.
func toneFrom(heard []byte, hz float64) int {
	const tenth = audio.Rate / 10
	for at := 0; at+tenth <= len(heard); at += frame {
		if isTone(audio.DecodeAll(heard[at:at+tenth], audio.ULaw), hz) {
			return at
		}
	}
	return -1
}

func TestAnnounceCenterNameIsHeardByTheOperatorBeforeTheCaller(t *testing.T) {
	lab.Need(t, "flite")
	h := newHall(t)
	center := h.Center("Garden furniture", routing("longestidle"))
	h.extras(center, `{"announce_center_name": true}`)
	name := h.spoken() // when it is configured: no operator waits for that
	pickUp := make(chan struct{}, 2)
	answers, notes := h.noting(func(ctx context.Context, c *softphone.Call) {
		select {
		case <-pickUp:
			talks(ctx, c)
		case <-ctx.Done():
		}
	})
	ada := h.desk("Ada", answers)
	center.Add(ada.Operator, 50)

	for _, announced := range []bool{true, false} {
		c := h.caller(center)
		served, at := ada.next(), <-notes
		c.hearsSound(time.Second / 2) // ringing
		pickUp <- struct{}{}
		c.say(700, 4*time.Second) // from before the answer to after the name
		c.hearsTone(440)
		heard := at.heard()
		talk := toneFrom(heard, 700)
		if talk < 0 {
			t.Fatalf("announced %t: the operator never heard the caller", announced)
		}
		if has(heard[:talk], name) != announced {
			t.Errorf("announced %t: but the name heard before the caller: %t", announced, !announced)
		}
		c.mu.Lock()
		toCaller := bytes.Clone(c.heard)
		c.mu.Unlock()
		if has(toCaller, name) {
			t.Errorf("announced %t: the caller heard the name", announced)
		}
		served.Hangup()
		h.ended(c, route.Answered, "operator_hung_up")
		h.extras(center, `{"announce_center_name": false}`)
	}
}
