package api

import (
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// MinRouterSecret is the shortest secret of a call router, in characters.
const MinRouterSecret = 32

// signatureBody is a Signature of the document.
type signatureBody struct {
	Algo   string `json:"algo"`
	Type   string `json:"type"`
	Secret string `json:"secret"`
}

// signature is nil where nothing is signed.
func signature(secret string) *signatureBody {
	if secret == "" {
		return nil
	}
	return &signatureBody{"HS256", "jwt", secret}
}

// routerBody is a CallRouter of the document.
type routerBody struct {
	ID         callcenter.RouterID   `json:"id"`
	Name       string                `json:"name"`
	OfficeID   callcenter.OfficeID   `json:"office_id"`
	URL        string                `json:"routing_url"`
	TargetID   int64                 `json:"default_target_id"`
	TargetType callcenter.TargetType `json:"default_target_type"`
	Enabled    bool                  `json:"enabled"`
	Numbers    []string              `json:"phone_numbers"`
	Signature  *signatureBody        `json:"signature,omitzero"`
	Errors     int                   `json:"error_count"`
}

// routerUpdate is a CallRouterUpdate of the document, and but for its last field a CallRouterCreate.
type routerUpdate struct {
	routerFields
	Reset *bool `json:"reset_error_count"`
}

type routerFields struct {
	Name       *string                `json:"name"`
	OfficeID   *callcenter.OfficeID   `json:"office_id"`
	URL        *string                `json:"routing_url"`
	TargetID   *int64                 `json:"default_target_id"`
	TargetType *callcenter.TargetType `json:"default_target_type"`
	Enabled    *bool                  `json:"enabled"`
	Secret     *string                `json:"secret"`
}

func routerTarget(id callcenter.RouterID) callcenter.Target {
	return callcenter.Target{ID: int64(id), Type: callcenter.TargetCallRouter}
}

func findRouter(c *call, text string) (err error) {
	c.router, err = routerIn(c.snapshot, callcenter.RouterID(positive(text)))
	return err
}

func routerIn(db records, id callcenter.RouterID) (*callcenter.CallRouter, error) {
	router, ok := db.CallRouter(id)
	if !ok {
		return nil, problem.NotFound("callrouter", id)
	}
	return router, nil
}

func (c *call) routerBody(r *callcenter.CallRouter) routerBody {
	recent := 0
	for _, at := range r.Errors {
		if !r.Enabled || c.now.Sub(at) < time.Hour {
			recent++
		}
	}
	return routerBody{
		ID: r.ID, Name: r.Name, OfficeID: r.OfficeID, URL: r.RoutingURL, TargetID: r.DefaultTarget.ID,
		TargetType: r.DefaultTarget.Type, Enabled: r.Enabled,
		Numbers:   c.api.phoneNumbers(c.api.Settings.Snapshot(), routerTarget(r.ID)),
		Signature: signature(r.Secret), Errors: recent,
	}
}

func listRouters(c *call) (answer, error) {
	office := callcenter.OfficeID(c.query.Int("office_id", 0))
	return showPage(c, c.snapshot.CallRouters(),
		func(r *callcenter.CallRouter) int64 { return r.Seq },
		func(r *callcenter.CallRouter) bool { return office == 0 || r.OfficeID == office }, c.routerBody)
}

func getRouter(c *call) (answer, error) { return c.showRouter(c.router) }

func (c *call) showRouter(r *callcenter.CallRouter) (answer, error) {
	return showVersion(c.routerBody(r), r.Version)
}

func (u routerFields) onto(r callcenter.CallRouter) callcenter.CallRouter {
	set(&r.Name, u.Name)
	set(&r.OfficeID, u.OfficeID)
	set(&r.RoutingURL, u.URL)
	set(&r.DefaultTarget.ID, u.TargetID)
	set(&r.DefaultTarget.Type, u.TargetType)
	set(&r.Enabled, u.Enabled)
	set(&r.Secret, u.Secret)
	return r
}

// rules judges what the request gives; next is the router as it would be. What it leaves alone was judged before.
func (u routerFields) rules(db records, next callcenter.CallRouter) []problem.Field {
	fields := knownOffice(db, u.OfficeID)
	bad := func(name, message string) {
		fields = append(fields, problem.Field{Name: name, In: problem.InBody, Message: message})
	}
	if u.Name != nil {
		if err := callcenter.CheckName(*u.Name); err != nil {
			bad("name", err.Error())
		}
	}
	if u.URL != nil {
		if message := badURL(*u.URL); message != "" {
			bad("routing_url", message)
		}
	}
	if u.Secret != nil && *u.Secret != "" && utf8.RuneCountInString(*u.Secret) < MinRouterSecret {
		bad("secret", "must have at least 32 characters")
	}
	switch target := next.DefaultTarget; {
	case u.TargetID == nil && u.TargetType == nil:
	case target.Type == callcenter.TargetCallRouter:
		bad("default_target_type", "must not be a callrouter: it could fail in turn")
	case target.Type != "" && target.ID != 0 && !exists(db, target):
		bad("default_target_id", "is no "+string(target.Type)+" of the company")
	}
	return fields
}

// badURL says why nothing can be sent to an address; "": it can. Whether the network may be reached is judged when
// something is sent, since names lead elsewhere tomorrow.
func badURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "must be an http or https URL"
	case u.User != nil:
		return "must not hold a user name or password"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "must not hold blanks"
	}
	return ""
}

func createRouter(c *call) (answer, error) {
	body, err := decode[routerFields](c)
	if err != nil {
		return answer{}, err
	}
	made := body.onto(callcenter.CallRouter{Enabled: true})
	rules := func(db records) []problem.Field { return body.rules(db, made) }
	err = c.change(rules, func(tx *store.Tx) error {
		made.ID = callcenter.RouterID(tx.NewID())
		return tx.PutCallRouter(&made)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showRouter(&made)
}

func updateRouter(c *call) (answer, error) {
	body, err := decode[routerUpdate](c)
	if err != nil {
		return answer{}, err
	}
	rules := func(db records) []problem.Field {
		router, ok := db.CallRouter(c.router.ID)
		if !ok {
			return nil
		}
		return body.rules(db, body.onto(*router))
	}
	var made *callcenter.CallRouter
	err = c.change(rules, func(tx *store.Tx) error {
		router, err := routerIn(tx, c.router.ID)
		if err != nil {
			return err
		}
		if err := c.ifMatch(router.Version); err != nil {
			return err
		}
		next := body.onto(*router)
		made = &next
		if body.Reset != nil && *body.Reset {
			next.Errors = nil
		}
		if reflect.DeepEqual(next, *router) {
			return nil
		}
		return tx.PutCallRouter(made)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showRouter(made)
}

func deleteRouter(c *call) (answer, error) {
	body := c.routerBody(c.router)
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		found, err := tx.DeleteCallRouter(c.router.ID)
		if err == nil && !found {
			return problem.NotFound("callrouter", c.router.ID)
		}
		if err != nil {
			return err
		}
		return release(tx, routerTarget(c.router.ID))
	})
	if err != nil {
		return answer{}, err
	}
	return show(body)
}
