package sim

import (
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// effect holds an order to the rules and takes note of it.
func (o *oracle) effect(f route.Effect) (err error) {
	if err := o.nextTimer(f); err != nil {
		return err
	}
	o.seq++
	if done, err := o.farEffect(f.Order); done || err != nil {
		o.seeWhoIsFree()
		return err
	}
	switch order := f.Order.(type) {
	case route.Ring:
		err = o.ring(order)
	case route.CancelLeg:
		err = o.cancelled(order, f.Why.Rule)
	case route.Bridge:
		o.bridge(order)
	case route.SetDuty:
		p := o.person(order.Operator)
		p.duty, p.offAfter = order.Duty.On, false
	case route.Play:
		err = o.prompt(order, f.Why.Rule)
	case route.End:
		o.ended(order.Record)
	}
	o.seeWhoIsFree()
	return err
}

// nextTimer notices that two offers rang out at the same instant: the first one's round is over before the second's.
func (o *oracle) nextTimer(f route.Effect) error {
	cancel, ok := f.Order.(route.CancelLeg)
	if !ok || f.Why.Rule != route.ResultMissed {
		return nil
	}
	for _, id := range o.order {
		if id != cancel.Leg.Call {
			if err := o.endRound(o.calls[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *oracle) ring(r route.Ring) error {
	c, p := o.calls[r.Leg.Call], o.person(r.Operator)
	if p.ring == r.Leg.Call { // another phone of the same person
		p.legs = append(p.legs, r)
		return nil
	}
	if len(c.expected) == 0 {
		if err := o.judge(c, r.Operator); err != nil {
			return fmt.Errorf("call %d, %s: %w", c.id, c.strategy, err)
		}
	} else {
		if c.expected[0] != r.Operator {
			return fmt.Errorf("call %d rings %d, not %d", c.id, r.Operator, c.expected[0])
		}
		c.expected = c.expected[1:]
	}
	o.usePlace(c)
	c.offered, c.waiting, c.failed = true, false, false
	c.tried = append(c.tried, r.Operator)
	p.ring, p.legs, p.missedOne = c.id, []route.Ring{r}, false
	return nil
}

// judge holds the beginning of an offer to the strategy, and to the order of the callers of all centers.
func (o *oracle) judge(c *judgedCall, chosen callcenter.OperatorID) error {
	set := c.at.def.Settings
	c.strategy = set.RoutingOptions.Closed.OperatorRouting
	if c.open {
		c.strategy = set.RoutingOptions.Open.OperatorRouting
	}
	c.rangAt, c.ringFor = o.now, time.Duration(set.RingSeconds)*time.Second
	list := o.candidates(c)
	who, any := o.who(c, list)
	if !any && (len(who) == 0 || who[0] != chosen) {
		return fmt.Errorf("rings %d; should ring %v of %v", chosen, who, list)
	}
	if any && !slices.Contains(who, chosen) {
		return fmt.Errorf("rings %d; should ring one of %v", chosen, who)
	}
	if c.strategy == callcenter.Random {
		c.at.deck = slices.DeleteFunc(c.at.deck, func(id callcenter.OperatorID) bool { return id == chosen })
	}
	if c.strategy == callcenter.Simultaneous {
		c.expected, c.barrier = who[1:], o.seq
	}
	for _, id := range o.order {
		w := o.calls[id]
		if !w.waiting || w == c || !o.ready(w) || w.entered.After(c.entered) || w.entered.Equal(c.entered) && w.id > c.id {
			continue
		}
		for _, b := range o.candidates(w) {
			if b.Operator == chosen {
				return fmt.Errorf("call %d waited longer for operator %d", w.id, chosen)
			}
		}
	}
	return nil
}

// who should ring of the candidates: the first named, or any of them.
func (o *oracle) who(c *judgedCall, list []callcenter.Member) (who []callcenter.OperatorID, any bool) {
	idle := func(b callcenter.Member) time.Time { return o.person(b.Operator).idle }
	free := func(id callcenter.OperatorID) bool {
		return slices.ContainsFunc(list, func(b callcenter.Member) bool { return b.Operator == id })
	}
	switch c.strategy {
	case callcenter.LongestIdle:
		slices.SortStableFunc(list, func(a, b callcenter.Member) int { return idle(a).Compare(idle(b)) })
	case callcenter.MostSkilled:
		slices.SortStableFunc(list, func(a, b callcenter.Member) int {
			if a.SkillLevel != b.SkillLevel {
				return b.SkillLevel - a.SkillLevel
			}
			return idle(a).Compare(idle(b))
		})
	case callcenter.RoundRobin:
		return o.inTheRound(c.at, free), false
	case callcenter.Random:
		for range 2 {
			for _, id := range c.at.deck {
				if free(id) {
					who = append(who, id)
				}
			}
			if len(who) > 0 {
				return who, true
			}
			for _, b := range c.at.def.Members {
				if !slices.Contains(c.at.deck, b.Operator) {
					c.at.deck = append(c.at.deck, b.Operator)
				}
			}
		}
	}
	for _, b := range list {
		who = append(who, b.Operator)
	}
	return who, false
}

func (o *oracle) inTheRound(at *judgedCenter, free func(callcenter.OperatorID) bool) []callcenter.OperatorID {
	var passed []callcenter.OperatorID
	for _, id := range slices.Clone(at.rotation) {
		if free(id) {
			for _, p := range passed {
				at.toEnd(p)
			}
			return []callcenter.OperatorID{id}
		}
		if o.person(id).talk != 0 {
			passed = append(passed, id)
		}
	}
	return nil
}

func (at *judgedCenter) toEnd(id callcenter.OperatorID) {
	if i := slices.Index(at.rotation, id); i >= 0 {
		at.rotation = append(slices.Delete(at.rotation, i, i+1), id)
	}
}

func (o *oracle) cancelled(order route.CancelLeg, rule string) error {
	c := o.calls[order.Leg.Call]
	for _, p := range o.people {
		i := slices.IndexFunc(p.legs, func(r route.Ring) bool { return r.Leg == order.Leg })
		if i < 0 {
			continue
		}
		p.legs = slices.Delete(p.legs, i, i+1)
		if len(p.legs) > 0 {
			continue
		}
		p.ring = 0
		if rule == route.ResultMissed {
			if !o.now.Equal(c.rangAt.Add(c.ringFor)) {
				return fmt.Errorf("call %d rang %s, not %s", c.id, o.now.Sub(c.rangAt), c.ringFor)
			}
			p.idle = o.now
		}
		o.offerMayBeOver(c, p, rule == route.ResultCancelled)
	}
	return nil
}

func (o *oracle) bridge(order route.Bridge) {
	c := o.calls[order.Call]
	for i, p := range o.people {
		if !slices.ContainsFunc(p.legs, func(r route.Ring) bool { return r.Leg == order.Leg }) {
			continue
		}
		p.ring, p.talk, p.legs = 0, c.id, slices.DeleteFunc(p.legs, func(r route.Ring) bool { return r.Leg == order.Leg })
		if c.strategy == callcenter.RoundRobin {
			c.at.toEnd(callcenter.OperatorID(i + 1))
		}
	}
	o.out(c)
}

func (o *oracle) out(c *judgedCall) {
	delete(o.calls, c.id)
	o.order = slices.DeleteFunc(o.order, func(id route.CallID) bool { return id == c.id })
	// whoever still rings for it is told so by the cancels that follow
	o.calls[c.id] = &judgedCall{id: c.id, at: c.at, rangAt: c.rangAt, ringFor: c.ringFor}
}

// prompt reads from what a caller hears what was decided, and holds the decision to the rules.
func (o *oracle) prompt(order route.Play, rule string) error {
	c := o.calls[order.Call]
	switch order.Phrases[0].Prompt {
	case route.PromptHoldIntro:
		q := c.at.def.Settings.HoldQueue
		if !c.joined {
			switch {
			case len(o.candidates(c)) > 0:
				return fmt.Errorf("call %d waits though somebody is free", c.id)
			case o.line(c.at) >= q.MaxHoldCount && !c.kept:
				return fmt.Errorf("call %d waits as one of more than %d", c.id, q.MaxHoldCount)
			case !o.manned(c.at) && !q.UnattendedQueue:
				return fmt.Errorf("call %d waits for nobody", c.id)
			}
		}
		o.usePlace(c)
		c.waiting, c.joined = true, true
		return nil
	}
	switch rule {
	case "queue_full":
		if n, most := o.line(c.at), c.at.def.Settings.HoldQueue.MaxHoldCount; n < most || len(o.candidates(c)) > 0 {
			return fmt.Errorf("call %d is refused with %d of %d waiting", c.id, n, most)
		}
	case "no_operators":
		if o.manned(c.at) {
			return fmt.Errorf("call %d is sent away though somebody is on duty", c.id)
		}
	case "no_answer":
		if o.somebodyBusy(c.at) || !c.joined {
			return fmt.Errorf("call %d is sent away though somebody is busy", c.id)
		}
	}
	o.out(c)
	return nil
}

func (o *oracle) line(at *judgedCenter) (n int) {
	for _, id := range o.order {
		if c := o.calls[id]; c.at == at && c.joined {
			n++
		}
	}
	return n
}

func (o *oracle) manned(at *judgedCenter) bool {
	return !at.deleted && slices.ContainsFunc(at.def.Members, func(b callcenter.Member) bool {
		p := o.person(b.Operator)
		return p.active && p.duty && slices.ContainsFunc(p.phones, func(ph judgedPhone) bool { return ph.up || ph.static })
	})
}

// ended frees who talked: off duty, in wrap-up, or idle.
func (o *oracle) ended(r route.CallRecord) {
	for _, p := range o.people {
		if p.talk != r.Call || o.notReached(r) {
			continue
		}
		p.talk, p.extend = 0, 0
		if r.Center == 0 {
			continue // a call of their own
		}
		def := o.centers[r.Center-1].def
		p.idle, p.extend = o.now, time.Duration(def.Extras.WrapUpExtensionSeconds)*time.Second
		wrap := def.Settings.AdvancedSettings.MaxWrapUpSeconds
		if wrap > 0 && p.duty && p.active {
			p.wrapUntil = o.now.Add(time.Duration(wrap) * time.Second)
		}
	}
	delete(o.calls, r.Call)
	o.order = slices.DeleteFunc(o.order, func(id route.CallID) bool { return id == r.Call })
}
