//go:build !linux || (!amd64 && !arm64)

package media

import (
	"net"
	"net/netip"
)

// outlet sends datagrams from one port's socket. Guarded by the sender's lock.
type outlet struct{ conn *net.UDPConn }

func newOutlet(conn *net.UDPConn) outlet { return outlet{conn} }

// shut is to be called before the socket is closed; nothing is sent afterwards.
func (o *outlet) shut() { o.conn = nil }

// send answers false when the datagram was not taken.
func (o *outlet) send(b []byte, to netip.AddrPort) bool {
	if o.conn == nil || len(b) == 0 {
		return false
	}
	_, err := o.conn.WriteToUDPAddrPort(b, to)
	return err == nil
}
