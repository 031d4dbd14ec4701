package sipd

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/memnet"
)

// Each test here stands for a defect of SIP stacks that a call center cannot live with: docs/reference/sip.md.

func TestMessagesKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Progress(); leg.Answer([]byte("answer")) }}
		a := w.serve(addrA, nil)
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		var callers []*ear
		for range 200 {
			caller, legs := &ear{}, make(chan *Leg, 1)
			caller.on = func(text string) {
				if strings.HasPrefix(text, "answered") {
					(<-legs).Hangup(false) // ACK and BYE leave in one breath
				}
			}
			legs <- a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
			synctest.Wait()
			callers = append(callers, caller)
		}
		for _, caller := range callers {
			caller.want(t, "ringing ", "answered answer")
		}
		for _, callee := range in.ears {
			callee.want(t, "ended the far side hung up")
		}
		if got := b.Stats(); got.Retransmits != 0 || got.Unknown != 0 {
			t.Errorf("%d retransmissions, %d strays; want none", got.Retransmits, got.Unknown)
		}
		w.end()
	})
}

func TestA200ThatCrossesOurCancelIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: (*Leg).Progress}
		a := w.serve(addrA, nil)
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		w.net.SetFilter(func(p memnet.Packet) []memnet.Packet {
			p.After = 50 * time.Millisecond
			return []memnet.Packet{p}
		})
		caller := &ear{}
		out := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		time.Sleep(time.Second)
		leg, callee := in.one(t)
		out.Hangup(true)
		leg.Answer([]byte("answer"))
		time.Sleep(time.Second)
		caller.want(t, "ringing ")
		callee.want(t, "ended the far side hung up")
		wantLines(t, w.net.Sent(a.Addr()), "INVITE", "CANCEL", "ACK", "BYE")
		got := field(string(w.net.Sent(a.Addr())[1].Data), "Reason")
		if got != `SIP;cause=200;text="Call completed elsewhere"` {
			t.Errorf("Reason %q", got)
		}
		wantLines(t, w.net.Sent(b.Addr()), "100 Trying", "180 Ringing", "200 OK", "200 OK", "200 OK")
		w.end()
	})
}

func TestAPhoneMayRingAsOftenAsItLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, nil)
		phone := w.raw(addrB, a)
		caller := &ear{}
		leg := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		invite := phone.want("INVITE")[0]
		for range 12 {
			phone.send(respond(invite, 180, "x"))
			time.Sleep(10 * time.Second)
		}
		phone.send(respond(invite, 183, "x", isSDP, "Body: early"))
		phone.send(respond(invite, 183, "x", isSDP, "Body: early"))
		phone.send(respond(invite, 200, "x", "Contact: <sip:phone@"+addrB+">", isSDP, "Body: answer"))
		phone.want("ACK")
		caller.want(t, "ringing ", "ringing early", "answered answer")
		leg.Hangup(false)
		phone.send(respond(phone.want("BYE")[0], 200, "x"))
		w.end()
	})
}

func TestOur200IsResentAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Answer([]byte("answer")) }}
		a := w.serve(addrA, nil)
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		w.net.SetFilter(func(p memnet.Packet) []memnet.Packet {
			if bytes.HasPrefix(p.Data, []byte("ACK ")) {
				return nil
			}
			return []memnet.Packet{p}
		})
		caller := &ear{}
		a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		time.Sleep(giveUp + time.Second)
		var at []time.Duration
		for _, p := range w.net.Sent(b.Addr()) {
			if strings.HasPrefix(p.First(), "SIP/2.0 200") {
				at = append(at, p.At)
			}
		}
		var want []time.Duration
		for _, ms := range []int{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500} {
			want = append(want, time.Duration(ms)*time.Millisecond)
		}
		if !slices.Equal(at, want) {
			t.Errorf("200 sent at %v, want %v", at, want)
		}
		_, callee := in.one(t)
		callee.want(t, "ended no ACK to our 200, lost")
		caller.want(t, "answered answer", "ended the far side hung up")
		w.end()
	})
}

func TestHangupWaitsForTheAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
		caller := w.raw(addrB, a)
		caller.send(caller.message("INVITE", 1, isSDP, "Body: offer"))
		leg, _ := in.one(t)
		leg.Answer([]byte("answer"))
		leg.Hangup(false)
		ok := caller.want("100", "200")[1]
		caller.send(caller.message("ACK", 1, "To: "+field(ok, "To"), "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKack"))
		bye := caller.want("BYE")[0]
		caller.send(respond(bye, 200, ""))
		w.end()
	})
}

func TestARefusalIsResentUntilItsAckAndBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Refuse(486, 7) }}
		a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
		caller := w.raw(addrB, a)
		invite := caller.message("INVITE", 1, isSDP, "Body: offer")
		caller.send(invite)
		caller.send(caller.message("INVITE", 1, "Call-ID: other", "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKother"))
		busy := caller.want("100", "486", "100", "486")[1]
		if got := field(busy, "Retry-After"); got != "7" {
			t.Errorf("Retry-After %q", got)
		}
		time.Sleep(3600 * time.Millisecond)
		caller.want("486", "486", "486", "486", "486", "486") // 0.5, 1.5 and 3.5 s, of both
		caller.send(caller.message("ACK", 1, "To: "+field(busy, "To"), "Via: "+field(invite, "Via")))
		time.Sleep(4 * time.Second)
		caller.want("486") // of the other
		for _, callee := range in.ears {
			callee.want(t)
		}
		w.end()
	})
}

func TestAnUnreachableContactDoesNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		server := w.serve(addrA, p.config)
		phone := w.raw(addrB, server)
		contact := "Contact: <sip:x9q@k3v7.invalid;transport=ws>;expires=600"
		phone.send(phone.message("REGISTER", 1, contact, "To: <sip:ada@a>"))
		phone.send(phone.message("REGISTER", 2, contact, "To: <sip:ada@a>", authorization(t, phone.last(), "REGISTER", 1)))
		phone.want("200")
		caller := &ear{}
		leg := server.Invite(Invitation{Device: 7, SDP: []byte("offer")}, caller)
		invite := phone.want("INVITE sip:x9q@k3v7.invalid;transport=ws ")[0]
		phone.send(respond(invite, 200, "x", "Contact: <sip:x9q@k3v7.invalid;transport=ws>", isSDP, "Body: answer"))
		phone.want("ACK sip:x9q@k3v7.invalid")
		caller.want(t, "answered answer")
		leg.Hangup(false)
		bye := phone.want("BYE sip:x9q@k3v7.invalid")[0]
		phone.send(respond(bye, 200, ""))
		w.end()
	})
}

func TestReliableProvisionalsAreNotPromised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
		caller := w.raw(addrB, a)
		caller.send(caller.message("INVITE", 1, "Require: 100rel, timer, x-strange"))
		refusal := caller.want("420")[0]
		if got := field(refusal, "Unsupported"); got != "100rel, x-strange" {
			t.Errorf("Unsupported %q", got)
		}
		if len(in.legs) != 0 {
			t.Error("the call came in")
		}
		out := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, &ear{})
		if invite := caller.last(); strings.Contains(invite, "100rel") {
			t.Errorf("our INVITE speaks of 100rel:\n%s", invite)
		}
		out.Hangup(false)
		w.end()
	})
}

func TestCallsLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Answer([]byte("answer")) }}
		a := w.serve(addrA, nil)
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		for i := range 500 {
			caller := &ear{}
			leg := a.Invite(Invitation{To: fmt.Sprintf("sip:%d@%s", i, addrB), SDP: []byte("offer")}, caller)
			synctest.Wait()
			leg.Hangup(false)
		}
		synctest.Wait()
		if got := b.Stats(); got.Legs != 0 || got.Lanes == 0 {
			t.Errorf("%d legs, %d lanes right after; want none and some", got.Legs, got.Lanes)
		}
		w.end() // checks that the lanes are gone with the last timer
	})
}

func TestAFloodOfCallsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Refuse(486, 0) }}
		var notices []Notice
		a := w.serve(addrA, func(c *Config) {
			c.OnCall, c.MaxNewCalls = in.onCall, 3
			c.OnNotice = func(n Notice) { notices = append(notices, n) }
		})
		b := w.serve(addrB, nil)
		var callers []*ear
		for range 5 {
			callers = append(callers, &ear{})
			b.Invite(Invitation{To: uriOf(addrA), SDP: []byte("offer")}, callers[len(callers)-1])
			synctest.Wait()
		}
		for i, caller := range callers {
			caller.want(t, fmt.Sprint("failed ", map[bool]int{true: 486, false: 503}[i < 3]))
		}
		time.Sleep(time.Second)
		again := &ear{}
		b.Invite(Invitation{To: uriOf(addrA), SDP: []byte("offer")}, again)
		synctest.Wait()
		again.want(t, "failed 486")
		if got := a.Stats(); got.Overloaded != 2 || len(notices) != 1 || notices[0].Addr != (netip.Addr{}) {
			t.Errorf("%d refused, notices %v", got.Overloaded, notices)
		}
		w.end()
	})
}

// TestALateRingingDoesNotUndoACancel has a phone that rings on after it took the CANCEL, and then is never heard again.
func TestALateRingingDoesNotUndoACancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, nil)
		phone := w.raw(addrB, a)
		caller := &ear{}
		leg := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		invite := phone.want("INVITE")[0]
		phone.send(respond(invite, 180, "x"))
		leg.Hangup(false)
		phone.send(respond(phone.want("CANCEL")[0], 200, "x"))
		phone.send(respond(invite, 180, "x"))
		time.Sleep(giveUp)
		synctest.Wait()
		if got := a.Stats(); got.Legs+got.Lanes != 0 {
			t.Errorf("%d legs and %d Call-IDs are left", got.Legs, got.Lanes)
		}
		caller.want(t, "ringing ")
		w.end()
	})
}
