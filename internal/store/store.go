// Package store keeps the truth on disk: settings and their history, keys, sessions, calls, voicemails and the journal,
// in one SQLite database with one writer that commits in groups.
//
// It refuses to know rules: what may be written is decided by its callers, inside the change they hand to Update.
package store

import (
	"context"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// Actor is who changes something, for the history: "key sb_ab12cd34ef", "session 5", "rule missed_call", "system".
type Actor string

// Options bound the writer. The zero Options are the defaults.
type Options struct {
	MaxBatch   int // changes per commit; 256
	MaxJournal int // journal entries waiting; 65,536; more are dropped and counted
}

// Change is one thing that a committed Update did. Old or New is nil where there was none before or is none after.
type Change struct {
	Kind Kind
	By   Actor
	Old  any // *callcenter.Center and so on, as Kind says; immutable
	New  any
}

// Kind is what a Change is about.
type Kind string

// The kinds of change.
const (
	KindCompany Kind = "company"
	KindOffice  Kind = "office"
	KindCenter  Kind = "callcenter"
	KindUser    Kind = "user"
	KindDevice  Kind = "device"
	KindNumber  Kind = "number"
	KindTrunk   Kind = "trunk"
	KindKey     Kind = "key"
)

// Key is an API key. Only the hash of its secret is kept.
type Key struct {
	callcenter.Record
	ID         string // ten characters
	SecretHash [32]byte
	Role       KeyRole
	Scopes     []string              // nil: all that the role allows
	User       callcenter.OperatorID // 0: made for no user
	ExpiresAt  time.Time             // zero: never
	Name       string
}

// KeyRole is what a key may do.
type KeyRole string

// The roles of keys.
const (
	RoleCompanyAdmin KeyRole = "company-admin"
	RoleUser         KeyRole = "user"
)

// Session is a signed-in browser. Only the hash of its cookie is kept.
type Session struct {
	Hash      [32]byte
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Revision is one entry of the settings' history.
type Revision struct {
	Seq    int64
	At     time.Time
	By     Actor
	Kind   Kind
	ID     string
	Before []byte // JSON; nil: created
	After  []byte // JSON; nil: deleted
}

// VoicemailRecord is a message that a caller left. Its audio is the file Path, relative to the data directory.
type VoicemailRecord struct {
	ID         int64
	Call       route.CallID
	Center     callcenter.ID
	From       string
	At         time.Time
	Duration   time.Duration
	Reason     string
	Path       string
	Complete   bool // false: being recorded, or left so by a crash
	ListenedBy []callcenter.OperatorID
}

// JournalEntry is one event of the core, in order.
type JournalEntry struct {
	Step  uint64
	At    time.Time
	Event string // its type
	Body  []byte // JSON
}

// Contract (signatures; every one documented where it is written):
//
//	func Open(dir string, opts Options) (*Store, error)       // creates DIR/switchboard.db; migrates; builds the snapshot
//	func (s *Store) Close() error                             // flushes the journal
//	func (s *Store) Snapshot() *Snapshot                      // never nil, immutable
//	func (s *Store) OnCommit(f func([]Change))                // after publish, before Update returns; must not block
//	func (s *Store) Update(ctx, by Actor, change func(*Tx) error) error
//	func (s *Store) Journal(entry JournalEntry)               // never blocks
//	func (s *Store) SaveCall(rec route.CallRecord)            // never blocks, same queue as Journal
//	func (s *Store) Calls(ctx, limit int, before time.Time) ([]route.CallRecord, error)
//	voicemails: SaveVoicemail (never blocks), Voicemails(ctx), Voicemail(ctx, id), Listened(ctx, id, operator)
//	sessions: CreateSession, Session(hash), DeleteSession; one-time links: CreateLink(hash, expires), TakeLink(hash)
//	History(ctx, kind, id) ([]Revision, error)
type contract = context.Context
