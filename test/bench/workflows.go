package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/flow"
)

// What the workflow figures are taken with.
const (
	workflowCallers = 64
	workflowTime    = 6 * time.Second
	waitingRuns     = 100_000
)

// quietTime is how long a server with nothing to do is left alone before its memory is read: it collects its garbage
// every 20 s.
const quietTime = 45 * time.Second

// measureWorkflows runs a whole server in a child of this program, which drives the server's runner from within: so the
// figures are the runner's and the disk's, not those of an API in front of it.
func measureWorkflows(ctx context.Context, r *report) error {
	dir, err := os.MkdirTemp("", "switchboard-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, kind := range workflowKinds {
		c, err := startChild(ctx, filepath.Join(dir, kind.name), kind.name)
		if err != nil {
			return err
		}
		rate, err := c.number("rate")
		if err != nil {
			return err
		}
		cpu := c.usage().cpu
		runs, err := c.number("runs")
		if err != nil {
			return err
		}
		r.add(kind.figure, kind.aim, "%.0f/s, %s CPU a run", rate*kind.times, ms(time.Duration(float64(cpu)/runs)))
		if err := c.kill(); err != nil {
			return err
		}
	}
	return measureWaitingRuns(ctx, r, filepath.Join(dir, "wait"))
}

// workflowKinds are the runs that are measured, three steps each.
var workflowKinds = []struct {
	name, figure, aim string
	times             float64 // what is counted, per run
}{
	{"variables", "workflows of three steps, callers: 64, each end on disk", ">= 2,000/s", 1},
	{"script", "the same, one step a script", "", 1},
	{"calls", "HTTP tasks against a local server, callers: 64", ">= 3,000/s", 3},
}

func measureWaitingRuns(ctx context.Context, r *report, dir string) error {
	c, err := startChild(ctx, dir, "wait")
	if err != nil {
		return err
	}
	rate, err := c.number("rate")
	if err != nil {
		return err
	}
	r.add("workflows started that then wait, callers: 64, each on disk", "", "%.0f/s", rate)
	time.Sleep(quietTime)
	r.add(fmt.Sprintf("RSS with %d workflows waiting", waitingRuns), "< 200 MB", "%s", megabytes(c.usage().rss))
	if err := c.kill(); err != nil { // as a power cut would
		return err
	}
	if c, err = startChild(ctx, dir, "again"); err != nil {
		return err
	}
	r.add("killed, started again: ready", "< 1 s", "%s", ms(c.ready))
	took, err := c.number("taken up")
	if err != nil {
		return err
	}
	r.add("and all of them taken up", "", "%.1f s after the start", took)
	time.Sleep(quietTime)
	r.add("RSS then", "< 200 MB", "%s", megabytes(c.usage().rss))
	return c.kill()
}

// child is a process of this program with a server in it.
type child struct {
	server
	lines *bufio.Scanner
}

func startChild(ctx context.Context, dir, kind string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{}
	c.command = exec.CommandContext(ctx, "taskset", "-c", allCores, self, "-workflows", kind, "-data", dir)
	c.command.Stderr = os.Stderr
	c.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	c.lines = bufio.NewScanner(out)
	_, err = c.number("ready")
	c.ready = time.Since(began)
	return c, err
}

// number waits for the line that says name and a number.
func (c *child) number(name string) (float64, error) {
	for c.lines.Scan() {
		if text, ok := strings.CutPrefix(c.lines.Text(), name+": "); ok {
			return strconv.ParseFloat(text, 64)
		}
	}
	return 0, errors.Join(fmt.Errorf("the child said nothing of %q", name), c.command.Wait())
}

func (c *child) kill() error {
	if err := c.command.Process.Kill(); err != nil {
		return err
	}
	_ = c.command.Wait() // it was killed
	return nil
}

// beChild is what a child does: it drives its server, says figures, and waits to be killed.
func beChild(kind, dir string) error {
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true}`)) // the caller would see it
	}))
	defer local.Close()
	a, err := app.New(context.Background(), app.Config{
		DataDir: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", EgressAllow: []string{"127.0.0.0/8"},
	})
	if err != nil {
		return err
	}
	began := time.Now()
	fmt.Println("ready: 1")
	switch kind {
	case "again":
		for a.Workflows().Stats().RunsWaiting < waitingRuns && time.Since(began) < time.Minute {
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Printf("taken up: %f\n", time.Since(began).Seconds())
	case "wait":
		err = drive(a, kind, local.URL, 0, func(n int64) bool { return n <= waitingRuns })
	default:
		err = drive(a, kind, local.URL, time.Minute, func(int64) bool { return time.Since(began) < workflowTime })
	}
	if err != nil {
		return err
	}
	select {} // until it is killed
}

// benchWorkflows are the definitions, by kind.
func benchWorkflows(kind, url string) string {
	set := func(ref, value string) string {
		return fmt.Sprintf(`{"name":"set","taskReferenceName":%q,"type":"SET_VARIABLE","inputParameters":{"n":%q}}`,
			ref, value)
	}
	call := func(ref string) string {
		return fmt.Sprintf(`{"name":"call","taskReferenceName":%q,"type":"HTTP",
			"inputParameters":{"uri":%q,"method":"GET"}}`, ref, url)
	}
	last := set("c", "${workflow.variables.n}")
	tasks := map[string][]string{
		"variables": {set("a", "${workflow.input.n}"), set("b", "${workflow.variables.n}"), last},
		"script": {
			set("a", "${workflow.input.n}"), `{"name":"add","taskReferenceName":"add","type":"INLINE",
			"inputParameters":{"evaluatorType":"javascript","expression":"$.n + 1","n":"${workflow.variables.n}"}}`,
			set("c", "${add.output.result}"),
		},
		"calls": {call("a"), call("b"), call("c")},
		"wait": {
			set("a", "${workflow.input.n}"),
			`{"name":"hold","taskReferenceName":"hold","type":"WAIT","inputParameters":{"duration":"7 days"}}`, call("c"),
		},
	}[kind]
	return fmt.Sprintf(`{"name":"bench","version":1,"schemaVersion":2,"tasks":[%s]}`, strings.Join(tasks, ","))
}

// drive starts runs from all callers while more says so; each waits for the end of its run, for at most wait.
func drive(a *app.App, kind, url string, wait time.Duration, more func(n int64) bool) error {
	runs := a.Workflows()
	def, _, err := flow.Parse([]byte(benchWorkflows(kind, url)))
	if err == nil {
		err = runs.PutDefinition(context.Background(), "bench", def, true)
	}
	if err != nil {
		return err
	}
	var started, done atomic.Int64
	failed := make(chan error, workflowCallers)
	var wg sync.WaitGroup
	began := time.Now()
	for range workflowCallers {
		wg.Go(func() {
			for n := started.Add(1); more(n); n = started.Add(1) {
				req := flow.StartRequest{Name: "bench", Input: flow.Map{"n": n}}
				if wait == 0 {
					if _, err := runs.Start(context.Background(), req, "", ""); err != nil {
						failed <- err
						return
					}
				} else if run, err := runs.Execute(context.Background(), req, "", nil, wait); err != nil ||
					run.State != flow.Completed {
					failed <- fmt.Errorf("a run is %v: %w", run, err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Printf("rate: %f\nruns: %d\n", float64(done.Load())/time.Since(began).Seconds(), done.Load())
	return nil
}
