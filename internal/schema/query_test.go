package schema_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/schema"
)

func TestQueries(t *testing.T) {
	s := load(t)
	for _, test := range []struct {
		op, query string
		want      schema.Query
		problems  string
	}{
		{"callcenters.listall", "", schema.Query{}, ""},
		{"callcenters.listall", "cursor=&office_id=&name_search=x", schema.Query{"name_search": "x"}, ""},
		{"callcenters.listall", "color=red&apikey=k", schema.Query{}, ""},
		{"callcenters.listall", "limit=100&office_id=7", schema.Query{"limit": "100", "office_id": "7"}, ""},
		{"callcenters.listall", "limit=5&limit=5&limit=", schema.Query{"limit": "5"}, ""},
		{"callcenters.listall", "limit=5&limit=6", schema.Query{}, "limit: is given twice"},
		{"callcenters.listall", "limit=0", schema.Query{}, "limit: must be 1 or more"},
		{"callcenters.listall", "limit=-1", schema.Query{}, "limit: must be 1 or more"},
		{"callcenters.listall", "limit=abc", schema.Query{}, "limit: must be an integer"},
		{
			"callcenters.listall", "limit=1.0&office_id=0x1",
			schema.Query{},
			"limit: must be an integer; office_id: must be an integer",
		},
		{
			"callcenters.listall", "office_id=9223372036854775808",
			schema.Query{},
			"office_id: must be an integer of at most 64 bits",
		},
		{"callcenters.listall", "name_search=%ff", schema.Query{}, "name_search: must be UTF-8 without the character NUL"},
		{"callcenters.listall", "name_search=%00", schema.Query{}, "name_search: must be UTF-8 without the character NUL"},
		{
			"callcenters.listall", "name_search=" + strings.Repeat("x", 101),
			schema.Query{},
			"name_search: must have at most 100 characters",
		},
		{"callcenters.update", "strict=True", schema.Query{"strict": "true"}, ""},
		{"callcenters.update", "strict=yes", schema.Query{}, "strict: must be true or false"},
		{"users.list", "state=suspended", schema.Query{"state": "suspended"}, ""},
		{
			"users.list", "state=gone",
			schema.Query{},
			"state: must be one of active, all, cancelled, deleted, pending, suspended",
		},
	} {
		t.Run(test.op+"?"+test.query, func(t *testing.T) {
			values, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			query, problems := s.CheckQuery(test.op, values)
			got := lines(problems)
			slices.Sort(got)
			if !maps.Equal(query, test.want) || strings.Join(got, "; ") != test.problems {
				t.Errorf("got %v and %q", query, got)
			}
		})
	}
}

func TestQueryValues(t *testing.T) {
	q := schema.Query{"limit": "7", "strict": "true", "release": "false"}
	if q.Int("limit", 100) != 7 || q.Int("office_id", 100) != 100 {
		t.Errorf("integers of %v", q)
	}
	if !q.Bool("strict") || q.Bool("release") || q.Bool("x") {
		t.Errorf("booleans of %v", q)
	}
	if !q.Has("release") || q.Has("x") {
		t.Errorf("Has of %v", q)
	}
}

func TestLoadRefusesParametersItCannotHold(t *testing.T) {
	const text = `{"name":"a","in":"query","schema":{"type":"string"}}`
	for _, test := range []struct{ parameter, want string }{
		{`{"name":"a","in":"query","schema":{"type":"array","maxItems":1,"items":{"type":"string"}}}`, "must be optional"},
		{`{"name":"a","in":"query","required":true,"schema":{"type":"string"}}`, "must be optional"},
		{`{"name":"a","in":"query","style":"form","schema":{"type":"string"}}`, "style"},
		{`{"name":"a","in":"query","schema":{"type":"string","const":"x"}}`, "const"},
		{`{"$ref":"#/components/parameters/Gone"}`, "leads nowhere"},
		{`{"$ref":"#/components/parameters/Loop"}`, "leads nowhere"},
		{text + "," + text, "twice"},
	} {
		doc := `{"paths":{"/x":{"get":{"operationId":"x","parameters":[` + test.parameter + `]}}},
			"components":{"parameters":{"Loop":{"$ref":"#/components/parameters/Loop"}}}}`
		if _, err := schema.Load([]byte(doc)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.parameter, err, test.want)
		}
	}
}
