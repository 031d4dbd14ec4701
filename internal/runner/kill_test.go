package runner

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// childDir names the directory in which this program, started as a child, runs workflows until it is killed; childURL
// the server that their tasks call.
const (
	childDir = "SWITCHBOARD_RUNNER_TEST_CHILD"
	childURL = "SWITCHBOARD_RUNNER_TEST_URL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, runForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// caller is a Doer whose requests say only which attempt they are of.
type caller struct{ url string }

// Do implements Doer.
func (c caller) Do(ctx context.Context, run *flow.Run, a *flow.Attempt) flow.Reported {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Idempotency-Key", string(a.ID))
	req.Header.Set("Run", string(run.ID))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return flow.Reported{Status: flow.TaskFailed, Reason: err.Error()}
	}
	_ = resp.Body.Close()
	return flow.Reported{Status: flow.TaskCompleted, Output: flow.Map{"response": flow.Map{"statusCode": int64(200)}}}
}

// Evaluate adds one.
func (caller) Evaluate(_ context.Context, _ flow.Language, _ string, input flow.Map) (flow.Value, error) {
	n, _ := input["n"].(int64)
	return n + 1, nil
}

func openChild(dir, url string) (*store.Store, *Runner, error) {
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		return nil, nil, err
	}
	r, err := New(context.Background(), Config{
		Store: s, Doer: caller{url}, Evaluator: caller{}, Log: slog.New(slog.NewTextHandler(os.Stderr,
			&slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	return s, r, err
}

// runForever starts workflows from eight goroutines and prints the id of each once it is durable.
func runForever(dir string) error {
	_, r, err := openChild(dir, os.Getenv(childURL))
	if err != nil {
		return err
	}
	names := []string{"steps", "forked", "parent", "waits"}
	failed := make(chan error, 8)
	var mu sync.Mutex // keeps lines whole
	for range 8 {
		go func() {
			for n := rand.IntN(len(names)); ; n++ {
				req := flow.StartRequest{Name: names[n%len(names)], Input: flow.Map{"n": int64(n)}}
				id, err := r.Start(context.Background(), req, "", "")
				if err != nil {
					failed <- err
					return
				}
				mu.Lock()
				fmt.Println(id)
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

func defineForKill(t *testing.T, r *Runner) {
	steps := task("set", "SET_VARIABLE", `"inputParameters":{"n":"${workflow.input.n}"}`) + "," + addOne + "," +
		httpTask("one") + "," + httpTask("two")
	forked := `{"name":"fork","taskReferenceName":"fork","type":"FORK_JOIN","forkTasks":[[` + httpTask("left") + `],[` +
		httpTask("right") + `]]},` + task("join", "JOIN", `"joinOn":["left","right"]`)
	for name, tasks := range map[string]string{
		"steps": steps, "forked": forked, "child": httpTask("call"),
		"parent": task("sub", "SUB_WORKFLOW", `"subWorkflowParam":{"name":"child","version":1}`) + "," + httpTask("after"),
		"waits":  task("hold", "WAIT", `"inputParameters":{"duration":"1 seconds"}`) + "," + httpTask("then"),
	} {
		if err := r.PutDefinition(t.Context(), "test", parse(t, name, tasks, ""), true); err != nil {
			t.Fatal(err)
		}
	}
}

// requests are what the world outside was asked for.
type requests struct {
	mu     sync.Mutex
	byKey  map[string]int
	byRun  map[string]map[string]bool // keys
	busy   int
	atOnce int // greatest number of requests under way since the last kill
}

func (q *requests) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	key, run := req.Header.Get("Idempotency-Key"), req.Header.Get("Run")
	q.mu.Lock()
	q.byKey[key]++
	if q.byRun[run] == nil {
		q.byRun[run] = map[string]bool{}
	}
	q.byRun[run][key] = true
	q.busy++
	q.atOnce = max(q.atOnce, q.busy)
	q.mu.Unlock()
	time.Sleep(time.Millisecond)
	q.mu.Lock()
	q.busy--
	q.mu.Unlock()
}

func (q *requests) repeated() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, times := range q.byKey {
		n += times - 1
	}
	return n
}

// TestNoRunIsLostByKill kills a process that runs workflows 20 times. Every run that it said was started must end well,
// and what was asked for more than once must be what was on its way at a kill, asked for under the same key.
func TestNoRunIsLostByKill(t *testing.T) {
	const rounds = 20
	world := &requests{byKey: map[string]int{}, byRun: map[string]map[string]bool{}}
	server := httptest.NewServer(world)
	defer server.Close()
	dir := t.TempDir()
	s, r, err := openChild(dir, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defineForKill(t, r)
	r.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	started := map[string]bool{}
	for range rounds {
		killRunner(t, dir, server.URL, 40+rand.IntN(120), started)
	}
	if s, r, err = openChild(dir, server.URL); err != nil {
		t.Fatal(err)
	}
	defer func() {
		r.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	runs := untilAllEnd(t, r)
	for id := range started {
		if !runs[id] {
			t.Errorf("run %s was said to be started and is not there", id)
		}
	}
	if again := world.repeated(); again > rounds*DefaultCalls {
		t.Errorf("%d requests were repeated in %d kills", again, rounds)
	}
	checkKeys(t, r, world, runs)
	t.Logf("%d runs started and said so, %d in all; %d requests, %d of them repeated; at most %d under way",
		len(started), len(runs), len(world.byKey), world.repeated(), world.atOnce)
	if len(started) < rounds*40 {
		t.Errorf("only %d runs were started: this proves nothing", len(started))
	}
}

// checkKeys holds what the world was asked for against what the runs say.
func checkKeys(t *testing.T, r *Runner, world *requests, runs map[string]bool) {
	t.Helper()
	for id := range runs {
		run, err := r.Run(context.Background(), flow.RunID(id), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Check(); err != nil {
			t.Errorf("run %s: %v", id, err)
		}
		keys := map[string]bool{}
		for _, a := range run.Tasks {
			if a.Type == flow.TypeHTTP {
				keys[string(a.ID)] = true
			}
		}
		asked := world.byRun[id]
		for key := range asked {
			if !keys[key] {
				t.Errorf("run %s made a request under a key that is none of its tasks: %s", id, trace(run))
			}
		}
		if len(asked) != len(keys) {
			t.Errorf("run %s has %d HTTP tasks, the world saw %d", id, len(keys), len(asked))
		}
	}
}

// untilAllEnd waits until no run is under way, and gives all there are. Each must have ended well.
func untilAllEnd(t *testing.T, r *Runner) map[string]bool {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		_, left, err := r.Search(context.Background(), Query{States: []string{"RUNNING", "PAUSED"}, Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			break
		}
		if time.Since(began) > time.Minute {
			list, _, _ := r.Search(context.Background(), Query{States: []string{"RUNNING"}, Size: 1})
			run, _ := r.Run(context.Background(), list[0].ID, true)
			t.Fatalf("%d runs are stuck, such as %s: %s", left, list[0].Name, trace(run))
		}
	}
	all := map[string]bool{}
	for start := 0; ; start += MaxSearch {
		list, _, err := r.Search(context.Background(), Query{Size: MaxSearch, Start: start})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			all[string(s.ID)] = true
			if s.State != flow.Completed {
				t.Errorf("run %s of %s is %s: %s", s.ID, s.Name, s.State, s.Reason)
			}
		}
		if len(list) < MaxSearch {
			return all
		}
	}
}

// killRunner starts a child, notes which runs it says it started, and kills it after so many.
func killRunner(t *testing.T, dir, url string, after int, started map[string]bool) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir, childURL+"="+url)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		if id := strings.TrimSpace(lines.Text()); len(id) == 36 { // else it was cut by the kill
			started[id] = true
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() >= 0 {
		t.Errorf("the child was not killed: %v", err)
	}
}
