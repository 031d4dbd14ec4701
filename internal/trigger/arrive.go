package trigger

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// PathIn is where incoming webhooks are: behind it comes the name.
const PathIn = "/hooks/in/"

// What bounds the requests of incoming webhooks.
const (
	MaxBody     = 512 << 10 // bytes
	MaxReceived = 1000      // tasks that one request completes
)

// deliveryHeaders name a request, so that one that is sent again is known; the first that there is counts.
var deliveryHeaders = []string{
	"Idempotency-Key", "Webhook-Id", "X-GitHub-Delivery", "X-Request-Id", "Switchboard-Delivery",
}

// arrival is a request of an incoming webhook.
type arrival struct {
	hook *Webhook
	id   string // of the delivery
	body flow.Map
	text []byte // as it came
}

// answer is what the sender hears.
type answer struct {
	Workflows map[string]flow.RunID `json:"workflows"` // that were started, by name
	Tasks     []string              `json:"tasks"`     // that were completed
}

// ServeHTTP takes a request of an incoming webhook, and answers once what it causes is on disk.
func (t *Triggers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, PathIn)
	hook, ok := t.webhooks.get(name)
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "there is no webhook of this name")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "webhooks are POSTed")
		return
	}
	if wait := t.cfg.Allow(name); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		refuse(w, http.StatusTooManyRequests, "too many requests for this webhook")
		return
	}
	in := arrival{hook: hook, id: deliveryOf(r)}
	var err error
	if in.text, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody)); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have %d bytes", MaxBody))
		} else {
			refuse(w, http.StatusBadRequest, "the body cannot be read")
		}
		return
	}
	proven, err := t.proven(in, r.Header.Get(hook.HeaderKey))
	switch {
	case err != nil:
		t.cfg.Log.Error("the secret of a webhook cannot be used", "webhook", name, "error", err)
		refuse(w, http.StatusInternalServerError, "the secret of this webhook cannot be used")
		return
	case !proven:
		refuse(w, http.StatusUnauthorized, "the header "+hook.HeaderKey+" does not prove that you may call this")
		return
	}
	in.body = bodyOf(in.text)
	t.take(w, r, in)
}

// take does what a request that may come is for.
func (t *Triggers) take(w http.ResponseWriter, r *http.Request, in arrival) {
	done := answer{Workflows: map[string]flow.RunID{}, Tasks: []string{}}
	holds, err := t.condition(in.hook.EvaluatorType, in.hook.Expression, in.body)
	if err != nil {
		t.note(store.TriggerShot{Kind: KindWebhook, Name: in.hook.Name, State: Failed, Reason: err.Error()})
		refuse(w, http.StatusInternalServerError, "the condition of this webhook failed: "+err.Error())
		return
	}
	if holds {
		if err := t.arrived(r.Context(), in, &done); err != nil {
			refuse(w, http.StatusServiceUnavailable, "not everything could be done: "+err.Error())
			return
		}
	}
	body, err := json.Marshal(done, flow.JSON)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal error")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a client that is gone
}

func refuse(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string]any{"status": status, "message": message}, json.Deterministic(true))
	if err != nil {
		panic(fmt.Sprintf("trigger: an error cannot be encoded: %v", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func deliveryOf(r *http.Request) string {
	for _, header := range deliveryHeaders {
		if id := r.Header.Get(header); id != "" {
			sum := sha256.Sum256([]byte(id))
			return hex.EncodeToString(sum[:16])
		}
	}
	return rand.Text()
}

// bodyOf is a body as workflows see it: an object as it is, anything else as the member body of one.
func bodyOf(text []byte) flow.Map {
	value, err := flow.Decode(text)
	if err != nil {
		return flow.Map{"body": strings.ToValidUTF8(string(text), "\uFFFD")}
	}
	if object, ok := value.(flow.Map); ok {
		return object
	}
	return flow.Map{"body": value}
}

// proven says whether the header of a request proves that it may come.
func (t *Triggers) proven(in arrival, header string) (bool, error) {
	return t.cfg.Secrets.Judge(in.hook.SecretKey, func(secret string) bool {
		if secret == "" || header == "" {
			return false
		}
		if in.hook.Verifier == VerifierHeader {
			return subtle.ConstantTimeCompare([]byte(header), []byte(secret)) == 1
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(in.text)
		want := mac.Sum(nil)
		given := strings.TrimPrefix(header, "sha256=")
		for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
			if got, err := decode(given); err == nil && hmac.Equal(got, want) {
				return true
			}
		}
		return false
	})
}

// arrived starts what a request starts, and completes what waits for it.
func (t *Triggers) arrived(ctx context.Context, in arrival, done *answer) error {
	h := in.hook
	cause := fmt.Sprintf("webhook:%s:%s", h.Name, in.id)
	var change store.TriggerChange
	var failed error
	for i, workflow := range slices.Sorted(maps.Keys(h.Start)) {
		shot := store.TriggerShot{
			Kind: KindWebhook, Name: h.Name, Cause: cause, Action: i, At: t.cfg.Now(), State: Executed, Workflow: workflow,
		}
		req := flow.StartRequest{
			Name: workflow, Version: h.Start[workflow], Input: maps.Clone(in.body), CreatedBy: "webhook:" + h.Name,
			IdempotencyKey: cause, IdempotencyStrategy: returnExisting,
		}
		req.Input["_webhook"] = flow.Map{"name": h.Name, "id": in.id}
		id, err := t.cfg.Runs.Start(ctx, req, in.hook.Identity, "webhook:"+h.Name)
		if err != nil {
			failed = errors.Join(failed, err)
			shot.State, shot.Reason = Failed, err.Error()
		} else {
			shot.Run, done.Workflows[workflow] = string(id), id
		}
		change.Shots = append(change.Shots, t.note(shot))
	}
	for _, workflow := range slices.Sorted(maps.Keys(h.Receivers)) {
		shots, err := t.receive(ctx, in, workflow, done)
		failed = errors.Join(failed, err)
		for _, shot := range shots {
			shot.Cause, shot.Action = cause, len(change.Shots)
			change.Shots = append(change.Shots, t.note(shot))
		}
	}
	return errors.Join(failed, t.cfg.Store.WriteTriggers(context.Background(), change))
}

// receive completes the tasks of a workflow that wait for a request.
func (t *Triggers) receive(ctx context.Context, in arrival, workflow string, done *answer) ([]Shot, error) {
	h := in.hook
	waiting, err := t.cfg.Store.TasksForWebhook(ctx, workflow, h.Receivers[workflow], MaxReceived)
	if err != nil {
		return nil, err
	}
	var shots []Shot
	for _, task := range waiting {
		var attempt flow.Attempt
		if err := json.Unmarshal(task.Doc, &attempt, flow.JSON); err != nil {
			return shots, fmt.Errorf("decode the task %s: %w", task.ID, err)
		}
		if wanted, _ := flow.PlainMap(attempt.Input)["matches"].(flow.Map); !matches(wanted, in.body) {
			continue
		}
		shot := Shot{
			Kind: KindWebhook, Name: h.Name, At: t.cfg.Now(), State: Executed, Workflow: workflow, Run: task.Run,
		}
		err := t.cfg.Runs.Report(ctx, flow.RunID(task.Run), flow.Reported{
			Task: flow.TaskID(task.ID), Status: flow.TaskCompleted, Output: in.body,
		})
		if err == nil {
			done.Tasks = append(done.Tasks, task.ID)
		} else {
			if passing(err) {
				return shots, err
			}
			shot.State, shot.Reason = Failed, err.Error() // it was over just now
		}
		shots = append(shots, shot)
	}
	return shots, nil
}
