package audio

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// Values from the tables of ITU-T G.711 (16-bit scale).
func TestG711Values(t *testing.T) {
	for b, want := range map[byte]int16{0x00: -32124, 0x80: 32124, 0xff: 0, 0x7f: 0, 0xfe: 8, 0x8f: 16764, 0xf0: 120} {
		if got := DecodeULaw(b); got != want {
			t.Errorf("mu-law %#x: %d, want %d", b, got, want)
		}
	}
	for b, want := range map[byte]int16{0xd5: 8, 0x55: -8, 0xaa: 32256, 0x2a: -32256, 0xd4: 24, 0x80: 5504, 0xc5: 264} {
		if got := DecodeALaw(b); got != want {
			t.Errorf("A-law %#x: %d, want %d", b, got, want)
		}
	}
}

func TestEncodeIsCloseAndExactOnItsOwnValues(t *testing.T) {
	for _, law := range []Law{ULaw, ALaw} {
		for b := range 256 {
			v := law.Decode(byte(b))
			if got := law.Decode(law.Encode(v)); got != v {
				t.Errorf("%s: %d became %d", law, v, got)
			}
		}
		for s := math.MinInt16; s <= math.MaxInt16; s++ {
			if got := distance(int(law.Decode(law.Encode(int16(s)))), s); got > distance(s, 0)/24+8 {
				t.Fatalf("%s: %d is encoded %d away", law, s, got)
			}
		}
	}
}

func distance(a, b int) int { return max(a-b, b-a) }

func TestConvertKeepsSound(t *testing.T) {
	tone := Sine(Rate, -20, 700)
	ulaw := EncodeAll(tone, ULaw)
	alaw := make([]byte, len(ulaw))
	Convert(alaw, ulaw, ULaw, ALaw)
	Convert(alaw, alaw, ALaw, ULaw)
	back := DecodeAll(alaw, ULaw)
	var noise float64
	for i := range tone {
		d := float64(back[i]) - float64(tone[i])
		noise += d * d
	}
	if snr := 20 * math.Log10(RMS(tone)/math.Sqrt(noise/float64(len(tone)))); snr < 30 {
		t.Errorf("signal to noise after two conversions: %.1f dB", snr)
	}
	if got := DecodeULaw(ULaw.Silence()); got != 0 {
		t.Errorf("silence is %d", got)
	}
	if got := DecodeALaw(ALaw.Silence()); got != 8 {
		t.Errorf("A-law silence is %d", got)
	}
}

func TestLevels(t *testing.T) {
	tone := Sine(Rate, -20, 1000)
	if got := DBFS(RMS(tone)); math.Abs(got+20) > 0.1 {
		t.Errorf("tone at %.2f dBFS, want -20", got)
	}
	if got := DBm0(RMS(tone)); math.Abs(got+13.85) > 0.1 {
		t.Errorf("tone at %.2f dBm0, want -13.85", got)
	}
	if got := RMS(nil); got != 0 {
		t.Errorf("RMS of nothing is %g", got)
	}
	half := append(append([]int16{}, tone...), make([]int16, Rate)...)
	if got := DBFS(ActiveRMS(half)); math.Abs(got+20) > 0.2 {
		t.Errorf("active level with a pause is %.2f dBFS, want -20", got)
	}
	Level(half, -30)
	if got := DBFS(ActiveRMS(half)); math.Abs(got+30) > 0.2 {
		t.Errorf("levelled to %.2f dBFS, want -30", got)
	}
	if got := len(Trim(half, 0)); distance(got, Rate) > levelFrame {
		t.Errorf("trimmed to %d samples, want %d", got, Rate)
	}
	if got := Trim(make([]int16, 1000), 10); got != nil {
		t.Errorf("silence trimmed to %d samples", len(got))
	}
}

func TestToneRMSFindsTheFrequency(t *testing.T) {
	mix := Sine(Rate, -20, 440, 480)
	for hz, want := range map[float64]float64{440: 1, 480: 1, 620: 0, 1000: 0} {
		if got := ToneRMS(mix, hz) / RMS(mix) * math.Sqrt2; math.Abs(got-want) > 0.05 {
			t.Errorf("%g Hz: %.2f of a tone, want %g", hz, got, want)
		}
	}
}

func TestTones(t *testing.T) {
	ring := DecodeAll(Ringback(), ULaw)
	if len(ring) != 6*Rate {
		t.Errorf("ringback is %d samples", len(ring))
	}
	if on, off := RMS(ring[:2*Rate]), RMS(ring[2*Rate:]); on < 2000 || off > 0 {
		t.Errorf("ringback %.0f on, %.0f off", on, off)
	}
	beep := DecodeAll(Beep(), ULaw)
	if len(beep) != 3200 || ToneRMS(beep, 1000) < 0.95*RMS(beep) {
		t.Errorf("beep: %d samples, %.0f of 1 kHz in %.0f", len(beep), ToneRMS(beep, 1000), RMS(beep))
	}
	if trouble := DecodeAll(Trouble(), ULaw); ToneRMS(trouble[:Rate/5], 480) < 1000 {
		t.Error("trouble tone has no 480 Hz")
	}
}

func TestMusicIsQuietSeamlessAndForTelephones(t *testing.T) {
	music := DecodeAll(Music(), ULaw)
	if len(music) != 53*Rate {
		t.Fatalf("music is %d samples", len(music))
	}
	if got := DBFS(RMS(music)); math.Abs(got-MusicLevel) > 1 {
		t.Errorf("music at %.1f dBFS, want %g", got, MusicLevel)
	}
	if got := DBFS(float64(Peak(music))); got > PeakLevel {
		t.Errorf("music peaks at %.1f dBFS", got)
	}
	steepest := 0
	for i := 1; i < len(music); i++ {
		steepest = max(steepest, distance(int(music[i]), int(music[i-1])))
	}
	seam := distance(int(music[0]), int(music[len(music)-1]))
	if seam > steepest/2 {
		t.Errorf("the seam steps by %d, the steepest step is %d", seam, steepest)
	}
	if at := DBFS(RMS(music[:Rate/10])); at < -45 {
		t.Errorf("music begins with a hole: %.1f dBFS", at)
	}
	for _, hz := range []float64{50, 60, 3500, 3800} {
		if got := ToneRMS(music, hz); got > RMS(music)/50 {
			t.Errorf("%.0f RMS at %g Hz", got, hz)
		}
	}
}

func TestEveryPromptIsWholeAndLevel(t *testing.T) {
	table, err := os.ReadFile("prompts/phrases.txt")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	total := 0
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, text, _ := strings.Cut(line, ": ")
		written = append(written, name)
		sound, ok := Prompt(name)
		if !ok {
			t.Errorf("%s has no sound", name)
			continue
		}
		total += len(sound)
		samples := DecodeAll(sound, ULaw)
		if got := DBFS(ActiveRMS(samples)); math.Abs(got-SpeechLevel) > 1 {
			t.Errorf("%s at %.1f dBFS, want %g", name, got, SpeechLevel)
		}
		if got := DBFS(float64(Peak(samples))); got > PeakLevel {
			t.Errorf("%s peaks at %.1f dBFS", name, got)
		}
		perSecond := float64(len(text)) / (float64(len(sound)) / Rate)
		slowest := 8.0
		if strings.HasPrefix(name, "SAY_") { // a digit or a letter is said with care
			slowest = 2
		}
		if perSecond < slowest || perSecond > 25 {
			t.Errorf("%s: %.0f letters a second: cut short, or another text?", name, perSecond)
		}
	}
	if len(written) != len(PromptNames()) {
		t.Errorf("%d sentences written, %d rendered", len(written), len(PromptNames()))
	}
	if total > 3<<19 {
		t.Errorf("prompts take %d bytes", total)
	}
	if _, ok := Prompt("../prompts/CLOSED"); ok {
		t.Error("a prompt by path")
	}
}

func TestResampleKeepsTonesAndRefusesOddRates(t *testing.T) {
	for _, rate := range []int{4000, 11025, 16000, 22050, 24000, 44100, 48000, 192000} {
		in := make([]int16, rate)
		for i := range in {
			v := 3000*math.Sin(2*math.Pi*1000*float64(i)/float64(rate)) +
				3000*math.Sin(2*math.Pi*5200*float64(i)/float64(rate)) // folds to 2800 Hz
			in[i] = int16(v)
		}
		if rate < 16000 {
			for i := range in {
				in[i] = int16(3000 * math.Sin(2*math.Pi*1000*float64(i)/float64(rate)))
			}
		}
		out, err := Resample(Sound{rate, in})
		if err != nil || len(out) != Rate {
			t.Fatalf("%d Hz: %d samples, %v", rate, len(out), err)
		}
		middle := out[Rate/4 : 3*Rate/4]
		if got := ToneRMS(middle, 1000) * math.Sqrt2; math.Abs(got-3000) > 60 {
			t.Errorf("%d Hz: 1 kHz at %.0f, want 3000", rate, got)
		}
		if got := ToneRMS(middle, 2800); got > 5 {
			t.Errorf("%d Hz: %.0f RMS folded to 2800 Hz", rate, got)
		}
	}
	for _, rate := range []int{0, -1, minRate - 1, maxRate + 1, 44099} {
		if _, err := Resample(Sound{Rate: rate}); !errors.Is(err, ErrRate) {
			t.Errorf("%d Hz: %v", rate, err)
		}
	}
}

func TestWAVRoundTrip(t *testing.T) {
	tone := Sine(800, -20, 440)
	file := WriteWAV(tone)
	got, err := ReadWAV(file)
	if err != nil || got.Rate != Rate || len(got.Samples) != 800 {
		t.Fatalf("%d samples at %d Hz, %v", len(got.Samples), got.Rate, err)
	}
	for i := range tone {
		if got.Samples[i] != tone[i] {
			t.Fatalf("sample %d: %d, want %d", i, got.Samples[i], tone[i])
		}
	}
	if got, err := ReadWAV(file[:WAVHeaderSize+200]); err != nil || len(got.Samples) != 100 {
		t.Errorf("cut short: %d samples, %v", len(got.Samples), err)
	}
	if d := got.Length(); d != 100*time.Millisecond {
		t.Errorf("length %v", d)
	}
}

// wavOf makes a file with a format chunk of the given numbers.
func wavOf(tag, channels, rate, bits byte, data ...byte) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00")
	b = append(b, tag, 0, channels, 0, 0x40, rate, 0, 0, 0, 0, 0, 0, 0, 0, bits, 0)
	b = append(b, "data"...)
	b = append(b, byte(len(data)), 0, 0, 0)
	return append(b, data...)
}

func TestReadWAVFormats(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want []int16
	}{
		"stereo":  {wavOf(1, 2, 0x1f, 16, 10, 0, 20, 0, 0xff, 0xff, 1, 0), []int16{15, 0}},
		"8 bit":   {wavOf(1, 1, 0x1f, 8, 0x80, 0xff, 0), []int16{0, 0x7f00, -0x8000}},
		"mu-law":  {wavOf(7, 1, 0x1f, 8, 0xff, 0x80), []int16{0, 32124}},
		"A-law":   {wavOf(6, 1, 0x1f, 8, 0xd5), []int16{8}},
		"nothing": {wavOf(1, 1, 0x1f, 16), []int16{}},
	} {
		got, err := ReadWAV(c.file)
		if err != nil || len(got.Samples) != len(c.want) {
			t.Errorf("%s: %v, %v", name, got.Samples, err)
			continue
		}
		for i := range c.want {
			if got.Samples[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got.Samples, c.want)
			}
		}
	}
	for name, file := range map[string][]byte{
		"empty": nil, "no RIFF": []byte("RIFX00000000WAVE"), "24 bit": wavOf(1, 1, 0x1f, 24), "ADPCM": wavOf(2, 1, 0x1f, 8),
		"no channel": wavOf(1, 0, 0x1f, 16), "three": wavOf(1, 3, 0x1f, 16), "slow": wavOf(1, 1, 1, 16),
		"no data": wavOf(1, 1, 0x1f, 16)[:50], "data first": []byte("RIFF0000WAVEdata\x00\x00\x00\x00"),
		"long": append(bytes.Repeat([]byte{0}, MaxWAV), 0),
	} {
		if _, err := ReadWAV(file); !errors.Is(err, ErrWAV) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(WriteWAV(Sine(10, -20, 440)))
	f.Add(wavOf(7, 2, 0x1f, 8, 1, 2, 3))
	f.Fuzz(func(t *testing.T, file []byte) {
		sound, err := ReadWAV(file)
		if err == nil && (sound.Rate < minRate || sound.Rate > maxRate || len(sound.Samples) > len(file)) {
			t.Errorf("%d samples at %d Hz from %d bytes", len(sound.Samples), sound.Rate, len(file))
		}
		if err != nil && !errors.Is(err, ErrWAV) {
			t.Errorf("unexpected error %v", err)
		}
	})
}

func BenchmarkRenderMusic(b *testing.B) {
	for b.Loop() {
		EncodeAll(renderMusic(), ULaw)
	}
}
