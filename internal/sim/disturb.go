package sim

import (
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// disturb is everything that happens to a running call center: PATCHes, people coming and going, phones that drop out.
func (w *world) disturb() {
	if w.over {
		return
	}
	w.after(w.exp(40*time.Second), w.disturb)
	p := w.operators[w.rng.IntN(len(w.operators))]
	switch w.rng.IntN(10) {
	case 0, 1, 2:
		w.patch()
	case 3:
		w.setDuty(p, !w.chance(0.4))
	case 4:
		d := p.op.Devices[w.rng.IntN(len(p.op.Devices))].ID
		w.step(route.DeviceReachable{Operator: p.op.ID, Device: d})
		w.after(w.exp(20*time.Second), func() {
			w.step(route.DeviceReachable{Operator: p.op.ID, Device: d, Reachable: true})
		})
	case 5:
		w.step(route.WrapUpEnded{Operator: p.op.ID})
	case 6:
		w.step(route.WrapUpExtended{Operator: p.op.ID, Extra: w.between(time.Second, time.Minute)})
	case 7:
		p.op.DoNotDisturb = w.chance(0.3)
		p.op.Active = w.chance(0.9)
		w.step(route.OperatorChanged{Operator: p.op})
	case 8:
		w.staff(p.op.ID)
	case 9:
		w.rare()
	}
}

func (w *world) setDuty(p *person, on bool) {
	w.step(route.DutySet{Operator: p.op.ID, On: on, Reason: "break", ChangedBy: "sim"})
}

// staff adds a person to a center, changes their skill or removes them.
func (w *world) staff(id callcenter.OperatorID) {
	c := w.fresh()
	i := slices.IndexFunc(c.Members, func(b callcenter.Member) bool { return b.Operator == id })
	switch {
	case i < 0:
		c.Members = append(c.Members, callcenter.Member{Operator: id, SkillLevel: w.rng.IntN(4)})
	case w.chance(0.5):
		c.Members = slices.Delete(c.Members, i, i+1)
	default:
		c.Members[i].SkillLevel = w.rng.IntN(4)
		c.Members[i].DoNotDisturb = w.chance(0.2)
	}
	w.change(c)
}

// change sends a center; of a deleted one nobody hears again.
func (w *world) change(c *callcenter.Center) {
	if c.State != callcenter.StateDeleted {
		w.step(route.CenterChanged{Center: c})
	}
}

// fresh is a copy of a center that may be changed, and takes its place.
func (w *world) fresh() *callcenter.Center {
	i := w.rng.IntN(len(w.centers))
	c := *w.centers[i]
	c.Members = slices.Clone(c.Members)
	w.centers[i] = &c
	return &c
}

func (w *world) patch() {
	c := w.fresh()
	for range 1 + w.rng.IntN(3) {
		w.changeSetting(&c.Settings)
	}
	if w.o.Visits {
		w.changeVisit(c)
	}
	w.change(c)
}

// rare is what hardly ever happens.
func (w *world) rare() {
	if w.nextCall > 0 && w.chance(0.3) {
		if id := route.CallID(1 + w.rng.Int64N(int64(w.nextCall))); w.calls[id] != nil {
			w.calls[id].gone = true
			w.redial(id)
			w.step(route.CallFailed{Call: id, Reason: "port_lost"})
		}
		return
	}
	if w.chance(0.05) {
		c := w.fresh()
		if gone := slices.DeleteFunc(slices.Clone(w.centers), isLive); len(gone)+1 >= len(w.centers) {
			return // somebody has to take calls
		}
		c.State = callcenter.StateDeleted
		w.step(route.CenterDeleted{ID: c.ID})
	}
}

// changeExtras draws what no setting says.
func (w *world) changeExtras(e *callcenter.Extras) {
	e.MaxMissedCalls = w.rng.IntN(4)
	e.ShortAbandonSeconds = w.rng.IntN(10)
	e.WrapUpExtensionSeconds = w.rng.IntN(2) * w.rng.IntN(60)
}

// changeSetting draws one setting anew, within limits small enough to be hit.
func (w *world) changeSetting(s *callcenter.Settings) {
	if w.chance(0.25) {
		w.changeLater(s)
		return
	}
	q, open, shut := &s.HoldQueue, &s.RoutingOptions.Open, &s.RoutingOptions.Closed
	switch w.rng.IntN(14) {
	case 0:
		s.RingSeconds = 10 + w.rng.IntN(36)
	case 1:
		open.OperatorRouting = strategies[w.rng.IntN(len(strategies))]
		shut.OperatorRouting = strategies[w.rng.IntN(len(strategies))]
	case 2:
		q.MaxHoldCount = 1 + w.rng.IntN(5)
	case 3:
		q.MaxHoldSeconds = 30 + w.rng.IntN(300)
	case 4:
		q.AnnouncePosition = w.chance(0.7)
	case 5:
		q.AnnouncementIntervalSeconds = 10 + w.rng.IntN(60)
	case 6:
		q.QueueEscapeDTMF = []string{"*", "#", "5", ""}[w.rng.IntN(4)]
	case 7:
		q.StayInQueueAfterClosing = w.chance(0.5)
	case 8:
		q.UnattendedQueue = w.chance(0.4)
	case 9:
		s.AdvancedSettings.MaxWrapUpSeconds = w.rng.IntN(3) * w.rng.IntN(60)
	case 10:
		s.HoursOn = w.chance(0.3)
		for day := range s.Hours {
			s.Hours[day] = callcenter.DayHours{"09:00", []string{"09:30", "10:00"}[w.rng.IntN(2)]}
		}
	case 11:
		actions := []callcenter.Action{"voicemail", "message", "disabled", "operator", "menu"}
		open.Action, shut.Action = actions[w.rng.IntN(5)], actions[w.rng.IntN(5)]
	case 12:
		open.TryDialOperators, shut.TryDialOperators = w.chance(0.95), w.chance(0.3)
	case 13:
		s.Alerts.ServiceLevelSeconds = w.rng.IntN(60)
	}
}
