package app

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/exchange"
	"switchboard/internal/media"
	"switchboard/internal/sipd"
)

// phones lets the exchange invite devices through sipd. The exchange must stand before the server listens, so the
// server comes later; nothing can ring before that.
type phones struct{ server atomic.Pointer[sipd.Server] }

// Invite implements exchange.Phones.
func (p *phones) Invite(device exchange.Device, from string, sdp []byte, events exchange.Events) exchange.Leg {
	name, number := shownCaller(from)
	return p.server.Load().Invite(sipd.Invitation{
		Device: device.ID, To: device.Contact, From: number, FromName: name, SDP: sdp,
	}, events)
}

// shownCaller splits what an operator's phone shows: a number, or words that end with one.
func shownCaller(from string) (name, number string) {
	if i := strings.LastIndexByte(from, ' '); i >= 0 {
		return from, from[i+1:]
	}
	return "", from
}

// Facing implements exchange.Phones.
func (p *phones) Facing(device exchange.Device) netip.Addr {
	return p.server.Load().Facing(device.ID, device.Contact)
}

// ports lets the exchange open audio ports of media.
type ports struct {
	pool    *media.Pool
	music   *media.Track
	uploads *uploads
}

// Open implements exchange.Ports.
func (p ports) Open(digit func(byte), silent func()) (exchange.Port, error) {
	opened, err := p.pool.Open(listener{digit, silent})
	if err != nil {
		return nil, err
	}
	return port{opened, p}, nil
}

// listener is a pair of functions as media's handler.
type listener struct {
	digit  func(byte)
	silent func()
}

// Digit implements media.Handler.
func (l listener) Digit(d byte) { l.digit(d) }

// Silent implements media.Handler.
func (l listener) Silent() { l.silent() }

// port is a media port as the exchange sees it.
type port struct {
	*media.Port
	of ports
}

// Offer implements exchange.Negotiator.
func (p port) Offer(like exchange.Port, far netip.Addr) []byte {
	if far.IsValid() {
		p.Facing(far)
	}
	law := media.PCMU
	if other, ok := like.(port); ok {
		law = other.Law()
	}
	return p.Port.Offer(law)
}

// Loop implements exchange.Player: the center's own music, or else what all share.
func (p port) Loop(center callcenter.ID) {
	track := p.of.music
	if found, ok := p.of.uploads.find(center, holdMusic); ok {
		track = found.track
	}
	p.Port.Loop(track)
}

// Connect implements exchange.Port.
func (p port) Connect(to exchange.Port) {
	if other, ok := to.(port); ok {
		p.Port.Connect(other.Port)
	}
}

// Record implements exchange.Port.
func (p port) Record(path string, limit time.Duration, done func(time.Duration, error)) error {
	return p.Port.Record(path, limit, func(r media.Recording) { done(r.Duration, r.Err) })
}

// RecordWith implements exchange.Port.
func (p port) RecordWith(right exchange.Port, path string, done func(exchange.Recorded)) (exchange.Tape, error) {
	other, ok := right.(port)
	if !ok {
		panic("app: a port of somebody else")
	}
	return p.of.pool.RecordPair(path, p.Port, other.Port, func(r media.Recording) {
		done(exchange.Recorded{Length: r.Duration, Lost: r.Dropped, Err: r.Err})
	})
}

// ListenWith implements exchange.Port.
func (p port) ListenWith(operator exchange.Port, l exchange.Listener) (exchange.Ear, error) {
	other, ok := operator.(port)
	if !ok {
		panic("app: a port of somebody else")
	}
	ear, err := p.of.pool.Listen(p.Port, other.Port, l)
	if err != nil {
		return nil, err
	}
	return ear, nil
}

// httpServer bounds what a client may make the server wait for. There is no write timeout: the live feed never ends.
func httpServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
