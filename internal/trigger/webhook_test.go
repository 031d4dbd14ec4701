package trigger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

func orders() *Webhook {
	return &Webhook{
		Name: "orders", Verifier: VerifierHeader, HeaderKey: "X-Token", SecretKey: "knock",
		Start: map[string]int{"tell": 2}, Receivers: map[string]int{"wait": 0},
	}
}

func (w *world) webhook(h *Webhook) {
	w.t.Helper()
	if err := w.triggers.PutWebhook(w.t.Context(), "ada", *h); err != nil {
		w.t.Fatal(err)
	}
}

// post sends a request to a webhook.
func (w *world) post(name, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, PathIn+name, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.triggers.ServeHTTP(rec, r)
	return rec
}

const token = "open sesame"

func TestWebhookStartsAWorkflow(t *testing.T) {
	w := newWorld(t)
	w.webhook(orders())
	for range 2 {
		rec := w.post("orders", `{"order":{"id":9007199254740993}}`, "X-Token", token, "Webhook-Id", "d1")
		var got answer
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 || got.Workflows["tell"] == "" {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
	w.post("orders", `[1]`, "X-Token", token)
	w.post("orders", "no\xffJSON", "X-Token", token)
	got := w.requests()
	if len(got) != 3 {
		t.Fatalf("started %d", len(got))
	}
	if order, _ := got[0].Input["order"].(flow.Map); order["id"] != int64(9007199254740993) || got[0].Version != 2 {
		t.Errorf("started %+v", got[0])
	}
	if by, _ := got[0].Input["_webhook"].(flow.Map); by["name"] != "orders" {
		t.Errorf("by %v", by)
	}
	if list, _ := got[1].Input["body"].([]any); len(list) != 1 || got[2].Input["body"] != "no\uFFFDJSON" {
		t.Errorf("bodies %v, %v", got[1].Input, got[2].Input)
	}
	if shots := w.until("orders", 3); shots[0].State != Executed || shots[0].Workflow != "tell" {
		t.Errorf("%+v", shots[0])
	}
}

func TestWebhookWantsItsProof(t *testing.T) {
	w := newWorld(t)
	w.webhook(orders())
	signed := orders()
	signed.Name, signed.Verifier, signed.HeaderKey = "signed", VerifierHMAC, "X-Signature"
	w.webhook(signed)
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(`{"a":1}`))
	sum := mac.Sum(nil)
	for _, c := range []struct {
		hook, header, value, body string
		status                    int
	}{
		{"orders", "X-Token", token, `{}`, 200},
		{"orders", "X-Token", "open sesam", `{}`, 401},
		{"orders", "X-Other", token, `{}`, 401},
		{"signed", "X-Signature", hex.EncodeToString(sum), `{"a":1}`, 200},
		{"signed", "X-Signature", "sha256=" + hex.EncodeToString(sum), `{"a":1}`, 200},
		{"signed", "X-Signature", base64.StdEncoding.EncodeToString(sum), `{"a":1}`, 200},
		{"signed", "X-Signature", hex.EncodeToString(sum), `{"a":2}`, 401},
		{"signed", "X-Signature", token, `{"a":1}`, 401},
		{"signed", "X-Signature", "", `{"a":1}`, 401},
		{"nothing", "X-Token", token, `{}`, 404},
		{"orders", "X-Token", token, strings.Repeat(" ", MaxBody-2) + `{}`, 200},
		{"orders", "X-Token", token, strings.Repeat(" ", MaxBody-1) + `{}`, 413},
	} {
		if rec := w.post(c.hook, c.body, c.header, c.value); rec.Code != c.status {
			t.Errorf("%s, %s: %.30s: %d %s, want %d", c.hook, c.header, c.value, rec.Code, rec.Body, c.status)
		}
	}
	rec := httptest.NewRecorder()
	w.triggers.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, PathIn+"orders", nil))
	if rec.Code != 405 {
		t.Errorf("GET: %d", rec.Code)
	}
	w.allow = 1500 * time.Millisecond
	if rec := w.post("orders", `{}`, "X-Token", token); rec.Code != 429 || rec.Header().Get("Retry-After") != "2" {
		t.Errorf("too often: %d, %v", rec.Code, rec.Header())
	}
}

func TestWebhookSaysWhatFailed(t *testing.T) {
	w := newWorld(t)
	picky := orders()
	picky.Expression = "$.n == 1"
	w.webhook(picky)
	if rec := w.post("orders", `{"n":2}`, "X-Token", token); rec.Code != 200 || len(w.requests()) != 0 {
		t.Errorf("not meant: %d, %v", rec.Code, w.requests())
	}
	w.refuse(errors.New("there is no workflow tell"))
	rec := w.post("orders", `{"n":1}`, "X-Token", token)
	if rec.Code != 503 || !strings.Contains(rec.Body.String(), "tell") {
		t.Errorf("failed: %d %s", rec.Code, rec.Body)
	}
	if shot := w.until("orders", 1)[0]; shot.State != Failed {
		t.Errorf("%+v", shot)
	}
	picky = orders()
	picky.Expression = "what"
	w.webhook(picky)
	if rec := w.post("orders", `{}`, "X-Token", token); rec.Code != 500 {
		t.Errorf("condition: %d %s", rec.Code, rec.Body)
	}
}

// waiting writes a run of a workflow with one task that waits for a webhook.
func (w *world) waiting(num int64, workflow string, version int, input string) {
	w.t.Helper()
	at := noon
	done := make(chan error, 1)
	id := fmt.Sprint("t", num)
	w.store.WriteRuns([]store.RunChange{{
		Run: store.RunRow{
			Num: num, ID: fmt.Sprint("r", num), Name: workflow, Correlation: "alert 5", Version: version,
			State: "RUNNING", Created: at, Updated: at, Snapshot: []byte("s"), Doc: []byte(`{}`),
		},
		Snapshot: []byte(`{}`), Cut: -1,
		Tasks: []store.TaskRow{{
			Seq: 1, ID: id, Ref: "w", Name: "w", Type: "WAIT_FOR_WEBHOOK", Status: "IN_PROGRESS", Scheduled: at, Updated: at,
			Doc: []byte(`{"taskId":"` + id + `","inputData":` + input + `}`),
		}},
	}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

func TestWebhookCompletesWhatWaitsForIt(t *testing.T) {
	w := newWorld(t)
	hook := orders()
	hook.Start, hook.Receivers = nil, map[string]int{"wait": 0, "second": 2}
	w.webhook(hook)
	w.waiting(1, "wait", 1, `{"matches":{"$['event']['type']":"paid","$.id":7}}`)
	w.waiting(2, "wait", 1, `{"matches":{"id":8}}`)
	w.waiting(3, "other", 1, `{}`)
	w.waiting(4, "wait", 1, `{}`)
	w.waiting(5, "second", 1, `{}`)
	w.waiting(6, "second", 2, `{"matches":{"$.list[1]":2}}`)
	rec := w.post("orders", `{"event":{"type":"paid"},"id":7,"list":[1,2]}`, "X-Token", token)
	if want := `{"workflows":{},"tasks":["t6","t1","t4"]}`; rec.Body.String() != want {
		t.Errorf("%d %s, want %s", rec.Code, rec.Body, want)
	}
	if len(w.orders) != 3 || !strings.HasPrefix(w.orders[1], "report r1 t1 COMPLETED {") {
		t.Errorf("orders %v", w.orders)
	}
}

func TestWebhooksThatAreWrong(t *testing.T) {
	w := newWorld(t)
	many := map[string]int{}
	for i := range MaxTargets + 1 {
		many[fmt.Sprint(i)] = 0
	}
	for path, spoil := range map[string]func(*Webhook){
		"/name":                             func(h *Webhook) { h.Name = "a b" },
		"/verifier":                         func(h *Webhook) { h.Verifier = "" },
		"/headerKey":                        func(h *Webhook) { h.HeaderKey = "a b" },
		"/secretKey":                        func(h *Webhook) { h.SecretKey = "none" },
		"/secretKey ":                       func(h *Webhook) { h.SecretKey = "" },
		"/workflowsToStart":                 func(h *Webhook) { h.Start, h.Receivers = nil, nil },
		"/workflowsToStart ":                func(h *Webhook) { h.Start = many },
		"/receiverWorkflowNamesToVersions":  func(h *Webhook) { h.Receivers = map[string]int{"x": -1} },
		"/expression":                       func(h *Webhook) { h.Expression = ";;" },
		"/evaluatorType":                    func(h *Webhook) { h.EvaluatorType = "cobol" },
		"/description":                      func(h *Webhook) { h.Description = strings.Repeat("x", MaxText+1) },
		"/receiverWorkflowNamesToVersions ": func(h *Webhook) { h.Receivers = many },
	} {
		h := orders()
		spoil(h)
		err := w.triggers.PutWebhook(t.Context(), "ada", *h)
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Problems[0].Path != strings.TrimSpace(path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	w.webhook(orders())
	w.restart()
	if list := w.triggers.Webhooks(); len(list) != 1 || list[0].Start["tell"] != 2 {
		t.Errorf("kept %v", list)
	}
	if err := w.triggers.DropWebhook(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	if list := w.triggers.Webhooks(); len(list) != 0 {
		t.Error("it is still there")
	}
}
