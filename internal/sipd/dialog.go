package sipd

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// nextHop is where requests of a dialog go: back over the flow that began it. Only where the route, or else the
// Contact, names another port of the same address is that port taken: some trunks send and listen on two.
func (l *Leg) nextHop(f flow) flow {
	if f.stream != nil {
		return f
	}
	hop := &l.target
	if len(l.routes) > 0 {
		hop = &l.routes[0]
	}
	if addr, tcp, ok := numericTarget(hop); ok && !tcp && addr.Addr() == f.remote.Addr() {
		f.remote = addr
	}
	return f
}

// inDialogRequest makes the next request of the dialog.
func (l *Leg) inDialogRequest(method sip.RequestMethod) *sip.Request {
	l.localSeq++
	return l.dialogRequest(method, l.localSeq)
}

func (l *Leg) ackRequest(seq uint32) *sip.Request {
	req := l.dialogRequest(sip.ACK, seq)
	if l.outbound != nil && l.outbound.credentials != nil {
		req.AppendHeader(l.outbound.credentials) // RFC 3261 22.1: the same as in the INVITE
	}
	return req
}

func (l *Leg) dialogRequest(method sip.RequestMethod, seq uint32) *sip.Request {
	req := l.srv.request(l.flow, method, l.target, l.lane.callID)
	for i := range l.routes {
		req.AppendHeader(&sip.RouteHeader{Address: l.routes[i]})
	}
	from := &sip.FromHeader{DisplayName: l.localName, Address: l.local}
	from.Params.Add("tag", l.id)
	to := &sip.ToHeader{Address: l.remote}
	if l.remoteTag != "" {
		to.Params.Add("tag", l.remoteTag)
	}
	req.AppendHeader(from)
	req.AppendHeader(to)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	req.AppendHeader(sip.NewHeader("User-Agent", userAgent))
	req.SetBody(nil)
	return req
}

// ask sends a request of the dialog. A challenge is answered once, where we have a password.
func (l *Leg) ask(req *sip.Request, on func(res *sip.Response, status int)) {
	l.lane.transact(l.flow, req, func(res *sip.Response, status int) {
		if res == nil || !challenged(status) || l.outbound == nil || l.outbound.inv.Username == "" ||
			headerText(req, "authorization") != "" || headerText(req, "proxy-authorization") != "" {
			on(res, status)
			return
		}
		credentials, ok := answerChallenge(req, res, l.outbound.inv.Username, l.outbound.inv.Password)
		if !ok {
			on(res, status)
			return
		}
		l.localSeq++
		l.ask(again(l.srv, l.flow, req, l.localSeq, credentials), on)
	})
}

// again is a request with credentials: the next CSeq and a branch of its own.
func again(s *Server, f flow, req *sip.Request, seq uint32, credentials sip.Header) *sip.Request {
	next := req.Clone()
	for next.RemoveHeader(credentials.Name()) {
		continue
	}
	next.Via().Params = s.via(f).Params
	next.CSeq().SeqNo = seq
	next.AppendHeader(credentials)
	return next
}

func challenged(status int) bool {
	return status == sip.StatusUnauthorized || status == sip.StatusProxyAuthRequired
}

// bye ends a dialog. Before the ACK to our 2xx it may not be sent: then it goes when that comes, or never does.
func (l *Leg) bye() {
	if l.unacked != nil || !l.over() {
		return
	}
	l.ask(l.inDialogRequest(sip.BYE), func(*sip.Response, int) {})
}

// inDialog takes a request that says which dialog it belongs to.
func (l *lane) inDialog(reply flow, req *sip.Request) {
	leg := l.legOf(toTag(req), fromTag(req))
	if leg == nil {
		l.srv.sendResponse(reply, l.srv.response(req, sip.StatusCallTransactionDoesNotExists, ""))
		return
	}
	seq := req.CSeq().SeqNo
	if seq <= leg.remoteSeq && leg.remoteSeq != 0 {
		// RFC 3261 12.2.2: out of order; a repetition would have found its transaction.
		l.answerOnce(reply, req, l.srv.response(req, sip.StatusInternalServerError, ""))
		return
	}
	leg.remoteSeq = seq
	switch req.Method {
	case sip.BYE:
		leg.theyHungUp(reply, req)
	case sip.INVITE:
		leg.reinvite(reply, req)
	case sip.UPDATE:
		leg.update(reply, req)
	case sip.INFO:
		leg.info(reply, req)
	default:
		l.outside(reply, reply, req)
	}
}

func (l *Leg) theyHungUp(reply flow, req *sip.Request) {
	switch {
	case l.outbound != nil && l.state != legUp:
		l.lane.answerOnce(reply, req, l.srv.response(req, sip.StatusCallTransactionDoesNotExists, ""))
	case l.state != legUp:
		l.lane.answerOnce(reply, req, l.srv.response(req, sip.StatusOK, l.id))
		if l.refuse(statusCancelled, 0) {
			l.tell(func(h Handler) { h.Failed(statusCancelled) })
		}
	default:
		l.lane.answerOnce(reply, req, l.srv.response(req, sip.StatusOK, l.id))
		l.end("the far side hung up")
	}
}

// okResponse is a 200 to INVITE, re-INVITE or UPDATE.
func (l *Leg) okResponse(req *sip.Request) *sip.Response {
	res := l.srv.response(req, sip.StatusOK, l.id)
	res.AppendHeader(l.srv.contact(l.flow, escapedUser(l.to)))
	res.AppendHeader(sip.NewHeader("Allow", allow))
	res.AppendHeader(sip.NewHeader("Supported", "timer"))
	return res
}

// reinvite changes an answered call, or only refreshes it.
func (l *Leg) reinvite(reply flow, req *sip.Request) {
	tx := l.lane.open(reply, req)
	refuse := func(status int) { tx.respond(l.srv.response(req, status, l.id), true) }
	if l.state != legUp || l.asking || l.unacked != nil || l.hung {
		refuse(sip.StatusRequestPending)
		return
	}
	if status := unfit(req); status != 0 {
		refuse(status)
		return
	}
	theirs := sdpOf(req)
	delayed := theirs == nil
	ours := l.sdp
	if !delayed {
		var status int
		if ours, status = l.offered(theirs); ours == nil {
			refuse(status)
			return
		}
	}
	if l.hung { // within the Handler
		refuse(sip.StatusRequestPending)
		return
	}
	l.retarget(reply, req)
	res := l.okResponse(req)
	l.session.accept(req, res)
	setSDP(res, ours)
	l.sdp = ours
	tx.accept()
	l.sendOK(res, reply, req.CSeq().SeqNo, delayed, func(sdp []byte) {
		if sdp != nil {
			l.offered(sdp)
		}
	})
	l.session.restart(l)
}

// offered asks the handler for an answer. A nil one comes with a status that refuses.
func (l *Leg) offered(sdp []byte) (answer []byte, status int) {
	l.tell(func(h Handler) { answer, status = h.Offer(sdp) })
	if answer == nil && (status < 300 || status > 699) {
		status = sip.StatusNotAcceptableHere
	}
	return answer, status
}

// retarget follows a far side that moved: a new Contact, or the same behind a NAT that changed its mind.
func (l *Leg) retarget(f flow, req *sip.Request) {
	if c := req.Contact(); c != nil && !c.Address.Wildcard {
		l.target = *c.Address.Clone()
	}
	if l.trunk {
		f = l.nextHop(f)
	}
	l.flow = f
	l.keep()
}

// update is a re-INVITE without the second half (RFC 3311).
func (l *Leg) update(reply flow, req *sip.Request) {
	refuse := func(status int) { l.lane.answerOnce(reply, req, l.srv.response(req, status, l.id)) }
	theirs := sdpOf(req)
	if theirs != nil && (l.state != legUp || l.asking || l.unacked != nil || l.hung) {
		refuse(sip.StatusRequestPending)
		return
	}
	if status := unfit(req); status != 0 {
		refuse(status)
		return
	}
	var ours []byte
	if theirs != nil {
		var status int
		if ours, status = l.offered(theirs); ours == nil {
			refuse(status)
			return
		}
		l.sdp = ours
	}
	l.retarget(reply, req)
	res := l.okResponse(req)
	l.session.accept(req, res)
	setSDP(res, ours)
	l.lane.answerOnce(reply, req, res)
	l.session.restart(l)
}

// info takes a key press. An INFO without a body only asks whether we are there.
func (l *Leg) info(reply flow, req *sip.Request) {
	kind, _, _ := strings.Cut(headerText(req, "content-type", "c"), ";")
	digit, ok := byte(0), true
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/dtmf-relay":
		digit, ok = relayedDigit(string(req.Body()))
	case "application/dtmf":
		digit, ok = digitOf(string(req.Body()))
	default:
		ok = len(req.Body()) == 0
	}
	status := sip.StatusOK
	if !ok {
		status = sip.StatusUnsupportedMediaType
	}
	l.lane.answerOnce(reply, req, l.srv.response(req, status, l.id))
	if digit != 0 {
		l.tell(func(h Handler) { h.Digit(digit) })
	}
}

// relayedDigit reads "Signal=5" out of lines.
func relayedDigit(body string) (byte, bool) {
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(line, "="); ok && strings.EqualFold(strings.TrimSpace(name), "signal") {
			return digitOf(value)
		}
	}
	return 0, false
}

// digitOf reads a key; 10 and 11 are what some phones call * and #.
func digitOf(text string) (byte, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	switch {
	case text == "10":
		return '*', true
	case text == "11":
		return '#', true
	case len(text) == 1 && strings.Contains("0123456789*#ABCD", text):
		return text[0], true
	}
	return 0, false
}
