package transcript

import (
	"strings"
	"time"
)

// The bounds of a summary (docs/reference/transcripts.md, Summary).
const (
	LongTurn    = 6 // words: a customer's first line as long as this is taken for the reason
	MaxPromises = 5
	maxExtract  = 300 // characters of one extract
)

// Facts are what is known of a call without its words.
type Facts struct {
	Menu        string        // what the caller chose; "": nothing
	Disposition string        // how the operator closed it; "": not said
	Outcome     string        // of the call
	Length      time.Duration // of the conversation
}

// Summary is drawn up of extracts; nothing in it is anybody's words but those of the call.
type Summary struct {
	Kind     string        `json:"kind"` // always "extractive"
	Reason   string        `json:"reason,omitzero"`
	Menu     string        `json:"menu_choice,omitzero"`
	Close    string        `json:"disposition,omitzero"`
	Outcome  string        `json:"outcome,omitzero"`
	Length   time.Duration `json:"length"`
	Promises []Extract     `json:"promises,omitzero"` // of the operator
	Classes  []Count       `json:"moments,omitzero"`
	Mood     *Mood         `json:"mood,omitzero"` // nil: not asked for, or nothing to go by
}

// Extract is a part of what was said.
type Extract struct {
	At   time.Duration `json:"at"`
	Text string        `json:"text"`
}

// Count is how often there were moments of a class.
type Count struct {
	Class string `json:"class"`
	Times int    `json:"times"`
}

// promises are how one begins.
var promises = [][]string{{"i", "will"}, {"i'll"}, {"we", "will"}, {"we'll"}}

// Summarize draws up a summary. withMood: the center asked for an estimate of the mood.
func Summarize(lines []Line, moments []Moment, facts Facts, withMood bool) Summary {
	s := Summary{
		Kind: "extractive", Menu: facts.Menu, Close: facts.Disposition, Outcome: facts.Outcome, Length: facts.Length,
	}
	for _, line := range lines {
		words := Words(line.Text)
		if line.Leg == Customer && s.Reason == "" && len(words) >= LongTurn {
			s.Reason = extract(line.Text)
		}
		if line.Leg == Operator && len(s.Promises) < MaxPromises && promised(words) {
			s.Promises = append(s.Promises, Extract{line.Start, extract(line.Text)})
		}
	}
	for _, m := range moments {
		s.count(m.Class)
	}
	if withMood {
		s.Mood = MoodOf(lines)
	}
	return s
}

func (s *Summary) count(class string) {
	for i := range s.Classes {
		if s.Classes[i].Class == class {
			s.Classes[i].Times++
			return
		}
	}
	s.Classes = append(s.Classes, Count{class, 1})
}

func promised(words []string) bool {
	for i := range words {
		for _, p := range promises {
			// "will" alone promises nothing: something must be said to be done.
			if len(words[i:]) > len(p) && strings.Join(words[i:i+len(p)], " ") == strings.Join(p, " ") {
				return true
			}
		}
	}
	return false
}

func extract(text string) string {
	runes := []rune(text)
	if len(runes) <= maxExtract {
		return text
	}
	return strings.TrimSpace(string(runes[:maxExtract])) + "…"
}
