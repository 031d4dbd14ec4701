package app

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func TestAFirstStartThatFindsAPortTakenStillShowsTheKeyNextTime(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: taken.LocalAddr().String(), RTPPorts: "0-0"}
	if _, err := New(t.Context(), cfg); err == nil {
		t.Fatal("it started on a port that is taken")
	}
	cfg.SIP = "127.0.0.1:0"
	server, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if server.FirstStart() || !server.NeedsAdmin() {
		t.Errorf("first start %t, needs an admin %t; want false and true", server.FirstStart(), server.NeedsAdmin())
	}
	if _, err := server.NewAdminKey(t.Context(), "test"); err != nil || server.NeedsAdmin() {
		t.Errorf("with a key it still needs an admin (%v)", err)
	}
	link, err := server.SignInLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	beside, err := CreateSignInLink(t.Context(), cfg.DataDir, "")
	if want := server.URL() + "/signin?token="; err != nil || beside[:len(want)] != want || beside == link {
		t.Errorf("the link made beside the server is %s, %v", beside, err)
	}
}

// A callback that outlived the process before rings its operator in the first step of the core.
func TestARestoredCallbackRingsAsSoonAsTheServerIsThere(t *testing.T) {
	phone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	cfg := Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", Timezone: "UTC"}
	server, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := server.Store()
	if err := db.Update(t.Context(), "test", func(tx *store.Tx) error {
		office := callcenter.OfficeID(0)
		for _, o := range db.Snapshot().Offices() {
			office = o.ID
		}
		ada := &callcenter.User{
			ID: 7, OfficeID: office, Emails: []string{"ada@lab.example"}, State: callcenter.StateActive,
			Duty: callcenter.Duty{On: true},
		}
		desk := &callcenter.Device{
			ID: 8, Owner: 7, Kind: callcenter.DeviceStatic, Contact: "sip:ada@" + phone.LocalAddr().String(),
		}
		line := &callcenter.Center{
			ID: 9, OfficeID: office, State: callcenter.StateActive, Settings: callcenter.Defaults("Line"),
			Members: []callcenter.Member{{Operator: 7}},
		}
		return errors.Join(tx.PutUser(ada), tx.PutDevice(desk), tx.PutCenter(line))
	}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	db.SaveCallback(route.Callback{Call: 10, Center: 9, Number: "+12025550100", Asked: now, Entered: now})
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if server, err = New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	_ = phone.SetReadDeadline(time.Now().Add(10 * time.Second))
	message := make([]byte, 4096)
	n, _, err := phone.ReadFrom(message)
	if err != nil || !bytes.HasPrefix(message[:n], []byte("INVITE sip:ada@")) {
		t.Errorf("the phone was sent %q, %v", message[:n], err)
	}
}
