package interop

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/audio"
	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/media"
	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// patience is how long a test waits for what must happen: max_hold_seconds and the minute of a closing time are real.
const patience = 100 * time.Second

// hall is a lab with a trunk, operators at softphones and callers at sipp.
type hall struct {
	*lab.Lab
	station *softphone.Station
	callers []*caller
	data    string // the server's folder
}

func newHall(t *testing.T) *hall {
	t.Helper()
	t.Parallel()
	return openHall(t)
}

func openHall(t testing.TB, change ...func(*app.Config)) *hall {
	t.Helper()
	lab.Need(t, "sipp")
	builtIn := t.TempDir() // an empty prompt pack: what is said is what the program brings
	h := &hall{}
	h.Lab = lab.New(t, func(cfg *app.Config) {
		cfg.Prompts, cfg.EgressAllow, h.data = builtIn, []string{"127.0.0.0/8"}, cfg.DataDir
		for _, more := range change {
			more(cfg)
		}
	})
	h.Trunk()
	h.station = h.Station()
	return h
}

// manner is what an operator does when the phone rings.
type manner func(context.Context, *softphone.Call)

// hum is what an operator who talks sounds like: a line that is silent for long is taken down.
var hum = sync.OnceValue(func() *media.Track { return note(440) })

func note(hz float64) *media.Track {
	return media.NewTrack(audio.EncodeAll(audio.Sine(audio.Rate, voiceLevel, hz), audio.ULaw))
}

// talks picks up and stays until somebody hangs up.
func talks(_ context.Context, c *softphone.Call) {
	c.Answer()
	c.Loop(hum())
}

// ringsOn lets it ring.
func ringsOn(context.Context, *softphone.Call) {}

// declines presses the red button.
func declines(_ context.Context, c *softphone.Call) { c.Decline(486) }

// serves picks up, says a word and hangs up.
func serves(ctx context.Context, c *softphone.Call) {
	c.Answer()
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	c.Hangup()
}

// desk is an operator with a registered softphone.
type desk struct {
	*lab.Operator
	t      testing.TB
	ctx    context.Context
	manner atomic.Pointer[manner]
	rang   chan *softphone.Call
}

// desk seats an operator, on duty and not yet in any call center.
func (h *hall) desk(name string, m manner) *desk {
	h.T.Helper()
	d := h.seat(h.Operator(name), m)
	d.Phone(h.station, d.ring)
	h.Until(name+" is available", func(p lab.Picture) bool { return p.Operator(d.Operator).State == route.Available })
	return d
}

// outside is somebody in the telephone network, with a phone that the company's calls out reach.
func (h *hall) outside(number string, m manner) *desk {
	h.T.Helper()
	d := h.seat(&lab.Operator{Name: number}, m)
	h.station.Static(number, d.ring)
	return d
}

// callsOut lets calls to the telephone network out, to the phones of outside.
func (h *hall) callsOut() {
	h.T.Helper()
	h.MustAPI("POST", "/api/v2/x/trunks",
		fmt.Sprintf(`{"name": "out", "addresses": ["192.0.2.1"], "outbound": "sip:%s"}`, h.station.Addr()))
}

func (h *hall) seat(o *lab.Operator, m manner) *desk {
	d := &desk{Operator: o, t: h.T, ctx: h.T.Context(), rang: make(chan *softphone.Call, 1024)}
	d.now(m)
	return d
}

func (d *desk) ring(c *softphone.Call) {
	d.rang <- c
	(*d.manner.Load())(d.ctx, c)
}

// now changes what the operator does from the next call on.
func (d *desk) now(m manner) { d.manner.Store(&m) }

// next is the next call that rang there, in order.
func (d *desk) next() *softphone.Call {
	d.t.Helper()
	select {
	case c := <-d.rang:
		return c
	case <-time.After(patience):
		d.t.Fatalf("the phone of %s never rang", d.Name)
		return nil
	}
}

// ends waits until a call is over at the operator's phone.
func (d *desk) ends(c *softphone.Call) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	if _, ok := c.Wait(ctx, softphone.EndedEvent); !ok {
		d.t.Fatalf("the call at %s's phone never ended", d.Name)
	}
}

// duty is what the API says of the operator's duty.
func (h *hall) duty(d *desk) (on bool, reason string) {
	h.T.Helper()
	got := h.MustAPI("GET", "/api/v2/callcenters/operators/"+d.ID+"/dutystatus", "")
	on, _ = got.Body["on_duty"].(bool)
	return on, got.Text("duty_status_reason")
}

// ownAddr is an address of loopback that this process shares with no other: its ports meet nobody else's, whatever
// tests at the same time.
func ownAddr() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(64 + pid>>16&63), byte(pid >> 8), byte(pid)})
}

// caller is a sipp that calls once and stays on the line until the server hangs up, and what is heard there.
type caller struct {
	*ear
	sipp *lab.SIPP
	from string
}

func (h *hall) caller(to *lab.Center) *caller {
	h.T.Helper()
	return h.call(to, "heard")
}

// briefCaller hangs up so long after the answer.
func (h *hall) briefCaller(to *lab.Center, stays time.Duration) *caller {
	h.T.Helper()
	return h.call(to, "heard_then_bye", "-d", fmt.Sprint(stays.Milliseconds()))
}

func (h *hall) call(to *lab.Center, scenario string, extra ...string) *caller {
	h.T.Helper()
	return h.callFrom(fmt.Sprintf("+1415555%04d", len(h.callers)+1), to, scenario, extra...)
}

func (h *hall) callFrom(from string, to *lab.Center, scenario string, extra ...string) *caller {
	h.T.Helper()
	c := &caller{ear: newEar(h.T), from: from}
	h.callers = append(h.callers, c)
	args := append([]string{
		"-m", "1", "-s", to.Number, "-key", "from", c.from, "-key", "ear", fmt.Sprint(c.port()),
	}, extra...)
	c.sipp = lab.ScenarioAt(h.T, ownAddr(), scenario, h.App.SIPAddr(), patience, args...)
	return c
}

// crowd is one sipp with many callers; at most atOnce of them are in a call at a time.
func (h *hall) crowd(to *lab.Center, callers, atOnce int) *lab.SIPP {
	h.T.Helper()
	return lab.ScenarioAt(h.T, ownAddr(), "call_until_bye", h.App.SIPAddr(), patience, "-s", to.Number,
		"-m", fmt.Sprint(callers), "-l", fmt.Sprint(atOnce), "-r", "50")
}

// now is what a page that opens at this moment shows: unlike a page that is open it lags behind nothing.
func (h *hall) now() engine.Update {
	h.T.Helper()
	all, ok := h.Feed().Next(h.T.Context())
	if !ok || !all.Reset {
		h.T.Fatal("the live feed began without a picture of everything")
	}
	return all
}

// waiting waits until the line has a length.
func (h *hall) waiting(at *lab.Center, callers int) {
	h.T.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * frameTime) {
		for _, c := range h.now().Centers {
			if c.ID == at.CenterID() && c.Waiting == callers {
				return
			}
		}
	}
	h.lost(fmt.Sprintf("until %d callers wait", callers))
}

// lost fails the test with all that is known: how the callers' sipps fared and what the page shows.
func (h *hall) lost(what string) {
	h.T.Helper()
	for _, c := range h.callers {
		c.sipp.Stop()
		h.T.Logf("%s: %v", c.from, c.sipp.Wait())
	}
	h.T.Fatalf("waited in vain %s: %s", what, h.Now())
}

// stands waits until an operator is in a state.
func (h *hall) stands(d *desk, state route.OperatorState) route.OperatorView {
	h.T.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * frameTime) {
		for _, o := range h.now().Operators {
			if o.ID == d.OperatorID() && o.State == state {
				return o
			}
		}
	}
	h.lost("until " + d.Name + " is " + string(state))
	return route.OperatorView{}
}

// records waits until so many calls have ended and lists them by arrival.
func (h *hall) records(calls int) []route.CallRecord {
	h.T.Helper()
	ctx, cancel := context.WithTimeout(h.T.Context(), patience)
	defer cancel()
	for {
		list, err := h.App.Store().Calls(ctx, calls+1, time.Time{})
		switch {
		case ctx.Err() != nil:
			h.lost(fmt.Sprintf("for the end of %d calls, saw that of %d", calls, len(list)))
		case err != nil:
			h.T.Fatal(err)
		case len(list) > calls:
			h.T.Fatalf("more than %d calls ended", calls)
		case len(list) == calls:
			slices.SortFunc(list, func(a, b route.CallRecord) int {
				return cmp.Or(a.Arrived.Compare(b.Arrived), cmp.Compare(a.Call, b.Call))
			})
			return list
		}
		select {
		case <-time.After(50 * time.Millisecond): // what is queued for the disk appears within 100 ms
		case <-ctx.Done():
		}
	}
}

// record is the record of a caller's only call, once it has ended.
func (h *hall) record(c *caller) route.CallRecord {
	h.T.Helper()
	ctx, cancel := context.WithTimeout(h.T.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		list, err := h.App.Store().Calls(ctx, 1000, time.Time{})
		if err != nil && ctx.Err() == nil {
			h.T.Fatal(err)
		}
		for _, r := range list {
			if r.From == c.from {
				return r
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	h.lost("until the call of " + c.from + " ends")
	return route.CallRecord{}
}

// ended checks how a caller's call ended, for the core, for sipp and in the service's books.
func (h *hall) ended(c *caller, outcome route.Outcome, reason string) route.CallRecord {
	h.T.Helper()
	r := h.record(c)
	if r.Outcome != outcome || r.Reason != reason {
		h.T.Errorf("the call of %s ended as %s, %s; want %s, %s", c.from, r.Outcome, r.Reason, outcome, reason)
	}
	c.sipp.MustSucceed()
	return r
}

// rung names who was rung, in order, over the calls given.
func rung(calls []route.CallRecord, desks ...*desk) string {
	names := map[callcenter.OperatorID]string{}
	for _, d := range desks {
		names[d.OperatorID()] = d.Name
	}
	var order []string
	for _, c := range calls {
		for _, o := range c.Offers {
			order = append(order, names[o.Operator])
		}
	}
	return strings.Join(order, " ")
}

// results are the results of a call's offers, in order.
func results(c route.CallRecord) string {
	var list []string
	for _, o := range c.Offers {
		list = append(list, o.Result)
	}
	return strings.Join(list, " ")
}

func wantText(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}
