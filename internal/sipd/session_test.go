package sipd

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWeRefreshTheSessionWhenAsked(t *testing.T) {
	for name, test := range map[string]struct{ allow, method string }{
		"with UPDATE":    {"INVITE, UPDATE", "UPDATE"},
		"with re-INVITE": {"INVITE", "INVITE"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, caller, callee, _ := answered(t,
					"Session-Expires: 90;refresher=uas", "Supported: timer", "Allow: "+test.allow)
				for range 3 {
					time.Sleep(45 * time.Second)
					refresh := caller.want(test.method)[0]
					if got := field(refresh, "Session-Expires"); got != "90;refresher=uac" {
						t.Errorf("Session-Expires %q", got)
					}
					caller.send(respond(refresh, 200, "", "Session-Expires: 90;refresher=uac", isSDP, "Body: same"))
					if test.method == "INVITE" {
						if !strings.HasSuffix(refresh, "\r\n\r\nanswer") {
							t.Errorf("the refresh offers\n%s", refresh)
						}
						caller.want("ACK")
					}
				}
				time.Sleep(45 * time.Second)
				caller.send(respond(caller.want(test.method)[0], 481, ""))
				got := caller.got()
				bye := got[len(got)-1]
				if !strings.HasPrefix(bye, "BYE ") {
					t.Fatalf("after a 481 we sent %q", got)
				}
				caller.send(respond(bye, 481, ""))
				callee.want(t, "ended the far side lost the dialog, lost")
				w.end()
			})
		})
	}
}

func TestASessionThatIsNotRefreshedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, caller, callee, to := answered(t, "Session-Expires: 120;refresher=uac", "Supported: timer")
		time.Sleep(80 * time.Second)
		caller.send(caller.message("UPDATE", 2, to, "Session-Expires: 120;refresher=uac", "Supported: timer"))
		ok := caller.want("200")[0]
		if field(ok, "Session-Expires") != "120;refresher=uac" || field(ok, "Require") != "timer" {
			t.Errorf("the 200 is\n%s", ok)
		}
		time.Sleep(87 * time.Second)
		callee.want(t)
		time.Sleep(1200 * time.Millisecond) // 120 s - 32 s since the refresh
		callee.want(t, "ended the session expired, lost")
		caller.send(respond(caller.want("BYE")[0], 200, ""))
		w.end()
	})
}

func TestATooBriefSessionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{on: func(leg *Leg) { leg.Refuse(486, 0) }}
		a := w.serve(addrA, func(c *Config) { c.OnCall = in.onCall })
		caller := w.raw(addrB, a)
		caller.send(caller.message("INVITE", 1, "Session-Expires: 89", "Supported: timer"))
		if got := field(caller.want("422")[0], "Min-SE"); got != "90" {
			t.Errorf("Min-SE %q", got)
		}
		caller.send(caller.message("INVITE", 2, "Session-Expires: 90", "Supported: timer"))
		caller.want("100", "486")
		w.end()
	})
}

func TestTheFarSideWantsUsToRefreshOurCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.serve(addrA, nil)
		phone := w.raw(addrB, a)
		caller := &ear{}
		leg := a.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, caller)
		phone.send(respond(phone.want("INVITE")[0], 200, "x", "Contact: <sip:p@"+addrB+">", "Allow: UPDATE",
			"Session-Expires: 1800;refresher=uac", isSDP, "Body: answer"))
		phone.want("ACK")
		time.Sleep(15 * time.Minute)
		phone.send(respond(phone.want("UPDATE")[0], 200, "")) // it no longer wants a session timer
		time.Sleep(time.Hour)
		phone.want()
		leg.Hangup(false)
		phone.send(respond(phone.want("BYE")[0], 200, ""))
		caller.want(t, "answered answer")
		w.end()
	})
}
