package store

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestNewestVoicemailsComeInPages(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	at := time.Unix(1_700_000_000, 0)
	for id := int64(1); id <= 5; id++ {
		s.SaveVoicemail(VoicemailRecord{ID: id, At: at.Add(time.Duration(id) * time.Second), Complete: id != 4})
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var got []int64
	behind := int64(0)
	for range 3 {
		page, err := s.NewestVoicemails(t.Context(), behind, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page {
			got, behind = append(got, v.ID), v.Seq
		}
	}
	if want := []int64{5, 3, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v: newest first, the one being recorded left out", got, want)
	}
}

func TestWhoHeardAVoicemail(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	s.SaveVoicemail(VoicemailRecord{ID: 7, At: time.Unix(1_700_000_000, 0), Complete: true})
	if err := errors.Join(
		s.Flush(t.Context()), s.VoicemailAccessed(t.Context(), 7, "page 1"), s.Listened(t.Context(), 7, 12),
		s.VoicemailAccessed(t.Context(), 7, "page 1"),
	); err != nil {
		t.Fatal(err)
	}
	list, err := s.VoicemailAccesses(t.Context(), 7)
	if err != nil || len(list) != 3 || list[0].By != "page 1" || list[1].Operator != 12 || list[2].At.Before(list[0].At) {
		t.Errorf("heard by %+v (%v)", list, err)
	}
	if err := s.VoicemailAccessed(t.Context(), 8, "page 1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown voicemail gave %v", err)
	}
	s.DropVoicemail(7)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err = s.VoicemailAccesses(t.Context(), 7); err != nil || len(list) != 2 {
		t.Errorf("after its removal: heard by %+v (%v), want the two of the page", list, err)
	}
}
