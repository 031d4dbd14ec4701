package voice

import "time"

// Meter turns the frames of both legs into figures. It is not safe for use by several goroutines at once.
type Meter struct {
	legs    [Legs]listening
	changes []change // of the state, in order, that are still to come
	state   State    // at the next slot
	told    State    // as last told
	heard   int64    // slots up to here are marked as speech or not
	settled int64    // and up to here nothing of that changes; the figures are as far
	count   counting
}

// change is one of the state.
type change struct {
	slot  int64
	state State
}

// listening is what a Meter knows of one leg's sound.
type listening struct {
	detector
	raw    [windowSlots]bool // by slot modulo windowSlots: the detector's word
	speech [windowSlots]bool // with the pauses within speech, and without clicks
	part   []int16           // samples of a slot that is not whole yet
	next   int64             // sample after those of part
	run    int64             // slots of sound in a row
	on     bool
	last   int64 // slot of speech
}

// Frame takes sound of one leg that began at a time of the conversation: 8 kHz, of any length up to a second; the rest
// of a longer one is left out. What comes more than Lag late, or while the conversation is not Open, does not count.
func (m *Meter) Frame(leg Leg, at time.Duration, pcm []int16) {
	l := &m.legs[leg]
	sample := int64(at / nanosInSample)
	if at < 0 || at >= MaxLength || len(pcm) == 0 || m.told != Open {
		return
	}
	if apart := sample - l.next; apart < -slotFrame/2 || apart > slotFrame/2 {
		l.part, l.next = l.part[:0], sample // it does not follow what came before
	}
	pcm = pcm[:min(len(pcm), maxFrame)]
	for len(pcm) > 0 {
		n := min(len(pcm), slotFrame-len(l.part))
		if len(l.part) == 0 && n == slotFrame {
			l.next += slotFrame
			m.judge(l, l.next-slotFrame, pcm[:n])
		} else {
			l.part = append(l.part, pcm[:n]...)
			l.next += int64(n)
			if len(l.part) == slotFrame {
				m.judge(l, l.next-slotFrame, l.part)
				l.part = l.part[:0]
			}
		}
		pcm = pcm[n:]
	}
}

// judge marks the slot that most of the samples lie in.
func (m *Meter) judge(l *listening, sample int64, pcm []int16) {
	slot := (sample + slotFrame/2) / slotFrame
	speech := l.detector.speech(pcm)
	if slot >= m.heard && slot < m.heard+windowSlots-lagSlots {
		l.raw[slot%windowSlots] = speech
	}
}

// Turn tells the state from a time on. Times do not go back.
func (m *Meter) Turn(at time.Duration, state State) {
	if state == m.told {
		return
	}
	m.told = state
	m.changes = append(m.changes, change{max(int64(at/Slot), m.heard), state})
	for i := range m.legs {
		m.legs[i].part = m.legs[i].part[:0]
	}
}

// Tick says how far the conversation is: what lies more than Lag before that is judged.
func (m *Meter) Tick(at time.Duration) { m.advance(min(int64(at/Slot), longestSlots) - lagSlots) }

// End judges the rest.
func (m *Meter) End(at time.Duration) {
	to := min(int64(at/Slot), longestSlots)
	m.advance(to)
	for ; m.settled < to; m.settled++ {
		m.settle(m.settled)
	}
	m.count.close()
}

// advance marks the slots before one, and counts those that are settled.
func (m *Meter) advance(to int64) {
	for ; m.heard < to; m.heard++ {
		for i := range m.legs {
			m.legs[i].mark(m.heard)
		}
		for ; m.settled < m.heard-settledAfter; m.settled++ {
			m.settle(m.settled)
		}
	}
}

// mark says of a slot whether there is speech in it: also in a click's place once it proves to be none, and in a pause
// once it proves to be a short one.
func (l *listening) mark(slot int64) {
	sound := l.raw[slot%windowSlots]
	l.raw[slot%windowSlots] = false // for the slot that will have its place
	l.speech[slot%windowSlots] = false
	if !sound {
		l.run = 0
		l.on = l.on && slot-l.last <= hangSlots
		return
	}
	l.run++
	from := slot + 1
	switch {
	case l.on:
		from = l.last + 1
	case l.run >= onsetSlots:
		from = slot - l.run + 1
	}
	for ; from <= slot; from++ {
		l.speech[from%windowSlots] = true
		l.on, l.last = true, slot
	}
}

// settle counts a slot.
func (m *Meter) settle(slot int64) {
	for len(m.changes) > 0 && m.changes[0].slot <= slot {
		m.state = m.changes[0].state
		m.changes = m.changes[1:]
	}
	var speech [Legs]bool
	for i := range m.legs {
		speech[i] = m.legs[i].speech[slot%windowSlots]
	}
	m.count.slot(slot, m.state, speech)
}

// Report is the conversation as far as it is judged. The slices are copies.
func (m *Meter) Report() Report { return m.count.report(m.settled, m.told) }

// Recent is as Report, with the last turns and gaps only, at most so many of each.
func (m *Meter) Recent(most int) Report {
	return m.count.recent(m.settled, m.told, most)
}
