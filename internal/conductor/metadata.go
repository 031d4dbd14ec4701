package conductor

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/flow"
)

// MaxDefinitions is how many definitions one request may bring.
const MaxDefinitions = 1000

var metadataRoutes = []route{
	{method: "GET", path: "/api/metadata/workflow", handle: (*API).listDefinitions},
	{method: "POST", path: "/api/metadata/workflow", handle: (*API).createDefinition},
	{method: "PUT", path: "/api/metadata/workflow", handle: (*API).updateDefinitions},
	{method: "POST", path: "/api/metadata/workflow/validate", handle: (*API).validateDefinition},
	{method: "GET", path: "/api/metadata/workflow/names-and-versions", handle: (*API).namesAndVersions},
	{method: "GET", path: "/api/metadata/workflow/latest-versions", handle: (*API).latestVersions},
	{method: "GET", path: "/api/metadata/workflow/{name}", handle: (*API).getDefinition},
	{method: "DELETE", path: "/api/metadata/workflow/{name}/{version}", handle: (*API).deleteDefinition},
	{method: "GET", path: "/api/metadata/taskdefs", handle: (*API).listTaskDefs},
	{method: "POST", path: "/api/metadata/taskdefs", handle: (*API).putTaskDefs},
	{method: "PUT", path: "/api/metadata/taskdefs", handle: (*API).putTaskDefs},
	{method: "GET", path: "/api/metadata/taskdefs/{name}", handle: (*API).getTaskDef},
	{method: "DELETE", path: "/api/metadata/taskdefs/{name}", handle: (*API).deleteTaskDef},
}

// documents splits a body that is one JSON object or a list of them.
func (r *request) documents() ([]jsontext.Value, error) {
	data, err := r.body()
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, badRequest("a body is required")
	}
	if data[0] != '[' {
		return []jsontext.Value{data}, nil
	}
	var list []jsontext.Value
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, badJSON(err)
	}
	if len(list) == 0 || len(list) > MaxDefinitions {
		return nil, badRequest("the list must have from 1 to %d definitions", MaxDefinitions)
	}
	return list, nil
}

func (r *request) definitions() ([]*flow.Definition, error) {
	docs, err := r.documents()
	if err != nil {
		return nil, err
	}
	defs := make([]*flow.Definition, 0, len(docs))
	for _, doc := range docs {
		def, _, err := flow.Parse(doc)
		if err != nil {
			return nil, badJSON(err)
		}
		defs = append(defs, def)
	}
	return defs, nil
}

func (a *API) listDefinitions(r *request) (any, error) {
	defs := a.Runner.Definitions()
	if name := r.query.Get("name"); name != "" {
		defs = keep(defs, func(d *flow.Definition) bool { return d.Name == name })
	}
	return defs, nil
}

func keep[T any](list []T, good func(T) bool) []T {
	var kept []T
	for _, one := range list {
		if good(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

func (a *API) createDefinition(r *request) (any, error) {
	overwrite, err := r.yes("overwrite", false)
	if err != nil {
		return nil, err
	}
	defs, err := r.definitions()
	if err != nil {
		return nil, err
	}
	return nothing{}, a.Runner.PutDefinitions(r.Context(), r.by(), defs, overwrite)
}

// updateDefinitions takes all or none.
func (a *API) updateDefinitions(r *request) (any, error) {
	defs, err := r.definitions()
	if err != nil {
		return nil, err
	}
	if err := a.Runner.PutDefinitions(r.Context(), r.by(), defs, true); err != nil {
		return nil, err
	}
	done := newBulk()
	for _, def := range defs {
		done.Good = append(done.Good, def.Name)
	}
	return done, nil
}

func (a *API) validateDefinition(r *request) (any, error) {
	defs, err := r.definitions()
	if err != nil {
		return nil, err
	}
	for _, def := range defs {
		if err := a.Runner.Check(def); err != nil {
			return nil, err
		}
	}
	return nothing{}, nil
}

// version is one version of a workflow in a list of them.
type version struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Created int64  `json:"createTime"`
	Updated int64  `json:"updateTime"`
}

func (a *API) namesAndVersions(*request) (any, error) {
	names := map[string][]version{}
	for _, d := range a.Runner.Definitions() {
		names[d.Name] = append(names[d.Name], version{d.Name, d.Version, d.CreateTime, d.UpdateTime})
	}
	return names, nil
}

func (a *API) latestVersions(*request) (any, error) {
	var latest []*flow.Definition
	for _, d := range a.Runner.Definitions() { // by name and version
		if n := len(latest); n > 0 && latest[n-1].Name == d.Name {
			latest[n-1] = d
		} else {
			latest = append(latest, d)
		}
	}
	return latest, nil
}

func (a *API) getDefinition(r *request) (any, error) {
	number, err := r.number("version", 0)
	if err != nil {
		return nil, err
	}
	def, ok := a.Runner.Definition(r.path["name"], number)
	if !ok {
		return nil, noWorkflow(r.path["name"], number)
	}
	return def, nil
}

func noWorkflow(name string, version int) error {
	if version == 0 {
		return missing("there is no workflow %s", name)
	}
	return missing("there is no workflow %s, version %d", name, version)
}

func (a *API) deleteDefinition(r *request) (any, error) {
	number, err := whole("version", r.path["version"])
	if err != nil || number == 0 {
		return nil, invalid("version", "must be a whole number, 1 or more")
	}
	return nothing{}, a.Runner.DeleteDefinition(r.Context(), r.path["name"], number)
}

func (a *API) listTaskDefs(*request) (any, error) { return a.Runner.TaskDefs(), nil }

func (a *API) putTaskDefs(r *request) (any, error) {
	docs, err := r.documents()
	if err != nil {
		return nil, err
	}
	defs := make([]*flow.TaskDef, 0, len(docs))
	for _, doc := range docs {
		def, _, err := flow.ParseTaskDef(doc)
		if err != nil {
			return nil, badJSON(err)
		}
		defs = append(defs, def)
	}
	return nothing{}, a.Runner.PutTaskDefs(r.Context(), r.by(), defs...)
}

func (a *API) getTaskDef(r *request) (any, error) {
	def, ok := a.Runner.TaskDef(r.path["name"])
	if !ok {
		return nil, missing("there is no task definition %s", r.path["name"])
	}
	return def, nil
}

func (a *API) deleteTaskDef(r *request) (any, error) {
	return nothing{}, a.Runner.DeleteTaskDef(r.Context(), r.path["name"])
}

// bulk says what became of the parts of a request.
type bulk struct {
	Bad  map[string]string `json:"bulkErrorResults"`
	Good []string          `json:"bulkSuccessfulResults"`
}

func newBulk() *bulk { return &bulk{Bad: map[string]string{}, Good: []string{}} }
