package callcenter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var (
	strategies = []Strategy{FixedOrder, LongestIdle, MostSkilled, Random, RoundRobin, Simultaneous}

	actions = []Action{
		ActionBridgeTarget, ActionCompanyDirectory, ActionDepartment, ActionDirectory, ActionDisabled, ActionExtension,
		ActionMenu, ActionMessage, ActionOperator, ActionPerson, ActionScriptedIVR, ActionVoicemail,
	}

	targetTypes = []TargetType{
		TargetCallCenter, TargetCallRouter, TargetChannel, TargetCoachingGroup, TargetContact, TargetContactGroup,
		TargetDepartment, TargetOffice, TargetRoom, TargetStaffGroup, TargetUnknown, TargetUser,
	}
)

// list is the values of an enumeration for a message.
func list[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = string(value)
	}
	return strings.Join(words, ", ")
}

// targeting is how an action treats a target.
type targeting struct {
	taken    bool // false: dropped
	required bool
	types    []TargetType // nil: any
}

func (action Action) targeting() targeting {
	switch action {
	case ActionPerson:
		return targeting{taken: true, required: true, types: []TargetType{TargetUser}}
	case ActionDepartment:
		types := []TargetType{TargetDepartment, TargetCallCenter, TargetOffice}
		return targeting{taken: true, required: true, types: types}
	case ActionBridgeTarget:
		return targeting{taken: true, required: true}
	case ActionVoicemail:
		return targeting{taken: true} // whose box
	case ActionScriptedIVR:
		return targeting{taken: true, types: []TargetType{TargetCallRouter}}
	}
	return targeting{}
}

// wish is an action with its target as a request gives them.
type wish struct {
	action *Action
	id     *int64
	kind   *TargetType
}

// target is the target of w at field, where old was until now.
func (a *applying) target(field string, w wish, old Target) Target {
	kindKnown := w.kind == nil || slices.Contains(targetTypes, *w.kind)
	switch {
	case w.action == nil:
		a.bad(field+".action", "is required")
	case !slices.Contains(actions, *w.action):
		a.bad(field+".action", "must be one of %s", list(actions))
	case kindKnown:
		return a.targetOfAction(field, w, old)
	}
	if !kindKnown {
		a.bad(field+".action_target_type", "must be one of %s", list(targetTypes))
	}
	return Target{}
}

func (a *applying) targetOfAction(field string, w wish, old Target) Target {
	rule := w.action.targeting()
	if !rule.taken {
		return Target{}
	}
	if w.id == nil || w.kind == nil {
		a.incomplete(field, w, rule)
		return Target{}
	}
	target := Target{ID: *w.id, Type: *w.kind}
	a.judge(field, *w.action, rule, target, old)
	return target
}

// incomplete names what is missing of a target of which the type, the id or both are.
func (a *applying) incomplete(field string, w wish, rule targeting) {
	if w.id == nil && w.kind == nil && !rule.required {
		return
	}
	reason := "with action " + string(*w.action)
	if w.id == nil {
		if w.kind != nil {
			reason = "with action_target_type"
		}
		a.bad(field+".action_target_id", "is required %s", reason)
	}
	if w.kind == nil {
		if w.id != nil {
			reason = "with action_target_id"
		}
		a.bad(field+".action_target_type", "is required %s", reason)
	}
}

func (a *applying) judge(field string, action Action, rule targeting, target, old Target) {
	kindFits := rule.types == nil || slices.Contains(rule.types, target.Type)
	if !kindFits {
		a.bad(field+".action_target_type", "must be one of %s with action %s", list(rule.types), action)
	}
	switch {
	case target.ID <= 0:
		a.bad(field+".action_target_id", "must be a positive id")
	case a.at.Self != 0 && leadsOn(action, target) && ID(target.ID) == a.at.Self:
		a.bad(field+".action_target_id", "must not lead back to the call center itself")
	case kindFits && target != old && !a.at.exists(target):
		a.bad(field+".action_target_id", "is no %s of the company: %d", target.Type, target.ID)
	}
}

// leadsOn says whether the action hands the call to the whole flow of another call center.
func leadsOn(action Action, target Target) bool {
	return target.Type == TargetCallCenter && (action == ActionBridgeTarget || action == ActionDepartment)
}

// bridge is one place in the settings that leads to another call center.
type bridge struct {
	field string // of the target's id
	to    ID
}

// bridges are all places of s that lead to other call centers, also under keys of a menu that is not in use.
func (s Settings) bridges() []bridge {
	var found []bridge
	s.eachTarget(func(field string, action Action, target Target) {
		if leadsOn(action, target) {
			found = append(found, bridge{field, ID(target.ID)})
		}
	})
	return found
}

// eachTarget calls visit for every action of s and its target, in the order of the settings.
func (s Settings) eachTarget(visit func(field string, action Action, target Target)) {
	visitBranch := func(field string, b Branch) {
		visit(field+".action_target_id", b.Action, b.Target)
		for i, key := range b.DTMF {
			visit(fmt.Sprintf("%s.dtmf.%d.options.action_target_id", field, i), key.Action, key.Target)
		}
	}
	visitBranch("routing_options.open", s.RoutingOptions.Open)
	visitBranch("routing_options.closed", s.RoutingOptions.Closed)
}

// circles finds the bridges by which a call would come back over other call centers.
func (a *applying) circles() {
	if a.at.Self == 0 {
		return
	}
	for _, b := range a.next.bridges() {
		if chain := a.wayBack(b.to); chain != "" {
			a.bad(b.field, "leads back to the call center itself: %s", chain)
		}
	}
}

// wayBack is the shortest chain of bridges over which a call given to from comes back, in words; "" if there is none.
func (a *applying) wayBack(from ID) string {
	cameFrom := map[ID]ID{from: 0}
	for queue := []ID{from}; len(queue) > 0; queue = queue[1:] {
		center, ok := a.at.center(queue[0])
		if !ok || center.State == StateDeleted {
			continue
		}
		for _, b := range center.Settings.bridges() {
			if b.to == a.at.Self {
				return a.chain(cameFrom, queue[0])
			}
			if _, seen := cameFrom[b.to]; !seen {
				cameFrom[b.to] = queue[0]
				queue = append(queue, b.to)
			}
		}
	}
	return ""
}

func (a *applying) chain(cameFrom map[ID]ID, last ID) string {
	self := strconv.Quote(a.next.Name) + " (" + strconv.FormatInt(int64(a.at.Self), 10) + ")"
	chain := self
	for id := last; id != 0; id = cameFrom[id] {
		name := ""
		if center, ok := a.at.center(id); ok {
			name = strconv.Quote(center.Settings.Name) + " "
		}
		chain = fmt.Sprintf("%s(%d) > %s", name, id, chain)
	}
	return self + " > " + chain
}

// BrokenTarget is a place of the settings whose target has disappeared, so that calls go to voicemail there.
type BrokenTarget struct {
	Field  string // dotted path of the target's id, as in Problem
	Action Action
	Target Target
}

// BrokenTargets are the places of s whose targets do not exist.
func (s Settings) BrokenTargets(exists func(Target) bool) []BrokenTarget {
	var broken []BrokenTarget
	s.eachTarget(func(field string, action Action, target Target) {
		if isBroken(action, target, exists) {
			broken = append(broken, BrokenTarget{field, action, target})
		}
	})
	return broken
}

// Effective is b as calls find it: an action or menu key whose target does not exist is the center's own voicemail.
// broken says whether there is any. The menu is b's own unless a key of it is broken.
func (b Branch) Effective(exists func(Target) bool) (effective Branch, broken bool) {
	effective = b
	if isBroken(b.Action, b.Target, exists) {
		effective.Action, effective.Target, broken = ActionVoicemail, Target{}, true
	}
	for i, key := range b.DTMF {
		if !isBroken(key.Action, key.Target, exists) {
			continue
		}
		if &effective.DTMF[0] == &b.DTMF[0] {
			effective.DTMF = slices.Clone(b.DTMF)
		}
		effective.DTMF[i] = MenuKey{Input: key.Input, Action: ActionVoicemail}
		broken = true
	}
	return effective, broken
}

func isBroken(action Action, target Target, exists func(Target) bool) bool {
	rule := action.targeting()
	if target == (Target{}) {
		return rule.required
	}
	return rule.taken && !exists(target)
}
