package directory

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxCompiled bounds the named schemas that one check looks at; what is further away is not judged.
const maxCompiled = 3000

// translation writes a schema of a document, and all that it refers to, as JSON Schema 2020-12. What JSON Schema does
// not have is left out, and so is what is broken: a check judges what can be judged.
type translation struct {
	doc      *Document
	response bool
	names    map[string]string // of references
	queue    []string
}

// compile makes a schema that can judge. In a request, members that are read only need not be there; in an answer,
// those that are write only.
func (d *Document) compile(raw jsontext.Value, response bool) (*jsonschema.Schema, error) {
	t := &translation{doc: d, response: response, names: map[string]string{}}
	definitions := map[string]any{}
	root := map[string]any{"allOf": []any{t.schema(raw, 0)}, "$defs": definitions}
	for len(t.queue) > 0 {
		ref := t.queue[0]
		t.queue = t.queue[1:]
		found, _ := d.find(ref)
		definitions[t.names[ref]] = t.schema(found, 0)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseLoader(nothing{})
	const at = "urn:switchboard:schema"
	if err := compiler.AddResource(at, root); err != nil {
		return nil, err
	}
	return compiler.Compile(at)
}

// nothing loads no schema from anywhere.
type nothing struct{}

// Load implements jsonschema.URLLoader.
func (nothing) Load(string) (any, error) {
	return nil, errors.New("nothing is loaded from outside a document")
}

// refer gives the place of a reference; true: it leads nowhere, and anything fits.
func (t *translation) refer(ref string) any {
	name, known := t.names[ref]
	if !known {
		if _, err := t.doc.find(ref); err != nil || len(t.names) == maxCompiled {
			return true
		}
		name = "s" + strconv.Itoa(len(t.names))
		t.names[ref] = name
		t.queue = append(t.queue, ref)
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

// Keywords by what they hold.
var (
	numberWords = []string{
		"minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
		"maxProperties", "minContains", "maxContains",
	}
	schemaWords = []string{"additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"}
	listWords   = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	mapWords    = []string{"properties", "patternProperties", "dependentSchemas"}
)

func (t *translation) schema(raw jsontext.Value, depth int) any {
	o := objectOf(raw)
	if o == nil || depth > maxSchemaDepth {
		return raw.Kind() != 'f' // true and what is no schema
	}
	if ref := o.text("$ref"); ref != "" {
		found := t.refer(ref)
		if o.truth("nullable") {
			return map[string]any{"anyOf": []any{found, map[string]any{"type": "null"}}}
		}
		return found
	}
	out := map[string]any{}
	t.numbers(o, out)
	for _, name := range schemaWords {
		if value := o.raw(name); value != nil {
			out[name] = t.schema(value, depth+1)
		}
	}
	if items := o.raw("items"); items.Kind() == '{' {
		out["items"] = t.schema(items, depth+1)
	}
	for _, name := range listWords {
		if list := t.list(o.list(name), depth); len(list) > 0 {
			out[name] = list
		}
	}
	for _, name := range mapWords {
		if o.object(name) != nil {
			out[name] = t.members(o.object(name), name == "patternProperties", depth)
		}
	}
	t.required(o, out)
	t.values(o, out)
	if one := out["oneOf"]; one != nil && o.has("discriminator") {
		// Which of them it is says a member; more than one may fit all the same.
		delete(out, "oneOf")
		out["anyOf"] = one
	}
	if o.truth("nullable") || o.truth("x-nullable") {
		return map[string]any{"anyOf": []any{out, map[string]any{"type": "null"}}}
	}
	return out
}

func (t *translation) list(raws []jsontext.Value, depth int) []any {
	var list []any
	for _, raw := range raws {
		list = append(list, t.schema(raw, depth+1))
	}
	return list
}

func (t *translation) members(o *object, patterns bool, depth int) map[string]any {
	out := map[string]any{}
	for _, name := range o.names {
		if patterns {
			if _, err := regexp.Compile(name); err != nil {
				continue
			}
		}
		out[name] = t.schema(o.raw(name), depth+1)
	}
	return out
}

// numbers copies limits that are numbers. OpenAPI 3.0 says exclusiveMinimum: true beside the minimum.
func (t *translation) numbers(o *object, out map[string]any) {
	for _, name := range numberWords {
		raw := o.raw(name)
		if raw.Kind() != '0' || raw[0] == '-' && strings.HasPrefix(name, "m") && !strings.HasSuffix(name, "imum") {
			continue
		}
		if name == "multipleOf" && strings.Trim(string(raw), "0.eE+-") == "" {
			continue
		}
		if strings.HasSuffix(name, "s") || strings.HasSuffix(name, "Length") {
			if _, err := strconv.ParseUint(string(raw), 10, 53); err != nil {
				continue
			}
		}
		out[name] = json.Number(raw)
	}
	for name, plain := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		switch raw := o.raw(name); {
		case raw.Kind() == '0':
			out[name] = json.Number(raw)
		case raw.Kind() == 't' && out[plain] != nil:
			out[name] = out[plain]
			delete(out, plain)
		}
	}
	if o.truth("uniqueItems") {
		out["uniqueItems"] = true
	}
}

// required leaves out members that this direction does not carry.
func (t *translation) required(o *object, out map[string]any) {
	names := o.texts("required")
	if o.raw("required").Kind() != '[' {
		return
	}
	properties := o.object("properties")
	list := []any{}
	for i, name := range names {
		member := t.doc.deref(properties.raw(name)).value
		if properties.object(name).truth("readOnly") {
			member = properties.object(name)
		}
		otherWay := member.truth("readOnly") && !t.response || member.truth("writeOnly") && t.response
		if !otherWay && !slices.Contains(names[:i], name) {
			list = append(list, name)
		}
	}
	out["required"] = list
}

// jsonTypes are the types of JSON Schema.
var jsonTypes = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

func (t *translation) values(o *object, out map[string]any) {
	var types []any
	for _, name := range o.texts("type") {
		if name == "file" {
			name = "string"
		}
		if slices.Contains(jsonTypes, name) && !slices.Contains(types, any(name)) {
			types = append(types, name)
		}
	}
	if len(types) > 0 {
		out["type"] = types
	}
	if enum := o.list("enum"); len(enum) > 0 {
		var list []any
		for _, raw := range enum {
			if value, ok := plain(raw); ok {
				list = append(list, value)
			}
		}
		out["enum"] = list
	}
	if value, ok := plain(o.raw("const")); ok {
		out["const"] = value
	}
	if pattern := o.text("pattern"); pattern != "" && len(pattern) <= maxPattern {
		if _, err := regexp.Compile(asGo(pattern)); err == nil {
			out["pattern"] = asGo(pattern)
		}
	}
	if shapes[o.text("format")] != nil && o.text("format") != "byte" {
		out["format"] = o.text("format")
	}
}

// plain is a value as package jsonschema wants it.
func plain(raw jsontext.Value) (any, bool) {
	if raw == nil {
		return nil, false
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	return value, err == nil
}
