// Package schema checks request bodies and query parameters against the OpenAPI document, names every problem with its
// dotted path in one pass, and hands on the body in a plain form: nulls and unknown fields gone, integers native.
//
// It refuses documents with keywords that it does not check, so that the document cannot promise what nobody holds. It
// does not know rules that span fields or need stored state, nor HTTP: sizes, media types and answers are the API's.
package schema

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of one check (docs/reference/request-checking.md).
const (
	MaxDepth    = 64  // objects and arrays inside each other
	MaxProblems = 100 // listed; the last entry then says how many more there are
	MaxIgnored  = 100 // ignored fields listed; then "..."
	maxKeyShown = 64  // bytes of an unknown key that are repeated in an answer
)

// Problem is one thing wrong with a request.
type Problem struct {
	Location string // dotted path, list places as numbers: "routing_options.open.dtmf.1.input"; "": the body as a whole
	Message  string // a clause that follows the location: "must be from 10 to 45"
}

// Result is what Check found.
type Result struct {
	// Problems is empty when the body is sound.
	Problems []Problem
	// Ignored are the paths of unknown and read-only fields that had a value, safe to put in a header.
	Ignored []string
	// JSON is the body without nulls, ignored fields and, when there are Problems, without what they name, so that
	// rules behind this check can name theirs in the same answer. A list with a bad place is left out whole. Nil:
	// the body is not a JSON object.
	JSON []byte
}

// Operation is one operation of the document.
type Operation struct {
	ID     string // operationId
	Method string // upper case
	Path   string // with {names}, as net/http patterns have them
	Body   bool   // whether it takes a request body
}

// Schema is a compiled document. It is immutable and may be used by many goroutines.
type Schema struct {
	operations []Operation
	bodies     map[string]*node
	queries    map[string][]parameter
}

// Load compiles the request side of an OpenAPI 3.1 document. It fails, with the place in the document, on a keyword or
// combination outside the subset of docs/reference/request-checking.md.
func Load(doc []byte) (*Schema, error) {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	s := &Schema{bodies: map[string]*node{}, queries: map[string][]parameter{}}
	c := &compiler{doc: &d, open: map[string]bool{}}
	ids := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			op := d.Paths[path][method]
			name := strings.ToUpper(method)
			if !slices.Contains(methods, name) {
				return nil, fmt.Errorf("%s of path %s is no method", method, path)
			}
			if op.OperationID == "" || ids[op.OperationID] {
				return nil, fmt.Errorf("%s %s: operationId %q is empty or taken", name, path, op.OperationID)
			}
			ids[op.OperationID] = true
			if err := s.add(c, op); err != nil {
				return nil, fmt.Errorf("operation %s: %w", op.OperationID, err)
			}
			s.operations = append(s.operations, Operation{op.OperationID, name, path, s.bodies[op.OperationID] != nil})
		}
	}
	return s, nil
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// add compiles one operation's body and query parameters.
func (s *Schema) add(c *compiler, op operation) error {
	if raw := op.RequestBody.Content["application/json"].Schema; raw != nil {
		body, err := c.node(raw, "body")
		if err != nil {
			return err
		}
		if body.kind != kindObject || body.nullable {
			return errors.New("the body must be an object and not null")
		}
		s.bodies[op.OperationID] = body
	}
	params, err := c.parameters(op.Parameters)
	if err != nil {
		return err
	}
	s.queries[op.OperationID] = params
	return nil
}

// Operations lists the operations of the document, by path and method.
func (s *Schema) Operations() []Operation { return slices.Clone(s.operations) }

// document is the part of OpenAPI that is read here. The rest is for people and other programs.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas    map[string]jsontext.Value `json:"schemas"`
		Parameters map[string]jsontext.Value `json:"parameters"`
	} `json:"components"`
}

type operation struct {
	OperationID string           `json:"operationId"`
	Parameters  []jsontext.Value `json:"parameters"`
	RequestBody struct {
		Content map[string]struct {
			Schema jsontext.Value `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}
