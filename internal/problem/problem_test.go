package problem

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/reference/errors.md")

func TestReferencePageListsTheCatalogue(t *testing.T) {
	const page = "../../docs/reference/errors.md"
	want := referencePage()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the catalogue says; run go test ./internal/problem -update", page)
	}
}

// pageTop is the page above its table. ' stands for `, which Go's raw strings cannot hold.
const pageTop = `# Errors

Every answer with a status of 400 or more under '/api/v2' has this body:

'''json
{"error":{"code":400,"message":"ring_seconds: must be from 10 to 45","errors":[{"domain":"global",
"reason":"badRequest","message":"must be from 10 to 45","location":"ring_seconds","locationType":"body"}]}}
'''

'code' is the HTTP status. 'errors' lists every bad field, not only the first; 'location' is a dotted path with list
places as numbers ('routing_options.open.dtmf.1.input') and 'locationType' one of 'body', 'query', 'path', 'header'. A
client that accepts 'application/problem+json' gets RFC 9457 instead. Compare 'reason', never the message. The SIP
column is what a phone or a trunk is told of the same fact.

| reason | HTTP | SIP | says | what to do |
| --- | --- | --- | --- | --- |
`

func referencePage() string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(pageTop, "'", "`"))
	for _, e := range Catalogue {
		fmt.Fprintf(&b, "| <a id=\"%s\"></a>`%s` | %d | %d | %s | %s |\n", e.Reason, e.Reason, e.HTTP, e.SIP, e.Sentence,
			e.Remedy)
	}
	b.WriteString("\nThis page is written from the catalogue: `go test ./internal/problem -update`.\n")
	return b.String()
}

func TestReasonsAreUniqueAndComplete(t *testing.T) {
	seen := map[Reason]bool{}
	for _, entry := range Catalogue {
		if seen[entry.Reason] {
			t.Errorf("%s is listed twice", entry.Reason)
		}
		seen[entry.Reason] = true
		if entry.HTTP < 400 || entry.HTTP > 599 || entry.SIP < 400 || entry.SIP > 699 {
			t.Errorf("%s has no error statuses: HTTP %d, SIP %d", entry.Reason, entry.HTTP, entry.SIP)
		}
		if entry.Sentence == "" || entry.Remedy == "" {
			t.Errorf("%s says nothing", entry.Reason)
		}
	}
}

func TestUnknownReasonPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Lookup("teapot")
}

func TestEnvelopeNamesEveryBadField(t *testing.T) {
	err := Invalid(
		Field{"hold_queue.max_hold_seconds", InBody, "must be from 30 to 18000"},
		Field{"limit", InQuery, "must be a positive number"},
	)
	want := `{"error":{"code":400,"message":"hold_queue.max_hold_seconds: must be from 30 to 18000 (and 1 more)",` +
		`"errors":[{"domain":"global","reason":"badRequest","message":"must be from 30 to 18000",` +
		`"location":"hold_queue.max_hold_seconds","locationType":"body"},{"domain":"global","reason":"badRequest",` +
		`"message":"must be a positive number","location":"limit","locationType":"query"}]}}` + "\n"
	if got := string(err.Envelope()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEnvelopeWithoutFieldsStillListsOneError(t *testing.T) {
	var got envelope
	if err := json.Unmarshal(NotFound("callcenter", int64(7)).Envelope(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Error.Code != 404 || len(got.Error.Errors) != 1 || got.Error.Errors[0].Reason != Missing {
		t.Errorf("got %+v", got)
	}
	if got.Error.Message != "There is no callcenter 7." {
		t.Errorf("message %q", got.Error.Message)
	}
}

func TestWriteSetsHeaders(t *testing.T) {
	limited := Limited("", 1500*time.Millisecond)
	notAllowed := New(MethodNotAllowed, "")
	notAllowed.Allow = []string{"GET", "POST"}
	stale := New(PreconditionFailed, "")
	stale.ETag = `"9"`
	for _, test := range []struct {
		err           *Error
		status        int
		header, value string
	}{
		{New(Unauthorized, ""), 401, "Www-Authenticate", `Bearer realm="switchboard"`},
		{limited, 429, "Retry-After", "2"},
		{notAllowed, 405, "Allow", "GET, POST"},
		{stale, 412, "Etag", `"9"`},
		{New(Internal, ""), 500, "Content-Type", TypeJSON},
	} {
		w := httptest.NewRecorder()
		test.err.Write(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != test.status || w.Header().Get(test.header) != test.value {
			t.Errorf("%v: got %d %v", test.err, w.Code, w.Header())
		}
	}
}

func TestProblemJSONOnlyWhenAskedFor(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                                    false,
		"*/*":                                 false,
		"application/json":                    false,
		"application/problem+json":            true,
		"text/html, application/problem+json": true,
		"application/problem+json;q=0":        false,
		"application/problem+json;q=0.5":      true,
		";;;":                                 false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		New(Conflict, "It is there already.").Write(w, r)
		if got := w.Header().Get("Content-Type") == TypeProblemJSON; got != want {
			t.Errorf("Accept %q: problem+json %v, want %v", accept, got, want)
		}
		if !want {
			continue
		}
		var got details
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Status != 409 || got.Detail != "It is there already." || !strings.HasSuffix(got.Type, "#conflict") {
			t.Errorf("got %+v", got)
		}
	}
}

func TestHeadGetsNoBody(t *testing.T) {
	w := httptest.NewRecorder()
	New(Missing, "").Write(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Body.Len() != 0 {
		t.Errorf("body %q", w.Body)
	}
}

func TestFromHidesUnknownErrors(t *testing.T) {
	if got, known := From(fmt.Errorf("update: %w", Conflicts("twice"))); !known || got.Reason != Conflict {
		t.Errorf("got %v, %v", got, known)
	}
	got, known := From(errors.New("disk full at /secret"))
	if known || got.Reason != Internal || strings.Contains(string(got.Envelope()), "secret") {
		t.Errorf("got %v, %v", got, known)
	}
}
