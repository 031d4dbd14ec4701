package runner

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/flow"
)

// BenchmarkRun measures whole runs of three steps at 64 callers, each answered when it is over and on disk.
func BenchmarkRun(b *testing.B) {
	variables := task("one", "SET_VARIABLE", `"inputParameters":{"n":"${workflow.input.n}"}`) + "," +
		task("two", "SET_VARIABLE", `"inputParameters":{"m":"${workflow.variables.n}"}`) + "," +
		task("three", "SET_VARIABLE", `"inputParameters":{"k":"${workflow.variables.m}"}`)
	scripts := task("set", "SET_VARIABLE", `"inputParameters":{"n":"${workflow.input.n}"}`) + "," + addOne + "," +
		task("keep", "SET_VARIABLE", `"inputParameters":{"n":"${add.output.result}"}`)
	calls := httpTask("one") + "," + httpTask("two") + "," + httpTask("three")
	for _, c := range []struct{ name, tasks string }{
		{"variables", variables}, {"script", scripts}, {"calls", calls},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkRuns(b, c.tasks) })
	}
}

func benchmarkRuns(b *testing.B, tasks string) {
	w := newWorld(b, Limits{})
	w.define("steps", tasks, "")
	const callers = 64
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				req := flow.StartRequest{Name: "steps", Input: flow.Map{"n": int64(1)}}
				run, err := w.runner.Execute(context.Background(), req, "", nil, time.Minute)
				if err != nil || run.State != flow.Completed {
					b.Error(run, err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}
