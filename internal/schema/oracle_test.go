package schema_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"switchboard/internal/callcenter"
	"switchboard/openapi"
)

// library compiles one schema of the document with the general JSON Schema library, our slow and obvious oracle.
func library(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi.JSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("openapi.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// fullPatch is a body of 2 KB that sets everything.
func fullPatch(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/full_patch.json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestTheFullPatchFillsThePatchType(t *testing.T) {
	r := load(t).Check("callcenters.update", fullPatch(t))
	if len(r.Problems) > 0 || len(r.Ignored) > 0 {
		t.Fatalf("problems %q, ignored %q", lines(r.Problems), r.Ignored)
	}
	var patch callcenter.Patch
	if err := json.Unmarshal(r.JSON, &patch, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	if patch.HoldQueue.MaxHoldSeconds == nil || *patch.HoldQueue.MaxHoldSeconds != 600 {
		t.Errorf("max_hold_seconds was lost: %s", r.JSON)
	}
	again, err := json.Marshal(patch, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	second := load(t).Check("callcenters.update", again)
	if len(second.Problems) > 0 || len(again) != len(r.JSON) {
		t.Errorf("there and back: %s, problems %q", again, lines(second.Problems))
	}
}

func FuzzCheck(f *testing.F) {
	s, oracle := load(f), library(f, "CallCenterUpdate")
	f.Add(fullPatch(f))
	for _, seed := range []string{
		``, `{}`, `[]`, `{"name":null}`, `{"ring_seconds":"30","x":[{"y":1}]}`, `{"ring_seconds":1e30}`,
		`{"routing_options":{"open":{"action":"menu","try_dial_operators":true,"dtmf":[{"input":"1","options":{}}]}}}`,
		`{"monday_hours":["08:00",null]}`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}", `{"a":1,"a":2}`, `{"name":"x"`,
		`{"group_description":"\u0000"}`, `{"":{"":[[[[]]]]}}`, `{"name":"é😀\u00e9"}`,
		`{"hold_queue":{"max_hold_count":-0}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := s.Check("callcenters.update", body)
		for _, path := range r.Ignored {
			if strings.ContainsAny(path, "\r\n\x00") {
				t.Fatalf("ignored path %q is unfit for a header", path)
			}
		}
		if r.JSON == nil {
			if len(r.Problems) == 0 {
				t.Fatal("no JSON and no problem")
			}
			return
		}
		var patch callcenter.Patch
		if err := json.Unmarshal(r.JSON, &patch, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%s does not decode: %v", r.JSON, err)
		}
		if len(r.Problems) > 0 {
			return
		}
		for _, form := range [][]byte{body, r.JSON} {
			if len(bytes.TrimSpace(form)) == 0 {
				continue
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(form))
			if err != nil {
				t.Fatalf("we accept what is no JSON: %v", err)
			}
			if err := oracle.Validate(value); err != nil {
				t.Fatalf("we accept what the library refuses: %v", err)
			}
		}
		again := s.Check("callcenters.update", r.JSON)
		if len(again.Problems)+len(again.Ignored) > 0 || !bytes.Equal(again.JSON, r.JSON) {
			t.Fatalf("%s checked again is %s, %q, %q", r.JSON, again.JSON, lines(again.Problems), again.Ignored)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	s, body := load(b), fullPatch(b)
	b.ReportAllocs()
	for b.Loop() {
		if r := s.Check("callcenters.update", body); len(r.Problems) > 0 {
			b.Fatal(lines(r.Problems))
		}
	}
}

func BenchmarkCheckAndDecode(b *testing.B) {
	s, body := load(b), fullPatch(b)
	b.ReportAllocs()
	for b.Loop() {
		var patch callcenter.Patch
		if err := json.Unmarshal(s.Check("callcenters.update", body).JSON, &patch); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLibrary(b *testing.B) {
	oracle, body := library(b, "CallCenterUpdate"), fullPatch(b)
	b.ReportAllocs()
	for b.Loop() {
		var given any
		if err := json.Unmarshal(body, &given); err != nil {
			b.Fatal(err)
		}
		if err := oracle.Validate(given); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeOnly(b *testing.B) {
	body := load(b).Check("callcenters.update", fullPatch(b)).JSON
	b.ReportAllocs()
	for b.Loop() {
		var patch callcenter.Patch
		if err := json.Unmarshal(body, &patch); err != nil {
			b.Fatal(err)
		}
	}
}
