package app

import (
	"log/slog"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func TestEveryEventReachesTheJournal(t *testing.T) {
	db, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := &records{store: db, log: slog.New(slog.DiscardHandler)}
	leg := route.LegID{Call: 1, N: 2}
	events := []route.Event{
		route.CenterChanged{Center: &callcenter.Center{ID: 5, Settings: callcenter.Defaults("Support")}},
		route.CenterDeleted{ID: 5},
		route.OperatorChanged{Operator: route.Operator{ID: 7, Name: "Ada", Duty: callcenter.Duty{Since: time.Now()}}},
		route.OperatorDeleted{ID: 7},
		route.DutySet{Operator: 7, On: true},
		route.DeviceReachable{Operator: 7, Device: 70},
		route.CallArrived{Call: 1, Center: 5, From: "+1"},
		route.CallerHungUp{Call: 1},
		route.CallFailed{Call: 1, Reason: "no_codec"},
		route.Digit{Call: 1, Digit: '*'},
		route.PlayDone{Call: 1, Play: 1},
		route.LegRinging{Leg: leg},
		route.LegAnswered{Leg: leg},
		route.LegFailed{Leg: leg, Status: 486},
		route.LegHungUp{Leg: leg},
		route.RecordingEnded{Call: 1, Duration: time.Minute, Kept: true},
		route.WrapUpEnded{Operator: 7},
		route.WrapUpExtended{Operator: 7, Extra: time.Minute},
		route.Draining{},
		route.Tick{},
	}
	for i, event := range events {
		r.Journal(uint64(i+1), time.Now(), event)
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := db.Entries(t.Context(), 0, 100)
	if err != nil || len(entries) != len(events) {
		t.Fatalf("%d of %d events journalled, %v", len(entries), len(events), err)
	}
	const want = `{"Call":1,"Duration":"1m0s","Kept":true,"Err":""}`
	if last := entries[15]; last.Event != "RecordingEnded" || string(last.Body) != want {
		t.Errorf("entry 16 is %s %s", last.Event, last.Body)
	}
}
