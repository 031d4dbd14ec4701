package route

import (
	"time"

	"switchboard/internal/callcenter"
)

// CallID names a caller's whole visit. The host picks it (random, below 2^52) and never twice.
type CallID int64

// LegID names one ringing of one device for one call. N counts within the call, from 1.
type LegID struct {
	Call CallID
	N    int
}

// Event is a fact that the host tells the machine. The concrete types are below; anything else panics.
type Event interface{ event() }

// CenterChanged gives the whole call center after it was created or changed. At start-up every center arrives so.
// Timezone in its Settings is never empty: the host has filled in the office's.
type CenterChanged struct {
	Center *callcenter.Center
	Desk   bool // it stands for a person's own number, and is among no call centers that are shown
}

// CenterDeleted says that a call center is gone: waiting callers get its fallback, talking calls finish.
type CenterDeleted struct{ ID callcenter.ID }

// OperatorChanged gives what the machine needs to know of a person, after any of it changed. It never changes duty of
// a person already known; for a new one, Duty holds.
type OperatorChanged struct{ Operator Operator }

// OperatorDeleted says that a person is gone.
type OperatorDeleted struct{ ID callcenter.OperatorID }

// Operator is a person as the machine sees them.
type Operator struct {
	ID           callcenter.OperatorID
	Name         string
	Active       bool
	DoNotDisturb bool
	Devices      []Device // in id order
	Duty         callcenter.Duty
	FirstName    string // with LastName: how the directory spells them
	LastName     string // both empty: the last word of Name is the last name
	Extension    string // digits; "": none
}

// Device is one phone of an operator. Static ones are reachable until a call to them fails, registered ones while
// their registration lasts: DeviceReachable tells.
type Device struct {
	ID     callcenter.DeviceID
	Static bool
}

// DutySet says that somebody put an operator on or off duty. A reason of an operator who goes on duty is dropped.
type DutySet struct {
	Operator  callcenter.OperatorID
	On        bool
	Reason    string
	ChangedBy string
}

// DeviceReachable says that a device registered, or lost its registration.
type DeviceReachable struct {
	Operator  callcenter.OperatorID
	Device    callcenter.DeviceID
	Reachable bool
}

// CallArrived says that an INVITE came in. Center is 0 when the dialled number belongs to no call center.
type CallArrived struct {
	Call   CallID
	Center callcenter.ID
	From   string // the caller's number or SIP user, "" when withheld
	To     string // the dialled number
}

// CallerHungUp says that the caller left: CANCEL, BYE, or (Lost) a dead dialog, which they did not mean.
type CallerHungUp struct {
	Call CallID
	Lost bool
}

// CallFailed says that the host could not go on with a call (no common codec, no port left, an internal error).
type CallFailed struct {
	Call   CallID
	Reason string
}

// Digit says that the caller pressed a key: one of 0-9 * #.
type Digit struct {
	Call  CallID
	Digit byte
}

// PlayDone says that a Play ended by itself. One that was stopped or replaced reports nothing.
type PlayDone struct {
	Call CallID
	Play int // Play.ID
}

// LegRinging says that a device rings (180 or 183).
type LegRinging struct{ Leg LegID }

// LegAnswered says that a device answered (200). The machine answers with Bridge or HangupLeg.
type LegAnswered struct{ Leg LegID }

// LegFailed says that a device gave a final refusal, or could not be reached. Status is the SIP status; a transport
// error is 503, no answer at all 408.
type LegFailed struct {
	Leg    LegID
	Status int
}

// LegHungUp says that an answered device hung up.
type LegHungUp struct{ Leg LegID }

// RecordingEnded says that a voicemail is complete on disk, or was discarded because it was shorter than 2 s.
type RecordingEnded struct {
	Call     CallID
	Duration time.Duration
	Kept     bool
	Err      string // not empty: the disk failed; Kept is false
}

// WrapUpEnded says that an operator ended wrap-up early.
type WrapUpEnded struct{ Operator callcenter.OperatorID }

// WrapUpExtended says that an operator asked for Extra more time, once per wrap-up and at most what the call center
// allows; 0: all of that.
type WrapUpExtended struct {
	Operator callcenter.OperatorID
	Extra    time.Duration
}

// PromptsUploaded says which prompts of a call center are uploads now, all of them. Some are only played as uploads
// (PromptGreeting), so the machine has to know. Uploads for its office are among them.
type PromptsUploaded struct {
	Center  callcenter.ID
	Prompts []Prompt
}

// OperatorDigit says that an operator pressed a key while talking: one of 0-9 * #.
type OperatorDigit struct {
	Leg   LegID
	Digit byte
}

// RouterAnswered is what a call router said, or that it failed: Err is not empty then. A router that does not exist or
// is switched off failed too.
type RouterAnswered struct {
	Call          CallID
	Answer        RouterAnswer
	Err           string
	DefaultTarget callcenter.Target // the router's, on every answer: an answer may name a target that does not exist
}

// RouterAnswer is one instruction of a call router.
type RouterAnswer struct {
	Action    RouterAction
	Target    callcenter.Target // route
	ForwardTo string            // forward: E.164
	Message   string            // ask, end: text to say
	HintName  string            // ask: under which name the digits come back
	NumDigits int               // ask
}

// RouterAction is one of the constants below.
type RouterAction string

// What a call router can ask for.
const (
	RouterRoute   RouterAction = "route"
	RouterForward RouterAction = "forward"
	RouterAsk     RouterAction = "ask"
	RouterEnd     RouterAction = "end"
)

// CallbackAsked asks, through the API, that a number be called back in its turn. It is answered by CallbackDecided.
type CallbackAsked struct {
	Call   CallID // of the callback: the host picks it
	Center callcenter.ID
	Number string // E.164
	DryRun bool   // only say what would be decided
}

// CallAsked asks that an operator's phone be rung and then, when they answer, the number.
type CallAsked struct {
	Call     CallID
	Operator callcenter.OperatorID
	Center   callcenter.ID // on whose behalf; 0: nobody's
	To       string        // E.164
	CallerID string        // "": the center's or operator's number; CallerIDBlocked: withheld
}

// RestoreCallback gives back a callback that was saved before the process stopped. The host gives all of them after the
// call centers, in the order in which they were first saved, and before any call.
type RestoreCallback struct{ Callback Callback }

// RestorePlace gives back the place in the line of a caller who was lost with the process, for PlaceKept from Lost.
type RestorePlace struct {
	Place Place
	Lost  time.Time // when the process that had the call last lived; zero: now
}

// RestoreFigures gives back what a center's calls came to before the process stopped. The host gives them after the
// call centers and before any call.
type RestoreFigures struct{ Figures Figures }

// RestoreTalk gives back an operator's last call on behalf of a call center before the process stopped. The host gives
// it after the operators and before any call.
type RestoreTalk struct {
	Operator callcenter.OperatorID
	Ended    time.Time
	WrapUp   time.Time     // when the wrap-up after it is, or was, over
	Extend   time.Duration // how much longer it may still be made
}

// FarAnswered says that the number of a DialFar answered.
type FarAnswered struct{ Call CallID }

// FarFailed says that the number of a DialFar refused or could not be reached. Status is the SIP status.
type FarFailed struct {
	Call   CallID
	Status int
}

// RecordingSet pauses (On false) or resumes (On true) the recording of an operator's call. A call that is not recorded
// is not recorded by it either: nobody was told.
type RecordingSet struct {
	Operator callcenter.OperatorID
	On       bool
}

// VoiceSet pauses (On false) or resumes or begins (On true) the voice analysis of an operator's call.
type VoiceSet struct {
	Operator callcenter.OperatorID
	On       bool
}

// HangupAsked ends a call by API.
type HangupAsked struct{ Call CallID }

// Draining says that the process stops: no new calls (503), waiting and ringing ones are ended, talking ones go on.
type Draining struct{}

// Tick says that time passed: the host sends it when Next is due.
type Tick struct{}

func (CenterChanged) event()   {}
func (CenterDeleted) event()   {}
func (OperatorChanged) event() {}
func (OperatorDeleted) event() {}
func (DutySet) event()         {}
func (DeviceReachable) event() {}
func (CallArrived) event()     {}
func (CallerHungUp) event()    {}
func (CallFailed) event()      {}
func (Digit) event()           {}
func (PlayDone) event()        {}
func (LegRinging) event()      {}
func (LegAnswered) event()     {}
func (LegFailed) event()       {}
func (LegHungUp) event()       {}
func (RecordingEnded) event()  {}
func (WrapUpEnded) event()     {}
func (WrapUpExtended) event()  {}
func (PromptsUploaded) event() {}
func (OperatorDigit) event()   {}
func (RouterAnswered) event()  {}
func (CallbackAsked) event()   {}
func (CallAsked) event()       {}
func (RestoreCallback) event() {}
func (RestorePlace) event()    {}
func (RestoreFigures) event()  {}
func (RestoreTalk) event()     {}
func (FarAnswered) event()     {}
func (FarFailed) event()       {}
func (RecordingSet) event()    {}
func (VoiceSet) event()        {}
func (HangupAsked) event()     {}
func (Draining) event()        {}
func (Tick) event()            {}
