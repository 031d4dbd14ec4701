package media

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"switchboard/internal/audio"
)

func builtIn(t *testing.T, name string) []byte {
	t.Helper()
	sound, ok := audio.Prompt(name)
	if !ok {
		t.Fatalf("no prompt %s", name)
	}
	return sound
}

func testLibrary(dir, places string) (*Library, *bytes.Buffer) {
	var log bytes.Buffer
	return newLibrary(dir, places, &Speech{}, slog.New(slog.NewTextHandler(&log, nil))), &log
}

// quiet logs nothing.
var quiet = slog.New(slog.DiscardHandler)

func TestLibraryHasEveryBuiltInSentence(t *testing.T) {
	l, log := testLibrary("", filepath.Join(t.TempDir(), "*"))
	if l.Pack() != "" {
		t.Errorf("pack %q", l.Pack())
	}
	for _, c := range []struct {
		prompt string
		number int
		name   string
	}{
		{"HOLD_INTRO", 0, "HOLD_INTRO"},
		{"HOLD_INTERRUPT", 0, "HOLD_INTERRUPT"},
		{"CLOSED", 0, "CLOSED"},
		{"VM_UNAVAILABLE", 0, "VM_UNAVAILABLE"},
		{"VM_FULL", 0, "VM_FULL"},
		{"MESSAGE", 0, "MESSAGE"},
		{"DISABLED", 0, "DISABLED"},
		{"HOLD_POSITION", 1, "HOLD_POSITION_1"},
		{"HOLD_POSITION", 10, "HOLD_POSITION_10"},
		{"HOLD_POSITION", 11, "HOLD_POSITION_MORE"},
		{"HOLD_POSITION", 1000, "HOLD_POSITION_MORE"},
		{"HOLD_ESCAPE_VM", 0, "HOLD_ESCAPE_VM_0"},
		{"HOLD_ESCAPE_VM", 9, "HOLD_ESCAPE_VM_9"},
		{"HOLD_ESCAPE_VM", 10, "HOLD_ESCAPE_VM_STAR"},
		{"HOLD_ESCAPE_VM", 11, "HOLD_ESCAPE_VM_POUND"},
	} {
		got := l.Say(c.prompt, c.number, "")
		if len(got) != 1 || !bytes.Equal(got[0], builtIn(t, c.name)) {
			t.Errorf("%s %d is not %s", c.prompt, c.number, c.name)
		}
	}
	if got := l.Say("BEEP", 0, ""); !bytes.Equal(got[0], audio.Beep()) {
		t.Error("BEEP is no beep")
	}
	if log.Len() != 0 {
		t.Errorf("logged %s", log)
	}
}

func TestUnknownPromptIsAToneAndALine(t *testing.T) {
	l, log := testLibrary("", filepath.Join(t.TempDir(), "*"))
	for _, c := range []struct {
		prompt string
		number int
	}{{"HOLD_POSITION", 0}, {"HOLD_ESCAPE_VM", 12}, {"HOLD_ESCAPE_VM", -1}, {"SONG", 0}, {"", 0}} {
		log.Reset()
		got := l.Say(c.prompt, c.number, "")
		if len(got) != 1 || !bytes.Equal(got[0], audio.Trouble()) || !bytes.Contains(log.Bytes(), []byte("no such prompt")) {
			t.Errorf("%q %d: %d clips, log %q", c.prompt, c.number, len(got), log)
		}
	}
}

// pack writes a prompt pack of tones, a frequency a file.
func pack(t *testing.T, files map[string]float64) string {
	t.Helper()
	dir := t.TempDir()
	for name, hz := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		samples := audio.Sine(audio.Rate/2, -40, hz)
		sound := audio.WriteWAV(samples)
		switch filepath.Ext(name) {
		case ".ulaw":
			sound = audio.EncodeAll(samples, audio.ULaw)
		case ".alaw":
			sound = audio.EncodeAll(samples, audio.ALaw)
		}
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPackReplacesWholeSentences(t *testing.T) {
	dir := pack(t, map[string]float64{
		"queue-thereare.wav": 300, "digits/3.ulaw": 400, "digits/4.alaw": 500, "queue-callswaiting.wav": 600,
		"vm-intro.wav": 700,
	})
	if err := os.WriteFile(filepath.Join(dir, "vm-mailboxfull.wav"), []byte("no sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Library{
		NewLibrary(dir, &Speech{}, quiet), newLibrary("", filepath.Dir(dir)+"/*", &Speech{}, quiet),
	} {
		if l.Pack() != dir {
			t.Errorf("pack %q, want %q", l.Pack(), dir)
		}
		for _, c := range []struct {
			prompt string
			number int
			tones  []float64
		}{
			{"HOLD_POSITION", 3, []float64{300, 400, 600}},
			{"HOLD_POSITION", 4, []float64{300, 500, 600}},
			{"VM_UNAVAILABLE", 0, []float64{700}},
		} {
			got := l.Say(c.prompt, c.number, "")
			if len(got) != len(c.tones) {
				t.Errorf("%s %d has %d clips", c.prompt, c.number, len(got))
				continue
			}
			for i, hz := range c.tones {
				wantTone(t, audio.DecodeAll(got[i], audio.ULaw), hz, audio.SpeechLevel)
			}
		}
		for _, name := range []string{"HOLD_POSITION_2", "VM_FULL", "HOLD_INTRO"} { // digits/2 is missing, the next is bad
			if got := l.sentences[name]; !bytes.Equal(got[0], builtIn(t, name)) {
				t.Errorf("%s is not the built-in one", name)
			}
		}
	}
}

func TestPackThatCannotBeReadIsLogged(t *testing.T) {
	l, log := testLibrary(filepath.Join(t.TempDir(), "none"), "")
	if l.Pack() != "" || !bytes.Contains(log.Bytes(), []byte("cannot be read")) {
		t.Errorf("pack %q, log %s", l.Pack(), log)
	}
	dir := pack(t, map[string]float64{"queue-youarenext.wav": 300})
	big := filepath.Join(dir, "vm-intro.wav")
	if err := os.WriteFile(big, make([]byte, maxPromptFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPrompt(filepath.Join(dir, "vm-intro")); err == nil {
		t.Error("a file past the limit was read")
	}
	if _, err := readPrompt(filepath.Join(dir, "queue-youarenext")); err != nil {
		t.Error(err)
	}
}

// TestDebianPackIsFound runs where the package is installed, which .ci/run sees to.
func TestDebianPackIsFound(t *testing.T) {
	dir := findPack(packPlaces)
	l := NewLibrary("", &Speech{}, quiet)
	if l.Pack() != dir {
		t.Errorf("pack %q, installed %q", l.Pack(), dir)
	}
	if got := l.Say("HOLD_POSITION", 3, ""); dir != "" && len(got) != 3 {
		t.Errorf("position has %d clips", len(got))
	}
}
