package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/limit"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

const centers = "/api/v2/callcenters"

// checkEnvelope holds an answer to the body that all errors have.
func checkEnvelope(t *testing.T, got reply, status int, reason problem.Reason) {
	t.Helper()
	got.want(status)
	if code, ok := got.at("error.code").(float64); !ok || int(code) != status {
		t.Errorf("code %v, want the number %d", got.at("error.code"), status)
	}
	if got.at("error.errors.0.reason") != string(reason) || got.at("error.errors.0.domain") != "global" {
		t.Errorf("reason %v, want %s: %s", got.at("error.errors.0.reason"), reason, got.body)
	}
	if got.at("error.message") == "" {
		t.Error("no message")
	}
}

func TestWhoMayComeIn(t *testing.T) {
	co := newCompany(t)
	gone := co.user("gone")
	goneKey := co.key(store.RoleUser, operatorID(t, gone))
	suspended := co.user("suspended")
	suspendedKey := co.key(store.RoleUser, operatorID(t, suspended))
	expired := co.key(store.RoleCompanyAdmin, 0, func(k *store.Key) { k.ExpiresAt = noon })
	late := co.key(store.RoleCompanyAdmin, 0, func(k *store.Key) { k.ExpiresAt = noon.Add(1) })
	co.send("GET", centers, nil, as(goneKey)).want(200)
	co.send("DELETE", "/api/v2/users/"+gone, nil).want(200)
	co.send("PATCH", "/api/v2/users/"+suspended, `{"state":"suspended"}`).want(200)

	nothing := func(r *http.Request) { r.Header.Del("Authorization") }
	for i, test := range []struct {
		target string
		edit   func(*http.Request)
		status int
	}{
		{centers, nothing, 401},
		{centers, as("sb_nonsense"), 401},
		{centers, as(co.admin + "x"), 401},
		{centers, as(co.admin[:len(co.admin)-1] + "!"), 401},
		{centers, as(expired), 401},
		{centers, as(late), 200},
		{centers, as(goneKey), 401},
		{centers, as(suspendedKey), 401},
		{centers, with("Authorization", "bEARER   "+co.admin), 200},
		{centers, with("Authorization", "Basic "+co.admin), 401},
		{centers, with("Authorization", co.admin), 401},
		{centers + "?apikey=" + co.admin, nothing, 200},
		{centers + "?apikey=", nothing, 401},
		{centers + "?apikey=" + co.admin, as("sb_nonsense"), 401}, // the header wins
		{centers + "?apikey=nonsense", as(co.admin), 200},
		{"/openapi.json", nothing, 200},
	} {
		co.address = fmt.Sprintf("192.0.2.%d:4000", i+10)
		got := co.send("GET", test.target, nil, test.edit)
		if got.status != test.status {
			t.Errorf("%d: status %d, want %d: %s", i, got.status, test.status, got.body)
		}
		if got.status == 401 {
			checkEnvelope(t, got, 401, problem.Unauthorized)
		}
	}
}

func TestOrderOfChecks(t *testing.T) {
	co := newCompany(t)
	id := co.center("Support")
	ada := operatorID(t, co.user("ada"))
	user := co.key(store.RoleUser, ada)
	text := with("Content-Type", "text/plain")
	huge := strings.Repeat(" ", MaxBody+1)
	stale := with("If-Match", `"99"`)
	for i, test := range []struct {
		method, target, body string
		edits                []func(*http.Request)
		status               int
	}{
		{"PUT", "/api/v2/nowhere", "{", []func(*http.Request){as("bad"), text}, 401},
		{"PUT", "/api/v2/nowhere", "{", []func(*http.Request){as(user), text}, 404},
		{"PUT", centers + "/x", "{", []func(*http.Request){as(user), text}, 405},
		{"PATCH", centers + "/x", "{", []func(*http.Request){as(user), text}, 403},
		{"PATCH", centers + "/x", "{", []func(*http.Request){text}, 400},
		{"PATCH", centers + "/12345", "{", []func(*http.Request){text}, 404},
		{"PATCH", centers + "/" + id, huge, []func(*http.Request){text}, 415},
		{"PATCH", centers + "/" + id, huge, []func(*http.Request){stale}, 413},
		{"PATCH", centers + "/" + id, "{", []func(*http.Request){stale}, 400},
		{"PATCH", centers + "/" + id, `{"ring_seconds":9}`, []func(*http.Request){stale}, 400},
		{"PATCH", centers + "/" + id, `{"ring_seconds":20}`, []func(*http.Request){stale}, 412},
	} {
		got := co.send(test.method, test.target, test.body, test.edits...)
		if got.status != test.status {
			t.Errorf("%d: %s %s: status %d, want %d: %s", i, test.method, test.target, got.status, test.status, got.body)
		}
	}
}

func TestPathsAndMethods(t *testing.T) {
	co := newCompany(t)
	for _, target := range []string{
		"/", "/api/v2", "/api/v2/", "/api/v2/callcenter", centers + "/", "/api//v2/callcenters", "/api/v2/x/../callcenters",
		centers + "/1/status/", "/api/v1/callcenters",
	} {
		checkEnvelope(t, co.send("GET", target, nil), 404, problem.Missing)
	}
	got := co.send("PUT", centers, nil)
	checkEnvelope(t, got, 405, problem.MethodNotAllowed)
	if allow := got.header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow %q", allow)
	}
	head := co.send("HEAD", centers, nil).want(200)
	if len(head.body) != 0 || head.header.Get("ETag") == "" {
		t.Errorf("HEAD: %q %v", head.body, head.header)
	}
}

func TestEveryOperationIsAnsweredAndDocumented(t *testing.T) {
	co := newCompany(t)
	routes := co.api.Routes()
	if len(routes) != len(handlers) {
		t.Fatalf("%d routes, %d handlers", len(routes), len(handlers))
	}
	for _, r := range routes {
		h, ok := handlers[r.ID]
		if !ok || h.handle == nil {
			t.Fatalf("%s has no handler", r.ID)
		}
		for _, id := range h.ids {
			if !strings.Contains(r.Path, "{"+id.name+"}") {
				t.Errorf("%s looks for %s, which is not in %s", r.ID, id.name, r.Path)
			}
		}
		if strings.Count(r.Path, "{") != len(h.ids) {
			t.Errorf("%s does not look at every id of %s", r.ID, r.Path)
		}
		path := strings.NewReplacer("{number}", "%2B14155550199", "{", "", "}", "").Replace(r.Path)
		got := co.send(r.Method, path, nil, func(req *http.Request) { req.Header.Del("Content-Type") })
		if got.status == 404 && got.at("error.message") == "There is no such path." || got.status == 405 {
			t.Errorf("%s %s is not answered: %s", r.Method, path, got.body)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	for kind, status := range map[string]int{
		"":                                  200,
		"application/json":                  200,
		"Application/JSON; charset=latin1":  200,
		"application/vnd.acme+json":         200,
		"text/json":                         415,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
		"application/merge-patch+json":      415,
		"application/json-patch+json":       415,
		"nonsense//":                        415,
	} {
		got := co.send("PATCH", target, "", func(r *http.Request) {
			r.Header.Del("Content-Type")
			if kind != "" {
				r.Header.Set("Content-Type", kind)
			}
		})
		if got.status != status {
			t.Errorf("%q: status %d, want %d", kind, got.status, status)
		}
	}
	checkEnvelope(t, co.send("PATCH", target, "{}", with("Content-Encoding", "gzip")), 415, problem.UnsupportedMediaType)
}

func TestBodyLimits(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	fill := func(size int) string { return "{}" + strings.Repeat(" ", size-2) }
	co.send("PATCH", target, fill(MaxBody)).want(200)
	checkEnvelope(t, co.send("PATCH", target, fill(MaxBody+1)), 413, problem.TooLarge)
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	checkEnvelope(t, co.send("PATCH", target, fill(MaxBody+1), chunked), 413, problem.TooLarge)
	nested := func(depth int) string {
		return `{"x":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + "}"
	}
	co.send("PATCH", target, nested(64)).want(200)
	checkEnvelope(t, co.send("PATCH", target, nested(65)), 400, problem.BadRequest)
	for _, bad := range []string{
		"[]", "null", "1", `"x"`, "{} {}", `{"name":"a","name":"b"}`, "{\"name\":\"\xff\"}", `{"name":"\ud800"}`,
		`{"name":"a\u0000"}`, `{"name":}`, `{`,
	} {
		checkEnvelope(t, co.send("PATCH", target, bad), 400, problem.BadRequest)
	}
}

func TestNumbersNullsAndNames(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	for _, good := range []string{`20`, `"20"`} {
		got := co.send("PATCH", target, `{"ring_seconds":`+good+`}`).want(200)
		if got.at("ring_seconds") != "20" {
			t.Errorf("ring_seconds %v", got.at("ring_seconds"))
		}
	}
	for _, bad := range []string{
		`20.5`, `true`, `""`, `"20 "`, `"0x14"`, `1e30`, `9223372036854775808`, `"9223372036854775808"`,
	} {
		got := co.send("PATCH", target, `{"ring_seconds":`+bad+`}`).want(400)
		if got.locations() != "ring_seconds" {
			t.Errorf("%s: %s", bad, got.body)
		}
	}
	before := co.send("GET", target, nil).want(200)
	nulls := `{"name":null,"hold_queue":{"max_hold_seconds":null},"monday_hours":null,"routing_options":null}`
	after := co.send("PATCH", target, nulls).want(200)
	if string(before.body) != string(after.body) {
		t.Error("null changed something")
	}
	if got := co.send("PATCH", target, `{"monday_hours":["08:00",null]}`).want(400); got.locations() != "monday_hours.1" {
		t.Errorf("null in a list: %s", got.body)
	}
	got := co.send("POST", centers, `{"name":null,"office_id":null}`).want(400)
	if got.locations() != "name office_id" {
		t.Errorf("required fields as null: %s", got.body)
	}
	got = co.send("PATCH", target, `{"NAME":"Shouting","Name":"Title"}`).want(200)
	if got.at("name") != "Support" || got.header.Get("Switchboard-Ignored-Fields") != "NAME, Name" {
		t.Errorf("keys are not case-sensitive: %s %v", got.body, got.header)
	}
	if strings.Contains(string(got.body), "null") || strings.Contains(string(got.body), `""`) {
		t.Errorf("nulls or empty texts in %s", got.body)
	}
}

func TestIgnoredFieldsAndStrictMode(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	body := `{"state":"suspended","webhook_id":7,"hold_queue":{"color":"red","max_hold_count":60}}`
	got := co.send("PATCH", target, body).want(200)
	ignored := got.header.Get("Switchboard-Ignored-Fields")
	if ignored != "state, webhook_id, hold_queue.color" || got.at("hold_queue.max_hold_count") != "60" {
		t.Errorf("ignored %q, %s", ignored, got.body)
	}
	strict := co.send("PATCH", target+"?strict=true", `{"state":"suspended","ring_seconds":9,"hold_queue":{"color":1}}`)
	if strict.want(400).locations() != "ring_seconds state hold_queue.color" {
		t.Errorf("strict: %s", strict.body)
	}
	co.send("PATCH", target+"?strict=true", `{"ring_seconds":12}`).want(200)
	if got := co.send("PATCH", target+"?strict=perhaps", `{"ring_seconds":9}`).want(400); got.locations() !=
		"ring_seconds strict" {
		t.Errorf("body and query: %s", got.body)
	}
}

func TestEveryBadFieldIsNamedOnce(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	got := co.send("PATCH", target, `{"name":" ","ring_seconds":"x","timezone":"Mars","tuesday_hours":["09:00"],
		"hold_queue":{"max_hold_seconds":60,"announce_position":true,"queue_escape_dtmf":"x"},
		"routing_options":{"open":{"action":"menu","try_dial_operators":true,
			"dtmf":[{"input":"1","options":{"action":"voicemail"}},{"input":"x","options":{"action":"person"}}]},
			"closed":{"action":"person","try_dial_operators":false,"action_target_id":"77","action_target_type":"user"}}}`)
	found := strings.Fields(got.want(400).locations())
	for _, want := range []string{
		"name", "ring_seconds", "timezone", "tuesday_hours", "hold_queue.announce_position", "hold_queue.queue_escape_dtmf",
		"routing_options.open.dtmf.1.input", "routing_options.closed.action_target_id",
	} {
		if n := len(slices.DeleteFunc(slices.Clone(found), func(f string) bool { return f != want })); n != 1 {
			t.Errorf("%s is named %d times: %v", want, n, found)
		}
	}
	if co.send("GET", target, nil).at("name") != "Support" {
		t.Error("a bad PATCH changed something")
	}
}

func TestRateLimits(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.RateLimit, c.CompanyRateLimit = 3, 5 })
	other := co.key(store.RoleCompanyAdmin, 0)
	for i := range 3 {
		got := co.send("GET", centers, nil).want(200)
		if left := got.header.Get("RateLimit-Remaining"); left != fmt.Sprint(2-i) {
			t.Errorf("request %d: %s left", i, left)
		}
		co.later(time.Second)
	}
	for range 5 { // what is refused is not counted
		got := co.send("GET", centers, nil)
		checkEnvelope(t, got, 429, problem.RateLimited)
		if got.header.Get("Retry-After") != "57" || got.header.Get("RateLimit-Limit") != "3" {
			t.Errorf("headers %v", got.header)
		}
	}
	co.send("GET", "/api/v2/offices", nil).want(200)          // another operation
	co.send("GET", centers, nil, as(other)).want(200)         // another key
	co.send("GET", "/api/v2/nowhere", nil).want(404)          // a path that is none counts by itself
	co.send("GET", "/api/v2/users", nil).want(200)            // the fourth of the company in this second
	co.send("GET", "/api/v2/users", nil, as(other)).want(200) // the fifth
	got := co.send("GET", "/api/v2/users", nil, as(other))    // the sixth
	checkEnvelope(t, got, 429, problem.RateLimited)
	if got.header.Get("Retry-After") != "1" {
		t.Errorf("headers %v", got.header)
	}
	co.later(time.Second)
	co.send("GET", "/api/v2/users", nil, as(other)).want(200)
	co.later(56 * time.Second)
	co.send("GET", centers, nil).want(200)
	co.send("GET", centers, nil).want(429)
	co.send("GET", "/openapi.json", nil, as("")).want(200)
}

func TestDefaultLimits(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.RateLimit, c.CompanyRateLimit = 0, 0 })
	for range limit.DefaultCompanyPerSecond {
		co.send("GET", "/api/v2/nowhere", nil).want(404)
	}
	got := co.send("GET", "/api/v2/nowhere", nil).want(429)
	if got.header.Get("RateLimit-Policy") != `"operation";q=1200;w=60, "company";q=20;w=1` {
		t.Errorf("policy %q", got.header.Get("RateLimit-Policy"))
	}
}

func TestVersions(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	first := co.send("GET", target, nil).want(200).header.Get("ETag")
	if got := co.send("GET", target, nil, with("If-None-Match", `"x", W/`+first)).want(304); len(got.body) != 0 ||
		got.header.Get("ETag") != first {
		t.Errorf("304: %s %v", got.body, got.header)
	}
	co.send("PATCH", target, `{"ring_seconds":20}`, with("If-Match", first)).want(200)
	co.send("GET", target, nil, with("If-None-Match", first)).want(200)
	got := co.send("PATCH", target, `{"ring_seconds":21}`, with("If-Match", first))
	checkEnvelope(t, got, 412, problem.PreconditionFailed)
	if got.header.Get("ETag") != `"2"` {
		t.Errorf("412 with ETag %s", got.header.Get("ETag"))
	}
	for match, status := range map[string]int{
		`"2"`: 200, `*`: 200, `"1", "2"`: 200, `W/"2"`: 412, `"22"`: 412, `2`: 412, `"1"`: 412, `"2-wrong`: 412,
	} {
		if got := co.send("PATCH", target, `{"ring_seconds":20}`, with("If-Match", match)); got.status != status {
			t.Errorf("If-Match %s: %d, want %d", match, got.status, status)
		}
	}
}

func TestOneOfManyWinsWithIfMatch(t *testing.T) {
	co := newCompany(t)
	target := centers + "/" + co.center("Support")
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for i := range 8 {
		wg.Go(func() {
			r := httptest.NewRequest("PATCH", target, strings.NewReader(fmt.Sprintf(`{"ring_seconds":%d}`, 11+i)))
			r.Header.Set("Authorization", "Bearer "+co.admin)
			r.Header.Set("If-Match", `"1"`)
			w := httptest.NewRecorder()
			co.api.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			count[w.Code]++
		})
	}
	wg.Wait()
	if count[200] != 1 || count[412] != 7 {
		t.Errorf("statuses %v", count)
	}
}

func TestAnswerSentBackChangesNothing(t *testing.T) {
	co := newCompany(t)
	bob := co.user("bob")
	id := co.center("Support", map[string]any{
		"group_description": "two\nlines", "hours_on": true, "saturday_hours": []string{"10:00", "12:00", "13:00", "24:00"},
		"routing_options": map[string]any{
			"open": map[string]any{
				"action": "menu", "try_dial_operators": false, "operator_routing": "random",
				"dtmf": []any{map[string]any{"input": "1", "options": map[string]any{
					"action": "person", "action_target_id": bob, "action_target_type": "user",
				}}},
			},
			"closed": map[string]any{"action": "disabled", "try_dial_operators": false},
		},
		"hold_queue": map[string]any{"max_hold_seconds": 60},
	})
	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+14155550100"]}`).want(200)
	assign := fmt.Sprintf(`{"number":"+14155550100","target_id":%s,"target_type":"callcenter"}`, id)
	co.send("POST", "/api/v2/numbers/assign", assign).want(200)
	for _, target := range []string{centers + "/" + id, "/api/v2/users/" + bob} {
		before := co.send("GET", target, nil).want(200)
		after := co.send("PATCH", target, string(before.body)).want(200)
		if string(before.body) != string(after.body) || before.header.Get("ETag") != after.header.Get("ETag") {
			t.Errorf("the answer sent back changed\n%s to\n%s", before.body, after.body)
		}
	}
	snapshot := co.store.Snapshot()
	center, _ := snapshot.Center(centerID(t, id))
	user, _ := snapshot.User(operatorID(t, bob))
	if center.Version != 1 || user.Version != 1 || center.Settings.Timezone != "" {
		t.Errorf("versions %d and %d, zone %q", center.Version, user.Version, center.Settings.Timezone)
	}
}

func TestPages(t *testing.T) {
	co := newCompany(t)
	const n = 7
	for i := range n {
		co.center(fmt.Sprintf("Center %d", i))
	}
	var names []string
	cursor := ""
	for range n {
		got := co.send("GET", centers+"?limit=3&office_id=&name_search=&cursor="+cursor, nil).want(200)
		for _, item := range got.items() {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		next, more := got.at("cursor").(string)
		if !more {
			break
		}
		cursor = next
		if len(names) == 3 { // what is deleted and added between pages makes none skip or come twice
			co.send("DELETE", centers+"/"+got.items()[2].(map[string]any)["id"].(string), nil).want(200)
			co.center("Center 7")
		}
	}
	want := "Center 0,Center 1,Center 2,Center 3,Center 4,Center 5,Center 6,Center 7"
	if strings.Join(names, ",") != want {
		t.Errorf("pages %v", names)
	}
	for query, location := range map[string]string{
		"limit=0": "limit", "limit=-1": "limit", "limit=abc": "limit", "cursor=abc": "cursor", "cursor=%21": "cursor",
		"office_id=0": "office_id", "office_id=x": "office_id", "limit=0&office_id=x": "limit office_id", "%zz": "",
	} {
		if got := co.send("GET", centers+"?"+query, nil).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	if got := co.send("GET", "/api/v2/users?cursor="+cursor, nil).want(400); got.locations() != "cursor" {
		t.Errorf("a cursor of another list: %s", got.body)
	}
	if got := co.send("GET", centers+"?limit=1000&unknown=x", nil).want(200); len(got.items()) != n {
		t.Errorf("%d items", len(got.items()))
	}
	if got := co.send("GET", centers+"?office_id=12345", nil).want(200); len(got.items()) != 0 {
		t.Errorf("items of an unknown office: %s", got.body)
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestPageHoldsAtMostAHundred(t *testing.T) {
	co := newCompany(t)
	numbers := make([]string, MaxPage+1)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+1415555%04d", i)
	}
	co.send("POST", "/api/v2/x/numbers", map[string]any{"numbers": numbers}).want(200)
	got := co.send("GET", "/api/v2/numbers?limit=500", nil).want(200)
	if len(got.items()) != MaxPage {
		t.Errorf("%d items", len(got.items()))
	}
	got = co.send("GET", "/api/v2/numbers?cursor="+got.text("cursor"), nil).want(200)
	if len(got.items()) != 1 || got.at("cursor") != nil {
		t.Errorf("last page: %s", got.body)
	}
}

func TestIDsInPaths(t *testing.T) {
	co := newCompany(t)
	for _, bad := range []string{"0", "-1", "abc", "01", "1.0", "9223372036854775808", "me"} {
		got := co.send("GET", centers+"/"+bad, nil).want(400)
		if got.at("error.errors.0.location") != "id" || got.at("error.errors.0.locationType") != "path" {
			t.Errorf("%s: %s", bad, got.body)
		}
	}
	checkEnvelope(t, co.send("GET", centers+"/9223372036854775807", nil), 404, problem.Missing)
	got := co.send("GET", centers+"/x/operators/y/skill", nil).want(400)
	if got.locations() != "call_center_id user_id" {
		t.Errorf("two bad ids: %s", got.body)
	}
	checkEnvelope(t, co.send("GET", "/api/v2/numbers/14155550100", nil), 400, problem.BadRequest)
}

// brokenSettings is a store that cannot write.
type brokenSettings struct{ Settings }

func (brokenSettings) Update(context.Context, store.Actor, func(*store.Tx) error) error {
	return errors.New("broken disk")
}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestPanicsAndFailuresTellNothing(t *testing.T) {
	co := newCompany(t)
	id := co.center("Support")
	kept := handlers["offices.list"]
	t.Cleanup(func() { handlers["offices.list"] = kept })
	handlers["offices.list"] = handler{may: anyKey, handle: func(*call) (answer, error) { panic("secret detail") }}
	logged := &logBuffer{}
	broken := New(Config{
		Settings: brokenSettings{co.store}, Voicemails: co.store, History: co.store, Live: co.core, Phones: co.core,
		Now: co.clock, Log: logged.logger(),
	})
	co.api = broken
	got := co.send("GET", "/api/v2/offices?apikey=sb_secret", nil)
	checkEnvelope(t, got, 500, problem.Internal)
	got = co.send("PATCH", centers+"/"+id+"?apikey=sb_secret", `{"ring_seconds":20}`)
	checkEnvelope(t, got, 500, problem.Internal)
	if strings.Contains(string(got.body), "secret") {
		t.Errorf("the answer tells %s", got.body)
	}
	text := logged.String()
	if !strings.Contains(text, "secret detail") || !strings.Contains(text, "broken disk") {
		t.Errorf("the log does not tell why: %s", text)
	}
	if strings.Contains(text, "sb_secret") || strings.Contains(text, co.admin) || !strings.Contains(text, "status=500") {
		t.Errorf("the log tells too much or too little: %s", text)
	}
}
