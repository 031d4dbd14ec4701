package route

import (
	"strconv"
	"time"

	"switchboard/internal/callcenter"
)

// The figures of a visit outside the line. Each is tested at its edge.
const (
	RouterWithin       = 15 * time.Second // a host that never reports an answer must not keep the caller for ever
	WhisperWithin      = 2 * time.Second  // the center's name is said to an operator
	MaxHops            = 5                // times that a caller is handed to another call center or call router
	MaxAsks            = 10               // questions of call routers in one visit to a call center
	MaxAskedDigits     = 20               // to one of them
	MaxSpelled         = 20               // keys of a name
	MaxFound           = 9                // people to choose from
	MaxExtensionDigits = 10
)

// visit is what a caller goes through besides the line.
type visit struct {
	entry   CallID // id of the entry leg
	entries int    // passed on so often
	hops    int    // the same, and how often call routers were asked
	dialled bool   // operators were looked for in this entry leg
	cameBy  string // the way by which another center handed the caller to this one; "": they dialled it

	held    heldPrompt
	greet   []Phrase // the greeting that is still to be played
	noticed bool     // heard that calls may be recorded
	then    func()   // what is to be played after the held prompt

	menu   []callcenter.MenuKey // as it was heard
	keys   string               // pressed and not understood yet
	most   int                  // so many are enough
	tries  int                  // at one menu or name
	whole  bool                 // the directory is that of the company
	found  []*operator          // to choose from
	router callcenter.RouterID  // that was asked last
	asked  int                  // questions that call routers had asked
	hint   string               // of the question

	records bool                  // after the prompt a message is recorded
	box     callcenter.ID         // into whose box
	boxOf   callcenter.OperatorID // not 0: the box of a person
	way     string                // how the caller was handed to somebody outside the queue; "": was not
	far     int                   // the leg that calls a number outside

	stepTimer timer // a key, a router or a number outside is waited for
}

// deed is an action on its way to be done. Before it the caller hears the phrases.
type deed struct {
	action callcenter.Action
	target callcenter.Target
	reason string
	before []Phrase
}

// arriveAt begins an entry leg: the whole flow of a call center.
func (m *Machine) arriveAt(c *call, at *center) {
	c.enter(at)
	c.open = at.avail.IsOpen()
	text := "Arrived at " + at.settings.Name + ", " + string(at.avail.Status)
	if at.avail.Holiday != "" {
		text += " (" + at.avail.Holiday + ")"
	}
	m.walk(c, "arrival", text)
	m.markCenter(at)
	m.welcome(c)
	if b := c.branch(); b.TryDialOperators || b.Action == callcenter.ActionOperator {
		m.admit(c)
	} else {
		m.act(c, c.firstReason(), false)
	}
}

// exists says whether a target can take a call, as far as the machine knows: of offices and call routers it knows
// nothing, and a router that is gone says so itself.
func (m *Machine) exists(t callcenter.Target) bool {
	switch t.Type {
	case callcenter.TargetCallCenter:
		at := m.centers[callcenter.ID(t.ID)]
		return at != nil && !at.deleted && at.active
	case callcenter.TargetUser:
		o := m.operators[callcenter.OperatorID(t.ID)]
		return o != nil && o.known
	}
	return true
}

// do does an action, of a branch or of a key.
func (m *Machine) do(c *call, d deed) {
	m.stopTimer(&c.stepTimer)
	switch d.action {
	case callcenter.ActionMessage:
		prompt := PromptMessage
		if d.reason == "closed" || d.reason == "closing" {
			prompt = PromptClosed
		}
		m.prompt(c, Message, d.reason, append(d.before, Phrase{Prompt: prompt}))
	case callcenter.ActionDisabled:
		m.prompt(c, Message, "disabled", append(d.before, Phrase{Prompt: PromptDisabled}))
	case callcenter.ActionOperator:
		if c.dialled {
			m.voicemail(c, d.reason, d.before)
			return
		}
		m.admit(c)
	case callcenter.ActionMenu:
		m.openMenu(c, d.before)
	case callcenter.ActionDirectory, callcenter.ActionCompanyDirectory:
		c.whole = d.action == callcenter.ActionCompanyDirectory
		m.openDirectory(c, d.before)
	case callcenter.ActionExtension:
		m.openExtension(c, d.before)
	case callcenter.ActionPerson, callcenter.ActionDepartment, callcenter.ActionBridgeTarget,
		callcenter.ActionScriptedIVR:
		m.handTo(c, d, string(d.action))
	default:
		m.voicemailAt(c, d)
	}
}

// handTo gives a caller to a target. One without a flow of its own, an office say, is the center's voicemail.
func (m *Machine) handTo(c *call, d deed, way string) {
	switch id := d.target.ID; {
	case !m.exists(d.target):
	case d.target.Type == callcenter.TargetCallCenter:
		m.pass(c, m.centers[callcenter.ID(id)], way)
		return
	case d.target.Type == callcenter.TargetUser:
		m.person(c, m.operators[callcenter.OperatorID(id)], way)
		return
	case d.target.Type == callcenter.TargetCallRouter:
		m.askRouter(c, callcenter.RouterID(id))
		return
	}
	m.voicemail(c, d.reason, d.before)
}

// pass closes the books on an entry leg and begins the next, in another call center.
func (m *Machine) pass(c *call, to *center, way string) {
	if c.hops >= MaxHops {
		m.voicemail(c, "too_many_hops", nil)
		return
	}
	m.walk(c, way, "Handed to "+to.settings.Name)
	m.sayNext(c, way)
	from := c.center
	r := m.closeBooks(c, Forwarded, way)
	v := visit{entries: c.entries + 1, hops: c.hops + 1, held: c.held, noticed: c.noticed, stepTimer: c.stepTimer}
	v.cameBy = way
	v.entry = entryID(c.id, v.entries)
	m.rule(Pass{Record: r, Next: v.entry, Center: to.id}, way)
	m.arrivals++
	c.visit = v
	c.state, c.since, c.arrived, c.entered = stateArrived, m.now, m.now, time.Time{}
	c.offers, c.path, c.tried, c.after, c.left = nil, nil, nil, 0, leaver{}
	c.welcomed, c.told, c.heardKey = false, 0, ""
	c.keptPlace, c.hadPlace = false, false
	c.overdue, c.closing, c.withdrawn, c.music = false, false, false, false
	if c.held == heldNothing {
		c.playing = 0
	}
	m.evaluate(from)
	m.arriveAt(c, to)
}

// stepOver is for something that was waited for and did not come.
func (m *Machine) stepOver(c *call) {
	switch c.state {
	case stateConnecting:
		c.legPlay = 0
		m.bridgeWhenHeard(c)
	case stateForwarding:
		m.rule(CancelLeg{Leg: LegID{c.id, c.far}}, ResultMissed)
		m.walk(c, ResultMissed, "The number did not answer within "+FarWithin.String())
		m.forwardFailed(c)
	case stateRouter:
		m.routerAnswered(c, RouterAnswered{Err: "no answer within " + RouterWithin.String()})
	default:
		m.noMoreKeys(c)
	}
}

// leftOnTheWay ends a call whose caller hung up outside the queue: with the way they were sent, or where they were.
func (m *Machine) leftOnTheWay(c *call) {
	stage := callStates[c.state]
	m.dropLegs(c, "caller_hung_up")
	m.walk(c, "caller_hung_up", "The caller hung up")
	switch {
	case !c.answered:
		m.end(c, Abandoned, "before_answer")
	case c.way != "":
		m.end(c, Forwarded, c.way)
	default:
		m.end(c, Abandoned, stage)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
