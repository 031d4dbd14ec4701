package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

const (
	maxStep    = 3000 // RFC 3550, A.1: a jump of more sequence numbers is another stream
	lateWindow = 100  // packets that may still come out of order

	keyMemory = 5 * 8000 // in timestamp units: an older key press is a stray repetition of one already told
)

// receiver is what a port knows of the stream that comes in. All of it is guarded by mu.
type receiver struct {
	mu         sync.Mutex
	latch      latch
	flowing    bool
	ssrc       uint32
	highest    uint16
	keys       keys
	quietSince int64 // ns on the pool's clock
	warned     bool
	stats      Stats // the receiving half
}

// kind of thing a datagram turned out to be.
type arrival uint8

const (
	dropped arrival = iota
	speech
	keyPacket
	keyPress
)

func (pt *Port) receive() {
	buf := make([]byte, MaxPacket+1) // one more, so that a longer datagram is seen to be
	for {
		n, from, err := pt.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier send; the next read waits
		}
		pt.take(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

// take handles one datagram; it is free to change it.
func (pt *Port) take(b []byte, from netip.AddrPort) {
	now := pt.pool.now()
	t := pt.terms.Load()
	p, what, digit := pt.judge(b, from, t, now)
	switch what {
	case speech:
		law, _ := t.lawOf(p.kind)
		if r := pt.recorder.Load(); r != nil {
			r.tap(b[p.start:p.end], p.stamp, law, now)
		}
		if end := pt.tape.Load(); end != nil {
			end.frames.tap(b[p.start:p.end], p.stamp, law, now)
		}
		if end := pt.ear.Load(); end != nil {
			end.frames.tap(b[p.start:p.end], p.stamp, law, now)
		}
		if peer := pt.peer.Load(); peer != nil {
			peer.out.relay(b, p, law, now)
		}
	case keyPress, keyPacket:
		if peer := pt.peer.Load(); peer != nil {
			peer.out.skip(p)
		}
		if what == keyPress {
			pt.pressed(digit, byRTP)
		}
	}
}

// judge decides under the lock what a datagram is, and counts it.
func (pt *Port) judge(b []byte, from netip.AddrPort, t *terms, now int64) (p packet, what arrival, digit byte) {
	in := &pt.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if isRTCP(b) {
		in.stats.RTCP++
		return p, dropped, 0
	}
	p, ok := parsePacket(b)
	if !ok {
		in.stats.Malformed++
		return p, dropped, 0
	}
	ok, moved := in.latch.admit(from, p.ssrc, now)
	if !ok {
		in.stats.Strangers++
		return p, dropped, 0
	}
	if moved {
		pt.out.aim(from)
	}
	in.quietSince, in.warned = now, false
	in.stats.Received++
	in.count(p)
	_, isSpeech := t.lawOf(p.kind)
	switch {
	case !t.speaks:
		in.stats.Discarded++
	case isSpeech && p.start < p.end:
		return p, speech, 0
	case t.isEvent(p.kind):
		if digit, ok = in.keys.press(p.ssrc, p.stamp, b[p.start:p.end]); ok {
			in.stats.Digits++
			return p, keyPress, digit
		}
		return p, keyPacket, 0
	default:
		in.stats.Discarded++ // comfort noise, or a codec nobody agreed on
	}
	return p, dropped, 0
}

// count keeps the number of packets that never came.
func (in *receiver) count(p packet) {
	step := int(int16(p.seq - in.highest))
	switch {
	case !in.flowing || p.ssrc != in.ssrc || step > maxStep || step < -lateWindow:
		in.flowing, in.ssrc, in.highest = true, p.ssrc, p.seq
	case step > 0:
		in.stats.Lost += uint64(step - 1)
		in.highest = p.seq
	case step < 0 && in.stats.Lost > 0:
		in.stats.Lost-- // it was only late
	}
}

// keys tells presses apart: every packet of one carries the same timestamp, and the last is sent three times (RFC 4733,
// 2.5).
type keys struct {
	some  bool
	ssrc  uint32
	stamp uint32
	digit byte
}

const keyNames = "0123456789*#"

// press gives the digit when this packet is the first that is seen of a press.
func (k *keys) press(ssrc, stamp uint32, payload []byte) (digit byte, first bool) {
	if len(payload) < 4 || int(payload[0]) >= len(keyNames) {
		return 0, false
	}
	digit = keyNames[payload[0]]
	age := int32(k.stamp - stamp)
	if k.some && k.ssrc == ssrc && age >= 0 && age < keyMemory {
		return 0, false
	}
	// A press longer than 0xffff units goes on under a later timestamp (RFC 4733, 2.5.1.3).
	goesOn := k.some && k.ssrc == ssrc && age == -0xffff && k.digit == digit
	*k = keys{some: true, ssrc: ssrc, stamp: stamp, digit: digit}
	return digit, !goesOn
}
