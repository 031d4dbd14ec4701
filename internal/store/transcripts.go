package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/transcript"
)

// Transcript is what was recognised of a call. Its lines are masked before they come here.
type Transcript struct {
	Call      route.CallID // of the visit
	Center    callcenter.ID
	Operator  callcenter.OperatorID // who talked
	Number    string                // of the far side, "" when withheld
	Direction string                // route.Inbound or route.Outbound
	At        time.Time             // when listening began: times of lines and moments are from here
	Engine    string
	Dropped   time.Duration // audio that the engine could not take
	Complete  bool          // false: it goes on, or a crash cut it off
	Summary   transcript.Summary
}

// TranscriptLine is one line of a call.
type TranscriptLine struct {
	Call route.CallID
	transcript.Line
}

// TranscriptMoment is one moment of a call.
type TranscriptMoment struct {
	Call route.CallID
	transcript.Moment
}

// SpeechSettings are what a call center wants of its transcripts.
type SpeechSettings struct {
	Phrases []transcript.Phrase // nil: the built-in ones
	Mood    bool                // estimate the customer's
}

// TranscriptQuery looks for words. Zero fields choose all.
type TranscriptQuery struct {
	Words    string // all of them, by their stems; required
	Center   callcenter.ID
	Operator callcenter.OperatorID
	From, To time.Time // when the conversation began: [From, To)
	Limit    int       // required
}

// TranscriptHit is a line in which words were found.
type TranscriptHit struct {
	Transcript
	Line transcript.Line
}

const transcriptSQL = `SELECT transcript.call, center, operator, number, direction, at, engine, dropped, complete,
	transcript.doc`

// SaveTranscript queues a transcript without its lines, as Journal does. The same call again replaces it.
func (s *Store) SaveTranscript(t Transcript) { s.queue.push(t) }

// SaveTranscriptLine queues a line of a transcript, as Journal does.
func (s *Store) SaveTranscriptLine(l TranscriptLine) { s.queue.push(l) }

// SaveMoment queues a moment, as Journal does.
func (s *Store) SaveMoment(m TranscriptMoment) { s.queue.push(m) }

// Transcript finds the transcript of a call.
func (s *Store) Transcript(ctx context.Context, call route.CallID) (Transcript, bool, error) {
	list, err := query(ctx, s.readers, scanTranscript, transcriptSQL+" FROM transcript WHERE call = ?", int64(call))
	if err != nil || len(list) == 0 {
		return Transcript{}, false, err
	}
	return list[0], true, nil
}

// TranscriptLines are the lines of a call in the order of their beginning.
func (s *Store) TranscriptLines(ctx context.Context, call route.CallID) ([]transcript.Line, error) {
	return query(ctx, s.readers, scanTimed[transcript.Line],
		"SELECT doc FROM transcript_line WHERE call = ? ORDER BY start, seq", int64(call))
}

// Moments are the moments of a call in their order.
func (s *Store) Moments(ctx context.Context, call route.CallID) ([]transcript.Moment, error) {
	return query(ctx, s.readers, scanTimed[transcript.Moment],
		"SELECT doc FROM moment WHERE call = ? ORDER BY at, seq", int64(call))
}

// SearchTranscripts finds lines, those of the latest calls first.
func (s *Store) SearchTranscripts(ctx context.Context, q TranscriptQuery) ([]TranscriptHit, error) {
	words := transcript.Words(q.Words)
	if len(words) == 0 {
		return nil, nil
	}
	where, args := []string{"transcript_search MATCH ?"}, []any{`"` + strings.Join(words, `" "`) + `"`}
	add := func(clause string, value any) { where, args = append(where, clause), append(args, value) }
	if q.Center != 0 {
		add("center = ?", int64(q.Center))
	}
	if q.Operator != 0 {
		add("operator = ?", int64(q.Operator))
	}
	if !q.From.IsZero() {
		add("at >= ?", nanos(q.From))
	}
	if !q.To.IsZero() {
		add("at < ?", nanos(q.To))
	}
	return query(ctx, s.readers, scanHit, transcriptSQL+`, transcript_line.doc FROM transcript_search
		JOIN transcript_line ON transcript_line.seq = transcript_search.rowid
		JOIN transcript ON transcript.call = transcript_line.call
		WHERE `+strings.Join(where, " AND ")+` ORDER BY at DESC, transcript_line.start, transcript_line.seq LIMIT ?`,
		append(args, q.Limit)...)
}

// TranscriptAccessed notes durably that somebody reads a transcript: to be called before they do. An unknown one is
// ErrNotFound.
func (s *Store) TranscriptAccessed(ctx context.Context, call route.CallID, by Actor) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		var one int
		err := w.conn.QueryRowContext(ctx, "SELECT 1 FROM transcript WHERE call = ?", int64(call)).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("transcript of call %d: %w", call, ErrNotFound)
		}
		if err != nil {
			return err
		}
		return w.execSQL("INSERT INTO transcript_access (call, at, by) VALUES (?, ?, ?)",
			int64(call), nanos(s.opts.Now()), string(by))
	}})
}

// TranscriptAccesses lists who read a transcript, oldest first, also of one that is gone.
func (s *Store) TranscriptAccesses(ctx context.Context, call route.CallID) ([]Access, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (a Access, err error) {
		var at int64
		err = rows.Scan(&at, &a.By)
		a.At = instant(at)
		return a, err
	}, "SELECT at, by FROM transcript_access WHERE call = ? ORDER BY seq", int64(call))
}

// TrimTranscripts removes the complete transcripts of a call center that began before a time, and says how many.
func (s *Store) TrimTranscripts(ctx context.Context, center callcenter.ID, before time.Time) (n int64, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		n, err = w.dropTranscripts("center = ? AND at < ? AND complete = 1", int64(center), nanos(before))
		return err
	}})
	return n, err
}

// FinishTranscripts makes those complete that a crash cut off. Nobody may be talking.
func (s *Store) FinishTranscripts(ctx context.Context) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("UPDATE transcript SET complete = 1 WHERE complete = 0")
	}})
}

// dropTranscripts removes transcripts with their lines and moments.
func (w *writer) dropTranscripts(where string, args ...any) (int64, error) {
	for _, table := range []string{"transcript_line", "moment"} {
		text := "DELETE FROM " + table + " WHERE call IN (SELECT call FROM transcript WHERE " + where + ")"
		if err := w.execSQL(text, args...); err != nil {
			return 0, err
		}
	}
	done, err := w.conn.ExecContext(context.Background(), "DELETE FROM transcript WHERE "+where, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// SpeechSettings are those of a call center.
func (s *Store) SpeechSettings(ctx context.Context, center callcenter.ID) (SpeechSettings, error) {
	list, err := query(ctx, s.readers, scanDoc[SpeechSettings],
		"SELECT doc FROM speech_setting WHERE center = ?", int64(center))
	if err != nil || len(list) == 0 {
		return SpeechSettings{}, err
	}
	return list[0], nil
}

// AllSpeechSettings are those of the call centers that have any.
func (s *Store) AllSpeechSettings(ctx context.Context) (map[callcenter.ID]SpeechSettings, error) {
	centers, err := query(ctx, s.readers, func(rows *sql.Rows) (id callcenter.ID, err error) {
		return id, rows.Scan(&id)
	}, "SELECT center FROM speech_setting")
	all := map[callcenter.ID]SpeechSettings{}
	for _, center := range centers {
		if all[center], err = s.SpeechSettings(ctx, center); err != nil {
			return nil, err
		}
	}
	return all, err
}

// SetSpeechSettings replaces them, durably.
func (s *Store) SetSpeechSettings(ctx context.Context, center callcenter.ID, set SpeechSettings) error {
	doc, err := encode(set)
	if err != nil {
		return err
	}
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("INSERT OR REPLACE INTO speech_setting (center, doc) VALUES (?, ?)", int64(center), string(doc))
	}})
}

func scanTranscript(rows *sql.Rows) (Transcript, error) { return scanTranscriptWith(rows) }

func scanTranscriptWith(rows *sql.Rows, more ...any) (t Transcript, err error) {
	var at int64
	var doc []byte
	err = rows.Scan(append([]any{
		&t.Call, &t.Center, &t.Operator, &t.Number, &t.Direction, &at, &t.Engine, &t.Dropped, &t.Complete, &doc,
	}, more...)...)
	if err != nil {
		return t, err
	}
	t.At = instant(at)
	t.Summary, err = decodeTimed[transcript.Summary](doc)
	return t, err
}

func scanHit(rows *sql.Rows) (h TranscriptHit, err error) {
	var doc []byte
	if h.Transcript, err = scanTranscriptWith(rows, &doc); err != nil {
		return h, err
	}
	h.Line, err = decodeTimed[transcript.Line](doc)
	return h, err
}

func (t Transcript) write(w *writer) error {
	doc, err := encodeTimed(t.Summary)
	if err != nil {
		return err
	}
	return w.execSQL(`INSERT OR REPLACE INTO transcript
		(call, center, operator, number, direction, at, engine, dropped, complete, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(t.Call), int64(t.Center), int64(t.Operator), t.Number, t.Direction, nanos(t.At), t.Engine, int64(t.Dropped),
		t.Complete, string(doc))
}

func (l TranscriptLine) write(w *writer) error {
	doc, err := encodeTimed(l.Line)
	if err != nil {
		return err
	}
	return w.execSQL("INSERT INTO transcript_line (call, start, text, doc) VALUES (?, ?, ?, ?)",
		int64(l.Call), int64(l.Start), l.Text, string(doc))
}

func (m TranscriptMoment) write(w *writer) error {
	doc, err := encodeTimed(m.Moment)
	if err != nil {
		return err
	}
	return w.execSQL("INSERT INTO moment (call, at, class, doc) VALUES (?, ?, ?, ?)",
		int64(m.Call), int64(m.At), m.Class, string(doc))
}

// encodeTimed writes durations as nanoseconds.
func encodeTimed(v any) ([]byte, error) { return json.Marshal(v, jsonv1.FormatDurationAsNano(true)) }

func decodeTimed[T any](doc []byte) (v T, err error) {
	err = json.Unmarshal(doc, &v, jsonv1.FormatDurationAsNano(true))
	return v, err
}

func scanTimed[T any](rows *sql.Rows) (v T, err error) {
	var doc []byte
	if err = rows.Scan(&doc); err != nil {
		return v, err
	}
	return decodeTimed[T](doc)
}
