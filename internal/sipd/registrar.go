package sipd

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"switchboard/internal/callcenter"
)

// The lifetimes of a registration.
const (
	MinExpires = time.Minute // a shorter one is refused with 423
	MaxExpires = time.Hour   // a longer one is cut to this, and so is one that does not say
)

// keepalive is how often a phone behind a NAT gets an empty line, so that the NAT remembers it.
const keepalive = 25 * time.Second

// binding is where a device can be reached.
type binding struct {
	owner   callcenter.OperatorID
	device  callcenter.DeviceID
	flow    flow
	contact sip.Uri
	callID  string
	seq     uint32
	expires time.Time
	timer   *time.Timer
}

// registrar holds one binding a device: the phone that registered last is the one that rings.
type registrar struct {
	mu       sync.Mutex
	bindings map[callcenter.DeviceID]*binding
	flows    map[flow]int
	stopped  bool
}

func (r *registrar) init() {
	r.bindings = make(map[callcenter.DeviceID]*binding)
	r.flows = make(map[flow]int)
}

func (r *registrar) size() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.bindings))
}

func (r *registrar) binding(device callcenter.DeviceID) (binding, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.bindings[device]
	if b == nil || !time.Now().Before(b.expires) {
		return binding{}, false
	}
	return *b, true
}

// over says whether anybody is registered over a flow.
func (r *registrar) over(f flow) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flows[f] > 0
}

func (r *registrar) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, b := range r.bindings {
		b.timer.Stop()
	}
}

// putLocked makes b the binding of its device, and removes the one there was. Callers hold mu.
func (s *Server) putLocked(b *binding) {
	r := &s.registrar
	if r.stopped {
		return
	}
	old := r.bindings[b.device]
	if old != nil {
		old.timer.Stop()
		r.leaveLocked(old)
	}
	r.bindings[b.device] = b
	r.flows[b.flow]++
	b.timer = time.AfterFunc(b.nextLook(), func() { s.look(b) })
	if old == nil {
		s.tellDevice(b, true)
	}
}

func (r *registrar) leaveLocked(b *binding) {
	if r.flows[b.flow]--; r.flows[b.flow] == 0 {
		delete(r.flows, b.flow)
	}
}

func (s *Server) removeLocked(b *binding) {
	r := &s.registrar
	if r.bindings[b.device] != b {
		return
	}
	b.timer.Stop()
	delete(r.bindings, b.device)
	r.leaveLocked(b)
	s.tellDevice(b, false)
}

// tellDevice is called with the registrar's lock held, so that the order of the calls is the order of the facts.
func (s *Server) tellDevice(b *binding, reachable bool) {
	owner, device := b.owner, b.device
	s.bells.post(func() { s.cfg.OnDevice(owner, device, reachable) })
}

// natted says whether a NAT shows: the phone thinks that it is somewhere else.
func (b *binding) natted() bool {
	addr, tcp, ok := numericTarget(&b.contact)
	return b.flow.stream == nil && ok && !tcp && addr != b.flow.remote
}

func (b *binding) nextLook() time.Duration {
	left := max(time.Until(b.expires), 0)
	if b.natted() {
		return min(left, keepalive)
	}
	return left
}

// look keeps a binding alive behind its NAT, and removes it when its time is over.
func (s *Server) look(b *binding) {
	r := &s.registrar
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped || r.bindings[b.device] != b:
	case !time.Now().Before(b.expires):
		s.removeLocked(b)
	default:
		_ = s.send(b.flow, []byte("\r\n\r\n"))
		b.timer.Reset(b.nextLook())
	}
}

// forgetStream removes what was registered over a connection that ended.
func (s *Server) forgetStream(st *stream) {
	r := &s.registrar
	r.mu.Lock()
	defer r.mu.Unlock()
	var gone []*binding
	for _, b := range r.bindings {
		if b.flow.stream == st {
			gone = append(gone, b)
		}
	}
	slices.SortFunc(gone, func(a, b *binding) int { return int(a.device - b.device) })
	for _, b := range gone {
		s.removeLocked(b)
	}
}

// Registered says whether a device can be reached now.
func (s *Server) Registered(device callcenter.DeviceID) bool {
	_, ok := s.registrar.binding(device)
	return ok
}

// Unregister ends a device's registration: it was deleted, or its password changed.
func (s *Server) Unregister(device callcenter.DeviceID) {
	s.registrar.mu.Lock()
	defer s.registrar.mu.Unlock()
	if b := s.registrar.bindings[device]; b != nil && !s.registrar.stopped {
		s.removeLocked(b)
	}
}

// register takes a REGISTER (RFC 3261 10.3).
func (l *lane) register(f, reply flow, req *sip.Request) {
	s := l.srv
	if s.blocked(f, reply, req) {
		return
	}
	account, verdict := s.authenticate(req, time.Now())
	switch verdict {
	case credentialsRight:
	case credentialsWrong:
		s.wrongPassword(f, reply, req)
		return
	default:
		s.challenge(reply, req, verdict == credentialsStale)
		return
	}
	l.answerOnce(reply, req, s.registered(f, req, account))
}

// registered does what an authenticated REGISTER asks for.
func (s *Server) registered(f flow, req *sip.Request, account Account) *sip.Response {
	contacts, wildcard := contactsOf(req)
	r := &s.registrar
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.bindings[account.Device]
	callID, seq := string(*req.CallID()), req.CSeq().SeqNo
	if old != nil && old.callID == callID && seq <= old.seq && len(contacts) > 0 {
		return s.response(req, sip.StatusInternalServerError, "") // out of order (RFC 3261 10.3, step 7)
	}
	if wildcard {
		if len(contacts) != 1 || headerText(req, "expires") != "0" {
			return s.response(req, sip.StatusBadRequest, "")
		}
		if old != nil {
			s.removeLocked(old)
		}
		return s.bindingsLocked(req, account.Device)
	}
	for _, c := range contacts {
		expires, status := lifetime(req, c)
		switch {
		case status != 0:
			res := s.response(req, status, "")
			res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(int(MinExpires.Seconds()))))
			return res
		case expires > 0:
			s.putLocked(&binding{
				owner: account.Owner, device: account.Device, flow: f, contact: bare(c.Address),
				callID: callID, seq: seq, expires: time.Now().Add(expires),
			})
		case old != nil && (old.flow == f || sameContact(&old.contact, &c.Address)):
			// Another phone of the same device that goes leaves the one that came after it alone.
			s.removeLocked(old)
		}
	}
	return s.bindingsLocked(req, account.Device)
}

func contactsOf(req *sip.Request) (contacts []*sip.ContactHeader, wildcard bool) {
	for _, name := range []string{"contact", "m"} {
		for _, h := range req.GetHeaders(name) {
			if c, ok := h.(*sip.ContactHeader); ok {
				contacts = append(contacts, c)
				wildcard = wildcard || c.Address.Wildcard
			}
		}
	}
	return contacts, wildcard
}

func sameContact(a, b *sip.Uri) bool {
	return a.User == b.User && strings.EqualFold(a.Host, b.Host) && a.Port == b.Port
}

// lifetime is how long a contact asks to be kept; 0: not any longer. A status refuses it.
func lifetime(req *sip.Request, c *sip.ContactHeader) (time.Duration, int) {
	text := param(c.Params, "expires")
	if text == "" {
		text = headerText(req, "expires")
	}
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil { // RFC 3261 20.19: malformed is as if it were not there
		return MaxExpires, 0
	}
	asked := time.Duration(seconds) * time.Second
	if asked > 0 && asked < MinExpires {
		return 0, sip.StatusIntervalToBrief
	}
	return min(asked, MaxExpires), 0
}

// bindingsLocked is the 200 to a REGISTER: it names the binding that now holds.
func (s *Server) bindingsLocked(req *sip.Request, device callcenter.DeviceID) *sip.Response {
	res := s.response(req, sip.StatusOK, "")
	if b := s.registrar.bindings[device]; b != nil {
		c := &sip.ContactHeader{Address: b.contact}
		left := time.Until(b.expires).Round(time.Second)
		c.Params.Add("expires", strconv.Itoa(int(left.Seconds())))
		res.AppendHeader(c)
	}
	return res
}
