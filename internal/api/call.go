package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/graph"
	"switchboard/internal/problem"
	"switchboard/internal/schema"
	"switchboard/internal/store"
)

// MaxBody bounds a request body, in bytes; MaxUpload that of an upload, MaxDocumentBody that of an OpenAPI document,
// which as a JSON string is longer than it is, and MaxTestBody that of a test request.
const (
	MaxBody         = 256 << 10
	MaxUpload       = 16 << 20
	MaxDocumentBody = 32 << 20
	MaxTestBody     = 1 << 20
)

// bodyLimits are the operations that take more than MaxBody.
var bodyLimits = map[string]int64{
	"ivr.create": MaxUpload, "x.directory.documents.create": MaxDocumentBody, "x.testrequests.create": MaxTestBody,
}

// call is one request on its way through an operation.
type call struct {
	api      *API
	route    *Route
	w        http.ResponseWriter
	r        *http.Request
	who      auth.Principal
	now      time.Time
	snapshot *store.Snapshot // the settings when the request was let in
	query    schema.Query
	body     []byte          // normalised by package schema
	bad      []problem.Field // what is wrong with the body and the query so far
	ignored  []string

	// What the path names, found before the handler runs.
	center   *callcenter.Center
	user     *callcenter.User
	office   *callcenter.Office
	number   *callcenter.Number
	device   *callcenter.Device
	trunk    *callcenter.Trunk
	message  store.VoicemailRecord
	operator callcenter.Member // the user's place in the center

	holiday      callcenter.Holiday
	router       *callcenter.CallRouter
	webhook      *callcenter.Webhook
	subscription *callcenter.Subscription
	prompt       *callcenter.CustomPrompt
	target       callcenter.Target // of the uploads that the path names
	leg          graph.Leg
	notes        store.CallNotes
	recording    store.RecordingRecord
	letter       store.Delivery
}

func (c *call) context() context.Context { return c.r.Context() }

// serve answers one request in the order of checks of docs/reference/api.md: 401, 429, 404, 405, 403, the ids of the
// path, 415, 413, the body and query, and then in the handler 412 and 409. methods is nil for a path that does not
// exist.
func (a *API) serve(w http.ResponseWriter, r *http.Request, methods map[string]*Route) {
	c := &call{api: a, w: w, r: r, now: a.Now(), snapshot: a.Settings.Snapshot()}
	found, err := c.run(methods)
	if err != nil {
		c.fail(err)
		return
	}
	c.write(found)
}

func (c *call) run(methods map[string]*Route) (answer, error) {
	if err := c.admit(methods); err != nil {
		return answer{}, err
	}
	if !c.route.may(c) {
		return answer{}, problem.New(problem.Forbidden, "")
	}
	if err := c.resolve(); err != nil {
		return answer{}, err
	}
	if c.route.Body {
		if err := c.readBody(); err != nil {
			return answer{}, err
		}
	}
	if err := c.checkQuery(); err != nil {
		return answer{}, err
	}
	return c.route.handle(c)
}

// admit does the checks up to the method.
func (c *call) admit(methods map[string]*Route) error {
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	c.route = methods[method]
	if c.route != nil && c.route.open {
		return nil
	}
	var err error
	if c.who, err = c.api.authenticate(c.r, c.now); err != nil {
		return err
	}
	if id, ok := c.r.Context().Value(keyOfLog{}).(*string); ok {
		*id = c.who.Key
	}
	if err := c.api.gate.pass(c.now, countedKey{c.operation(), c.who.Key}, c.r.PathValue("id"), c.w.Header()); err != nil {
		return err
	}
	if len(methods) == 0 {
		return problem.New(problem.Missing, "There is no such path.")
	}
	if c.route == nil {
		refused := problem.New(problem.MethodNotAllowed, "")
		refused.Allow = allowed(methods)
		return refused
	}
	return nil
}

func allowed(methods map[string]*Route) []string {
	var allow []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		if methods[method] != nil || method == "HEAD" && methods["GET"] != nil {
			allow = append(allow, method)
		}
	}
	return allow
}

// readBody checks media type and size and has package schema check the rest. What is wrong inside is kept in c.bad, so
// that rules of the handler can add to it.
func (c *call) readBody() error {
	if !jsonType(c.r.Header) {
		return problem.New(problem.UnsupportedMediaType, "")
	}
	limit := int64(MaxBody)
	if larger := bodyLimits[c.route.ID]; larger > 0 {
		limit = larger
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return problem.New(problem.TooLarge, "")
		}
		return problem.New(problem.BadRequest, "The request body ended too early.")
	}
	checked := c.api.schema.Check(c.route.ID, body)
	c.note(problem.InBody, checked.Problems)
	c.body, c.ignored = checked.JSON, checked.Ignored
	if c.body == nil {
		return problem.Invalid(c.bad...)
	}
	return nil
}

func (c *call) note(in problem.Where, found []schema.Problem) {
	for _, one := range found {
		c.bad = append(c.bad, problem.Field{Name: one.Location, In: in, Message: one.Message})
	}
}

// checkQuery checks the parameters behind the question mark. Without a body to judge as well, it fails at once.
func (c *call) checkQuery() error {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		c.bad = append(c.bad, problem.Field{In: problem.InQuery, Message: "is not a valid query string"})
	}
	query, problems := c.api.schema.CheckQuery(c.route.ID, values)
	c.note(problem.InQuery, problems)
	c.query = query
	if query.Bool("strict") {
		for _, path := range c.ignored {
			c.bad = append(c.bad, problem.Field{
				Name: path, In: problem.InBody, Message: "is not a field that can be set here",
			})
		}
	}
	if len(c.bad) > 0 && !c.route.Body {
		return problem.Invalid(c.bad...)
	}
	return nil
}

// jsonType says whether a body may be JSON by its headers. Merge patches are not what our PATCH does: there null means
// remove, here it means unchanged.
func jsonType(header http.Header) bool {
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	text := header.Get("Content-Type")
	if text == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(text)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	if kind == "application/merge-patch+json" || kind == "application/json-patch+json" {
		return false
	}
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// decode fills a value from the checked body.
func decode[T any](c *call) (value T, err error) {
	err = json.Unmarshal(c.body, &value)
	return value, err
}

// refuse lists all that is wrong: what was found so far and what the rules add. A rule is not heard about a field whose
// value was refused already, as it only saw that it is missing. nil: nothing is wrong.
func (c *call) refuse(rules []problem.Field) error {
	all := c.bad
	for _, rule := range rules {
		if !overlaps(c.bad, rule.Name) {
			all = append(all, rule)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return problem.Invalid(all...)
}

func overlaps(fields []problem.Field, name string) bool {
	for _, field := range fields {
		if field.In == problem.InBody &&
			(field.Name == name || within(field.Name, name) || within(name, field.Name)) {
			return true
		}
	}
	return false
}

// within says whether the path inner lies below outer.
func within(inner, outer string) bool {
	return outer != "" && strings.HasPrefix(inner, outer) && inner[len(outer):][0] == '.'
}

// change judges the body by rules and then changes the settings. The rules are asked twice: before, together with what
// is wrong already, so that one answer names everything; and inside the writer, where nothing comes between them and
// the change.
func (c *call) change(rules func(records) []problem.Field, change func(*store.Tx) error) error {
	if len(c.bad) > 0 {
		return c.refuse(rules(c.snapshot))
	}
	return c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		if err := c.refuse(rules(tx)); err != nil {
			return err
		}
		return change(tx)
	})
}

// noRules is for bodies of which package schema says everything.
func noRules(records) []problem.Field { return nil }

// records are the settings that rules look at: a Snapshot, or the Tx of a change.
type records interface {
	Center(callcenter.ID) (*callcenter.Center, bool)
	User(callcenter.OperatorID) (*callcenter.User, bool)
	Office(callcenter.OfficeID) (*callcenter.Office, bool)
	Number(e164 string) (*callcenter.Number, bool)
	CallRouter(callcenter.RouterID) (*callcenter.CallRouter, bool)
	Webhook(callcenter.WebhookID) (*callcenter.Webhook, bool)
}

// translate turns the store's errors into those of the catalogue.
func (c *call) translate(err error) error {
	var duplicate store.ErrDuplicate
	switch {
	case errors.As(err, &duplicate):
		return problem.Conflicts("Another " + string(duplicate.Kind) + " has this " + duplicate.Field + ".")
	case errors.Is(err, store.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem.New(problem.Unavailable, "")
	}
	return err
}
