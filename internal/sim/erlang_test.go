package sim

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// TestTheory compares the formulas with figures worked out elsewhere (docs/reference/routing.md, "What theory says").
func TestTheory(t *testing.T) {
	near := func(name string, is, want, by float64) {
		t.Helper()
		if math.Abs(is-want) > by {
			t.Errorf("%s is %.5f, not %.5f", name, is, want)
		}
	}
	for _, c := range []struct {
		perHour, talk, patience float64
		servers                 int
		waits, abandons, wait   float64
		target, level           float64
	}{
		{100, 180, 0, 7, .32415, 0, 29.17, 20, .7404},
		{360, 240, 0, 28, .33314, 0, 19.99, 20, .7613},
		{60, 300, 0, 7, .32415, 0, 48.62, 60, .7827},
		{100, 180, 120, 7, .22212, .06039, 7.247, 0, 0},
		{100, 180, 120, 4, .68352, .30433, 36.520, 0, 0},
		{360, 240, 180, 24, .49349, .08693, 15.647, 0, 0},
	} {
		q := Queue{Arrivals: c.perHour / 3600, Service: 1 / c.talk, Servers: c.servers}
		if c.patience > 0 {
			q.Leaving = 1 / c.patience
		}
		name := fmt.Sprintf("%v/h, %v s, %d: ", c.perHour, c.talk, c.servers)
		is := q.Theory()
		near(name+"waits", is.Waits, c.waits, 1e-5)
		near(name+"abandons", is.Abandons, c.abandons, 1e-5)
		near(name+"wait", is.Wait, c.wait, 0.006)
		if c.target > 0 {
			near(name+"level", q.Level(c.target), c.level, 1e-4)
		}
	}
	if full := (Queue{Arrivals: 1, Service: 0.5, Servers: 2}); full.Theory().Stable || full.Level(20) != 0 {
		t.Error("a queue with as much work as operators is stable")
	}
}

// TestDispatcherMeetsTheory runs the real dispatcher without any rule in the way: its figures must be those of Erlang C
// and A, within three standard errors over independent runs.
func TestDispatcherMeetsTheory(t *testing.T) {
	const runs, calls = 16, 8000.0 // a run
	for i, c := range []struct {
		perHour        float64
		talk, patience time.Duration
		operators      int
	}{
		{100, 180 * time.Second, Endless, 7},
		{100, 180 * time.Second, 120 * time.Second, 4},
		{100, 180 * time.Second, 120 * time.Second, 7},
		{360, 240 * time.Second, 180 * time.Second, 24},
		{360, 240 * time.Second, Endless, 28},
	} {
		if i > 2 && seeds(t) < 1000 { // the long run is make sim's
			break
		}
		q := Queue{Arrivals: c.perHour / 3600, Service: 1 / c.talk.Seconds(), Servers: c.operators}
		if c.patience != Endless {
			q.Leaving = 1 / c.patience.Seconds()
		}
		want := q.Theory()
		reports := make([]Report, runs)
		var wg sync.WaitGroup
		for part := range 2 {
			wg.Go(func() {
				for i := part; i < runs; i += 2 {
					r, err := Run(uint64(1000+i), Options{
						Length: time.Duration(calls / c.perHour * float64(time.Hour)), Warmup: 2 * time.Hour,
						PerHour: c.perHour, Talk: c.talk, Patience: c.patience,
						Operators: c.operators, Centers: 1, Calm: true, Unchecked: true,
						Settings: func(s *callcenter.Settings) {
							s.RoutingOptions.Open.OperatorRouting = callcenter.LongestIdle
						},
					})
					if err != nil {
						t.Error(err)
					}
					reports[i] = r
				}
			})
		}
		wg.Wait()
		name := fmt.Sprintf("%v calls/h for %d operators, leaving %.4f/s", c.perHour, c.operators, q.Leaving)
		within(t, name+": waits", reports, want.Waits, func(r Report) float64 {
			return float64(r.Waited) / float64(r.Offered)
		})
		within(t, name+": wait", reports, want.Wait, func(r Report) float64 { return r.MeanWait.Seconds() })
		within(t, name+": abandons", reports, want.Abandons, func(r Report) float64 {
			return float64(r.Abandoned+r.Short) / float64(r.Offered)
		})
	}
}

// within compares the mean over the runs with the theory.
func within(t *testing.T, name string, reports []Report, want float64, figure func(Report) float64) {
	t.Helper()
	var sum, squares float64
	for _, r := range reports {
		sum += figure(r)
	}
	mean := sum / float64(len(reports))
	for _, r := range reports {
		squares += (figure(r) - mean) * (figure(r) - mean)
	}
	n := float64(len(reports))
	sigma := math.Sqrt(squares / (n - 1) / n)
	if math.Abs(mean-want) > 3*sigma {
		t.Errorf("%s is %.5f, theory says %.5f, three sigma are %.5f", name, mean, want, 3*sigma)
	}
	t.Logf("%s: %.5f, theory %.5f, sigma %.5f", name, mean, want, sigma)
}

// BenchmarkCalls is the simulator's speed, unchecked and checked.
func BenchmarkCalls(b *testing.B) {
	for _, unchecked := range []bool{true, false} {
		b.Run(fmt.Sprintf("unchecked=%v", unchecked), func(b *testing.B) {
			calls := 0
			for i := range b.N {
				r, err := Run(uint64(i+1), Options{Unchecked: unchecked})
				if err != nil {
					b.Fatal(err)
				}
				calls += r.Calls
			}
			b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
