package store

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

func TestRecordings(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := at.Add(time.Hour)
	s := open(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	all := make([]RecordingRecord, 0, 5)
	for i := range 5 {
		all = append(all, RecordingRecord{
			ID: int64(i + 1), Call: route.CallID(i + 100), Center: callcenter.ID(22 + i%2), Operator: 11, Number: "+431",
			Direction: route.Inbound, At: at.Add(time.Duration(i) * time.Minute), Path: fmt.Sprint(i, ".wav"),
		})
		s.SaveRecording(all[i])
	}
	all[4].Complete, all[4].Duration = true, time.Minute
	s.SaveRecording(all[4])
	s.DropRecording(1)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRecordings := func(what string, q RecordingQuery, ids ...int64) {
		t.Helper()
		list, err := s.Recordings(t.Context(), q)
		var got []int64
		for _, r := range list {
			got = append(got, r.ID)
		}
		if err != nil || !slices.Equal(got, ids) {
			t.Errorf("%s: %v, %v, want %v", what, got, err, ids)
		}
	}
	wantRecordings("all", RecordingQuery{Limit: 10}, 5, 4, 3, 2)
	wantRecordings("a page", RecordingQuery{Limit: 2}, 5, 4)
	wantRecordings("the page behind", RecordingQuery{Limit: 2, Behind: &all[3]}, 3, 2)
	wantRecordings("a center's", RecordingQuery{Limit: 9, Center: 22}, 5, 3)
	wantRecordings("a call's", RecordingQuery{Limit: 9, Call: 103}, 4)
	wantRecordings("old ones", RecordingQuery{Limit: 9, Before: all[3].At}, 3, 2)
	if one, ok, err := s.Recording(t.Context(), 5); err != nil || !ok || !reflect.DeepEqual(one, all[4]) {
		t.Errorf("one: %+v, %v, %v", one, ok, err)
	}
	if _, ok, err := s.Recording(t.Context(), 1); ok || err != nil {
		t.Errorf("dropped: %v, %v", ok, err)
	}
	if cut, err := s.InterruptedRecordings(t.Context()); err != nil || len(cut) != 3 || cut[0].ID != 2 {
		t.Errorf("incomplete: %+v, %v", cut, err)
	}
}

func TestWhoHeardARecordingIsKeptWhenItIsGone(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	s.SaveRecording(RecordingRecord{ID: 1, At: now})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, by := range []Actor{"key a", "session 5", "key a"} {
		if err := s.RecordingAccessed(t.Context(), 1, by); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	if err := s.RecordingAccessed(t.Context(), 2, "key a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("access to an unknown one: %v", err)
	}
	s.DropRecording(1)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := now.Add(-3 * time.Second)
	want := []Access{
		{At: start, By: "key a"},
		{At: start.Add(time.Second), By: "session 5"},
		{At: start.Add(2 * time.Second), By: "key a"},
	}
	if got, err := s.RecordingAccesses(t.Context(), 1); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatMustGoOnAfterACrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	late := route.Callback{Call: 3, Center: 22, Number: "+431", Asked: at.Add(time.Hour), Entered: at, Tries: 1}
	early := route.Callback{Call: 9, Center: 22, Number: "+432", Asked: at, Entered: at, After: at}
	place := route.Place{Call: 5, Center: 22, From: "+433", Entered: at}
	for _, c := range []route.Callback{late, early, {Call: 4}} {
		s.SaveCallback(c)
	}
	s.DropCallback(4)
	s.SavePlace(place)
	s.SavePlace(route.Place{Call: 6})
	s.DropPlace(6)
	s.SaveDialog(Dialog{ID: "a", State: []byte(`{"x":1}`)})
	s.SaveDialog(Dialog{ID: "b", State: []byte(`{}`)})
	s.SaveDialog(Dialog{ID: "a", State: []byte(`{"x":2}`)})
	s.DropDialog("b")
	if !s.LastAlive().IsZero() {
		t.Errorf("somebody was here before the first: %v", s.LastAlive())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	if got, err := s.Callbacks(t.Context()); err != nil || !reflect.DeepEqual(got, []route.Callback{early, late}) {
		t.Errorf("callbacks %+v, %v", got, err)
	}
	if got, err := s.Places(t.Context()); err != nil || !reflect.DeepEqual(got, []route.Place{place}) {
		t.Errorf("places %+v, %v", got, err)
	}
	want := []Dialog{{ID: "a", State: []byte(`{"x":2}`)}}
	if got, err := s.Dialogs(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("dialogs %+v, %v", got, err)
	}
	if got := s.LastAlive(); got.IsZero() || got.After(time.Now()) {
		t.Errorf("last alive %v", got)
	}
}

// A database of part 1 has call centers without extras: they get the defaults, not zeros.
func TestOldCallCentersGetDefaultExtras(t *testing.T) {
	dir := t.TempDir()
	list, err := steps()
	if err != nil {
		t.Fatal(err)
	}
	db := connect(filepath.Join(dir, fileName), 1, false)
	for _, text := range []string{
		list[0], "PRAGMA user_version = 1",
		`INSERT INTO callcenter (id, seq, version, doc) VALUES (22, 1, 1, '{"ID":22,"State":"active"}')`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	closeNow(t, db)
	s := open(t, dir, Options{})
	center, ok := s.Snapshot().Center(22)
	if !ok || center.Extras != callcenter.DefaultExtras() {
		t.Errorf("%+v, %v", center, ok)
	}
}

func closeNow(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
