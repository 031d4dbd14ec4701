package sipd

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"switchboard/internal/callcenter"
)

// Handler hears what the far side does. Its methods are called one after the other, from the leg's goroutine, and must
// not block. After our own Hangup or Refuse, and after Close, none is called any more.
type Handler interface {
	// Ringing is a 180 or 183 to our INVITE, with its session description if it has one. Repetitions are not told.
	Ringing(sdp []byte)
	// Answered is the 200 to our INVITE; its ACK is already out. For an INVITE that came without an offer it is the ACK
	// to our 200, and sdp is the answer to our offer.
	Answered(sdp []byte)
	// Failed is the end of a leg that was not answered: the status of the refusal, 487 when the caller cancelled,
	// 408 when nobody answered our INVITE at all, 503 when it could not be sent, 404 when the device is not registered.
	Failed(status int)
	// Ended is the end of an answered leg, in words for a log. Lost: the far side did not hang up, but was gone.
	Ended(reason string, lost bool)
	// Digit is a key (0-9 * # A-D) sent by SIP INFO.
	Digit(d byte)
	// Offer is a session description in a re-INVITE or UPDATE. A nil answer refuses with status (0: 488). When the far
	// side asked us for an offer, we repeated our last session description: its answer comes here too, and what Offer
	// returns is not sent.
	Offer(sdp []byte) (answer []byte, status int)
}

// legState is how far a leg is.
type legState int

const (
	legNew     legState = iota // INVITE received or being sent
	legRinging                 // a provisional response came or went
	legUp                      // answered
	legOver
)

// Leg is one dialog, begun by either side. Its methods may be called from any goroutine, also from a Handler, and do
// not block; what they ask for happens in order. On a leg that is over they do nothing.
type Leg struct {
	srv     *Server
	lane    *lane
	id      string // our tag
	handler atomic.Pointer[Handler]

	// What the INVITE said: set before anybody knows the leg.
	from, fromName, to string
	source             netip.AddrPort
	device             callcenter.DeviceID
	trunk              bool
	offer              []byte

	// What follows belongs to the lane.
	state     legState
	hung      bool // we hung up; nothing is told any more
	elsewhere bool
	flow      flow
	remoteTag string
	local     sip.Uri // our address in From or To
	localName string
	remote    sip.Uri
	target    sip.Uri // Request-URI in the dialog
	routes    []sip.Uri
	localSeq  uint32
	remoteSeq uint32
	sdp       []byte // our latest session description

	inbound  *inbound  // of a leg that they began
	outbound *outbound // of a leg that we began
	unacked  *unacked  // a 2xx of ours without its ACK
	asking   bool      // a re-INVITE or UPDATE of ours is out
	updates  bool      // the far side knows UPDATE
	session  session
	kept     bool // the Keeper has it
}

// ID names the leg: unique among the legs of all servers.
func (l *Leg) ID() string { return l.id }

// Handle sets who hears of the leg. OnCall must call it before it returns; Invite has done so already.
func (l *Leg) Handle(h Handler) { l.handler.Store(&h) }

// From is the caller's number or SIP user; "": withheld.
func (l *Leg) From() string { return l.from }

// FromName is the caller's display name, "" when there is none.
func (l *Leg) FromName() string { return l.fromName }

// To is the dialled number: the user part of the Request-URI.
func (l *Leg) To() string { return l.to }

// Source is the address that the INVITE came from or, for one of ours, went to (zero before it is known).
func (l *Leg) Source() netip.AddrPort { return l.source }

// Device is the device whose password a caller proved, else 0.
func (l *Leg) Device() callcenter.DeviceID { return l.device }

// Trunk says whether the call came from a trunk's address.
func (l *Leg) Trunk() bool { return l.trunk }

// Offer is the session description of the INVITE. Nil: the caller wants our offer in the 200; give it to Answer, and
// Handler.Answered brings the caller's answer.
func (l *Leg) Offer() []byte { return l.offer }

// Progress sends 180.
func (l *Leg) Progress() { l.lane.post(l.progress) }

// Answer sends 200 with a session description and resends it until the ACK. Without an ACK for 32 s the leg is hung up
// and Ended.
func (l *Leg) Answer(sdp []byte) { l.lane.post(func() { l.answer(sdp) }) }

// Refuse sends a final refusal (300..699, else 500) to a call that was not answered, with Retry-After when that is
// positive (seconds).
func (l *Leg) Refuse(status, retryAfter int) {
	if status < 300 || status > 699 {
		status = sip.StatusInternalServerError
	}
	l.lane.post(func() {
		l.hung = l.refuse(status, retryAfter) || l.hung
	})
}

// Hangup ends the leg as its state calls for: an INVITE still being built is not sent, one that is out gets CANCEL, a
// caller who was not answered 487, a dialog BYE. A 200 that crosses our CANCEL gets ACK and BYE. Elsewhere puts into
// the CANCEL that another phone took the call.
func (l *Leg) Hangup(elsewhere bool) { l.lane.post(func() { l.hangup(elsewhere) }) }

// tell calls the handler, unless we hung up.
func (l *Leg) tell(f func(Handler)) {
	if h := l.handler.Load(); h != nil && !l.hung {
		f(*h)
	}
}

// join puts a leg on its lane.
func (l *Leg) join() {
	l.lane.legs = append(l.lane.legs, l)
	l.srv.count.legs.Add(1)
}

// over ends a leg; false: it was over.
func (l *Leg) over() bool {
	if l.state == legOver {
		return false
	}
	l.state = legOver
	l.letGo()
	l.lane.stop(l.session.alarm)
	if l.unacked != nil {
		l.lane.stop(l.unacked.resend)
		l.lane.stop(l.unacked.end)
		l.unacked = nil
	}
	if i := slices.Index(l.lane.legs, l); i >= 0 {
		l.lane.legs = slices.Delete(l.lane.legs, i, i+1)
		l.srv.count.legs.Add(-1)
	}
	return true
}

// end is an answered leg that the far side ended.
func (l *Leg) end(why string) {
	if l.over() {
		l.tell(func(h Handler) { h.Ended(why, false) })
	}
}

func (l *Leg) hangup(elsewhere bool) {
	if l.hung || l.state == legOver {
		return
	}
	l.hung, l.elsewhere = true, elsewhere
	switch {
	case l.state == legUp:
		l.bye()
	case l.inbound != nil:
		l.refuse(statusCancelled, 0)
	default:
		l.cancelInvite()
	}
}

// drop is Hangup for Close: one message, nothing to wait for.
func (l *Leg) drop() {
	l.hung = true
	switch {
	case l.state == legOver:
	case l.state == legUp:
		_ = l.srv.send(l.flow, wire(l.inDialogRequest(sip.BYE)))
	case l.inbound != nil:
		_ = l.srv.send(l.inbound.tx.flow, wire(l.srv.response(l.inbound.req, statusCancelled, l.id)))
	case l.outbound.tx != nil && l.outbound.tx.heard:
		_ = l.srv.send(l.flow, wire(l.cancelRequest()))
	}
	l.over()
}
