package directory

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// How much of a schema an example shows.
const (
	maxExampleDepth  = 12      // below it only what is required
	maxOptionalDepth = 4       // below it no member that may be left out
	maxExampleBytes  = 1 << 20 // of one example
	maxExampleItems  = 20      // that minItems can ask for
)

// generator makes values that fit schemas (docs/reference/directory.md, "Example values").
type generator struct {
	schemas  map[string]*Schema
	full     bool // with members that may be left out
	above    []string
	unfilled []string // where a value could not be made, as JSON pointers
	bytes    int
}

// resolve follows the reference of a node.
func (g *generator) resolve(n *Schema) *Schema {
	if n != nil && n.Ref != "" {
		return g.schemas[n.Ref]
	}
	return n
}

// value makes a value at a place; nil: none can be made. required says that something must stand there.
func (g *generator) value(n *Schema, at string, required bool) jsontext.Value {
	if n == nil || n.Cut {
		return g.give(at, required, nil)
	}
	given := n
	if n.Ref != "" {
		if slices.Contains(g.above, n.Ref) || len(g.above) > maxExampleDepth && !required {
			return g.give(at, required, nil)
		}
		g.above = append(g.above, n.Ref)
		defer func() { g.above = g.above[:len(g.above)-1] }()
		n = g.schemas[n.Ref]
		if n == nil {
			return g.give(at, required, nil)
		}
	}
	if g.bytes > maxExampleBytes {
		return g.give(at, required, nil)
	}
	for _, candidate := range g.candidates(given, n) {
		if fitted := g.fit(n, candidate, 0); fitted != nil {
			g.bytes += len(fitted)
			return fitted
		}
	}
	made := g.make(n, at)
	g.bytes += len(made)
	return g.give(at, required, made)
}

// give marks a place that must have a value and has none.
func (g *generator) give(at string, required bool, made jsontext.Value) jsontext.Value {
	if made == nil && required {
		g.unfilled = append(g.unfilled, at)
	}
	return made
}

// candidates are the values that the schema itself gives, in the order of preference.
func (g *generator) candidates(nodes ...*Schema) []jsontext.Value {
	var list []jsontext.Value
	for _, n := range nodes {
		if n.Const != nil {
			list = append(list, n.Const)
		}
		list = append(list, n.Examples...)
		if n.Default != nil && n.Default.Kind() != 'n' {
			list = append(list, n.Default)
		}
	}
	for _, n := range nodes {
		for _, value := range n.Enum {
			if value.Kind() != 'n' {
				list = append(list, value)
				break
			}
		}
	}
	return list
}

// kindOf is the type that a value of the schema gets.
func kindOf(n *Schema) string {
	for _, name := range []string{"object", "array", "integer", "number", "string", "boolean"} {
		if slices.Contains(n.Types, name) {
			return name
		}
	}
	if len(n.Types) == 0 && (len(n.Properties) > 0 || n.Additional != nil) {
		return "object"
	}
	return ""
}

func (g *generator) make(n *Schema, at string) jsontext.Value {
	if alternatives := append(slices.Clone(n.OneOf), n.AnyOf...); len(alternatives) > 0 && kindOf(n) != "array" {
		if made := g.alternative(n, alternatives, at); made != nil {
			return made
		}
	}
	switch kindOf(n) {
	case "object":
		return g.object(n, at, nil)
	case "array":
		return g.array(n, at)
	case "string":
		return g.text(n, at)
	case "integer":
		return number(n, true)
	case "number":
		return number(n, false)
	case "boolean":
		return jsontext.Value("false")
	case "file":
		return jsontext.Value(`""`)
	}
	if slices.Contains(n.Types, "null") || n.Nullable && len(n.Types) == 0 {
		return jsontext.Value("null")
	}
	return jsontext.Value("{}") // anything goes
}

// alternative makes a value of the first alternative that has one, with the members that all of them share.
func (g *generator) alternative(n *Schema, alternatives []*Schema, at string) jsontext.Value {
	for _, one := range alternatives {
		marks := len(g.unfilled)
		made := g.value(one, at, false)
		if made == nil {
			g.unfilled = g.unfilled[:marks]
			continue
		}
		if made.Kind() == '{' {
			return g.object(n, at, g.discriminate(n, one, objectOf(made)))
		}
		if fitted := g.fit(n, made, 0); fitted != nil {
			return fitted
		}
		g.unfilled = g.unfilled[:marks]
	}
	return nil
}

// discriminate writes into an object which alternative it is.
func (g *generator) discriminate(n, chosen *Schema, made *object) *object {
	if n.Discriminator == nil || chosen.Ref == "" || n.Discriminator.Property == "" {
		return made
	}
	says := chosen.Ref
	for _, value := range sortedNames(n.Discriminator.Mapping) {
		if n.Discriminator.Mapping[value] == chosen.Ref {
			says = value
			break
		}
	}
	if !made.has(n.Discriminator.Property) {
		made.names = append(made.names, n.Discriminator.Property)
	}
	made.values[n.Discriminator.Property] = quoted(says)
	return made
}

// object makes an object: what an alternative made of it, then the members that are required, then the others.
func (g *generator) object(n *Schema, at string, made *object) jsontext.Value {
	out := []byte{'{'}
	count := 0
	member := func(name string, value jsontext.Value) {
		out = appendMember(out, name, value)
		count++
	}
	if made != nil {
		for _, name := range made.names {
			member(name, made.raw(name))
		}
	}
	least := limit(n, "minProperties", 0)
	for _, p := range n.Properties {
		inner := g.resolve(p.Schema)
		readOnly := p.Schema.ReadOnly || inner != nil && inner.ReadOnly
		optional := !p.Required && (!g.full || len(g.above) > maxOptionalDepth || strings.Count(at, "/") > maxOptionalDepth)
		deprecated := !p.Required && (p.Schema.Deprecated || inner != nil && inner.Deprecated)
		if readOnly || made.has(p.Name) || (optional || deprecated) && count >= int(least) {
			continue
		}
		if value := g.value(p.Schema, at+pointer(p.Name), p.Required); value != nil {
			member(p.Name, value)
		}
	}
	for i := 1; count < int(min(least, maxExampleItems)) && n.Additional != nil; i++ {
		value := g.value(n.Additional, at+pointer("key"), false)
		if value == nil {
			break
		}
		member("key"+strings.Repeat("_", i-1), value)
	}
	return append(out, '}')
}

func (g *generator) array(n *Schema, at string) jsontext.Value {
	least := min(int(limit(n, "minItems", 0)), maxExampleItems)
	if n.Items == nil {
		return append(append([]byte{'['}, strings.TrimSuffix(strings.Repeat("{},", least), ",")...), ']')
	}
	item := g.value(n.Items, at+"/0", least > 0)
	if item == nil || limit(n, "maxItems", 1) < 1 {
		return jsontext.Value("[]")
	}
	out := append([]byte{'['}, item...)
	inner := g.resolve(n.Items)
	for i := 1; i < least; i++ {
		next := item
		if n.Limits["uniqueItems"] != nil && inner != nil {
			next = another(inner, item, i)
		}
		out = append(append(out, ','), next...)
	}
	return append(out, ']')
}

// another is a value that differs from the first by its number.
func another(n *Schema, first jsontext.Value, i int) jsontext.Value {
	switch {
	case len(n.Enum) > i:
		return n.Enum[i]
	case first.Kind() == '"':
		return quoted(textOf(first) + strconv.Itoa(i))
	case first.Kind() == '0':
		value, _ := strconv.ParseFloat(string(first), 64)
		return decimal(value + float64(i))
	}
	return first
}

// limit is a limit of a schema; otherwise: it has none that is a number.
func limit(n *Schema, name string, otherwise float64) float64 {
	value, err := strconv.ParseFloat(string(n.Limits[name]), 64)
	if err != nil {
		return otherwise
	}
	return value
}

func decimal(value float64) jsontext.Value {
	if value == math.Trunc(value) && math.Abs(value) < 1e15 {
		return strconv.AppendInt(nil, int64(value), 10)
	}
	return strconv.AppendFloat(nil, value, 'g', -1, 64)
}

// number makes the smallest number that is allowed, from 1 on where that is allowed.
func number(n *Schema, whole bool) jsontext.Value {
	least, most := limit(n, "minimum", math.Inf(-1)), limit(n, "maximum", math.Inf(1))
	step := limit(n, "multipleOf", 0)
	small := 1.0
	if !whole && most-least < 4 {
		small = (most - least) / 4
	}
	if over := limit(n, "exclusiveMinimum", math.Inf(-1)); over >= least {
		least = over + max(small, step)
		if whole {
			least = math.Floor(over) + 1
		}
	}
	if under := limit(n, "exclusiveMaximum", math.Inf(1)); under <= most {
		most = under - max(small, step)
	}
	value := min(max(1, least), most)
	if step > 0 {
		value = math.Ceil(value/step) * step
		if value > most {
			value = math.Floor(most/step) * step
		}
	}
	if whole {
		value = math.Ceil(value)
	}
	return decimal(value)
}

// byFormat are values of formats (JSON Schema validation, section 7.3, and OpenAPI's own).
var byFormat = map[string]string{
	"date-time": "2026-01-31T09:30:00Z", "date": "2026-01-31", "time": "09:30:00Z", "duration": "PT30M",
	"uuid": "7b8f3d1e-2c4a-4f6b-9d0e-1a2b3c4d5e6f", "email": "ada@example.com", "idn-email": "ada@example.com",
	"uri": "https://example.com", "url": "https://example.com", "uri-reference": "/example", "iri": "https://example.com",
	"hostname": "example.com", "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ip": "192.0.2.1",
	"ipv6": "2001:db8::1", "byte": "c3RyaW5n", "base64": "c3RyaW5n", "binary": "", "phone": "+14155550123",
	"json-pointer": "/example", "regex": ".*", "int64": "1", "int32": "1", "decimal": "1", "number": "1",
	"unixtime": "1769851800", "timestamp": "2026-01-31T09:30:00Z", "google-datetime": "2026-01-31T09:30:00Z",
	"google-duration": "30s", "uint64": "1", "uint32": "1", "country-code": "US", "currency": "USD",
}

func (g *generator) text(n *Schema, at string) jsontext.Value {
	least, most := int(limit(n, "minLength", 0)), int(limit(n, "maxLength", math.MaxInt32))
	if raw := n.Limits["pattern"]; raw != nil {
		made, ok := matching(textOf(raw), byFormat[n.Format], least, most)
		if !ok {
			g.unfilled = append(g.unfilled, at)
		}
		return quoted(made)
	}
	text, known := byFormat[n.Format]
	if !known {
		text = "string"
	}
	if n.Format == "byte" && least > len(text) {
		return quoted(base64.StdEncoding.EncodeToString(make([]byte, min(least, maxExampleBytes))))
	}
	return quoted(sized(text, least, most))
}

// sized makes a text as long as it must be, and no longer than it may be.
func sized(text string, least, most int) string {
	least = min(least, maxExampleBytes/8)
	if len(text) < least {
		text += strings.Repeat("x", least-len(text))
	}
	return text[:min(len(text), max(most, 0))]
}
