// Package transcript works on what was recognised of a call: it masks runs of digits that could be card numbers, finds
// the moments that a call center asked for, estimates a mood, and draws up a summary of extracts
// (docs/reference/transcripts.md).
//
// It refuses to know engines, audio and clocks, and to judge people: a mood is an estimate of the customer's words, and
// there is none of an operator's.
package transcript

import "time"

// Leg is one side of a call.
type Leg string

// The legs.
const (
	Customer Leg = "customer" // the side that is not an operator's, whoever called
	Operator Leg = "operator"
)

// Line is something that one side said in one go, or a gap. Times are from the start of the conversation.
type Line struct {
	Leg        Leg           `json:"leg"`
	Start      time.Duration `json:"start"`
	End        time.Duration `json:"end"`
	Text       string        `json:"text,omitzero"`
	Words      []Word        `json:"words,omitzero"` // none where the engine does not tell
	Confidence float64       `json:"confidence"`     // 0 to 1; 0 where the engine does not tell
	Gap        string        `json:"gap,omitzero"`   // not "": nothing was heard, for this reason
}

// Word is one word of a line.
type Word struct {
	Text       string        `json:"text"`
	Start      time.Duration `json:"start"`
	End        time.Duration `json:"end"`
	Confidence float64       `json:"confidence"`
}
