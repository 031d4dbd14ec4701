package directory

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// fit says whether a value that a document gives as an example fits its own schema, which is often not so: the value,
// with texts made numbers and the like where that is all that is wrong, and nil where more is. It judges what examples
// get wrong; Problems judges everything.
func (g *generator) fit(n *Schema, value jsontext.Value, depth int) jsontext.Value {
	if n = g.resolve(n); n == nil || depth > maxExampleDepth {
		return value
	}
	value = convert(n, value)
	if !typed(n, value) || !g.listed(n, value) {
		return nil
	}
	switch value.Kind() {
	case '"':
		if !fitsText(n, textOf(value)) {
			return nil
		}
	case '0':
		if !fitsNumber(n, value) {
			return nil
		}
	case '[':
		return g.fitItems(n, value, depth)
	case '{':
		return g.fitMembers(n, value, depth)
	}
	return value
}

// convert mends a value that is of the wrong type only in writing.
func convert(n *Schema, value jsontext.Value) jsontext.Value {
	want := kindOf(n)
	switch {
	case value.Kind() == '"' && (want == "integer" || want == "number" || want == "boolean"):
		text := jsontext.Value(strings.TrimSpace(textOf(value)))
		if _, err := strconv.ParseFloat(string(text), 64); err == nil && text.IsValid() ||
			want == "boolean" && (string(text) == "true" || string(text) == "false") {
			return text
		}
	case want == "string" && (value.Kind() == '0' || value.Kind() == 't' || value.Kind() == 'f') && len(n.Types) == 1:
		return quoted(string(value))
	case want == "integer" && value.Kind() == '0' && bytes.ContainsAny(value, ".eE"):
		if number, err := strconv.ParseFloat(string(value), 64); err == nil && number == math.Trunc(number) {
			return decimal(number)
		}
	case want == "array" && value.Kind() != '[' && value.Kind() != 'n' && len(n.Types) == 1:
		return append(append([]byte{'['}, value...), ']')
	}
	return value
}

func typed(n *Schema, value jsontext.Value) bool {
	if len(n.Types) == 0 {
		return true
	}
	for _, name := range n.Types {
		switch value.Kind() {
		case '{':
			if name == "object" {
				return true
			}
		case '[':
			if name == "array" {
				return true
			}
		case '"':
			if name == "string" || name == "file" {
				return true
			}
		case '0':
			if name == "number" || name == "integer" && !bytes.ContainsAny(value, ".eE") {
				return true
			}
		case 't', 'f':
			if name == "boolean" {
				return true
			}
		}
	}
	return value.Kind() == 'n' && n.Nullable
}

// listed says whether a value is of an enumeration, where there is one.
func (g *generator) listed(n *Schema, value jsontext.Value) bool {
	if n.Const != nil && !sameJSON(n.Const, value) {
		return false
	}
	if len(n.Enum) == 0 {
		return true
	}
	for _, one := range n.Enum {
		if sameJSON(one, value) {
			return true
		}
	}
	return false
}

func sameJSON(a, b jsontext.Value) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := a.Clone(), b.Clone()
	return x.Canonicalize() == nil && y.Canonicalize() == nil && bytes.Equal(x, y)
}

func fitsText(n *Schema, text string) bool {
	length := float64(utf8.RuneCountInString(text))
	if length < limit(n, "minLength", 0) || length > limit(n, "maxLength", math.Inf(1)) {
		return false
	}
	if raw := n.Limits["pattern"]; raw != nil {
		if expression, err := regexp.Compile(textOf(raw)); err == nil && !expression.MatchString(text) {
			return false
		}
	}
	if shape := shapes[n.Format]; shape != nil {
		return shape.MatchString(text)
	}
	return true
}

// shapes are what texts of some formats must look like.
var shapes = map[string]*regexp.Regexp{
	"date-time": regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`),
	"date":      regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
	"uuid":      regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`),
	"email":     regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`),
	"byte":      regexp.MustCompile(`^[A-Za-z0-9+/_-]*={0,2}$`),
	"ipv4":      regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){3}$`),
}

func fitsNumber(n *Schema, value jsontext.Value) bool {
	number, err := strconv.ParseFloat(string(value), 64)
	if err != nil || number < limit(n, "minimum", math.Inf(-1)) || number > limit(n, "maximum", math.Inf(1)) ||
		number <= limit(n, "exclusiveMinimum", math.Inf(-1)) || number >= limit(n, "exclusiveMaximum", math.Inf(1)) {
		return false
	}
	if step := limit(n, "multipleOf", 0); step > 0 {
		times := number / step
		return math.Abs(times-math.Round(times)) < 1e-9
	}
	return true
}

func (g *generator) fitItems(n *Schema, value jsontext.Value, depth int) jsontext.Value {
	items := listOf(value)
	if count := float64(len(items)); count < limit(n, "minItems", 0) || count > limit(n, "maxItems", math.Inf(1)) {
		return nil
	}
	out := []byte{'['}
	for i, item := range items {
		fitted := item
		if n.Items != nil {
			if fitted = g.fit(n.Items, item, depth+1); fitted == nil {
				return nil
			}
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, fitted...)
	}
	return append(out, ']')
}

// fitMembers fits each member; one that does not fit and may be left out is left out, as are those that are read only.
func (g *generator) fitMembers(n *Schema, value jsontext.Value, depth int) jsontext.Value {
	o := objectOf(value)
	known := map[string]*Property{}
	for _, p := range n.Properties {
		known[p.Name] = p
		if p.Required && !o.has(p.Name) && !p.Schema.ReadOnly {
			return nil
		}
	}
	if len(n.OneOf)+len(n.AnyOf) > 0 && !g.fitsOne(n, value, depth) {
		return nil
	}
	out := []byte{'{'}
	for _, name := range o.names {
		member := o.raw(name)
		p := known[name]
		switch {
		case p == nil && n.NoMore:
			continue
		case p == nil && n.Additional != nil && len(n.OneOf)+len(n.AnyOf) == 0:
			if member = g.fit(n.Additional, member, depth+1); member == nil {
				continue
			}
		case p != nil:
			inner := g.resolve(p.Schema)
			if p.Schema.ReadOnly || inner != nil && inner.ReadOnly {
				continue
			}
			if member = g.fit(p.Schema, member, depth+1); member == nil && p.Required {
				return nil
			}
		}
		if member != nil {
			out = appendMember(out, name, member)
		}
	}
	return append(out, '}')
}

func (g *generator) fitsOne(n *Schema, value jsontext.Value, depth int) bool {
	for _, one := range append(append([]*Schema{}, n.OneOf...), n.AnyOf...) {
		if g.fit(one, value, depth+1) != nil {
			return true
		}
	}
	return false
}
