package speech

import (
	"time"

	"switchboard/internal/audio"
)

// The bounds of a segment for an engine that takes pieces (docs/reference/speech.md, Segments).
const (
	MinSegment   = 2 * time.Second
	MaxSegment   = 20 * time.Second
	segmentPause = 600 * time.Millisecond // of silence ends a segment that is long enough
	segmentLead  = 300 * time.Millisecond // of silence is kept before the first word
	quietest     = 200.0                  // RMS below which nobody speaks: -44 dB below full scale
	aboveNoise   = 2.8                    // times as loud as the noise is speech: 9 dB
	loudestNoise = 520.0                  // RMS; what is louder by that much is speech in any case: -36 dB
)

// segment is a stretch of a leg in which somebody spoke.
type segment struct {
	at  time.Duration
	pcm []int16
}

// cutter cuts a leg into segments by its energy, in frames of 20 ms.
type cutter struct {
	rate  int
	at    time.Duration // of pcm
	pcm   []int16
	noise float64
	spoke bool          // there is speech in pcm
	quiet time.Duration // since the last of it
}

func (c *cutter) length() time.Duration {
	return time.Duration(len(c.pcm)) * time.Second / time.Duration(c.rate)
}

// add takes a piece and gives the segments that end with it.
func (c *cutter) add(p piece) (done []segment) {
	if p.fresh {
		done = append(done, c.flush()...)
		c.at = p.at
	}
	frame := c.rate / 50
	for rest := p.pcm; len(rest) > 0; {
		n := min(frame, len(rest))
		done = append(done, c.frame(rest[:n])...)
		rest = rest[n:]
	}
	return done
}

func (c *cutter) frame(pcm []int16) []segment {
	length := time.Duration(len(pcm)) * time.Second / time.Duration(c.rate)
	c.pcm = append(c.pcm, pcm...)
	rms := audio.RMS(pcm)
	noise := c.noise
	c.noise = min(rms, loudestNoise, max(1, c.noise*1.002)) // it may have become louder: twice as loud in 7 seconds
	if rms > max(quietest, aboveNoise*noise) {
		c.spoke, c.quiet = true, 0
	} else {
		c.quiet += length
	}
	switch {
	case !c.spoke:
		c.skip(c.length() - segmentLead)
	case c.length() >= MaxSegment, c.quiet >= segmentPause && c.length() >= MinSegment:
		return c.flush()
	}
	return nil
}

// skip forgets the beginning of what nobody spoke in.
func (c *cutter) skip(length time.Duration) {
	if n := int(length * time.Duration(c.rate) / time.Second); n > 0 {
		c.pcm = append(c.pcm[:0], c.pcm[n:]...)
		c.at += time.Duration(n) * time.Second / time.Duration(c.rate)
	}
}

// flush ends the segment.
func (c *cutter) flush() []segment {
	s := segment{c.at, c.pcm}
	spoke := c.spoke
	c.at += c.length()
	c.pcm, c.spoke, c.quiet = nil, false, 0
	if !spoke {
		return nil
	}
	return []segment{s}
}
