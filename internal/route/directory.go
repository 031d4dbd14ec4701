package route

import (
	"cmp"
	"slices"
	"strconv"
)

// openDirectory lets the caller spell a name on the keypad: of the center's people, or of the whole company's.
func (m *Machine) openDirectory(c *call, before []Phrase) {
	c.tries = 0
	m.walk(c, "directory", "Is asked to spell a name")
	m.sayDirectory(c, before...)
}

func (m *Machine) sayDirectory(c *call, before ...Phrase) {
	c.most = MaxSpelled
	m.ask(c, stateDirectory, "directory", append(before, Phrase{Prompt: PromptDirectory})...)
}

// lookUp finds whom the caller spelled: one is connected, of several the caller chooses.
func (m *Machine) lookUp(c *call) {
	c.found = m.spelled(c)
	switch len(c.found) {
	case 0:
		m.walk(c, "directory", "Spelled "+strconv.Quote(c.keys)+", which is nobody")
		m.again(c, m.sayDirectory, Phrase{Prompt: PromptNotFound})
	case 1:
		m.walk(c, "directory", "Spelled "+strconv.Quote(c.keys))
		m.person(c, c.found[0], "directory")
	default:
		m.walk(c, "directory", "Spelled "+strconv.Quote(c.keys)+", which is one of "+plural(len(c.found), "person"))
		c.tries = 0
		m.sayFound(c)
	}
}

func (m *Machine) sayFound(c *call, before ...Phrase) {
	phrases := before
	for i, o := range c.found {
		phrases = append(phrases, Phrase{Prompt: PromptDirectoryPick, Number: i + 1, Text: o.name})
	}
	m.ask(c, statePick, "directory", phrases...)
}

func (m *Machine) pick(c *call, d byte) {
	i := int(d) - '1'
	if i < 0 || i >= len(c.found) {
		m.walk(c, "directory", "Pressed "+string(rune(d))+", which is no choice")
		m.again(c, m.sayFound, c.noChoice(d))
		return
	}
	if c.held == heldNothing {
		c.playing = 0
	}
	m.person(c, c.found[i], "directory")
}

// spelled are the people whose name begins with the keys, at most MaxFound: first those whose last name does, then
// those whose first name does, each by name.
func (m *Machine) spelled(c *call) []*operator {
	if c.keys == "" {
		return nil
	}
	var byLast, byFirst []*operator
	for _, o := range m.ops {
		switch {
		case !o.known || !o.active || !c.whole && !o.isMember(c.center):
		case begins(o.lastKeys+o.firstKeys, c.keys):
			byLast = append(byLast, o)
		case begins(o.firstKeys+o.lastKeys, c.keys):
			byFirst = append(byFirst, o)
		}
	}
	byName := func(a, b *operator) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) }
	slices.SortFunc(byLast, byName)
	slices.SortFunc(byFirst, byName)
	all := append(byLast, byFirst...)
	return all[:min(len(all), MaxFound)]
}

func begins(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func (o *operator) isMember(at *center) bool {
	return slices.ContainsFunc(o.members, func(b *member) bool { return b.center == at })
}

// spellings are a name's keys on a telephone (ITU-T E.161), last name and first name apart.
func (is Operator) spellings() (last, first string) {
	lastName, firstName := is.LastName, is.FirstName
	if lastName == "" && firstName == "" {
		at := 0
		for i, r := range is.Name {
			if r == ' ' {
				at = i
			}
		}
		firstName, lastName = is.Name[:at], is.Name[at:]
	}
	return onKeypad(lastName), onKeypad(firstName)
}

// keypad has the letters of each key, with those that people who have them spell without their marks.
var keypad = [...]string{
	2: "abcàáâãäåæāăąçćčÀÁÂÃÄÅÆĀĂĄÇĆČ",
	3: "defďđðèéêëēęěĎĐÐÈÉÊËĒĘĚ",
	4: "ghiğģìíîïīıĞĢÌÍÎÏĪİ",
	5: "jklķĺľłĶĹĽŁ",
	6: "mnoñńňòóôõöøőœÑŃŇÒÓÔÕÖØŐŒ",
	7: "pqrsŕřśşšșßŔŘŚŞŠȘẞ",
	8: "tuvţťțùúûüūůűŢŤȚÙÚÛÜŪŮŰ",
	9: "wxyzýÿźżžÝŸŹŻŽ",
}

func onKeypad(name string) string {
	var keys []byte
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		for key, letters := range keypad {
			for _, l := range letters {
				if l == r {
					keys = append(keys, byte('0'+key))
				}
			}
		}
	}
	return string(keys)
}
