package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/openapi"
)

// noon is a Monday.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// core stands in for the running core.
type core struct {
	mu        sync.Mutex
	centers   map[callcenter.ID]route.CenterView
	operators map[callcenter.OperatorID]route.OperatorView
	online    map[callcenter.DeviceID]bool
	calls     map[route.CallID]route.CallView
	said      []route.Event
	heard     func(route.Event) // what the core does of what it is told

	position int    // of the next callback
	refused  string // why not
	dryRuns  int
}

func (l *core) CallLive(_ context.Context, id route.CallID) (route.CallView, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	view, ok := l.calls[id]
	return view, ok
}

func (l *core) LegLive(_ context.Context, id route.CallID) (route.CallView, int, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, view := range l.calls {
		for place := range len(view.Offers) + 1 {
			if place == 0 && view.Entry == id || place > 0 && route.OfferCall(view.Entry, place) == id {
				return view, place, true
			}
		}
	}
	return route.CallView{}, 0, false
}

func (l *core) Ask(_ context.Context, _ callcenter.ID, _ string, dryRun bool) (int, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if dryRun {
		l.dryRuns++
	}
	return l.position, l.refused, nil
}

// uploads keeps what begins with RIFF.
type uploads struct{ dir string }

func (u uploads) Save(_ context.Context, id callcenter.PromptID, file []byte) (string, error) {
	if !bytes.HasPrefix(file, []byte("RIFF")) {
		return "", errors.New("is neither MP3 nor WAV")
	}
	name := strconv.FormatInt(int64(id), 10)
	return name, os.WriteFile(filepath.Join(u.dir, name), file, 0o600)
}

func (u uploads) Remove(path string) error { return os.Remove(filepath.Join(u.dir, path)) }

// letters replays by reviving, as the sender does.
type letters struct{ *store.Store }

func (l letters) Replay(ctx context.Context, id int64) (bool, error) {
	return l.ReviveDelivery(ctx, id)
}

func (l *core) CenterLive(_ context.Context, id callcenter.ID) (route.CenterView, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	view, ok := l.centers[id]
	return view, ok
}

func (l *core) OperatorLive(_ context.Context, id callcenter.OperatorID) (route.OperatorView, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	view, ok := l.operators[id]
	return view, ok
}

func (l *core) Say(event route.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, event)
	if l.heard != nil {
		l.heard(event)
	}
}

func (l *core) Registered(id callcenter.DeviceID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.online[id]
}

// company is a server with one office, and a clock that the test sets.
type company struct {
	t       testing.TB
	api     *API
	store   *store.Store
	core    *core
	dir     string
	admin   string // a company admin key
	office  callcenter.OfficeID
	id      callcenter.CompanyID
	address string // of the client

	mu  sync.Mutex
	now time.Time
}

func (co *company) clock() time.Time {
	co.mu.Lock()
	defer co.mu.Unlock()
	return co.now
}

func (co *company) later(d time.Duration) {
	co.mu.Lock()
	defer co.mu.Unlock()
	co.now = co.now.Add(d)
}

func newCompany(t testing.TB, configure ...func(*Config)) *company {
	t.Helper()
	co := &company{
		t: t, now: noon, dir: t.TempDir(), address: "192.0.2.1:4000",
		core: &core{
			centers:   map[callcenter.ID]route.CenterView{},
			operators: map[callcenter.OperatorID]route.OperatorView{},
			online:    map[callcenter.DeviceID]bool{},
			calls:     map[route.CallID]route.CallView{},
		},
	}
	db, err := store.Open(co.dir, store.Options{Now: co.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	co.store = db
	err = db.Update(t.Context(), "system", func(tx *store.Tx) error {
		co.id, co.office = callcenter.CompanyID(tx.NewID()), callcenter.OfficeID(tx.NewID())
		if err := tx.PutCompany(&callcenter.Company{ID: co.id, Name: "Acme"}); err != nil {
			return err
		}
		return tx.PutOffice(&callcenter.Office{
			ID: co.office, Name: "Main", Country: "us", Timezone: "America/New_York", State: callcenter.StateActive,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	co.admin = co.key(store.RoleCompanyAdmin, 0)
	config := Config{
		Settings: db, Voicemails: db, History: db, Live: co.core, Phones: co.core, DataDir: co.dir,
		Calls: db, Recordings: db, Callbacks: co.core, Uploads: uploads{co.dir}, DeadLetters: letters{db},
		Directory: &apiShelf{}, Conversations: db, Transcripts: db, Speech: words{db},
		PublicURL: func() string { return "https://calls.example.com" },
		RateLimit: 1_000_000, CompanyRateLimit: 1_000_000, Now: co.clock,
	}
	for _, f := range configure {
		f(&config)
	}
	co.api = New(config)
	return co
}

// key makes a key as the command line does.
func (co *company) key(role store.KeyRole, user callcenter.OperatorID, change ...func(*store.Key)) string {
	co.t.Helper()
	text, key := auth.Generate(role, user)
	for _, f := range change {
		f(&key)
	}
	err := co.store.Update(context.Background(), "system", func(tx *store.Tx) error { return tx.PutKey(&key) })
	if err != nil {
		co.t.Fatal(err)
	}
	return text
}

// reply is an answer.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// send makes a request as the company's admin; edits change it. Every request that succeeds and every answer is held
// against the document.
func (co *company) send(method, target string, body any, edits ...func(*http.Request)) reply {
	co.t.Helper()
	var content []byte
	switch body := body.(type) {
	case nil:
	case string:
		content = []byte(body)
	default:
		var err error
		if content, err = json.Marshal(body); err != nil {
			co.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, target, bytes.NewReader(content))
	r.RemoteAddr = co.address
	r.Header.Set("Authorization", "Bearer "+co.admin)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	co.api.ServeHTTP(w, r)
	r.Body = io.NopCloser(bytes.NewReader(content))
	got := reply{co.t, w.Code, w.Header(), w.Body.Bytes()}
	if err := holdToDocument(r, got); err != nil {
		co.t.Errorf("%s %s -> %d %s\ndoes not follow the document: %v", method, target, got.status, got.body, err)
	}
	return got
}

func as(key string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
	}
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// want fails the test when the status is another.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// object is the body.
func (r reply) object() map[string]any {
	r.t.Helper()
	var object map[string]any
	if err := json.Unmarshal(r.body, &object); err != nil {
		r.t.Fatalf("%v: %s", err, r.body)
	}
	return object
}

// at is a value in the body by its dotted path; nil: it is not there.
func (r reply) at(path string) any {
	r.t.Helper()
	var value any = r.object()
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func (r reply) text(path string) string {
	r.t.Helper()
	text, ok := r.at(path).(string)
	if !ok {
		r.t.Fatalf("%s is no text in %s", path, r.body)
	}
	return text
}

func (r reply) items() []any {
	r.t.Helper()
	items, ok := r.at("items").([]any)
	if !ok {
		r.t.Fatalf("no items in %s", r.body)
	}
	return items
}

// locations are the fields that an error names.
func (r reply) locations() string {
	r.t.Helper()
	errors, _ := r.at("error.errors").([]any)
	var names []string
	for _, e := range errors {
		name, _ := e.(map[string]any)["location"].(string)
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// center makes a call center and gives its id.
func (co *company) center(name string, more ...map[string]any) string {
	co.t.Helper()
	body := map[string]any{"name": name, "office_id": strconv.FormatInt(int64(co.office), 10)}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return co.send("POST", "/api/v2/callcenters", body).want(200).text("id")
}

// user makes a person and gives their id.
func (co *company) user(name string) string {
	co.t.Helper()
	return co.send("POST", "/api/v2/users", map[string]any{
		"email": name + "@example.com", "first_name": name, "office_id": int64(co.office),
	}).want(200).text("id")
}

func operatorID(t testing.TB, text string) callcenter.OperatorID {
	t.Helper()
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return callcenter.OperatorID(id)
}

func centerID(t testing.TB, text string) callcenter.ID { return callcenter.ID(operatorID(t, text)) }

// document is the OpenAPI document as an independent program reads it.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	openapi3filter.RegisterBodyDecoder("audio/wav", openapi3filter.FileBodyDecoder)
	doc, err := openapi3.NewLoader().LoadFromData(openapi.JSON)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.IsOpenAPI31OrLater())
})

// documented finds the operation of a request. matching fills in the path's values.
var documented = sync.OnceValue(func() *http.ServeMux {
	doc, err := document()
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			mux.HandleFunc(method+" "+path, func(http.ResponseWriter, *http.Request) {})
		}
	}
	return mux
})

func holdToDocument(r *http.Request, got reply) error {
	doc, err := document()
	if err != nil {
		return err
	}
	_, pattern := documented().Handler(r)
	method, path, ok := strings.Cut(pattern, " ")
	if !ok || r.Method == http.MethodHead || strings.Contains(r.URL.Path, "//") || strings.Contains(r.URL.Path, "/../") {
		return nil // no operation: nothing is promised but the error's body, which tests look at themselves
	}
	documented().ServeHTTP(httptest.NewRecorder(), r)
	item := doc.Paths.Find(path)
	values := map[string]string{}
	for part := range strings.SplitSeq(path, "/") {
		if name, found := strings.CutPrefix(part, "{"); found {
			name = strings.TrimSuffix(name, "}")
			values[name] = r.PathValue(name)
		}
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: values, QueryParams: filled(r.URL.Query()),
		Route: &routers.Route{
			Spec: doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method),
		},
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
			SkipSettingDefaults: true, MultiError: true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.EnableJSONSchema2020()},
		},
	}
	if got.status == http.StatusOK {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return err
		}
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: got.status, Header: got.header, Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(got.body)),
	})
}

// filled drops empty values: they mean absent, which no document can say.
func filled(query url.Values) url.Values {
	for name, values := range query {
		if len(values) > 0 && values[0] == "" {
			query.Del(name)
		}
	}
	return query
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
