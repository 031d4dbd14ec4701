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
	if _, err := conn.WriteTo([]byte("x"), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	sent := time.Now()
	const wait = 50 * time.Millisecond
	time.Sleep(wait)
	buf, stamp := make([]byte, 10), make([]byte, stampSize)
	_, n, _, _, err := conn.ReadMsgUDPAddrPort(buf, stamp)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if at := arrival(stamp[:n], now); at.After(sent) || now.Sub(at) < wait {
		t.Errorf("read %s after it was sent, and the kernel says it came %s ago", now.Sub(sent), now.Sub(at))
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
