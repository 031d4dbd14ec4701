package store

import (
	"context"
	"database/sql"
)

// Tag is a label that people put on something by its kind and name.
type Tag struct {
	Name, Key, Value string // Name: of what it is on
}

// Tags lists the tags of one thing, or of all things of a kind for name "", or of everything for kind "", in the order
// of kinds, names, keys and values.
func (s *Store) Tags(ctx context.Context, kind, name string) ([]Tag, error) {
	var c conditions
	c.text("kind", kind)
	c.text("name", name)
	where, args := c.sql()
	return query(ctx, s.readers, func(rows *sql.Rows) (t Tag, err error) {
		err = rows.Scan(&t.Name, &t.Key, &t.Value)
		return t, err
	}, "SELECT name, key, value FROM tag WHERE "+where+" ORDER BY kind, name, key, value", args...)
}

// PutTags puts tags on something, durably, with replace in the place of those that are there.
func (s *Store) PutTags(ctx context.Context, kind, name string, tags []Tag, replace bool) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		if replace {
			if err := w.execSQL("DELETE FROM tag WHERE kind = ? AND name = ?", kind, name); err != nil {
				return err
			}
		}
		for _, t := range tags {
			err := w.execSQL("INSERT OR IGNORE INTO tag (kind, name, key, value) VALUES (?, ?, ?, ?)", kind, name, t.Key,
				t.Value)
			if err != nil {
				return err
			}
		}
		return nil
	}})
}

// DropTags takes tags off something; those that are not there are no error. Nil: all of them.
func (s *Store) DropTags(ctx context.Context, kind, name string, tags []Tag) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		if tags == nil {
			return w.execSQL("DELETE FROM tag WHERE kind = ? AND name = ?", kind, name)
		}
		for _, t := range tags {
			err := w.execSQL("DELETE FROM tag WHERE kind = ? AND name = ? AND key = ? AND value = ?", kind, name, t.Key,
				t.Value)
			if err != nil {
				return err
			}
		}
		return nil
	}})
}

// Variable is what workflows see as ${workflow.env.NAME}.
type Variable struct {
	Name string
	Doc  []byte // JSON
}

// Environment lists all variables by name.
func (s *Store) Environment(ctx context.Context) ([]Variable, error) {
	return query(ctx, s.readers, func(rows *sql.Rows) (v Variable, err error) {
		err = rows.Scan(&v.Name, &v.Doc)
		return v, err
	}, "SELECT name, doc FROM environment ORDER BY name")
}

// PutVariable keeps a variable durably.
func (s *Store) PutVariable(ctx context.Context, v Variable) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("INSERT OR REPLACE INTO environment (name, doc) VALUES (?, ?)", v.Name, string(v.Doc))
	}})
}

// DropVariable forgets a variable; an unknown one is no error.
func (s *Store) DropVariable(ctx context.Context, name string) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL("DELETE FROM environment WHERE name = ?", name)
	}})
}
