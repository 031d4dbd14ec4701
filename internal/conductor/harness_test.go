package conductor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"switchboard/internal/auth"
	"switchboard/internal/flow"
	"switchboard/internal/runner"
	"switchboard/internal/store"
	"switchboard/internal/vault"
)

// world is the API on a real database and a real runner.
type world struct {
	t      testing.TB
	store  *store.Store
	runner *runner.Runner
	vault  *vault.Vault
	api    *API
	admin  string // key
	user   string // key
	now    func() time.Time

	names map[string]string // ids that were seen, and what the scripts call them
	saved map[string]string
}

// Do implements runner.Doer.
func (*world) Do(context.Context, *flow.Run, *flow.Attempt) flow.Reported {
	return flow.Reported{Status: flow.TaskCompleted, Output: flow.Map{"response": flow.Map{"statusCode": int64(200)}}}
}

// Evaluate implements runner.Evaluator: every script gives its input.
func (*world) Evaluate(_ context.Context, _ flow.Language, _ string, input flow.Map) (flow.Value, error) {
	return input, nil
}

func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, names: map[string]string{}, saved: map[string]string{}, now: time.Now}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.store, err = store.Open(dir, store.Options{})
	must(err)
	t.Cleanup(func() { _ = w.store.Close() })
	w.vault, err = vault.Open(t.Context(), dir, "", w.store, time.Now)
	must(err)
	environment, err := OpenEnvironment(t.Context(), w.store)
	must(err)
	config := Config{
		Keys: w.store, Shelf: w.store, Secrets: w.vault, Environment: environment, Evaluator: w,
		TokenKey: []byte("a key of tests"), Version: "test", Now: func() time.Time { return w.now() },
		Scheduler: &calendar{}, Events: &desk{},
	}
	if change != nil {
		change(&config)
	}
	runners := runner.Config{Store: w.store, Doer: w, Evaluator: w, Env: environment.Map}
	if config.Cluster != nil {
		runners.Elsewhere = config.Cluster
	}
	w.runner, err = runner.New(t.Context(), quiet(runners))
	must(err)
	t.Cleanup(w.runner.Close)
	config.Runner = w.runner
	w.api = New(config)
	w.admin, w.user = w.key(store.RoleCompanyAdmin), w.key(store.RoleUser)
	return w
}

// key makes a key.
func (w *world) key(role store.KeyRole) string {
	w.t.Helper()
	text, key := auth.Generate(role, 0)
	err := w.store.Update(w.t.Context(), "test", func(tx *store.Tx) error { return tx.PutKey(&key) })
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// call sends a request with headers.
func (w *world) call(method, path, body string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header = header
	if header == nil {
		r.Header = http.Header{"Authorization": {"Bearer " + w.admin}}
	}
	answer := httptest.NewRecorder()
	w.api.ServeHTTP(answer, r)
	return answer
}

var (
	idForm   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timeForm = regexp.MustCompile(`\b1[78]\d{11}\b`)
	isoForm  = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	spanForm = regexp.MustCompile(`(executionTime|queueWaitTime)("?: ?)\d+`)
)

// keyID is the first part of a key.
func keyID(key string) string {
	id, _, _ := auth.Parse(key)
	return id
}

// stable takes out of an answer what differs from one test to the next.
func (w *world) stable(text string) string {
	text = idForm.ReplaceAllStringFunc(text, func(id string) string {
		if w.names[id] == "" {
			w.names[id] = fmt.Sprintf("<id %d>", len(w.names)+1)
		}
		return w.names[id]
	})
	text = timeForm.ReplaceAllString(text, "<time>")
	text = isoForm.ReplaceAllString(text, "<time>")
	text = strings.ReplaceAll(text, keyID(w.admin), "<key>")
	return spanForm.ReplaceAllString(text, `$1$2<ms>`)
}

// pretty writes JSON with one member a line where it is an object.
func pretty(body string) string {
	v, err := flow.Decode([]byte(body))
	m, ok := v.(flow.Map)
	if err != nil || !ok {
		return body
	}
	var b strings.Builder
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, "%s: %s\n", k, flow.Encode(m[k]))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// run answers one directive of a script: call, with save=NAME to keep the answer's text as $NAME, and with key=user or
// key=none for others than the admin. The first line of the input is METHOD PATH, the rest the body.
func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	input := d.Input
	for name, value := range w.saved {
		input = strings.ReplaceAll(input, "$"+name, value)
	}
	first, body, _ := strings.Cut(input, "\n")
	method, path, _ := strings.Cut(first, " ")
	header := http.Header{"Authorization": {"Bearer " + w.admin}}
	var key, save, task string
	if d.HasArg("key") {
		d.ScanArgs(t, "key", &key)
	}
	if d.HasArg("save") {
		d.ScanArgs(t, "save", &save)
	}
	if d.HasArg("task") {
		d.ScanArgs(t, "task", &task)
	}
	switch key {
	case "user":
		header.Set("Authorization", "Bearer "+w.user)
	case "none":
		header.Del("Authorization")
	}
	if d.HasArg("text") {
		header.Set("Content-Type", "text/plain")
	}
	answer := w.call(method, path, body, header)
	got, _ := io.ReadAll(answer.Result().Body)
	if save != "" {
		w.saved[save] = strings.Trim(string(got), `"`)
	}
	if task != "" { // keeps the id of the first task of a run
		v, _ := flow.Decode(got)
		run, _ := v.(flow.Map)
		tasks, _ := run["tasks"].([]any)
		first, _ := tasks[0].(flow.Map)
		w.saved[task], _ = first["taskId"].(string)
	}
	out := fmt.Sprintf("%d %s", answer.Code, answer.Header().Get("Content-Type"))
	if d.HasArg("brief") {
		return strings.TrimSpace(out)
	}
	return strings.TrimSpace(strings.TrimSpace(out) + "\n" + w.stable(pretty(string(got))))
}

// calendar holds schedules and starts nothing.
type calendar struct {
	mu   sync.Mutex
	list []flow.Schedule
}

func (c *calendar) Schedules() []flow.Schedule {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

func (c *calendar) PutSchedule(_ context.Context, by string, s flow.Schedule) error {
	if s.Cron == "" {
		return &runner.Error{Kind: runner.ErrInvalid, Message: "cronExpression: is required"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.CreatedBy, s.Identity = by, ""
	c.list = append(slices.DeleteFunc(c.list, func(x flow.Schedule) bool { return x.Name == s.Name }), s)
	return nil
}

func (c *calendar) DropSchedule(_ context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.list)
	if c.list = slices.DeleteFunc(c.list, func(x flow.Schedule) bool { return x.Name == name }); len(c.list) == n {
		return &runner.Error{Kind: runner.ErrNotFound, Message: "there is no schedule " + name}
	}
	return nil
}

func (c *calendar) PauseSchedule(_ context.Context, name string, paused bool, reason string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.list {
		if c.list[i].Name == name {
			c.list[i].Paused, c.list[i].PausedReason = paused, reason
			return nil
		}
	}
	return &runner.Error{Kind: runner.ErrNotFound, Message: "there is no schedule " + name}
}

func (*calendar) NextTimes(_, _ string, from, _ time.Time, count int) ([]time.Time, error) {
	times := make([]time.Time, count)
	for i := range times {
		times[i] = from.Add(time.Duration(i) * time.Second)
	}
	return times, nil
}

func (*calendar) Executions(_ context.Context, q ExecutionQuery) ([]Execution, int, error) {
	return []Execution{{ID: "e", Schedule: q.Schedule, State: "EXECUTED"}}, 1, nil
}

// desk holds event handlers and hears nothing.
type desk struct {
	mu   sync.Mutex
	list []flow.EventHandler
	told []string
}

func (d *desk) Handlers() []flow.EventHandler {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list)
}

func (d *desk) PutHandlers(_ context.Context, by string, handlers []flow.EventHandler, replace bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range handlers {
		at := slices.IndexFunc(d.list, func(x flow.EventHandler) bool { return x.Name == h.Name })
		h.CreatedBy, h.Identity = by, ""
		switch {
		case at >= 0 && !replace:
			return &runner.Error{Kind: runner.ErrConflict, Message: "the event handler " + h.Name + " exists already"}
		case at >= 0:
			d.list[at] = h
		default:
			d.list = append(d.list, h)
		}
	}
	return nil
}

func (d *desk) DropHandler(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.list)
	if d.list = slices.DeleteFunc(d.list, func(x flow.EventHandler) bool { return x.Name == name }); len(d.list) == n {
		return &runner.Error{Kind: runner.ErrNotFound, Message: "there is no event handler " + name}
	}
	return nil
}

func (d *desk) Publish(_ context.Context, id, event string, _ flow.Map) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, id+" "+event)
	return nil
}

// all lists the routes.
func (n *node) all() (found []*route) {
	for _, r := range n.routes {
		found = append(found, r)
	}
	for _, next := range n.next {
		found = append(found, next.all()...)
	}
	if n.wild != nil {
		found = append(found, n.wild.all()...)
	}
	return found
}
