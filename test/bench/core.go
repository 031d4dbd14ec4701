package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// measureCore runs the core's own benchmarks, and those of the voice analysis.
func measureCore(ctx context.Context, r *report) error {
	for _, b := range []struct{ pkg, pattern, figure, aim string }{
		{"./internal/route", "^BenchmarkStep(Waiting|Crowd)?$", "one step of the core", "a whole call about 1 us"},
		{"./internal/sim", "^BenchmarkCalls$", "simulated calls", ""},
		{"./internal/voice", "^BenchmarkLeg$", "speech or not, a leg", "<= 0.001 of real time"},
		{"./internal/media", "^BenchmarkListen$", "figures of 400 conversations, without the calls", "<= 5 % of a core"},
	} {
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", b.pattern, "-benchtime", "1s",
			"-benchmem", b.pkg).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) > 3 && strings.HasPrefix(fields[0], "Benchmark") {
				r.add(b.figure+", "+fields[0], b.aim, "%s", strings.Join(fields[2:], " "))
			}
		}
	}
	return nil
}
