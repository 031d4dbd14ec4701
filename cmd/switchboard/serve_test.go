package main

import "testing"

// On one processor calls must not wait for the disk; what was asked for is left alone.
func TestAtLeastTwoProcessors(t *testing.T) {
	for _, c := range []struct {
		have  int
		asked string
		want  int
	}{{1, "", 2}, {1, "1", 0}, {2, "", 0}, {16, "", 0}} {
		if got := processors(c.have, c.asked); got != c.want {
			t.Errorf("%d processors, GOMAXPROCS=%q: %d, want %d", c.have, c.asked, got, c.want)
		}
	}
}
