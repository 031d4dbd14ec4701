package route

import "switchboard/internal/callcenter"

// heldPrompt is a prompt that later ones wait for.
type heldPrompt uint8

const (
	heldNothing  heldPrompt = iota
	heldGreeting            // an operator's answer and a key cut it
	heldNotice              // that the call may be recorded: nothing cuts it, not even an answer
)

// play plays prompts in place of what the caller hears, or after what must be heard to its end.
func (m *Machine) play(c *call, rule string, phrases ...Phrase) {
	m.hear(c, func() { m.playNow(c, rule, phrases...) })
}

// hear starts a prompt, now or after the one that is held. Of those that wait the newest is heard.
func (m *Machine) hear(c *call, start func()) {
	if c.held != heldNothing {
		c.then = start
		return
	}
	c.then = nil
	start()
}

func (m *Machine) playNow(c *call, rule string, phrases ...Phrase) {
	m.answer(c, rule)
	c.plays++
	c.playing = c.plays
	for i := range phrases {
		phrases[i].Center = c.centerID()
	}
	m.rule(Play{Call: c.id, ID: c.playing, Phrases: phrases}, rule)
}

func (m *Machine) playMusic(c *call, rule string) {
	c.music = true
	if c.held != heldNothing {
		return // it follows
	}
	m.answer(c, rule)
	m.rule(Music{Call: c.id, Center: c.center.id}, rule)
}

// ringback lets the caller hear that somebody rings. One who was not answered yet hears the telephone network's.
func (m *Machine) ringback(c *call, rule string) {
	c.music, c.then = false, nil
	if c.held != heldNothing {
		return // it follows
	}
	c.playing = 0
	if c.answered {
		m.rule(Ringback{Call: c.id}, rule)
	}
}

// welcome plays what every caller of the center hears first. Operators are offered meanwhile.
func (m *Machine) welcome(c *call) {
	at := c.center
	if at.settings.AdvancedSettings.AutoCallRecording.Inbound && !c.noticed && c.held != heldNotice {
		m.playNotice(c)
	}
	c.greet = c.greeting()
	if c.greet != nil && c.held == heldNothing {
		m.playGreeting(c)
	}
}

func (m *Machine) playNotice(c *call) {
	m.playNow(c, "recording_notice", Phrase{Prompt: PromptRecordingNotice})
	c.held = heldNotice
}

func (m *Machine) playGreeting(c *call) {
	m.playNow(c, "greeting", c.greet...)
	c.greet, c.held = nil, heldGreeting
}

// greeting is what the center has uploaded to greet the caller with: nil: nothing.
func (c *call) greeting() (phrases []Phrase) {
	if c.cameBy == string(callcenter.ActionDepartment) {
		phrases = c.center.optional(c.byHours(PromptDepartment, PromptDepartmentClosed))
	}
	if phrases == nil && c.open {
		phrases = c.center.optional(PromptGreeting)
	}
	return phrases
}

// sayNext tells a caller who is handed on. What comes next goes on meanwhile.
func (m *Machine) sayNext(c *call, way string) {
	if phrases := c.center.optional(PromptNextTarget); phrases != nil && c.held == heldNothing {
		m.playNow(c, way, phrases...)
		c.held = heldGreeting
	}
}

// skipGreeting is for those who know what they want: an answer or a key cuts the greeting.
func (c *call) skipGreeting() {
	c.greet = nil
	if c.held == heldGreeting {
		c.held, c.playing = heldNothing, 0
	}
}

// cutPrompt ends a question when its answer begins.
func (m *Machine) cutPrompt(c *call, rule string) {
	c.then = nil
	if c.playing != 0 && c.held == heldNothing {
		c.playing = 0
		m.rule(Silence{Call: c.id}, rule)
	}
}

func (m *Machine) playDone(c *call, id int) {
	if id > 0 && id == c.legPlay {
		m.legPlayed(c)
		return
	}
	if c.playing == 0 || c.playing != id {
		return
	}
	c.noticed = c.noticed || c.held == heldNotice
	c.playing, c.held = 0, heldNothing
	switch {
	case c.greet != nil:
		m.playGreeting(c)
	case c.then != nil:
		start := c.then
		c.then = nil
		start()
	default:
		m.heard(c)
	}
}

// heard goes on after a prompt that came to its end.
func (m *Machine) heard(c *call) {
	switch {
	case c.state == statePrompt && c.records:
		m.recordMessage(c)
	case c.state == statePrompt:
		m.rule(Hangup{Call: c.id}, c.reason)
		m.end(c, c.leave, c.reason)
	case c.state == stateDialling:
		m.talk(c)
	case c.state == stateConnecting:
		m.bridgeWhenHeard(c)
	case c.listens():
		m.setTimer(&c.stepTimer, m.now.Add(KeyWithin))
	case c.inLine:
		m.nextInLine(c)
	case c.music:
		m.playMusic(c, "queued")
	default:
		m.rule(Ringback{Call: c.id}, "ringing")
	}
}
