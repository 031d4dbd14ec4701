package sipd

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// minSession is the shortest session interval that we agree to (RFC 4028 4).
const minSession = 90 * time.Second

// session is the session timer of a dialog (RFC 4028). We never ask for one; asked, we refresh or watch.
type session struct {
	interval time.Duration // 0: none
	ours     bool          // we refresh
	alarm    *alarm
}

// askedSession reads Session-Expires: 0 when there is none.
func askedSession(m sip.Message) (interval time.Duration, refresher string) {
	value, params, _ := strings.Cut(headerText(m, "session-expires", "x"), ";")
	seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	if err != nil {
		return 0, ""
	}
	for p := range strings.SplitSeq(params, ";") {
		if name, value, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return time.Duration(seconds) * time.Second, refresher
}

// refuseBriefSession answers 422 to a request that asks for too short an interval.
func (s *Server) refuseBriefSession(reply flow, req *sip.Request) bool {
	interval, _ := askedSession(req)
	if interval == 0 || interval >= minSession {
		return false
	}
	res := s.response(req, statusTooBrief, "")
	res.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(int(minSession.Seconds()))))
	s.sendResponse(reply, res)
	return true
}

// accept agrees to the session timer that a request asks for. One that does not mention it leaves it as it is.
func (t *session) accept(req *sip.Request, res *sip.Response) {
	interval, refresher := askedSession(req)
	if interval == 0 {
		return
	}
	theyCan := lists(req, "timer", "supported", "k")
	if refresher == "" {
		refresher = "uac"
	}
	if !theyCan {
		refresher = "uas"
	}
	t.interval, t.ours = interval, refresher == "uas"
	res.AppendHeader(sip.NewHeader("Session-Expires", sessionText(interval, refresher)))
	if theyCan {
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
}

// agreed reads the session timer out of a 2xx to a request of ours.
func (t *session) agreed(res *sip.Response) {
	interval, refresher := askedSession(res)
	if interval < minSession {
		interval = 0
	}
	t.interval, t.ours = interval, refresher != "uas"
}

func sessionText(interval time.Duration, refresher string) string {
	return strconv.Itoa(int(interval.Seconds())) + ";refresher=" + refresher
}

// restart sets the alarm anew: half of the interval for the one who refreshes; the other hangs up a little before its
// end (RFC 4028 10).
func (t *session) restart(l *Leg) {
	l.lane.stop(t.alarm)
	switch {
	case t.interval == 0 || l.state != legUp:
	case t.ours:
		t.alarm = l.lane.after(t.interval/2, l.refresh)
	default:
		t.alarm = l.lane.after(t.interval-min(32*time.Second, t.interval/3), func() { l.dead("the session expired") })
	}
}

// dead hangs up a dialog that the far side has lost.
func (l *Leg) dead(why string) {
	if l.state != legUp {
		return
	}
	l.bye()
	l.tell(func(h Handler) { h.Ended(why, true) })
	l.hung = true
}

// refresh proves to the far side that we are alive: by UPDATE where it knows that, else by a re-INVITE that changes
// nothing.
func (l *Leg) refresh() {
	if l.state != legUp || l.asking || l.unacked != nil {
		l.session.alarm = l.lane.after(t2, l.refresh)
		return
	}
	method := sip.INVITE
	if l.updates {
		method = sip.UPDATE
	}
	req := l.inDialogRequest(method)
	req.AppendHeader(l.srv.contact(l.flow, ""))
	req.AppendHeader(sip.NewHeader("Supported", "timer"))
	req.AppendHeader(sip.NewHeader("Session-Expires", sessionText(l.session.interval, "uac")))
	if method == sip.INVITE {
		setSDP(req, l.sdp)
	}
	l.asking = true
	l.ask(req, func(res *sip.Response, status int) { l.refreshed(req, res, status) })
}

func (l *Leg) refreshed(req *sip.Request, res *sip.Response, status int) {
	if status < 200 {
		return
	}
	l.asking = false
	if status < 300 && req.IsInvite() {
		_ = l.srv.send(l.flow, wire(l.ackRequest(req.CSeq().SeqNo)))
	}
	if l.state != legUp {
		return
	}
	switch {
	case status < 300:
		l.session.agreed(res)
		l.session.restart(l)
	case status == sip.StatusRequestPending:
		l.session.alarm = l.lane.after(t2, l.refresh)
	case status == sip.StatusMethodNotAllowed || status == sip.StatusNotImplemented:
		if l.updates { // it said that it knows UPDATE, and does not
			l.updates = false
			l.refresh()
		}
	case lostDialog(status):
		l.dead("the far side lost the dialog")
	default:
		l.session.alarm = l.lane.after(l.session.interval/4, l.refresh)
	}
}

// lostDialog says whether the answer to a request in a dialog means that the dialog is no more (RFC 5057 5.1).
func lostDialog(status int) bool {
	switch status {
	case sip.StatusNotFound, statusTimeout, sip.StatusGone, sip.StatusCallTransactionDoesNotExists, statusUnreachable:
		return true
	}
	return false
}
