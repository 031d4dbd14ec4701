package sipd

import (
	"sync"
	"time"
)

// Shedding of new calls by a server that cannot keep up, whatever rate it was allowed. Without it every call would be
// late, callers would send again, and the repetitions would take the time of the calls that could be served.
const (
	maxLag     = 100 * time.Millisecond // an INVITE may wait so long; its sender repeats it after 500 ms
	lagWindow  = 100 * time.Millisecond // the share let in is looked at so often
	lateFirst  = 3                      // windows in a row in which every INVITE waited too long, before any is refused
	shareDown  = 0.8                    // times the share, after such a window
	shareUp    = 0.05                   // more, after any other: back at all calls within 2 s
	shareLeast = 0.02                   // always let in, so that the lag goes on being measured
)

// lag decides which share of new calls is let in, by how long those before had to wait for their turn.
type lag struct {
	mu    sync.Mutex
	until time.Time     // end of the window
	least time.Duration // waited in it
	some  bool          // INVITEs had their turn in it
	late  int           // windows in a row that were late
	share float64       // refused, not let in: the zero value lets all in
	sum   float64       // of the shares refused; a call goes whenever it reaches 1
}

// waited tells how long an INVITE that begins a call waited between its arrival and its turn.
func (g *lag) waited(d time.Duration, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.roll(now)
	if !g.some || d < g.least {
		g.some, g.least = true, d
	}
}

// admits says whether a new call is let in.
func (g *lag) admits(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.roll(now)
	if g.sum += g.share; g.sum < 1 {
		return true
	}
	g.sum--
	return false
}

func (g *lag) roll(now time.Time) {
	if now.Before(g.until) {
		return
	}
	in := 1 - g.share
	switch {
	case !g.some || g.least <= maxLag:
		g.late, in = 0, in+shareUp
	case g.share > 0 || g.late+1 >= lateFirst: // once it sheds, it goes on at the first sign
		in = max(in*shareDown, shareLeast)
	default:
		g.late++
	}
	if quiet := now.Sub(g.until) / lagWindow; quiet > 0 { // windows without any INVITE
		g.late, in = 0, in+shareUp*float64(quiet)
	}
	g.share, g.until, g.some = 1-min(in, 1), now.Add(lagWindow), false
}
