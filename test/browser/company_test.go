package browser

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/route"
)

// company is a made-up company that tells its readers what changes, as the engine does.
type company struct {
	mu        sync.Mutex
	seq       uint64
	kept      []engine.Update // every update since the beginning: tests are short
	more      chan struct{}   // closed when there is one more
	centers   map[callcenter.ID]route.CenterView
	operators map[callcenter.OperatorID]route.OperatorView
	calls     map[route.CallID]route.CallView
	notices   []engine.Notice
}

// tell makes the changes of an update known to all readers.
func (c *company) tell(u engine.Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	u.Seq, u.At = c.seq, time.Now()
	for _, v := range u.Centers {
		c.centers[v.ID] = v
	}
	for _, v := range u.Operators {
		c.operators[v.ID] = v
	}
	for _, v := range u.Calls {
		c.calls[v.ID] = v
	}
	for _, r := range u.Ended {
		delete(c.calls, r.Call)
	}
	c.notices = append(c.notices, u.Notices...)
	c.kept = append(c.kept, u)
	close(c.more)
	c.more = make(chan struct{})
}

func (c *company) center(id callcenter.ID) route.CenterView {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.centers[id]
}

func (c *company) feed(after uint64) engine.Reader {
	return &reader{company: c, after: after, reset: after == 0}
}

type reader struct {
	*company
	after uint64
	reset bool
}

func (r *reader) Next(ctx context.Context) (engine.Update, bool) {
	for {
		r.mu.Lock()
		if r.reset || r.after > r.seq {
			defer r.mu.Unlock()
			r.reset, r.after = false, r.seq
			return r.everything(), true
		}
		if r.after < r.seq {
			defer r.mu.Unlock()
			r.after++
			return r.kept[r.after-1], true
		}
		more := r.more
		r.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return engine.Update{}, false
		}
	}
}

func (c *company) everything() engine.Update {
	return engine.Update{
		Seq: c.seq, At: time.Now(), Reset: true, Notices: c.notices,
		Centers:   sorted(c.centers, func(v route.CenterView) callcenter.ID { return v.ID }),
		Operators: sorted(c.operators, func(v route.OperatorView) callcenter.OperatorID { return v.ID }),
		Calls:     sorted(c.calls, func(v route.CallView) route.CallID { return v.ID }),
	}
}

func sorted[K cmp.Ordered, V any](m map[K]V, key func(V) K) []V {
	return slices.SortedFunc(maps.Values(m), func(a, b V) int { return cmp.Compare(key(a), key(b)) })
}

// The call centers of the made-up company.
const (
	support callcenter.ID = 101 + iota
	sales
	night
)

func newCompany() *company {
	c := &company{
		more:    make(chan struct{}),
		centers: map[callcenter.ID]route.CenterView{}, operators: map[callcenter.OperatorID]route.OperatorView{},
		calls: map[route.CallID]route.CallView{},
	}
	now := time.Now()
	c.tell(engine.Update{Centers: someCenters(now), Operators: someOperators(now), Calls: someCalls(now)})
	return c
}

func someCenters(now time.Time) []route.CenterView {
	return []route.CenterView{{
		ID: support, Name: "Support", Availability: callcenter.Availability{Status: callcenter.Open},
		Strategy: callcenter.LongestIdle, Waiting: 4, Callbacks: 1, OnDuty: 6, Capacity: 1,
		OldestEntry: now.Add(-102 * time.Second),
		Goal:        callcenter.Alerts{ServiceLevelPercent: 80, ServiceLevelSeconds: 20}, ServiceLevel: 71.4,
		LongestWait: 4 * time.Minute, AnsweredInTarget: 30, MaxHoldCount: 50,
		Outcomes: map[route.Outcome]int{
			route.Answered: 42, route.Abandoned: 4, route.ShortAbandoned: 1, route.Voicemail: 3, route.Message: 1,
		},
	}, {
		ID: sales, Name: "Sales", Availability: callcenter.Availability{Status: callcenter.Open},
		Strategy: callcenter.RoundRobin, Waiting: 1, OldestEntry: now.Add(-7 * time.Second), OnDuty: 4, Capacity: 2,
		Goal: callcenter.Alerts{ServiceLevelPercent: 80, ServiceLevelSeconds: 20}, ServiceLevel: 93, MaxHoldCount: 10,
		LongestWait: 40 * time.Second, AnsweredInTarget: 17,
		Outcomes: map[route.Outcome]int{route.Answered: 18, route.Voicemail: 1},
	}, {
		ID: night, Name: "Night desk", Strategy: callcenter.Simultaneous, MaxHoldCount: 5, ServiceLevel: -1,
		Availability: callcenter.Availability{Status: callcenter.HolidayClosed, Holiday: "Labour Day"},
		Goal:         callcenter.Alerts{ServiceLevelPercent: 95, ServiceLevelSeconds: 60},
	}}
}

func someOperators(now time.Time) []route.OperatorView {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	both := []callcenter.ID{support, sales}
	on := callcenter.Duty{On: true}
	return []route.OperatorView{
		{ID: 1, Name: "Ada Lovelace", State: route.OnCall, Since: ago(83 * time.Second), Call: 5004, Centers: both, Duty: on},
		{ID: 2, Name: "Grace Hopper", State: route.Ringing, Since: ago(4 * time.Second), Call: 5001, Centers: both, Duty: on},
		{ID: 3, Name: "Katherine Johnson", State: route.Available, Since: ago(250 * time.Second), Centers: both, Duty: on},
		{
			ID: 4, Name: "Alan Turing", State: route.OnCall, Since: ago(11 * time.Minute), Call: 5005, Centers: both,
			OffAfter: true, Duty: on,
		},
		{
			ID: 5, Name: "Hedy Lamarr", State: route.WrapUp, Since: ago(18 * time.Second), Until: now.Add(42 * time.Second),
			Extend: 30 * time.Second, Centers: []callcenter.ID{support}, Duty: on,
		},
		{ID: 6, Name: "Donald Knuth", State: route.NoDevice, Since: ago(6 * time.Minute), Centers: both, Duty: on},
		{
			ID: 7, Name: "Radia Perlman", State: route.Available, Since: ago(31 * time.Second),
			Centers: []callcenter.ID{sales}, Missed: 1, Duty: on,
		},
		{ID: 8, Name: "Claude Shannon", State: route.DND, Since: ago(time.Hour), Centers: both, Duty: on},
		{
			ID: 9, Name: "Mary Jackson", State: route.OffDuty, Since: ago(35 * time.Minute), Missed: 2, Centers: both,
			Duty: callcenter.Duty{Reason: "Missed call"},
		},
		{
			ID: 10, Name: "Edsger Dijkstra", State: route.OffDuty, Since: ago(3 * time.Hour),
			Centers: []callcenter.ID{night}, Duty: callcenter.Duty{Reason: "Lunch"},
		},
	}
}

func someCalls(now time.Time) []route.CallView {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	step := func(d time.Duration, rule, text string) route.PathStep {
		return route.PathStep{At: ago(d), Rule: rule, Text: text}
	}
	arrived := func(d time.Duration) route.PathStep { return step(d, "open", "Support is open") }
	return []route.CallView{
		{
			ID: 5001, Center: support, From: "+1 555 010 0142", To: "+15550199", State: "offering", Operator: 2, Position: 1,
			Since: ago(4 * time.Second), Arrived: ago(105 * time.Second), Entered: ago(102 * time.Second),
			Path: []route.PathStep{
				arrived(105 * time.Second),
				step(102*time.Second, "hold_queue", "Waits: nobody is free, 2 of 50 places taken"),
				step(31*time.Second, "longestidle", "Rang Mary Jackson: idle longest (12m40s)"),
				step(11*time.Second, "ring_seconds", "Mary Jackson did not answer within 20 s"),
				step(4*time.Second, "longestidle", "Rang Grace Hopper: idle longest (4m10s)"),
			},
		},
		{
			ID: 5002, Center: support, From: "+1 555 010 0177", State: "queued", Position: 3, Since: ago(12 * time.Second),
			Arrived: ago(14 * time.Second), Entered: ago(12 * time.Second),
			Path: []route.PathStep{arrived(14 * time.Second), step(12*time.Second, "hold_queue", "Waits: all are busy")},
		},
		{
			ID: 5003, Center: support, State: "queued", Position: 4, Since: ago(3 * time.Second),
			Arrived: ago(4 * time.Second), Entered: ago(3 * time.Second),
			Path: []route.PathStep{arrived(4 * time.Second), step(3*time.Second, "hold_queue", "Waits: all are busy")},
		},
		{
			ID: 5004, Center: support, From: "+1 555 010 0111", State: "connected", Operator: 1, Since: ago(83 * time.Second),
			Arrived: ago(95 * time.Second), Entered: ago(94 * time.Second), Recording: "paused",
			Path: []route.PathStep{arrived(95 * time.Second), step(83*time.Second, "answered", "Ada Lovelace answered")},
		},
		{
			ID: 5005, Center: sales, From: "+44 20 7946 0958", State: "connected", Operator: 4, Since: ago(11 * time.Minute),
			Arrived: ago(12 * time.Minute), Entered: ago(12 * time.Minute), Recording: "on",
			Path: []route.PathStep{step(11*time.Minute, "answered", "Alan Turing answered after 9 s")},
		},
		{
			ID: 5006, Center: sales, From: "+49 30 901820", State: "queued", Position: 1, Since: ago(7 * time.Second),
			Arrived: ago(8 * time.Second), Entered: ago(7 * time.Second),
			Path: []route.PathStep{step(7*time.Second, "hold_queue", "Waits: its turn comes after Support's callers")},
		},
		{
			ID: 5008, Center: support, From: "+15550199", To: "+1 555 010 0155", State: "callback", Position: 2,
			Since: ago(50 * time.Second), Arrived: ago(50 * time.Second), Entered: ago(60 * time.Second),
			Direction: route.Outbound, Callback: true,
			Path: []route.PathStep{step(50*time.Second, "callback", "Is to be called back on +1 555 010 0155")},
		},
		{
			ID: 5009, Center: sales, From: "+1 555 010 0162", State: "menu", Since: ago(6 * time.Second),
			Arrived: ago(7 * time.Second),
			Path:    []route.PathStep{step(6*time.Second, "menu", "Hears the menu")},
		},
		{
			ID: 5007, Center: night, From: "+1 555 010 0123", State: "voicemail", Since: ago(21 * time.Second),
			Arrived: ago(30 * time.Second),
			Path: []route.PathStep{
				step(29*time.Second, "closed", "Night desk is closed: Labour Day"),
				step(21*time.Second, "voicemail", "Leaves a message (reason closed)"),
			},
		},
	}
}

// crowd is n waiting calls, for the limits of the page.
func crowd(n int) []route.CallView {
	now := time.Now()
	calls := make([]route.CallView, n)
	for i := range calls {
		calls[i] = route.CallView{
			ID: route.CallID(9000 + i), Center: support, From: fmt.Sprintf("+1 555 020 %04d", i), State: "queued",
			Position: i + 1, Since: now, Arrived: now, Entered: now,
			Path: []route.PathStep{{At: now, Rule: "hold_queue", Text: "Waits: all are busy"}},
		}
	}
	return calls
}

// bustle moves the company about for somebody who looks at the page, until the context ends.
func (c *company) bustle(ctx context.Context) {
	tick := time.NewTicker(700 * time.Millisecond)
	defer tick.Stop()
	var next route.CallID = 6000
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		next++
		s := c.center(support)
		s.Waiting = max(0, s.Waiting+rand.IntN(3)-1)
		s.ServiceLevel = min(100, max(40, s.ServiceLevel+rand.Float64()*6-3))
		s.Outcomes = maps.Clone(s.Outcomes)
		s.Outcomes[route.Answered]++
		call := crowd(1)[0]
		call.ID, call.From = next, fmt.Sprintf("+1 555 030 %04d", next)
		u := engine.Update{Centers: []route.CenterView{s}, Calls: []route.CallView{call}}
		if gone := next - 5; gone > 6000 {
			u.Ended = []route.CallRecord{over(gone)}
		}
		if next%20 == 0 {
			u.Notices = []engine.Notice{{
				At: now, Level: "warning",
				Text: "192.0.2.7 is refused for a minute: 10 failed sign-ins of phones",
			}}
		}
		c.tell(u)
	}
}
