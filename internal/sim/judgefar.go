package sim

import (
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// The oracle's own figures of docs/reference/routing.md, "Callbacks" and "Lost callers".
const (
	judgedRoundPause = time.Minute
	judgedPlaceKept  = 2 * time.Minute
)

// judgedPlace is a place in the line that a lost caller may have back.
type judgedPlace struct {
	from    string
	at      *judgedCenter
	entered time.Time
	until   time.Time
}

// farBefore takes note of events about callbacks, numbers and lost callers.
func (o *oracle) farBefore(e route.Event) {
	for _, id := range o.order {
		c := o.calls[id]
		if !c.roundAt.IsZero() && !o.now.Before(c.roundAt) {
			c.roundAt = time.Time{}
			if c.waiting {
				c.tried, c.barrier = nil, 0
			}
		}
	}
	switch e := e.(type) {
	case route.CallArrived:
		o.mayHavePlace(e)
	case route.CallFailed:
		c := o.calls[e.Call]
		if c != nil && !c.ghost && (c.waiting || c.offered) {
			o.places = append(o.places, judgedPlace{c.from, c.at, c.entered, o.now.Add(judgedPlaceKept)})
		}
	case route.CallAsked:
		c := &judgedCall{id: e.Call, direct: true, at: &judgedCenter{def: &callcenter.Center{}}}
		if e.Center != 0 {
			c.at = o.centers[e.Center-1]
		}
		o.calls[e.Call] = c
	case route.LegAnswered:
		o.answered = e.Leg
	}
}

func (o *oracle) mayHavePlace(e route.CallArrived) {
	c := o.calls[e.Call]
	if c == nil {
		return
	}
	c.from = e.From
	for i := range o.places {
		if p := &o.places[i]; p.at == c.at && p.from == e.From && o.now.Before(p.until) {
			c.kept, c.entered = true, p.entered
		}
	}
}

// usePlace is for a caller who enters the line or is offered: a place is given back once.
func (o *oracle) usePlace(c *judgedCall) {
	if c.kept && slices.ContainsFunc(o.places, func(p judgedPlace) bool { return p.at == c.at && p.from == c.from }) {
		o.returns++
		o.places = slices.DeleteFunc(o.places, func(p judgedPlace) bool { return p.at == c.at && p.from == c.from })
	}
}

// ready says that a callback may be offered.
func (o *oracle) ready(c *judgedCall) bool {
	return !c.ghost || !o.now.Before(c.notBefore) && c.at.def.Settings.Availability(o.now, time.UTC, nil).IsOpen()
}

// farEffect takes note of orders about callbacks and numbers. False: it is none of them.
func (o *oracle) farEffect(order route.Order) (bool, error) {
	switch order := order.(type) {
	case route.SaveCallback:
		o.saved(order.Callback)
	case route.DialFar:
		o.dialled(order)
	case route.Ring:
		c := o.calls[order.Leg.Call]
		if c == nil || !c.direct {
			return false, nil
		}
		p := o.person(order.Operator)
		p.ring, p.legs = c.id, append(p.legs, order)
		c.offered = true
	case route.CancelLeg:
		c := o.calls[order.Leg.Call]
		if c == nil || !c.direct {
			return false, nil
		}
		o.directLegOver(order.Leg)
	case route.Bridge:
		c := o.calls[order.Call]
		if c == nil || !c.ghost && !c.direct {
			return false, nil
		}
		o.out(c)
	case route.Play:
		return o.heard(order)
	default:
		return false, nil
	}
	return true, nil
}

func (o *oracle) directLegOver(leg route.LegID) {
	for _, p := range o.people {
		p.legs = slices.DeleteFunc(p.legs, func(r route.Ring) bool { return r.Leg == leg })
		if p.ring == leg.Call && len(p.legs) == 0 {
			p.ring = 0
		}
	}
}

// saved is a callback that was booked, or that goes back to its place after a try. Before a try it is saved too.
func (o *oracle) saved(cb route.Callback) {
	c := o.calls[cb.Call]
	if c == nil {
		c = &judgedCall{id: cb.Call, ghost: true, at: o.centers[cb.Center-1], entered: cb.Entered, open: true}
		c.waiting, c.joined = true, true
		o.calls[c.id] = c
		o.order = append(o.order, c.id)
		return
	}
	if cb.After.IsZero() {
		return
	}
	o.freed(c.id, true)
	c.away, c.waiting, c.joined, c.notBefore = false, true, true, cb.After
	c.tried, c.barrier, c.roundAt = nil, 0, time.Time{}
}

// freed gives back the operator of a number that was not reached.
func (o *oracle) freed(id route.CallID, idle bool) {
	for _, p := range o.people {
		if p.talk == id {
			p.talk = 0
			if idle {
				p.idle = o.now
			}
		}
	}
}

// dialled: the operator of the leg that answered is busy with the call from here on.
func (o *oracle) dialled(order route.DialFar) {
	c, p := o.calls[order.Call], o.person(order.Operator)
	p.ring, p.talk = 0, c.id
	p.legs = slices.DeleteFunc(p.legs, func(r route.Ring) bool { return r.Leg == o.answered })
	c.away, c.offered, c.waiting, c.joined, c.failed, c.roundAt = true, false, false, false, false, time.Time{}
	if c.ghost {
		o.callbacks++
		if c.strategy == callcenter.RoundRobin {
			c.at.toEnd(order.Operator)
		}
	}
}

// heard holds every announced position to the line as it is when it is said. False: the prompt decides something.
func (o *oracle) heard(order route.Play) (bool, error) {
	if order.Leg > 0 {
		return true, nil
	}
	for i, p := range order.Phrases {
		if p.Prompt != route.PromptHoldPosition {
			continue
		}
		o.positions++
		c, ahead := o.calls[order.Call], 0
		for _, id := range o.order {
			w := o.calls[id]
			ahead += count(w != c && w.at == c.at && w.joined && w.entered.Before(c.entered))
		}
		if i != 0 || p.Number != ahead+1 {
			return true, fmt.Errorf("call %d is told it is number %d, as phrase %d, with %d ahead", c.id, p.Number, i, ahead)
		}
	}
	switch order.Phrases[0].Prompt {
	case route.PromptHoldPosition, route.PromptCallbackOffer, route.PromptCallbackConfirm, route.PromptCallbackType,
		route.PromptCallbackRefused, route.PromptRecordingNotice, route.PromptCallbackInvalid,
		route.PromptCallbackAgain, route.PromptHoldWait:
		return true, nil
	}
	return false, nil
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// notReached frees the operator of a call to a number that ends without a conversation: no wrap-up.
func (o *oracle) notReached(r route.CallRecord) bool {
	if r.Direction != route.Outbound || r.Outcome == route.Answered {
		return false
	}
	o.freed(r.Call, r.Callback)
	return true
}

// directFailed: a phone of an operator's own call refused. Nobody missed anything.
func (o *oracle) directFailed(e route.LegFailed) {
	for _, p := range o.people {
		i := slices.IndexFunc(p.legs, func(r route.Ring) bool { return r.Leg == e.Leg })
		if i < 0 {
			continue
		}
		leg := p.legs[i]
		switch e.Status {
		case 302, 486, 603, 480, 408:
		default:
			for k := range p.phones {
				if p.phones[k].id == leg.Device {
					o.phoneDown(&p.phones[k])
				}
			}
		}
		o.directLegOver(e.Leg)
	}
}

// roundOver is for a callback that everybody free had their chance at, with nobody busy any more: it is offered to them
// again after a while.
func (o *oracle) roundOver(c *judgedCall) {
	if !c.ghost || !c.waiting || !c.roundAt.IsZero() || !o.ready(c) || o.somebodyBusy(c.at) || len(o.candidates(c)) > 0 {
		return
	}
	for _, b := range c.at.def.Members {
		if _, free := o.person(b.Operator).free[c.at.def.ID]; free {
			c.roundAt = o.now.Add(judgedRoundPause)
			return
		}
	}
}
