package route

import (
	"fmt"
	"time"
)

// alert follows the service level of one center (docs/reference/service-level.md). A zero time: it is not so now.
type alert struct {
	raised bool
	since  time.Time // it was raised
	told   time.Time // last
	low    time.Time // the level is below the goal since then
	good   time.Time // raised: the level is high enough to clear it
	thin   time.Time // raised: there were too few calls to judge
}

// alertView says the level as it is now, not as it was when the alert was raised.
func (m *Machine) alertView(at *center) AlertView {
	if !at.alert.raised {
		return AlertView{}
	}
	return AlertView{
		Since: at.alert.since, Text: levelText(at, m.serviceLevel(at), at.level.total+m.waitingPast(at)),
	}
}

// evaluate judges the service level of a center: at the end of every call of it and every LevelEvery, while it is open.
func (m *Machine) evaluate(at *center) {
	if at == nil || at.deleted {
		return
	}
	a, goal := &at.alert, at.settings.Alerts.ServiceLevelPercent
	if goal == 0 || !at.avail.IsOpen() {
		m.endAlert(at)
		return
	}
	if a.raised {
		m.markCenter(at) // pages show the level that it has now
	}
	level, past := m.serviceLevel(at), m.waitingPast(at)
	calls := at.level.total + past
	if len(at.level.list)+past < at.extras.AlertMinCalls || calls == 0 {
		a.low, a.good = time.Time{}, time.Time{}
		if m.lasts(&a.thin, AlertThinFor) {
			m.clearAlert(at, level, calls)
			return
		}
		m.remind(at, level, calls)
		return
	}
	a.thin = time.Time{}
	switch {
	case level >= min(float64(goal+AlertMargin), 100):
		a.low = time.Time{}
		if m.lasts(&a.good, AlertGoodFor) {
			m.clearAlert(at, level, calls)
			return
		}
	case level < float64(goal):
		a.good = time.Time{}
		if m.lasts(&a.low, AlertAfter) && !a.raised {
			a.raised, a.since = true, m.now
			m.tell(at, AlertRaised, level, calls)
			return
		}
	default:
		a.low, a.good = time.Time{}, time.Time{}
	}
	m.remind(at, level, calls)
}

// lasts says whether what is so now has been so for long enough, by the evaluations so far.
func (m *Machine) lasts(since *time.Time, enough time.Duration) bool {
	if since.IsZero() {
		*since = m.now
	}
	return !m.now.Before(since.Add(enough))
}

func (m *Machine) remind(at *center, level float64, calls int) {
	if at.alert.raised && !m.now.Before(at.alert.told.Add(AlertAgain)) {
		m.tell(at, AlertReminded, level, calls)
	}
}

func (m *Machine) clearAlert(at *center, level float64, calls int) {
	if at.alert.raised {
		m.tell(at, AlertCleared, level, calls)
		at.alert = alert{}
	}
}

// endAlert is for a center that closes, or whose alerts are switched off.
func (m *Machine) endAlert(at *center) {
	m.clearAlert(at, -1, 0)
	at.alert = alert{}
}

func (m *Machine) tell(at *center, kind AlertKind, level float64, calls int) {
	a, goal := &at.alert, at.settings.Alerts
	text := levelText(at, level, calls)
	a.told = m.now
	m.order(Alert{
		Center: at.id, Kind: kind, Level: level, Goal: goal, Calls: calls, Since: a.since, Text: text,
	}, Why{Rule: "alerts", Text: text})
	m.markCenter(at)
}

func levelText(at *center, level float64, calls int) string {
	goal := at.settings.Alerts
	switch {
	case at.deleted:
		return at.settings.Name + " was deleted; its alert ends"
	case goal.ServiceLevelPercent == 0:
		return "The alerts of " + at.settings.Name + " were switched off"
	case !at.avail.IsOpen():
		return at.settings.Name + " closed; its alert ends"
	case level < 0:
		return fmt.Sprintf("%s has too few calls to judge; goal %d %% within %d s",
			at.settings.Name, goal.ServiceLevelPercent, goal.ServiceLevelSeconds)
	}
	return fmt.Sprintf("%s answered %d %% of the last %d calls within %d s; goal %d %%",
		at.settings.Name, int(level), calls, goal.ServiceLevelSeconds, goal.ServiceLevelPercent)
}
