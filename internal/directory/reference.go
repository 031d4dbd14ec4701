package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Reference is all that a document says of an operation, for a page to show. Texts that may be long are HTML made of
// the document's Markdown, without anything that could run. Schemas that the document names are in Schemas once, and
// wherever they are used a node's Ref names them: a schema that contains itself is a node that refers to one above it.
type Reference struct {
	Method      string       `json:"method"`
	Path        string       `json:"path"`
	OperationID string       `json:"operation_id,omitzero"`
	Summary     string       `json:"summary,omitzero"`
	Description string       `json:"description_html,omitzero"`
	Deprecated  bool         `json:"deprecated,omitzero"`
	Tags        []string     `json:"tags,omitzero"`
	More        *Link        `json:"external_docs,omitzero"`
	API         About        `json:"api"`
	Servers     []Server     `json:"servers"`
	Parameters  []*Parameter `json:"parameters"` // path, then query, header, cookie
	Body        *Body        `json:"body,omitzero"`
	// Auth are the ways to authenticate: one of them is enough, all schemes of it are needed. An empty one says that
	// it works without.
	Auth      [][]Scheme         `json:"auth"`
	Responses []*Response        `json:"responses"`
	RateLimit jsontext.Value     `json:"rate_limit,omitzero"` // as in our own document
	Schemas   map[string]*Schema `json:"schemas"`
	Problems  []string           `json:"problems"` // parts of the document that are broken, and left out
}

// About is what an operation's document says of itself.
type About struct {
	Title       string  `json:"title"`
	Version     string  `json:"version"`
	OpenAPI     string  `json:"openapi"`
	Description string  `json:"description_html,omitzero"`
	License     License `json:"license"`
	Terms       string  `json:"terms,omitzero"`
	More        *Link   `json:"external_docs,omitzero"`
}

// Link leads out.
type Link struct {
	URL         string `json:"url"`
	Description string `json:"description_html,omitzero"`
}

// Server is where an API is.
type Server struct {
	URL         string           `json:"url"` // absolute, or empty of a host: then that of the document's address
	Description string           `json:"description_html,omitzero"`
	Relative    bool             `json:"relative,omitzero"` // nobody knows the host
	Variables   []ServerVariable `json:"variables,omitzero"`
}

// ServerVariable is a part of a server's address that has values to choose from.
type ServerVariable struct {
	Name        string   `json:"name"`
	Default     string   `json:"default"`
	Enum        []string `json:"enum,omitzero"`
	Description string   `json:"description_html,omitzero"`
}

// Parameter is one of a path, query, header or cookie, or a header of a response.
type Parameter struct {
	Name        string         `json:"name"`
	In          string         `json:"in,omitzero"`
	Required    bool           `json:"required,omitzero"`
	Deprecated  bool           `json:"deprecated,omitzero"`
	Description string         `json:"description_html,omitzero"`
	Schema      *Schema        `json:"schema"`
	Example     jsontext.Value `json:"example,omitzero"`
	Style       string         `json:"style,omitzero"`
	Explode     bool           `json:"explode"`
	ContentType string         `json:"content_type,omitzero"` // of a value that is written as such

	raw jsontext.Value // its schema
}

// Body is what a request carries.
type Body struct {
	Required    bool     `json:"required,omitzero"`
	Description string   `json:"description_html,omitzero"`
	Content     []*Media `json:"content"` // JSON first
}

// Media is one form that a body can have.
type Media struct {
	Type     string    `json:"type"`
	Schema   *Schema   `json:"schema,omitzero"`
	Examples []Example `json:"examples,omitzero"`

	raw jsontext.Value // its schema
}

// Example is a value that the document gives.
type Example struct {
	Name    string         `json:"name,omitzero"`
	Summary string         `json:"summary,omitzero"`
	Value   jsontext.Value `json:"value"`
}

// Scheme is one scheme of authentication as an operation needs it.
type Scheme struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`               // apiKey, http, oauth2, openIdConnect, mutualTLS
	Scheme      string   `json:"scheme,omitzero"`    // of http: basic, bearer
	In          string   `json:"in,omitzero"`        // of apiKey: header, query, cookie
	Parameter   string   `json:"parameter,omitzero"` // of apiKey
	Description string   `json:"description_html,omitzero"`
	Scopes      []string `json:"scopes,omitzero"`
	Flows       []Flow   `json:"flows,omitzero"`
	Secret      string   `json:"secret"` // what a prepared request calls the secret
}

// Flow is a way to get a token of OAuth2.
type Flow struct {
	Name             string `json:"name"`
	AuthorizationURL string `json:"authorization_url,omitzero"`
	TokenURL         string `json:"token_url,omitzero"`
}

// Response is one answer.
type Response struct {
	Status      string       `json:"status"` // "200", "4XX", "default"
	Error       bool         `json:"error,omitzero"`
	Description string       `json:"description_html,omitzero"`
	Headers     []*Parameter `json:"headers,omitzero"`
	Content     []*Media     `json:"content,omitzero"`
}

// reader makes a Reference.
type reader struct {
	*schemer
	item, op *object
	secrets  string // the beginning of the names of secrets
}

// Reference reads an operation; false: the document has none there.
func (d *Document) Reference(method, path string) (*Reference, bool) {
	item := d.deref(d.paths.raw(path)).value
	op := item.object(strings.ToLower(method))
	if op == nil {
		return nil, false
	}
	r := &reader{schemer: newSchemer(d), item: item, op: op, secrets: secretPrefix(d)}
	ref := &Reference{
		Method: strings.ToUpper(method), Path: path, OperationID: op.text("operationId"),
		Summary: cmp.Or(op.text("summary"), item.text("summary")), Deprecated: op.truth("deprecated"),
		Description: markdown(cmp.Or(op.text("description"), item.text("description"))), Tags: op.texts("tags"),
		More: link(op.object("externalDocs")), API: d.about(), Servers: r.servers(),
		Parameters: []*Parameter{}, Responses: []*Response{}, Auth: r.auth(), RateLimit: op.raw("x-rate-limit"),
	}
	r.parameters(ref)
	if !d.swagger() {
		ref.Body = r.body()
	}
	r.responses(ref)
	r.finish()
	ref.Schemas, ref.Problems = r.named, r.problems
	return ref, true
}

func (d *Document) swagger() bool { return d.version == "2.0" }

func (d *Document) about() About {
	license := d.info.object("license")
	return About{
		Title: d.info.text("title"), Version: d.info.text("version"), OpenAPI: d.version,
		Description: markdown(cmp.Or(d.info.text("summary"), d.info.text("description"))),
		License:     License{license.text("name"), license.text("identifier"), safeLink(license.text("url"))},
		Terms:       safeLink(d.info.text("termsOfService")), More: link(d.root.object("externalDocs")),
	}
}

func link(o *object) *Link {
	at := safeLink(o.text("url"))
	if at == "" {
		return nil
	}
	return &Link{at, markdown(o.text("description"))}
}

// places is the order of parameters.
var places = []string{"path", "query", "header", "cookie"}

// parameters reads those of the path and of the operation, which go before. In Swagger 2.0 some are the body.
func (r *reader) parameters(ref *Reference) {
	var body, form []*object
	found := map[string]*Parameter{}
	var order []string
	for _, raw := range append(r.item.list("parameters"), r.op.list("parameters")...) {
		p := r.doc.deref(raw)
		if p.err != nil {
			r.broken("a parameter", p.err)
			continue
		}
		name, in := p.value.text("name"), p.value.text("in")
		switch {
		case r.doc.swagger() && in == "body":
			body = []*object{p.value}
			continue
		case r.doc.swagger() && in == "formData":
			form = append(form, p.value)
			continue
		case name == "" || !slices.Contains(places, in) || reserved(in, name):
			continue
		}
		if found[in+name] == nil {
			order = append(order, in+name)
		}
		found[in+name] = r.parameter(p.value, name, in)
	}
	for _, key := range order {
		ref.Parameters = append(ref.Parameters, found[key])
	}
	slices.SortStableFunc(ref.Parameters, func(a, b *Parameter) int {
		return cmp.Compare(slices.Index(places, a.In), slices.Index(places, b.In))
	})
	if r.doc.swagger() {
		ref.Body = r.swaggerBody(body, form)
	}
}

// reserved are headers that OpenAPI 3.1, section 4.8.12.2, has documents say elsewhere.
func reserved(in, name string) bool {
	return in == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(name))
}

func (r *reader) parameter(o *object, name, in string) *Parameter {
	p := &Parameter{
		Name: name, In: in, Required: o.truth("required") || in == "path", Deprecated: o.truth("deprecated"),
		Description: markdown(o.text("description")), Style: o.text("style"),
	}
	form := p.Style == "form" || p.Style == "" && (in == "query" || in == "cookie")
	p.Explode = o.truth("explode") || !o.has("explode") && form
	p.raw = o.raw("schema")
	if content := o.object("content"); p.raw == nil && content != nil && len(content.names) > 0 {
		p.ContentType = content.names[0]
		p.raw = content.object(p.ContentType).raw("schema")
	}
	if p.raw == nil { // Swagger 2.0, or a document that mixes both
		p.raw = plainSchema(o)
		p.Explode = o.text("collectionFormat") == "multi"
	}
	p.Schema = r.schema(p.raw)
	if examples := examplesOf(r.doc, o); len(examples) > 0 {
		p.Example = examples[0].Value
	}
	return p
}

// examplesOf reads example and examples of a parameter or media type.
func examplesOf(d *Document, o *object) []Example {
	var list []Example
	if value := o.raw("example"); value != nil {
		list = append(list, Example{Value: value})
	}
	named := o.object("examples")
	if named == nil {
		for _, value := range o.list("examples") {
			list = append(list, Example{Value: value})
		}
		return list
	}
	for _, name := range named.names {
		found := d.deref(named.raw(name)).value
		if value := found.raw("value"); value != nil {
			list = append(list, Example{Name: name, Summary: found.text("summary"), Value: value})
		}
	}
	return list
}

func (r *reader) body() *Body {
	raw := r.op.raw("requestBody")
	if raw == nil {
		return nil
	}
	found := r.doc.deref(raw)
	if found.err != nil {
		r.broken("the request body", found.err)
		return nil
	}
	return &Body{
		Required: found.value.truth("required"), Description: markdown(found.value.text("description")),
		Content: r.content(found.value.object("content")),
	}
}

// content reads the forms of a body, JSON first.
func (r *reader) content(o *object) []*Media {
	list := []*Media{}
	if o == nil {
		return list
	}
	for _, name := range o.names {
		one := r.doc.deref(o.raw(name)).value
		raw := one.raw("schema")
		media := &Media{Type: name, Examples: examplesOf(r.doc, one), raw: raw}
		if raw != nil {
			media.Schema = r.schema(raw)
		}
		list = append(list, media)
	}
	slices.SortStableFunc(list, func(a, b *Media) int { return compareTruth(!isJSON(a.Type), !isJSON(b.Type)) })
	return list
}

func isJSON(mediaType string) bool {
	name, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	name = strings.TrimSpace(name)
	return name == "application/json" || strings.HasSuffix(name, "+json") || name == "*/*" || name == "text/json"
}

func (r *reader) responses(ref *Reference) {
	all := r.op.object("responses")
	if all == nil {
		return
	}
	for _, status := range all.names {
		found := r.doc.deref(all.raw(status))
		if found.err != nil {
			r.broken("the answer "+status, found.err)
			continue
		}
		if strings.HasPrefix(status, "x-") || found.value == nil {
			continue
		}
		response := &Response{
			Status: status, Error: status[0] == '4' || status[0] == '5',
			Description: markdown(found.value.text("description")),
		}
		if headers := found.value.object("headers"); headers != nil {
			for _, name := range headers.names {
				if header := r.doc.deref(headers.raw(name)).value; header != nil {
					one := r.parameter(header, name, "")
					one.Required = header.truth("required")
					response.Headers = append(response.Headers, one)
				}
			}
		}
		if r.doc.swagger() {
			response.Content = r.swaggerContent(found.value)
		} else {
			response.Content = r.content(found.value.object("content"))
		}
		ref.Responses = append(ref.Responses, response)
	}
	slices.SortStableFunc(ref.Responses, func(a, b *Response) int { return strings.Compare(a.Status, b.Status) })
}

// schemes are the document's schemes of authentication.
func (d *Document) schemes() *object {
	if d.swagger() {
		return d.root.object("securityDefinitions")
	}
	return d.root.object("components").object("securitySchemes")
}

func (r *reader) auth() [][]Scheme {
	list := r.op.list("security")
	if !r.op.has("security") {
		list = r.doc.root.list("security")
	}
	all, ways := r.doc.schemes(), [][]Scheme{}
	for _, raw := range list {
		needed := objectOf(raw)
		if needed == nil {
			continue
		}
		way := []Scheme{}
		for _, name := range needed.names {
			found := r.doc.deref(all.raw(name))
			if found.value == nil {
				r.problems = append(r.problems, "the scheme of authentication "+name+" is not described")
				continue
			}
			scheme := r.scheme(found.value, name)
			scheme.Scopes = needed.texts(name)
			way = append(way, scheme)
		}
		if len(way) > 0 || len(needed.names) == 0 {
			ways = append(ways, way)
		}
	}
	return ways
}

func (r *reader) scheme(o *object, name string) Scheme {
	s := Scheme{
		Name: name, Type: o.text("type"), Scheme: strings.ToLower(o.text("scheme")), In: o.text("in"),
		Description: markdown(o.text("description")), Secret: r.secrets + "_" + secretWord(name),
	}
	switch s.Type {
	case "basic": // Swagger 2.0
		s.Type, s.Scheme = "http", "basic"
	case "apiKey":
		s.Parameter = o.text("name")
	case "oauth2":
		flows := o.object("flows")
		if flows == nil { // Swagger 2.0
			s.Flows = []Flow{{o.text("flow"), safeLink(o.text("authorizationUrl")), safeLink(o.text("tokenUrl"))}}
			break
		}
		for _, kind := range flows.names {
			flow := flows.object(kind)
			s.Flows = append(s.Flows, Flow{
				kind, safeLink(flow.text("authorizationUrl")), safeLink(flow.text("tokenUrl")),
			})
		}
	}
	return s
}

// secretPrefix is what the names of a document's secrets begin with: its provider and service, as words.
func secretPrefix(d *Document) string {
	name := strings.TrimSuffix(d.provider(), ".com")
	return cmp.Or(secretWord(name+"_"+d.info.text("x-serviceName")), secretWord(d.info.text("title")), "api")
}

// secretWord makes a text a name of a secret: letters, digits and underscores.
func secretWord(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && !strings.HasSuffix(s, "_") {
			b.WriteByte('_')
		}
	}
	return strings.Trim(b.String(), "_")
}

// sortedNames are the keys of a map in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
