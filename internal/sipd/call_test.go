package sipd

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/memnet"
)

// ear writes down what a leg's handler is told.
type ear struct {
	mu     sync.Mutex
	heard  []string
	answer []byte // to Offer
	status int
	on     func(string)
}

func (e *ear) note(text string) {
	e.mu.Lock()
	e.heard = append(e.heard, text)
	on := e.on
	e.mu.Unlock()
	if on != nil {
		on(text)
	}
}

func (e *ear) Ringing(sdp []byte)  { e.note("ringing " + string(sdp)) }
func (e *ear) Answered(sdp []byte) { e.note("answered " + string(sdp)) }
func (e *ear) Failed(status int)   { e.note(fmt.Sprint("failed ", status)) }
func (e *ear) Ended(why string, lost bool) {
	if lost {
		why += ", lost"
	}
	e.note("ended " + why)
}

func (e *ear) Digit(d byte) { e.note("digit " + string(d)) }
func (e *ear) Offer(sdp []byte) ([]byte, int) {
	e.note("offer " + string(sdp))
	return e.answer, e.status
}

func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

func (e *ear) want(t *testing.T, want ...string) {
	t.Helper()
	if got := e.all(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

const (
	addrA = "10.0.0.1:5060"
	addrB = "10.0.0.2:5060"
	addrC = "10.0.0.3:5060"
)

func uriOf(addr string) string { return "sip:100@" + addr }

// world is a few servers on one network in one bubble.
type world struct {
	t       *testing.T
	net     *memnet.Net
	servers []*Server
}

func newWorld(t *testing.T) *world { return &world{t: t, net: memnet.New()} }

// serve starts a server that lets everybody in.
func (w *world) serve(addr string, change func(*Config)) *Server {
	w.t.Helper()
	conn := w.net.Listen(netip.MustParseAddrPort(addr))
	cfg := Config{PacketConn: conn, AllowTrunk: func(netip.Addr) bool { return true }}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.servers = append(w.servers, s)
	return s
}

// end closes all and checks that nothing is left: no leg, and after the last timer no lane.
func (w *world) end() {
	w.t.Helper()
	time.Sleep(2 * giveUp)
	synctest.Wait()
	for _, s := range w.servers {
		if got := s.Stats(); got.Legs != 0 || got.Lanes != 0 {
			w.t.Errorf("%s is left with %d legs and %d lanes", s.Addr(), got.Legs, got.Lanes)
		}
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

// calls collects the legs that come in.
type calls struct {
	mu   sync.Mutex
	legs []*Leg
	ears []*ear
	on   func(*Leg)
}

func (c *calls) onCall(leg *Leg) {
	e := &ear{}
	leg.Handle(e)
	c.mu.Lock()
	c.legs, c.ears = append(c.legs, leg), append(c.ears, e)
	on := c.on
	c.mu.Unlock()
	if on != nil {
		on(leg)
	}
}

func (c *calls) one(t *testing.T) (*Leg, *ear) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.legs) != 1 {
		t.Fatalf("%d calls came in, want 1", len(c.legs))
	}
	return c.legs[0], c.ears[0]
}

func lines(packets []memnet.Packet) []string {
	var out []string
	for _, p := range packets {
		line := p.First()
		if !strings.HasPrefix(line, "SIP/2.0") {
			line, _, _ = strings.Cut(line, " ")
		} else {
			line = strings.TrimPrefix(line, "SIP/2.0 ")
		}
		out = append(out, line)
	}
	return out
}

func wantLines(t *testing.T, packets []memnet.Packet, want ...string) {
	t.Helper()
	if got := lines(packets); !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestACallFromInviteToBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		a := w.serve(addrA, nil)
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		caller := &ear{}
		out := a.Invite(Invitation{
			To: uriOf(addrB), From: "+15550100", FromName: `Ada "L" \ B`, SDP: []byte("offer"),
		}, caller)
		synctest.Wait()
		leg, callee := in.one(t)
		if leg.From() != "+15550100" || leg.FromName() != `Ada "L" \ B` || leg.To() != "100" ||
			string(leg.Offer()) != "offer" ||
			leg.Source().String() != addrA || !leg.Trunk() || leg.Device() != 0 || leg.ID() == "" || leg.ID() == out.ID() {
			t.Errorf("leg is %q %q %q %q %v", leg.From(), leg.FromName(), leg.To(), leg.Offer(), leg.Source())
		}
		leg.Progress()
		synctest.Wait()
		time.Sleep(45 * time.Second)
		leg.Answer([]byte("answer"))
		synctest.Wait()
		time.Sleep(time.Hour)
		if b.Stats().Legs != 1 {
			t.Error("the leg should be up")
		}
		out.Hangup(false)
		synctest.Wait()
		caller.want(t, "ringing ", "answered answer")
		callee.want(t, "ended the far side hung up")
		wantLines(t, w.net.Sent(a.Addr()), "INVITE", "ACK", "BYE")
		wantLines(t, w.net.Sent(b.Addr()), "100 Trying", "180 Ringing", "200 OK", "200 OK")
		w.end()
	})
}

func TestTheCalleeHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Answer([]byte("answer")) }}
		a := w.serve(addrA, nil)
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		caller := &ear{}
		a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		synctest.Wait()
		leg, callee := in.one(t)
		if leg.From() != "" {
			t.Errorf("a withheld number reads %q", leg.From())
		}
		leg.Hangup(false)
		synctest.Wait()
		caller.want(t, "answered answer", "ended the far side hung up")
		callee.want(t)
		wantLines(t, w.net.Sent(b.Addr()), "100 Trying", "200 OK", "BYE")
		w.end()
	})
}

// digestOf is the stored form of a password.
func digestOf(user, realm, password string) callcenter.Digest {
	text := []byte(user + ":" + realm + ":" + password)
	m, s := md5.Sum(text), sha256.Sum256(text)
	return callcenter.Digest{MD5: hex.EncodeToString(m[:]), SHA256: hex.EncodeToString(s[:])}
}
