package route

import (
	"slices"
	"strconv"
	"time"

	"switchboard/internal/callcenter"
)

// choose picks who rings of the candidates, who come in list order and are never none, and says why in words
// (docs/reference/routing.md, "Strategies").
func (m *Machine) choose(c *call, s callcenter.Strategy, candidates []*member) ([]*member, func(*member) string) {
	switch s {
	case callcenter.LongestIdle:
		return best(candidates, longerIdle), m.idleText
	case callcenter.MostSkilled:
		return best(candidates, moreSkilled), func(b *member) string { return "skill " + strconv.Itoa(b.skill) }
	case callcenter.Random:
		return c.center.draw(c), func(*member) string { return "next of the shuffled list" }
	case callcenter.RoundRobin:
		return c.center.rotate(c), func(*member) string { return "next in the round" }
	case callcenter.Simultaneous:
		return capped(candidates), func(*member) string { return "everybody rings" }
	}
	return candidates[:1], func(b *member) string { return "number " + strconv.Itoa(b.rank+1) + " of the list" }
}

func (m *Machine) idleText(b *member) string {
	return "idle longest (" + m.now.Sub(b.op.idleSince).Round(time.Second).String() + ")"
}

// best is the first in list order that no other beats.
func best(candidates []*member, beats func(a, b *member) bool) []*member {
	top := 0
	for i, b := range candidates {
		if beats(b, candidates[top]) {
			top = i
		}
	}
	return candidates[top : top+1]
}

func longerIdle(a, b *member) bool { return a.op.idleSince.Before(b.op.idleSince) }

func moreSkilled(a, b *member) bool {
	return a.skill > b.skill || a.skill == b.skill && longerIdle(a, b)
}

// draw takes the first of the shuffled list who may ring. Who may not keeps their place. Where nobody in it may, those
// rung since the last shuffle are shuffled anew and put behind the rest.
func (at *center) draw(c *call) []*member {
	for range 2 {
		for i, b := range at.deck {
			if b.isFree && c.mayTry(b) {
				at.deck = slices.Delete(at.deck, i, i+1)
				return []*member{b}
			}
		}
		inDeck := make([]bool, len(at.members))
		for _, b := range at.deck {
			inDeck[b.rank] = true
		}
		rest := len(at.deck)
		for _, b := range at.members {
			if !inDeck[b.rank] {
				at.deck = append(at.deck, b)
			}
		}
		fresh := at.deck[rest:]
		at.random.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	}
	panic("route: a free member is in no shuffled list")
}

// rotate takes the first of the rotation who may ring, and moves those passed over because they talk to its end.
func (at *center) rotate(c *call) []*member {
	var passed []*member
	for i, b := range at.rotation {
		switch {
		case b.isFree && c.mayTry(b):
			if len(passed) > 0 {
				stay := at.rotation[:0]
				for _, p := range at.rotation[:i] {
					if p.op.call == nil {
						stay = append(stay, p)
					}
				}
				stay = append(stay, at.rotation[i:]...)
				at.rotation = append(stay, passed...)
			}
			return []*member{b}
		case b.op.call != nil:
			passed = append(passed, b)
		}
	}
	panic("route: a free member is not in the rotation")
}

// toEnd moves who answered to the end of the rotation.
func (at *center) toEnd(b *member) {
	if i := slices.Index(at.rotation, b); i >= 0 {
		copy(at.rotation[i:], at.rotation[i+1:])
		at.rotation[len(at.rotation)-1] = b
	}
}

// capped are all, or those idle longest where they are more than may ring at once. The order stays that of the list.
func capped(candidates []*member) []*member {
	if len(candidates) <= MaxSimultaneous {
		return slices.Clone(candidates)
	}
	list := slices.Clone(candidates)
	slices.SortStableFunc(list, func(a, b *member) int { return a.op.idleSince.Compare(b.op.idleSince) })
	list = list[:MaxSimultaneous]
	slices.SortFunc(list, func(a, b *member) int { return a.rank - b.rank })
	return list
}
