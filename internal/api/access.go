package api

import (
	"slices"
	"strconv"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
)

// anyKey is the right of every key.
func anyKey(*call) bool { return true }

// companyAdmin is the right of company admin keys only.
func companyAdmin(c *call) bool { return c.who.CompanyAdmin() }

// self is the right of company admin keys and of the person whom the path names.
func self(c *call) bool { return c.who.CompanyAdmin() || c.who.User != 0 && c.named() == c.who.User }

// anyPerson is the right of every key but those that were made for nobody.
func anyPerson(c *call) bool { return c.who.CompanyAdmin() || c.who.User != 0 }

// callsLister is the right of company admin keys that may list calls.
func callsLister(c *call) bool { return companyAdmin(c) && c.who.Has(auth.ScopeCallsList) }

// recordingsExporter is the right of company admin keys that may fetch recordings.
func recordingsExporter(c *call) bool {
	return companyAdmin(c) && c.who.Has(auth.ScopeRecordingsExport)
}

// named is the person in the path, 0 for nothing readable. Rights are judged before ids, so anything may stand there.
func (c *call) named() callcenter.OperatorID {
	text := c.r.PathValue("id")
	if text == "me" {
		return c.who.User
	}
	return callcenter.OperatorID(positive(text))
}

// selfOrSupervisor is the right of the person whom the path names, and of the supervisors and admins of a call center
// in which that person is, of its office or of the company.
func selfOrSupervisor(c *call) bool {
	if self(c) || c.administers(0) {
		return true
	}
	for _, center := range c.snapshot.CentersOf(c.named()) {
		member, ok := memberOf(center, c.who.User)
		if ok && member.Role != callcenter.RoleOperator || c.administers(center.OfficeID) {
			return true
		}
	}
	return false
}

// selfOrAdmin is the right of the person whom the path names, and of the admins of their office or of the company.
func selfOrAdmin(c *call) bool {
	user, ok := c.snapshot.User(c.named())
	return self(c) || c.administers(0) || ok && c.administers(user.OfficeID)
}

// adminOfCenter is the right of the admins of the call center that the wildcard names, of its office or of the company.
func adminOfCenter(wildcard string) func(*call) bool {
	return func(c *call) bool {
		if c.who.CompanyAdmin() || c.administers(0) {
			return true
		}
		center, ok := c.snapshot.Center(callcenter.ID(positive(c.r.PathValue(wildcard))))
		if !ok {
			return false
		}
		member, ok := memberOf(center, c.who.User)
		return ok && member.Role == callcenter.RoleAdmin || c.administers(center.OfficeID)
	}
}

// administers says whether the key is that of a person who administers an office, or the company; 0: only the company.
func (c *call) administers(office callcenter.OfficeID) bool {
	user, ok := c.snapshot.User(c.who.User)
	return ok && (user.IsCompanyAdmin || slices.Contains(user.AdminOffices, office))
}

func memberOf(center *callcenter.Center, id callcenter.OperatorID) (callcenter.Member, bool) {
	at := slices.IndexFunc(center.Members, func(m callcenter.Member) bool { return m.Operator == id })
	if at < 0 {
		return callcenter.Member{}, false
	}
	return center.Members[at], true
}

func findCenter(c *call, text string) (err error) {
	c.center, err = c.centerIn(c.snapshot, callcenter.ID(positive(text)))
	return err
}

// centerIn finds a call center, in a Snapshot or in the Tx of a change.
func (c *call) centerIn(db records, id callcenter.ID) (*callcenter.Center, error) {
	center, ok := db.Center(id)
	if !ok || center.State == callcenter.StateDeleted {
		return nil, problem.NotFound("callcenter", id)
	}
	return center, nil
}

func findUser(c *call, text string) (err error) {
	id := callcenter.OperatorID(positive(text))
	if text == "me" {
		id = c.who.User
	}
	c.user, err = c.userIn(c.snapshot, id)
	return err
}

func (c *call) userIn(db records, id callcenter.OperatorID) (*callcenter.User, error) {
	user, ok := db.User(id)
	switch {
	case id == 0:
		return nil, problem.New(problem.Missing, "This key was made for no user, so me is nobody.")
	case !ok || user.State == callcenter.StateDeleted:
		return nil, problem.NotFound("user", id)
	}
	return user, nil
}

// findMember finds a person who is an operator of c.center.
func findMember(c *call, text string) (err error) {
	if err := findUser(c, text); err != nil {
		return err
	}
	c.operator, err = operatorIn(c.center, c.user.ID)
	return err
}

func operatorIn(center *callcenter.Center, id callcenter.OperatorID) (callcenter.Member, error) {
	member, ok := memberOf(center, id)
	if !ok {
		return member, problem.New(problem.Missing, "User "+strconv.FormatInt(int64(id), 10)+
			" is no operator of callcenter "+strconv.FormatInt(int64(center.ID), 10)+".")
	}
	return member, nil
}

func findOffice(c *call, text string) error {
	id, ok := callcenter.OfficeID(positive(text)), false
	if c.office, ok = c.snapshot.Office(id); !ok {
		return problem.NotFound("office", id)
	}
	return nil
}

func findNumber(c *call, text string) (err error) {
	var ok bool
	if c.number, ok = c.snapshot.Number(text); !ok {
		return problem.NotFound("number", text)
	}
	return nil
}

// findDevice finds a phone of c.user.
func findDevice(c *call, text string) error {
	id, ok := callcenter.DeviceID(positive(text)), false
	if c.device, ok = c.snapshot.Device(id); !ok || c.device.Owner != c.user.ID {
		return problem.NotFound("device", id)
	}
	return nil
}

func findTrunk(c *call, text string) error {
	id, ok := callcenter.TrunkID(positive(text)), false
	if c.trunk, ok = c.snapshot.Trunk(id); !ok {
		return problem.NotFound("trunk", id)
	}
	return nil
}

// findMessage finds a voicemail that is not being recorded any more.
func findMessage(c *call, text string) error {
	id := positive(text)
	found, ok, err := c.api.Voicemails.Voicemail(c.context(), id)
	if err != nil {
		return err
	}
	if !ok || !found.Complete {
		return problem.NotFound("voicemail", id)
	}
	c.message = found
	return nil
}
