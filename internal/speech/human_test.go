package speech

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
)

// devVariable names the folder that test/interop/install.sh fills: libvosk.so, model/ and core-sounds-en.txt.
const devVariable = "SWITCHBOARD_SPEECH_DEV"

// The human prompts and where Debian puts them.
const promptsDir = "/usr/share/asterisk/sounds/en_US_f_Allison"

// mostWER is the aim of docs/internals/benchmarks.md.
const mostWER = 0.45

func devFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(devVariable)
	if dir == "" {
		t.Skipf("no development model: sh test/interop/install.sh fetches it, %s names its folder", devVariable)
	}
	return dir
}

func startWorker(t *testing.T, dir string) *Worker {
	t.Helper()
	program := filepath.Join(t.TempDir(), WorkerProgram)
	build := exec.Command("go", "build", "-o", program, "switchboard/cmd/"+WorkerProgram)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w, err := StartWorker(t.Context(), WorkerConfig{
		Program: program, Library: filepath.Join(dir, "libvosk.so"), Model: filepath.Join(dir, "model"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// humanPrompts are those of at least four words: 8 kHz, through G.711. Every step-th of them.
func humanPrompts(t *testing.T, dir string, step int) (samples []Sample) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "core-sounds-en.txt"))
	if err != nil {
		t.Fatal(err)
	}
	spell := strings.NewReplacer("1", "one ", "2", "two ", "3", "three ", "4", "four ", "5", "five ", "6", "six ",
		"7", "seven ", "8", "eight ", "9", "nine ", "0", "zero ", "-", " ")
	n := 0
	for line := range strings.Lines(string(text)) {
		name, sentence, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.ContainsAny(sentence, "[(/") || len(strings.Fields(sentence)) < 4 {
			continue
		}
		file, err := os.ReadFile(filepath.Join(promptsDir, name+".wav"))
		if err != nil {
			continue // the text has more than the package
		}
		if n++; n%step != 0 {
			continue
		}
		sound, err := audio.ReadWAV(file)
		if err != nil {
			t.Fatal(err)
		}
		pcm, err := audio.Resample(sound)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range pcm {
			pcm[i] = audio.DecodeULaw(audio.EncodeULaw(s))
		}
		samples = append(samples, Sample{Name: name, Text: spell.Replace(sentence), PCM: pcm})
	}
	if len(samples) < 150/step {
		t.Fatalf("only %d prompts: asterisk-core-sounds-en-wav is not whole", len(samples))
	}
	return samples
}

func TestWordsOfHumanPromptsAreRecognised(t *testing.T) {
	dir := devFolder(t)
	worker := startWorker(t, dir)
	engine, err := NewVosk(VoskConfig{
		URL: worker.URL, Client: http.DefaultClient, Fold: audio.DefaultFold, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	before := worker.CPU()
	score, err := Check(ctx, engine, humanPrompts(t, dir, 3), func(s Sample, text string) {
		t.Logf("%s\n  said  %s\n  heard %s", s.Name, s.Text, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	rtf := (worker.CPU() - before).Seconds() / score.Audio.Seconds()
	t.Logf("%d prompts, %d words, %s: word error rate %.1f %%, %d word-perfect, real-time factor %.3f, confidence %.2f",
		score.Samples, score.Words, score.Audio.Round(time.Second), 100*score.WER(), score.Perfect, rtf, score.Confidence)
	if score.WER() > mostWER || score.Gaps > 0 {
		t.Errorf("word error rate %.3f, at most %.2f; %d gaps", score.WER(), mostWER, score.Gaps)
	}
}
