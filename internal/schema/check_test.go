package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/schema"
	"switchboard/openapi"
)

// load compiles the document that is served.
func load(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Load(openapi.JSON)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines writes problems as "location: message".
func lines(problems []schema.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Location+": "+p.Message)
	}
	return out
}

const notInteger = `must be an integer, such as 30 or "30"`

func TestSoundBodies(t *testing.T) {
	s := load(t)
	for _, test := range []struct{ name, op, body, json, ignored string }{
		{"empty", "callcenters.update", "", `{}`, ""},
		{"only space", "callcenters.update", " \r\n\t", `{}`, ""},
		{"nothing asked", "callcenters.update", ` { } `, `{}`, ""},
		{"integer", "callcenters.update", `{"ring_seconds":30}`, `{"ring_seconds":30}`, ""},
		{"integer as string", "callcenters.update", `{"ring_seconds":"30"}`, `{"ring_seconds":30}`, ""},
		{"integer as escaped string", "callcenters.update", `{"ring_seconds":"3\u0030"}`, `{"ring_seconds":30}`, ""},
		{"minus zero", "callcenters.update", `{"alerts":{"cc_service_level":-0}}`, `{"alerts":{"cc_service_level":0}}`, ""},
		{
			"greatest id", "callcenters.operators.post", `{"user_id":"9223372036854775807"}`,
			`{"user_id":9223372036854775807}`, "",
		},
		{
			"exact beyond 2^53", "callcenters.operators.post", `{"user_id":9007199254740993}`,
			`{"user_id":9007199254740993}`, "",
		},
		{
			"null is absent", "callcenters.update", `{"name":null,"ring_seconds":12,"hold_queue":null}`,
			`{"ring_seconds":12}`, "",
		},
		{
			"null is absent inside", "callcenters.update",
			`{"hold_queue":{"max_hold_count":null,"queue_escape_dtmf":"#"}}`, `{"hold_queue":{"queue_escape_dtmf":"#"}}`, "",
		},
		{"null enum", "callcenters.operators.post", `{"user_id":7,"role":null}`, `{"user_id":7}`, ""},
		{
			"unknown", "callcenters.update", `{"webhook_id":1,"hours_on":true,"hold_queue":{"x":{"y":[null,{}]}}}`,
			`{"hours_on":true,"hold_queue":{}}`, "webhook_id hold_queue.x",
		},
		{"unknown null is absent", "callcenters.update", `{"webhook_id":null}`, `{}`, ""},
		{"case counts", "callcenters.update", `{"NAME":"x","Ring_Seconds":5}`, `{}`, "NAME Ring_Seconds"},
		{"unknown key made safe", "callcenters.update", `{"a,b\r\nX: 1":1,"é":2,"":3}`, `{}`, `"a,b\r\nX: 1" "\u00e9" ""`},
		{"escaped known key", "callcenters.update", `{"n\u0061me":"x"}`, `{"name":"x"}`, ""},
		{
			"escapes kept", "callcenters.update",
			`{"name":"\u00e9\"\\ \ud83d\ude00"}`, `{"name":"\u00e9\"\\ \ud83d\ude00"}`, "",
		},
		{"empty list", "callcenters.update", `{"monday_hours":[]}`, `{"monday_hours":[]}`, ""},
		{
			"list in order", "callcenters.update", `{"monday_hours":["08:00", "24:00"]}`,
			`{"monday_hours":["08:00","24:00"]}`, "",
		},
		{"no body field needed", "callcenters.operators.delete", ``, `{}`, ""},
		{
			"line breaks where allowed", "callcenters.update",
			`{"group_description":"a\n\tb"}`, `{"group_description":"a\n\tb"}`, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := s.Check(test.op, []byte(test.body))
			if len(r.Problems) > 0 {
				t.Errorf("problems %q", lines(r.Problems))
			}
			if string(r.JSON) != test.json || strings.Join(r.Ignored, " ") != test.ignored {
				t.Errorf("got %s, ignored %q; want %s, ignored %q", r.JSON, r.Ignored, test.json, test.ignored)
			}
		})
	}
}

func TestBadValuesAreNamed(t *testing.T) {
	s := load(t)
	for _, test := range []struct{ op, body, want string }{
		{"callcenters.update", `{"ring_seconds":20.5}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":20.0}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":2e1}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":1e30}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":true}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":""}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":"20 "}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":"+20"}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":"020"}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":"-"}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":"0x14"}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":"٣٠"}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":[30]}`, "ring_seconds: " + notInteger},
		{"callcenters.update", `{"ring_seconds":9}`, "ring_seconds: must be from 10 to 45"},
		{"callcenters.update", `{"ring_seconds":"46"}`, "ring_seconds: must be from 10 to 45"},
		{"callcenters.update", `{"ring_seconds":"-9223372036854775808"}`, "ring_seconds: must be from 10 to 45"},
		{"callcenters.operators.post", `{"user_id":"9223372036854775808"}`, "user_id: must be an integer of at most 64 bits"},
		{"callcenters.operators.post", `{"user_id":0}`, "user_id: must be 1 or more"},
		{"callcenters.operators.post", `{"user_id":1,"role":"boss"}`, "role: must be one of admin, operator, supervisor"},
		{"callcenters.operators.post", `{"role":null,"user_id":null}`, "user_id: is required"},
		{"callcenters.operators.post", `{}`, "user_id: is required"},
		{"callcenters.operators.post", `{"User_ID":1}`, "user_id: is required"},
		{"callcenters.update", `{"hours_on":"true"}`, "hours_on: must be true or false"},
		{"callcenters.update", `{"hours_on":0}`, "hours_on: must be true or false"},
		{"callcenters.update", `{"name":7}`, "name: must be a string"},
		{"callcenters.update", `{"name":""}`, "name: must have from 1 to 100 characters"},
		{"callcenters.update", `{"name":"a\nb"}`, "name: must be one line without control characters"},
		{"callcenters.update", `{"name":"a\u0085b"}`, "name: must be one line without control characters"},
		{
			"callcenters.update", `{"group_description":"a\rb"}`,
			"group_description: must be text without control characters, line breaks and tabs aside",
		},
		{"callcenters.update", `{"hold_queue":{"queue_escape_dtmf":9}}`, "hold_queue.queue_escape_dtmf: must be a string"},
		{
			"callcenters.update", `{"hold_queue":{"queue_escape_dtmf":"10"}}`,
			"hold_queue.queue_escape_dtmf: must be one key of 0-9, * and #",
		},
		{"callcenters.update", `{"hold_queue":[]}`, "hold_queue: must be an object"},
		{"callcenters.update", `{"monday_hours":"08:00"}`, "monday_hours: must be a list"},
		{"callcenters.update", `{"monday_hours":{"0":"08:00"}}`, "monday_hours: must be a list"},
		{"callcenters.update", `{"monday_hours":[null,"18:00"]}`, "monday_hours.0: must not be null"},
		{
			"callcenters.update", `{"monday_hours":["08:00","24:01"]}`,
			"monday_hours.1: must be a time from 00:00 to 23:59, or 24:00",
		},
		{"callcenters.update", `{"monday_hours":["8:00"]}`, "monday_hours.0: must be a time from 00:00 to 23:59, or 24:00"},
		{"x.numbers.create", `{"numbers":[]}`, "numbers: must have from 1 to 1000 items"},
		{"x.numbers.create", `{"numbers":["+0123"]}`, "numbers.0: must be an E.164 number such as +14155550100"},
		{"callcenters.update", `[]`, ": must be a JSON object"},
		{"callcenters.update", `null`, ": must be a JSON object"},
		{"callcenters.update", `"x"`, ": must be a JSON object"},
	} {
		t.Run(test.body, func(t *testing.T) {
			r := s.Check(test.op, []byte(test.body))
			if got := strings.Join(lines(r.Problems), "; "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestEveryProblemIsNamedAndTheRestIsHandedOn(t *testing.T) {
	r := load(t).Check("callcenters.update", []byte(`{"name":"x","ring_seconds":"50",
		"hold_queue":{"max_hold_seconds":20.5,"max_hold_count":"3","z":1},
		"routing_options":{"open":{"action":"menu","dtmf":[{"input":"1","options":{"action":"voicemail"}},{"input":"*"}]}},
		"monday_hours":["08:00","25:00"],"hours_on":true}`))
	want := []string{
		"ring_seconds: must be from 10 to 45",
		"hold_queue.max_hold_seconds: " + notInteger,
		"routing_options.open.dtmf.1.input: must be one digit, 0 to 9",
		"routing_options.open.dtmf.1.options: is required",
		"routing_options.open.try_dial_operators: is required",
		"routing_options.closed: is required",
		"monday_hours.1: must be a time from 00:00 to 23:59, or 24:00",
	}
	if got := lines(r.Problems); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	const rest = `{"name":"x","hold_queue":{"max_hold_count":3},"routing_options":{"open":{"action":"menu",` +
		`"dtmf":[{"input":"1","options":{"action":"voicemail"}},{}]}},"hours_on":true}`
	if string(r.JSON) != rest {
		t.Errorf("got  %s\nwant %s", r.JSON, rest)
	}
}

func TestBrokenBodies(t *testing.T) {
	s := load(t)
	for _, test := range []struct{ name, body, location, message string }{
		{"cut off", `{"name":"x"`, "", "ends too early"},
		{"cut off in a string", `{"name":"x`, "name", "ends too early"},
		{"bare word", `{"name":x}`, "name", "is not JSON at byte 8"},
		{"no colon", `{"name" 1}`, "name", "is not JSON"},
		{"trailing comma", `{"name":"x",}`, "", "is not JSON"},
		{"comment", `{} // x`, "", "has more after its end"},
		{"two values", `{}{}`, "", "has more after its end"},
		{"byte order mark", "\ufeff{}", "", "is not JSON"},
		{"twice", `{"name":"a","name":"b"}`, "name", "is given twice"},
		{"twice by escape", `{"name":"a","n\u0061me":"b"}`, "name", "is given twice"},
		{
			"twice inside", `{"hold_queue":{"max_hold_count":5,"max_hold_count":5}}`,
			"hold_queue.max_hold_count", "is given twice",
		},
		{"twice in unknown", `{"z":[{"a":1,"a":1}]}`, "z.0.a", "is given twice"},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", "name", "UTF-8"},
		{"invalid UTF-8 in a key", "{\"\xc0\x80\":1}", "", "UTF-8"},
		{"lone surrogate", `{"name":"\ud800"}`, "name", "surrogate"},
		{"lone surrogate in unknown", `{"z":"\udc00"}`, "z", "surrogate"},
		{"NUL", `{"name":"a\u0000b"}`, "name", "NUL"},
		{"NUL in unknown", `{"z":["\u0000"]}`, "z", "NUL"},
		{"NUL in a key", `{"a\u0000":1}`, "", "NUL"},
		{"raw NUL", "{\"name\":\"a\x00b\"}", "name", "is not JSON"},
		{"control character", "{\"name\":\"a\nb\"}", "name", "is not JSON"},
		{"leading zero", `{"ring_seconds":030}`, "", "is not JSON"},
		{"not a number", `{"ring_seconds":NaN}`, "ring_seconds", "is not JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := s.Check("callcenters.update", []byte(test.body))
			if len(r.Problems) != 1 || r.JSON != nil || r.Ignored != nil {
				t.Fatalf("got %q, %s, %q", lines(r.Problems), r.JSON, r.Ignored)
			}
			p := r.Problems[0]
			if p.Location != test.location || !strings.Contains(p.Message, test.message) {
				t.Errorf("got %q at %q", p.Message, p.Location)
			}
		})
	}
}

func TestDepthEdge(t *testing.T) {
	s := load(t)
	deep := func(levels int) []byte { // the body itself is one level
		return fmt.Appendf(nil, `{"z":%s%s}`, strings.Repeat("[", levels-1), strings.Repeat("]", levels-1))
	}
	if r := s.Check("callcenters.update", deep(schema.MaxDepth)); len(r.Problems) != 0 {
		t.Errorf("%d levels: %q", schema.MaxDepth, lines(r.Problems))
	}
	r := s.Check("callcenters.update", deep(schema.MaxDepth+1))
	if len(r.Problems) != 1 || r.Problems[0].Location != "z" || !strings.Contains(r.Problems[0].Message, "more than 64") {
		t.Errorf("%d levels: %q", schema.MaxDepth+1, lines(r.Problems))
	}
}

func TestLengthEdgesCountCodePoints(t *testing.T) {
	s := load(t)
	for length, sound := range map[int]bool{1: true, 100: true, 101: false} {
		body := `{"name":"` + strings.Repeat("😀", length) + `"}`
		if r := s.Check("callcenters.update", []byte(body)); (len(r.Problems) == 0) != sound {
			t.Errorf("%d characters: %q", length, lines(r.Problems))
		}
	}
	for length, sound := range map[int]bool{0: true, 20: true, 21: false} {
		body := `{"monday_hours":[` + strings.TrimSuffix(strings.Repeat(`"08:00",`, length), ",") + `]}`
		if r := s.Check("callcenters.update", []byte(body)); (len(r.Problems) == 0) != sound {
			t.Errorf("%d hours: %q", length, lines(r.Problems))
		}
	}
	r := s.Check("callcenters.update", []byte(`{"monday_hours":[`+strings.Repeat("1,", 5000)+`1]}`))
	if len(r.Problems) != 21 || r.Problems[20].Message != "must have at most 20 items" {
		t.Errorf("%d problems of an endless list", len(r.Problems))
	}
}

func TestListsOfFindingsAreBounded(t *testing.T) {
	s := load(t)
	check := func(bad int) schema.Result {
		return s.Check("x.numbers.create", []byte(`{"numbers":[`+strings.TrimSuffix(strings.Repeat("1,", bad), ",")+`]}`))
	}
	if r := check(schema.MaxProblems); len(r.Problems) != schema.MaxProblems {
		t.Errorf("%d problems listed", len(r.Problems))
	}
	r := check(schema.MaxProblems + 2)
	if last := r.Problems[len(r.Problems)-1]; len(r.Problems) != schema.MaxProblems+1 ||
		last.Message != "has 2 more problems that are not listed" {
		t.Errorf("%d problems, the last %q", len(r.Problems), last)
	}
	unknown := func(n int) []string {
		var body strings.Builder
		for i := range n {
			fmt.Fprintf(&body, `,"z%d":1`, i)
		}
		return s.Check("callcenters.update", []byte("{"+body.String()[1:]+"}")).Ignored
	}
	if got := unknown(schema.MaxIgnored); got[len(got)-1] != "z99" {
		t.Errorf("%d ignored, the last %s", len(got), got[len(got)-1])
	}
	if got := unknown(schema.MaxIgnored + 5); len(got) != schema.MaxIgnored+1 || got[schema.MaxIgnored] != "..." {
		t.Errorf("%d ignored, the last %s", len(got), got[len(got)-1])
	}
	long := s.Check("callcenters.update", []byte(`{"`+strings.Repeat("k", 5000)+`":1}`)).Ignored
	if len(long) != 1 || len(long[0]) > 80 {
		t.Errorf("a long key is repeated as %q", long)
	}
}
