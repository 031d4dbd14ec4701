package route

import (
	"slices"
	"strconv"

	"switchboard/internal/callcenter"
)

// listens says that keys are waited for, and the time for them runs from the end of the prompt.
func (c *call) listens() bool { return c.state >= stateMenu && c.state <= stateAsked }

// ask plays what the caller is to answer with keys.
func (m *Machine) ask(c *call, s callState, rule string, phrases ...Phrase) {
	m.stopTimer(&c.stepTimer)
	c.keys, c.music = "", false
	m.setState(c, s)
	m.play(c, rule, phrases...)
}

// key takes a key of a caller who is asked for some. The key cuts the prompt.
func (m *Machine) key(c *call, d byte) {
	m.stopTimer(&c.stepTimer)
	c.skipGreeting()
	switch c.state {
	case stateMenu:
		m.menuKey(c, d)
	case statePick:
		m.pick(c, d)
	default:
		m.collect(c, d)
	}
}

// collect puts keys together until there are enough, or the hash says so.
func (m *Machine) collect(c *call, d byte) {
	if d != '#' {
		c.keys += string(rune(d))
	}
	if d == '#' || len(c.keys) >= c.most {
		m.noMoreKeys(c)
		return
	}
	m.cutPrompt(c, "key")
	m.setTimer(&c.stepTimer, m.now.Add(KeyWithin))
}

// noChoice says that a key means nothing here.
func (c *call) noChoice(d byte) Phrase {
	n, _ := keyNumber(string(rune(d)))
	return Phrase{Prompt: c.byHours(PromptMenuOption, PromptClosedMenuOption), Number: n}
}

// byHours is the prompt for whether the center was open when the caller came.
func (c *call) byHours(open, closed Prompt) Prompt {
	if c.open {
		return open
	}
	return closed
}

// noMoreKeys goes on with the keys that there are.
func (m *Machine) noMoreKeys(c *call) {
	if c.held == heldNothing {
		c.playing = 0
	}
	switch c.state {
	case stateMenu:
		m.walk(c, "menu", "Pressed nothing")
		m.menuAgain(c)
	case statePick:
		m.walk(c, "directory", "Chose nobody")
		m.again(c, m.sayFound)
	case stateDirectory:
		m.lookUp(c)
	case stateExtension:
		m.lookUpExtension(c)
	case stateAsked:
		m.walk(c, "router", "Typed "+plural(len(c.keys), "digit"))
		m.sendKeys(c)
	}
}

// again asks once more, at most MaxKeyTries times; then the caller may leave a message.
func (m *Machine) again(c *call, say func(*call, ...Phrase), before ...Phrase) {
	c.tries++
	if c.tries >= MaxKeyTries {
		m.voicemail(c, "no_choice", nil)
		return
	}
	say(c, before...)
}

// openMenu lets the caller choose. The menu stays what they heard, whatever is changed meanwhile.
func (m *Machine) openMenu(c *call, before []Phrase) {
	c.menu, c.tries = c.branch().DTMF, 0
	m.walk(c, "menu", "Hears the menu")
	m.sayMenu(c, before...)
}

func (m *Machine) sayMenu(c *call, before ...Phrase) {
	m.ask(c, stateMenu, "menu", append(before, Phrase{Prompt: c.byHours(PromptMenu, PromptClosedMenu)})...)
}

func (m *Machine) menuAgain(c *call, before ...Phrase) { m.again(c, m.sayMenu, before...) }

// menuKey does what the key of the menu says. One that says nothing, or is switched off, is asked for again.
func (m *Machine) menuKey(c *call, d byte) {
	pressed := string(rune(d))
	i := slices.IndexFunc(c.menu, func(k callcenter.MenuKey) bool { return k.Input == pressed })
	if i < 0 || c.menu[i].Action == callcenter.ActionDisabled {
		m.walk(c, "menu", "Pressed "+pressed+", which is no choice")
		m.menuAgain(c, c.noChoice(d))
		return
	}
	chosen := c.menu[i]
	m.walk(c, "menu", "Pressed "+pressed+" for "+string(chosen.Action))
	if chosen.Action == callcenter.ActionMenu {
		m.menuAgain(c)
		return
	}
	now, _ := callcenter.Branch{Action: chosen.Action, Target: chosen.Target}.Effective(m.exists)
	if c.held == heldNothing {
		c.playing = 0
	}
	m.do(c, deed{action: now.Action, target: now.Target, reason: "menu"})
}

// openExtension asks for the number of a person within the company.
func (m *Machine) openExtension(c *call, before []Phrase) {
	c.tries = 0
	m.walk(c, "extension", "Is asked for an extension")
	m.sayExtension(c, before...)
}

func (m *Machine) sayExtension(c *call, before ...Phrase) {
	c.most = MaxExtensionDigits
	m.ask(c, stateExtension, "extension", append(before, Phrase{Prompt: PromptExtension})...)
}

func (m *Machine) lookUpExtension(c *call) {
	for _, o := range m.ops {
		if c.keys != "" && o.extension == c.keys && o.known && o.active {
			m.walk(c, "extension", "Typed extension "+c.keys)
			m.person(c, o, "extension")
			return
		}
	}
	m.walk(c, "extension", "Typed "+strconv.Quote(c.keys)+", which is nobody's extension")
	m.again(c, m.sayExtension, Phrase{Prompt: PromptNotFound})
}
