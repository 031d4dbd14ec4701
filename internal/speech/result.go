package speech

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// longest is later than anything in a call: an engine that names such a time is wrong.
const longest = 12 * time.Hour

// clean makes an engine's text one line of printable characters, cut to MaxText.
func clean(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(text) <= MaxText {
		return text
	}
	cut := MaxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.TrimSpace(text[:cut])
}

// share bounds a confidence to 0 to 1; what is no number is 0.
func share(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

// judge fills in what the words say of the whole.
func (r *Result) judge() {
	if len(r.Words) == 0 {
		return
	}
	sum := 0.0
	r.Start, r.End = r.Words[0].Start, r.Words[0].End
	for i := range r.Words {
		w := &r.Words[i]
		w.End = max(w.Start, w.End)
		r.Start, r.End = min(r.Start, w.Start), max(r.End, w.End)
		sum += w.Conf
	}
	r.Conf = sum / float64(len(r.Words))
}
