package app

import (
	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// frontDesks tells the core of the call routers and the people that have a number of their own. Each is shown to it as
// a call center without operators that is always open and does nothing but ask the router, or ring the person: so a
// caller of that number is a visit like any other. The id of a router or person, which no call center has, is the
// center's. A person's desk stays until they are gone: without a number nobody comes to it.
func (a *App) frontDesks() {
	snapshot := a.store.Snapshot()
	open := map[callcenter.ID]desk{}
	for id, before := range a.desks {
		if user, ok := person(snapshot, callcenter.OperatorID(id)); ok && before.person {
			open[id] = deskOf(user)
		}
	}
	for _, n := range snapshot.Numbers() {
		switch n.Target.Type {
		case callcenter.TargetCallRouter:
			if router, ok := snapshot.CallRouter(callcenter.RouterID(n.Target.ID)); ok {
				open[callcenter.ID(n.Target.ID)] = desk{name: router.Name, office: router.OfficeID}
			}
		case callcenter.TargetUser:
			if user, ok := person(snapshot, callcenter.OperatorID(n.Target.ID)); ok {
				open[callcenter.ID(n.Target.ID)] = deskOf(user)
			}
		}
	}
	for id, is := range open {
		if was, known := a.desks[id]; !known || was != is {
			a.engine.Say(route.CenterChanged{Center: a.forTheCore(is.center(id)), Desk: is.person})
		}
	}
	for id := range a.desks {
		if _, stays := open[id]; !stays {
			a.engine.Say(route.CenterDeleted{ID: id})
		}
	}
	a.desks = open
}

// desk is what callers of somebody's own number come to.
type desk struct {
	name   string
	office callcenter.OfficeID
	person bool // otherwise a call router
}

func deskOf(user *callcenter.User) desk {
	return desk{name: displayName(user), office: user.OfficeID, person: true}
}

func (d desk) center(id callcenter.ID) *callcenter.Center {
	settings := callcenter.Defaults(d.name)
	send := callcenter.Branch{
		Action: callcenter.ActionScriptedIVR, OperatorRouting: callcenter.LongestIdle,
		Target: callcenter.Target{ID: int64(id), Type: callcenter.TargetCallRouter},
	}
	if d.person {
		send.Action, send.Target.Type = callcenter.ActionPerson, callcenter.TargetUser
	}
	settings.RoutingOptions.Open, settings.RoutingOptions.Closed = send, send
	return &callcenter.Center{
		ID: id, OfficeID: d.office, State: callcenter.StateActive, Settings: settings, Extras: callcenter.DefaultExtras(),
	}
}

// touchesDesks says whether a change is about call routers, their numbers and people's, or what people are called.
func touchesDesks(change store.Change) bool {
	switch change.Kind {
	case store.KindRouter:
		return true
	case store.KindUser:
		old, _ := change.Old.(*callcenter.User)
		user, _ := change.New.(*callcenter.User)
		return old == nil || user == nil || old.State != user.State || deskOf(old) != deskOf(user)
	}
	for _, side := range []any{change.Old, change.New} {
		n, ok := side.(*callcenter.Number)
		if ok && (n.Target.Type == callcenter.TargetCallRouter || n.Target.Type == callcenter.TargetUser) {
			return true
		}
	}
	return false
}
