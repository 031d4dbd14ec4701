package directory

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Swagger 2.0 describes bodies as parameters, forms as several of them, and servers in three parts. What is here turns
// that into what OpenAPI 3 has; schemas are nearly the same and stay as they are.

// notSchema are the members of a Swagger 2.0 parameter or header that are no part of its schema.
var notSchema = []string{"name", "in", "required", "collectionFormat", "allowEmptyValue"}

// plainSchema makes the schema of a Swagger 2.0 parameter out of its members.
func plainSchema(o *object) jsontext.Value {
	out := []byte{'{'}
	for _, name := range o.names {
		if slices.Contains(notSchema, name) {
			continue
		}
		out = appendMember(out, name, o.raw(name))
	}
	return append(out, '}')
}

// appendMember adds a member to an object that is still open.
func appendMember(out []byte, name string, value jsontext.Value) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	out = append(append(out, quoted(name)...), ':')
	return append(out, value...)
}

// swaggerTypes are media types that an operation takes or gives.
func (r *reader) swaggerTypes(name, otherwise string) []string {
	list := r.op.texts(name)
	if !r.op.has(name) {
		list = r.doc.root.texts(name)
	}
	if len(list) == 0 {
		return []string{otherwise}
	}
	return list
}

func (r *reader) swaggerBody(body, form []*object) *Body {
	if len(body) > 0 {
		b := &Body{Required: body[0].truth("required"), Description: markdown(body[0].text("description"))}
		for _, name := range r.swaggerTypes("consumes", "application/json") {
			media := &Media{Type: name, raw: body[0].raw("schema"), Examples: examplesOf(r.doc, body[0])}
			media.Schema = r.schema(media.raw)
			b.Content = append(b.Content, media)
		}
		slices.SortStableFunc(b.Content, func(x, y *Media) int { return compareTruth(!isJSON(x.Type), !isJSON(y.Type)) })
		return b
	}
	if len(form) == 0 {
		return nil
	}
	b, required := &Body{}, []string{}
	properties, kind := []byte{'{'}, "application/x-www-form-urlencoded"
	for _, field := range form {
		properties = appendMember(properties, field.text("name"), plainSchema(field))
		if field.truth("required") {
			b.Required = true
			required = append(required, field.text("name"))
		}
		if field.text("type") == "file" {
			kind = "multipart/form-data"
		}
	}
	raw := appendMember([]byte(`{"type":"object"`), "properties", append(properties, '}'))
	if len(required) > 0 {
		raw = appendMember(raw, "required", encoded(required))
	}
	raw = append(raw, '}')
	for _, name := range r.swaggerTypes("consumes", kind) {
		if strings.Contains(name, "form") {
			kind = name
		}
	}
	b.Content = []*Media{{Type: kind, raw: raw, Schema: r.schema(raw)}}
	return b
}

func (r *reader) swaggerContent(response *object) []*Media {
	raw := response.raw("schema")
	if raw == nil {
		return nil
	}
	examples := response.object("examples")
	var list []*Media
	for _, name := range r.swaggerTypes("produces", "application/json") {
		media := &Media{Type: name, raw: raw, Schema: r.schema(raw)}
		if example := examples.raw(name); example != nil {
			media.Examples = []Example{{Value: example}}
		}
		list = append(list, media)
	}
	return list
}

// swaggerServers joins host, basePath and schemes.
func (d *Document) swaggerServers() []string {
	host, base := d.root.text("host"), strings.TrimSuffix(d.root.text("basePath"), "/")
	if host == "" {
		return []string{base + "/"}
	}
	schemes := d.root.texts("schemes")
	if len(schemes) == 0 {
		schemes = []string{"https"}
	}
	slices.SortStableFunc(schemes, func(a, b string) int { return compareTruth(a != "https", b != "https") })
	var list []string
	for _, scheme := range schemes {
		if scheme == "https" || scheme == "http" {
			list = append(list, scheme+"://"+host+base)
		}
	}
	return list
}
