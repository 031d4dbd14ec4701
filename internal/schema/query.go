package schema

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Query holds the parameters that a request gave, checked. Empty ones are not in it, nor is what the document does not
// know.
type Query map[string]string

// Has says whether a parameter was given.
func (q Query) Has(name string) bool { _, ok := q[name]; return ok }

// Int is the value of an integer parameter, or otherwise when it was not given.
func (q Query) Int(name string, otherwise int64) int64 {
	text, ok := q[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("schema: query parameter " + name + " is no integer in the document")
	}
	return n
}

// Bool is the value of a boolean parameter; false when it was not given.
func (q Query) Bool(name string) bool { return q[name] == "true" }

// parameter is one query parameter of an operation.
type parameter struct {
	name string
	*node
}

// CheckQuery checks the query of an operation. Empty values count as absent, since generated clients send every
// parameter they know; unknown parameters are ignored. The location of a problem is the parameter's name.
func (s *Schema) CheckQuery(operationID string, values url.Values) (Query, []Problem) {
	params, ok := s.queries[operationID]
	if !ok {
		panic("schema: no operation " + operationID)
	}
	query, problems := Query{}, []Problem(nil)
	for _, p := range params {
		text, message := p.read(values[p.name])
		switch {
		case message != "":
			problems = append(problems, Problem{p.name, message})
		case text != "":
			query[p.name] = text
		}
	}
	return query, problems
}

// read judges the values given for a parameter. An empty text without a message: absent.
func (p parameter) read(given []string) (text, message string) {
	for _, value := range given {
		if value == "" || value == text {
			continue
		}
		if text != "" {
			return "", "is given twice"
		}
		text = value
	}
	switch {
	case text == "":
		return "", ""
	case !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0:
		return "", "must be UTF-8 without the character NUL"
	case p.kind == kindBool:
		// Python writes True.
		if text = strings.ToLower(text); text != "true" && text != "false" {
			return "", wanted[kindBool]
		}
		return text, ""
	}
	if _, message = p.judge([]byte(text)); message == wanted[kindInt] {
		message = "must be an integer"
	}
	return text, message
}

const parameterPrefix = "#/components/parameters/"

// parameters compiles those parameters of an operation that stand in the query.
func (c *compiler) parameters(raws []jsontext.Value) ([]parameter, error) {
	c.query = true
	defer func() { c.query = false }()
	var params []parameter
	for _, raw := range raws {
		p, err := c.parameter(raw, false)
		if err != nil {
			return nil, err
		}
		if p.node == nil {
			continue
		}
		if slices.ContainsFunc(params, func(other parameter) bool { return other.name == p.name }) {
			return nil, fmt.Errorf("parameter %s is there twice", p.name)
		}
		params = append(params, p)
	}
	return params, nil
}

// parameter compiles one; followed says that a $ref led here, and another may not follow. Its node is nil when it does
// not stand in the query.
func (c *compiler) parameter(raw jsontext.Value, followed bool) (parameter, error) {
	var src struct {
		Ref         string         `json:"$ref"`
		Name        string         `json:"name"`
		In          string         `json:"in"`
		Description string         `json:"description"`
		Required    bool           `json:"required"`
		Schema      jsontext.Value `json:"schema"`
	}
	if err := json.Unmarshal(raw, &src, json.RejectUnknownMembers(true)); err != nil {
		return parameter{}, fmt.Errorf("parameter %s: %w", bytes.TrimSpace(raw), err)
	}
	if src.Ref != "" {
		name, ok := strings.CutPrefix(src.Ref, parameterPrefix)
		target, known := c.doc.Components.Parameters[name]
		if !ok || !known || followed {
			return parameter{}, fmt.Errorf("parameter $ref %q leads nowhere", src.Ref)
		}
		return c.parameter(target, true)
	}
	if src.In != "query" {
		return parameter{}, nil
	}
	n, err := c.node(src.Schema, "parameter "+src.Name)
	if err != nil {
		return parameter{}, err
	}
	if src.Required || n.nullable || n.kind >= kindObject || n.kind == kindAny {
		err = errors.New("parameter " + src.Name + ": must be optional, and one boolean, integer or string")
	}
	return parameter{src.Name, n}, err
}
