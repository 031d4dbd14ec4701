package route

import (
	"time"
)

// The SIP statuses with which a number that we called is given up.
const (
	statusTimeout  = 408
	statusBusy     = 486
	statusNoAnswer = 487
	statusDeclined = 603
)

// callAsked rings the phones of an operator who wants to call a number. One that cannot be made ends at once.
func (m *Machine) callAsked(e CallAsked) {
	if m.calls[e.Call] != nil {
		return
	}
	from := e.CallerID
	c := m.newCall(e.Call, from, e.To)
	o := m.operators[e.Operator]
	c.asker = o
	if at := m.centers[e.Center]; at != nil && !at.deleted {
		c.enter(at)
	}
	if reason := m.refusedCall(c, e); reason != "" {
		if c.asker == nil {
			c.asker = &operator{id: e.Operator} // for the record only
		}
		m.giveUp(c, reason)
		return
	}
	c.offer = &offer{direct: true}
	m.setState(c, stateOffering)
	m.ringPhones(c, &ringing{call: c, op: o}, "wants to call "+e.To, Why{Rule: "own_call", Text: o.name})
	m.setTimer(&c.ringTimer, m.now.Add(OwnRing))
}

func (m *Machine) refusedCall(c *call, e CallAsked) string {
	o := c.asker
	switch {
	case m.draining:
		return "draining"
	case o == nil || !o.known || !o.active:
		return "unknown_operator"
	case e.Center != 0 && c.center == nil:
		return "unknown_center"
	case !isE164(e.To):
		return "bad_number"
	case o.call != nil || o.ringing != nil:
		return "operator_busy"
	case !o.reachable():
		return "no_device"
	}
	return ""
}

// dialFar calls the number when the operator's phone was answered. The operator hears whom, then ringback.
func (m *Machine) dialFar(c *call) {
	d := DialFar{Call: c.id, To: c.to, From: c.from, Center: c.centerID(), Operator: c.operator.id}
	rule := "own_call"
	if c.callback != nil {
		rule = "callback"
		m.endBooking(c)
		m.stopTimer(&c.restTimer)
		c.callback.Tries++
		c.callback.After = time.Time{}
		m.rule(SaveCallback{c.callback.Callback}, rule)
	}
	if d.From == CallerIDBlocked {
		d.From, d.Center, d.Operator = "", 0, 0
	}
	m.rule(d, rule)
	m.setTimer(&c.farTimer, m.now.Add(FarWithin))
	if c.callback == nil {
		m.rule(Ringback{Call: c.id, Leg: c.bridged.N}, rule)
		return
	}
	m.playToOperator(c, rule, Phrase{Prompt: PromptCallbackFor, Center: c.centerID(), Text: c.to})
}

// playToOperator plays to the operator's leg and leaves the caller alone.
func (m *Machine) playToOperator(c *call, rule string, phrase Phrase) {
	c.plays++
	c.legPlay = c.plays
	m.rule(Play{Call: c.id, ID: c.plays, Leg: c.bridged.N, Phrases: []Phrase{phrase}}, rule)
}

// legPlayed: never silence for an operator who waits for the number to answer.
func (m *Machine) legPlayed(c *call) {
	c.legPlay = 0
	switch c.state {
	case stateDialling:
		m.rule(Ringback{Call: c.id, Leg: c.bridged.N}, "dialling")
	case stateConnecting:
		m.bridgeWhenHeard(c)
	}
}

// farAnswered connects the number that was called with the operator, after the notice where the call is recorded.
func (m *Machine) farAnswered(c *call) {
	if c.state != stateDialling || c.cameFar {
		return
	}
	m.stopTimer(&c.farTimer)
	c.cameFar, c.answered = true, true
	m.walk(c, "far_answered", c.to+" answered")
	phrases, rule := []Phrase(nil), "callback"
	if c.callback != nil {
		phrases = c.center.optional(PromptCallbackHere, PromptOperatorReady)
	}
	if m.records(c) {
		phrases, rule = append(phrases, Phrase{Prompt: PromptRecordingNotice}), "recording_notice"
	}
	if phrases != nil {
		m.play(c, rule, phrases...)
		return
	}
	m.talk(c)
}

func (m *Machine) talk(c *call) {
	m.bridge(c, "far_answered")
	m.setState(c, stateConnected)
}

// farFailed is a number that could not be reached: the operator is free again, and missed nothing.
func (m *Machine) farFailed(c *call, status int) {
	if c.state != stateDialling {
		return
	}
	reason := farReason(status)
	m.rule(HangupLeg{Leg: c.bridged}, reason)
	m.notConnected(c, reason)
}

// farTimeout is FarWithin.
func (m *Machine) farTimeout(c *call) {
	m.rule(Hangup{Call: c.id}, "no_answer")
	m.farFailed(c, statusTimeout)
}

func farReason(status int) string {
	switch status {
	case statusBusy, 600:
		return "busy"
	case statusTimeout, statusNoCenter, statusNoAnswer:
		return "no_answer"
	case statusDeclined:
		return "declined"
	}
	return "unreachable"
}

// operatorGaveUp: the operator hung up before the number answered.
func (m *Machine) operatorGaveUp(c *call) {
	m.rule(Hangup{Call: c.id}, "operator_hung_up")
	m.notConnected(c, "operator_hung_up")
}

// notConnected ends a call to a number, or puts the callback back.
func (m *Machine) notConnected(c *call, reason string) {
	m.stopTimer(&c.farTimer)
	m.freeOperator(c)
	if c.callback != nil {
		m.tryFailed(c, reason)
		return
	}
	m.giveUp(c, reason)
}

// freeOperator gives an operator back who talked with nobody: no wrap-up.
func (m *Machine) freeOperator(c *call) {
	o := c.operator
	c.operator, c.bridged, c.playing, c.legPlay, c.cameFar, c.answered = nil, LegID{}, 0, 0, false, false
	c.state = stateOffering // no longer dialling; whoever called sets what it is
	o.call = nil
	if c.callback != nil {
		o.idleSince = m.now
	}
	if o.offAfter != nil {
		m.dutyByRule(o, *o.offAfter, "off_after_call")
	}
	m.refresh(o)
	m.markOperator(o)
	m.forgetOperator(o)
}

// hangUpBoth ends whatever there is of a call to a number: ringing, an operator's leg, the number.
func (m *Machine) hangUpBoth(c *call, rule string) {
	m.cancelOffer(c, false)
	if c.state != stateDialling {
		return
	}
	m.rule(Hangup{Call: c.id}, rule)
	m.rule(HangupLeg{Leg: c.bridged}, rule)
	m.stopTimer(&c.farTimer)
	m.freeOperator(c)
}

// giveUp ends a call to a number that was never connected.
func (m *Machine) giveUp(c *call, reason string) {
	m.hangUpBoth(c, reason)
	m.walk(c, reason, "Given up: "+inWords(reason))
	if c.callback != nil {
		reason = "callback_cancelled"
	}
	m.end(c, Failed, reason)
}

// hangupAsked ends a call by request. A voicemail that is being spoken is kept, a message counts as given.
func (m *Machine) hangupAsked(c *call) {
	const reason = "hangup_asked"
	m.walk(c, reason, "Ended by request")
	switch c.state {
	case stateConnected, stateForwarded:
		m.dropLegs(c, reason)
		m.rule(Hangup{Call: c.id}, reason)
		m.endTalk(c, reason)
	case stateVoicemail:
		m.rule(StopRecord{Call: c.id}, reason)
	case statePrompt:
		m.rule(Hangup{Call: c.id}, reason)
		m.endPrompt(c)
	default:
		m.sendAway(c, Failed, reason, statusNoCenter)
	}
}
