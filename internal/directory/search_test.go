package directory

import (
	"bytes"
	"strings"
	"testing"

	"switchboard/openapi"
)

func newDirectory(t *testing.T) *Directory {
	t.Helper()
	d := New(Config{Dir: t.TempDir(), Origin: func() string { return "http://localhost:8080" }})
	t.Cleanup(d.Close)
	return d
}

// TestSearchFindsFirst holds the order of results to what somebody who types these words means.
func TestSearchFindsFirst(t *testing.T) {
	d := newDirectory(t)
	for words, want := range map[string]string{
		"call center update":          "switchboard PATCH /api/v2/callcenters/{id}",
		"callcenter update":           "switchboard PATCH /api/v2/callcenters/{id}",
		"PATCH /api/v2/callcenters":   "switchboard PATCH /api/v2/callcenters/{id}",
		"github create issue":         "github.com POST /repos/{owner}/{repo}/issues",
		"stripe create customer":      "stripe.com POST /v1/customers",
		"Slack post message":          "slack.com POST /chat.postMessage",
		"google calendar insert even": "googleapis.com POST /calendars/{calendarId}/events",
		"openai chat completion":      "openai.com POST /chat/completions",
		"jira createIssue":            "jira.local POST /api/2/issue",
		"zoom list users":             "zoom.us GET /users",
		"sendgrid send mail":          "sendgrid.com POST /mail/send",
	} {
		items, err := d.Search(words, 20)
		if err != nil || len(items) == 0 {
			t.Errorf("%q: %d items, %v", words, len(items), err)
			continue
		}
		if got := items[0].Provider + " " + items[0].Method + " " + items[0].Path; got != want {
			t.Errorf("%q finds %s first, want %s", words, got, want)
		}
	}
}

func TestSearchLimits(t *testing.T) {
	d := newDirectory(t)
	if d.Size() <= 120_000 {
		t.Errorf("the index has %d operations", d.Size())
	}
	for _, limit := range []int{1, MaxLimit} {
		if items, err := d.Search("get", limit); err != nil || len(items) != limit {
			t.Errorf("limit %d: %d items, %v", limit, len(items), err)
		}
	}
	for _, limit := range []int{0, MaxLimit + 1} {
		if _, err := d.Search("get", limit); err == nil {
			t.Errorf("limit %d passed", limit)
		}
	}
	if _, err := d.Search(strings.Repeat("ü", MaxQuery), 1); err != nil {
		t.Error(err)
	}
	if _, err := d.Search(strings.Repeat("ü", MaxQuery+1), 1); err == nil {
		t.Error("a query that is too long passed")
	}
	for _, nothing := range []string{"", " / ", "zzqqxxyy"} {
		if items, err := d.Search(nothing, 5); err != nil || len(items) != 0 {
			t.Errorf("%q: %v, %v", nothing, items, err)
		}
	}
}

// TestSearchPrefersNewVersions keeps old versions of an API behind the present one.
func TestSearchPrefersNewVersions(t *testing.T) {
	items, err := newDirectory(t).Search("github create issue", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items[:3] {
		if strings.Contains(item.DocumentURL, "ghes-") {
			t.Errorf("%s %s is of %s", item.Method, item.Path, item.DocumentURL)
		}
	}
}

func TestTheIndexHoldsFactsOnly(t *testing.T) {
	err := readTable(operations, func(api API) {
		if !strings.HasPrefix(api.URL, "http") {
			t.Errorf("%s %s has the address %q", api.Provider, api.Title, api.URL)
		}
		for _, op := range api.Operations {
			if op.Summary != "" {
				t.Fatalf("%s %s has a summary", api.Provider, op.Path)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTables(t *testing.T) {
	api := API{Provider: "p", Title: "T\tx\ny", Operations: []Fact{{"GET", "/a", "id", []string{"x", "y"}, " s "}}}
	var packed bytes.Buffer
	if err := WriteTable(&packed, []API{api, {Provider: "q", Old: true}}); err != nil {
		t.Fatal(err)
	}
	var got []API
	if err := readTable(packed.Bytes(), func(api API) { got = append(got, api) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Title != "T x y" || !got[1].Old || got[0].Operations[0].Tags[1] != "y" ||
		got[0].Operations[0].Summary != "s" {
		t.Errorf("%+v", got)
	}
	if readTable(packed.Bytes()[:packed.Len()/2], func(API) {}) == nil {
		t.Error("half a table passed")
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"listAgentStatus": "list agent status", "PostCustomers": "post customers", "call-centers": "call centers",
		"/api/v2/x": "api v2 x", "HTTPServer": "http server", "listURLs": "list urls", "Ünder_cover": "ünder cover",
	} {
		var got []string
		words(text, func(word string) { got = append(got, word) })
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestOwnReference(t *testing.T) {
	d := newDirectory(t)
	op, err := d.Operation(t.Context(), OwnURL, "patch", "/api/v2/callcenters/{id}", 0)
	if err != nil {
		t.Fatal(err)
	}
	if op.State != StateReady || op.Reference.OperationID != "callcenters.update" ||
		op.Prepared.URL != "http://localhost:8080/api/v2/callcenters/{id}" || string(op.Prepared.Body) != "{}" {
		t.Errorf("%+v %+v", op.Reference, op.Prepared)
	}
	doc, err := ReadDocument(openapi.JSON, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range doc.paths.operations(MaxOperations) {
		ref, found := doc.Reference(at.method, at.path)
		if !found || len(ref.Problems) > 0 || len(ref.Responses) == 0 {
			t.Errorf("%s %s: %v %v", at.method, at.path, found, ref.Problems)
		}
	}
}
