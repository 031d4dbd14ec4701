package media

import (
	"math"
	"sync"

	"switchboard/internal/audio"
)

// Music fades out before a prompt and in after it, in frames of 20 ms (docs/reference/prompts.md).
const (
	fadeSteps   = 40 // in: 800 ms
	fadeOutStep = 4  // out: 200 ms
)

// Track is sound that repeats, shared by all who hear it.
type Track struct {
	ulaw []byte
	fade bool
}

// NewTrack makes a track of mu-law sound at 8 kHz, at least 20 ms of it; it panics for less. The bytes are not to be
// changed afterwards.
func NewTrack(ulaw []byte) *Track {
	if len(ulaw) < frameSize {
		panic("media: track shorter than a frame")
	}
	return &Track{ulaw: ulaw, fade: true}
}

var (
	ringback = sync.OnceValue(func() *Track { return &Track{ulaw: audio.Ringback()} })

	// fades are the mu-law bytes at each step of loudness, from silence up.
	fades = sync.OnceValue(func() *[fadeSteps + 1][256]byte {
		var t [fadeSteps + 1][256]byte
		for step := range t {
			for b := range 256 {
				v := float64(audio.DecodeULaw(byte(b))) * float64(step) / fadeSteps
				t[step][b] = audio.EncodeULaw(int16(math.Round(v)))
			}
		}
		return &t
	})
)

// player is what one far side hears of ours. Guarded by the sender's lock.
type player struct {
	track  *Track // heard now; with clips waiting, it is fading out
	at     int    // in track
	volume int    // 0..fadeSteps
	rest   *Track // where music goes on: the track last heard and its place
	restAt int

	playing bool
	clips   [][]byte
	done    func()
}

func (p *player) busy() bool { return p.playing || p.track != nil }

// stop ends whatever is heard; a Play in progress will not report.
func (p *player) stop() {
	p.dropTrack()
	p.playing, p.clips, p.done = false, nil, nil
}

func (p *player) dropTrack() {
	if p.track != nil && p.track.fade {
		p.rest, p.restAt = p.track, p.at
	}
	p.track = nil
}

func (p *player) play(clips [][]byte, done func()) {
	if p.track != nil && !p.track.fade {
		p.track = nil
	}
	p.playing, p.clips, p.done = true, clips, done
}

func (p *player) loop(t *Track) {
	p.stop()
	p.track, p.at, p.volume = t, 0, fadeSteps
	if t.fade {
		p.volume = 0
	}
	if t == p.rest {
		p.at = p.restAt
	}
}

// frame fills in the next 20 ms, and gives what is to be called when a Play ended with them.
func (p *player) frame(out []byte) (done func()) {
	if p.track != nil {
		p.trackFrame(out)
		return nil
	}
	n := 0
	for n < len(out) && len(p.clips) > 0 {
		k := copy(out[n:], p.clips[0])
		n += k
		if p.clips[0] = p.clips[0][k:]; len(p.clips[0]) == 0 {
			p.clips = p.clips[1:]
		}
	}
	for ; n < len(out); n++ {
		out[n] = audio.ULawSilence
	}
	for len(p.clips) > 0 && len(p.clips[0]) == 0 {
		p.clips = p.clips[1:]
	}
	if len(p.clips) > 0 {
		return nil
	}
	done = p.done
	p.playing, p.done = false, nil
	return done
}

func (p *player) trackFrame(out []byte) {
	n := copy(out, p.track.ulaw[p.at:])
	copy(out[n:], p.track.ulaw)
	if p.at += len(out); p.at >= len(p.track.ulaw) {
		p.at -= len(p.track.ulaw)
	}
	if p.volume < fadeSteps || p.playing {
		table := &fades()[p.volume]
		for i, b := range out {
			out[i] = table[b]
		}
	}
	switch {
	case !p.playing:
		p.volume = min(p.volume+1, fadeSteps)
	case p.volume > fadeOutStep:
		p.volume -= fadeOutStep
	default:
		p.dropTrack()
	}
}

// Play lets the far side hear clips of mu-law at 8 kHz, one after the other, in place of what it hears now; music
// fades out first. done is called only when the last clip ended by itself, from a goroutine that must not be blocked;
// it may be nil.
func (pt *Port) Play(clips [][]byte, done func()) {
	own := append([][]byte(nil), clips...) // the player eats the slice up
	if done == nil {
		done = func() {}
	}
	pt.start(func(p *player) { p.play(own, done) })
}

// Loop repeats a track in place of what the far side hears now, going on where this port stopped listening to it.
func (pt *Port) Loop(track *Track) { pt.start(func(p *player) { p.loop(track) }) }

// Ringback lets the far side hear that a phone rings.
func (pt *Port) Ringback() { pt.start(func(p *player) { p.loop(ringback()) }) }

// Silence stops what we play. A connection goes on.
func (pt *Port) Silence() {
	pt.out.mu.Lock()
	pt.out.player.stop()
	pt.out.mu.Unlock()
}

// start changes the player and puts it on the clock.
func (pt *Port) start(change func(*player)) {
	s := &pt.out
	s.mu.Lock()
	change(&s.player)
	s.mark = true
	pt.wind()
	s.mu.Unlock()
}

// wind puts the sender on the pool's clock. Called with its lock held.
func (pt *Port) wind() {
	if !pt.out.active && !pt.closed.Load() {
		pt.out.active = true
		pt.pool.clock.add(pt)
	}
}
