package engine

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/route"
)

// What a page that opens now still sees of what is over.
const (
	keptNotices = 20
	keptEnded   = 20
)

// publish tells the readers what changed since the last time. It reports whether anything did.
func (e *Engine) publish() bool {
	dirty := e.machine.Changed()
	update := Update{
		At: time.Now(), DeletedCenters: dirty.DeletedCenters, DeletedOperators: dirty.DeletedOperators,
		Ended: e.ended.take(keptEnded), Notices: e.notices.take(keptNotices),
		Talks: e.talks,
	}
	e.talks = nil
	for _, id := range dirty.Centers {
		if view, ok := e.machine.Center(id); ok {
			update.Centers = append(update.Centers, view)
		}
	}
	for _, id := range dirty.Operators {
		if view, ok := e.machine.Operator(id); ok {
			update.Operators = append(update.Operators, view)
		}
	}
	for _, id := range dirty.Calls {
		if view, ok := e.machine.Call(id); ok {
			update.Calls = append(update.Calls, view)
		}
	}
	changed := len(update.Centers)+len(update.Operators)+len(update.Calls)+len(update.Ended)+
		len(update.DeletedCenters)+len(update.DeletedOperators)+len(update.Notices)+
		len(update.Talks) > 0
	if changed {
		e.feed.publish(update)
	}
	return changed
}

// gathered collects facts for the next update and remembers the last ones that were published.
type gathered[T any] struct {
	fresh []T
	last  []T
}

func (g *gathered[T]) add(fact T) { g.fresh = append(g.fresh, fact) }

// take hands over what is fresh and remembers the last keep facts. Slices handed out are never written again.
func (g *gathered[T]) take(keep int) []T {
	fresh := g.fresh
	if len(fresh) > 0 {
		g.fresh = nil
		all := slices.Concat(g.last, fresh)
		g.last = all[max(0, len(all)-keep):]
	}
	return fresh
}

// everything is a Reset as of now, made on the engine's goroutine. What was not yet published is published first, so
// that the Reset's number says exactly what it contains.
func (e *Engine) everything(ctx context.Context) (Update, bool) {
	var all Update
	err := e.Ask(ctx, func(m *route.Machine, now time.Time) {
		e.publish()
		all = Update{Seq: e.feed.last(), At: now, Reset: true, Ended: e.ended.last, Notices: e.notices.last}
		if e.cfg.Talks != nil {
			all.Talks = e.cfg.Talks()
		}
		for _, id := range m.CenterIDs() {
			view, _ := m.Center(id)
			all.Centers = append(all.Centers, view)
		}
		for _, id := range m.OperatorIDs() {
			view, _ := m.Operator(id)
			all.Operators = append(all.Operators, view)
		}
		for _, id := range m.CallIDs() {
			view, _ := m.Call(id)
			all.Calls = append(all.Calls, view)
		}
	})
	return all, err == nil
}
