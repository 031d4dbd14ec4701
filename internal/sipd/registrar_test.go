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

func TestAPhoneRegistersRefreshesAndLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p, in := newWorld(t), &phones{}, &calls{}
		server := w.serve(addrA, p.config)
		phone := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		ctx, leave := context.WithCancel(t.Context())
		done, err := phone.Register(ctx, Registration{Server: addrA, Username: "ada", Password: "secret", Expires: time.Minute})
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
		if _, err := phone.Register(t.Context(), Registration{Server: addrA, Username: "ada", Password: "secret"}); err != nil {
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
