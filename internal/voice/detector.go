package voice

import "math"

// The detector's own figures, in dB below a full-scale 16-bit sample. They were set on telephone prompts in white noise
// (docs/reference/voice.md, "Speech or not").
const (
	aboveFloor  = 9.0   // speech is so much louder than the noise
	leastSpeech = -50.0 // nothing quieter is speech
	startFloor  = -48.0 // of the noise, before anything was heard
	highFloor   = -36.0 // louder noise is taken for speech: better than to miss a loud speaker
	silentLevel = -100.0

	floorParts = 8  // the noise is the quietest slot of this many parts
	partSlots  = 40 // of 0.8 s each
)

// detector tells speech from noise in the slots of one leg, by their energy against the quietest of the last seconds: a
// speaker has pauses, noise has none.
type detector struct {
	parts [floorParts]float64
	now   int // the part that is being filled
	slots int // in it
	begun bool
}

// speech judges the next slot of samples.
func (d *detector) speech(pcm []int16) bool {
	level := level(pcm)
	if !d.begun {
		d.begun = true
		for i := range d.parts {
			d.parts[i] = startFloor
		}
		d.parts[0] = level
	}
	if d.slots == partSlots {
		d.now, d.slots = (d.now+1)%floorParts, 0
		d.parts[d.now] = level
	}
	d.slots++
	d.parts[d.now] = min(d.parts[d.now], level)
	floor := d.parts[0]
	for _, part := range d.parts[1:] {
		floor = min(floor, part)
	}
	return level > max(leastSpeech, min(floor, highFloor)+aboveFloor)
}

// level is the energy of samples in dB, without what is constant in them: some phones send an offset.
func level(pcm []int16) float64 {
	var sum, squares int64
	for _, s := range pcm {
		v := int64(s)
		sum += v
		squares += v * v
	}
	n := float64(len(pcm))
	mean := float64(sum) / n
	power := float64(squares)/n - mean*mean
	if power < 1e-2 {
		return silentLevel
	}
	return 10*math.Log10(power) - 90.309 // 20 log10 32768
}
