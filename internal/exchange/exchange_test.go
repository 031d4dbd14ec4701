package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/voice"
)

// leg records what was done to it.
type leg struct {
	offer []byte
	did   []string
}

func (l *leg) Progress()            { l.did = append(l.did, "180") }
func (l *leg) Answer(sdp []byte)    { l.did = append(l.did, "200 "+string(sdp)) }
func (l *leg) Refuse(status, _ int) { l.did = append(l.did, fmt.Sprint("refuse ", status)) }
func (l *leg) Hangup(elsewhere bool) {
	l.did = append(l.did, map[bool]string{true: "hangup elsewhere", false: "hangup"}[elsewhere])
}
func (l *leg) Offer() []byte { return l.offer }
func (l *leg) From() string  { return "+13035550001" }
func (l *leg) To() string    { return "+12025550001" }
func (l *leg) Source() netip.AddrPort {
	return netip.MustParseAddrPort("127.0.0.1:5080")
}

// port records what it played and to whom it was connected.
type port struct {
	name      string
	did       []string
	peer      Port
	refuses   bool
	recordErr error
	done      func()
	recorded  func(time.Duration, error)
	taped     func(Recorded)
	closed    int
}

func (p *port) Offer(like Port, _ netip.Addr) []byte {
	if like == nil {
		return []byte("offer")
	}
	return []byte("offer like " + like.(*port).name)
}

func (p *port) Accept([]byte) ([]byte, error) {
	if p.refuses {
		return nil, errors.New("no codec")
	}
	return []byte("answer"), nil
}

func (p *port) Complete(answer []byte) error {
	if bytes.Equal(answer, []byte("bad")) {
		return errors.New("no codec")
	}
	return nil
}
func (p *port) Play(clips [][]byte, done func()) { p.did, p.done = append(p.did, "play"), done }
func (p *port) Loop(callcenter.ID)               { p.did = append(p.did, "music") }
func (p *port) Ringback()                        { p.did = append(p.did, "ringback") }
func (p *port) Silence()                         { p.did = append(p.did, "silence") }
func (p *port) Connect(to Port)                  { p.peer = to }
func (p *port) InfoDigit(d byte)                 { p.did = append(p.did, "info "+string(d)) }
func (p *port) StopRecord()                      { p.did = append(p.did, "stop record") }
func (p *port) Close()                           { p.closed++ }
func (p *port) Pause(on bool)                    { p.did = append(p.did, fmt.Sprint("pause ", on)) }
func (p *port) Stop()                            { p.did = append(p.did, "stop tape") }
func (p *port) RecordWith(right Port, _ string, done func(Recorded)) (Tape, error) {
	p.did, p.taped = append(p.did, "tape with "+right.(*port).name), done
	return p, p.recordErr
}

func (p *port) ListenWith(operator Port, l Listener) (Ear, error) {
	p.did = append(p.did, "listen with "+operator.(*port).name)
	return ear{p}, p.recordErr
}

func (p *port) Record(_ string, _ time.Duration, done func(time.Duration, error)) error {
	p.recorded = done
	return p.recordErr
}

// ear records what was done to it among what was done to its port.
type ear struct{ of *port }

func (e ear) Pause(on bool) { e.of.did = append(e.of.did, fmt.Sprint("hush ", on)) }
func (e ear) Stop()         { e.of.did = append(e.of.did, "listen no more") }

// voices hands out itself to listen.
type voices struct {
	begun   []route.StartVoice
	numbers []string
	ended   int
}

func (v *voices) Begin(order route.StartVoice, number string, _ time.Time) Listener {
	v.begun, v.numbers = append(v.begun, order), append(v.numbers, number)
	return v
}
func (v *voices) Frame(voice.Leg, time.Duration, []int16) {}
func (v *voices) Turn(time.Duration, voice.State)         {}
func (v *voices) Tick(time.Duration)                      {}
func (v *voices) Ended(time.Duration, uint64)             { v.ended++ }

// bench is an exchange between fakes.
type bench struct {
	*Exchange
	said    []route.Event
	ports   []*port
	next    port // what the next port will be like
	openErr error
	invited []Device
	offered []string
	events  []Events
	legs    []*leg
	kept    []bool
	digits  []func(byte)
	line    int // the status with which a number is refused
	tapes   []route.RecordCall
	ended   []Recorded

	prepared []string
}

func newBench() *bench {
	b := &bench{}
	b.Exchange = New(Config{
		Say: func(e route.Event) { b.said = append(b.said, e) }, Phones: b, Ports: b, Prompts: b, Directory: b, Mailbox: b,
		Recordings: tapes{b}, Lines: b, Log: slog.New(slog.DiscardHandler),
	})
	return b
}

func (b *bench) Open(digit func(byte), _ func()) (Port, error) {
	b.digits = append(b.digits, digit)
	if b.openErr != nil {
		return nil, b.openErr
	}
	p := b.next
	p.name = []string{"caller", "first", "second", "third"}[len(b.ports)]
	b.ports = append(b.ports, &p)
	return &p, nil
}

func (b *bench) Facing(Device) netip.Addr { return netip.MustParseAddr("127.0.0.1") }

func (b *bench) Invite(device Device, _ string, sdp []byte, events Events) Leg {
	l := &leg{}
	b.invited, b.events, b.legs = append(b.invited, device), append(b.events, events), append(b.legs, l)
	b.offered = append(b.offered, string(sdp))
	return l
}
func (b *bench) Clips(route.Phrase) [][]byte { return [][]byte{{0xff}} }
func (b *bench) Prepare(text string)         { b.prepared = append(b.prepared, text) }
func (b *bench) CenterOf(number string) (callcenter.ID, bool) {
	return 5, number == "+12025550001"
}

func (b *bench) Contact(device callcenter.DeviceID) (string, bool) {
	return map[callcenter.DeviceID]string{71: "sip:ada@127.0.0.1:5070"}[device], device != 70
}
func (b *bench) Begin(route.Record, time.Time) (string, error)  { return "1.wav", nil }
func (b *bench) End(_ route.CallID, _ time.Duration, kept bool) { b.kept = append(b.kept, kept) }

func (b *bench) do(orders ...route.Order) {
	for _, o := range orders {
		b.Perform(route.Effect{Order: o})
	}
}

// arrive lets a caller in and returns the call's id.
func (b *bench) arrive(t *testing.T, l *leg) (route.CallID, Events) {
	t.Helper()
	events := b.Incoming(l)
	arrived, ok := b.said[0].(route.CallArrived)
	if !ok || arrived.Center != 5 || arrived.From != l.From() || arrived.To != l.To() {
		t.Fatalf("said %+v first, want the arrival", b.said[0])
	}
	return arrived.Call, events
}

func want[T comparable](t *testing.T, what string, got []T, wanted ...T) {
	t.Helper()
	if !slices.Equal(got, wanted) {
		t.Errorf("%s: %v, want %v", what, got, wanted)
	}
}

func TestACallerIsAnsweredAndHears(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	b.do(route.Progress{Call: id}, route.Answer{Call: id}, route.Ringback{Call: id}, route.Music{Call: id},
		route.Play{Call: id, ID: 3, Phrases: []route.Phrase{{Prompt: route.PromptClosed}}})
	want(t, "leg", l.did, "180", "200 answer")
	want(t, "port", b.ports[0].did, "ringback", "music", "play")
	b.ports[0].done()
	want(t, "said", b.said[1:], route.Event(route.PlayDone{Call: id, Play: 3}))
}

func TestACallerWithoutAudioIsRefusedWithTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		bench  func(*bench)
		reason string
		status string
	}{
		"no codec": {func(b *bench) { b.next.refuses = true }, "no_codec", "refuse 488"},
		"no port":  {func(b *bench) { b.openErr = errors.New("full") }, "no_port", "refuse 503"},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newBench(), &leg{offer: []byte("sdp")}
			test.bench(b)
			id, _ := b.arrive(t, l)
			want(t, "said", b.said[1:], route.Event(route.CallFailed{Call: id, Reason: test.reason}))
			b.do(route.Progress{Call: id}, route.Refuse{Call: id, Status: 500})
			want(t, "leg", l.did, test.status)
		})
	}
}

func TestAnOperatorIsRungAndBridged(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	ring := route.LegID{Call: id, N: 1}
	b.do(route.Ring{Leg: ring, Device: 70, From: "+1"})
	if b.invited[0].ID != 70 || b.offered[0] != "offer like caller" {
		t.Fatalf("invited %+v with %s, want device 70 with the caller's codec first", b.invited[0], b.offered[0])
	}
	b.events[0].Ringing(nil)
	b.events[0].Answered([]byte("ok"))
	b.do(route.Bridge{Call: id, Leg: ring})
	if b.ports[0].peer != Port(b.ports[1]) {
		t.Error("caller and operator are not connected")
	}
	b.events[0].Ended("bye", false)
	b.events[0].Ended("again", false)
	want(t, "said", b.said[1:], route.Event(route.LegRinging{Leg: ring}), route.Event(route.LegAnswered{Leg: ring}),
		route.Event(route.LegHungUp{Leg: ring}))
	if b.ports[1].closed != 1 {
		t.Errorf("the operator's port was closed %d times, want once", b.ports[1].closed)
	}
}

func TestTheOtherPhoneIsCancelled(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	one, two := route.LegID{Call: id, N: 1}, route.LegID{Call: id, N: 2}
	b.do(route.Ring{Leg: one, Device: 70}, route.Ring{Leg: two, Device: 71})
	if b.invited[1].Contact != "sip:ada@127.0.0.1:5070" {
		t.Errorf("invited %+v, want the static contact", b.invited[1])
	}
	b.do(route.CancelLeg{Leg: two, Elsewhere: true})
	b.events[1].Failed(487)
	want(t, "second leg", b.legs[1].did, "hangup elsewhere")
	if len(b.said) != 1 {
		t.Errorf("a cancelled leg reported %v", b.said[1:])
	}
	if callers, devices := b.Legs(); callers != 1 || devices != 1 {
		t.Errorf("%d callers and %d devices left, want 1 and 1", callers, devices)
	}
}

func TestADeviceThatCannotTalkFailed(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	ring, gone := route.LegID{Call: id, N: 1}, route.LegID{Call: id, N: 2}
	b.do(route.Ring{Leg: ring, Device: 70}, route.Ring{Leg: gone, Device: 99})
	b.events[0].Answered([]byte("bad"))
	want(t, "leg", b.legs[0].did, "hangup")
	want(t, "said", b.said[1:], route.Event(route.LegFailed{Leg: gone, Status: 404}),
		route.Event(route.LegFailed{Leg: ring, Status: 488}))
}

func TestVoicemail(t *testing.T) {
	for name, test := range map[string]struct {
		length time.Duration
		err    error
		kept   bool
	}{
		"kept":      {MinVoicemail, nil, true},
		"too short": {MinVoicemail - time.Millisecond, nil, false},
		"disk full": {time.Minute, errors.New("no space"), false},
	} {
		t.Run(name, func(t *testing.T) {
			b, l := newBench(), &leg{offer: []byte("sdp")}
			id, _ := b.arrive(t, l)
			b.do(route.Record{Call: id, Center: 5, Limit: time.Minute})
			b.ports[0].recorded(test.length, test.err)
			ended, ok := b.said[1].(route.RecordingEnded)
			if !ok || ended.Kept != test.kept || (ended.Err != "") != (test.err != nil) {
				t.Errorf("said %+v, want kept %t", b.said[1], test.kept)
			}
			want(t, "mailbox", b.kept, test.kept)
		})
	}
}

func TestHangingUpEndsAVoicemail(t *testing.T) {
	b := newBench()
	id, events := b.arrive(t, &leg{offer: []byte("pcmu")})
	b.do(route.Record{Call: id, Center: 5, Limit: time.Minute})
	events.Ended("BYE", false)
	want(t, "done to the port", b.ports[0].did, "stop record")
	want[route.Event](t, "said", b.said[1:], route.CallerHungUp{Call: id})
}

func TestADiskThatRefusesIsToldAtOnce(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	b.next.recordErr = errors.New("no space")
	id, _ := b.arrive(t, l)
	b.do(route.Record{Call: id, Center: 5, Limit: time.Minute})
	if ended, ok := b.said[1].(route.RecordingEnded); !ok || ended.Kept || ended.Err == "" {
		t.Errorf("said %+v, want a failed recording", b.said[1])
	}
}

func TestADigitByInfoGoesThroughThePort(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, events := b.arrive(t, l)
	b.do(route.Ring{Leg: route.LegID{Call: id, N: 1}, Device: 70})
	events.Digit('5')
	b.events[0].Digit('#')
	want(t, "caller's port", b.ports[0].did, "info 5")
	want(t, "operator's port", b.ports[1].did, "info #")
	b.digits[0]('5')
	want(t, "said", b.said[1:], route.Event(route.Digit{Call: id, Digit: '5'}))
}

func TestTheEndReleasesEverything(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, events := b.arrive(t, l)
	events.Ended("bye", false)
	b.do(route.Hangup{Call: id}, route.End{Record: route.CallRecord{Call: id, Visit: id}}, route.Music{Call: id})
	if callers, devices := b.Legs(); callers+devices != 0 || b.ports[0].closed != 1 {
		t.Errorf("%d legs left, port closed %d times", callers+devices, b.ports[0].closed)
	}
	want(t, "said", b.said[1:], route.Event(route.CallerHungUp{Call: id}))
}

func (b *bench) Line(order route.DialFar) (string, string, int) {
	return "sip:" + order.To + "@192.0.2.1:5060", "+12025550001", b.line
}

// tapes keeps recordings in a bench.
type tapes struct{ *bench }

func (t tapes) Begin(order route.RecordCall, number string, _ time.Time) (int64, string, error) {
	if number == "" {
		return 0, "", errors.New("the far side has no number")
	}
	t.tapes = append(t.tapes, order)
	return int64(len(t.tapes)), "tape.wav", nil
}

func (t tapes) End(_ int64, result Recorded) { t.ended = append(t.ended, result) }
