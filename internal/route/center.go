package route

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"

	"switchboard/internal/callcenter"
)

// center is the state of one call center.
type center struct {
	id       callcenter.ID
	settings callcenter.Settings
	extras   callcenter.Extras
	holidays []callcenter.Holiday
	active   bool
	deleted  bool
	desk     bool // CenterChanged.Desk
	loc      *time.Location
	avail    callcenter.Availability
	hours    timer
	closed   bool // the last closing sent those waiting away
	uploads  []Prompt

	members  []*member // list order
	free     []uint64  // one bit a member: could be rung now
	freeOps  int       // bits set in free
	onDuty   int       // with or without a device
	manned   int       // on duty with a device, busy or not
	busy     int       // ringing, in a call or wrapping up
	rotation []*member // roundrobin
	deck     []*member // random: those not rung since the last shuffle
	random   *rand.Rand

	line   []*call // all who wait, those being offered too, by entry
	idle   []*call // those of line whom nobody is offered
	offers []*call // being offered
	ghosts []*call // the callbacks of line
	booked []*call // all callbacks that have not ended, as they were booked
	live   int     // calls of this center that have not ended

	testUnattended bool
	grace          time.Time // not before
	unattended     timer
	isPending      bool

	arrivals  int
	outcomes  outcomeCounts
	level     levelWindow
	levelTick timer
	lastLevel float64
	alert     alert
	inTarget  int
	longest   time.Duration
	viewDirty bool
	moved     int // the line changed from this place on; -1: it did not
}

// member is one operator's place in one center.
type member struct {
	center *center
	op     *operator
	rank   int
	skill  int
	dnd    bool
	epoch  uint64 // when last became eligible

	isFree, isOnDuty, isManned, isBusy bool // what the center's counts hold of this member
}

func (m *Machine) centerChanged(def *callcenter.Center, desk bool) {
	c, known := m.centers[def.ID]
	if !known {
		c = &center{id: def.ID, moved: -1, desk: desk}
		c.random = rand.New(rand.NewPCG(m.seed, uint64(def.ID)))
		c.hours = timer{kind: timerHours, cent: c}
		c.unattended = timer{kind: timerUnattended, cent: c}
		c.levelTick = timer{kind: timerLevel, cent: c}
		m.centers[c.id] = c
		at, _ := slices.BinarySearchFunc(m.centerList, c.id, func(c *center, id callcenter.ID) int {
			return cmp.Compare(c.id, id)
		})
		m.centerList = slices.Insert(m.centerList, at, c)
	}
	if c.deleted {
		return
	}
	old := c.settings
	c.settings, c.extras, c.holidays = def.Settings, def.Extras, def.Holidays
	c.active = def.State == callcenter.StateActive || def.State == ""
	c.loc = m.zone(c, def.Settings.Timezone)
	m.setMembers(c, def.Members)
	if known {
		m.settingsChanged(c, old)
	}
	m.checkHours(c)
	m.touch(c)
	m.markCenter(c)
}

func (m *Machine) promptsUploaded(e PromptsUploaded) {
	if c := m.centers[e.Center]; c != nil {
		c.uploads = e.Prompts
	}
}

// optional are those of the prompts that were uploaded for the center.
func (c *center) optional(prompts ...Prompt) (phrases []Phrase) {
	for _, prompt := range prompts {
		if slices.Contains(c.uploads, prompt) {
			phrases = append(phrases, Phrase{Prompt: prompt})
		}
	}
	return phrases
}

// settingsChanged carries out what a PATCH does to calls in progress (docs/reference/routing.md, "Changes").
func (m *Machine) settingsChanged(c *center, old callcenter.Settings) {
	is := c.settings
	if old.RoutingOptions.Open.OperatorRouting != is.RoutingOptions.Open.OperatorRouting ||
		old.RoutingOptions.Closed.OperatorRouting != is.RoutingOptions.Closed.OperatorRouting {
		c.rotation = append(c.rotation[:0], c.members...)
		c.deck = c.deck[:0]
	}
	if old.HoldQueue.MaxHoldSeconds != is.HoldQueue.MaxHoldSeconds {
		for _, w := range c.line {
			if w.callback != nil {
				continue
			}
			m.setTimer(&w.holdTimer, later(w.entered.Add(is.HoldQueue.MaxHold()), m.now.Add(HoldGrace)))
			w.overdue = false
		}
	}
	if old.HoldQueue.UnattendedQueue && !is.HoldQueue.UnattendedQueue {
		c.grace = m.now.Add(UnattendedGrace)
		c.testUnattended = true
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (m *Machine) zone(c *center, name string) *time.Location {
	if loc := m.zones[name]; loc != nil {
		return loc
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		loc = time.UTC
		m.rule(Warn{Center: c.id, Text: "The time zone " + name + " is unknown here; hours count in UTC."}, "timezone")
	}
	m.zones[name] = loc
	return loc
}

func (m *Machine) setMembers(c *center, defs []callcenter.Member) {
	old := c.members
	c.members = make([]*member, 0, len(defs))
	kept := make(map[callcenter.OperatorID]*member, len(old))
	for _, b := range old {
		kept[b.op.id] = b
	}
	listed := make(map[callcenter.OperatorID]bool, len(defs))
	var added []*member
	for _, d := range defs {
		if listed[d.Operator] {
			continue
		}
		listed[d.Operator] = true
		b := kept[d.Operator]
		if b == nil {
			b = &member{center: c, op: m.operatorFor(d.Operator)}
			b.op.join(b)
			added = append(added, b)
			m.markOperator(b.op)
		}
		b.rank, b.skill, b.dnd = len(c.members), d.SkillLevel, d.DoNotDisturb
		c.members = append(c.members, b)
	}
	c.recountFree()
	gone := slices.DeleteFunc(slices.Clone(old), func(b *member) bool { return listed[b.op.id] })
	for _, b := range gone {
		b.remove()
	}
	c.rotation = append(c.rotation, added...)
	if len(c.deck) > 0 { // an empty deck is shuffled whole when it is needed
		for _, b := range added {
			c.deck = slices.Insert(c.deck, c.random.IntN(len(c.deck)+1), b)
		}
	}
	for _, b := range c.members {
		m.refresh(b.op)
	}
	for _, b := range gone {
		m.afterRemoval(b)
	}
}

// remove takes a member, who is no longer in the list, out of everything else.
func (b *member) remove() {
	c := b.center
	b.uncount()
	b.op.leave(b)
	c.rotation = deleteMember(c.rotation, b)
	c.deck = deleteMember(c.deck, b)
}

// afterRemoval cancels an offer of the center to somebody who was removed from it. Their call goes on.
func (m *Machine) afterRemoval(b *member) {
	if r := b.op.ringing; r != nil && r.member == b {
		m.withdraw(r)
	}
	b.center.testUnattended = true
	m.touch(b.center)
	m.refresh(b.op)
	m.markOperator(b.op)
	m.forgetOperator(b.op)
}

func deleteMember(list []*member, b *member) []*member {
	if i := slices.Index(list, b); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// recountFree rebuilds the bits after ranks changed.
func (c *center) recountFree() {
	c.free = make([]uint64, (len(c.members)+63)/64)
	c.freeOps = 0
	for _, b := range c.members {
		if b.isFree {
			c.setFree(b.rank)
		}
	}
}

func (c *center) setFree(rank int) {
	c.free[rank/64] |= 1 << (rank % 64)
	c.freeOps++
}

func (c *center) clearFree(rank int) {
	c.free[rank/64] &^= 1 << (rank % 64)
	c.freeOps--
}

// uncount takes a removed member out of the counts; its bit went with recountFree.
func (b *member) uncount() {
	c := b.center
	c.onDuty -= count(b.isOnDuty)
	c.manned -= count(b.isManned)
	c.busy -= count(b.isBusy)
	b.isFree, b.isOnDuty, b.isManned, b.isBusy = false, false, false, false
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// firstServable is the caller who waits longest of those whom a free operator may be offered.
func (c *center) firstServable() *call {
	if c.freeOps == 0 {
		return nil
	}
	for _, w := range c.idle {
		if w.ready() && c.hasCandidate(w) {
			return w
		}
	}
	return nil
}

func (c *center) hasCandidate(w *call) bool {
	for i, word := range c.free {
		for ; word != 0; word &= word - 1 {
			if b := c.members[i*64+bits.TrailingZeros64(word)]; w.mayTry(b) {
				return true
			}
		}
	}
	return false
}

// candidates are the members who may be offered to w now, in list order. The slice is good until the next call.
func (m *Machine) candidates(w *call) []*member {
	c := w.center
	m.scratch = m.scratch[:0]
	for i, word := range c.free {
		for ; word != 0; word &= word - 1 {
			if b := c.members[i*64+bits.TrailingZeros64(word)]; w.mayTry(b) {
				m.scratch = append(m.scratch, b)
			}
		}
	}
	return m.scratch
}

// hoursOver checks the hours of a center, and of all others whose hours change at the same instant: before anybody is
// offered, so that callbacks of several centers that open go on in their order.
func (m *Machine) hoursOver(at *center) {
	m.checkHours(at)
	for _, c := range m.centerList {
		if c.hours.pos > 0 && !c.hours.at.After(m.now) {
			m.stopTimer(&c.hours)
			m.checkHours(c)
		}
	}
}

// checkHours finds out whether the center is open, sends those waiting away when it just closed, and sets the timer
// for the next change.
func (m *Machine) checkHours(c *center) {
	was := c.avail
	c.avail = c.settings.Availability(m.now, c.loc, c.holidays)
	next := c.settings.NextChange(m.now, c.loc, c.holidays)
	if next.IsZero() && len(c.holidays) > 0 { // one may lie beyond what was looked at
		next = m.now.Add(callcenter.NextChangeHorizon)
	}
	if next.IsZero() || c.deleted {
		m.stopTimer(&c.hours)
	} else {
		m.setTimer(&c.hours, next)
	}
	if was == c.avail {
		return
	}
	m.markCenter(c)
	switch {
	case c.avail.IsOpen():
		c.closed = false
		for _, w := range c.line {
			w.closing = false
		}
		m.touch(c) // callbacks go on
	case was.IsOpen() && !c.settings.HoldQueue.StayInQueueAfterClosing:
		c.closed = true
		for _, w := range slices.Clone(c.line) {
			w.closing = w.callback == nil
			if w.offer == nil {
				m.stopWaiting(w, "closing")
			}
		}
	}
}

// centerDeleted gives everybody who waits or is being offered the fallback. Calls that talk finish.
func (m *Machine) centerDeleted(id callcenter.ID) {
	c := m.centers[id]
	if c == nil || c.deleted {
		return
	}
	c.deleted = true
	m.endAlert(c)
	m.stopTimer(&c.hours)
	m.stopTimer(&c.unattended)
	m.stopTimer(&c.levelTick)
	waiting := slices.Clone(c.line)
	for _, w := range c.offers {
		if !w.inLine {
			waiting = append(waiting, w)
		}
	}
	for _, w := range waiting {
		m.cancelOffer(w, false)
		m.stopWaiting(w, "center_deleted")
	}
	m.setMembers(c, nil)
	m.touch(c)
	m.markCenter(c)
}

// forgetIfEmpty drops a deleted center when its last call has ended.
func (m *Machine) forgetIfEmpty(c *center) {
	if !c.deleted || c.live > 0 || m.centers[c.id] != c {
		return
	}
	delete(m.centers, c.id)
	if i := slices.Index(m.centerList, c); i >= 0 {
		m.centerList = slices.Delete(m.centerList, i, i+1)
	}
}

// unattendedTest sends those who wait away when nobody is left to serve them, unless the center says to hold them.
func (m *Machine) unattendedTest(c *center) {
	c.testUnattended = false
	if c.manned > 0 || c.settings.HoldQueue.UnattendedQueue || len(c.idle) == 0 {
		return
	}
	if m.now.Before(c.grace) {
		m.setTimer(&c.unattended, c.grace)
		return
	}
	for _, w := range slices.Clone(c.idle) {
		if !w.undecided { // those get their own verdict
			m.stopWaiting(w, "no_operators")
		}
	}
}

// endlessWait is for callers whose round is over and who waited for somebody to hang up: when nobody is busy any more
// and still nobody new became free, the round's verdict holds.
func (m *Machine) endlessWait(c *center) {
	if c.freeOps == 0 || c.busy > 0 || len(c.idle) == 0 {
		return
	}
	for _, w := range slices.Clone(c.idle) {
		m.stopWaiting(w, "no_answer")
	}
}
