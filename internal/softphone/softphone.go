// Package softphone is a SIP phone without a person: it registers, rings, answers, calls and talks in real SIP and RTP.
// The demo's operators and callers are made of it, and so are the end-to-end tests.
//
// It refuses to know Switchboard: it speaks to the server only over the network, as any phone would.
package softphone

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"switchboard/internal/media"
	"switchboard/internal/sipd"
)

// Config is a station: one socket that any number of phones share.
type Config struct {
	Server netip.AddrPort // the SIP server
	Bind   string         // host:port; "": a free port on loopback
	Log    *slog.Logger
}

// Station carries phones and calls.
type Station struct {
	cfg  Config
	sip  *sipd.Server
	pool *media.Pool

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	phones map[string]*Phone
	others *Phone // rings for whoever is not among the phones; nil: there is nobody else
	calls  map[*Call]struct{}
}

// Phone is one registered user agent. Ring is called for each incoming call, on a goroutine of its own; it answers or
// declines.
type Phone struct {
	Username string
	station  *Station
	ring     func(*Call)
}

// Open listens and is ready for phones.
func Open(cfg Config) (*Station, error) {
	if cfg.Bind == "" {
		cfg.Bind = "127.0.0.1:0"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	bind, err := netip.ParseAddrPort(cfg.Bind)
	if err != nil {
		return nil, fmt.Errorf("open a softphone station: %w", err)
	}
	pool, err := media.NewPool(media.PoolConfig{Host: bind.Addr(), Log: cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("open a softphone station: %w", err)
	}
	s := &Station{cfg: cfg, pool: pool, phones: map[string]*Phone{}, calls: map[*Call]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.sip, err = sipd.New(sipd.Config{
		Addr: cfg.Bind, Realm: "softphone", Log: cfg.Log,
		Account:    func(string) (sipd.Account, bool) { return sipd.Account{}, false },
		AllowTrunk: func(from netip.Addr) bool { return from == cfg.Server.Addr() },
		OnCall:     s.incoming,
	})
	if err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("open a softphone station: %w", err)
	}
	return s, nil
}

// Addr is where the station listens.
func (s *Station) Addr() netip.AddrPort { return s.sip.Addr() }

// Register puts a phone on the air and keeps it registered until the station closes or Unregister. The error says that
// the server refused or did not answer.
func (s *Station) Register(username, password string, ring func(*Call)) (*Phone, error) {
	p := s.Static(username, ring)
	_, err := s.sip.Register(s.ctx, sipd.Registration{
		Server: s.cfg.Server.String(), Username: username, Password: password, Expires: time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", username, err)
	}
	return p, nil
}

// Static adds a phone that does not register: it is reached at sip:username@Addr.
func (s *Station) Static(username string, ring func(*Call)) *Phone {
	p := &Phone{Username: username, station: s, ring: ring}
	s.mu.Lock()
	s.phones[username] = p
	s.mu.Unlock()
	return p
}

// Others adds a phone that rings for every name and number that no other phone of the station has: the telephone
// network at the far end of a trunk.
func (s *Station) Others(ring func(*Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = &Phone{station: s, ring: ring}
}

func (s *Station) incoming(leg *sipd.Leg) {
	c := &Call{station: s, leg: leg, From: leg.From(), events: make(chan Event, eventBuffer)}
	leg.Handle((*handler)(c))
	s.mu.Lock()
	phone, ok := s.phones[leg.To()]
	if !ok && s.others != nil {
		phone, ok = s.others, true
	}
	if ok {
		s.calls[c] = struct{}{}
	}
	s.mu.Unlock()
	if !ok {
		leg.Refuse(404, 0)
		return
	}
	if err := c.open(); err != nil {
		leg.Refuse(503, 0)
		s.forget(c)
		return
	}
	answer, err := c.port.Accept(leg.Offer())
	if err != nil {
		leg.Refuse(488, 0)
		s.forget(c)
		return
	}
	c.answer = answer
	leg.Progress()
	s.wg.Go(func() { phone.ring(c) })
}

// Call dials a number on the server. The call's events tell how it goes.
func (s *Station) Call(from, to string) (*Call, error) {
	c := &Call{station: s, From: from, events: make(chan Event, eventBuffer)}
	if err := c.open(); err != nil {
		return nil, fmt.Errorf("call %s: %w", to, err)
	}
	s.mu.Lock()
	s.calls[c] = struct{}{}
	s.mu.Unlock()
	leg := s.sip.Invite(sipd.Invitation{
		To: fmt.Sprintf("sip:%s@%s", to, s.cfg.Server), From: from, SDP: c.port.Offer(media.PCMU),
	}, (*handler)(c))
	c.mu.Lock()
	c.leg = leg
	c.mu.Unlock()
	return c, nil
}

func (s *Station) forget(c *Call) {
	s.mu.Lock()
	_, ok := s.calls[c]
	delete(s.calls, c)
	s.mu.Unlock()
	if ok && c.port != nil {
		c.port.Close()
	}
}

// Close hangs up and waits for all of the station's goroutines. Ring functions must return when their call ends.
func (s *Station) Close() error {
	s.cancel()
	s.mu.Lock()
	calls := make([]*Call, 0, len(s.calls))
	for c := range s.calls {
		calls = append(calls, c)
	}
	s.mu.Unlock()
	for _, c := range calls {
		c.Hangup()
	}
	s.wg.Wait()
	err := s.sip.Close()
	if closed := s.pool.Close(); err == nil {
		err = closed
	}
	return err
}
