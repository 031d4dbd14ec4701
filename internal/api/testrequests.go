package api

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/auth"
	"switchboard/internal/problem"
)

// TestRequests sends requests for people who want to see what an API answers, and remembers them. It answers JSON as
// the document describes it, and errors of package problem.
type TestRequests interface {
	Send(ctx context.Context, who auth.Principal, test TestRequest) (jsontext.Value, error)
	List(ctx context.Context, of Operation, limit int) (jsontext.Value, error) // newest first; of the zero one: all
	Get(ctx context.Context, id string) (jsontext.Value, error)
}

// Operation is one of an API document. The zero one is none.
type Operation struct {
	DocumentURL string `json:"document_url"`
	Method      string `json:"method"`
	Path        string `json:"path"` // with its parameters in braces
}

// TestRequest is a request to send.
type TestRequest struct {
	Request jsontext.Value `json:"request"` // the http_request of an HTTP task
	Input   jsontext.Value `json:"input"`   // what ${workflow.input.NAME} becomes; nil: nothing
	Operation
}

func sendTest(c *call) (answer, error) {
	test, err := decode[TestRequest](c)
	if err != nil {
		return answer{}, err
	}
	if len(c.bad) > 0 {
		return answer{}, problem.Invalid(c.bad...)
	}
	return passOn(c.api.Tests.Send(c.context(), c.who, test))
}

func listTests(c *call) (answer, error) {
	of := Operation{c.query["document_url"], c.query["method"], c.query["path"]}
	return passOn(c.api.Tests.List(c.context(), of, int(c.query.Int("limit", 20))))
}

func getTest(c *call) (answer, error) {
	return passOn(c.api.Tests.Get(c.context(), c.r.PathValue("id")))
}
