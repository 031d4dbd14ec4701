package sipd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	socketBuffer    = 4 << 20 // bytes asked of the kernel for the UDP socket
	maxDatagram     = 65_535
	streamRead      = 8_192
	writeTimeout    = 5 * time.Second  // a TCP peer that does not read is cut off
	messageTimeout  = 30 * time.Second // for the first message of a TCP connection, and for the rest of one begun
	dialTimeout     = 4 * time.Second
	maxReadFailures = 100 // in a row, of the UDP socket; then it is given up
	maxLocalAddrs   = 4_096
)

// flow is a way to a peer: an address behind our UDP socket, or a TCP connection. Flows can be compared.
type flow struct {
	remote netip.AddrPort
	stream *stream // nil: UDP
}

func (f flow) network() string {
	if f.stream != nil {
		return "TCP"
	}
	return "UDP"
}

func (f flow) reliable() bool { return f.stream != nil }

// send writes a whole message.
func (s *Server) send(f flow, message []byte) error {
	s.count.sent.Add(1)
	if f.stream != nil {
		return f.stream.write(message)
	}
	var err error
	if s.udp != nil {
		_, err = s.udp.WriteToUDPAddrPort(message, f.remote)
	} else {
		_, err = s.packets.WriteTo(message, net.UDPAddrFromAddrPort(f.remote))
	}
	return err
}

func (s *Server) serveUDP() {
	buf := make([]byte, maxDatagram)
	stamp := make([]byte, stampSize)
	if s.udp != nil {
		stampArrivals(s.udp)
	}
	failures := 0
	for {
		n, from, at, err := s.readPacket(buf, stamp)
		if err == nil {
			failures = 0
			s.packet(flow{remote: from}, buf[:n], at)
			continue
		}
		failures++
		if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil || failures > maxReadFailures {
			return
		}
		s.log.Warn("cannot read from the SIP socket", "error", err)
	}
}

// readPacket reads a datagram, and when it came: a busy server reads it late.
func (s *Server) readPacket(buf, stamp []byte) (n int, remote netip.AddrPort, at time.Time, err error) {
	if s.udp != nil {
		n, stamped, _, from, err := s.udp.ReadMsgUDPAddrPort(buf, stamp)
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), arrival(stamp[:stamped], time.Now()), err
	}
	n, from, err := s.packets.ReadFrom(buf)
	if err != nil {
		return 0, netip.AddrPort{}, time.Time{}, err
	}
	if udp, ok := from.(*net.UDPAddr); ok {
		addr := udp.AddrPort()
		return n, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), time.Now(), nil
	}
	remote, err = netip.ParseAddrPort(from.String())
	return n, remote, time.Now(), err
}

// packet takes one datagram.
func (s *Server) packet(f flow, data []byte, at time.Time) {
	s.count.received.Add(1)
	if !s.letIn(f.remote.Addr()) {
		return
	}
	if len(bytes.Trim(data, "\r\n\x00")) == 0 {
		return // a keepalive
	}
	if len(data) > MaxMessage {
		s.count.malformed.Add(1)
		return
	}
	message, err := parse(data)
	if err != nil {
		s.count.malformed.Add(1)
		return
	}
	s.receive(f, message, at)
}

// letIn says whether a packet of this address is worth reading: a token bucket per stranger.
func (s *Server) letIn(addr netip.Addr) bool {
	if s.cfg.AllowTrunk(addr) || s.gate.mayRead(addr, time.Now()) {
		return true
	}
	s.count.flooded.Add(1)
	s.notice(addr, "This address sends more SIP packets than a phone does; the excess is dropped.")
	return false
}

var parser = sip.NewParser(func(p *sip.Parser) { p.MaxMessageLength = MaxMessage })

// parse reads one message. What makes the parser panic is malformed: its input is hostile.
func parse(data []byte) (message sip.Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse message: %v", r)
		}
	}()
	return parser.ParseSIP(data)
}

// stream is one TCP connection.
type stream struct {
	conn   net.Conn
	remote netip.AddrPort
	ours   bool       // we opened it
	mu     sync.Mutex // one message at a time
}

func (st *stream) write(message []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := st.conn.Write(message)
	if err != nil {
		_ = st.conn.Close() // half a message may be out: nothing after it would be understood
	}
	return err
}

type streams struct {
	mu     sync.Mutex
	all    map[netip.AddrPort]*stream // by remote address, ours and theirs
	hosts  map[netip.Addr]int
	closed bool
}

func (t *streams) init() {
	t.all = make(map[netip.AddrPort]*stream)
	t.hosts = make(map[netip.Addr]int)
}

func (t *streams) add(st *stream, perHost int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	host := st.remote.Addr()
	if t.closed || len(t.all) >= MaxStreams || t.hosts[host] >= perHost || t.all[st.remote] != nil {
		return false
	}
	t.all[st.remote] = st
	t.hosts[host]++
	return true
}

func (t *streams) remove(st *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[st.remote] != st {
		return
	}
	delete(t.all, st.remote)
	host := st.remote.Addr()
	if t.hosts[host]--; t.hosts[host] == 0 {
		delete(t.hosts, host)
	}
}

func (t *streams) get(remote netip.AddrPort) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all[remote]
}

func (t *streams) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, st := range t.all {
		_ = st.conn.Close()
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil {
				return
			}
			s.log.Warn("cannot accept a SIP connection", "error", err)
			time.Sleep(100 * time.Millisecond) // out of descriptors: accepting again at once would only spin
			continue
		}
		if _, ok := s.adopt(conn, false); !ok {
			s.count.flooded.Add(1)
			_ = conn.Close()
		}
	}
}

// adopt begins to read a connection.
func (s *Server) adopt(conn net.Conn, ours bool) (*stream, bool) {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return nil, false
	}
	st := &stream{conn: conn, remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), ours: ours}
	perHost := MaxStreamsPerHost
	if s.cfg.AllowTrunk(st.remote.Addr()) {
		perHost = MaxStreams
	}
	if !s.streams.add(st, perHost) {
		return nil, false
	}
	s.readers.Go(func() {
		s.readStream(st)
		_ = conn.Close()
		s.streams.remove(st)
		s.streamLost(st)
	})
	return st, true
}

// readStream reads messages until the connection ends or sends something that is none: there is no way to find the
// next message after that.
func (s *Server) readStream(st *stream) {
	f := flow{remote: st.remote, stream: st}
	p := parser.NewSIPStream()
	defer p.Close()
	buf := make([]byte, streamRead)
	if !st.ours {
		_ = st.conn.SetReadDeadline(time.Now().Add(messageTimeout))
	}
	whole := true // no message is begun
	for {
		n, err := st.conn.Read(buf)
		if err != nil {
			return
		}
		data := buf[:n]
		s.count.received.Add(1)
		if !s.letIn(st.remote.Addr()) {
			return
		}
		if whole && len(bytes.Trim(data, "\r\n")) == 0 {
			if bytes.Equal(data, []byte("\r\n\r\n")) { // RFC 5626 4.4.1: a ping wants its pong
				_ = st.write([]byte("\r\n"))
			}
			continue
		}
		wasWhole := whole
		whole, err = s.feed(f, p, data)
		if err != nil {
			s.count.malformed.Add(1)
			return
		}
		switch {
		case whole:
			_ = st.conn.SetReadDeadline(time.Time{})
		case wasWhole:
			_ = st.conn.SetReadDeadline(time.Now().Add(messageTimeout))
		}
	}
}

func (s *Server) feed(f flow, p *sip.ParserStream, data []byte) (whole bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse message: %v", r)
		}
	}()
	err = p.ParseSIPStream(data, func(m sip.Message) { s.receive(f, m, time.Now()) })
	if errors.Is(err, sip.ErrParseSipPartial) {
		return false, nil
	}
	return true, err
}

// streamLost says that a connection ended: its registrations are gone, and what waited for it fails.
func (s *Server) streamLost(st *stream) {
	s.forgetStream(st)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	for _, l := range s.lanes {
		l.enqueue(func() { l.streamLost(st) })
	}
}

// dial opens a TCP connection, or finds the one that is open.
func (s *Server) dial(ctx context.Context, remote netip.AddrPort) (flow, error) {
	if st := s.streams.get(remote); st != nil {
		return flow{remote: remote, stream: st}, nil
	}
	if s.listener == nil {
		return flow{}, errors.New("dial: TCP is off")
	}
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", remote.String())
	if err != nil {
		return flow{}, err
	}
	st, ok := s.adopt(conn, true)
	if !ok {
		_ = conn.Close()
		return flow{}, errors.New("dial: too many connections")
	}
	return flow{remote: remote, stream: st}, nil
}

// localAddrs remembers which of our addresses faces which peer, where we listen on all of them.
type localAddrs struct {
	mu    sync.Mutex
	faces map[netip.Addr]netip.Addr
}

// host is what we call ourselves towards a peer.
func (s *Server) host(peer netip.Addr) string {
	if s.cfg.Advertise != "" {
		return s.cfg.Advertise
	}
	if !s.addr.Addr().IsUnspecified() {
		return s.addr.Addr().Unmap().String()
	}
	s.local.mu.Lock()
	defer s.local.mu.Unlock()
	if local, ok := s.local.faces[peer]; ok {
		return local.String()
	}
	local := s.addr.Addr()
	// Connecting a UDP socket sends nothing: it only asks the routing table.
	if conn, err := net.Dial("udp", netip.AddrPortFrom(peer, 9).String()); err == nil {
		if addr, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			local = addr.AddrPort().Addr().Unmap()
		}
		_ = conn.Close()
	}
	if len(s.local.faces) >= maxLocalAddrs || s.local.faces == nil {
		s.local.faces = make(map[netip.Addr]netip.Addr)
	}
	s.local.faces[peer] = local
	return local.String()
}
