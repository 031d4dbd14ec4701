package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// RecordingRecord is a recorded call. Its audio is the file Path, relative to the data directory.
type RecordingRecord struct {
	ID        int64
	Call      route.CallID
	Center    callcenter.ID         // 0: on nobody's behalf
	Operator  callcenter.OperatorID // who talked
	Number    string                // of the far side, "" when withheld
	Direction string                // route.Inbound or route.Outbound
	At        time.Time             // of its first sample
	Duration  time.Duration
	Path      string
	Complete  bool // false: going on, or left so by a crash
}

// Access is one time that somebody heard or fetched a recording or a voicemail.
type Access struct {
	At       time.Time
	By       Actor                 // "" where Operator says it
	Operator callcenter.OperatorID // 0: nobody we know by that
}

// RecordingQuery chooses recordings. Zero fields choose all.
type RecordingQuery struct {
	Center callcenter.ID
	Call   route.CallID
	Before time.Time // begun before it
	// Behind goes on behind this recording: the next page of a listing.
	Behind *RecordingRecord
	// Complete leaves out those that go on, or were left so by a crash.
	Complete bool
	Limit    int // required
}

const recordingSQL = `SELECT id, call, center, operator, number, direction, at, duration, path, complete
	FROM recording WHERE `

// SaveRecording queues a recording, as Journal does. The same id again replaces it.
func (s *Store) SaveRecording(rec RecordingRecord) { s.queue.push(rec) }

// DropRecording queues the removal of a recording, as Journal does. Its audio file is the caller's; who heard it stays.
func (s *Store) DropRecording(id int64) { s.queue.push(dropRecording(id)) }

// Recordings lists recordings, newest first, those going on among them.
func (s *Store) Recordings(ctx context.Context, q RecordingQuery) ([]RecordingRecord, error) {
	where, args := []string{"1"}, []any{}
	add := func(clause string, values ...any) {
		where, args = append(where, clause), append(args, values...)
	}
	if q.Center != 0 {
		add("center = ?", int64(q.Center))
	}
	if q.Call != 0 {
		add("call = ?", int64(q.Call))
	}
	if !q.Before.IsZero() {
		add("at < ?", nanos(q.Before))
	}
	if q.Complete {
		add("complete = 1")
	}
	if q.Behind != nil {
		add("(at, id) < (?, ?)", nanos(q.Behind.At), q.Behind.ID)
	}
	args = append(args, q.Limit)
	return query(ctx, s.readers, scanRecording,
		recordingSQL+strings.Join(where, " AND ")+" ORDER BY at DESC, id DESC LIMIT ?", args...)
}

// InterruptedRecordings lists those that a crash left incomplete; asked while calls are recorded, those too.
func (s *Store) InterruptedRecordings(ctx context.Context) ([]RecordingRecord, error) {
	return query(ctx, s.readers, scanRecording, recordingSQL+"complete = 0 ORDER BY at, id")
}

// Recording finds one recording.
func (s *Store) Recording(ctx context.Context, id int64) (RecordingRecord, bool, error) {
	list, err := query(ctx, s.readers, scanRecording, recordingSQL+"id = ?", id)
	if err != nil || len(list) == 0 {
		return RecordingRecord{}, false, err
	}
	return list[0], true, nil
}

// RecordingAccessed notes durably that somebody hears or fetches a recording: to be called before they do. An unknown
// recording is ErrNotFound.
func (s *Store) RecordingAccessed(ctx context.Context, id int64, by Actor) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		var one int
		err := w.conn.QueryRowContext(ctx, "SELECT 1 FROM recording WHERE id = ?", id).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("recording %d: %w", id, ErrNotFound)
		}
		if err != nil {
			return err
		}
		return w.execSQL("INSERT INTO recording_access (recording, at, by) VALUES (?, ?, ?)",
			id, nanos(s.opts.Now()), string(by))
	}})
}

// RecordingAccesses lists who heard a recording, oldest first, also of one that was removed.
func (s *Store) RecordingAccesses(ctx context.Context, id int64) ([]Access, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (a Access, err error) {
		var at int64
		err = rows.Scan(&at, &a.By)
		a.At = instant(at)
		return a, err
	}, "SELECT at, by FROM recording_access WHERE recording = ? ORDER BY seq", id)
}

func scanRecording(rows *sql.Rows) (r RecordingRecord, err error) {
	var at int64
	err = rows.Scan(&r.ID, &r.Call, &r.Center, &r.Operator, &r.Number, &r.Direction, &at, &r.Duration, &r.Path,
		&r.Complete)
	r.At = instant(at)
	return r, err
}

func (e RecordingRecord) write(w *writer) error {
	_, err := w.stmts.saveRecording.Exec(e.ID, int64(e.Call), int64(e.Center), int64(e.Operator), e.Number, e.Direction,
		nanos(e.At), int64(e.Duration), e.Path, e.Complete)
	return err
}

type dropRecording int64

func (id dropRecording) write(w *writer) error {
	return w.execSQL("DELETE FROM recording WHERE id = ?", int64(id))
}
