//go:build amd64 || arm64

package sipd

import (
	"net"
	"testing"
	"time"
)

func TestKernelSaysWhenADatagramCame(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stampArrivals(conn)
	// The kernel begins to stamp a moment after the first socket asks for it; until then a packet counts as just come.
	const wait, tries = 20 * time.Millisecond, 100
	buf, stamp := make([]byte, 10), make([]byte, stampSize)
	var n int
	var now time.Time
	for try := 1; ; try++ {
		if _, err := conn.WriteTo([]byte("x"), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		time.Sleep(wait)
		if _, n, _, _, err = conn.ReadMsgUDPAddrPort(buf, stamp); err != nil {
			t.Fatal(err)
		}
		now = time.Now()
		if at := arrival(stamp[:n], now); !at.After(sent) && now.Sub(at) >= wait {
			break
		} else if try == tries {
			t.Fatalf("read %s after it was sent, and the kernel says it came %s ago", now.Sub(sent), now.Sub(at))
		}
	}
	for _, none := range [][]byte{nil, make([]byte, stampHead), make([]byte, stampSize)} {
		if at := arrival(none, now); !at.Equal(now) {
			t.Errorf("a control message of %d bytes without a time says %s", len(none), at)
		}
	}
	if at := arrival(stamp[:n], now.Add(-time.Hour)); !at.Equal(now.Add(-time.Hour)) {
		t.Errorf("a datagram of the future came at %s", at)
	}
}
