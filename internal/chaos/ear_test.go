package chaos

import (
	"time"

	"switchboard/internal/exchange"
	"switchboard/internal/media"
	"switchboard/internal/route"
	sound "switchboard/internal/voice"
)

// ear listens to two ports of the server until it is stopped or one of them closes.
type ear struct {
	ends     [2]*port
	listener exchange.Listener
}

// ListenWith implements exchange.Port.
func (p *port) ListenWith(operator exchange.Port, l exchange.Listener) (exchange.Ear, error) {
	p.ether.mu.Lock()
	defer p.ether.mu.Unlock()
	other := operator.(*port)
	if p.stopped || other.stopped || p.ear != nil || other.ear != nil {
		return nil, media.ErrRecording
	}
	e := &ear{ends: [2]*port{p, other}, listener: l}
	p.ear, other.ear = e, e
	return e, nil
}

// Pause implements exchange.Ear.
func (e *ear) Pause(bool) {}

// Stop implements exchange.Ear.
func (e *ear) Stop() {
	ether := e.ends[0].ether
	ether.mu.Lock()
	listening := e.ends[0].ear == e
	if listening {
		e.ends[0].ear, e.ends[1].ear = nil, nil
	}
	ether.mu.Unlock()
	if listening {
		time.AfterFunc(100*time.Millisecond, func() { e.listener.Ended(time.Second, 0) })
	}
}

// voices keeps in the books which calls are listened to.
type voices struct{ *books }

// listened is one of them.
type listened struct {
	*books
	call route.CallID
}

// Begin implements exchange.Voices.
func (v voices) Begin(order route.StartVoice, _ string, _ time.Time) exchange.Listener {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.talks[order.Call]++
	return listened{v.books, order.Call}
}

// Frame implements exchange.Listener.
func (listened) Frame(sound.Leg, time.Duration, []int16) {}

// Turn implements exchange.Listener.
func (listened) Turn(time.Duration, sound.State) {}

// Tick implements exchange.Listener.
func (listened) Tick(time.Duration) {}

// Ended implements exchange.Listener.
func (t listened) Ended(time.Duration, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.talks[t.call]--; t.talks[t.call] == 0 {
		delete(t.talks, t.call)
	}
}
