package api

import (
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// DefaultLicense is what a user has who is created without one. Licences are kept for clients and mean nothing here.
const DefaultLicense = "talk"

func (c *call) officeBody(office *callcenter.Office) officeBody {
	primary := false
	if offices := c.snapshot.Offices(); len(offices) > 0 {
		primary = offices[0].ID == office.ID
	}
	return officeBody{
		ID: office.ID, OfficeID: office.ID, CompanyID: c.companyID(), Name: office.Name, Country: office.Country,
		Timezone: office.Timezone, State: office.State, IsPrimary: primary,
		PhoneNumbers: c.api.phoneNumbers(c.snapshot, officeTarget(office.ID)),
	}
}

func officeTarget(id callcenter.OfficeID) callcenter.Target {
	return callcenter.Target{ID: int64(id), Type: callcenter.TargetOffice}
}

func (c *call) companyID() callcenter.CompanyID {
	if company := c.snapshot.Company(); company != nil {
		return company.ID
	}
	return 0
}

func listOffices(c *call) (answer, error) {
	onlyActive := c.query.Bool("active_only")
	return showPage(c, c.snapshot.Offices(),
		func(office *callcenter.Office) int64 { return office.Seq },
		func(office *callcenter.Office) bool { return !onlyActive || office.State == callcenter.StateActive },
		c.officeBody)
}

func getOffice(c *call) (answer, error) {
	return showVersion(c.officeBody(c.office), c.office.Version)
}

func userTarget(id callcenter.OperatorID) callcenter.Target {
	return callcenter.Target{ID: int64(id), Type: callcenter.TargetUser}
}

// userBody shows a person, the one place that does.
func (c *call) userBody(snapshot *store.Snapshot, user *callcenter.User) userBody {
	d := c.dutyOf(user)
	body := userBody{
		ID: user.ID, CompanyID: c.companyID(), OfficeID: user.OfficeID,
		FirstName: user.FirstName, LastName: user.LastName, DisplayName: displayName(user),
		Emails: user.Emails, Extension: user.Extension, License: user.License, State: user.State,
		IsAdmin: user.IsCompanyAdmin || len(user.AdminOffices) > 0, IsCompanyAdmin: user.IsCompanyAdmin,
		AdminOffices: user.AdminOffices, DoNotDisturb: user.DoNotDisturb,
		IsOnDuty: d.On, OnDutyStatus: d.status, Reason: d.Reason,
		DutyStarted: naive(d.Since), OnDutyStarted: naive(d.OnSince),
		IsAvailable: d.state != route.OnCall && d.state != route.Ringing,
		IsOnline:    c.online(snapshot, user.ID),
		DateAdded:   naive(user.CreatedAt), DateActive: naive(user.CreatedAt),
		PhoneNumbers: c.api.phoneNumbers(snapshot, userTarget(user.ID)),
		Groups:       []groupBody{},
	}
	if office, ok := snapshot.Office(user.OfficeID); ok {
		body.Country, body.Timezone = office.Country, office.Timezone
	}
	for _, center := range snapshot.CentersOf(user.ID) {
		member, _ := memberOf(center, user.ID)
		body.IsAdmin = body.IsAdmin || member.Role == callcenter.RoleAdmin
		body.Groups = append(body.Groups, groupBody{
			center.ID, callcenter.TargetCallCenter, member.Role, member.DoNotDisturb,
		})
	}
	return body
}

// online says whether a phone of a person can be reached.
func (c *call) online(snapshot *store.Snapshot, id callcenter.OperatorID) bool {
	return slices.ContainsFunc(snapshot.DevicesOf(id), c.reachable)
}

func (c *call) reachable(device *callcenter.Device) bool {
	return device.Kind == callcenter.DeviceStatic || c.api.Phones.Registered(device.ID)
}

func (c *call) showUser(user *callcenter.User) (answer, error) {
	return showVersion(c.userBody(c.api.Settings.Snapshot(), user), user.Version)
}

func getUser(c *call) (answer, error) { return c.showUser(c.user) }

func listUsers(c *call) (answer, error) {
	var matching []func(*callcenter.User) bool
	if state := c.query["state"]; state != "" && state != "all" {
		matching = append(matching, func(u *callcenter.User) bool { return u.State == callcenter.State(state) })
	}
	if c.query.Has("company_admin") {
		want := c.query.Bool("company_admin")
		matching = append(matching, func(u *callcenter.User) bool { return u.IsCompanyAdmin == want })
	}
	if email := c.query["email"]; email != "" {
		matching = append(matching, func(u *callcenter.User) bool {
			return slices.ContainsFunc(u.Emails, func(e string) bool { return strings.EqualFold(e, email) })
		})
	}
	if number := c.query["number"]; number != "" {
		found, _ := c.snapshot.Number(number)
		matching = append(matching, func(u *callcenter.User) bool {
			return found != nil && found.Target == userTarget(u.ID)
		})
	}
	return showPage(c, c.snapshot.Users(),
		func(user *callcenter.User) int64 { return user.Seq },
		func(user *callcenter.User) bool {
			return !slices.ContainsFunc(matching, func(f func(*callcenter.User) bool) bool { return !f(user) })
		},
		func(user *callcenter.User) userBody { return c.userBody(c.snapshot, user) })
}

type userCreate struct {
	Email      string               `json:"email"`
	OfficeID   *callcenter.OfficeID `json:"office_id"`
	FirstName  string               `json:"first_name"`
	LastName   string               `json:"last_name"`
	License    string               `json:"license"`
	AutoAssign bool                 `json:"auto_assign"`
}

func createUser(c *call) (answer, error) {
	body, err := decode[userCreate](c)
	if err != nil {
		return answer{}, err
	}
	if body.License == "" {
		body.License = DefaultLicense
	}
	rules := func(db records) []problem.Field { return knownOffice(db, body.OfficeID) }
	var created *callcenter.User
	err = c.change(rules, func(tx *store.Tx) error {
		created = &callcenter.User{
			ID: callcenter.OperatorID(tx.NewID()), OfficeID: *body.OfficeID, FirstName: body.FirstName,
			LastName: body.LastName, Emails: []string{body.Email}, License: body.License, State: callcenter.StateActive,
			Duty: callcenter.Duty{Since: tx.Now(), ChangedBy: string(c.who.Actor())},
		}
		if err := tx.PutUser(created); err != nil {
			return err
		}
		if !body.AutoAssign {
			return nil
		}
		free, err := fromPool(tx, "")
		if err != nil {
			return err
		}
		return assign(tx, free, userTarget(created.ID), created.OfficeID, true)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showUser(created)
}

type userUpdate struct {
	FirstName      *string                `json:"first_name"`
	LastName       *string                `json:"last_name"`
	Emails         *[]string              `json:"emails"`
	PhoneNumbers   *[]string              `json:"phone_numbers"`
	Extension      *string                `json:"extension"`
	OfficeID       *callcenter.OfficeID   `json:"office_id"`
	IsCompanyAdmin *bool                  `json:"is_super_admin"`
	AdminOffices   *[]callcenter.OfficeID `json:"admin_office_ids"`
	License        *string                `json:"license"`
	State          *callcenter.State      `json:"state"`
}

// applied is a person as the update makes them.
func (u userUpdate) applied(user *callcenter.User) *callcenter.User {
	changed := *user
	set(&changed.FirstName, u.FirstName)
	set(&changed.LastName, u.LastName)
	set(&changed.Emails, u.Emails)
	set(&changed.Extension, u.Extension)
	set(&changed.OfficeID, u.OfficeID)
	set(&changed.IsCompanyAdmin, u.IsCompanyAdmin)
	set(&changed.AdminOffices, u.AdminOffices)
	set(&changed.License, u.License)
	set(&changed.State, u.State)
	return &changed
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func sameUser(a, b *callcenter.User) bool {
	return a.FirstName == b.FirstName && a.LastName == b.LastName && slices.Equal(a.Emails, b.Emails) &&
		a.Extension == b.Extension && a.OfficeID == b.OfficeID && a.IsCompanyAdmin == b.IsCompanyAdmin &&
		slices.Equal(a.AdminOffices, b.AdminOffices) && a.License == b.License && a.State == b.State
}

func updateUser(c *call) (answer, error) {
	body, err := decode[userUpdate](c)
	if err != nil {
		return answer{}, err
	}
	after := c.user
	rules := func(db records) []problem.Field {
		fields := append(knownOffice(db, body.OfficeID), distinctEmails(body.Emails)...)
		fields = append(fields, adminOffices(db, body.AdminOffices)...)
		return append(fields, c.keptNumbers(db, body.PhoneNumbers)...)
	}
	err = c.change(rules, func(tx *store.Tx) error {
		user, err := c.userIn(tx, c.user.ID)
		if err != nil {
			return err
		}
		if err := c.ifMatch(user.Version); err != nil {
			return err
		}
		if body.PhoneNumbers != nil {
			if err := keepNumbers(tx, userTarget(user.ID), *body.PhoneNumbers); err != nil {
				return err
			}
		}
		after = user
		if changed := body.applied(user); !sameUser(user, changed) {
			after = changed
			return tx.PutUser(changed)
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.showUser(after)
}

// adminOffices is the rule for the admin_office_ids of a body: offices of the company, each once.
func adminOffices(db records, ids *[]callcenter.OfficeID) []problem.Field {
	if ids == nil {
		return nil
	}
	var fields []problem.Field
	bad := func(place int, message string) {
		name := "admin_office_ids." + strconv.Itoa(place)
		fields = append(fields, problem.Field{Name: name, In: problem.InBody, Message: message})
	}
	for i, id := range *ids {
		if _, ok := db.Office(id); !ok {
			bad(i, "is no office of the company")
		} else if slices.Contains((*ids)[:i], id) {
			bad(i, "is listed twice")
		}
	}
	return fields
}

func distinctEmails(emails *[]string) []problem.Field {
	if emails == nil {
		return nil
	}
	return distinct("emails", *emails)
}

// deleteUser also takes the person out of call centers, gives their numbers back to the pool and removes their phones.
// Whatever action leads to them falls back to voicemail.
func deleteUser(c *call) (answer, error) {
	deleted := *c.user
	var body userBody
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		user, err := c.userIn(tx, c.user.ID)
		if err != nil {
			return err
		}
		deleted = *user
		return removeUser(tx, user.ID)
	})
	if err != nil {
		return answer{}, err
	}
	deleted.State = callcenter.StateDeleted
	deleted.Duty = callcenter.Duty{Since: c.now, OnSince: deleted.Duty.OnSince}
	body = c.userBody(c.api.Settings.Snapshot(), &deleted)
	return show(body)
}

func removeUser(tx *store.Tx, id callcenter.OperatorID) error {
	for _, center := range tx.CentersOf(id) {
		if err := tx.PutCenter(without(center, id)); err != nil {
			return err
		}
	}
	for _, device := range tx.DevicesOf(id) {
		if _, err := tx.DeleteDevice(device.ID); err != nil {
			return err
		}
	}
	if err := release(tx, userTarget(id)); err != nil {
		return err
	}
	_, err := tx.DeleteUser(id)
	return err
}
