package app

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/store"
	"switchboard/internal/vault"
)

// hidden is a secret that looks different in JSON, in a URL, in HTML and in base64. Each of hiddenForms is a part of it
// that shows in one of them at least: letters and digits are the same in all but base64 and hexadecimal digits.
const hidden = `tOpQ/s3cret"vAlue\x+<end`

var hiddenForms = []string{
	"tOpQ", "s3cret", "vAlue", hidden,
	"dE9wUS9zM2NyZXQ", "czNjcmV0", "MzY3Jld", "zM2NyZX", // base64, as it falls on groups
	"744f7051", "733363726574", "744F7051",
}

// repeating are workflows of a server that repeats the secret: in a good answer, in one that fails the run, in the
// error of a connection that nobody takes, in a redirect; and it goes on to scripts, workers, events and the run that
// is started for a failure.
func repeating(address, closed string) []string {
	request := func(ref, uri string) string {
		return fmt.Sprintf(`{"name":%q,"taskReferenceName":%q,"type":"HTTP","metadata":{"exchange":true},
			"inputParameters":{"uri":"%s?k=${workflow.secrets.KEY}","method":"POST",
			"headers":{"Authorization":"Bearer ${workflow.secrets.KEY}","X-Mine":"${workflow.secrets.KEY}"},
			"body":{"k":"${workflow.secrets.KEY}","said":"${workflow.input.said}"}}}`, ref, ref, uri)
	}
	look := `{"name":"look","taskReferenceName":"look","type":"INLINE","inputParameters":{
		"expression":"JSON.stringify($)","answer":"${ask.output}","asked":"${ask.input}"}}`
	work := `{"name":"work","taskReferenceName":"work","type":"SIMPLE","inputParameters":{
		"answer":"${ask.output}","mine":"${workflow.secrets.KEY}","looked":"${look.output}"}}`
	tell := `{"name":"tell","taskReferenceName":"tell","type":"EVENT","sink":"conductor:told","inputParameters":{
		"answer":"${ask.output}","mine":"${workflow.secrets.KEY}"}}`
	define := func(name, rest string, tasks ...string) string {
		return fmt.Sprintf(`{"name":%q,"version":1,"schemaVersion":2,"tasks":[%s]%s}`, name, strings.Join(tasks, ","), rest)
	}
	afterwards := `,"failureWorkflow":"afterwards"`
	return []string{
		define("afterwards", "", `{"name":"note","taskReferenceName":"note","type":"SET_VARIABLE","inputParameters":{
			"all":"${workflow.input}"}}`),
		define("answered", `,"outputParameters":{"answer":"${ask.output}","asked":"${ask.input}"}`,
			request("ask", address+"/"), look, tell, work),
		define("refused", afterwards, request("ask", address+"/refused")),
		define("unheard", afterwards, request("ask", closed+"/")),
		define("sent_on", "", request("ask", address+"/elsewhere")),
	}
}

// repeats answers with all that it was sent.
func repeats(got chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent := r.RequestURI + r.Header.Get("Authorization") + string(body)
		select {
		case got <- sent:
		default:
		}
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusForbidden)
		case "/elsewhere":
			w.Header().Set("Location", "/?again="+url.QueryEscape(r.URL.Query().Get("k")))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{ // the caller would see it
			"all": sent, "plain": r.URL.Query().Get("k"), "coded": base64.StdEncoding.EncodeToString(body), "n": 5,
			r.URL.Query().Get("k"): "as a name",
		})
	}
}

// reader asks a server for everything and keeps what it was answered.
type reader struct {
	t    *testing.T
	url  string
	key  string
	kept map[string][]byte
}

func (r *reader) ask(method, path, body string) (int, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	r.kept[method+" "+path] = append([]byte(fmt.Sprint(res.StatusCode, res.Header)), text...)
	return res.StatusCode, text
}

// must asks what has to be answered with 200, and gives the decoded answer.
func (r *reader) must(method, path, body string) any {
	r.t.Helper()
	status, text := r.ask(method, path, body)
	var answer any
	if status != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if json.Unmarshal(text, &answer) != nil {
		return string(text)
	}
	return answer
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}

// TestASecretIsInNoAnswer has a server repeat a secret in every way that leaves traces, and then reads every answer of
// both APIs, the pages and their feed, the log, the files of the data directory and of a backup.
func TestASecretIsInNoAnswer(t *testing.T) {
	got := make(chan string, 1)
	there := httptest.NewServer(repeats(got))
	defer there.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	log, dir := &syncBuffer{}, t.TempDir()
	a, err := New(t.Context(), Config{
		DataDir: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", EgressAllow: []string{"127.0.0.1"},
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	key, _ := keyIn(t, a, store.RoleCompanyAdmin, 0)
	r := &reader{t: t, url: a.URL(), key: key, kept: map[string][]byte{}}
	text, _ := json.Marshal(hidden)
	r.must("PUT", "/api/secrets/KEY?hosts=127.0.0.1", string(text))
	r.must("PUT", "/api/secrets/WHOLE?hosts=127.0.0.1", fmt.Sprintf(`{"part":%s}`, text))
	runs := runRepeating(r, there.URL, closed.URL)
	if sent := <-got; !strings.Contains(sent, "Bearer "+hidden) ||
		!strings.Contains(sent, `"said":"${workflow.secrets.KEY}"`) {
		t.Errorf("the server got %s", sent)
	}
	readRuns(r, runs)
	readTests(r, there.URL)
	readShelves(r)
	readPages(r, a)
	if err := Backup(t.Context(), dir, filepath.Join(dir, "backup")); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	r.kept["the log"] = log.bytes()
	readFiles(r, dir)
	masked := 0
	for name, content := range r.kept {
		if bytes.Contains(content, []byte(vault.Mask)) {
			masked++
		}
		for _, form := range hiddenForms {
			if at := bytes.Index(content, []byte(form)); at >= 0 {
				t.Errorf("%s holds %s: ...%.200q", name, form, content[max(at-60, 0):])
			}
		}
	}
	if masked < 20 || len(r.kept) < 60 {
		t.Errorf("only %d of %d places had something masked: too little was looked at", masked, len(r.kept))
	}
	t.Logf("%d answers and files, something is masked in %d", len(r.kept), masked)
}

// runRepeating registers the workflows and runs each; one of them is left waiting for its worker's report.
func runRepeating(r *reader, address, closed string) (runs []string) {
	r.must("POST", "/api/metadata/taskdefs", `[{"name":"work","retryCount":0}]`)
	for _, text := range repeating(address, closed) {
		r.must("POST", "/api/metadata/workflow", text)
	}
	r.must("POST", "/api/event", `{"name":"told","event":"conductor:answered:told","active":true,"actions":[{
		"action":"start_workflow","start_workflow":{"name":"afterwards","version":1,"input":{"all":"${answer}"}}}]}`)
	for name, want := range map[string]string{
		"answered": "RUNNING", "refused": "FAILED", "unheard": "FAILED", "sent_on": "COMPLETED",
	} {
		until := "?waitForSeconds=20"
		if name == "answered" {
			until += "&waitUntilTaskRef=work"
		}
		start := fmt.Sprintf(`{"name":%q,"version":1,"input":{"said":"${workflow.secrets.KEY}"}}`, name)
		run, _ := r.must("POST", "/api/workflow/execute/"+name+"/1"+until, start).(map[string]any)
		if run["status"] != want && !(name == "answered" && run["status"] == "RUNNING") {
			r.t.Fatalf("%s is %v", name, run)
		}
		runs = append(runs, fmt.Sprint(run["workflowId"]))
	}
	return runs
}

// readRuns reads everything that is told of runs and their tasks, after a worker has polled and reported the secret.
func readRuns(r *reader, runs []string) {
	task, _ := r.must("GET", "/api/tasks/poll/work?workerid=w", "").(map[string]any)
	id := fmt.Sprint(task["taskId"])
	if mine := task["inputData"].(map[string]any)["mine"]; mine != "${workflow.secrets.KEY}" {
		r.t.Errorf("a worker is handed %v", mine)
	}
	r.must("POST", "/api/tasks/"+id+"/log", "working")
	r.must("GET", "/api/tasks/"+id, "")
	r.must("GET", "/api/tasks/"+id+"/log", "")
	r.must("POST", "/api/tasks", fmt.Sprintf(`{"workflowInstanceId":%q,"taskId":%q,"status":"COMPLETED"}`,
		task["workflowInstanceId"], id))
	var all []any
	for deadline := time.Now().Add(20 * time.Second); len(all) < 7; time.Sleep(10 * time.Millisecond) {
		all, _ = r.must("GET", "/api/workflow/search?size=100", "").(map[string]any)["results"].([]any)
		if time.Now().After(deadline) {
			r.t.Fatalf("%d runs, want four, two for failures and one for the event", len(all))
		}
	}
	for _, one := range all {
		runs = append(runs, fmt.Sprint(one.(map[string]any)["workflowId"]))
	}
	for _, run := range runs {
		for _, path := range []string{"?includeTasks=true", "?summarize=true", "/tasks", "/status?includeOutput=true"} {
			r.must("GET", "/api/workflow/"+run+path, "")
		}
		tasks, _ := r.must("GET", "/api/workflow/"+run+"?includeTasks=true", "").(map[string]any)["tasks"].([]any)
		for _, one := range tasks {
			id := fmt.Sprint(one.(map[string]any)["taskId"])
			r.must("GET", "/api/tasks/"+id, "")
			r.must("GET", "/api/tasks/"+id+"/log", "")
		}
	}
	for _, path := range []string{
		"/api/workflow/search-v2", "/api/workflow/search-by-tasks", "/api/tasks/search", "/api/tasks/search-v2",
		"/api/workflow/running/answered", "/api/tasks/queue/all/verbose", "/api/tasks/queue/polldata/all",
		"/api/metadata/workflow", "/api/metadata/workflow/answered", "/api/metadata/taskdefs",
		"/api/workflow/search?freeText=s3cret",
	} {
		r.must("GET", path, "")
	}
	delete(r.kept, "GET /api/workflow/search?freeText=s3cret") // its logged path holds what we ask for ourselves
	found, _ := r.must("GET", "/api/workflow/search?freeText="+hidden[1:4], "").(map[string]any)
	if found["totalHits"] != 0.0 {
		r.t.Errorf("a search for a part of the secret finds %v", found)
	}
}

// readTests sends Test requests with the secret, and reads their history.
func readTests(r *reader, address string) {
	for _, path := range []string{"/", "/refused", "/elsewhere"} {
		test := fmt.Sprintf(`{"request":{"uri":"%s%s?k=${workflow.secrets.KEY}","method":"POST","headers":{
			"X-Mine":"${workflow.secrets.WHOLE.part}","Authorization":"Basic ${workflow.secrets.KEY}"},
			"body":{"all":"${workflow.secrets.WHOLE}"}}}`, address, path)
		r.must("POST", "/api/v2/x/test-requests", test)
	}
	items, _ := r.must("GET", "/api/v2/x/test-requests", "").(map[string]any)["items"].([]any)
	if len(items) != 3 {
		r.t.Errorf("%d test requests", len(items))
	}
	for _, item := range items {
		r.must("GET", "/api/v2/x/test-requests/"+item.(map[string]any)["id"].(string), "")
	}
}

// readShelves reads what else the APIs have, and has secrets refused.
func readShelves(r *reader) {
	for _, path := range []string{
		"/api/secrets", "/api/secrets-v2", "/api/secrets/KEY/exists", "/api/secrets/KEY/tags", "/api/environment",
		"/api/event", "/api/event/handler/told", "/api/scheduler/schedules", "/api/metadata/tags",
		"/api/v2/x/directory/documents", "/api/v2/x/directory/search?q=secret", "/openapi.json", "/metrics", "/health",
	} {
		r.must("GET", path, "")
	}
	if status, text := r.ask("GET", "/api/secrets/KEY", ""); status != http.StatusForbidden {
		r.t.Errorf("a secret is read: %d %s", status, text)
	}
	r.ask("PUT", "/api/secrets/OTHER?hosts=://", fmt.Sprintf("%q", hidden))
}

// readPages signs a browser in, and reads the pages, what they load and the beginning of their feed.
func readPages(r *reader, a *App) {
	r.t.Helper()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	link, err := a.SignInLink(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, at := range []string{link, a.URL() + "/automation", a.URL() + "/automation/secrets", a.URL() + "/nowhere"} {
		res, err := browser.Get(at)
		if err != nil {
			r.t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		r.kept["page "+strings.TrimPrefix(at, a.URL())] = text
	}
	res, err := browser.Get(a.URL() + "/events")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	var feed bytes.Buffer
	for lines.Scan() && (lines.Text() != "" || !bytes.Contains(feed.Bytes(), []byte("data:"))) {
		feed.Write(lines.Bytes())
	}
	if !bytes.Contains(feed.Bytes(), []byte("reset")) {
		r.t.Errorf("the feed begins with %.200s", feed.Bytes())
	}
	r.kept["the feed"] = feed.Bytes()
}

// readFiles reads a directory with all that is below it.
func readFiles(r *reader, dir string) {
	r.t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		r.kept["file "+strings.TrimPrefix(path, dir)] = content
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
