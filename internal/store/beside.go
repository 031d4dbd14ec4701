package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/callcenter"
)

// Beside is access to a data directory beside the switchboard that may be running on it: enough for the command that
// makes keys, and no more.
type Beside struct {
	path string
	db   *sql.DB
}

// OpenBeside opens the database of a directory that a switchboard has been started on. It changes nothing: a directory
// without a database is fs.ErrNotExist, and one of another version is an error.
func OpenBeside(ctx context.Context, dir string) (*Beside, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("no database yet, start the server on this directory first: %w", err)
	}
	b := &Beside{path: path, db: connect(path, 1, false)}
	have, want, err := version(ctx, b.db)
	if err == nil && have < want {
		err = fmt.Errorf("it has version %d and needs %d: start this version of the server once", have, want)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), b.Close())
	}
	return b, nil
}

// Close lets go of the database.
func (b *Beside) Close() error { return b.db.Close() }

// Backup is Store.Backup.
func (b *Beside) Backup(ctx context.Context, path string) error { return backup(ctx, b.path, path) }

// CreateLink is Store.CreateLink.
func (b *Beside) CreateLink(ctx context.Context, hash [32]byte, expires time.Time) error {
	_, err := b.db.ExecContext(ctx, "INSERT INTO link (hash, expires) VALUES (?, ?)", hash[:], nanos(expires))
	if err != nil {
		return fmt.Errorf("keep a sign-in link: %w", err)
	}
	return nil
}

// UserByEmail finds a person by an email address, as Snapshot.UserByEmail does.
func (b *Beside) UserByEmail(ctx context.Context, email string) (*callcenter.User, bool, error) {
	var doc []byte
	err := b.db.QueryRowContext(ctx,
		"SELECT doc FROM user JOIN user_email ON user.id = user_email.user WHERE email = ?",
		strings.ToLower(email)).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read user: %w", err)
	}
	u, err := decode[callcenter.User](doc)
	return u, err == nil, err
}

// AddKey adds a key and its history, durably. A running server sees it at its next Store.Key. An id that exists is an
// ErrDuplicate. It fills in the key's Record.
func (b *Beside) AddKey(ctx context.Context, by Actor, k *Key) error {
	mustBeID(KindKey, k.ID)
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("add key: %w", err)
	}
	defer func() { _ = conn.Close() }()
	// IMMEDIATE: the server writes too, and only a lock taken at once can be waited for (SQLite, busy handler).
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("add key: %w", err)
	}
	err = addKey(ctx, conn, by, k)
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, back := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(fmt.Errorf("add key: %w", err), back)
	}
	return nil
}

func addKey(ctx context.Context, conn *sql.Conn, by Actor, k *Key) error {
	var one int
	err := conn.QueryRowContext(ctx, "SELECT 1 FROM api_key WHERE id = ?", k.ID).Scan(&one)
	if err == nil {
		return ErrDuplicate{Kind: KindKey, Field: "id"}
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var seq int64
	if err := conn.QueryRowContext(ctx, lastSeqSQL).Scan(&seq); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	seq++
	now := time.Now().UTC().Round(0)
	k.Record = callcenter.Record{Seq: seq, Version: 1, CreatedAt: now}
	doc, err := encode(k)
	if err != nil {
		return err
	}
	after, err := keySpec.shown(k)
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, putSQL["api_key"], k.ID, seq, 1, string(doc)); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, addHistorySQL, historyArgs(seq, now, by, KindKey, k.ID, nil, after)...)
	return err
}
