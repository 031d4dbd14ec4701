package directory

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of one reference.
const (
	MaxSchemas     = 2000 // that have names; what is further away is not shown
	maxProblems    = 20
	maxSchemaDepth = 40 // of schemas without names inside each other
	maxNodes       = 10_000
)

// Schema is a schema as a page shows it. Parts that allOf puts together are one; members are in the document's order,
// those that are required first.
type Schema struct {
	Ref         string `json:"ref,omitzero"` // shown elsewhere, in Reference.Schemas; then only the texts are here
	Title       string `json:"title,omitzero"`
	Description string `json:"description_html,omitzero"`

	Types      []string         `json:"types,omitzero"` // without null
	Format     string           `json:"format,omitzero"`
	Nullable   bool             `json:"nullable,omitzero"`
	ReadOnly   bool             `json:"read_only,omitzero"`
	WriteOnly  bool             `json:"write_only,omitzero"`
	Deprecated bool             `json:"deprecated,omitzero"`
	Enum       []jsontext.Value `json:"enum,omitzero"`
	Const      jsontext.Value   `json:"const,omitzero"`
	Default    jsontext.Value   `json:"default,omitzero"`
	Examples   []jsontext.Value `json:"examples,omitzero"`

	// Limits are those that the schema has, by their names in OpenAPI: minimum, maxLength, pattern, uniqueItems.
	// exclusiveMinimum and exclusiveMaximum are numbers, also where the document has them as truth values.
	Limits map[string]jsontext.Value `json:"limits,omitzero"`

	Properties    []*Property    `json:"properties,omitzero"`
	Items         *Schema        `json:"items,omitzero"`
	Additional    *Schema        `json:"additional,omitzero"` // of members that are not listed
	NoMore        bool           `json:"no_more,omitzero"`    // members that are not listed are refused
	OneOf         []*Schema      `json:"one_of,omitzero"`
	AnyOf         []*Schema      `json:"any_of,omitzero"`
	Not           *Schema        `json:"not,omitzero"`
	Discriminator *Discriminator `json:"discriminator,omitzero"`
	Cut           bool           `json:"cut,omitzero"` // there is more, beyond what one reference shows
}

// Property is a member of an object.
type Property struct {
	Name     string  `json:"name"`
	Required bool    `json:"required,omitzero"`
	Schema   *Schema `json:"schema"`
}

// Discriminator says which alternative an object is.
type Discriminator struct {
	Property string            `json:"property"`
	Mapping  map[string]string `json:"mapping,omitzero"` // value to the name in Reference.Schemas
}

// limits are the keywords that a page shows as they are.
var limits = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
	"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
}

// schemer makes Schemas of one document.
type schemer struct {
	doc      *Document
	named    map[string]*Schema
	names    map[string]string // of references
	queue    []string          // references whose schemas are still to be made
	open     []string          // references that are being put together with others, outermost first
	nodes    int
	objects  map[*byte]*object // what was read, by where it begins
	problems []string
}

func newSchemer(d *Document) *schemer {
	return &schemer{
		doc: d, named: map[string]*Schema{}, names: map[string]string{}, problems: []string{},
		objects: map[*byte]*object{},
	}
}

// object is objectOf for places that are read again and again.
func (s *schemer) object(raw jsontext.Value) *object {
	if raw.Kind() != '{' {
		return nil
	}
	o, known := s.objects[&raw[0]]
	if !known {
		o = objectOf(raw)
		s.objects[&raw[0]] = o
	}
	return o
}

func (s *schemer) broken(what string, err error) {
	text := what + " is left out: " + err.Error()
	if len(s.problems) < maxProblems && !slices.Contains(s.problems, text) {
		s.problems = append(s.problems, text)
	}
}

// schema makes the node of a place.
func (s *schemer) schema(raw jsontext.Value) *Schema { return s.node(raw, 0) }

// finish makes the schemas that nodes refer to, nearest first.
func (s *schemer) finish() {
	for len(s.queue) > 0 {
		ref := s.queue[0]
		s.queue = s.queue[1:]
		raw, err := s.doc.find(ref)
		if err != nil {
			s.broken("a schema", err)
			s.named[s.names[ref]] = &Schema{}
			continue
		}
		s.named[s.names[ref]] = s.inline(raw, 0)
	}
}

// refer is a node for a named schema.
func (s *schemer) refer(ref string, beside *object) *Schema {
	name, known := s.names[ref]
	if !known {
		if len(s.names) == MaxSchemas {
			return &Schema{Cut: true, Title: lastStep(ref)}
		}
		if _, err := s.doc.find(ref); err != nil {
			s.broken("a schema", err)
			return &Schema{}
		}
		name = s.nameFor(ref)
		s.names[ref] = name
		s.queue = append(s.queue, ref)
	}
	return &Schema{
		Ref: name, Description: markdown(beside.text("description")), Title: beside.text("title"),
		Nullable: beside.truth("nullable"), ReadOnly: beside.truth("readOnly"), Deprecated: beside.truth("deprecated"),
		WriteOnly: beside.truth("writeOnly"), Default: beside.raw("default"), Examples: beside.givenExamples(),
	}
}

// nameFor is the last step of a reference, or all of it where that is taken.
func (s *schemer) nameFor(ref string) string {
	name := lastStep(ref)
	for _, taken := range s.names {
		if taken == name {
			return ref
		}
	}
	return name
}

func lastStep(ref string) string {
	return unescapeStep.Replace(ref[strings.LastIndexByte(ref, '/')+1:])
}

func (s *schemer) node(raw jsontext.Value, depth int) *Schema {
	o := s.object(raw)
	if ref := o.text("$ref"); ref != "" {
		return s.refer(ref, o)
	}
	if s.nodes > maxNodes {
		return &Schema{Cut: true}
	}
	parts := o.list("allOf")
	for _, part := range parts {
		ref := s.object(part).text("$ref")
		// One part is how OpenAPI 3.0 gives a reference a description; a part that is being put together already
		// would have no end.
		if ref != "" && (slices.Contains(s.open, ref) || len(parts) == 1 && !o.says()) {
			return s.refer(ref, o)
		}
	}
	return s.inline(raw, depth)
}

// says tells whether a schema has more of its own than texts.
func (o *object) says() bool {
	for _, name := range o.names {
		switch name {
		case "allOf", "description", "title", "nullable", "readOnly", "writeOnly", "deprecated", "default", "example",
			"examples", "externalDocs", "xml":
		default:
			if !strings.HasPrefix(name, "x-") {
				return true
			}
		}
	}
	return false
}

// inline makes a schema in place, what allOf adds included. References at its top are followed.
func (s *schemer) inline(raw jsontext.Value, depth int) *Schema {
	n := &Schema{}
	if s.nodes++; depth > maxSchemaDepth || s.nodes > maxNodes {
		n.Cut = true
		return n
	}
	m := &merger{
		schemer: s, into: n, depth: depth,
		added: map[string]bool{}, required: map[string]bool{}, places: map[string]int{},
	}
	m.add(raw, nil)
	for _, property := range n.Properties {
		property.Required = m.required[property.Name]
	}
	slices.SortStableFunc(n.Properties, func(a, b *Property) int { return compareTruth(!a.Required, !b.Required) })
	return n
}

// merger puts a schema and what its allOf has together.
type merger struct {
	*schemer
	into     *Schema
	depth    int
	added    map[string]bool // references whose schemas are in already
	required map[string]bool
	places   map[string]int // of properties in into.Properties
}

// add adds one part; above are the references that led to it.
func (m *merger) add(raw jsontext.Value, above []string) {
	o := m.object(raw)
	for ref := o.text("$ref"); ref != ""; ref = o.text("$ref") {
		if slices.Contains(above, ref) {
			m.broken("a part of a schema", errSelf(ref))
			return
		}
		if m.added[ref] {
			return // two ways lead to it: a second time adds nothing
		}
		m.added[ref] = true
		m.open = append(m.open, ref)
		defer func() { m.open = m.open[:len(m.open)-1] }()
		above = append(slices.Clone(above), ref)
		found, err := m.doc.find(ref)
		if err != nil {
			m.broken("a part of a schema", err)
			return
		}
		m.texts(o)
		o = m.object(found)
	}
	if o == nil {
		return // true, false, or broken: nothing to show
	}
	m.texts(o)
	m.values(o)
	m.kinds(o)
	m.members(o)
	for _, part := range o.list("allOf") {
		m.add(part, above)
	}
}

type errSelf string

func (e errSelf) Error() string { return string(e) + " consists of itself" }

// texts keeps what was said first: nearer to the place of use.
func (m *merger) texts(o *object) {
	n := m.into
	n.Title = cmp.Or(n.Title, o.text("title"))
	n.Description = cmp.Or(n.Description, markdown(o.text("description")))
	n.Format = cmp.Or(n.Format, o.text("format"))
	n.Nullable = n.Nullable || o.truth("nullable") || o.truth("x-nullable")
	n.ReadOnly = n.ReadOnly || o.truth("readOnly")
	n.WriteOnly = n.WriteOnly || o.truth("writeOnly")
	n.Deprecated = n.Deprecated || o.truth("deprecated")
}

// givenExamples are the values of example and examples.
func (o *object) givenExamples() []jsontext.Value {
	if example := o.raw("example"); example != nil {
		return append([]jsontext.Value{example}, o.list("examples")...)
	}
	return o.list("examples")
}

func (m *merger) values(o *object) {
	n := m.into
	if n.Enum == nil {
		n.Enum = o.list("enum")
	}
	for at, name := range map[*jsontext.Value]string{&n.Const: "const", &n.Default: "default"} {
		if *at == nil {
			*at = o.raw(name)
		}
	}
	n.Examples = append(n.Examples, o.givenExamples()...)
	for _, name := range limits {
		value := o.raw(name)
		switch {
		case value == nil || value.Kind() == 'f':
			continue
		case value.Kind() == 't' && name != "uniqueItems": // OpenAPI 3.0: exclusiveMinimum is true
			value = o.raw(strings.ToLower(strings.TrimPrefix(name, "exclusive")))
		}
		if n.Limits == nil {
			n.Limits = map[string]jsontext.Value{}
		}
		if n.Limits[name] == nil && value != nil {
			n.Limits[name] = value
		}
	}
}

func (m *merger) kinds(o *object) {
	n := m.into
	for _, name := range o.texts("type") {
		if name == "null" {
			n.Nullable = true
		} else if !slices.Contains(n.Types, name) {
			n.Types = append(n.Types, name)
		}
	}
	if len(n.Types) == 0 {
		switch {
		case o.has("properties") || o.raw("additionalProperties").Kind() == '{':
			n.Types = []string{"object"}
		case o.has("items"):
			n.Types = []string{"array"}
		}
	}
	for into, name := range map[*[]*Schema]string{&n.OneOf: "oneOf", &n.AnyOf: "anyOf"} {
		for _, raw := range o.list(name) {
			if bytes.Equal(objectOf(raw).raw("type"), []byte(`"null"`)) {
				n.Nullable = true
				continue
			}
			*into = append(*into, m.node(raw, m.depth+1))
		}
	}
	if raw := o.raw("not"); raw != nil {
		n.Not = m.node(raw, m.depth+1)
	}
	if d := o.object("discriminator"); d != nil && n.Discriminator == nil {
		n.Discriminator = &Discriminator{Property: d.text("propertyName")}
		if mapping := d.object("mapping"); mapping != nil {
			n.Discriminator.Mapping = map[string]string{}
			for _, value := range mapping.names {
				n.Discriminator.Mapping[value] = lastStep(mapping.text(value))
			}
		}
	}
}

func (m *merger) members(o *object) {
	n := m.into
	for _, name := range o.texts("required") {
		m.required[name] = true
	}
	if properties := o.object("properties"); properties != nil {
		for _, name := range properties.names {
			node := m.node(properties.raw(name), m.depth+1)
			if at, known := m.places[name]; known {
				if isMore(node, n.Properties[at].Schema) {
					n.Properties[at].Schema = node
				}
				continue
			}
			m.places[name] = len(n.Properties)
			n.Properties = append(n.Properties, &Property{Name: name, Schema: node})
		}
	}
	if raw := o.raw("items"); raw != nil && n.Items == nil {
		n.Items = m.node(raw, m.depth+1)
	}
	switch raw := o.raw("additionalProperties"); raw.Kind() {
	case '{':
		n.Additional = m.node(raw, m.depth+1)
	case 'f':
		n.NoMore = true
	}
}

// isMore says whether a node says more than another of the same member: parts of allOf repeat members only to narrow
// them.
func isMore(node, than *Schema) bool {
	weight := func(n *Schema) int {
		if n.Ref != "" {
			return 100
		}
		return len(n.Types) + len(n.Enum) + len(n.Properties) + len(n.Limits)
	}
	return weight(node) > weight(than)
}
