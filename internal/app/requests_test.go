package app

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// ask is a workflow whose server repeats the secret it gets in its answer, in several ways.
const ask = `{"name":"ask","version":1,"schemaVersion":2,"tasks":[
	{"name":"ask","taskReferenceName":"ask","type":"HTTP","metadata":{"exchange":true},"inputParameters":{
		"uri":"%s/x?k=${workflow.secrets.KEY}","method":"POST",
		"headers":{"Authorization":"Bearer ${workflow.secrets.KEY}"},
		"body":{"k":"${workflow.secrets.KEY}","said":"${workflow.input.said}"}}},
	{"name":"look","taskReferenceName":"look","type":"INLINE","inputParameters":{
		"expression":"JSON.stringify($)","answer":"${ask.output}","asked":"${ask.input}"}}],
	"outputParameters":{"look":"${look.output.result}","asked":"${ask.input}"}}`

// TestASecretIsNowhereButInTheRequest runs a workflow with a secret, which a server repeats, and then looks through the
// run, the log, every file of the data directory and a backup.
func TestASecretIsNowhereButInTheRequest(t *testing.T) {
	const secret = "tOp/s3cret+value"
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.RequestURI + r.Header.Get("Authorization") + string(body)
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		_, _ = fmt.Fprintf(w, `{"uri":%q,"body":%q,"coded":%q}`, r.RequestURI, body, base64.StdEncoding.EncodeToString(body))
	}))
	defer server.Close()
	var log bytes.Buffer
	dir := t.TempDir()
	a, err := New(t.Context(), Config{
		DataDir: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", EgressAllow: []string{"127.0.0.1"},
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.vault.Put(t.Context(), "KEY", secret, []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	if err := define(t, a, fmt.Sprintf(ask, server.URL)); err != nil {
		t.Fatal(err)
	}
	req := flow.StartRequest{Name: "ask", Input: flow.Map{"said": "${workflow.secrets.KEY}"}}
	run, err := a.runner.Execute(t.Context(), req, "", nil, time.Minute)
	if err != nil || run.State != flow.Completed {
		t.Fatal(run.State, run.Reason, err)
	}
	if sent := <-got; strings.Count(sent, secret) != 3 || !strings.Contains(sent, `"said":"${workflow.secrets.KEY}"`) {
		t.Errorf("the server got %s", sent)
	}
	backup := filepath.Join(dir, "backup")
	if err := Backup(t.Context(), dir, backup); err != nil {
		t.Fatal(err)
	}
	kept := map[string][]byte{"run": flow.Encode(run.Output)}
	for _, task := range run.Tasks {
		kept["task "+task.Ref] = append(flow.Encode(task.Input), flow.Encode(task.Output)...)
	}
	if !bytes.Contains(kept["task ask"], []byte(vault.Mask)) {
		t.Error("nothing is masked in", string(kept["task ask"]))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	kept["log"] = log.Bytes()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil {
			kept[filepath.Base(file)] = content
		}
	}
	if len(kept) < 6 {
		t.Error("too little was looked at")
	}
	for name, content := range kept {
		for _, form := range []string{secret, "s3cret", "tOp%2F", "tOp%2f", "czNjcmV0", "M2NyZX", "zM2NyZX", "dE9wL3"} {
			if bytes.Contains(content, []byte(form)) {
				t.Errorf("%s holds %s", name, form)
			}
		}
	}
}

// BenchmarkHTTPTasks runs workflows of three HTTP tasks each against a server on loopback, 64 callers, all on disk.
func BenchmarkHTTPTasks(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":5,"name":"Support","ring_seconds":20}`)
	}))
	defer server.Close()
	a, err := New(b.Context(), Config{
		DataDir: b.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", EgressAllow: []string{"127.0.0.1"},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	var tasks []string
	for _, ref := range []string{"one", "two", "three"} {
		tasks = append(tasks, fmt.Sprintf(`{"name":%q,"taskReferenceName":%q,"type":"HTTP","inputParameters":{
			"uri":%q,"method":"PATCH","body":{"ring_seconds":20}}}`, ref, ref, server.URL))
	}
	text := `{"name":"calls","version":1,"schemaVersion":2,"tasks":[` + strings.Join(tasks, ",") + `]}`
	def, _, err := flow.Parse([]byte(text))
	if err != nil {
		b.Fatal(err)
	}
	if err := a.runner.PutDefinition(b.Context(), "test", def, true); err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				run, err := a.runner.Execute(b.Context(), flow.StartRequest{Name: "calls"}, "", nil, time.Minute)
				if err != nil || run.State != flow.Completed {
					b.Error(run, err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}
