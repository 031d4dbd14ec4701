package media

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// A datagram of either family arrives whole, costs no memory, and none leaves once the outlet is shut.
func TestOutletSendsToEitherFamilyUntilShut(t *testing.T) {
	for network, hosts := range map[string][]string{
		"udp4": {"127.0.0.1"},
		"udp":  {"127.0.0.1", "::ffff:127.0.0.1", "::1"},
	} {
		from, err := net.ListenUDP(network, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		o := newOutlet(from)
		for _, host := range hosts {
			to, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
			if err != nil {
				t.Logf("%s cannot be had on this host: %v", host, err)
				continue
			}
			defer to.Close()
			at := netip.AddrPortFrom(netip.MustParseAddr(host), to.LocalAddr().(*net.UDPAddr).AddrPort().Port())
			sent := []byte("sound")
			if n := testing.AllocsPerRun(10, func() { o.send(sent, at) }); n > 0 {
				t.Errorf("%s from %s: %v allocations a datagram", host, network, n)
			}
			wantDatagram(t, to, "sound")
		}
		if o.send(nil, netip.MustParseAddrPort("127.0.0.1:9")) {
			t.Errorf("%s: nothing was sent as something", network)
		}
		o.shut()
		if o.send([]byte("late"), netip.MustParseAddrPort("127.0.0.1:9")) {
			t.Errorf("%s: a datagram left after the outlet was shut", network)
		}
	}
}

// An address of the other family is refused, not sent elsewhere.
func TestOutletRefusesTheOtherFamily(t *testing.T) {
	from, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	o := newOutlet(from)
	if to := netip.MustParseAddrPort("[2001:db8::1]:4000"); o.send([]byte("sound"), to) {
		t.Error("an IPv4 socket sent to", to)
	}
}

func wantDatagram(t *testing.T, at *net.UDPConn, want string) {
	t.Helper()
	var buf [MaxPacket]byte
	if err := at.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := at.ReadFromUDPAddrPort(buf[:]); err != nil || string(buf[:n]) != want {
		t.Errorf("%s: %q, %v", at.LocalAddr(), buf[:n], err)
	}
}
