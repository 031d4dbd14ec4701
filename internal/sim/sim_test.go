package sim

import (
	"os"
	"strconv"
	"sync"
	"testing"
)

// seedsEnv picks how many seeds TestSeeds plays; oneSeedEnv plays one again.
const (
	seedsEnv     = "SWITCHBOARD_SEEDS"
	oneSeedEnv   = "SWITCHBOARD_SEED"
	defaultSeeds = 50
)

// TestSeeds plays rough worlds with every rule checked at every step.
func TestSeeds(t *testing.T) {
	first, n := uint64(1), uint64(defaultSeeds)
	if v := os.Getenv(seedsEnv); v != "" {
		n = parse(t, v)
	}
	if v := os.Getenv(oneSeedEnv); v != "" {
		first, n = parse(t, v), 1
	}
	var wg sync.WaitGroup
	results := make([]string, n)
	calls := make([]int, n)
	for part := range uint64(2) {
		wg.Go(func() {
			for i := part; i < n; i += 2 {
				r, err := Run(first+i, Options{})
				calls[i] = r.Calls
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
}

func parse(t *testing.T, v string) uint64 {
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
