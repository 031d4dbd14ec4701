package store

import (
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/callcenter"
)

// spec says how records of one kind are found, told apart, indexed and shown.
type spec[K comparable, T any] struct {
	kind   Kind
	table  string
	id     func(*T) K
	text   func(K) string // the id in the history
	record func(*T) *callcenter.Record
	shelf  func(*Snapshot) *shelf[K, T]
	public func(*T) any                       // without secrets; nil: all of it
	unique func(*Snapshot, *T) error          // nil: only the id is
	index  func(s *Snapshot, old, new *T)     // nil: none
	column func(*T) any                       // one more unique column; nil: none
	side   func(w *writer, old, new *T) error // rows in further tables; nil: none
}

func decimal[K ~int64](id K) string { return strconv.FormatInt(int64(id), 10) }

func verbatim(id string) string { return id }

func (sp *spec[K, T]) seq(v *T) int64 { return sp.record(v).Seq }

// apply replaces old by v in the snapshot. One of them may be nil.
func (sp *spec[K, T]) apply(s *Snapshot, old, v *T) {
	at := v
	if at == nil {
		at = old
	}
	sp.shelf(s).set(sp.id(at), sp.seq(at), v, sp.seq)
	if sp.index != nil {
		sp.index(s, old, v)
	}
}

// shown is the record's JSON for the history, nil for none.
func (sp *spec[K, T]) shown(v *T) ([]byte, error) {
	switch {
	case v == nil:
		return nil, nil
	case sp.public != nil:
		return encode(sp.public(v))
	default:
		return encode(v)
	}
}

var officeSpec = spec[callcenter.OfficeID, callcenter.Office]{
	kind: KindOffice, table: "office", text: decimal[callcenter.OfficeID],
	id:     func(o *callcenter.Office) callcenter.OfficeID { return o.ID },
	record: func(o *callcenter.Office) *callcenter.Record { return &o.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.OfficeID, callcenter.Office] { return &s.offices },
}

var centerSpec = spec[callcenter.ID, callcenter.Center]{
	kind: KindCenter, table: "callcenter", text: decimal[callcenter.ID],
	id:     func(c *callcenter.Center) callcenter.ID { return c.ID },
	record: func(c *callcenter.Center) *callcenter.Record { return &c.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.ID, callcenter.Center] { return &s.centers },
	index:  indexMembers,
}

var userSpec = spec[callcenter.OperatorID, callcenter.User]{
	kind: KindUser, table: "user", text: decimal[callcenter.OperatorID],
	id:     func(u *callcenter.User) callcenter.OperatorID { return u.ID },
	record: func(u *callcenter.User) *callcenter.Record { return &u.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.OperatorID, callcenter.User] { return &s.users },
	unique: uniqueEmail, index: indexEmails, side: (*writer).writeEmails,
}

var deviceSpec = spec[callcenter.DeviceID, callcenter.Device]{
	kind: KindDevice, table: "device", text: decimal[callcenter.DeviceID],
	id:     func(d *callcenter.Device) callcenter.DeviceID { return d.ID },
	record: func(d *callcenter.Device) *callcenter.Record { return &d.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.DeviceID, callcenter.Device] { return &s.devices },
	public: func(d *callcenter.Device) any { return publicDevice{Device: d} },
	unique: uniqueUsername, index: indexDevice,
	column: func(d *callcenter.Device) any {
		if d.Username == "" {
			return nil
		}
		return d.Username
	},
}

var numberSpec = spec[string, callcenter.Number]{
	kind: KindNumber, table: "number", text: verbatim,
	id:     func(n *callcenter.Number) string { return n.E164 },
	record: func(n *callcenter.Number) *callcenter.Record { return &n.Record },
	shelf:  func(s *Snapshot) *shelf[string, callcenter.Number] { return &s.numbers },
}

var trunkSpec = spec[callcenter.TrunkID, callcenter.Trunk]{
	kind: KindTrunk, table: "trunk", text: decimal[callcenter.TrunkID],
	id:     func(t *callcenter.Trunk) callcenter.TrunkID { return t.ID },
	record: func(t *callcenter.Trunk) *callcenter.Record { return &t.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.TrunkID, callcenter.Trunk] { return &s.trunks },
}

var keySpec = spec[string, Key]{
	kind: KindKey, table: "api_key", text: verbatim,
	id:     func(k *Key) string { return k.ID },
	record: func(k *Key) *callcenter.Record { return &k.Record },
	shelf:  func(s *Snapshot) *shelf[string, Key] { return &s.keys },
	public: func(k *Key) any { return publicKey{Key: k} },
}

var routerSpec = spec[callcenter.RouterID, callcenter.CallRouter]{
	kind: KindRouter, table: "call_router", text: decimal[callcenter.RouterID],
	id:     func(r *callcenter.CallRouter) callcenter.RouterID { return r.ID },
	record: func(r *callcenter.CallRouter) *callcenter.Record { return &r.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.RouterID, callcenter.CallRouter] { return &s.routers },
	public: func(r *callcenter.CallRouter) any { return publicRouter{CallRouter: r} },
}

var webhookSpec = spec[callcenter.WebhookID, callcenter.Webhook]{
	kind: KindWebhook, table: "webhook", text: decimal[callcenter.WebhookID],
	id:     func(h *callcenter.Webhook) callcenter.WebhookID { return h.ID },
	record: func(h *callcenter.Webhook) *callcenter.Record { return &h.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.WebhookID, callcenter.Webhook] { return &s.webhooks },
	public: func(h *callcenter.Webhook) any { return publicWebhook{Webhook: h} },
}

var subscriptionSpec = spec[callcenter.SubscriptionID, callcenter.Subscription]{
	kind: KindSubscription, table: "subscription", text: decimal[callcenter.SubscriptionID],
	id:     func(p *callcenter.Subscription) callcenter.SubscriptionID { return p.ID },
	record: func(p *callcenter.Subscription) *callcenter.Record { return &p.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.SubscriptionID, callcenter.Subscription] { return &s.subscriptions },
}

var promptSpec = spec[callcenter.PromptID, callcenter.CustomPrompt]{
	kind: KindPrompt, table: "custom_prompt", text: decimal[callcenter.PromptID],
	id:     func(p *callcenter.CustomPrompt) callcenter.PromptID { return p.ID },
	record: func(p *callcenter.CustomPrompt) *callcenter.Record { return &p.Record },
	shelf:  func(s *Snapshot) *shelf[callcenter.PromptID, callcenter.CustomPrompt] { return &s.prompts },
}

// emails are the addresses that a person holds, in lower case, each once.
func emails(u *callcenter.User) []string {
	if u == nil || u.State == callcenter.StateDeleted {
		return nil
	}
	var list []string
	for _, e := range u.Emails {
		if e = strings.ToLower(e); !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

func uniqueEmail(s *Snapshot, u *callcenter.User) error {
	for _, e := range emails(u) {
		if other, ok := s.byEmail.get(e); ok && other.ID != u.ID {
			return ErrDuplicate{Kind: KindUser, Field: "email"}
		}
	}
	return nil
}

func indexEmails(s *Snapshot, old, u *callcenter.User) {
	for _, e := range emails(old) {
		s.byEmail.drop(e)
	}
	for _, e := range emails(u) {
		s.byEmail.set(e, u)
	}
}

func uniqueUsername(s *Snapshot, d *callcenter.Device) error {
	if other, ok := s.byUsername.get(d.Username); ok && other.ID != d.ID {
		return ErrDuplicate{Kind: KindDevice, Field: "username"}
	}
	return nil
}

func indexDevice(s *Snapshot, old, d *callcenter.Device) {
	if old != nil {
		if old.Username != "" {
			s.byUsername.drop(old.Username)
		}
		list, _ := s.devicesOf.get(old.Owner)
		putList(&s.devicesOf, old.Owner, slices.DeleteFunc(slices.Clone(list), func(e *callcenter.Device) bool {
			return e.ID == old.ID
		}))
	}
	if d != nil {
		if d.Username != "" {
			s.byUsername.set(d.Username, d)
		}
		list, _ := s.devicesOf.get(d.Owner)
		putList(&s.devicesOf, d.Owner, inserted(list, d, func(e *callcenter.Device) int64 { return e.Seq }))
	}
}

// indexMembers touches only people who came or went: a PATCH of a setting leaves the index alone.
func indexMembers(s *Snapshot, old, c *callcenter.Center) {
	before, after := memberIDs(old), memberIDs(c)
	if slices.Equal(before, after) {
		return
	}
	seq := func(id callcenter.ID) int64 {
		if e, ok := s.centers.get(id); ok {
			return e.Seq
		}
		return 0
	}
	for _, op := range before {
		if _, stays := slices.BinarySearch(after, op); !stays {
			list, _ := s.centersOf.get(op)
			list = slices.DeleteFunc(slices.Clone(list), func(id callcenter.ID) bool { return id == old.ID })
			putList(&s.centersOf, op, list)
		}
	}
	for _, op := range after {
		if _, was := slices.BinarySearch(before, op); !was {
			list, _ := s.centersOf.get(op)
			putList(&s.centersOf, op, inserted(list, c.ID, seq))
		}
	}
}

// memberIDs are a center's people, each once, ascending.
func memberIDs(c *callcenter.Center) []callcenter.OperatorID {
	if c == nil {
		return nil
	}
	ids := make([]callcenter.OperatorID, 0, len(c.Members))
	for _, m := range c.Members {
		ids = append(ids, m.Operator)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func putList[K comparable, E any](x *index[K, []E], k K, list []E) {
	if len(list) == 0 {
		x.drop(k)
		return
	}
	x.set(k, list)
}

// inserted is a new list with v at its place by seq.
func inserted[V any](list []V, v V, seq func(V) int64) []V {
	i := len(list)
	for i > 0 && seq(list[i-1]) > seq(v) {
		i--
	}
	return slices.Concat(list[:i], []V{v}, list[i:])
}
