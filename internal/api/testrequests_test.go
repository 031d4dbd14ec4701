package api

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/auth"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// testBench stands in for what sends test requests, and says what it was asked.
type testBench struct{ asked []string }

const sentTest = `{"id":"run","date":"1700000000000","state":"COMPLETED","request":{"uri":"https://example.com"},` +
	`"output":{"response":{"statusCode":200}},"exchange":{"durationMs":1.5},"response_verdict":{"findings":[]}}`

func (b *testBench) Send(_ context.Context, who auth.Principal, test TestRequest) (jsontext.Value, error) {
	b.asked = append(b.asked, fmt.Sprintf("%s %s %s %s", test.Method, test.Path, test.Request, test.Input))
	if !who.CompanyAdmin() {
		return nil, problem.New(problem.Forbidden, "")
	}
	return jsontext.Value(sentTest), nil
}

func (b *testBench) List(_ context.Context, of Operation, limit int) (jsontext.Value, error) {
	b.asked = append(b.asked, fmt.Sprintf("list %s %s %s %d", of.DocumentURL, of.Method, of.Path, limit))
	return jsontext.Value(`{"items":[{"id":"run","date":"1700000000000","state":"COMPLETED","method":"GET",` +
		`"url":"https://example.com","status_code":"200","duration_ms":"12"}]}`), nil
}

func (b *testBench) Get(_ context.Context, id string) (jsontext.Value, error) {
	if id != "run" {
		return nil, problem.NotFound("test request", id)
	}
	return jsontext.Value(sentTest), nil
}

func TestTestRequests(t *testing.T) {
	bench := &testBench{}
	co := newCompany(t, func(c *Config) { c.Tests = bench })
	const target = "/api/v2/x/test-requests"
	request := `{"uri":"https://example.com","body":{"n":9007199254740993,"none":null,"deep":[{}]}}`
	co.send("POST", target, `{"request": `+request+`, "input":{"a":1.5}, "method":"GET", "path":"/"}`).want(200)
	co.send("POST", target, `{"request":{},"input":null}`).want(200)
	for body, where := range map[string]string{
		`{}`: "request", `{"request":"x","input":[]}`: "request input", `{"request":{},"method":"AVERYLONGMETHOD"}`: "method",
	} {
		if got := co.send("POST", target, body).want(400); got.locations() != where {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	co.send("GET", target+"?document_url=u&method=GET&path=/&limit=50", nil).want(200)
	co.send("GET", target, nil).want(200)
	co.send("GET", target+"?limit=51", nil).want(400)
	co.send("GET", target+"/run", nil).want(200)
	checkEnvelope(t, co.send("GET", target+"/none", nil), 404, problem.Missing)
	want := []string{"GET / " + request + ` {"a":1.5}`, "  {} null", "list u GET / 50", "list    20"}
	if got := strings.Join(bench.asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked\n%s", got)
	}
	user := co.key(store.RoleUser, operatorID(t, co.user("ada")))
	co.send("POST", target, `{"request":{}}`, as(user)).want(403)
	co.send("GET", target, nil, as(user)).want(403)
}

func TestTestRequestsAreTenAMinute(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.Tests = &testBench{}; c.RateLimit = 0 })
	for range 10 {
		co.send("POST", "/api/v2/x/test-requests", `{"request":{}}`).want(200)
	}
	checkEnvelope(t, co.send("POST", "/api/v2/x/test-requests", `{"request":{}}`), 429, problem.RateLimited)
}
