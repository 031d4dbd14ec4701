package media

import (
	"encoding/binary"
	"net/netip"
	"sync"

	"switchboard/internal/audio"
)

const (
	// MaxDigits is how many key presses can wait to be sent; more are dropped.
	MaxDigits = 16

	eventFrames = 5 // packets of 20 ms while a key is down: 100 ms
	eventEnds   = 3 // times the end is sent (RFC 4733, 2.5.1.4)
	eventGap    = 3 // frames of nothing between two keys
	eventVolume = 10

	saneJump = 10 * audio.Rate // in samples; a relayed timestamp that leaps further is set right by the clock
	lateSend = 10 * frameNanos // a player this late goes on at the present, not where it stopped
)

// sender makes one continuous stream, one SSRC, of whatever a far side hears: phones go mute when those numbers jump.
// All of it is guarded by mu.
type sender struct {
	mu     sync.Mutex
	outlet outlet
	to     netip.AddrPort
	wanted bool // the far side wants to hear
	law    audio.Law
	kind   uint8
	event  int // payload type of telephone-event, noType for none

	ssrc   uint32
	seq    uint16
	stamp  uint32 // of the last packet
	span   uint32 // samples in it
	at     int64  // when it went, ns
	mark   bool   // the next packet begins a talk spurt
	flow   flow
	player player

	digits  []byte
	keyStep int // packets of the current key that went out

	active bool // the pool's clock has this sender on its list
	stats  Stats
}

// flow maps the numbers of the stream being relayed to ours.
type flow struct {
	live  bool
	ssrc  uint32
	seq   uint16 // highest seen
	shift uint32 // to be added to a timestamp
	run   int    // sequence numbers used since the flow began: how late a packet may be
}

func (s *sender) aim(to netip.AddrPort) {
	s.mu.Lock()
	s.to = to
	s.mu.Unlock()
}

func (s *sender) canSend() bool { return s.wanted && s.to.IsValid() }

// relay sends on a datagram of the other leg, in place.
func (s *sender) relay(b []byte, p packet, law audio.Law, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.canSend() || s.player.busy() || len(s.digits) > 0 {
		s.flow.live = false
		s.stats.Withheld++
		return
	}
	samples := uint32(p.end - p.start)
	seq, stamp, marker, ok := s.place(p, now)
	if !ok {
		s.stats.Late++
		return
	}
	audio.Convert(b[p.start:p.end], b[p.start:p.end], law, s.law)
	if seq == s.seq {
		s.span, s.at = samples, now
	}
	frame := b[p.start-headerSize : p.end]
	putHeader(frame, marker, s.kind, seq, stamp, s.ssrc)
	s.write(frame)
}

// place finds the numbers of a relayed packet. Gaps and disorder are kept, so that the far side can tell loss.
func (s *sender) place(p packet, now int64) (seq uint16, stamp uint32, marker, ok bool) {
	f := &s.flow
	step := int(int16(p.seq - f.seq))
	advance := int32(p.stamp + f.shift - s.stamp)
	switch {
	case !f.live || p.ssrc != f.ssrc || step > maxStep || step < -lateWindow,
		step > 0 && (advance <= 0 || advance > saneJump):
		s.next(now)
		*f = flow{live: true, ssrc: p.ssrc, seq: p.seq, shift: s.stamp - p.stamp, run: 1}
		return s.seq, s.stamp, true, true
	case step > 0:
		s.seq += uint16(step)
		s.stamp += uint32(advance)
		f.seq, f.run = p.seq, f.run+step
		return s.seq, s.stamp, p.marker, true
	case step == 0 || -step >= f.run:
		return 0, 0, false, false
	default:
		return s.seq + uint16(step), p.stamp + f.shift, p.marker, true
	}
}

// skip leaves out a packet of the other leg that is not passed on, so that it does not look lost.
func (s *sender) skip(p packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flow.live && p.ssrc == s.flow.ssrc && int16(p.seq-s.flow.seq) > 0 {
		s.flow.seq, s.flow.run = p.seq, 0
	}
}

// next moves to the numbers of a packet that follows the last by the clock.
func (s *sender) next(now int64) {
	elapsed := uint32((now - s.at) / (1_000_000_000 / audio.Rate))
	s.seq++
	s.stamp += max(s.span, elapsed)
}

func (s *sender) write(frame []byte) {
	if !s.outlet.send(frame, s.to) {
		s.stats.SendErrors++
		return
	}
	s.stats.Sent++
}

// tick sends the next 20 ms of what this port plays. idle: there is nothing more, and the sender is off the clock.
func (s *sender) tick(scratch []byte, now int64) (done func(), idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.digits) > 0:
		s.tickKey(scratch, now)
	case s.player.busy():
		frame := scratch[:headerSize+frameSize]
		done = s.player.frame(frame[headerSize:])
		if !s.canSend() {
			break
		}
		if s.mark || s.flow.live || now-s.at > lateSend {
			s.flow.live, s.mark = false, true
			s.next(now)
		} else {
			s.seq++
			s.stamp += s.span
		}
		s.span, s.at = frameSize, now
		audio.Convert(frame[headerSize:], frame[headerSize:], audio.ULaw, s.law)
		putHeader(frame, s.mark, s.kind, s.seq, s.stamp, s.ssrc)
		s.mark = false
		s.write(frame)
	default:
		s.active = false
		return nil, true
	}
	return done, false
}

// tickKey sends the next packet of the first key in line (RFC 4733, 2.3).
func (s *sender) tickKey(scratch []byte, now int64) {
	step := s.keyStep
	s.keyStep++
	if step >= eventFrames+eventEnds {
		if s.keyStep == eventFrames+eventEnds+eventGap {
			s.digits, s.keyStep = s.digits[1:], 0
		}
		return
	}
	if !s.canSend() || s.event == noType {
		s.digits, s.keyStep = nil, 0
		return
	}
	if step == 0 {
		s.next(now) // every packet of a key carries the time it went down
		s.flow.live, s.at, s.mark = false, now, true
	} else {
		s.seq++
	}
	s.span = uint32(min(step+1, eventFrames) * frameSize)
	frame := scratch[:headerSize+4]
	putHeader(frame, step == 0, uint8(s.event), s.seq, s.stamp, s.ssrc)
	frame[headerSize], frame[headerSize+1] = keyCode(s.digits[0]), eventVolume
	if step >= eventFrames {
		frame[headerSize+1] |= 0x80
	}
	binary.BigEndian.PutUint16(frame[headerSize+2:], uint16(s.span))
	s.write(frame)
}

func keyCode(digit byte) byte {
	for i := range len(keyNames) {
		if keyNames[i] == digit {
			return byte(i)
		}
	}
	panic("media: no such key")
}
