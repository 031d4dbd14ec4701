package route

import (
	"switchboard/internal/callcenter"
)

// legAnswered is the compare-and-swap of an answer: the first leg of a live offer wins, any other is hung up.
func (m *Machine) legAnswered(id LegID) {
	if c := m.forwardOf(id); c != nil {
		m.forwardAnswered(c)
		return
	}
	r, leg := m.findLeg(id)
	if r == nil {
		if c := m.calls[id.Call]; c == nil || id.N == 0 || c.bridged != id {
			m.rule(HangupLeg{Leg: id}, "lost")
		}
		return
	}
	c, o := r.call, r.op
	leg.gone = true // it rings no more
	c.bridged, c.operator = id, o
	o.call = c
	state, what := stateConnected, o.name+" answered"
	switch {
	case c.outbound():
		state, what = stateDialling, o.name+" answered; calling "+c.to
		m.dialFar(c)
	case m.mustHear(c):
		state, what = stateConnecting, o.name+" answered, and hears the caller in a moment"
	default: // before the others are cancelled: nobody is kept waiting for that
		m.bridge(c, "answered")
	}
	o.missed = 0
	strategy := c.offer.strategy
	m.finish(r, ResultAnswered, true)
	m.cancelOffer(c, true)
	m.leaveLine(c)
	m.stopTimer(&c.ringTimer)
	if strategy == callcenter.RoundRobin {
		c.center.toEnd(r.member)
	}
	m.setState(c, state)
	m.walk(c, "answered", what)
	if state == stateConnected {
		m.bookAnswer(c)
	}
}

// mustHear says whether caller or operator have something to hear before they talk, and begins it: the notice that the
// call is recorded, and whom it is for.
func (m *Machine) mustHear(c *call) bool {
	m.answer(c, "answered")
	c.skipGreeting()
	c.then = nil
	if m.records(c) && !c.noticed && c.held != heldNotice { // recording was switched on while they waited
		m.playNotice(c)
	}
	if !c.offer.direct && c.center.extras.AnnounceCenterName {
		m.playToOperator(c, "announce_center_name", Phrase{
			Prompt: PromptText, Center: c.center.id, Text: c.center.settings.Name,
		})
		m.setTimer(&c.stepTimer, m.now.Add(WhisperWithin))
	}
	return c.held == heldNotice || c.legPlay != 0
}

// bookAnswer is for the figures of the center, which a call for one person is not in.
func (m *Machine) bookAnswer(c *call) {
	if c.way == "" {
		m.leaves(c, leftAnswered)
	}
}

// bridgeWhenHeard connects caller and operator as soon as neither has anything left that they must hear.
func (m *Machine) bridgeWhenHeard(c *call) {
	if c.state != stateConnecting || c.legPlay != 0 || c.held == heldNotice {
		return
	}
	m.stopTimer(&c.stepTimer)
	m.bridge(c, "answered")
	m.setState(c, stateConnected)
	m.bookAnswer(c)
}

// unanswer is for an operator who hung up before they heard the caller: they declined, and the caller keeps the place.
func (m *Machine) unanswer(c *call) {
	o := m.letGo(c, ResultDeclined)
	m.walk(c, ResultDeclined, o.name+" hung up before hearing the caller")
	if c.way != "" {
		m.personalBox(c, o.id)
		return
	}
	o.idleSince = m.now
	m.blame(o, c)
	m.refresh(o)
	c.withdrawn = false
	m.offerFailed(c)
}

// letGo frees the operator of a call that is not bridged yet, without a wrap-up.
func (m *Machine) letGo(c *call, result string) *operator {
	o := c.operator
	m.stopTimer(&c.stepTimer)
	for i := range c.offers {
		if r := &c.offers[i]; r.Operator == o.id && r.Result == ResultAnswered {
			r.Result = result
		}
	}
	c.operator, c.bridged, c.legPlay = nil, LegID{}, 0
	o.call = nil
	if o.offAfter != nil {
		m.dutyByRule(o, *o.offAfter, "off_after_call")
	}
	m.refresh(o)
	m.markOperator(o)
	m.forgetOperator(o)
	return o
}

// dropLegs ends every leg of a call but the caller's.
func (m *Machine) dropLegs(c *call, rule string) {
	m.cancelOffer(c, false)
	switch c.state {
	case stateConnecting:
		m.rule(HangupLeg{Leg: c.bridged}, rule)
		m.letGo(c, ResultCancelled)
	case stateForwarding:
		m.rule(CancelLeg{Leg: LegID{c.id, c.far}}, ResultCancelled)
		c.far = 0
	case stateConnected, stateForwarded:
		m.rule(HangupLeg{Leg: c.bridged}, rule)
	}
}

// person rings the phones of one person, for a caller who was sent to them. Whatever comes of it, the call center
// forwarded the call.
func (m *Machine) person(c *call, o *operator, way string) {
	c.way = way
	if !o.canBeRung() {
		m.walk(c, way, o.name+" cannot take a call now")
		m.personalBox(c, o.id)
		return
	}
	m.setState(c, statePerson)
	c.offer = &offer{direct: true}
	m.ringPhones(c, &ringing{call: c, op: o, record: len(c.offers)}, inWords(way), Why{Rule: RulePerson, Text: o.name})
	m.setTimer(&c.ringTimer, m.now.Add(c.center.ringFor()))
	m.sayNext(c, way)
	m.ringback(c, way)
}

// RulePerson is the Why.Rule of a Ring of one person whom the caller was sent to: no strategy chose them.
const RulePerson = "person"

// canBeRung leaves duty aside: it is for the calls of call centers.
func (o *operator) canBeRung() bool {
	return o.known && o.active && !o.dnd && o.call == nil && o.ringing == nil && !o.wrapping && o.reachable()
}

// personalBox takes a message for one person.
func (m *Machine) personalBox(c *call, id callcenter.OperatorID) {
	c.box, c.boxOf = c.center.id, id
	m.takeMessage(c, Forwarded, c.way, c.center.optional(PromptPersonAway))
}

// forwardTo calls a number outside in the caller's name.
func (m *Machine) forwardTo(c *call, number, way string) {
	c.way = way
	c.legs++
	c.far = c.legs
	m.setState(c, stateForwarding)
	m.walk(c, way, "Called "+number)
	m.rule(DialFar{Call: c.id, Leg: c.far, To: number, From: c.to, Center: c.center.id}, way)
	m.setTimer(&c.stepTimer, m.now.Add(FarWithin))
	m.ringback(c, way)
}

// forwardOf is the call that is being forwarded by a leg.
func (m *Machine) forwardOf(id LegID) *call {
	if c := m.calls[id.Call]; c != nil && c.far != 0 && c.far == id.N {
		return c
	}
	return nil
}

func (m *Machine) forwardAnswered(c *call) {
	m.stopTimer(&c.stepTimer)
	m.answer(c, "answered")
	c.bridged, c.far = LegID{c.id, c.far}, 0
	m.rule(Bridge{Call: c.id, Leg: c.bridged}, "answered")
	c.playing, c.music, c.held, c.then, c.greet = 0, false, heldNothing, nil, nil
	c.connected = m.now
	m.setState(c, stateForwarded)
	m.walk(c, "answered", "The number answered")
}

// forwardFailed gives the caller the center's voicemail: nobody outside took the call.
func (m *Machine) forwardFailed(c *call) {
	m.stopTimer(&c.stepTimer)
	c.far, c.way = 0, ""
	m.voicemail(c, "forward_failed", nil)
}
