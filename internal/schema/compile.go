package schema

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// kind is what a value must be. There is one kind a place: JSON's null is a matter of node.nullable.
type kind byte

const (
	kindAny kind = iota // read-only fields: whatever a client sends back
	kindBool
	kindInt // a JSON integer, or a string of one
	kindString
	kindObject
	kindArray
	kindFree // an object with any members, kept as it is
)

// node is one compiled schema.
type node struct {
	kind     kind
	nullable bool
	readOnly bool

	min, max int64  // integers: the value; strings: code points; arrays: items
	bounds   string // min and max in words; "": there are none
	pattern  *regexp.Regexp
	means    string // what the pattern asks for, in words
	enum     []string
	items    *node
	members  map[string]*member
	required []string
}

// member is one property of an object.
type member struct {
	*node
	name     string
	quoted   []byte // the name and its colon, as written out
	required int    // place in the object's required; -1: optional
}

// source is a schema as written. Other keywords are refused.
type source struct {
	Ref          string                    `json:"$ref"`
	Type         types                     `json:"type"`
	Format       string                    `json:"format"`
	Enum         []*string                 `json:"enum"`
	Minimum      *int64                    `json:"minimum"`
	Maximum      *int64                    `json:"maximum"`
	MinLength    *int64                    `json:"minLength"`
	MaxLength    *int64                    `json:"maxLength"`
	Pattern      string                    `json:"pattern"`
	PatternMeans string                    `json:"x-pattern-means"`
	Items        jsontext.Value            `json:"items"`
	MinItems     *int64                    `json:"minItems"`
	MaxItems     *int64                    `json:"maxItems"`
	Properties   map[string]jsontext.Value `json:"properties"`
	Required     []string                  `json:"required"`
	ReadOnly     bool                      `json:"readOnly"`
	Additional   bool                      `json:"additionalProperties"`

	Description jsontext.Value `json:"description"` // these four ask for nothing
	Default     jsontext.Value `json:"default"`
	Examples    jsontext.Value `json:"examples"`
	Deprecated  jsontext.Value `json:"deprecated"`
}

// types reads "string" and ["string", "null"] alike.
type types []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *types) UnmarshalJSON(data []byte) error {
	if jsontext.Value(data).Kind() == '"' {
		*t = types{""}
		return json.Unmarshal(data, &(*t)[0])
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// compiler turns the schemas of one document into nodes.
type compiler struct {
	doc  *document
	open map[string]bool // references being followed, to find circles

	query bool // compiling a parameter: an integer is text in any case, and null does not exist
}

const schemaPrefix = "#/components/schemas/"

// node compiles one schema; at says where it stands, for errors.
func (c *compiler) node(raw jsontext.Value, at string) (*node, error) {
	var src source
	if err := json.Unmarshal(raw, &src, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	if src.Ref != "" {
		return c.follow(src, at)
	}
	n := &node{readOnly: src.ReadOnly, min: math.MinInt64, max: math.MaxInt64}
	if err := n.setKind(src, c.query); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	if err := n.setRules(src); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	switch n.kind {
	case kindObject:
		return n, c.members(n, src, at)
	case kindArray:
		items, err := c.node(src.Items, at+".items")
		if err == nil && (items.nullable || items.readOnly) {
			err = fmt.Errorf("%s.items: may not be null or read-only", at)
		}
		n.items = items
		return n, err
	}
	return n, nil
}

// follow compiles what a $ref names. Only a description may stand beside it.
func (c *compiler) follow(src source, at string) (*node, error) {
	ref := src.Ref
	if alone := (source{Ref: ref, Description: src.Description}); !equalSource(alone, src) {
		return nil, fmt.Errorf("%s: only a description may stand beside $ref", at)
	}
	name, ok := strings.CutPrefix(ref, schemaPrefix)
	raw, known := c.doc.Components.Schemas[name]
	if !ok || !known {
		return nil, fmt.Errorf("%s: $ref %q leads nowhere", at, ref)
	}
	if c.open[name] {
		return nil, fmt.Errorf("%s: $ref %q goes round in a circle", at, ref)
	}
	c.open[name] = true
	defer delete(c.open, name)
	return c.node(raw, name)
}

// equalSource compares two schemas as written.
func equalSource(a, b source) bool {
	left, err1 := json.Marshal(a, json.Deterministic(true))
	right, err2 := json.Marshal(b, json.Deterministic(true))
	return err1 == nil && err2 == nil && string(left) == string(right)
}

// setKind reads type and format.
func (n *node) setKind(src source, query bool) error {
	given := slices.Clone(src.Type)
	if i := slices.Index(given, "null"); i >= 0 {
		n.nullable = true
		given = slices.Delete(given, i, i+1)
	}
	switch strings.Join(given, " ") {
	case "":
		if !src.ReadOnly || n.nullable {
			return errors.New("only a read-only field may go without a type")
		}
	case "boolean":
		n.kind = kindBool
	case "string":
		n.kind = kindString
	case "object":
		n.kind = kindObject
		if src.Additional {
			n.kind = kindFree
		}
	case "array":
		n.kind = kindArray
	case map[bool]string{false: "integer string", true: "integer"}[query]:
		n.kind = kindInt
	default:
		return fmt.Errorf("type %q is not one that is checked", given)
	}
	if want := map[bool]string{true: "int64"}[n.kind == kindInt]; src.Format != want {
		return fmt.Errorf("format %q where %q belongs", src.Format, want)
	}
	return nil
}

// setRules reads the keywords that limit a value, and refuses those of another kind.
func (n *node) setRules(src source) error {
	lo, hi, unit := src.Minimum, src.Maximum, ""
	switch n.kind {
	case kindString:
		lo, hi, unit = src.MinLength, src.MaxLength, " characters"
		src.MinLength, src.MaxLength = nil, nil
	case kindArray:
		lo, hi, unit = src.MinItems, src.MaxItems, " items"
		src.MinItems, src.MaxItems = nil, nil
		if hi == nil || src.Items == nil {
			return errors.New("a list needs items and maxItems")
		}
	case kindInt:
		src.Minimum, src.Maximum = nil, nil
	default:
		lo, hi = nil, nil
	}
	for _, strange := range []bool{
		src.Minimum != nil, src.Maximum != nil, src.MinLength != nil, src.MaxLength != nil,
		src.MinItems != nil, src.MaxItems != nil, src.Items != nil && n.kind != kindArray,
		(src.Properties != nil || src.Required != nil) && n.kind != kindObject, src.Additional && n.kind != kindFree,
		(src.Enum != nil || src.Pattern != "") && n.kind != kindString,
	} {
		if strange {
			return errors.New("a keyword does not belong to this type")
		}
	}
	n.setBounds(lo, hi, unit)
	if err := n.setEnum(src.Enum); err != nil {
		return err
	}
	return n.setPattern(src.Pattern, src.PatternMeans)
}

// setBounds keeps the limits and says them in words.
func (n *node) setBounds(lo, hi *int64, unit string) {
	if lo != nil {
		n.min = *lo
	}
	if hi != nil {
		n.max = *hi
	}
	have := "have "
	if unit == "" {
		have = "be "
	}
	switch {
	case lo != nil && hi != nil && *lo == *hi:
		n.bounds = fmt.Sprintf("must %s%d%s", have, *lo, unit)
	case lo != nil && hi != nil:
		n.bounds = fmt.Sprintf("must %sfrom %d to %d%s", have, *lo, *hi, unit)
	case lo != nil:
		n.bounds = fmt.Sprintf("must %s%d%s or more", have, *lo, unit)
	case hi != nil:
		n.bounds = fmt.Sprintf("must %sat most %d%s", have, *hi, unit)
	}
}

// setEnum keeps the words that are allowed; null among them must agree with the type.
func (n *node) setEnum(words []*string) error {
	null := false
	for _, word := range words {
		if word == nil {
			null = true
			continue
		}
		n.enum = append(n.enum, *word)
	}
	if words != nil && null != n.nullable {
		return errors.New("enum and type disagree about null")
	}
	return nil
}

// setPattern compiles a pattern. Its words are what people read, so it must have some.
func (n *node) setPattern(pattern, means string) error {
	if (pattern == "") != (means == "") {
		return errors.New("pattern and x-pattern-means belong together")
	}
	if pattern == "" {
		return nil
	}
	re, err := regexp.Compile(pattern)
	n.pattern, n.means = re, "must be "+means
	return err
}

// members compiles the properties of an object.
func (c *compiler) members(n *node, src source, at string) error {
	n.required, n.members = src.Required, map[string]*member{}
	for _, name := range slices.Sorted(maps.Keys(src.Properties)) {
		child, err := c.node(src.Properties[name], at+"."+name)
		if err != nil {
			return err
		}
		place := slices.Index(src.Required, name)
		// Null means absent, so whatever may be absent may be null, and nothing else (docs/reference/request-checking.md).
		if child.nullable != (place < 0) && child.kind != kindAny {
			return fmt.Errorf("%s.%s: optional fields take null, required ones do not", at, name)
		}
		if child.readOnly && place >= 0 {
			return fmt.Errorf("%s.%s: read-only and required", at, name)
		}
		n.members[name] = &member{child, name, append(strconv.AppendQuote(nil, name), ':'), place}
	}
	for _, name := range src.Required {
		if n.members[name] == nil {
			return fmt.Errorf("%s: required %q is no property", at, name)
		}
	}
	return nil
}
