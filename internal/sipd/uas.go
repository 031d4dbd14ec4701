package sipd

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// inbound is what a leg keeps of the INVITE that began it, until the final response.
type inbound struct {
	req *sip.Request
	tx  *serverTx
}

// incoming takes an INVITE that begins a call. f is where it came from, reply where its responses go.
func (l *lane) incoming(f, reply flow, req *sip.Request) {
	s := l.srv
	if status := unfit(req); status != 0 {
		res := s.response(req, status, "")
		if status == sip.StatusUnsupportedMediaType {
			res.AppendHeader(sip.NewHeader("Accept", typeSDP))
			res.AppendHeader(sip.NewHeader("Accept-Encoding", "identity"))
		}
		s.sendResponse(reply, res)
		return
	}
	for _, leg := range l.legs { // RFC 3261 8.2.2.2: the same request by another way
		if leg.inbound != nil && leg.remoteTag == fromTag(req) && leg.remoteSeq == req.CSeq().SeqNo {
			s.sendResponse(reply, s.response(req, sip.StatusLoopDetected, ""))
			return
		}
	}
	account, trunk, ok := s.admit(f, reply, req)
	if !ok {
		return
	}
	if s.cfg.OnCall == nil || !s.gate.mayCall(time.Now()) {
		s.count.overloaded.Add(1)
		s.notice(netip.Addr{}, "More new calls a second than are let in; the excess is refused.")
		s.overload(reply, req)
		return
	}
	if s.refuseBriefSession(reply, req) {
		return
	}
	s.count.callsIn.Add(1)
	leg := l.newInbound(f, reply, req)
	leg.device, leg.trunk = account.Device, trunk
	if trunk { // a phone is reached the way it came, whatever its Contact says
		leg.flow = leg.nextHop(f)
	}
	leg.inbound.tx.respond(s.response(req, sip.StatusTrying, ""), true)
	s.cfg.OnCall(leg)
	if leg.handler.Load() == nil {
		leg.refuse(sip.StatusTemporarilyUnavailable, 0)
	}
}

// unfit is the status for a request whose body is not a session description as we read one, else 0.
func unfit(req *sip.Request) int {
	kind, _, _ := strings.Cut(headerText(req, "content-type", "c"), ";")
	encoding := headerText(req, "content-encoding", "e")
	switch {
	case len(req.Body()) > 0 && !strings.EqualFold(strings.TrimSpace(kind), typeSDP):
		return sip.StatusUnsupportedMediaType
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return sip.StatusUnsupportedMediaType
	}
	return 0
}

// admit says who may call: a trunk by its address, a device by its password. Others are refused here.
func (s *Server) admit(f, reply flow, req *sip.Request) (account Account, trunk, ok bool) {
	if s.cfg.AllowTrunk(f.remote.Addr()) {
		return Account{}, true, true
	}
	if s.blocked(f, reply, req) {
		return Account{}, false, false
	}
	account, verdict := s.authenticate(req, time.Now())
	switch verdict {
	case credentialsRight:
		return account, false, true
	case credentialsWrong:
		s.wrongPassword(f, reply, req)
	case credentialsStale:
		s.challenge(reply, req, true)
	default:
		_, known := s.cfg.Account(number(&req.From().Address))
		if known || s.registrar.over(f) {
			s.challenge(reply, req, false)
			break
		}
		s.count.rejected.Add(1)
		s.sendResponse(reply, s.response(req, sip.StatusForbidden, ""))
	}
	return Account{}, false, false
}

func (l *lane) newInbound(f, reply flow, req *sip.Request) *Leg {
	leg := &Leg{
		srv: l.srv, lane: l, id: newTag(),
		from: number(&req.From().Address), fromName: plainName(req.From().DisplayName), to: number(&req.Recipient),
		source: f.remote, offer: sdpOf(req), flow: f,
		remoteTag: fromTag(req), local: bare(req.To().Address), localName: req.To().DisplayName,
		remote: bare(req.From().Address), remoteSeq: req.CSeq().SeqNo,
	}
	if strings.EqualFold(leg.from, "anonymous") || strings.EqualFold(req.From().Address.Host, "anonymous.invalid") {
		leg.from, leg.fromName = "", ""
	}
	leg.target = bare(req.From().Address)
	if c := req.Contact(); c != nil && !c.Address.Wildcard {
		leg.target = *c.Address.Clone()
	}
	for _, h := range req.GetHeaders("record-route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			leg.routes = append(leg.routes, *r.Address.Clone())
		}
	}
	leg.updates = lists(req, "UPDATE", "allow")
	leg.inbound = &inbound{req: req, tx: l.open(reply, req)}
	leg.inbound.tx.leg = leg
	leg.join()
	return leg
}

// bare is an address as From and To carry it: without URI headers.
func bare(uri sip.Uri) sip.Uri {
	plain := *uri.Clone()
	plain.Headers = nil
	return plain
}

func (l *Leg) progress() {
	if l.inbound == nil || l.state > legRinging {
		return
	}
	l.state = legRinging
	res := l.srv.response(l.inbound.req, sip.StatusRinging, l.id)
	res.AppendHeader(l.srv.contact(l.flow, escapedUser(l.to)))
	l.inbound.tx.respond(res, true)
}

func (l *Leg) answer(sdp []byte) {
	if l.inbound == nil || l.state > legRinging {
		return
	}
	req, tx := l.inbound.req, l.inbound.tx
	res := l.okResponse(req)
	l.session.accept(req, res)
	setSDP(res, sdp)
	l.sdp = sdp
	l.state = legUp
	tx.accept()
	l.sendOK(res, tx.flow, req.CSeq().SeqNo, l.offer == nil, l.answerInACK)
	l.inbound = nil
	l.session.restart(l)
	l.keep()
}

// answerInACK is the caller's answer to the offer in our 200.
func (l *Leg) answerInACK(sdp []byte) {
	if sdp != nil {
		l.tell(func(h Handler) { h.Answered(sdp) })
		return
	}
	l.bye()
	l.tell(func(h Handler) { h.Ended("the ACK had no answer to our offer", true) })
	l.hung = true
}

// refuse ends a call that was not answered; false: it is too late for that.
func (l *Leg) refuse(status, retryAfter int) bool {
	if l.inbound == nil || l.state > legRinging {
		return false
	}
	res := l.srv.response(l.inbound.req, status, l.id)
	if retryAfter > 0 {
		res.AppendHeader(sip.NewHeader("Retry-After", strconv.Itoa(retryAfter)))
	}
	l.inbound.tx.respond(res, true)
	l.inbound = nil
	return l.over()
}

// unacked is a 2xx of ours to an INVITE or re-INVITE, resent until its ACK (RFC 3261 13.3.1.4): 0.5, 1, 2, 4, 4 ... s.
type unacked struct {
	seq      uint32
	wire     []byte
	flow     flow
	interval time.Duration
	resend   *alarm
	end      *alarm
	delayed  bool // the ACK brings the answer
	answer   func(sdp []byte)
}

func (l *Leg) sendOK(res *sip.Response, f flow, seq uint32, delayed bool, answer func([]byte)) {
	u := &unacked{seq: seq, wire: wire(res), flow: f, interval: t1, delayed: delayed, answer: answer}
	l.unacked = u
	_ = l.srv.send(f, u.wire)
	u.end = l.lane.after(giveUp, l.neverAcked)
	// Also over TCP: a proxy may have taken the INVITE from UDP.
	u.resend = l.lane.after(u.interval, l.resendOK)
}

func (l *Leg) resendOK() {
	u := l.unacked
	l.srv.count.retransmits.Add(1)
	_ = l.srv.send(u.flow, u.wire)
	u.interval = min(2*u.interval, t2)
	u.resend = l.lane.after(u.interval, l.resendOK)
}

func (l *Leg) neverAcked() {
	l.lane.stop(l.unacked.resend)
	l.unacked = nil
	l.bye()
	l.tell(func(h Handler) { h.Ended("no ACK to our 200", true) })
	l.hung = true
}

// acked takes an ACK; false: nothing waited for it.
func (l *Leg) acked(req *sip.Request) bool {
	u := l.unacked
	if u == nil || u.seq != req.CSeq().SeqNo {
		return l.state == legUp // a repeated one
	}
	l.lane.stop(u.resend)
	l.lane.stop(u.end)
	l.unacked = nil
	switch {
	case l.hung:
		l.bye() // RFC 3261 15: not before the ACK
	case u.delayed:
		u.answer(sdpOf(req))
	}
	return true
}
