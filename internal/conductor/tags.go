package conductor

import (
	"bytes"
	"context"
	"slices"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// What has tags.
const (
	kindWorkflow    = "workflow"
	kindTask        = "task"
	kindSecret      = "secret"
	kindEnvironment = "environment"
	kindSchedule    = "schedule"
	kindEvent       = "event"
)

// The limits of tags.
const (
	MaxTags    = 50
	MaxTagText = 255 // characters of a key or a value
)

var tagRoutes = slices.Concat(
	[]route{{method: "GET", path: "/api/metadata/tags", handle: (*API).allTags}},
	tagsAt(kindWorkflow, "/api/metadata/workflow/{name}/tags"), tagsAt(kindTask, "/api/metadata/task/{name}/tags"),
	tagsAt(kindSecret, "/api/secrets/{key}/tags"), tagsAt(kindEnvironment, "/api/environment/{key}/tags"),
)

// tagsAt are the routes of the tags of one kind of things.
func tagsAt(kind, path string) []route {
	put := func(replace bool) handle {
		return func(a *API, r *request) (any, error) { return a.putTags(r, kind, replace) }
	}
	return []route{
		{method: "GET", path: path, handle: func(a *API, r *request) (any, error) { return a.getTags(r, kind) }},
		{method: "PUT", path: path, handle: put(true)},
		{method: "POST", path: path, handle: put(false)},
		{method: "DELETE", path: path, handle: func(a *API, r *request) (any, error) { return a.dropTags(r, kind) }},
	}
}

// tag is a tag as clients know it.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Type  string `json:"type"` // METADATA
}

func tagsFrom(kept []store.Tag) []tag {
	tags := make([]tag, 0, len(kept))
	for _, t := range kept {
		tags = append(tags, tag{t.Key, t.Value, "METADATA"})
	}
	return tags
}

// tagsOf are the tags of all things of a kind, by name.
func (a *API) tagsOf(ctx context.Context, kind string) (map[string][]tag, error) {
	kept, err := a.Shelf.Tags(ctx, kind, "")
	if err != nil {
		return nil, err
	}
	by := map[string][]tag{}
	for _, t := range kept {
		by[t.Name] = append(by[t.Name], tagsFrom([]store.Tag{t})...)
	}
	return by, nil
}

func (r *request) tagged() string {
	if name, ok := r.path["name"]; ok {
		return name
	}
	return r.path["key"]
}

// tags reads one tag or a list of them.
func (r *request) tags() ([]store.Tag, error) {
	data, err := r.body()
	if err != nil {
		return nil, err
	}
	var given []tag
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		err = json.Unmarshal(data, &given, flow.JSON)
	} else {
		given = make([]tag, 1)
		err = json.Unmarshal(data, &given[0], flow.JSON)
	}
	if err != nil {
		return nil, badJSON(err)
	}
	if len(given) > MaxTags {
		return nil, badRequest("there may be %d tags", MaxTags)
	}
	tags := make([]store.Tag, 0, len(given))
	for _, t := range given {
		if t.Key == "" || len(t.Key) > MaxTagText || len(t.Value) > MaxTagText {
			return nil, invalid("key", "a tag must have a key; key and value may have %d characters", MaxTagText)
		}
		tags = append(tags, store.Tag{Name: r.tagged(), Key: t.Key, Value: t.Value})
	}
	return tags, nil
}

// exists says whether there is what a tag is to be put on.
func (a *API) exists(kind, name string) error {
	ok := true
	switch kind {
	case kindWorkflow:
		_, ok = a.Runner.Definition(name, 0)
	case kindTask:
		_, ok = a.Runner.TaskDef(name)
	case kindSecret:
		ok = a.Secrets.Has(name)
	case kindEnvironment:
		_, ok = a.Environment.Map()[name]
	case kindSchedule:
		_, ok = a.schedule(name)
	case kindEvent:
		ok = slices.ContainsFunc(a.Events.Handlers(), func(h flow.EventHandler) bool { return h.Name == name })
	}
	if !ok {
		return missing("there is no %s %s", kind, name)
	}
	return nil
}

func (a *API) allTags(r *request) (any, error) {
	kept, err := a.Shelf.Tags(r.Context(), "", "")
	if err != nil {
		return nil, err
	}
	seen, all := map[tag]bool{}, []tag{}
	for _, t := range tagsFrom(kept) {
		if !seen[t] {
			seen[t] = true
			all = append(all, t)
		}
	}
	return all, nil
}

func (a *API) getTags(r *request, kind string) (any, error) {
	if err := a.exists(kind, r.tagged()); err != nil {
		return nil, err
	}
	kept, err := a.Shelf.Tags(r.Context(), kind, r.tagged())
	return tagsFrom(kept), err
}

func (a *API) putTags(r *request, kind string, replace bool) (any, error) {
	tags, err := r.tags()
	if err != nil {
		return nil, err
	}
	if err := a.exists(kind, r.tagged()); err != nil {
		return nil, err
	}
	if !replace {
		kept, err := a.Shelf.Tags(r.Context(), kind, r.tagged())
		if err != nil {
			return nil, err
		}
		if len(kept)+len(tags) > MaxTags {
			return nil, badRequest("there may be %d tags", MaxTags)
		}
	}
	return nothing{}, a.Shelf.PutTags(r.Context(), kind, r.tagged(), tags, replace)
}

func (a *API) dropTags(r *request, kind string) (any, error) {
	tags, err := r.tags()
	if err != nil {
		return nil, err
	}
	return nothing{}, a.Shelf.DropTags(r.Context(), kind, r.tagged(), tags)
}
