package app

import (
	"net"
	"testing"
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
