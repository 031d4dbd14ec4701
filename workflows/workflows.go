// Package workflows holds the workflows that come with the program, as templates: definitions, and the event handlers
// and schedules that start them (docs/reference/triggers.md, "Ready-made workflows").
//
// It refuses to register anything: whoever installs a template does.
package workflows

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/flow"
)

//go:embed *.json
var files embed.FS

// Template is a workflow that is ready to be used, with what starts it: handlers that are not active and schedules that
// are paused, until somebody looked at them.
type Template struct {
	Name        string              `json:"name"` // of its file
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Environment []string            `json:"environment,omitzero"` // names of variables that are to be set
	Example     flow.Map            `json:"example,omitzero"`     // an input
	Workflows   []*flow.Definition  `json:"workflows"`
	Handlers    []flow.EventHandler `json:"handlers,omitzero"`
	Schedules   []flow.Schedule     `json:"schedules,omitzero"`
}

// All lists the templates by name. Each call makes them anew.
func All() []Template {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		panic("workflows: " + err.Error()) // a fixed pattern
	}
	list := make([]Template, 0, len(names))
	for _, file := range names {
		t, err := read(file)
		if err != nil {
			panic(fmt.Sprintf("workflows: %s: %v", file, err)) // our own files: a test reads them all
		}
		list = append(list, t)
	}
	return list
}

func read(file string) (Template, error) {
	data, err := files.ReadFile(file)
	if err != nil {
		return Template{}, err
	}
	var parts struct {
		Template
		Workflows []jsontext.Value `json:"workflows"`
	}
	if err := json.Unmarshal(data, &parts, flow.JSON, json.RejectUnknownMembers(true)); err != nil {
		return Template{}, err
	}
	t := parts.Template
	t.Name = strings.TrimSuffix(file, ".json")
	for _, doc := range parts.Workflows {
		def, warnings, err := flow.Parse(doc)
		if err != nil {
			return Template{}, err
		}
		if len(warnings) > 0 {
			return Template{}, fmt.Errorf("%v", warnings)
		}
		t.Workflows = append(t.Workflows, def)
	}
	return t, nil
}
