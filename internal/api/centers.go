package api

import (
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// numberIndex finds the numbers of a target. It belongs to one list of numbers: the store makes a new list with every
// change of a number, and only then.
type numberIndex struct {
	list []*callcenter.Number
	of   map[callcenter.Target][]*callcenter.Number // by Rank, the primary one first
}

func sameList[T any](a, b []*T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// numbersOf lists the numbers of a target, the primary one first.
func (a *API) numbersOf(snapshot *store.Snapshot, target callcenter.Target) []*callcenter.Number {
	index, list := a.numbers.Load(), snapshot.Numbers()
	if index == nil || !sameList(index.list, list) {
		index = &numberIndex{list, map[callcenter.Target][]*callcenter.Number{}}
		for _, number := range list {
			index.of[number.Target] = append(index.of[number.Target], number)
		}
		for _, numbers := range index.of {
			slices.SortStableFunc(numbers, func(a, b *callcenter.Number) int { return a.Rank - b.Rank })
		}
		a.numbers.Store(index)
	}
	return index.of[target]
}

func (a *API) phoneNumbers(snapshot *store.Snapshot, target callcenter.Target) []string {
	list := []string{}
	for _, number := range a.numbersOf(snapshot, target) {
		list = append(list, number.E164)
	}
	return list
}

func centerTarget(id callcenter.ID) callcenter.Target {
	return callcenter.Target{ID: int64(id), Type: callcenter.TargetCallCenter}
}

// centerCache is the rendered body of a center, as long as nothing that it shows has changed.
type centerCache struct {
	center  *callcenter.Center
	office  *callcenter.Office
	numbers []*callcenter.Number
	status  callcenter.AvailabilityStatus
	encoded answer
}

// zone is the time zone of a center's hours: its own, else its office's.
func zone(center *callcenter.Center, office *callcenter.Office) string {
	switch {
	case center.Settings.Timezone != "":
		return center.Settings.Timezone
	case office != nil:
		return office.Timezone
	}
	return "UTC"
}

func (a *API) availability(snapshot *store.Snapshot, center *callcenter.Center, now time.Time) callcenter.Availability {
	office, _ := snapshot.Office(center.OfficeID)
	return center.Settings.Availability(now, a.location(zone(center, office)), center.Holidays)
}

// render shows a call center, the one place that does. A body is kept until something in it changes.
func (a *API) render(snapshot *store.Snapshot, center *callcenter.Center, now time.Time) *centerCache {
	office, _ := snapshot.Office(center.OfficeID)
	numbers := a.numbersOf(snapshot, centerTarget(center.ID))
	status := a.availability(snapshot, center, now).Status
	if kept, ok := a.bodies.Load(center.ID); ok {
		k := kept.(*centerCache)
		if k.center == center && k.office == office && sameList(k.numbers, numbers) && k.status == status {
			return k
		}
	}
	body := centerBody{
		ID: center.ID, OfficeID: center.OfficeID, State: center.State,
		Patch:              shown(center.Settings, zone(center, office)),
		PhoneNumbers:       a.phoneNumbers(snapshot, centerTarget(center.ID)),
		AvailabilityStatus: status,
		FirstAction:        center.Settings.FirstAction(),
		NoOperatorsAction:  center.Settings.NoOperatorsAction(),
	}
	if office != nil {
		body.Country = office.Country
	}
	fresh := &centerCache{
		center: center, office: office, numbers: numbers, status: status,
		encoded: answer{encode(body), center.Version},
	}
	if _, stored := snapshot.Center(center.ID); stored {
		a.bodies.Store(center.ID, fresh)
	} else {
		a.bodies.Delete(center.ID)
	}
	return fresh
}

func (c *call) showCenter(center *callcenter.Center) (answer, error) {
	return c.api.render(c.api.Settings.Snapshot(), center, c.now).encoded, nil
}

func getCenter(c *call) (answer, error) {
	return c.api.render(c.snapshot, c.center, c.now).encoded, nil
}

// listCenters also lists those of one office: GET /offices/{office_id}/callcenters.
func listCenters(c *call) (answer, error) {
	office, search := callcenter.OfficeID(c.query.Int("office_id", 0)), strings.ToLower(c.query["name_search"])
	if c.office != nil {
		office = c.office.ID
	}
	return showPage(c, c.snapshot.Centers(),
		func(center *callcenter.Center) int64 { return center.Seq },
		func(center *callcenter.Center) bool {
			return center.State != callcenter.StateDeleted && (office == 0 || center.OfficeID == office) &&
				strings.Contains(strings.ToLower(center.Settings.Name), search)
		},
		func(center *callcenter.Center) jsontext.Value {
			return jsontext.Value(c.api.render(c.snapshot, center, c.now).encoded.body)
		})
}

// place is what the rules of settings need to know of the rest of the company.
func place(db records, self callcenter.ID, office callcenter.OfficeID) callcenter.Place {
	at := callcenter.Place{Self: self, Center: db.Center, Exists: func(t callcenter.Target) bool { return exists(db, t) }}
	if o, ok := db.Office(office); ok {
		at.OfficeTimezone = o.Timezone
	}
	return at
}

// exists says whether there is such a target. The kinds that Switchboard does not have never are.
func exists(db records, target callcenter.Target) bool {
	found := false
	switch target.Type {
	case callcenter.TargetCallCenter:
		var center *callcenter.Center
		center, found = db.Center(callcenter.ID(target.ID))
		found = found && center.State != callcenter.StateDeleted
	case callcenter.TargetUser:
		var user *callcenter.User
		user, found = db.User(callcenter.OperatorID(target.ID))
		found = found && user.State != callcenter.StateDeleted
	case callcenter.TargetOffice:
		_, found = db.Office(callcenter.OfficeID(target.ID))
	case callcenter.TargetCallRouter:
		_, found = db.CallRouter(callcenter.RouterID(target.ID))
	}
	return found
}

func bodyFields(problems callcenter.Problems) []problem.Field {
	fields := make([]problem.Field, 0, len(problems))
	for _, one := range problems {
		fields = append(fields, problem.Field{Name: one.Field, In: problem.InBody, Message: one.Message})
	}
	return fields
}

// knownOffice is the rule for an office_id of a body.
func knownOffice(db records, id *callcenter.OfficeID) []problem.Field {
	if id == nil {
		return nil
	}
	if _, ok := db.Office(*id); ok {
		return nil
	}
	return []problem.Field{{Name: "office_id", In: problem.InBody, Message: "is no office of the company"}}
}

type centerCreate struct {
	OfficeID *callcenter.OfficeID `json:"office_id"`
	callcenter.Patch
}

func createCenter(c *call) (answer, error) {
	body, err := decode[centerCreate](c)
	if err != nil {
		return answer{}, err
	}
	var office callcenter.OfficeID
	if body.OfficeID != nil {
		office = *body.OfficeID
	}
	var settings callcenter.Settings
	rules := func(db records) []problem.Field {
		var problems callcenter.Problems
		settings, problems = callcenter.Create(body.Patch, place(db, 0, office))
		return append(bodyFields(problems), knownOffice(db, body.OfficeID)...)
	}
	var created *callcenter.Center
	err = c.change(rules, func(tx *store.Tx) error {
		created = &callcenter.Center{
			Extras: callcenter.DefaultExtras(),
			ID:     callcenter.ID(tx.NewID()), OfficeID: office, State: callcenter.StateActive, Settings: settings,
		}
		return tx.PutCenter(created)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showCenter(created)
}

func updateCenter(c *call) (answer, error) {
	patch, err := decode[callcenter.Patch](c)
	if err != nil {
		return answer{}, err
	}
	after, next := c.center, callcenter.Settings{}
	rules := func(db records) []problem.Field {
		before, ok := db.Center(c.center.ID)
		if !ok {
			return nil // deleted in between: the change says so
		}
		var problems callcenter.Problems
		next, problems = before.Settings.Apply(patch, place(db, before.ID, before.OfficeID))
		return bodyFields(problems)
	}
	err = c.change(rules, func(tx *store.Tx) error {
		before, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		if err := c.ifMatch(before.Version); err != nil {
			return err
		}
		if next.Equal(before.Settings) {
			after = before
			return nil
		}
		changed := *before
		changed.Settings = next
		after = &changed
		return tx.PutCenter(after)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showCenter(after)
}

func deleteCenter(c *call) (answer, error) {
	var deleted callcenter.Center
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		deleted = *center
		deleted.State = callcenter.StateDeleted
		if err := release(tx, centerTarget(center.ID)); err != nil {
			return err
		}
		_, err = tx.DeleteCenter(center.ID)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	found, err := c.showCenter(&deleted)
	return answer{body: found.body}, err
}

func centerStatus(c *call) (answer, error) {
	var body statusBody
	now := c.api.availability(c.snapshot, c.center, c.now)
	body.Availability.Status, body.Availability.Name = now.Status, now.Holiday
	if live, ok := c.api.Live.CenterLive(c.context(), c.center.ID); ok {
		body.Capacity, body.OnDutyOperators, body.Pending = live.Capacity, live.OnDuty, live.Waiting
		if !live.OldestEntry.IsZero() {
			body.LongestCallWaitTime = max(0, int64(c.now.Sub(live.OldestEntry)/time.Second))
		}
	}
	return show(body)
}
