package exchange

import (
	"time"

	"switchboard/internal/route"
)

// listen begins to listen to a bridged pair. What fails there costs the figures, not the call.
func (x *Exchange) listen(order route.StartVoice) {
	c, ok := x.call(order.Call)
	if !ok || c.port == nil || x.cfg.Voices == nil {
		return
	}
	r, ok := x.device(order.Leg)
	if !ok {
		return
	}
	c.hear(route.StopVoice{Call: c.id})
	listener := x.cfg.Voices.Begin(order, c.number, time.Now())
	ear, err := c.port.ListenWith(r.port, listener)
	if err != nil {
		x.cfg.Log.Error("a call could not be listened to", "call", c.id, "error", err)
		listener.Ended(0, 0)
		return
	}
	c.ear = ear
}

// hear carries out an order to what listens, if anything does.
func (c *call) hear(order route.Order) {
	if c.ear == nil {
		return
	}
	switch order.(type) {
	case route.PauseVoice:
		c.ear.Pause(true)
	case route.ResumeVoice:
		c.ear.Pause(false)
	case route.StopVoice:
		c.ear.Stop()
		c.ear = nil
	}
}
