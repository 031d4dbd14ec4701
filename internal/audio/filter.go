package audio

import "math"

// HighPass takes away what is below hz, in place: hum and rumble that a telephone does not carry (a Butterworth filter
// of second order, for sound at 8 kHz).
func HighPass(samples []int16, hz float64) {
	w := 2 * math.Pi * hz / Rate
	alpha, c := math.Sin(w)/math.Sqrt2, math.Cos(w)
	a0 := 1 + alpha
	b0, b1 := (1+c)/2/a0, -(1+c)/a0
	a1, a2 := -2*c/a0, (1-alpha)/a0
	var x1, x2, y1, y2 float64
	for i, s := range samples {
		x := float64(s)
		y := b0*x + b1*x1 + b0*x2 - a1*y1 - a2*y2
		x1, x2, y1, y2 = x, x1, y, y1
		samples[i] = int16(math.Round(max(-fullScale, min(fullScale-1, y))))
	}
}

// Fade lets samples begin and end in silence, in place, over n samples at each end, so that nothing clicks.
func Fade(samples []int16, n int) {
	n = min(n, len(samples)/2)
	for i := range n {
		gain := float64(i) / float64(n)
		last := len(samples) - 1 - i
		samples[i] = int16(float64(samples[i]) * gain)
		samples[last] = int16(float64(samples[last]) * gain)
	}
}

// Gain makes mu-law sound louder or quieter by dB, as a copy.
func Gain(ulaw []byte, db float64) []byte {
	factor := math.Pow(10, db/20)
	var table [256]byte
	for b := range table {
		v := float64(DecodeULaw(byte(b))) * factor
		table[b] = EncodeULaw(int16(math.Round(max(-fullScale, min(fullScale-1, v)))))
	}
	out := make([]byte, len(ulaw))
	for i, b := range ulaw {
		out[i] = table[b]
	}
	return out
}
