package route

import (
	"cmp"
	"slices"

	"switchboard/internal/callcenter"
)

// Dirty names what a page has to show anew.
type Dirty struct {
	Centers          []callcenter.ID
	Operators        []callcenter.OperatorID
	Calls            []CallID // alive, and new or changed
	Ended            []CallID // over since the last time
	DeletedCenters   []callcenter.ID
	DeletedOperators []callcenter.OperatorID
}

// dirtyList collects what changed since the last Changed. Each thing carries a flag, so that it is listed once.
type dirtyList struct {
	centers   []*center
	operators []*operator
	calls     []*call
	ended     []CallID
}

func (m *Machine) markCenter(c *center) {
	if !c.viewDirty && !c.desk {
		c.viewDirty = true
		m.dirty.centers = append(m.dirty.centers, c)
	}
}

func (m *Machine) markOperator(o *operator) {
	if !o.viewDirty {
		o.viewDirty = true
		m.dirty.operators = append(m.dirty.operators, o)
	}
}

func (m *Machine) markCall(c *call) {
	if !c.viewDirty {
		c.viewDirty = true
		m.dirty.calls = append(m.dirty.calls, c)
	}
}

// Changed says whose view changed since it was last called. It costs what it returns, and a line that moved counts
// every caller in it whose place changed: call it at the pace of the pages, not after every step.
func (m *Machine) Changed() Dirty {
	var d Dirty
	for _, c := range m.dirty.centers {
		c.viewDirty = false
		if m.centers[c.id] != c || c.deleted {
			d.DeletedCenters = append(d.DeletedCenters, c.id)
		} else {
			d.Centers = append(d.Centers, c.id)
		}
		for i := max(c.moved, 0); c.moved >= 0 && i < len(c.line); i++ {
			if w := c.line[i]; w.position != i+1 {
				w.position = i + 1
				m.markCall(w)
			}
		}
		c.moved = -1
	}
	for _, o := range m.dirty.operators {
		o.viewDirty = false
		if o.known {
			d.Operators = append(d.Operators, o.id)
		} else {
			d.DeletedOperators = append(d.DeletedOperators, o.id)
		}
	}
	for _, c := range m.dirty.calls {
		c.viewDirty = false
		if m.calls[c.id] == c {
			d.Calls = append(d.Calls, c.id)
		}
	}
	d.Ended = slices.Clone(m.dirty.ended)
	m.dirty.centers, m.dirty.operators = m.dirty.centers[:0], m.dirty.operators[:0]
	m.dirty.calls, m.dirty.ended = m.dirty.calls[:0], m.dirty.ended[:0]
	return d
}

// CenterIDs lists the call centers, in id order.
func (m *Machine) CenterIDs() []callcenter.ID {
	ids := make([]callcenter.ID, 0, len(m.centerList))
	for _, c := range m.centerList {
		if !c.deleted && !c.desk {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// OperatorIDs lists the people, in id order.
func (m *Machine) OperatorIDs() []callcenter.OperatorID {
	ids := make([]callcenter.OperatorID, 0, len(m.ops))
	for _, o := range m.ops {
		if o.known {
			ids = append(ids, o.id)
		}
	}
	return ids
}

// CallIDs lists the calls that have not ended, in id order.
func (m *Machine) CallIDs() []CallID {
	ids := make([]CallID, 0, len(m.calls))
	for id := range m.calls { // sorted below
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b CallID) int { return cmp.Compare(a, b) })
	return ids
}

// Waiting lists the line of a call center, the longest waiting caller first, those being offered included.
func (m *Machine) Waiting(id callcenter.ID) []CallID {
	c := m.centers[id]
	if c == nil {
		return nil
	}
	ids := make([]CallID, 0, len(c.line))
	for _, w := range c.line {
		ids = append(ids, w.id)
	}
	return ids
}

// Center shows a call center at the instant of the last step. A deleted one is not there.
func (m *Machine) Center(id callcenter.ID) (CenterView, bool) {
	c := m.centers[id]
	if c == nil || c.deleted {
		return CenterView{}, false
	}
	v := CenterView{
		ID: c.id, Name: c.settings.Name, Description: c.settings.GroupDescription,
		Availability: c.avail, Waiting: len(c.line), OnDuty: c.onDuty,
		Callbacks: len(c.ghosts), Alert: m.alertView(c),
		Capacity: c.freeOps, Goal: c.settings.Alerts, ServiceLevel: m.serviceLevel(c),
		Outcomes: c.outcomes.byName(), AnsweredInTarget: c.inTarget,
		MaxHoldCount: c.settings.HoldQueue.MaxHoldCount, LongestWait: c.longest,
		RingSeconds: c.settings.RingSeconds,
		Strategy:    c.settings.RoutingOptions.Closed.OperatorRouting,
	}
	if c.avail.IsOpen() {
		v.Strategy = c.settings.RoutingOptions.Open.OperatorRouting
	}
	if i := slices.IndexFunc(c.line, func(w *call) bool { return w.callback == nil }); i >= 0 {
		v.OldestEntry = c.line[i].entered
		v.LongestWait = max(v.LongestWait, m.now.Sub(v.OldestEntry))
	}
	return v, true
}

// Operator shows a person at the instant of the last step.
func (m *Machine) Operator(id callcenter.OperatorID) (OperatorView, bool) {
	o := m.operators[id]
	if o == nil || !o.known {
		return OperatorView{}, false
	}
	v := OperatorView{
		ID: o.id, Name: o.name, State: o.state, Since: o.since, Duty: o.duty, OffAfter: o.offAfter != nil,
		Missed: o.missed, Centers: make([]callcenter.ID, 0, len(o.members)),
	}
	for _, b := range o.members {
		v.Centers = append(v.Centers, b.center.id)
	}
	switch {
	case o.call != nil:
		v.Call = o.call.id
	case o.ringing != nil:
		v.Call = o.ringing.call.id
	case o.wrapping:
		v.Until, v.Extend = o.wrapTimer.at, o.extend
	}
	return v, true
}

// Call shows a call that has not ended, at the instant of the last step. The path is a copy.
func (m *Machine) Call(id CallID) (CallView, bool) {
	c := m.calls[id]
	if c == nil {
		return CallView{}, false
	}
	v := CallView{
		ID: c.id, Entry: c.entry, From: c.from, To: c.to, State: callStates[c.state], Since: c.since, Arrived: c.arrived,
		Entered: c.entered, Path: slices.Clone(c.path), Center: c.centerID(), Position: c.center.position(c),
		Direction: c.direction(), Callback: c.callback != nil, Recording: c.recording.word(),
		Voice: c.voice.word(),
	}
	if c.callback != nil && c.state == stateQueued {
		v.State = "callback"
	}
	switch {
	case c.operator != nil:
		v.Operator = c.operator.id
	case c.offer != nil && len(c.offer.rings) > 0:
		v.Operator = c.offer.rings[0].op.id
	}
	return v, true
}
