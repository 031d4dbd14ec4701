package sim

import (
	"fmt"
	"strings"
	"time"

	"switchboard/internal/route"
)

// Report is what became of the calls of a run.
type Report struct {
	Seed     uint64
	Length   time.Duration // simulated, arrivals and what followed
	Steps    int
	Calls    int     // entry legs, callbacks and calls of operators included
	Outcomes []Count // in the order of route.Outcomes; those that did not occur are left out
	Reasons  []Count // in the order in which they first occurred
	// The figures are of the calls that arrived after Options.Warmup.
	Offered      int           // rang or waited
	Answered     int           // of them
	Abandoned    int           // hung up while waiting or ringing
	Short        int           // the same, so soon that it does not count
	Waited       int           // of the offered, longer than not at all
	InTarget     int           // answered within the target of their center
	MeanWait     time.Duration // of the offered
	MeanAnswer   time.Duration // of the answered: the average speed of answer
	LongestWait  time.Duration
	ServiceLevel float64 // percent; -1: no data
	// What the oracle saw; nothing where it was not asked.
	Positions int // said to callers, each of them true
	Tries     int // numbers called for callbacks, none of them ahead of an older caller
	Returns   int // lost callers who had their place back
}

// Count is how often something happened.
type Count struct {
	Name string
	N    int
}

// figures collects call records.
type figures struct {
	outcomes  map[route.Outcome]int
	reasons   []Count
	r         Report
	waits     time.Duration
	answers   time.Duration
	countable int // of the service level
}

// book takes note of a call's record.
func (w *world) book(r route.CallRecord) {
	f := &w.figures
	if f.outcomes == nil {
		f.outcomes = make(map[route.Outcome]int)
	}
	f.outcomes[r.Outcome]++
	f.reason(string(r.Outcome) + ": " + r.Reason)
	if r.Entered.IsZero() || r.Arrived.Before(start.Add(w.o.Warmup)) {
		return
	}
	target := time.Duration(w.centers[r.Center-1].Settings.Alerts.ServiceLevelSeconds) * time.Second
	wait := r.Wait()
	f.r.Offered++
	f.waits += wait
	f.r.LongestWait = max(f.r.LongestWait, wait)
	if wait > 0 {
		f.r.Waited++
	}
	switch r.Outcome {
	case route.Answered:
		f.r.Answered++
		f.answers += wait
		f.countable++
		if wait <= target {
			f.r.InTarget++
		}
	case route.ShortAbandoned:
		f.r.Short++
	case route.Abandoned:
		f.r.Abandoned++
		f.countable++
	default:
		if wait > target {
			f.countable++
		}
	}
}

func (f *figures) reason(name string) {
	for i := range f.reasons {
		if f.reasons[i].Name == name {
			f.reasons[i].N++
			return
		}
	}
	f.reasons = append(f.reasons, Count{name, 1})
}

func (w *world) report() Report {
	f := &w.figures
	r := f.r
	r.Positions, r.Tries, r.Returns = w.oracle.positions, w.oracle.callbacks, w.oracle.returns
	r.Length, r.Steps, r.Calls = w.now.Sub(start), w.steps, int(w.nextCall)+w.passed+w.mon.others
	r.Reasons = f.reasons
	for _, o := range route.Outcomes {
		if n := f.outcomes[o]; n > 0 {
			r.Outcomes = append(r.Outcomes, Count{string(o), n})
		}
	}
	if r.Offered > 0 {
		r.MeanWait = f.waits / time.Duration(r.Offered)
	}
	if r.Answered > 0 {
		r.MeanAnswer = f.answers / time.Duration(r.Answered)
	}
	if r.ServiceLevel = -1; f.countable > 0 {
		r.ServiceLevel = 100 * float64(r.InTarget) / float64(f.countable)
	}
	return r
}

// String is the report as a table.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls in %s of simulated time, %d steps\n\n", r.Calls, r.Length.Round(time.Second), r.Steps)
	fmt.Fprintf(&b, "%-20s %8s %7s\n", "outcome", "calls", "share")
	for _, o := range r.Outcomes {
		fmt.Fprintf(&b, "%-20s %8d %6.1f%%\n", o.Name, o.N, 100*float64(o.N)/float64(max(r.Calls, 1)))
	}
	level := "no data"
	if r.ServiceLevel >= 0 {
		level = fmt.Sprintf("%.1f%% answered in target", r.ServiceLevel)
	}
	fmt.Fprintf(&b, "\n%-20s %s\n", "service level", level)
	fmt.Fprintf(&b, "%-20s %s\n", "speed of answer", r.MeanAnswer.Round(100*time.Millisecond))
	fmt.Fprintf(&b, "%-20s %s\n", "longest wait", r.LongestWait.Round(time.Second))
	fmt.Fprintf(&b, "%-20s %.1f%% of %d offered calls, %d short ones aside\n", "abandonment rate",
		100*float64(r.Abandoned)/float64(max(r.Offered-r.Short, 1)), r.Offered-r.Short, r.Short)
	return b.String()
}
