package sipd

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// receive sorts a message, which came at a time, onto the lane of its Call-ID.
func (s *Server) receive(f flow, m sip.Message, at time.Time) {
	if !complete(m) {
		s.count.malformed.Add(1)
		if req, ok := m.(*sip.Request); ok && !req.IsAck() && req.Via() != nil && req.Via().Host != "" {
			s.sendResponse(f, sip.NewResponseFromRequest(req, sip.StatusBadRequest, reason(400), nil))
		}
		return
	}
	callID := string(*m.CallID())
	switch m := m.(type) {
	case *sip.Response:
		if !s.route(callID, false, func(l *lane) { l.response(m) }) {
			s.count.unknown.Add(1)
		}
	case *sip.Request:
		if s.screen(f, m) {
			s.receiveRequest(f, m, callID, at)
		}
	}
}

func (s *Server) receiveRequest(f flow, req *sip.Request, callID string, at time.Time) {
	// ACK and CANCEL begin nothing: they do not get a lane of their own.
	begins := !req.IsAck() && !req.IsCancel()
	if req.IsInvite() && toTag(req) == "" {
		if s.newCall(f, req, callID, at) {
			return
		}
	} else if s.route(callID, begins, func(l *lane) { l.request(f, req) }) {
		return
	}
	switch {
	case req.IsAck():
		s.count.unknown.Add(1)
	case begins:
		s.count.overloaded.Add(1)
		s.overload(f, req)
	default:
		s.sendResponse(markVia(f, req), s.response(req, sip.StatusCallTransactionDoesNotExists, ""))
	}
}

// newCall sorts an INVITE onto its lane, and measures how long it waited for its turn. False: it is not taken, because
// the server is late, there are too many lanes, or Close has begun. A repetition of one that was taken always is.
func (s *Server) newCall(f flow, req *sip.Request, callID string, arrived time.Time) bool {
	take := func(l *lane) {
		now := time.Now()
		s.lag.waited(now.Sub(arrived), now)
		l.request(f, req)
	}
	if s.route(callID, false, take) {
		return true
	}
	if !s.lag.admits(time.Now()) {
		s.notice(netip.Addr{}, "Calls come faster than this machine can take them; the excess is refused.")
		return false
	}
	return s.route(callID, true, take)
}

// screen refuses, without keeping anything, a request that cannot be served whatever it asks for.
func (s *Server) screen(f flow, req *sip.Request) bool {
	status := 0
	switch method := req.CSeq().MethodName; {
	case req.SipVersion != "SIP/2.0":
		status = sip.StatusVersionNotSupported
	case !strings.EqualFold(string(method), string(req.Method)), twice(req), len(req.Recipient.Headers) > 0:
		status = sip.StatusBadRequest
	case !speaks(req.Recipient.Scheme):
		status = statusScheme
	case req.MaxForwards() != nil && *req.MaxForwards() == 0 && req.Method != sip.OPTIONS:
		status = sip.StatusTooManyHops
	}
	if status == 0 {
		return true
	}
	if !req.IsAck() {
		s.sendResponse(markVia(f, req), s.response(req, status, ""))
	}
	return false
}

// twice says whether a header that every message has once came again: peers on the way may have read the other one.
func twice(req *sip.Request) bool {
	var from, to, callID, seq, hops, length int
	for _, h := range req.Headers() {
		switch h.(type) {
		case *sip.FromHeader:
			from++
		case *sip.ToHeader:
			to++
		case *sip.CallIDHeader:
			callID++
		case *sip.CSeqHeader:
			seq++
		case *sip.MaxForwardsHeader:
			hops++
		case *sip.ContentLengthHeader:
			length++
		}
	}
	return max(from, to, callID, seq, hops, length) > 1
}

// speaks says whether we serve addresses of a scheme. sips promises TLS, which is not ours to keep.
func speaks(scheme string) bool {
	return strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "tel")
}

// request takes one request on its lane.
func (l *lane) request(f flow, req *sip.Request) {
	if req.IsAck() {
		l.ack(req)
		return
	}
	if tx := l.serverTx(serverKey(req, req.Method)); tx != nil {
		tx.repeated()
		return
	}
	reply := markVia(f, req)
	if req.IsCancel() {
		l.cancel(reply, req)
		return
	}
	if !l.srv.understood(reply, req) {
		return
	}
	if toTag(req) != "" && req.Method != sip.REGISTER {
		l.inDialog(reply, req)
		return
	}
	l.outside(f, reply, req)
}

// outside takes a request that belongs to no dialog.
func (l *lane) outside(f, reply flow, req *sip.Request) {
	s := l.srv
	status := 0
	switch req.Method {
	case sip.INVITE:
		l.incoming(f, reply, req)
		return
	case sip.REGISTER:
		l.register(f, reply, req)
		return
	case sip.OPTIONS:
		s.options(reply, req)
		return
	case sip.BYE, sip.INFO, sip.UPDATE:
		status = sip.StatusCallTransactionDoesNotExists
	case sip.SUBSCRIBE, sip.NOTIFY, sip.REFER, sip.MESSAGE, sip.PRACK, sip.PUBLISH:
		status = sip.StatusMethodNotAllowed
	default:
		status = sip.StatusNotImplemented
	}
	res := s.response(req, status, "")
	res.AppendHeader(sip.NewHeader("Allow", allow))
	s.sendResponse(reply, res)
}

// extensions are the option tags that we understand in Require.
var extensions = []string{"timer"}

// understood refuses what demands an extension that we do not have: 100rel first of all (RFC 3261 8.2.2.3).
func (s *Server) understood(reply flow, req *sip.Request) bool {
	var strange []string
	for _, tag := range listed(req, "require") {
		if !slices.Contains(extensions, strings.ToLower(tag)) {
			strange = append(strange, tag)
		}
	}
	if len(strange) == 0 {
		return true
	}
	res := s.response(req, sip.StatusBadExtension, "")
	res.AppendHeader(sip.NewHeader("Unsupported", strings.Join(strange, ", ")))
	s.sendResponse(reply, res)
	return false
}

func (s *Server) options(reply flow, req *sip.Request) {
	res := s.response(req, sip.StatusOK, "")
	res.AppendHeader(sip.NewHeader("Allow", allow))
	res.AppendHeader(sip.NewHeader("Accept", typeSDP))
	res.AppendHeader(sip.NewHeader("Supported", "timer"))
	s.sendResponse(reply, res)
}

func (s *Server) overload(f flow, req *sip.Request) { s.later(markVia(f, req), req, retryAfter) }

// later refuses a request with 503 and says when to come back (RFC 3261, section 21.5.4).
func (s *Server) later(reply flow, req *sip.Request, seconds int) {
	res := s.response(req, sip.StatusServiceUnavailable, "")
	res.AppendHeader(sip.NewHeader("Retry-After", strconv.Itoa(seconds)))
	s.sendResponse(reply, res)
}

// ack ends the resending of a final response: of a refusal by its transaction, of a 2xx by its dialog.
func (l *lane) ack(req *sip.Request) {
	if tx := l.serverTx(serverKey(req, sip.INVITE)); tx != nil && tx.final >= 300 {
		tx.acked()
		return
	}
	if leg := l.legOf(toTag(req), fromTag(req)); leg != nil && leg.acked(req) {
		return
	}
	l.srv.count.unknown.Add(1)
}

// cancel ends an INVITE that is not answered yet (RFC 3261 9.2).
func (l *lane) cancel(reply flow, req *sip.Request) {
	tx := l.serverTx(serverKey(req, sip.INVITE))
	if tx == nil {
		l.srv.sendResponse(reply, l.srv.response(req, sip.StatusCallTransactionDoesNotExists, ""))
		return
	}
	tag := ""
	leg := tx.leg
	if leg != nil {
		tag = leg.id
	}
	l.srv.sendResponse(reply, l.srv.response(req, sip.StatusOK, tag))
	if leg != nil && leg.refuse(statusCancelled, 0) {
		leg.tell(func(h Handler) { h.Failed(statusCancelled) })
	}
}

func (l *lane) legOf(local, remote string) *Leg {
	for _, leg := range l.legs {
		if leg.id == local && (leg.remoteTag == remote || leg.remoteTag == "") {
			return leg
		}
	}
	return nil
}

// answerOnce answers a request other than INVITE and remembers the response for its repetitions.
func (l *lane) answerOnce(reply flow, req *sip.Request, res *sip.Response) {
	l.open(reply, req).respond(res, false)
}

// blocked refuses a request of an address that guessed passwords. 503 rather than 403: a phone behind the same address
// that knows its password tries again by itself, where many take 403 as final.
func (s *Server) blocked(f, reply flow, req *sip.Request) bool {
	if s.cfg.Guard == nil || !s.cfg.Guard.Blocked(f.remote.Addr(), time.Now()) {
		return false
	}
	s.count.blocked.Add(1)
	s.later(reply, req, retryBlocked)
	return true
}

// wrongPassword counts a failure and asks again, unless that was one too many.
func (s *Server) wrongPassword(f, reply flow, req *sip.Request) {
	s.count.authFailed.Add(1)
	if s.cfg.Guard != nil && s.cfg.Guard.Failed(f.remote.Addr(), time.Now()) {
		s.notice(f.remote.Addr(), "This address guessed SIP passwords; it is refused for a minute.")
	}
	s.challenge(reply, req, false)
}
