package interop

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/runner"
	"switchboard/test/lab"
)

// killedWorkflows are the programs of the kill test, by name. All call address.
func killedWorkflows(address string) map[string]string {
	call := func(ref string) string {
		return fmt.Sprintf(`{"name":"call","taskReferenceName":%q,"type":"HTTP","inputParameters":{
			"uri":%q,"method":"POST","headers":{"Run":"${workflow.workflowId}"},"connectionTimeOut":5000,
			"readTimeOut":60000,"body":{"n":"${workflow.input.n}"}}}`, ref, address)
	}
	programs := map[string]string{
		"steps": `{"name":"set","taskReferenceName":"set","type":"SET_VARIABLE",
			"inputParameters":{"n":"${workflow.input.n}"}},` + call("one") + "," + call("two"),
		"forked": `{"name":"fork","taskReferenceName":"fork","type":"FORK_JOIN","forkTasks":[[` + call("left") + `],[` +
			call("right") + `]]},{"name":"join","taskReferenceName":"join","type":"JOIN","joinOn":["left","right"]}`,
		"child": call("call"),
		"parent": `{"name":"sub","taskReferenceName":"sub","type":"SUB_WORKFLOW","inputParameters":{
			"n":"${workflow.input.n}"},"subWorkflowParam":{"name":"child","version":1}},` + call("after"),
		"waits": `{"name":"hold","taskReferenceName":"hold","type":"WAIT","inputParameters":{"duration":"1 seconds"}},` +
			call("then"),
	}
	for name, tasks := range programs {
		programs[name] = fmt.Sprintf(`{"name":%q,"version":1,"schemaVersion":2,"tasks":[%s]}`, name, tasks)
	}
	return programs
}

// outside is the server that workflows call: it notes under which keys it was asked for what.
type outside struct {
	mu    sync.Mutex
	times map[string]int             // requests, by key
	ofRun map[string]map[string]bool // keys, by run
	said  map[string]string          // what was asked for, by key
	other []string                   // where it was something else the next time
}

func (o *outside) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, cutOff := io.ReadAll(r.Body)
	key, run := r.Header.Get("Idempotency-Key"), r.Header.Get("Run")
	defer time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond) // so that many are under way at a kill
	o.mu.Lock()
	defer o.mu.Unlock()
	o.times[key]++
	if o.ofRun[run] == nil {
		o.ofRun[run] = map[string]bool{}
	}
	o.ofRun[run][key] = true
	if cutOff != nil {
		return // by a kill
	}
	what := r.Method + " " + r.RequestURI + " of " + run + ": " + string(body)
	if was, known := o.said[key]; known && was != what {
		o.other = append(o.other, key+": "+was+", then "+what)
	}
	o.said[key] = what
}

// asked is a copy of how often each key was seen.
func (o *outside) asked() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	times := make(map[string]int, len(o.times))
	for key, n := range o.times {
		times[key] = n
	}
	return times
}

// TestNoWorkflowIsLostByKill kills a server 20 times while thousands of workflows run. Every run that was answered to
// be started must end well. A request may be repeated once for each kill at which the disk had its task as not done,
// under the same key, and no other.
func TestNoWorkflowIsLostByKill(t *testing.T) {
	t.Parallel()
	const rounds, each = 20, 150
	world := &outside{times: map[string]int{}, ofRun: map[string]map[string]bool{}, said: map[string]string{}}
	there := httptest.NewServer(world)
	defer there.Close()
	dir, key := t.TempDir(), ""
	serve := func() (*lab.Process, *lab.Company) {
		server := lab.Serve(t, dir, "--egress-allow", "127.0.0.1", "--workflow-rate-limit", "1000000")
		if key == "" {
			key = server.Key
		}
		return server, lab.NewCompany(t, server.URL, server.SIP, key)
	}
	started, mayRepeat := map[string]bool{}, map[string]int{}
	var repeated, mostOpen, mostRepeated int
	for round := range rounds {
		server, company := serve()
		if round == 0 {
			for _, text := range killedWorkflows(there.URL) {
				company.MustAPI("POST", "/api/metadata/workflow", text)
			}
		}
		startUntilKilled(company, server, each/2+rand.IntN(each), started)
		open := openCalls(t, dir)
		for _, key := range open {
			mayRepeat[key]++
		}
		before := repeated
		repeated = repetitions(world.asked())
		mostOpen, mostRepeated = max(mostOpen, len(open)), max(mostRepeated, repeated-before)
	}
	_, company := serve()
	keysOf := allCompleted(company)
	times := world.asked()
	for key, n := range times {
		if n-1 > mayRepeat[key] {
			t.Errorf("asked %d times under %s, which was under way at %d kills", n, key, mayRepeat[key])
		}
	}
	for id := range started {
		if keysOf[id] == nil {
			t.Errorf("run %s was answered to be started and is not there", id)
		}
	}
	world.hold(t, keysOf)
	repeated = repetitions(times)
	if repeated > rounds*runner.DefaultCalls {
		t.Errorf("%d requests were repeated in %d kills, %d may be under way at once", repeated, rounds, runner.DefaultCalls)
	}
	if len(started) < rounds*each/2 {
		t.Errorf("only %d runs were started: this proves nothing", len(started))
	}
	sound(t, dir)
	t.Logf("%d runs answered to be started, %d in all with children, %d requests, %d repeated in %d kills (at most %d "+
		"after one), at most %d tasks under way at a kill", len(started), len(keysOf), len(times), repeated, rounds,
		mostRepeated, mostOpen)
}

func repetitions(times map[string]int) (n int) {
	for _, asked := range times {
		n += asked - 1
	}
	return n
}

// startUntilKilled starts runs from several clients, adds those that were answered, and kills the server after so many.
func startUntilKilled(c *lab.Company, server *lab.Process, after int, started map[string]bool) {
	const several = 8
	names := []string{"steps", "forked", "parent", "waits"}
	var (
		mu       sync.Mutex
		group    sync.WaitGroup
		n, count atomic.Int64
	)
	for range several {
		group.Go(func() {
			for {
				i := n.Add(1)
				req, err := http.NewRequest("POST", c.URL+"/api/workflow/"+names[i%int64(len(names))],
					strings.NewReader(fmt.Sprintf(`{"n":%d}`, i)))
				if err != nil {
					panic(err) // a bug of the test
				}
				req.Header.Set("Authorization", "Bearer "+c.Key)
				req.Header.Set("Content-Type", "application/json")
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					return // killed
				}
				id, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil {
					return // killed in the middle of the answer
				}
				if res.StatusCode != http.StatusOK {
					c.T.Errorf("start: %s %s", res.Status, id)
					server.Kill()
					return
				}
				mu.Lock()
				started[string(id)] = true
				mu.Unlock()
				if count.Add(1) == int64(after) {
					server.Kill()
				}
			}
		})
	}
	group.Wait()
}

// openCalls are the HTTP tasks that the disk of a killed server has as not done.
func openCalls(t *testing.T, dir string) (ids []string) {
	t.Helper()
	rows, err := open(t, dir).Query(
		"SELECT id FROM wf_task WHERE type = 'HTTP' AND status IN ('SCHEDULED', 'IN_PROGRESS')",
	)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// allCompleted waits until no run is under way. It gives the ids of the HTTP tasks of every run there is, by run; each
// must have ended well.
func allCompleted(c *lab.Company) map[string]map[string]bool {
	c.T.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		left := c.MustAPI("GET", "/api/workflow/search?size=1&query="+url.QueryEscape("status IN (RUNNING, PAUSED)"), "")
		if left.Body["totalHits"] == 0.0 {
			break
		}
		if time.Now().After(deadline) {
			c.T.Fatalf("stuck: %s", left.Raw)
		}
	}
	const size = 100
	all := map[string]map[string]bool{}
	for start := 0; ; start += size {
		page := c.MustAPI("GET", fmt.Sprintf("/api/workflow/search-v2?sort=startTime:ASC&size=%d&start=%d", size, start), "")
		results, _ := page.Body["results"].([]any)
		for _, result := range results {
			run, _ := result.(map[string]any)
			id, _ := run["workflowId"].(string)
			if run["status"] != "COMPLETED" {
				c.T.Errorf("run %s of %v is %v: %v", id, run["workflowName"], run["status"], run["reasonForIncompletion"])
			}
			all[id] = map[string]bool{}
			tasks, _ := run["tasks"].([]any)
			for _, task := range tasks {
				if task, _ := task.(map[string]any); task["taskType"] == "HTTP" {
					key, _ := task["taskId"].(string)
					all[id][key] = true
				}
			}
		}
		if len(results) < size {
			return all
		}
	}
}

// hold compares what was asked for with the HTTP tasks of all runs.
func (o *outside) hold(t *testing.T, keysOf map[string]map[string]bool) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.other) > 0 {
		t.Errorf("something else was asked for under the same key: %v", o.other)
	}
	for run, keys := range keysOf {
		for key := range keys {
			if !o.ofRun[run][key] {
				t.Errorf("task %s of run %s is done and was never asked for", key, run)
			}
		}
	}
	for run, keys := range o.ofRun {
		for key := range keys {
			if !keysOf[run][key] {
				t.Errorf("run %s asked under the key %s, which is none of its tasks", run, key)
			}
		}
	}
}
