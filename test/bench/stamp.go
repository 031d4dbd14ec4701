package main

import (
	"encoding/binary"
	"net"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// The kernel says when a datagram came (socket(7), SO_TIMESTAMPNS), so that a busy load measures the server and not
// itself.
const (
	stampHead = 16 // of a control message: length, level, type
	stampSize = stampHead + 16

	wellEvery    = 2 * time.Millisecond
	forceReceive = 33 // SO_RCVBUFFORCE, which the standard library does not name
)

// stampArrivals asks for the time of every datagram.
func stampArrivals(conn *net.UDPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
		})
	}
}

// arrival is the time in a control message; now where there is none.
func arrival(control []byte, now time.Time) time.Time {
	if len(control) < stampSize || binary.NativeEndian.Uint32(control[12:]) != syscall.SCM_TIMESTAMPNS {
		return now
	}
	at := time.Unix(int64(binary.NativeEndian.Uint64(control[stampHead:])),
		int64(binary.NativeEndian.Uint64(control[stampHead+8:])))
	return now.Add(-max(now.Sub(at), 0))
}

// well is a socket that is emptied every 2 ms and wakes nobody in between: on loopback the waking of a reader is done,
// and paid for, by the sender, which at the far end of a wire it is not.
type well struct {
	fd      int
	port    uint16
	data    [2048]byte
	control [64]byte
}

func openWell() (*well, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	w := &well{fd: fd}
	if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, forceReceive, bufferBytes) != nil { // only root may
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, bufferBytes)
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: loopback.As4()}); err != nil {
		return nil, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	w.port = uint16(name.(*syscall.SockaddrInet4).Port)
	return w, nil
}

// empty hands over all that came, until there is nothing more. The bytes are lent.
func (w *well) empty(take func(packet []byte, at time.Time)) {
	now := time.Now()
	for {
		part := syscall.Iovec{Base: &w.data[0]}
		part.SetLen(len(w.data))
		head := syscall.Msghdr{Iov: &part, Iovlen: 1, Control: &w.control[0]}
		head.SetControllen(len(w.control))
		n, _, err := syscall.RawSyscall(syscall.SYS_RECVMSG, uintptr(w.fd), uintptr(unsafe.Pointer(&head)),
			syscall.MSG_DONTWAIT)
		runtime.KeepAlive(&part)
		if err != 0 {
			return
		}
		take(w.data[:n], arrival(w.control[:head.Controllen], now))
	}
}

func (w *well) close() { _ = syscall.Close(w.fd) }
