package lab

import (
	"fmt"
	"slices"
	"strings"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/route"
)

// Picture is what a supervisor's page shows: the sum of the updates so far.
type Picture struct {
	Centers   map[callcenter.ID]route.CenterView
	Operators map[callcenter.OperatorID]route.OperatorView
	Calls     map[route.CallID]route.CallView // live ones and, with their last view, ended ones
	Ended     map[route.CallID]bool
	Notices   []engine.Notice
}

func newPicture() Picture {
	return Picture{
		Centers:   map[callcenter.ID]route.CenterView{},
		Operators: map[callcenter.OperatorID]route.OperatorView{},
		Calls:     map[route.CallID]route.CallView{},
		Ended:     map[route.CallID]bool{},
	}
}

func (p *Picture) take(u engine.Update) {
	for _, v := range u.Centers {
		p.Centers[v.ID] = v
	}
	for _, v := range u.Operators {
		p.Operators[v.ID] = v
	}
	for _, v := range u.Calls {
		p.Calls[v.ID] = v
	}
	for _, id := range u.Ended {
		p.Ended[id] = true
	}
	p.Notices = append(p.Notices, u.Notices...)
}

// Center is the picture of one center.
func (p Picture) Center(c *Center) route.CenterView { return p.Centers[c.CenterID()] }

// Operator is the picture of one operator.
func (p Picture) Operator(o *Operator) route.OperatorView { return p.Operators[o.OperatorID()] }

// Rules are the rules along the paths of all calls seen, live and ended.
func (p Picture) Rules() []string {
	var rules []string
	for _, call := range p.Calls {
		for _, step := range call.Path {
			rules = append(rules, step.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// String shows a picture with a failing test.
func (p Picture) String() string {
	var b strings.Builder
	for _, c := range p.Centers {
		fmt.Fprintf(&b, "\n  center %s: %s waiting %d on duty %d capacity %d outcomes %v",
			c.Name, c.Availability.Status, c.Waiting, c.OnDuty, c.Capacity, c.Outcomes)
	}
	for _, o := range p.Operators {
		fmt.Fprintf(&b, "\n  operator %s: %s %s", o.Name, o.State, o.Duty.Reason)
	}
	for _, c := range p.Calls {
		fmt.Fprintf(&b, "\n  call %s -> %s: %s ended %t", c.From, c.To, c.State, p.Ended[c.ID])
		for _, step := range c.Path {
			fmt.Fprintf(&b, "\n    %s  %s", step.Rule, step.Text)
		}
	}
	for _, n := range p.Notices {
		fmt.Fprintf(&b, "\n  notice %s", n.Text)
	}
	return b.String()
}
