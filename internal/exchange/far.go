package exchange

import (
	"switchboard/internal/route"
)

// dial calls a number: in the place that a caller has, or in that of an operator's device where a caller is forwarded.
func (x *Exchange) dial(order route.DialFar) {
	to, from, status := x.cfg.Lines.Line(order)
	leg := route.LegID{Call: order.Call, N: order.Leg}
	switch {
	case status != 0 && order.Leg != 0:
		x.cfg.Say(route.LegFailed{Leg: leg, Status: status})
	case status != 0:
		x.cfg.Say(route.FarFailed{Call: order.Call, Status: status})
	case order.Leg != 0:
		x.invite(leg, Device{Contact: to}, from)
	default:
		x.dialCaller(order, to, from)
	}
}

// dialCaller calls the number that becomes the caller's side.
func (x *Exchange) dialCaller(order route.DialFar, to, from string) {
	c := &call{id: order.Call, number: order.To, dialed: true}
	port, err := x.openCallPort(c)
	if err != nil {
		x.cfg.Log.Warn("no audio port for a number to call", "call", order.Call, "error", err)
		x.cfg.Say(route.FarFailed{Call: order.Call, Status: 503})
		return
	}
	device := Device{Contact: to}
	c.port, c.at = port, x.cfg.Phones.Facing(device)
	events := &farEvents{callerEvents{exchange: x, call: c}}
	// The lock is held over Invite, so that an event of the new leg finds the leg in place.
	x.mu.Lock()
	before := x.calls[c.id]
	x.calls[c.id] = c
	c.leg = x.cfg.Phones.Invite(device, from, port.Offer(x.operatorPort(c.id), c.at), events)
	x.mu.Unlock()
	if before != nil { // a try that the core gave up
		before.port.Close()
	}
}

// operatorPort is that of a leg of the call, nil when there is none. Called with the lock held.
func (x *Exchange) operatorPort(id route.CallID) Port {
	for leg, r := range x.rung {
		if leg.Call == id {
			return r.port
		}
	}
	return nil
}

// hangup ends the far side. A number that did not answer is forgotten at once: it may be called again.
func (x *Exchange) hangup(c *call) {
	x.mu.Lock()
	ringing := c.dialed && !c.talks
	x.mu.Unlock()
	c.leg.Hangup(false)
	if ringing {
		x.forget(c)
	}
}

// forget drops a call that was dialed; it reports false when that was done before.
func (x *Exchange) forget(c *call) bool {
	x.mu.Lock()
	current := x.calls[c.id] == c
	if current {
		delete(x.calls, c.id)
	}
	x.mu.Unlock()
	if current {
		c.port.Close()
	}
	return current
}

// farEvents tells the core what the leg to a number does. Once it is answered, it is as any caller's.
type farEvents struct{ callerEvents }

func (e *farEvents) Answered(sdp []byte) {
	x, c := e.exchange, e.call
	if err := c.port.Complete(sdp); err != nil {
		x.cfg.Log.Info("no common codec with a number", "call", c.id, "error", err)
		x.mu.Lock()
		leg := c.leg
		x.mu.Unlock()
		leg.Hangup(false)
		e.Failed(488)
		return
	}
	x.mu.Lock()
	current := x.calls[c.id] == c
	c.talks = true
	x.mu.Unlock()
	if current {
		x.cfg.Say(route.FarAnswered{Call: c.id})
	}
}

func (e *farEvents) Failed(status int) {
	if e.exchange.forget(e.call) {
		e.exchange.cfg.Say(route.FarFailed{Call: e.call.id, Status: status})
	}
}

// noRouters answers for call routers where none can be asked.
type noRouters struct{}

func (noRouters) Ask(_ route.AskRouter, answered func(route.RouterAnswered)) {
	answered(route.RouterAnswered{Err: "call routers cannot be asked here"})
}
