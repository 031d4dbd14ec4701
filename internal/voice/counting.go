package voice

import (
	"slices"
	"time"
)

// counting makes figures of slots, in order.
type counting struct {
	figures Figures // times are in slots here
	state   State
	speech  [Legs]bool
	sides   [Legs]side
	last    Leg   // who spoke last, once somebody did
	lastEnd int64 // slot after that speech; -1: nobody spoke since the last gap
	begun   bool
	silent  int64 // slots of silence so far
	turns   []Turn
	gaps    []Gap
	inGap   bool // the last of them goes on
	cut     bool
}

// side is one leg's.
type side struct {
	turn    bool  // a turn goes on
	start   int64 // of the turn
	end     int64 // slot after its last speech
	spoken  int64 // slots of speech in it
	place   int   // of the turn in turns; -1: it is not kept
	run     int64 // slots of speech without a pause
	holds   bool  // a monologue goes on
	from    int64 // where it began
	longest int64
}

func (c *counting) slot(slot int64, state State, speech [Legs]bool) {
	if !c.begun {
		c.begun, c.lastEnd = true, -1
	}
	if state != c.state {
		c.close()
		c.state = state
		if state != Open {
			c.gap(Gap{State: state, Start: at(slot), End: at(slot)})
		}
	}
	switch state {
	case Paused:
		c.figures.Paused++
	case Held:
		c.figures.Held++
	}
	if state != Open {
		c.speech = [Legs]bool{}
		if c.inGap {
			c.gaps[len(c.gaps)-1].End = at(slot + 1)
		}
		return
	}
	c.figures.Measured++
	c.speech = speech
	if c.silent >= deadSlots { // nobody holds the floor any more
		c.sides[Customer].holds, c.sides[Operator].holds = false, false
	}
	for leg := range Leg(Legs) {
		c.side(leg, slot, speech[leg])
	}
	c.together(slot, speech)
}

// side counts a slot of one leg.
func (c *counting) side(leg Leg, slot int64, speaks bool) {
	s := &c.sides[leg]
	if s.turn && slot-s.end >= turnSlots {
		s.turn = false
	}
	if !speaks {
		s.run = 0
		return
	}
	c.figures.Legs[leg].Talk++
	if !s.turn {
		c.begin(leg, slot)
	}
	s.run++
	s.spoken++
	s.end = slot + 1
	if s.place >= 0 {
		c.turns[s.place].End = at(s.end)
	}
	if !s.holds {
		s.holds, s.from = true, slot
	}
	s.longest = max(s.longest, s.end-s.from)
	if other := &c.sides[1-leg]; s.spoken == replySlots {
		other.holds = false
	}
}

// begin is the first slot of a turn.
func (c *counting) begin(leg Leg, slot int64) {
	s := &c.sides[leg]
	s.turn, s.start, s.spoken, s.place = true, slot, 0, -1
	c.figures.Legs[leg].Turns++
	if len(c.turns) < MaxTurns {
		s.place = len(c.turns)
		c.turns = append(c.turns, Turn{Leg: leg, Start: at(slot), End: at(slot + 1)})
	} else {
		c.cut = true
	}
	if leg != Operator {
		return
	}
	customer := &c.sides[Customer] // its slot is counted already
	switch {
	case c.speech[Customer]:
		if customer.run > beforeSlots {
			c.figures.Interruptions++
		}
	case c.lastEnd >= 0 && c.last == Customer:
		took := slot - c.lastEnd
		c.figures.Responses++
		c.figures.ResponseTotal += time.Duration(took)
		c.figures.LongestResponse = max(c.figures.LongestResponse, time.Duration(took))
	}
}

// together counts what takes both legs.
func (c *counting) together(slot int64, speech [Legs]bool) {
	switch {
	case speech[Customer] && speech[Operator]:
		c.figures.Overlap++
		c.lastEnd = -1 // who ends first answered nobody
	case speech[Customer]:
		c.last, c.lastEnd = Customer, slot+1
	case speech[Operator]:
		c.last, c.lastEnd = Operator, slot+1
	default:
		c.silent++
		c.figures.Silence++
		switch {
		case c.silent == deadSlots:
			c.figures.DeadAirs++
			c.figures.DeadAir += time.Duration(deadSlots)
		case c.silent > deadSlots:
			c.figures.DeadAir++
		}
		if c.silent >= deadSlots {
			c.figures.LongestDead = max(c.figures.LongestDead, time.Duration(c.silent))
		}
		return
	}
	c.silent = 0
}

// close ends what a gap must not be counted into.
func (c *counting) close() {
	for i := range c.sides {
		c.sides[i].turn, c.sides[i].holds, c.sides[i].run = false, false, 0
	}
	c.silent, c.lastEnd, c.inGap = 0, -1, false
}

func (c *counting) gap(g Gap) {
	if len(c.gaps) == MaxGaps {
		c.cut = true
		return
	}
	c.gaps, c.inGap = append(c.gaps, g), true
}

func at(slot int64) time.Duration { return time.Duration(slot) * Slot }

func (c *counting) report(settled int64, told State) Report {
	return c.recent(settled, told, max(MaxTurns, MaxGaps))
}

func (c *counting) recent(settled int64, told State, most int) Report {
	f := c.figures
	for _, t := range []*time.Duration{
		&f.Measured, &f.Paused, &f.Held, &f.Overlap, &f.Silence, &f.DeadAir, &f.LongestDead, &f.ResponseTotal,
		&f.LongestResponse, &f.Legs[Customer].Talk, &f.Legs[Operator].Talk,
	} {
		*t *= Slot
	}
	for i := range c.sides {
		f.Legs[i].Monologue = at(c.sides[i].longest)
	}
	return Report{
		Figures: f, At: at(max(settled, 0)), State: told, Speaking: c.speech, Cut: c.cut,
		Turns: slices.Clone(c.turns[max(0, len(c.turns)-most):]),
		Gaps:  slices.Clone(c.gaps[max(0, len(c.gaps)-most):]),
	}
}
