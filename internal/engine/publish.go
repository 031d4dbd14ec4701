package engine

import (
	"context"
	"time"

	"switchboard/internal/route"
)

// keptNotices is how many notices a page that opens now still sees.
const keptNotices = 20

// publish tells the readers what changed since the last time. It reports whether anything did.
func (e *Engine) publish() bool {
	dirty := e.machine.Changed()
	update := Update{
		At: time.Now(), Ended: dirty.Ended, DeletedCenters: dirty.DeletedCenters,
		DeletedOperators: dirty.DeletedOperators, Notices: e.takeNotices(),
	}
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
		len(update.DeletedCenters)+len(update.DeletedOperators)+len(update.Notices) > 0
	if changed {
		e.feed.publish(update)
	}
	return changed
}

func (e *Engine) takeNotices() []Notice {
	fresh := e.notices
	e.notices = nil
	e.shown = append(e.shown, fresh...)
	if over := len(e.shown) - keptNotices; over > 0 {
		e.shown = append([]Notice(nil), e.shown[over:]...)
	}
	return fresh
}

// everything is a Reset as of now, made on the engine's goroutine. What was not yet published is published first, so
// that the Reset's number says exactly what it contains.
func (e *Engine) everything(ctx context.Context) (Update, bool) {
	var all Update
	err := e.Ask(ctx, func(m *route.Machine, now time.Time) {
		e.publish()
		all = Update{Seq: e.feed.last(), At: now, Reset: true, Notices: append([]Notice(nil), e.shown...)}
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
