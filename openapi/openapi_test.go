package openapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"switchboard/openapi"
)

// document reads the document as OpenAPI and as plain JSON.
func document(t *testing.T) (*openapi3.T, map[string]any) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.JSON)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	var plain map[string]any
	if err := json.Unmarshal(openapi.JSON, &plain); err != nil {
		t.Fatalf("read: %v", err)
	}
	return doc, plain
}

func TestDocumentIsSoundOpenAPI(t *testing.T) {
	doc, _ := document(t)
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("validate: %v", err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
}

// operations calls f for every operation but openapi.get, which is not part of the API that it describes.
func operations(doc *openapi3.T, f func(name, path string, op *openapi3.Operation)) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID != "openapi.get" {
				f(method+" "+path, path, op)
			}
		}
	}
}

func TestEveryOperationIsDescribedAlike(t *testing.T) {
	doc, _ := document(t)
	count := 0
	operations(doc, func(name, path string, op *openapi3.Operation) {
		count++
		ours := strings.HasPrefix(path, "/api/v2/x/")
		if !strings.HasPrefix(path, "/api/v2/") || strings.HasPrefix(op.OperationID, "x.") != ours {
			t.Errorf("%s: operation id %s does not fit its path", name, op.OperationID)
		}
		if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || op.Extensions["x-rate-limit"] == nil {
			t.Errorf("%s: summary, description, one tag and x-rate-limit are needed", name)
		}
		want := []string{"200", "400", "401", "429", "500"}
		if strings.Contains(path, "{") {
			want = append(want, "404")
		}
		if op.RequestBody != nil {
			want = append(want, "413", "415")
		}
		for _, status := range want {
			if op.Responses.Value(status) == nil {
				t.Errorf("%s: no answer %s", name, status)
			}
		}
		ok := op.Responses.Value("200").Value
		for _, header := range []string{"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining"} {
			if ok.Headers[header] == nil {
				t.Errorf("%s: no header %s", name, header)
			}
		}
		if strings.HasPrefix(name, "GET") && ok.Headers["ETag"] == nil {
			t.Errorf("%s: no ETag", name)
		}
	})
	if count < 40 {
		t.Errorf("only %d operations were looked at", count)
	}
}

// walk calls f for every object inside a value.
func walk(value any, f func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		f(v)
		for _, inner := range v {
			walk(inner, f)
		}
	case []any:
		for _, inner := range v {
			walk(inner, f)
		}
	}
}

func TestEveryComponentIsUsed(t *testing.T) {
	_, plain := document(t)
	used := map[string]bool{}
	walk(plain, func(object map[string]any) {
		if ref, ok := object["$ref"].(string); ok {
			used[ref] = true
		}
	})
	components := plain["components"].(map[string]any)
	for _, kind := range []string{"schemas", "parameters", "headers", "responses"} {
		for name := range components[kind].(map[string]any) {
			if !used["#/components/"+kind+"/"+name] {
				t.Errorf("nothing refers to %s %s", kind, name)
			}
		}
	}
}

// answered collects the schemas that answers use, however deep.
func answered(t *testing.T, doc *openapi3.T) map[string]*openapi3.Schema {
	t.Helper()
	found := map[string]*openapi3.Schema{}
	var visit func(at string, ref *openapi3.SchemaRef)
	visit = func(at string, ref *openapi3.SchemaRef) {
		if ref == nil || found[at] != nil {
			return
		}
		found[at] = ref.Value
		for name, property := range ref.Value.Properties {
			visit(at+"."+name, property)
		}
		visit(at+".items", ref.Value.Items)
	}
	operations(doc, func(name, _ string, op *openapi3.Operation) {
		for status, answer := range op.Responses.Map() {
			for _, media := range answer.Value.Content {
				visit(name+" "+status, media.Schema)
			}
		}
	})
	return found
}

func TestAnswersHoldNoNullAndNoBareInt64(t *testing.T) {
	doc, _ := document(t)
	found := answered(t, doc)
	if len(found) < 500 {
		t.Fatalf("only %d places were looked at", len(found))
	}
	for _, at := range slices.Sorted(maps.Keys(found)) {
		schema := found[at]
		if schema.Type == nil || len(*schema.Type) != 1 || schema.Type.Includes("null") {
			t.Errorf("%s: an answer has one type a place, and never null", at)
			continue
		}
		if schema.Format == "int64" && !schema.Type.Is("string") {
			t.Errorf("%s: 64-bit integers are strings", at)
		}
		for _, name := range schema.Required {
			if schema.Properties[name] == nil {
				t.Errorf("%s: required %s is no property", at, name)
			}
		}
	}
}

func TestUpdateAndCreateOfACallCenterOfferTheSameSettings(t *testing.T) {
	doc, _ := document(t)
	create := doc.Components.Schemas["CallCenterCreate"].Value.Properties
	update := doc.Components.Schemas["CallCenterUpdate"].Value.Properties
	answer := doc.Components.Schemas["CallCenter"].Value.Properties
	for name := range create {
		if update[name] == nil && name != "office_id" {
			t.Errorf("%s can be set at creation only", name)
		}
	}
	for name := range update {
		if create[name] == nil || answer[name] == nil {
			t.Errorf("%s: created %v, answered %v", name, create[name] != nil, answer[name] != nil)
		}
	}
	if len(update) != 17 {
		t.Errorf("%d settings, not the sixteen and the time zone", len(update))
	}
}
