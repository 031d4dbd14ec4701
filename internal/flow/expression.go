package flow

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// The limits of filling in (docs/reference/workflows.md, "Limits").
const (
	MaxFilledWork      = 4 << 20 // bytes of text and values looked at while one input is filled in
	MaxFilledDepth     = 500     // lists and objects within each other in what comes out
	MaxExpressionNests = 8       // ${a.${b.${c}}}: expressions within each other
)

// errFilledTooLarge says that expressions would fill in more than MaxFilledWork or MaxFilledDepth.
var errFilledTooLarge = errors.New("what the expressions fill in is too large or nested too deep")

// lookup gives what an expression may start from: "workflow", a reference name, or "CPEWF_TASK_ID". Values it gives are
// shared, so they must not be written to; inputs of attempts must be given as Plain sees them.
type lookup = func(name string) (Value, bool)

// resolve fills in the expressions of a template, deep in lists and objects; what is too large comes out as nil. What
// comes out may share parts with the values and must not be written to. It is in the form that Fill and Plain take:
// references to secrets are still text. A template that arrives in a value (a task of a dynamic fork, a definition from
// an expression) is resolved in that form, so that it refers to no secret.
func resolve(template Value, roots lookup) Value {
	v, err := resolveWithin(template, roots)
	if err != nil {
		return nil
	}
	return v
}

// resolveMap is resolve for a task's input, which is never nil.
func resolveMap(template Map, roots lookup) (Map, error) {
	v, err := resolveWithin(template, roots)
	if err != nil || v == nil {
		return Map{}, err
	}
	return v.(Map), nil
}

// resolveWithin is resolve with the error that says that the result is too large.
func resolveWithin(template Value, roots lookup) (Value, error) {
	r := resolver{roots: roots, work: work{left: MaxFilledWork}}
	v := r.value(template, 0)
	if r.work.over {
		return nil, errFilledTooLarge
	}
	return v, nil
}

// work is what may still be spent on filling in one template.
type work struct {
	left int
	over bool
}

// spend takes n off and says whether there was as much left.
func (w *work) spend(n int) bool {
	w.left -= n
	w.over = w.over || w.left < 0
	return !w.over
}

type resolver struct {
	roots lookup
	work  work
}

func (r *resolver) value(v Value, depth int) Value {
	if !r.enter(depth) {
		return nil
	}
	switch v := v.(type) {
	case string:
		return r.text(v, depth)
	case []any:
		list := make([]any, len(v))
		for i, member := range v {
			list[i] = r.value(member, depth+1)
		}
		return list
	case Map:
		if v == nil {
			return nil
		}
		object := make(Map, len(v))
		for key, member := range v {
			object[key] = r.value(member, depth+1)
		}
		return object
	}
	return v
}

func (r *resolver) enter(depth int) bool {
	if depth > MaxFilledDepth {
		r.work.over = true
	}
	return r.work.spend(1)
}

// text fills in a string: a lone expression keeps the type of its value, anything else becomes text.
func (r *resolver) text(s string, depth int) Value {
	if !r.work.spend(len(s)) {
		return nil
	}
	if !strings.Contains(s, "${") {
		return s // nothing that could be read as a reference to a secret either
	}
	parts := split(s)
	if len(parts) == 1 && parts[0].expression {
		v, secret := r.expression(parts[0].text, 0)
		if secret != "" {
			return secret
		}
		safe, _ := r.neutral(v, depth)
		return safe
	}
	var out joiner
	for _, p := range parts {
		if !p.expression {
			out.text(p.text)
			continue
		}
		v, secret := r.expression(p.text, 0)
		if secret != "" {
			out.reference(secret)
			continue
		}
		r.join(&out, v)
	}
	return out.String()
}

// join appends a value as text.
func (r *resolver) join(out *joiner, v Value) {
	text := asText(v)
	if r.work.spend(len(text)) {
		out.text(text)
	}
}

// asText is a value within a longer text.
func asText(v Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(Encode(v))
}

// expression finds the value of what stands between ${ and }, or that it refers to a secret.
func (r *resolver) expression(inner string, nests int) (v Value, secret string) {
	dynamic := strings.Contains(inner, "${")
	if dynamic {
		if nests+1 >= MaxExpressionNests {
			return nil, ""
		}
		var b strings.Builder
		for _, p := range split(inner) {
			text := p.text
			if p.expression {
				v, _ := r.expression(p.text, nests+1)
				text = asText(v)
			}
			if !r.work.spend(len(text)) {
				return nil, ""
			}
			b.WriteString(text)
		}
		inner = b.String()
	}
	if strings.TrimSpace(inner) == "" {
		return "", ""
	}
	p, err := parsePath(inner)
	if err != nil {
		return nil, ""
	}
	if p.secret() {
		if dynamic { // a value must not choose a secret
			return nil, ""
		}
		return nil, secretReference(inner)
	}
	root, ok := r.roots(p.root)
	if !ok {
		return nil, ""
	}
	v, _ = p.follow(root, &r.work)
	return v, ""
}

// neutral makes sure that nothing in a value reads as a reference to a secret. It copies only what it must change.
func (r *resolver) neutral(v Value, depth int) (Value, bool) {
	if !r.enter(depth) {
		return nil, true
	}
	s, isText := v.(string)
	if !isText {
		return changed(v, func(member Value) (Value, bool) { return r.neutral(member, depth+1) })
	}
	r.work.spend(len(s))
	safe := escapeSecrets(s)
	return safe, len(safe) != len(s)
}

// part is a stretch of text, or what stands between ${ and }.
type part struct {
	text       string
	expression bool
	at         int // character of the string at which the part begins
	open       bool
}

// split cuts a string into texts and expressions. ${ after another $ is text and loses one of the dollars; ${ that is
// never closed is text, and Check says so.
func split(s string) []part {
	var parts []part
	var text strings.Builder
	characters, counted := 0, 0 // of s up to counted: a long text is counted once
	count := func(end int) int {
		characters += utf8.RuneCountInString(s[counted:end])
		counted = end
		return characters
	}
	textAt, copied := 0, 0
	flush := func(end int) {
		text.WriteString(s[copied:end])
		if text.Len() > 0 {
			parts = append(parts, part{text: text.String(), at: textAt})
			text.Reset()
		}
	}
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '$' {
			continue
		}
		dollars := i
		for i+1 < len(s) && s[i+1] == '$' {
			i++
		}
		if i+1 >= len(s) || s[i+1] != '{' {
			continue
		}
		if i > dollars { // $${: one dollar fewer
			text.WriteString(s[copied:i])
			copied = i + 1
			continue
		}
		flush(i)
		end := closing(s, i+2)
		if end < 0 {
			return append(parts, part{text: s[i:], at: count(i), open: true})
		}
		parts = append(parts, part{text: s[i+2 : end], expression: true, at: count(i)})
		copied, i = end+1, end
		textAt = count(copied)
	}
	flush(len(s))
	return parts
}

// closing finds the } that closes what begins at start; names in quotes may hold braces. It gives -1 if there is none.
func closing(s string, start int) int {
	depth := 0
	var quote byte
	for i := start; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}
