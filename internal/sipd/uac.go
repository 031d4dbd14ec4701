package sipd

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"switchboard/internal/callcenter"
)

// Invitation is a call that we begin.
type Invitation struct {
	Device callcenter.DeviceID // reached by the flow it registered over; 0: To is used
	// To is sip:user@host:port with a numeric host (DNS is never asked); ;transport=tcp asks for TCP.
	To                 string
	From, FromName     string            // shown to the callee; From is a number or user
	SDP                []byte            // our offer
	Username, Password string            // answer a challenge; "": it is a refusal
	Headers            map[string]string // more headers; one that we set ourselves, or that holds a line break, fails
}

// outbound is what a leg keeps of the INVITE that we began it with.
type outbound struct {
	inv         Invitation
	uri         sip.Uri
	req         *sip.Request
	tx          *clientTx
	credentials sip.Header
	tries       int
	early       bool // session description before the answer was told
	ack         []byte
	forks       []string // tags of other phones that answered
}

const (
	maxAuthTries  = 3   // INVITEs of one call: the first, one with credentials, one with a fresh nonce
	statusBadCall = 400 // the Invitation itself is wrong
)

// ownHeaders are those that an Invitation must not set.
var ownHeaders = []string{
	"via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "content-length", "content-type", "route",
	"record-route", "authorization", "proxy-authorization", "require", "supported", "session-expires", "allow",
	"v", "f", "t", "i", "m", "l", "c", "k", "x",
}

// Invite begins a call. It does not block: what goes wrong comes as h.Failed, 404 for a device that is not registered
// or an address that is not numeric, 400 for an Invitation that no INVITE can be made of.
func (s *Server) Invite(inv Invitation, h Handler) *Leg {
	leg := &Leg{srv: s, id: newTag(), from: inv.From, fromName: inv.FromName, device: inv.Device}
	leg.Handle(h)
	leg.outbound = &outbound{inv: inv}
	f, tcp, status := s.resolve(leg.outbound)
	leg.flow, leg.source, leg.to = f, f.remote, number(&leg.outbound.uri)
	leg.lane = s.laneOf(newCallID(), true)
	if leg.lane == nil { // closed, or too many calls
		leg.lane, status = &lane{srv: s}, statusUnreachable
	}
	s.count.callsOut.Add(1)
	leg.lane.post(func() {
		leg.join()
		switch {
		case status != 0:
			leg.failed(status)
		case tcp && f.stream == nil:
			s.spawn(leg.dial)
		default:
			leg.sendInvite()
		}
	})
	return leg
}

// resolve finds out where an invitation goes.
func (s *Server) resolve(o *outbound) (f flow, tcp bool, status int) {
	for name, value := range o.inv.Headers {
		if !fitHeader(name, value) {
			return flow{}, false, statusBadCall
		}
	}
	if o.inv.Device != 0 {
		b, ok := s.registrar.binding(o.inv.Device)
		if !ok {
			return flow{}, false, sip.StatusNotFound
		}
		o.uri = b.contact
		return b.flow, false, 0
	}
	if err := sip.ParseUri(o.inv.To, &o.uri); err != nil || strings.ContainsAny(o.inv.To, " \r\n<>") {
		return flow{}, false, statusBadCall
	}
	addr, tcp, ok := numericTarget(&o.uri)
	if !ok {
		return flow{}, false, sip.StatusNotFound
	}
	return flow{remote: addr}, tcp, 0
}

func fitHeader(name, value string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != "" && !slices.Contains(ownHeaders, strings.ToLower(name)) && !strings.ContainsAny(value, "\r\n\x00")
}

func (l *Leg) dial() {
	ctx, cancel := context.WithTimeout(l.srv.ctx, dialTimeout)
	defer cancel()
	f, err := l.srv.dial(ctx, l.flow.remote)
	l.lane.post(func() {
		switch {
		case l.state == legOver:
		case err != nil:
			l.failed(statusUnreachable)
		default:
			l.flow = f
			l.sendInvite()
		}
	})
}

func (l *Leg) sendInvite() {
	if l.state == legOver {
		return
	}
	o, s := l.outbound, l.srv
	l.target, l.remote = o.uri, bare(o.uri)
	l.local = sip.Uri{Scheme: "sip", User: escapedUser(l.from), Host: s.host(l.flow.remote.Addr())}
	l.localName = quotedName(l.fromName)
	if l.from == "" {
		l.local.User, l.local.Host, l.localName = "anonymous", "anonymous.invalid", "Anonymous"
	}
	l.sdp = o.inv.SDP
	req := l.inDialogRequest(sip.INVITE)
	req.AppendHeader(s.contact(l.flow, escapedUser(l.from)))
	req.AppendHeader(sip.NewHeader("Allow", allow))
	req.AppendHeader(sip.NewHeader("Supported", "timer"))
	for _, name := range slices.Sorted(maps.Keys(o.inv.Headers)) {
		req.AppendHeader(sip.NewHeader(name, o.inv.Headers[name]))
	}
	setSDP(req, o.inv.SDP)
	l.transactInvite(req)
}

func (l *Leg) transactInvite(req *sip.Request) {
	o := l.outbound
	o.req = req
	o.tries++
	o.tx = l.lane.transact(l.flow, req, func(res *sip.Response, status int) { l.inviteResponse(req, res, status) })
}

// inviteResponse takes a response to our INVITE, each 2xx as often as it comes.
func (l *Leg) inviteResponse(req *sip.Request, res *sip.Response, status int) {
	switch {
	case status < 200:
		l.provisional(res, status)
	case status < 300:
		l.accepted(req, res)
	case l.state == legOver || l.state == legUp:
	case res != nil && challenged(status) && !l.hung && l.retry(res):
	default:
		l.failed(status)
	}
}

func (l *Leg) provisional(res *sip.Response, status int) {
	if l.hung {
		l.cancelInvite() // until now it was too early for a CANCEL
		return
	}
	if status < 180 || l.state > legRinging {
		return
	}
	sdp := sdpOf(res)
	if l.state == legRinging && (sdp == nil || l.outbound.early) {
		return
	}
	l.state = legRinging
	l.outbound.early = l.outbound.early || sdp != nil
	l.keep()
	l.tell(func(h Handler) { h.Ringing(sdp) })
}

// accepted takes a 2xx. Whatever became of the leg meanwhile, it gets its ACK; a second phone that a proxy let answer,
// and one that answered while our CANCEL was on its way, get a BYE too.
func (l *Leg) accepted(req *sip.Request, res *sip.Response) {
	tag := toTag(res)
	switch {
	case l.outbound.ack != nil && tag == l.remoteTag:
		l.srv.count.retransmits.Add(1)
		_ = l.srv.send(l.flow, l.outbound.ack)
		return
	case l.outbound.ack != nil:
		l.lane.endFork(l, req, res)
		return
	}
	l.remoteTag = tag
	l.establish(res)
	l.outbound.ack = wire(l.ackRequest(req.CSeq().SeqNo))
	_ = l.srv.send(l.flow, l.outbound.ack)
	late := l.hung
	l.state = legUp
	if late {
		l.bye()
		return
	}
	l.session.agreed(res)
	l.session.restart(l)
	l.keep()
	sdp := sdpOf(res)
	l.tell(func(h Handler) { h.Answered(sdp) })
}

// establish takes the route and target of the dialog out of a 2xx (RFC 3261 12.1.2).
func (l *Leg) establish(res *sip.Response) {
	if c := res.Contact(); c != nil && !c.Address.Wildcard {
		l.target = *c.Address.Clone()
	}
	l.routes = nil
	for _, h := range res.GetHeaders("record-route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			l.routes = append([]sip.Uri{*r.Address.Clone()}, l.routes...)
		}
	}
	l.updates = lists(res, "UPDATE", "allow")
	if l.device == 0 {
		l.flow = l.nextHop(l.flow)
	}
}

// endFork ends the dialog of a second 2xx to one INVITE.
func (l *lane) endFork(first *Leg, req *sip.Request, res *sip.Response) {
	fork := &Leg{
		srv: l.srv, lane: l, id: first.id, flow: first.flow, device: first.device, hung: true, state: legUp,
		local: first.local, localName: first.localName, remote: first.remote, remoteTag: toTag(res),
		target: first.outbound.uri, localSeq: first.localSeq,
	}
	fork.establish(res)
	ack := fork.ackRequest(req.CSeq().SeqNo)
	_ = l.srv.send(fork.flow, wire(ack))
	if !slices.Contains(first.outbound.forks, fork.remoteTag) {
		first.outbound.forks = append(first.outbound.forks, fork.remoteTag)
		fork.bye()
	}
}

// retry sends the INVITE again with credentials.
func (l *Leg) retry(res *sip.Response) bool {
	o := l.outbound
	if o.inv.Username == "" || o.tries >= maxAuthTries || (o.credentials != nil && !stale(res)) {
		return false
	}
	credentials, ok := answerChallenge(o.req, res, o.inv.Username, o.inv.Password)
	if !ok {
		return false
	}
	o.credentials = credentials
	l.localSeq++
	l.transactInvite(again(l.srv, l.flow, o.req, l.localSeq, credentials))
	return true
}

// stale says whether a challenge only wants a newer nonce.
func stale(res *sip.Response) bool {
	for _, name := range []string{"www-authenticate", "proxy-authenticate"} {
		for _, h := range res.GetHeaders(name) {
			if c, err := digest.ParseChallenge(h.Value()); err == nil && c.Stale {
				return true
			}
		}
	}
	return false
}

// failed is the end of a leg that was not answered.
func (l *Leg) failed(status int) {
	if l.over() {
		l.tell(func(h Handler) { h.Failed(status) })
	}
}

// cancelInvite takes our INVITE back. Before any response a CANCEL may not be sent (RFC 3261 9.1): then it goes with
// the first one. The INVITE stays open, since a 200 may already be on its way.
func (l *Leg) cancelInvite() {
	tx := l.outbound.tx
	switch {
	case tx == nil:
		l.over()
		return
	case !tx.heard || tx.cancelled:
		return
	}
	tx.cancelled = true
	l.lane.transact(l.flow, l.cancelRequest(), func(*sip.Response, int) {})
	// A phone that answers the CANCEL, but never the INVITE, is given up.
	tx.end = l.lane.after(giveUp, func() { tx.fail(statusTimeout) })
}

// cancelRequest is the CANCEL of our INVITE (RFC 3261 9.1), with the Reason of RFC 3326 when another phone answered.
func (l *Leg) cancelRequest() *sip.Request {
	invite := l.outbound.req
	req := sip.NewRequest(sip.CANCEL, invite.Recipient)
	req.SetTransport(l.flow.network())
	req.AppendHeader(sip.HeaderClone(invite.Via()))
	hops := sip.MaxForwardsHeader(maxHops)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	if l.elsewhere {
		req.AppendHeader(sip.NewHeader("Reason", `SIP;cause=200;text="Call completed elsewhere"`))
	}
	req.SetBody(nil)
	return req
}
