package route

import (
	"slices"
	"strconv"
	"time"

	"switchboard/internal/callcenter"
)

// offer is one attempt to have an operator, or all of them at once, take a caller.
type offer struct {
	rings        []*ringing
	strategy     callcenter.Strategy
	direct       bool // to one person, for a call of theirs: nobody else rings, and nobody is blamed
	lastWithdraw bool // the last ringing of it ended without any operator's doing
}

// ringing is one operator being rung, on all their phones.
type ringing struct {
	call   *call
	op     *operator
	member *member
	legs   []ringingLeg
	missed bool // one of the phones rang in vain
	record int  // place in call.offers
}

type ringingLeg struct {
	n      int
	device callcenter.DeviceID
	gone   bool
}

// The results of an OfferRecord.
const (
	ResultAnswered    = "answered"
	ResultDeclined    = "declined"
	ResultMissed      = "missed"
	ResultUnreachable = "unreachable"
	ResultCancelled   = "cancelled"
)

// mayTry says whether a free member may be offered to the caller: not twice in a round, and after a round without an
// answer only who became eligible later.
func (c *call) mayTry(b *member) bool { return b.epoch > c.after && !slices.Contains(c.tried, b.op) }

// offer rings whom the branch's strategy chooses of the candidates.
func (m *Machine) offer(c *call, candidates []*member) {
	at := c.center
	first := len(c.offers) == 0
	o := &offer{strategy: c.strategy()}
	leftOut := at.leftOut(c)
	chosen, reason := m.choose(c, o.strategy, candidates)
	at.noLongerIdle(c)
	c.undecided = false
	c.offer = o
	at.offers = append(at.offers, c)
	if o.strategy == callcenter.Simultaneous {
		c.after = m.epoch // one ring of all is the round
	}
	m.setState(c, stateOffering)
	for _, b := range chosen {
		m.ring(c, b, reason(b), leftOut)
	}
	m.setTimer(&c.ringTimer, m.now.Add(at.ringFor()))
	switch {
	case c.music, c.callback != nil:
	case !first:
		m.playMusic(c, "offer")
	case c.answered && c.playing == 0:
		m.ringback(c, "offer")
	}
	m.markCenter(at)
}

func (at *center) ringFor() time.Duration {
	return time.Duration(at.settings.RingSeconds) * time.Second
}

func (m *Machine) ring(c *call, b *member, reason string, leftOut []callcenter.OperatorID) {
	c.tried = append(c.tried, b.op)
	why := Why{Rule: string(c.offer.strategy), Text: b.op.name + ": " + reason, LeftOut: leftOut}
	m.ringPhones(c, &ringing{call: c, op: b.op, member: b, record: len(c.offers)}, reason, why)
}

// ringPhones rings every phone of an operator that can be reached.
func (m *Machine) ringPhones(c *call, r *ringing, reason string, why Why) {
	o := r.op
	c.offer.rings = append(c.offer.rings, r)
	c.offers = append(c.offers, OfferRecord{Operator: o.id, At: m.now, Why: reason})
	o.ringing = r
	m.walk(c, why.Rule, "Rang "+o.name+": "+reason)
	r.legs = make([]ringingLeg, 0, len(o.devices))
	for _, d := range o.devices {
		if d.up {
			c.legs++
			r.legs = append(r.legs, ringingLeg{n: c.legs, device: d.id})
			m.order(Ring{
				Leg: LegID{c.id, c.legs}, Center: c.centerID(), Operator: o.id, Device: d.id, From: c.shown(),
			}, why)
		}
	}
	m.refresh(o)
}

// leftOut names the first members who are not candidates.
func (at *center) leftOut(c *call) []callcenter.OperatorID {
	n := min(len(at.members)-at.freeOps+len(c.tried), MaxLeftOut)
	if n <= 0 {
		return nil
	}
	list := make([]callcenter.OperatorID, 0, n)
	for _, b := range at.members {
		if len(list) == n {
			break
		}
		if !b.isFree || !c.mayTry(b) {
			list = append(list, b.op.id)
		}
	}
	return list
}

// findLeg finds a leg that rings now.
func (m *Machine) findLeg(id LegID) (*ringing, *ringingLeg) {
	c := m.calls[id.Call]
	if c == nil || c.offer == nil {
		return nil, nil
	}
	for _, r := range c.offer.rings {
		for i := range r.legs {
			if r.legs[i].n == id.N && !r.legs[i].gone {
				return r, &r.legs[i]
			}
		}
	}
	return nil, nil
}

// legRinging is noted on the call's path: the phone, not only the machine, says that it rings.
func (m *Machine) legRinging(id LegID) {
	if r, _ := m.findLeg(id); r != nil {
		m.markCall(r.call)
	}
}

// finish ends the ringing of one operator, cancels what still rings and frees them.
func (m *Machine) finish(r *ringing, result string, elsewhere bool) {
	c := r.call
	for i := range r.legs {
		if !r.legs[i].gone {
			r.legs[i].gone = true
			m.rule(CancelLeg{Leg: LegID{c.id, r.legs[i].n}, Elsewhere: elsewhere}, result)
		}
	}
	rec := &c.offers[r.record]
	rec.Until, rec.Result = m.now, result
	c.offer.rings = slices.DeleteFunc(c.offer.rings, func(o *ringing) bool { return o == r })
	r.op.ringing = nil
	if result == ResultMissed || result == ResultDeclined {
		m.walk(c, result, r.op.name+" "+result+" it")
		m.missed(r)
	}
	m.refresh(r.op)
	m.markOperator(r.op)
}

// missed counts a miss or decline, and takes who had too many in a row off duty. Where all ring, nobody is blamed.
func (m *Machine) missed(r *ringing) {
	if r.call.offer.direct {
		return
	}
	r.op.idleSince = m.now
	if r.call.offer.strategy != callcenter.Simultaneous {
		m.blame(r.op, r.call)
	}
}

func (m *Machine) blame(o *operator, c *call) {
	o.missed++
	if most := c.center.extras.MaxMissedCalls; most > 0 && o.missed >= most && o.duty.On {
		m.dutyByRule(o, DutySet{Reason: "Missed call", ChangedBy: "missed call"}, "max_missed")
	}
}

// cancelOffer ends an offer without looking for another operator. Nobody missed anything.
func (m *Machine) cancelOffer(c *call, elsewhere bool) {
	if c.offer == nil {
		return
	}
	for len(c.offer.rings) > 0 {
		m.finish(c.offer.rings[0], ResultCancelled, elsewhere)
	}
	m.closeOffer(c)
}

func (m *Machine) closeOffer(c *call) {
	m.stopTimer(&c.ringTimer)
	direct := c.offer.direct
	c.offer = nil
	at := c.center
	if direct {
		return
	}
	if i := slices.Index(at.offers, c); i >= 0 {
		at.offers = slices.Delete(at.offers, i, i+1)
	}
}

// withdraw takes an offer back from an operator who may no longer have it. They did not miss it.
func (m *Machine) withdraw(r *ringing) {
	c := r.call
	c.offer.lastWithdraw = true
	m.finish(r, ResultCancelled, false)
	if len(c.offer.rings) == 0 {
		m.offerOver(c)
	}
}

// cancelDevice stops the ringing of a phone that was taken away.
func (m *Machine) cancelDevice(o *operator, id callcenter.DeviceID) {
	r := o.ringing
	if r == nil {
		return
	}
	left := 0
	for i := range r.legs {
		leg := &r.legs[i]
		if leg.device == id && !leg.gone {
			leg.gone = true
			m.rule(CancelLeg{Leg: LegID{r.call.id, leg.n}}, ResultCancelled)
		}
		left += count(!leg.gone)
	}
	if left == 0 {
		m.withdraw(r)
	}
}

// legFailed reads a refusal: declined by the person, missed by the person, or a phone that cannot be reached, which is
// nobody's fault (docs/reference/routing.md, "Offers").
func (m *Machine) legFailed(id LegID, status int) {
	if c := m.forwardOf(id); c != nil {
		m.walk(c, "forward_failed", "The number could not be reached ("+strconv.Itoa(status)+")")
		m.forwardFailed(c)
		return
	}
	r, leg := m.findLeg(id)
	if r == nil {
		return
	}
	leg.gone = true
	result := resultOf(status)
	switch result {
	case ResultDeclined:
		m.ringingOver(r, ResultDeclined)
		return
	case ResultMissed:
		r.missed = true
	default:
		m.walk(r.call, result, "A phone of "+r.op.name+" could not be reached")
		if d := r.op.device(leg.device); d != nil {
			m.deviceDown(d)
			m.refresh(r.op)
		}
	}
	for i := range r.legs {
		if !r.legs[i].gone {
			return
		}
	}
	if r.missed {
		result = ResultMissed
	}
	m.ringingOver(r, result)
}

func resultOf(status int) string {
	switch {
	case status >= 300 && status < 400, status == 486, status == 600, status == 603:
		return ResultDeclined
	case status == 408, status == 480, status == 487:
		return ResultMissed
	}
	return ResultUnreachable
}

func (m *Machine) ringingOver(r *ringing, result string) {
	c := r.call
	c.offer.lastWithdraw = false
	m.finish(r, result, false)
	if len(c.offer.rings) == 0 {
		m.offerOver(c)
	}
}

// rangOut is ring_seconds.
func (m *Machine) rangOut(c *call) {
	if c.offer == nil {
		return
	}
	c.offer.lastWithdraw = false
	for len(c.offer.rings) > 0 {
		m.finish(c.offer.rings[0], ResultMissed, false)
	}
	m.offerOver(c)
}

// offerOver keeps the caller in the line until the end of the step: older callers choose first, then verdict decides.
func (m *Machine) offerOver(c *call) {
	direct := c.offer.direct
	c.withdrawn = c.offer.lastWithdraw
	m.closeOffer(c)
	switch last := len(c.offers) - 1; {
	case c.asker != nil:
		m.giveUp(c, "operator_"+c.offers[last].Result)
	case direct:
		m.personalBox(c, c.offers[last].Operator)
	default:
		m.offerFailed(c)
	}
}

func (m *Machine) offerFailed(c *call) {
	switch {
	case m.draining && c.callback == nil:
		m.sendAway(c, Failed, "draining", statusUnavailable)
	case c.center.deleted:
		m.stopWaiting(c, "center_deleted")
	case c.overdue:
		m.stopWaiting(c, "timeout")
	case c.closing, !c.inLine && c.open && c.center.closed:
		m.stopWaiting(c, "closing")
	default:
		m.joinLine(c)
		c.center.makeIdle(c)
		m.setState(c, stateQueued)
		c.undecided = true
		m.undecided = append(m.undecided, c)
		m.touch(c.center)
	}
}

// verdict is for a caller whose offer failed and for whom nobody else is free: the round is over.
func (m *Machine) verdict(c *call) {
	at := c.center
	c.tried = c.tried[:0]
	c.after = m.epoch
	switch {
	case c.withdrawn && (at.manned > 0 || at.settings.HoldQueue.UnattendedQueue):
		m.wait(c, "queued")
	case !c.withdrawn && at.busy > 0:
		m.wait(c, "round_over")
	case c.withdrawn:
		m.stopWaiting(c, "no_operators")
	default:
		m.stopWaiting(c, "no_answer")
	}
}

func (m *Machine) legHungUp(id LegID) {
	c := m.calls[id.Call]
	switch {
	case c == nil || id.N == 0 || c.bridged != id:
		m.legFailed(id, 480)
		return
	case c.state == stateConnecting:
		m.unanswer(c)
		return
	case c.state == stateDialling:
		m.operatorGaveUp(c)
		return
	case c.state == stateForwarded:
		m.walk(c, "operator_hung_up", "The number hung up")
	default:
		m.walk(c, "operator_hung_up", c.operator.name+" hung up")
	}
	m.rule(Hangup{Call: c.id}, "operator_hung_up")
	m.endTalk(c, "operator_hung_up")
}

// releaseAfterCall starts the wrap-up of the operator whose call ended, or frees them.
func (m *Machine) releaseAfterCall(c *call) {
	o := c.operator
	o.call = nil
	var wrap time.Duration
	if c.center != nil && c.way == "" { // a call for the person alone makes them busy, and nothing else
		o.idleSince = m.now
		wrap = time.Duration(c.center.settings.AdvancedSettings.MaxWrapUpSeconds) * time.Second
	}
	switch {
	case o.offAfter != nil:
		m.dutyByRule(o, *o.offAfter, "off_after_call")
	case wrap > 0 && o.works():
		o.wrapping = true
		o.extend = time.Duration(c.center.extras.WrapUpExtensionSeconds) * time.Second
		m.setTimer(&o.wrapTimer, m.now.Add(wrap))
	}
	m.refresh(o)
	m.markOperator(o)
	m.forgetOperator(o)
}

func (m *Machine) endWrapUp(o *operator) {
	m.stopTimer(&o.wrapTimer)
	o.wrapping, o.extend = false, 0
	o.idleSince = m.now
	m.refresh(o)
}

func (m *Machine) wrapUpEnded(id callcenter.OperatorID) {
	if o := m.operators[id]; o != nil && o.wrapping {
		m.endWrapUp(o)
	}
}

func (m *Machine) wrapUpExtended(e WrapUpExtended) {
	o := m.operators[e.Operator]
	if o == nil || !o.wrapping || o.extend == 0 || e.Extra < 0 {
		return
	}
	extra := o.extend
	if e.Extra > 0 {
		extra = min(extra, e.Extra)
	}
	o.extend = 0
	m.setTimer(&o.wrapTimer, o.wrapTimer.at.Add(extra))
	m.markOperator(o)
}
