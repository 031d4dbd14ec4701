package chaos

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
)

// flowsEnv says how many flows are played, seedEnv plays one world again; logEnv shows what the server logs.
const (
	flowsEnv     = "SWITCHBOARD_FLOWS"
	seedEnv      = "SWITCHBOARD_SEED"
	logEnv       = "SWITCHBOARD_TEST_LOG"
	defaultFlows = 200
	worldFlows   = 40 // in one world, side by side
)

// enough is from how many flows on every way to end must have been seen.
const enough = 2000

// TestFlows plays worlds until there were so many flows. After each, nothing may be left.
func TestFlows(t *testing.T) {
	total := map[string]int{}
	first, worlds := uint64(1), uint64(number(t, flowsEnv, defaultFlows)+worldFlows-1)/worldFlows
	if seed := number(t, seedEnv, 0); seed != 0 {
		first, worlds = uint64(seed), 1
	}
	for seed := first; seed < first+worlds; seed++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed, worldFlows*arrivals)
			for what, n := range w.play(worldFlows) {
				total[what] += n
			}
		})
	}
	for _, what := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%-40s %6d", what, total[what])
	}
	if worlds*worldFlows < enough {
		return
	}
	for _, what := range []string{
		"answered", "abandoned", "short_abandoned", "voicemail", "message", "forwarded", "callback_requested", "rejected",
		"failed", "callback answered", "voicemail recorded", "recording",
		"network: lost", "network: doubled", "network: held up", "network: in an outage",
		"sent re-INVITE", "sent UPDATE", "sent CANCEL", "sent 481", "sent 487", "sent 486", "sent 488", "sent 503",
	} {
		if total[what] == 0 {
			t.Errorf("%d flows, and none was %s", worlds*worldFlows, what)
		}
	}
}

func number(t *testing.T, env string, otherwise int) int {
	t.Helper()
	text := os.Getenv(env)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number from 1", env, text)
	}
	return n
}
