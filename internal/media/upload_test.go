package media

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
)

func mp3File(t testing.TB) []byte {
	t.Helper()
	file, err := os.ReadFile("testdata/tone.mp3") // 2 s of 600 Hz in stereo at 44,100 Hz
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestUploadsBecomePromptsAtOurLevel(t *testing.T) {
	quiet := audio.Sine(2*audio.Rate, -40, 600)
	for i := range quiet {
		quiet[i] += 2000 // an offset, as cheap recorders leave
	}
	for name, file := range map[string][]byte{"mp3": mp3File(t), "wav": audio.WriteWAV(quiet)} {
		sound, err := Upload(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		length := time.Duration(len(sound)) * time.Second / audio.Rate
		if length < 1900*time.Millisecond || length > 2200*time.Millisecond {
			t.Errorf("%s: %s", name, length)
		}
		samples := audio.DecodeAll(sound, audio.ULaw)
		wantTone(t, samples[400:len(samples)-400], 600, audio.SpeechLevel)
		if first := samples[0]; first > 50 || first < -50 {
			t.Errorf("%s: begins with %d", name, first)
		}
	}
}

func TestUploadsThatNobodyCouldHearAreRefused(t *testing.T) {
	tone := audio.WriteWAV(audio.Sine(audio.Rate, -20, 600))
	strange := bytes.Clone(tone)
	strange[24], strange[25] = 0x41, 0x1f // 8,001 samples a second
	atLimit := audio.Sine(int(MaxUpload.Seconds())*audio.Rate, -20, 600)
	if _, err := Upload(audio.WriteWAV(atLimit)); err != nil {
		t.Errorf("five minutes: %v", err)
	}
	for name, test := range map[string]struct {
		file []byte
		says string
	}{
		"nothing":      {nil, "neither MP3 nor WAV"},
		"text":         {[]byte("hello, I am no sound at all"), "neither MP3 nor WAV"},
		"half a WAV":   {tone[:20], "WAV file that cannot be read"},
		"an odd rate":  {strange, "no usual rate"},
		"silence":      {audio.WriteWAV(make([]int16, audio.Rate)), "nothing but silence"},
		"no samples":   {audio.WriteWAV(nil), "nothing but silence"},
		"too long":     {audio.WriteWAV(append(atLimit, 1)), "longer than 5 minutes"},
		"half an MP3":  {mp3File(t)[:60], "MP3 file that cannot be read"},
		"MP3 in words": {[]byte("ID3 is what an MP3 may begin with"), "MP3 file that cannot be read"},
	} {
		if _, err := Upload(test.file); err == nil || !strings.Contains(err.Error(), test.says) ||
			!errors.Is(err, ErrUpload) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a file holds, it is taken or refused: nothing panics, and nothing runs on.
func FuzzUpload(f *testing.F) {
	file := mp3File(f)
	f.Add(file[:4000])
	f.Add(audio.WriteWAV(audio.Sine(400, -20, 600)))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt "))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<16 {
			return
		}
		sound, err := Upload(file)
		if err == nil && len(sound) < frameSize {
			t.Errorf("%d bytes of sound", len(sound))
		}
		if err != nil && !errors.Is(err, ErrUpload) {
			t.Errorf("%v", err)
		}
	})
}
