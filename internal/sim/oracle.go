package sim

import (
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// oracle says who should ring, from the history of events and orders alone. It keeps no index: it asks everything anew
// at every offer.
type oracle struct {
	now     time.Time
	seq     uint64          // counts events and orders: what is later, at equal times
	centers []*judgedCenter // by id, from 1
	people  []*judgedPerson // by id, from 1
	calls   map[route.CallID]*judgedCall
	order   []route.CallID // the calls that are not over, by arrival

	places    []judgedPlace
	answered  route.LegID // last
	positions int         // that were said
	callbacks int         // whose numbers were called
	returns   int         // of callers to their old places
}

type judgedCenter struct {
	def      *callcenter.Center
	deleted  bool
	rotation []callcenter.OperatorID
	deck     []callcenter.OperatorID
}

type judgedPerson struct {
	active, dnd, duty, offAfter bool
	phones                      []judgedPhone
	ring, talk                  route.CallID
	legs                        []route.Ring
	missedOne                   bool
	wrapUntil                   time.Time
	extend                      time.Duration // what is left of it
	idle                        time.Time
	free                        map[callcenter.ID]uint64 // since which seq; absent: not
}

type judgedPhone struct {
	id     callcenter.DeviceID
	static bool
	up     bool
	retry  time.Time
}

type judgedCall struct {
	id        route.CallID
	at        *judgedCenter
	entered   time.Time
	open      bool
	offered   bool // rings now
	waiting   bool // may be offered
	joined    bool // has a place in the line
	failed    bool // its offer failed in this step
	withdrawn bool
	barrier   uint64 // only who became free later
	tried     []callcenter.OperatorID
	strategy  callcenter.Strategy
	rangAt    time.Time
	ringFor   time.Duration
	expected  []callcenter.OperatorID // of everybody, who has still to ring

	from      string
	kept      bool // has an old place back
	ghost     bool // a callback
	direct    bool // an operator's own call
	away      bool // its number is being called
	notBefore time.Time
	roundAt   time.Time // a callback that nobody took: when it is offered to all again
}

func newOracle() *oracle {
	return &oracle{calls: make(map[route.CallID]*judgedCall)}
}

func (o *oracle) person(id callcenter.OperatorID) *judgedPerson {
	for len(o.people) < int(id) {
		o.people = append(o.people, &judgedPerson{free: make(map[callcenter.ID]uint64)})
	}
	return o.people[id-1]
}

// before takes note of an event.
func (o *oracle) before(now time.Time, e route.Event) error {
	o.now = now
	o.seq++
	for _, p := range o.people {
		if !p.wrapUntil.IsZero() && !now.Before(p.wrapUntil) {
			p.wrapUntil, p.idle = time.Time{}, now
		}
		for i := range p.phones {
			if ph := &p.phones[i]; !ph.retry.IsZero() && !now.Before(ph.retry) {
				o.phoneUp(p, ph)
			}
		}
	}
	switch e := e.(type) {
	case route.CenterChanged:
		o.centerChanged(e.Center)
	case route.CenterDeleted:
		o.centers[e.ID-1].deleted = true
	case route.CallArrived:
		o.arrived(e)
	case route.LegFailed:
		o.legFailed(e)
	default:
		o.personal(e)
	}
	o.farBefore(e)
	o.seeWhoIsFree()
	return nil
}

func (o *oracle) personal(e route.Event) {
	switch e := e.(type) {
	case route.OperatorChanged:
		p := o.person(e.Operator.ID)
		if len(p.phones) == 0 {
			p.duty, p.idle = e.Operator.Duty.On, o.now
			for _, d := range e.Operator.Devices {
				p.phones = append(p.phones, judgedPhone{id: d.ID, static: d.Static, up: d.Static})
			}
		}
		p.active, p.dnd = e.Operator.Active, e.Operator.DoNotDisturb
	case route.DutySet:
		p := o.person(e.Operator)
		if !e.On && p.talk != 0 {
			p.offAfter = true
			return
		}
		if e.On && !p.duty {
			p.idle = o.now
		}
		if !e.On {
			p.wrapUntil = time.Time{}
		}
		p.duty, p.offAfter = e.On, false
	case route.DeviceReachable:
		p := o.person(e.Operator)
		for i := range p.phones {
			if ph := &p.phones[i]; ph.id == e.Device && e.Reachable {
				o.phoneUp(p, ph)
			} else if ph.id == e.Device {
				o.phoneDown(ph)
			}
		}
	case route.WrapUpEnded:
		if p := o.person(e.Operator); !p.wrapUntil.IsZero() {
			p.wrapUntil, p.idle = time.Time{}, o.now
		}
	case route.WrapUpExtended:
		if p := o.person(e.Operator); !p.wrapUntil.IsZero() && p.extend > 0 {
			p.wrapUntil, p.extend = p.wrapUntil.Add(min(e.Extra, p.extend)), 0
		}
	}
}

func (p *judgedPerson) reachable() bool {
	return slices.ContainsFunc(p.phones, func(ph judgedPhone) bool { return ph.up })
}

func (o *oracle) phoneUp(p *judgedPerson, ph *judgedPhone) {
	if !p.reachable() {
		p.idle = o.now
	}
	ph.up, ph.retry = true, time.Time{}
}

func (o *oracle) phoneDown(ph *judgedPhone) {
	ph.up = false
	if ph.static {
		ph.retry = o.now.Add(30 * time.Second)
	}
}

func (o *oracle) centerChanged(def *callcenter.Center) {
	for len(o.centers) < int(def.ID) {
		o.centers = append(o.centers, &judgedCenter{def: &callcenter.Center{}})
	}
	c := o.centers[def.ID-1]
	if c.deleted {
		return
	}
	listed := func(members []callcenter.Member, id callcenter.OperatorID) bool {
		return slices.ContainsFunc(members, func(b callcenter.Member) bool { return b.Operator == id })
	}
	gone := func(id callcenter.OperatorID) bool { return !listed(def.Members, id) }
	c.rotation = slices.DeleteFunc(c.rotation, gone)
	hadDeck := len(c.deck) > 0
	c.deck = slices.DeleteFunc(c.deck, gone)
	hadDeck = hadDeck && len(c.deck) > 0
	for _, b := range def.Members {
		if !listed(c.def.Members, b.Operator) {
			c.rotation = append(c.rotation, b.Operator)
			if hadDeck {
				c.deck = append(c.deck, b.Operator)
			}
		}
	}
	was, is := c.def.Settings.RoutingOptions, def.Settings.RoutingOptions
	if was.Open.OperatorRouting != is.Open.OperatorRouting || was.Closed.OperatorRouting != is.Closed.OperatorRouting {
		c.rotation, c.deck = nil, nil
		for _, b := range def.Members {
			c.rotation = append(c.rotation, b.Operator)
		}
	}
	c.def = def
}

func (o *oracle) arrived(e route.CallArrived) {
	if e.Center == 0 || o.centers[e.Center-1].deleted {
		return
	}
	c := &judgedCall{id: e.Call, at: o.centers[e.Center-1], entered: o.now}
	c.open = c.at.def.Settings.Availability(o.now, time.UTC, nil).IsOpen()
	o.calls[e.Call] = c
	o.order = append(o.order, e.Call)
}

// legFailed reads a refusal as docs/reference/routing.md has it.
func (o *oracle) legFailed(e route.LegFailed) {
	c := o.calls[e.Leg.Call]
	if c == nil || !c.offered {
		return
	}
	if c.direct {
		o.directFailed(e)
		return
	}
	for _, p := range o.people {
		i := slices.IndexFunc(p.legs, func(r route.Ring) bool { return r.Leg == e.Leg })
		if i < 0 {
			continue
		}
		leg := p.legs[i]
		p.legs = slices.Delete(p.legs, i, i+1)
		switch e.Status {
		case 302, 486, 603:
			p.legs, p.ring, p.idle = nil, 0, o.now
		case 480, 408:
			p.missedOne = true
		default:
			for k := range p.phones {
				if p.phones[k].id == leg.Device {
					o.phoneDown(&p.phones[k])
				}
			}
		}
		if p.ring != 0 && len(p.legs) == 0 {
			p.ring = 0
			if p.missedOne {
				p.idle = o.now
			}
		}
		o.offerMayBeOver(c, p, false)
	}
}

// offerMayBeOver makes a call wait again when nobody rings for it any more.
func (o *oracle) offerMayBeOver(c *judgedCall, p *judgedPerson, withdrawn bool) {
	if p.ring != 0 || c.away {
		return
	}
	p.missedOne = false
	for _, other := range o.people {
		if other.ring == c.id {
			return
		}
	}
	c.offered, c.waiting, c.joined, c.failed, c.withdrawn = false, true, true, true, withdrawn
}

func (p *judgedPerson) isFree(at *judgedCenter, b callcenter.Member) bool {
	return !at.deleted && p.active && p.duty && !p.dnd && !b.DoNotDisturb && p.reachable() &&
		p.ring == 0 && p.talk == 0 && p.wrapUntil.IsZero()
}

func (o *oracle) seeWhoIsFree() {
	for _, at := range o.centers {
		id := at.def.ID
		for i, p := range o.people {
			k := slices.IndexFunc(at.def.Members, func(b callcenter.Member) bool {
				return b.Operator == callcenter.OperatorID(i+1)
			})
			if k < 0 || !p.isFree(at, at.def.Members[k]) {
				delete(p.free, id)
			} else if _, was := p.free[id]; !was {
				p.free[id] = o.seq
			}
		}
	}
}

// candidates are who may be offered to a call, in list order.
func (o *oracle) candidates(c *judgedCall) (list []callcenter.Member) {
	for _, b := range c.at.def.Members {
		since, free := o.person(b.Operator).free[c.at.def.ID]
		if free && since > c.barrier && !slices.Contains(c.tried, b.Operator) {
			list = append(list, b)
		}
	}
	return list
}

// after holds a whole step to what must be true at its end.
func (o *oracle) after() error {
	for _, id := range o.order {
		c := o.calls[id]
		if len(c.expected) > 0 {
			return fmt.Errorf("call %d: %v should ring too", id, c.expected)
		}
		if err := o.endRound(c); err != nil {
			return err
		}
		o.roundOver(c)
		if list := o.candidates(c); c.waiting && o.ready(c) && len(list) > 0 {
			return fmt.Errorf("call %d waits while operator %d is free", id, list[0].Operator)
		}
	}
	return nil
}

// endRound is for a call whose offer failed and that was not offered again.
func (o *oracle) endRound(c *judgedCall) error {
	if !c.failed {
		return nil
	}
	c.failed = false
	if c.ghost && !c.withdrawn && !o.somebodyBusy(c.at) && c.roundAt.IsZero() {
		c.roundAt = o.now.Add(judgedRoundPause)
	} else if !c.ghost && !c.withdrawn && !o.somebodyBusy(c.at) {
		return fmt.Errorf("call %d waits after a round with nobody busy", c.id)
	}
	c.tried, c.barrier = nil, o.seq
	return nil
}

func (o *oracle) somebodyBusy(at *judgedCenter) bool {
	return slices.ContainsFunc(at.def.Members, func(b callcenter.Member) bool {
		p := o.person(b.Operator)
		return p.active && p.duty && !p.offAfter && (p.ring != 0 || p.talk != 0 || !p.wrapUntil.IsZero())
	})
}
