package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/exchange"
	"switchboard/internal/memnet"
	"switchboard/internal/route"
	"switchboard/internal/sipd"
)

// world is a server with everybody around it, in one bubble.
type world struct {
	t    *testing.T
	seed uint64

	net      *memnet.Net
	weather  *weather
	ether    *ether
	books    *books
	pbx      *sipd.Server
	trunk    *sipd.Server
	homes    *sipd.Server
	exchange *exchange.Exchange
	engine   *engine.Engine
	stop     context.CancelFunc // of the engine
	off      context.CancelFunc // of the registrations

	work sync.WaitGroup // parties, routers
	run  sync.WaitGroup // the engine, registrations
	mu   sync.Mutex
	rung map[string]int
}

// How long things take in a world.
const (
	arrivals   = 4 * time.Second       // between two callers, on average
	meddles    = 15 * time.Second      // between two things that somebody does besides calling
	allCalls   = 40 * time.Minute      // after the last flow: then callbacks are given up
	lastTimer  = route.LevelWindow * 2 // the core remembers calls for that window
	afterwards = 70 * time.Second      // past the last timer of any transaction
)

func newWorld(t *testing.T, seed uint64, length time.Duration) *world {
	w := &world{t: t, seed: seed, net: memnet.New(), books: newBooks(seed), rung: map[string]int{}}
	w.net.Forget = true
	w.weather = forecast(seed, length, trunkAddr, homeAddr)
	w.net.SetFilter(w.weather.filter)
	d := dice(seed, "world")
	most := 1000
	if chance(d, 0.2) {
		most = 3 + d.IntN(10)
	}
	w.ether = newEther(most)
	log := slog.New(slog.DiscardHandler)
	if os.Getenv(logEnv) != "" {
		log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.exchange = exchange.New(exchange.Config{
		Say: func(e route.Event) { w.engine.Say(e) }, Phones: w, Ports: w.ether, Prompts: w.ether, Directory: company{},
		Mailbox: w.books, Recordings: shelf{w.books}, Voices: voices{w.books}, Lines: company{},
		Routers: routers{w}, Log: log,
	})
	w.engine = engine.New(engine.Config{
		Company: 1, Seed: seed, Performer: w.exchange, Records: w.books, Keeper: w.books, Log: log, Observer: w.observe,
	})
	w.tellPeople()
	w.tellCenters(d)
	running, stop := context.WithCancel(t.Context())
	w.stop = stop
	w.run.Go(func() { w.engine.Run(running) })
	w.listen(log)
	return w
}

func (w *world) listen(log *slog.Logger) {
	open := func(at netip.AddrPort, cfg sipd.Config) *sipd.Server {
		cfg.PacketConn = w.net.Listen(at)
		s, err := sipd.New(cfg)
		if err != nil {
			w.t.Fatal(err)
		}
		return s
	}
	w.pbx = open(pbxAddr, sipd.Config{
		Account: account, AllowTrunk: func(a netip.Addr) bool { return a == trunkAddr.Addr() }, Log: log,
		OnCall: func(leg *sipd.Leg) { leg.Handle(w.exchange.Incoming(leg)) },
		OnDevice: func(owner callcenter.OperatorID, device callcenter.DeviceID, reachable bool) {
			w.engine.Say(route.DeviceReachable{Operator: owner, Device: device, Reachable: reachable})
		},
	})
	phone := sipd.Config{OnCall: w.rings, AllowTrunk: func(a netip.Addr) bool { return a == pbxAddr.Addr() }}
	w.trunk, w.homes = open(trunkAddr, phone), open(homeAddr, phone)
	registered, off := context.WithCancel(w.t.Context())
	w.off = off
	for o := range callcenter.OperatorID(people) {
		if w.registers(o + 1) {
			w.run.Go(func() { w.register(registered, o+1) })
		}
	}
}

// register keeps a phone registered, however often that fails.
func (w *world) register(ctx context.Context, o callcenter.OperatorID) {
	for ctx.Err() == nil {
		over, err := w.homes.Register(ctx, sipd.Registration{
			Server: pbxAddr.String(), Username: username(o), Password: password, Expires: time.Minute,
		})
		if err == nil {
			<-over
			continue
		}
		select {
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
		}
	}
}

// Invite implements exchange.Phones.
func (w *world) Invite(device exchange.Device, from string, sdp []byte, events exchange.Events) exchange.Leg {
	return w.pbx.Invite(sipd.Invitation{Device: device.ID, To: device.Contact, From: from, SDP: sdp}, events)
}

// Facing implements exchange.Phones.
func (w *world) Facing(device exchange.Device) netip.Addr {
	return w.pbx.Facing(device.ID, device.Contact)
}

// observe holds the core to its invariants at every step.
func (w *world) observe(_ time.Time, m *route.Machine, event route.Event, effects []route.Effect) {
	if err := m.Check(); err != nil {
		w.books.object("after %+v: %v", event, err)
	}
	for _, effect := range effects {
		if pass, ok := effect.Order.(route.Pass); ok {
			w.books.mu.Lock()
			w.books.arrived[pass.Next] = true
			w.books.mu.Unlock()
		}
	}
}

// play runs the flows and answers what was counted.
func (w *world) play(flows int) map[string]int {
	synctest.Wait()
	idle, _ := goroutines()
	quit := make(chan struct{})
	w.work.Go(func() { w.meddle(quit) })
	d := dice(w.seed, "arrivals")
	for n := range flows {
		f := w.plan(n)
		w.work.Go(func() { w.visit(f) })
		time.Sleep(time.Duration(d.ExpFloat64() * float64(arrivals)))
	}
	time.Sleep(2 * time.Minute)
	close(quit)
	w.calmDown()
	w.work.Wait()
	w.off()
	time.Sleep(afterwards)
	w.nothingLeft(idle)
	w.end()
	if wrong := w.books.unbalanced(); len(wrong) > 0 {
		w.t.Fatalf("%s\nplay it again: %s", strings.Join(wrong, "\n"), replay(w.seed))
	}
	maps.Copy(w.books.total, w.weather.count)
	return w.books.total
}

// visit is a caller, who may call again: soon, as one does who was cut off, or later.
func (w *world) visit(f flow) {
	d := dice(w.seed, "visit", f.n)
	w.call(f, 0)
	for visit := 1; chance(d, 0.15); visit++ {
		time.Sleep(between(d, 0, 3*time.Minute))
		w.call(f, visit)
	}
}

// meddle does what people do besides calling, until quit.
func (w *world) meddle(quit <-chan struct{}) {
	d := dice(w.seed, "meddle")
	for {
		select {
		case <-quit:
			return
		case <-time.After(time.Duration(d.ExpFloat64() * float64(meddles))):
		}
		who := callcenter.OperatorID(1 + d.IntN(people))
		switch d.IntN(9) {
		case 0, 1:
			w.engine.Say(route.DutySet{Operator: who, On: chance(d, 0.7), ChangedBy: "chaos"})
		case 2:
			on := chance(d, 0.5)
			w.engine.Say(route.RecordingSet{Operator: who, On: on})
			w.engine.Say(route.VoiceSet{Operator: who, On: on})
		case 3:
			w.engine.Say(route.WrapUpEnded{Operator: who})
		case 4:
			w.tellCenters(d)
		case 5:
			w.engine.Say(route.CallAsked{Call: engine.NewCallID(), Operator: who, Center: line, To: farNumber(d.IntN(1000))})
		case 6, 7:
			number := farNumber(d.IntN(1000))
			w.work.Go(func() { w.askCallback(number) })
		case 8:
			w.hangupSomeone(d)
		}
	}
}

func (w *world) askCallback(number string) {
	if _, _, err := w.engine.AskCallback(w.t.Context(), line, number, false); err != nil {
		w.books.object("ask for a callback: %v", err)
	}
}

func (w *world) hangupSomeone(d *rand.Rand) {
	if ids := w.calls(); len(ids) > 0 {
		w.engine.Say(route.HangupAsked{Call: ids[d.IntN(len(ids))]})
	}
}

func (w *world) calls() (ids []route.CallID) {
	w.ask(func(m *route.Machine) { ids = m.CallIDs() })
	return ids
}

func (w *world) ask(f func(m *route.Machine)) {
	if err := w.engine.Ask(w.t.Context(), func(m *route.Machine, _ time.Time) { f(m) }); err != nil {
		w.books.object("ask: %v", err)
	}
}

// calmDown waits for the end of all calls, with everybody on duty; callbacks that nobody takes are given up at last.
func (w *world) calmDown() {
	for o := range callcenter.OperatorID(people) {
		w.engine.Say(route.DutySet{Operator: o + 1, On: true, ChangedBy: "chaos"})
	}
	for waited := time.Duration(0); ; waited += afterwards {
		ids := w.calls()
		switch {
		case len(ids) == 0:
			return
		case waited >= 2*allCalls:
			w.ask(func(m *route.Machine) {
				for _, id := range ids {
					c, _ := m.Call(id)
					w.books.object("call %d is %s for ever: %+v", id, c.State, c.Path)
				}
			})
			return
		case waited >= allCalls:
			for _, id := range ids {
				w.engine.Say(route.HangupAsked{Call: id})
			}
		}
		time.Sleep(afterwards)
	}
}

// nothingLeft looks everywhere for what a call may leave behind.
func (w *world) nothingLeft(idle int) {
	time.Sleep(lastTimer)
	synctest.Wait()
	for name, s := range map[string]*sipd.Server{"server": w.pbx, "trunk": w.trunk, "homes": w.homes} {
		if got := s.Stats(); got.Legs+got.Lanes+got.Malformed+got.Registered != 0 {
			w.books.object("the %s has %d legs, %d Call-IDs, %d devices, and saw %d malformed messages", name, got.Legs,
				got.Lanes, got.Registered, got.Malformed)
		}
	}
	if callers, devices := w.exchange.Legs(); callers+devices != 0 {
		w.books.object("the exchange has %d callers and %d devices", callers, devices)
	}
	if ports, tapes := w.ether.left(); ports+tapes != 0 {
		w.books.object("%d ports are open, %d recordings run", ports, tapes)
	}
	w.ask(func(m *route.Machine) {
		if next := m.Next(); !next.IsZero() {
			w.books.object("the core wants to be woken at %s", next)
		}
		for _, id := range m.OperatorIDs() {
			if o, _ := m.Operator(id); o.Call != 0 || o.State != route.Available && o.State != route.OffDuty {
				w.books.object("operator %d is %s", id, o.State)
			}
		}
	})
	synctest.Wait()
	if now, stacks := goroutines(); now > idle {
		w.books.object("%d goroutines, %d before the first call:\n%s", now, idle, stacks)
	}
}

// goroutines counts those of the bubble; the runtime's own come and go.
func goroutines() (n int, stacks string) {
	buf := make([]byte, 1<<20)
	stacks = string(buf[:runtime.Stack(buf, true)])
	for line := range strings.Lines(stacks) {
		if strings.HasPrefix(line, "goroutine ") && strings.Contains(line, "synctest bubble") {
			n++
		}
	}
	return n, stacks
}

func (w *world) end() {
	w.stop()
	for _, s := range []*sipd.Server{w.pbx, w.trunk, w.homes} {
		if err := s.Close(); err != nil {
			w.books.object("close: %v", err)
		}
	}
	w.run.Wait()
}

// replay is the command that plays a seed again.
func replay(seed uint64) string {
	return fmt.Sprintf("%s=%d go test -count=1 -run TestFlows ./internal/chaos", seedEnv, seed)
}
