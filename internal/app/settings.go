package app

import (
	"slices"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// ruleActor is who the history names when the core itself changed something.
const ruleActor store.Actor = "rule"

// settingsEvents turns committed changes into facts for the core, in order. It runs on the store's writer, before the
// API answers: that is why a PATCH that answered 200 rules the next decision.
func (a *App) settingsEvents(changes []store.Change) {
	if slices.ContainsFunc(changes, touchesDesks) {
		a.frontDesks()
	}
	for _, change := range changes {
		switch change.Kind {
		case store.KindCenter:
			a.centerChanged(change)
		case store.KindOffice:
			if office, ok := change.New.(*callcenter.Office); ok && change.Old != nil {
				a.officeChanged(office)
			}
		case store.KindUser:
			a.userChanged(change)
		case store.KindPrompt:
			if read := a.uploads.changed(); read != nil {
				a.wg.Go(read)
			}
			a.promptChanged(change)
		case store.KindDevice:
			if device, ok := firstOf[*callcenter.Device](change); ok {
				a.operatorChanged(device.Owner)
				if change.New == nil {
					a.unregister(device.ID)
				}
			}
		}
	}
}

// firstOf is the new value, or the old one where there is no new one.
func firstOf[T any](change store.Change) (T, bool) {
	if v, ok := change.New.(T); ok {
		return v, true
	}
	v, ok := change.Old.(T)
	return v, ok
}

func (a *App) centerChanged(change store.Change) {
	center, ok := change.New.(*callcenter.Center)
	if !ok || center.State == callcenter.StateDeleted {
		if old, ok := firstOf[*callcenter.Center](change); ok {
			a.engine.Say(route.CenterDeleted{ID: old.ID})
		}
		return
	}
	a.engine.Say(route.CenterChanged{Center: a.forTheCore(center)})
	if change.Old == nil {
		a.engine.Say(uploaded(a.store.Snapshot(), center)) // its office may have some
	}
}

// forTheCore fills in the office's time zone where the center has none of its own, and the extras of one that was
// created without any.
func (a *App) forTheCore(center *callcenter.Center) *callcenter.Center {
	own := *center
	if own.Extras == (callcenter.Extras{}) {
		own.Extras = callcenter.DefaultExtras()
	}
	if own.Extras.AnnounceCenterName {
		a.speech.Clip(own.Settings.Name) // made now, so that the first operator hears it
	}
	if own.Settings.Timezone != "" {
		return &own
	}
	own.Settings.Timezone = "UTC"
	if office, ok := a.store.Snapshot().Office(center.OfficeID); ok {
		own.Settings.Timezone = office.Timezone
	}
	return &own
}

// promptChanged tells the core of the uploads of the call centers whose callers hear the one that changed.
func (a *App) promptChanged(change store.Change) {
	prompt, ok := firstOf[*callcenter.CustomPrompt](change)
	if !ok {
		return
	}
	snapshot := a.store.Snapshot()
	for _, center := range snapshot.Centers() {
		if center.State != callcenter.StateDeleted && slices.Contains(heardBy(center), prompt.Target) {
			a.engine.Say(uploaded(snapshot, center))
		}
	}
}

// heardBy are the targets whose uploads a center's callers hear.
func heardBy(center *callcenter.Center) []callcenter.Target {
	return []callcenter.Target{
		{ID: int64(center.ID), Type: callcenter.TargetCallCenter},
		{ID: int64(center.OfficeID), Type: callcenter.TargetOffice},
	}
}

// uploaded tells the core which prompts of a call center are uploads, its own or its office's.
func uploaded(snapshot *store.Snapshot, center *callcenter.Center) route.PromptsUploaded {
	targets := heardBy(center)
	said := route.PromptsUploaded{Center: center.ID}
	for _, prompt := range snapshot.CustomPrompts() {
		if prompt.Selected && slices.Contains(targets, prompt.Target) {
			said.Prompts = append(said.Prompts, route.Prompt(prompt.Type))
		}
	}
	return said
}

func (a *App) officeChanged(office *callcenter.Office) {
	for _, center := range a.store.Snapshot().Centers() {
		if center.OfficeID == office.ID {
			a.engine.Say(route.CenterChanged{Center: a.forTheCore(center)})
		}
	}
}

func (a *App) userChanged(change store.Change) {
	user, ok := change.New.(*callcenter.User)
	if !ok {
		if old, ok := change.Old.(*callcenter.User); ok {
			a.engine.Say(route.OperatorDeleted{ID: old.ID})
		}
		return
	}
	a.engine.Say(route.OperatorChanged{Operator: a.operator(user)})
	old, _ := change.Old.(*callcenter.User)
	if old != nil && change.By != ruleActor && (old.Duty.On != user.Duty.On || old.Duty.Reason != user.Duty.Reason) {
		a.engine.Say(route.DutySet{
			Operator: user.ID, On: user.Duty.On, Reason: user.Duty.Reason, ChangedBy: user.Duty.ChangedBy,
		})
	}
}

func (a *App) operatorChanged(id callcenter.OperatorID) {
	if user, ok := a.store.Snapshot().User(id); ok {
		a.engine.Say(route.OperatorChanged{Operator: a.operator(user)})
	}
}

// unregister makes a phone that was taken away unreachable at once. Before the start of signalling there is none.
func (a *App) unregister(device callcenter.DeviceID) {
	if sip := a.late.server.Load(); sip != nil {
		sip.Unregister(device)
	}
}

// operator is a person as the core sees them.
func (a *App) operator(user *callcenter.User) route.Operator {
	op := route.Operator{
		ID: user.ID, Name: displayName(user), Active: user.State == callcenter.StateActive,
		DoNotDisturb: user.DoNotDisturb, Duty: user.Duty,
		FirstName: user.FirstName, LastName: user.LastName, Extension: user.Extension,
	}
	for _, device := range a.store.Snapshot().DevicesOf(user.ID) {
		op.Devices = append(op.Devices,
			route.Device{ID: device.ID, Static: device.Kind == callcenter.DeviceStatic})
	}
	return op
}

func displayName(user *callcenter.User) string {
	switch {
	case user.FirstName != "" && user.LastName != "":
		return user.FirstName + " " + user.LastName
	case user.FirstName+user.LastName != "":
		return user.FirstName + user.LastName
	case len(user.Emails) > 0:
		return user.Emails[0]
	}
	return "unnamed"
}

// tellAll gives the core the settings as they are at start-up.
func (a *App) tellAll() {
	snapshot := a.store.Snapshot()
	for _, user := range snapshot.Users() {
		a.engine.Say(route.OperatorChanged{Operator: a.operator(user)})
	}
	for _, center := range snapshot.Centers() {
		if center.State != callcenter.StateDeleted {
			a.engine.Say(route.CenterChanged{Center: a.forTheCore(center)})
			a.engine.Say(uploaded(snapshot, center))
		}
	}
	a.frontDesks()
}
