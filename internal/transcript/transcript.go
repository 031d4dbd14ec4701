// Package transcript works on what was recognised of a call: it masks runs of digits that could be card numbers, finds
// the moments that a call center asked for, estimates a mood, and draws up a summary of extracts
// (docs/reference/speech.md).
//
// It refuses to know engines, audio and clocks, and to judge people: a mood is an estimate of the customer's words, and
// there is none of an operator's.
package transcript
