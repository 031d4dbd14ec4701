package route

import "time"

// recordingState says what is written of a call.
type recordingState int

const (
	recordingOff recordingState = iota
	recordingOn
	recordingPaused
)

func (s recordingState) word() string { return [...]string{"", "on", "paused"}[s] }

// Masks says that a digit of this call is not to be written anywhere: its recording or its voice analysis is paused, so
// what is typed is nobody's business. The host asks before it journals a Digit or an OperatorDigit.
func (m *Machine) Masks(id CallID) bool {
	c := m.calls[id]
	return c != nil && (c.recording == recordingPaused || c.voice == voicePaused)
}

// records says whether the center has such calls recorded, now.
func (m *Machine) records(c *call) bool {
	if c.center == nil || c.way != "" {
		return false
	}
	r := c.center.settings.AdvancedSettings.AutoCallRecording
	if c.outbound() {
		return r.Outbound
	}
	return r.Inbound
}

// bridge connects the caller with the operator's leg. What the center says of recording at this instant holds for the
// whole call.
func (m *Machine) bridge(c *call, rule string) {
	m.rule(Bridge{Call: c.id, Leg: c.bridged}, rule)
	c.playing, c.legPlay, c.music, c.connected = 0, 0, false, m.now
	if m.records(c) {
		c.recording = recordingOn
		m.rule(RecordCall{
			Call: c.id, Leg: c.bridged, Center: c.center.id, Operator: c.operator.id, Direction: c.direction(),
		}, "auto_call_recording")
	}
	m.listenFrom(c)
}

func (m *Machine) stopRecording(c *call) {
	if c.recording != recordingOff {
		c.recording = recordingOff
		m.rule(StopCallRecording{Call: c.id}, "ended")
	}
}

func (m *Machine) recordingSet(e RecordingSet) {
	if o := m.operators[e.Operator]; o != nil && o.call != nil {
		m.pauseRecording(o.call, !e.On)
	}
}

// pauseRecording pauses while the center allows it. What is paused may always go on.
func (m *Machine) pauseRecording(c *call, pause bool) {
	state, word, prompt := recordingOn, "goes on", PromptRecordingResumed
	if pause {
		state, word, prompt = recordingPaused, "is paused", PromptRecordingPaused
	}
	if c.recording == recordingOff || c.recording == state ||
		pause && !c.center.settings.AdvancedSettings.AutoCallRecording.AllowPause {
		return
	}
	c.recording = state
	m.rule(PauseCallRecording{Call: c.id, Pause: pause}, "allow_pause_recording")
	m.walk(c, "allow_pause_recording", "The recording "+word)
	m.playToOperator(c, "allow_pause_recording", Phrase{Prompt: prompt, Center: c.center.id})
}

// operatorDigit reads the codes of an operator, which pause something or let it go on: *2 the recording, *3 the voice
// analysis.
func (m *Machine) operatorDigit(e OperatorDigit) {
	c := m.calls[e.Leg.Call]
	if c == nil || c.state != stateConnected || c.bridged != e.Leg {
		return
	}
	star := c.star
	c.star = time.Time{}
	coded := !star.IsZero() && !m.now.After(star.Add(PauseKeyWithin))
	switch {
	case e.Digit == '*':
		c.star = m.now
	case e.Digit == '2' && coded:
		m.pauseRecording(c, c.recording == recordingOn)
	case e.Digit == '3' && coded:
		m.switchVoice(c, c.voice != voiceOn)
	}
}
