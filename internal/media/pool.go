// Package media carries the sound of calls: RTP ports, the relay between two of them, key presses, prompts, hold music
// and voicemail recording. One leg hears one continuous stream whatever its source, and G.711 is passed on as it is or
// converted by table. It knows nothing of SIP, of call centers or of why something is played; it refuses codecs other
// than G.711, encrypted media, and packets of strangers, and it never touches the disk where packets pass.
// docs/reference/media.md has the rules.
package media

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"switchboard/internal/audio"
)

// SilenceLimit is how long a connected leg may send nothing before its Handler is told.
const SilenceLimit = 30 * time.Second

// ErrNoPort says that every port of the range is in use.
var ErrNoPort = errors.New("no RTP port is free")

// ErrClosed says that the pool or port was closed before.
var ErrClosed = errors.New("media is closed")

// Law is a G.711 coding.
type Law = audio.Law

// The laws by the names that SDP has for them.
const (
	PCMU = audio.ULaw
	PCMA = audio.ALaw
)

// PoolConfig says where media runs.
type PoolConfig struct {
	Host      netip.Addr    // address to listen on; its family is the family of all ports
	Advertise netip.Addr    // address in our SDP where it is not Host; the zero value: Host, or the one facing the peer
	Low, High int           // UDP ports, even ones are used; 0, 0: any free port
	Silence   time.Duration // replaces SilenceLimit when > 0
	Log       *slog.Logger  // nil: slog.Default()
}

// PoolStats counts over all ports since the start.
type PoolStats struct {
	Open    int    // ports open now
	Opened  uint64 // ports ever opened
	Refused uint64 // Opens that found no port
	Stats
}

// Pool owns the ports, the clock that plays and the goroutines of both.
type Pool struct {
	host, advertise netip.Addr
	low, high       int
	silence         time.Duration
	log             *slog.Logger
	began           time.Time
	clock           clock
	hearing         hearing
	stop            chan struct{}
	wg              sync.WaitGroup

	bridges sync.Mutex // held while peers change

	mu     sync.Mutex // guards what follows
	closed bool
	ports  map[*Port]struct{}
	used   map[int]bool // of the range
	next   int
	past   PoolStats // of closed ports
}

// NewPool checks the configuration and starts the clock. Errors name the field.
func NewPool(c PoolConfig) (*Pool, error) {
	switch {
	case !c.Host.IsValid():
		return nil, errors.New("media host: no address")
	case c.Advertise.IsValid() && (c.Advertise.IsUnspecified() || c.Advertise.IsMulticast()):
		return nil, fmt.Errorf("media advertised address: %s is no address of a host", c.Advertise)
	case (c.Low != 0 || c.High != 0) && (c.Low < 1 || c.High > 65535 || c.Low+c.Low&1 > c.High):
		return nil, fmt.Errorf("RTP ports: %d-%d holds no even port within 1-65535", c.Low, c.High)
	}
	p := &Pool{
		host: c.Host.Unmap(), advertise: c.Advertise.Unmap(), low: c.Low + c.Low&1, high: c.High,
		silence: SilenceLimit, log: c.Log, began: time.Now(), stop: make(chan struct{}),
		ports: map[*Port]struct{}{}, used: map[int]bool{},
		clock: clock{wake: make(chan struct{}, 1)}, hearing: hearing{wake: make(chan struct{}, 1)},
	}
	if c.Silence > 0 {
		p.silence = c.Silence
	}
	if p.log == nil {
		p.log = slog.Default()
	}
	fades() // not in the middle of a call
	p.wg.Go(func() { p.clock.run(p.stop, p.now) })
	p.wg.Go(p.watch)
	p.wg.Go(func() { p.hearing.run(p.stop, p.now) })
	return p, nil
}

// now is in ns since the pool began, and never goes back. It is never 0, which stands for "not yet".
func (p *Pool) now() int64 { return int64(time.Since(p.began)) + 1 }

// Open takes a port for one leg. h hears of it from then on; it may be nil. ErrNoPort: the range is full.
func (p *Pool) Open(h Handler) (*Port, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	conn, number, err := p.listen()
	if err != nil {
		p.past.Refused++
		return nil, err
	}
	pt := newPort(p, h, conn, number)
	p.ports[pt] = struct{}{}
	p.past.Opened++
	p.wg.Go(pt.receive)
	return pt, nil
}

// listen binds the next port of the range. The one freed last comes last, so that a late packet of the call that had
// it meets nobody. Called with mu held.
func (p *Pool) listen() (conn *net.UDPConn, number int, err error) {
	network := "udp4"
	if p.host.Is6() {
		network = "udp"
	}
	if p.high == 0 {
		conn, err = net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.host, 0)))
		if err != nil {
			return nil, 0, fmt.Errorf("open RTP port: %w", err)
		}
		return conn, 0, nil
	}
	size := (p.high-p.low)/2 + 1
	var last error
	for range size {
		number = p.low + 2*p.next
		p.next = (p.next + 1) % size
		if p.used[number] {
			continue
		}
		conn, err = net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.host, uint16(number))))
		if err == nil {
			p.used[number] = true
			return conn, number, nil
		}
		last = err
	}
	if last != nil {
		return nil, 0, fmt.Errorf("%w of %d-%d: %w", ErrNoPort, p.low, p.high, last)
	}
	return nil, 0, fmt.Errorf("%w of %d-%d", ErrNoPort, p.low, p.high)
}

func newPort(p *Pool, h Handler, conn *net.UDPConn, number int) *Port {
	if h == nil {
		h = nobody{}
	}
	pt := &Port{
		pool: p, conn: conn, local: conn.LocalAddr().(*net.UDPAddr).AddrPort(), number: number, handler: h,
		sdpID: rand.Uint64() >> 1,
	}
	pt.terms.Store(&terms{})
	pt.out.outlet, pt.out.event = newOutlet(conn), noType
	// Random starts, so that an outsider cannot guess them (RFC 3550, 5.1).
	pt.out.ssrc, pt.out.seq, pt.out.stamp = rand.Uint32(), uint16(rand.Uint32()), rand.Uint32()
	return pt
}

func (p *Pool) forget(pt *Port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ports, pt)
	delete(p.used, pt.number)
	p.past.Stats.add(pt.Stats())
}

// Stats counts over all ports.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := p.past
	sum.Open = len(p.ports)
	for pt := range p.ports {
		sum.add(pt.Stats())
	}
	return sum
}

// watch tells handlers of connected legs from which nothing comes: a phone that crashed sends no BYE.
func (p *Pool) watch() {
	ticker := time.NewTicker(min(time.Second, p.silence/4))
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		for _, pt := range p.all() {
			if pt.silentAt(p.now()) {
				pt.handler.Silent()
			}
		}
	}
}

func (p *Pool) all() []*Port {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*Port, 0, len(p.ports))
	for pt := range p.ports {
		all = append(all, pt)
	}
	return all
}

// Close closes every port, ends recordings and waits for all of the pool's goroutines. Not to be called from a
// Handler or a done function.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	p.closed = true
	p.mu.Unlock()
	for _, pt := range p.all() {
		pt.Close()
	}
	close(p.stop)
	p.wg.Wait()
	return nil
}
