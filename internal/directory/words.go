package directory

import (
	"strings"
	"unicode"
)

// maxWord bounds a word of the index or of a query, in bytes; what is behind it does not count.
const maxWord = 40

// words calls f with the words of a text in lower case: "listAgentStatus" has list, agent and status; "call-centers"
// has call and centers; a version such as v2 is one word.
func words(text string, f func(string)) {
	start := -1
	var before rune
	for i, r := range text {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		switch {
		case !letter:
			word(text, start, i, f)
			start = -1
		case start < 0:
			start = i
		case unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsDigit(before) && i-start > 2),
			unicode.IsUpper(before) && unicode.IsUpper(r) && lowerFollows(text[i:]):
			word(text, start, i, f)
			start = i
		}
		before = r
	}
	word(text, start, len(text), f)
}

// lowerFollows finds the last capital of "HTTPServer": the one that a new word begins with. The plural of an
// abbreviation, as in "listURLs", begins none.
func lowerFollows(text string) bool {
	if len(text) < 2 || text[1] < 'a' || text[1] > 'z' {
		return false
	}
	return text[1] != 's' || len(text) > 2 && text[2] >= 'a' && text[2] <= 'z'
}

func word(text string, start, end int, f func(string)) {
	if start < 0 {
		return
	}
	if end-start > maxWord {
		end = start + maxWord
	}
	f(strings.ToLower(text[start:end]))
}

// verbs are words that mean a method, besides its name.
var verbs = map[string][]string{
	"get": {"GET"}, "list": {"GET"}, "read": {"GET"}, "fetch": {"GET"}, "show": {"GET"}, "find": {"GET"},
	"retrieve": {"GET"}, "create": {"POST"}, "add": {"POST"}, "new": {"POST"}, "make": {"POST"}, "send": {"POST"},
	"post": {"POST"}, "update": {"PATCH", "PUT", "POST"}, "change": {"PATCH", "PUT", "POST"},
	"edit": {"PATCH", "PUT", "POST"}, "set": {"PUT", "PATCH", "POST"}, "modify": {"PATCH", "PUT", "POST"},
	"patch": {"PATCH"}, "put": {"PUT"}, "replace": {"PUT"}, "delete": {"DELETE"}, "remove": {"DELETE"},
	"head": {"HEAD"}, "options": {"OPTIONS"}, "trace": {"TRACE"},
}
