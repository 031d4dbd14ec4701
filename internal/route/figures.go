package route

import (
	"slices"
	"time"

	"switchboard/internal/callcenter"
)

// FiguresFor is how far back the figures of a call center go when a machine starts: what ended before is not in them.
const FiguresFor = 24 * time.Hour

// Figures are what the ended calls of a call center came to.
type Figures struct {
	Center           callcenter.ID
	Outcomes         map[Outcome]int
	AnsweredInTarget int
	LongestWait      time.Duration
	Left             []Departure // within LevelWindow, in the order of time
}

// Departure is a caller who stopped waiting, for the service level. As is LeftAs of their record.
type Departure struct {
	At   time.Time
	Wait time.Duration
	As   string
}

// FiguresOf sums up the records of a center's calls, in any order. Calls that ended FiguresFor before now, or earlier,
// and those of other centers, are not in it. Answers are judged by the target that is given.
func FiguresOf(center callcenter.ID, target time.Duration, records []CallRecord, now time.Time) Figures {
	f := Figures{Center: center, Outcomes: map[Outcome]int{}}
	for i := range records {
		r := &records[i]
		if r.Center != center || !r.Ended.After(now.Add(-FiguresFor)) {
			continue
		}
		f.Outcomes[r.Outcome]++
		if r.LeftAt.IsZero() {
			continue
		}
		d := Departure{At: r.LeftAt, Wait: r.LeftAt.Sub(r.Entered), As: r.LeftAs}
		f.LongestWait = max(f.LongestWait, d.Wait)
		if d.As == leftNames[leftAnswered] && d.Wait <= target {
			f.AnsweredInTarget++
		}
		if d.At.After(now.Add(-LevelWindow)) {
			f.Left = append(f.Left, d)
		}
	}
	slices.SortStableFunc(f.Left, func(a, b Departure) int { return a.At.Compare(b.At) })
	return f
}

// restoreFigures adds figures to those of a center. Outcomes that nobody knows, and departures that are out of order,
// are left out.
func (m *Machine) restoreFigures(f Figures) {
	at := m.centers[f.Center]
	if at == nil || at.deleted {
		return
	}
	for i, outcome := range Outcomes {
		n := max(f.Outcomes[outcome], 0)
		at.outcomes[i] += n
		at.arrivals += n
	}
	at.inTarget += max(f.AnsweredInTarget, 0)
	at.longest = max(at.longest, f.LongestWait)
	at.level.roll(m.now, at.target())
	for _, d := range f.Left {
		how := slices.Index(leftNames[:], d.As)
		last := len(at.level.list) - 1
		if how < 0 || d.At.After(m.now) || last >= 0 && d.At.Before(at.level.list[last].at) {
			continue
		}
		at.level.add(leaver{d.At, d.Wait, left(how)})
	}
	m.watchLevel(at)
	m.markCenter(at)
}

// restoreTalk lets a wrap-up go on, and an operator be idle for as long as they are. Who has come on duty since has
// neither.
func (m *Machine) restoreTalk(e RestoreTalk) {
	o := m.operators[e.Operator]
	if o == nil || !o.works() || o.call != nil || o.ringing != nil || o.wrapping ||
		e.Ended.Before(o.duty.OnSince) || e.Ended.After(m.now) {
		return
	}
	over := later(e.Ended, e.WrapUp)
	o.idleSince = later(o.idleSince, e.Ended)
	if over.After(m.now) {
		o.wrapping, o.extend = true, max(e.Extend, 0)
		m.setTimer(&o.wrapTimer, over)
	} else {
		o.idleSince = later(o.idleSince, over)
	}
	m.refresh(o)
	m.markOperator(o)
}
