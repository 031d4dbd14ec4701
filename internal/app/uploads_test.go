package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"switchboard/internal/audio"
	"switchboard/internal/callcenter"
	"switchboard/internal/media"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// putPrompt makes an upload of a tone for a target, and has the uploads take it over as the server does.
func putPrompt(
	t *testing.T, u *uploads, id callcenter.PromptID, target callcenter.Target, kind string, hz float64,
) *callcenter.CustomPrompt {
	t.Helper()
	path, err := u.Save(t.Context(), id, audio.WriteWAV(audio.Sine(audio.Rate, -20, hz)))
	if err != nil {
		t.Fatal(err)
	}
	prompt := &callcenter.CustomPrompt{ID: id, Target: target, Type: kind, Selected: true, Path: path}
	change(t, u, func(tx *store.Tx) error { return tx.PutCustomPrompt(prompt) })
	return prompt
}

func change(t *testing.T, u *uploads, f func(*store.Tx) error) {
	t.Helper()
	if err := u.store.Update(t.Context(), "test", f); err != nil {
		t.Fatal(err)
	}
	if read := u.changed(); read != nil {
		read()
	}
}

// toneOf is which of the tones of these tests a sound is.
func toneOf(ulaw []byte) int {
	samples := audio.DecodeAll(ulaw, audio.ULaw)
	for _, hz := range []int{400, 500, 600, 700} {
		if audio.ToneRMS(samples, float64(hz)) > 0.8*audio.RMS(samples) {
			return hz
		}
	}
	return 0
}

// sayer gives what a center's callers hear of a prompt: which tone, in how many clips.
func sayer(t *testing.T) func(u *uploads, center callcenter.ID, prompt route.Prompt, number int) (tone, clips int) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	speech := media.NewSpeech(t.TempDir(), log)
	t.Cleanup(speech.Close)
	library := media.NewLibrary("", speech, log)
	return func(u *uploads, center callcenter.ID, prompt route.Prompt, number int) (tone, clips int) {
		got := prompts{library, u, speech}.Clips(route.Phrase{Prompt: prompt, Center: center, Number: number})
		if len(got) == 0 {
			return 0, 0
		}
		return toneOf(got[0]), len(got)
	}
}

// wantTones checks what callers of the centers of the test below hear.
func wantTones(
	t *testing.T, what string, u *uploads, say func(*uploads, callcenter.ID, route.Prompt, int) (tone, clips int),
) {
	t.Helper()
	for _, c := range []struct {
		center callcenter.ID
		prompt route.Prompt
		number int
		tone   int
	}{
		{5, route.PromptClosed, 0, 400},
		{6, route.PromptClosed, 0, 500},
		{7, route.PromptClosed, 0, 0},
		{5, route.PromptHoldPosition, 2, 600},
		{5, route.PromptHoldPosition, 3, 0},
		{5, route.PromptGreeting, 0, 700},
	} {
		if tone, _ := say(u, c.center, c.prompt, c.number); tone != c.tone {
			t.Errorf("%s: %s %d of center %d has %d Hz, want %d", what, c.prompt, c.number, c.center, tone, c.tone)
		}
	}
	if _, clips := say(u, 6, route.PromptGreeting, 0); clips != 0 {
		t.Errorf("%s: a greeting nobody uploaded has %d clips", what, clips)
	}
}

func TestUploadsAreHeardInPlaceOfBuiltInPrompts(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	db := newStore(t, func(tx *store.Tx) error {
		if err := tx.PutCenter(&callcenter.Center{ID: 5, OfficeID: 2}); err != nil {
			return err
		}
		return tx.PutCenter(&callcenter.Center{ID: 6, OfficeID: 2})
	})
	dir := t.TempDir()
	u, err := newUploads(dir, db, log)
	if err != nil {
		t.Fatal(err)
	}
	center := callcenter.Target{ID: 5, Type: callcenter.TargetCallCenter}
	closed := putPrompt(t, u, 101, center, "CLOSED", 400)
	putPrompt(t, u, 102, callcenter.Target{ID: 2, Type: callcenter.TargetOffice}, "CLOSED", 500)
	putPrompt(t, u, 103, center, "HOLD_POSITION_TWO", 600)
	putPrompt(t, u, 104, center, "GREETING", 700)

	say := sayer(t)
	hears := func(what string, u *uploads) {
		t.Helper()
		wantTones(t, what, u, say)
	}
	hears("at once", u)
	again, err := newUploads(dir, db, log)
	if err != nil {
		t.Fatal(err)
	}
	hears("after a restart", again)

	change(t, u, func(tx *store.Tx) error {
		other := *closed
		other.Selected = false
		return tx.PutCustomPrompt(&other)
	})
	if tone, _ := say(u, 5, route.PromptClosed, 0); tone != 500 {
		t.Errorf("after it was put away: %d Hz, want the office's", tone)
	}
	if err := os.Remove(filepath.Join(dir, uploadDir, "102.ulaw")); err != nil {
		t.Fatal(err)
	}
	again.load()
	third, err := newUploads(dir, db, log)
	if err != nil {
		t.Fatal(err)
	}
	if tone, clips := say(third, 6, route.PromptClosed, 0); tone != 0 || clips != 1 {
		t.Errorf("a file that is gone: %d Hz in %d clips, want the built-in prompt", tone, clips)
	}
}

func TestMusicOfACenterGoesOnWhileOthersChange(t *testing.T) {
	db := newStore(t, func(*store.Tx) error { return nil })
	u, err := newUploads(t.TempDir(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	putPrompt(t, u, 101, callcenter.Target{ID: 5, Type: callcenter.TargetCallCenter}, holdMusic, 400)
	before, ok := u.find(5, holdMusic)
	if !ok || before.track == nil {
		t.Fatal("no track")
	}
	putPrompt(t, u, 102, callcenter.Target{ID: 6, Type: callcenter.TargetCallCenter}, holdMusic, 500)
	if after, _ := u.find(5, holdMusic); after.track != before.track {
		t.Error("who listens would hear the music from its beginning")
	}
	if other, _ := u.find(6, holdMusic); other.track == before.track || toneOf(other.ulaw) != 500 {
		t.Error("the other center has the same music")
	}
	if _, ok := u.find(7, holdMusic); ok {
		t.Error("a center without an upload has one")
	}
}

func TestUploadsThatFail(t *testing.T) {
	db := newStore(t, func(*store.Tx) error { return nil })
	dir := t.TempDir()
	u, err := newUploads(dir, db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Save(t.Context(), 1, []byte("text")); err == nil || err.Error() != "is neither MP3 nor WAV" {
		t.Errorf("%v", err)
	}
	for _, path := range []string{"", "a.ulaw", "../x", uploadDir + "/../x", "/etc/passwd", uploadDir + "/a/b"} {
		if err := u.Remove(path); err == nil {
			t.Errorf("removed %q", path)
		}
	}
	path, err := u.Save(t.Context(), 2, audio.WriteWAV(audio.Sine(audio.Rate, -20, 400)))
	if err != nil {
		t.Fatal(err)
	}
	if file, err := os.ReadFile(filepath.Join(dir, path)); err != nil || !bytes.Equal(file, u.loaded[path]) {
		t.Errorf("kept on disk: %v", err)
	}
	for range 2 {
		if err := u.Remove(path); err != nil {
			t.Error(err)
		}
	}
	for id := range callcenter.PromptID(2 * maxFresh) {
		if _, err := u.Save(t.Context(), id+10, audio.WriteWAV(audio.Sine(1000, -20, 400))); err != nil {
			t.Fatal(err)
		}
	}
	u.changed()
	if len(u.loaded) > maxFresh {
		t.Errorf("%d uploads that nobody selected are in memory", len(u.loaded))
	}
}
