package api

import (
	"slices"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

type disturbBody struct {
	On        bool                   `json:"do_not_disturb"`
	GroupID   *callcenter.ID         `json:"group_id"`
	GroupType *callcenter.TargetType `json:"group_type"`
}

// rules are what package schema cannot say: group_id and group_type come together, and name a call center in which the
// person is.
func (b disturbBody) rules(db records, user callcenter.OperatorID) []problem.Field {
	bad := func(name, message string) []problem.Field {
		return []problem.Field{{Name: name, In: problem.InBody, Message: message}}
	}
	switch {
	case b.GroupID == nil && b.GroupType == nil:
		return nil
	case b.GroupID == nil:
		return bad("group_id", "is required with group_type")
	case b.GroupType == nil:
		return bad("group_type", "is required with group_id")
	}
	center, ok := db.Center(*b.GroupID)
	if !ok || center.State == callcenter.StateDeleted {
		return bad("group_id", "is no callcenter of the company")
	}
	if _, ok := memberOf(center, user); !ok {
		return bad("group_id", "is no callcenter of this user")
	}
	return nil
}

// updateDisturb says whether a person is rung, by one of their call centers or at all. What follows for calls is the
// core's to decide; it hears of it from the store.
func updateDisturb(c *call) (answer, error) {
	body, err := decode[disturbBody](c)
	if err != nil {
		return answer{}, err
	}
	var version int64
	rules := func(db records) []problem.Field { return body.rules(db, c.user.ID) }
	err = c.change(rules, func(tx *store.Tx) (err error) {
		if body.GroupID == nil {
			version, err = c.disturb(tx, body.On)
			return err
		}
		version, err = c.changeMember(tx, *body.GroupID, func(m *callcenter.Member) { m.DoNotDisturb = body.On })
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return showVersion(struct {
		ID        callcenter.OperatorID `json:"id"`
		On        bool                  `json:"do_not_disturb"`
		GroupID   callcenter.ID         `json:"group_id,omitzero"`
		GroupType callcenter.TargetType `json:"group_type,omitzero"`
	}{c.user.ID, body.On, value(body.GroupID), value(body.GroupType)}, version)
}

// value is what a pointer leads to, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (c *call) disturb(tx *store.Tx, off bool) (version int64, err error) {
	user, err := c.userIn(tx, c.user.ID)
	if err != nil {
		return 0, err
	}
	if err := c.ifMatch(user.Version); err != nil {
		return 0, err
	}
	if user.DoNotDisturb == off {
		return user.Version, nil
	}
	changed := *user
	changed.DoNotDisturb = off
	err = tx.PutUser(&changed)
	return changed.Version, err
}

// changeMember changes the place of c.user in a call center, and says the version of that.
func (c *call) changeMember(tx *store.Tx, id callcenter.ID, change func(*callcenter.Member)) (int64, error) {
	center, err := c.centerIn(tx, id)
	if err != nil {
		return 0, err
	}
	if err := c.ifMatch(center.Version); err != nil {
		return 0, err
	}
	member, err := operatorIn(center, c.user.ID)
	if err != nil {
		return 0, err
	}
	was := member
	if change(&member); member == was {
		return center.Version, nil
	}
	changed := *center
	changed.Members = slices.Clone(center.Members)
	changed.Members[slices.Index(changed.Members, was)] = member
	err = tx.PutCenter(&changed)
	return changed.Version, err
}
