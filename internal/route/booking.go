package route

// dialog is the conversation in which a caller books a callback. They wait on meanwhile: an operator who answers ends
// it.
type dialog struct {
	typing bool   // the number; otherwise it is to be confirmed
	number string // to confirm
	typed  string
	tries  int // questions that were not answered
}

// callbackPhrases offer a callback, where the center allows them and more wait than its threshold: with the position,
// or, where positions are not announced, at every announcement. The digit is live until the next announcement.
func (m *Machine) callbackPhrases(c *call, positionSaid bool) []Phrase {
	at, q := c.center, c.center.settings.HoldQueue
	if q.AnnouncePosition && !positionSaid {
		return nil
	}
	c.heardBack = ""
	if !q.AllowQueueCallback || len(at.line) <= q.QueueCallbackThreshold {
		return nil
	}
	n, ok := keyNumber(q.QueueCallbackDTMF)
	if !ok {
		return nil
	}
	c.heardBack = q.QueueCallbackDTMF
	return []Phrase{{Prompt: PromptCallbackOffer, Number: n}}
}

// callbackDigit handles a key of a caller in the line as far as callbacks are concerned. False: it is not about them.
func (m *Machine) callbackDigit(c *call, d byte) bool {
	q := c.center.settings.HoldQueue
	if c.dialog != nil {
		return m.dialogDigit(c, d)
	}
	key := string(rune(d))
	if c.heardBack == "" || !q.AllowQueueCallback || key != c.heardBack && key != q.QueueCallbackDTMF {
		return false
	}
	m.walk(c, "callback", "Pressed "+key+" to be called back")
	c.dialog = &dialog{number: c.from, typing: !isE164(c.from)}
	m.question(c)
	return true
}

// question asks what the dialog has to know next.
func (m *Machine) question(c *call, before ...Phrase) {
	m.stopTimer(&c.keyTimer)
	if c.dialog.typing {
		c.dialog.typed = ""
		m.play(c, "callback", append(before, Phrase{Prompt: PromptCallbackType})...)
	} else {
		m.play(c, "callback", append(before, Phrase{Prompt: PromptCallbackConfirm, Text: c.dialog.number})...)
	}
}

// dialogDigit handles a key of a caller who books. The escape digit works where it is no answer.
func (m *Machine) dialogDigit(c *call, d byte) bool {
	g := c.dialog
	digit := d >= '0' && d <= '9'
	switch {
	case g.typing && digit:
		m.hush(c)
		if g.typed += string(rune(d)); len(g.typed) >= MaxTypedDigits {
			m.numberTyped(c)
		}
	case g.typing && d == '#':
		m.numberTyped(c)
	case !g.typing && d == '1':
		number := g.number
		m.closeDialog(c)
		m.book(c, number)
	case !g.typing && d == '2':
		g.typing = true
		m.question(c)
	case string(rune(d)) == c.center.settings.HoldQueue.QueueEscapeDTMF:
		return false
	default:
		m.notAnswered(c)
	}
	return true
}

// hush ends the question when the answer begins, and waits for the next key.
func (m *Machine) hush(c *call) {
	m.cutPrompt(c, "callback")
	m.setTimer(&c.keyTimer, m.now.Add(KeyWithin))
}

func (m *Machine) numberTyped(c *call) {
	number, ok := typedNumber(c.dialog.typed, c.to)
	if !ok {
		m.askAgain(c, Phrase{Prompt: PromptCallbackInvalid})
		return
	}
	c.dialog.typing, c.dialog.number = false, number
	m.question(c)
}

// keyTimeout takes a pause for the end of a number that was begun.
func (m *Machine) keyTimeout(c *call) {
	if c.dialog.typing && c.dialog.typed != "" {
		m.numberTyped(c)
		return
	}
	m.notAnswered(c)
}

func (m *Machine) notAnswered(c *call) { m.askAgain(c, c.center.optional(PromptCallbackAgain)...) }

// askAgain asks again, a few times.
func (m *Machine) askAgain(c *call, before ...Phrase) {
	if c.dialog.tries++; c.dialog.tries >= MaxKeyTries {
		m.refuseCallback(c)
		return
	}
	m.question(c, before...)
}

// refuseCallback lets the caller wait on.
func (m *Machine) refuseCallback(c *call) {
	m.closeDialog(c)
	m.walk(c, "callback", "No callback was booked")
	m.play(c, "callback", Phrase{Prompt: PromptCallbackRefused})
}

func (m *Machine) closeDialog(c *call) {
	c.dialog = nil
	m.stopTimer(&c.keyTimer)
}
