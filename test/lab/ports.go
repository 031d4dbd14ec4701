package lab

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// sparse is how far apart the ports of freePort lie: baresip takes the next port for TLS, and pairs for RTP and RTCP.
const sparse = 10

// Ports that tests hand out: below those that the system gives to whoever asks for any, and those that servers use for
// audio. A port from there that was free a moment ago is still free when the program that it is for has started.
const lowPort, highPort = 10_000, 20_000

// lastPort counts the ports handed out, from a place of this process's own.
var lastPort atomic.Uint32

// claims is the file in which processes that test side by side lock the bytes of the ports they took.
var claims = sync.OnceValues(func() (*os.File, error) {
	return os.OpenFile(filepath.Join(os.TempDir(), "switchboard-lab-ports"), os.O_CREATE|os.O_RDWR, 0o600)
})

// freePort is the first of ten ports that nothing of an address uses, for UDP and TCP: sipp and baresip cannot pick one
// themselves. It is this process's until its end.
func freePort(t testing.TB, addr netip.Addr) uint16 {
	t.Helper()
	file, err := claims()
	if err != nil {
		t.Fatal(err)
	}
	for range (highPort - lowPort) / sparse {
		step := lastPort.Add(sparse) + uint32(os.Getpid())*170
		port := uint16(lowPort + step%(highPort-lowPort)/sparse*sparse)
		lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: int64(port), Len: 1}
		if syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &lock) == nil && unused(netip.AddrPortFrom(addr, port)) {
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}

func unused(at netip.AddrPort) bool {
	conn, err := net.ListenPacket("udp", at.String())
	if err != nil {
		return false
	}
	_ = conn.Close()
	listener, err := net.Listen("tcp", at.String())
	if err != nil {
		return false
	}
	_ = listener.Close()
	return true
}
