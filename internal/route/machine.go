// Package route decides who rings, who waits and how a call ends: the routing core of one company as a pure state
// machine. Events are facts that the host tells it; effects are orders that the host carries out and whose results come
// back as events. The rules are written down in docs/reference/routing.md.
//
// It refuses to know the time of day, to start a goroutine, to do I/O or to log, and nothing in it depends on the order
// of a map: the same events give the same effects, bit for bit.
package route

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
)

// Config is what a Machine is made of.
type Config struct {
	Company callcenter.CompanyID
	Seed    uint64 // of every random choice
	Step    uint64 // the last step already journalled; the first step here is the one after it
}

// The figures of the rules. Each is tested at its edge.
const (
	AnswerWithin    = 2 * time.Second  // a caller who is let ring is answered then, with ringback
	StaticDownTime  = 30 * time.Second // a static device is not rung after a failure
	HoldGrace       = 30 * time.Second // a new max_hold_seconds ends nobody's wait sooner
	UnattendedGrace = 10 * time.Second // between losing the last operator's phone, or a PATCH, and the fallback
	MaxMessage      = 5 * time.Minute
	SaveWithin      = 30 * time.Second    // a host that never reports a recording must not keep the call for ever
	MaxSimultaneous = 50                  // operators rung at once
	MaxPath         = 64                  // steps kept of a call's path
	MaxLeftOut      = 16                  // operators named in a Why
	LevelWindow     = 30 * time.Minute    // of the service level
	LevelEvery      = 15 * time.Second    // it is looked at so often while it may change by itself
	MaxLevelCalls   = 1 << 16             // calls kept in that window, per center
	FarWithin       = 45 * time.Second    // a number that we call answers, or is given up
	MaxTries        = 3                   // of a callback
	RoundPause      = time.Minute         // before a callback that no operator took is offered to them anew
	OwnRing         = 30 * time.Second    // an operator's phone rings so long for a call of their own
	KeyWithin       = 5 * time.Second     // a caller who is asked for keys presses the next one
	MaxKeyTries     = 3                   // of a caller who does not, or who presses the wrong ones
	MinNumberDigits = 7                   // of an international number, without the plus
	MaxNumberDigits = 15                  // E.164
	MaxTypedDigits  = MaxNumberDigits + 3 // with the digits that stand for the plus
	PauseKeyWithin  = 3 * time.Second     // between the two keys of an operator's code
	PlaceKept       = 2 * time.Minute     // for a caller who was lost
	MaxPlaces       = 10_000              // kept at once
	AlertAfter      = 30 * time.Second    // between the two low levels that raise an alert
	AlertMargin     = 2                   // points above the goal that clear one
	AlertGoodFor    = 5 * time.Minute     // that the level stays there before
	AlertThinFor    = 30 * time.Minute    // so long without enough calls clears one too
	AlertAgain      = 15 * time.Minute    // between reminders
)

// tryPauses are between the tries of a callback: after the first, after the second.
var tryPauses = [MaxTries - 1]time.Duration{5 * time.Minute, 15 * time.Minute}

// Machine is the routing state of one company. It is not safe for use by several goroutines at once.
type Machine struct {
	company  callcenter.CompanyID
	seed     uint64
	step     uint64
	now      time.Time
	out      []Effect
	draining bool

	centers    map[callcenter.ID]*center
	centerList []*center // in id order
	operators  map[callcenter.OperatorID]*operator
	ops        []*operator // in id order
	calls      map[CallID]*call
	zones      map[string]*time.Location

	timers     timerHeap
	timerSeq   uint64
	epoch      uint64 // grows whenever somebody becomes eligible or a round ends
	callSeq    uint64 // counts arrivals
	pending    []*center
	undecided  []*call // their offer failed in this step
	announcing []*call // hear their position at the end of this step
	dirty      dirtyList
	scratch    []*member

	arrivals int
	ended    int
	outcomes outcomeCounts
	places   keptPlaces
}

// New makes a machine that knows nobody. The host sends OperatorChanged and CenterChanged for all there are, then
// DeviceReachable for the phones that are registered.
func New(cfg Config) *Machine {
	return &Machine{
		company: cfg.Company, seed: cfg.Seed, step: cfg.Step, places: newKeptPlaces(),
		centers:   make(map[callcenter.ID]*center),
		operators: make(map[callcenter.OperatorID]*operator),
		calls:     make(map[CallID]*call),
		zones:     make(map[string]*time.Location),
	}
}

// Step tells the machine one fact and returns its orders, in the order in which to perform them. Timers that are due
// fire first, so an answer that comes after the end of its ringing lost. Time never goes back: an older now counts as
// the newest one seen. An event about an unknown call, leg or person changes nothing. The slice is valid until the next
// Step; the orders in it may be kept.
func (m *Machine) Step(now time.Time, e Event) []Effect {
	if now.After(m.now) {
		m.now = now
	}
	m.step++
	m.out = m.out[:0]
	m.fireTimers()
	m.apply(e)
	m.settle()
	m.announceAll()
	return m.out
}

// Next says when the next Tick is due. Zero: nothing is waiting for time to pass.
func (m *Machine) Next() time.Time {
	if t := m.timers.first(); t != nil {
		return t.at
	}
	return time.Time{}
}

// Steps counts the steps so far, Config.Step included.
func (m *Machine) Steps() uint64 { return m.step }

func (m *Machine) apply(e Event) {
	switch e := e.(type) {
	case Tick:
	case CenterChanged:
		m.centerChanged(e.Center, e.Desk)
	case CenterDeleted:
		m.centerDeleted(e.ID)
	case OperatorChanged:
		m.operatorChanged(e.Operator)
	case OperatorDeleted:
		m.operatorDeleted(e.ID)
	case DutySet:
		m.dutySet(e)
	case DeviceReachable:
		m.deviceReachable(e)
	case WrapUpEnded:
		m.wrapUpEnded(e.Operator)
	case WrapUpExtended:
		m.wrapUpExtended(e)
	case CallArrived:
		m.callArrived(e)
	case PromptsUploaded:
		m.promptsUploaded(e)
	case Draining:
		m.drain()
	case RestoreCallback:
		m.restoreCallback(e.Callback)
	case RestorePlace:
		m.restorePlace(e)
	case RestoreFigures:
		m.restoreFigures(e.Figures)
	case RestoreTalk:
		m.restoreTalk(e)
	case CallbackAsked:
		m.callbackAsked(e)
	case CallAsked:
		m.callAsked(e)
	case RecordingSet:
		m.recordingSet(e)
	case VoiceSet:
		m.voiceSet(e)
	default:
		m.applyToCall(e)
	}
}

func (m *Machine) applyToCall(e Event) {
	switch e := e.(type) {
	case CallerHungUp:
		m.withCall(e.Call, func(c *call) { m.callerHungUp(c, e.Lost) })
	case CallFailed:
		m.withCall(e.Call, func(c *call) { m.callFailed(c, e.Reason) })
	case Digit:
		m.withCall(e.Call, func(c *call) { m.digit(c, e.Digit) })
	case PlayDone:
		m.withCall(e.Call, func(c *call) { m.playDone(c, e.Play) })
	case RouterAnswered:
		m.withCall(e.Call, func(c *call) { m.routerAnswered(c, e) })
	case RecordingEnded:
		m.withCall(e.Call, func(c *call) { m.recordingEnded(c, e) })
	case HangupAsked:
		m.withCall(e.Call, m.hangupAsked)
	case FarAnswered:
		m.withCall(e.Call, m.farAnswered)
	case FarFailed:
		m.withCall(e.Call, func(c *call) { m.farFailed(c, e.Status) })
	case OperatorDigit:
		m.operatorDigit(e)
	case LegRinging:
		m.legRinging(e.Leg)
	case LegAnswered:
		m.legAnswered(e.Leg)
	case LegFailed:
		m.legFailed(e.Leg, e.Status)
	case LegHungUp:
		m.legHungUp(e.Leg)
	default:
		panic(fmt.Sprintf("route: unknown event %T", e))
	}
}

func (m *Machine) withCall(id CallID, do func(*call)) {
	if c := m.calls[id]; c != nil {
		do(c)
	}
}

func (m *Machine) order(o Order, why Why) {
	id := EffectID{Company: m.company, Step: m.step, Index: len(m.out)}
	m.out = append(m.out, Effect{ID: id, Order: o, Why: why})
}

func (m *Machine) rule(o Order, rule string) { m.order(o, Why{Rule: rule}) }

// settle brings free operators and waiting callers together after an event: first those who cannot be served leave,
// then the longest waiting caller of all centers concerned is offered, again and again until nobody can be.
func (m *Machine) settle() {
	for i := 0; i < len(m.pending); i++ { // the list may grow on the way
		if c := m.pending[i]; c.testUnattended {
			m.unattendedTest(c)
		}
	}
	for best := m.longestServable(); best != nil; best = m.longestServable() {
		m.offer(best, m.candidates(best))
	}
	for i := 0; i < len(m.undecided); i++ {
		if c := m.undecided[i]; c.undecided {
			c.undecided = false
			m.verdict(c)
		}
	}
	m.undecided = m.undecided[:0]
	for i := 0; i < len(m.pending); i++ {
		c := m.pending[i]
		m.endlessWait(c)
		c.isPending = false
		m.forgetIfEmpty(c)
	}
	m.pending = m.pending[:0]
}

func (m *Machine) longestServable() (best *call) {
	for _, c := range m.pending {
		if w := c.firstServable(); w != nil && (best == nil || waitsLonger(w, best)) {
			best = w
		}
	}
	return best
}

// waitsLonger orders callers of different centers: the earlier entry, then the lower call id.
func waitsLonger(a, b *call) bool {
	if !a.entered.Equal(b.entered) {
		return a.entered.Before(b.entered)
	}
	if a.center == b.center {
		return a.seq < b.seq
	}
	return a.id < b.id
}

func (m *Machine) touch(c *center) {
	if c != nil && !c.isPending {
		c.isPending = true
		m.pending = append(m.pending, c)
	}
}

// drain refuses those who were not answered, sends away those who wait, saves running voicemails; who talks goes on.
func (m *Machine) drain() {
	m.draining = true
	for _, c := range m.callsInOrder() {
		switch {
		case c.state == stateConnected, c.state == stateConnecting, c.state == stateForwarded:
		case c.state == stateVoicemail:
			m.rule(StopRecord{Call: c.id}, "draining")
		case c.callback != nil:
			m.leaveToDisk(c)
		default:
			outcome := Failed
			if !c.answered {
				outcome = Rejected
			}
			c.keptPlace = c.inLine // for the next process
			m.sendAway(c, outcome, "draining", statusUnavailable)
		}
	}
}

func (m *Machine) callsInOrder() []*call {
	list := make([]*call, 0, len(m.calls))
	for _, c := range m.calls { // sorted below
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.id, b.id))
	})
	return list
}
