package audio

import (
	"math"
	"sync"
)

const (
	ringbackOn, ringbackOff = 2 * Rate, 4 * Rate // samples
	beepLength              = Rate * 2 / 5
	beepHz                  = 1000
	toneFade                = Rate / 200 // 5 ms: a tone that starts at once clicks
)

// Sine renders a tone of one or more frequencies in Hz, dbfs RMS in all, with soft ends.
func Sine(samples int, dbfs float64, hz ...float64) []int16 {
	out := make([]int16, samples)
	amplitude := fullScale * math.Pow(10, dbfs/20) * math.Sqrt2 / math.Sqrt(float64(len(hz)))
	for i := range out {
		var v float64
		for _, f := range hz {
			v += math.Sin(2 * math.Pi * f * float64(i) / Rate)
		}
		edge := min(float64(i), float64(samples-1-i))
		out[i] = int16(math.Round(amplitude * v * min(1, edge/toneFade)))
	}
	return out
}

// Ringback is one period, mu-law, of what a caller hears while a phone rings: 440 and 480 Hz, 2 s of 6.
var Ringback = sync.OnceValue(func() []byte {
	out := EncodeAll(Sine(ringbackOn, SpeechLevel, 440, 480), ULaw)
	return append(out, Pause(ringbackOff)...)
})

// Beep is the tone, mu-law, after which a caller speaks: 1 kHz for 400 ms.
var Beep = sync.OnceValue(func() []byte { return EncodeAll(Sine(beepLength, SpeechLevel, beepHz), ULaw) })

// Trouble is what is heard, mu-law, in place of a prompt that nobody has: three short low tones.
var Trouble = sync.OnceValue(func() []byte {
	var out []byte
	for range 3 {
		out = append(out, EncodeAll(Sine(Rate/5, SpeechLevel, 480, 620), ULaw)...)
		out = append(out, Pause(Rate/5)...)
	}
	return out
})

// Pause is that many samples of mu-law silence.
func Pause(samples int) []byte {
	out := make([]byte, samples)
	for i := range out {
		out[i] = ULawSilence
	}
	return out
}
