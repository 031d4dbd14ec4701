package httptask

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/egress"
	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// keeper fills in one secret and nothing else.
type keeper struct{}

func (keeper) Fill(stored flow.Value, _ vault.Destination) (flow.Value, *vault.Redactor, error) {
	filled, err := flow.Fill(stored, func(flow.SecretRef) (flow.Value, error) { return secret, nil })
	return filled, nil, err
}

func TestAnswerIsKeptWhateverItsStatus(t *testing.T) {
	w := newWorld(t, func(res http.ResponseWriter, r *http.Request) {
		res.Header()["X-Two"] = []string{"a", "b"}
		res.Header().Set("Set-Cookie", "id=1")
		res.Header().Set("X-Auth-Token", "t")
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		res.WriteHeader(status)
		_, _ = io.WriteString(res, `{"error":"why","n":1152921504606846977}`)
	})
	for status, want := range map[int]flow.Status{
		200: flow.TaskCompleted, 201: flow.TaskCompleted, 299: flow.TaskCompleted, 300: flow.TaskFailed, 400: flow.TaskFailed,
		404: flow.TaskFailed, 418: flow.TaskCompleted, 500: flow.TaskFailed, 503: flow.TaskFailed,
	} {
		report := w.do(t, flow.Map{
			"uri": fmt.Sprintf("%s/%d", w.server.URL, status), "acceptedStatusCodes": []any{int64(418)},
		})
		got := response(t, report)
		headers, _ := got["headers"].(flow.Map)
		if report.Status != want || got["statusCode"] != int64(status) ||
			!strings.HasSuffix(got["reasonPhrase"].(string), http.StatusText(status)) ||
			!reflect.DeepEqual(got["body"], flow.Map{"error": "why", "n": int64(1152921504606846977)}) ||
			!reflect.DeepEqual(headers["X-Two"], []any{"a", "b"}) || got["size"] != int64(39) || got["durationMs"] == nil {
			t.Errorf("%d: %+v", status, report)
		}
		if !reflect.DeepEqual(headers["Set-Cookie"], []any{vault.Mask}) ||
			!reflect.DeepEqual(headers["X-Auth-Token"], []any{vault.Mask}) {
			t.Errorf("%d: credentials are kept: %v", status, headers)
		}
		if want == flow.TaskFailed && (!strings.Contains(report.Reason, fmt.Sprint(status)) ||
			!strings.Contains(report.Reason, "why")) {
			t.Errorf("%d: %s", status, report.Reason)
		}
	}
}

func TestBodiesOfEveryKind(t *testing.T) {
	var body, kind string
	w := newWorld(t, func(res http.ResponseWriter, _ *http.Request) {
		res.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(res, body)
	})
	long := strings.Repeat("ü", MaxKept/2)
	nested := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for name, test := range map[string]struct {
		body, kind string
		want       any
		truncated  any
		encoding   any
	}{
		"nothing":       {"", "application/json", nil, nil, nil},
		"list":          {"[1,2.5]", "application/json", []any{int64(1), 2.5}, nil, nil},
		"number":        {"7", "text/plain", int64(7), nil, nil},
		"text":          {"hello", "text/plain", "hello", nil, nil},
		"broken JSON":   {`{"a":`, "application/json", `{"a":`, nil, nil},
		"Latin-1":       {"caf\xe9", "text/plain; charset=ISO-8859-1", "café", nil, nil},
		"bytes":         {"\x00\xff", "image/png", "AP8=", nil, "base64"},
		"as long as":    {long, "text/plain", long, nil, nil},
		"longer":        {long + "ü", "text/plain", long, true, nil},
		"in the middle": {"x" + long, "text/plain", "x" + long[:len(long)-2], true, nil},
		"long JSON":     {`"` + long + `"`, "application/json", `"` + long[:len(long)-2], true, nil},
		"nested":        {nested, "", nested, nil, nil},
	} {
		body, kind = test.body, test.kind
		report := w.do(t, flow.Map{})
		got := response(t, report)
		if report.Status != flow.TaskCompleted || !reflect.DeepEqual(got["body"], test.want) ||
			got["truncated"] != test.truncated || got["bodyEncoding"] != test.encoding || got["size"] != int64(len(test.body)) {
			t.Errorf("%s: %s %.200v", name, report.Reason, got)
		}
	}
}

func TestRedirects(t *testing.T) {
	var w *world
	handler := func(res http.ResponseWriter, r *http.Request) {
		var n, status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d", &status, &n); err == nil && n > 0 {
			http.Redirect(res, r, fmt.Sprintf("/%d/%d", status, n-1), status)
		}
	}
	w = newWorld(t, handler)
	for status, want := range map[int][2]string{
		301: {"GET", ""}, 302: {"GET", ""}, 303: {"GET", ""}, 307: {"POST", "data"}, 308: {"POST", "data"},
	} {
		uri := fmt.Sprintf("%s/%d/%d", w.server.URL, status, MaxRedirects)
		report := w.do(t, flow.Map{
			"uri": uri, "method": "POST", "body": "data", "headers": flow.Map{"Authorization": "mine"},
		})
		all := w.requests()
		if report.Status != flow.TaskCompleted || len(all) != MaxRedirects+1 {
			t.Fatalf("%d: %+v, %d requests", status, report, len(all))
		}
		last := all[MaxRedirects]
		if last.method != want[0] || last.body != want[1] || last.header.Get("Authorization") != "mine" ||
			(last.header.Get("Content-Type") == "") != (want[1] == "") {
			t.Errorf("%d: %+v", status, last)
		}
	}
	report := w.do(t, flow.Map{"uri": fmt.Sprintf("%s/302/%d", w.server.URL, MaxRedirects+1)})
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "redirects") ||
		response(t, report)["statusCode"] != int64(302) || len(w.requests()) != MaxRedirects+1 {
		t.Errorf("one more: %+v", report)
	}
}

// TestRedirectsToWhereNothingMayGo tries addresses inside, other schemes and nonsense.
func TestRedirectsToWhereNothingMayGo(t *testing.T) {
	inside := silent(t)
	_, port, _ := strings.Cut(inside, ":")
	for to, want := range map[string]string{
		"http://127.9.9.9:" + port + "/": "refused", "http://[::1]:" + port + "/": "refused", "http://10.0.0.1/": "refused",
		"http://169.254.169.254/latest": "refused", "http://2130706433/": "nowhere", "file:///etc/passwd": "no address",
		"gopher://x/": "no address", "http://": "no address", "http://a b/": "no address", "javascript:1": "no address",
	} {
		w := newWorld(t, func(res http.ResponseWriter, _ *http.Request) {
			res.Header().Set("Location", to)
			res.WriteHeader(http.StatusTemporaryRedirect)
		})
		report := w.do(t, flow.Map{"headers": flow.Map{"Authorization": "Bearer mine"}})
		if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, want) || len(w.requests()) != 1 {
			t.Errorf("%s: %+v", to, report)
		}
	}
}

func TestCredentialsStayAtTheirHost(t *testing.T) {
	w := newWorld(t, nil)
	other := w.serve(t, nil)
	first := w.serve(t, func(res http.ResponseWriter, r *http.Request) {
		http.Redirect(res, r, other.URL+"/there", http.StatusTemporaryRedirect)
	})
	w.secret(t, "KEY")
	report, exchange := w.Try(t.Context(), run, attempt(flow.Map{
		"uri": first.URL + "/", "method": "PUT", "body": "harmless", "headers": flow.Map{
			"Authorization": "Bearer plain", "Cookie": "a=b", "X-API-Key": "k", "X-Session-Token": "t",
			"X-Mine": "with ${workflow.secrets.KEY} in it", "X-Harmless": "h",
		},
	}))
	all := w.requests()
	if report.Status != flow.TaskCompleted || len(all) != 2 {
		t.Fatalf("%+v, %d requests", report, len(all))
	}
	dropped := []string{"Authorization", "Cookie", "X-Api-Key", "X-Mine", "X-Session-Token"}
	for _, name := range dropped {
		if all[0].header.Get(name) == "" || all[1].header.Get(name) != "" {
			t.Errorf("%s: %q, %q", name, all[0].header.Get(name), all[1].header.Get(name))
		}
	}
	if all[1].header.Get("X-Harmless") != "h" || all[1].body != "harmless" || all[1].uri != "/there" {
		t.Errorf("%+v", all[1])
	}
	if len(exchange.Requests) != 2 || !reflect.DeepEqual(exchange.Requests[1].Dropped, dropped) ||
		exchange.Requests[0].Location != other.URL+"/there" || exchange.Requests[0].Status != 307 {
		t.Errorf("%+v", exchange)
	}
	report = w.Do(t.Context(), run, attempt(flow.Map{
		"uri": first.URL + "/", "method": "PUT", "body": flow.Map{"key": "${workflow.secrets.KEY}"},
	}))
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "secret in the body") ||
		len(w.requests()) != 1 {
		t.Errorf("%+v", report)
	}
}

func TestSecretsGoOutAndNeverStay(t *testing.T) {
	w := newWorld(t, func(res http.ResponseWriter, r *http.Request) {
		res.Header().Set("X-Echo", r.Header.Get("X-Mine"))
		res.WriteHeader(http.StatusBadRequest)
		body := fmt.Sprintf(`{"auth":%q,"uri":%q,"nested":{%q:[%q]}}`,
			r.Header.Get("Authorization"), r.RequestURI, secret, secret)
		_, _ = io.WriteString(res, body)
	})
	w.secret(t, "KEY", "127.0.0.1")
	w.secret(t, "other", "api.example.com")
	a := attempt(flow.Map{"http_request": flow.Map{
		"uri": w.server.URL + "/${workflow.secrets.KEY}?k=${workflow.secrets.KEY}", "method": "POST",
		"headers": flow.Map{"Authorization": "Bearer ${workflow.secrets.KEY}", "X-Mine": "${workflow.secrets.KEY}"},
		"body":    flow.Map{"k": "${workflow.secrets.KEY}", "text": "$${workflow.secrets.KEY}"},
	}})
	a.Task.Metadata = flow.Map{"exchange": true}
	report := w.Do(t.Context(), run, a)
	got := w.requests()[0]
	if got.header.Get("Authorization") != "Bearer "+secret || !strings.HasPrefix(got.uri, "/"+secret+"?k="+secret) ||
		!strings.Contains(got.body, secret) || !strings.Contains(got.body, "${workflow.secrets.KEY}") ||
		got.header.Get("User-Agent") != "Switchboard/1.2 (test)" {
		t.Errorf("%+v", got)
	}
	kept := string(flow.Encode(report.Output)) + report.Reason
	holdsNone(t, kept)
	if !strings.Contains(kept, vault.Mask) || report.Output["exchange"] == nil {
		t.Error(kept)
	}
	report = w.do(t, flow.Map{"headers": flow.Map{"A": "${workflow.secrets.other}"}})
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "api.example.com") || len(w.requests()) != 0 {
		t.Errorf("a secret of another host: %+v", report)
	}
}

func TestSecretWithoutHostsNeedsAHostThatIsWritten(t *testing.T) {
	w := newWorld(t, nil)
	w.secret(t, "free")
	a := attempt(flow.Map{
		"uri": w.server.URL + "/", "method": "GET", "headers": flow.Map{"A": "${workflow.secrets.free}"},
	})
	if report := w.Do(t.Context(), run, a); report.Status != flow.TaskCompleted {
		t.Errorf("%+v", report)
	}
	a.Task = &flow.Task{Input: flow.Map{"uri": "${workflow.input.where}", "method": "GET"}}
	report := w.Do(t.Context(), run, a)
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "bound to no hosts") ||
		len(w.requests()) != 1 {
		t.Errorf("%+v", report)
	}
}

func TestSlowAndEndlessAnswers(t *testing.T) {
	stop := make(chan struct{})
	w := newWorld(t, func(res http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/drip": // a byte now and then, for ever
			for {
				select {
				case <-stop:
					return
				case <-r.Context().Done():
					return
				case <-time.After(2 * time.Millisecond):
				}
				_, _ = io.WriteString(res, "x")
				_ = http.NewResponseController(res).Flush()
			}
		case "/stuck": // a beginning, and nothing more
			_, _ = io.WriteString(res, "beginning")
			_ = http.NewResponseController(res).Flush()
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		case "/flood":
			flood(res)
		case "/bomb":
			res.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(res)
			flood(z)
			_ = z.Close()
		case "/most":
			_, _ = res.Write(make([]byte, MaxRead))
		case "/broken":
			res.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(res, "half")
		}
	})
	defer close(stop)
	for path, test := range map[string]struct {
		spec   flow.Map
		reason string
		size   int64 // -1: any
	}{
		"/stuck":  {flow.Map{"readTimeOut": int64(60)}, "readTimeOut", int64(len("beginning"))},
		"/flood":  {flow.Map{"readTimeOut": int64(0)}, fmt.Sprint(MaxRead), MaxRead},
		"/bomb":   {flow.Map{"readTimeOut": int64(0)}, fmt.Sprint(MaxRead), MaxRead},
		"/broken": {flow.Map{}, "unexpected EOF", int64(len("half"))},
	} {
		test.spec["uri"] = w.server.URL + path
		report := w.do(t, test.spec)
		got := response(t, report)
		if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, test.reason) || got["size"] != test.size ||
			got["truncated"] != true || got["statusCode"] != int64(200) || len(flow.Encode(report.Output)) > 2*MaxKept {
			t.Errorf("%s: %s %.300v", path, report.Reason, got)
		}
	}
	report := w.do(t, flow.Map{"uri": w.server.URL + "/most", "readTimeOut": int64(0)})
	if report.Status != flow.TaskCompleted {
		t.Error("as much as is read:", report.Reason)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond) // stands for the whole time of a request
	defer cancel()
	report = w.Do(ctx, run, attempt(flow.Map{"uri": w.server.URL + "/drip", "method": "GET"}))
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "not done within") {
		t.Errorf("a drip: %s", report.Reason)
	}
}

func flood(w io.Writer) {
	chunk := make([]byte, 1<<20)
	for range 8 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestAGigabyteIsNotRead asks for a gigabyte, as it is and packed. Of the first only what is read is sent, of the
// second only what is read is unpacked.
func TestAGigabyteIsNotRead(t *testing.T) {
	const gigabyte = 1 << 30
	chunk := make([]byte, 1<<20)
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	_, _ = z.Write(chunk)
	_ = z.Close()
	packed := bytes.Repeat(member.Bytes(), gigabyte/len(chunk)) // gzip may be several, one behind the other
	sent := make(chan int, 2)
	w := newWorld(t, func(res http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/packed" {
			res.Header().Set("Content-Encoding", "gzip")
			n, _ := res.Write(packed)
			sent <- n
			return
		}
		total := 0
		for total < gigabyte {
			n, err := res.Write(chunk)
			if total += n; err != nil {
				break
			}
		}
		sent <- total
	})
	for _, path := range []string{"/plain", "/packed"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		report := w.do(t, flow.Map{"uri": w.server.URL + path, "readTimeOut": int64(0)})
		runtime.ReadMemStats(&after)
		if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, fmt.Sprint(MaxRead)) {
			t.Errorf("%s: %s", path, report.Reason)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MB were allocated", path, used>>20)
		}
		if n := <-sent; n > 64<<20 {
			t.Errorf("%s: %d MB were sent", path, n>>20)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	w := newWorld(t, nil)
	gone := w.serve(t, nil)
	gone.Close()
	for name, test := range map[string]struct {
		spec   flow.Map
		reason string
	}{
		"nobody listens": {flow.Map{"uri": gone.URL}, "connection refused"},
		"inside":         {flow.Map{"uri": "http://10.0.0.1/"}, "egress-allow"},
		"port":           {flow.Map{"uri": "http://1.1.1.1:22/"}, "ports 80 and 443"},
		"no such name":   {flow.Map{"uri": "http://no-such-name.invalid/"}, "leads nowhere"},
		"silence": {
			flow.Map{"uri": "http://" + silent(t), "readTimeOut": int64(50), "connectionTimeOut": int64(50)}, "readTimeOut",
		},
		"no TLS": {flow.Map{"uri": strings.Replace(w.server.URL, "http", "https", 1)}, "failed"},
	} {
		report := w.do(t, test.spec)
		if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, test.reason) || len(report.Output) != 0 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	report := w.Do(ctx, run, attempt(flow.Map{"uri": "http://" + silent(t), "method": "GET"}))
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "withdrawn") {
		t.Errorf("%+v", report)
	}
}

func TestCopiesOfARequest(t *testing.T) {
	var asked atomic.Int32
	release := make(chan struct{})
	w := newWorld(t, func(res http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case r.URL.Path == "/none":
			res.WriteHeader(http.StatusBadGateway)
		case n < 3: // two of three never answer
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	})
	defer close(release)
	spec := flow.Map{"hedgingConfig": flow.Map{"maxAttempts": int64(3)}, "readTimeOut": int64(0)}
	if report := w.do(t, spec); report.Status != flow.TaskCompleted || asked.Load() != 3 {
		t.Errorf("%d: %+v", asked.Load(), report)
	}
	asked.Store(3)
	report := w.do(t, flow.Map{"uri": w.server.URL + "/none", "hedgingConfig": flow.Map{"maxAttempts": int64(2)}})
	if report.Status != flow.TaskFailed || asked.Load() != 5 || response(t, report)["statusCode"] != int64(502) {
		t.Errorf("%d: %+v", asked.Load(), report)
	}
	w.do(t, flow.Map{"method": "POST", "hedgingConfig": flow.Map{"maxAttempts": int64(3)}})
	if asked.Load() != 6 {
		t.Errorf("a POST was sent %d times", asked.Load()-5)
	}
}

func TestOwnAPIIsAskedInside(t *testing.T) {
	w := newWorld(t, nil)
	inside := &own{host: "calls.example.com"}
	w.Own = inside
	r := &flow.Run{ID: "r", Identity: "key:abc", Definition: &flow.Definition{}}
	a := attempt(flow.Map{"uri": "http://calls.example.com/api/v2/x", "method": "POST", "body": flow.Map{"a": int64(1)}})
	report, exchange := w.Try(t.Context(), r, a)
	got := response(t, report)
	if inside.identity != "key:abc" || inside.request.URL.Path != "/api/v2/x" ||
		inside.request.Header.Get("Idempotency-Key") != "task-1" || got["statusCode"] != int64(302) || !exchange.Own ||
		!reflect.DeepEqual(got["body"], flow.Map{"ours": int64(1)}) {
		t.Errorf("%+v", report)
	}
	inside.err = context.DeadlineExceeded
	if report := w.Do(t.Context(), r, a); report.Status != flow.TaskFailed {
		t.Errorf("%+v", report)
	}
	// somebody else's redirect to us has none of those rights
	inside.identity = ""
	away := w.serve(t, func(res http.ResponseWriter, r *http.Request) {
		http.Redirect(res, r, "http://calls.example.com:1/api/v2/x", http.StatusTemporaryRedirect)
	})
	inside.host = "calls.example.com:1"
	report = w.Do(t.Context(), r, attempt(flow.Map{"uri": away.URL, "method": "POST"}))
	if report.Status != flow.TaskFailed || inside.identity != "" {
		t.Errorf("%+v, as %q", report, inside.identity)
	}
}

func TestExchangeTellsAll(t *testing.T) {
	w := newWorld(t, nil)
	r := &flow.Run{Definition: &flow.Definition{MaskedFields: []string{"pin", "ok"}}}
	a := attempt(flow.Map{
		"uri": w.server.URL + "/it's?x=1", "method": "POST", "body": flow.Map{"pin": "12345", "other": "o"},
	})
	a.Task.Metadata = flow.Map{"exchange": true}
	report := w.Do(t.Context(), r, a)
	if report.Status != flow.TaskCompleted || !reflect.DeepEqual(response(t, report)["body"], flow.Map{"ok": true}) {
		t.Errorf("the next task sees it: %+v", report)
	}
	x, _ := report.Output["exchange"].(flow.Map)
	requests, _ := x["requests"].([]any)
	if len(requests) != 1 {
		t.Fatalf("%v", x)
	}
	sent, _ := requests[0].(flow.Map)
	answer, _ := x["response"].(flow.Map)
	times, _ := sent["times"].(flow.Map)
	if sent["method"] != "POST" || sent["body"] != `{"other":"o","pin":"***"}` || sent["address"] != w.host ||
		sent["statusCode"] != int64(200) || sent["size"] != int64(27) || times["totalMs"] == nil ||
		times["connectMs"] == nil {
		t.Errorf("%v", sent)
	}
	if answer["body"] != `{"ok":"***"}` || answer["pretty"] != "{\n\t\"ok\": \"***\"\n}" ||
		answer["protocol"] != "HTTP/1.1" ||
		answer["size"] != int64(11) || answer["truncated"] != false {
		t.Errorf("%v", answer)
	}
	want := `curl --request POST '` + w.server.URL + `/it'\''s?x=1' --header 'Accept: application/json' ` +
		`--header 'Content-Type: application/json' --header 'Idempotency-Key: task-1' ` +
		`--header 'User-Agent: Switchboard/1.2 (test)' --data-raw '{"other":"o","pin":"***"}'`
	if x["curl"] != want {
		t.Errorf("%v\n%v", x["curl"], want)
	}
	if decoded, err := flow.Decode(flow.Encode(report.Output)); err != nil || decoded == nil {
		t.Error(err)
	}
}

func TestTLSIsTold(t *testing.T) {
	w := newWorld(t, nil)
	guard, err := egress.New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	server := w.secure(t)
	transport, _ := guard.Transport().(*http.Transport)
	known, _ := server.Client().Transport.(*http.Transport)
	w.Transport = transport
	a := attempt(flow.Map{"uri": server.URL, "method": "GET"})
	report := w.Do(t.Context(), run, a)
	if report.Status != flow.TaskFailed || !strings.Contains(report.Reason, "certificate") {
		t.Errorf("an unknown certificate: %+v", report)
	}
	transport.TLSClientConfig = known.TLSClientConfig.Clone()
	var exchange *Exchange
	report, exchange = w.Try(t.Context(), run, a)
	if report.Status != flow.TaskCompleted || exchange.Answer.TLS == nil ||
		!strings.HasPrefix(exchange.Answer.TLS.Version, "TLS 1.") || exchange.Answer.TLS.Issuer == "" {
		t.Errorf("%+v %+v", report, exchange.Answer)
	}
	transport.CloseIdleConnections()
}

func TestNameAndPasswordInTheAddress(t *testing.T) {
	w := newWorld(t, nil)
	uri := strings.Replace(w.server.URL, "://", "://ada:pass@", 1)
	report, exchange := w.Try(t.Context(), run, attempt(flow.Map{"uri": uri, "method": "GET"}))
	all := w.requests()
	if report.Status != flow.TaskCompleted || len(all) != 1 || all[0].header.Get("Authorization") != "Basic YWRhOnBhc3M=" {
		t.Fatalf("%+v", report)
	}
	kept := fmt.Sprint(exchange.Requests, exchange.Curl)
	if strings.Contains(kept, "pass@") || strings.Contains(kept, "YWRh") {
		t.Error(kept)
	}
}
