package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/limit"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// countedKey is what the limit of 1,200 a minute counts by.
type countedKey struct{ operation, key string }

// ownLimit is what an operation is limited to in place of the usual 1,200 a minute.
type ownLimit struct {
	requests int
	window   time.Duration
}

// ownLimits are the operations with a limit of their own; x-rate-limit in the document says the same. They hold at the
// usual rate limit: a server that is told to let through ten times as much does so for these too.
var ownLimits = map[string]ownLimit{
	"call.get_call_info":   {10, time.Minute},
	"call.call":            {5, time.Minute},
	"call.put_call_labels": {250, time.Minute},
	"webhooks.create":      {100, time.Minute},
	"callrouters.update":   {1, 5 * time.Minute}, // of each router

	"x.testrequests.create": {10, time.Minute},
}

// scaled is a limit on a server whose usual rate limit is perMinute.
func scaled(requests, perMinute int) int {
	return max(1, requests*perMinute/limit.DefaultPerMinute)
}

// counter counts the requests of one operation, or of all that have no limit of their own.
type counter struct {
	*limit.Log[countedKey]
	window time.Duration
}

// gate lets a request through both limits or counts it in neither.
type gate struct {
	mu         sync.Mutex
	operations counter
	own        map[string]counter // by operation
	companies  *limit.Log[struct{}]
}

func newGate(perMinute, companyPerSecond int) *gate {
	g := &gate{
		operations: counter{limit.NewLog[countedKey](perMinute, time.Minute), time.Minute},
		companies:  limit.NewLog[struct{}](companyPerSecond, time.Second),
		own:        map[string]counter{},
	}
	for operation, own := range ownLimits {
		g.own[operation] = counter{limit.NewLog[countedKey](scaled(own.requests, perMinute), own.window), own.window}
	}
	return g
}

// pass counts a request and says what is left, in the headers; refused: in the error too.
func (g *gate) pass(now time.Time, key countedKey, record string, header http.Header) error {
	counted, special := g.own[key.operation]
	if !special {
		counted = g.operations
	} else if key.operation == "callrouters.update" {
		key.operation += " " + record
	}
	g.mu.Lock()
	own, all := counted.Peek(now, key), g.companies.Peek(now, struct{}{})
	if own.OK && all.OK {
		own, all = counted.Allow(now, key), g.companies.Allow(now, struct{}{})
	}
	g.mu.Unlock()
	header.Set("RateLimit-Policy",
		policy("operation", own.Limit, seconds(counted.window))+", "+policy("company", all.Limit, 1))
	header.Set("RateLimit", left("operation", own)+", "+left("company", all))
	header.Set("RateLimit-Limit", strconv.Itoa(own.Limit))
	header.Set("RateLimit-Remaining", strconv.Itoa(own.Remaining))
	header.Set("RateLimit-Reset", strconv.Itoa(seconds(own.Reset)))
	switch {
	case !own.OK:
		return problem.Limited("This key made "+strconv.Itoa(own.Limit)+" requests of this operation within "+
			inWords(counted.window)+".", max(own.RetryAfter, all.RetryAfter))
	case !all.OK:
		return problem.Limited("The company made "+strconv.Itoa(all.Limit)+" requests within a second.", all.RetryAfter)
	}
	return nil
}

func inWords(window time.Duration) string {
	if window == time.Minute {
		return "a minute"
	}
	return strconv.Itoa(int(window.Minutes())) + " minutes"
}

func policy(name string, limit, window int) string {
	return `"` + name + `";q=` + strconv.Itoa(limit) + `;w=` + strconv.Itoa(window)
}

func left(name string, v limit.Verdict) string {
	return `"` + name + `";r=` + strconv.Itoa(v.Remaining) + `;t=` + strconv.Itoa(seconds(v.Reset))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// authenticate finds out who asks: the key says it, or for a request without one that our own program makes, its
// context. An address that failed too often gets 429 for every further failure; a good key is
// still let in from there, so that nobody is locked out by a neighbour. What has not even the form of a key is no
// guess.
func (a *API) authenticate(r *http.Request, now time.Time) (auth.Principal, error) {
	text := keyText(r)
	if who, ours := auth.From(r.Context()); ours && text == "" && r.Header.Get("Authorization") == "" {
		return who, nil
	}
	id, secret, ok := auth.Parse(text)
	if !ok {
		return auth.Principal{}, problem.New(problem.Unauthorized, "")
	}
	key, err := a.lookUp(r.Context(), id, secret, now)
	if err != nil {
		return auth.Principal{}, err
	}
	if key != nil {
		return auth.Of(key), nil
	}
	addr := addressOf(r)
	if wait := a.Failures.Refused(now, addr); wait > 0 {
		refused := problem.New(problem.TooManyFailures, "")
		refused.RetryAfter = wait
		return auth.Principal{}, refused
	}
	if a.Failures.Fail(now, addr) {
		a.Log.Warn("an address is refused after too many bad keys", "address", addr.String())
	}
	return auth.Principal{}, problem.New(problem.Unauthorized, "")
}

// lookUp finds the key with this id and secret; nil: it is none that works.
func (a *API) lookUp(ctx context.Context, id, secret string, now time.Time) (*store.Key, error) {
	key, err := auth.Find(ctx, a.Settings, id, now)
	if key == nil || err != nil || !auth.Verify(key, secret, now) {
		return nil, err
	}
	return key, nil
}

// keyText is the key as sent. The header wins over the query, also when it holds something else than a key.
func keyText(r *http.Request) string {
	if lines := r.Header.Values("Authorization"); len(lines) > 0 {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
		if len(lines) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return ""
		}
		return strings.TrimSpace(rest)
	}
	if !strings.Contains(r.URL.RawQuery, "apikey=") {
		return ""
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what is malformed is found later, by whom it concerns
	return query.Get("apikey")
}
