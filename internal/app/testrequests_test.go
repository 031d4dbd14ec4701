package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/api"
	"switchboard/internal/auth"
	apidir "switchboard/internal/directory"
	"switchboard/internal/flow"
	"switchboard/internal/problem"
	"switchboard/internal/runner"
)

// tester is what test requests of a server go through.
func tester(a *App) *testRequests {
	t := newTestRequests(a.apis)
	t.workflows.Store(a.runner)
	return t
}

func sendTest(t *testing.T, with *testRequests, who auth.Principal, test api.TestRequest) flow.Map {
	t.Helper()
	raw, err := with.Send(t.Context(), who, test)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, raw)
}

func decoded(t *testing.T, raw jsontext.Value) flow.Map {
	t.Helper()
	value, err := flow.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return value.(flow.Map)
}

// in walks down members of objects.
func in(v flow.Value, path string) flow.Value {
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(flow.Map)
		v = m[name]
	}
	return v
}

var updateCenter = api.Operation{DocumentURL: apidir.OwnURL, Method: "PATCH", Path: "/api/v2/callcenters/{id}"}

func TestTestRequestChangesASettingAndIsRemembered(t *testing.T) {
	a := withACenter(t)
	with := tester(a)
	got := sendTest(t, with, auth.Page(), api.TestRequest{
		Request: jsontext.Value(`{"uri":"` + a.URL() + `/api/v2/callcenters/${workflow.input.id}","method":"PATCH",
			"headers":{"X-API-Key":"open sesame"},"body":{"ring_seconds":33}}`),
		Input: jsontext.Value(`{"id":5}`), Operation: updateCenter,
	})
	if got["state"] != "COMPLETED" || in(got, "output.response.statusCode") != int64(200) ||
		in(got, "output.response.body.ring_seconds") != "33" || ringSeconds(a) != 33 {
		t.Fatalf("%s", flow.Encode(got))
	}
	if in(got, "exchange.own") != true || in(got, "exchange.response.statusCode") != int64(200) ||
		in(got, "output.exchange") != nil || in(got, "request.headers.X-API-Key") != "***" {
		t.Errorf("%s", flow.Encode(got))
	}
	if n := len(in(got, "request_verdict.findings").([]any)) + len(in(got, "response_verdict.findings").([]any)); n > 0 {
		t.Errorf("%s", flow.Encode(got))
	}
	raw, err := with.Get(t.Context(), got["id"].(string))
	if err != nil || string(raw) != string(flow.Encode(got)) {
		t.Errorf("later it is %s (%v)", raw, err)
	}
	sendTest(t, with, auth.Page(), api.TestRequest{
		Request: jsontext.Value(`{"uri":"` + a.URL() + `/api/v2/callcenters/5","method":"GET"}`),
	})
	for _, list := range []struct {
		of   api.Operation
		want string
	}{{updateCenter, "PATCH 200"}, {api.Operation{}, "GET 200, PATCH 200"}, {api.Operation{Path: "/"}, ""}} {
		raw, err := with.List(t.Context(), list.of, 20)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, item := range decoded(t, raw)["items"].([]any) {
			found = append(found, in(item, "method").(string)+" "+in(item, "status_code").(string))
		}
		if text := strings.Join(found, ", "); text != list.want {
			t.Errorf("of %v: %q", list.of, text)
		}
	}
	if _, err := with.Get(t.Context(), "none"); !errors.As(err, new(*problem.Error)) {
		t.Errorf("an unknown one: %v", err)
	}
}

func TestTestRequestIsComparedWithItsDocument(t *testing.T) {
	a := withACenter(t)
	got := sendTest(t, tester(a), auth.Page(), api.TestRequest{
		Request: jsontext.Value(`{"uri":"` + a.URL() + `/api/v2/callcenters/x","method":"PATCH",
			"body":{"ring_seconds":true}}`),
		Operation: updateCenter,
	})
	var found []string
	for _, finding := range in(got, "request_verdict.findings").([]any) {
		found = append(found, in(finding, "in").(string)+" "+in(finding, "at").(string))
	}
	if strings.Join(found, ", ") != "path id, body /ring_seconds" || in(got, "response_verdict.unchecked") != nil {
		t.Errorf("%v: %s", found, flow.Encode(got))
	}
}

func TestTestRequestHasNoMoreRightsThanWhoAsks(t *testing.T) {
	a := withACenter(t)
	got := sendTest(t, tester(a), auth.Principal{Key: "gone"}, api.TestRequest{
		Request: jsontext.Value(`{"uri":"` + a.URL() + `/api/v2/callcenters/5","method":"DELETE"}`),
	})
	if reason, _ := got["reason"].(string); got["state"] != "FAILED" || !strings.Contains(reason, "may not use this API") {
		t.Errorf("%s", flow.Encode(got))
	}
}

func TestTestRequestStaysBehindTheGuard(t *testing.T) {
	a := withACenter(t)
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the guard let a test request in")
	}))
	t.Cleanup(inside.Close)
	got := sendTest(t, tester(a), auth.Page(), api.TestRequest{
		Request: jsontext.Value(`{"uri":"` + inside.URL + `","method":"GET"}`),
	})
	if reason, _ := got["reason"].(string); !strings.Contains(reason, "refused") {
		t.Errorf("%s", flow.Encode(got))
	}
}

func TestTestRequestThatCannotBeSentIsRefused(t *testing.T) {
	with := tester(withACenter(t))
	for request, want := range map[string]string{
		`{"method":"GET"}`: "request.uri",
		`{"uri":"ftp://example.com","method":"FETCH"}`:            "request.method request.uri",
		`{"uri":"https://example.com/${a.b}","method":"GET"}`:     "request.uri",
		`{"uri":"https://example.com","method":"GET","accept":1}`: "request.accept",
	} {
		_, err := with.Send(t.Context(), auth.Page(), api.TestRequest{Request: jsontext.Value(request)})
		var refused *problem.Error
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", request, err)
			continue
		}
		var names []string
		for _, f := range refused.Fields {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q", request, got)
		}
	}
}

func TestTestRequestsUnderWayAreBounded(t *testing.T) {
	with := newTestRequests(nil)
	request := api.TestRequest{Request: jsontext.Value(`{}`)}
	if _, err := with.Send(t.Context(), auth.Page(), request); err == nil {
		t.Error("sent before the server serves")
	}
	with.workflows.Store(&runner.Runner{})
	for range maxTests {
		with.slots <- struct{}{}
	}
	var refused *problem.Error
	if _, err := with.Send(context.Background(), auth.Page(), request); !errors.As(err, &refused) ||
		refused.Reason != problem.RateLimited {
		t.Errorf("the %dth was let in: %v", maxTests+1, err)
	}
}
