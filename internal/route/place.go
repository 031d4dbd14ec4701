package route

import (
	"time"

	"switchboard/internal/callcenter"
)

// keptPlaces are the places of callers who were lost while they waited. Who calls again from the same number within
// PlaceKept has it back.
type keptPlaces struct {
	byCaller map[placeKey]Place
	order    []placeEnd // by until
	forget   timer
}

type placeKey struct {
	center callcenter.ID
	from   string
}

type placeEnd struct {
	key   placeKey
	call  CallID
	until time.Time
}

func newKeptPlaces() keptPlaces {
	return keptPlaces{byCaller: make(map[placeKey]Place), forget: timer{kind: timerPlaces}}
}

func (c *call) placeKey() placeKey { return placeKey{c.center.id, c.from} }

// savePlace has the host keep the place of a caller who can be known again.
func (m *Machine) savePlace(c *call) {
	if c.from != "" {
		m.rule(SavePlace{Place{Call: c.id, Center: c.center.id, From: c.from, Entered: c.entered}}, "place")
	}
}

// dropPlace has the host forget the place of a caller who left the line, unless they were lost.
func (m *Machine) dropPlace(c *call) {
	if c.from != "" && !c.keptPlace {
		m.rule(DropPlace{Call: c.id}, "place")
	}
}

// keepPlace remembers the place of a caller who waits and is lost.
func (m *Machine) keepPlace(c *call) {
	if c.from == "" || c.state > stateQueued || c.entered.IsZero() || c.outbound() {
		return
	}
	c.keptPlace = c.inLine
	m.remember(Place{Call: c.id, Center: c.center.id, From: c.from, Entered: c.entered}, m.now.Add(PlaceKept))
}

func (m *Machine) restorePlace(e RestorePlace) {
	until := m.now.Add(PlaceKept)
	if !e.Lost.IsZero() && e.Lost.Before(m.now) {
		until = e.Lost.Add(PlaceKept)
	}
	at := m.centers[e.Place.Center]
	if at == nil || at.deleted || e.Place.From == "" || !until.After(m.now) {
		m.rule(DropPlace{Call: e.Place.Call}, "place")
		return
	}
	m.remember(e.Place, until)
}

// remember keeps a place; of two of one caller the older, and when there are too many none.
func (m *Machine) remember(p Place, until time.Time) {
	k := placeKey{p.Center, p.From}
	was, known := m.places.byCaller[k]
	if known && !p.Entered.Before(was.Entered) || !known && len(m.places.byCaller) >= MaxPlaces {
		m.rule(DropPlace{Call: p.Call}, "place")
		return
	}
	if known {
		m.rule(DropPlace{Call: was.Call}, "place")
	}
	m.places.byCaller[k] = p
	list := append(m.places.order, placeEnd{k, p.Call, until})
	for i := len(list) - 1; i > 0 && list[i].until.Before(list[i-1].until); i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	m.places.order = list
	m.setTimer(&m.places.forget, list[0].until)
}

func (m *Machine) forgetPlaces() {
	list := m.places.order
	for len(list) > 0 && !list[0].until.After(m.now) {
		if p, ok := m.places.byCaller[list[0].key]; ok && p.Call == list[0].call {
			delete(m.places.byCaller, list[0].key)
			m.rule(DropPlace{Call: p.Call}, "place")
		}
		list = list[1:]
	}
	if m.places.order = list; len(list) > 0 {
		m.setTimer(&m.places.forget, list[0].until)
	}
}

func (m *Machine) hasPlace(c *call) bool {
	_, ok := m.places.byCaller[c.placeKey()]
	return ok
}

// enterLine fixes the time from which a caller waits: now, or that of the place they had.
func (m *Machine) enterLine(c *call) {
	c.entered = m.now
	p, ok := m.places.byCaller[c.placeKey()]
	if !ok {
		return
	}
	delete(m.places.byCaller, c.placeKey())
	m.rule(DropPlace{Call: p.Call}, "place")
	c.entered, c.hadPlace = p.Entered, true
	m.walk(c, "place", "Has the place back that was lost with the last call")
}

// longestHold is max_hold_seconds from the entry; who has an old place back still gets the grace of a changed limit.
func (m *Machine) longestHold(c *call) time.Time {
	end := c.entered.Add(c.center.settings.HoldQueue.MaxHold())
	if c.hadPlace {
		return later(end, m.now.Add(HoldGrace))
	}
	return end
}
