package conductor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
	"switchboard/internal/trigger"
)

// instance is what errors call the server that answered.
const instance = "switchboard"

// failure is an answer that says what was wrong.
type failure struct {
	status    int
	code      string
	message   string
	retryable bool
	problems  []flow.Problem
	token     string        // EXPIRED_TOKEN or INVALID_TOKEN: clients then ask for another
	after     time.Duration // when to come back; 0: nothing is said
}

func (f *failure) Error() string { return f.message }

func badRequest(format string, args ...any) error {
	return &failure{status: http.StatusBadRequest, code: "INVALID_INPUT", message: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &failure{
		status: http.StatusBadRequest, code: "INVALID_INPUT", message: field + ": " + message,
		problems: []flow.Problem{{Path: "/" + field, Message: message}},
	}
}

func missing(format string, args ...any) error {
	return &failure{status: http.StatusNotFound, code: "NOT_FOUND", message: fmt.Sprintf(format, args...)}
}

// badJSON says where a body is not what it should be.
func badJSON(err error) error {
	var own *flow.ParseError
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	at, message := "", err.Error()
	switch {
	case errors.As(err, &own):
		at, message = own.Path, own.Message
	case errors.As(err, &syntactic):
		at, message = string(syntactic.JSONPointer), "is not JSON: "+syntactic.Err.Error()
	case errors.As(err, &semantic):
		at, message = string(semantic.JSONPointer), "is of the wrong kind"
		if semantic.GoType != nil {
			message = "must be " + kindOf(semantic.GoType.Kind().String())
		}
	}
	f := &failure{
		status: http.StatusBadRequest, code: "INVALID_INPUT", message: message,
		problems: []flow.Problem{{Path: at, Message: message}},
	}
	if at != "" {
		f.message = at + ": " + message
	}
	return f
}

func kindOf(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "int", "int64":
		return "a whole number"
	case "slice":
		return "a list"
	}
	return "an object"
}

// failureOf is how an error of what is below is told.
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	f = &failure{message: err.Error()}
	var known *runner.Error
	var ofTrigger *trigger.Error
	if errors.As(err, &ofTrigger) {
		f.problems = ofTrigger.Problems
	}
	if errors.As(err, &known) {
		f.problems = known.Problems
	}
	switch {
	case errors.Is(err, runner.ErrNotFound), errors.Is(err, trigger.ErrNotFound):
		f.status, f.code = http.StatusNotFound, "NOT_FOUND"
	case errors.Is(err, runner.ErrConflict), errors.Is(err, trigger.ErrConflict):
		f.status, f.code = http.StatusConflict, "CONFLICT"
	case errors.Is(err, runner.ErrInvalid), errors.Is(err, trigger.ErrInvalid):
		f.status, f.code = http.StatusBadRequest, "INVALID_INPUT"
	case errors.Is(err, runner.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.status, f.code, f.retryable = http.StatusServiceUnavailable, "UNAVAILABLE", true
		f.message = "the server is being stopped"
	default:
		f.status, f.code, f.retryable = http.StatusInternalServerError, "INTERNAL_ERROR", true
		f.message = "internal error; the log of the server has the details"
	}
	return f
}

// validation is one entry of validationErrors.
type validation struct {
	Path    string `json:"path"`
	Message string `json:"message"`
	Invalid any    `json:"invalidValue"`
}

func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := failureOf(err)
	if f.status == http.StatusInternalServerError && r.Context().Err() == nil {
		a.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	body := struct {
		Status      int          `json:"status"`
		Code        string       `json:"code"`
		Message     string       `json:"message"`
		Instance    string       `json:"instance"`
		Retryable   bool         `json:"retryable"`
		Validations []validation `json:"validationErrors"`
		Error       string       `json:"error,omitzero"`
	}{
		Status: f.status, Code: f.code, Message: f.message, Instance: instance, Retryable: f.retryable,
		Validations: []validation{}, Error: f.token,
	}
	for _, p := range f.problems {
		if !p.Warning {
			body.Validations = append(body.Validations, validation{Path: p.Path, Message: p.Message})
		}
	}
	data, err := json.Marshal(body, flow.JSON)
	if err != nil {
		panic(fmt.Sprintf("conductor: an error cannot be encoded: %v", err))
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if f.after > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.after.Seconds()))))
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(data) // a client that is gone
}
