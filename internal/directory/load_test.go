package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/problem"
)

// web is a server of documents and a directory that reaches it.
type web struct {
	*httptest.Server
	*Directory
	mu    sync.Mutex
	pages map[string]func(http.ResponseWriter, *http.Request)
	asked []string
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{pages: map[string]func(http.ResponseWriter, *http.Request){}}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		page := w.pages[r.URL.Path]
		w.asked = append(w.asked, r.URL.Path)
		w.mu.Unlock()
		if page == nil {
			http.NotFound(rw, r)
			return
		}
		page(rw, r)
	}))
	client := w.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.Directory = New(Config{Dir: t.TempDir(), Client: client})
	t.Cleanup(func() {
		w.Directory.Close()
		w.Server.Close()
	})
	return w
}

func (w *web) page(path string, page func(http.ResponseWriter, *http.Request)) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[path] = page
	return w.URL + path
}

func (w *web) text(path, text string) string {
	return w.page(path, func(rw http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf(`"%d"`, len(text))
		rw.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write([]byte(text))
	})
}

func TestAddingAndRefreshing(t *testing.T) {
	w := newWeb(t)
	text := withBody(`{"$ref":"#/components/schemas/Thing"}`, `"Thing":{"type":"object"}`)
	at := w.text("/d.json", text)
	added, err := w.AddURL(t.Context(), at, time.Minute)
	if err != nil || added.State != StateReady || added.Document.API != "T" || added.Document.ETag == "" {
		t.Fatalf("%+v %v", added, err)
	}
	items, err := w.Search("makeThing", 5)
	if err != nil || len(items) == 0 || items[0].DocumentURL != at {
		t.Fatalf("%+v %v", items, err)
	}
	op, err := w.Operation(t.Context(), at, "POST", "/things/{id}", 0)
	if err != nil || op.State != StateReady || op.Prepared.URL != "https://api.example.com/v1/things/{id}" {
		t.Fatalf("%+v %v", op, err)
	}
	same, err := w.Refresh(t.Context(), added.Document.ID, time.Minute)
	if err != nil || same.State != StateReady || len(same.Document.Changes.Changed) != 0 || w.asked[1] != "/d.json" {
		t.Fatalf("%+v %v %v", same, err, w.asked)
	}
	// A schema that the operation refers to changes, and an operation comes.
	text = strings.Replace(text, `"type":"object"`, `"type":"string"`, 1)
	w.text("/d.json", strings.Replace(text, `"paths":{`, `"paths":{"/new":{"get":{"responses":{}}},`, 1))
	next, err := w.Refresh(t.Context(), added.Document.ID, time.Minute)
	if err != nil || strings.Join(next.Document.Changes.Added, " ") != "GET /new" ||
		strings.Join(next.Document.Changes.Changed, " ") != "POST /things/{id}" ||
		next.Document.Added != added.Document.Added {
		t.Fatalf("%s %v", encoded(next), err)
	}
	if doc, here := w.Open(at); !here || doc.Validate("POST", "/things/{id}", Sent{}).Unchecked != "" {
		t.Errorf("opened %v, or a request could not be judged", here)
	}
	if _, here := w.Open(at + "x"); here {
		t.Error("a document that is not here was opened")
	}
	if _, err := w.Operation(t.Context(), at, "DELETE", "/new", 0); err == nil {
		t.Error("an operation that is not there was explained")
	}
	if _, err := w.Delete(added.Document.ID); err != nil {
		t.Fatal(err)
	}
	if items, _ := w.Search("makeThing", 5); len(items) > 0 && items[0].DocumentURL == at {
		t.Error("a deleted document is found")
	}
	if files, _ := filepath.Glob(filepath.Join(w.cfg.Dir, "*.zst")); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func TestDocumentsThatCannotBeFetched(t *testing.T) {
	w := newWeb(t)
	good := w.text("/good", withBody(`{}`, ""))
	redirect := func(to string) func(http.ResponseWriter, *http.Request) {
		return func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, to, http.StatusFound) }
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	for at, want := range map[string]string{
		w.URL + "/missing":                  "answered 404",
		w.text("/html", "<html></html>"):    "is a web page",
		w.page("/loop", redirect("/loop")):  "more than 3 redirects",
		w.page("/file", redirect("file:x")): "no web address",
		closed.URL:                          "cannot be reached from this server",
		w.page("/large", func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write(make([]byte, MaxDocument+1))
		}): "larger than 20 MB",
		w.page("/short", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "100")
			_, _ = rw.Write([]byte("{"))
		}): "cannot be reached",
	} {
		added, err := w.AddURL(t.Context(), at, time.Minute)
		if err != nil || added.State != StateFailed || !strings.Contains(added.Message, want) {
			t.Errorf("%s: %+v %v, want %q", at, added, err, want)
		}
	}
	w.page("/a", redirect("/b"))
	w.page("/b", redirect("/c"))
	w.page("/c", redirect("/good"))
	if added, err := w.AddURL(t.Context(), w.URL+"/a", time.Minute); err != nil || added.State != StateReady ||
		added.Document.DocumentURL != w.URL+"/a" {
		t.Errorf("three redirects: %+v %v (%s)", added, err, good)
	}
	for _, at := range []string{"", "ftp://example.com", "http://", "https://ada:pw@example.com/x", "x"} {
		if _, err := w.AddURL(t.Context(), at, 0); err == nil {
			t.Errorf("%q was taken", at)
		}
	}
}

// TestProgressIsTold asks for a document that comes slowly.
func TestProgressIsTold(t *testing.T) {
	w := newWeb(t)
	text, more := withBody(`{}`, ""), make(chan bool)
	at := w.page("/slow", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = rw.Write([]byte(text[:10]))
		rw.(http.Flusher).Flush()
		<-more
		_, _ = rw.Write([]byte(text[10:]))
	})
	for {
		added, err := w.AddURL(t.Context(), at, time.Millisecond)
		if err != nil || added.State != StateLoading {
			t.Fatalf("%+v %v", added, err)
		}
		if added.Received == 10 && added.Total == int64(len(text)) {
			break
		}
	}
	close(more)
	if added, err := w.AddURL(t.Context(), at, time.Minute); err != nil || added.State != StateReady {
		t.Fatalf("%+v %v", added, err)
	}
	if len(w.asked) != 1 {
		t.Errorf("asked %v", w.asked)
	}
}

func TestLoadsAreBounded(t *testing.T) {
	w := newWeb(t)
	hold := make(chan bool)
	defer close(hold)
	for i := range MaxLoads + 1 {
		at := w.page(fmt.Sprint("/", i), func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		})
		_, err := w.AddURL(t.Context(), at, 0)
		found, limited := problem.From(err)
		if limited := err != nil && limited && found.Reason == problem.RateLimited; limited != (i == MaxLoads) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestTheIndexLeadsToDocuments opens an operation that only the embedded index knows: its document is asked for where
// it is from, then where its public copy is, and is kept.
func TestTheIndexLeadsToDocuments(t *testing.T) {
	var hosts []string
	text := `{"openapi":"3.0.0","info":{"title":"Stripe","version":"9"},"servers":[{"url":"https://api.stripe.com"}],
		"paths":{"/v1/customers":{"post":{"operationId":"PostCustomers","responses":{}}}}}`
	d := New(Config{Dir: t.TempDir(), Client: doer(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		answer := httptest.NewRecorder()
		if r.URL.Host == "api.apis.guru" {
			_, _ = answer.WriteString(text)
		} else {
			answer.WriteHeader(http.StatusNotFound)
		}
		return answer.Result(), nil
	})})
	t.Cleanup(d.Close)
	items, err := d.Search("stripe create customer", 1)
	if err != nil {
		t.Fatal(err)
	}
	op, err := d.Operation(t.Context(), items[0].DocumentURL, items[0].Method, items[0].Path, time.Minute)
	if err != nil || op.State != StateReady || op.Document.Source != SourceDirectory ||
		op.Document.Provider != "stripe.com" {
		t.Fatalf("%s %v", encoded(op), err)
	}
	if len(hosts) != 2 || hosts[1] != "api.apis.guru" {
		t.Errorf("asked %v", hosts)
	}
	again, err := d.Search("stripe create customer", 1)
	if err != nil || again[0].Version != "9" {
		t.Errorf("%+v %v", again, err)
	}
	if _, err := d.Operation(t.Context(), "https://example.com/unknown", "GET", "/", 0); err == nil {
		t.Error("an address that nobody knows was asked for")
	}
}

// doer answers requests.
type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestImport(t *testing.T) {
	w := newWeb(t)
	folder := t.TempDir()
	for name, text := range map[string]string{
		"a.json": withBody(`{}`, ""), "sub/b.yaml": "swagger: '2.0'\ninfo: {title: Y}\npaths: {/y: {get: {responses: {}}}}",
		"bad.json": "{}", "package.json": "{", "note.txt": "x",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	last := 0.0
	got, err := w.Import(t.Context(), folder, func(done float64, _ string) { last = done })
	if err != nil || got.Documents != 2 || got.Operations != 2 || len(got.Left) != 1 || last != 1 {
		t.Fatalf("%+v %v %f", got, err, last)
	}
	// A server on the same folder sees what another program imported.
	other := New(Config{Dir: w.cfg.Dir, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	t.Cleanup(other.Close)
	if list, err := other.Documents(); err != nil || len(list) != 3 {
		t.Errorf("%d documents, %v", len(list), err)
	}
	if got, err = w.Import(t.Context(), filepath.Join(folder, "a.json"), nil); err != nil || got.Documents != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if _, err = w.Import(t.Context(), filepath.Join(folder, "bad.json"), nil); err == nil {
		t.Error("a file that is no document was imported")
	}
	at := w.text("/d.json", withBody(`{}`, ""))
	if got, err = w.Import(t.Context(), at, func(float64, string) {}); err != nil || got.Documents != 1 {
		t.Errorf("%+v %v", got, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = w.Import(ended, folder, func(float64, string) {}); err == nil {
		t.Error("an import that was stopped went on")
	}
}

func TestRequestsAndAnswersAreJudged(t *testing.T) {
	own, _ := readOwn()
	path := "/api/v2/callcenters/{id}"
	send := func(body string) Verdict {
		return own.Validate("PATCH", path, Sent{
			Path: map[string]string{"id": "5"}, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body),
		})
	}
	for body, want := range map[string]string{
		`{"ring_seconds":20}`: "", `{"ring_seconds":"20"}`: "", `{"ring_seconds":9}`: "/ring_seconds",
		`{"alerts":{"cc_service_level":101}}`: "/alerts/cc_service_level", `[]`: "", `{`: "",
	} {
		verdict := send(body)
		wrong := want != "" || body == "[]" || body == "{"
		if wrong != (len(verdict.Findings) > 0) || wrong && verdict.Findings[0].At != want {
			t.Errorf("%s: %+v", body, verdict)
		}
	}
	if v := own.Validate("PATCH", path, Sent{
		Path: map[string]string{"id": "x"}, Query: url.Values{"strict": {"maybe"}},
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("x"),
	}); len(v.Findings) != 3 {
		t.Errorf("%+v", v)
	}
	if v := send(`{"x":"` + strings.Repeat("x", MaxChecked) + `"}`); v.Unchecked == "" {
		t.Error("a body of more than a megabyte was judged")
	}
	answer := func(status int, body string) Verdict {
		return own.ValidateResponse("GET", "/api/v2/callcenters/{id}/status", status,
			http.Header{"Content-Type": {"application/json; charset=utf-8"}}, []byte(body))
	}
	good := `{"availability":{"status":"open"},"capacity":"2","on_duty_operators":"4","pending":"3",` +
		`"longest_call_wait_time":"61"}`
	if v := answer(200, good); len(v.Findings) != 0 || v.Unchecked != "" {
		t.Errorf("%+v", v)
	}
	if v := answer(200, strings.Replace(good, `"2"`, `2`, 1)); len(v.Findings) != 1 || v.Findings[0].At != "/capacity" {
		t.Errorf("%+v", v)
	}
	if v := answer(299, good); len(v.Findings) != 1 || v.Findings[0].In != "status" {
		t.Errorf("%+v", v)
	}
	text, _ := json.Marshal(send(`{"ring_seconds":9}`))
	if !strings.Contains(string(text), "minimum") {
		t.Errorf("%s", text)
	}
}
