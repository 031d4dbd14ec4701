package sim

import (
	"fmt"

	"switchboard/internal/route"
)

// farState is what the monitor knows of a call whose number we call.
type farState struct {
	dialling bool
	saved    bool // a callback
}

// farEvent notes what the world told the machine of calls to numbers.
func (m *monitor) farEvent(e route.Event) {
	switch e := e.(type) {
	case route.CallAsked:
		m.others++
		m.calls[e.Call] = &callState{far: &farState{}}
	case route.FarAnswered:
		if c := m.calls[e.Call]; c != nil && c.far != nil && c.far.dialling {
			c.far.dialling, c.answered = false, true
		}
	case route.FarFailed:
		if c := m.calls[e.Call]; c != nil && c.far != nil {
			c.far.dialling = false
		}
	case route.CallerHungUp:
		if c := m.calls[e.Call]; c != nil && c.far != nil {
			c.far.dialling, c.answered = false, false
		}
	}
}

// farEffect checks orders about callbacks, numbers, recordings and the operator's ear. False: it is none of them.
func (m *monitor) farEffect(order route.Order) (bool, error) {
	switch o := order.(type) {
	case route.SetDuty, route.Warn, route.SavePlace, route.DropPlace, route.Alert, route.CallbackDecided:
	case route.SaveCallback:
		if m.calls[o.Callback.Call] == nil {
			m.others++
			m.calls[o.Callback.Call] = &callState{far: &farState{saved: true}}
		}
	case route.DropCallback:
		if c := m.calls[o.Call]; c == nil || c.far == nil || !c.far.saved {
			return true, fmt.Errorf("callback %d, which was not saved, is dropped", o.Call)
		}
	case route.DialFar:
		c := m.calls[o.Call]
		if c == nil || c.far == nil || c.far.dialling || c.answered || !m.hasAnsweredLeg(c) {
			return true, fmt.Errorf("call %d dials %s", o.Call, o.To)
		}
		c.far.dialling = true
	case route.RecordCall:
		return true, m.recorded(o.Call, recordOff, recordOn)
	case route.PauseCallRecording:
		if o.Pause {
			return true, m.recorded(o.Call, recordOn, recordPaused)
		}
		return true, m.recorded(o.Call, recordPaused, recordOn)
	case route.StopCallRecording:
		if c := m.calls[o.Call]; c != nil && c.recording == recordPaused {
			c.recording = recordOn
		}
		return true, m.recorded(o.Call, recordOn, recordOff)
	case route.StartVoice, route.PauseVoice, route.ResumeVoice, route.StopVoice:
		return true, m.listened(order)
	case route.Play:
		return o.Leg > 0, m.toOperator(o.Call, o.Leg)
	case route.Ringback:
		return o.Leg > 0, m.toOperator(o.Call, o.Leg)
	case route.Hangup:
		return m.farHangup(o.Call)
	default:
		return false, nil
	}
	return true, nil
}

// listened follows the voice analysis of a call.
func (m *monitor) listened(order route.Order) error {
	var id route.CallID
	from, to := recordOn, recordOff
	switch o := order.(type) {
	case route.StartVoice:
		id, from, to = o.Call, recordOff, recordOn
	case route.PauseVoice:
		id, from, to = o.Call, recordOn, recordPaused
	case route.ResumeVoice:
		id, from, to = o.Call, recordPaused, recordOn
	case route.StopVoice:
		id = o.Call
	}
	c := m.calls[id]
	ends := to == recordOff && c != nil && c.voice == recordPaused
	if c == nil || c.bridge.N == 0 || c.voice != from && !ends {
		return fmt.Errorf("call %d is listened to as of %d, from %d", id, to, from)
	}
	c.voice = to
	return nil
}

type recordState int

const (
	recordOff recordState = iota
	recordOn
	recordPaused
)

func (m *monitor) recorded(id route.CallID, from, to recordState) error {
	c := m.calls[id]
	if c == nil || c.bridge.N == 0 || c.recording != from {
		return fmt.Errorf("the recording of call %d goes from %d to %d", id, from, to)
	}
	c.recording = to
	return nil
}

func (m *monitor) hasAnsweredLeg(c *callState) bool {
	for _, leg := range c.legs {
		if m.legs[leg] == legAnswered {
			return true
		}
	}
	return false
}

func (m *monitor) toOperator(id route.CallID, leg int) error {
	if leg > 0 && m.legs[route.LegID{Call: id, N: leg}] != legAnswered {
		return fmt.Errorf("leg %d of call %d hears something and was not answered", leg, id)
	}
	return nil
}

// farHangup ends a number that was called, also before it answered.
func (m *monitor) farHangup(id route.CallID) (bool, error) {
	c := m.calls[id]
	if c == nil || c.far == nil {
		return false, nil
	}
	if !c.far.dialling && !c.answered {
		return true, fmt.Errorf("call %d is hung up and was not dialled", id)
	}
	c.far.dialling, c.answered = false, false
	return true, nil
}
