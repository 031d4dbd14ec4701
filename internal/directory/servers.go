package directory

import (
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// servers are those of the operation, else of its path, else of the document.
func (r *reader) servers() []Server {
	list := []Server{}
	if r.doc.swagger() {
		for _, at := range r.doc.swaggerServers() {
			list = append(list, r.doc.server(at, nil))
		}
		return list
	}
	var raws []jsontext.Value
	for _, o := range []*object{r.op, r.item, r.doc.root} {
		if raws = o.list("servers"); len(raws) > 0 {
			break
		}
	}
	for _, raw := range raws {
		o := objectOf(raw)
		if o != nil {
			list = append(list, r.doc.server(o.text("url"), o))
		}
	}
	if len(list) == 0 {
		list = append(list, r.doc.server("/", nil)) // OpenAPI 3.1, section 4.8.1: this is the default
	}
	return list
}

// server resolves an address against that of the document (OpenAPI 3.1, section 4.8.5).
func (d *Document) server(at string, o *object) Server {
	s := Server{URL: at, Description: markdown(o.text("description"))}
	if variables := o.object("variables"); variables != nil {
		for _, name := range variables.names {
			one := variables.object(name)
			s.Variables = append(s.Variables, ServerVariable{
				Name: name, Default: one.text("default"), Enum: one.texts("enum"),
				Description: markdown(one.text("description")),
			})
		}
	}
	if strings.HasPrefix(at, "//") {
		s.URL = "https:" + at
	}
	if strings.Contains(s.URL, "://") || strings.HasPrefix(s.URL, "{") {
		return s
	}
	base, err := url.Parse(d.url)
	if err != nil || base.Host == "" {
		s.Relative = true
		return s
	}
	if resolved, err := base.Parse(s.URL); err == nil {
		s.URL = resolved.String()
	}
	return s
}
