package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func TestCallsThatACrashEndedGetTheirOneOutcome(t *testing.T) {
	db := newStore(t, func(*store.Tx) error { return nil })
	log := slog.New(slog.DiscardHandler)
	before := &records{store: db, log: log}
	at := time.Now().Add(-time.Minute).Round(0)
	for i := range 3 {
		event := route.CallArrived{Call: route.CallID(i + 1), Center: 5, From: "+491", To: "+492"}
		before.Journal(uint64(i+1), at, event)
	}
	before.Journal(4, at, route.CallerHungUp{Call: 3})
	before.SaveCall(route.CallRecord{Call: 2, Visit: 2, Outcome: route.Answered, Ended: at})
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := &App{store: db, cfg: Config{Log: log}}
	for range 2 { // the second start finds nothing more
		if err := a.lostCalls(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := db.Calls(t.Context(), 10, time.Time{})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	outcomes := map[route.Outcome]int{}
	for _, rec := range all {
		outcomes[rec.Outcome]++
		if rec.Outcome == route.Failed && (rec.Reason != reasonCrash || rec.Center != 5 || rec.From != "+491" ||
			!rec.Arrived.Equal(at) || rec.Ended.Before(at)) {
			t.Errorf("%+v", rec)
		}
	}
	if outcomes[route.Failed] != 2 || outcomes[route.Answered] != 1 {
		t.Errorf("%v", outcomes)
	}
}

func TestConversationsAreKeptAsLongAsTheirCenterSays(t *testing.T) {
	now := time.Now()
	db := newStore(t, func(tx *store.Tx) error {
		if err := tx.PutCenter(&callcenter.Center{ID: 5, Extras: callcenter.Extras{VoiceRetentionDays: 7}}); err != nil {
			return err
		}
		return tx.PutCenter(&callcenter.Center{ID: 6})
	})
	const week = 7 * 24 * time.Hour
	for call, of := range map[route.CallID]struct {
		center callcenter.ID
		age    time.Duration
	}{1: {5, week + 2*time.Hour}, 2: {5, week - 2*time.Hour}, 3: {6, 100 * week}} {
		db.SaveConversation(store.Conversation{Call: call, Center: of.center, At: now.Add(-of.age), Complete: true})
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := retention{t.TempDir(), db, slog.New(slog.DiscardHandler)}
	if n, err := r.sweep(t.Context(), now); err != nil || n != 1 {
		t.Errorf("%d removed, %v", n, err)
	}
	if _, ok, err := db.Conversation(t.Context(), 1); ok || err != nil {
		t.Errorf("the old one is kept: %v", err)
	}
}

// keepingCenters are 5, which keeps for a week, 6, for ever, and 7, which was deleted when it kept for a week.
func keepingCenters(t *testing.T) *store.Store {
	t.Helper()
	db := newStore(t, func(tx *store.Tx) error {
		if err := tx.PutCenter(&callcenter.Center{ID: 5, Extras: callcenter.Extras{RecordingRetentionDays: 7}}); err != nil {
			return err
		}
		gone := callcenter.Center{ID: 7, Extras: callcenter.Extras{RecordingRetentionDays: 90}}
		if err := tx.PutCenter(&gone); err != nil {
			return err
		}
		return tx.PutCenter(&callcenter.Center{ID: 6})
	})
	for _, change := range []func(*store.Tx) error{
		func(tx *store.Tx) error {
			return tx.PutCenter(&callcenter.Center{ID: 7, Extras: callcenter.Extras{RecordingRetentionDays: 7}})
		},
		func(tx *store.Tx) error {
			_, err := tx.DeleteCenter(7)
			return err
		},
	} {
		if err := db.Update(t.Context(), "system", change); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestWhatIsOlderThanItsCenterKeepsItIsRemoved(t *testing.T) {
	now := time.Now()
	db := keepingCenters(t)
	dir := t.TempDir()
	id := int64(0)
	put := func(center callcenter.ID, age time.Duration, complete bool) (recording, voicemail string) {
		id++
		recording, voicemail = fmt.Sprint(id, "r.wav"), fmt.Sprint(id, "v.wav")
		for _, name := range []string{recording, voicemail} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		db.SaveRecording(store.RecordingRecord{
			ID: id, Center: center, At: now.Add(-age), Path: recording, Complete: complete,
		})
		db.SaveVoicemail(store.VoicemailRecord{
			ID: id, Center: center, At: now.Add(-age), Path: voicemail, Complete: complete,
		})
		return recording, voicemail
	}
	const week = 7 * 24 * time.Hour
	const tooOld = week + 2*time.Hour // a change of clocks may lengthen a week
	oldRecording, oldVoicemail := put(5, tooOld, true)
	leftRecording, leftVoicemail := put(7, tooOld, true)
	kept := map[string]bool{}
	for _, k := range []struct {
		center   callcenter.ID
		age      time.Duration
		complete bool
	}{
		{5, week - 2*time.Hour, true}, {5, 2 * week, false}, {6, 100 * week, true}, {7, week - 2*time.Hour, true},
	} {
		recording, voicemail := put(k.center, k.age, k.complete)
		kept[recording], kept[voicemail] = true, true
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := retention{dir, db, slog.New(slog.DiscardHandler)}
	if n, err := r.sweep(t.Context(), now); err != nil || n != 4 {
		t.Errorf("%d removed, %v", n, err)
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	recordings, err := db.Recordings(t.Context(), store.RecordingQuery{Limit: 10})
	if err != nil || len(recordings) != 4 {
		t.Errorf("%d recordings, %v", len(recordings), err)
	}
	voicemails, err := db.Voicemails(t.Context())
	if err != nil || len(voicemails) != 4 {
		t.Errorf("%d voicemails, %v", len(voicemails), err)
	}
	for name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{oldRecording, oldVoicemail, leftRecording, leftVoicemail} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
