package audio

import (
	"math"
	"testing"
)

func TestHighPassTakesHumAndLeavesSpeech(t *testing.T) {
	for hz, want := range map[float64]float64{25: -24, 100: -3, 300: 0, 1000: 0, 3300: 0} {
		samples := Sine(Rate, -10, hz)
		before := RMS(samples[Rate/2:])
		HighPass(samples, 100)
		got := 20 * math.Log10(RMS(samples[Rate/2:])/before)
		if math.Abs(got-want) > 0.5 {
			t.Errorf("%g Hz: %.2f dB, want %g", hz, got, want)
		}
	}
}

func TestFadeBeginsAndEndsInSilence(t *testing.T) {
	samples := make([]int16, 1000)
	for i := range samples {
		samples[i] = 10_000
	}
	Fade(samples, 80)
	if samples[0] != 0 || samples[999] != 0 || samples[40] != 5000 || samples[80] != 10_000 || samples[919] != 10_000 {
		t.Errorf("%d %d %d", samples[0], samples[40], samples[999])
	}
	short := []int16{9, 9, 9}
	Fade(short, 80)
	if short[0] != 0 || short[1] != 9 || short[2] != 0 {
		t.Errorf("%v", short)
	}
	Fade(nil, 80)
}

func TestGain(t *testing.T) {
	loud := EncodeAll(Sine(Rate, -20, 700), ULaw)
	quiet := Gain(loud, -3)
	if got := DBFS(RMS(DecodeAll(quiet, ULaw))); math.Abs(got+23) > 0.2 {
		t.Errorf("%.2f dBFS, want -23", got)
	}
	if got := DBFS(RMS(DecodeAll(loud, ULaw))); math.Abs(got+20) > 0.2 {
		t.Errorf("the original is at %.2f dBFS now", got)
	}
}
