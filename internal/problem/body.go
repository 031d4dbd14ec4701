package problem

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The content types of an error body.
const (
	TypeJSON        = "application/json; charset=utf-8"
	TypeProblemJSON = "application/problem+json; charset=utf-8" // RFC 9457
)

type envelope struct {
	Error envelopeError `json:"error"`
}

type envelopeError struct {
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Errors  []envelopeItem `json:"errors"`
}

type envelopeItem struct {
	Domain       string `json:"domain"`
	Reason       Reason `json:"reason"`
	Message      string `json:"message"`
	Location     string `json:"location,omitempty"`
	LocationType Where  `json:"locationType,omitempty"`
}

type details struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Errors []envelopeItem `json:"errors,omitempty"`
}

func (e *Error) items() []envelopeItem {
	items := make([]envelopeItem, 0, len(e.Fields))
	for _, field := range e.Fields {
		items = append(items, envelopeItem{"global", e.Reason, field.Message, field.Name, field.In})
	}
	return items
}

// Envelope is the body that every error of the API has (docs/reference/api.md, Errors).
func (e *Error) Envelope() []byte {
	items := e.items()
	if len(items) == 0 {
		items = []envelopeItem{{Domain: "global", Reason: e.Reason, Message: e.Message}}
	}
	return encode(envelope{envelopeError{e.Status(), e.Message, items}})
}

// Details is the body for a client that asks for application/problem+json (RFC 9457, section 3).
func (e *Error) Details() []byte {
	entry := e.Entry()
	return encode(details{entry.Anchor(), entry.Sentence, entry.HTTP, e.Message, e.items()})
}

func encode(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		panic("problem: " + err.Error()) // strings and numbers only: it cannot fail
	}
	return append(body, '\n')
}

// Write answers a request with the error: status, headers, and the body that the client asked for.
func (e *Error) Write(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", TypeJSON)
	header.Set("Cache-Control", "no-store")
	body := e.Envelope
	if wantsDetails(r.Header.Values("Accept")) {
		header.Set("Content-Type", TypeProblemJSON)
		body = e.Details
	}
	switch {
	case e.Reason == Unauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="switchboard"`)
	case e.Reason == MethodNotAllowed:
		header.Set("Allow", strings.Join(e.Allow, ", "))
	case e.RetryAfter > 0:
		header.Set("Retry-After", strconv.Itoa(e.RetrySeconds()))
	case e.ETag != "":
		header.Set("ETag", e.ETag)
	}
	w.WriteHeader(e.Status())
	if r.Method != http.MethodHead {
		_, _ = w.Write(body()) // a client that is gone reads no answer
	}
}

// wantsDetails says whether an Accept header names application/problem+json and does not refuse it with q=0.
func wantsDetails(accept []string) bool {
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			name, parameters, err := mime.ParseMediaType(part)
			if err != nil || name != "application/problem+json" {
				continue
			}
			quality, err := strconv.ParseFloat(parameters["q"], 64)
			if err != nil || quality > 0 {
				return true
			}
		}
	}
	return false
}
