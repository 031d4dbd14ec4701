package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"switchboard/internal/callcenter"
)

// Snapshot is all settings at one commit. It never changes: the records and lists that it hands out are shared by every
// reader and must not be written to. Lists are in Seq order, oldest first.
type Snapshot struct {
	company *callcenter.Company
	offices shelf[callcenter.OfficeID, callcenter.Office]
	centers shelf[callcenter.ID, callcenter.Center]
	users   shelf[callcenter.OperatorID, callcenter.User]
	devices shelf[callcenter.DeviceID, callcenter.Device]
	numbers shelf[string, callcenter.Number]
	trunks  shelf[callcenter.TrunkID, callcenter.Trunk]
	keys    shelf[string, Key]

	routers       shelf[callcenter.RouterID, callcenter.CallRouter]
	webhooks      shelf[callcenter.WebhookID, callcenter.Webhook]
	subscriptions shelf[callcenter.SubscriptionID, callcenter.Subscription]
	prompts       shelf[callcenter.PromptID, callcenter.CustomPrompt]

	byEmail    index[string, *callcenter.User]
	byUsername index[string, *callcenter.Device]
	devicesOf  index[callcenter.OperatorID, []*callcenter.Device]
	centersOf  index[callcenter.OperatorID, []callcenter.ID]
}

// Company is the company of this database, nil before it was made.
func (s *Snapshot) Company() *callcenter.Company { return s.company }

// Office finds an office.
func (s *Snapshot) Office(id callcenter.OfficeID) (*callcenter.Office, bool) {
	return s.offices.get(id)
}

// Offices lists all offices.
func (s *Snapshot) Offices() []*callcenter.Office { return s.offices.all() }

// Center finds a call center.
func (s *Snapshot) Center(id callcenter.ID) (*callcenter.Center, bool) { return s.centers.get(id) }

// Centers lists all call centers.
func (s *Snapshot) Centers() []*callcenter.Center { return s.centers.all() }

// CentersOf lists the call centers in which a person has a place.
func (s *Snapshot) CentersOf(operator callcenter.OperatorID) []*callcenter.Center {
	ids, _ := s.centersOf.get(operator)
	list := make([]*callcenter.Center, 0, len(ids))
	for _, id := range ids {
		if c, ok := s.centers.get(id); ok {
			list = append(list, c)
		}
	}
	return list
}

// User finds a person.
func (s *Snapshot) User(id callcenter.OperatorID) (*callcenter.User, bool) { return s.users.get(id) }

// Users lists all people.
func (s *Snapshot) Users() []*callcenter.User { return s.users.all() }

// UserByEmail finds the person with an email address, primary or not, in any case of its letters. People in
// StateDeleted hold no address.
func (s *Snapshot) UserByEmail(email string) (*callcenter.User, bool) {
	return s.byEmail.get(strings.ToLower(email))
}

// Device finds a phone.
func (s *Snapshot) Device(id callcenter.DeviceID) (*callcenter.Device, bool) {
	return s.devices.get(id)
}

// Devices lists all phones.
func (s *Snapshot) Devices() []*callcenter.Device { return s.devices.all() }

// DevicesOf lists the phones of a person.
func (s *Snapshot) DevicesOf(owner callcenter.OperatorID) []*callcenter.Device {
	list, _ := s.devicesOf.get(owner)
	return list
}

// DeviceByUsername finds the phone that registers under a name, which is case-sensitive (RFC 3261, section 19.1.4).
func (s *Snapshot) DeviceByUsername(name string) (*callcenter.Device, bool) {
	return s.byUsername.get(name)
}

// Number finds a phone number of the company by its E.164 form with +.
func (s *Snapshot) Number(e164 string) (*callcenter.Number, bool) { return s.numbers.get(e164) }

// Numbers lists all phone numbers.
func (s *Snapshot) Numbers() []*callcenter.Number { return s.numbers.all() }

// Trunk finds a trunk.
func (s *Snapshot) Trunk(id callcenter.TrunkID) (*callcenter.Trunk, bool) { return s.trunks.get(id) }

// Trunks lists all trunks.
func (s *Snapshot) Trunks() []*callcenter.Trunk { return s.trunks.all() }

// Key finds an API key among those this process has seen; Store.Key also sees one that another process just added.
func (s *Snapshot) Key(id string) (*Key, bool) { return s.keys.get(id) }

// Keys lists the API keys this process has seen.
func (s *Snapshot) Keys() []*Key { return s.keys.all() }

// CallRouter finds a call router.
func (s *Snapshot) CallRouter(id callcenter.RouterID) (*callcenter.CallRouter, bool) {
	return s.routers.get(id)
}

// CallRouters lists all call routers.
func (s *Snapshot) CallRouters() []*callcenter.CallRouter { return s.routers.all() }

// Webhook finds a webhook.
func (s *Snapshot) Webhook(id callcenter.WebhookID) (*callcenter.Webhook, bool) {
	return s.webhooks.get(id)
}

// Webhooks lists all webhooks.
func (s *Snapshot) Webhooks() []*callcenter.Webhook { return s.webhooks.all() }

// Subscription finds a subscription.
func (s *Snapshot) Subscription(id callcenter.SubscriptionID) (*callcenter.Subscription, bool) {
	return s.subscriptions.get(id)
}

// Subscriptions lists all subscriptions, of calls and of duty.
func (s *Snapshot) Subscriptions() []*callcenter.Subscription { return s.subscriptions.all() }

// CustomPrompt finds an uploaded prompt.
func (s *Snapshot) CustomPrompt(id callcenter.PromptID) (*callcenter.CustomPrompt, bool) {
	return s.prompts.get(id)
}

// CustomPrompts lists all uploaded prompts.
func (s *Snapshot) CustomPrompts() []*callcenter.CustomPrompt { return s.prompts.all() }

// AtTheDoor is whom a caller of a record's Center had come to: that call center, or the person or call router whose own
// number was dialled, whose id is in its place then.
func (s *Snapshot) AtTheDoor(id callcenter.ID) callcenter.Target {
	target := callcenter.Target{ID: int64(id), Type: callcenter.TargetCallCenter}
	if _, ok := s.User(callcenter.OperatorID(id)); ok {
		target.Type = callcenter.TargetUser
	} else if _, ok := s.CallRouter(callcenter.RouterID(id)); ok {
		target.Type = callcenter.TargetCallRouter
	}
	return target
}

// next starts a successor that shares everything until it is touched.
func (s *Snapshot) next() *Snapshot {
	n := *s
	n.offices.release()
	n.centers.release()
	n.users.release()
	n.devices.release()
	n.numbers.release()
	n.trunks.release()
	n.keys.release()
	n.routers.release()
	n.webhooks.release()
	n.subscriptions.release()
	n.prompts.release()
	n.byEmail.owned = false
	n.byUsername.owned = false
	n.devicesOf.owned = false
	n.centersOf.owned = false
	return &n
}

// taken says whether an id belongs to a record of any kind.
func (s *Snapshot) taken(id int64) bool {
	if s.company != nil && s.company.ID == callcenter.CompanyID(id) {
		return true
	}
	_, office := s.offices.get(callcenter.OfficeID(id))
	_, center := s.centers.get(callcenter.ID(id))
	_, user := s.users.get(callcenter.OperatorID(id))
	_, device := s.devices.get(callcenter.DeviceID(id))
	_, trunk := s.trunks.get(callcenter.TrunkID(id))
	_, router := s.routers.get(callcenter.RouterID(id))
	_, webhook := s.webhooks.get(callcenter.WebhookID(id))
	_, subscription := s.subscriptions.get(callcenter.SubscriptionID(id))
	_, prompt := s.prompts.get(callcenter.PromptID(id))
	return office || center || user || device || trunk || router || webhook || subscription || prompt
}

// index is a map that is copied when it is first written to in a batch.
type index[K comparable, V any] struct {
	m     map[K]V
	owned bool // by the batch under way
}

func (x *index[K, V]) get(k K) (V, bool) {
	v, ok := x.m[k]
	return v, ok
}

func (x *index[K, V]) set(k K, v V) {
	x.own()
	x.m[k] = v
}

func (x *index[K, V]) drop(k K) {
	x.own()
	delete(x.m, k)
}

func (x *index[K, V]) own() {
	switch {
	case x.owned:
		return
	case x.m == nil:
		x.m = map[K]V{}
	default:
		x.m = maps.Clone(x.m)
	}
	x.owned = true
}

// shelf holds the records of one kind, by id and in Seq order.
type shelf[K comparable, T any] struct {
	byID  index[K, *T]
	list  []*T
	owned bool
}

func (h *shelf[K, T]) get(id K) (*T, bool) { return h.byID.get(id) }

// all clips the list, so that a reader who appends gets a copy.
func (h *shelf[K, T]) all() []*T { return slices.Clip(h.list) }

func (h *shelf[K, T]) release() { h.owned, h.byID.owned = false, false }

// set puts v in the place of the record with its id, or takes that record away when v is nil.
func (h *shelf[K, T]) set(id K, seq int64, v *T, seqOf func(*T) int64) {
	if v == nil {
		h.byID.drop(id)
	} else {
		h.byID.set(id, v)
	}
	i, found := slices.BinarySearchFunc(h.list, seq, func(e *T, seq int64) int { return cmp.Compare(seqOf(e), seq) })
	switch {
	case v == nil && found:
		// A fresh list, because a change may be ranging over this one while it deletes.
		h.list = slices.Concat(h.list[:i], h.list[i+1:])
		h.owned = true
	case v != nil && !found && i < len(h.list):
		h.list = slices.Concat(h.list[:i], []*T{v}, h.list[i:])
		h.owned = true
	case v != nil:
		if !h.owned {
			h.list, h.owned = slices.Clone(h.list), true
		}
		if found {
			h.list[i] = v
		} else {
			h.list = append(h.list, v)
		}
	}
}
