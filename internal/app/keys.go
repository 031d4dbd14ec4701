package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// NewAdminKey makes a company admin key in a running server. The text is shown once; only its hash is kept.
func (a *App) NewAdminKey(ctx context.Context, name string) (string, error) {
	text, key := auth.Generate(store.RoleCompanyAdmin, 0)
	key.Name = name
	err := a.store.Update(ctx, "system", func(tx *store.Tx) error { return tx.PutKey(&key) })
	if err != nil {
		return "", fmt.Errorf("make an admin key: %w", err)
	}
	return text, nil
}

// SignInLink makes a link that signs a browser in, once, within auth.LinkLife.
func (a *App) SignInLink(ctx context.Context) (string, error) {
	token, err := a.sessions.NewLink(ctx)
	return a.URL() + "/signin?token=" + token, err
}

// CreateKey makes a key beside a server that may be running on the directory, where it works at once. Role is that of
// store.KeyRole; email, for role user, says whose key it is.
func CreateKey(ctx context.Context, dir, role, email string) (_ string, err error) {
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var user callcenter.OperatorID
	if email != "" {
		if store.KeyRole(role) != store.RoleUser {
			return "", errors.New("--email goes with --role user: a company admin key is nobody's in particular")
		}
		owner, ok, err := db.UserByEmail(ctx, email)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", fmt.Errorf("nobody here has the email address %q", email)
		}
		user = owner.ID
	}
	text, key := auth.Generate(store.KeyRole(role), user)
	key.Name = "made on the command line"
	return text, db.AddKey(ctx, "command line", &key)
}

// CreateSignInLink makes a sign-in link beside a running server. Url is where its pages are; "": where it said that it
// serves them.
func CreateSignInLink(ctx context.Context, dir, url string) (_ string, err error) {
	if url == "" {
		said, err := os.ReadFile(filepath.Join(dir, addressFile))
		if err != nil {
			return "", fmt.Errorf("find the server's pages, start it once or give --http: %w", err)
		}
		url = strings.TrimSpace(string(said))
	}
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	token, err := auth.NewSessions(nil, besideLinks{db}, time.Now).NewLink(ctx)
	return url + "/signin?token=" + token, err
}

// besideLinks makes links; using them up is the server's.
type besideLinks struct{ *store.Beside }

// TakeLink implements auth.LinkStore.
func (besideLinks) TakeLink(context.Context, [sha256.Size]byte) (bool, error) { return false, nil }

// Backup copies the database of a directory, also while a server runs on it, to a new file.
func Backup(ctx context.Context, dir, to string) (err error) {
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Backup(ctx, to)
}
