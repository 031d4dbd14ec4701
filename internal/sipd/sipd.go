// Package sipd is the signalling: it listens for SIP over UDP and TCP, registers phones, takes calls in, rings phones
// and carries dialogs, in both roles. Its callers see legs and raw session descriptions.
//
// It refuses to route calls, to read or write a session description, to touch audio, to use DNS, and to keep anything
// itself over a restart: dialogs go to a Keeper, so that the next process can end them. What it does with which message
// is in docs/reference/sip.md.
package sipd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"switchboard/internal/callcenter"
)

// Limits of the signalling. Each says what happens to what is beyond it.
const (
	MaxMessage         = 16_384  // bytes of one message; a longer one is dropped and counted as malformed
	DefaultMaxNewCalls = 2_000   // INVITEs let in per second; more get 503 with Retry-After
	MaxStreams         = 4_096   // TCP connections let in; more are closed at once
	MaxStreamsPerHost  = 256     // TCP connections of one address that is no trunk
	MaxLanes           = 250_000 // Call-IDs remembered at a time; more are refused with 503
	StrangerRate       = 200     // packets a second of one address that is no trunk; more are dropped unread
	StrangerBurst      = 400
	retryAfter         = 5  // seconds, with our own 503
	retryBlocked       = 60 // and with that to an address that guessed passwords
	portTries          = 20
)

// Config says how to listen and whom to ask. The functions are called from many goroutines and must not block.
type Config struct {
	Addr       string         // host:port for UDP and TCP; port 0: one free port for both
	PacketConn net.PacketConn // replaces the UDP socket, and there is no TCP then
	// Advertise is the host in Contact and Via. "": the listener's address, and where that is unspecified (0.0.0.0)
	// the local address that faces the peer.
	Advertise  string
	Realm      string                                // of digest authentication; "": switchboard
	Account    func(username string) (Account, bool) // nil: nobody can register
	AllowTrunk func(netip.Addr) bool                 // calls from this address are let in; nil: from none
	OnCall     func(*Leg)                            // a new call, 100 already sent; calls leg.Handle before it returns
	// OnDevice tells of a registration that came, ended or expired, in order.
	OnDevice    func(owner callcenter.OperatorID, device callcenter.DeviceID, reachable bool)
	OnNotice    func(Notice) // what a supervisor of the machine should know
	Guard       Guard        // against password guessing; nil: none
	Keeper      Keeper       // remembers dialogs for the next process; nil: none does
	MaxNewCalls int          // INVITEs let in per second; 0: DefaultMaxNewCalls
	Log         *slog.Logger // nil: nothing is logged
}

// Account is who may register under a username, and the digest of the password.
type Account struct {
	Owner  callcenter.OperatorID
	Device callcenter.DeviceID
	HA1    callcenter.Digest
}

// Notice is one sentence about an attack or an overload, at most one a minute of a kind for one address.
type Notice struct {
	At   time.Time
	Addr netip.Addr
	Text string
}

// Guard knows which addresses guessed passwords too often. Failed answers true when this failure blocked the address.
type Guard interface {
	Blocked(addr netip.Addr, now time.Time) bool
	Failed(addr netip.Addr, now time.Time) (nowBlocked bool)
}

// Server is one listening SIP user agent.
type Server struct {
	cfg      Config
	log      *slog.Logger
	packets  net.PacketConn
	udp      *net.UDPConn // packets, where that is a real socket
	listener net.Listener // nil: no TCP
	addr     netip.AddrPort
	ctx      context.Context // ends when Close begins
	cancel   context.CancelFunc

	mu       sync.Mutex // guards what follows, and the queue of every lane
	lanes    map[string]*lane
	maxLanes int
	bells    *lane // delivers OnDevice and OnNotice in order
	closed   bool
	work     sync.WaitGroup // lanes, dialling and refreshing goroutines

	readers   sync.WaitGroup
	streams   streams
	registrar registrar
	digests   digests
	gate      gate
	lag       lag
	local     localAddrs
	count     counters
}

// New listens and serves. An error says what could not be listened on.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, log: cfg.Log, lanes: make(map[string]*lane), maxLanes: MaxLanes}
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.bells = &lane{srv: s}
	s.streams.init()
	s.registrar.init()
	s.digests.init()
	s.gate.init(cfg.MaxNewCalls)
	s.readers.Go(s.serveUDP)
	if s.listener != nil {
		s.readers.Go(s.serveTCP)
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Realm == "" {
		c.Realm = "switchboard"
	}
	if c.Account == nil {
		c.Account = func(string) (Account, bool) { return Account{}, false }
	}
	if c.AllowTrunk == nil {
		c.AllowTrunk = func(netip.Addr) bool { return false }
	}
	if c.OnDevice == nil {
		c.OnDevice = func(callcenter.OperatorID, callcenter.DeviceID, bool) {}
	}
	if c.OnNotice == nil {
		c.OnNotice = func(Notice) {}
	}
	if c.MaxNewCalls == 0 {
		c.MaxNewCalls = DefaultMaxNewCalls
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (s *Server) listen() error {
	if s.cfg.PacketConn != nil {
		s.packets = s.cfg.PacketConn
		addr, err := netip.ParseAddrPort(s.packets.LocalAddr().String())
		if err != nil {
			return fmt.Errorf("listen for SIP: local address: %w", err)
		}
		s.addr = addr
		s.udp, _ = s.packets.(*net.UDPConn)
		return nil
	}
	var err error
	for range portTries {
		// With port 0 the port that UDP got may be taken for TCP: then another pair is tried.
		if err = s.listenBoth(); err == nil || !errors.Is(err, errPortTaken) {
			break
		}
	}
	return err
}

var errPortTaken = errors.New("port taken")

func (s *Server) listenBoth() error {
	want, err := net.ResolveUDPAddr("udp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen for SIP on %q: %w", s.cfg.Addr, err)
	}
	udp, err := net.ListenUDP("udp", want)
	if err != nil {
		return fmt.Errorf("listen for SIP: %w", err)
	}
	// A burst of calls must not overflow the socket before it is read; the kernel caps the size silently.
	_ = udp.SetReadBuffer(socketBuffer)
	_ = udp.SetWriteBuffer(socketBuffer)
	got := udp.LocalAddr().(*net.UDPAddr)
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: got.IP, Port: got.Port, Zone: got.Zone})
	if err != nil {
		_ = udp.Close()
		if want.Port == 0 {
			err = errors.Join(err, errPortTaken)
		}
		return fmt.Errorf("listen for SIP: %w", err)
	}
	s.packets, s.udp, s.listener = udp, udp, tcp
	s.addr = got.AddrPort()
	return nil
}

// Addr is where the server listens, for UDP and TCP.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Close hangs up every leg (one BYE, CANCEL or 487 each, not resent), stops listening and waits for the server's
// goroutines. No Handler hears of it. It must not be called from a callback.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for _, l := range s.lanes {
		l.enqueue(l.shut)
	}
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	err := s.packets.Close()
	if s.listener != nil {
		err = errors.Join(err, s.listener.Close())
	}
	s.streams.closeAll()
	s.readers.Wait()
	s.registrar.stop()
	return err
}

// spawn runs f in a goroutine that Close waits for. After Close it does nothing.
func (s *Server) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(f)
	}
}

func (s *Server) notice(addr netip.Addr, text string) {
	now := time.Now()
	if !s.gate.mayNotice(addr, text, now) {
		return
	}
	s.bells.post(func() { s.cfg.OnNotice(Notice{At: now, Addr: addr, Text: text}) })
}
