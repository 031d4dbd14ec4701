package sim

import (
	"fmt"
	"slices"

	"switchboard/internal/route"
)

// monitor is a host that trusts nothing: it holds every order to what a telephone can do.
type monitor struct {
	calls    map[route.CallID]*callState
	legs     map[route.LegID]legState
	last     route.EffectID
	arrivals int
	others   int // callbacks, and calls of operators
	ends     map[route.Outcome]int
}

type callState struct {
	answered bool
	closed   bool // refused, hung up by us or by the caller
	bridge   route.LegID
	position int
	notice   int // the play that says that calls are recorded
	hops     int
	legs     []route.LegID

	far       *farState // we call it
	recording recordState
	voice     recordState
}

type legState int

const (
	legUnknown legState = iota
	legRinging
	legAnswered
	legOver
)

func newMonitor() *monitor {
	return &monitor{
		calls: make(map[route.CallID]*callState), legs: make(map[route.LegID]legState),
		ends: make(map[route.Outcome]int),
	}
}

func (m *monitor) rings(id route.LegID) bool { return m.legs[id] == legRinging }

// event notes what the world told the machine.
func (m *monitor) event(e route.Event) {
	m.farEvent(e)
	switch e := e.(type) {
	case route.CallArrived:
		if m.calls[e.Call] == nil {
			m.arrivals++
			m.calls[e.Call] = &callState{}
		}
	case route.CallerHungUp:
		if c := m.calls[e.Call]; c != nil && c.far == nil {
			c.closed = true
		}
	case route.PlayDone:
		if c := m.calls[e.Call]; c != nil && c.notice == e.Play {
			c.notice = 0
		}
	case route.LegAnswered:
		m.legs[e.Leg] = legAnswered
	case route.LegFailed, route.LegHungUp:
		id, _ := e.(route.LegFailed)
		if up, ok := e.(route.LegHungUp); ok {
			id.Leg = up.Leg
		}
		m.legs[id.Leg] = legOver
	}
}

// effect says which rule of a host an order breaks.
func (m *monitor) effect(f route.Effect) error {
	if f.ID.Step < m.last.Step || f.ID.Step == m.last.Step && f.ID.Index <= m.last.Index && f.ID.Index > 0 {
		return fmt.Errorf("effect id %v after %v", f.ID, m.last)
	}
	m.last = f.ID
	if done, err := m.visitEffect(f.Order); done || err != nil {
		return err
	}
	if done, err := m.farEffect(f.Order); done || err != nil {
		return err
	}
	switch o := f.Order.(type) {
	case route.Ring:
		c := m.calls[o.Leg.Call]
		if c == nil || c.closed || m.legs[o.Leg] != legUnknown {
			return fmt.Errorf("ring of leg %v", o.Leg)
		}
		m.legs[o.Leg] = legRinging
		c.legs = append(c.legs, o.Leg)
	case route.CancelLeg:
		if m.legs[o.Leg] != legRinging {
			return fmt.Errorf("cancel of leg %v, which does not ring", o.Leg)
		}
		m.legs[o.Leg] = legOver
	case route.HangupLeg:
		if m.legs[o.Leg] != legAnswered {
			return fmt.Errorf("hangup of leg %v, which was not answered", o.Leg)
		}
		m.legs[o.Leg] = legOver
	case route.End:
		return m.end(o.Record)
	default:
		return m.toCaller(f.Order)
	}
	return nil
}

// toCaller checks an order about the caller's own dialog.
func (m *monitor) toCaller(order route.Order) error {
	id, needsAnswer := callOf(order)
	c := m.calls[id]
	if c == nil || c.closed {
		return fmt.Errorf("%T for call %d, which is over", order, id)
	}
	if c.answered != needsAnswer {
		return fmt.Errorf("%T for call %d: answered is %v", order, id, c.answered)
	}
	switch o := order.(type) {
	case route.Answer:
		c.answered = true
	case route.Refuse, route.Hangup:
		c.closed = true
	case route.Bridge:
		if m.legs[o.Leg] != legAnswered || c.bridge.N != 0 {
			return fmt.Errorf("call %d talks with leg %v", id, o.Leg)
		}
		c.bridge = o.Leg
	case route.Play:
		for _, p := range o.Phrases {
			if p.Prompt != route.PromptHoldPosition {
				continue
			}
			if c.position > 0 && p.Number > c.position {
				return fmt.Errorf("call %d was told %d, then %d", id, c.position, p.Number)
			}
			c.position = p.Number
		}
	}
	return nil
}

func callOf(order route.Order) (id route.CallID, needsAnswer bool) {
	switch o := order.(type) {
	case route.Progress:
		return o.Call, false
	case route.Refuse:
		return o.Call, false
	case route.Answer:
		return o.Call, false
	case route.Play:
		return o.Call, true
	case route.Music:
		return o.Call, true
	case route.Ringback:
		return o.Call, true
	case route.Bridge:
		return o.Call, true
	case route.Hangup:
		return o.Call, true
	case route.Record:
		return o.Call, true
	case route.StopRecord:
		return o.Call, true
	case route.Silence:
		return o.Call, true
	}
	panic(fmt.Sprintf("sim: unknown order %T", order))
}

func (m *monitor) end(r route.CallRecord) error {
	c := m.calls[r.Visit]
	switch {
	case c == nil:
		return fmt.Errorf("end of call %d, which is over", r.Call)
	case c.far != nil && c.far.dialling:
		return fmt.Errorf("end of call %d while the number is dialled", r.Call)
	case !c.closed && (c.far == nil || c.answered):
		return fmt.Errorf("end of call %d with the caller still on the line", r.Call)
	case !slices.Contains(route.Outcomes, r.Outcome) || r.Reason == "":
		return fmt.Errorf("call %d ends with %q (%q)", r.Call, r.Outcome, r.Reason)
	case c.recording != recordOff:
		return fmt.Errorf("end of call %d while it is recorded", r.Call)
	case c.voice != recordOff:
		return fmt.Errorf("end of call %d while it is listened to", r.Call)
	case r.Outcome != route.Forwarded && (r.Outcome == route.Answered) != (c.bridge.N > 0):
		return fmt.Errorf("call %d ends with %s; talked with leg %v", r.Call, r.Outcome, c.bridge)
	}
	for _, leg := range c.legs {
		if m.legs[leg] == legRinging || m.legs[leg] == legAnswered {
			return fmt.Errorf("call %d ends while leg %v is in state %d", r.Call, leg, m.legs[leg])
		}
	}
	for _, offer := range r.Offers {
		if offer.Result == "" || offer.Until.Before(offer.At) {
			return fmt.Errorf("call %d ends with an open offer to %d", r.Call, offer.Operator)
		}
	}
	m.ends[r.Outcome]++
	delete(m.calls, r.Visit)
	return nil
}

// finish says what is left at the end of the world.
func (m *monitor) finish(w *world) error {
	ends := 0
	for _, o := range route.Outcomes {
		ends += m.ends[o]
	}
	if ends != m.arrivals+m.others || len(m.calls) > 0 || int(w.nextCall)+w.passed != m.arrivals {
		return fmt.Errorf("%d calls arrived, %d were made, %d ended", m.arrivals, m.others, ends)
	}
	return nil
}
