package route

import "switchboard/internal/callcenter"

// The PathStep.Rule of what a call router was asked and said.
const (
	RuleRouter       = "router"
	RuleRouterFailed = "router_failed"
)

// askRouter lets a program of the company say where the caller goes.
func (m *Machine) askRouter(c *call, id callcenter.RouterID) {
	if c.hops >= MaxHops {
		m.voicemail(c, "too_many_hops", nil)
		return
	}
	c.hops++
	c.router = id
	c.hint, c.keys = "", ""
	m.walk(c, RuleRouter, "Asked a call router")
	m.sendKeys(c)
}

// sendKeys asks the router, with what the caller typed on its last question.
func (m *Machine) sendKeys(c *call) {
	m.setState(c, stateRouter)
	m.rule(AskRouter{
		Call: c.id, Router: c.router, Center: c.center.id, From: c.from, To: c.to, Hint: c.hint, Digits: c.keys,
	}, "router")
	c.keys = ""
	m.setTimer(&c.stepTimer, m.now.Add(RouterWithin))
	m.ringback(c, "router")
}

func (m *Machine) routerAnswered(c *call, e RouterAnswered) {
	if c.state != stateRouter {
		return
	}
	m.stopTimer(&c.stepTimer)
	is := e.Answer
	switch {
	case e.Err != "":
		m.routerFailed(c, "The call router failed: "+e.Err, e.DefaultTarget)
	case is.Action == RouterRoute && is.Target.ID > 0 && m.exists(is.Target):
		m.walk(c, RuleRouter, "The call router sends the caller on")
		m.handTo(c, deed{target: is.Target, reason: "router"}, "router")
	case is.Action == RouterForward && is.ForwardTo != "":
		m.forwardTo(c, is.ForwardTo, "router")
	case is.Action == RouterAsk && c.asked < MaxAsks:
		c.asked++
		c.hint, c.most = is.HintName, min(max(is.NumDigits, 1), MaxAskedDigits)
		m.walk(c, RuleRouter, "The call router asks for "+plural(c.most, "digit"))
		m.ask(c, stateAsked, "router", Phrase{Prompt: PromptText, Text: is.Message})
	case is.Action == RouterEnd:
		m.prompt(c, Message, "router", []Phrase{{Prompt: PromptText, Text: is.Message}})
	default:
		m.routerFailed(c, "The call router said nothing that can be done", e.DefaultTarget)
	}
}

// routerFailed sends the caller to the router's default target, and without one to the center's voicemail.
func (m *Machine) routerFailed(c *call, text string, fallback callcenter.Target) {
	m.walk(c, RuleRouterFailed, text)
	if fallback.Type == callcenter.TargetCallRouter && callcenter.RouterID(fallback.ID) == c.router {
		fallback = callcenter.Target{}
	}
	m.handTo(c, deed{target: fallback, reason: RuleRouterFailed}, "router")
}
