package sipd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Registration is what a phone of ours tells a registrar.
type Registration struct {
	Server             string // "sip:host:port" or "host:port", numeric host; ;transport=tcp asks for TCP
	Username, Password string
	Expires            time.Duration // asked for; 0: an hour. The registrar decides
}

// Errors of Register. Both are wrapped with the registrar's status where it gave one.
var (
	ErrRegistrar = errors.New("the registrar refused")
	ErrNoAnswer  = errors.New("the registrar did not answer")
)

const (
	registerRetry   = 30 * time.Second // after a refresh that failed
	unregisterWait  = 2 * time.Second  // for the answer to the last REGISTER
	refreshFraction = 2                // refreshed after 1/2 of the lifetime
)

// registering is one Registration at work. All of its REGISTERs share a Call-ID.
type registering struct {
	srv    *Server
	reg    Registration
	uri    sip.Uri
	flow   flow
	callID string
	tag    string
	seq    uint32
}

// Register registers as a phone and keeps the registration fresh until ctx ends; then it unregisters. It returns once
// the first REGISTER was answered: an error then, or a channel that closes when the registration is over (unregistered,
// or the server closed).
func (s *Server) Register(ctx context.Context, reg Registration) (<-chan struct{}, error) {
	r := &registering{srv: s, reg: reg, callID: newCallID(), tag: newTag()}
	text := reg.Server
	if !strings.HasPrefix(strings.ToLower(text), "sip:") {
		text = "sip:" + text
	}
	if err := sip.ParseUri(text, &r.uri); err != nil {
		return nil, fmt.Errorf("register %s: server %q: %w", reg.Username, reg.Server, err)
	}
	addr, tcp, ok := numericTarget(&r.uri)
	if !ok {
		return nil, fmt.Errorf("register %s: server %q is not sip:address:port", reg.Username, reg.Server)
	}
	r.flow = flow{remote: addr}
	if tcp {
		f, err := s.dial(ctx, addr)
		if err != nil {
			return nil, fmt.Errorf("register %s: %w", reg.Username, err)
		}
		r.flow = f
	}
	if r.reg.Expires == 0 {
		r.reg.Expires = MaxExpires
	}
	left, err := r.send(ctx, r.reg.Expires)
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", reg.Username, err)
	}
	done := make(chan struct{})
	if !s.spawned(func() { defer close(done); r.keep(ctx, left) }) {
		close(done)
	}
	return done, nil
}

// spawned is spawn for one who must know whether f runs.
func (s *Server) spawned(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(f)
	return true
}

func (r *registering) keep(ctx context.Context, left time.Duration) {
	timer := time.NewTimer(left / refreshFraction)
	defer timer.Stop()
	for {
		select {
		case <-r.srv.ctx.Done():
			return
		case <-ctx.Done():
			last, cancel := context.WithTimeout(r.srv.ctx, unregisterWait)
			defer cancel()
			if _, err := r.send(last, 0); err != nil {
				r.srv.log.Debug("cannot unregister", "user", r.reg.Username, "error", err)
			}
			return
		case <-timer.C:
		}
		fresh, err := r.send(ctx, r.reg.Expires)
		wait := fresh / refreshFraction
		if err != nil {
			r.srv.log.Warn("cannot refresh a registration", "user", r.reg.Username, "error", err)
			wait = registerRetry
		}
		timer.Reset(wait)
	}
}

// outcome is the final response to a REGISTER; res is nil when there was none.
type outcome struct {
	req    *sip.Request
	res    *sip.Response
	status int
}

// send registers once, with credentials when asked for them, and longer when that was too brief. It answers how long
// the registration lasts.
func (r *registering) send(ctx context.Context, expires time.Duration) (time.Duration, error) {
	var credentials sip.Header
	for range maxAuthTries {
		out, err := r.exchange(ctx, expires, credentials)
		if err != nil {
			return 0, err
		}
		switch {
		case out.res == nil:
			return 0, fmt.Errorf("%w (%d)", ErrNoAnswer, out.status)
		case out.status < 300:
			return granted(out.res, expires), nil
		case out.status == sip.StatusIntervalToBrief:
			seconds, _ := strconv.Atoi(headerText(out.res, "min-expires"))
			expires = max(time.Duration(seconds)*time.Second, MinExpires)
			continue
		case challenged(out.status) && (credentials == nil || stale(out.res)):
			var ok bool
			if credentials, ok = answerChallenge(out.req, out.res, r.reg.Username, r.reg.Password); ok {
				continue
			}
		}
		return 0, fmt.Errorf("%w: %d %s", ErrRegistrar, out.status, out.res.Reason)
	}
	return 0, fmt.Errorf("%w: asked %d times for a password", ErrRegistrar, maxAuthTries)
}

func granted(res *sip.Response, asked time.Duration) time.Duration {
	text := headerText(res, "expires")
	if c := res.Contact(); c != nil && hasParam(c.Params, "expires") {
		text = param(c.Params, "expires")
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return max(asked, time.Second)
}

// exchange sends one REGISTER and waits for its final response.
func (r *registering) exchange(ctx context.Context, expires time.Duration, credentials sip.Header) (outcome, error) {
	answer := make(chan outcome, 1)
	if !r.srv.route(r.callID, true, func(l *lane) {
		req := r.request(expires)
		if credentials != nil {
			req.AppendHeader(credentials)
		}
		l.transact(r.flow, req, func(res *sip.Response, status int) {
			if status >= 200 {
				answer <- outcome{req, res, status}
			}
		})
	}) {
		return outcome{}, errors.New("the server is closed")
	}
	select {
	case out := <-answer:
		return out, nil
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	case <-r.srv.ctx.Done():
		return outcome{}, errors.New("the server is closed")
	}
}

func (r *registering) request(expires time.Duration) *sip.Request {
	s := r.srv
	r.seq++
	registrar := r.uri
	registrar.UriParams = nil
	req := s.request(r.flow, sip.REGISTER, registrar, r.callID)
	who := registrar
	who.User = escapedUser(r.reg.Username)
	from := &sip.FromHeader{Address: who}
	from.Params.Add("tag", r.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: who})
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.seq, MethodName: sip.REGISTER})
	req.AppendHeader(s.contact(r.flow, escapedUser(r.reg.Username)))
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires.Seconds()))))
	req.AppendHeader(sip.NewHeader("Allow", allow))
	req.AppendHeader(sip.NewHeader("User-Agent", userAgent))
	req.SetBody(nil)
	return req
}
