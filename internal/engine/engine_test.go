package engine

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// world records what the engine orders and writes down.
type world struct {
	mu      sync.Mutex
	orders  []route.Order
	steps   []uint64
	calls   []route.CallRecord
	duties  []callcenter.Duty
	explode bool // Perform panics
}

func (w *world) Perform(e route.Effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.explode {
		w.explode = false
		panic("a bug")
	}
	w.orders = append(w.orders, e.Order)
}

func (w *world) Journal(step uint64, _ time.Time, _ route.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, step)
}

func (w *world) SaveCall(r route.CallRecord) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, r)
}

func (w *world) SaveDuty(_ callcenter.OperatorID, d callcenter.Duty) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.duties = append(w.duties, d)
}

// run starts an engine with one call center and one operator on a static phone, inside a bubble of virtual time.
func run(t *testing.T, test func(t *testing.T, e *Engine, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		e := New(Config{
			Company: 1, Seed: 1, FirstStep: 41, Performer: w, Records: w, Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { e.Run(ctx) })
		settings := callcenter.Defaults("Support")
		settings.Timezone = "UTC"
		settings.RingSeconds = 10
		e.Say(route.OperatorChanged{Operator: route.Operator{
			ID: 7, Name: "Ada", Active: true, Devices: []route.Device{{ID: 70, Static: true}},
			Duty: callcenter.Duty{On: true, Since: time.Now(), OnSince: time.Now()},
		}})
		e.Say(route.CenterChanged{Center: &callcenter.Center{
			Extras: callcenter.DefaultExtras(),
			ID:     5, State: callcenter.StateActive, Settings: settings,
			Members: []callcenter.Member{{Operator: 7, Role: callcenter.RoleOperator, SkillLevel: 100}},
		}})
		test(t, e, w)
		cancel()
		wg.Wait()
	})
}

func ordersOf[T route.Order](w *world) []T {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []T
	for _, o := range w.orders {
		if order, ok := o.(T); ok {
			found = append(found, order)
		}
	}
	return found
}

func TestEventsBecomeOrdersAndAreJournalled(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, w *world) {
		e.Say(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
		synctest.Wait()
		rings := ordersOf[route.Ring](w)
		if len(rings) != 1 || rings[0].Operator != 7 || rings[0].Device != 70 {
			t.Fatalf("rang %+v, want operator 7 on device 70", rings)
		}
		if want := []uint64{42, 43, 44}; !slices.Equal(w.steps, want) {
			t.Fatalf("journalled steps %v, want %v: an earlier run ended at 41", w.steps, want)
		}
	})
}

func TestTimePassesWithoutEvents(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, w *world) {
		e.Say(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if cancelled := ordersOf[route.CancelLeg](w); len(cancelled) != 1 {
			t.Fatalf("%d ringings cancelled after ring_seconds, want 1", len(cancelled))
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.duties) != 1 || w.duties[0].On {
			t.Fatalf("duties saved: %+v, want Ada off duty", w.duties)
		}
	})
}

func TestACallIsSavedOnce(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, w *world) {
		e.Say(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
		e.Say(route.CallerHungUp{Call: 1})
		e.Say(route.CallerHungUp{Call: 1})
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.calls) != 1 || w.calls[0].Call != 1 {
			t.Fatalf("saved %+v, want call 1 once", w.calls)
		}
	})
}

func TestAPanicEndsOneCallAndIsSeen(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, w *world) {
		w.mu.Lock()
		w.explode = true
		w.mu.Unlock()
		e.Say(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
		e.Say(route.CallArrived{Call: 2, Center: 5, From: "+3", To: "+2"})
		reader := e.Subscribe(0)
		update, ok := reader.Next(t.Context())
		if !ok || len(update.Notices) != 1 {
			t.Fatalf("notices %+v, want one about the internal error", update.Notices)
		}
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.calls) != 1 || w.calls[0].Call != 1 || w.calls[0].Outcome != route.Failed {
			t.Fatalf("saved %+v, want call 1 failed and call 2 alive", w.calls)
		}
	})
}

func TestAReaderSeesEachChangeOnceInOrder(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, _ *world) {
		reader := e.Subscribe(0)
		first, ok := reader.Next(t.Context())
		if !ok || !first.Reset || len(first.Centers) != 1 || len(first.Operators) != 1 {
			t.Fatalf("first update %+v, want a reset with one center and one operator", first)
		}
		e.Say(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
		next, ok := reader.Next(t.Context())
		if !ok || next.Reset || next.Seq != first.Seq+1 || len(next.Calls) != 1 {
			t.Fatalf("second update %+v, want call 1, numbered after %d", next, first.Seq)
		}
		resumed, ok := e.Subscribe(first.Seq).Next(t.Context())
		if !ok || resumed.Seq != next.Seq || resumed.Reset {
			t.Fatalf("a resumed reader got %+v, want update %d", resumed, next.Seq)
		}
	})
}

func TestConversationsAreTold(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, _ *world) {
		e.cfg.Talks = func() []Talk { return []Talk{{Call: 1}, {Call: 2}} }
		reader := e.Subscribe(0)
		if first, ok := reader.Next(t.Context()); !ok || len(first.Talks) != 2 {
			t.Fatalf("a new page got %+v, want two conversations", first)
		}
		e.Heard([]Talk{{Call: 1}})
		e.Heard([]Talk{{Call: 2}})
		if next, ok := reader.Next(t.Context()); !ok || len(next.Talks) != 2 || next.Talks[1].Call != 2 {
			t.Fatalf("update %+v, want both, in order", next)
		}
		e.Notice("info", "later")
		if next, ok := reader.Next(t.Context()); !ok || len(next.Talks) != 0 {
			t.Fatalf("update %+v, want none", next)
		}
	})
}

func TestAnEndedCallIsToldWithItsOutcome(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, _ *world) {
		reader := e.Subscribe(0)
		reader.Next(t.Context())
		e.Say(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
		e.Say(route.CallerHungUp{Call: 1})
		next, ok := reader.Next(t.Context())
		if !ok || len(next.Ended) != 1 || next.Ended[0].Call != 1 || len(next.Ended[0].Path) == 0 {
			t.Fatalf("update %+v, want the record of call 1 with its path", next)
		}
		for i := range keptEnded {
			id := route.CallID(100 + i)
			e.Say(route.CallArrived{Call: id, Center: 5})
			e.Say(route.CallerHungUp{Call: id})
		}
		opened, ok := e.Subscribe(0).Next(t.Context())
		if !ok || len(opened.Ended) != keptEnded || opened.Ended[0].Call != 100 {
			t.Fatalf("a new page got %d ended calls, want the last %d", len(opened.Ended), keptEnded)
		}
	})
}

func TestAReaderWhoFellBehindStartsAnew(t *testing.T) {
	run(t, func(t *testing.T, e *Engine, _ *world) {
		first, _ := e.Subscribe(0).Next(t.Context())
		for range keptUpdates + 1 {
			e.Notice("info", "something")
			time.Sleep(2 * FeedInterval)
		}
		for _, after := range []uint64{first.Seq, first.Seq + 1_000_000} {
			update, ok := e.Subscribe(after).Next(t.Context())
			if !ok || !update.Reset {
				t.Errorf("a reader at %d got %+v, want a reset", after, update)
			}
		}
	})
}

func TestAStoppedEngineAnswersNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		e := New(Config{Company: 1, Performer: w, Records: w, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e.Run(ctx)
		if err := e.Ask(t.Context(), func(*route.Machine, time.Time) {}); err == nil {
			t.Error("a stopped engine answered")
		}
		if _, ok := e.Subscribe(0).Next(t.Context()); ok {
			t.Error("a stopped engine had an update")
		}
	})
}
