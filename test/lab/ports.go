package lab

import (
	"net"
	"net/netip"
	"testing"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// freePort is a port of an address that was free for UDP and TCP a moment ago. sipp and baresip cannot pick one
// themselves.
func freePort(t testing.TB, addr netip.Addr) uint16 {
	t.Helper()
	for range 100 {
		conn, err := net.ListenPacket("udp", netip.AddrPortFrom(addr, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		port := uint16(conn.LocalAddr().(*net.UDPAddr).Port)
		listener, err := net.Listen("tcp", netip.AddrPortFrom(addr, port).String())
		_ = conn.Close()
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}
