// Package conductor is the REST API that clients of Conductor know, under /api/: definitions, runs, tasks for outside
// workers, schedules, event handlers, secrets (docs/reference/automation-api.md). It also is a client of that API, for
// definitions that a Conductor cluster runs.
//
// It refuses to decide anything about runs: that is runner and flow. It lets in company administrators only, and gives
// no secret back.
package conductor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/auth"
	"switchboard/internal/flow"
	"switchboard/internal/limit"
	"switchboard/internal/runner"
	"switchboard/internal/store"
	"switchboard/internal/vault"
)

// What bounds requests.
const (
	DefaultRateLimit = 500     // requests a second of one key
	MaxBody          = 4 << 20 // bytes
)

// Config is what the API needs.
type Config struct {
	Runner      *runner.Runner
	Keys        auth.Keys
	Shelf       Shelf
	Secrets     *vault.Vault
	Environment *Environment
	Evaluator   runner.Evaluator // of scripts in dry runs
	TokenKey    []byte           // signs tokens
	Cluster     *Cluster         // nil: there is none
	Version     string
	Scheduler   Scheduler    // nil: there are no schedules
	Events      Events       // nil: there are no event handlers
	Webhooks    Webhooks     // nil: there are no incoming webhooks
	RateLimit   int          // requests a second of one key; 0: DefaultRateLimit
	Failures    *limit.Guard // of failed authentications; nil: its own, limit.MaxAPIFailures
	Now         func() time.Time
	Log         *slog.Logger
}

// Shelf keeps tags and environment variables.
type Shelf interface {
	Tags(ctx context.Context, kind, name string) ([]store.Tag, error) // "" as name: of all of the kind, "" as kind: all
	PutTags(ctx context.Context, kind, name string, tags []store.Tag, replace bool) error
	DropTags(ctx context.Context, kind, name string, tags []store.Tag) error
}

// API is the handler of /api/ (but for /api/v2/) and /health. Safe for concurrent use.
type API struct {
	Config
	routes *node
	gate   *limit.Log[string]
}

// New makes the handler.
func New(config Config) *API {
	if config.RateLimit == 0 {
		config.RateLimit = DefaultRateLimit
	}
	if config.Failures == nil {
		config.Failures = limit.NewGuard(limit.MaxAPIFailures)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{Config: config, routes: &node{}, gate: limit.NewLog[string](config.RateLimit, time.Second)}
	groups := [][]route{
		metadataRoutes, tagRoutes, workflowRoutes, bulkRoutes, searchRoutes, taskRoutes, secretRoutes, otherRoutes,
	}
	if config.Scheduler != nil {
		groups = append(groups, scheduleRoutes)
	}
	if config.Events != nil {
		groups = append(groups, eventRoutes)
	}
	if config.Webhooks != nil {
		groups = append(groups, webhookRoutes)
	}
	if config.Scheduler != nil && config.Events != nil {
		groups = append(groups, templateRoutes)
	}
	for _, group := range groups {
		for _, r := range group {
			a.routes.add(r)
		}
	}
	return a
}

// request is one request on its way through a handler.
type request struct {
	*http.Request
	who   auth.Principal
	path  map[string]string // of the wildcards
	query url.Values
}

// handle answers a request: with text (text/plain), nothing (200 without a body), none (204), or a value as JSON.
type handle func(a *API, r *request) (any, error)

type (
	text    string
	nothing struct{}
	none    struct{}
)

// ServeHTTP answers one request. A panic below becomes a 500 and a line in the log.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			a.Log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "cause", cause,
				"stack", string(debug.Stack()))
			a.refuse(w, r, errors.New("internal error"))
		}
	}()
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	answer, err := a.answer(w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	switch answer := answer.(type) {
	case nothing:
	case none:
		w.WriteHeader(http.StatusNoContent)
	case raw:
		if answer.kind != "" {
			header.Set("Content-Type", answer.kind)
		}
		_, _ = w.Write(answer.body)
	case text:
		header.Set("Content-Type", "text/plain;charset=utf-8")
		_, _ = io.WriteString(w, string(answer)) // a client that is gone
	default:
		body, err := json.Marshal(answer, flow.JSON)
		if err != nil {
			a.refuse(w, r, fmt.Errorf("encode the answer: %w", err))
			return
		}
		header.Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
}

func (a *API) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	route, path, allowed := a.routes.find(r.Method, r.URL.EscapedPath())
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query cannot be read: %v", err)
	}
	in := &request{Request: r, path: path, query: query}
	if route == nil || !route.open {
		if in.who, err = a.authenticate(r, query); err != nil {
			return nil, err
		}
		if v := a.gate.Allow(a.Now(), in.who.Key); !v.OK {
			return nil, &failure{
				status: http.StatusTooManyRequests, code: "TOO_MANY_REQUESTS", retryable: true, after: v.RetryAfter,
				message: fmt.Sprintf("this key made %d requests within a second", v.Limit),
			}
		}
		if !in.who.CompanyAdmin() {
			return nil, &failure{
				status: http.StatusForbidden, code: "FORBIDDEN", message: "only a company administrator may do that",
			}
		}
	}
	switch {
	case route != nil:
		return route.handle(a, in)
	case len(allowed) > 0:
		for _, method := range allowed {
			w.Header().Add("Allow", method)
		}
		return nil, &failure{
			status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED",
			message: r.Method + " is not for this path",
		}
	}
	return nil, missing("there is nothing at %s", r.URL.Path)
}

// body reads all of it.
func (r *request) body() ([]byte, error) {
	data, err := io.ReadAll(r.Body)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, &failure{
			status: http.StatusRequestEntityTooLarge, code: "INVALID_INPUT",
			message: fmt.Sprintf("the body may have %d bytes", long.Limit),
		}
	case err != nil:
		return nil, badRequest("the body cannot be read: %v", err)
	}
	return data, nil
}

// decode reads the body into to; an empty one leaves it as it is, unless it is required.
func (r *request) decode(to any, required bool) error {
	data, err := r.body()
	if err != nil {
		return err
	}
	if len(data) == 0 {
		if required {
			return badRequest("a body is required")
		}
		return nil
	}
	if err := json.Unmarshal(data, to, flow.JSON); err != nil {
		return badJSON(err)
	}
	return nil
}

// object reads a body that is a JSON object or nothing.
func (r *request) object() (flow.Map, error) {
	var m flow.Map
	if err := r.decode(&m, false); err != nil {
		return nil, err
	}
	return m, nil
}

// number reads a whole number of the query.
func (r *request) number(name string, otherwise int) (int, error) {
	if !r.query.Has(name) || r.query.Get(name) == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(r.query.Get(name))
	if err != nil {
		return 0, invalid(name, "must be a whole number")
	}
	return n, nil
}

// yes reads true or false of the query.
func (r *request) yes(name string, otherwise bool) (bool, error) {
	if !r.query.Has(name) || r.query.Get(name) == "" {
		return otherwise, nil
	}
	b, err := strconv.ParseBool(r.query.Get(name))
	if err != nil {
		return false, invalid(name, "must be true or false")
	}
	return b, nil
}

// identity is with whose rights a run that is started now calls our own API.
func (r *request) identity() string {
	if r.who.IsPage() {
		return "page"
	}
	return "key:" + r.who.Key
}

// by names who asks, for createdBy and updatedBy.
func (r *request) by() string { return string(r.who.Actor()) }

func addressOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}
