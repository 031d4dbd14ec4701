package flow

import (
	"maps"
	"slices"
	"strings"
)

// A reference to a secret, ${workflow.secrets.NAME} or ${workflow.secrets.NAME.path}, stays text in the stored input of
// an attempt, and only one that the definition itself holds is ever filled in. So that the two can be told apart, the
// number of dollars in front of "{workflow.secrets." tells them: odd, a reference with half of the others before it as
// text; even, text with half of the dollars (docs/reference/workflows.md, "Secrets").
const (
	secretsName   = "secrets"
	secretsMarker = "{workflow.secrets."
)

// SecretRef names a secret, or with a path what is in a secret that is a JSON object.
type SecretRef struct {
	Name string
	Path []string // empty: all of it
}

// secret says whether the path leads to secrets.
func (p path) secret() bool {
	return p.root == "workflow" && len(p.steps) > 0 && p.steps[0].kind == stepName && p.steps[0].name == secretsName
}

// secretReference is the reference with inner between ${ and }, which leads to secrets. Only the one form that
// escapeSecrets looks for is a reference; empty: it is another.
func secretReference(inner string) string {
	names, ok := strings.CutPrefix(inner, secretsMarker[1:])
	if _, length := readReference(names + "}"); !ok || length != len(names)+1 {
		return ""
	}
	return "${" + inner + "}"
}

// escapeSecrets writes text so that Fill and Plain give it back as it is.
func escapeSecrets(text string) string {
	if !strings.Contains(text, "$"+secretsMarker) {
		return text
	}
	var b strings.Builder
	for {
		at := strings.Index(text, secretsMarker)
		if at < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at])
		b.WriteString(text[at-dollarsBefore(text, at) : at])
		b.WriteString(secretsMarker)
		text = text[at+len(secretsMarker):]
	}
}

func dollarsBefore(text string, at int) int {
	n := 0
	for n < at && text[at-n-1] == '$' {
		n++
	}
	return n
}

// joiner puts texts and references to secrets together in the form that Fill and Plain take.
type joiner struct{ done, stretch strings.Builder }

func (j *joiner) text(s string) { j.stretch.WriteString(s) }

func (j *joiner) reference(secret string) {
	stretch := j.stretch.String()
	j.done.WriteString(escapeSecrets(stretch))
	j.done.WriteString(stretch[len(stretch)-dollarsBefore(stretch, len(stretch)):])
	j.done.WriteString(secret)
	j.stretch.Reset()
}

// String is what was put together.
func (j *joiner) String() string { return j.done.String() + escapeSecrets(j.stretch.String()) }

// Plain gives the stored input of an attempt as people, scripts and workers see it: no reference is filled in, and text
// that only looked like one is as it was.
func Plain(stored Value) Value {
	v, err := Fill(stored, nil)
	if err != nil {
		panic("flow: " + err.Error()) // Fill fails only if secret does
	}
	return v
}

// PlainMap is Plain for an object.
func PlainMap(stored Map) Map {
	m, _ := Plain(stored).(Map)
	return m
}

// Fill puts secrets into the stored input of an attempt. A string that is only a reference becomes the value that
// secret gives, others take it up as text. The first error of secret ends it. Nothing of stored is changed.
func Fill(stored Value, secret func(SecretRef) (Value, error)) (Value, error) {
	var failed error
	var fill func(Value) (Value, bool)
	fill = func(v Value) (Value, bool) {
		if failed != nil {
			return nil, false
		}
		s, isText := v.(string)
		if !isText {
			return changed(v, fill)
		}
		if !strings.Contains(s, "$"+secretsMarker) {
			return v, false
		}
		v, failed = fillText(s, secret)
		return v, true
	}
	filled, _ := fill(stored)
	if failed != nil {
		return nil, failed
	}
	return filled, nil
}

func fillText(text string, secret func(SecretRef) (Value, error)) (Value, error) {
	whole := text
	var b strings.Builder
	for {
		at := strings.Index(text, secretsMarker)
		if at < 0 {
			return b.String() + text, nil
		}
		dollars := dollarsBefore(text, at)
		b.WriteString(text[:at-dollars+dollars/2])
		rest := text[at+len(secretsMarker):]
		ref, length := readReference(rest)
		if dollars%2 == 0 || length == 0 {
			b.WriteString(strings.Repeat("$", dollars%2) + secretsMarker)
			text = rest
			continue
		}
		written := "$" + secretsMarker + rest[:length]
		text = rest[length:]
		if secret == nil {
			b.WriteString(written)
			continue
		}
		v, err := secret(ref)
		if err != nil {
			return nil, err
		}
		if whole == written {
			return v, nil
		}
		b.WriteString(asText(v))
	}
}

// readReference reads NAME.path} and says how long it is; 0: it is none.
func readReference(text string) (SecretRef, int) {
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return SecretRef{}, 0
	}
	names := strings.Split(text[:end], ".")
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, notInNames) {
			return SecretRef{}, 0
		}
	}
	return SecretRef{Name: names[0], Path: names[1:]}, end + 1
}

// Secrets lists the references to secrets in the stored input of an attempt, in the order of the names of members.
func Secrets(stored Value) []SecretRef {
	var refs []SecretRef
	var look func(Value)
	look = func(v Value) {
		s, isText := v.(string)
		if !isText {
			each(v, look)
			return
		}
		// what is filled in does not matter, so there is nothing to fail
		_, _ = fillText(s, func(ref SecretRef) (Value, error) {
			refs = append(refs, ref)
			return nil, nil
		})
	}
	look(stored)
	return refs
}

// changed applies change, which says whether it changed anything, to every member of a list or object, and copies it
// only if one of them changed.
func changed(v Value, change func(Value) (Value, bool)) (Value, bool) {
	switch v := v.(type) {
	case []any:
		var list []any
		for i, member := range v {
			if to, other := change(member); other {
				if list == nil {
					list = slices.Clone(v)
				}
				list[i] = to
			}
		}
		if list != nil {
			return list, true
		}
	case Map:
		var object Map
		for key, member := range v {
			if to, other := change(member); other {
				if object == nil {
					object = maps.Clone(v)
				}
				object[key] = to
			}
		}
		if object != nil {
			return object, true
		}
	}
	return v, false
}
