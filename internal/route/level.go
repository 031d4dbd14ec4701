package route

import (
	"slices"
	"sort"
	"time"
)

// left says how a caller stopped waiting.
type left uint8

const (
	leftAnswered left = iota
	leftAbandoned
	leftShort
	leftByRule // timeout, escape, closing, nobody answered: the service level counts those who waited past the target
)

// leftNames are the ways in records.
var leftNames = [...]string{
	leftAnswered: "answered", leftAbandoned: "abandoned", leftShort: "short", leftByRule: "rule",
}

// leaver is a caller who stopped waiting. The zero value: nobody did.
type leaver struct {
	at   time.Time
	wait time.Duration
	how  left
}

// name is how they left, in a record.
func (l leaver) name() string {
	if l.at.IsZero() {
		return ""
	}
	return leftNames[l.how]
}

// levelWindow keeps the raw waits of the last LevelWindow, so that a new target counts for all of them.
type levelWindow struct {
	list   []leaver
	target time.Duration
	good   int // answered within target
	total  int
}

func (l leaver) counts(target time.Duration) (good, total int) {
	switch l.how {
	case leftAnswered:
		return count(l.wait <= target), 1
	case leftAbandoned:
		return 0, 1
	case leftByRule:
		return 0, count(l.wait > target)
	case leftShort:
	}
	return 0, 0
}

func (w *levelWindow) add(l leaver) {
	if len(w.list) == MaxLevelCalls {
		w.drop()
	}
	w.list = append(w.list, l)
	good, total := l.counts(w.target)
	w.good += good
	w.total += total
}

func (w *levelWindow) drop() {
	good, total := w.list[0].counts(w.target)
	w.good -= good
	w.total -= total
	w.list = w.list[1:]
}

// roll forgets what is older than the window and takes on a new target.
func (w *levelWindow) roll(now time.Time, target time.Duration) {
	for len(w.list) > 0 && !w.list[0].at.After(now.Add(-LevelWindow)) {
		w.drop()
	}
	if w.target == target {
		return
	}
	w.target, w.good, w.total = target, 0, 0
	for _, l := range w.list {
		good, total := l.counts(target)
		w.good += good
		w.total += total
	}
}

func (at *center) target() time.Duration {
	return time.Duration(at.settings.Alerts.ServiceLevelSeconds) * time.Second
}

// leaves books that a caller stopped waiting, for the service level.
func (m *Machine) leaves(c *call, how left) {
	at, wait := c.center, m.now.Sub(c.entered)
	at.level.roll(m.now, at.target())
	c.left = leaver{m.now, wait, how}
	at.level.add(c.left)
	at.longest = max(at.longest, wait)
	if how == leftAnswered && wait <= at.target() {
		at.inTarget++
	}
	m.watchLevel(at)
	m.markCenter(at)
}

// watchLevel has the service level looked at while callers wait or the window holds anybody: both change it without an
// event.
func (m *Machine) watchLevel(at *center) {
	if at.levelTick.pos == 0 && !at.deleted {
		m.setTimer(&at.levelTick, m.now.Add(LevelEvery))
	}
}

func (m *Machine) lookAtLevel(at *center) {
	if is := m.serviceLevel(at); is != at.lastLevel {
		at.lastLevel = is
		m.markCenter(at)
	}
	m.evaluate(at)
	if len(at.level.list) > 0 || len(at.line) > 0 || at.alert.raised {
		m.watchLevel(at)
	}
}

// serviceLevel is the share answered within the target, in percent over the rolling window; callers who wait past it
// already count as misses. -1: no data.
func (m *Machine) serviceLevel(at *center) float64 {
	total := m.waitingPast(at) + at.level.total
	if total == 0 {
		return -1
	}
	return 100 * float64(at.level.good) / float64(total)
}

// waitingPast rolls the window and counts the callers who have been waiting past the target. Callbacks do not wait:
// they counted when they were asked for.
func (m *Machine) waitingPast(at *center) int {
	at.level.roll(m.now, at.target())
	past := m.now.Add(-at.target())
	older := func(list []*call) int {
		return sort.Search(len(list), func(i int) bool { return !list[i].entered.Before(past) })
	}
	n := older(at.line) - older(at.ghosts)
	for _, c := range at.offers {
		n += count(!c.inLine && c.entered.Before(past))
	}
	return n
}

// outcomeCounts counts by the place in Outcomes.
type outcomeCounts [9]int

func (o *outcomeCounts) add(outcome Outcome) { o[slices.Index(Outcomes, outcome)]++ }

func (o *outcomeCounts) sum() (n int) {
	for _, k := range o {
		n += k
	}
	return n
}

func (o *outcomeCounts) byName() map[Outcome]int {
	counts := make(map[Outcome]int, len(Outcomes))
	for i, k := range o {
		if k > 0 {
			counts[Outcomes[i]] = k
		}
	}
	return counts
}
