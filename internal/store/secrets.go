package store

import (
	"context"
	"database/sql"
	"time"
)

// Secret is a secret as it lies on disk: sealed by its owner, whom alone it opens for.
type Secret struct {
	Name    string
	Hosts   []string // where it may be sent; empty: anywhere
	Sealed  []byte
	Created time.Time
	Updated time.Time
	Used    time.Time // zero: never
}

// Secrets lists all secrets by name.
func (s *Store) Secrets(ctx context.Context) ([]Secret, error) {
	return query(ctx, s.readers, scanSecret,
		"SELECT name, hosts, sealed, created, updated, used FROM secret ORDER BY name")
}

// PutSecret makes or replaces a secret, durably.
func (s *Store) PutSecret(ctx context.Context, secret Secret) error {
	hosts, err := encode(secret.Hosts)
	if err != nil {
		return err
	}
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL(`INSERT OR REPLACE INTO secret (name, hosts, sealed, created, updated, used)
			VALUES (?, ?, ?, ?, ?, ?)`, secret.Name, string(hosts), secret.Sealed, nanos(secret.Created),
			nanos(secret.Updated), nanos(secret.Used))
	}})
}

// DeleteSecret removes a secret; false: there is none.
func (s *Store) DeleteSecret(ctx context.Context, name string) (deleted bool, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		res, err := w.conn.ExecContext(context.Background(), "DELETE FROM secret WHERE name = ?", name)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		deleted = n > 0
		return err
	}})
	return deleted && err == nil, err
}

// SecretUsed queues, as Journal does, that a secret was sent.
func (s *Store) SecretUsed(name string, at time.Time) { s.queue.push(secretUsed{name, at}) }

type secretUsed struct {
	name string
	at   time.Time
}

func (e secretUsed) write(w *writer) error {
	return w.execSQL("UPDATE secret SET used = ? WHERE name = ?", nanos(e.at), e.name)
}

func scanSecret(rows *sql.Rows) (s Secret, err error) {
	var hosts []byte
	var created, updated, used int64
	if err = rows.Scan(&s.Name, &hosts, &s.Sealed, &created, &updated, &used); err != nil {
		return s, err
	}
	s.Created, s.Updated, s.Used = instant(created), instant(updated), instant(used)
	list, err := decode[[]string](hosts)
	if err == nil && list != nil {
		s.Hosts = *list
	}
	return s, err
}
