package audio

import (
	"errors"
	"fmt"
	"math"
)

const (
	minRate = 4000
	maxRate = 192000

	sincLobes  = 16  // to each side, at the lower of the two rates
	passBand   = 0.9 // of the lower rate's half: what is above would fold back
	kaiserBeta = 8.0 // about 80 dB down outside the band
	maxPhases  = 320 // 11,025 Hz, the oddest usual rate, needs as many
)

// ErrRate says that a sampling rate cannot be brought to 8 kHz: it is out of range or no usual one.
var ErrRate = errors.New("sampling rate not usable")

// Resample brings sound to 8 kHz by a polyphase filter. Rates are 4,000 to 192,000 Hz with a common divisor with 8,000
// of 25 or more, as all usual ones have; others are ErrRate. For use when files are loaded, never during a call.
func Resample(s Sound) ([]int16, error) {
	if s.Rate == Rate {
		return s.Samples, nil
	}
	if s.Rate < minRate || s.Rate > maxRate {
		return nil, fmt.Errorf("%w: %d Hz", ErrRate, s.Rate)
	}
	divisor := gcd(s.Rate, Rate)
	up, down := Rate/divisor, s.Rate/divisor
	if up > maxPhases {
		return nil, fmt.Errorf("%w: %d Hz", ErrRate, s.Rate)
	}
	filters, half := phases(up, s.Rate)
	out := make([]int16, int(int64(len(s.Samples))*int64(up)/int64(down)))
	for i := range out {
		at, phase := i*down/up, i*down%up
		var v float64
		for k, c := range filters[phase] {
			if j := at + k - half + 1; j >= 0 && j < len(s.Samples) {
				v += c * float64(s.Samples[j])
			}
		}
		out[i] = int16(math.Round(max(-fullScale, min(fullScale-1, v))))
	}
	return out, nil
}

// phases makes one filter for each position that an output sample can have between two input samples.
func phases(up, rate int) (filters [][]float64, half int) {
	band := passBand * min(1, float64(Rate)/float64(rate))
	half = int(math.Ceil(sincLobes * max(1, float64(rate)/Rate)))
	for phase := range up {
		filter, sum := make([]float64, 2*half), 0.0
		for k := range filter {
			x := float64(k-half+1) - float64(phase)/float64(up)
			filter[k] = band * sinc(band*x) * kaiser(x/float64(half))
			sum += filter[k]
		}
		for k := range filter {
			filter[k] /= sum
		}
		filters = append(filters, filter)
	}
	return filters, half
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel0(kaiserBeta*math.Sqrt(1-x*x)) / bessel0(kaiserBeta)
}

// bessel0 is the modified Bessel function of order zero, by its series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / 2 / k * (x / 2 / k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
