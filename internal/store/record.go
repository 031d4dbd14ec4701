package store

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// Actor is who changes something, for the history: "key sb_ab12cd34ef", "session 5", "rule missed_call", "system".
type Actor string

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

	KindRouter       Kind = "callrouter"
	KindWebhook      Kind = "webhook"
	KindSubscription Kind = "subscription"
	KindPrompt       Kind = "customivr"
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

// Revision is one entry of the settings' history. Secrets (a device's HA1, a key's hash) are left out of its JSON.
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
	Seq        int64 // its place among the complete ones, by when they became so; the store's; 0: it is not yet
	Call       route.CallID
	Center     callcenter.ID
	User       callcenter.OperatorID // whose box it is in; 0: the call center's
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

// ErrDuplicate says that another record already has what must be unique: a user's email, a device's username, a key's
// id. Nothing was changed.
type ErrDuplicate struct {
	Kind  Kind
	Field string // "email", "username", "id"
}

func (e ErrDuplicate) Error() string {
	return fmt.Sprintf("another %s has this %s", e.Kind, e.Field)
}

// publicDevice is a device as the history keeps it. Its own HA1 hides the secret one.
type publicDevice struct {
	*callcenter.Device
	HA1 *struct{} `json:",omitzero"`
}

// publicKey is a key as the history keeps it.
type publicKey struct {
	*Key
	SecretHash *struct{} `json:",omitzero"`
}

// publicRouter is a call router as the history keeps it.
type publicRouter struct {
	*callcenter.CallRouter
	Secret *struct{} `json:",omitzero"`
}

// publicWebhook is a webhook as the history keeps it.
type publicWebhook struct {
	*callcenter.Webhook
	Secret *struct{} `json:",omitzero"`
}

// encode keeps nil lists nil, because a key's nil Scopes and its empty ones mean opposite things.
func encode(v any) ([]byte, error) {
	return json.Marshal(v, json.FormatNilSliceAsNull(true))
}

func decode[T any](doc []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(doc, v); err != nil {
		return nil, err
	}
	return v, nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
