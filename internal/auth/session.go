package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"switchboard/internal/store"
)

// How long a browser stays signed in, and a sign-in link unused.
const (
	SessionLife = 30 * 24 * time.Hour
	LinkLife    = time.Hour
)

// SessionStore keeps signed-in browsers by the hash of their cookie.
type SessionStore interface {
	CreateSession(ctx context.Context, session store.Session) error
	Session(ctx context.Context, hash [32]byte) (store.Session, bool, error)
	DeleteSession(ctx context.Context, hash [32]byte) error
}

// LinkStore keeps one-time sign-in links by the hash of their token. TakeLink says true once, before it expires.
type LinkStore interface {
	CreateLink(ctx context.Context, hash [32]byte, expires time.Time) error
	TakeLink(ctx context.Context, hash [32]byte) (bool, error)
}

// Sessions signs browsers in and out. Safe for concurrent use.
type Sessions struct {
	sessions SessionStore
	links    LinkStore
	now      func() time.Time
}

// NewSessions makes Sessions on a store; now is the clock.
func NewSessions(sessions SessionStore, links LinkStore, now func() time.Time) *Sessions {
	return &Sessions{sessions, links, now}
}

// NewLink makes the token of a sign-in link that works once within LinkLife.
func (s *Sessions) NewLink(ctx context.Context) (token string, err error) {
	token = newToken()
	if err := s.links.CreateLink(ctx, sha256.Sum256([]byte(token)), s.now().Add(LinkLife)); err != nil {
		return "", fmt.Errorf("keep a sign-in link: %w", err)
	}
	return token, nil
}

// TakeLink uses a link up. It says false for one that is unknown, used or expired.
func (s *Sessions) TakeLink(ctx context.Context, token string) (bool, error) {
	if len(token) != secretLength {
		return false, nil
	}
	return s.links.TakeLink(ctx, sha256.Sum256([]byte(token)))
}

// NewSession signs a browser in: the value for its cookie and when it ends.
func (s *Sessions) NewSession(ctx context.Context) (cookie string, expires time.Time, err error) {
	cookie = newToken()
	now := s.now()
	expires = now.Add(SessionLife)
	session := store.Session{Hash: sha256.Sum256([]byte(cookie)), CreatedAt: now, ExpiresAt: expires}
	if err := s.sessions.CreateSession(ctx, session); err != nil {
		return "", time.Time{}, fmt.Errorf("keep a session: %w", err)
	}
	return cookie, expires, nil
}

// Valid says whether a cookie is that of a signed-in browser. A store that fails lets nobody in.
func (s *Sessions) Valid(ctx context.Context, cookie string) bool {
	if len(cookie) != secretLength {
		return false
	}
	session, ok, err := s.sessions.Session(ctx, sha256.Sum256([]byte(cookie)))
	return err == nil && ok && s.now().Before(session.ExpiresAt)
}

// EndSession signs a browser out.
func (s *Sessions) EndSession(ctx context.Context, cookie string) error {
	return s.sessions.DeleteSession(ctx, sha256.Sum256([]byte(cookie)))
}
