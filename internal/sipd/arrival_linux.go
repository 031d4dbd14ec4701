//go:build amd64 || arm64

package sipd

import (
	"encoding/binary"
	"net"
	"syscall"
	"time"
)

// stampSize is the room for one control message with a timespec (cmsg(3), socket(7) SO_TIMESTAMPNS).
const stampSize = 64

const stampHead = 16 // its length, level and type

// stampArrivals asks the kernel to say when each datagram came. Without it, packets count as just come.
func stampArrivals(conn *net.UDPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
		})
	}
}

// arrival reads when a datagram came; now, where its control message does not say or the clock was set back.
func arrival(control []byte, now time.Time) time.Time {
	if len(control) < stampHead+16 || binary.NativeEndian.Uint32(control[8:]) != syscall.SOL_SOCKET ||
		binary.NativeEndian.Uint32(control[12:]) != syscall.SCM_TIMESTAMPNS {
		return now
	}
	seconds := binary.NativeEndian.Uint64(control[stampHead:])
	nanos := binary.NativeEndian.Uint64(control[stampHead+8:])
	ago := now.Sub(time.Unix(int64(seconds), int64(nanos)))
	return now.Add(-max(ago, 0)) // with the monotonic clock, so that a step of the wall clock does not look like lag later
}
