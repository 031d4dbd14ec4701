package sipd

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/memnet"
)

// TestEveryLegEnds makes calls over a network that loses, repeats, delays and reorders, with both ends doing what
// comes to their mind. However that goes, each leg ends once, is told so at most once, and nothing is left.
func TestEveryLegEnds(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func chaos(t *testing.T, dice *rand.Rand) {
	w := newWorld(t)
	loss := dice.Float64() * 0.4
	// The filter runs under the network's lock, so the generator is used by one goroutine at a time.
	network := rand.New(rand.NewPCG(dice.Uint64(), 2))
	w.net.SetFilter(func(p memnet.Packet) []memnet.Packet {
		if network.Float64() < loss {
			return nil
		}
		p.After = time.Duration(network.IntN(400)) * time.Millisecond
		out := []memnet.Packet{p}
		if network.Float64() < 0.1 {
			p.After += time.Duration(network.IntN(3_000)) * time.Millisecond
			out = append(out, p)
		}
		return out
	})
	in := &calls{}
	a := w.serve(addrA, nil)
	b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
	var n atomic.Int64
	in.on = func(leg *Leg) { answerSomehow(leg, n.Add(1)) }
	var callers []*ear
	for range 60 {
		caller := &ear{answer: []byte("again")}
		leg := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		callers = append(callers, caller)
		wait := time.Duration(dice.IntN(8_000)) * time.Millisecond
		time.AfterFunc(wait, func() { leg.Hangup(wait%2 == 0) })
		time.Sleep(time.Duration(dice.IntN(300)) * time.Millisecond)
	}
	time.Sleep(4 * giveUp)
	synctest.Wait()
	// A BYE whose every copy was lost leaves the other end in the call: that is what media's silence watchdog is for.
	for _, leg := range in.legs {
		leg.Hangup(false)
	}
	synctest.Wait()
	for _, e := range append(callers, in.ears...) {
		e.sane(t)
	}
	if got := b.Stats().Malformed; got != 0 {
		t.Errorf("%d messages of our own are malformed", got)
	}
	w.end()
}

func answerSomehow(leg *Leg, n int64) {
	switch n % 5 {
	case 0:
		leg.Refuse(486, 0)
	case 1:
		leg.Answer([]byte("answer"))
	case 2:
		leg.Progress()
		time.AfterFunc(2*time.Second, func() { leg.Answer([]byte("answer")) })
	case 3:
		leg.Progress()
		time.AfterFunc(5*time.Second, func() { leg.Hangup(false) })
	default:
		leg.Answer([]byte("answer"))
		time.AfterFunc(time.Second, func() { leg.Hangup(false) })
	}
}

// sane checks the order of what a handler was told.
func (e *ear) sane(t *testing.T) {
	t.Helper()
	up, over := false, false
	for _, text := range e.all() {
		kind, _, _ := strings.Cut(text, " ")
		wrong := over
		switch kind {
		case "ringing":
			wrong = wrong || up
		case "answered":
			wrong, up = wrong || up, true
		case "failed":
			wrong, over = wrong || up, true
		case "ended":
			over = true
		}
		if wrong {
			t.Errorf("heard %q", e.all())
			return
		}
	}
}

func TestTooManyCallIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Refuse(486, 0) }}
		server := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
		peer := w.raw(addrB, server)
		server.mu.Lock()
		if server.maxLanes != MaxLanes {
			t.Errorf("%d Call-IDs are kept", server.maxLanes)
		}
		server.maxLanes = 3
		server.lanes["one"], server.lanes["two"] = &lane{srv: server}, &lane{srv: server}
		server.mu.Unlock()
		peer.send(peer.message("INVITE", 1, "Call-ID: the last"))
		peer.want("100", "486")
		peer.send(peer.message("INVITE", 1, "Call-ID: one too many"))
		if got := field(peer.want("503")[0], "Retry-After"); got != "5" {
			t.Errorf("Retry-After %q", got)
		}
		caller := &ear{}
		server.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		synctest.Wait()
		caller.want(t, "failed 503")
		server.mu.Lock()
		delete(server.lanes, "one")
		delete(server.lanes, "two")
		server.mu.Unlock()
		w.end()
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		a := w.serve(addrA, nil)
		w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		heard := [3]*ear{{}, {}, {}}
		for i := range heard {
			a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, heard[i])
			synctest.Wait()
		}
		in.legs[0].Answer([]byte("answer"))
		in.legs[1].Progress()
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		heard[0].want(t, "answered answer")
		heard[1].want(t, "ringing ")
		in.ears[0].want(t, "ended the far side hung up")
		in.ears[1].want(t, "failed 487")
		late := &ear{}
		leg := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, late)
		leg.Hangup(false)
		leg.Answer(nil)
		late.want(t)
		if _, err := a.Register(t.Context(), Registration{Server: addrB, Username: "x"}); err == nil {
			t.Error("registered with a server that is closed")
		}
		w.end()
	})
}

func TestFacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		server := w.serve(addrA, p.config)
		phone := &registerer{rawPeer: w.raw(addrB, server), callID: "phone"}
		phone.register("Contact: <sip:ada@192.168.1.5>")
		for _, test := range []struct {
			to   string
			want netip.Addr
		}{
			{"", phone.conn.Addr().Addr()}, {uriOf(addrC), netip.MustParseAddr("10.0.0.3")}, {"sip:x@name", netip.Addr{}},
		} {
			got := server.Facing(0, test.to)
			if test.to == "" {
				got = server.Facing(7, "")
			}
			if got != test.want {
				t.Errorf("facing %q: %v, want %v", test.to, got, test.want)
			}
		}
		server.Unregister(7)
		w.end()
	})
}
