package route

// voiceState says whether a call is listened to for the figures of its conversation (docs/reference/voice.md).
type voiceState int

const (
	voiceOff voiceState = iota
	voiceOn
	voicePaused
)

func (s voiceState) word() string { return [...]string{"", "on", "paused"}[s] }

// ofCenter says whether the rules of the call center are those of the call: not for whom a caller was sent to.
func (c *call) ofCenter() bool { return c.center != nil && c.way == "" }

// listenFrom begins to listen when the two are connected, where the center says so at this instant.
func (m *Machine) listenFrom(c *call) {
	if c.ofCenter() && c.center.settings.VoiceIntelligence.AutoStart {
		m.startVoice(c, "auto_start")
	}
}

func (m *Machine) startVoice(c *call, rule string) {
	c.voice = voiceOn
	m.rule(StartVoice{
		Call: c.id, Leg: c.bridged, Center: c.center.id, Operator: c.operator.id, Direction: c.direction(),
	}, rule)
}

func (m *Machine) stopVoice(c *call) {
	if c.voice != voiceOff {
		c.voice = voiceOff
		m.rule(StopVoice{Call: c.id}, "ended")
	}
}

func (m *Machine) voiceSet(e VoiceSet) {
	if o := m.operators[e.Operator]; o != nil && o.call != nil {
		m.switchVoice(o.call, e.On)
	}
}

// switchVoice pauses, goes on or begins. To pause and to begin the center has to allow it; what is paused may always go
// on. Nobody begins to be listened to who should have been told of a recording and was not.
func (m *Machine) switchVoice(c *call, on bool) {
	if c.state != stateConnected || !c.ofCenter() || on == (c.voice == voiceOn) || !on && c.voice == voiceOff {
		return
	}
	const rule = "allow_pause"
	if c.voice != voicePaused && !c.center.settings.VoiceIntelligence.AllowPause {
		return
	}
	prompt, text := PromptVoiceResumed, "The voice analysis goes on"
	switch {
	case c.voice == voiceOff:
		if m.untold(c) {
			return
		}
		m.startVoice(c, rule)
		text = "The voice analysis begins"
	case on:
		c.voice = voiceOn
		m.rule(ResumeVoice{Call: c.id}, rule)
	default:
		c.voice = voicePaused
		m.rule(PauseVoice{Call: c.id}, rule)
		prompt, text = PromptVoicePaused, "The voice analysis is paused"
	}
	m.walk(c, rule, text)
	m.playToOperator(c, rule, Phrase{Prompt: prompt, Center: c.center.id})
}

// untold says that the center records such calls by now, and that this caller was not told.
func (m *Machine) untold(c *call) bool {
	return m.records(c) && c.recording == recordingOff && !c.noticed
}
