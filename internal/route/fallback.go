package route

import (
	"slices"

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
	if c.state > stateQueued {
		panic("route: a fallback for a call that is past it")
	}
	if !c.entered.IsZero() {
		m.leaves(c, leftByRule)
	}
	var phrases []Phrase
	if interrupted {
		phrases = append(phrases, Phrase{Prompt: PromptHoldInterrupt})
	}
	switch action := c.branch().Action; action {
	case callcenter.ActionMessage:
		prompt := PromptMessage
		if reason == "closed" || reason == "closing" {
			prompt = PromptClosed
		}
		m.prompt(c, Message, reason, append(phrases, Phrase{Prompt: prompt}))
	case callcenter.ActionDisabled:
		m.prompt(c, Message, "disabled", append(phrases, Phrase{Prompt: PromptDisabled}))
	case callcenter.ActionVoicemail, callcenter.ActionOperator:
		m.voicemail(c, reason, phrases)
	default:
		m.warnNotBuilt(c.center, action)
		m.walk(c, reason, "Would get "+string(action)+": "+inWords(reason))
		m.voicemail(c, "not_built", phrases)
	}
}

func (m *Machine) warnNotBuilt(at *center, action callcenter.Action) {
	if at.warned[action] {
		return
	}
	at.warned[action] = true
	m.rule(Warn{
		Center: at.id, Text: "The action " + string(action) + " is not built yet; callers get voicemail.",
	}, "not_built")
}

func (m *Machine) voicemail(c *call, reason string, before []Phrase) {
	if reason == "closed" {
		before = append(before, Phrase{Prompt: PromptClosed})
	}
	m.prompt(c, Voicemail, reason, append(before, Phrase{Prompt: PromptVoicemail}, Phrase{Prompt: PromptBeep}))
}

// prompt plays the last thing a caller hears before the line is closed or their message is recorded.
func (m *Machine) prompt(c *call, leave Outcome, reason string, phrases []Phrase) {
	c.leave, c.reason, c.music = leave, reason, false
	m.setState(c, statePrompt)
	m.walk(c, reason, "To "+string(leave)+": "+inWords(reason))
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
	if !e.Kept {
		m.end(c, Abandoned, "no_message")
		return
	}
	m.end(c, Voicemail, c.reason)
}

func (m *Machine) warnLost(c *call, err string) {
	m.rule(Warn{Center: c.center.id, Text: "A voicemail could not be recorded: " + err}, "recording_failed")
}

// digit handles a key of the caller: the escape digit works for everybody who waits, at any time. One that changed
// still works for those who heard it, until their next announcement.
func (m *Machine) digit(c *call, d byte) {
	if !c.inLine || c.callback != nil || m.callbackDigit(c, d) {
		return
	}
	key := string(rune(d))
	if key != c.center.settings.HoldQueue.QueueEscapeDTMF && key != c.heardKey {
		return
	}
	m.cancelOffer(c, false)
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
	"callback":             "the caller will be called back",
	"callback_cancelled":   "the callback was given up",
	"call_failed":          "the call could not go on",
	"center_deleted":       "the call center was deleted",
	"closed":               "the call center is closed",
	"closing":              "the call center closed",
	"disabled":             "the line is switched off",
	"duplicate":            "the number is booked already",
	"draining":             "the server stops",
	"escape":               "the caller asked for it",
	"hangup_asked":         "it was ended by request",
	"no_device":            "no phone of the operator can be reached",
	"no_answer":            "nobody answered",
	"no_operators":         "nobody is on duty",
	"not_built":            "the action is not built yet",
	"not_dialled":          "operators are not to be dialled",
	"operator_busy":        "the operator is busy",
	"operator_cancelled":   "the operator may not be rung",
	"operator_declined":    "the operator declined",
	"operator_missed":      "the operator did not answer",
	"operator_unreachable": "the operator's phone could not be reached",
	"operator_hung_up":     "the operator hung up",
	"queue_full":           "the line is full",
	"recording_failed":     "the message could not be saved",
	"unknown_center":       "there is no such call center",
	"unknown_operator":     "there is no such operator",
	"unreachable":          "the number could not be reached",
	"timeout":              "waited as long as anybody may",
}

func inWords(reason string) string {
	if words, ok := reasons[reason]; ok {
		return words
	}
	return reason
}
