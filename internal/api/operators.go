package api

import (
	"slices"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func listOperators(c *call) (answer, error) {
	body := struct {
		Users []userBody `json:"users"`
		Rooms []struct{} `json:"rooms"`
	}{Users: []userBody{}, Rooms: []struct{}{}}
	for _, member := range c.center.Members {
		if user, ok := c.snapshot.User(member.Operator); ok {
			body.Users = append(body.Users, c.userBody(c.snapshot, user))
		}
	}
	return show(body)
}

type operatorAdd struct {
	UserID     *callcenter.OperatorID `json:"user_id"`
	Role       *callcenter.Role       `json:"role"`
	SkillLevel *int                   `json:"skill_level"`
}

// DefaultSkill is the skill level of an operator who is added without one.
const DefaultSkill = 100

// operator is the member that the body describes.
func (o operatorAdd) operator() callcenter.Member {
	member := callcenter.Member{Operator: *o.UserID, Role: callcenter.RoleOperator, SkillLevel: DefaultSkill}
	if o.Role != nil {
		member.Role = *o.Role
	}
	if o.SkillLevel != nil {
		member.SkillLevel = *o.SkillLevel
	}
	return member
}

// knownUser is the rule for a user_id of a body.
func knownUser(db records, id *callcenter.OperatorID) []problem.Field {
	if id == nil || exists(db, callcenter.Target{ID: int64(*id), Type: callcenter.TargetUser}) {
		return nil
	}
	return []problem.Field{{Name: "user_id", In: problem.InBody, Message: "is no user of the company"}}
}

func addOperator(c *call) (answer, error) {
	body, err := decode[operatorAdd](c)
	if err != nil {
		return answer{}, err
	}
	rules := func(db records) []problem.Field { return knownUser(db, body.UserID) }
	err = c.change(rules, func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		if _, there := memberOf(center, *body.UserID); there {
			return problem.Conflicts("This user is an operator of this call center already.")
		}
		changed := *center
		changed.Members = append(slices.Clone(center.Members), body.operator())
		return tx.PutCenter(&changed)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showUserOrRoom(*body.UserID)
}

func removeOperator(c *call) (answer, error) {
	body, err := decode[operatorAdd](c)
	if err != nil {
		return answer{}, err
	}
	if id := callcenter.OperatorID(c.query.Int("user_id", 0)); id != 0 && body.UserID == nil {
		body.UserID = &id
	}
	rules := func(db records) []problem.Field {
		badly := slices.ContainsFunc(c.bad, func(f problem.Field) bool { return f.Name == "user_id" })
		if body.UserID == nil && !badly {
			return []problem.Field{{Name: "user_id", In: problem.InBody, Message: "is required"}}
		}
		return nil
	}
	err = c.change(rules, func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		if _, err := operatorIn(center, *body.UserID); err != nil {
			return err
		}
		return tx.PutCenter(without(center, *body.UserID))
	})
	if err != nil {
		return answer{}, err
	}
	return c.showUserOrRoom(*body.UserID)
}

// without is the center as it is when a person has left it.
func without(center *callcenter.Center, id callcenter.OperatorID) *callcenter.Center {
	changed := *center
	changed.Members = slices.DeleteFunc(slices.Clone(center.Members),
		func(m callcenter.Member) bool { return m.Operator == id })
	return &changed
}

func (c *call) showUserOrRoom(id callcenter.OperatorID) (answer, error) {
	snapshot := c.api.Settings.Snapshot()
	user, err := c.userIn(snapshot, id)
	if err != nil {
		return answer{}, err
	}
	full := c.userBody(snapshot, user)
	return show(userOrRoomBody{
		ID: user.ID, Name: full.DisplayName, CompanyID: full.CompanyID, OfficeID: user.OfficeID, Country: full.Country,
		State: user.State, IsOnDuty: full.IsOnDuty, PhoneNumbers: full.PhoneNumbers,
	})
}

func getSkill(c *call) (answer, error) {
	return showVersion(skillBody{c.center.ID, c.user.ID, c.operator.SkillLevel}, c.center.Version)
}

func updateSkill(c *call) (answer, error) {
	body, err := decode[struct {
		SkillLevel int `json:"skill_level"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	var version int64
	err = c.change(noRules, func(tx *store.Tx) (err error) {
		version, err = c.changeMember(tx, c.center.ID, func(m *callcenter.Member) { m.SkillLevel = body.SkillLevel })
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return showVersion(skillBody{c.center.ID, c.user.ID, body.SkillLevel}, version)
}

// duty is what is known of a person's duty now.
type duty struct {
	callcenter.Duty
	status string // on_duty_status of the document
	live   bool
	state  route.OperatorState
}

// dutyOf asks the core, since a rule may have put the person off duty a moment ago. Somebody who goes off duty during a
// call is on duty until it ends. Of a person whom the core does not know, the settings tell.
func (c *call) dutyOf(user *callcenter.User) duty {
	d := duty{Duty: user.Duty, status: "unavailable"}
	view, ok := c.api.Live.OperatorLive(c.context(), user.ID)
	if ok {
		d.Duty, d.live, d.state = view.Duty, true, view.State
		if view.OffAfter {
			d.On = true
			d.Reason, d.Since = user.Duty.Reason, user.Duty.Since
		}
		d.status = dutyStatus(view)
	} else if d.On {
		d.status = "busy" // no phone of theirs is known to be reachable
	}
	if d.Since.IsZero() {
		d.Since = user.CreatedAt
	}
	return d
}

// dutyStatus is a person's presence in the API's words.
func dutyStatus(view route.OperatorView) string {
	end := ""
	if view.OffAfter {
		end = "-end"
	}
	switch view.State {
	case route.Available:
		return "available"
	case route.OnCall:
		return "occupied" + end
	case route.WrapUp:
		return "wrapup" + end
	case route.OffDuty:
		return "unavailable"
	}
	return "busy"
}

func (c *call) showDuty(user *callcenter.User) (answer, error) {
	d := c.dutyOf(user)
	return showVersion(dutyBody{
		UserID: user.ID, OnDuty: d.On, Status: d.status, Reason: d.Reason,
		Started: millis(d.Since), OnStarted: millis(d.OnSince),
	}, user.Version)
}

func getDuty(c *call) (answer, error) { return c.showDuty(c.user) }

// updateDuty writes the duty down. What follows for calls is the core's to decide; it hears of it from the store.
func updateDuty(c *call) (answer, error) {
	body, err := decode[struct {
		On     bool   `json:"on_duty"`
		Reason string `json:"duty_status_reason"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	after := c.user
	err = c.change(noRules, func(tx *store.Tx) error {
		user, err := c.userIn(tx, c.user.ID)
		if err != nil {
			return err
		}
		if err := c.ifMatch(user.Version); err != nil {
			return err
		}
		next := callcenter.Duty{
			On: body.On, Reason: body.Reason, Since: tx.Now(), OnSince: user.Duty.OnSince,
			ChangedBy: string(c.who.Actor()),
		}
		if body.On {
			next.Reason = ""
		}
		if body.On && !user.Duty.On {
			next.OnSince = tx.Now()
		}
		after = user
		if next.On == user.Duty.On && next.Reason == user.Duty.Reason {
			return nil
		}
		changed := *user
		changed.Duty = next
		after = &changed
		return tx.PutUser(after)
	})
	if err != nil {
		return answer{}, err
	}
	if after.Version == c.user.Version {
		c.sayDuty(after)
	}
	return c.showDuty(after)
}

// sayDuty tells the core what the settings say already, where a rule of the core just decided otherwise and the store
// does not know yet.
func (c *call) sayDuty(user *callcenter.User) {
	view, ok := c.api.Live.OperatorLive(c.context(), user.ID)
	if ok && !view.OffAfter && view.Duty.On != user.Duty.On {
		c.api.Live.Say(route.DutySet{
			Operator: user.ID, On: user.Duty.On, Reason: user.Duty.Reason, ChangedBy: string(c.who.Actor()),
		})
	}
}

// updateWrapUp ends the wrap-up of a person, or makes it longer once, where the call center grants that.
func updateWrapUp(c *call) (answer, error) {
	body, err := decode[struct {
		Action string `json:"action"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	if err := c.refuse(nil); err != nil {
		return answer{}, err
	}
	view, ok := c.api.Live.OperatorLive(c.context(), c.user.ID)
	if !ok || view.State != route.WrapUp {
		return answer{}, problem.Conflicts("This user is not in wrap-up.")
	}
	if body.Action != "extend" {
		c.api.Live.Say(route.WrapUpEnded{Operator: c.user.ID})
		return c.showDuty(c.user)
	}
	if view.Extend <= 0 {
		return answer{}, problem.Conflicts("The call center grants no more time for this wrap-up.")
	}
	c.api.Live.Say(route.WrapUpExtended{Operator: c.user.ID})
	return c.showDuty(c.user)
}
