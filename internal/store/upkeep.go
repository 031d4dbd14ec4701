package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// trimChunk bounds how many journal entries one commit deletes, so that a change never waits long behind them.
const trimChunk = 5000

// TrimJournal deletes the journal's oldest entries up to the first that is not older than a time, and says how many.
// The very last entry stays: MaxStep needs it.
func (s *Store) TrimJournal(ctx context.Context, before time.Time) (int64, error) {
	var total int64
	for {
		var n int64
		err := s.submit(ctx, &request{raw: func(w *writer) error {
			res, err := w.conn.ExecContext(context.Background(), `DELETE FROM journal WHERE step IN (
				SELECT step FROM journal WHERE step < coalesce(
					(SELECT step FROM journal WHERE at >= ? ORDER BY step LIMIT 1), (SELECT max(step) FROM journal))
				ORDER BY step LIMIT ?)`, nanos(before), trimChunk)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		}})
		if err != nil {
			return total, fmt.Errorf("trim journal: %w", err)
		}
		if total += n; n < trimChunk {
			return total, nil
		}
	}
}

// Check has SQLite verify the whole database. It reads every page: seconds on a large one.
func (s *Store) Check(ctx context.Context) error {
	found, err := query(ctx, s.readers, scanText, "PRAGMA integrity_check")
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("%s is damaged: %s", s.path(), strings.Join(found, "; "))
	}
	return nil
}

// Backup writes a consistent copy of the database to a new file while everything goes on. A path that exists is an
// error. To restore, put the file back as switchboard.db.
func (s *Store) Backup(ctx context.Context, path string) error { return backup(ctx, s.path(), path) }

func backup(ctx context.Context, database, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	// A connection of its own, since the readers' may not write and the writer's must not wait. VACUUM INTO takes an
	// empty file, which by now only its owner can read.
	db := connect(database, 1, false)
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		if gone := os.Remove(path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

func scanText(rows *sql.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}
