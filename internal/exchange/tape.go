package exchange

import (
	"time"

	"switchboard/internal/route"
)

// recordCall records a bridged pair. A disk that refuses costs the recording, not the call.
func (x *Exchange) recordCall(order route.RecordCall) {
	c, ok := x.call(order.Call)
	if !ok || c.port == nil {
		return
	}
	r, ok := x.device(order.Leg)
	if !ok {
		return
	}
	x.stopTape(c)
	id, path, err := x.cfg.Recordings.Begin(order, c.number, time.Now())
	if err == nil {
		c.tape, err = c.port.RecordWith(r.port, path, func(result Recorded) { x.taped(c, id, result) })
	}
	if err != nil {
		c.tape = nil
		x.taped(c, id, Recorded{Err: err})
	}
}

func (x *Exchange) stopTape(c *call) {
	if c.tape != nil {
		c.tape.Stop()
		c.tape = nil
	}
}

// taped finishes a recording.
func (x *Exchange) taped(c *call, id int64, result Recorded) {
	switch {
	case result.Err != nil:
		x.cfg.Log.Error("a recording could not be written", "call", c.id, "error", result.Err)
	case result.Lost > 0:
		x.cfg.Log.Warn("the disk was too slow for a recording", "call", c.id, "frames", result.Lost)
	}
	x.cfg.Recordings.End(id, result)
}
