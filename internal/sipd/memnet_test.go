package sipd

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// memNet is a switch for packet connections in memory: inside a synctest bubble it makes SIP run in virtual time. A
// filter may drop, delay, repeat or reorder.
type memNet struct {
	mu     sync.Mutex
	conns  map[netip.AddrPort]*memConn
	filter func(p memPacket) []memPacket // nil: everything passes at once
	trace  []memPacket
	start  time.Time
}

type memPacket struct {
	from, to netip.AddrPort
	data     []byte
	after    time.Duration // how long it travels
	at       time.Duration // since the start, when it was sent
}

func (p memPacket) first() string {
	line, _, _ := bytes.Cut(p.data, []byte("\r\n"))
	return string(line)
}

func newMemNet() *memNet {
	return &memNet{conns: make(map[netip.AddrPort]*memConn), start: time.Now()}
}

func (n *memNet) listen(addr string) *memConn {
	c := &memConn{net: n, addr: netip.MustParseAddrPort(addr), in: make(chan memPacket, 10_000), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[c.addr] = c
	return c
}

// sent lists the first lines of what one address sent, in order.
func (n *memNet) sent(from netip.AddrPort) []memPacket {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []memPacket
	for _, p := range n.trace {
		if p.from == from {
			out = append(out, p)
		}
	}
	return out
}

func (n *memNet) write(p memPacket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p.at = time.Since(n.start)
	n.trace = append(n.trace, p)
	out := []memPacket{p}
	if n.filter != nil {
		out = n.filter(p)
	}
	for _, p := range out {
		c := n.conns[p.to]
		switch {
		case c == nil:
		case p.after == 0:
			c.deliver(p)
		default:
			time.AfterFunc(p.after, func() { c.deliver(p) })
		}
	}
}

type memConn struct {
	net  *memNet
	addr netip.AddrPort
	in   chan memPacket
	once sync.Once
	done chan struct{}
}

func (c *memConn) deliver(p memPacket) {
	select {
	case c.in <- p:
	default: // a full socket drops
	}
}

func (c *memConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-c.in:
		return copy(b, p.data), net.UDPAddrFromAddrPort(p.from), nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

func (c *memConn) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	c.net.write(memPacket{from: c.addr, to: to.(*net.UDPAddr).AddrPort(), data: bytes.Clone(b)})
	return len(b), nil
}

func (c *memConn) Close() error                     { c.once.Do(func() { close(c.done) }); return nil }
func (c *memConn) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.addr) }
func (c *memConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *memConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *memConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
