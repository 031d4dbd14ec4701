package directory

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Prepared is a request that is ready to be filled in: as a form for a test, and as an HTTP task for a workflow.
type Prepared struct {
	Method      string  `json:"method"`
	URL         string  `json:"url"`              // with the path's parameters in braces; "" of a host where NeedsHost
	NeedsHost   bool    `json:"needs_host"`       // the document does not say where the API is
	Own         bool    `json:"own"`              // it is Switchboard's own API: it runs with the rights of who asks
	Path        []Field `json:"path_parameters"`  // in the order of the path
	Query       []Field `json:"query_parameters"` // required first
	Headers     []Field `json:"headers"`          // Content-Type, Accept and authentication too
	Auth        []Bound `json:"auth"`             // which headers or parameters carry secrets
	ContentType string  `json:"content_type,omitzero"`
	// Body is what to begin with: the document's example, or what is required. Example has everything that can be set.
	Body     jsontext.Value `json:"body,omitzero"`
	Example  jsontext.Value `json:"example,omitzero"`
	Form     bool           `json:"form"`     // the members of Body are sent as fields of a form
	Unfilled []string       `json:"unfilled"` // JSON pointers into Body: values that nobody could make
	Notes    []string       `json:"notes"`    // what to know before sending
	Task     jsontext.Value `json:"task"`     // a task of type HTTP, as workflow definitions have it
}

// Field is one line of a form.
type Field struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Required bool   `json:"required"`
	Send     bool   `json:"send"` // it is sent unless somebody says otherwise
}

// Bound says which secret goes where.
type Bound struct {
	In     string `json:"in"` // header, query
	Name   string `json:"name"`
	Value  string `json:"value"` // with the secret as ${workflow.secrets.NAME}
	Secret string `json:"secret"`
	Scheme string `json:"scheme"` // as the document names it
}

const jsonType = "application/json"

// Prepare makes the request of an operation. own is where Switchboard's own API is, for its own document.
func Prepare(ref *Reference, own string) *Prepared {
	p := &Prepared{
		Method: ref.Method, Path: []Field{}, Query: []Field{}, Headers: []Field{}, Auth: []Bound{},
		Unfilled: []string{}, Notes: []string{}, Own: own != "",
	}
	p.place(ref, own)
	p.authenticate(ref)
	p.fields(ref)
	p.body(ref)
	if ref.Deprecated {
		p.Notes = append(p.Notes, "This operation is deprecated.")
	}
	p.Task = p.task(ref)
	return p
}

// place finds the server: the first with https that is absolute, with its variables at their defaults.
func (p *Prepared) place(ref *Reference, own string) {
	servers := slices.Clone(ref.Servers)
	slices.SortStableFunc(servers, func(a, b Server) int {
		return cmp.Or(compareTruth(a.Relative, b.Relative),
			compareTruth(!strings.HasPrefix(a.URL, "https"), !strings.HasPrefix(b.URL, "https")))
	})
	server := servers[0]
	base := server.URL
	for _, v := range server.Variables {
		base = strings.ReplaceAll(base, "{"+v.Name+"}", v.Default)
	}
	if server.Relative {
		if own != "" {
			base = strings.TrimSuffix(own, "/") + base
		} else {
			p.NeedsHost = true
			p.Notes = append(p.Notes, "The document does not say on which host this API is: enter it before the path.")
		}
	}
	p.URL = strings.TrimSuffix(base, "/") + ref.Path
}

// authenticate takes the first way that requests can carry. Our own API needs none: it knows who asks.
func (p *Prepared) authenticate(ref *Reference) {
	if p.Own || len(ref.Auth) == 0 {
		return
	}
	for _, way := range ref.Auth {
		var bounds []Bound
		for _, scheme := range way {
			if bound, ok := bind(scheme); ok {
				bounds = append(bounds, bound)
			}
		}
		if len(bounds) == len(way) && len(way) > 0 {
			p.Auth = bounds
			return
		}
	}
	if !slices.ContainsFunc(ref.Auth, func(way []Scheme) bool { return len(way) == 0 }) {
		p.Notes = append(p.Notes, "This API authenticates in a way that has to be set up by hand.")
	}
}

func bind(s Scheme) (Bound, bool) {
	secret := "${workflow.secrets." + s.Secret + "}"
	b := Bound{In: "header", Name: "Authorization", Secret: s.Secret, Scheme: s.Name}
	switch {
	case s.Type == "http" && s.Scheme == "basic":
		b.Value = "Basic " + secret
	case s.Type == "http" && s.Scheme == "bearer", s.Type == "oauth2", s.Type == "openIdConnect":
		b.Value = "Bearer " + secret
	case s.Type == "apiKey" && (s.In == "header" || s.In == "query") && s.Parameter != "":
		b.In, b.Name, b.Value = s.In, s.Parameter, secret
	case s.Type == "apiKey" && s.In == "cookie" && s.Parameter != "":
		b.Name, b.Value = "Cookie", s.Parameter+"="+secret
	default:
		return b, false
	}
	return b, true
}

func (p *Prepared) fields(ref *Reference) {
	for _, bound := range p.Auth {
		field := Field{Name: bound.Name, Value: bound.Value, Required: true, Send: true}
		if bound.In == "query" {
			p.Query = append(p.Query, field)
		} else {
			p.Headers = append(p.Headers, field)
		}
	}
	for _, param := range ref.Parameters {
		field := Field{Name: param.Name, Value: exampleText(ref, param), Required: param.Required, Send: param.Required}
		switch param.In {
		case "path":
			p.Path = append(p.Path, field)
		case "query":
			p.Query = append(p.Query, field)
		case "header":
			p.Headers = append(p.Headers, field)
		}
	}
	// A path may have parameters that its document forgot.
	for _, name := range inBraces(p.URL) {
		if !slices.ContainsFunc(p.Path, func(f Field) bool { return f.Name == name }) {
			p.Path = append(p.Path, Field{Name: name, Required: true, Send: true})
		}
	}
	slices.SortStableFunc(p.Path, func(a, b Field) int {
		return cmp.Compare(strings.Index(p.URL, "{"+a.Name+"}"), strings.Index(p.URL, "{"+b.Name+"}"))
	})
	slices.SortStableFunc(p.Query, func(a, b Field) int { return compareTruth(!a.Required, !b.Required) })
}

// exampleText is an example of a parameter as a form shows it.
func exampleText(ref *Reference, param *Parameter) string {
	g := &generator{schemas: ref.Schemas}
	value := param.Example
	if value == nil || value.Kind() == '{' || value.Kind() == '[' {
		n := g.resolve(param.Schema)
		if n == nil || !param.Required && n.Default == nil && len(n.Examples) == 0 {
			return "" // a made-up value of an optional parameter would be in the way
		}
		value = g.value(param.Schema, "", false)
	}
	return asText(value)
}

// asText is a value as it stands in an address or a form: lists by comma.
func asText(value jsontext.Value) string {
	switch value.Kind() {
	case '"':
		return textOf(value)
	case '[':
		var parts []string
		for _, item := range listOf(value) {
			parts = append(parts, asText(item))
		}
		return strings.Join(parts, ",")
	case 'n', 0:
		return ""
	}
	return string(value)
}

// inBraces lists the parameters of a path.
func inBraces(path string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(path, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		path = after
	}
}

// body makes the body and says what is in it.
func (p *Prepared) body(ref *Reference) {
	if ref.Body == nil || len(ref.Body.Content) == 0 {
		p.Headers = append(p.Headers, Field{Name: "Accept", Value: jsonType, Send: true})
		return
	}
	media := ref.Body.Content[0]
	p.ContentType = media.Type
	if media.Type == "*/*" {
		p.ContentType = jsonType
	}
	name, _, _ := strings.Cut(media.Type, ";")
	p.Form = name == "application/x-www-form-urlencoded" || name == "multipart/form-data"
	if p.Form || isJSON(media.Type) {
		least, most := &generator{schemas: ref.Schemas}, &generator{schemas: ref.Schemas, full: true}
		p.Example = exampleOf(most, media)
		p.Body = p.begin(least, media, ref)
		if least.unfilled != nil {
			p.Unfilled = least.unfilled
		}
	} else {
		p.Notes = append(p.Notes, "The body is "+media.Type+": write it as text.")
		p.Body = jsontext.Value(`""`)
		if len(media.Examples) > 0 && media.Examples[0].Value.Kind() == '"' {
			p.Body = media.Examples[0].Value
		}
		p.Example = p.Body
	}
	if name == "multipart/form-data" {
		p.Notes = append(p.Notes,
			"Files in forms of several parts cannot be sent from here; the fields are sent as a plain form.")
		p.ContentType = "application/x-www-form-urlencoded"
	}
	p.Headers = append(p.Headers,
		Field{Name: "Content-Type", Value: p.ContentType, Required: true, Send: true},
		Field{Name: "Accept", Value: jsonType, Send: true})
}

// begin is the body to begin with. A change of something that is there begins with what is required, whatever the
// document's example sets: sent as it is, an example would overwrite what nobody meant to touch.
func (p *Prepared) begin(g *generator, media *Media, ref *Reference) jsontext.Value {
	if ref.Method != "PATCH" {
		for _, example := range media.Examples {
			if media.Schema == nil {
				return example.Value
			}
			if fitted := g.fit(media.Schema, example.Value, 0); fitted != nil {
				return fitted
			}
		}
	}
	bare := *cmp.Or(g.resolve(media.Schema), &Schema{})
	if ref.Method == "PATCH" {
		bare.Examples, bare.Default = nil, nil
	}
	return g.value(&bare, "", true)
}

// exampleOf is the document's example of a body, or one with everything that its schema has.
func exampleOf(g *generator, media *Media) jsontext.Value {
	for _, example := range media.Examples {
		if media.Schema == nil {
			return example.Value
		}
		if fitted := g.fit(media.Schema, example.Value, 0); fitted != nil {
			return fitted
		}
	}
	if media.Schema == nil {
		return jsontext.Value("{}")
	}
	return g.value(media.Schema, "", true)
}

// task is the request as a task of a workflow: what the path and the query need comes from the workflow's input.
func (p *Prepared) task(ref *Reference) jsontext.Value {
	uri := p.URL
	for _, field := range p.Path {
		uri = strings.ReplaceAll(uri, "{"+field.Name+"}", input(field.Name))
	}
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	for _, field := range p.Query {
		if !field.Required {
			continue
		}
		value := input(field.Name)
		for _, bound := range p.Auth {
			if bound.In == "query" && bound.Name == field.Name {
				value = bound.Value
			}
		}
		uri += separator + url.QueryEscape(field.Name) + "=" + value
		separator = "&"
	}
	headers := []byte{'{'}
	for _, field := range p.Headers {
		switch {
		case !field.Send || field.Name == "Content-Type" || field.Name == "Accept":
		case slices.ContainsFunc(p.Auth, func(b Bound) bool { return b.Name == field.Name }):
			headers = appendMember(headers, field.Name, quoted(field.Value))
		default:
			headers = appendMember(headers, field.Name, quoted(input(field.Name)))
		}
	}
	request := appendMember([]byte{'{'}, "uri", quoted(uri))
	request = appendMember(request, "method", quoted(p.Method))
	if len(headers) > 1 {
		request = appendMember(request, "headers", append(headers, '}'))
	}
	request = appendMember(request, "accept", quoted(jsonType))
	if p.Body != nil {
		request = appendMember(request, "contentType", quoted(p.ContentType))
		body := p.Body
		if p.Form {
			body = quoted(formText(body))
		}
		request = appendMember(request, "body", body)
	}
	name := taskName(ref)
	task := appendMember([]byte{'{'}, "name", quoted(name))
	task = appendMember(task, "taskReferenceName", quoted(name))
	task = appendMember(task, "type", quoted("HTTP"))
	parameters := appendMember([]byte{'{'}, "http_request", append(request, '}'))
	return append(appendMember(task, "inputParameters", append(parameters, '}')), '}')
}

// input is the expression for a value of the workflow's input.
func input(name string) string {
	return "${workflow.input." + cmp.Or(identifier(name), "value") + "}"
}

// identifier makes a text a name that expressions can have.
func identifier(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r >= '0' && r <= '9' && b.Len() > 0 {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && !strings.HasSuffix(s, "_") {
			b.WriteByte('_')
		}
	}
	return strings.Trim(b.String(), "_")
}

// taskName is the operation's id, or its method and path, as a name of a task.
func taskName(ref *Reference) string {
	name := identifier(ref.OperationID)
	if name == "" {
		name = identifier(strings.ToLower(ref.Method) + "_" + ref.Path)
	}
	return cmp.Or(name[:min(len(name), 100)], "request")
}

// formText writes an object as a form (WHATWG URL, application/x-www-form-urlencoded), in its order; lists and objects
// inside with brackets.
func formText(body jsontext.Value) string {
	var parts []string
	var add func(name string, value jsontext.Value)
	add = func(name string, value jsontext.Value) {
		if o := objectOf(value); o != nil {
			for _, inner := range o.names {
				add(name+"["+inner+"]", o.raw(inner))
			}
			return
		}
		if value.Kind() == '[' {
			for i, item := range listOf(value) {
				add(name+"["+strconv.Itoa(i)+"]", item)
			}
			return
		}
		parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(asText(value)))
	}
	if o := objectOf(body); o != nil {
		for _, name := range o.names {
			add(name, o.raw(name))
		}
	}
	return strings.Join(parts, "&")
}
