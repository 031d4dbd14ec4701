package exchange

import (
	"net/netip"
	"time"

	"switchboard/internal/route"
)

// callerSilent ends a talking call whose caller's audio died: without it a crashed phone would hold an operator.
func (x *Exchange) callerSilent(c *call) {
	x.cfg.Log.Info("a caller's audio stopped", "call", c.id)
	x.mu.Lock()
	leg := c.leg
	x.mu.Unlock()
	if leg == nil {
		return // still being called
	}
	leg.Hangup(false)
	x.cfg.Say(route.CallerHungUp{Call: c.id, Lost: true})
}

// callerEvents tells the core what the caller's leg does.
type callerEvents struct {
	exchange *Exchange
	call     *call
}

func (e *callerEvents) Ringing([]byte) {}

// Answered brings the answer to a late offer, in the ACK.
func (e *callerEvents) Answered(sdp []byte) {
	if len(sdp) == 0 || e.call.port == nil {
		return
	}
	if err := e.call.port.Complete(sdp); err != nil {
		e.exchange.cfg.Say(route.CallFailed{Call: e.call.id, Reason: "no_codec"})
	}
}

func (e *callerEvents) Failed(int) { e.exchange.callerLeft(e.call, false) }

func (e *callerEvents) Ended(_ string, lost bool) { e.exchange.callerLeft(e.call, lost) }

// callerLeft also ends a voicemail: a caller who has nothing more to say hangs up.
func (x *Exchange) callerLeft(c *call, lost bool) {
	x.cfg.Say(route.CallerHungUp{Call: c.id, Lost: lost})
	if c.port != nil {
		c.port.StopRecord()
	}
}

// Digit came as SIP INFO. The port knows which of them came as RFC 4733 events too.
func (e *callerEvents) Digit(d byte) {
	if e.call.port != nil {
		e.call.port.InfoDigit(d)
	}
}

// Offer answers a re-INVITE.
func (e *callerEvents) Offer(sdp []byte) ([]byte, int) {
	return reoffer(e.call.port, sdp, e.call.at)
}

func reoffer(port Port, sdp []byte, far netip.Addr) ([]byte, int) {
	if port == nil {
		return nil, 488
	}
	if len(sdp) == 0 {
		return port.Offer(nil, far), 0
	}
	answer, err := port.Accept(sdp)
	if err != nil {
		return nil, 488
	}
	return answer, 0
}

// deviceEvents tells the core what a rung device's leg does.
type deviceEvents struct {
	exchange *Exchange
	rung     *rung
}

func (e *deviceEvents) Ringing([]byte) { e.exchange.cfg.Say(route.LegRinging{Leg: e.rung.id}) }

func (e *deviceEvents) Answered(sdp []byte) {
	if err := e.rung.port.Complete(sdp); err != nil {
		e.exchange.cfg.Log.Info("no common codec with a device", "call", e.rung.id.Call, "error", err)
		e.hangup()
		e.failed(488)
		return
	}
	e.exchange.cfg.Say(route.LegAnswered{Leg: e.rung.id})
}

func (e *deviceEvents) Failed(status int) { e.failed(status) }

func (e *deviceEvents) failed(status int) {
	if e.exchange.drop(e.rung) {
		e.exchange.cfg.Say(route.LegFailed{Leg: e.rung.id, Status: status})
	}
}

func (e *deviceEvents) Ended(string, bool) {
	if e.exchange.drop(e.rung) {
		e.exchange.cfg.Say(route.LegHungUp{Leg: e.rung.id})
	}
}

// pressed is a key, however it came; the port passes it on to the caller too.
func (e *deviceEvents) pressed(d byte) {
	e.exchange.cfg.Say(route.OperatorDigit{Leg: e.rung.id, Digit: d})
}

// Digit came as SIP INFO: the port passes it on to the caller.
func (e *deviceEvents) Digit(d byte) { e.rung.port.InfoDigit(d) }

func (e *deviceEvents) Offer(sdp []byte) ([]byte, int) { return reoffer(e.rung.port, sdp, e.rung.far) }

func (e *deviceEvents) hangup() {
	e.exchange.mu.Lock()
	leg := e.rung.leg
	e.exchange.mu.Unlock()
	if leg != nil {
		leg.Hangup(false)
	}
}

// silent ends the leg of an operator whose audio died.
func (e *deviceEvents) silent() {
	e.exchange.cfg.Log.Info("an operator's audio stopped", "call", e.rung.id.Call)
	e.hangup()
	e.Ended("silent", true)
}

// recorded finishes a voicemail.
func (x *Exchange) recorded(c *call, length time.Duration, err error) {
	ended := route.RecordingEnded{Call: c.id, Duration: length, Kept: err == nil && length >= MinVoicemail}
	if err != nil {
		ended.Err = err.Error()
		x.cfg.Log.Error("a voicemail could not be written", "call", c.id, "error", err)
	}
	x.cfg.Mailbox.End(c.id, length, ended.Kept)
	x.cfg.Say(ended)
}
