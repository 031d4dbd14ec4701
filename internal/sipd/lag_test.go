package sipd

import (
	"testing"
	"time"
)

// offered lets one INVITE arrive a millisecond for a while, each of which waits for d when it is let in.
func offered(g *lag, from time.Time, length, d time.Duration) (now time.Time, in int) {
	for now = from; now.Before(from.Add(length)); now = now.Add(time.Millisecond) {
		if g.admits(now) {
			in++
			g.waited(d, now)
		}
	}
	return now, in
}

func TestLateServerShedsNewCalls(t *testing.T) {
	var g lag
	now, in := offered(&g, time.Unix(1, 0), time.Second, maxLag)
	if in != 1000 {
		t.Errorf("%d of 1000 calls let in by a server that is just in time", in)
	}
	now, _ = offered(&g, now, 3*time.Second, maxLag+1)
	now, in = offered(&g, now, time.Second, maxLag+1)
	if least, most := int(shareLeast*1000)-1, int(shareLeast*1000)+1; in < least || in > most {
		t.Errorf("%d of 1000 calls let in by a server that stays late, want %v of them", in, shareLeast)
	}
	if _, in = offered(&g, now.Add(time.Minute), time.Second, 0); in < 990 {
		t.Errorf("%d of 1000 calls let in a minute after the last", in)
	}
	now, _ = offered(&g, now.Add(time.Minute+time.Second), 3*time.Second, maxLag+1)
	now, _ = offered(&g, now, 2*time.Second+lagWindow, 0)
	if _, in = offered(&g, now, time.Second, 0); in != 1000 {
		t.Errorf("%d of 1000 calls let in 2 s after the lag was gone", in)
	}
}

func TestShortStallShedsNothing(t *testing.T) {
	for windows, want := range map[int]int{lateFirst - 1: 1000, lateFirst: 999} {
		var g lag
		now := time.Unix(1, 0)
		for range windows {
			now, _ = offered(&g, now, lagWindow, 2*maxLag)
		}
		if _, in := offered(&g, now, time.Second, 0); in < want-300 || in == 1000 != (want == 1000) {
			t.Errorf("%d of 1000 calls let in after %d late windows", in, windows)
		}
	}
}

func TestOneLateCallShedsNothing(t *testing.T) {
	var g lag
	now := time.Unix(1, 0)
	for range 10 {
		g.waited(time.Second, now)
		g.waited(time.Millisecond, now)
		var in int
		if now, in = offered(&g, now, lagWindow, 0); in != 100 {
			t.Fatalf("%d of 100 calls let in", in)
		}
	}
}
