package route

import (
	"time"

	"switchboard/internal/callcenter"
)

// EffectID derives from (company, step, index), so that performing one twice after a crash can be seen.
type EffectID struct {
	Company callcenter.CompanyID
	Step    uint64 // counts the machine's steps
	Index   int    // within the step
}

// Effect is an order to the host. The host performs effects in order and reports results as events.
type Effect struct {
	ID    EffectID
	Order Order
	Why   Why
}

// Why says which rule gave an order and what it weighed, in words a supervisor reads.
type Why struct {
	Rule    string                  // a stable name: "longestidle", "ring_seconds", "queue_full"
	Text    string                  // one sentence: "Ada was idle longest (4m10s)"
	LeftOut []callcenter.OperatorID // candidates that were not eligible
}

// Order is one of the concrete types below.
type Order interface{ order() }

// Progress sends 180 to the caller.
type Progress struct{ Call CallID }

// Refuse sends a final refusal to a caller who was not answered yet. RetryAfter: seconds, 0 for none.
type Refuse struct {
	Call       CallID
	Status     int
	RetryAfter int
}

// Answer sends 200 to the caller. From here on there is audio.
type Answer struct{ Call CallID }

// Play plays phrases to the caller, one after the other, in place of what they hear now, and then reports PlayDone.
type Play struct {
	Call    CallID
	ID      int // counts within the call
	Leg     int // whose device hears it instead of the caller: LegID.N; 0: the caller
	Phrases []Phrase
}

// Phrase is one prompt. Center is whose upload may replace it; Number fills it in where the prompt says one; Text is
// spoken for PromptText.
type Phrase struct {
	Prompt Prompt
	Center callcenter.ID
	Number int
	Text   string
}

// Prompt names what is said: see the Prompt constants.
type Prompt string

// The prompts of a visit. Where an API upload type (custom IVR) exists for one, the name is that type's.
const (
	PromptHoldIntro     Prompt = "HOLD_INTRO"     // all operators are busy, please hold
	PromptHoldPosition  Prompt = "HOLD_POSITION"  // you are number Number in line; above 10: more than ten callers
	PromptHoldEscape    Prompt = "HOLD_ESCAPE_VM" // press Number (10: *, 11: #) to leave a message
	PromptHoldInterrupt Prompt = "HOLD_INTERRUPT" // nobody can take the call any more
	PromptClosed        Prompt = "CLOSED"         // we are closed
	PromptVoicemail     Prompt = "VM_UNAVAILABLE" // leave a message after the tone
	PromptVoicemailFull Prompt = "VM_FULL"        // sorry, no message can be taken now
	PromptMessage       Prompt = "MESSAGE"        // nobody can take the call; goodbye
	PromptDisabled      Prompt = "DISABLED"       // this line is not available
	PromptBeep          Prompt = "BEEP"           // 1 kHz, 400 ms

	PromptGreeting         Prompt = "GREETING"             // only as an upload: before all else, while the center is open
	PromptMenu             Prompt = "MENU"                 // choose from the menu
	PromptMenuOption       Prompt = "MENU_OPTION"          // that is no choice; Number is the key that was pressed
	PromptRecordingNotice  Prompt = "AUTO_RECORDING"       // this call may be recorded
	PromptRecordingPaused  Prompt = "RECORDING_PAUSED"     // to the operator
	PromptRecordingResumed Prompt = "RECORDING_RESUMED"    // to the operator
	PromptVoicePaused      Prompt = "VOICE_PAUSED"         // to the operator
	PromptVoiceResumed     Prompt = "VOICE_RESUMED"        // to the operator
	PromptCallbackOffer    Prompt = "HOLD_CALLBACK"        // press Number to be called back and keep your place
	PromptCallbackConfirm  Prompt = "HOLD_CALLBACK_NUMBER" // we will call Text; 1 confirms, 2 types another number
	PromptCallbackType     Prompt = "HOLD_CALLBACK_TYPE"   // type the number, then #
	PromptCallbackBooked   Prompt = "HOLD_CALLBACK_BOOKED" // we will call you; goodbye
	PromptCallbackRefused  Prompt = "HOLD_CALLBACK_NOT"    // no callback can be taken; you keep your place
	PromptCallbackFor      Prompt = "CALLBACK_FOR"         // to the operator: a callback for Text, who is called now
	PromptDirectory        Prompt = "DIRECTORY"            // spell the name on the keypad, then #
	PromptDirectoryPick    Prompt = "DIRECTORY_PICK"       // for Text press Number
	PromptExtension        Prompt = "EXTENSION"            // enter the extension, then #
	PromptNotFound         Prompt = "NOT_FOUND"            // nobody was found
	PromptText             Prompt = "TEXT"                 // Text, by text-to-speech where there is any

	// As the prompts without CLOSED, to callers who came while the center was closed. Without an upload of their own
	// they are those.
	PromptClosedMenu       Prompt = "CLOSED_MENU"
	PromptClosedMenuOption Prompt = "CLOSED_MENU_OPTION"
	PromptVoicemailClosed  Prompt = "VM_UNAVAILABLE_CLOSED"

	PromptCallbackInvalid Prompt = "HOLD_CALLBACK_INVALID_NUMBER" // that is no number that can be called

	// Only as uploads.
	PromptHoldWait         Prompt = "HOLD_WAIT"                        // when the position is not said again
	PromptCallbackAgain    Prompt = "HOLD_CALLBACK_TRY_AGAIN"          // before a question that was not answered
	PromptCallbackHere     Prompt = "HOLD_CALLBACK_FULFILLED"          // to whom we call back, first
	PromptOperatorReady    Prompt = "HOLD_AGENT_READY"                 // to whom we call back, then
	PromptNextTarget       Prompt = "NEXT_TARGET"                      // when the caller is handed on
	PromptPersonAway       Prompt = "ASK_FIRST_OPERATOR_NOT_AVAILABLE" // before the greeting of a person's box
	PromptDepartment       Prompt = "DEPARTMENT_INTRO"                 // in place of GREETING, from another center
	PromptDepartmentClosed Prompt = "CLOSED_DEPARTMENT_INTRO"          // the same while the center is closed
)

// Music plays hold music to the caller, going on where it stopped.
type Music struct {
	Call   CallID
	Center callcenter.ID
}

// Ringback plays ringback tone to the caller.
type Ringback struct {
	Call CallID
	Leg  int // whose device hears it instead of the caller: LegID.N; 0: the caller
}

// Silence stops what the caller hears.
type Silence struct{ Call CallID }

// Ring invites a device of an operator.
type Ring struct {
	Leg      LegID
	Center   callcenter.ID
	Operator callcenter.OperatorID
	Device   callcenter.DeviceID
	From     string // the caller's number, to show; of a callback or a call of the operator's own, words and a number
}

// CancelLeg ends a ringing: CANCEL, or ACK and BYE when its 200 was already on the way. Elsewhere says that another
// phone took the call.
type CancelLeg struct {
	Leg       LegID
	Elsewhere bool
}

// Bridge connects the caller with an answered leg, both ways, and stops what either of them hears.
type Bridge struct {
	Call CallID
	Leg  LegID
}

// HangupLeg ends an answered leg.
type HangupLeg struct{ Leg LegID }

// Hangup ends the caller's answered dialog, or a DialFar, also one that was not answered yet.
type Hangup struct{ Call CallID }

// Record starts a voicemail; # or Limit ends it and reports RecordingEnded, as StopRecord and a hangup do.
type Record struct {
	Call   CallID
	Center callcenter.ID         // whose box, unless User is set
	User   callcenter.OperatorID // a person's box
	From   string
	Reason string
	Limit  time.Duration
}

// StopRecord ends a voicemail.
type StopRecord struct{ Call CallID }

// AskRouter asks a call router where a caller goes. Digits are those of the last ask, under Hint.
type AskRouter struct {
	Call   CallID
	Router callcenter.RouterID
	Center callcenter.ID
	From   string
	To     string
	Hint   string
	Digits string
}

// DialFar calls a number over a trunk. Leg 0: it is the caller's side of a call (a callback, an operator's own call),
// and FarAnswered or FarFailed say what became of it. Otherwise a caller who is here is forwarded, and it is a leg like
// that of a device: LegRinging, LegAnswered, LegFailed and LegHungUp report on it, CancelLeg, Bridge and HangupLeg
// order it.
type DialFar struct {
	Call CallID
	Leg  int    // LegID.N, or 0
	To   string // E.164
	From string // the caller id; "": that of Center or else of Operator; withheld where neither is given

	Center   callcenter.ID         // whose number is shown where From is empty; 0: none's
	Operator callcenter.OperatorID // the same; 0: none's
}

// CallerIDBlocked is the CallerID of a CallAsked that withholds it.
const CallerIDBlocked = "blocked"

// RecordCall records both sides of a bridged call in stereo, caller left, operator right.
type RecordCall struct {
	Call      CallID
	Leg       LegID
	Center    callcenter.ID
	Operator  callcenter.OperatorID
	Direction string // Inbound or Outbound
}

// PauseCallRecording leaves out what is said from now on, or takes it in again. Paused audio is never written.
type PauseCallRecording struct {
	Call  CallID
	Pause bool
}

// StopCallRecording ends the recording; so does the end of the call.
type StopCallRecording struct{ Call CallID }

// StartVoice listens to both sides of a bridged call for the figures of its conversation, without keeping the sound.
type StartVoice struct {
	Call      CallID
	Leg       LegID
	Center    callcenter.ID
	Operator  callcenter.OperatorID
	Direction string // Inbound or Outbound
}

// PauseVoice leaves out what is said from now on: nothing that listens gets it.
type PauseVoice struct{ Call CallID }

// ResumeVoice listens again.
type ResumeVoice struct{ Call CallID }

// StopVoice ends the listening; so does the end of the call.
type StopVoice struct{ Call CallID }

// Alert tells supervisors about a service level.
type Alert struct {
	Center callcenter.ID
	Kind   AlertKind
	Level  float64 // percent
	Goal   callcenter.Alerts
	Calls  int // that the level is of
	Since  time.Time
	Text   string // one sentence
}

// AlertKind is one of the constants below.
type AlertKind string

// The life of an alert.
const (
	AlertRaised   AlertKind = "raised"
	AlertReminded AlertKind = "reminded"
	AlertCleared  AlertKind = "cleared"
)

// SaveCallback makes a callback durable, new or changed. The host gives it back by RestoreCallback after a restart.
type SaveCallback struct{ Callback Callback }

// DropCallback says that a callback is over; its End follows or went before.
type DropCallback struct{ Call CallID }

// Callback is a place in the line that is kept for somebody who will be called back. Where a caller booked it by a
// key, the machine derived the id of its Call from that of theirs (docs/reference/routing.md, "Callbacks"): the host
// meets it in SaveCallback and then in Ring.
type Callback struct {
	Call     CallID
	Center   callcenter.ID
	Number   string    // E.164, to call
	CallerID string    // the number they had dialled; "": the center's
	Asked    time.Time // when it was booked
	Entered  time.Time // the place: when they entered the line
	Tries    int       // times that the number was called
	After    time.Time // not called before; zero: any time
}

// SavePlace makes the place of a caller in the line durable, so that they have it back when they call again after the
// process died. The host gives it back by RestorePlace.
type SavePlace struct{ Place Place }

// DropPlace says that a saved place is not needed any more.
type DropPlace struct{ Call CallID }

// Place is where a caller stands, or stood, in the line.
type Place struct {
	Call    CallID
	Center  callcenter.ID
	From    string // the caller's number
	Entered time.Time
}

// CallbackDecided answers CallbackAsked.
type CallbackDecided struct {
	Call     CallID
	Position int    // from 1; 0: refused
	Refused  string // why, one of the Refused constants
}

// Why no callback was taken.
const (
	RefusedClosed     = "closed"
	RefusedFull       = "full"
	RefusedNotAllowed = "not_allowed"
	RefusedDuplicate  = "duplicate"
)

// The directions of a call. A callback is an outbound one.
const (
	Inbound  = "inbound"
	Outbound = "outbound"
)

// SetDuty puts an operator on or off duty by a rule. The machine has done so already; the host makes it durable.
type SetDuty struct {
	Operator callcenter.OperatorID
	Duty     callcenter.Duty
}

// Pass closes the books on an entry leg whose caller goes on: the call center Center takes them over with its whole
// flow, as the entry leg Next. The caller's dialog, its legs and Visit stay as they are.
type Pass struct {
	Record CallRecord
	Next   CallID
	Center callcenter.ID
}

// End closes the books on a call. It is the last order of every call, exactly once.
type End struct{ Record CallRecord }

// Warn tells the supervisor something went wrong that no call is told of.
type Warn struct {
	Center callcenter.ID
	Text   string
}

func (Progress) order()           {}
func (Refuse) order()             {}
func (Answer) order()             {}
func (Play) order()               {}
func (Music) order()              {}
func (Ringback) order()           {}
func (Silence) order()            {}
func (Ring) order()               {}
func (CancelLeg) order()          {}
func (Bridge) order()             {}
func (HangupLeg) order()          {}
func (Hangup) order()             {}
func (Record) order()             {}
func (StopRecord) order()         {}
func (AskRouter) order()          {}
func (DialFar) order()            {}
func (RecordCall) order()         {}
func (PauseCallRecording) order() {}
func (StopCallRecording) order()  {}
func (StartVoice) order()         {}
func (PauseVoice) order()         {}
func (ResumeVoice) order()        {}
func (StopVoice) order()          {}
func (Alert) order()              {}
func (CallbackDecided) order()    {}
func (SaveCallback) order()       {}
func (DropCallback) order()       {}
func (SavePlace) order()          {}
func (DropPlace) order()          {}
func (SetDuty) order()            {}
func (Pass) order()               {}
func (End) order()                {}
func (Warn) order()               {}

// Outcome is how a call ended. Every call has exactly one.
type Outcome string

// The outcomes.
const (
	Answered          Outcome = "answered"
	Abandoned         Outcome = "abandoned"
	ShortAbandoned    Outcome = "short_abandoned"
	Voicemail         Outcome = "voicemail"
	Message           Outcome = "message"
	Forwarded         Outcome = "forwarded"
	CallbackRequested Outcome = "callback_requested"
	Rejected          Outcome = "rejected"
	Failed            Outcome = "failed"
)

// Outcomes lists them all, in the order in which tables show them.
var Outcomes = []Outcome{
	Answered, Abandoned, ShortAbandoned, Voicemail, Message, Forwarded, CallbackRequested, Rejected, Failed,
}

// CallRecord is what remains of a call: of one entry leg, where the caller went through several call centers. Zero
// times: it did not come to that.
type CallRecord struct {
	Call      CallID // of the entry leg: the first has the visit's
	Visit     CallID // as the events and orders name the caller
	Center    callcenter.ID
	From      string
	To        string
	Direction string // Inbound or Outbound; the number that is not ours is From of the one, To of the other
	Callback  bool   // somebody who had asked for it was called back, or was not reached
	Outcome   Outcome
	Reason    string // why this outcome: "timeout", "queue_full", "escape", "unknown_number", ...
	Operator  callcenter.OperatorID
	Arrived   time.Time
	Entered   time.Time // the center's queue, or the first offer
	Connected time.Time
	Ended     time.Time
	LeftAt    time.Time // when the caller stopped waiting
	LeftAs    string    // and how: "answered", "abandoned", "short", "rule"
	Offers    []OfferRecord
	Path      []PathStep // the last MaxPath steps, in words
}

// Wait is from entering the center to the answer, or to the end where there was none.
func (r CallRecord) Wait() time.Duration {
	switch {
	case r.Entered.IsZero():
		return 0
	case r.Connected.IsZero():
		return r.Ended.Sub(r.Entered)
	default:
		return r.Connected.Sub(r.Entered)
	}
}

// OfferCall is the id under which the n-th offer of a call (from 1) is known as a call of its own. It derives from the
// call's id alone, so that whoever looks at the call, now or later, finds the same (docs/reference/events.md, "Legs").
func OfferCall(call CallID, n int) CallID {
	// The finisher of SplitMix64: every bit of the input moves half of the output's. The first term keeps these ids
	// apart from those that the machine derives for calls.
	x := uint64(call) ^ 0x6f66666572 + uint64(n)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x = (x ^ x>>31) & (1<<52 - 1)
	return CallID(max(x, 1))
}

// OfferRecord is one operator rung for a call.
type OfferRecord struct {
	Operator callcenter.OperatorID
	At       time.Time
	Until    time.Time
	Result   string // "answered", "declined", "missed", "unreachable", "cancelled"
	Why      string
}
