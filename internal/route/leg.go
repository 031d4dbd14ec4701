package route

import "slices"

// Leg finds a leg of a call that goes on by its id: place 0 is that of the caller in the call center where they are, n
// the n-th operator rung there (OfferCall). It looks through all calls, unless the id is that of a call's first leg.
func (m *Machine) Leg(id CallID) (view CallView, place int, ok bool) {
	c := m.calls[id]
	if c == nil || c.entry != id {
		c, place = m.legOf(id)
	}
	if c == nil {
		return CallView{}, 0, false
	}
	view, _ = m.Call(c.id)
	view.Offers = slices.Clone(c.offers)
	return view, place, true
}

func (m *Machine) legOf(id CallID) (*call, int) {
	for _, c := range m.calls { // in any order: ids are unique
		for place := range len(c.offers) + 1 {
			if place == 0 && c.entry == id || place > 0 && OfferCall(c.entry, place) == id {
				return c, place
			}
		}
	}
	return nil, 0
}
