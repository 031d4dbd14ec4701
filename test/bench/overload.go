package main

import (
	"context"
	"strconv"
	"time"
)

const (
	overloadTime  = 10 * time.Second
	recoveryTime  = 5 * time.Second
	settleTime    = 60 * time.Second
	defaultBest   = 300 // calls a second, where the section on bridged calls did not run
	overloadStaff = 200
)

// measureOverload offers twice the highest good rate to a server told to let in that rate, then a fifth of it.
func measureOverload(ctx context.Context, r *report) error {
	best := r.best
	if best == 0 {
		best = defaultBest
	}
	for _, told := range []bool{true, false} {
		if err := runOverload(ctx, r, int(best), told); err != nil {
			return err
		}
	}
	return nil
}

// tally is what became of offered calls.
type tally struct{ good, shed, shedHow, other int }

// offer dials at a rate for a while and gives every call some time to be decided.
func offer(ctx context.Context, s *server, number string, rate int, d time.Duration) (tally, error) {
	callers, err := openPhones(s.sip)
	if err != nil {
		return tally{}, err
	}
	defer callers.close()
	var t tally
	callers.up = func(d *dialog, _ time.Time) { callers.bye(d) }
	callers.over = func(d *dialog, _ time.Time) {
		switch {
		case d.status == 0:
			t.good++
		case d.status == 503:
			t.shed++
			if d.retry != "" {
				t.shedHow++
			}
		default:
			t.other++
		}
	}
	n := rate * int(d/time.Second)
	dialAtRate(ctx, callers, number, n, rate)
	sleep(ctx, 2*time.Second)
	callers.mu.Lock()
	defer callers.mu.Unlock()
	t.other = n - t.good - t.shed
	return t, nil
}

func runOverload(ctx context.Context, r *report, best int, told bool) error {
	var extra []string
	name := "overload, the server told nothing"
	if told {
		extra = []string{"--new-calls-per-second", strconv.Itoa(best)}
		name = "overload, the server told its rate"
	}
	s, err := startServer(ctx, extra...)
	if err != nil {
		return err
	}
	c, err := s.openCenter("Overload", nil)
	if err != nil {
		return err
	}
	desk, err := openPhones(s.sip)
	if err != nil {
		return err
	}
	defer desk.close()
	if err := s.hire(c, overloadStaff, "op", desk.addr()); err != nil {
		return err
	}
	idle := s.usage()
	t, err := offer(ctx, s, c.number, 2*best, overloadTime)
	if err != nil {
		return err
	}
	peak := s.usage()
	r.add(name, ">= 90% of the rate served, the rest 503 with Retry-After; peer 62 of 600/s",
		"%d/s offered: %.0f/s served, %.0f%% 503 (%d of %d with Retry-After), %d neither, RSS %s", 2*best,
		float64(t.good)/overloadTime.Seconds(), 100*float64(t.shed)/float64(t.good+t.shed+t.other), t.shedHow, t.shed,
		t.other, megabytes(peak.rss))
	// The 2 s after the load and the first of these seconds are what the server has to recover.
	sleep(ctx, recoveryTime-2*time.Second)
	t, err = offer(ctx, s, c.number, best/2, recoveryTime)
	if err != nil {
		return err
	}
	r.add("  5 s later, half the rate", "0 failed", "%d/s offered: %d failed", best/2, t.shed+t.other)
	if told {
		sleep(ctx, settleTime)
		end := s.usage()
		r.add("  60 s later", "RSS <= 2 x idle", "RSS %s (%s when idle)", megabytes(end.rss), megabytes(idle.rss))
	}
	return s.stop()
}
