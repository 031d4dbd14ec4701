package route

import (
	"slices"
	"strings"
	"time"
)

// callback is what a call is beyond others when it calls somebody back. Until an operator takes it it stands in the
// line like a caller, at the place of the one who booked it (docs/reference/routing.md, "Callbacks").
type callback struct {
	Callback
	resting  bool  // not offered: between two tries
	bookedIn *call // by whom; nil: by nobody who called
}

// ready says that a call of the line may be offered: every caller, and a callback that does not rest while the center
// is open.
func (c *call) ready() bool {
	return c.callback == nil || !c.callback.resting && c.center.active && c.center.avail.IsOpen()
}

// shown is what the phone of an operator shows of who calls.
func (c *call) shown() string {
	switch {
	case c.callback != nil:
		return "callback for " + c.to
	case c.asker != nil:
		return "call to " + c.to
	}
	return c.from
}

// addCallback puts a callback in the line. seq is its place among those who entered at the same instant.
func (m *Machine) addCallback(at *center, cb Callback) *call {
	g := m.newCall(cb.Call, cb.CallerID, cb.Number)
	g.enter(at)
	g.callback = &callback{Callback: cb}
	g.entered, g.open, g.welcomed = cb.Entered, true, true
	at.booked = append(at.booked, g)
	m.walk(g, "callback", "Is to be called back on "+cb.Number)
	return g
}

// standInLine makes a callback wait for its turn.
func (m *Machine) standInLine(g *call) {
	m.joinLine(g)
	g.center.makeIdle(g)
	m.setState(g, stateQueued)
	m.touch(g.center)
}

// isBooked says that the number waits for a callback of the center, or is being called.
func (at *center) isBooked(number string) bool {
	return slices.ContainsFunc(at.booked, func(g *call) bool { return g.to == number && g.state != stateConnected })
}

// book gives the place of a caller in the line to a callback, and lets the caller go.
func (m *Machine) book(c *call, number string) {
	at := c.center
	if at.isBooked(number) || m.calls[CallbackCall(c.id)] != nil {
		m.refuseCallback(c)
		return
	}
	cb := Callback{
		Call: CallbackCall(c.id), Center: at.id, Number: number, CallerID: c.to, Asked: m.now, Entered: c.entered,
	}
	m.cancelOffer(c, false)
	m.leaveLine(c)
	m.leaves(c, leftByRule)
	g := m.addCallback(at, cb)
	g.seq = c.seq // the very place
	g.callback.bookedIn = c
	m.standInLine(g)
	m.order(SaveCallback{cb}, Why{Rule: "callback", Text: number + " keeps the place"})
	m.prompt(c, CallbackRequested, "callback", []Phrase{{Prompt: PromptCallbackBooked, Text: number}})
}

// callbackAsked books a callback for somebody who did not call (docs/reference/routing.md, "Callbacks").
func (m *Machine) callbackAsked(e CallbackAsked) {
	at := m.centers[e.Center]
	d := CallbackDecided{Call: e.Call, Refused: m.refusedCallback(at, e)}
	if d.Refused != "" {
		m.rule(d, d.Refused)
		return
	}
	d.Position = len(at.line) + 1
	if !e.DryRun {
		cb := Callback{Call: e.Call, Center: at.id, Number: e.Number, Asked: m.now, Entered: m.now}
		g := m.addCallback(at, cb)
		m.standInLine(g)
		m.rule(SaveCallback{cb}, "callback")
		d.Position = at.position(g)
	}
	m.rule(d, "callback")
}

func (m *Machine) refusedCallback(at *center, e CallbackAsked) string {
	switch {
	case at == nil || at.deleted || !at.settings.HoldQueue.AllowQueueCallback || !isE164(e.Number):
		return RefusedNotAllowed
	case m.draining || !at.active || !at.avail.IsOpen():
		return RefusedClosed
	case at.isBooked(e.Number) || m.calls[e.Call] != nil:
		return RefusedDuplicate
	case len(at.line) >= at.settings.HoldQueue.MaxHoldCount:
		return RefusedFull
	}
	return ""
}

// restoreCallback takes a callback back that was saved before a restart. One whose center is gone, or whose tries are
// used up, is closed.
func (m *Machine) restoreCallback(cb Callback) {
	at := m.centers[cb.Center]
	switch {
	case m.draining || m.calls[cb.Call] != nil:
		return
	case at == nil || at.deleted:
		m.closeSaved(cb, "center_deleted")
		return
	case at.isBooked(cb.Number):
		m.closeSaved(cb, "duplicate")
		return
	case cb.Tries >= MaxTries:
		m.closeSaved(cb, "unreachable")
		return
	}
	g := m.addCallback(at, cb)
	g.arrived = cb.Asked
	m.standInLine(g)
	if cb.After.After(m.now) {
		m.rest(g, cb.After)
	}
}

// closeSaved ends a saved callback that cannot go on.
func (m *Machine) closeSaved(cb Callback, reason string) {
	g := m.newCall(cb.Call, cb.CallerID, cb.Number)
	g.callback, g.arrived, g.entered = &callback{Callback: cb}, cb.Asked, cb.Entered
	if at := m.centers[cb.Center]; at != nil {
		g.enter(at)
	}
	m.giveUp(g, reason)
}

// callbackStays is what becomes of a callback where a caller who waits would get the fallback: it keeps its place. One
// that every operator let ring is offered to them again after a while.
func (m *Machine) callbackStays(g *call, reason string) {
	g.undecided = false
	switch {
	case reason == "center_deleted":
		m.giveUp(g, reason)
	case reason == "no_answer" && g.ready() && g.restTimer.pos == 0:
		m.setTimer(&g.restTimer, m.now.Add(RoundPause))
	}
}

// rest keeps a callback from being offered.
func (m *Machine) rest(g *call, until time.Time) {
	g.callback.resting = true
	m.setTimer(&g.restTimer, until)
}

// rested begins a new round of the operators for a callback.
func (m *Machine) rested(g *call) {
	g.callback.resting = false
	if g.offer != nil {
		return // somebody became eligible in the meantime
	}
	g.tried, g.after = g.tried[:0], 0
	if len(g.offers) > MaxPath {
		g.offers = g.offers[:0] // days of operators who do not take it
	}
	m.touch(g.center)
}

// endBooking ends the call in which a callback was booked when its number is about to be called: whoever still hears
// the confirmation would be busy.
func (m *Machine) endBooking(g *call) {
	if c := g.callback.bookedIn; c != nil && m.calls[c.id] == c {
		m.rule(Hangup{Call: c.id}, c.reason)
		m.end(c, c.leave, c.reason)
	}
	g.callback.bookedIn = nil
}

// tryFailed puts a callback back to its place until the next try, or closes it after the last one.
func (m *Machine) tryFailed(g *call, reason string) {
	m.walk(g, reason, "Not reached on "+g.to+": "+inWords(reason))
	g.tried, g.after = g.tried[:0], 0
	tries := g.callback.Tries
	if tries >= MaxTries {
		m.giveUp(g, "callback_cancelled")
		return
	}
	g.callback.After = m.now.Add(tryPauses[tries-1])
	m.rule(SaveCallback{g.callback.Callback}, reason)
	m.standInLine(g)
	m.rest(g, g.callback.After)
}

// forgetCallback says that a callback is over.
func (m *Machine) forgetCallback(c *call) {
	if c.callback == nil {
		return
	}
	m.rule(DropCallback{c.id}, "callback")
	c.unbook()
}

func (c *call) unbook() {
	if at := c.center; at != nil {
		if i := slices.Index(at.booked, c); i >= 0 {
			at.booked = slices.Delete(at.booked, i, i+1)
		}
	}
}

// leaveToDisk takes a callback out of a process that stops, as if it had never been here: the next one restores it.
func (m *Machine) leaveToDisk(g *call) {
	m.hangUpBoth(g, "draining")
	m.leaveLine(g)
	for _, t := range g.timers() {
		m.stopTimer(t)
	}
	g.unbook()
	delete(m.calls, g.id)
	m.arrivals--
	g.center.arrivals--
	g.center.live--
	m.markCenter(g.center)
	m.touch(g.center)
	m.dirty.ended = append(m.dirty.ended, g.id)
}

// isE164 says whether a number has the form that can be called: a plus and 7 to 15 digits, the first of them not 0.
func isE164(number string) bool {
	digits, plus := strings.CutPrefix(number, "+")
	return plus && len(digits) >= MinNumberDigits && len(digits) <= MaxNumberDigits && digits[0] != '0' &&
		strings.Trim(digits, "0123456789") == ""
}

// typedNumber reads a number that a caller typed: with its country code, which 00 or 011 may precede; ten digits are a
// number of North America where the caller had dialled one.
func typedNumber(digits, dialled string) (string, bool) {
	switch {
	case strings.HasPrefix(digits, "011"):
		digits = digits[3:]
	case strings.HasPrefix(digits, "00"):
		digits = digits[2:]
	case len(digits) == 10 && strings.HasPrefix(dialled, "+1"):
		digits = "1" + digits
	}
	return "+" + digits, isE164("+" + digits)
}
