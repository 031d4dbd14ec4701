// Package sim is a seeded world around the routing core: callers with patience, operators who answer, miss and decline,
// administrators who change settings, all in simulated time. Every step is held to the core's invariants, to the rules
// of a host, and every offer to a slow and obvious oracle of its strategy.
//
// It refuses to know the time of day, the network and the disk: one seed and the same Options are the same run.
package sim

import (
	"fmt"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// Options say what world is run. The zero Options are a small, rough world whose limits the seed chooses.
type Options struct {
	Length    time.Duration // of arrivals; 0: two hours
	Centers   int           // 0: the seed chooses 1 to 3
	Operators int           // 0: the seed chooses 1 to 8
	PerHour   float64       // calls, over all centers; 0: the seed chooses
	Talk      time.Duration // mean of the exponential talk time; 0: the seed chooses
	Patience  time.Duration // mean of the exponential patience; 0: the seed chooses; Endless: nobody hangs up
	Steady    bool          // people are people, but nothing changes: no PATCH, no phone that drops out, own settings
	Calm      bool          // operators answer at once, nothing changes, every limit is as wide as it goes
	Unchecked bool          // without invariants and oracle: for speed
	Visits    bool          // callers go through more than the line; without the oracle, which knows the line only
	Warmup    time.Duration // calls that arrive before it are not counted in the figures
	Settings  func(*callcenter.Settings)
}

// Endless is the patience of callers who never hang up.
const Endless = time.Duration(1<<63 - 1)

const (
	defaultLength = 2 * time.Hour
	drainLimit    = 24 * time.Hour // simulated, after the last arrival: every call must be over by then,
	longTalk      = 50             // and by so many mean talks
	longest       = 1e6 * float64(time.Hour)
	mostPerHour   = 10_000.0 // that a seed chooses
)

// start is a Monday morning, a little before the centers with hours open.
var start = time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC)

// Run plays one seed. An error names the broken rule, the simulated time and the command that plays it again; the
// Report is then of the part before.
func Run(seed uint64, o Options) (Report, error) {
	w := newWorld(seed, o)
	err := w.run()
	r := w.report()
	if err != nil {
		return r, fmt.Errorf("%w\nseed %d, after %s; again: %s", err, seed, w.now.Sub(start), o.command(seed))
	}
	return r, nil
}

// command plays a seed again.
func (o Options) command(seed uint64) string {
	if o.Length == 0 && o.Centers == 0 && o.Operators == 0 && o.PerHour == 0 && o.Talk == 0 && o.Patience == 0 {
		test := "TestSeeds"
		if o.Visits {
			test = "TestVisits"
		}
		return fmt.Sprintf("SWITCHBOARD_SEED=%d go test ./internal/sim -run %s", seed, test)
	}
	return fmt.Sprintf(
		"switchboard simulate --seed=%d --length=%s --centers=%d --operators=%d --per-hour=%v --talk=%s --patience=%s",
		seed, o.Length, o.Centers, o.Operators, o.PerHour, o.Talk, o.Patience)
}

// run plays to the end of the arrivals and until the last call is over.
func (w *world) run() error {
	for {
		at, do := w.nextAction()
		if due := w.m.Next(); !due.IsZero() && (at.IsZero() || !due.After(at)) {
			at, do = due, nil
		}
		if at.IsZero() || w.over && len(w.calls) == 0 {
			break
		}
		if at.After(w.end.Add(drainLimit + longTalk*w.talk)) {
			return fmt.Errorf("%d calls are not over", len(w.calls))
		}
		w.now = at
		if do == nil {
			w.step(route.Tick{})
		} else {
			w.pop()
			do()
		}
		if w.err != nil {
			return w.err
		}
	}
	return w.mon.finish(w)
}

// step tells the machine one fact, checks what it orders and carries it out.
func (w *world) step(e route.Event) {
	if w.err != nil {
		return
	}
	w.steps++
	effects := w.m.Step(w.now, e)
	if !w.o.Unchecked && !w.o.Visits {
		w.fail(w.oracle.before(w.now, e))
		for _, f := range effects {
			w.fail(w.oracle.effect(f))
		}
		w.fail(w.oracle.after())
	}
	if !w.o.Unchecked {
		w.fail(w.m.Check())
	}
	w.mon.event(e)
	for _, f := range effects {
		w.fail(w.mon.effect(f))
	}
	if w.err != nil {
		w.err = fmt.Errorf("%T%+v: %w", e, e, w.err)
		return
	}
	for _, f := range effects {
		w.perform(f.Order)
	}
}

func (w *world) fail(err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
}
