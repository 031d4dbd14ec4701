package sipd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/callcenter"
)

// phones answers for accounts ada (device 7) and bo (device 8), and notes what OnDevice is told.
type phones struct {
	mu    sync.Mutex
	heard []string
}

func (p *phones) account(user string) (Account, bool) {
	switch user {
	case "ada":
		return Account{Owner: 1, Device: 7, HA1: digestOf("ada", "switchboard", "secret")}, true
	case "bo":
		return Account{Owner: 2, Device: 8, HA1: digestOf("bo", "switchboard", "other")}, true
	}
	return Account{}, false
}

func (p *phones) onDevice(owner callcenter.OperatorID, device callcenter.DeviceID, reachable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, fmt.Sprint(owner, " ", device, " ", reachable))
}

func (p *phones) want(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.heard, want) {
		t.Errorf("devices %q, want %q", p.heard, want)
	}
}

func (p *phones) config(c *Config) {
	c.AllowTrunk = func(netip.Addr) bool { return false }
	c.Account, c.OnDevice = p.account, p.onDevice
}

var asAda = Registration{Server: addrA, Username: "ada", Password: "secret"}

func TestAPhoneRegistersRefreshesAndLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p, in := newWorld(t), &phones{}, &calls{}
		server := w.serve(addrA, p.config)
		phone := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		ctx, leave := context.WithCancel(t.Context())
		reg := asAda
		reg.Expires = time.Minute
		done, err := phone.Register(ctx, reg)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p.want(t, "1 7 true")
		time.Sleep(10 * time.Minute)
		if !server.Registered(7) || server.Registered(8) {
			t.Error("ada should be registered still, bo never")
		}
		caller := &ear{}
		leg := server.Invite(Invitation{Device: 7, From: "+15550100", SDP: []byte("offer")}, caller)
		synctest.Wait()
		if _, callee := in.one(t); callee == nil || in.legs[0].To() != "ada" {
			t.Errorf("the phone was called as %q", in.legs[0].To())
		}
		leg.Hangup(true)
		synctest.Wait()
		leave()
		<-done
		synctest.Wait()
		p.want(t, "1 7 true", "1 7 false")
		server.Invite(Invitation{Device: 7, SDP: []byte("offer")}, caller)
		synctest.Wait()
		caller.want(t, "failed 404")
		w.end()
	})
}

func TestARegistrationExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		server := w.serve(addrA, p.config)
		phone := w.serve(addrB, nil)
		if _, err := phone.Register(t.Context(), asAda); err != nil {
			t.Fatal(err)
		}
		if err := phone.Close(); err != nil { // the phone loses power
			t.Fatal(err)
		}
		time.Sleep(MaxExpires - time.Second)
		if !server.Registered(7) {
			t.Error("expired too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		p.want(t, "1 7 true", "1 7 false")
		w.end()
	})
}

func TestRegisterIsRefused(t *testing.T) {
	for name, reg := range map[string]Registration{
		"wrong password":    {Server: addrA, Username: "ada", Password: "guess"},
		"unknown user":      {Server: addrA, Username: "eve", Password: "secret"},
		"somebody else's":   {Server: addrA, Username: "bo", Password: "secret"},
		"host name":         {Server: "sip.example.com", Username: "ada", Password: "secret"},
		"no such registrar": {Server: addrC, Username: "ada", Password: "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, p := newWorld(t), &phones{}
				w.serve(addrA, p.config)
				phone := w.serve(addrB, nil)
				_, err := phone.Register(t.Context(), reg)
				switch {
				case reg.Server == addrC && !errors.Is(err, ErrNoAnswer):
					t.Errorf("error %v, want no answer", err)
				case reg.Server == addrA && (!errors.Is(err, ErrRegistrar) || !strings.Contains(err.Error(), "401")):
					t.Errorf("error %v, want a 401", err)
				case err == nil:
					t.Error("registered")
				}
				p.want(t)
				w.end()
			})
		})
	}
}

// registerer sends REGISTERs of ada over a raw peer, each with fresh credentials.
type registerer struct {
	*rawPeer
	callID string
	seq    int
}

func (r *registerer) register(changes ...string) string {
	r.t.Helper()
	r.seq += 2
	changes = append([]string{"Call-ID: " + r.callID}, changes...)
	r.send(r.message("REGISTER", r.seq-1, changes...))
	challenge := r.last()
	r.send(r.message("REGISTER", r.seq, append(changes, authorization(r.t, challenge, "REGISTER", 1))...))
	return r.last()
}

func status(message string) string { return strings.Fields(message)[1] }

func TestRegistrationLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		server := w.serve(addrA, p.config)
		phone := &registerer{rawPeer: w.raw(addrB, server), callID: "phone"}
		contact := "<sip:ada@" + addrB + ">"
		for _, test := range []struct{ contact, expires, status, answer string }{
			{contact + ";expires=59", "", "423", ""},
			{contact + ";expires=60", "", "200", contact + ";expires=60"},
			{contact, "3600", "200", contact + ";expires=3600"},
			{contact, "3601", "200", contact + ";expires=3600"},
			{contact, "", "200", contact + ";expires=3600"},
			{contact, "soon", "200", contact + ";expires=3600"},
			{contact + ";expires=100", "200", "200", contact + ";expires=100"},
			{"", "", "200", contact + ";expires=100"},
			{"*", "60", "400", ""},
			{"*", "0", "200", ""},
			{"", "", "200", ""},
			{contact + ";expires=0", "", "200", ""},
		} {
			got := phone.register("Contact: "+test.contact, "Expires: "+test.expires)
			if status(got) != test.status || field(got, "Contact") != test.answer {
				t.Errorf("Contact %q Expires %q: %s Contact %q", test.contact, test.expires, status(got), field(got, "Contact"))
			}
			if test.status == "423" && field(got, "Min-Expires") != "60" {
				t.Errorf("Min-Expires %q", field(got, "Min-Expires"))
			}
		}
		p.want(t, "1 7 true", "1 7 false")
		w.end()
	})
}

func TestTheLastPhoneOfADeviceRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		server := w.serve(addrA, p.config)
		old := &registerer{rawPeer: w.raw(addrB, server), callID: "old"}
		desk := &registerer{rawPeer: w.raw(addrC, server), callID: "new"}
		old.register("Contact: <sip:ada@" + addrB + ">")
		desk.register("Contact: <sip:ada@" + addrC + ">")
		old.register("Contact: <sip:ada@"+addrB+">", "Expires: 0")
		if !server.Registered(7) {
			t.Error("the old phone unregistered the new one")
		}
		leg := server.Invite(Invitation{Device: 7, SDP: []byte("offer")}, &ear{})
		desk.want("INVITE")
		old.want()
		leg.Hangup(false)
		server.Unregister(7)
		synctest.Wait()
		p.want(t, "1 7 true", "1 7 false")
		w.end()
	})
}

func TestARegistrationOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		phone := &registerer{rawPeer: w.raw(addrB, w.serve(addrA, p.config)), callID: "phone"}
		phone.register("Expires: 600")
		late := phone.message("REGISTER", 1, "Call-ID: phone", "Via: SIP/2.0/UDP "+addrB+";branch=z9hG4bKlate", "Expires: 0")
		phone.send(late)
		challenge := phone.last()
		phone.send(strings.Replace(late, "Expires", authorization(t, challenge, "REGISTER", 1)+"\nExpires", 1))
		if got := phone.last(); status(got) != "500" {
			t.Errorf("answered %s", got)
		}
		p.want(t, "1 7 true")
		w.end()
	})
}

func TestANatIsKeptOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		server := w.serve(addrA, p.config)
		phone := &registerer{rawPeer: w.raw(addrB, server), callID: "phone"}
		phone.register("Contact: <sip:ada@192.168.1.5:5060>", "Expires: 60")
		time.Sleep(2*keepalive + time.Second)
		phone.want("", "") // two empty lines each
		time.Sleep(keepalive)
		if server.Registered(7) {
			t.Error("the registration should have expired")
		}
		w.end()
	})
}
