package route

import (
	"slices"
	"sort"
	"strconv"
	"time"
)

// wait makes a caller wait in the line with nobody ringing.
func (m *Machine) wait(c *call, rule string) {
	m.joinLine(c)
	at := c.center
	at.makeIdle(c)
	m.setState(c, stateQueued)
	m.touch(at)
	if c.welcomed {
		return
	}
	c.welcomed = true
	m.walk(c, rule, "Joined the line as number "+strconv.Itoa(at.position(c)))
	m.play(c, rule, Phrase{Prompt: PromptHoldIntro})
	c.music, c.entryDue = true, true
	m.setTimer(&c.announceTimer, m.now.Add(at.interval()))
}

func (at *center) interval() time.Duration {
	return max(time.Duration(at.settings.HoldQueue.AnnouncementIntervalSeconds)*time.Second, time.Second)
}

// joinLine gives a caller their place by the time of entry, full or not.
func (m *Machine) joinLine(c *call) {
	if c.inLine {
		return
	}
	at := c.center
	c.inLine = true
	i := place(at.line, c)
	at.line = slices.Insert(at.line, i, c)
	at.lineMoved(i)
	if c.callback != nil {
		at.ghosts = slices.Insert(at.ghosts, place(at.ghosts, c), c)
	} else {
		m.setTimer(&c.holdTimer, m.longestHold(c))
		m.savePlace(c)
	}
	m.watchLevel(at)
	m.markCenter(at)
}

// leaveLine takes a caller out of the line. Doing so twice does nothing.
func (m *Machine) leaveLine(c *call) {
	if !c.inLine {
		return
	}
	at := c.center
	c.inLine = false
	i := place(at.line, c)
	at.line = cut(at.line, i)
	at.lineMoved(i)
	at.noLongerIdle(c)
	m.stopTimer(&c.holdTimer)
	m.stopTimer(&c.announceTimer)
	m.stopTimer(&c.keyTimer)
	c.dialog, c.entryDue, c.heardBack = nil, false, ""
	if c.callback != nil {
		at.ghosts = cut(at.ghosts, place(at.ghosts, c))
	} else {
		m.dropPlace(c)
	}
	m.markCenter(at)
	m.markCall(c)
}

func (at *center) makeIdle(c *call) {
	if i := place(at.idle, c); i == len(at.idle) || at.idle[i] != c {
		at.idle = slices.Insert(at.idle, i, c)
	}
}

func (at *center) noLongerIdle(c *call) {
	if i := place(at.idle, c); i < len(at.idle) && at.idle[i] == c {
		at.idle = cut(at.idle, i)
	}
}

// place is where c is, or belongs, in a list by entry and then arrival.
func place(list []*call, c *call) int {
	return sort.Search(len(list), func(i int) bool { return list[i] == c || !before(list[i], c) })
}

func before(a, b *call) bool {
	if !a.entered.Equal(b.entered) {
		return a.entered.Before(b.entered)
	}
	return a.seq < b.seq
}

// cut removes the i-th; the first, which is nearly always the one, costs nothing.
func cut(list []*call, i int) []*call {
	if i == 0 {
		list[0] = nil
		return list[1:]
	}
	return slices.Delete(list, i, i+1)
}

// position counts the callers ahead, plus one.
func (at *center) position(c *call) int {
	if !c.inLine {
		return 0
	}
	return place(at.line, c) + 1
}

func (at *center) lineMoved(from int) {
	if at.moved < 0 || from < at.moved {
		at.moved = from
	}
}

// positionPhrases are what a caller hears of their place, if anything: a place never rises, and one that did not change
// is said again only after two intervals.
func (m *Machine) positionPhrases(c *call) []Phrase {
	at := c.center
	if !at.settings.HoldQueue.AnnouncePosition {
		return nil
	}
	pos := at.position(c)
	if c.told > 0 && (pos > c.told || pos == c.told && m.now.Before(c.toldAt.Add(2*at.interval()))) {
		return nil
	}
	c.told, c.toldAt = pos, m.now
	c.heardKey = ""
	phrases := []Phrase{{Prompt: PromptHoldPosition, Number: pos}}
	if key := at.settings.HoldQueue.QueueEscapeDTMF; key != "" {
		if p, ok := escapePhrase(key); ok {
			phrases = append(phrases, p)
			c.heardKey = key
		}
	}
	return phrases
}

func (m *Machine) announce(c *call) {
	m.setTimer(&c.announceTimer, m.now.Add(c.center.interval()))
	if c.playing == 0 && c.dialog == nil {
		m.announceLater(c)
	}
}

// announceLater has the position said at the end of the step: whatever else happens in it, the number is then true.
func (m *Machine) announceLater(c *call) {
	if !c.toAnnounce {
		c.toAnnounce = true
		m.announcing = append(m.announcing, c)
	}
}

// announceAll says what is due. The position comes first in its Play, so that it is spoken when it is ordered.
func (m *Machine) announceAll() {
	for _, c := range m.announcing {
		c.toAnnounce = false
		if !c.inLine || c.playing != 0 || c.dialog != nil {
			continue
		}
		entry := c.entryDue
		c.entryDue = false
		phrases := m.positionPhrases(c)
		switch phrases = append(phrases, m.callbackPhrases(c, len(phrases) > 0)...); {
		case len(phrases) > 0:
			m.play(c, "announce_position", phrases...)
		case entry:
			m.playMusic(c, "queued")
		default:
			if wait := c.center.optional(PromptHoldWait); wait != nil {
				m.play(c, "hold_wait", wait...)
			}
		}
	}
	clear(m.announcing)
	m.announcing = m.announcing[:0]
}

// nextInLine is what a caller in the line hears after a prompt.
func (m *Machine) nextInLine(c *call) {
	switch {
	case c.dialog != nil:
		m.playMusic(c, "callback")
		m.setTimer(&c.keyTimer, m.now.Add(KeyWithin))
	case c.entryDue:
		m.announceLater(c)
	default:
		m.playMusic(c, "queued")
	}
}

// heldTooLong is max_hold_seconds: an offer in progress may finish its ringing first.
func (m *Machine) heldTooLong(c *call) {
	c.overdue = true
	if c.offer == nil {
		m.stopWaiting(c, "timeout")
	}
}
