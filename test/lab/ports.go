package lab

import (
	"net"
	"net/netip"
	"os"
	"sync/atomic"
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

// sparse is how far apart ports of sparsePort lie: baresip takes the next port for TLS, and pairs for RTP and RTCP.
const sparse = 10

// lastSparse starts at a place of this process's own, so that packages tested side by side do not meet.
var lastSparse atomic.Uint32

// sparsePort is the first of ten ports, below those that the system hands out and those that servers use for audio.
func sparsePort(t testing.TB, addr netip.Addr) uint16 {
	t.Helper()
	const low, high = 10_000, 20_000
	for range (high - low) / sparse {
		step := lastSparse.Add(sparse) + uint32(os.Getpid())*170
		port := uint16(low + step%(high-low)/sparse*sparse)
		conn, err := net.ListenPacket("udp", netip.AddrPortFrom(addr, port).String())
		if err != nil {
			continue
		}
		_ = conn.Close()
		return port
	}
	t.Fatal("no ten ports in a row are free")
	return 0
}
