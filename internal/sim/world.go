package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// world is everybody around the machine.
type world struct {
	o      Options
	m      *route.Machine
	rng    *rand.Rand
	now    time.Time
	end    time.Time
	over   bool
	queue  actions
	seq    uint64
	steps  int
	err    error
	mon    *monitor
	oracle *oracle

	centers   []*callcenter.Center
	operators []*person
	calls     map[route.CallID]*caller
	nextCall  route.CallID
	asked     route.CallID
	answered  route.LegID // last
	passed    int         // entry legs that went on in another center
	perHour   float64
	talk      time.Duration
	patience  time.Duration
	figures   figures
}

// person is how an operator behaves.
type person struct {
	op          route.Operator
	delay       time.Duration // mean until they answer
	misses      float64       // probabilities of one ringing
	declines    float64
	unreachable float64
}

// caller is how a caller behaves and what they hear.
type caller struct {
	play   int
	bridge route.LegID
	record bool
	gone   bool

	from string
	at   callcenter.ID
	far  bool // we call it
	dial int  // counts the times
}

type action struct {
	at  time.Time
	seq uint64
	do  func()
}

type actions []action

func (a actions) Len() int { return len(a) }
func (a actions) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].seq < a[j].seq
}
func (a actions) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *actions) Push(x any)   { *a = append(*a, x.(action)) }
func (a *actions) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = action{}
	*a = old[:len(old)-1]
	return last
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.queue, action{w.now.Add(d), w.seq, do})
}

func (w *world) nextAction() (time.Time, func()) {
	if len(w.queue) == 0 {
		return time.Time{}, nil
	}
	return w.queue[0].at, w.queue[0].do
}

func (w *world) pop() { heap.Pop(&w.queue) }

func (w *world) exp(mean time.Duration) time.Duration {
	return time.Duration(min(w.rng.ExpFloat64()*float64(mean), longest))
}

// between draws evenly, to the nanosecond, so that two things of the world never happen at the same instant.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rng.Int64N(int64(high-low)+1))
}

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

func newWorld(seed uint64, o Options) *world {
	w := &world{
		o: o, rng: rand.New(rand.NewPCG(seed, 0x5eed)), now: start,
		calls: make(map[route.CallID]*caller), mon: newMonitor(),
	}
	if w.o.Length == 0 {
		w.o.Length = defaultLength
	}
	w.m = route.New(route.Config{Company: 1, Seed: seed})
	w.end = start.Add(w.o.Length)
	w.oracle = newOracle()
	w.chooseLoad()
	w.people()
	w.openCenters()
	w.after(w.untilNextCall(), w.arrive)
	w.after(w.o.Length, func() { w.over = true })
	if w.rough() {
		w.after(w.between(0, time.Minute), w.disturb)
		w.after(w.between(0, time.Minute), w.ask)
		w.after(w.o.Length+ghostsFor, w.giveUpCallbacks)
	}
	return w
}

// rough says whether things change under the calls.
func (w *world) rough() bool { return !w.o.Calm && !w.o.Steady }

func (w *world) chooseLoad() {
	or := func(v *time.Duration, low, high time.Duration) {
		if *v == 0 {
			*v = w.between(low, high)
		}
	}
	w.talk, w.patience, w.perHour = w.o.Talk, w.o.Patience, w.o.PerHour
	or(&w.talk, 20*time.Second, 5*time.Minute)
	or(&w.patience, 20*time.Second, 10*time.Minute)
	if w.o.Operators == 0 {
		w.o.Operators = 1 + w.rng.IntN(8)
	}
	if w.o.Centers == 0 {
		w.o.Centers = 1 + w.rng.IntN(3)
	}
	if w.perHour == 0 { // from half idle to overrun
		w.perHour = (0.4 + 1.2*w.rng.Float64()) * float64(w.o.Operators) * float64(time.Hour) / float64(w.talk)
		w.perHour = min(w.perHour, mostPerHour)
	}
}

func (w *world) people() {
	for i := range w.o.Operators {
		id := callcenter.OperatorID(i + 1)
		p := &person{op: route.Operator{ID: id, Name: fmt.Sprintf("Operator %d", id), Active: true}}
		p.op.FirstName, p.op.LastName, p.op.Extension = "Operator", fmt.Sprint(id), fmt.Sprint(id)
		p.op.Duty = callcenter.Duty{On: true, Since: start, OnSince: start}
		devices := 1
		if !w.o.Calm {
			devices = 1 + w.rng.IntN(2)
			p.delay = w.between(time.Second, 15*time.Second)
			p.misses, p.declines, p.unreachable = 0.2*w.rng.Float64(), 0.1*w.rng.Float64(), 0.05*w.rng.Float64()
			p.op.Duty.On = w.o.Steady || w.chance(0.8)
		}
		for d := range devices {
			id := callcenter.DeviceID(i*10 + d + 1)
			p.op.Devices = append(p.op.Devices, route.Device{ID: id, Static: w.o.Calm || w.chance(0.5)})
		}
		w.operators = append(w.operators, p)
		w.step(route.OperatorChanged{Operator: p.op})
		for _, d := range p.op.Devices {
			if !d.Static {
				w.step(route.DeviceReachable{Operator: id, Device: d.ID, Reachable: true})
			}
		}
	}
}

var strategies = []callcenter.Strategy{
	callcenter.FixedOrder, callcenter.LongestIdle, callcenter.MostSkilled,
	callcenter.Random, callcenter.RoundRobin, callcenter.Simultaneous,
}

func (w *world) openCenters() {
	for i := range w.o.Centers {
		c := &callcenter.Center{ID: callcenter.ID(i + 1), State: callcenter.StateActive}
		c.Extras = callcenter.DefaultExtras()
		if w.rough() {
			w.changeExtras(&c.Extras)
		}
		c.Settings = callcenter.Defaults(fmt.Sprintf("Center %d", i+1))
		c.Settings.Timezone = "UTC"
		c.Settings.RoutingOptions.Open.OperatorRouting = strategies[w.rng.IntN(len(strategies))]
		if w.o.Calm {
			q := &c.Settings.HoldQueue
			q.MaxHoldCount, q.MaxHoldSeconds, q.AnnouncePosition = 1000, 18000, false
		} else if !w.o.Steady {
			for range 12 {
				w.changeSetting(&c.Settings)
			}
		}
		if w.o.Visits {
			for range 6 {
				w.changeVisit(c)
			}
		}
		if w.o.Settings != nil {
			w.o.Settings(&c.Settings)
		}
		for _, p := range w.operators {
			if !w.rough() || w.chance(0.7) {
				c.Members = append(c.Members, callcenter.Member{Operator: p.op.ID, SkillLevel: w.rng.IntN(4)})
			}
		}
		w.centers = append(w.centers, c)
		w.step(route.CenterChanged{Center: c})
	}
}

func (w *world) untilNextCall() time.Duration {
	return time.Duration(min(w.rng.ExpFloat64()*float64(time.Hour)/w.perHour, longest))
}

func (w *world) arrive() {
	if w.over {
		return
	}
	w.after(w.untilNextCall(), w.arrive)
	w.arriveFrom("", w.dialled())
}

// arriveFrom has somebody call; from is empty for a new caller.
func (w *world) arriveFrom(from string, at callcenter.ID) {
	w.nextCall++
	id := w.nextCall
	if from == "" {
		from = fmt.Sprintf("+1555%07d", id)
	}
	w.calls[id] = &caller{from: from, at: at}
	if w.patience != Endless {
		patience := w.exp(w.patience)
		w.after(patience, func() {
			if c := w.calls[id]; c != nil && c.bridge.N == 0 && !c.record {
				w.callerLeaves(id)
			}
		})
	}
	if !w.o.Calm && w.chance(0.1) {
		w.after(w.exp(time.Minute), func() { w.step(route.Digit{Call: id, Digit: "*#59"[w.rng.IntN(4)]}) })
	}
	w.step(route.CallArrived{Call: id, Center: at, From: from, To: "+15550000000"})
}

// dialled is the center of a number: now and then of none, or of one that was deleted.
func (w *world) dialled() callcenter.ID {
	c := w.centers[w.rng.IntN(len(w.centers))]
	if !w.rough() {
		return c.ID
	}
	if c.State == callcenter.StateDeleted && w.chance(0.95) {
		c = w.centers[slices.IndexFunc(w.centers, isLive)]
	}
	if w.chance(0.01) {
		return 0
	}
	return c.ID
}

func isLive(c *callcenter.Center) bool { return c.State != callcenter.StateDeleted }

func (w *world) callerLeaves(id route.CallID) {
	c := w.calls[id]
	if c == nil || c.gone {
		return
	}
	c.gone = true
	w.step(route.CallerHungUp{Call: id})
	if c.record {
		w.step(route.RecordingEnded{Call: id, Duration: 9 * time.Second, Kept: w.chance(0.8)})
	}
}

// perform is the host: what an order leads to.
func (w *world) perform(o route.Order) {
	if w.o.Visits && w.visitOrder(o) || w.farOrder(o) {
		return
	}
	switch o := o.(type) {
	case route.Play:
		w.calls[o.Call].play = o.ID
		w.after(time.Duration(len(o.Phrases))*w.between(time.Second, 3*time.Second), func() {
			if c := w.calls[o.Call]; c != nil && c.play == o.ID {
				c.play = 0
				w.step(route.PlayDone{Call: o.Call, Play: o.ID})
			}
		})
	case route.Music:
		w.calls[o.Call].play = 0
	case route.Ring:
		w.ring(o)
	case route.CancelLeg:
		if !w.o.Calm && w.chance(0.05) { // its 200 crossed the CANCEL
			w.after(w.between(0, 300*time.Millisecond), func() { w.step(route.LegAnswered{Leg: o.Leg}) })
		}
	case route.Bridge:
		w.converse(o)
	case route.Record:
		w.calls[o.Call].record = true
		w.after(w.exp(20*time.Second), func() { w.callerLeaves(o.Call) })
	case route.StopRecord:
		w.after(0, func() { w.step(route.RecordingEnded{Call: o.Call, Kept: true}) })
	case route.SetDuty:
		if p := w.operators[o.Operator-1]; !o.Duty.On {
			w.after(w.exp(3*time.Minute), func() { w.setDuty(p, true) })
		}
	case route.End:
		w.book(o.Record)
		delete(w.calls, o.Record.Visit)
	}
}

func (w *world) ring(o route.Ring) {
	p := w.operators[o.Operator-1]
	if w.o.Calm {
		w.after(0, func() { w.step(route.LegAnswered{Leg: o.Leg}) })
		return
	}
	failed := func(status int) func() {
		return func() { w.step(route.LegFailed{Leg: o.Leg, Status: status}) }
	}
	switch x := w.rng.Float64(); {
	case x < p.misses: // rings on
	case x < p.misses+p.declines:
		w.after(w.exp(p.delay), failed([]int{486, 603, 302}[w.rng.IntN(3)]))
	case x < p.misses+p.declines+p.unreachable:
		w.after(w.between(0, time.Second), failed([]int{404, 503, 408, 480}[w.rng.IntN(4)]))
		if d := o.Device; w.chance(0.9) {
			w.after(w.exp(time.Minute), func() {
				w.step(route.DeviceReachable{Operator: o.Operator, Device: d, Reachable: true})
			})
		}
	default:
		w.after(w.exp(p.delay), func() {
			if w.mon.rings(o.Leg) {
				w.answered = o.Leg
				w.step(route.LegAnswered{Leg: o.Leg})
				w.hastyHangup(o.Leg)
			}
		})
	}
}

func (w *world) converse(o route.Bridge) {
	c := w.calls[o.Call]
	c.bridge, c.play = o.Leg, 0
	byOperator := w.chance(0.4)
	w.after(w.exp(w.talk), func() {
		if w.calls[o.Call] != c || c.gone {
			return
		}
		if byOperator {
			w.step(route.LegHungUp{Leg: o.Leg})
		} else {
			w.callerLeaves(o.Call)
		}
	})
}
