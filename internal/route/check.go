package route

import (
	"fmt"
	"slices"
)

// Check says which invariant does not hold, nil if all do. It recomputes everything from scratch: for tests, the
// simulator and a host that wants to know after a panic.
func (m *Machine) Check() error {
	if m.outcomes.sum() != m.ended || m.ended+len(m.calls) != m.arrivals {
		return fmt.Errorf("%d arrivals are not %d outcomes (%d ends) and %d live calls",
			m.arrivals, m.outcomes.sum(), m.ended, len(m.calls))
	}
	for _, c := range m.centerList {
		if err := m.checkCenter(c); err != nil {
			return fmt.Errorf("center %d: %w", c.id, err)
		}
	}
	for _, o := range m.ops {
		if err := m.checkOperator(o); err != nil {
			return fmt.Errorf("operator %d: %w", o.id, err)
		}
	}
	for _, c := range m.callsInOrder() {
		if err := m.checkCall(c); err != nil {
			return fmt.Errorf("call %d: %w", c.id, err)
		}
	}
	return m.checkTimers()
}

func (m *Machine) checkCenter(c *center) error {
	if c.outcomes.sum()+c.live != c.arrivals {
		return fmt.Errorf("%d arrivals are not %d outcomes and %d live calls", c.arrivals, c.outcomes.sum(), c.live)
	}
	if err := c.checkCounts(); err != nil {
		return err
	}
	if err := c.checkLine(); err != nil {
		return err
	}
	if len(c.rotation) != len(c.members) {
		return fmt.Errorf("rotation of %d for %d members", len(c.rotation), len(c.members))
	}
	for _, b := range c.members {
		if !slices.Contains(c.rotation, b) {
			return fmt.Errorf("operator %d is not in the rotation", b.op.id)
		}
	}
	for i, b := range c.deck {
		if !slices.Contains(c.members, b) || slices.Contains(c.deck[:i], b) {
			return fmt.Errorf("operator %d does not belong in the shuffled list", b.op.id)
		}
	}
	if w := c.firstServable(); w != nil {
		return fmt.Errorf("call %d waits while an operator is free for it", w.id)
	}
	if c.isPending || c.testUnattended {
		return fmt.Errorf("unsettled")
	}
	return nil
}

func (c *center) checkCounts() error {
	var free, onDuty, manned, busy int
	for rank, b := range c.members {
		if b.rank != rank {
			return fmt.Errorf("operator %d has rank %d at place %d", b.op.id, b.rank, rank)
		}
		o := b.op
		works := o.known && o.active && o.duty.On
		isFree := works && !o.dnd && !b.dnd && !c.deleted && o.reachable() &&
			o.call == nil && o.ringing == nil && !o.wrapping
		if bit := c.free[rank/64]>>(rank%64)&1 == 1; bit != isFree || b.isFree != isFree {
			return fmt.Errorf("operator %d: free is %v in the index, %v by rule", o.id, bit, isFree)
		}
		free += count(isFree)
		onDuty += count(works)
		manned += count(works && o.hasPhone())
		busy += count(works && o.offAfter == nil && (o.call != nil || o.ringing != nil || o.wrapping))
	}
	if free != c.freeOps || onDuty != c.onDuty || manned != c.manned || busy != c.busy {
		return fmt.Errorf("counts free %d on duty %d manned %d busy %d should be %d %d %d %d",
			c.freeOps, c.onDuty, c.manned, c.busy, free, onDuty, manned, busy)
	}
	return nil
}

func (c *center) checkLine() error {
	idle := 0
	for i, w := range c.line {
		if i > 0 && !before(c.line[i-1], w) {
			return fmt.Errorf("call %d is out of order in the line", w.id)
		}
		if !w.inLine || w.center != c || w.state != stateQueued && w.state != stateOffering {
			return fmt.Errorf("call %d is in the line but %s", w.id, callStates[w.state])
		}
		if (w.state == stateQueued) != (w.offer == nil) {
			return fmt.Errorf("call %d: %s, offer %v", w.id, callStates[w.state], w.offer != nil)
		}
		if w.state == stateQueued {
			if idle == len(c.idle) || c.idle[idle] != w {
				return fmt.Errorf("call %d is not in its place among the idle", w.id)
			}
			idle++
		}
		if w.holdTimer.pos == 0 && !w.overdue && w.callback == nil {
			return fmt.Errorf("call %d waits without an end", w.id)
		}
	}
	if err := c.checkGhosts(); err != nil {
		return err
	}
	if idle != len(c.idle) {
		return fmt.Errorf("%d idle callers, %d listed", idle, len(c.idle))
	}
	for _, w := range c.offers {
		if w.offer == nil {
			return fmt.Errorf("call %d is listed as offered", w.id)
		}
	}
	return nil
}

func (m *Machine) checkOperator(o *operator) error {
	if o.call != nil && o.ringing != nil {
		return fmt.Errorf("rings for call %d while in call %d", o.ringing.call.id, o.call.id)
	}
	if o.call != nil && (m.calls[o.call.id] != o.call || o.call.operator != o || !o.call.holdsOperator()) {
		return fmt.Errorf("in call %d, which does not say so", o.call.id)
	}
	if r := o.ringing; r != nil {
		if r.call.offer == nil || !slices.Contains(r.call.offer.rings, r) {
			return fmt.Errorf("rings for call %d, which does not say so", r.call.id)
		}
		if !o.works() && !r.call.offer.direct {
			return fmt.Errorf("rings while off duty")
		}
	}
	if o.wrapping != (o.wrapTimer.pos > 0) {
		return fmt.Errorf("wrapping up %v, timer %v", o.wrapping, o.wrapTimer.pos > 0)
	}
	if is := o.presence(); is != o.state {
		return fmt.Errorf("is %s but shown as %s", is, o.state)
	}
	return nil
}

func (m *Machine) checkCall(c *call) error {
	if c.undecided {
		return fmt.Errorf("undecided after the step")
	}
	offered := c.state == stateOffering || c.state == statePerson
	if offered != (c.offer != nil) || c.holdsOperator() != (c.operator != nil) {
		return fmt.Errorf("%s with offer %v, operator %v", callStates[c.state], c.offer != nil, c.operator != nil)
	}
	if c.state == stateQueued && !c.inLine || c.state == stateArrived {
		return fmt.Errorf("%s and in no line", callStates[c.state])
	}
	if !c.answered && !offered && c.state != stateRouter && c.state != stateForwarding && !c.outbound() {
		return fmt.Errorf("%s before the answer", callStates[c.state])
	}
	if err := c.checkFar(); err != nil {
		return err
	}
	if err := c.checkVisit(); err != nil || c.offer == nil {
		return err
	}
	listed := c.offer.direct || slices.Contains(c.center.offers, c)
	if len(c.offer.rings) == 0 || c.ringTimer.pos == 0 || !listed {
		return fmt.Errorf("an offer to nobody, without end or unlisted")
	}
	for _, r := range c.offer.rings {
		if r.op.ringing != r || r.op.call != nil {
			return fmt.Errorf("rings operator %d, who does not say so", r.op.id)
		}
		if !slices.ContainsFunc(r.legs, func(l ringingLeg) bool { return !l.gone }) {
			return fmt.Errorf("operator %d rings on no phone", r.op.id)
		}
	}
	return nil
}

// checkVisit says whether what a caller goes through outside the queue has an end.
func (c *call) checkVisit() error {
	timed := c.stepTimer.pos != 0
	switch {
	case c.hops > MaxHops:
		return fmt.Errorf("handed on %d times", c.hops)
	case (c.state == stateForwarding) != (c.far != 0):
		return fmt.Errorf("%s with leg %d outside", callStates[c.state], c.far)
	case c.listens() && !timed && c.playing == 0,
		(c.state == stateRouter || c.state == stateForwarding) && !timed,
		c.state == stateConnecting && c.held != heldNotice && !timed:
		return fmt.Errorf("%s without an end", callStates[c.state])
	case c.held != heldNothing && c.playing == 0:
		return fmt.Errorf("something waits for a prompt that does not play")
	case c.state == statePerson && c.way == "", c.inLine && c.way != "":
		return fmt.Errorf("%s on the way %q", callStates[c.state], c.way)
	}
	return nil
}

func (m *Machine) checkTimers() error {
	for i, t := range m.timers.list {
		if t.pos != i+1 || i > 0 && m.timers.less(i, (i-1)/2) {
			return fmt.Errorf("timer %d of kind %d is out of place", i, t.kind)
		}
		if t.call != nil && m.calls[t.call.id] != t.call {
			return fmt.Errorf("timer of kind %d of call %d, which ended", t.kind, t.call.id)
		}
	}
	return nil
}

// checkGhosts holds the callbacks of the line to the line, and every one that is out to an operator of its own.
func (c *center) checkGhosts() error {
	ghosts := 0
	for _, w := range c.line {
		if w.callback == nil {
			continue
		}
		if ghosts == len(c.ghosts) || c.ghosts[ghosts] != w || !slices.Contains(c.booked, w) {
			return fmt.Errorf("callback %d is not in its place", w.id)
		}
		ghosts++
	}
	if ghosts != len(c.ghosts) {
		return fmt.Errorf("%d callbacks wait, %d are listed", ghosts, len(c.ghosts))
	}
	for i, g := range c.booked {
		if g.callback == nil || g.center != c {
			return fmt.Errorf("call %d is no callback of this center", g.id)
		}
		if g.state == stateConnected {
			continue
		}
		for _, other := range c.booked[:i] {
			if other.state != stateConnected && other.to == g.to {
				return fmt.Errorf("calls %d and %d call the same number back", other.id, g.id)
			}
		}
		if !g.inLine && g.operator == nil {
			return fmt.Errorf("callback %d is out without an operator", g.id)
		}
	}
	return nil
}

// holdsOperator says that an operator's phone is taken by the call.
func (c *call) holdsOperator() bool {
	return c.state == stateConnected || c.state == stateConnecting || c.state == stateDialling
}

func (c *call) checkFar() error {
	if c.state == stateDialling && (!c.outbound() || c.cameFar != (c.playing != 0) || c.cameFar == (c.farTimer.pos > 0)) {
		return fmt.Errorf("dialling without an end")
	}
	if c.dialog != nil && (!c.inLine || c.playing == 0 && c.keyTimer.pos == 0) {
		return fmt.Errorf("asked for a number without an end")
	}
	if (c.recording != recordingOff || c.voice != voiceOff) && c.state != stateConnected {
		return fmt.Errorf("recorded or listened to while %s", callStates[c.state])
	}
	return nil
}
