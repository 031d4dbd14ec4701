package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// world is a machine with one call center and two operators, and what the tracker told.
type world struct {
	t       *testing.T
	machine *route.Machine
	tracker *Tracker
	now     time.Time
	told    []Change
	records []route.CallRecord
	plays   int
	rings   []route.LegID
}

func newWorld(t *testing.T, change func(*callcenter.Settings)) *world {
	w := &world{t: t, machine: route.New(route.Config{Company: 1, Seed: 1}), now: noon}
	w.tracker = NewTracker(func(c Change) { w.told = append(w.told, c) })
	for id, name := range map[callcenter.OperatorID]string{7: "Ada", 8: "Bob"} {
		w.do(route.OperatorChanged{Operator: route.Operator{
			ID: id, Name: name, Active: true, Devices: []route.Device{{ID: callcenter.DeviceID(id) * 10, Static: true}},
			Duty: callcenter.Duty{On: true, Since: noon, OnSince: noon},
		}})
	}
	settings := callcenter.Defaults("Support")
	settings.Timezone = "UTC"
	settings.RingSeconds = 10
	settings.RoutingOptions.Open.OperatorRouting = callcenter.FixedOrder
	if change != nil {
		change(&settings)
	}
	w.do(route.CenterChanged{Center: &callcenter.Center{
		ID: 5, State: callcenter.StateActive, Settings: settings, Extras: callcenter.DefaultExtras(),
		Members: []callcenter.Member{{Operator: 7}, {Operator: 8}},
	}})
	return w
}

func (w *world) do(event route.Event) {
	effects := w.machine.Step(w.now, event)
	for _, effect := range effects {
		switch o := effect.Order.(type) {
		case route.Ring:
			w.rings = append(w.rings, o.Leg)
		case route.Play:
			w.plays = o.ID
		case route.End:
			w.records = append(w.records, o.Record)
		}
	}
	before := len(w.told)
	w.tracker.Step(w.now, event, effects, w.machine)
	for _, c := range w.told[before:] {
		if len(c.Leg.Path) == 0 {
			w.t.Errorf("leg %d of call %d was told as %s without a path", c.Leg.Place, c.Leg.Visit, c.Leg.State)
		}
	}
	w.live()
}

// live finds each leg that was told of while its call goes on, as it was told last.
func (w *world) live() {
	w.t.Helper()
	last := map[route.CallID]Change{}
	for _, c := range w.told {
		last[c.Leg.ID] = c
	}
	for id, c := range last {
		view, place, ok := w.machine.Leg(id)
		if alive, _ := w.machine.CallState(c.Leg.Visit); alive == "" || c.Leg.Entry != view.Entry {
			if ok && c.Leg.Entry == view.Entry {
				w.t.Errorf("leg %d of a call that is over is still there", id)
			}
			continue
		}
		leg := Live(view, place)
		was := c.Leg
		same := leg.ID == id && leg.Entry == was.Entry && leg.Visit == was.Visit && leg.Place == was.Place &&
			leg.Operator == was.Operator && leg.State == was.State && leg.Ended.Equal(was.Ended) &&
			leg.Connected.Equal(was.Connected) && leg.External == was.External && leg.Center == was.Center
		if !ok || !same || len(leg.Path) == 0 || len(was.Path) == 0 {
			w.t.Errorf("leg %d was told as\n%+v\nand is found (%v) as\n%+v", id, was, ok, leg)
		}
	}
}

// later lets time pass, tick by tick.
func (w *world) later(d time.Duration) {
	end := w.now.Add(d)
	for {
		next := w.machine.Next()
		if next.IsZero() || next.After(end) {
			break
		}
		w.now = next
		w.do(route.Tick{})
	}
	w.now = end
}

// story is what was told since the last time: "0 ringing, 1 ringing" names legs by their place.
func (w *world) story() string {
	var words []string
	for _, c := range w.told {
		words = append(words, fmt.Sprintf("%d %s", c.Leg.Place, c.Leg.State))
	}
	w.told = nil
	return strings.Join(words, ", ")
}

func (w *world) expect(want string) {
	w.t.Helper()
	if got := w.story(); got != want {
		w.t.Errorf("told   %s\nwanted %s", got, want)
	}
}

func TestAnAnsweredCall(t *testing.T) {
	w := newWorld(t, nil)
	w.do(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
	w.expect("0 calling, 1 ringing, 0 ringing")
	w.later(time.Second)
	w.do(route.LegAnswered{Leg: w.rings[0]})
	w.expect("1 connected, 0 connected")
	w.later(time.Minute)
	w.do(route.CallerHungUp{Call: 1})
	w.expect("1 hangup, 0 hangup")
	if w.tracker.Live() != 0 {
		t.Errorf("%d calls are left", w.tracker.Live())
	}
	w.same()
}

// same compares the legs as they were told with those of the records.
func (w *world) same() {
	w.t.Helper()
	for _, rec := range w.records {
		for place := range len(rec.Offers) + 1 {
			leg := Of(rec, place)
			if leg.Place != place || leg.Entry != rec.Call || leg.Started.IsZero() || leg.Ended.Before(leg.Started) {
				w.t.Errorf("leg %d of %+v: %+v", place, rec, leg)
			}
		}
	}
}

func TestAMissAndThenAnAnswer(t *testing.T) {
	w := newWorld(t, nil)
	w.do(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
	w.expect("0 calling, 1 ringing, 0 ringing")
	w.later(10 * time.Second)
	w.expect("1 missed, 2 ringing")
	w.do(route.LegFailed{Leg: w.rings[1], Status: 486})
	w.told = nil
	w.do(route.CallerHungUp{Call: 1})
	w.story()
	rec := w.records[0]
	if first, second := Of(rec, 1), Of(rec, 2); first.State != Missed || second.State != Hangup ||
		first.Operator != 7 || second.Operator != 8 || first.ID == second.ID {
		t.Errorf("%+v\n%+v", first, second)
	}
	w.same()
}

func TestAnAbandonedCallIsMissedAndThenOver(t *testing.T) {
	w := newWorld(t, nil)
	w.do(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
	w.later(7 * time.Second)
	w.told = nil
	w.do(route.CallerHungUp{Call: 1})
	w.expect("1 hangup, 0 missed, 0 hangup")
	if leg := Of(w.records[0], 0); leg.State != Missed || leg.OperatorLeg != 0 {
		t.Errorf("%+v", leg)
	}
}

func TestAllPhonesOfAnOperatorAreOneLeg(t *testing.T) {
	w := newWorld(t, nil)
	w.do(route.OperatorChanged{Operator: route.Operator{
		ID: 7, Name: "Ada", Active: true, Devices: []route.Device{{ID: 70, Static: true}, {ID: 71, Static: true}},
	}})
	w.do(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
	w.expect("0 calling, 1 ringing, 0 ringing")
	w.do(route.LegFailed{Leg: w.rings[0], Status: 480})
	w.expect("")
	w.do(route.LegAnswered{Leg: w.rings[1]})
	w.expect("1 connected, 0 connected")
	w.do(route.LegHungUp{Leg: w.rings[1]})
	w.expect("1 hangup, 0 hangup")
}

func TestAVoicemailIsUploadedAfterTheCall(t *testing.T) {
	w := newWorld(t, func(s *callcenter.Settings) { s.RoutingOptions.Open.TryDialOperators = false })
	w.do(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
	for range 5 {
		w.do(route.PlayDone{Call: 1, Play: w.plays})
	}
	w.expect("0 calling, 0 voicemail")
	w.do(route.CallerHungUp{Call: 1})
	w.do(route.RecordingEnded{Call: 1, Duration: time.Minute, Kept: true})
	w.expect("0 hangup, 0 voicemail_uploaded")
	if len(w.tracker.boxes)+w.tracker.Live() != 0 {
		t.Error("something is left")
	}
}

// TestIdsOfLegsFollowFromTheCall pins the derivation down: integrators keep these ids.
func TestIdsOfLegsFollowFromTheCall(t *testing.T) {
	seen := map[route.CallID]bool{}
	for call := range route.CallID(1000) {
		for n := 1; n <= 50; n++ {
			id := route.OfferCall(call+1, n)
			if id <= 0 || id >= 1<<52 || seen[id] {
				t.Fatalf("call %d, offer %d: %d", call, n, id)
			}
			seen[id] = true
		}
	}
	if got := route.OfferCall(123456789, 1); got != route.OfferCall(123456789, 1) {
		t.Error("not the same twice")
	}
}

func TestTheLegsOfACallThatWasHandedOnAreFoundInTheSecondCenter(t *testing.T) {
	w := newWorld(t, func(s *callcenter.Settings) {
		s.RoutingOptions.Open = callcenter.Branch{
			Action: callcenter.ActionBridgeTarget, OperatorRouting: callcenter.LongestIdle,
			Target: callcenter.Target{ID: 6, Type: callcenter.TargetCallCenter},
		}
	})
	settings := callcenter.Defaults("Sales")
	settings.Timezone = "UTC"
	w.do(route.CenterChanged{Center: &callcenter.Center{
		ID: 6, State: callcenter.StateActive, Settings: settings, Extras: callcenter.DefaultExtras(),
		Members: []callcenter.Member{{Operator: 7}},
	}})
	w.do(route.CallArrived{Call: 1, Center: 5, From: "+1", To: "+2"})
	second := w.told[len(w.told)-1].Leg
	if second.ID == 1 || second.Visit != 1 || second.Center != 6 {
		t.Fatalf("told last of %+v", second)
	}
	if _, _, ok := w.machine.Leg(1); ok {
		t.Error("the leg of the first center is over, and found among the live ones")
	}
	rung := route.OfferCall(second.ID, 1)
	if view, place, ok := w.machine.Leg(rung); !ok || place != 1 || view.ID != 1 || Live(view, place).Entry != second.ID {
		t.Errorf("the operator's leg: %+v %d %v", view, place, ok)
	}
}

func TestACallbackIsAnOutboundCall(t *testing.T) {
	w := newWorld(t, func(s *callcenter.Settings) { s.HoldQueue.AllowQueueCallback = true })
	w.do(route.CallbackAsked{Call: 9, Center: 5, Number: "+4930123"})
	if len(w.rings) != 1 || w.rings[0].Call != 9 {
		t.Fatalf("rang %v", w.rings)
	}
	first := w.told[0].Leg
	if first.ID != 9 || first.Direction != route.Outbound || first.External != "+4930123" || first.State != Calling {
		t.Errorf("%+v", first)
	}
	w.do(route.HangupAsked{Call: 9})
	if len(w.tracker.promised) != 0 {
		t.Errorf("still promised: %v", w.tracker.promised)
	}
}

// offering is where every call stands.
type offering struct{}

func (offering) CallState(route.CallID) (string, callcenter.ID) { return "offering", 5 }

func (offering) CallPath(route.CallID) []route.PathStep { return nil }

// BenchmarkAnsweredCall is what following one call costs beside the core.
func BenchmarkAnsweredCall(b *testing.B) {
	tracker := NewTracker(func(Change) {})
	stands := offering{}
	for call := route.CallID(1); b.Loop(); call++ {
		leg := route.LegID{Call: call, N: 1}
		tracker.Step(noon, route.CallArrived{Call: call, Center: 5}, []route.Effect{
			{Order: route.Ring{Leg: leg, Center: 5, Operator: 7}},
		}, stands)
		tracker.Step(noon, route.LegAnswered{Leg: leg}, []route.Effect{{Order: route.Bridge{Call: call, Leg: leg}}}, stands)
		tracker.Step(noon, route.CallerHungUp{Call: call}, []route.Effect{
			{Order: route.End{Record: route.CallRecord{Call: call, Visit: call, Outcome: route.Answered}}},
		}, stands)
	}
	if tracker.Live() != 0 {
		b.Error("calls are left")
	}
}
