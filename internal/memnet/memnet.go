// Package memnet is a network in memory: packet connections that a switch joins. Inside a synctest bubble it makes SIP
// run in virtual time, and a filter may drop, delay, repeat, rewrite or reorder what is sent.
//
// It is for tests. It refuses to be a network: there are no names, no connections, no errors of the wire.
package memnet

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// socketBuffer is how many packets wait to be read; a full socket drops.
const socketBuffer = 10_000

// Filter says what becomes of a packet. It is called by one goroutine at a time.
type Filter func(p Packet) []Packet

// Net is the switch.
type Net struct {
	Forget bool // nothing is kept for Sent: for long runs

	mu     sync.Mutex
	filter Filter // nil: everything passes at once
	conns  map[netip.AddrPort]*Conn
	trace  []Packet
	start  time.Time
}

// Packet is one datagram on its way.
type Packet struct {
	From, To netip.AddrPort
	Data     []byte
	After    time.Duration // how long it travels
	At       time.Duration // since the network began, when it was sent
}

// First is the first line of a message.
func (p Packet) First() string {
	line, _, _ := bytes.Cut(p.Data, []byte("\r\n"))
	return string(line)
}

// New is a network on which nobody listens.
func New() *Net { return &Net{conns: make(map[netip.AddrPort]*Conn), start: time.Now()} }

// Listen takes an address; whoever had it before hears nothing any more.
func (n *Net) Listen(addr netip.AddrPort) *Conn {
	c := &Conn{net: n, addr: addr, in: make(chan Packet, socketBuffer), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[addr] = c
	return c
}

// SetFilter replaces the filter and answers the one before; nil lets everything pass at once.
func (n *Net) SetFilter(f Filter) (before Filter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, n.filter = n.filter, f
	return before
}

// Sent lists what one address sent, in order.
func (n *Net) Sent(from netip.AddrPort) []Packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Packet
	for _, p := range n.trace {
		if p.From == from {
			out = append(out, p)
		}
	}
	return out
}

// Send puts a packet on the network, whoever it says it is from.
func (n *Net) Send(p Packet) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p.At = time.Since(n.start)
	if !n.Forget {
		n.trace = append(n.trace, p)
	}
	out := []Packet{p}
	if n.filter != nil {
		out = n.filter(p)
	}
	for _, p := range out {
		c := n.conns[p.To]
		switch {
		case c == nil:
		case p.After == 0:
			c.deliver(p)
		default:
			time.AfterFunc(p.After, func() { c.deliver(p) })
		}
	}
}

// Conn is one socket.
type Conn struct {
	net  *Net
	addr netip.AddrPort
	in   chan Packet
	once sync.Once
	done chan struct{}
}

func (c *Conn) deliver(p Packet) {
	select {
	case c.in <- p:
	default:
	}
}

// Addr is where the socket is.
func (c *Conn) Addr() netip.AddrPort { return c.addr }

// Take is the oldest packet that arrived and was not read yet; false: there is none.
func (c *Conn) Take() (Packet, bool) {
	select {
	case p := <-c.in:
		return p, true
	default:
		return Packet{}, false
	}
}

// Send sends a packet of the socket's.
func (c *Conn) Send(to netip.AddrPort, data []byte) {
	c.net.Send(Packet{From: c.addr, To: to, Data: bytes.Clone(data)})
}

// ReadFrom implements net.PacketConn.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-c.in:
		return copy(b, p.Data), net.UDPAddrFromAddrPort(p.From), nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	c.Send(to.(*net.UDPAddr).AddrPort(), b)
	return len(b), nil
}

// Close implements net.PacketConn.
func (c *Conn) Close() error { c.once.Do(func() { close(c.done) }); return nil }

// LocalAddr implements net.PacketConn.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// SetDeadline implements net.PacketConn: it refuses, for virtual time needs none.
func (c *Conn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline implements net.PacketConn: it refuses.
func (c *Conn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline implements net.PacketConn: it refuses.
func (c *Conn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
