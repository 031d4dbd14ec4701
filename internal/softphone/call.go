package softphone

import (
	"context"
	"sync"
	"time"

	"switchboard/internal/media"
	"switchboard/internal/sipd"
)

// eventBuffer bounds the events of one call that nobody has read; more are dropped, but never the last one.
const eventBuffer = 64

// EventKind is what happened to a call.
type EventKind string

// The kinds of event. Ended is the last of every call.
const (
	RingingEvent  EventKind = "ringing"
	AnsweredEvent EventKind = "answered"
	DigitEvent    EventKind = "digit"
	EndedEvent    EventKind = "ended"
)

// Event is something the far side did. Status is the SIP status of an Ended that was a refusal, else 0.
type Event struct {
	Kind   EventKind
	Status int
	Digit  byte
	At     time.Time
}

// Call is one call of a phone, in or out.
type Call struct {
	From string

	station *Station
	port    *media.Port
	answer  []byte
	events  chan Event

	mu    sync.Mutex
	leg   *sipd.Leg
	ended bool
}

func (c *Call) open() error {
	port, err := c.station.pool.Open((*listener)(c))
	c.port = port
	return err
}

// Answer picks up.
func (c *Call) Answer() {
	if leg := c.current(); leg != nil {
		leg.Answer(c.answer)
	}
}

// Decline refuses an incoming call: 486 busy, 603 decline, 480 not available.
func (c *Call) Decline(status int) {
	if leg := c.current(); leg != nil {
		leg.Refuse(status, 0)
	}
	c.end(0)
}

// Hangup ends the call, whatever its state.
func (c *Call) Hangup() {
	if leg := c.current(); leg != nil {
		leg.Hangup(false)
	}
	c.end(0)
}

func (c *Call) current() *sipd.Leg {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leg
}

// Say plays clips of mu-law, 8 kHz, to the far side.
func (c *Call) Say(clips ...[]byte) { c.port.Play(clips, func() {}) }

// Loop talks without end.
func (c *Call) Loop(track *media.Track) { c.port.Loop(track) }

// Press sends one digit as RFC 4733 events.
func (c *Call) Press(digit byte) { c.port.SendDigit(digit) }

// Record writes what is heard to a WAV file until the call ends.
func (c *Call) Record(path string) error {
	return c.port.Record(path, time.Hour, func(media.Recording) {})
}

// Stats counts the audio packets.
func (c *Call) Stats() media.Stats { return c.port.Stats() }

// Next waits for the next event; false when the context ended.
func (c *Call) Next(ctx context.Context) (Event, bool) {
	select {
	case e := <-c.events:
		return e, true
	case <-ctx.Done():
		return Event{}, false
	case <-c.station.ctx.Done():
		return Event{Kind: EndedEvent, At: time.Now()}, true
	}
}

// Wait reads events until one of the kind comes; false when the call or the context ended before.
func (c *Call) Wait(ctx context.Context, kind EventKind) (Event, bool) {
	for {
		e, ok := c.Next(ctx)
		if !ok || e.Kind == kind {
			return e, ok
		}
		if e.Kind == EndedEvent {
			return e, false
		}
	}
}

func (c *Call) tell(e Event) {
	e.At = time.Now()
	if e.Kind == EndedEvent {
		for {
			select {
			case c.events <- e:
				return
			default:
			}
			select {
			case <-c.events: // make room: the end must be heard
			default:
			}
		}
	}
	select {
	case c.events <- e:
	default:
	}
}

func (c *Call) end(status int) {
	c.mu.Lock()
	over := c.ended
	c.ended = true
	c.mu.Unlock()
	if !over {
		c.tell(Event{Kind: EndedEvent, Status: status})
		c.station.forget(c)
	}
}

// handler is a Call as sipd sees it.
type handler Call

func (h *handler) Ringing([]byte) { (*Call)(h).tell(Event{Kind: RingingEvent}) }

func (h *handler) Answered(sdp []byte) {
	c := (*Call)(h)
	if err := c.port.Complete(sdp); err != nil {
		c.Hangup()
		return
	}
	c.tell(Event{Kind: AnsweredEvent})
}

func (h *handler) Failed(status int)  { (*Call)(h).end(status) }
func (h *handler) Ended(string, bool) { (*Call)(h).end(0) }
func (h *handler) Digit(d byte)       { (*Call)(h).tell(Event{Kind: DigitEvent, Digit: d}) }

func (h *handler) Offer(sdp []byte) ([]byte, int) {
	answer, err := h.port.Accept(sdp)
	if err != nil {
		return nil, 488
	}
	return answer, 0
}

// listener is a Call as media sees it.
type listener Call

func (l *listener) Digit(d byte) { (*Call)(l).tell(Event{Kind: DigitEvent, Digit: d}) }
func (l *listener) Silent()      {}
