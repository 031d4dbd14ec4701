package lab

import (
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// sparse is how far apart the ports of freePort lie: baresip takes the next port for TLS, and pairs for RTP and RTCP.
const sparse = 10

// Ports that tests hand out: below those that the system gives to whoever asks for any, and those that servers use for
// audio. A port from there that was free a moment ago is still free when the program that it is for has started.
const lowPort, highPort = 10_000, 20_000

// lastPort starts at a place of this process's own, so that packages tested side by side do not meet.
var lastPort atomic.Uint32

// freePort is the first of ten ports that nothing of an address uses, for UDP and TCP: sipp and baresip cannot pick one
// themselves.
func freePort(t testing.TB, addr netip.Addr) uint16 {
	t.Helper()
	for range (highPort - lowPort) / sparse {
		step := lastPort.Add(sparse) + uint32(os.Getpid())*170
		port := uint16(lowPort + step%(highPort-lowPort)/sparse*sparse)
		at := netip.AddrPortFrom(addr, port).String()
		conn, err := net.ListenPacket("udp", at)
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", at)
		_ = conn.Close()
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}
