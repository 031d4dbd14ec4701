package directory

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// The bounds of a text that is made for a pattern.
const (
	maxPattern     = 2000 // bytes of the pattern
	maxPatternText = 4096 // characters of the text
)

// matching makes a text that a pattern matches, of a length that is allowed; false: it could not. Patterns are those of
// ECMA-262; what Go's do not have (looking ahead and behind) cannot be made. first is tried before anything else.
func matching(pattern, first string, least, most int) (string, bool) {
	if len(pattern) > maxPattern {
		return "", false
	}
	pattern = asGo(pattern)
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	fits := func(text string) bool {
		length := utf8.RuneCountInString(text)
		return length >= least && length <= most && expression.MatchString(text)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	tries := []string{first, "string", "example", "1"}
	for _, more := range []int{1, 0, 2, 4, 8, least, least / 2} {
		var b strings.Builder
		writePattern(&b, tree, max(0, more))
		tries = append(tries, b.String())
	}
	for _, text := range tries {
		if fits(text) {
			return text, true
		}
	}
	// A pattern without ends leaves room around what it matches.
	for _, text := range tries {
		if padded := sized(text, least, most); fits(padded) {
			return padded, true
		}
	}
	return "", false
}

// asGo writes a pattern of ECMA-262 as Go has it.
func asGo(pattern string) string {
	if rest, found := strings.CutPrefix(pattern, "/"); found && strings.HasSuffix(rest, "/") && len(rest) > 1 {
		pattern = strings.TrimSuffix(rest, "/") // written as in a program
	}
	return strings.NewReplacer(`\/`, "/", `\-`, `\-`, `(?<`, `(?P<`, `(?<=`, `(?<=`, `(?<!`, `(?<!`, `\u00`, `\x`).
		Replace(pattern)
}

// writePattern writes a text for a part of a pattern; more says how often repeats beyond the least are made.
func writePattern(b *strings.Builder, part *syntax.Regexp, more int) {
	if b.Len() > maxPatternText {
		return
	}
	switch part.Op {
	case syntax.OpLiteral:
		b.WriteString(string(part.Rune))
	case syntax.OpCharClass:
		b.WriteRune(oneOf(part.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range part.Sub {
			writePattern(b, sub, more)
		}
	case syntax.OpAlternate:
		writePattern(b, part.Sub[0], more)
	case syntax.OpStar, syntax.OpQuest, syntax.OpPlus, syntax.OpRepeat:
		times := repeats(part, more)
		for range times {
			writePattern(b, part.Sub[0], more)
		}
	}
}

func repeats(part *syntax.Regexp, more int) int {
	switch part.Op {
	case syntax.OpStar:
		return more
	case syntax.OpPlus:
		return max(1, more)
	case syntax.OpQuest:
		return min(1, more)
	}
	if part.Max < 0 {
		return max(part.Min, more)
	}
	return min(max(part.Min, more), part.Max)
}

// oneOf picks a character of a class, given as ranges: a letter or digit where it has one.
func oneOf(ranges []rune) rune {
	for _, wish := range "axA1505_-" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= wish && wish <= ranges[i+1] {
				return wish
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] > ' ' {
			return ranges[i]
		}
	}
	if len(ranges) > 0 {
		return ranges[0]
	}
	return 'x'
}
