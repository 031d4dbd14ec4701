package media

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
)

// Handler hears what happens on a port, from goroutines of the pool that must not be blocked.
type Handler interface {
	Digit(d byte) // the far side pressed one of 0-9 * #; once a press
	Silent()      // nothing came for SilenceLimit while connected to another port and not on hold; once a silence
}

type nobody struct{}

func (nobody) Digit(byte) {}
func (nobody) Silent()    {}

// Stats counts packets of one leg, or of all.
type Stats struct {
	Sent       uint64
	Received   uint64 // from the far side itself
	Lost       uint64 // on their way to us, by sequence numbers
	Digits     uint64 // key presses by RTP
	Strangers  uint64 // dropped: from an address that is not the far side's
	Malformed  uint64 // dropped: no RTP
	RTCP       uint64 // dropped: we take none
	Discarded  uint64 // dropped: comfort noise, a payload type nobody agreed on, or sound while on hold
	Withheld   uint64 // relayed to nobody: the other leg hears a prompt, is on hold, or has no address yet
	Late       uint64 // dropped: duplicates, and packets too late for their place
	SendErrors uint64
}

// Dropped is the number of packets that came and went nowhere by intent.
func (s Stats) Dropped() uint64 {
	return s.Strangers + s.Malformed + s.RTCP + s.Discarded + s.Withheld + s.Late
}

func (s *Stats) add(o Stats) {
	s.Sent += o.Sent
	s.Received += o.Received
	s.Lost += o.Lost
	s.Digits += o.Digits
	s.Strangers += o.Strangers
	s.Malformed += o.Malformed
	s.RTCP += o.RTCP
	s.Discarded += o.Discarded
	s.Withheld += o.Withheld
	s.Late += o.Late
	s.SendErrors += o.SendErrors
}

// Port is the media end of one leg. All methods may be called from any goroutine; after Close they do nothing.
type Port struct {
	pool    *Pool
	conn    *net.UDPConn
	local   netip.AddrPort
	number  int // in the pool's range, 0 without one
	handler Handler

	negotiating sync.Mutex // guards the SDP fields
	sdpID       uint64
	sdpVersion  uint64
	sdpSaid     string
	facing      netip.Addr

	terms    atomic.Pointer[terms]
	peer     atomic.Pointer[Port]
	recorder atomic.Pointer[recorder]
	tape     atomic.Pointer[tapeEnd]
	ear      atomic.Pointer[earEnd]
	closed   atomic.Bool
	in       receiver
	out      sender
	twice    twice
}

// Law is the coding in which we send to the far side; mu-law before anything was agreed.
func (pt *Port) Law() Law { return pt.terms.Load().law }

// Held tells whether one side has put the other on hold by SDP.
func (pt *Port) Held() bool {
	t := pt.terms.Load()
	return t.present && t.held()
}

// Local is the address on which the port receives.
func (pt *Port) Local() netip.AddrPort { return pt.local }

// Connect lets the far sides of two ports hear each other, and stops what either heard. Ports connected elsewhere are
// disconnected there first.
func (pt *Port) Connect(other *Port) {
	if pt == other {
		panic("media: port connected to itself")
	}
	pt.pool.bridges.Lock()
	defer pt.pool.bridges.Unlock()
	pt.unlink()
	other.unlink()
	if pt.closed.Load() || other.closed.Load() {
		return
	}
	for _, end := range [...]*Port{pt, other} {
		end.Silence()
		end.in.mu.Lock()
		end.in.quietSince, end.in.warned = pt.pool.now(), false
		end.in.mu.Unlock()
	}
	pt.peer.Store(other)
	other.peer.Store(pt)
}

// Disconnect ends a connection, both ways. Without one it does nothing.
func (pt *Port) Disconnect() {
	pt.pool.bridges.Lock()
	defer pt.pool.bridges.Unlock()
	pt.unlink()
}

// unlink needs the pool's bridges lock.
func (pt *Port) unlink() {
	if peer := pt.peer.Swap(nil); peer != nil {
		peer.peer.Store(nil)
	}
}

func (pt *Port) silentAt(now int64) bool {
	if pt.peer.Load() == nil || pt.Held() {
		return false
	}
	pt.in.mu.Lock()
	defer pt.in.mu.Unlock()
	if pt.in.warned || now-pt.in.quietSince < int64(pt.pool.silence) {
		return false
	}
	pt.in.warned = true
	return true
}

// Stats counts what passed this port.
func (pt *Port) Stats() Stats {
	pt.in.mu.Lock()
	sum := pt.in.stats
	pt.in.mu.Unlock()
	pt.out.mu.Lock()
	sum.add(pt.out.stats)
	pt.out.mu.Unlock()
	return sum
}

// Close ends the leg: its connection, its recording, its socket. A Play in progress does not report.
func (pt *Port) Close() {
	pt.pool.bridges.Lock()
	first := !pt.closed.Swap(true)
	pt.unlink()
	pt.pool.bridges.Unlock()
	if !first {
		return
	}
	pt.StopRecord()
	if end := pt.tape.Load(); end != nil {
		end.tape.Stop()
	}
	if end := pt.ear.Load(); end != nil {
		end.ear.Stop()
	}
	pt.out.mu.Lock()
	pt.out.player.stop()
	pt.out.digits = nil
	pt.out.outlet.shut() // before another socket can have its number
	pt.out.mu.Unlock()
	pt.conn.Close()
	pt.pool.forget(pt)
}

// Ways in which a key press reaches us.
type keySource uint8

const (
	byNone keySource = iota
	byRTP
	bySIP
)

// doubleWindow is how far apart, in ns, the two tellings of one press may come from a phone that sends it both ways.
const doubleWindow = 500_000_000

// twice finds presses that a phone tells by RTP and by SIP INFO.
type twice struct {
	mu    sync.Mutex
	digit byte
	by    keySource
	at    int64
}

func (w *twice) repeated(digit byte, by keySource, now int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	again := w.by != byNone && w.by != by && w.digit == digit && now-w.at < doubleWindow
	w.digit, w.by, w.at = digit, by, now
	if again {
		w.by = byNone
	}
	return again
}

// InfoDigit takes a key press of the far side that came outside RTP, by SIP INFO; it then goes the same way. One that
// the phone also told by RTP counts once. Anything but 0-9 * # is ignored.
func (pt *Port) InfoDigit(d byte) {
	if strings.IndexByte(keyNames, d) >= 0 && !pt.closed.Load() {
		pt.pressed(d, bySIP)
	}
}

// pressed passes a key on: # ends a recording and goes no further.
func (pt *Port) pressed(d byte, by keySource) {
	if pt.twice.repeated(d, by, pt.pool.now()) {
		return
	}
	if d == '#' && pt.stopRecord() {
		return
	}
	if peer := pt.peer.Load(); peer != nil {
		peer.SendDigit(d)
	}
	pt.handler.Digit(d)
}

// SendDigit presses a key towards the far side, by telephone-event; a far side without it is sent nothing. Anything
// but 0-9 * #, and keys past MaxDigits waiting, are ignored.
func (pt *Port) SendDigit(d byte) {
	s := &pt.out
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.IndexByte(keyNames, d) < 0 || s.event == noType || len(s.digits) >= MaxDigits || pt.closed.Load() {
		return
	}
	s.digits = append(s.digits, d)
	pt.wind()
}
