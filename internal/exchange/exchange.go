// Package exchange performs the core's orders on real legs and audio ports, and tells the core what became of them. It
// is where signalling and media meet: both are handed in behind the interfaces below.
//
// It refuses to decide: who rings, what is played and when a call ends is ordered by route. It never blocks, and keeps
// no rule but those of the wire (a codec must be found, a port must be free).
package exchange

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/route"
	"switchboard/internal/voice"
)

// Leg is a signalling dialog. None of its methods blocks.
type Leg interface {
	Progress()                         // 180
	Answer(sdp []byte)                 // 200
	Refuse(status int, retryAfter int) // final refusal
	Hangup(elsewhere bool)             // CANCEL, BYE or 487, whichever the state calls for
}

// Caller is an incoming leg with what its INVITE said.
type Caller interface {
	Leg
	Offer() []byte // SDP
	From() string
	To() string
	Source() netip.AddrPort
}

// Events are the facts of one leg, told in order from the leg's goroutine.
type Events interface {
	Ringing(sdp []byte)
	Answered(sdp []byte)
	Failed(status int)
	Ended(reason string, lost bool)
	Digit(digit byte)
	Offer(sdp []byte) (answer []byte, status int)
}

// Phones invites devices. Facing is the address that a device's INVITE goes to; invalid: the device cannot be reached.
type Phones interface {
	Facing(device Device) netip.Addr
	Invite(device Device, from string, sdp []byte, events Events) Leg
}

// Device is what to ring: Contact is set for static devices, ID for registered ones.
type Device struct {
	ID      callcenter.DeviceID
	Contact string
}

// Negotiator agrees on audio with the far side (RFC 3264).
type Negotiator interface {
	// Offer is our offer to a far side at the address (invalid: unknown), with the codec of like first, when like is
	// not nil.
	Offer(like Port, far netip.Addr) []byte
	Accept(offer []byte) (answer []byte, err error)
	Complete(answer []byte) error
}

// Player sends audio.
type Player interface {
	Play(clips [][]byte, done func())
	Loop(center callcenter.ID)
	Ringback()
	Silence()
}

// Port is one leg's audio. None of its methods blocks.
type Port interface {
	Negotiator
	Player
	Connect(to Port)
	InfoDigit(digit byte) // a key that came as SIP INFO
	Record(path string, limit time.Duration, done func(length time.Duration, err error)) error
	StopRecord()
	// RecordWith records the far sides of two ports in stereo, this one's left, until Stop or the end of either.
	RecordWith(right Port, path string, done func(Recorded)) (Tape, error)
	// ListenWith lets l hear the far sides of two ports, this one's as the customer, until Stop or the end of either.
	ListenWith(operator Port, l Listener) (Ear, error)
	Close()
}

// Tape is a recording of a call.
type Tape interface {
	Pause(on bool)
	Stop()
}

// Ear is what listens to a call.
type Ear interface {
	Pause(on bool)
	Stop()
}

// Listener hears what the two sides of a call say, from a goroutine of the media that must not be blocked: Ended comes
// last. Times are since the beginning of listening.
type Listener interface {
	Frame(leg voice.Leg, at time.Duration, pcm []int16) // 8 kHz; never in a pause or on hold
	Turn(at time.Duration, state voice.State)
	Tick(at time.Duration)
	Ended(at time.Duration, dropped uint64)
}

// Recorded says what became of a recording.
type Recorded struct {
	Length time.Duration
	Lost   uint64 // frames that the disk was too slow for: silence
	Err    error
}

// Ports opens audio ports. Digit, once a key press however it came, and silent are called from the media's goroutines
// and must not block.
type Ports interface {
	Open(digit func(byte), silent func()) (Port, error)
}

// Prompts turns a phrase into clips of G.711 mu-law, 8 kHz. Prepare sees to it that a text can be spoken: it may wait
// for seconds, and is not called where calls would wait with it.
type Prompts interface {
	Clips(phrase route.Phrase) [][]byte
	Prepare(text string)
}

// Directory knows who is reached how, as the settings stand now.
type Directory interface {
	CenterOf(number string) (callcenter.ID, bool)
	Contact(device callcenter.DeviceID) (contact string, static bool)
}

// Mailbox keeps voicemails. Begin names the file to record to.
type Mailbox interface {
	Begin(order route.Record, at time.Time) (path string, err error)
	End(call route.CallID, length time.Duration, kept bool)
}

// Recordings keeps recordings of calls. Begin names the file to record to and an id for End; number is the far side's.
type Recordings interface {
	Begin(order route.RecordCall, number string, at time.Time) (id int64, path string, err error)
	End(id int64, result Recorded)
}

// Voices keeps the figures of conversations. Begin gives who listens to one; number is the far side's.
type Voices interface {
	Begin(order route.StartVoice, number string, at time.Time) Listener
}

// Lines leads to the telephone network. Line says where a number is called and under which number of ours (withheld:
// ""); a status other than 0 refuses the call.
type Lines interface {
	Line(order route.DialFar) (to, from string, status int)
}

// Routers asks call routers. The answer comes once, from another goroutine, with the router's default target; its Err
// says why there is none.
type Routers interface {
	Ask(order route.AskRouter, answered func(route.RouterAnswered))
}

// Config is what an exchange needs. Say tells the core a fact; it must not block.
type Config struct {
	Say        func(route.Event)
	Phones     Phones
	Ports      Ports
	Prompts    Prompts
	Directory  Directory
	Mailbox    Mailbox
	Recordings Recordings
	Lines      Lines
	Routers    Routers // nil: none can be asked
	Voices     Voices  // nil: nobody listens
	Log        *slog.Logger
}

// MinVoicemail is the shortest message that is kept; a shorter one is a caller who thought better of it.
const MinVoicemail = 2 * time.Second

// Exchange holds the legs and ports of all calls of one company.
type Exchange struct {
	cfg Config

	mu    sync.Mutex
	calls map[route.CallID]*call
	rung  map[route.LegID]*rung
}

// call is the side of a call that is not an operator's: of who called us, or of a number that we called.
type call struct {
	id     route.CallID
	leg    Leg
	number string     // of the far side; "": withheld
	at     netip.Addr // where it is
	port   Port       // nil: none could be opened
	answer []byte     // our SDP, for the 200
	refuse int        // the status that says best why audio failed; 0: what the core orders
	tape   Tape       // nil: not recorded; only Perform uses it
	ear    Ear        // nil: not listened to; likewise
	dialed bool       // we called
	talks  bool       // of a dialed one: it answered; guarded by the exchange's lock
}

// rung is one device's side.
type rung struct {
	id   route.LegID
	leg  Leg
	port Port
	far  netip.Addr
}

// New returns an exchange without calls.
func New(cfg Config) *Exchange {
	if cfg.Routers == nil {
		cfg.Routers = noRouters{}
	}
	return &Exchange{cfg: cfg, calls: map[route.CallID]*call{}, rung: map[route.LegID]*rung{}}
}

// Incoming takes a new caller: it gives the visit its id, finds out whether there can be audio, and tells the core. The
// events returned are those of this leg; the caller of Incoming must deliver none before Incoming has returned.
func (x *Exchange) Incoming(leg Caller) Events {
	c := &call{id: engine.NewCallID(), leg: leg, number: leg.From(), at: leg.Source().Addr()}
	events := &callerEvents{exchange: x, call: c}
	x.openFor(c, leg.Offer())
	x.mu.Lock()
	x.calls[c.id] = c
	x.mu.Unlock()
	center, _ := x.cfg.Directory.CenterOf(leg.To())
	x.cfg.Say(route.CallArrived{Call: c.id, Center: center, From: leg.From(), To: leg.To()})
	if c.refuse != 0 {
		x.cfg.Say(route.CallFailed{Call: c.id, Reason: refusalReason(c.refuse)})
	}
	return events
}

// openFor opens the caller's port and answers the offer. Where that fails, the call is refused with the SIP status that
// says why: 503 no port is free, 488 no codec in common (RFC 3261, section 21.4.26).
func (x *Exchange) openFor(c *call, offer []byte) {
	port, err := x.openCallPort(c)
	if err != nil {
		x.cfg.Log.Warn("no audio port for a caller", "call", c.id, "error", err)
		c.refuse = 503
		return
	}
	if len(offer) == 0 {
		// a late offer: ours goes out in the 200, the answer comes in the ACK
		c.answer = port.Offer(nil, c.at)
	} else if c.answer, err = port.Accept(offer); err != nil {
		x.cfg.Log.Info("no common codec with a caller", "call", c.id, "error", err)
		port.Close()
		c.refuse = 488
		return
	}
	c.port = port
}

func (x *Exchange) openCallPort(c *call) (Port, error) {
	return x.cfg.Ports.Open(
		func(digit byte) { x.cfg.Say(route.Digit{Call: c.id, Digit: digit}) },
		func() { x.callerSilent(c) })
}

func refusalReason(status int) string {
	if status == 488 {
		return "no_codec"
	}
	return "no_port"
}

// Legs counts the legs that are up or being set up: callers with numbers that we called, and rung devices.
func (x *Exchange) Legs() (callers, devices int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.calls), len(x.rung)
}

// HangupAll ends every leg: what is left when a drain ran out of time.
func (x *Exchange) HangupAll() {
	x.mu.Lock()
	legs := make([]Leg, 0, len(x.calls)+len(x.rung))
	for _, c := range x.calls {
		legs = append(legs, c.leg)
	}
	for _, r := range x.rung {
		legs = append(legs, r.leg)
	}
	x.mu.Unlock()
	for _, leg := range legs {
		leg.Hangup(false)
	}
}

func (x *Exchange) call(id route.CallID) (*call, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, ok := x.calls[id]
	return c, ok
}

func (x *Exchange) device(id route.LegID) (*rung, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, ok := x.rung[id]
	return r, ok
}

// drop forgets a rung device; it reports false when that was done before.
func (x *Exchange) drop(r *rung) bool {
	x.mu.Lock()
	_, ok := x.rung[r.id]
	delete(x.rung, r.id)
	x.mu.Unlock()
	if ok {
		r.port.Close()
	}
	return ok
}
