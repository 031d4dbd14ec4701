package transcript

import (
	"fmt"
	"strings"
	"time"

	"github.com/kljensen/snowball/english"
)

// The bounds of moments (docs/reference/transcripts.md, Moments).
const (
	MaxPhrases     = 200 // of a call center
	MaxPhraseWords = 8
	MaxClass       = 32  // characters
	MaxMoments     = 200 // of a call
)

// Phrase is something that a call center wants to hear of.
type Phrase struct {
	Class string `json:"class"` // "cancel", "complaint", "manager", "refund", "legal", or the center's own
	Text  string `json:"phrase"`
}

// UsualPhrases are those of a call center that named none.
var UsualPhrases = []Phrase{
	{"cancel", "cancel"},
	{"cancel", "close my account"},
	{"cancel", "end my contract"},
	{"cancel", "unsubscribe"},
	{"complaint", "complaint"},
	{"complaint", "complain"},
	{"complaint", "not happy"},
	{"complaint", "unacceptable"},
	{"complaint", "disappointed"},
	{"complaint", "waste of time"},
	{"manager", "manager"},
	{"manager", "supervisor"},
	{"manager", "your boss"},
	{"manager", "somebody in charge"},
	{"refund", "refund"},
	{"refund", "money back"},
	{"refund", "chargeback"},
	{"legal", "lawyer"},
	{"legal", "attorney"},
	{"legal", "legal action"},
	{"legal", "sue you"},
	{"legal", "court"},
}

// Check says what is wrong with a phrase; nil: nothing.
func (p Phrase) Check() error {
	words := len(Words(p.Text))
	switch {
	case p.Class == "" || len([]rune(p.Class)) > MaxClass:
		return fmt.Errorf("class: must have 1 to %d characters", MaxClass)
	case words == 0 || words > MaxPhraseWords:
		return fmt.Errorf("phrase: must have 1 to %d words", MaxPhraseWords)
	}
	return nil
}

// Moment is a phrase that was said.
type Moment struct {
	At         time.Duration `json:"at"` // from the start of the conversation
	Leg        Leg           `json:"leg"`
	Class      string        `json:"class"`
	Phrase     string        `json:"phrase"` // as the call center has it
	Confidence float64       `json:"confidence"`
	Engine     string        `json:"engine"`
}

// Finder finds phrases in lines by the stems of their words: "cancelled" is found by "cancel".
type Finder struct {
	engine string
	byStem map[string][]stemmed // by their first stem
	found  int
}

type stemmed struct {
	Phrase
	stems []string
}

// NewFinder prepares phrases; engine is named in the moments.
func NewFinder(phrases []Phrase, engine string) *Finder {
	f := &Finder{engine: engine, byStem: map[string][]stemmed{}}
	for _, p := range phrases {
		if stems := stemsOf(Words(p.Text)); len(stems) > 0 {
			f.byStem[stems[0]] = append(f.byStem[stems[0]], stemmed{p, stems})
		}
	}
	return f
}

func stemsOf(words []string) []string {
	stems := make([]string, len(words))
	for i, w := range words {
		stems[i] = english.Stem(w, false)
	}
	return stems
}

// Find gives the moments of a line, in order; of each class one at a time.
func (f *Finder) Find(line Line) (moments []Moment) {
	words := Words(line.Text)
	stems := stemsOf(words)
	until := map[string]int{} // class: words that are part of one of its moments
	for i, stem := range stems {
		for _, p := range f.byStem[stem] {
			if f.found >= MaxMoments || i < until[p.Class] || !begins(stems[i:], p.stems) {
				continue
			}
			m := Moment{
				At: line.Start, Leg: line.Leg, Class: p.Class, Phrase: p.Text, Confidence: line.Confidence,
				Engine: f.engine,
			}
			if len(line.Words) == len(words) {
				m.At, m.Confidence = line.Words[i].Start, 0
				for _, w := range line.Words[i : i+len(p.stems)] {
					m.Confidence += w.Confidence / float64(len(p.stems))
				}
			}
			moments = append(moments, m)
			until[p.Class] = i + len(p.stems)
			f.found++
		}
	}
	return moments
}

func begins(stems, with []string) bool {
	return len(stems) >= len(with) && strings.Join(stems[:len(with)], " ") == strings.Join(with, " ")
}
