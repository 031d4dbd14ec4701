package store

import (
	"testing"
	"time"
)

func TestTriggersOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_795_000_000, 0)
	events := []TriggerEvent{
		{Num: 1, ID: "a", Name: "switchboard:x", At: at, Payload: []byte(`{"n":1}`)},
		{Num: 2, ID: "b", Name: "switchboard:x", At: at, Payload: []byte(`{}`)},
		{Num: 3, ID: "a", Name: "switchboard:x", At: at, Payload: []byte(`{}`)},
	}
	fresh, err := s.AddTriggerEvents(t.Context(), events)
	if err != nil || len(fresh) != 2 || fresh[1].ID != "b" {
		t.Errorf("fresh: %v, %v", fresh, err)
	}
	shot := TriggerShot{
		Kind: "handler", Name: "h", Cause: "a", At: at, Due: at, State: "EXECUTED", Workflow: "w", Run: "r", Reason: "none",
	}
	again := shot
	again.State = "FAILED"
	err = s.WriteTriggers(t.Context(), TriggerChange{
		Put:   []TriggerDef{{"handler", "h", []byte(`{}`)}, {"schedule", "s", []byte(`{"a":1}`)}},
		Shots: []TriggerShot{shot, again}, Done: []int64{1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteTriggers(t.Context(), TriggerChange{Drop: []TriggerDef{{Kind: "handler", Name: "h"}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	defs, err := s.TriggerDefs(t.Context())
	if err != nil || len(defs) != 1 || string(defs[0].Doc) != `{"a":1}` {
		t.Errorf("definitions: %v, %v", defs, err)
	}
	open, err := s.OpenTriggerEvents(t.Context(), 0, 10)
	if err != nil || len(open) != 1 || open[0].ID != "b" || !open[0].At.Equal(at) {
		t.Errorf("open: %v, %v", open, err)
	}
	shots, total, err := s.TriggerShots(t.Context(), ShotQuery{Kind: "handler", Name: "h", State: "EXECUTED", Size: 10})
	shot.Num = 1
	if err != nil || total != 1 || len(shots) != 1 || !shots[0].At.Equal(at) || shots[0].Run != "r" {
		t.Errorf("shots: %v of %d, %v", shots, total, err)
	}
	if last, err := s.LastTriggerEvent(t.Context()); err != nil || last != 2 {
		t.Errorf("the last event is %d, %v", last, err)
	}
}

func TestOldTriggersAreRemoved(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	old, now := time.Unix(1_700_000_000, 0), time.Unix(1_795_000_000, 0)
	_, err = s.AddTriggerEvents(t.Context(), []TriggerEvent{
		{Num: 1, ID: "a", At: old}, {Num: 2, ID: "open", At: old}, {Num: 3, ID: "c", At: old},
	})
	if err != nil {
		t.Fatal(err)
	}
	change := TriggerChange{Done: []int64{1, 3}, Shots: []TriggerShot{{Cause: "a", At: old}}}
	for _, cause := range []string{"b", "c", "d"} {
		change.Shots = append(change.Shots, TriggerShot{Cause: cause, At: now})
	}
	if err := s.WriteTriggers(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if err := s.TrimTriggers(t.Context(), now, 2); err != nil {
		t.Fatal(err)
	}
	shots, total, err := s.TriggerShots(t.Context(), ShotQuery{Size: 1, Start: 1, Ascending: true})
	if err != nil || total != 2 || shots[0].Cause != "d" {
		t.Errorf("shots: %v of %d, %v", shots, total, err)
	}
	fresh, err := s.AddTriggerEvents(t.Context(), []TriggerEvent{
		{Num: 4, ID: "a", At: now}, {Num: 5, ID: "open", At: now}, {Num: 6, ID: "c", At: now},
	})
	if err != nil || len(fresh) != 1 || fresh[0].ID != "a" {
		t.Errorf("forgotten: %v, %v", fresh, err)
	}
}
