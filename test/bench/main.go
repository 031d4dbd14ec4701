// Command bench measures a real switchboard process and prints what issue and peers ask for as one table. The server
// has one processor to itself and is given real HTTP, SIP and RTP; the load comes from this program and from sipp, on
// another processor. make bench runs it; docs/internals/benchmarks.md says how each figure is taken.
//
// It refuses to judge: a figure that misses its aim is printed as it is, and only a measurement that could not be taken
// is an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// program is the program measured.
var program = "bin/switchboard"

// The server's priority is raised where we may, so that its own speed is measured and not the neighbours'.
const serverNice = -10

// section is a part of the measurements that stands alone.
type section struct {
	name    string
	says    string
	measure func(context.Context, *report) error
}

func sections() []section {
	return []section{
		{"start", "start to ready, size of the binary", measureStart},
		{"http", "durable PATCHes and GETs", measureHTTP},
		{"core", "one step of the core, simulated calls, the voice analysis by itself", measureCore},
		{"bridge", "calls answered by operators and bridged (sipp)", measureBridged},
		{"answer", "calls answered by the server itself (sipp)", measureAnswered},
		{"relay", "audio of bridged calls", measureRelay},
		{"recorded", "audio of bridged calls that are recorded, and of calls that are not", measureRecorded},
		{"voice", "audio of bridged calls whose conversations are measured, and of calls that are not", measureVoice},
		{"ringall", "fifty operators who answer one caller at once, 1,000 times", measureRingAll},
		{"free", "an operator's BYE to the next INVITE to that operator", measureFree},
		{"freemusic", "the same while all who wait hear music", measureFreeMusic},
		{"crowd", "10,000 callers in the lines of one company", measureCrowd},
		{"wait", "callers who wait in silence", measureWaiting},
		{"music", "callers who hear music", measureMusic},
		{"patch", "a PATCH's 200 to the next routing decision", measurePatch},
		{"live", "100 PATCHes a second on a line of 200", measureLive},
		{"starved", "twice the highest good rate of half a processor", measureStarved},
		{"workflows", "workflows: durable runs, HTTP tasks, 100,000 that wait", measureWorkflows},
		{"told", "twice the rate that the server was told to take", measureTold},
		{"directory", "searches of the API directory, generated bodies", measureDirectory},
		{"rest", "memory a minute after a rush", measureRest},
	}
}

func main() {
	only := flag.String("only", "", "sections to run, by comma (default: all)")
	flag.StringVar(&program, "binary", program, "the program to measure")
	kind := flag.String("workflows", "", "be the server of the workflow figures (used by this program itself)")
	data := flag.String("data", "", "its data directory")
	flag.Parse()
	if *kind != "" {
		if err := beChild(*kind, *data); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only []string) error {
	all := sections()
	for _, name := range only {
		if !slices.ContainsFunc(all, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no section %q", name)
		}
	}
	r := &report{began: time.Now()}
	var errs []error
	for _, s := range all {
		if ctx.Err() != nil || len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		r.say("%s: %s", s.name, s.says)
		if err := s.measure(ctx, r); err != nil {
			r.say("  not measured: %v", err)
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	r.print()
	return errors.Join(append(errs, ctx.Err())...)
}
