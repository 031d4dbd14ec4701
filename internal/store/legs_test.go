package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// TestACallThatJustEndedIsFound asks in the same instant, where the record still waits for its commit.
func TestACallThatJustEndedIsFound(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for call := route.CallID(1); call <= 20; call++ {
		s.SaveCall(route.CallRecord{Call: call, Offers: []route.OfferRecord{{Operator: 7}}})
		id := call
		if call%2 == 0 {
			id = route.OfferCall(call, 1)
		}
		if leg, ok, err := s.CallLeg(t.Context(), id); err != nil || !ok || leg.Record.Call != call {
			t.Fatalf("call %d: %+v %v %v", call, leg, ok, err)
		}
	}
	if _, ok, err := s.CallLeg(t.Context(), 99); ok || err != nil {
		t.Errorf("a call that never was: %v %v", ok, err)
	}
}

func TestLegsOfACall(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 3 {
		arrived := at.Add(time.Duration(n) * time.Minute)
		s.SaveCall(route.CallRecord{
			Call: route.CallID(100 + n), Center: callcenter.ID(20 + n%2), Arrived: arrived, Ended: arrived.Add(time.Hour),
			Offers: []route.OfferRecord{{Operator: 7, At: arrived.Add(time.Second)}},
		})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	offer := func(call route.CallID) route.CallID { return route.OfferCall(call, 1) }
	ask := func(q LegQuery) (ids []route.CallID) {
		t.Helper()
		legs, err := s.CallLegs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, leg := range legs {
			ids = append(ids, leg.ID)
		}
		return ids
	}
	for name, check := range map[string]struct {
		query LegQuery
		want  []route.CallID
	}{
		"all":     {LegQuery{Limit: 9}, []route.CallID{offer(102), 102, offer(101), 101, offer(100), 100}},
		"bounded": {LegQuery{Limit: 2}, []route.CallID{offer(102), 102}},
		"after":   {LegQuery{StartedAfter: at.Add(2 * time.Minute), Limit: 9}, []route.CallID{offer(102), 102}},
		"before":  {LegQuery{StartedBefore: at.Add(time.Second), Limit: 9}, []route.CallID{100}},
		"operator": {
			LegQuery{Target: callcenter.Target{ID: 7, Type: callcenter.TargetUser}, Limit: 1},
			[]route.CallID{offer(102)},
		},
		"center": {
			LegQuery{Target: callcenter.Target{ID: 20, Type: callcenter.TargetCallCenter}, Limit: 9},
			[]route.CallID{102, 100},
		},
		"behind": {LegQuery{BehindStart: at.Add(time.Minute), Behind: 101, Limit: 9}, []route.CallID{offer(100), 100}},
	} {
		if got := ask(check.query); !slices.Equal(got, check.want) {
			t.Errorf("%s: %v, want %v", name, got, check.want)
		}
	}
	leg, ok, err := s.CallLeg(t.Context(), offer(101))
	if err != nil || !ok || leg.Place != 1 || leg.Record.Call != 101 {
		t.Errorf("one leg: %+v, %v, %v", leg, ok, err)
	}
	if _, ok, err := s.CallLeg(t.Context(), 5); ok || err != nil {
		t.Errorf("no leg: %v, %v", ok, err)
	}
}

func TestNotesOfACall(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	set := func(labels []string, custom string) {
		t.Helper()
		if err := s.SetCallNotes(t.Context(), 100, CallNotes{Labels: labels, CustomData: custom}); err != nil {
			t.Fatal(err)
		}
	}
	set(nil, "order 5")
	set([]string{"urgent", "billing"}, "")
	set([]string{"billing", "again"}, "")
	s.SaveCall(route.CallRecord{Call: 100, Arrived: time.Now(), Ended: time.Now()})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	leg, ok, err := s.CallLeg(t.Context(), 100)
	if err != nil || !ok || !slices.Equal(leg.Labels, []string{"billing", "again"}) || leg.CustomData != "order 5" {
		t.Errorf("%+v, %v", leg, err)
	}
	if notes, err := s.CallNotes(t.Context(), 100); err != nil || len(notes.Labels) != 2 || notes.CustomData != "order 5" {
		t.Errorf("notes: %+v, %v", notes, err)
	}
	if notes, err := s.CallNotes(t.Context(), 101); err != nil || notes.Labels != nil {
		t.Errorf("no notes: %+v, %v", notes, err)
	}
	if labels, err := s.CallLabels(t.Context(), 9); err != nil || !slices.Equal(labels, []string{"again", "billing"}) {
		t.Errorf("labels: %v, %v", labels, err)
	}
}

func TestCallsOfAnOlderDatabaseHaveTheirLeg(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 5e8, time.UTC)
	s.SaveCall(route.CallRecord{Call: 100, Center: 20, Arrived: at, Ended: at})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.submit(t.Context(), &request{raw: func(w *writer) error {
		if err := w.execSQL("DELETE FROM call_leg"); err != nil {
			return err
		}
		list, err := steps()
		if err != nil {
			return err
		}
		for _, text := range list {
			if _, fill, ok := strings.Cut(text, "INSERT INTO call_leg"); ok {
				fill, _, _ = strings.Cut(fill, ";")
				return w.execSQL("INSERT INTO call_leg" + fill)
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	legs, err := s.CallLegs(t.Context(), LegQuery{StartedAfter: at.Add(-time.Millisecond), Limit: 9})
	if err != nil || len(legs) != 1 || legs[0].ID != 100 {
		t.Errorf("%+v, %v", legs, err)
	}
}

func TestDeliveries(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list := []Delivery{
		{Webhook: 1, Lane: 100, Event: "call hangup", Body: []byte(`{"a":1}`), Created: at, Due: at},
		{Webhook: 1, Lane: 100, Event: "call missed", Body: []byte(`{}`), Created: at, Due: at},
		{Webhook: 2, Event: "alert", Body: []byte(`{}`), Created: at, Due: at},
	}
	if err := s.AddDeliveries(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	dead := list[1]
	dead.Attempts, dead.Error, dead.Dead = 20, "500", true
	s.SettleDelivery(list[0], true)
	s.SettleDelivery(dead, false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	left, err := s.Deliveries(t.Context(), 9)
	if err != nil || len(left) != 1 || left[0].ID != list[2].ID || left[0].Body != nil {
		t.Errorf("left: %+v, %v", left, err)
	}
	full, ok, err := s.Delivery(t.Context(), dead.ID)
	if err != nil || !ok || !full.Dead || full.Attempts != 20 || full.Error != "500" || string(full.Body) != "{}" {
		t.Errorf("dead: %+v, %v", full, err)
	}
	if given, err := s.DeadDeliveries(t.Context(), 0, 9); err != nil || len(given) != 1 || given[0].ID != dead.ID {
		t.Errorf("dead: %+v, %v", given, err)
	}
	for _, want := range []bool{true, false} {
		if ok, err := s.ReviveDelivery(t.Context(), dead.ID); ok != want || err != nil {
			t.Errorf("revived: %v, %v", ok, err)
		}
	}
	if ok, err := s.DropDelivery(t.Context(), dead.ID); ok || err != nil {
		t.Errorf("dropped one that is not dead: %v, %v", ok, err)
	}
	if err := s.DropDeliveriesOf(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if left, err := s.Deliveries(t.Context(), 9); err != nil || len(left) != 1 || left[0].Webhook != 2 {
		t.Errorf("left: %+v, %v", left, err)
	}
}
