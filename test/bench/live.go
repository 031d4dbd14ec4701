package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	liveTime    = 30 * time.Second
	liveWaiting = 200
	liveStaff   = 20
	liveRate    = 100 // PATCHes a second
	liveClients = 4
	ringRounds  = 1000
)

// count is how requests went.
type count struct {
	took  times
	wrong []string
}

// change is the nth PATCH of a line: every key that a caller in line could be hurt by, in turn. None of these values
// should send anybody away.
func change(n int) object {
	strategies := []string{"longestidle", "fixedorder", "mostskilled", "random", "roundrobin", "simultaneous"}
	odd := n/13%2 == 1
	day := []string{"08:00", fmt.Sprintf("%02d:00", 9+n%12)}
	return []object{
		{"name": fmt.Sprintf("Line %d", n)},
		{"group_description": fmt.Sprintf("Changed %d times", n)},
		{"ring_seconds": 10 + n%36},
		{"routing_options": bothBranches(strategies[n/13%len(strategies)])},
		{"hold_queue": object{"max_hold_count": 2*liveWaiting + n%100}},
		{"hold_queue": object{"max_hold_seconds": 600 + n%1000}},
		{"hold_queue": object{"announce_position": odd, "announcement_interval_seconds": 60 + n%60}},
		{"hold_queue": object{"allow_queue_callback": odd, "queue_callback_threshold": n % 10}},
		{"hold_queue": object{"stay_in_queue_after_closing": odd}},
		{"monday_hours": day, "tuesday_hours": day, "sunday_hours": []string{}},
		{"alerts": object{"cc_service_level": n % 100, "cc_service_level_seconds": 5 + n%60}},
		{"advanced_settings": object{"auto_call_recording": object{"allow_pause_recording": odd}}},
		{"voice_intelligence": object{"allow_pause": odd}},
	}[n%13]
}

func bothBranches(strategy string) object {
	return object{"open": branch(strategy), "closed": branch(strategy)}
}

// patchAway changes the lines' settings at a rate until the context ends.
func patchAway(ctx context.Context, s *server, centers []center) *count {
	c := &count{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for client := range liveClients {
		wg.Go(func() {
			for n := client; ; n += liveClients {
				sleep(ctx, time.Until(began.Add(time.Duration(n)*time.Second/liveRate)))
				if ctx.Err() != nil {
					return
				}
				sent := time.Now()
				_, err := s.api("PATCH", "/api/v2/callcenters/"+centers[n%len(centers)].id, change(n))
				mu.Lock()
				c.took = append(c.took, time.Since(sent))
				if err != nil {
					c.wrong = append(c.wrong, err.Error())
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return c
}

// measureLive keeps 200 callers waiting while the settings of their line change 100 times a second, and is not changed
// before that for comparison.
func measureLive(ctx context.Context, r *report) error {
	calm := shift{lines: 1, waiting: liveWaiting, operators: liveStaff, wants: "sendonly"}
	f, err := calm.run(ctx)
	if err != nil {
		return err
	}
	r.addFree(fmt.Sprintf("free to ring, operators: %d, waiting: %d", liveStaff, liveWaiting), "to compare with", f)
	calm.lasts, calm.meanwhile = liveTime, patchAway
	if f, err = calm.run(ctx); err != nil {
		return err
	}
	n := f.meanwhile
	for _, wrong := range n.wrong[:min(3, len(n.wrong))] {
		r.say("  %s", wrong)
	}
	r.add(fmt.Sprintf("PATCHes on a line of %d, %d/s for %s", liveWaiting, liveRate, liveTime), "no peer has them",
		"%.0f/s, %d failed, %s", float64(len(n.took))/liveTime.Seconds(), len(n.wrong), n.took.spread())
	r.addFree("  free to ring meanwhile", "p99 <= 20 ms", f)
	r.add("  callers meanwhile", "0 dropped, 0 stranded, 0 reordered", "%d rang, %d not in their turn, %d wait",
		len(f.order), overtakes(f.order), f.held)
	return nil
}

// together is how near two callers may have dialled, or rung, for their order to be no order: several operators turn
// free in one moment, and as many callers take the place of those who left.
const together = 20 * time.Millisecond

// ring is the moment at which a caller rang.
type ring struct {
	caller      int // the how manyth who dialled
	dialled, at time.Time
}

// overtakes counts callers who rang after one who had dialled later, and those before the last who never rang.
func overtakes(rings []ring) (n int) {
	rang, last := map[int]bool{}, 0
	for i, one := range rings {
		if rang[one.caller] {
			continue
		}
		rang[one.caller] = true
		last = max(last, one.caller)
		if slices.ContainsFunc(rings[:i], func(before ring) bool {
			return before.dialled.Sub(one.dialled) > together && one.at.Sub(before.at) > together
		}) {
			n++
		}
	}
	return n + last - len(rang)
}

// measureRingAll runs the test of the same name for longer than it does alone: a phone that waits for 49 others before
// it answers is more than the phones here are.
func measureRingAll(ctx context.Context, r *report) error {
	began := time.Now()
	test := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run",
		"^TestOneOfFiftyWhoAnswerAtOnceGetsTheCaller$", "./test/interop")
	test.Env = append(os.Environ(), fmt.Sprintf("SWITCHBOARD_ROUNDS=%d", ringRounds))
	out, err := test.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	note := ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if _, text, ok := strings.Cut(lines.Text(), "ringall_test.go:"); ok {
			_, note, _ = strings.Cut(text, ": ")
		}
	}
	r.add(fmt.Sprintf("calls that 50 operators answer at once: %d", ringRounds), "one bridge each, the others told",
		"as it should be, in %.0f s; %s", time.Since(began).Seconds(), note)
	return nil
}
