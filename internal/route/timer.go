package route

import "time"

// timer is one moment that its owner waits for. It lives inside its owner and is moved or stopped in place.
type timer struct {
	at   time.Time
	seq  uint64 // equal times fire in the order in which they were set
	pos  int    // place in the heap, from 1; 0: not set
	kind timerKind
	call *call
	op   *operator
	dev  *device
	cent *center
}

type timerKind int

const (
	timerAnswer     timerKind = iota // call: no audio yet
	timerRing                        // call: the offer rang long enough
	timerHold                        // call: waited long enough
	timerAnnounce                    // call: say the position
	timerSave                        // call: the recording was never reported
	timerStep                        // call: a key, a router, a number outside or a whisper took too long
	timerWrapUp                      // op: wrap-up is over
	timerDevice                      // op, dev: may be tried again
	timerHours                       // cent: opens or closes
	timerUnattended                  // cent: the grace is over
	timerLevel                       // cent: the service level is looked at again
	timerFar                         // call: the number that is called rang long enough
	timerKey                         // call: no further key is awaited
	timerRest                        // call: the callback may be offered again
	timerPlaces                      // the oldest kept place is no longer kept
)

type timerHeap struct{ list []*timer }

func (h *timerHeap) first() *timer {
	if len(h.list) == 0 {
		return nil
	}
	return h.list[0]
}

func (h *timerHeap) less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.seq < b.seq
}

func (h *timerHeap) swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	h.list[i].pos, h.list[j].pos = i+1, j+1
}

func (h *timerHeap) up(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h *timerHeap) down(i int) {
	for {
		low := 2*i + 1
		if low >= len(h.list) {
			return
		}
		if r := low + 1; r < len(h.list) && h.less(r, low) {
			low = r
		}
		if !h.less(low, i) {
			return
		}
		h.swap(i, low)
		i = low
	}
}

func (m *Machine) setTimer(t *timer, at time.Time) {
	m.stopTimer(t)
	m.timerSeq++
	t.at, t.seq = at, m.timerSeq
	m.timers.list = append(m.timers.list, t)
	t.pos = len(m.timers.list)
	m.timers.up(t.pos - 1)
}

func (m *Machine) stopTimer(t *timer) {
	if t.pos == 0 {
		return
	}
	h, i := &m.timers, t.pos-1
	last := len(h.list) - 1
	h.swap(i, last)
	h.list[last] = nil
	h.list = h.list[:last]
	t.pos = 0
	if i < last {
		h.up(i)
		h.down(i)
	}
}

func (m *Machine) fireTimers() {
	for t := m.timers.first(); t != nil && !t.at.After(m.now); t = m.timers.first() {
		m.stopTimer(t)
		m.fire(t)
		m.settle()
	}
}

func (m *Machine) fire(t *timer) {
	switch t.kind {
	case timerAnswer:
		m.answerInBand(t.call)
	case timerRing:
		m.rangOut(t.call)
	case timerHold:
		m.heldTooLong(t.call)
	case timerAnnounce:
		m.announce(t.call)
	case timerSave:
		m.recordingEnded(t.call, RecordingEnded{Call: t.call.id, Err: "the host reported nothing"})
	case timerStep:
		m.stepOver(t.call)
	case timerWrapUp:
		m.endWrapUp(t.op)
	case timerDevice:
		m.deviceBack(t.op, t.dev)
	case timerHours:
		m.hoursOver(t.cent)
	case timerUnattended:
		t.cent.testUnattended = true
		m.touch(t.cent)
	case timerLevel:
		m.lookAtLevel(t.cent)
	default:
		m.fireLater(t)
	}
}

// fireLater fires the timers of callbacks, calls to numbers and kept places.
func (m *Machine) fireLater(t *timer) {
	switch t.kind {
	case timerFar:
		m.farTimeout(t.call)
	case timerKey:
		m.keyTimeout(t.call)
	case timerRest:
		m.rested(t.call)
	case timerPlaces:
		m.forgetPlaces()
	default:
		panic("route: unknown timer")
	}
}
