package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"switchboard/internal/sim"
)

type simulateCommand struct {
	Seed      uint64        `default:"1" help:"The first world. The same seed is the same run, call for call."`
	Worlds    int           `default:"1" help:"How many worlds to run; each has the seed after the one before."`
	Length    time.Duration `default:"10h" help:"How long calls arrive, in simulated time."`
	Centers   int           `default:"2" help:"Call centers; 0: each world chooses."`
	Operators int           `default:"8" help:"Operators; 0: each world chooses."`
	PerHour   float64       `default:"100" help:"Calls an hour over all centers; 0: each world chooses."`
	Talk      time.Duration `default:"3m" help:"Mean talk time; 0: each world chooses."`
	Patience  time.Duration `default:"2m" help:"Mean patience of a caller; 0: each world chooses."`
	Rough     bool          `help:"Change settings, people and phones at random while calls run, as the tests do."`
}

// Run routes the calls of each world with the code that routes real ones, holding every step to the core's invariants
// and every offer to a slow and obvious oracle, and prints what became of the calls.
func (c *simulateCommand) Run(ctx context.Context) error {
	if c.Worlds < 1 || c.Centers < 0 || c.Operators < 0 || c.PerHour < 0 || c.Length <= 0 || c.Talk < 0 || c.Patience < 0 {
		return fmt.Errorf("simulate: worlds and length must be positive, the rest not negative")
	}
	options := sim.Options{
		Length: c.Length, Centers: c.Centers, Operators: c.Operators, PerHour: c.PerHour, Talk: c.Talk,
		Patience: c.Patience, Steady: !c.Rough,
	}
	started, calls := time.Now(), 0
	bar := progress{out: os.Stderr, moving: stderrIsTerminal(), total: c.Worlds, what: "worlds"}
	for i := range c.Worlds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		report, err := sim.Run(c.Seed+uint64(i), options)
		if err != nil {
			return fmt.Errorf("a rule was broken: %w", err)
		}
		calls += report.Calls
		bar.at(i + 1)
		if c.Worlds == 1 {
			fmt.Print(report)
		}
	}
	took := time.Since(started)
	fmt.Printf("\n%d calls routed in %s (%.0f a second), every step checked: no rule broken\n",
		calls, took.Round(time.Millisecond), float64(calls)/took.Seconds())
	return nil
}

// progress shows how far a long work is: a bar that moves on a terminal, a line at each tenth elsewhere.
type progress struct {
	out    io.Writer
	moving bool
	total  int
	what   string
	said   int // tenths
}

const barWidth = 40

func (p *progress) at(done int) {
	if p.total < 2 {
		return
	}
	tenths := done * 10 / p.total
	switch {
	case p.moving:
		full := done * barWidth / p.total
		fmt.Fprintf(p.out, "\r[%s%s] %d of %d %s",
			strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done, p.total, p.what)
		if done == p.total {
			fmt.Fprintln(p.out)
		}
	case tenths > p.said:
		p.said = tenths
		fmt.Fprintf(p.out, "%d of %d %s\n", done, p.total, p.what)
	}
}
