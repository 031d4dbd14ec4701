package store

import (
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

func TestVoicemails(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	late := VoicemailRecord{
		ID: 1, Call: 5, Center: 22, From: "+431", At: at.Add(time.Hour), Reason: "timeout", Path: "a.wav",
	}
	early := VoicemailRecord{ID: 2, Call: 6, Center: 22, User: 11, At: at, Reason: "escape", Path: "b.wav"}
	gone := VoicemailRecord{ID: 3, Call: 7, At: at}
	for _, v := range []VoicemailRecord{late, early, gone} {
		s.SaveVoicemail(v)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, op := range []callcenter.OperatorID{12, 11, 12} {
		if err := s.Listened(t.Context(), 1, op); err != nil {
			t.Error(err)
		}
	}
	if err := s.Listened(t.Context(), 3, 11); err != nil {
		t.Error(err)
	}
	late.Complete, late.Duration = true, 7*time.Second
	s.SaveVoicemail(late)
	s.DropVoicemail(3)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	late.ListenedBy, late.Seq = []callcenter.OperatorID{12, 11}, 1
	list, err := s.Voicemails(t.Context())
	if err != nil || !reflect.DeepEqual(list, []VoicemailRecord{early, late}) {
		t.Errorf("Voicemails: %+v, %v", list, err)
	}
	one, ok, err := s.Voicemail(t.Context(), 1)
	if err != nil || !ok || !reflect.DeepEqual(one, late) {
		t.Errorf("Voicemail: %+v, %v, %v", one, ok, err)
	}
	if _, ok, err := s.Voicemail(t.Context(), 3); ok || err != nil {
		t.Errorf("dropped voicemail: %v, %v", ok, err)
	}
	if err := s.Listened(t.Context(), 3, 11); !errors.Is(err, ErrNotFound) {
		t.Errorf("Listened to a dropped one: %v", err)
	}
}

func TestVoicemailsAreCountedInTheOrderInWhichTheyEnd(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	at := time.Unix(100, 0)
	save := func(id int64, after time.Duration, complete bool) {
		s.SaveVoicemail(VoicemailRecord{ID: id, At: at.Add(after), Complete: complete})
	}
	save(9, 0, false)
	save(5, time.Second, false)
	save(7, 2*time.Second, false)
	save(7, 2*time.Second, true)
	s.DropVoicemail(5)
	save(9, 0, true)
	save(7, 2*time.Second, true) // again: its place stays
	save(6, 3*time.Second, false)
	save(4, 4*time.Second, true)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := s.Voicemails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]int64{}
	for _, v := range list {
		got[v.ID] = v.Seq
	}
	if want := (map[int64]int64{9: 2, 7: 1, 6: 0, 4: 3}); !maps.Equal(got, want) {
		t.Errorf("places %v, want %v", got, want)
	}
}

func TestSessionsEnd(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	a := Session{Hash: [32]byte{1}, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	b := Session{Hash: [32]byte{2}, CreatedAt: now, ExpiresAt: now.Add(2 * time.Hour)}
	if err := errors.Join(s.CreateSession(t.Context(), a), s.CreateSession(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	got, ok, err := s.Session(t.Context(), a.Hash)
	if err != nil || !ok || got != a {
		t.Errorf("Session: %+v, %v, %v", got, ok, err)
	}
	now = now.Add(time.Hour)
	if _, ok, err := s.Session(t.Context(), a.Hash); ok || err != nil {
		t.Errorf("a session that is over: %v, %v", ok, err)
	}
	if _, ok, err := s.Session(t.Context(), b.Hash); !ok || err != nil {
		t.Errorf("the other session: %v, %v", ok, err)
	}
	if err := errors.Join(s.DeleteSession(t.Context(), b.Hash), s.DeleteSession(t.Context(), b.Hash)); err != nil {
		t.Error(err)
	}
	if _, ok, err := s.Session(t.Context(), b.Hash); ok || err != nil {
		t.Errorf("a deleted session: %v, %v", ok, err)
	}
}

func TestLinkIsTakenOnce(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	a, b := [32]byte{1}, [32]byte{2}
	err := errors.Join(
		s.CreateLink(t.Context(), a, now.Add(time.Hour)), s.CreateLink(t.Context(), b, now.Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if ok, err := s.TakeLink(t.Context(), b); ok || err != nil {
		t.Errorf("an expired link: %v, %v", ok, err)
	}
	var wg sync.WaitGroup
	var taken atomic.Int64
	for range 16 {
		wg.Go(func() {
			ok, err := s.TakeLink(t.Context(), a)
			if err != nil {
				t.Error(err)
			}
			if ok {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 {
		t.Errorf("the link was taken %d times", taken.Load())
	}
}

func TestBackupIsACompleteDatabase(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, furnish)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); err == nil {
		t.Error("a backup overwrote a file")
	}
	restored := open(t, dir, Options{})
	accessors(t, restored.Snapshot())
	if err := restored.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
