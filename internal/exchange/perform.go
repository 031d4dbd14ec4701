package exchange

import (
	"time"

	"switchboard/internal/route"
)

// Perform carries out one order of the core. Orders about legs that are gone already are void: the core will learn of
// their end from an event on its way.
func (x *Exchange) Perform(effect route.Effect) {
	switch order := effect.Order.(type) {
	case route.Ring:
		x.ring(order)
	case route.CancelLeg:
		x.endDevice(order.Leg, order.Elsewhere)
	case route.HangupLeg:
		x.endDevice(order.Leg, false)
	case route.Bridge:
		x.bridge(order)
	case route.Record:
		x.record(order)
	default:
		if id, ok := callOf(order); ok {
			if c, ok := x.call(id); ok {
				x.performFor(c, order)
			}
		}
	}
}

func callOf(order route.Order) (route.CallID, bool) {
	switch o := order.(type) {
	case route.Progress:
		return o.Call, true
	case route.Refuse:
		return o.Call, true
	case route.Answer:
		return o.Call, true
	case route.Play:
		return o.Call, true
	case route.Music:
		return o.Call, true
	case route.Ringback:
		return o.Call, true
	case route.Silence:
		return o.Call, true
	case route.Hangup:
		return o.Call, true
	case route.StopRecord:
		return o.Call, true
	case route.End:
		return o.Record.Visit, true
	}
	return 0, false
}

// performFor carries out an order about the caller's side.
func (x *Exchange) performFor(c *call, order route.Order) {
	switch o := order.(type) {
	case route.Progress:
		if c.refuse == 0 {
			c.leg.Progress()
		}
	case route.Refuse:
		status := o.Status
		if c.refuse != 0 {
			status = c.refuse
		}
		c.leg.Refuse(status, o.RetryAfter)
	case route.Answer:
		c.leg.Answer(c.answer)
	case route.Hangup:
		c.leg.Hangup(false)
	case route.End:
		x.end(c)
	default:
		if c.port != nil {
			x.sound(c, order)
		}
	}
}

// sound carries out an order about what the caller hears.
func (x *Exchange) sound(c *call, order route.Order) {
	switch o := order.(type) {
	case route.Play:
		var clips [][]byte
		for _, phrase := range o.Phrases {
			clips = append(clips, x.cfg.Prompts.Clips(phrase)...)
		}
		c.port.Play(clips, func() { x.cfg.Say(route.PlayDone{Call: o.Call, Play: o.ID}) })
	case route.Music:
		c.port.Loop(o.Center)
	case route.Ringback:
		c.port.Ringback()
	case route.Silence:
		c.port.Silence()
	case route.StopRecord:
		c.port.StopRecord()
	}
}

func (x *Exchange) end(c *call) {
	x.mu.Lock()
	delete(x.calls, c.id)
	x.mu.Unlock()
	if c.port != nil {
		c.port.Close()
	}
}

// ring invites a device. A device that is gone from the settings, or that finds no port free, failed as unreachable.
func (x *Exchange) ring(order route.Ring) {
	c, ok := x.call(order.Leg.Call)
	if !ok {
		return
	}
	r := &rung{id: order.Leg}
	events := &deviceEvents{exchange: x, rung: r}
	contact, static := x.cfg.Directory.Contact(order.Device)
	if static && contact == "" {
		x.cfg.Say(route.LegFailed{Leg: order.Leg, Status: 404})
		return
	}
	port, err := x.cfg.Ports.Open(func(byte) {}, events.silent)
	if err != nil {
		x.cfg.Log.Warn("no audio port for a device", "call", order.Leg.Call, "error", err)
		x.cfg.Say(route.LegFailed{Leg: order.Leg, Status: 503})
		return
	}
	device := Device{Contact: contact}
	if !static {
		device.ID = order.Device
	}
	r.port, r.far = port, x.cfg.Phones.Facing(device)
	// The lock is held over Invite, so that an event of the new leg finds the leg in place.
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rung[r.id] = r
	r.leg = x.cfg.Phones.Invite(device, order.From, port.Offer(c.port, r.far), events)
}

func (x *Exchange) endDevice(id route.LegID, elsewhere bool) {
	r, ok := x.device(id)
	if ok && x.drop(r) {
		r.leg.Hangup(elsewhere)
	}
}

// bridge connects caller and operator. Where one side is gone already, its event is on the way to the core.
func (x *Exchange) bridge(order route.Bridge) {
	c, ok := x.call(order.Call)
	if !ok || c.port == nil {
		return
	}
	if r, ok := x.device(order.Leg); ok {
		c.port.Connect(r.port)
	}
}

// record starts a voicemail. A disk that refuses is told to the core at once, so that the caller hears of it.
func (x *Exchange) record(order route.Record) {
	c, ok := x.call(order.Call)
	if !ok || c.port == nil {
		return
	}
	path, err := x.cfg.Mailbox.Begin(order, time.Now())
	if err == nil {
		err = c.port.Record(path, order.Limit, func(length time.Duration, err error) { x.recorded(c, length, err) })
	}
	if err != nil {
		x.recorded(c, 0, err)
	}
}
