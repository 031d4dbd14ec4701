package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/transcript"
)

// written keeps a transcript of one line and one moment.
func written(s *Store, call route.CallID, number, text string, at time.Time) Transcript {
	t := Transcript{
		Call: call, Center: 22, Operator: 11, Number: number, Direction: route.Inbound, At: at, Engine: "vosk-ws",
		Complete: true, Summary: transcript.Summary{Kind: "extractive", Reason: text},
	}
	s.SaveTranscript(t)
	s.SaveTranscriptLine(TranscriptLine{call, transcript.Line{
		Leg: transcript.Customer, Start: time.Second, End: 2 * time.Second, Text: text, Confidence: 0.5,
		Words: []transcript.Word{{Text: "w", Start: time.Second, End: 2 * time.Second, Confidence: 0.5}},
	}})
	s.SaveTranscriptLine(TranscriptLine{call, transcript.Line{Start: 0, End: time.Second, Gap: "paused"}})
	s.SaveMoment(TranscriptMoment{call, transcript.Moment{At: time.Second, Leg: transcript.Customer, Class: "refund"}})
	return t
}

func TestTranscripts(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), Options{Now: func() time.Time { return at }})
	want := written(s, 100, "+431", "i was cancelling it", at)
	written(s, 101, "+432", "nothing of the kind", at.Add(time.Hour))
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, ok, err := s.Transcript(t.Context(), 100)
	if err != nil || !ok || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	if _, ok, err := s.Transcript(t.Context(), 7); ok || err != nil {
		t.Errorf("a call without one: %v, %v", ok, err)
	}
	lines, err := s.TranscriptLines(t.Context(), 100)
	if err != nil || len(lines) != 2 || lines[0].Gap != "paused" || lines[1].Words[0].End != 2*time.Second {
		t.Errorf("lines %+v, %v", lines, err)
	}
	moments, err := s.Moments(t.Context(), 100)
	if err != nil || len(moments) != 1 || moments[0].Class != "refund" || moments[0].At != time.Second {
		t.Errorf("moments %+v, %v", moments, err)
	}
	if err := s.TranscriptAccessed(t.Context(), 100, "key ops"); err != nil {
		t.Error(err)
	}
	if err := s.TranscriptAccessed(t.Context(), 7, "key ops"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a call without one is read: %v", err)
	}
	read, err := s.TranscriptAccesses(t.Context(), 100)
	if err != nil || len(read) != 1 || read[0] != (Access{At: at, By: "key ops"}) {
		t.Errorf("read by %+v, %v", read, err)
	}
}

func TestTranscriptsAreSearchedByStems(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), Options{})
	written(s, 100, "+431", "i was cancelling it", at)
	written(s, 101, "+431", "cancel it", at.Add(time.Hour))
	for words, want := range map[string]string{
		"cancelled": "[101 100]", "was CANCEL": "[100]", `it" OR "x`: "[]", "refund": "[]", "": "[]", "-*": "[]",
	} {
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		hits, err := s.SearchTranscripts(t.Context(), TranscriptQuery{Words: words, Limit: 10})
		got := []route.CallID{}
		for _, h := range hits {
			got = append(got, h.Call)
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v, want %s", words, got, err, want)
		}
	}
	for _, q := range []TranscriptQuery{
		{Center: 23}, {Operator: 12}, {From: at.Add(2 * time.Hour)}, {To: at},
	} {
		q.Words, q.Limit = "cancel", 10
		if hits, err := s.SearchTranscripts(t.Context(), q); err != nil || len(hits) != 0 {
			t.Errorf("%+v: %d, %v", q, len(hits), err)
		}
	}
	hits, err := s.SearchTranscripts(t.Context(), TranscriptQuery{
		Words: "cancel", Center: 22, Operator: 11, From: at, To: at.Add(time.Hour), Limit: 1,
	})
	if err != nil || len(hits) != 1 || hits[0].Line.Text != "i was cancelling it" {
		t.Errorf("%+v, %v", hits, err)
	}
}

func TestOldTranscriptsAreRemoved(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, t.TempDir(), Options{})
	written(s, 100, "+431", "old", at)
	written(s, 101, "+431", "new", at.Add(time.Hour))
	going := written(s, 102, "+431", "going on", at)
	going.Complete = false
	s.SaveTranscript(going)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.TrimTranscripts(t.Context(), 23, at.Add(2*time.Hour)); n != 0 || err != nil {
		t.Errorf("another center's: %d, %v", n, err)
	}
	if n, err := s.TrimTranscripts(t.Context(), 22, at.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	for call, want := range map[route.CallID]int{100: 0, 101: 2, 102: 2} {
		if lines, err := s.TranscriptLines(t.Context(), call); err != nil || len(lines) != want {
			t.Errorf("call %d has %d lines, %v", call, len(lines), err)
		}
	}
	if err := s.FinishTranscripts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _, err := s.Transcript(t.Context(), 102); err != nil || !got.Complete {
		t.Errorf("after a crash: %+v, %v", got, err)
	}
}

func TestWhatIsKeptOfANumberIsGatheredAndErased(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	s := open(t, dir, Options{})
	for i, number := range []string{"+4315551", "+4315552"} {
		call := route.CallID(100 + i)
		written(s, call, number, "abracadabra"+number, at)
		s.SaveCall(route.CallRecord{Call: call, Visit: call, From: number, To: "+1", Direction: route.Inbound, Arrived: at})
		s.SaveCall(route.CallRecord{
			Call: call + 50, Visit: call + 50, From: "+1", To: number, Direction: route.Outbound, Arrived: at,
		})
		s.SaveRecording(RecordingRecord{ID: int64(call), Call: call, Number: number, At: at, Complete: true})
		s.SaveVoicemail(VoicemailRecord{ID: int64(call), Call: call, From: number, At: at, Complete: true})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	held := func(number string) string {
		t.Helper()
		h, err := s.HeldOf(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, one := range h.Transcripts {
			lines += len(one.Lines) + len(one.Moments)
		}
		return fmt.Sprint(len(h.Calls), len(h.Recordings), len(h.Voicemails), len(h.Transcripts), lines)
	}
	if got := held("+4315551"); got != "2 1 1 1 3" {
		t.Errorf("kept: %s", got)
	}
	n, err := s.EraseNumber(t.Context(), "+4315551")
	if err != nil || n != (Erased{Calls: 2, Recordings: 1, Voicemails: 1, Transcripts: 1}) {
		t.Errorf("erased: %+v, %v", n, err)
	}
	if got := held("+4315551"); got != "0 0 0 0 0" {
		t.Errorf("kept after it: %s", got)
	}
	if got := held("+4315552"); got != "2 1 1 1 3" {
		t.Errorf("kept of another: %s", got)
	}
	erased := TranscriptQuery{Words: "abracadabra 4315551", Limit: 9}
	if hits, err := s.SearchTranscripts(t.Context(), erased); err != nil || len(hits) > 0 {
		t.Errorf("still found: %+v, %v", hits, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range []string{fileName, fileName + "-wal"} {
		file, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, file...)
	}
	if bytes.Contains(all, []byte("abracadabra+4315551")) {
		t.Error("the words are still on the disk")
	}
	if !bytes.Contains(all, []byte("abracadabra+4315552")) {
		t.Error("the other's are not: nothing is shown")
	}
}

func TestSpeechSettings(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	if got, err := s.SpeechSettings(t.Context(), 22); err != nil || got.Phrases != nil || got.Mood {
		t.Errorf("before: %+v, %v", got, err)
	}
	want := SpeechSettings{Phrases: []transcript.Phrase{{Class: "rival", Text: "other provider"}}, Mood: true}
	for center, set := range map[callcenter.ID]SpeechSettings{22: want, 23: {}} {
		if err := s.SetSpeechSettings(t.Context(), center, set); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.AllSpeechSettings(t.Context())
	if err != nil || len(all) != 2 || fmt.Sprint(all[22]) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", all, err)
	}
}
