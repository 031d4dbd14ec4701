package store

import (
	"context"
	"fmt"

	"switchboard/internal/route"
)

// Held is what is kept of the calls with a phone number.
type Held struct {
	Calls       []route.CallRecord
	Recordings  []RecordingRecord
	Voicemails  []VoicemailRecord
	Transcripts []HeldTranscript
}

// HeldTranscript is a transcript with its lines and moments.
type HeldTranscript struct {
	Transcript
	Lines   []TranscriptLine
	Moments []TranscriptMoment
}

// Erased counts what was removed.
type Erased struct{ Calls, Recordings, Voicemails, Transcripts, Conversations int64 }

// callsOf chooses the ended calls whose far side has a number.
const callsOf = `CASE json_extract(doc, '$.Direction') WHEN '` + route.Outbound + `' THEN json_extract(doc, '$.To')
	ELSE json_extract(doc, '$.From') END = ?1`

// HeldOf gathers what is kept of the calls with a number, oldest first.
func (s *Store) HeldOf(ctx context.Context, number string) (h Held, err error) {
	if h.Calls, err = query(ctx, s.readers, scanDoc[route.CallRecord],
		"SELECT doc FROM call WHERE "+callsOf+" ORDER BY id", number); err != nil {
		return h, err
	}
	if h.Recordings, err = query(ctx, s.readers, scanRecording, recordingSQL+"number = ? ORDER BY at, id",
		number); err != nil {
		return h, err
	}
	if h.Voicemails, err = query(ctx, s.readers, scanVoicemail, voicemailSQL+"WHERE caller = ? ORDER BY at, id",
		number); err != nil {
		return h, err
	}
	list, err := query(ctx, s.readers, scanTranscript,
		transcriptSQL+" FROM transcript WHERE number = ? ORDER BY at", number)
	for _, t := range list {
		one := HeldTranscript{Transcript: t}
		lines, err := s.TranscriptLines(ctx, t.Call)
		if err != nil {
			return h, err
		}
		moments, err := s.Moments(ctx, t.Call)
		if err != nil {
			return h, err
		}
		for _, l := range lines {
			one.Lines = append(one.Lines, TranscriptLine{t.Call, l})
		}
		for _, m := range moments {
			one.Moments = append(one.Moments, TranscriptMoment{t.Call, m})
		}
		h.Transcripts = append(h.Transcripts, one)
	}
	return h, err
}

// EraseNumber removes all that is kept of the calls with a number, durably and so that the pages of the database are
// overwritten. The files of recordings and voicemails are the caller's: HeldOf names them.
func (s *Store) EraseNumber(ctx context.Context, number string) (n Erased, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		if err := w.execSQL("PRAGMA secure_delete = 1"); err != nil {
			return err
		}
		defer func() { _ = w.execSQL("PRAGMA secure_delete = 0") }()
		return w.eraseNumber(number, &n)
	}})
	if err == nil {
		err = s.emptyLog(ctx)
	}
	if err != nil {
		return Erased{}, fmt.Errorf("erase a number: %w", err)
	}
	return n, nil
}

// emptyLog brings the write-ahead log into the database and cuts it: what was overwritten there is still in the log
// (SQLite, PRAGMA wal_checkpoint). A connection of its own waits for readers, so that the writer does not.
func (s *Store) emptyLog(ctx context.Context) error {
	db := connect(s.path(), 1, false)
	defer func() { _ = db.Close() }() // it has nothing to lose
	for {
		var busy, frames, moved int
		err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
		if err != nil || busy == 0 {
			return err
		}
	}
}

func (w *writer) eraseNumber(number string, n *Erased) (err error) {
	if n.Transcripts, err = w.dropTranscripts("number = ?1", number); err != nil {
		return err
	}
	for _, notes := range []string{"call_note", "call_leg"} {
		text := "DELETE FROM " + notes + " WHERE call IN (SELECT id FROM call WHERE " + callsOf + ")"
		if err := w.execSQL(text, number); err != nil {
			return err
		}
	}
	for _, one := range []struct {
		text  string
		count *int64
	}{
		{"DELETE FROM call WHERE " + callsOf, &n.Calls},
		{"DELETE FROM recording WHERE number = ?1", &n.Recordings},
		{"DELETE FROM voicemail WHERE caller = ?1", &n.Voicemails},
		{"DELETE FROM conversation WHERE number = ?1", &n.Conversations},
	} {
		done, err := w.conn.ExecContext(context.Background(), one.text, number)
		if err != nil {
			return err
		}
		if *one.count, err = done.RowsAffected(); err != nil {
			return err
		}
	}
	return nil
}
