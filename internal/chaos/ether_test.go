package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/callcenter"
	"switchboard/internal/exchange"
	"switchboard/internal/media"
	"switchboard/internal/route"
)

// A session description of ours is one of these words, of one length, and the name of a port.
const (
	talkSDP = "talk "
	holdSDP = "hold "
)

// voice is what somebody hears who was connected.
const voice = "VOICE"

var errFull = errors.New("no port is free")

// ether is where all audio is: ports of the server and of phones that know each other by name.
type ether struct {
	mu    sync.Mutex
	last  int
	ports map[string]*port
	most  int // ports of the server at a time
	tapes int // running
}

func newEther(most int) *ether { return &ether{ports: map[string]*port{}, most: most} }

// port is one end of audio, a phone's or the server's. All of it is guarded by the ether.
type port struct {
	ether  *ether
	name   string
	digit  func(byte)   // the server's: a key of the far side
	hear   func(string) // a phone's: a prompt's name, or voice
	silent func()

	far     string // the name of the other end
	held    bool
	talks   bool  // a phone's: it sends
	peer    *port // the server's: who is connected
	sound   int   // counts what is played, so that what was replaced falls silent
	watch   int   // counts the watches, likewise
	record  *voicemail
	tape    *tape
	ear     *ear
	stopped bool
}

type voicemail struct {
	began time.Time
	done  func(time.Duration, error)
}

func (e *ether) open(kind string) *port {
	e.last++
	p := &port{ether: e, name: fmt.Sprint(kind, e.last)}
	e.ports[p.name] = p
	return p
}

// phone opens a phone's port.
func (e *ether) phone(hear func(string), silent func()) *port {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.open("phone-")
	p.hear, p.silent = hear, silent
	return p
}

const serverPorts = "server-"

// Open implements exchange.Ports.
func (e *ether) Open(digit func(byte), silent func()) (exchange.Port, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for name := range e.ports {
		if strings.HasPrefix(name, serverPorts) {
			n++
		}
	}
	if n >= e.most {
		return nil, errFull
	}
	p := e.open(serverPorts)
	p.digit, p.silent = digit, silent
	return p, nil
}

// left counts the ports that are open and the recordings that run.
func (e *ether) left() (ports, tapes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.ports), e.tapes
}

// Offer implements exchange.Negotiator.
func (p *port) Offer(exchange.Port, netip.Addr) []byte { return []byte(talkSDP + p.name) }

// Accept implements exchange.Negotiator.
func (p *port) Accept(offer []byte) ([]byte, error) {
	if err := p.Complete(offer); err != nil {
		return nil, err
	}
	return []byte(talkSDP + p.name), nil
}

// Complete implements exchange.Negotiator.
func (p *port) Complete(answer []byte) error {
	held := bytes.HasPrefix(answer, []byte(holdSDP))
	if !held && !bytes.HasPrefix(answer, []byte(talkSDP)) {
		return errors.New("no codec in common")
	}
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	p.far, p.held = string(answer[len(talkSDP):]), held
	return nil
}

// listener is the far end, nil when it is not there or listens to somebody else. Called with the lock held.
func (p *port) listener() *port {
	far := p.ether.ports[p.far]
	if far == nil || far.far != p.name {
		return nil
	}
	return far
}

// Play implements exchange.Player: each clip begins with its prompt's name.
func (p *port) Play(clips [][]byte, done func()) {
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	p.sound++
	p.playFrom(p.sound, clips, done)
}

func (p *port) playFrom(sound int, clips [][]byte, done func()) {
	after := time.Duration(0)
	if len(clips) > 0 {
		name, _, _ := bytes.Cut(clips[0], []byte{0})
		if far := p.listener(); far != nil && far.hear != nil {
			far.hear(string(name))
		}
		after = time.Duration(len(clips[0])) * time.Second / audio.Rate
	}
	time.AfterFunc(after, func() {
		p.ether.mu.Lock()
		if p.stopped || p.sound != sound {
			p.ether.mu.Unlock()
			return
		}
		if len(clips) > 0 {
			p.playFrom(sound, clips[1:], done)
			p.ether.mu.Unlock()
			return
		}
		p.ether.mu.Unlock()
		done()
	})
}

// Loop implements exchange.Player.
func (p *port) Loop(callcenter.ID) { p.Silence() }

// Ringback implements exchange.Player.
func (p *port) Ringback() { p.Silence() }

// Silence implements exchange.Player.
func (p *port) Silence() {
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	p.sound++
}

// Connect implements exchange.Port.
func (p *port) Connect(to exchange.Port) {
	other := to.(*port)
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	p.unlink()
	other.unlink()
	if p.stopped || other.stopped {
		return
	}
	p.peer, other.peer = other, p
	for _, end := range [...]*port{p, other} {
		end.sound++
		if far := end.listener(); far != nil && far.hear != nil {
			far.hear(voice)
		}
		end.guard()
	}
}

func (p *port) unlink() {
	if p.peer != nil {
		p.peer.watch++
		p.peer.peer = nil
	}
	p.watch++
	p.peer = nil
}

// guard tells of a far side that has sent nothing for as long as a real port waits. Called with the lock held.
func (p *port) guard() {
	p.watch++
	p.look(p.watch, 0)
}

func (p *port) look(watch int, quiet time.Duration) {
	const every = 5 * time.Second
	time.AfterFunc(every, func() {
		p.ether.mu.Lock()
		if p.stopped || p.watch != watch {
			p.ether.mu.Unlock()
			return
		}
		far := p.ether.ports[p.far]
		if p.held || far != nil && (far.talks || far.hear == nil) {
			quiet = -every
		}
		if quiet < media.SilenceLimit {
			p.look(watch, quiet+every)
			p.ether.mu.Unlock()
			return
		}
		p.ether.mu.Unlock()
		p.silent()
	})
}

// begin lets a phone send, and listen for a far side that is gone.
func (p *port) begin() {
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	if !p.talks && !p.stopped {
		p.talks = true
		p.guard()
	}
}

// press sends a key from a phone.
func (p *port) press(d byte) {
	p.ether.mu.Lock()
	far := p.listener()
	heard := far != nil && !p.stopped && p.talks
	p.ether.mu.Unlock()
	if heard {
		far.InfoDigit(d)
	}
}

// InfoDigit implements exchange.Port.
func (p *port) InfoDigit(d byte) {
	if d == '#' && p.stopRecord() {
		return
	}
	p.digit(d)
}

// Record implements exchange.Port.
func (p *port) Record(_ string, limit time.Duration, done func(time.Duration, error)) error {
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	if p.stopped {
		return errors.New("the port is closed")
	}
	if p.record != nil {
		return media.ErrRecording
	}
	v := &voicemail{began: time.Now(), done: done}
	p.record = v
	time.AfterFunc(limit, func() {
		p.ether.mu.Lock()
		current := p.record == v
		p.ether.mu.Unlock()
		if current {
			p.StopRecord()
		}
	})
	return nil
}

// StopRecord implements exchange.Port.
func (p *port) StopRecord() { p.stopRecord() }

func (p *port) stopRecord() bool {
	p.ether.mu.Lock()
	v := p.record
	p.record = nil
	p.ether.mu.Unlock()
	if v == nil {
		return false
	}
	time.AfterFunc(20*time.Millisecond, func() { v.done(time.Since(v.began), nil) })
	return true
}

// tape is a running recording.
type tape struct {
	ether *ether
	ends  [2]*port
	began time.Time
	done  func(exchange.Recorded)
}

// RecordWith implements exchange.Port.
func (p *port) RecordWith(right exchange.Port, _ string, done func(exchange.Recorded)) (exchange.Tape, error) {
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	other := right.(*port)
	if p.stopped || other.stopped || p.tape != nil || other.tape != nil {
		return nil, media.ErrRecording
	}
	t := &tape{ether: p.ether, ends: [2]*port{p, other}, began: time.Now(), done: done}
	p.tape, other.tape = t, t
	p.ether.tapes++
	return t, nil
}

// Pause implements exchange.Tape.
func (t *tape) Pause(bool) {}

// Stop implements exchange.Tape.
func (t *tape) Stop() {
	t.ether.mu.Lock()
	running := t.ends[0].tape == t
	if running {
		t.ends[0].tape, t.ends[1].tape = nil, nil
		t.ether.tapes--
	}
	t.ether.mu.Unlock()
	if running {
		time.AfterFunc(20*time.Millisecond, func() { t.done(exchange.Recorded{Length: time.Since(t.began)}) })
	}
}

// Close implements exchange.Port.
func (p *port) Close() {
	p.ether.mu.Lock()
	if p.stopped {
		p.ether.mu.Unlock()
		return
	}
	p.stopped, p.talks = true, false
	p.unlink()
	delete(p.ether.ports, p.name)
	t, listens := p.tape, p.ear
	p.ether.mu.Unlock()
	p.StopRecord()
	if t != nil {
		t.Stop()
	}
	if listens != nil {
		listens.Stop()
	}
}

// Clips implements exchange.Prompts.
func (e *ether) Clips(phrase route.Phrase) [][]byte {
	seconds := 1 + len(phrase.Prompt)%3
	clip := make([]byte, seconds*audio.Rate)
	copy(clip, phrase.Prompt)
	return [][]byte{clip}
}

// Prepare implements exchange.Prompts.
func (e *ether) Prepare(string) {}
