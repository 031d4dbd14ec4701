package sim

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// seedsEnv picks how many seeds TestSeeds plays; oneSeedEnv plays one again.
const (
	seedsEnv     = "SWITCHBOARD_SEEDS"
	oneSeedEnv   = "SWITCHBOARD_SEED"
	defaultSeeds = 100
)

// TestSeeds plays rough worlds with every rule checked at every step.
func TestSeeds(t *testing.T) {
	seen := [3]int{}
	reports := playSeeds(t, Options{})
	for _, r := range reports {
		seen[0], seen[1], seen[2] = seen[0]+r.Positions, seen[1]+r.Tries, seen[2]+r.Returns
	}
	t.Logf("%d positions, %d tries of callbacks, %d places given back", seen[0], seen[1], seen[2])
	for i, least := range []int{100, 10, 1} { // a seed
		if n := len(reports); n > 1 && seen[i] < least*n {
			t.Errorf("too little was seen to prove anything: %v", seen)
		}
	}
}

// TestVisits plays rough worlds in which callers go through more than the line.
func TestVisits(t *testing.T) {
	seen := map[string]int{}
	reports := playSeeds(t, Options{Visits: true})
	for _, r := range reports {
		for _, reason := range r.Reasons {
			seen[reason.Name] += reason.N
		}
	}
	for _, way := range []string{
		"forwarded: person", "forwarded: department", "forwarded: bridge_target", "forwarded: directory",
		"forwarded: extension", "forwarded: router", "message: menu", "message: router", "voicemail: no_choice",
		"voicemail: router_failed", "voicemail: forward_failed", "voicemail: too_many_hops", "abandoned: menu",
	} {
		t.Logf("%-28s %6d", way, seen[way])
		if n := len(reports); n > 1 && seen[way] == 0 {
			t.Errorf("nobody ended as %s", way)
		}
	}
}

func playSeeds(t *testing.T, o Options) []Report {
	first, n := uint64(1), seeds(t)
	if v := os.Getenv(oneSeedEnv); v != "" {
		first, n = parse(t, v), 1
	}
	var wg sync.WaitGroup
	results := make([]string, n)
	calls := make([]int, n)
	reports := make([]Report, n)
	for part := range uint64(2) {
		wg.Go(func() {
			for i := part; i < n; i += 2 {
				r, err := Run(first+i, o)
				calls[i], reports[i] = r.Calls, r
				if err != nil {
					results[i] = err.Error()
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for i, failure := range results {
		total += calls[i]
		if failure != "" {
			t.Error(failure)
		}
	}
	if total == 0 {
		t.Error("no call was simulated")
	}
	t.Logf("%d seeds, %d calls", n, total)
	return reports
}

func seeds(t *testing.T) uint64 {
	if v := os.Getenv(seedsEnv); v != "" {
		return parse(t, v)
	}
	return defaultSeeds
}

func parse(t *testing.T, v string) uint64 {
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSameSeedSameRun plays a seed twice.
func TestSameSeedSameRun(t *testing.T) {
	var reports [2]Report
	for i := range reports {
		r, err := Run(7, Options{})
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = r
	}
	if a, b := fmt.Sprintf("%+v", reports[0]), fmt.Sprintf("%+v", reports[1]); a != b {
		t.Errorf("two runs of one seed:\n%s\n%s", a, b)
	}
}

// TestReport holds the table to the calls: every call has its row.
func TestReport(t *testing.T) {
	r, err := Run(3, Options{Operators: 4, Centers: 2, PerHour: 90, Talk: 3 * time.Minute, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	byOutcome, byReason := 0, 0
	for _, c := range r.Outcomes {
		byOutcome += c.N
	}
	for _, c := range r.Reasons {
		byReason += c.N
	}
	if byOutcome != r.Calls || byReason != r.Calls || r.Calls == 0 {
		t.Errorf("%d calls, %d outcomes, %d reasons", r.Calls, byOutcome, byReason)
	}
	for _, word := range []string{"answered", "service level", "abandoned", "speed of answer"} {
		if !strings.Contains(r.String(), word) {
			t.Errorf("no %q in:\n%s", word, r)
		}
	}
	if got := (Report{ServiceLevel: -1}).String(); !strings.Contains(got, "no data") {
		t.Errorf("no calls give\n%s", got)
	}
}

// TestOracleObjects breaks an order on purpose: an oracle that never objects proves nothing.
func TestOracleObjects(t *testing.T) {
	w := newWorld(5, Options{Calm: true, Operators: 2, Centers: 1, PerHour: 1, Settings: func(s *callcenter.Settings) {
		s.RoutingOptions.Open.OperatorRouting = callcenter.FixedOrder
	}})
	if err := w.oracle.before(w.now, route.CallArrived{Call: 1, Center: 1}); err != nil {
		t.Fatal(err)
	}
	ring := route.Ring{Leg: route.LegID{Call: 1, N: 1}, Center: 1, Operator: 2, Device: 11}
	if err := w.oracle.effect(route.Effect{Order: ring}); err == nil {
		t.Error("the second of the list rings first, and the oracle agrees")
	}
	if err := w.mon.effect(route.Effect{Order: route.Answer{Call: 9}}); err == nil {
		t.Error("a call that nobody made is answered, and the monitor agrees")
	}
}
