package media

import "net/netip"

// How a stranger's address is taken for the far side's (symmetric RTP behind a NAT).
const (
	LatchPackets = 5           // in a row from one address and SSRC
	latchWindow  = 500_000_000 // ns within which they must come
)

// latch decides whose packets are the far side's, and where ours go. Packets from the address in the SDP are taken at
// once, from whatever port comes first; any other address needs LatchPackets in a row while none comes from there.
type latch struct {
	said  netip.AddrPort // by SDP
	heard netip.AddrPort // where packets come from; the zero value until one came
	open  bool           // another address may still be taken

	candidate netip.AddrPort
	ssrc      uint32
	count     int
	since     int64
}

// renew starts over after an offer or answer. An address that did not change stays until a better one is heard, and
// the 0.0.0.0 of a hold is no address at all.
func (l *latch) renew(said netip.AddrPort) {
	l.open, l.count = true, 0
	if said.Addr().IsUnspecified() || said == l.said {
		return
	}
	l.said, l.heard = said, netip.AddrPort{}
}

// target is where to send; the zero value for nowhere.
func (l *latch) target() netip.AddrPort {
	if l.heard.IsValid() {
		return l.heard
	}
	return l.said
}

// admit tells whether a packet is the far side's, and whether the target moved with it. now is in ns.
func (l *latch) admit(from netip.AddrPort, ssrc uint32, now int64) (ok, moved bool) {
	switch {
	case !l.said.IsValid():
		return false, false
	case from == l.heard:
		l.open, l.count = false, 0
		return true, false
	case from.Addr() == l.said.Addr():
		if l.heard.Addr() == l.said.Addr() && !l.open && from.Port() != l.said.Port() {
			return false, false
		}
	case !l.open || !l.enough(from, ssrc, now):
		return false, false
	}
	l.heard, l.open, l.count = from, false, 0
	return true, true
}

func (l *latch) enough(from netip.AddrPort, ssrc uint32, now int64) bool {
	if from != l.candidate || ssrc != l.ssrc || l.count == 0 || now-l.since > latchWindow {
		l.candidate, l.ssrc, l.count, l.since = from, ssrc, 0, now
	}
	l.count++
	return l.count >= LatchPackets
}
