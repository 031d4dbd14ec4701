package store

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"switchboard/internal/callcenter"
)

// MaxID bounds all ids: they are below 2^52, so that they are exact in JavaScript too.
const MaxID = 1<<52 - 1

// pending is a Snapshot that a batch still works on; embedding it unexported gives Tx the same accessors.
type pending = Snapshot

// Tx is a change under way. Its accessors are those of Snapshot and see what earlier changes of the batch and this one
// did. A Tx ends with the function it was handed to.
//
// A value handed to Put belongs to the store from then on and must never be written to again, nor may one that an
// accessor gave: copy it, change the copy, Put the copy. Put fills in its Record.
type Tx struct {
	*pending
	w    *writer
	by   Actor
	now  time.Time
	ops  []op
	seq  int64 // the last one given
	over bool
}

// op is one Put or Delete: what it did to the snapshot, and how it gets to disk.
type op struct {
	change   Change
	id       string
	revision int64
	before   []byte
	after    []byte
	write    func(*writer) error
	undo     func()
}

// Now is the time of the change, UTC, the same throughout it.
func (tx *Tx) Now() time.Time { return tx.now }

// NewID is a random id that no record of any kind has.
func (tx *Tx) NewID() int64 {
	for {
		if id := RandomID(); !tx.taken(id) {
			return id
		}
	}
}

// RandomID is a random id for what has no record of its own yet, such as a call that is about to begin.
func RandomID() int64 {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		if id := int64(binary.LittleEndian.Uint64(b[:]) & MaxID); id != 0 {
			return id
		}
	}
}

// Key finds an API key, also one that another process added.
func (tx *Tx) Key(id string) (*Key, bool) {
	if k, ok := tx.pending.Key(id); ok {
		return k, true
	}
	for _, o := range tx.ops {
		if o.change.Kind == KindKey && o.id == id { // deleted a moment ago; the disk does not know yet
			return nil, false
		}
	}
	k, err := readKey(tx.w.stmts.readKey, id)
	if err != nil {
		panic(fmt.Errorf("read key %s: %w", id, err))
	}
	if k == nil {
		return nil, false
	}
	keySpec.apply(tx.pending, nil, k)
	return k, true
}

// PutCompany makes or changes the company. There is one to a database: another id is an error.
func (tx *Tx) PutCompany(c *callcenter.Company) error {
	tx.mustBeOpen()
	old := tx.pending.company
	switch {
	case c.ID <= 0 || c.ID > MaxID:
		panic("store: Put of a company without a valid id")
	case old == c:
		panic("store: Put of the stored company itself: copy it first")
	case old != nil && old.ID != c.ID:
		return fmt.Errorf("this database holds company %d, not %d", old.ID, c.ID)
	}
	doc, err := encode(c)
	if err != nil {
		return fmt.Errorf("encode company: %w", err)
	}
	change := Change{Kind: KindCompany, By: tx.by, New: c}
	var before []byte
	if old != nil {
		change.Old = old
		if before, err = encode(old); err != nil {
			return fmt.Errorf("encode company: %w", err)
		}
	}
	tx.seq++
	seq, p := tx.seq, tx.pending
	tx.ops = append(tx.ops, op{
		change: change, id: decimal(c.ID), revision: seq, before: before, after: doc,
		write: func(w *writer) error { return w.put("company", int64(c.ID), seq, 1, string(doc)) },
		undo:  func() { p.company = old },
	})
	p.company = c
	return nil
}

// PutOffice makes or changes an office.
func (tx *Tx) PutOffice(o *callcenter.Office) error { return put(tx, &officeSpec, o) }

// PutCenter makes or changes a call center.
func (tx *Tx) PutCenter(c *callcenter.Center) error { return put(tx, &centerSpec, c) }

// PutUser makes or changes a person. An email address that another one has is an ErrDuplicate.
func (tx *Tx) PutUser(u *callcenter.User) error { return put(tx, &userSpec, u) }

// PutDevice makes or changes a phone. A username that another one has is an ErrDuplicate.
func (tx *Tx) PutDevice(d *callcenter.Device) error { return put(tx, &deviceSpec, d) }

// PutNumber adds a number to the pool or changes it.
func (tx *Tx) PutNumber(n *callcenter.Number) error { return put(tx, &numberSpec, n) }

// PutTrunk makes or changes a trunk.
func (tx *Tx) PutTrunk(t *callcenter.Trunk) error { return put(tx, &trunkSpec, t) }

// PutCallRouter makes or changes a call router.
func (tx *Tx) PutCallRouter(r *callcenter.CallRouter) error { return put(tx, &routerSpec, r) }

// PutWebhook makes or changes a webhook.
func (tx *Tx) PutWebhook(h *callcenter.Webhook) error { return put(tx, &webhookSpec, h) }

// PutSubscription makes or changes a subscription.
func (tx *Tx) PutSubscription(p *callcenter.Subscription) error { return put(tx, &subscriptionSpec, p) }

// PutCustomPrompt makes or changes an uploaded prompt.
func (tx *Tx) PutCustomPrompt(p *callcenter.CustomPrompt) error { return put(tx, &promptSpec, p) }

// PutKey makes or changes an API key.
func (tx *Tx) PutKey(k *Key) error {
	tx.Key(k.ID)
	return put(tx, &keySpec, k)
}

// DeleteOffice removes an office; false: there was none. What refers to it is the caller's to mind, as in all Deletes.
func (tx *Tx) DeleteOffice(id callcenter.OfficeID) (bool, error) { return remove(tx, &officeSpec, id) }

// DeleteCenter removes a call center.
func (tx *Tx) DeleteCenter(id callcenter.ID) (bool, error) { return remove(tx, &centerSpec, id) }

// DeleteUser removes a person.
func (tx *Tx) DeleteUser(id callcenter.OperatorID) (bool, error) { return remove(tx, &userSpec, id) }

// DeleteDevice removes a phone.
func (tx *Tx) DeleteDevice(id callcenter.DeviceID) (bool, error) { return remove(tx, &deviceSpec, id) }

// DeleteNumber takes a number out of the pool.
func (tx *Tx) DeleteNumber(e164 string) (bool, error) { return remove(tx, &numberSpec, e164) }

// DeleteTrunk removes a trunk.
func (tx *Tx) DeleteTrunk(id callcenter.TrunkID) (bool, error) { return remove(tx, &trunkSpec, id) }

// DeleteCallRouter removes a call router.
func (tx *Tx) DeleteCallRouter(id callcenter.RouterID) (bool, error) {
	return remove(tx, &routerSpec, id)
}

// DeleteWebhook removes a webhook.
func (tx *Tx) DeleteWebhook(id callcenter.WebhookID) (bool, error) {
	return remove(tx, &webhookSpec, id)
}

// DeleteSubscription removes a subscription.
func (tx *Tx) DeleteSubscription(id callcenter.SubscriptionID) (bool, error) {
	return remove(tx, &subscriptionSpec, id)
}

// DeleteCustomPrompt removes an uploaded prompt. Its audio file is the caller's.
func (tx *Tx) DeleteCustomPrompt(id callcenter.PromptID) (bool, error) {
	return remove(tx, &promptSpec, id)
}

// DeleteKey removes an API key, also one that another process added.
func (tx *Tx) DeleteKey(id string) (bool, error) {
	tx.Key(id)
	return remove(tx, &keySpec, id)
}

func (tx *Tx) mustBeOpen() {
	if tx.over {
		panic("store: a Tx was used after its change returned")
	}
}

func put[K comparable, T any](tx *Tx, sp *spec[K, T], v *T) error {
	tx.mustBeOpen()
	id := sp.id(v)
	mustBeID(sp.kind, id)
	old, had := sp.shelf(tx.pending).get(id)
	if old == v {
		panic("store: Put of a stored " + string(sp.kind) + " itself: copy it first")
	}
	if sp.unique != nil {
		if err := sp.unique(tx.pending, v); err != nil {
			return err
		}
	}
	rev, rec := tx.seq+1, sp.record(v)
	if had {
		was := sp.record(old)
		*rec = callcenter.Record{Seq: was.Seq, Version: was.Version + 1, CreatedAt: was.CreatedAt}
	} else {
		*rec = callcenter.Record{Seq: rev, Version: 1, CreatedAt: tx.now}
	}
	doc, err := encode(v)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", sp.kind, sp.text(id), err)
	}
	stored := *rec
	return record(tx, sp, id, old, v, rev, func(w *writer) error {
		args := []any{id, stored.Seq, stored.Version, string(doc)}
		if sp.column != nil {
			args = append(args, sp.column(v))
		}
		if err := w.put(sp.table, args...); err != nil {
			return err
		}
		if sp.side != nil {
			return sp.side(w, old, v)
		}
		return nil
	})
}

func remove[K comparable, T any](tx *Tx, sp *spec[K, T], id K) (bool, error) {
	tx.mustBeOpen()
	old, ok := sp.shelf(tx.pending).get(id)
	if !ok {
		return false, nil
	}
	err := record(tx, sp, id, old, nil, tx.seq+1, func(w *writer) error {
		if err := w.remove(sp.table, id); err != nil {
			return err
		}
		if sp.side != nil {
			return sp.side(w, old, nil)
		}
		return nil
	})
	return err == nil, err
}

// record notes one op and applies it to the pending snapshot.
func record[K comparable, T any](
	tx *Tx, sp *spec[K, T], id K, old, v *T, rev int64, write func(*writer) error,
) error {
	o := op{change: Change{Kind: sp.kind, By: tx.by}, id: sp.text(id), revision: rev, write: write}
	if old != nil {
		o.change.Old = old
	}
	if v != nil {
		o.change.New = v
	}
	var err error
	if o.before, err = sp.shown(old); err == nil {
		o.after, err = sp.shown(v)
	}
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", sp.kind, sp.text(id), err)
	}
	p := tx.pending
	o.undo = func() { sp.apply(p, v, old) }
	tx.seq = rev
	sp.apply(p, old, v)
	tx.ops = append(tx.ops, o)
	return nil
}

// mustBeID refuses the ids that a forgotten NewID leaves behind.
func mustBeID(kind Kind, id any) {
	ok := true
	switch id := id.(type) {
	case string:
		ok = id != ""
	case callcenter.OfficeID:
		ok = id > 0 && id <= MaxID
	case callcenter.ID:
		ok = id > 0 && id <= MaxID
	case callcenter.OperatorID:
		ok = id > 0 && id <= MaxID
	case callcenter.DeviceID:
		ok = id > 0 && id <= MaxID
	case callcenter.TrunkID:
		ok = id > 0 && id <= MaxID
	case callcenter.RouterID:
		ok = id > 0 && id <= MaxID
	case callcenter.WebhookID:
		ok = id > 0 && id <= MaxID
	case callcenter.SubscriptionID:
		ok = id > 0 && id <= MaxID
	case callcenter.PromptID:
		ok = id > 0 && id <= MaxID
	}
	if !ok {
		panic("store: Put of a " + string(kind) + " without a valid id")
	}
}
