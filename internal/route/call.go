package route

import (
	"slices"
	"strconv"
	"time"

	"switchboard/internal/callcenter"
)

type callState int

const (
	stateArrived    callState = iota // refused or sent on in the step in which it arrived
	stateOffering                    // operators ring; may be in the line too
	stateQueued                      // in the line, nobody rings
	stateConnected                   // talking
	statePrompt                      // hears a message or the voicemail greeting
	stateVoicemail                   // speaks after the beep
	stateDialling                    // an operator is on the line, the number that is called is not
	stateConnecting                  // an operator answered, and one of both has still something to hear
	stateMenu                        // keys are waited for, from here
	stateDirectory                   // a name is spelled
	statePick                        // one of several names
	stateExtension
	stateAsked      // what a call router wants to know; to here
	stateRouter     // a call router is asked
	statePerson     // one person rings, whom the caller was sent to
	stateForwarding // a number outside rings
	stateForwarded  // talking with a number outside
)

var callStates = [...]string{
	"arrived", "offering", "queued", "connected", "prompt", "voicemail", "dialling", "connecting", "menu", "directory",
	"directory", "extension", "router", "router", "person", "forwarding", "forwarded",
}

// SIP statuses with which a caller is refused (docs/reference/routing.md, "Arrival").
const (
	statusNotFound    = 404
	statusNoCenter    = 480
	statusInternal    = 500
	statusUnavailable = 503
	drainRetryAfter   = 5 // seconds
)

// call is the state of one caller's visit.
type call struct {
	id     CallID
	seq    uint64 // order of arrival
	center *center
	from   string
	to     string

	state   callState
	since   time.Time
	arrived time.Time
	entered time.Time
	open    bool // the branch, fixed at arrival

	answered bool // 200 was sent
	music    bool // hears hold music, or will when the prompt ends
	playing  int  // the id of the prompt that plays; 0: none
	plays    int

	inLine    bool
	overdue   bool // max_hold_seconds passed during an offer
	closing   bool // the center closed during an offer
	welcomed  bool // heard HOLD_INTRO
	told      int  // the last position said; 0: none
	toldAt    time.Time
	heardKey  string // the escape digit that was last announced
	reason    string // of the voicemail or message
	hungUp    bool   // only the recording is still to be reported
	leave     Outcome
	left      leaver
	offer     *offer
	undecided bool        // its offer failed in this step
	withdrawn bool        // and not because of any operator
	tried     []*operator // in this round
	after     uint64      // a round ended then: only who became eligible later may be tried
	legs      int
	bridged   LegID
	operator  *operator // talking with
	connected time.Time
	offers    []OfferRecord
	path      []PathStep
	viewDirty bool
	position  int // as last reported by Changed
	visit

	toAnnounce bool // at the end of this step
	entryDue   bool // the position is said when HOLD_INTRO ends
	dialog     *dialog
	heardBack  string    // the callback digit that the last announcement offered; "": it offered none
	keptPlace  bool      // in the line before, and lost: the saved place stays
	hadPlace   bool      // entered with such a place
	callback   *callback // of a callback
	asker      *operator // of an operator's own call
	cameFar    bool      // the number that we called answered
	legPlay    int       // the id of what the operator hears; 0: nothing
	recording  recordingState
	voice      voiceState
	star       time.Time // when the operator last pressed the star

	answerTimer, ringTimer, holdTimer, announceTimer, saveTimer, farTimer, keyTimer, restTimer timer
}

// timers are all of them, to be stopped at the end.
func (c *call) timers() [9]*timer {
	return [...]*timer{
		&c.answerTimer, &c.ringTimer, &c.holdTimer, &c.announceTimer, &c.saveTimer,
		&c.farTimer, &c.keyTimer, &c.restTimer, &c.stepTimer,
	}
}

// outbound says that we call the caller's side.
func (c *call) outbound() bool { return c.callback != nil || c.asker != nil }

// direction is how the host names it.
func (c *call) direction() string {
	if c.outbound() {
		return Outbound
	}
	return Inbound
}

func (c *call) branch() callcenter.Branch {
	if c.open {
		return c.center.settings.RoutingOptions.Open
	}
	return c.center.settings.RoutingOptions.Closed
}

func (c *call) strategy() callcenter.Strategy { return c.branch().OperatorRouting }

func (m *Machine) callArrived(e CallArrived) {
	if m.calls[e.Call] != nil {
		return
	}
	c := m.newCall(e.Call, e.From, e.To)
	at := m.centers[e.Center]
	switch {
	case m.draining:
		m.refuse(c, statusUnavailable, drainRetryAfter, "draining")
		return
	case at == nil || at.deleted:
		m.refuse(c, statusNotFound, 0, "unknown_number")
		return
	}
	if !at.active {
		c.enter(at)
		m.refuse(c, statusNoCenter, 0, "center_inactive")
		return
	}
	m.rule(Progress{Call: c.id}, "arrival")
	m.setTimer(&c.answerTimer, m.now.Add(AnswerWithin))
	m.arriveAt(c, at)
}

// newCall makes a call that arrives now.
func (m *Machine) newCall(id CallID, from, to string) *call {
	m.arrivals++
	m.callSeq++
	c := &call{id: id, seq: m.callSeq, from: from, to: to, arrived: m.now, since: m.now, visit: visit{entry: id}}
	kinds := [...]timerKind{
		timerAnswer, timerRing, timerHold, timerAnnounce, timerSave, timerFar, timerKey, timerRest,
		timerStep,
	}
	for i, t := range c.timers() {
		*t = timer{kind: kinds[i], call: c}
	}
	m.calls[id] = c
	return c
}

// enter gives a call to a center.
func (c *call) enter(at *center) {
	c.center = at
	at.live++
	at.arrivals++
}

// firstReason says why a call gets the branch's action without any operator having been looked for.
func (c *call) firstReason() string {
	if c.open {
		return "not_dialled"
	}
	return "closed"
}

// admit decides whether a call rings, waits or gets the fallback (docs/reference/routing.md, "Ring, wait or neither").
func (m *Machine) admit(c *call) {
	at := c.center
	c.dialled = true
	if at.deleted {
		m.act(c, "center_deleted", false)
		return
	}
	if list := m.candidates(c); len(list) > 0 {
		m.enterLine(c)
		m.offer(c, list)
		return
	}
	switch q := at.settings.HoldQueue; {
	case at.manned == 0 && !q.UnattendedQueue:
		m.act(c, "no_operators", false)
	case len(at.line) >= q.MaxHoldCount && !m.hasPlace(c):
		m.act(c, "queue_full", false)
	default:
		m.enterLine(c)
		m.wait(c, "queued")
	}
}

func (m *Machine) setState(c *call, s callState) {
	if c.state != s {
		c.state, c.since = s, m.now
	}
	m.markCall(c)
}

// walk notes a step of the call's path.
func (m *Machine) walk(c *call, rule, text string) {
	if len(c.path) == MaxPath {
		c.path = slices.Clone(c.path[1:]) // whoever has seen the path keeps what they saw
	}
	c.path = append(c.path, PathStep{At: m.now, Rule: rule, Text: text})
	m.markCall(c)
}

// answer sends 200 when there is something to hear.
func (m *Machine) answer(c *call, rule string) {
	if c.answered {
		return
	}
	c.answered = true
	m.stopTimer(&c.answerTimer)
	m.rule(Answer{Call: c.id}, rule)
}

func (m *Machine) answerInBand(c *call) {
	m.answer(c, "answer_within")
	if c.playing == 0 && !c.music {
		m.rule(Ringback{Call: c.id}, "answer_within")
	}
}

// callerHungUp ends a call whose caller is gone. Who did not mean it has the place back when they call again.
func (m *Machine) callerHungUp(c *call, lost bool) {
	if lost {
		m.keepPlace(c)
	}
	switch c.state {
	case stateDialling:
		m.farFailed(c, statusNoAnswer)
	case stateOffering, stateQueued:
		if c.outbound() {
			return // nobody was called yet
		}
		m.abandon(c)
	case stateConnected:
		m.rule(HangupLeg{Leg: c.bridged}, "caller_hung_up")
		m.walk(c, "caller_hung_up", "The caller hung up")
		m.endTalk(c, "caller_hung_up")
	case stateConnecting:
		m.leftUnheard(c)
	case statePrompt:
		m.endPrompt(c)
	case stateVoicemail:
		if !c.hungUp {
			c.hungUp = true
			m.setTimer(&c.saveTimer, m.now.Add(SaveWithin))
		}
	case stateArrived:
	default:
		m.leftOnTheWay(c)
	}
}

// endPrompt ends a call whose caller did not hear a prompt to its end: a message counts as given, a greeting does not
// count as a voicemail.
func (m *Machine) endPrompt(c *call) {
	if c.leave == Voicemail {
		m.walk(c, c.reason, "The caller hung up during the greeting")
		m.end(c, Abandoned, "greeting")
		return
	}
	m.walk(c, c.reason, "The caller hung up during the prompt")
	m.end(c, c.leave, c.reason)
}

// leftUnheard ends a call whose caller hung up when an operator had answered, before they were connected.
func (m *Machine) leftUnheard(c *call) {
	if c.way != "" {
		m.leftOnTheWay(c)
		return
	}
	m.dropLegs(c, "caller_hung_up")
	m.abandon(c)
}

// abandon ends a call whose caller hung up while waiting or ringing.
func (m *Machine) abandon(c *call) {
	m.cancelOffer(c, false)
	m.walk(c, "caller_hung_up", "The caller hung up")
	wait := m.now.Sub(c.entered)
	switch {
	case !c.answered: // a misdial: no wait, and in no rate
		c.entered = time.Time{}
		m.end(c, Abandoned, "before_answer")
	case wait < time.Duration(c.center.extras.ShortAbandonSeconds)*time.Second:
		m.leaves(c, leftShort)
		m.end(c, ShortAbandoned, "caller_hung_up")
	default:
		m.leaves(c, leftAbandoned)
		m.end(c, Abandoned, "caller_hung_up")
	}
}

func (m *Machine) callFailed(c *call, reason string) {
	if c.state == stateConnected || c.state == stateForwarded {
		m.dropLegs(c, "call_failed")
		m.rule(Hangup{Call: c.id}, "call_failed")
		m.endTalk(c, reason)
		return
	}
	m.keepPlace(c)
	m.sendAway(c, Failed, reason, statusInternal)
}

// sendAway ends a call that nobody can go on with.
func (m *Machine) sendAway(c *call, outcome Outcome, reason string, status int) {
	if c.outbound() {
		m.giveUp(c, reason)
		return
	}
	m.dropLegs(c, reason)
	m.walk(c, reason, "Sent away: "+inWords(reason))
	if !c.answered {
		retry := 0
		if status == statusUnavailable {
			retry = drainRetryAfter
		}
		m.rule(Refuse{Call: c.id, Status: status, RetryAfter: retry}, reason)
	} else if !c.hungUp {
		m.rule(Hangup{Call: c.id}, reason)
	}
	m.end(c, outcome, reason)
}

func (m *Machine) refuse(c *call, status, retryAfter int, reason string) {
	m.order(Refuse{Call: c.id, Status: status, RetryAfter: retryAfter},
		Why{Rule: reason, Text: "Refused with " + strconv.Itoa(status)})
	m.end(c, Rejected, reason)
}

// end closes the books: the only place where a call gets its outcome.
func (m *Machine) end(c *call, outcome Outcome, reason string) {
	m.leaveLine(c)
	for _, t := range c.timers() {
		m.stopTimer(t)
	}
	delete(m.calls, c.id)
	r := m.closeBooks(c, outcome, reason)
	if c.operator != nil {
		m.releaseAfterCall(c)
	}
	m.dirty.ended = append(m.dirty.ended, c.id)
	m.forgetCallback(c)
	m.rule(End{Record: r}, reason)
	m.evaluate(c.center)
}

// closeBooks gives an entry leg its outcome, and is what remains of it.
func (m *Machine) closeBooks(c *call, outcome Outcome, reason string) CallRecord {
	m.ended++
	m.outcomes.add(outcome)
	m.stopRecording(c)
	m.stopVoice(c)
	r := CallRecord{
		Call: c.entry, Visit: c.id, From: c.from, To: c.to, Outcome: outcome, Reason: reason,
		Direction: c.direction(), Callback: c.callback != nil,
		Arrived: c.arrived, Entered: c.entered, Connected: c.connected, Ended: m.now, Offers: c.offers,
		LeftAt: c.left.at, LeftAs: c.left.name(), Path: c.path,
	}
	if at := c.center; at != nil {
		r.Center = at.id
		at.live--
		at.outcomes.add(outcome)
		m.markCenter(at)
		m.touch(at)
	}
	switch {
	case c.operator != nil:
		r.Operator = c.operator.id
	case c.asker != nil:
		r.Operator = c.asker.id
	}
	return r
}

// endTalk ends a call in which somebody was talked with: an operator, or whom the caller was sent to.
func (m *Machine) endTalk(c *call, reason string) {
	if c.way != "" {
		m.end(c, Forwarded, c.way)
		return
	}
	m.end(c, Answered, reason)
}

// centerID is 0 for a call on nobody's behalf.
func (c *call) centerID() callcenter.ID {
	if c.center == nil {
		return 0
	}
	return c.center.id
}
