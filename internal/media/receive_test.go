package media

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/audio"
)

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestLatch(t *testing.T) {
	said, nat, thief := ap("10.0.0.7:4000"), ap("203.0.113.9:31000"), ap("198.51.100.66:5555")
	const ms = 1_000_000
	var l latch
	want := func(from netip.AddrPort, ssrc uint32, at int64, ok bool) {
		t.Helper()
		if got, _ := l.admit(from, ssrc, at); got != ok {
			t.Errorf("packet from %s at %d ms: %v", from, at/ms, got)
		}
	}
	want(said, 1, 0, false) // before any SDP nobody is the far side
	l.renew(said)
	if l.target() != said {
		t.Errorf("target %s", l.target())
	}
	for i := range int64(LatchPackets - 1) {
		want(nat, 1, i*20*ms, false)
	}
	want(thief, 2, 90*ms, false) // begins the count anew
	want(nat, 1, 100*ms, false)
	for i := range int64(LatchPackets - 2) {
		want(nat, 1, (120+i*20)*ms, false)
	}
	want(nat, 1, 300*ms, true)
	if l.target() != nat {
		t.Errorf("target %s", l.target())
	}
	for i := range int64(2 * LatchPackets) {
		want(thief, 2, (400+i)*ms, false)
	}
	want(said, 1, 500*ms, true) // the SDP's own address always wins
	want(nat, 1, 510*ms, false)
	l.renew(said) // a session refresh
	if l.target() != said {
		t.Errorf("target %s after refresh", l.target())
	}
	l.renew(ap("0.0.0.0:4000"))
	if l.target() != said {
		t.Errorf("target %s on hold", l.target())
	}
	l.renew(ap("10.0.0.8:4000"))
	want(ap("10.0.0.8:31111"), 1, 600*ms, true) // another port of the same address: symmetric NAT
	want(ap("10.0.0.8:31112"), 1, 610*ms, false)
	want(ap("10.0.0.8:4000"), 1, 620*ms, true)
}

func TestLatchCountsWithinItsWindowOnly(t *testing.T) {
	var l latch
	l.renew(ap("10.0.0.7:4000"))
	for i := range int64(20) {
		if ok, _ := l.admit(ap("203.0.113.9:31000"), 1, i*latchWindow/3); ok {
			t.Fatal("latched on packets that come too slowly")
		}
	}
}

func TestStrangersAreDroppedAndCounted(t *testing.T) {
	x, y, px, _, _, _ := pair(t, audio.ULaw, audio.ULaw)
	x.say(audio.Sine(frameSize, -20, 400))
	y.hear(1)
	thief := newPhone(t, audio.ULaw)
	thief.port = x.port
	thief.ssrc = 99
	for range 3 * LatchPackets {
		thief.say(audio.Sine(frameSize, -10, 400))
	}
	eventually(t, "strangers counted", func() bool { return px.Stats().Strangers == 3*LatchPackets })
	if got := px.Stats(); got.Received != 1 || got.Dropped() != 3*LatchPackets {
		t.Errorf("received %d, dropped %d", got.Received, got.Dropped())
	}
}

func TestReInviteMovesTheTarget(t *testing.T) {
	x, _, px, _, _, _ := pair(t, audio.ULaw, audio.ULaw)
	x.say(audio.Sine(frameSize, -20, 400))
	moved := newPhone(t, audio.ULaw)
	moved.call(px)
	px.Play([][]byte{audio.Beep()}, nil)
	got, _ := moved.hear(20)
	wantTone(t, got, 1000, audio.SpeechLevel)
}

func TestKeyIsToldOnceAndRegenerated(t *testing.T) {
	x, y, _, py, ex, _ := pair(t, audio.ULaw, audio.ULaw)
	y.event = 97 // the other phone has another payload type
	if err := py.Complete(y.sdp()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []byte("59*0#") {
		x.press(key)
		<-ex.heard
	}
	if got := ex.pressed(); got != "59*0#" {
		t.Errorf("told %q", got)
	}
	var keys []byte
	ends := 0
	var last uint32
	var previous heard
	for ends < 5*eventEnds {
		h := y.next()
		if h.kind != y.event {
			t.Fatalf("payload type %d", h.kind)
		}
		if len(keys) > 0 && h.seq != previous.seq+1 {
			t.Errorf("sequence %d after %d", h.seq, previous.seq)
		}
		if len(keys) == 0 || h.stamp != last {
			if !h.marker {
				t.Error("a key begins without marker")
			}
			keys, last = append(keys, keyNames[h.payload[0]]), h.stamp
		}
		if h.payload[1]&0x80 != 0 {
			ends++
			if h.payload[2] != 3 || h.payload[3] != 0x20 {
				t.Errorf("key lasts % x", h.payload[2:])
			}
		}
		previous = h
	}
	if string(keys) != "59*0#" {
		t.Errorf("the other phone got %q", keys)
	}
}

func TestKeyPressesByPacket(t *testing.T) {
	payload := func(code byte, duration uint16) []byte { return []byte{code, 10, byte(duration >> 8), byte(duration)} }
	var k keys
	for i, c := range []struct {
		ssrc, stamp uint32
		payload     []byte
		digit       byte
		first       bool
	}{
		{1, 1000, payload(5, 160), '5', true},
		{1, 1000, payload(5, 320), 0, false},
		{1, 3000, payload(5, 160), '5', true},
		{1, 1000, payload(5, 480), 0, false},                    // a late end of the first
		{1, 3000 + 0xffff, payload(5, 160), '5', false},         // a very long press goes on
		{1, 3000 + 2*0xffff, payload(12, 160), 0, false},        // A
		{1, 3000 + 2*0xffff, payload(11, 160), '#', true},       // never mind the A
		{1, 3000 + 2*0xffff, []byte{1, 2, 3}, 0, false},         // short
		{2, 100_000, payload(10, 160), '*', true},               // another source begins anew
		{2, 100_000 - keyMemory + 1, payload(1, 160), 0, false}, // too old to be new
		{2, 100_000 - keyMemory, payload(1, 160), '1', true},    // a clock set back
	} {
		digit, first := k.press(c.ssrc, c.stamp, c.payload)
		if first != c.first || first && digit != c.digit {
			t.Errorf("packet %d: %q %v", i, digit, first)
		}
	}
}

func TestKeyToldByInfoAndByRTPCountsOnce(t *testing.T) {
	const ms = 1_000_000
	var w twice
	for i, c := range []struct {
		digit    byte
		by       keySource
		at       int64
		repeated bool
	}{
		{'7', byRTP, 0, false},
		{'7', bySIP, 30 * ms, true},
		{'7', bySIP, 200 * ms, false},
		{'7', byRTP, 230 * ms, true}, // a second press, the other way first
		{'8', byRTP, 300 * ms, false},
		{'9', bySIP, 310 * ms, false},
		{'9', bySIP, 400 * ms, false}, // twice by the same way is two presses
		{'9', byRTP, 400*ms + doubleWindow, false},
		{'9', bySIP, 400*ms + 2*doubleWindow - 1, true},
	} {
		if got := w.repeated(c.digit, c.by, c.at); got != c.repeated {
			t.Errorf("press %d: repeated %v", i, got)
		}
	}
}

func TestKeyByInfoGoesTheSameWay(t *testing.T) {
	_, y, px, _, ex, _ := pair(t, audio.ULaw, audio.ULaw)
	for _, key := range []byte("8A1") {
		px.InfoDigit(key)
	}
	if got := ex.pressed(); got != "81" {
		t.Errorf("told %q", got)
	}
	if h := y.next(); h.kind != y.event || h.payload[0] != 8 {
		t.Errorf("the other phone got type %d, % x", h.kind, h.payload)
	}
}

func TestSendDigitKeepsItsBound(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	pt.SendDigit('1')
	if len(pt.out.digits) != 0 {
		t.Error("a key waits for a far side that takes none")
	}
	pt.out.event = 101
	pt.out.active = true // off the clock, so that none is sent
	for range MaxDigits + 1 {
		pt.SendDigit('1')
	}
	pt.SendDigit('x')
	if got := len(pt.out.digits); got != MaxDigits {
		t.Errorf("%d keys wait, want %d", got, MaxDigits)
	}
}

func TestHeldPhonesNeitherSendNorGet(t *testing.T) {
	x, y, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
	x.call(px, "a=inactive\r\n")
	x.say(audio.Sine(5*frameSize, -20, 400))
	y.say(audio.Sine(5*frameSize, -20, 400))
	eventually(t, "packets dropped", func() bool { return px.Stats().Discarded == 5 && px.Stats().Withheld == 5 })
	if sent := px.Stats().Sent + py.Stats().Sent; sent != 0 {
		t.Errorf("%d packets passed a held leg", sent)
	}
	x.call(px)
	x.say(audio.Sine(20*frameSize, -20, 400))
	got, _ := y.hear(20)
	wantTone(t, got, 400, -20)
}

func TestSilenceIsToldOnceAndNotOnHold(t *testing.T) {
	p := newPool(t, PoolConfig{Silence: 40 * time.Millisecond})
	e := newEars()
	px, py := openPort(t, p, e), openPort(t, p, nil)
	x, y := newPhone(t, audio.ULaw), newPhone(t, audio.ULaw)
	x.call(px)
	y.call(py, "a=sendonly\r\n")
	if px.silentAt(p.now() + int64(time.Hour)) {
		t.Error("silence of a leg that is not connected")
	}
	px.Connect(py)
	<-e.heard
	if px.silentAt(p.now() + int64(time.Hour)) {
		t.Error("one silence told twice")
	}
	if py.silentAt(p.now() + int64(time.Hour)) {
		t.Error("silence of a leg on hold")
	}
	x.say(audio.Sine(frameSize, -20, 400))
	<-e.heard // and again after it spoke
}

func TestMalformedPacketsAreCounted(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	x := newPhone(t, audio.ULaw)
	x.call(pt)
	for _, b := range [][]byte{
		{},
		{0x80},
		make([]byte, headerSize),
		{0x8f, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},
		{0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 9},
		{0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7},
		{0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		append(x.packet(0, 0, nil), make([]byte, MaxPacket)...),
	} {
		x.send(b)
	}
	x.send([]byte{0x80, 200, 0, 6, 1, 2, 3, 4})
	x.send(x.packet(13, 0, []byte{60}))                           // comfort noise
	x.send(x.packet(0, 0, make([]byte, MaxPacket-headerSize)))    // the longest that is taken
	x.send(append([]byte{0x81, 0, 0, 9}, make([]byte, 12+10)...)) // one CSRC
	eventually(t, "all counted", func() bool { s := pt.Stats(); return s.Received == 3 && s.Malformed == 8 })
	if s := pt.Stats(); s.RTCP != 1 || s.Discarded != 1 {
		t.Errorf("RTCP %d, discarded %d", s.RTCP, s.Discarded)
	}
}

func TestLossIsCounted(t *testing.T) {
	var in receiver
	for _, seq := range []uint16{65534, 65535, 2, 1, 3, 3 + maxStep + 1, 5 + maxStep} {
		in.count(packet{seq: seq, ssrc: 1})
	}
	in.count(packet{seq: 77, ssrc: 2})
	if in.stats.Lost != 1 { // 0 of 0, 1; after the leap another stream begins, whose first neighbour follows
		t.Errorf("lost %d", in.stats.Lost)
	}
}

func TestRelayAllocatesNothing(t *testing.T) {
	x, _, px, _, _, _ := pair(t, audio.ULaw, audio.ALaw)
	b := x.packet(0, x.stamp, make([]byte, frameSize))
	work := make([]byte, len(b))
	seq := uint16(0)
	allocations := testing.AllocsPerRun(1000, func() {
		copy(work, b)
		seq++
		work[2], work[3] = byte(seq>>8), byte(seq)
		work[4], work[5], work[6], work[7] = 0, byte(seq>>8), byte(seq), 0
		px.take(work, x.addr())
	})
	if allocations != 0 {
		t.Errorf("%v allocations a packet", allocations)
	}
	if s := px.peer.Load().Stats(); s.Sent < 1000 {
		t.Errorf("only %d packets were relayed", s.Sent)
	}
}

func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3}, false)
	f.Add([]byte{0x80, 101, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 5, 10, 0, 160}, true)
	f.Add([]byte{0xb1, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 0xbe, 0xde, 0, 0, 1, 1}, true)
	f.Add([]byte{0x80, 200, 0, 1}, false)
	p := newPool(f, PoolConfig{})
	var pressed atomic.Int64
	px, py := openPort(f, p, counter{&pressed}), openPort(f, p, nil)
	x, y := newPhone(f, audio.ULaw), newPhone(f, audio.ALaw)
	x.call(px)
	y.call(py)
	px.Connect(py)
	px.take(x.packet(0, 0, make([]byte, frameSize)), x.addr()) // from here on nobody else is let in
	f.Fuzz(func(t *testing.T, b []byte, stranger bool) {
		from := x.addr()
		if stranger {
			from = ap("192.0.2.1:9")
		}
		before := px.Stats()
		px.take(append([]byte(nil), b...), from)
		after := px.Stats()
		if got := after.Received + after.Malformed + after.RTCP + after.Strangers; got !=
			before.Received+before.Malformed+before.RTCP+before.Strangers+1 {
			t.Errorf("% x was counted %d times", b, got)
		}
		if stranger && after.Received != before.Received {
			t.Error("a stranger was heard")
		}
	})
}

type counter struct{ n *atomic.Int64 }

func (c counter) Digit(byte) { c.n.Add(1) }
func (c counter) Silent()    {}
