package api

import (
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// tollFree are the area codes of the North American plan that cost the caller nothing.
var tollFree = []string{"800", "833", "844", "855", "866", "877", "888"}

// areaCode is that of a number of the North American plan; of others "", since their length differs by country.
func areaCode(e164 string) string {
	if len(e164) == len("+14155550123") && strings.HasPrefix(e164, "+1") {
		return e164[2:5]
	}
	return ""
}

func (c *call) numberBody(number *callcenter.Number) numberBody {
	kind := "local"
	if slices.Contains(tollFree, areaCode(number.E164)) {
		kind = "tollfree"
	}
	return numberBody{
		Number: number.E164, Status: number.Status, TargetID: number.Target.ID, TargetType: number.Target.Type,
		Type: kind, AreaCode: areaCode(number.E164), OfficeID: number.OfficeID, CompanyID: c.companyID(),
	}
}

func listNumbers(c *call) (answer, error) {
	status := callcenter.NumberStatus(c.query["status"])
	return showPage(c, c.snapshot.Numbers(),
		func(number *callcenter.Number) int64 { return number.Seq },
		func(number *callcenter.Number) bool { return status == "" || number.Status == status },
		c.numberBody)
}

func getNumber(c *call) (answer, error) { return c.showNumber(c.number) }

func (c *call) showNumber(number *callcenter.Number) (answer, error) {
	return showVersion(c.numberBody(number), number.Version)
}

// createNumbers adds numbers to the pool: all of them or none.
func createNumbers(c *call) (answer, error) {
	body, err := decode[struct {
		Numbers []string `json:"numbers"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	rules := func(records) []problem.Field { return distinct("numbers", body.Numbers) }
	created := page[numberBody]{Items: []numberBody{}}
	err = c.change(rules, func(tx *store.Tx) error {
		for _, e164 := range body.Numbers {
			if _, there := tx.Number(e164); there {
				return problem.Conflicts(e164 + " is a number of the company already.")
			}
			number := &callcenter.Number{E164: e164, Status: callcenter.NumberReserved}
			if err := tx.PutNumber(number); err != nil {
				return err
			}
			created.Items = append(created.Items, c.numberBody(number))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return show(created)
}

// distinct is the rule for lists in which nothing may stand twice, in any case of letters.
func distinct(name string, list []string) []problem.Field {
	var fields []problem.Field
	seen := map[string]bool{}
	for i, one := range list {
		if seen[strings.ToLower(one)] {
			fields = append(fields, problem.Field{
				Name: name + "." + strconv.Itoa(i), In: problem.InBody, Message: "is listed twice",
			})
		}
		seen[strings.ToLower(one)] = true
	}
	return fields
}

// deleteNumber puts a number back into the pool; with release=true it leaves the company.
func deleteNumber(c *call) (answer, error) {
	var body numberBody
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		number, ok := tx.Number(c.number.E164)
		if !ok {
			return problem.NotFound("number", c.number.E164)
		}
		if c.query.Bool("release") {
			body = c.numberBody(toPool(number))
			body.Deleted = true
			_, err := tx.DeleteNumber(number.E164)
			return err
		}
		body = c.numberBody(toPool(number))
		if number.Status == callcenter.NumberReserved {
			return nil
		}
		return tx.PutNumber(toPool(number))
	})
	if err != nil {
		return answer{}, err
	}
	return show(body)
}

// toPool is a number as it is when it leads to nobody.
func toPool(number *callcenter.Number) *callcenter.Number {
	return &callcenter.Number{Record: number.Record, E164: number.E164, Status: callcenter.NumberReserved}
}

// release puts all numbers of a target back into the pool.
func release(tx *store.Tx, target callcenter.Target) error {
	return keepNumbers(tx, target, nil)
}

// keepNumbers gives a target's numbers the order of keep and puts the others back into the pool.
func keepNumbers(tx *store.Tx, target callcenter.Target, keep []string) error {
	for _, number := range tx.Numbers() {
		if number.Target != target {
			continue
		}
		next := toPool(number)
		if rank := slices.Index(keep, number.E164); rank >= 0 {
			if rank == number.Rank {
				continue
			}
			*next = *number
			next.Rank = rank
		}
		if err := tx.PutNumber(next); err != nil {
			return err
		}
	}
	return nil
}

// keptNumbers is the rule for the phone_numbers of a user: no number twice, and none that they do not have.
func (c *call) keptNumbers(db records, numbers *[]string) []problem.Field {
	if numbers == nil {
		return nil
	}
	fields := distinct("phone_numbers", *numbers)
	for i, e164 := range *numbers {
		number, ok := db.Number(e164)
		if !ok || number.Target != userTarget(c.user.ID) {
			fields = append(fields, problem.Field{
				Name: "phone_numbers." + strconv.Itoa(i), In: problem.InBody,
				Message: "is no number of this user; assign it first",
			})
		}
	}
	return fields
}

// assign gives a number to a target, whoever had it before.
func assign(
	tx *store.Tx, number *callcenter.Number, target callcenter.Target, office callcenter.OfficeID, primary bool,
) error {
	lowest, highest := 0, -1
	for _, other := range tx.Numbers() {
		if other.Target == target && other.E164 != number.E164 {
			lowest, highest = min(lowest, other.Rank), max(highest, other.Rank)
		}
	}
	next := *number
	next.Target, next.OfficeID, next.AssignedAt = target, office, tx.Now()
	next.Rank = highest + 1
	if primary {
		next.Rank = lowest - 1
	}
	switch target.Type {
	case callcenter.TargetCallCenter:
		next.Status = callcenter.NumberCallCenter
	case callcenter.TargetUser:
		next.Status = callcenter.NumberUser
	case callcenter.TargetOffice:
		next.Status = callcenter.NumberOffice
	case callcenter.TargetCallRouter:
		next.Status = callcenter.NumberCallRouter
	}
	return tx.PutNumber(&next)
}

// fromPool takes the oldest free number, of an area code if one is asked for. We have no carrier to buy one from.
func fromPool(tx *store.Tx, area string) (*callcenter.Number, error) {
	for _, number := range tx.Numbers() {
		if number.Status == callcenter.NumberReserved && (area == "" || inArea(number.E164, area)) {
			return number, nil
		}
	}
	if area != "" {
		return nil, problem.Conflicts("No number of the pool has area code " + area + ".")
	}
	return nil, problem.Conflicts("The pool of numbers is empty.")
}

// inArea compares with the area code of a North American number, and with the digits behind any country code of others.
func inArea(e164, area string) bool {
	if code := areaCode(e164); code != "" {
		return code == area
	}
	for country := 1; country <= 3; country++ {
		if len(e164) > country+1 && strings.HasPrefix(e164[country+1:], area) {
			return true
		}
	}
	return false
}

// numberAssign is the body of all operations that assign or unassign a number.
type numberAssign struct {
	Number     string                `json:"number"`
	AreaCode   string                `json:"area_code"`
	Primary    *bool                 `json:"primary"`
	TargetID   *int64                `json:"target_id"`
	TargetType callcenter.TargetType `json:"target_type"`
}

// numberTarget is whom an operation on numbers is about: the path names them, or the body does.
func (c *call) numberTarget(body numberAssign) callcenter.Target {
	switch {
	case c.user != nil:
		return userTarget(c.user.ID)
	case c.office != nil:
		return officeTarget(c.office.ID)
	case c.router != nil:
		return routerTarget(c.router.ID)
	case body.TargetID == nil:
		return callcenter.Target{}
	}
	return callcenter.Target{ID: *body.TargetID, Type: body.TargetType}
}

// officeOf is the office that a target belongs to.
func officeOf(db records, target callcenter.Target) callcenter.OfficeID {
	switch target.Type {
	case callcenter.TargetCallCenter:
		if center, ok := db.Center(callcenter.ID(target.ID)); ok {
			return center.OfficeID
		}
	case callcenter.TargetUser:
		if user, ok := db.User(callcenter.OperatorID(target.ID)); ok {
			return user.OfficeID
		}
	case callcenter.TargetCallRouter:
		if router, ok := db.CallRouter(callcenter.RouterID(target.ID)); ok {
			return router.OfficeID
		}
	}
	return callcenter.OfficeID(target.ID)
}

// assignNumber is every form of assigning: the number in the path or the body or by area code, the target in the path
// or the body.
func assignNumber(c *call) (answer, error) {
	body, err := decode[numberAssign](c)
	if err != nil {
		return answer{}, err
	}
	if c.number != nil {
		body.Number = c.number.E164
	}
	target := c.numberTarget(body)
	rules := func(db records) []problem.Field {
		var fields []problem.Field
		if body.TargetID != nil && target.Type != "" && !exists(db, target) {
			fields = append(fields, problem.Field{
				Name: "target_id", In: problem.InBody, Message: "is no " + string(target.Type) + " of the company",
			})
		}
		return append(fields, c.knownNumber(db, body)...)
	}
	var assigned *callcenter.Number
	err = c.change(rules, func(tx *store.Tx) error {
		number, err := c.pick(tx, body)
		if err != nil {
			return err
		}
		primary := body.Primary == nil || *body.Primary
		if err := assign(tx, number, target, officeOf(tx, target), primary); err != nil {
			return err
		}
		assigned, _ = tx.Number(number.E164)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.showNumber(assigned)
}

// knownNumber is the rule for the number of a body.
func (c *call) knownNumber(db records, body numberAssign) []problem.Field {
	if c.number != nil || body.Number == "" && body.AreaCode != "" {
		return nil
	}
	if body.Number == "" {
		return []problem.Field{{Name: "number", In: problem.InBody, Message: "or area_code is required"}}
	}
	if _, ok := db.Number(body.Number); ok {
		return nil
	}
	return []problem.Field{{
		Name: "number", In: problem.InBody, Message: "is no number of the company; add it to the pool first",
	}}
}

func (c *call) pick(tx *store.Tx, body numberAssign) (*callcenter.Number, error) {
	if body.Number == "" {
		return fromPool(tx, body.AreaCode)
	}
	number, ok := tx.Number(body.Number)
	if !ok {
		return nil, problem.NotFound("number", body.Number)
	}
	return number, nil
}

func unassignNumber(c *call) (answer, error) {
	body, err := decode[numberAssign](c)
	if err != nil {
		return answer{}, err
	}
	target := c.numberTarget(body)
	var freed *callcenter.Number
	err = c.change(noRules, func(tx *store.Tx) error {
		number, ok := tx.Number(body.Number)
		if !ok || number.Target != target {
			return problem.InvalidBody("number", "is no number of this "+string(target.Type))
		}
		freed = toPool(number)
		return tx.PutNumber(freed)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showNumber(freed)
}
