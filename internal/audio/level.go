package audio

import "math"

// Levels we render to, in dB below a full-scale 16-bit sample (docs/reference/prompts.md).
const (
	SpeechLevel = -22.0 // RMS while somebody speaks (RFC 7874, section 4)
	MusicLevel  = -25.0 // RMS of hold music
	PeakLevel   = -6.0  // no sample is louder

	// A full-scale mu-law sine is +3.17 dBm0 and -3.01 dBFS RMS (ITU-T G.711), hence this for 0 dBm0.
	dbm0AtFullScale = 6.15
	fullScale       = 32768.0

	levelFrame = Rate / 50 // speech activity is judged in frames of 20 ms
	activeBand = 25.0      // dB below the loudest frame that still counts as speech
)

// RMS is the root mean square of samples, 0 for none.
func RMS(samples []int16) float64 {
	if len(samples) == 0 {
		return 0
	}
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(samples)))
}

// DBFS is an RMS value in dB below full scale; silence is -Inf.
func DBFS(rms float64) float64 { return 20 * math.Log10(rms/fullScale) }

// DBm0 is an RMS value on the scale of telephone lines; silence is -Inf.
func DBm0(rms float64) float64 { return DBFS(rms) + dbm0AtFullScale }

// ActiveRMS is the RMS of the frames in which somebody speaks: those within 25 dB of the loudest.
func ActiveRMS(samples []int16) float64 {
	var loudest float64
	for at := 0; at < len(samples); at += levelFrame {
		loudest = max(loudest, RMS(samples[at:min(at+levelFrame, len(samples))]))
	}
	floor := loudest / math.Pow(10, activeBand/20)
	var sum float64
	var n int
	for at := 0; at < len(samples); at += levelFrame {
		frame := samples[at:min(at+levelFrame, len(samples))]
		if r := RMS(frame); r > 0 && r >= floor {
			sum += r * r * float64(len(frame))
			n += len(frame)
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / float64(n))
}

// Peak is the largest magnitude among samples.
func Peak(samples []int16) int {
	peak := 0
	for _, s := range samples {
		peak = max(peak, int(s), -int(s))
	}
	return peak
}

// Level brings samples to an active level in dBFS, in place. Peaks that would pass PeakLevel are rounded off.
func Level(samples []int16, dbfs float64) {
	rms := ActiveRMS(samples)
	if rms == 0 {
		return
	}
	gain := fullScale * math.Pow(10, dbfs/20) / rms
	for i, s := range samples {
		samples[i] = soften(float64(s) * gain)
	}
}

// soften leaves samples alone up to half the allowed peak and bends what is above, so that it never passes it.
func soften(v float64) int16 {
	limit := fullScale * math.Pow(10, PeakLevel/20) * 0.98 // the last step of mu-law is coarse: stay below it
	knee := limit / 2
	switch {
	case v > knee:
		v = knee + (limit-knee)*math.Tanh((v-knee)/(limit-knee))
	case v < -knee:
		v = -knee + (limit-knee)*math.Tanh((v+knee)/(limit-knee))
	}
	return int16(math.Round(v))
}

// Trim cuts the silence off both ends, more than 40 dB below the loudest frame, and leaves margin samples of it.
func Trim(samples []int16, margin int) []int16 {
	var loudest float64
	for at := 0; at < len(samples); at += levelFrame {
		loudest = max(loudest, RMS(samples[at:min(at+levelFrame, len(samples))]))
	}
	first, last := len(samples), 0
	for at := 0; at < len(samples); at += levelFrame {
		end := min(at+levelFrame, len(samples))
		if RMS(samples[at:end]) > loudest/100 {
			first, last = min(first, at), end
		}
	}
	if first >= last {
		return nil
	}
	return samples[max(0, first-margin):min(len(samples), last+margin)]
}

// ToneRMS is the RMS of the part of samples that has this frequency in Hz (Goertzel's filter over all of them).
func ToneRMS(samples []int16, hz float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	coefficient := 2 * math.Cos(2*math.Pi*hz/Rate)
	var s1, s2 float64
	for _, s := range samples {
		s1, s2 = float64(s)+coefficient*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	return math.Sqrt(2*max(0, power)) / float64(len(samples))
}
