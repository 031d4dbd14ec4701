package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	overloadTime  = 10 * time.Second
	recoveryTime  = 5 * time.Second
	settleTime    = 60 * time.Second
	toldRate      = 500 // calls a second, within what any machine of today serves
	overloadStaff = 200
)

// tally is what became of offered calls.
type tally struct {
	good, shed, shedHow, other int
	resent                     int    // messages sent again for want of an answer in time
	note                       string // how the load itself went
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

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
	began, cpu := s.usage(), ownCPU()
	dialAtRate(ctx, callers, number, n, rate)
	ended := s.usage()
	_, percent := ended.since(began)
	took := ended.at.Sub(began.at)
	t.note = fmt.Sprintf("dialled in %.1f s, server CPU %.0f%%, load's own CPU %.0f%%", took.Seconds(), percent,
		100*float64(ownCPU()-cpu)/float64(took))
	sleep(ctx, 2*time.Second)
	callers.mu.Lock()
	defer callers.mu.Unlock()
	t.resent = callers.resent
	t.note += fmt.Sprintf(", %d resent, %d live", callers.resent, len(callers.dialogs))
	t.other = n - t.good - t.shed
	return t, nil
}

// startOverload is a server with a center and operators who answer at once.
func startOverload(ctx context.Context, extra ...string) (*server, center, *phones, error) {
	s, err := startServer(ctx, extra...)
	if err != nil {
		return nil, center{}, nil, err
	}
	c, err := s.openCenter("Overload", nil)
	if err != nil {
		return nil, center{}, nil, err
	}
	desk, err := openPhones(s.sip)
	if err != nil {
		return nil, center{}, nil, err
	}
	return s, c, desk, s.hire(c, overloadStaff, "op", desk.addr())
}

const overloadAim = ">= 90% of the highest rate served, the rest 503 with Retry-After; peer 62 of 600/s"

func (r *report) addOverload(name string, offered int, t tally, peak usage) {
	r.say("  %s", t.note)
	r.add(name, overloadAim, "%d/s offered: %.0f/s served, %.0f%% 503 (%d of %d with Retry-After), %d neither, RSS %s",
		offered, float64(t.good)/overloadTime.Seconds(), 100*float64(t.shed)/float64(t.good+t.shed+t.other),
		t.shedHow, t.shed, t.other, megabytes(peak.rss))
}

// recovered offers half the rate 5 s after the load ended.
func recovered(ctx context.Context, r *report, s *server, number string, rate int) error {
	sleep(ctx, recoveryTime-2*time.Second) // offer has waited for 2 s already
	t, err := offer(ctx, s, number, rate/2, recoveryTime)
	if err == nil {
		r.add("  5 s later, half the rate", "0 failed", "%d/s offered: %d failed", rate/2, t.shed+t.other)
	}
	return err
}

// measureTold offers twice what the server was told to take.
func measureTold(ctx context.Context, r *report) error {
	s, c, desk, err := startOverload(ctx, "--new-calls-per-second", strconv.Itoa(toldRate))
	if err != nil {
		return err
	}
	defer desk.close()
	idle := s.usage()
	t, err := offer(ctx, s, c.number, 2*toldRate, overloadTime)
	if err != nil {
		return err
	}
	r.addOverload(fmt.Sprintf("overload, the server told to take %d/s", toldRate), 2*toldRate, t, s.usage())
	if err := recovered(ctx, r, s, c.number, toldRate); err != nil {
		return err
	}
	sleep(ctx, settleTime)
	r.add("  60 s later", "RSS <= 2 x idle", "RSS %s (%s when idle)", megabytes(s.usage().rss), megabytes(idle.rss))
	return s.stop()
}

// measureStarved lets a neighbour take half of the server's processor, looks for the highest rate without a failure and
// with at most one message in a hundred late enough to be sent again, and offers twice that: the server must notice it
// by itself.
func measureStarved(ctx context.Context, r *report) error {
	s, c, desk, err := startOverload(ctx)
	if err != nil {
		return err
	}
	defer desk.close()
	hog := exec.CommandContext(ctx, "taskset", "-c", ownCore, "sh", "-c", "while :; do :; done")
	hog.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := hog.Start(); err != nil {
		return err
	}
	defer func() { _ = hog.Process.Kill(); _ = hog.Wait() }()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, hog.Process.Pid, serverNice)
	best := 0
	for _, rate := range []int{400, 800, 1000, 1200, 1400, 1600, 1800} {
		t, err := offer(ctx, s, c.number, rate, overloadTime)
		if err != nil {
			return err
		}
		r.say("  half a processor, %d/s: %d failed; %s", rate, t.shed+t.other, t.note)
		if t.shed+t.other > 0 || t.resent > rate*int(overloadTime/time.Second)/100 {
			break
		}
		best = rate
	}
	sleep(ctx, recoveryTime)
	t, err := offer(ctx, s, c.number, 2*best, overloadTime)
	if err != nil {
		return err
	}
	r.addOverload(fmt.Sprintf("overload, half a processor (best %d/s)", best), 2*best, t, s.usage())
	if err := recovered(ctx, r, s, c.number, best); err != nil {
		return err
	}
	return s.stop()
}

// restRate and restTime are the rush before measureRest looks at the memory.
const (
	restRate = 1000 // calls a second
	restTime = 10 * time.Second
)

// measureRest lets a rush of calls pass and looks at the memory when it is over, and when a minute has passed.
func measureRest(ctx context.Context, r *report) error {
	s, c, desk, err := startOverload(ctx)
	if err != nil {
		return err
	}
	defer desk.close()
	idle := s.usage()
	t, err := offer(ctx, s, c.number, restRate, restTime)
	if err != nil {
		return err
	}
	rush := s.usage()
	sleep(ctx, settleTime-2*time.Second) // offer has waited for 2 s already
	rest := s.usage()
	r.add(fmt.Sprintf("memory 60 s after %d calls at %d/s", t.good, restRate), "RSS <= 2 x idle",
		"%s, %.1f x (%s when idle, %s after the rush)", megabytes(rest.rss), float64(rest.rss)/float64(idle.rss),
		megabytes(idle.rss), megabytes(rush.rss))
	return s.stop()
}
