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
		f, err := shift{lines: 1, waiting: line, operators: c.operators, wants: "sendonly"}.run(ctx)
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
	f, err := shift{lines: 1, waiting: line, operators: operators, wants: "sendrecv"}.run(ctx)
	if err != nil {
		return err
	}
	r.addFree(fmt.Sprintf("free to ring, operators: %d, waiting: %d, all hearing music", operators, line),
		"p99 <= 20 ms; the peer loses 1,000 music listeners on one core", f)
	return nil
}

// Lines of the crowd, each as long as one may be, and the operators of each.
const (
	crowdLines = 10
	crowdStaff = 10
)

// measureCrowd is the same with 10,000 callers in the lines of one company.
func measureCrowd(ctx context.Context, r *report) error {
	f, err := shift{lines: crowdLines, waiting: line, operators: crowdStaff, wants: "sendonly"}.run(ctx)
	if err != nil {
		return err
	}
	r.addFree(fmt.Sprintf("free to ring, lines: %d, waiting in each: %d, operators of each: %d", crowdLines, line,
		crowdStaff), "p99 <= 20 ms", f)
	r.add(fmt.Sprintf("  callers held: %d", f.held), "10,000, <= 40 kB each; peer 153 kB",
		"%.1f kB each (RSS %s), %d threads, %.2f files each", float64(f.full.rss-f.empty.rss)/1000/float64(max(1, f.held)),
		megabytes(f.full.rss), f.full.threads, float64(f.full.files-f.empty.files)/float64(max(1, f.held)))
	return nil
}

func (r *report) addFree(figure, aim string, f freed) {
	r.add(figure, aim, "%s; %.1f calls/s served, %d failed, CPU %.0f%%", f.gaps.spread(), f.served, f.failed, f.percent)
}

// shift is operators who talk for a second, hang up and are rung again, while their lines stay as long as they are.
type shift struct {
	lines, waiting, operators int // waiting and operators in each line
	wants                     string
	lasts                     time.Duration                                       // 0: freeTime
	meanwhile                 func(context.Context, *server, []center) (n *count) // nil: nothing else happens
}

// freed is what a shift found.
type freed struct {
	gaps        times
	served      float64 // calls a second
	failed      int
	percent     float64 // of a processor
	held        int     // callers when the lines were full
	empty, full usage
	order       []ring
	meanwhile   *count
}

func (p shift) run(ctx context.Context) (freed, error) {
	s, err := startServer(ctx)
	if err != nil {
		return freed{}, err
	}
	desk, callers, sink, err := p.open(s)
	if err != nil {
		return freed{}, err
	}
	defer desk.close()
	defer callers.close()
	defer sink.close()
	w := &watch{desk: desk, left: map[string]time.Time{}}
	desk.rang, desk.up, desk.over = w.rang, w.up, w.over
	refused, stopping := 0, false
	// Whoever leaves is replaced at once, so that the line stays as long as it is.
	callers.over = func(d *dialog, _ time.Time) {
		if d.status != 0 {
			refused++
		}
		if !stopping {
			callers.call(d.user, 0)
		}
	}
	empty := s.usage()
	var centers []center
	for i := range p.lines {
		c, err := s.openCenter(fmt.Sprintf("Line %d", i), nil)
		if err != nil {
			return freed{}, err
		}
		if err := s.hire(c, p.operators, fmt.Sprintf("op%d-", i), desk.addr()); err != nil {
			return freed{}, err
		}
		centers = append(centers, c)
		dialAtRate(ctx, callers, c.number, p.waiting+p.operators, rampRate)
	}
	sleep(ctx, 2*talk)
	f := p.measure(ctx, s, w, centers)
	f.held, f.empty = callers.Live(), empty
	callers.mu.Lock()
	stopping = true
	f.failed += refused + callers.lost
	for i, one := range f.order {
		f.order[i].dialled = callers.dialled[one.caller]
	}
	callers.mu.Unlock()
	desk.mu.Lock()
	f.failed += desk.lost
	desk.mu.Unlock()
	return f, s.stop()
}

func (p shift) open(s *server) (desk, callers *phones, ear *sink, err error) {
	if desk, err = openPhones(s.sip); err != nil {
		return nil, nil, nil, err
	}
	if callers, err = openPhones(s.sip); err != nil {
		return nil, nil, nil, err
	}
	callers.wants = p.wants
	if ear, err = openSink(); err != nil {
		return nil, nil, nil, err
	}
	callers.audio, desk.audio = ear.port(), ear.port()
	return desk, callers, ear, nil
}

// measure looks on for a while.
func (p shift) measure(ctx context.Context, s *server, w *watch, centers []center) freed {
	lasts := p.lasts
	if lasts == 0 {
		lasts = freeTime
	}
	var n *count
	before := s.usage()
	w.begin()
	if p.meanwhile != nil {
		working, stop := context.WithTimeout(ctx, lasts)
		defer stop()
		n = p.meanwhile(working, s, centers)
	} else {
		sleep(ctx, lasts)
	}
	f := w.result()
	f.full, f.meanwhile = s.usage(), n
	_, f.percent = f.full.since(before)
	return f
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
	order    []ring
}

func (w *watch) rang(d *dialog, at time.Time) {
	if left, ok := w.left[d.user]; ok && w.counting {
		w.gaps = append(w.gaps, at.Sub(left))
	}
	delete(w.left, d.user)
	w.order = append(w.order, ring{caller: d.caller(), at: at})
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
	return freed{gaps: w.gaps, served: float64(w.served) / time.Since(w.began).Seconds(), order: w.order}
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
	for _, n := range []int{1000, 10_000} {
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
