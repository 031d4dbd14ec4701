package speech

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/audio"
)

// speak hands over a tone, which is speech to an energy detector, in frames of 20 ms.
func speak(s Stream, at, length time.Duration) {
	frame := make([]int16, audio.Rate/50)
	for i := range frame {
		frame[i] = int16(8000 * math.Sin(2*math.Pi*400*float64(i)/audio.Rate))
	}
	for end := at + length; at < end; at += 20 * time.Millisecond {
		s.Write(at, frame)
	}
}

// transcriber is a transcription server in the test's hands.
func transcriber(t *testing.T, answer func(n int, wav audio.Sound, w http.ResponseWriter)) *OpenAI {
	t.Helper()
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, _, err := r.FormFile("file")
		if err != nil || r.FormValue("model") != "m" || r.FormValue("response_format") != "verbose_json" ||
			r.FormValue("language") != "en" || r.Header.Get("Authorization") != "Bearer key" {
			t.Errorf("the request is not as documented: %v %v", err, r.Form)
			return
		}
		body, _ := io.ReadAll(file)
		sound, err := audio.ReadWAV(body)
		if err != nil {
			t.Error(err)
		}
		answer(int(n.Add(1)), sound, w)
	}))
	t.Cleanup(server.Close)
	engine, err := NewOpenAI(OpenAIConfig{
		URL: server.URL + "/v1/audio/transcriptions", Key: "key", Model: "m", Language: "en", Client: server.Client(),
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	engine.timeout = 300 * time.Millisecond
	return engine
}

func open(t *testing.T, engine Recognizer) Stream {
	t.Helper()
	s, err := engine.Open(StreamOpts{Rate: audio.Rate})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSegmentsAreCutAtPausesAndHaveTheirPlace(t *testing.T) {
	engine := transcriber(t, func(n int, wav audio.Sound, w http.ResponseWriter) {
		fmt.Fprintf(w, `{"text": "x", "segments": [
			{"start": 0.5, "end": 1.5, "text": " part %d ", "avg_logprob": -0.5},
			{"start": 1.5, "end": 2, "text": "made up", "avg_logprob": -1.5, "no_speech_prob": 0.9},
			{"start": 1.5, "end": 2, "text": "again again again", "compression_ratio": 3}]}`, n)
	})
	s := open(t, engine)
	write(s, 0, 3*time.Second)
	speak(s, 3*time.Second, 2*time.Second)
	write(s, 5*time.Second, 2*time.Second)
	speak(s, 7*time.Second, time.Second)
	finals := closing(t, s)
	if len(finals) != 2 {
		t.Fatalf("results %+v", finals)
	}
	lead := segmentLead - 20*time.Millisecond
	for i, start := range []time.Duration{3*time.Second - lead, 7*time.Second - lead} {
		r := finals[i]
		if off := r.Start - start - 500*time.Millisecond; off.Abs() > 40*time.Millisecond ||
			r.Text != fmt.Sprint("part ", i+1) || math.Abs(r.Conf-math.Exp(-0.5)) > 1e-9 {
			t.Errorf("result %d: %+v", i, r)
		}
	}
}

func TestNobodySpeakingIsNotTranscribed(t *testing.T) {
	engine := transcriber(t, func(int, audio.Sound, http.ResponseWriter) { t.Error("silence was posted") })
	s := open(t, engine)
	write(s, 0, 10*time.Second)
	if finals := closing(t, s); len(finals) != 0 {
		t.Errorf("results %+v", finals)
	}
}

func TestTheLongestSegment(t *testing.T) {
	var longest atomic.Int64
	engine := transcriber(t, func(_ int, wav audio.Sound, w http.ResponseWriter) {
		longest.Store(max(longest.Load(), int64(wav.Length())))
		fmt.Fprint(w, `{"text": ""}`)
	})
	s := open(t, engine)
	speak(s, 0, MaxSegment+5*time.Second)
	closing(t, s)
	if got := time.Duration(longest.Load()); got != MaxSegment {
		t.Errorf("the longest segment is %s", got)
	}
}

func TestTranscriptionServersThatAreOfNoUse(t *testing.T) {
	for name, answer := range map[string]func(int, audio.Sound, http.ResponseWriter){
		"refuses": func(_ int, _ audio.Sound, w http.ResponseWriter) { http.Error(w, "no", http.StatusTooManyRequests) },
		"rubbish": func(_ int, _ audio.Sound, w http.ResponseWriter) { fmt.Fprint(w, `{"text": 7}`) },
		"floods": func(_ int, _ audio.Sound, w http.ResponseWriter) {
			fmt.Fprint(w, `{"text": "`+strings.Repeat("a", MaxAnswer)+`"}`)
		},
		"slow": func(_ int, _ audio.Sound, w http.ResponseWriter) { time.Sleep(600 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, transcriber(t, answer))
			speak(s, 0, 3*time.Second)
			finals := closing(t, s)
			if len(finals) != 1 || finals[0].Gap != GapEngine || finals[0].Start != 0 || finals[0].End < 3*time.Second {
				t.Errorf("results %+v", finals)
			}
		})
	}
}

// program writes a shell script.
func program(t *testing.T, text string) *Exec {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "engine")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	engine, err := NewExec(ExecConfig{
		Program: []string{path, "--x"}, Spool: t.TempDir(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func TestAProgramHearsTheCallAfterItsEnd(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "heard.wav")
	engine := program(t, `cat > `+copied+`
		echo '{"start": 0.5, "end": 1.5, "text": "hello there", "conf": 0.7}'
		echo
		echo '{"start": 2.5, "end": 2.75, "text": "'$1'"}'`)
	s := open(t, engine)
	speak(s, time.Second, 2*time.Second)
	speak(s, 10*time.Second, 2*time.Second)
	if left, _ := os.ReadDir(engine.cfg.Spool); len(left) > 0 {
		t.Errorf("the audio of a call has a name: %v", left)
	}
	finals := closing(t, s)
	want := []Result{
		{Start: 1500 * time.Millisecond, End: 2500 * time.Millisecond, Text: "hello there", Final: true, Conf: 0.7},
		{Start: 10500 * time.Millisecond, End: 10750 * time.Millisecond, Text: "--x", Final: true},
	}
	if fmt.Sprint(finals) != fmt.Sprint(want) {
		t.Errorf("results %+v", finals)
	}
	file, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if sound, err := audio.ReadWAV(file); err != nil || sound.Length() != 4*time.Second {
		t.Errorf("it heard %v, %v", sound.Length(), err)
	}
}

func TestProgramsThatAreOfNoUse(t *testing.T) {
	for name, text := range map[string]string{
		"fails":   "exit 3",
		"rubbish": "echo hello",
		"floods":  "yes '{\"text\":\"a\"}'",
		"long":    fmt.Sprintf("head -c %d /dev/zero | tr '\\0' a", maxExecLine+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, program(t, text))
			speak(s, time.Second, time.Second)
			finals := closing(t, s)
			if len(finals) != 1 || finals[0].Gap != GapEngine || finals[0].Start != time.Second ||
				finals[0].End != 2*time.Second {
				t.Errorf("results %+v", finals)
			}
		})
	}
	if _, err := NewExec(ExecConfig{Program: []string{"/nowhere/engine"}}); err == nil {
		t.Error("a program that is not there is accepted")
	}
}
