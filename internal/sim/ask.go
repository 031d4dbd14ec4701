package sim

import (
	"fmt"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// ghostsFor is how long after the last arrival callbacks may still wait for their turn; then they are given up.
const ghostsFor = 2 * time.Hour

// changeLater draws a setting of callbacks, recording or alerts anew.
func (w *world) changeLater(s *callcenter.Settings) {
	q, r := &s.HoldQueue, &s.AdvancedSettings.AutoCallRecording
	switch w.rng.IntN(5) {
	case 0, 1:
		q.AllowQueueCallback = w.chance(0.8)
		q.QueueCallbackDTMF = "9"
	case 2:
		q.QueueCallbackThreshold = w.rng.IntN(3)
	case 3:
		r.Outbound, r.AllowPause = w.chance(0.5), w.chance(0.7) // the oracle knows no notice before the line
		s.VoiceIntelligence = callcenter.VoiceIntelligence{AutoStart: r.Outbound, AllowPause: r.AllowPause}
	case 4:
		s.Alerts.ServiceLevelPercent = w.rng.IntN(101)
	}
}

// ask is what people ask for through the API.
func (w *world) ask() {
	if w.over {
		return
	}
	w.after(w.exp(time.Minute), w.ask)
	p := w.operators[w.rng.IntN(len(w.operators))].op.ID
	c := w.centers[w.rng.IntN(len(w.centers))]
	if !isLive(c) {
		return
	}
	w.asked++
	id := askedFrom + w.asked
	number := fmt.Sprintf("+1666%07d", w.rng.IntN(30))
	switch w.rng.IntN(5) {
	case 0:
		w.step(route.CallbackAsked{Call: id, Center: c.ID, Number: number, DryRun: w.chance(0.2)})
	case 1:
		at := c.ID
		if w.chance(0.5) {
			at = 0
		}
		w.calls[id] = &caller{far: true}
		w.step(route.CallAsked{Call: id, Operator: p, Center: at, To: number})
	case 2:
		on := w.chance(0.5)
		w.step(route.RecordingSet{Operator: p, On: on})
		w.step(route.VoiceSet{Operator: p, On: on})
	case 3:
		if busy, ok := w.m.Operator(p); ok && w.chance(0.2) && w.calls[busy.Call] != nil {
			w.calls[busy.Call].gone = true
			w.step(route.HangupAsked{Call: busy.Call})
			w.saveMessage(busy.Call)
		}
	case 4:
		w.lose(c.ID)
	}
}

// askedFrom is above every caller of a run.
const askedFrom route.CallID = 1 << 40

// saveMessage reports the voicemail of a caller whose call was ended.
func (w *world) saveMessage(id route.CallID) {
	if c := w.calls[id]; c != nil && c.record {
		w.step(route.RecordingEnded{Call: id, Duration: 9 * time.Second, Kept: true})
	}
}

// books has a caller press the keys that book a callback, when it is offered to them; some get lost on the way.
func (w *world) books(o route.Play) {
	for _, p := range o.Phrases {
		keys := map[route.Prompt]string{
			route.PromptCallbackOffer: "9", route.PromptCallbackConfirm: "112", route.PromptCallbackType: "1666#9",
		}[p.Prompt]
		if keys == "" || w.chance(0.4) {
			continue
		}
		if p.Prompt == route.PromptCallbackType && w.chance(0.7) {
			keys = fmt.Sprintf("1666%07d#", w.rng.IntN(30))
		} else {
			keys = keys[w.rng.IntN(len(keys)):][:1]
		}
		for i := range len(keys) {
			w.after(time.Duration(i+1)*w.between(time.Second, 2*time.Second), func() {
				if c := w.calls[o.Call]; c != nil && !c.gone {
					w.step(route.Digit{Call: o.Call, Digit: keys[i]})
				}
			})
		}
	}
}

// dialFar is how a number behaves that is called.
func (w *world) dialFar(o route.DialFar) {
	c := w.calls[o.Call]
	c.dial++
	n := c.dial
	still := func(do func()) func() {
		return func() {
			if c := w.calls[o.Call]; c != nil && c.dial == n {
				do()
			}
		}
	}
	switch x := w.rng.Float64(); {
	case x < 0.2: // rings on
	case x < 0.4:
		w.after(w.exp(5*time.Second), still(func() {
			w.step(route.FarFailed{Call: o.Call, Status: []int{486, 503, 404, 480}[w.rng.IntN(4)]})
		}))
	case x < 0.5: // the operator loses patience
		leg := w.answered
		w.after(w.exp(10*time.Second), still(func() {
			if c.bridge.N == 0 {
				w.step(route.LegHungUp{Leg: leg})
			}
		}))
	default:
		w.after(w.exp(8*time.Second), still(func() { w.step(route.FarAnswered{Call: o.Call}) }))
	}
}

// farOrder is the host for callbacks and numbers. False: the order is about something else.
func (w *world) farOrder(order route.Order) bool {
	switch o := order.(type) {
	case route.SaveCallback:
		if w.calls[o.Callback.Call] == nil {
			w.calls[o.Callback.Call] = &caller{far: true}
		}
	case route.DialFar:
		w.dialFar(o)
	case route.Play:
		if o.Leg == 0 {
			w.books(o)
			return false
		}
		w.after(w.between(time.Second, 3*time.Second), func() {
			if w.calls[o.Call] != nil {
				w.step(route.PlayDone{Call: o.Call, Play: o.ID})
			}
		})
	case route.Hangup:
		if c := w.calls[o.Call]; c != nil {
			c.dial++
		}
	default:
		return false
	}
	return true
}

// lose breaks the call of somebody who waits.
func (w *world) lose(at callcenter.ID) {
	waiting := w.m.Waiting(at)
	if len(waiting) == 0 {
		return
	}
	id := waiting[w.rng.IntN(len(waiting))]
	w.calls[id].gone = true
	w.redial(id)
	w.step(route.CallFailed{Call: id, Reason: "media_dead"})
}

// redial has a caller who was lost call again, some in time for their place.
func (w *world) redial(id route.CallID) {
	c := w.calls[id]
	if c == nil || c.far || w.over || w.chance(0.3) {
		return
	}
	from, at := c.from, c.at
	w.after(w.between(time.Second, 3*time.Minute), func() {
		if !w.over {
			w.arriveFrom(from, at)
		}
	})
}

// giveUpCallbacks ends what would wait until somebody comes on duty.
func (w *world) giveUpCallbacks() {
	for _, id := range w.m.CallIDs() {
		if c := w.calls[id]; c != nil && c.far {
			c.gone = true
			w.step(route.HangupAsked{Call: id})
		}
	}
}
