package directory

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// tolerant lets documents in that are sloppy in ways that harm nobody: of two members of one name the last counts.
var tolerant = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// MaxDepth is how deep objects and lists of a document may be inside each other.
const MaxDepth = 200

// object is one level of a JSON object, in the order of the document. The values are parts of the document's text:
// reading a part of a large document costs no copy of it. The nil object has no members.
type object struct {
	names  []string
	values map[string]jsontext.Value
}

// objectOf reads one level; nil: it is no object.
func objectOf(raw jsontext.Value) *object {
	if raw.Kind() != '{' {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), tolerant...)
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	o := &object{values: map[string]jsontext.Value{}}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return o
		}
		name := token.String()
		value, err := dec.ReadValue()
		if err != nil {
			return o
		}
		if _, twice := o.values[name]; !twice {
			o.names = append(o.names, name)
		}
		end := int(dec.InputOffset())
		o.values[name] = raw[end-len(value) : end : end]
	}
	return o
}

// listOf reads the items of a list; none: it is no list.
func listOf(raw jsontext.Value) []jsontext.Value {
	if raw.Kind() != '[' {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), tolerant...)
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	var items []jsontext.Value
	for {
		if kind := dec.PeekKind(); kind == ']' || kind == 0 {
			return items
		}
		value, err := dec.ReadValue()
		if err != nil {
			return items
		}
		end := int(dec.InputOffset())
		items = append(items, raw[end-len(value):end:end])
	}
}

func (o *object) has(name string) bool { return o.raw(name) != nil }

// raw is a member's value; nil: there is none.
func (o *object) raw(name string) jsontext.Value {
	if o == nil {
		return nil
	}
	return o.values[name]
}

func (o *object) object(name string) *object { return objectOf(o.raw(name)) }

func (o *object) list(name string) []jsontext.Value { return listOf(o.raw(name)) }

// text is a member's string, or the number that stands where a string should ("version": 1.0).
func (o *object) text(name string) string { return textOf(o.raw(name)) }

func (o *object) truth(name string) bool { return o.raw(name).Kind() == 't' }

// texts are the strings of a list, or the one string that stands where a list should.
func (o *object) texts(name string) []string {
	if raw := o.raw(name); raw.Kind() == '"' {
		return []string{textOf(raw)}
	}
	var list []string
	for _, item := range o.list(name) {
		if item.Kind() == '"' {
			list = append(list, textOf(item))
		}
	}
	return list
}

func textOf(raw jsontext.Value) string {
	switch raw.Kind() {
	case '"':
		text, err := jsontext.AppendUnquote(nil, raw)
		if err != nil && len(text) == 0 {
			return ""
		}
		return strings.ToValidUTF8(string(text), "\uFFFD")
	case '0':
		return string(raw)
	}
	return ""
}

// quoted is a JSON string.
func quoted(text string) jsontext.Value {
	raw, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		panic("directory: " + err.Error()) // only invalid UTF-8 cannot be quoted
	}
	return raw
}

// encoded is a value of our own types as JSON.
func encoded(value any) jsontext.Value {
	raw, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic("directory: " + err.Error())
	}
	return raw
}

var errDeep = errors.New("has more than " + strconv.Itoa(MaxDepth) + " objects and lists inside each other")

// wellFormed says whether a text is one JSON value and nests no deeper than MaxDepth.
func wellFormed(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), tolerant...)
	for {
		_, err := dec.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case dec.StackDepth() > MaxDepth:
			return errDeep
		}
	}
}

// pointer joins the steps of a JSON pointer (RFC 6901).
func pointer(steps ...string) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteByte('/')
		b.WriteString(escapeStep.Replace(step))
	}
	return b.String()
}

var (
	escapeStep   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapeStep = strings.NewReplacer("~1", "/", "~0", "~")
)
