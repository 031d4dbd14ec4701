package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"switchboard/internal/callcenter"
)

// The files of a data directory that are ours.
const (
	fileName = "switchboard.db"
	lockName = "switchboard.lock"
)

// maxReaders bounds the connections that read beside the writer.
const maxReaders = 4

//go:embed migrations/*.sql
var migrations embed.FS

// connect names the database; the first statement opens it. A second process that writes is waited for 5 s.
func connect(path string, conns int, readOnly bool) *sql.DB {
	pragmas := []string{
		"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "journal_size_limit(67108864)",
	}
	if readOnly {
		pragmas = []string{"busy_timeout(5000)", "query_only(1)"}
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		panic(err) // no driver of this name: a programmer's error
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db
}

// steps are the migrations in order: the n-th brings a database to version n.
func steps() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	list := make([]string, 0, len(names))
	for i, name := range names { // Glob sorts
		number, _, _ := strings.Cut(filepath.Base(name), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("migration %s should have number %04d", name, i+1)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list = append(list, string(text))
	}
	return list, nil
}

// version is the database's, and the one this program writes. A newer database gives ErrNewer.
func version(ctx context.Context, db *sql.DB) (have, want int, err error) {
	list, err := steps()
	if err != nil {
		return 0, 0, err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return 0, 0, err
	}
	if have > len(list) {
		return have, len(list), fmt.Errorf("%w: it has version %d, this program knows %d", ErrNewer, have, len(list))
	}
	return have, len(list), nil
}

// migrate brings the database to the present version, each step in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB) error {
	have, want, err := version(ctx, db)
	if err != nil || have == want {
		return err
	}
	list, err := steps()
	if err != nil {
		return err
	}
	for n := have + 1; n <= want; n++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, list[n-1]); err == nil {
			_, err = tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(n))
		}
		if err != nil {
			return errors.Join(fmt.Errorf("migrate to version %d: %w", n, err), tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migrate to version %d: %w", n, err)
		}
	}
	return nil
}

// load reads all settings.
func load(ctx context.Context, db *sql.DB) (*Snapshot, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it only read
	s := (&Snapshot{}).next()
	err = eachDoc(ctx, tx, "company", func(doc []byte) (err error) {
		s.company, err = decode[callcenter.Company](doc)
		return err
	})
	err = errors.Join(err,
		loadKind(ctx, tx, s, &officeSpec), loadKind(ctx, tx, s, &centerSpec), loadKind(ctx, tx, s, &userSpec),
		loadKind(ctx, tx, s, &deviceSpec), loadKind(ctx, tx, s, &numberSpec), loadKind(ctx, tx, s, &trunkSpec),
		loadKind(ctx, tx, s, &keySpec), loadKind(ctx, tx, s, &routerSpec), loadKind(ctx, tx, s, &webhookSpec),
		loadKind(ctx, tx, s, &subscriptionSpec), loadKind(ctx, tx, s, &promptSpec))
	if err != nil {
		return nil, err
	}
	return s, nil
}

func loadKind[K comparable, T any](ctx context.Context, tx *sql.Tx, s *Snapshot, sp *spec[K, T]) error {
	return eachDoc(ctx, tx, sp.table, func(doc []byte) error {
		v, err := decode[T](doc)
		if err == nil {
			sp.apply(s, nil, v)
		}
		return err
	})
}

func eachDoc(ctx context.Context, tx *sql.Tx, table string, f func(doc []byte) error) error {
	rows, err := tx.QueryContext(ctx, "SELECT doc FROM "+table+" ORDER BY seq")
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		if err := f(doc); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
	}
	return rows.Err()
}
