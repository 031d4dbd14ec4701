package vault

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/flow"
)

// Mask stands where a secret was.
const Mask = "***"

// Redactor takes the secrets of one request out of what is kept of it. The zero value, and nil, take out nothing. Safe
// for concurrent use once made.
type Redactor struct {
	texts    []string
	all      *strings.Replacer
	forms    []string
	spelled  []string // the secrets as spell has them, the longest first
	specials string   // what a text must hold for them to be looked for
}

// add notes every text of a secret's value.
func (r *Redactor) add(value flow.Value) {
	switch value := value.(type) {
	case string:
		r.texts = append(r.texts, value)
	case flow.Map:
		for _, part := range value {
			r.add(part)
		}
		r.texts = append(r.texts, string(flow.Encode(value))) // as it stands in the middle of a text
	case []any:
		for _, part := range value {
			r.add(part)
		}
		r.texts = append(r.texts, string(flow.Encode(value)))
	}
}

func (r *Redactor) build() {
	if len(r.texts) == 0 {
		return
	}
	for _, text := range r.texts {
		r.forms = append(r.forms, formsOf(text)...)
	}
	slices.Sort(r.forms)
	r.forms = slices.Compact(r.forms)
	longestFirst := func(a, b string) int { return cmp.Compare(len(b), len(a)) }
	slices.SortStableFunc(r.forms, longestFirst)
	pairs := make([]string, 0, 2*len(r.forms))
	for _, form := range r.forms {
		pairs = append(pairs, form, Mask)
	}
	r.all = strings.NewReplacer(pairs...)
	for _, text := range r.texts {
		if plain := spell(text, false).text; len(plain) >= MinText {
			r.spelled = append(r.spelled, plain)
		}
	}
	slices.SortStableFunc(r.spelled, longestFirst)
	r.specials = specials(r.texts)
}

// formsOf lists the ways in which an answer may say a text: as it is, in a URL, in JSON, in HTML, in hexadecimal
// digits, and each of these in base64, also in the middle of something longer. Text also finds other mixtures of
// escapes.
func formsOf(text string) []string {
	forms := []string{text, html.EscapeString(text), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	forms = append(forms, hex.EncodeToString([]byte(text)))
	for _, escaped := range []string{url.QueryEscape(text), url.PathEscape(text), escapeAll(text)} {
		forms = append(forms, escaped, lowerEscapes(escaped))
	}
	for _, escapeHTML := range []bool{true, false} {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(escapeHTML)
		if e.Encode(text) == nil {
			escaped := strings.TrimSuffix(b.String(), "\n")
			escaped = escaped[1 : len(escaped)-1]
			forms = append(forms, escaped, strings.ReplaceAll(escaped, "/", `\/`))
		}
	}
	quoted := strconv.QuoteToASCII(text) // as JSON writers do that keep to ASCII
	forms = append(forms, quoted[1:len(quoted)-1])
	for _, form := range slices.Clone(forms) {
		forms = append(forms, inBase64(form)...)
	}
	return forms
}

// escapeAll is what encodeURIComponent makes of a text: a space as %20 and nothing but letters, digits and -_.!~*'().
func escapeAll(text string) string {
	escaped := strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	return strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(escaped)
}

// lowerEscapes writes the digits of %XX small.
func lowerEscapes(text string) string {
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// inBase64 is what stands for a text within the base64 of something longer, at each of the three ways to fall on its
// groups of three, without the characters that also hold bits of its neighbours.
func inBase64(text string) []string {
	var forms []string
	for _, coding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			whole := coding.EncodeToString(append(make([]byte, before), text...))
			first := (before*8 + 5) / 6
			last := (before + len(text)) * 8 / 6
			if last-first >= MinText {
				forms = append(forms, whole[first:last])
			}
		}
	}
	return forms
}

// Text takes the secrets out of a text.
func (r *Redactor) Text(text string) string {
	if r == nil || r.all == nil {
		return text
	}
	if len(r.spelled) > 0 && strings.ContainsAny(text, r.specials) {
		text = maskSpelled(text, r.spelled)
	}
	return r.all.Replace(text)
}

// Value takes the secrets out of a value: of its texts, of the names of members, of numbers. Nothing of it is changed;
// what holds none is given as it is.
func (r *Redactor) Value(value flow.Value) flow.Value {
	if r == nil || r.all == nil {
		return value
	}
	switch value := value.(type) {
	case string:
		return r.Text(value)
	case int64, float64:
		if text := string(flow.Encode(value)); r.all.Replace(text) != text {
			return Mask
		}
	case []any:
		list := make([]any, len(value))
		for i, part := range value {
			list[i] = r.Value(part)
		}
		return list
	case flow.Map:
		object := make(flow.Map, len(value))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			object[r.Text(name)] = r.Value(value[name])
		}
		return object
	}
	return value
}

// Holds says whether a text holds a secret.
func (r *Redactor) Holds(text string) bool { return r.Text(text) != text }

// MaskedHeader says whether the value of a header is never kept, whatever it is: credentials and tokens.
func MaskedHeader(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key":
		return true
	}
	return strings.Contains(name, "token")
}

// Masked is value with Mask for every member of an object that is called as one of fields, maskedFields of a
// definition. Nothing of it is changed.
func Masked(value flow.Value, fields []string) flow.Value {
	if len(fields) == 0 {
		return value
	}
	switch value := value.(type) {
	case []any:
		list := make([]any, len(value))
		for i, part := range value {
			list[i] = Masked(part, fields)
		}
		return list
	case flow.Map:
		object := make(flow.Map, len(value))
		for name, part := range value {
			if object[name] = Masked(part, fields); slices.Contains(fields, name) {
				object[name] = Mask
			}
		}
		return object
	}
	return value
}
