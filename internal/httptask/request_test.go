package httptask

import (
	"reflect"
	"strings"
	"testing"

	"switchboard/internal/flow"
)

// sent is what a server should get of a task.
type sent struct {
	spec   flow.Map
	method string
	uri    string
	body   string
	header map[string]string // "": absent
}

func tasks(base string) map[string]sent {
	return map[string]sent{
		"defaults": {flow.Map{}, "GET", "/x", "", map[string]string{
			"Accept": "application/json", "Content-Type": "", "User-Agent": "Switchboard/1.2", "Idempotency-Key": "task-1",
		}},
		"body of JSON": {
			flow.Map{"method": "post", "body": flow.Map{"b": int64(1<<60 + 1), "a": []any{nil, 1.5, "<&>"}}},
			"POST", "/x",
			`{"a":[null,1.5,"<&>"],"b":1152921504606846977}`,
			map[string]string{"Content-Type": "application/json"},
		},
		"body of text": {
			flow.Map{"method": "PUT", "body": "plain", "contentType": "text/plain"},
			"PUT", "/x", "plain",
			map[string]string{"Content-Type": "text/plain"},
		},
		"body of a list": {flow.Map{"method": "PATCH", "body": []any{int64(1)}}, "PATCH", "/x", "[1]", nil},
		"empty body": {
			flow.Map{"method": "POST", "body": ""},
			"POST", "/x", "",
			map[string]string{"Content-Type": "application/json", "Transfer-Encoding": ""},
		},
		"form": {
			flow.Map{"method": "POST", "contentType": "application/x-www-form-urlencoded; charset=utf-8", "body": flow.Map{
				"a": "x y", "n": int64(5), "list": []any{"1", "2"}, "gone": nil,
			}}, "POST", "/x", "a=x+y&list=1&list=2&n=5", nil,
		},
		"headers": {
			flow.Map{"headers": flow.Map{
				"X-Text": "t", "X-Number": int64(5), "X-Null": nil, "x-list": []any{"a", "b"}, "accept": "text/csv",
				"Host": "evil.test", "Content-Length": "99", "Connection": "close", "User-Agent": "mine",
				"Idempotency-Key": "own",
			}}, "GET", "/x", "", map[string]string{
				"X-Text": "t", "X-Number": "5", "X-Null": "", "X-List": "a|b", "Accept": "text/csv", "User-Agent": "mine",
				"Idempotency-Key": "own", "Connection": "",
			},
		},
		"accept of several": {
			flow.Map{"accept": []any{"application/json", "text/plain;q=0.5"}},
			"GET", "/x", "",
			map[string]string{"Accept": "application/json, text/plain;q=0.5"},
		},
		"no idempotency key": {
			flow.Map{"idempotencyKey": false}, "GET", "/x", "", map[string]string{"Idempotency-Key": ""},
		},
		"query is encoded": {
			flow.Map{"uri": base + "/a b?q=ü x&done=%20&lonely=100%&z=\"|#frag"},
			"GET",
			"/a%20b?q=%C3%BC%20x&done=%20&lonely=100%25&z=%22%7C", "", nil,
		},
		"query is encoded already": {
			flow.Map{"uri": base + "/?q=100%", "encode": false}, "GET", "/?q=100%", "", nil,
		},
	}
}

func TestRequestIsSentAsTheTaskSays(t *testing.T) {
	w := newWorld(t, nil)
	for name, test := range tasks(w.server.URL) {
		if _, ok := test.spec["uri"]; !ok {
			test.spec["uri"] = w.server.URL + "/x"
		}
		report := w.do(t, test.spec)
		all := w.requests()
		if report.Status != flow.TaskCompleted || report.Reason != "" || report.Task != "task-1" || len(all) != 1 {
			t.Errorf("%s: %+v, %d requests", name, report, len(all))
			continue
		}
		got := all[0]
		if got.method != test.method || got.uri != test.uri || got.body != test.body {
			t.Errorf("%s: %s %s %q", name, got.method, got.uri, got.body)
		}
		for header, want := range test.header {
			if value := strings.Join(got.header.Values(header), "|"); value != want {
				t.Errorf("%s: %s: %q, want %q", name, header, value, want)
			}
		}
	}
}

func TestBothFormsOfInput(t *testing.T) {
	w := newWorld(t, nil)
	for _, input := range []flow.Map{
		{"uri": w.server.URL, "method": "GET", "asyncComplete": true},
		{"http_request": flow.Map{"uri": w.server.URL, "method": "GET"}, "asyncComplete": true},
		{"http_request": flow.Map{"uri": w.server.URL, "method": "GET", "asyncComplete": true}},
	} {
		report := w.Do(t.Context(), run, attempt(input))
		if report.Status != flow.InProgress || response(t, report)["statusCode"] != int64(200) {
			t.Errorf("%+v", report)
		}
	}
	a := attempt(flow.Map{"uri": w.server.URL, "method": "GET"})
	a.Task.AsyncComplete = true
	if report := w.Do(t.Context(), run, a); report.Status != flow.InProgress {
		t.Errorf("%+v", report)
	}
}

func TestWhatCannotBeSentIsSaid(t *testing.T) {
	w := newWorld(t, nil)
	w.secret(t, "KEY")
	for _, test := range []struct {
		input flow.Map
		want  string
	}{
		{flow.Map{}, "uri is missing"},
		{flow.Map{"uri": " ", "method": "GET"}, "uri is missing"},
		{flow.Map{"uri": int64(1), "method": "GET"}, "uri is missing"},
		{flow.Map{"uri": w.server.URL}, "method is missing"},
		{flow.Map{"uri": w.server.URL, "method": "CONNECT"}, "CONNECT"},
		{flow.Map{"uri": w.server.URL, "method": "GET x"}, "method"},
		{flow.Map{"http_request": "text"}, "http_request"},
		{flow.Map{"uri": "ftp://x/", "method": "GET"}, "http://"},
		{flow.Map{"uri": "file:///etc/passwd", "method": "GET"}, "http://"},
		{flow.Map{"uri": "//x/", "method": "GET"}, "http://"},
		{flow.Map{"uri": "http://", "method": "GET"}, "no host"},
		{flow.Map{"uri": "http://:80/", "method": "GET"}, "no host"},
		{flow.Map{"uri": "http://a b/", "method": "GET"}, "malformed"},
		{flow.Map{"uri": "http://x/%zz", "method": "GET"}, "malformed"},
		{flow.Map{"uri": "http://${workflow.secrets.KEY}/", "method": "GET"}, "uri"},
		{flow.Map{"uri": "http://${workflow.secrets.KEY}.example.com/", "method": "GET"}, "uri"},
		{flow.Map{"uri": "http://x:${workflow.secrets.KEY}@y/", "method": "GET"}, "uri"},
		{flow.Map{"uri": w.server.URL + "/?a b", "method": "GET", "encode": false}, "encode is false"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "headers": "x"}, "headers"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "headers": flow.Map{"a b": "c"}}, "headers"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "headers": flow.Map{"a": "b\r\nEvil: 1"}}, "headers"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "headers": flow.Map{"a\nb": "c"}}, "headers"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "readTimeOut": "soon"}, "readTimeOut"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "connectionTimeOut": int64(-1)}, "connectionTimeOut"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "acceptedStatusCodes": "404"}, "acceptedStatusCodes"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "acceptedStatusCodes": []any{"x"}}, "acceptedStatusCodes"},
		{flow.Map{"uri": w.server.URL, "method": "POST", "body": strings.Repeat("x", MaxRequest+1)}, "body has"},
		{flow.Map{"uri": w.server.URL, "method": "GET", "body": "${workflow.secrets.NONE}"}, "no such secret"},
	} {
		report, exchange := w.Try(t.Context(), run, attempt(test.input))
		if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, test.want) ||
			exchange.Error != report.Reason {
			t.Errorf("%.80v: %+v", test.input, report)
		}
		holdsNone(t, report.Reason)
	}
	if got := w.requests(); len(got) != 0 {
		t.Errorf("%d were sent", len(got))
	}
	largest := flow.Map{"method": "POST", "body": strings.Repeat("x", MaxRequest)}
	if report := w.do(t, largest); report.Status != flow.TaskCompleted {
		t.Error("the largest body:", report.Reason)
	}
}

// TestWhoChoseTheHost reads definitions, not inputs: those look alike whoever wrote the host.
func TestWhoChoseTheHost(t *testing.T) {
	for uri, chosen := range map[string]bool{
		"https://api.test/${x}": false, "https://api.test?x=${x}": false, "https://api.test#${x}": false, "https://a": false,
		" https://api.test/${x} ": false, "https://api.test:81/${x}": false,
		"${x}": true, "https://${x}/": true, "https://api${x}/": true, "https://api.test${x}": true, "api.test/": true,
		"https://api.test:${x}/": true, "${scheme}://api.test/": true, "https://${x}@api.test/": true,
		"https://api.test$${x}/": true, "http${s}://api.test/": true,
	} {
		for _, input := range []flow.Map{{"uri": uri}, {"http_request": flow.Map{"uri": uri}}} {
			if got := hostChosen(attempt(input)); got != chosen {
				t.Errorf("%s: %v", uri, got)
			}
		}
	}
	a := attempt(flow.Map{"method": "GET"})
	if !hostChosen(a) {
		t.Error("no uri at all")
	}
	a.Def = &flow.TaskDef{InputTemplate: flow.Map{"http_request": flow.Map{"uri": "https://api.test/"}}}
	if hostChosen(a) {
		t.Error("the task definition wrote it down")
	}
	a.Task.Input = flow.Map{"http_request": "${workflow.input.request}"}
	a.Def = nil
	if !hostChosen(a) {
		t.Error("the whole request is a value")
	}
	a.Task = nil
	if !hostChosen(a) {
		t.Error("no definition is known")
	}
}

func TestTimesAreCapped(t *testing.T) {
	for name, test := range map[string]struct {
		spec flow.Map
		want [3]int64 // connect, read, total in milliseconds
	}{
		"defaults": {flow.Map{}, [3]int64{3000, 3000, 30000}},
		"none":     {flow.Map{"connectionTimeOut": int64(0), "readTimeOut": int64(0)}, [3]int64{5000, 120000, 120000}},
		"short":    {flow.Map{"connectionTimeOut": int64(10), "readTimeOut": "20"}, [3]int64{10, 20, 30000}},
		"long": {
			flow.Map{"connectionTimeOut": int64(5001), "readTimeOut": int64(120001)}, [3]int64{5000, 120000, 120000},
		},
		"between": {flow.Map{"readTimeOut": 45000.0}, [3]int64{3000, 45000, 45000}},
	} {
		r := &request{method: "GET"}
		err := r.readLimits(test.spec)
		got := [3]int64{r.connect.Milliseconds(), r.read.Milliseconds(), r.total.Milliseconds()}
		if err != nil || got != test.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for method, want := range map[string]int{"GET": 3, "PUT": 3, "DELETE": 3, "POST": 0, "PATCH": 0} {
		r := &request{method: method}
		_ = r.readLimits(flow.Map{"hedgingConfig": flow.Map{"maxAttempts": int64(3)}})
		if r.copies != want {
			t.Errorf("%s: %d copies", method, r.copies)
		}
	}
	r := &request{method: "GET"}
	_ = r.readLimits(flow.Map{
		"hedgingConfig": flow.Map{"maxAttempts": int64(99)}, "acceptedStatusCodes": []any{int64(404)},
	})
	if r.copies != MaxCopies || !reflect.DeepEqual(r.accepted, []int{404}) {
		t.Error(r.copies, r.accepted)
	}
}

func FuzzPrepare(f *testing.F) {
	for _, text := range []string{
		`{"uri":"http://127.0.0.1/x?a=b","method":"GET"}`,
		`{"http_request":{"uri":"http://a/${workflow.secrets.KEY}","method":"PUT"}}`,
		`{"uri":"http://a","method":"POST","headers":{"A":["b",null]},"body":{"x":[1]},"hedgingConfig":{"maxAttempts":2}}`,
	} {
		f.Add([]byte(text))
	}
	c := New(Config{Secrets: &keeper{}, Version: "1"})
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := flow.Decode(text)
		input, ok := value.(flow.Map)
		if err != nil || !ok {
			return
		}
		r, err := c.prepare(run, attempt(input))
		if err == nil && (r.url.Hostname() == "" || r.total > MaxTimeout || len(r.body) > MaxRequest) {
			t.Errorf("%s: %+v", text, r)
		}
	})
}
