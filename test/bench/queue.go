package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

const (
	line     = 1000 // callers waiting while operators turn free
	talk     = time.Second
	freeTime = 10 * time.Second
	rampRate = 250 // calls a second while a line is built up
)

// measureFree keeps 1,000 callers waiting and looks at how soon an operator who hung up is rung again.
func measureFree(ctx context.Context, r *report) error {
	for _, c := range []struct {
		operators int
		aim       string
	}{
		{10, "p50 <= 5, p99 <= 20 ms; peer p50 658, p99 866 ms, 5.8 calls/s"},
		{50, "peer p50 658, p99 691 ms, 30.4 calls/s"},
		{100, ">= 90 calls/s; peer p50 762, p99 958 ms, 57.1 calls/s"},
	} {
		f, err := runFree(ctx, c.operators, "sendonly")
		if err != nil {
			return err
		}
		r.addFree(fmt.Sprintf("free to ring, operators: %d, waiting: %d", c.operators, line), c.aim, f)
	}
	return nil
}

// measureFreeMusic is the same while all who wait hear music.
func measureFreeMusic(ctx context.Context, r *report) error {
	const operators = 100
	f, err := runFree(ctx, operators, "sendrecv")
	if err != nil {
		return err
	}
	r.addFree(fmt.Sprintf("free to ring, operators: %d, waiting: %d, all hearing music", operators, line),
		"p99 <= 20 ms; the peer loses 1,000 music listeners on one core", f)
	return nil
}

func (r *report) addFree(figure, aim string, f freed) {
	r.add(figure, aim, "%s; %.1f calls/s served, %d failed, CPU %.0f%%", f.gaps.spread(), f.served, f.failed, f.percent)
}

// freed is what one such run found.
type freed struct {
	gaps    times
	served  float64
	failed  int
	percent float64
}

func runFree(ctx context.Context, operators int, wants string) (freed, error) {
	s, c, err := startCenter(ctx, "Free", nil)
	if err != nil {
		return freed{}, err
	}
	desk, err := openPhones(s.sip)
	if err != nil {
		return freed{}, err
	}
	defer desk.close()
	callers, err := openPhones(s.sip)
	if err != nil {
		return freed{}, err
	}
	defer callers.close()
	callers.wants = wants
	sink, err := openSink()
	if err != nil {
		return freed{}, err
	}
	defer sink.close()
	callers.audio, desk.audio = sink.port(), sink.port()
	if err := s.hire(c, operators, "op", desk.addr()); err != nil {
		return freed{}, err
	}
	w := &watch{desk: desk, left: map[string]time.Time{}}
	desk.rang, desk.up, desk.over = w.rang, w.up, w.over
	refused := 0
	stopping := false
	// Whoever leaves is replaced at once, so that the line stays as long as it is.
	callers.over = func(d *dialog, _ time.Time) {
		if d.status != 0 {
			refused++
		}
		if !stopping {
			callers.call(c.number, 0)
		}
	}
	dialAtRate(ctx, callers, c.number, line+operators, rampRate)
	sleep(ctx, 2*talk)
	before := s.usage()
	w.begin()
	sleep(ctx, freeTime)
	f := w.result()
	_, f.percent = s.usage().since(before)
	callers.mu.Lock()
	stopping = true
	f.failed += refused + callers.lost
	callers.mu.Unlock()
	desk.mu.Lock()
	f.failed += desk.lost
	desk.mu.Unlock()
	return f, s.stop()
}

// startCenter is a fresh server with one call center.
func startCenter(ctx context.Context, name string, settings object) (*server, center, error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, center{}, err
	}
	c, err := s.openCenter(name, settings)
	return s, c, err
}

// watch measures operators who talk for a while, hang up and are rung again.
type watch struct {
	desk     *phones
	counting bool
	began    time.Time
	served   int
	gaps     times
	left     map[string]time.Time // by operator: when the BYE went out
}

func (w *watch) rang(d *dialog, at time.Time) {
	if left, ok := w.left[d.user]; ok && w.counting {
		w.gaps = append(w.gaps, at.Sub(left))
	}
	delete(w.left, d.user)
}

func (w *watch) up(d *dialog, _ time.Time) {
	time.AfterFunc(talk, func() {
		w.desk.mu.Lock()
		defer w.desk.mu.Unlock()
		if w.desk.dialogs[d.callID] == nil {
			return
		}
		w.left[d.user] = time.Now()
		w.desk.bye(d)
	})
}

func (w *watch) over(*dialog, time.Time) {
	if w.counting {
		w.served++
	}
}

func (w *watch) begin() {
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	w.counting, w.began = true, time.Now()
}

func (w *watch) result() freed {
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	w.counting = false
	return freed{gaps: w.gaps, served: float64(w.served) / time.Since(w.began).Seconds()}
}

// dialAtRate dials n calls, evenly.
func dialAtRate(ctx context.Context, p *phones, number string, n, rate int) {
	began := time.Now()
	for i := range n {
		if ctx.Err() != nil {
			return
		}
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		p.Call(number, i)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// measureWaiting holds callers who are queued: what each costs.
func measureWaiting(ctx context.Context, r *report) error {
	for _, n := range []int{1000, 5000} {
		if err := runSilent(ctx, r, n); err != nil {
			return err
		}
	}
	return nil
}

// waiters opens n waiting callers in as many centers as that takes: a line holds at most 1,000.
func waiters(ctx context.Context, n int, wants string, port uint16) (*server, *phones, usage, error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, nil, usage{}, err
	}
	callers, err := openPhones(s.sip)
	if err != nil {
		return nil, nil, usage{}, err
	}
	callers.wants, callers.audio = wants, port
	before := s.usage()
	for done := 0; done < n; done += line {
		c, err := s.openCenter(fmt.Sprintf("Waiting %d", done), object{"hold_queue": object{
			"max_hold_count": line, "max_hold_seconds": 18000, "announce_position": false, "unattended_queue": true,
		}})
		if err != nil {
			return nil, nil, usage{}, err
		}
		dialAtRate(ctx, callers, c.number, min(line, n-done), rampRate)
	}
	sleep(ctx, 5*time.Second) // introductions end, buffers of the ramp are collected
	return s, callers, before, nil
}

func runSilent(ctx context.Context, r *report, n int) error {
	s, callers, before, err := waiters(ctx, n, "sendonly", 9)
	if err != nil {
		return err
	}
	defer callers.close()
	start := s.usage()
	sleep(ctx, 5*time.Second)
	end := s.usage()
	_, percent := end.since(start)
	held := callers.Live()
	r.add(fmt.Sprintf("silent callers waiting: %d", n), "<= 40 kB each and no thread; peer 153 kB, 1 thread, 4 files",
		"%d held, %.1f kB each (RSS %s), %d threads, %.2f files each, CPU %.1f%%", held,
		float64(end.rss-before.rss)/1000/float64(max(1, held)), megabytes(end.rss), end.threads,
		float64(end.files-before.files)/float64(max(1, held)), percent)
	callers.HangUpAll()
	sleep(ctx, 2*time.Second)
	return s.stop()
}

// musicTime is how long music is listened to.
const musicTime = 8 * time.Second

// measureMusic lets 1,000 hear the hold music: what a packet costs, and how even they come.
func measureMusic(ctx context.Context, r *report) error {
	ear, err := openSink()
	if err != nil {
		return err
	}
	defer ear.close()
	s, callers, _, err := waiters(ctx, line, "sendrecv", ear.port())
	if err != nil {
		return err
	}
	defer callers.close()
	before := s.usage()
	ear.listen(true)
	sleep(ctx, musicTime)
	_, percent := s.usage().since(before)
	gaps, packets := ear.listen(false)
	r.add(fmt.Sprintf("music listeners: %d", line), "<= 50% of a core, gap p99 <= 25 ms; peer about 600 on a core",
		"%d held, CPU %.0f%%, %.2f us a packet, %d packets of %d, gap %s", callers.Live(), percent,
		percent/100*float64(musicTime.Microseconds())/float64(max(1, packets)), packets,
		line*int(musicTime/(20*time.Millisecond)), gaps.spread())
	callers.HangUpAll()
	sleep(ctx, time.Second)
	return s.stop()
}

// aimAt is a static contact's address.
func aimAt(port int) netip.AddrPort { return netip.AddrPortFrom(loopback, uint16(port)) }
