package sim

import (
	"fmt"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// A world of visits has what callers go through besides the line: menus, names to spell, call routers, persons, other
// call centers, holidays, notices and greetings. The oracle of the line sits it out; the rules of a host and the core's
// own invariants are checked at every step.

// routers is how many call routers a company of visits has; those above do not exist.
const routers = 2

// changeVisit draws a setting of the visit anew.
func (w *world) changeVisit(c *callcenter.Center) {
	set := &c.Settings
	open, shut := &set.RoutingOptions.Open, &set.RoutingOptions.Closed
	switch w.rng.IntN(8) {
	case 0, 1, 2:
		w.changeBranch(open)
	case 3:
		w.changeBranch(shut)
	case 4:
		set.AdvancedSettings.AutoCallRecording.Inbound = w.chance(0.5)
	case 5:
		c.Extras.AnnounceCenterName = w.chance(0.5)
	case 6:
		c.Holidays = nil
		if w.chance(0.7) {
			today := callcenter.DateOf(w.now)
			hours := []callcenter.DayHours{nil, {"08:00", "09:15"}, {"09:05", "09:40"}}[w.rng.IntN(3)]
			c.Holidays = []callcenter.Holiday{{Name: "Fair", First: today, Last: today, Hours: hours}}
		}
	case 7:
		w.uploads(c.ID)
	}
}

func (w *world) uploads(at callcenter.ID) {
	w.step(route.PromptsUploaded{Center: at, Prompts: []route.Prompt{
		route.PromptGreeting, route.PromptNextTarget, route.PromptHoldWait, route.PromptPersonAway,
	}[:w.rng.IntN(5)]})
}

var visitActions = []callcenter.Action{
	callcenter.ActionMenu, callcenter.ActionMenu, callcenter.ActionPerson, callcenter.ActionDepartment,
	callcenter.ActionBridgeTarget, callcenter.ActionDirectory, callcenter.ActionCompanyDirectory,
	callcenter.ActionExtension, callcenter.ActionScriptedIVR, callcenter.ActionScriptedIVR, callcenter.ActionVoicemail,
	callcenter.ActionMessage, callcenter.ActionDisabled, callcenter.ActionOperator,
}

func (w *world) changeBranch(b *callcenter.Branch) {
	b.TryDialOperators = w.chance(0.4)
	b.Action, b.Target = w.anyAction()
	b.DTMF = nil
	for key := range w.rng.IntN(6) {
		k := callcenter.MenuKey{Input: string("012345"[key])}
		k.Action, k.Target = w.anyAction()
		b.DTMF = append(b.DTMF, k)
	}
}

func (w *world) anyAction() (callcenter.Action, callcenter.Target) {
	a := visitActions[w.rng.IntN(len(visitActions))]
	if a == callcenter.ActionScriptedIVR {
		return a, callcenter.Target{ID: 1 + w.rng.Int64N(routers+1), Type: callcenter.TargetCallRouter}
	}
	return a, w.anyTarget()
}

func (w *world) anyTarget() callcenter.Target {
	kinds := []callcenter.TargetType{
		callcenter.TargetCallCenter, callcenter.TargetCallCenter, callcenter.TargetUser, callcenter.TargetUser,
		callcenter.TargetOffice, callcenter.TargetCallRouter,
	}
	return callcenter.Target{ID: 1 + w.rng.Int64N(5), Type: kinds[w.rng.IntN(len(kinds))]}
}

// visitOrder is the host for what a visit adds. False: the order is about something else.
func (w *world) visitOrder(order route.Order) bool {
	switch o := order.(type) {
	case route.AskRouter:
		w.after(w.between(50*time.Millisecond, 20*time.Second), func() { w.step(w.routerSays(o)) })
	case route.DialFar:
		if o.Leg == 0 {
			return false
		}
		w.dialOutside(route.LegID{Call: o.Call, N: o.Leg})
	case route.Silence:
		w.calls[o.Call].play = 0
	case route.Ringback:
		if o.Leg == 0 {
			w.calls[o.Call].play = 0
		}
	case route.Pass:
		w.passed++
		w.book(o.Record)
	case route.Play:
		if o.Leg == 0 {
			w.presses(o)
		}
		return false
	default:
		return false
	}
	return true
}

func (w *world) routerSays(o route.AskRouter) route.Event {
	e := route.RouterAnswered{Call: o.Call}
	if w.chance(0.5) {
		e.DefaultTarget = w.anyTarget()
	}
	if o.Router > routers || w.chance(0.1) {
		e.Err = "500"
		return e
	}
	says := []route.RouterAction{
		route.RouterRoute, route.RouterRoute, route.RouterForward, route.RouterAsk, route.RouterEnd, "dance",
	}
	e.Answer = route.RouterAnswer{
		Action: says[w.rng.IntN(len(says))], Target: w.anyTarget(), ForwardTo: "+15550199", Message: "Which order?",
		HintName: "order", NumDigits: 1 + w.rng.IntN(4),
	}
	return e
}

// dialOutside is how a number behaves that a caller is forwarded to.
func (w *world) dialOutside(leg route.LegID) {
	switch x := w.rng.Float64(); {
	case x < 0.2: // rings on
	case x < 0.4:
		w.after(w.exp(5*time.Second), func() { w.step(route.LegFailed{Leg: leg, Status: 486}) })
	default:
		w.after(w.exp(8*time.Second), func() {
			if w.mon.rings(leg) {
				w.step(route.LegAnswered{Leg: leg})
			}
		})
	}
}

// presses has a caller answer what they are asked, some not at all and some while it is still asked.
func (w *world) presses(o route.Play) {
	keys := ""
	for _, p := range o.Phrases {
		switch p.Prompt {
		case route.PromptMenu, route.PromptClosedMenu, route.PromptDirectoryPick:
			keys = string("0123456789*#"[w.rng.IntN(12)])
		case route.PromptDirectory: // "Operator 1" is spelled 6737286 and 1 is on no key
			keys = []string{"6737286#", "673", "99#"}[w.rng.IntN(3)]
		case route.PromptExtension, route.PromptText:
			keys = []string{"1", "2#", "777", "#", "12345"}[w.rng.IntN(5)]
		}
	}
	if w.chance(0.2) {
		return
	}
	at := w.between(0, 8*time.Second)
	for _, k := range []byte(keys) {
		at += w.between(0, time.Second)
		w.after(at, func() { w.step(route.Digit{Call: o.Call, Digit: k}) })
	}
}

// hastyHangup has an operator hang up as soon as they answered: sometimes before they hear the caller.
func (w *world) hastyHangup(leg route.LegID) {
	if w.o.Visits && w.chance(0.1) {
		w.after(w.between(0, 2*time.Second), func() {
			if w.mon.legs[leg] == legAnswered {
				w.step(route.LegHungUp{Leg: leg})
			}
		})
	}
}

// visitEffect checks orders about a visit: the notice that calls are recorded is not cut, a caller is not handed on for
// ever, and a number outside is a leg like any other. False: the order needs the other checks.
func (m *monitor) visitEffect(order route.Order) (bool, error) {
	if id, ok := cutBy(order); ok && m.calls[id] != nil && m.calls[id].notice != 0 {
		return true, fmt.Errorf("%T for call %d, which hears that it is recorded", order, id)
	}
	switch o := order.(type) {
	case route.Play:
		if c := m.calls[o.Call]; c != nil && o.Phrases[0].Prompt == route.PromptRecordingNotice {
			c.notice = o.ID
		}
		return false, nil
	case route.AskRouter:
		if c := m.calls[o.Call]; c == nil || c.closed {
			return true, fmt.Errorf("a call router is asked about call %d, which is over", o.Call)
		}
	case route.DialFar:
		c, leg := m.calls[o.Call], route.LegID{Call: o.Call, N: o.Leg}
		if o.Leg == 0 {
			if c != nil {
				c.notice = 0 // another try
			}
			return false, nil
		}
		if c == nil || c.closed || m.legs[leg] != legUnknown {
			return true, fmt.Errorf("leg %v calls %s", leg, o.To)
		}
		m.legs[leg] = legRinging
		c.legs = append(c.legs, leg)
		c.notice = 0 // whom they are forwarded to may cut it: that call is not recorded
	case route.Pass:
		return true, m.passedOn(o)
	default:
		return false, nil
	}
	return true, nil
}

// cutBy names the call of an order that cuts what the caller hears.
func cutBy(order route.Order) (route.CallID, bool) {
	switch o := order.(type) {
	case route.Play:
		return o.Call, o.Leg == 0
	case route.Music:
		return o.Call, true
	case route.Ringback:
		return o.Call, o.Leg == 0
	case route.Silence:
		return o.Call, true
	case route.Record:
		return o.Call, true
	case route.Bridge:
		return o.Call, true
	}
	return 0, false
}

// passedOn is an entry leg that ended with the caller still there.
func (m *monitor) passedOn(o route.Pass) error {
	c, r := m.calls[o.Record.Visit], o.Record
	if c == nil || c.closed || c.bridge.N > 0 || r.Outcome != route.Forwarded || r.Call == o.Next {
		return fmt.Errorf("entry leg %d of call %d is passed on with %s", r.Call, r.Visit, r.Outcome)
	}
	if c.hops++; c.hops > route.MaxHops {
		return fmt.Errorf("call %d is handed on %d times", r.Visit, c.hops)
	}
	c.position = 0
	m.arrivals++
	m.ends[r.Outcome]++
	return nil
}
