package conductor

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/auth"
	"switchboard/internal/flow"
	"switchboard/internal/limit"
	"switchboard/internal/store"
)

// errorOf is what an answer says is wrong.
func errorOf(t *testing.T, body string) (message, token string) {
	t.Helper()
	var said struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	if err := json.Unmarshal([]byte(body), &said, flow.JSON); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return said.Message, said.Error
}

// token signs in with a key as clients do.
func (w *world) token(key string) string {
	w.t.Helper()
	id, secret, _ := auth.Parse(key)
	answer := w.call("POST", "/api/token", `{"keyId":"`+id+`","keySecret":"`+secret+`"}`, http.Header{})
	var got struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got, flow.JSON); err != nil || got.Token == "" {
		w.t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return got.Token
}

func TestTokensAreGoodForAnHourAndNoLongerThanTheirKey(t *testing.T) {
	w := newWorld(t, nil)
	at := time.Now()
	w.now = func() time.Time { return at }
	token := w.token(w.admin)
	ask := func(token string) (int, string) {
		answer := w.call("GET", "/api/workflow/search", "", http.Header{"X-Authorization": {token}})
		if answer.Code == http.StatusOK {
			return answer.Code, ""
		}
		_, wrong := errorOf(t, answer.Body.String())
		return answer.Code, wrong
	}
	header, rest, _ := strings.Cut(token, ".")
	other := newWorld(t, func(c *Config) { c.TokenKey = []byte("another") })
	for name, c := range map[string]struct {
		token string
		after time.Duration
		code  int
		wrong string
	}{
		"good":                  {token, 0, 200, ""},
		"just before its end":   {token, TokenLife - time.Second, 200, ""},
		"at its end":            {token, TokenLife, 401, expiredToken},
		"cut":                   {token[:len(token)-1], 0, 401, invalidToken},
		"no token":              {"token", 0, 401, invalidToken},
		"of no signature":       {header + "." + strings.Split(rest, ".")[0] + ".", 0, 401, invalidToken},
		"of another server":     {other.token(other.admin), 0, 401, invalidToken},
		"of one who is no more": {w.token(w.user), 0, 403, ""},
	} {
		at = at.Add(c.after)
		if code, wrong := ask(c.token); code != c.code || wrong != c.wrong {
			t.Errorf("%s: %d %s", name, code, wrong)
		}
		at = at.Add(-c.after)
	}
	err := w.store.Update(t.Context(), "test", func(tx *store.Tx) error {
		key, _ := w.store.Snapshot().Key(keyID(w.admin))
		gone := *key
		gone.ExpiresAt = at.Add(-time.Minute)
		return tx.PutKey(&gone)
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, wrong := ask(token); code != 401 || wrong != invalidToken {
		t.Errorf("the token of a key that is over: %d %s", code, wrong)
	}
}

func TestPagesAskWithTheirSession(t *testing.T) {
	w := newWorld(t, nil)
	r := request{who: auth.Page()}
	if r.identity() != "page" {
		t.Errorf("runs that pages start have the identity %s", r.identity())
	}
	if r := (request{who: auth.Principal{Key: "k"}}); r.identity() != "key:k" {
		t.Errorf("runs that keys start have the identity %s", r.identity())
	}
	req, err := http.NewRequestWithContext(auth.With(t.Context(), auth.Page()), "GET", "/api/workflow/search", nil)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := w.api.authenticate(req, nil); err != nil || !who.IsPage() {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestAKeyMayAskSoOften(t *testing.T) {
	const few = 3
	w := newWorld(t, func(c *Config) { c.RateLimit = few })
	at := time.Now()
	w.now = func() time.Time { return at }
	for range few {
		if answer := w.call("GET", "/api/version", "", nil); answer.Code != http.StatusOK {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	answer := w.call("GET", "/api/version", "", nil)
	if answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	at = at.Add(time.Second)
	if answer := w.call("GET", "/api/version", "", nil); answer.Code != http.StatusOK {
		t.Errorf("a second later: %d", answer.Code)
	}
}

func TestGuessersAreSentAway(t *testing.T) {
	w := newWorld(t, nil)
	wrong, _ := auth.Generate(store.RoleCompanyAdmin, 0)
	guess := http.Header{"Authorization": {"Bearer " + wrong}}
	for range limit.MaxAPIFailures {
		if answer := w.call("GET", "/api/version", "", guess); answer.Code != http.StatusUnauthorized {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	if answer := w.call("GET", "/api/version", "", guess); answer.Code != http.StatusTooManyRequests {
		t.Errorf("one guess more: %d", answer.Code)
	}
	if answer := w.call("GET", "/api/version", "", nil); answer.Code != http.StatusOK {
		t.Errorf("a good key from there: %d", answer.Code)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	fits := strings.Repeat(" ", MaxBody)
	if answer := w.call("POST", "/api/workflow", fits, nil); answer.Code != http.StatusBadRequest {
		t.Errorf("%d bytes: %d", len(fits), answer.Code)
	}
	if answer := w.call("POST", "/api/workflow", fits+" ", nil); answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("one more: %d", answer.Code)
	}
}

func TestWrittenSegmentsGoBeforeWildcards(t *testing.T) {
	routes := newWorld(t, nil).api.routes
	for path, want := range map[string]string{
		"GET /api/tasks/poll/log":             "/api/tasks/poll/{type}",
		"GET /api/tasks/x/log":                "/api/tasks/{id}/log",
		"GET /api/tasks/poll/batch/x":         "/api/tasks/poll/batch/{type}",
		"POST /api/tasks/w/COMPLETED/signal":  "/api/tasks/{id}/{status}/signal",
		"POST /api/tasks/w/ref/COMPLETED":     "/api/tasks/{id}/{ref}/{status}",
		"GET /api/workflow/running/status":    "/api/workflow/running/{name}",
		"GET /api/workflow/a%2Fb/status":      "/api/workflow/{id}/status",
		"POST /api/workflow/start":            "/api/workflow/{id}",
		"GET /api/event/handler":              "/api/event/{name}",
		"GET /api/scheduler/schedules/x/tags": "/api/scheduler/schedules/{name}/tags",
	} {
		method, path, _ := strings.Cut(path, " ")
		found, _, _ := routes.find(method, path)
		if found == nil || found.path != want {
			t.Errorf("%s leads to %+v, want %s", path, found, want)
		}
	}
	if _, values, _ := routes.find("GET", "/api/workflow/a%2Fb/status"); values["id"] != "a/b" {
		t.Errorf("the wildcard is %q", values["id"])
	}
}
