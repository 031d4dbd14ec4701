package sipd

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/memnet"
)

// shelf is a Keeper.
type shelf struct {
	mu    sync.Mutex
	kept  map[string][]byte
	saves int
}

func newShelf() *shelf { return &shelf{kept: map[string][]byte{}} }

func (s *shelf) SaveDialog(id string, state []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[id] = state
	s.saves++
}

func (s *shelf) DropDialog(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, id)
}

// all is what a next process would find.
func (s *shelf) all() (states [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range s.kept {
		states = append(states, bytes.Clone(state))
	}
	return states
}

func (s *shelf) want(t *testing.T, n int) {
	t.Helper()
	if got := len(s.all()); got != n {
		t.Errorf("%d dialogs are kept, want %d", got, n)
	}
}

// crash ends a server as kill -9 would: nothing of it reaches anybody. It gives what its Keeper had, and the server
// that is started in its place, with a Keeper that has the same.
func (w *world) crash(s *Server, addr string) (next *Server, kept *shelf) {
	w.t.Helper()
	synctest.Wait()
	states := s.cfg.Keeper.(*shelf).all()
	at := netip.MustParseAddrPort(addr)
	filter := w.net.SetFilter(func(p memnet.Packet) []memnet.Packet {
		if p.From == at {
			return nil
		}
		return []memnet.Packet{p}
	})
	if err := s.Close(); err != nil {
		w.t.Error(err)
	}
	w.servers = w.servers[:len(w.servers)-1]
	w.net.SetFilter(filter)
	kept = newShelf()
	next = w.serve(addr, func(c *Config) { c.Keeper = kept })
	for i, state := range states {
		kept.kept[fmt.Sprint(i)] = state
	}
	return next, kept
}

// adopt ends what a server's predecessor left.
func adopt(t *testing.T, s *Server, kept *shelf) {
	t.Helper()
	for _, state := range kept.all() {
		if err := s.Orphan(state); err != nil {
			t.Error(err)
		}
	}
}

func TestAfterACrashBothSidesOfACallGetTheirBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in, onward := &calls{}, &calls{}
		phone := w.serve(addrC, func(c *Config) { c.OnCall = onward.onCall })
		caller := w.serve(addrB, nil)
		a := w.serve(addrA, func(c *Config) { c.OnCall, c.Keeper = in.onCall, newShelf() })
		heard := &ear{}
		caller.Invite(Invitation{To: "sip:100@" + addrA, SDP: []byte("offer")}, heard)
		synctest.Wait()
		first, _ := in.one(t)
		first.Answer([]byte("answer"))
		a.Invite(Invitation{To: "sip:ada@" + addrC, From: "+491", SDP: []byte("offer")}, &ear{})
		synctest.Wait()
		second, rung := onward.one(t)
		second.Answer([]byte("answer"))
		synctest.Wait()
		a.cfg.Keeper.(*shelf).want(t, 2)

		next, kept := w.crash(a, addrA)
		began := time.Now()
		adopt(t, next, kept)
		synctest.Wait()
		heard.want(t, "answered answer", "ended the far side hung up")
		rung.want(t, "ended the far side hung up")
		if took := time.Since(began); took > 0 { // of virtual time: no message was lost
			t.Errorf("it took %s", took)
		}
		_ = phone
		w.end()
	})
}

func TestAfterACrashARingingPhoneIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		a := w.serve(addrA, func(c *Config) { c.Keeper = newShelf() })
		a.Invite(Invitation{To: "sip:ada@" + addrB, From: "+491", SDP: []byte("offer")}, &ear{})
		synctest.Wait()
		a.cfg.Keeper.(*shelf).want(t, 0) // nobody answered the INVITE with anything yet but 100
		leg, rung := in.one(t)
		leg.Progress()
		synctest.Wait()
		a.cfg.Keeper.(*shelf).want(t, 1)
		next, kept := w.crash(a, addrA)
		adopt(t, next, kept)
		synctest.Wait()
		rung.want(t, "failed 487")
		// The first CANCEL is that of crash, which reached nobody.
		wantLines(t, w.net.Sent(netip.MustParseAddrPort(addrA)), "INVITE", "CANCEL", "CANCEL", "ACK")
		w.end()
	})
}

func TestAPhoneThatAnsweredDuringTheCrashIsHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		a := w.serve(addrA, func(c *Config) { c.Keeper = newShelf() })
		a.Invite(Invitation{To: "sip:ada@" + addrB, From: "+491", SDP: []byte("offer")}, &ear{})
		synctest.Wait()
		leg, rung := in.one(t)
		leg.Progress()
		next, kept := w.crash(a, addrA)
		leg.Answer([]byte("answer"))
		synctest.Wait()
		adopt(t, next, kept)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		rung.want(t, "ended the far side hung up")
		w.end()
	})
}

func TestWhoIsGoneToAfterACrashIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		in := &calls{}
		b := w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
		a := w.serve(addrA, func(c *Config) { c.Keeper = newShelf() })
		a.Invite(Invitation{To: "sip:ada@" + addrB, From: "+491", SDP: []byte("offer")}, &ear{})
		synctest.Wait()
		leg, _ := in.one(t)
		leg.Answer([]byte("answer"))
		next, kept := w.crash(a, addrA)
		states := kept.all()
		kept.kept = map[string][]byte{}
		w.net.SetFilter(func(p memnet.Packet) []memnet.Packet { return nil })
		for _, state := range states {
			id := field(strings.ReplaceAll(strings.ReplaceAll(string(state), ",", "\n"), `"Tag":`, "Tag: "), "Tag")
			kept.SaveDialog(strings.Trim(id, `"`), state)
			if err := next.Orphan(state); err != nil {
				t.Error(err)
			}
		}
		kept.want(t, 1)
		time.Sleep(giveUp + time.Second)
		kept.want(t, 0)
		leg.Hangup(false)
		w.end()
		_ = b
	})
}

func TestDialogsAreForgottenWhenTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ours := range []bool{true, false} {
			w := newWorld(t)
			in := &calls{}
			w.serve(addrB, func(c *Config) { c.OnCall = in.onCall })
			a := w.serve(addrA, func(c *Config) { c.Keeper = newShelf() })
			out := a.Invite(Invitation{To: "sip:ada@" + addrB, From: "+491", SDP: []byte("offer")}, &ear{})
			synctest.Wait()
			leg, _ := in.one(t)
			leg.Progress()
			leg.Answer([]byte("answer"))
			synctest.Wait()
			a.cfg.Keeper.(*shelf).want(t, 1)
			if ours {
				leg = out
			}
			leg.Hangup(false)
			synctest.Wait()
			a.cfg.Keeper.(*shelf).want(t, 0)
			w.end()
		}
	})
}

func TestADialogThatMakesNoSenseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.serve(addrA, nil)
		whole := `{"CallID":"a","Tag":"b","RemoteTag":"c","Local":"sip:a@h","Remote":"sip:b@h","Target":"sip:c@h",` +
			`"Seq":1,"Peer":"192.0.2.9:5060"}`
		for _, change := range [][2]string{
			{`{`, ``},
			{`"CallID":"a"`, `"CallID":""`},
			{`"Tag":"b"`, `"Tag":""`},
			{`:5060`, ``},
			{`"Seq":1`, `"Seq":2147483000`},
			{`sip:a@h`, `x`},
			{`sip:c@h`, ``},
			{`"Seq":1`, `"Seq":1,"Routes":["<"]`},
		} {
			if err := s.Orphan([]byte(strings.Replace(whole, change[0], change[1], 1))); err == nil {
				t.Errorf("%s for %s was taken", change[1], change[0])
			}
		}
		if err := s.Orphan([]byte(whole)); err != nil {
			t.Error(err)
		}
		w.end()
	})
}

// A phone that called over TCP lost its connection with the process; it is reached where its Contact listens.
func TestAfterACrashAPhoneOverTCPIsReachedByItsContact(t *testing.T) {
	phone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	kept := newShelf()
	s, err := New(Config{Addr: "127.0.0.1:0", Keeper: kept})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	state := fmt.Sprintf(`{"CallID":"a","Tag":"b","RemoteTag":"c","Local":"sip:a@h","Remote":"sip:b@h","Seq":1,`+
		`"TCP":true,"Peer":"%s","Target":"sip:c@%s;transport=tcp"}`, gone.Addr(), phone.Addr())
	kept.SaveDialog("b", []byte(state))
	if err := s.Orphan([]byte(state)); err != nil {
		t.Fatal(err)
	}
	conn, err := phone.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 2000)
	n, err := conn.Read(buf)
	bye := string(buf[:n])
	if err != nil || !strings.HasPrefix(bye, "BYE sip:c@") || field(bye, "CSeq") != fmt.Sprint(2+orphanGap, " BYE") {
		t.Fatalf("%v, got\n%s", err, bye)
	}
	fmt.Fprintf(conn, "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: a\r\nCSeq: %s\r\n"+
		"Content-Length: 0\r\n\r\n",
		field(bye, "Via"), field(bye, "From"), field(bye, "To"), field(bye, "CSeq"))
	for len(kept.all()) > 0 {
		time.Sleep(time.Millisecond)
	}
}
