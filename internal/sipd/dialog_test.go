package sipd

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answered is a server with one call that a raw caller began and we answered.
func answered(t *testing.T, changes ...string) (w *world, caller *rawPeer, callee *ear, to string) {
	t.Helper()
	w = newWorld(t)
	in := &calls{}
	a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
	caller = w.raw(addrB, a)
	caller.send(caller.message("INVITE", 1, append([]string{isSDP, "Body: offer"}, changes...)...))
	var leg *Leg
	leg, callee = in.one(t)
	leg.Answer([]byte("answer"))
	to = "To: " + field(caller.want("100", "200")[1], "To")
	caller.send(caller.message("ACK", 1, to, "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKack"))
	caller.want()
	return w, caller, callee, to
}

// bye ends the call from the far side.
func (p *rawPeer) bye(seq int, to string) {
	p.t.Helper()
	p.send(p.message("BYE", seq, to))
	p.want("200")
}

func TestReinvite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, caller, callee, to := answered(t)
		callee.answer = []byte("held")
		caller.send(caller.message("INVITE", 2, to, isSDP, "Body: hold"))
		ok := caller.want("200")[0]
		if !strings.HasSuffix(ok, "\r\n\r\nheld") || field(ok, "Content-Type") != "application/sdp" {
			t.Errorf("the answer is\n%s", ok)
		}
		caller.send(caller.message("INVITE", 3, to, isSDP, "Body: too soon"))
		caller.want("491")
		caller.send(caller.message("ACK", 3, to))
		caller.send(caller.message("ACK", 2, to, "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKack2"))
		callee.answer, callee.status = nil, 0
		caller.send(caller.message("INVITE", 4, to, isSDP, "Body: video"))
		caller.want("488")
		caller.send(caller.message("ACK", 4, to))
		// Without an offer we repeat what we last said, and the ACK brings the answer.
		caller.send(caller.message("INVITE", 5, to))
		if ok := caller.want("200")[0]; !strings.HasSuffix(ok, "\r\n\r\nheld") {
			t.Errorf("our offer is\n%s", ok)
		}
		caller.send(caller.message("ACK", 5, to, "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKack5", isSDP, "Body: resumed"))
		callee.want(t, "offer hold", "offer video", "offer resumed")
		caller.bye(6, to)
		w.end()
	})
}

func TestReinviteWithoutAckEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, caller, callee, to := answered(t)
		callee.answer = []byte("held")
		caller.send(caller.message("INVITE", 2, to, isSDP, "Body: hold"))
		time.Sleep(giveUp)
		got := caller.got()
		if bye := got[len(got)-1]; !strings.HasPrefix(bye, "BYE ") {
			t.Errorf("the last message is\n%s", bye)
		}
		callee.want(t, "offer hold", "ended no ACK to our 200, lost")
		w.end()
	})
}

func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, caller, callee, to := answered(t)
		callee.answer = []byte("moved")
		caller.send(caller.message("UPDATE", 2, to, isSDP, "Body: move"))
		if ok := caller.want("200")[0]; !strings.HasSuffix(ok, "\r\n\r\nmoved") {
			t.Errorf("the answer is\n%s", ok)
		}
		caller.send(caller.message("UPDATE", 3, to))
		caller.want("200")
		callee.answer, callee.status = nil, 415
		caller.send(caller.message("UPDATE", 4, to, isSDP, "Body: video"))
		caller.want("415")
		callee.want(t, "offer move", "offer video")
		caller.bye(5, to)
		w.end()
	})
}

func TestDigits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, caller, callee, to := answered(t)
		seq := 1
		for _, info := range []struct{ kind, body, want string }{
			{"application/dtmf-relay", "Signal=5\nDuration=160\n", "200"},
			{"application/dtmf-relay", "Signal= *\n", "200"},
			{"application/dtmf-relay", "signal=11\n", "200"},
			{"application/dtmf", "d", "200"},
			{"", "", "200"},
			{"application/dtmf-relay", "Duration=160\n", "415"},
			{"application/dtmf", "55", "415"},
			{"application/media_control+xml", "<x/>", "415"},
		} {
			seq++
			caller.send(caller.message("INFO", seq, to, "Content-Type: "+info.kind, "Body: "+info.body))
			caller.want(info.want)
		}
		caller.send(caller.message("INFO", seq, to, "Content-Type: application/dtmf", "Body: 9")) // the last one again
		caller.want("415")
		callee.want(t, "digit 5", "digit *", "digit #", "digit D")
		caller.bye(seq+1, to)
		w.end()
	})
}

func TestStrangersInDialogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, caller, callee, to := answered(t)
		caller.send(caller.message("BYE", 5, to, "From: <sip:caller@x>;tag=somebody"))
		caller.want("481")
		caller.send(caller.message("BYE", 6, to, "Call-ID: another"))
		caller.want("481")
		caller.send(caller.message("BYE", 7))
		caller.want("481")
		caller.send(caller.message("INFO", 1, to))
		caller.want("500") // its CSeq was used
		caller.send(caller.message("REFER", 8, to, "Refer-To: <sip:x@y>"))
		caller.want("405")
		caller.send(caller.message("FROBNICATE", 9, to))
		caller.want("501")
		caller.send(caller.message("OPTIONS", 10, to))
		caller.want("200")
		callee.want(t)
		caller.bye(11, to)
		caller.send(caller.message("BYE", 11, to))
		caller.want("200") // the same again
		caller.send(caller.message("BYE", 12, to))
		caller.want("481")
		callee.want(t, "ended the far side hung up")
		w.end()
	})
}

func TestCallerCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
		caller := w.raw(addrB, a)
		caller.send(caller.message("INVITE", 1, isSDP, "Body: offer"))
		leg, callee := in.one(t)
		leg.Progress()
		cancel := caller.message("CANCEL", 1, "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bK-INVITE-1")
		caller.send(cancel)
		got := caller.want("100", "180", "200", "487")
		tag := tagOf(field(got[1], "To"))
		if tag == "" || tagOf(field(got[2], "To")) != tag || tagOf(field(got[3], "To")) != tag {
			t.Errorf("tags differ: %q", got)
		}
		leg.Answer([]byte("answer"))
		leg.Progress()
		leg.Hangup(false)
		via := "Via: SIP/2.0/UDP " + addrB + ";branch=z9hG4bK-INVITE-1"
		caller.send(caller.message("ACK", 1, "To: "+field(got[3], "To"), via))
		caller.want()
		callee.want(t, "failed 487")
		caller.send(caller.message("CANCEL", 9))
		caller.want("481")
		w.end()
	})
}

func TestRefusals(t *testing.T) {
	for status, want := range map[int]string{
		300: "300", 486: "486", 503: "503", 603: "603", 699: "699", 299: "500", 0: "500", 700: "500",
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				in := &calls{on: func(leg *Leg) { leg.Refuse(status, 0) }}
				a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
				caller := &ear{}
				w.serve(addrB, nil).Invite(Invitation{To: uriOf(a.Addr().String()), SDP: []byte("offer")}, caller)
				synctest.Wait()
				caller.want(t, "failed "+want)
				_, callee := in.one(t)
				callee.want(t)
				w.end()
			})
		})
	}
}

func TestACallNobodyTakesCareOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, func(c *Config) { c.OnCall = func(*Leg) {} })
		b := w.serve(addrB, nil)
		caller, second := &ear{}, &ear{}
		b.Invite(Invitation{To: uriOf(addrA), SDP: []byte("offer")}, caller)
		a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, second)
		synctest.Wait()
		caller.want(t, "failed 480")
		second.want(t, "failed 503")
		w.end()
	})
}

func TestDelayedOffer(t *testing.T) {
	for _, test := range []struct{ name, body, heard, then string }{
		{"answered", "Body: their answer", "answered their answer", ""},
		{"without an answer", "Body: ", "ended the ACK had no answer to our offer, lost", "BYE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				in := &calls{}
				a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
				caller := w.raw(addrB, a)
				caller.send(caller.message("INVITE", 1))
				leg, callee := in.one(t)
				if leg.Offer() != nil {
					t.Errorf("offer %q", leg.Offer())
				}
				leg.Answer([]byte("our offer"))
				ok := caller.want("100", "200")[1]
				to := "To: " + field(ok, "To")
				caller.send(caller.message("ACK", 1, to, "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKack", isSDP, test.body))
				callee.want(t, test.heard)
				if test.then == "" {
					caller.bye(2, to)
				} else {
					caller.send(respond(caller.want(test.then)[0], 200, ""))
				}
				w.end()
			})
		})
	}
}

func TestTwoPhonesAnswerOneInvite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, nil)
		proxy := w.raw(addrB, a)
		caller := &ear{}
		leg := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		invite := proxy.want("INVITE")[0]
		first := respond(invite, 200, "one", "Contact: <sip:one@10.0.0.9>", "Record-Route: <sip:"+addrB+";lr>", isSDP,
			"Body: 1")
		second := respond(invite, 200, "two", "Contact: <sip:two@10.0.0.9>", isSDP, "Body: 2")
		proxy.send(first)
		ack := proxy.want("ACK sip:one@10.0.0.9")[0]
		if field(ack, "Route") != "<sip:"+addrB+";lr>" || tagOf(field(ack, "To")) != "one" {
			t.Errorf("the ACK is\n%s", ack)
		}
		proxy.send(second)
		proxy.send(respond(proxy.want("ACK sip:two@", "BYE sip:two@")[1], 200, ""))
		proxy.send(second) // their ACK was lost
		proxy.want("ACK sip:two@")
		proxy.send(first)
		proxy.want("ACK sip:one@")
		caller.want(t, "answered 1")
		leg.Hangup(false)
		proxy.send(respond(proxy.want("BYE sip:one@")[0], 200, ""))
		w.end()
	})
}

func TestNobodyAnswersOurInvite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, nil)
		caller, gone := &ear{}, &ear{}
		a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, gone).Hangup(false)
		time.Sleep(giveUp + time.Second)
		caller.want(t, "failed 408")
		gone.want(t)
		if got := len(w.net.Sent(a.Addr())); got != 2*7 { // at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
			t.Errorf("%d INVITEs were sent, want 14", got)
		}
		w.end()
	})
}

func TestInvitationsThatCannotBeSent(t *testing.T) {
	for name, test := range map[string]struct {
		inv  Invitation
		want string
	}{
		"no address":         {Invitation{To: ""}, "failed 400"},
		"a name":             {Invitation{To: "sip:100@phones.example.com"}, "failed 404"},
		"tls":                {Invitation{To: "sip:100@10.0.0.2;transport=tls"}, "failed 404"},
		"a line break":       {Invitation{To: "sip:100\r\nX: y@10.0.0.2"}, "failed 400"},
		"no such device":     {Invitation{Device: 7}, "failed 404"},
		"a header of ours":   {Invitation{To: uriOf(addrB), Headers: map[string]string{"VIA": "x"}}, "failed 400"},
		"a header in two":    {Invitation{To: uriOf(addrB), Headers: map[string]string{"X-A": "1\r\nX-B: 2"}}, "failed 400"},
		"a header's name":    {Invitation{To: uriOf(addrB), Headers: map[string]string{"X A": "1"}}, "failed 400"},
		"tcp where it's off": {Invitation{To: uriOf(addrB) + ";transport=tcp"}, "failed 503"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.serve(addrA, nil)
				caller := &ear{}
				a.Invite(test.inv, caller)
				synctest.Wait()
				caller.want(t, test.want)
				if got := w.net.Sent(a.Addr()); len(got) != 0 {
					t.Errorf("sent %q", lines(got))
				}
				w.end()
			})
		})
	}
}

func TestOurInvite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, func(c *Config) { c.Advertise = "192.0.2.7" })
		phone := w.raw(addrB, a)
		leg := a.Invite(Invitation{
			To: "sip:ada@" + addrB, From: "+1 555\r\nX: y", FromName: "Eve\r\n\"", SDP: []byte("offer"),
			Headers: map[string]string{"X-Call": "42"},
		}, &ear{})
		invite := phone.want("INVITE sip:ada@" + addrB)[0]
		for name, want := range map[string]string{
			"Contact": "<sip:+1%20555%0D%0AX%3A%20y@192.0.2.7:5060>", "X-Call": "42", "Max-Forwards": "70",
			"X": "", "CSeq": "1 INVITE", "Content-Length": "5", "Content-Type": "application/sdp",
		} {
			if got := field(invite, name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		from := `"Eve\"" <sip:+1%20555%0D%0AX%3A%20y@192.0.2.7>;tag=` + leg.ID()
		if got := field(invite, "From"); got != from {
			t.Errorf("From: %q, want %q", got, from)
		}
		if got := field(invite, "Via"); !strings.HasPrefix(got, "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK") {
			t.Errorf("Via: %q", got)
		}
		leg.Hangup(false)
		phone.send(respond(invite, 100, ""))
		phone.send(respond(phone.want("CANCEL")[0], 200, "x"))
		phone.send(respond(invite, 487, "x"))
		phone.want("ACK")
		w.end()
	})
}

func TestWeAnswerAChallenge(t *testing.T) {
	for _, status := range []int{401, 407} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.serve(addrA, nil)
				trunk := w.raw(addrB, a)
				name, reply := "WWW-Authenticate", "Authorization"
				if status == 407 {
					name, reply = "Proxy-Authenticate", "Proxy-Authorization"
				}
				challenge := name + `: Digest realm="trunk", nonce="n1", qop="auth, auth-int", algorithm=SHA-256`
				caller := &ear{}
				a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer"), Username: "me", Password: "pw"}, caller)
				invite := trunk.want("INVITE")[0]
				trunk.send(respond(invite, status, "x", challenge))
				again := trunk.want("ACK", "INVITE")[1]
				if field(again, "CSeq") != "2 INVITE" || !strings.Contains(field(again, reply), `username="me"`) ||
					field(again, "Via") == field(invite, "Via") || field(again, "Call-ID") != field(invite, "Call-ID") {
					t.Errorf("again:\n%s", again)
				}
				trunk.send(respond(again, status, "x", challenge)) // the password is wrong
				trunk.want("ACK")
				caller.want(t, fmt.Sprint("failed ", status))
				stranger := &ear{}
				a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, stranger)
				trunk.send(respond(trunk.want("INVITE")[0], status, "x", challenge))
				trunk.want("ACK")
				stranger.want(t, fmt.Sprint("failed ", status))
				w.end()
			})
		})
	}
}
