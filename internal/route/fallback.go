package route

import (
	"slices"
	"strings"

	"switchboard/internal/callcenter"
)

// stopWaiting gives a caller who waits, or who was offered in vain, the fallback of their branch.
func (m *Machine) stopWaiting(c *call, reason string) {
	if c.callback != nil {
		m.callbackStays(c, reason)
		return
	}
	held := c.welcomed
	c.undecided = false
	m.leaveLine(c)
	if reason == "closing" {
		c.open = false
	}
	m.act(c, reason, held)
}

// act does the action of the call's branch as it is now. Operators are never dialled from here: an action that would
// is voicemail. interrupted says that the caller was told to hold, and is told that nobody will come.
func (m *Machine) act(c *call, reason string, interrupted bool) {
	if c.offer != nil || c.inLine || c.operator != nil {
		panic("route: a fallback for a call that is past it")
	}
	if !c.entered.IsZero() {
		m.leaves(c, leftByRule)
	}
	var phrases []Phrase
	if interrupted {
		phrases = append(phrases, Phrase{Prompt: PromptHoldInterrupt})
	}
	is, broken := c.branch().Effective(m.exists)
	if broken && is.Action != c.branch().Action {
		m.walk(c, reason, "Whom "+string(c.branch().Action)+" names is gone")
	}
	m.do(c, deed{action: is.Action, target: is.Target, reason: reason, before: phrases})
}

// voicemail takes a message for the call center.
func (m *Machine) voicemail(c *call, reason string, before []Phrase) {
	m.voicemailAt(c, deed{reason: reason, before: before})
}

// voicemailAt takes a message for the target: a call center or a person. Any other has no box: the center's is used.
func (m *Machine) voicemailAt(c *call, d deed) {
	c.box, c.boxOf = c.center.id, 0
	switch d.target.Type {
	case callcenter.TargetCallCenter:
		c.box = callcenter.ID(d.target.ID)
	case callcenter.TargetUser:
		c.boxOf = callcenter.OperatorID(d.target.ID)
	}
	m.takeMessage(c, Voicemail, d.reason, d.before)
}

func (m *Machine) takeMessage(c *call, leave Outcome, reason string, before []Phrase) {
	if reason == "closed" {
		before = append(before, Phrase{Prompt: PromptClosed})
	}
	greeting := c.byHours(PromptVoicemail, PromptVoicemailClosed)
	m.prompt(c, leave, reason, append(before, Phrase{Prompt: greeting}, Phrase{Prompt: PromptBeep}))
	c.records = true
}

// recordMessage starts the message, after the tone.
func (m *Machine) recordMessage(c *call) {
	m.setState(c, stateVoicemail)
	m.walk(c, c.reason, "Leaves a message")
	m.rule(Record{
		Call: c.id, Center: c.box, User: c.boxOf, From: c.from, Reason: c.reason, Limit: MaxMessage,
	}, c.reason)
}

// prompt plays the last thing a caller hears before the line is closed or their message is recorded.
func (m *Machine) prompt(c *call, leave Outcome, reason string, phrases []Phrase) {
	m.stopTimer(&c.stepTimer)
	c.leave, c.reason, c.music, c.records = leave, reason, false, false
	m.setState(c, statePrompt)
	if leave != Forwarded {
		m.walk(c, reason, "To "+strings.TrimSuffix(string(leave), "_requested")+": "+inWords(reason))
	}
	m.play(c, reason, phrases...)
}

// recordingEnded ends a voicemail. Only a message that was kept counts as one.
func (m *Machine) recordingEnded(c *call, e RecordingEnded) {
	if c.state != stateVoicemail {
		return
	}
	m.stopTimer(&c.saveTimer)
	switch {
	case e.Err != "" && !c.hungUp:
		m.warnLost(c, e.Err)
		m.prompt(c, Failed, "recording_failed", []Phrase{{Prompt: PromptVoicemailFull}})
		return
	case e.Err != "":
		m.warnLost(c, e.Err)
		m.end(c, Failed, "recording_failed")
		return
	}
	if !c.hungUp {
		m.rule(Hangup{Call: c.id}, c.reason)
	}
	if !e.Kept && c.leave == Voicemail {
		m.end(c, Abandoned, "no_message")
		return
	}
	m.end(c, c.leave, c.reason)
}

func (m *Machine) warnLost(c *call, err string) {
	m.rule(Warn{Center: c.center.id, Text: "A voicemail could not be recorded: " + err}, "recording_failed")
}

// digit handles a key of the caller: an answer to what they were asked, or the escape digit, which works for everybody
// who waits, at any time. One that changed still works for those who heard it, until their next announcement.
func (m *Machine) digit(c *call, d byte) {
	if c.listens() {
		m.key(c, d)
		return
	}
	if !c.inLine || c.callback != nil || m.callbackDigit(c, d) {
		return
	}
	key := string(rune(d))
	if key != c.center.settings.HoldQueue.QueueEscapeDTMF && key != c.heardKey {
		return
	}
	m.cancelOffer(c, false)
	c.skipGreeting()
	m.walk(c, "escape", "Pressed "+key+" to leave a message")
	m.leaveLine(c)
	m.leaves(c, leftByRule)
	m.voicemail(c, "escape", nil)
}

// escapePhrase announces the escape digit.
func escapePhrase(key string) (Phrase, bool) {
	n, ok := keyNumber(key)
	return Phrase{Prompt: PromptHoldEscape, Number: n}, ok
}

// keyNumber is a key as the number that prompts can say: 10 is the star, 11 the hash.
func keyNumber(key string) (int, bool) {
	n := slices.Index([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"}, key)
	return n, n >= 0
}

// reasons are the reasons of an outcome in words, for a call's path.
var reasons = map[string]string{
	"bad_number":           "it is no number that can be called",
	"busy":                 "the line was busy",
	"call_failed":          "the call could not go on",
	"callback":             "the caller will be called back",
	"callback_cancelled":   "the callback was given up",
	"center_deleted":       "the call center was deleted",
	"closed":               "the call center is closed",
	"closing":              "the call center closed",
	"directory":            "asked for by name",
	"disabled":             "the line is switched off",
	"duplicate":            "the number is booked already",
	"draining":             "the server stops",
	"escape":               "the caller asked for it",
	"extension":            "asked for by extension",
	"forward_failed":       "nobody answered outside",
	"hangup_asked":         "it was ended by request",
	"menu":                 "chosen from the menu",
	"no_answer":            "nobody answered",
	"no_choice":            "nothing was chosen",
	"no_device":            "no phone of the operator can be reached",
	"no_operators":         "nobody is on duty",
	"not_dialled":          "operators are not to be dialled",
	"operator_busy":        "the operator is busy",
	"operator_cancelled":   "the operator may not be rung",
	"operator_declined":    "the operator declined",
	"operator_hung_up":     "the operator hung up",
	"operator_missed":      "the operator did not answer",
	"operator_unreachable": "the operator's phone could not be reached",
	"person":               "the call center sends the caller there",
	"queue_full":           "the line is full",
	"recording_failed":     "the message could not be saved",
	"router":               "a call router says so",
	"router_failed":        "the call router failed",
	"timeout":              "waited as long as anybody may",
	"too_many_hops":        "was handed on too often",
	"unknown_center":       "there is no such call center",
	"unknown_operator":     "there is no such operator",
	"unreachable":          "the number could not be reached",
}

func inWords(reason string) string {
	if words, ok := reasons[reason]; ok {
		return words
	}
	return reason
}
