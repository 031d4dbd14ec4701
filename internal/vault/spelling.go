package vault

import (
	"cmp"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxLevels = 6  // how often a text may have been escaped
	maxEntity = 10 // bytes of &name; in HTML, at most
)

// spelling is a text without the escapes of URLs, JSON and HTML, whichever of its characters are escaped and however
// often. Backslashes are left out; what they make of a letter is that letter, also where it is not escaped: a line feed
// is n. A space is what + is.
type spelling struct {
	text string
	at   []int32 // for each byte of text, and its end: where in the original it begins; nil: nobody asked
}

// spell goes through text with the places of its bytes, which take more memory than the text, or without them.
func spell(text string, places bool) spelling {
	s := spelling{text: text}
	if places {
		s.at = make([]int32, len(text)+1)
		for i := range s.at {
			s.at[i] = int32(i)
		}
	}
	for range maxLevels {
		next := s.decode()
		shorter := len(next.text) < len(s.text)
		if s = next; !shorter {
			break
		}
	}
	return s
}

// decode takes one level of escapes away.
func (s spelling) decode() spelling {
	var at []int32
	if s.at != nil {
		at = make([]int32, 0, len(s.at))
	}
	b := make([]byte, 0, len(s.text))
	for i := 0; i < len(s.text); {
		was, n := len(b), 1
		switch c := s.text[i]; c {
		case '%':
			b, n = unescaped(b, s.text[i:], 1, 2)
		case '\\':
			b, n = unslashed(b, s.text[i:])
		case '&':
			b, n = unentitled(b, s.text[i:])
		default:
			b = append(b, letterOf(c))
		}
		if s.at != nil {
			for range len(b) - was {
				at = append(at, s.at[i])
			}
		}
		i += n
	}
	if s.at != nil {
		at = append(at, s.at[len(s.text)])
	}
	return spelling{string(b), at}
}

// letterOf is the letter that JSON writes behind a backslash for a character; of others themselves, of + a space.
func letterOf(c byte) byte {
	switch c {
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	case '\b':
		return 'b'
	case '\f':
		return 'f'
	case '+':
		return ' '
	}
	return c
}

// unescaped appends the byte whose hexadecimal digits are at text[from:from+digits], else the first of text.
func unescaped(b []byte, text string, from, digits int) ([]byte, int) {
	if len(text) >= from+digits {
		if n, err := strconv.ParseUint(text[from:from+digits], 16, 8); err == nil {
			return append(b, byte(n)), from + digits
		}
	}
	return append(b, text[0]), 1
}

// unslashed appends what some backslashes and a character stand for.
func unslashed(b []byte, text string) ([]byte, int) {
	n := len(text) - len(strings.TrimLeft(text, `\`))
	if n == len(text) {
		return b, n
	}
	switch rest := text[n:]; rest[0] {
	case 'u':
		r, ok := utf16Unit(rest)
		if !ok {
			break
		}
		if utf16.IsSurrogate(r) {
			low := strings.TrimLeft(rest[5:], `\`)
			if second, ok := utf16Unit(low); ok && utf16.DecodeRune(r, second) != utf8.RuneError {
				return utf8.AppendRune(b, utf16.DecodeRune(r, second)), len(text) - len(low) + 5
			}
		}
		return utf8.AppendRune(b, r), n + 5
	case 'x':
		b, more := unescaped(b, rest, 1, 2)
		return b, n + more
	}
	return append(b, text[n]), n + 1
}

// utf16Unit reads u and four digits.
func utf16Unit(text string) (rune, bool) {
	if len(text) < 5 || text[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[1:5], 16, 16)
	return rune(n), err == nil
}

// unentitled appends the character that an entity of HTML stands for.
func unentitled(b []byte, text string) ([]byte, int) {
	if end := strings.IndexByte(text[:min(len(text), maxEntity)], ';'); end > 0 {
		if plain := html.UnescapeString(text[:end+1]); plain != text[:end+1] {
			return append(b, plain...), end + 1
		}
	}
	return append(b, text[0]), 1
}

// specials are the characters without which a text spells its secrets plainly.
func specials(texts []string) string {
	all := `%\&`
	for _, text := range texts {
		if strings.Contains(text, "+") {
			all += " "
		}
		if strings.Contains(text, " ") {
			all += "+"
		}
	}
	return all
}

// maskSpelled takes out the spelled secrets, each as it is in spelling.text.
func maskSpelled(text string, secrets []string) string {
	plain := spell(text, false).text
	if !slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(plain, secret) }) {
		return text
	}
	s := spell(text, true)
	var found [][2]int32 // from and to in the original
	for _, secret := range secrets {
		for from := 0; ; {
			at := strings.Index(s.text[from:], secret)
			if at < 0 {
				break
			}
			at += from
			from = at + len(secret)
			found = append(found, [2]int32{s.at[at], s.at[from]})
		}
	}
	slices.SortFunc(found, func(a, b [2]int32) int { return cmp.Compare(a[0], b[0]) })
	var b strings.Builder
	done := int32(0)
	for _, span := range found {
		if span[0] >= done {
			b.WriteString(text[done:span[0]])
			b.WriteString(Mask)
		}
		done = max(done, span[1])
	}
	b.WriteString(text[done:])
	return b.String()
}
