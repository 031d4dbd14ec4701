package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/internal/audio"
)

// fakeFlite is a program that writes down its last argument and makes a sound file, as flite does.
func fakeFlite(t *testing.T) (program, said string) {
	t.Helper()
	dir := t.TempDir()
	program, said = filepath.Join(dir, "flite"), filepath.Join(dir, "said")
	sound := filepath.Join(dir, "sound.wav")
	if err := os.WriteFile(sound, audio.WriteWAV(audio.Sine(audio.Rate, -30, 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$6\" >> %q\ncase \"$6\" in bad*) exit 3;; esac\ncp %q \"$4\"\n",
		said, sound)
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, said
}

func saidBy(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestTextIsSpokenOnceItIsReady(t *testing.T) {
	program, said := fakeFlite(t)
	dir := filepath.Join(t.TempDir(), "speech")
	s := newSpeech(dir, program, slog.New(slog.DiscardHandler))
	const text = "Ada; rm -rf $HOME `id` \"quoted\""
	if _, ok := s.Clip(text); ok {
		t.Error("there is sound before anybody asked for it")
	}
	if err := s.Prepare(t.Context(), text+"\r\n\x00 "); err != nil {
		t.Fatal(err)
	}
	clip, ok := s.Clip(text)
	if !ok {
		t.Fatal("no sound")
	}
	wantTone(t, audio.DecodeAll(clip, audio.ULaw), 500, audio.SpeechLevel)
	if got := saidBy(t, said); len(got) != 1 || got[0] != text {
		t.Errorf("the program was told %q", got)
	}
	s.Close()

	again := newSpeech(dir, program, slog.New(slog.DiscardHandler))
	defer again.Close()
	if err := again.Prepare(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if second, ok := again.Clip(text); !ok || !bytes.Equal(second, clip) {
		t.Error("the next process has another sound")
	}
	if got := saidBy(t, said); len(got) != 1 {
		t.Errorf("rendered %d times", len(got))
	}
}

func TestWhatCannotBeSpoken(t *testing.T) {
	program, said := fakeFlite(t)
	s := newSpeech(t.TempDir(), program, slog.New(slog.DiscardHandler))
	defer s.Close()
	longest := strings.Repeat("é", MaxSpeechText)
	for text, want := range map[string]error{
		"": ErrNoSpeech, " \n\t": ErrNoSpeech, longest + "é": ErrNoSpeech, longest: nil, "bad voice": ErrNoSpeech,
	} {
		if err := s.Prepare(t.Context(), text); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", text, err, want)
		}
	}
	if err := s.Prepare(t.Context(), "bad voice"); !errors.Is(err, ErrNoSpeech) {
		t.Errorf("the second time: %v", err)
	}
	bad := 0
	for _, text := range saidBy(t, said) {
		if text == "bad voice" {
			bad++
		}
	}
	if bad != 1 {
		t.Errorf("what failed was tried %d times", bad)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Prepare(ctx, "later"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	none := newSpeech(t.TempDir(), "", slog.New(slog.DiscardHandler))
	defer none.Close()
	if err := none.Prepare(t.Context(), "hello"); !errors.Is(err, ErrNoSpeech) {
		t.Errorf("without a program: %v", err)
	}
}

func TestSpokenTextsAreBounded(t *testing.T) {
	s := &Speech{clips: map[string][]byte{}, failed: map[string]bool{}, waits: map[string][]chan struct{}{}}
	for i := range MaxSpeech + 3 {
		clip := []byte{1}
		if i%2 == 0 {
			clip = nil
		}
		s.put(fmt.Sprint(i), clip)
	}
	if got := len(s.clips) + len(s.failed); got != MaxSpeech || len(s.order) != MaxSpeech {
		t.Errorf("%d texts are kept, want %d", got, MaxSpeech)
	}
}

func TestSentencesWithNumbersAndNames(t *testing.T) {
	l, log := testLibrary("", filepath.Join(t.TempDir(), "*"))
	names := func(list ...string) (clips [][]byte) {
		for _, name := range list {
			clips = append(clips, builtIn(t, name))
		}
		return clips
	}
	for _, c := range []struct {
		prompt string
		number int
		text   string
		want   [][]byte
	}{
		{"HOLD_CALLBACK", 11, "", names("HOLD_CALLBACK", "PRESS_POUND")},
		{"HOLD_CALLBACK", 2, "", names("HOLD_CALLBACK", "PRESS_2")},
		{"HOLD_CALLBACK_NUMBER", 0, "+49 (1)", names("HOLD_CALLBACK_NUMBER", "SAY_PLUS", "SAY_4", "SAY_9", "SAY_1",
			"HOLD_CALLBACK_CHOICE")},
		{"CALLBACK_FOR", 0, "", names("CALLBACK_FOR")},
		{"DIRECTORY_PICK", 1, "Zoë B", names("DIRECTORY_FOR", "SAY_Z", "SAY_O", "SAY_B", "PRESS_1")},
		{"TEXT", 0, "hello", nil},
		{"GREETING", 0, "", nil},
	} {
		got := l.Say(c.prompt, c.number, c.text)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d clips, want %d", c.prompt, len(got), len(c.want))
			continue
		}
		for i := range got {
			if !bytes.Equal(got[i], c.want[i]) {
				t.Errorf("%s: clip %d is another", c.prompt, i)
			}
		}
	}
	for _, prompt := range []string{
		"MENU", "MENU_OPTION", "AUTO_RECORDING", "RECORDING_PAUSED", "RECORDING_RESUMED", "HOLD_CALLBACK_TYPE",
		"HOLD_CALLBACK_BOOKED", "HOLD_CALLBACK_NOT", "DIRECTORY", "EXTENSION", "NOT_FOUND",
	} {
		if got := l.Say(prompt, 0, ""); len(got) != 1 {
			t.Errorf("%s has %d clips", prompt, len(got))
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
	if got := l.Spell(strings.Repeat("1", 100)); len(got) != maxSpelled {
		t.Errorf("%d digits are said", len(got))
	}
}

func TestUploadTypes(t *testing.T) {
	for want, c := range map[string]struct {
		prompt string
		number int
	}{
		"HOLD_POSITION_ONE": {"HOLD_POSITION", 1}, "HOLD_POSITION_TEN": {"HOLD_POSITION", 10},
		"HOLD_POSITION_MORE": {"HOLD_POSITION", 11}, "HOLD_ESCAPE_VM_ZERO": {"HOLD_ESCAPE_VM", 0},
		"HOLD_ESCAPE_VM_NINE": {"HOLD_ESCAPE_VM", 9}, "HOLD_ESCAPE_VM_STAR": {"HOLD_ESCAPE_VM", 10},
		"HOLD_ESCAPE_VM_POUND": {"HOLD_ESCAPE_VM", 11}, "HOLD_CALLBACK_REQUEST": {"HOLD_CALLBACK", 2},
		"HOLD_CALLBACK_KEYPAD": {"HOLD_CALLBACK_TYPE", 0}, "HOLD_CALLBACK_REQUESTED": {"HOLD_CALLBACK_BOOKED", 0},
		"HOLD_CALLBACK_REJECTED": {"HOLD_CALLBACK_NOT", 0}, "CLOSED": {"CLOSED", 0}, "GREETING": {"GREETING", 0},
	} {
		if got := UploadType(c.prompt, c.number); got != want {
			t.Errorf("%s %d: %s, want %s", c.prompt, c.number, got, want)
		}
	}
}
