package media

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"switchboard/internal/audio"
)

// eventType is the payload type we offer for telephone-event; the far side may answer with another.
const eventType = 101

// terms is what the two sides of a leg agreed. It is never changed, only replaced.
type terms struct {
	remote  netip.AddrPort
	theirs  codecs // payload types to send with
	ours    codecs // payload types that we promised to understand; both are taken
	law     audio.Law
	speaks  bool // the far side sends
	hears   bool // the far side wants to receive
	present bool
}

// held tells that one side put the other on hold: silence is no fault then.
func (t *terms) held() bool { return !t.speaks || !t.hears }

// law of a received payload type, false for none.
func (t *terms) lawOf(kind uint8) (audio.Law, bool) {
	for _, law := range [...]audio.Law{audio.ULaw, audio.ALaw} {
		if int(kind) == t.ours.laws[law] || int(kind) == t.theirs.laws[law] {
			return law, true
		}
	}
	return audio.ULaw, false
}

func (t *terms) isEvent(kind uint8) bool {
	return int(kind) == t.ours.event || int(kind) == t.theirs.event
}

var offered = codecs{laws: [2]int{0, 8}, event: eventType}

// Offer is our session description for an INVITE or a 200 to one that had none: PCMU and PCMA, the preferred law
// first, and telephone-event. Complete takes the answer.
func (pt *Port) Offer(prefer Law) []byte {
	pt.negotiating.Lock()
	defer pt.negotiating.Unlock()
	laws := []audio.Law{audio.ULaw, audio.ALaw}
	if prefer == audio.ALaw {
		laws = []audio.Law{audio.ALaw, audio.ULaw}
	}
	return pt.write(writeAudio(int(pt.local.Port()), laws, offered, sendRecv), pt.facing)
}

// Facing says where the far side of a coming Offer is, so that the offer names the address of ours that it reaches.
// Only needed where the pool listens on every address and advertises none.
func (pt *Port) Facing(far netip.Addr) {
	pt.negotiating.Lock()
	defer pt.negotiating.Unlock()
	pt.facing = far.Unmap()
}

// Accept takes the far side's offer, the first or a later one (re-INVITE, UPDATE), and makes our answer. The errors
// wrap ErrSDP or ErrNoCodec; both leave the port as it was.
func (pt *Port) Accept(offer []byte) (answer []byte, err error) {
	pt.negotiating.Lock()
	defer pt.negotiating.Unlock()
	d, err := parseSDP(offer)
	if err != nil {
		return nil, err
	}
	chosen := d.audioLine()
	if chosen < 0 {
		return nil, fmt.Errorf("offer: %w", ErrNoCodec)
	}
	line := &d.media[chosen]
	c, _ := line.codecs()
	law := c.first
	if t := pt.terms.Load(); t.present && c.laws[t.law] != noType {
		law = t.law // a law that changes in mid-call clicks
	}
	t, err := pt.pool.newTerms(line, c, c, law)
	if err != nil {
		return nil, err
	}
	dir := line.dir.answered()
	if !t.hears && dir == sendRecv {
		dir = recvOnly // c=0.0.0.0: hold as RFC 2543 had it
	}
	var media strings.Builder
	for i := range d.media {
		if i == chosen {
			media.WriteString(writeAudio(int(pt.local.Port()), []audio.Law{law}, c, dir))
		} else {
			media.WriteString(d.media[i].writeRefused())
		}
	}
	pt.agree(t)
	return pt.write(media.String(), t.remote.Addr()), nil
}

// Complete takes the far side's answer to our Offer. Errors as Accept's.
func (pt *Port) Complete(answer []byte) error {
	pt.negotiating.Lock()
	defer pt.negotiating.Unlock()
	d, err := parseSDP(answer)
	if err != nil {
		return err
	}
	chosen := d.audioLine()
	if chosen < 0 {
		return fmt.Errorf("answer: %w", ErrNoCodec)
	}
	line := &d.media[chosen]
	c, _ := line.codecs()
	t, err := pt.pool.newTerms(line, c, offered, c.first)
	if err != nil {
		return err
	}
	pt.agree(t)
	return nil
}

func (p *Pool) newTerms(line *mediaLine, theirs, ours codecs, law audio.Law) (*terms, error) {
	if !line.addr.IsValid() {
		return nil, fmt.Errorf("%w: no c= line", ErrSDP)
	}
	dual := p.host.Is6() && p.host.IsUnspecified()
	if line.addr.Is4() != p.host.Is4() && !dual {
		return nil, fmt.Errorf("%w: c= address %s cannot be reached from %s", ErrSDP, line.addr, p.host)
	}
	t := &terms{
		remote: netip.AddrPortFrom(line.addr, uint16(line.port)), theirs: theirs, ours: ours, law: law, present: true,
	}
	t.speaks = line.dir.sends()
	t.hears = line.dir.receives() && !line.addr.IsUnspecified()
	return t, nil
}

// agree puts new terms in force for both directions.
func (pt *Port) agree(t *terms) {
	now := pt.pool.now()
	pt.in.mu.Lock()
	pt.in.latch.renew(t.remote)
	pt.in.quietSince = now
	pt.in.warned = false
	to := pt.in.latch.target()
	pt.in.mu.Unlock()

	pt.out.mu.Lock()
	pt.out.to, pt.out.law, pt.out.kind = to, t.law, uint8(t.theirs.laws[t.law])
	pt.out.event, pt.out.wanted = t.theirs.event, t.hears
	pt.out.mu.Unlock()
	pt.terms.Store(t)
}

// write makes a body of ours; its version counts up when it says something new (RFC 3264, 8).
func (pt *Port) write(media string, far netip.Addr) []byte {
	w := written{id: pt.sdpID, addr: pt.pool.address(far)}
	if said := fmt.Sprint(w.addr, media); said != pt.sdpSaid {
		pt.sdpSaid = said
		pt.sdpVersion++
	}
	w.version = pt.sdpVersion
	return w.body(media)
}

// address is ours as the far side should reach it.
func (p *Pool) address(far netip.Addr) netip.Addr {
	if p.advertise.IsValid() {
		return p.advertise
	}
	if !p.host.IsUnspecified() {
		return p.host
	}
	if !far.IsValid() || far.IsUnspecified() {
		far = netip.AddrFrom4([4]byte{192, 0, 2, 1}) // anywhere outside (RFC 5737); nothing is sent
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(far, 9)))
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
