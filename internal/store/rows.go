package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// MaxHistory bounds what History returns: the newest revisions of one record.
const MaxHistory = 1000

// Key finds an API key: in the Snapshot, else on disk, where another process may just have put it; the Snapshot then
// has it too. An error says that the disk could not be read.
func (s *Store) Key(ctx context.Context, id string) (*Key, bool, error) {
	if k, ok := s.Snapshot().Key(id); ok {
		return k, true, nil
	}
	var one int
	err := s.readers.QueryRowContext(ctx, "SELECT 1 FROM api_key WHERE id = ?", id).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err == nil {
		err = s.Update(ctx, "system", func(tx *Tx) error {
			tx.Key(id)
			return nil
		})
	}
	if err != nil {
		return nil, false, fmt.Errorf("read key %s: %w", id, err)
	}
	k, ok := s.Snapshot().Key(id)
	return k, ok, nil
}

// History lists the revisions of one record, newest first, at most MaxHistory. The id is its decimal form, or the
// number or key itself.
func (s *Store) History(ctx context.Context, kind Kind, id string) ([]Revision, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (r Revision, err error) {
		var at int64
		err = rows.Scan(&r.Seq, &at, &r.By, &r.Kind, &r.ID, &r.Before, &r.After)
		r.At = instant(at)
		return r, err
	}, `SELECT seq, at, by, kind, id, before, after FROM history WHERE kind = ? AND id = ? ORDER BY seq DESC LIMIT ?`,
		string(kind), id, MaxHistory)
}

// DeletedCenters lists the call centers that were deleted, each as it was last.
func (s *Store) DeletedCenters(ctx context.Context) ([]*callcenter.Center, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (*callcenter.Center, error) {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return nil, err
		}
		return decode[callcenter.Center](doc)
	}, "SELECT before FROM history WHERE kind = ? AND after IS NULL ORDER BY seq", string(KindCenter))
}

// Calls lists ended calls, newest first: at most limit of those that ended before a time, of all when it is zero. What
// SaveCall queued appears within 100 ms.
func (s *Store) Calls(ctx context.Context, limit int, before time.Time) ([]route.CallRecord, error) {
	end := nanos(before)
	if before.IsZero() {
		end = 1<<63 - 1
	}
	return query(ctx, s.readers, func(rows *sql.Rows) (route.CallRecord, error) {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return route.CallRecord{}, err
		}
		rec, err := decode[route.CallRecord](doc)
		if err != nil {
			return route.CallRecord{}, err
		}
		return *rec, nil
	}, "SELECT doc FROM call WHERE ended < ? ORDER BY ended DESC, id DESC LIMIT ?", end, limit)
}

// Entries reads the journal in order: at most limit entries after a step.
func (s *Store) Entries(ctx context.Context, after uint64, limit int) ([]JournalEntry, error) {
	return query(ctx, s.readers, scanEntry,
		"SELECT step, at, event, body FROM journal WHERE step > ? ORDER BY step LIMIT ?", int64(after), limit)
}

func scanEntry(rows *sql.Rows) (e JournalEntry, err error) {
	var step, at int64
	err = rows.Scan(&step, &at, &e.Event, &e.Body)
	e.Step, e.At = uint64(step), instant(at)
	return e, err
}

// MaxStep is the last step in the journal, 0 for none. After a kill up to 100 ms of later steps may have been
// performed without being on disk: whoever goes on counting should leave a gap.
func (s *Store) MaxStep(ctx context.Context) (uint64, error) {
	var step int64
	err := s.readers.QueryRowContext(ctx, "SELECT coalesce(max(step), 0) FROM journal").Scan(&step)
	if err != nil {
		return 0, fmt.Errorf("read the last step: %w", err)
	}
	return uint64(step), nil
}

const voicemailSQL = `SELECT id, seq, call, center, caller, at, duration, reason, path, complete, operator
	FROM voicemail `

// Voicemails lists all voicemails, oldest first, those still being recorded among them.
func (s *Store) Voicemails(ctx context.Context) ([]VoicemailRecord, error) {
	list, err := query(ctx, s.readers, scanVoicemail, voicemailSQL+"ORDER BY at, id")
	if err != nil {
		return nil, err
	}
	type listener struct {
		voicemail int64
		operator  callcenter.OperatorID
	}
	all, err := query(ctx, s.readers, func(rows *sql.Rows) (l listener, err error) {
		err = rows.Scan(&l.voicemail, &l.operator)
		return l, err
	}, "SELECT voicemail, operator FROM voicemail_listener ORDER BY voicemail, at, operator")
	if err != nil {
		return nil, err
	}
	by := map[int64][]callcenter.OperatorID{}
	for _, l := range all {
		by[l.voicemail] = append(by[l.voicemail], l.operator)
	}
	for i := range list {
		list[i].ListenedBy = by[list[i].ID]
	}
	return list, nil
}

// Voicemail finds one voicemail.
func (s *Store) Voicemail(ctx context.Context, id int64) (VoicemailRecord, bool, error) {
	list, err := query(ctx, s.readers, scanVoicemail, voicemailSQL+"WHERE id = ?", id)
	if err != nil || len(list) == 0 {
		return VoicemailRecord{}, false, err
	}
	list[0].ListenedBy, err = query(ctx, s.readers, func(rows *sql.Rows) (op callcenter.OperatorID, err error) {
		err = rows.Scan(&op)
		return op, err
	}, "SELECT operator FROM voicemail_listener WHERE voicemail = ? ORDER BY at, operator", id)
	return list[0], err == nil, err
}

// VoicemailOf finds the voicemail of a call, without who listened.
func (s *Store) VoicemailOf(ctx context.Context, call route.CallID) (VoicemailRecord, bool, error) {
	list, err := query(ctx, s.readers, scanVoicemail, voicemailSQL+"WHERE call = ? ORDER BY at DESC LIMIT 1", int64(call))
	if err != nil || len(list) == 0 {
		return VoicemailRecord{}, false, err
	}
	return list[0], true, nil
}

// Listened notes that an operator heard a voicemail; the first time counts. An unknown voicemail is ErrNotFound.
func (s *Store) Listened(ctx context.Context, id int64, operator callcenter.OperatorID) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		var one int
		err := w.conn.QueryRowContext(ctx, "SELECT 1 FROM voicemail WHERE id = ?", id).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("voicemail %d: %w", id, ErrNotFound)
		}
		if err != nil {
			return err
		}
		return w.execSQL("INSERT OR IGNORE INTO voicemail_listener (voicemail, operator, at) VALUES (?, ?, ?)",
			id, int64(operator), nanos(s.opts.Now()))
	}})
}

// CreateSession keeps a session and forgets those that are over.
func (s *Store) CreateSession(ctx context.Context, session Session) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return errors.Join(
			w.execSQL("DELETE FROM session WHERE expires <= ?", nanos(s.opts.Now())),
			w.execSQL("INSERT INTO session (hash, created, expires) VALUES (?, ?, ?)",
				session.Hash[:], nanos(session.CreatedAt), nanos(session.ExpiresAt)))
	}})
}

// Session finds a session that is not over.
func (s *Store) Session(ctx context.Context, hash [32]byte) (Session, bool, error) {
	var created, expires int64
	err := s.readers.QueryRowContext(ctx, "SELECT created, expires FROM session WHERE hash = ? AND expires > ?",
		hash[:], nanos(s.opts.Now())).Scan(&created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, nil
	}
	if err != nil {
		return Session{}, false, fmt.Errorf("read session: %w", err)
	}
	return Session{Hash: hash, CreatedAt: instant(created), ExpiresAt: instant(expires)}, true, nil
}

// DeleteSession forgets a session; an unknown one is no error.
func (s *Store) DeleteSession(ctx context.Context, hash [32]byte) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("DELETE FROM session WHERE hash = ?", hash[:])
	}})
}

// CreateLink keeps the hash of a one-time sign-in link and forgets links that are over.
func (s *Store) CreateLink(ctx context.Context, hash [32]byte, expires time.Time) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return errors.Join(
			w.execSQL("DELETE FROM link WHERE expires <= ?", nanos(s.opts.Now())),
			w.execSQL("INSERT INTO link (hash, expires) VALUES (?, ?)", hash[:], nanos(expires)))
	}})
}

// TakeLink uses a link up: true for exactly one of all who try, and only before it expires.
func (s *Store) TakeLink(ctx context.Context, hash [32]byte) (bool, error) {
	taken := false
	err := s.submit(ctx, &request{raw: func(w *writer) error {
		res, err := w.conn.ExecContext(context.Background(), "DELETE FROM link WHERE hash = ? AND expires > ?",
			hash[:], nanos(s.opts.Now()))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		taken = n == 1
		return err
	}})
	return taken && err == nil, err
}

func scanVoicemail(rows *sql.Rows) (v VoicemailRecord, err error) {
	var at int64
	err = rows.Scan(&v.ID, &v.Seq, &v.Call, &v.Center, &v.From, &at, &v.Duration, &v.Reason, &v.Path, &v.Complete, &v.User)
	v.At = instant(at)
	return v, err
}

// execSQL runs a statement that is too rare to prepare. The writer never stops half way, so it has no context.
func (w *writer) execSQL(text string, args ...any) error {
	_, err := w.conn.ExecContext(context.Background(), text, args...)
	return err
}

// querier is a pool of connections, or one of them.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// query reads rows; no rows are an empty list, not nil.
func query[T any](
	ctx context.Context, db querier, scan func(*sql.Rows) (T, error), text string, args ...any,
) ([]T, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	return collect(rows, scan)
}

func collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }()
	list := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read the database: %w", err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	return list, nil
}
