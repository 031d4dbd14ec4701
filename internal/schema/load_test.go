package schema_test

import (
	"strings"
	"testing"

	"switchboard/internal/schema"
)

func TestOperationsOfTheDocument(t *testing.T) {
	bodies := map[string]bool{}
	for _, op := range load(t).Operations() {
		bodies[op.Method+" "+op.Path] = op.Body
	}
	for pattern, body := range map[string]bool{
		"PATCH /api/v2/callcenters/{id}":                                     true,
		"GET /api/v2/callcenters/{id}":                                       false,
		"DELETE /api/v2/callcenters/{id}/operators":                          true,
		"PATCH /api/v2/callcenters/operators/{id}/dutystatus":                true,
		"GET /api/v2/callcenters/{call_center_id}/operators/{user_id}/skill": false,
		"GET /openapi.json":                                                  false,
	} {
		if got, ok := bodies[pattern]; !ok || got != body {
			t.Errorf("%s: there %v, takes a body %v", pattern, ok, got)
		}
	}
}

// document is the smallest document around one body schema.
func document(body string) string {
	return `{"paths":{"/x":{"post":{"operationId":"x","requestBody":{"content":{"application/json":{"schema":` + body +
		`}}}}}},"components":{"schemas":{"Loop":{"type":["object","null"],` +
		`"properties":{"a":{"$ref":"#/components/schemas/Loop"}}}}}}`
}

func TestLoadRefusesWhatItCannotHold(t *testing.T) {
	for property, want := range map[string]string{
		`{"type":["string","null"],"multipleOf":2}`:    "multipleOf",
		`{"type":["string","null"],"MinLength":2}`:     "MinLength",
		`{"anyOf":[{"type":"string"}]}`:                "anyOf",
		`{"type":["number","null"]}`:                   "not one that is checked",
		`{"type":["integer","null"],"format":"int64"}`: "not one that is checked",
		`{"type":["integer","string","null"]}`:         "format",
		`{"type":["string","null"],"format":"email"}`:  "format",
		`{}`:                                     "only a read-only field",
		`{"type":"string"}`:                      "optional fields take null",
		`{"type":["string","null"],"minimum":2}`: "does not belong",
		`{"type":["integer","string","null"],"format":"int64","maxLength":2}`:              "does not belong",
		`{"type":["boolean","null"],"enum":["true"]}`:                                      "does not belong",
		`{"type":["string","null"],"enum":["a"]}`:                                          "disagree about null",
		`{"type":["string","null"],"pattern":"^a$"}`:                                       "x-pattern-means",
		`{"type":["string","null"],"pattern":"(","x-pattern-means":"odd"}`:                 "missing closing",
		`{"type":["array","null"],"items":{"type":"string"}}`:                              "maxItems",
		`{"type":["array","null"],"maxItems":3}`:                                           "needs items",
		`{"type":["array","null"],"maxItems":3,"items":{"type":["string","null"]}}`:        "items",
		`{"$ref":"#/components/schemas/Gone"}`:                                             "leads nowhere",
		`{"$ref":"elsewhere.json"}`:                                                        "leads nowhere",
		`{"$ref":"#/components/schemas/Loop"}`:                                             "circle",
		`{"$ref":"#/components/schemas/Loop","type":"object"}`:                             "beside $ref",
		`{"type":["object","null"],"required":["b"]}`:                                      "is no property",
		`{"type":["object","null"],"required":["b"],"properties":{"b":{"readOnly":true}}}`: "read-only and required",
		`{"type":["object","null"],"properties":{"b":{"type":"string"}}}`:                  "optional fields take null",
	} {
		_, err := schema.Load([]byte(document(`{"type":"object","properties":{"a":` + property + `}}`)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", property, err, want)
		}
	}
	for doc, want := range map[string]string{
		`{`: "read the OpenAPI document",
		document(`{"type":"array","maxItems":1,"items":{"type":"string"}}`):      "must be an object",
		document(`{"type":["object","null"]}`):                                   "must be an object",
		`{"paths":{"/x":{"fetch":{"operationId":"x"}}}}`:                         "is no method",
		`{"paths":{"/x":{"get":{}}}}`:                                            "is empty or taken",
		`{"paths":{"/x":{"get":{"operationId":"x"},"put":{"operationId":"x"}}}}`: "is empty or taken",
	} {
		if _, err := schema.Load([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", doc, err, want)
		}
	}
}

func TestReadOnlyFieldsAreIgnoredWhateverTheyHold(t *testing.T) {
	s, err := schema.Load([]byte(document(`{"type":"object","properties":{` +
		`"id":{"readOnly":true,"description":"The id."},` +
		`"state":{"type":["string","null"],"readOnly":true},"name":{"type":["string","null"]}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	r := s.Check("x", []byte(`{"id":{"a":[1]},"state":5,"name":"n"}`))
	if len(r.Problems) > 0 || string(r.JSON) != `{"name":"n"}` || strings.Join(r.Ignored, " ") != "id state" {
		t.Errorf("got %q, %s, %q", lines(r.Problems), r.JSON, r.Ignored)
	}
}

func TestUnknownOperationsAreOurMistake(t *testing.T) {
	s := load(t)
	for name, call := range map[string]func(){
		"no such operation":  func() { s.Check("nothing", nil) },
		"takes no body":      func() { s.Check("callcenters.get", nil) },
		"no such query":      func() { s.CheckQuery("nothing", nil) },
		"text is no integer": func() { schema.Query{"cursor": "x"}.Int("cursor", 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func TestFreeObjectsAreKeptAsTheyAreWritten(t *testing.T) {
	s := load(t)
	const free = `{"n":9007199254740993, "none":null,"deep":[{"x":[1e3]}]}`
	r := s.Check("x.testrequests.create", []byte(`{"request" : `+free+`, "input":null}`))
	if len(r.Problems) > 0 || string(r.JSON) != `{"request":`+free+`}` {
		t.Errorf("%q %s", lines(r.Problems), r.JSON)
	}
	for body, want := range map[string]string{
		`{"request":[]}`:              "request: must be an object",
		`{"request":{"a":"\u0000"}}`:  "contains the character NUL",
		`{"request":{"a":1,"a":2}}`:   "is given twice",
		`{"request":{},"input":"no"}`: "input: must be an object",
	} {
		r := s.Check("x.testrequests.create", []byte(body))
		if text := strings.Join(lines(r.Problems), ", "); !strings.Contains(text, want) {
			t.Errorf("%s: %q", body, text)
		}
	}
}
