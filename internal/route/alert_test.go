package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// alertWorld is one center whose calls are kept by the test too, with nothing but lists.
type alertWorld struct {
	t      *testing.T
	m      *Machine
	now    time.Time
	random *rand.Rand
	goal   callcenter.Alerts
	least  int

	next    CallID
	waits   map[CallID]time.Time // entry of those who wait
	talks   map[CallID]LegID
	gone    []leaver
	history []judgement
	raised  bool
	told    time.Time
	seen    map[AlertKind]int
	records []CallRecord
}

// judgement is one evaluation.
type judgement struct {
	at              time.Time
	thin, low, high bool
}

func newAlertWorld(t *testing.T, seed uint64) *alertWorld {
	r := rand.New(rand.NewPCG(seed, 4))
	m := benchMachine(1+r.IntN(3), callcenter.FixedOrder)
	w := &alertWorld{
		t: t, m: m, now: scriptStart, random: r, waits: map[CallID]time.Time{}, talks: map[CallID]LegID{},
		seen: map[AlertKind]int{}, least: 1 + r.IntN(5),
		goal: callcenter.Alerts{ServiceLevelPercent: 30 + 10*r.IntN(8), ServiceLevelSeconds: 10 + r.IntN(60)},
	}
	at := m.centers[1]
	at.settings.Alerts = w.goal
	at.settings.HoldQueue.AnnouncePosition = false
	at.extras = callcenter.Extras{ShortAbandonSeconds: 5, AlertMinCalls: w.least}
	return w
}

// step tells the machine one fact and compares its alerts with what the lists say.
func (w *alertWorld) step(e Event) {
	evaluated := w.m.centers[1].levelTick.pos > 0 && !w.m.centers[1].levelTick.at.After(w.now)
	effects := w.m.Step(w.now, e)
	var answers []LegID
	for _, f := range effects {
		switch o := f.Order.(type) {
		case Ring:
			answers = append(answers, o.Leg)
		case Bridge:
			w.talks[o.Call] = o.Leg
			w.leave(o.Call, leftAnswered)
		case End:
			evaluated = true
			delete(w.talks, o.Record.Call)
			w.records = append(w.records, o.Record)
		}
	}
	want := ""
	if evaluated {
		want = w.judge()
	}
	got := ""
	for _, a := range orders[Alert](effects) {
		got += string(a.Kind)
		w.seen[a.Kind]++
	}
	if got != want {
		w.t.Fatalf("%s after %T: alerts %q, should be %q; goal %+v, at least %d",
			w.now.Sub(scriptStart), e, got, want, w.goal, w.least)
	}
	w.shown(evaluated)
	for _, leg := range answers {
		w.step(LegAnswered{leg})
	}
}

// shown holds what pages show of an alert to the level of now, and sees to it that they get it at every evaluation.
func (w *alertWorld) shown(evaluated bool) {
	at, _ := w.m.Center(1)
	if at.Alert.Since.IsZero() {
		return
	}
	present := fmt.Sprintf("answered %d %% of", int(at.ServiceLevel))
	if at.ServiceLevel >= 0 && !strings.Contains(at.Alert.Text, present) {
		w.t.Fatalf("%s: %q, at a level of %.1f", w.now.Sub(scriptStart), at.Alert.Text, at.ServiceLevel)
	}
	if changed := w.m.Changed(); evaluated && !slices.Contains(changed.Centers, 1) {
		w.t.Fatalf("%s: pages are not told of the level", w.now.Sub(scriptStart))
	}
}

func (w *alertWorld) leave(id CallID, how left) {
	wait := w.now.Sub(w.waits[id])
	if how == leftAbandoned && wait < 5*time.Second {
		how = leftShort
	}
	w.gone = append(w.gone, leaver{w.now, wait, how})
	delete(w.waits, id)
}

// judge is docs/reference/service-level.md, "Alerts", from the whole history.
func (w *alertWorld) judge() string {
	good, calls, offered := 0, 0, 0
	target := time.Duration(w.goal.ServiceLevelSeconds) * time.Second
	for _, l := range w.gone {
		if !l.at.After(w.now.Add(-30 * time.Minute)) {
			continue
		}
		offered++
		switch {
		case l.how == leftAnswered && l.wait <= target:
			good, calls = good+1, calls+1
		case l.how != leftShort:
			calls++
		}
	}
	for _, entered := range w.waits {
		if w.now.Sub(entered) > target {
			offered, calls = offered+1, calls+1
		}
	}
	j := judgement{at: w.now, thin: offered < w.least || calls == 0}
	if !j.thin {
		level := 100 * float64(good) / float64(calls)
		j.low = level < float64(w.goal.ServiceLevelPercent)
		j.high = level >= min(float64(w.goal.ServiceLevelPercent)+2, 100)
	}
	w.history = append(w.history, j)
	switch {
	case !w.raised && w.lasting(30*time.Second, func(j judgement) bool { return j.low }):
		w.raised, w.told = true, w.now
		return string(AlertRaised)
	case !w.raised:
		return ""
	case w.lasting(5*time.Minute, func(j judgement) bool { return j.high }),
		w.lasting(30*time.Minute, func(j judgement) bool { return j.thin }):
		w.raised = false
		w.history = w.history[:0]
		return string(AlertCleared)
	case w.now.Sub(w.told) >= 15*time.Minute:
		w.told = w.now
		return string(AlertReminded)
	}
	return ""
}

// lasting says whether all evaluations have been so, for so long.
func (w *alertWorld) lasting(enough time.Duration, is func(judgement) bool) bool {
	for i := len(w.history) - 1; i >= 0 && is(w.history[i]); i-- {
		if w.now.Sub(w.history[i].at) >= enough {
			return true
		}
	}
	return false
}

func (w *alertWorld) advance(by time.Duration) {
	to := w.now.Add(by)
	for next := w.m.Next(); !next.IsZero() && !next.After(to); next = w.m.Next() {
		w.now = next
		w.step(Tick{})
	}
	w.now = to
}

// act lets somebody call, hang up while waiting or end a conversation.
func (w *alertWorld) act(arrivals int) {
	switch {
	case w.random.IntN(10) < arrivals:
		w.next++
		w.waits[w.next] = w.now
		w.step(CallArrived{Call: w.next, Center: 1})
	case len(w.talks) > 0 && w.random.IntN(2) == 0:
		w.step(CallerHungUp{Call: oldest(w.talks)})
	case len(w.waits) > 0:
		id := oldest(w.waits)
		w.leave(id, leftAbandoned)
		w.step(CallerHungUp{Call: id})
	}
}

func oldest[T any](calls map[CallID]T) CallID {
	first := CallID(1 << 60)
	for id := range calls {
		first = min(first, id)
	}
	return first
}

// TestAlertsAgainstTheHistory compares every alert, and every silence, with what the list of all evaluations says.
func TestAlertsAgainstTheHistory(t *testing.T) {
	seen := map[AlertKind]int{}
	for seed := range uint64(60) {
		w := newAlertWorld(t, seed)
		for range 12 {
			busy := w.random.IntN(8)
			pause := time.Duration(1+w.random.IntN(120)) * time.Second
			for range 40 {
				w.advance(time.Duration(w.random.Int64N(int64(pause))) + 1)
				w.act(busy)
			}
			if w.random.IntN(3) == 0 {
				w.advance(time.Hour)
			}
		}
		for kind, n := range w.seen {
			seen[kind] += n
		}
	}
	if seen[AlertRaised] < 100 || seen[AlertReminded] < 100 || seen[AlertCleared] < 100 {
		t.Errorf("too few alerts to prove anything: %v", seen)
	}
	t.Log(fmt.Sprint(seen))
}
