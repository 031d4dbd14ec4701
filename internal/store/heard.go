package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// NewestVoicemails lists complete voicemails, those that ended last first: at most limit of those whose Seq is below
// behind, of all when it is 0. Their ListenedBy is left empty; see VoicemailAccesses.
func (s *Store) NewestVoicemails(ctx context.Context, behind int64, limit int) ([]VoicemailRecord, error) {
	if behind <= 0 {
		behind = 1<<63 - 1
	}
	return query(ctx, s.readers, scanVoicemail,
		voicemailSQL+"WHERE seq > 0 AND seq < ? ORDER BY seq DESC, id DESC LIMIT ?", behind, limit)
}

// VoicemailAccessed notes durably that somebody hears a voicemail who is no person of the company to us: to be called
// before they do. An unknown voicemail is ErrNotFound.
func (s *Store) VoicemailAccessed(ctx context.Context, id int64, by Actor) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		var one int
		err := w.conn.QueryRowContext(ctx, "SELECT 1 FROM voicemail WHERE id = ?", id).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("voicemail %d: %w", id, ErrNotFound)
		}
		if err != nil {
			return err
		}
		return w.execSQL("INSERT INTO voicemail_access (voicemail, at, by) VALUES (?, ?, ?)",
			id, nanos(s.opts.Now()), string(by))
	}})
}

// VoicemailAccesses lists who heard a voicemail, oldest first: a person of the company once, others each time.
func (s *Store) VoicemailAccesses(ctx context.Context, id int64) ([]Access, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (a Access, err error) {
		var at int64
		err = rows.Scan(&at, &a.By, &a.Operator)
		a.At = instant(at)
		return a, err
	}, `SELECT at, by, 0 FROM voicemail_access WHERE voicemail = ?1
		UNION ALL SELECT at, '', operator FROM voicemail_listener WHERE voicemail = ?1 ORDER BY at`, id)
}
