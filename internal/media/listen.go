package media

import (
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/voice"
)

const (
	earSlots  = 64                     // frames of one leg between the line and the listener: 1.28 s
	earPeriod = 100 * time.Millisecond // between two deliveries
)

// Listener hears what the two sides of a call say. All of its methods are called from one goroutine, which delivers for
// all calls: none may block. Times are since the beginning of listening; those of one leg's frames may skip.
type Listener interface {
	// Frame is called in the state voice.Open only. The samples, 8 kHz, are the listener's until it returns.
	Frame(leg voice.Leg, at time.Duration, pcm []int16)
	// Turn tells every change of the state; it is voice.Open at first.
	Turn(at time.Duration, state voice.State)
	// Tick says how far the call is, ten times a second.
	Tick(at time.Duration)
	// Ended comes last, once. dropped counts frames that were taken too late: they are missing.
	Ended(at time.Duration, dropped uint64)
}

// Ear listens to two connected legs. Its methods may be called from any goroutine and do not block.
type Ear struct {
	pool     *Pool
	listener Listener
	began    int64 // ns on the pool's clock
	ends     [voice.Legs]earEnd
	stopped  atomic.Bool

	mu     sync.Mutex
	paused bool
	asked  []pausing // and not told yet

	// The deliverer's own:
	state voice.State
	quiet bool // paused, as told
	pcm   [frameSize]int16
}

// pausing is one call of Pause.
type pausing struct {
	at int64
	on bool
}

// earEnd is one leg's way to a listener.
type earEnd struct {
	ear  *Ear
	port *Port
	lane
}

// Listen lets a listener hear what the far sides of two ports say, first's as the customer, until Stop or the end of
// either port. A port has one listener at a time: ErrRecording.
func (p *Pool) Listen(first, second *Port, l Listener) (*Ear, error) {
	e := newEar(p, l)
	e.ends[voice.Customer].port, e.ends[voice.Operator].port = first, second
	p.mu.Lock() // Close of the pool tells who listens, so nobody must begin afterwards
	defer p.mu.Unlock()
	if p.closed || first.closed.Load() || second.closed.Load() {
		return nil, ErrClosed
	}
	if !first.ear.CompareAndSwap(nil, &e.ends[voice.Customer]) {
		return nil, ErrRecording
	}
	if !second.ear.CompareAndSwap(nil, &e.ends[voice.Operator]) {
		first.ear.Store(nil)
		return nil, ErrRecording
	}
	if first.closed.Load() || second.closed.Load() {
		e.Stop() // Close came in between and saw no ear
	}
	p.hearing.add(e)
	return e, nil
}

func newEar(p *Pool, l Listener) *Ear {
	e := &Ear{pool: p, listener: l, began: p.now()}
	for leg := range e.ends {
		end := &e.ends[leg]
		end.ear, end.began, end.slots = e, e.began, earSlots
		end.lay = func(slot *recorded) error {
			e.hand(voice.Leg(leg), slot)
			return nil
		}
	}
	return e
}

// Stop ends the listening; the listener hears of it.
func (e *Ear) Stop() { e.stopped.Store(true) }

// Pause keeps from the listener what is said from now on, until Pause(false). What was said meanwhile is not even taken
// from the line.
func (e *Ear) Pause(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if on == e.paused {
		return
	}
	e.paused = on
	now := e.pool.now()
	e.asked = append(e.asked, pausing{now, on})
	for i := range e.ends {
		e.ends[i].pause(on, samplesIn(time.Duration(now-e.began)))
	}
}

// deliver gives the listener all that came by now. It reports whether there will be more.
func (e *Ear) deliver(now int64) bool {
	over := e.stopped.Load()
	e.mu.Lock()
	asked := e.asked
	e.asked = nil
	e.mu.Unlock()
	for _, p := range asked {
		e.frames(p.at, true)
		e.quiet = p.on
		e.turn(p.at)
	}
	e.turn(now)
	e.frames(now, over)
	at := time.Duration(now - e.began)
	if !over {
		e.listener.Tick(at)
		return true
	}
	for i := range e.ends {
		e.ends[i].port.ear.CompareAndSwap(&e.ends[i], nil)
	}
	e.listener.Ended(at, e.ends[0].dropped.Load()+e.ends[1].dropped.Load())
	return false
}

// turn tells the state, if it is another.
func (e *Ear) turn(at int64) {
	state := voice.Open
	switch {
	case e.quiet:
		state = voice.Paused
	case e.ends[0].port.Held() || e.ends[1].port.Held():
		state = voice.Held
	}
	if state != e.state {
		e.state = state
		e.listener.Turn(time.Duration(at-e.began), state)
	}
}

// frames takes what came up to a time; all of it also where it is not sure yet when it was said.
func (e *Ear) frames(until int64, all bool) {
	for i := range e.ends {
		end := &e.ends[i]
		for slot := end.next(); slot != nil && slot.at <= until; slot = end.next() {
			_ = end.settle(slot.at) // lay never fails
			_ = end.put(slot)
			end.taken()
		}
		if all {
			_ = end.decide()
		} else {
			_ = end.settle(until)
		}
	}
}

// hand gives the listener a frame in its place.
func (e *Ear) hand(leg voice.Leg, slot *recorded) {
	end := &e.ends[leg]
	at := end.place(slot, end.after)
	if at < slot.floor || at < 0 || e.state != voice.Open {
		return
	}
	end.after = max(end.after, at+int64(slot.size))
	for i, b := range slot.sound[:slot.size] {
		e.pcm[i] = slot.law.Decode(b)
	}
	e.listener.Frame(leg, samplesAt(at), e.pcm[:slot.size])
}

// hearing is the one goroutine behind all ears.
type hearing struct {
	mu   sync.Mutex
	ears []*Ear
	wake chan struct{}
}

func (h *hearing) add(e *Ear) {
	h.mu.Lock()
	h.ears = append(h.ears, e)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run delivers until stop is closed, and sleeps while nobody listens.
func (h *hearing) run(stop <-chan struct{}, now func() int64) {
	ticker := time.NewTicker(earPeriod)
	defer ticker.Stop()
	ticks := true
	for {
		select {
		case <-stop:
			h.deliver(now)
			return
		case <-h.wake:
			if !ticks {
				ticks = true
				ticker.Reset(earPeriod)
			}
			continue
		case <-ticker.C:
		}
		if ticks = h.deliver(now); !ticks {
			ticker.Stop()
		}
	}
}

// deliver reports whether anybody listens still.
func (h *hearing) deliver(now func() int64) bool {
	h.mu.Lock()
	ears := h.ears
	h.ears = nil
	h.mu.Unlock()
	live := ears[:0]
	for _, e := range ears {
		if e.deliver(now()) {
			live = append(live, e)
		}
	}
	clear(ears[len(live):])
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ears = append(live, h.ears...)
	return len(h.ears) > 0
}
