package sipd

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

// loopback starts a server on real sockets.
func loopback(t testing.TB, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{Addr: "127.0.0.1:0", AllowTrunk: func(netip.Addr) bool { return true }}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// eventually waits for something that another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 1_000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never came: %s", what)
}

func TestACallOverRealSockets(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			in := &calls{on: func(leg *Leg) { leg.Progress(); leg.Answer([]byte("answer")) }}
			a := loopback(t, nil)
			b := loopback(t, func(c *Config) { c.OnCall = in.onCall })
			caller := &ear{}
			leg := a.Invite(Invitation{To: uriOf(b.Addr().String()) + ";transport=" + transport, SDP: []byte("offer")}, caller)
			eventually(t, "the answer", func() bool { return len(caller.all()) == 2 })
			leg.Hangup(false)
			caller.want(t, "ringing ", "answered answer")
			_, callee := in.one(t)
			eventually(t, "the end", func() bool { return len(callee.all()) == 1 })
			callee.want(t, "ended the far side hung up")
		})
	}
}

func TestAPhoneOnTCPIsGoneWithItsConnection(t *testing.T) {
	p, in := &phones{}, &calls{on: func(leg *Leg) { leg.Answer([]byte("answer")) }}
	server := loopback(t, p.config)
	phone := loopback(t, func(c *Config) { c.OnCall = in.onCall })
	_, err := phone.Register(context.Background(), Registration{
		Server: server.Addr().String() + ";transport=tcp", Username: "ada", Password: "secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	caller := &ear{}
	server.Invite(Invitation{Device: 7, SDP: []byte("offer")}, caller)
	eventually(t, "the answer", func() bool { return len(caller.all()) == 1 })
	if err := phone.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss", func() bool { return !server.Registered(7) })
	eventually(t, "the news", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.heard) == 2 })
	p.want(t, "1 7 true", "1 7 false")
}

func TestListening(t *testing.T) {
	a := loopback(t, nil)
	if a.Addr().Port() == 0 {
		t.Error("no port")
	}
	if _, err := New(Config{Addr: a.Addr().String()}); err == nil {
		t.Error("two servers on one port")
	}
	if _, err := New(Config{Addr: "nonsense"}); err == nil {
		t.Error("an address without a port was taken")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
