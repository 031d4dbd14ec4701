package directory

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// The limits of a document.
const (
	MaxDocument   = 20 << 20 // bytes, as it comes
	MaxOperations = 50_000   // of one document
)

// Document is an OpenAPI document: 3.0, 3.1 or Swagger 2.0. It is read where it is asked for, so that what is broken in
// one place harms no other. Safe for concurrent use.
type Document struct {
	text    jsontext.Value // JSON
	root    *object
	info    *object
	paths   *object
	version string // of OpenAPI: "3.0.3", "3.1.0"; "2.0" of Swagger
	url     string // where it is from; "" when it was given as a file or as text

	mu      sync.Mutex
	objects map[string]*object // what was read on the way of references, by pointer
}

// ReadDocument reads JSON or YAML. The error says what is wrong with it, in words that follow "The document".
func ReadDocument(content []byte, from string) (*Document, error) {
	if len(content) > MaxDocument {
		return nil, fmt.Errorf("is larger than %d MB", MaxDocument>>20)
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	text := bytes.TrimSpace(content)
	if len(text) == 0 {
		return nil, errors.New("is empty")
	}
	if text[0] == '<' {
		return nil, errors.New("is a web page, neither JSON nor YAML")
	}
	if text[0] != '{' {
		var err error
		if text, err = fromYAML(content); err != nil {
			return nil, err
		}
	} else if err := wellFormed(text); err != nil {
		if errors.Is(err, errDeep) {
			return nil, err
		}
		// A YAML flow mapping begins like a JSON object.
		converted, yamlErr := fromYAML(content)
		if yamlErr != nil {
			return nil, fmt.Errorf("is not JSON: %w", err)
		}
		text = converted
	}
	return newDocument(text, from)
}

// newDocument reads text that is known to be well-formed JSON.
func newDocument(text []byte, from string) (*Document, error) {
	d := &Document{text: text, url: from, objects: map[string]*object{}}
	d.root = objectOf(d.text)
	d.version = cmp.Or(d.root.text("openapi"), d.root.text("swagger"))
	switch {
	case d.root == nil:
		return nil, errors.New("is no JSON object")
	case d.version == "":
		return nil, errors.New("is no OpenAPI document: it has neither openapi nor swagger")
	case d.version == "2": // a YAML number
		d.version = "2.0"
	case !strings.HasPrefix(d.version, "3.") && d.version != "2.0":
		return nil, fmt.Errorf("is of OpenAPI %.20s; 2.0, 3.0 and 3.1 can be read", d.version)
	}
	d.info, d.paths = d.root.object("info"), d.root.object("paths")
	if len(d.paths.operations(1)) == 0 {
		return nil, errors.New("describes no operation")
	}
	return d, nil
}

// methods are the operations that a path can have, by their name in documents.
var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "trace"}

// place is where an operation is in a document.
type place struct {
	method string // as in documents: "get"
	path   string
	op     *object
}

// operations lists what a paths object has, in its order; most: that many and no more.
func (o *object) operations(most int) []place {
	var found []place
	if o == nil {
		return nil
	}
	for _, path := range o.names {
		if !strings.HasPrefix(path, "/") {
			continue
		}
		item := o.object(path)
		if item == nil {
			continue
		}
		for _, method := range item.names {
			if !slices.Contains(methods, method) {
				continue
			}
			if op := item.object(method); op != nil {
				found = append(found, place{method, path, op})
			}
			if len(found) == most {
				return found
			}
		}
	}
	return found
}

// Facts are what the index takes of the document. Provider and URL are as the document says where nothing better is
// known.
func (d *Document) Facts() API {
	api := API{
		Provider: d.provider(), Service: d.info.text("x-serviceName"), Title: d.info.text("title"),
		Version: d.info.text("version"), URL: d.url,
	}
	if api.Title == "" {
		api.Title = cmp.Or(api.Provider, "Untitled")
	}
	for _, found := range d.paths.operations(MaxOperations) {
		fact := Fact{
			Method: strings.ToUpper(found.method), Path: found.path, ID: found.op.text("operationId"),
			Summary: found.op.text("summary"),
		}
		for _, tag := range found.op.texts("tags") {
			fact.Tags = append(fact.Tags, strings.ReplaceAll(tag, "|", " "))
		}
		api.Operations = append(api.Operations, fact)
	}
	return api
}

// provider is whose document it is: as it says itself, or the host of its servers or of its address.
func (d *Document) provider() string {
	if d.url == OwnURL {
		return ownID
	}
	if name := d.info.text("x-providerName"); name != "" {
		return name
	}
	hosts := []string{d.root.text("host"), hostOf(d.url)}
	for _, server := range d.root.list("servers") {
		hosts = slices.Insert(hosts, 0, hostOf(objectOf(server).text("url")))
	}
	for _, host := range hosts {
		if host != "" && !strings.ContainsAny(host, "{}$ ") {
			return strings.TrimPrefix(strings.TrimPrefix(host, "www."), "api.")
		}
	}
	return ""
}

func hostOf(text string) string {
	at, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return at.Hostname()
}

// part is a place of the document after its references were followed.
type part struct {
	raw   jsontext.Value
	value *object // nil: it is no object
	ref   string  // the last reference on the way: "#/components/schemas/Pet"; "": none
	err   error   // why a reference leads nowhere
}

// maxHops bounds how many references may follow each other.
const maxHops = 20

// deref follows the references at a place. The nil value has an empty part.
func (d *Document) deref(raw jsontext.Value) part {
	p := part{raw: raw, value: objectOf(raw)}
	for range maxHops {
		ref := p.value.text("$ref")
		if ref == "" {
			return p
		}
		found, err := d.find(ref)
		if err != nil {
			return part{ref: ref, err: err}
		}
		p = part{raw: found, value: objectOf(found), ref: ref}
	}
	return part{ref: p.ref, err: fmt.Errorf("%s refers to itself", p.ref)}
}

// find gives what a reference into the document names.
func (d *Document) find(ref string) (jsontext.Value, error) {
	fragment, own := strings.CutPrefix(ref, "#/")
	if !own {
		return nil, fmt.Errorf("%.200s leads out of the document", ref)
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	at, raw, container := "", d.text, d.root
	steps := strings.Split(fragment, "/")
	for i, step := range steps {
		step = unescapeStep.Replace(step)
		if container != nil {
			raw = container.raw(step)
		} else {
			raw = itemAt(raw, step)
		}
		if raw == nil {
			return nil, fmt.Errorf("%.200s is not in the document", ref)
		}
		at += "/" + step
		if i < len(steps)-1 {
			container = d.remembered(at, raw)
		}
	}
	return raw, nil
}

// remembered is objectOf for places that references pass again and again.
func (d *Document) remembered(at string, raw jsontext.Value) *object {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, known := d.objects[at]
	if !known {
		o = objectOf(raw)
		d.objects[at] = o
	}
	return o
}

func itemAt(raw jsontext.Value, step string) jsontext.Value {
	for i, item := range listOf(raw) {
		if fmt.Sprint(i) == step {
			return item
		}
	}
	return nil
}
