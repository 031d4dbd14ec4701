package sipd

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/limit"
)

func TestDigest(t *testing.T) {
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		t.Run(algorithm, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, p := newWorld(t), &phones{}
				server := w.serve(addrA, p.config)
				phone := w.raw(addrB, server)
				seq := 0
				register := func(changes ...string) {
					seq++
					phone.send(phone.message("REGISTER", seq, append(changes, "Expires: 600")...))
				}
				with := func(challenge, user, password string, count int) string {
					return "Authorization: " + credentialsFor(t, challenge, "REGISTER", user, password, algorithm, count)
				}
				register()
				challenge := phone.want("401")[0]
				if strings.Count(challenge, "WWW-Authenticate: ") != 1 || !strings.Contains(challenge, "algorithm=MD5") {
					t.Errorf("not one challenge that every phone understands:\n%s", challenge)
				}
				register(with(challenge, "ada", "guess", 1))
				wrong := phone.want("401")[0]
				register(with(challenge, "eve", "secret", 1))
				unknown := phone.want("401")[0]
				if len(wrong) != len(unknown) {
					t.Errorf("one can tell an unknown user from a wrong password:\n%s\n%s", wrong, unknown)
				}
				register(with(challenge, "ada", "secret", 1))
				phone.want("200")
				register(with(challenge, "ada", "secret", 1)) // recorded and played again
				if got := phone.want("401")[0]; !strings.Contains(got, "stale=true") {
					t.Errorf("a replay is answered\n%s", got)
				}
				register(with(challenge, "ada", "secret", 2))
				phone.want("200")
				time.Sleep(NonceLife + time.Second)
				register(with(challenge, "ada", "secret", 3))
				fresh := phone.want("401")[0]
				if !strings.Contains(fresh, "stale=true") {
					t.Errorf("an old nonce is answered\n%s", fresh)
				}
				register(with(fresh, "ada", "secret", 1))
				phone.want("200")
				forged := strings.ReplaceAll(fresh, `nonce="`, `nonce="00`)
				register(with(forged, "ada", "secret", 1))
				phone.want("401")
				register(strings.ReplaceAll(with(fresh, "ada", "secret", 2), "qop=auth", "qop=none"))
				phone.want("401")
				w.end()
			})
		})
	}
}

// guard adapts limit.Guard as the application does.
type guard struct{ *limit.Guard }

func (g guard) Blocked(addr netip.Addr, now time.Time) bool { return g.Refused(now, addr) > 0 }
func (g guard) Failed(addr netip.Addr, now time.Time) bool  { return g.Fail(now, addr) }

func TestPasswordGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		var notices []Notice
		server := w.serve(addrA, func(c *Config) {
			p.config(c)
			c.Guard = guard{limit.NewGuard(limit.MaxSIPFailures)}
			c.OnNotice = func(n Notice) { notices = append(notices, n) }
		})
		eve, ada := w.raw(addrB, server), w.raw(addrC, server)
		eve.send(eve.message("REGISTER", 1))
		challenge := eve.want("401")[0]
		guess := func(seq int) {
			eve.send(eve.message("REGISTER", seq, "Authorization: "+
				credentialsFor(t, challenge, "REGISTER", "ada", "guess", "", seq)))
		}
		for i := range limit.MaxSIPFailures {
			guess(2 + i)
			eve.want("401")
		}
		guess(50)
		if refusal := eve.want("503")[0]; !strings.Contains(refusal, "Retry-After: 60\r\n") {
			t.Errorf("refused with %s", refusal)
		}
		eve.send(eve.message("INVITE", 51, "From: <sip:ada@a>;tag=1"))
		eve.want("503")
		ada.send(ada.message("REGISTER", 1, "Call-ID: ada"))
		ada.send(ada.message("REGISTER", 2, "Call-ID: ada", authorization(t, ada.last(), "REGISTER", 1)))
		ada.want("200")
		if len(notices) != 1 || notices[0].Addr.String() != "10.0.0.2" || server.Stats().Blocked != 2 {
			t.Errorf("notices %v, blocked %d", notices, server.Stats().Blocked)
		}
		time.Sleep(limit.GuardRefusal)
		guess(60)
		eve.want("401")
		w.end()
	})
}

func TestWhoMayCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		in := &calls{on: func(leg *Leg) { leg.Refuse(486, 0) }}
		server := w.serve(addrA, func(c *Config) {
			p.config(c)
			c.OnCall = in.onCall
			c.AllowTrunk = func(a netip.Addr) bool { return a.String() == "10.0.0.3" }
		})
		phone, trunk := w.raw(addrB, server), w.raw(addrC, server)
		phone.send(phone.message("INVITE", 1))
		phone.want("403")
		ada := "From: <sip:ada@a>;tag=1"
		phone.send(phone.message("INVITE", 2, ada))
		challenge := phone.want("401")[0]
		phone.send(phone.message("INVITE", 3, ada, authorization(t, challenge, "INVITE", 1)))
		phone.want("100", "486")
		trunk.send(trunk.message("INVITE", 1, "Call-ID: trunk"))
		trunk.want("100", "486")
		if len(in.legs) != 2 || in.legs[0].Device() != 7 || in.legs[0].Trunk() || in.legs[1].Device() != 0 ||
			!in.legs[1].Trunk() {
			t.Errorf("%d calls came in", len(in.legs))
		}
		if got := server.Stats(); got.Rejected != 1 || got.Challenged != 1 || got.CallsIn != 2 {
			t.Errorf("stats %+v", got)
		}
		// A phone that calls itself something else is known by the flow it registered over.
		phone.send(phone.message("REGISTER", 1, "Call-ID: reg"))
		phone.send(phone.message("REGISTER", 2, "Call-ID: reg", authorization(t, phone.last(), "REGISTER", 1)))
		phone.got()
		phone.send(phone.message("INVITE", 9))
		phone.want("401")
		w.end()
	})
}
