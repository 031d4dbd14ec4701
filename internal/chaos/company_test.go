package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/exchange"
	"switchboard/internal/route"
	"switchboard/internal/sipd"
)

// Where everybody is. The trunk carries callers and the numbers that are called, and the phones that do not register.
var (
	pbxAddr   = netip.MustParseAddrPort("10.0.0.1:5060")
	trunkAddr = netip.MustParseAddrPort("10.0.0.9:5060")
	homeAddr  = netip.MustParseAddrPort("10.0.0.5:5060")
)

const (
	people   = 6
	centers  = 6
	password = "secret"
)

// The call centers, by what callers meet first.
const (
	line     callcenter.ID = iota + 1 // waits, may be called back
	ringAll                           // every phone rings
	menu                              // keys lead to all actions
	box                               // leaves a message
	program                           // a call router decides
	directly                          // a person
)

// numberOf is what is dialled for a call center.
func numberOf(at callcenter.ID) string { return fmt.Sprintf("+1202555%04d", at) }

// Every person has a phone that does not register and one that does.
func staticPhone(o callcenter.OperatorID) callcenter.DeviceID { return callcenter.DeviceID(o*10 + 1) }

func homePhone(o callcenter.OperatorID) callcenter.DeviceID { return callcenter.DeviceID(o*10 + 2) }
func username(o callcenter.OperatorID) string               { return fmt.Sprintf("home%d", o) }

// company is what the settings of a world say.
type company struct{}

// CenterOf implements exchange.Directory.
func (company) CenterOf(number string) (callcenter.ID, bool) {
	for at := range callcenter.ID(centers) {
		if numberOf(at+1) == number {
			return at + 1, true
		}
	}
	return 0, false
}

// Contact implements exchange.Directory.
func (company) Contact(device callcenter.DeviceID) (string, bool) {
	if device%10 == 2 {
		return "", false
	}
	return fmt.Sprintf("sip:desk%d@%s", device/10, trunkAddr), true
}

// Line implements exchange.Lines.
func (company) Line(order route.DialFar) (to, from string, status int) {
	return "sip:" + order.To + "@" + trunkAddr.String(), numberOf(line), 0
}

func account(name string) (sipd.Account, bool) {
	for o := range callcenter.OperatorID(people) {
		if username(o+1) == name {
			return sipd.Account{Owner: o + 1, Device: homePhone(o + 1), HA1: auth.DigestOf(name, password)}, true
		}
	}
	return sipd.Account{}, false
}

func (w *world) tellPeople() {
	d := dice(w.seed, "people")
	for i := range callcenter.OperatorID(people) {
		o := route.Operator{
			ID: i + 1, Name: fmt.Sprintf("Operator %d", i+1), Active: true, Extension: fmt.Sprint(i + 1),
			FirstName: "Operator", LastName: fmt.Sprint("Abc", i+1),
			Duty:    callcenter.Duty{On: chance(d, 0.8), Since: time.Now(), OnSince: time.Now()},
			Devices: []route.Device{{ID: staticPhone(i + 1), Static: true}},
		}
		if w.registers(i + 1) {
			o.Devices = append(o.Devices, route.Device{ID: homePhone(i + 1)})
		}
		w.engine.Say(route.OperatorChanged{Operator: o})
	}
}

func (w *world) registers(o callcenter.OperatorID) bool {
	return chance(dice(w.seed, "registers", o), 0.3)
}

// tellCenters draws the settings of every call center anew.
func (w *world) tellCenters(d *rand.Rand) {
	for at := range callcenter.ID(centers) {
		c := &callcenter.Center{ID: at + 1, State: callcenter.StateActive, Extras: callcenter.DefaultExtras()}
		c.Extras.MaxMissedCalls = d.IntN(4)
		c.Extras.AnnounceCenterName = chance(d, 0.3)
		c.Settings = callcenter.Defaults(fmt.Sprintf("Center %d", at+1))
		c.Settings.Timezone = "UTC"
		c.Settings.RingSeconds = 10 + d.IntN(20)
		c.Settings.AdvancedSettings.MaxWrapUpSeconds = d.IntN(20)
		c.Settings.AdvancedSettings.AutoCallRecording = callcenter.AutoCallRecording{
			Inbound: chance(d, 0.5), Outbound: chance(d, 0.5), AllowPause: chance(d, 0.5),
		}
		q := &c.Settings.HoldQueue
		q.MaxHoldSeconds, q.MaxHoldCount, q.AnnouncementIntervalSeconds = 30+d.IntN(150), 1+d.IntN(6), 10+d.IntN(20)
		q.AllowQueueCallback, q.QueueCallbackThreshold, q.UnattendedQueue = true, d.IntN(2), chance(d, 0.5)
		w.route(d, c)
		for o := range callcenter.OperatorID(people) {
			if chance(d, 0.6) {
				c.Members = append(c.Members, callcenter.Member{Operator: o + 1, SkillLevel: d.IntN(3)})
			}
		}
		w.engine.Say(route.CenterChanged{Center: c})
	}
}

var strategies = []callcenter.Strategy{
	callcenter.FixedOrder, callcenter.LongestIdle, callcenter.MostSkilled, callcenter.Random, callcenter.RoundRobin,
}

var menuActions = []callcenter.Action{
	callcenter.ActionVoicemail, callcenter.ActionMessage, callcenter.ActionPerson, callcenter.ActionDepartment,
	callcenter.ActionBridgeTarget, callcenter.ActionDirectory, callcenter.ActionExtension, callcenter.ActionScriptedIVR,
	callcenter.ActionDisabled, callcenter.ActionOperator,
}

func (w *world) route(d *rand.Rand, c *callcenter.Center) {
	open := &c.Settings.RoutingOptions.Open
	open.OperatorRouting = strategies[d.IntN(len(strategies))]
	switch c.ID {
	case ringAll:
		open.OperatorRouting = callcenter.Simultaneous
	case menu:
		open.TryDialOperators, open.Action, open.DTMF = false, callcenter.ActionMenu, nil
		for key, action := range menuActions {
			open.DTMF = append(open.DTMF, callcenter.MenuKey{
				Input: fmt.Sprint(key), Action: action, Target: targetOf(d, action),
			})
		}
	case box:
		open.TryDialOperators = false
	case program:
		open.TryDialOperators, open.Action = false, callcenter.ActionScriptedIVR
		open.Target = targetOf(d, open.Action)
	case directly:
		open.TryDialOperators, open.Action = false, callcenter.ActionPerson
		open.Target = targetOf(d, open.Action)
	}
}

func targetOf(d *rand.Rand, action callcenter.Action) callcenter.Target {
	switch action {
	case callcenter.ActionPerson:
		return callcenter.Target{ID: 1 + d.Int64N(people), Type: callcenter.TargetUser}
	case callcenter.ActionScriptedIVR:
		return callcenter.Target{ID: 1, Type: callcenter.TargetCallRouter}
	case callcenter.ActionDirectory:
		return callcenter.Target{ID: 1, Type: callcenter.TargetOffice}
	}
	return callcenter.Target{ID: int64([]callcenter.ID{line, ringAll, box}[d.IntN(3)]), Type: callcenter.TargetCallCenter}
}

// routers are the call routers of a world.
type routers struct{ *world }

// Ask implements exchange.Routers.
func (r routers) Ask(order route.AskRouter, answered func(route.RouterAnswered)) {
	d := dice(r.seed, "router", order.From, order.Digits)
	answer := route.RouterAnswered{Call: order.Call, DefaultTarget: targetOf(d, callcenter.ActionBridgeTarget)}
	answer.Answer = route.RouterAnswer{
		Action: []route.RouterAction{
			route.RouterRoute, route.RouterForward, route.RouterForward, route.RouterAsk, route.RouterEnd,
		}[d.IntN(5)],
		Target: targetOf(d, callcenter.ActionBridgeTarget), ForwardTo: farNumber(d.IntN(1000)), Message: "Which order?",
		HintName: "order", NumDigits: 1 + d.IntN(4),
	}
	if chance(d, 0.15) {
		answer.Answer, answer.Err = route.RouterAnswer{}, "the router is down"
	}
	r.work.Go(func() {
		time.Sleep(between(d, 50*time.Millisecond, 8*time.Second))
		answered(answer)
	})
}

// farNumber is a number that is called, other than a caller's.
func farNumber(n int) string { return fmt.Sprintf("+43155500%04d", n) }

// books is what became of everything: the world's disk.
type books struct {
	mu        sync.Mutex
	arrived   map[route.CallID]bool // whose outcome is due, with the callbacks and the calls of operators
	outcomes  map[route.CallID][]string
	total     map[string]int
	boxes     map[route.CallID]int // voicemails that were begun and not ended
	tapes     map[int64]int        // likewise
	talks     map[route.CallID]int // likewise
	callbacks map[route.CallID]bool
	places    map[route.CallID]bool
	wrong     []string
	bad       *rand.Rand // for the disk that refuses
}

func newBooks(seed uint64) *books {
	return &books{
		arrived: map[route.CallID]bool{}, outcomes: map[route.CallID][]string{}, total: map[string]int{},
		boxes: map[route.CallID]int{}, tapes: map[int64]int{}, talks: map[route.CallID]int{},
		callbacks: map[route.CallID]bool{},
		places:    map[route.CallID]bool{}, bad: dice(seed, "disk"),
	}
}

var errDisk = errors.New("no space left")

func (b *books) object(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
}

// Journal implements engine.Records.
func (b *books) Journal(_ uint64, _ time.Time, event route.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case route.CallArrived:
		b.arrived[e.Call] = true
	case route.CallAsked:
		b.arrived[e.Call] = true
	}
}

// SaveCall implements engine.Records.
func (b *books) SaveCall(r route.CallRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[r.Call] = append(b.outcomes[r.Call], string(r.Outcome)+" "+r.Reason)
	b.total[string(r.Outcome)]++
	b.total[strings.TrimSpace(string(r.Outcome)+" "+r.Reason)]++
	if r.Callback {
		b.total["callback "+string(r.Outcome)]++
	}
	for _, offer := range r.Offers {
		b.total["offer "+offer.Result]++
	}
}

// SaveDuty implements engine.Records.
func (b *books) SaveDuty(callcenter.OperatorID, callcenter.Duty) {}

// SaveCallback implements engine.Keeper.
func (b *books) SaveCallback(c route.Callback) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived[c.Call], b.callbacks[c.Call] = true, true
}

// DropCallback implements engine.Keeper.
func (b *books) DropCallback(call route.CallID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.callbacks, call)
}

// SavePlace implements engine.Keeper.
func (b *books) SavePlace(p route.Place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.places[p.Call] = true
}

// DropPlace implements engine.Keeper.
func (b *books) DropPlace(call route.CallID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.places, call)
}

// Begin implements exchange.Mailbox.
func (b *books) Begin(order route.Record, _ time.Time) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.boxes[order.Call]++
	if chance(b.bad, 0.05) {
		return "", errDisk
	}
	return "box.wav", nil
}

// End implements exchange.Mailbox.
func (b *books) End(call route.CallID, _ time.Duration, _ bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total["voicemail recorded"]++
	if b.boxes[call]--; b.boxes[call] == 0 {
		delete(b.boxes, call)
	}
}

// shelf keeps recordings in the books.
type shelf struct{ *books }

// Begin implements exchange.Recordings.
func (s shelf) Begin(route.RecordCall, string, time.Time) (int64, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total["recording"]++
	id := int64(s.total["recording"])
	s.tapes[id] = 1
	if chance(s.bad, 0.05) {
		return id, "", errDisk
	}
	return id, "tape.wav", nil
}

// End implements exchange.Recordings.
func (s shelf) End(id int64, _ exchange.Recorded) {
	s.mu.Lock()
	if s.tapes[id]--; s.tapes[id] == 0 {
		delete(s.tapes, id)
	}
	s.mu.Unlock()
}

// unbalanced says what does not add up once every call has ended.
func (b *books) unbalanced() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	wrong := b.wrong
	for call := range b.arrived {
		if len(b.outcomes[call]) == 0 {
			wrong = append(wrong, fmt.Sprintf("call %d has no outcome", call))
		}
	}
	for call, all := range b.outcomes {
		if len(all) != 1 {
			wrong = append(wrong, fmt.Sprintf("call %d has %d outcomes: %v", call, len(all), all))
		}
	}
	if len(b.boxes)+len(b.tapes)+len(b.talks)+len(b.callbacks)+len(b.places) > 0 {
		wrong = append(wrong, fmt.Sprintf("still open: voicemails %v, recordings %v, talks %v, callbacks %v, places %v",
			b.boxes, b.tapes, b.talks, b.callbacks, b.places))
	}
	return wrong
}
