package directory

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// The bounds of a check.
const (
	MaxChecked  = 1 << 20 // bytes of a body
	MaxFindings = 50
)

// Sent is a request as it goes out.
type Sent struct {
	Path   map[string]string // parameters by name
	Query  url.Values
	Header http.Header
	Body   []byte
}

// Finding is one thing that does not fit the document.
type Finding struct {
	In      string `json:"in"`      // path, query, header, body, status
	At      string `json:"at"`      // the parameter's name, or a JSON pointer into the body
	Message string `json:"message"` // in words that follow At
}

// Verdict says whether something fits its document. Where nothing could be judged, Unchecked says why.
type Verdict struct {
	Findings  []Finding `json:"findings"`
	Unchecked string    `json:"unchecked,omitzero"`
}

// Validate compares a request with what the document says of its operation.
func (d *Document) Validate(method, path string, sent Sent) Verdict {
	v := Verdict{Findings: []Finding{}}
	ref, found := d.Reference(method, path)
	if !found {
		v.Unchecked = "The document has no such operation."
		return v
	}
	for _, param := range ref.Parameters {
		d.checkParameter(&v, param, sent)
	}
	if ref.Body == nil || len(ref.Body.Content) == 0 {
		return v
	}
	if len(sent.Body) == 0 {
		if ref.Body.Required {
			v.add("body", "", "is required")
		}
		return v
	}
	media := mediaFor(ref.Body.Content, sent.Header.Get("Content-Type"))
	if media == nil {
		v.add("header", "Content-Type", "is none that the document lists: "+mediaNames(ref.Body.Content))
		return v
	}
	if isJSON(media.Type) {
		d.checkBody(&v, media.raw, sent.Body, false)
	}
	return v
}

// ValidateResponse compares an answer with what the document says of its operation.
func (d *Document) ValidateResponse(method, path string, status int, header http.Header, body []byte) Verdict {
	v := Verdict{Findings: []Finding{}}
	ref, found := d.Reference(method, path)
	if !found {
		v.Unchecked = "The document has no such operation."
		return v
	}
	response := responseFor(ref.Responses, status)
	if response == nil {
		v.add("status", "", fmt.Sprintf("%d is none that the document lists", status))
		return v
	}
	if len(response.Content) == 0 {
		return v
	}
	media := mediaFor(response.Content, header.Get("Content-Type"))
	switch {
	case media == nil && len(body) > 0:
		v.add("header", "Content-Type", "is none that the document lists: "+mediaNames(response.Content))
	case media == nil || !isJSON(media.Type):
	case len(body) == 0:
		v.add("body", "", "is empty")
	default:
		d.checkBody(&v, media.raw, body, true)
	}
	return v
}

func (v *Verdict) add(in, at, text string) {
	if len(v.Findings) < MaxFindings {
		v.Findings = append(v.Findings, Finding{in, at, text})
	}
}

// responseFor finds what the document says of a status: itself, its class, or default.
func responseFor(list []*Response, status int) *Response {
	code := strconv.Itoa(status)
	for _, name := range []string{code, code[:1] + "XX", code[:1] + "xx", "default"} {
		at := slices.IndexFunc(list, func(r *Response) bool { return r.Status == name })
		if at >= 0 {
			return list[at]
		}
	}
	return nil
}

// mediaFor finds the form of a body by its Content-Type: the same, a range such as application/*, or any.
func mediaFor(list []*Media, contentType string) *Media {
	bare := func(text string) string {
		name, _, _ := strings.Cut(strings.ToLower(text), ";")
		return strings.TrimSpace(name)
	}
	sent := bare(contentType)
	if sent == "" {
		return list[0]
	}
	class, _, _ := strings.Cut(sent, "/")
	for _, name := range []string{sent, class + "/*", "*/*"} {
		at := slices.IndexFunc(list, func(m *Media) bool { return bare(m.Type) == name })
		if at >= 0 {
			return list[at]
		}
	}
	if isJSON(sent) {
		if at := slices.IndexFunc(list, func(m *Media) bool { return isJSON(m.Type) }); at >= 0 {
			return list[at]
		}
	}
	return nil
}

func mediaNames(list []*Media) string {
	var names []string
	for _, m := range list {
		names = append(names, m.Type)
	}
	return strings.Join(names, ", ")
}

// checkParameter judges one parameter. Values with expressions in them are known only when the request is sent; of
// lists and objects only the presence is judged.
func (d *Document) checkParameter(v *Verdict, param *Parameter, sent Sent) {
	text, there := "", false
	switch param.In {
	case "path":
		text, there = sent.Path[param.Name], sent.Path[param.Name] != ""
	case "query":
		text, there = sent.Query.Get(param.Name), sent.Query.Has(param.Name) || sent.Query.Has(param.Name+"[]")
	case "header":
		text = sent.Header.Get(param.Name)
		there = text != ""
	default:
		return
	}
	if !there {
		if param.Required {
			v.add(param.In, param.Name, "is required")
		}
		return
	}
	if strings.Contains(text, "${") {
		return
	}
	ref := param.Schema
	raw := param.raw
	if ref.Ref != "" {
		found := d.deref(raw)
		ref, raw = newSchemer(d).inline(found.raw, 0), found.raw
	}
	var value jsontext.Value
	switch kindOf(ref) {
	case "object", "array", "":
		return
	case "string":
		value = quoted(text)
	default:
		if value = jsontext.Value(text); !value.IsValid() {
			value = quoted(text)
		}
	}
	inner := Verdict{}
	d.checkBody(&inner, raw, value, false)
	for _, found := range inner.Findings {
		v.add(param.In, param.Name, found.Message)
	}
}

// checkBody judges JSON by a schema.
func (d *Document) checkBody(v *Verdict, raw jsontext.Value, body []byte, response bool) {
	if len(body) > MaxChecked {
		v.Unchecked = fmt.Sprintf("The body is larger than %d MB.", MaxChecked>>20)
		return
	}
	if raw == nil {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		v.add("body", "", "is not JSON: "+err.Error())
		return
	}
	schema, err := d.compile(raw, response)
	if err != nil {
		v.Unchecked = "The document's schema cannot be used: " + err.Error()
		return
	}
	var wrong *jsonschema.ValidationError
	if err := schema.Validate(value); errors.As(err, &wrong) {
		v.collect(wrong)
	}
}

var english = message.NewPrinter(language.English)

// collect lists the leaves of an error. Of alternatives it says only that none fits: why each does not is more than
// anybody wants to know.
func (v *Verdict) collect(e *jsonschema.ValidationError) {
	at := pointer(e.InstanceLocation...)
	switch is := e.ErrorKind.(type) {
	case *kind.OneOf:
		if len(is.Subschemas) > 1 {
			v.add("body", at, "fits more than one of the alternatives")
			return
		}
		v.add("body", at, "fits none of the alternatives")
	case *kind.AnyOf:
		v.add("body", at, "fits none of the alternatives")
	default:
		if len(e.Causes) == 0 {
			v.add("body", at, e.ErrorKind.LocalizedString(english))
		}
		for _, cause := range e.Causes {
			v.collect(cause)
		}
	}
}
