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
	case route.RecordCall:
		x.recordCall(order)
	case route.StartVoice:
		x.listen(order)
	case route.DialFar:
		x.dial(order)
	case route.AskRouter:
		x.cfg.Routers.Ask(order, func(answered route.RouterAnswered) {
			if answered.Answer.Message != "" {
				x.cfg.Prompts.Prepare(answered.Answer.Message)
			}
			answered.Call = order.Call
			x.cfg.Say(answered)
		})
	default:
		if id, ok := callOf(order); ok {
			x.performOn(id, order)
		}
	}
}

// performOn carries out an order about a call: what an operator is to hear goes to their leg.
func (x *Exchange) performOn(id route.CallID, order route.Order) {
	if n := listener(order); n != 0 {
		if r, ok := x.device(route.LegID{Call: id, N: n}); ok {
			x.sound(r.port, order)
		}
		return
	}
	if c, ok := x.call(id); ok {
		x.performFor(c, order)
	}
}

// listener is the N of the leg that is to hear something; 0: the caller.
func listener(order route.Order) int {
	switch o := order.(type) {
	case route.Play:
		return o.Leg
	case route.Ringback:
		return o.Leg
	}
	return 0
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
	case route.PauseCallRecording:
		return o.Call, true
	case route.StopCallRecording:
		return o.Call, true
	case route.PauseVoice:
		return o.Call, true
	case route.ResumeVoice:
		return o.Call, true
	case route.StopVoice:
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
		if caller, ok := c.leg.(Caller); ok {
			caller.Refuse(status, o.RetryAfter)
		}
	case route.Answer:
		if caller, ok := c.leg.(Caller); ok {
			caller.Answer(c.answer)
		}
	case route.Hangup:
		x.hangup(c)
	case route.PauseCallRecording:
		if c.tape != nil {
			c.tape.Pause(o.Pause)
		}
	case route.StopCallRecording:
		x.stopTape(c)
	case route.PauseVoice, route.ResumeVoice, route.StopVoice:
		c.hear(order)
	case route.StopRecord:
		if c.port != nil {
			c.port.StopRecord()
		}
	case route.End:
		x.end(c)
	default:
		if c.port != nil {
			x.sound(c.port, order)
		}
	}
}

// sound carries out an order about what a far side hears.
func (x *Exchange) sound(port Port, order route.Order) {
	switch o := order.(type) {
	case route.Play:
		var clips [][]byte
		for _, phrase := range o.Phrases {
			clips = append(clips, x.cfg.Prompts.Clips(phrase)...)
		}
		port.Play(clips, func() { x.cfg.Say(route.PlayDone{Call: o.Call, Play: o.ID}) })
	case route.Music:
		port.Loop(o.Center)
	case route.Ringback:
		port.Ringback()
	case route.Silence:
		port.Silence()
	}
}

func (x *Exchange) end(c *call) {
	x.mu.Lock()
	delete(x.calls, c.id)
	x.mu.Unlock()
	x.stopTape(c)
	c.hear(route.StopVoice{Call: c.id})
	if c.port != nil {
		c.port.Close()
	}
}

// ring invites a device. A device that is gone from the settings, or that finds no port free, failed as unreachable.
func (x *Exchange) ring(order route.Ring) {
	contact, static := x.cfg.Directory.Contact(order.Device)
	if static && contact == "" {
		x.cfg.Say(route.LegFailed{Leg: order.Leg, Status: 404})
		return
	}
	device := Device{Contact: contact}
	if !static {
		device.ID = order.Device
	}
	x.invite(order.Leg, device, order.From)
}

// invite begins a leg. Of a callback or an operator's own call there is no other side yet.
func (x *Exchange) invite(id route.LegID, device Device, from string) {
	var like Port
	if c, ok := x.call(id.Call); ok {
		like = c.port
	}
	r := &rung{id: id}
	events := &deviceEvents{exchange: x, rung: r}
	port, err := x.cfg.Ports.Open(events.pressed, events.silent)
	if err != nil {
		x.cfg.Log.Warn("no audio port for a device", "call", id.Call, "error", err)
		x.cfg.Say(route.LegFailed{Leg: id, Status: 503})
		return
	}
	r.port, r.far = port, x.cfg.Phones.Facing(device)
	// The lock is held over Invite, so that an event of the new leg finds the leg in place.
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rung[r.id] = r
	r.leg = x.cfg.Phones.Invite(device, from, port.Offer(like, r.far), events)
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
