// Package voice measures a conversation by its sound alone: who speaks when, by the energy of each leg, and from that
// the figures of docs/reference/voice.md: shares of the talk, turns, overlap, dead air, interruptions, response times.
//
// It refuses to know words or who somebody is, to keep sound, to know the time of day, to start a goroutine or to do
// I/O: frames come with their place in the conversation, so the same frames give the same figures.
package voice

import (
	"time"

	"switchboard/internal/audio"
)

// Leg is one side of a conversation.
type Leg int

// The legs. Customer is the side that is not an operator's, whoever called.
const (
	Customer Leg = iota
	Operator
	Legs = 2 // how many there are
)

// State says whether a conversation is listened to.
type State int

// The states.
const (
	Open   State = iota
	Paused       // by an operator: nothing of it is taken
	Held         // one side has put the other on hold
)

// Word is the state as the API and the pages name it; Open is "".
func (s State) Word() string { return [...]string{"", "paused", "held"}[s] }

// The figures of the rules (docs/reference/voice.md). Each is tested at its edge.
const (
	Slot          = 20 * time.Millisecond  // speech is judged so finely
	Onset         = 60 * time.Millisecond  // shorter sounds are clicks
	HangOver      = 240 * time.Millisecond // shorter pauses are within speech
	TurnPause     = time.Second            // a longer pause ends a turn
	ShortReply    = time.Second            // speech of the other side that ends no monologue is shorter in all
	SpokenBefore  = 300 * time.Millisecond // a customer who spoke so long is interrupted by an operator who begins
	DeadAir       = 5 * time.Second        // a silence of both sides that counts
	Lag           = time.Second            // a frame that comes later than this after its time is not counted
	MaxTurns      = 2000                   // kept of a conversation; later ones are in the figures alone
	MaxGaps       = 200                    // likewise of pauses and holds
	MaxLength     = 12 * time.Hour         // what is said later is not measured
	slotFrame     = audio.Rate / 50        // samples of a slot
	onsetSlots    = int64(Onset / Slot)
	hangSlots     = int64(HangOver / Slot)
	turnSlots     = int64(TurnPause / Slot)
	replySlots    = int64(ShortReply / Slot)
	beforeSlots   = int64(SpokenBefore / Slot)
	deadSlots     = int64(DeadAir / Slot)
	lagSlots      = int64(Lag / Slot)
	settledAfter  = onsetSlots + hangSlots // slots after which nothing changes whether there was speech in one
	windowSlots   = 256                    // slots that are kept; a power of two, more than all of the lags together
	longestSlots  = int64(MaxLength / Slot)
	maxFrame      = audio.Rate // samples of one frame
	nanosInSample = time.Second / audio.Rate
)

// Turn is a stretch of speech of one leg, from the start of the conversation, pauses shorter than TurnPause included.
type Turn struct {
	Leg        Leg
	Start, End time.Duration
}

// Gap is a stretch in which nothing was listened to.
type Gap struct {
	State      State // Paused or Held
	Start, End time.Duration
}

// Figures are what a conversation comes to, or has come to so far.
type Figures struct {
	Measured time.Duration // listened to: the conversation without its gaps
	Paused   time.Duration
	Held     time.Duration
	Legs     [Legs]LegFigures

	Overlap       time.Duration // both spoke
	Interruptions int           // by the operator
	Silence       time.Duration // nobody spoke
	DeadAir       time.Duration // of that: in silences of at least DeadAir
	DeadAirs      int
	LongestDead   time.Duration // the longest silence that counts as dead air

	Responses       int           // times that the operator spoke next after the customer had ended
	ResponseTotal   time.Duration // what those took, in all
	LongestResponse time.Duration
}

// LegFigures are those of one side.
type LegFigures struct {
	Talk      time.Duration
	Turns     int
	Monologue time.Duration // the longest
}

// Share is a leg's part of all that was said, 0 to 1; false while nobody said anything.
func (f *Figures) Share(leg Leg) (float64, bool) {
	all := f.Legs[Customer].Talk + f.Legs[Operator].Talk
	if all == 0 {
		return 0, false
	}
	return float64(f.Legs[leg].Talk) / float64(all), true
}

// Response is how long the operator took to answer on average; false: there was no answer.
func (f *Figures) Response() (time.Duration, bool) {
	if f.Responses == 0 {
		return 0, false
	}
	return f.ResponseTotal / time.Duration(f.Responses), true
}

// Report is a conversation as far as it went. Its last second is not judged yet.
type Report struct {
	Figures
	At       time.Duration // as far as it is judged
	State    State
	Speaking [Legs]bool
	Turns    []Turn // in order of their start; one that goes on ends where it has come to
	Gaps     []Gap
	Cut      bool // there were more turns or gaps than are kept
}
