package transcript

import (
	"strings"
	"time"
	"unicode"
)

// The rules of masking (docs/reference/transcripts.md, Masking). Each is tested at its edge.
const (
	CardDigits = 12               // a run of so many digits is masked: the shortest card numbers have as many
	LiveDigits = 3                // what is not certain yet shows no run as long as this
	between    = 2                // words that may stand between two digits of one run: misheard or filling
	HoldLines  = 12               // a run goes over at most so many lines
	HoldTime   = 30 * time.Second // and goes on after a pause of at most this
	Mask       = "[masked]"
)

// digitWords are the digits that a word stands for.
var digitWords = map[string]int{
	"zero": 1, "oh": 1, "o": 1, "one": 1, "two": 1, "three": 1, "four": 1, "five": 1, "six": 1, "seven": 1, "eight": 1,
	"nine": 1, "niner": 1,
	"ten": 2, "eleven": 2, "twelve": 2, "thirteen": 2, "fourteen": 2, "fifteen": 2, "sixteen": 2, "seventeen": 2,
	"eighteen": 2, "nineteen": 2,
}

var tens = map[string]bool{
	"twenty": true, "thirty": true, "forty": true, "fifty": true, "sixty": true, "seventy": true, "eighty": true,
	"ninety": true,
}

// times are words that repeat the next digit.
var times = map[string]int{"double": 2, "triple": 3, "treble": 3}

// homophones sound like a digit: between digits they are one.
var homophones = map[string]bool{
	"to": true, "too": true, "for": true, "fore": true, "ate": true, "won": true, "tree": true, "sex": true, "night": true,
	"knight": true, "heaven": true, "hey": true,
}

// Masker masks what one leg says. Lines that may be the beginning of a run wait until it is known how that goes on.
type Masker struct{ held []Line }

// Add takes the next line and gives those that are certain now, masked.
func (m *Masker) Add(line Line) (ready []Line) {
	if n := len(m.held); n > 0 && (n >= HoldLines || line.Start-m.held[n-1].End > HoldTime) {
		ready = m.Flush()
	}
	m.held = append(m.held, line)
	tokens := tokensOf(m.held)
	runs := runsOf(tokens)
	mask(m.held, tokens, runs, CardDigits)
	keep := len(m.held)
	if n := len(runs); n > 0 && len(tokens)-runs[n-1].to <= between {
		keep = tokens[runs[n-1].from].line
	}
	ready = append(ready, m.held[:keep]...)
	m.held = append([]Line(nil), m.held[keep:]...)
	return ready
}

// Flush gives the lines that wait: nothing follows them.
func (m *Masker) Flush() (ready []Line) {
	ready, m.held = m.held, nil
	return ready
}

// Waits says since when, in the call, something waits; false: nothing does.
func (m *Masker) Waits() (since time.Duration, waits bool) {
	if len(m.held) == 0 {
		return 0, false
	}
	return m.held[len(m.held)-1].End, true
}

// MaskLive masks a text that may still change, so that not even a part of a number is seen.
func MaskLive(text string) string {
	lines := []Line{{Text: text}}
	tokens := tokensOf(lines)
	mask(lines, tokens, runsOf(tokens), LiveDigits)
	return lines[0].Text
}

// token is one word of a line's text.
type token struct {
	line, place int
	digits      int  // that it stands for
	weak        bool // only between digits
	repeats     int  // how often the next digit is meant
}

func tokensOf(lines []Line) (tokens []token) {
	for i, line := range lines {
		afterTens := false
		for place, word := range strings.Fields(line.Text) {
			t := token{line: i, place: place}
			t.digits, t.weak, t.repeats = meaning(strings.ToLower(word))
			if afterTens && t.digits == 1 {
				t.digits = 0 // forty two is 42: two digits in all
				t.weak = true
			}
			afterTens = tens[bare(strings.ToLower(word))]
			tokens = append(tokens, t)
		}
	}
	return tokens
}

func bare(word string) string { return strings.TrimFunc(word, unicode.IsPunct) }

func meaning(word string) (digits int, weak bool, repeats int) {
	if word == Mask {
		return CardDigits, false, 0 // what follows it belongs to the number: its date, its check digits
	}
	core := bare(word)
	if n := digitWords[core]; n > 0 {
		return n, false, 0
	}
	if tens[core] {
		return 2, false, 0
	}
	if n := times[core]; n > 0 {
		return 0, true, n
	}
	if homophones[core] {
		return 1, true, 0
	}
	for _, r := range core {
		switch {
		case unicode.IsDigit(r):
			digits++
		case r != '-' && r != '.' && r != ' ':
			// forty-two, or something that is no number
			return hyphened(core), false, 0
		}
	}
	return digits, false, 0
}

// hyphened are the digits of number words joined by hyphens.
func hyphened(word string) (digits int) {
	parts := strings.Split(word, "-")
	for _, part := range parts {
		switch n := digitWords[part]; {
		case tens[part]:
			digits += 2
		case n > 0 && !(n == 1 && digits == 2 && len(parts) == 2):
			digits += n
		case n == 0:
			return 0
		}
	}
	return digits
}

// run is a stretch of tokens that reads as one number: from the first digit to behind the last.
type run struct{ from, to, digits int }

func runsOf(tokens []token) (runs []run) {
	var now *run
	weak, repeats := 0, 0
	for i, t := range tokens {
		switch {
		case t.digits > 0 && !t.weak:
			if now != nil && i-now.to > between+weak {
				runs, now = append(runs, *now), nil
			}
			if now == nil {
				now, weak = &run{from: i}, 0
			}
			now.digits += weak + t.digits*max(1, repeats)
			now.to, weak, repeats = i+1, 0, 0
		case t.weak:
			weak += t.digits
			repeats = t.repeats
		default:
			repeats = 0
		}
	}
	if now != nil {
		runs = append(runs, *now)
	}
	return runs
}

// mask replaces the runs that are long enough, in text and words.
func mask(lines []Line, tokens []token, runs []run, least int) {
	hidden := map[int]map[int]bool{} // line, place
	for _, r := range runs {
		if r.digits < least {
			continue
		}
		for _, t := range tokens[r.from:r.to] {
			if hidden[t.line] == nil {
				hidden[t.line] = map[int]bool{}
			}
			hidden[t.line][t.place] = true
		}
	}
	for i := range lines {
		if hidden[i] != nil {
			lines[i].hide(hidden[i])
		}
	}
}

func (l *Line) hide(places map[int]bool) {
	fields := strings.Fields(l.Text)
	withWords := len(fields) == len(l.Words)
	if !withWords {
		l.Words = nil // it is not known which of them belong to the number
	}
	var text []string
	var words []Word
	for place, field := range fields {
		again := place > 0 && places[place-1]
		switch {
		case !places[place]:
			text = append(text, field)
			if withWords {
				words = append(words, l.Words[place])
			}
		case !again:
			text = append(text, Mask)
			if withWords {
				words = append(words, Word{Text: Mask, Start: l.Words[place].Start, End: l.Words[place].End})
			}
		case withWords:
			words[len(words)-1].End = l.Words[place].End
		}
	}
	l.Text, l.Words = strings.Join(text, " "), words
}
