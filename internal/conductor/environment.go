package conductor

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// The limits of environment variables.
const (
	MaxVariables     = 1000
	MaxVariableBytes = 16 << 10
)

// variableForm keeps names to what an expression can say.
var variableForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// Variables keeps environment variables.
type Variables interface {
	Environment(ctx context.Context) ([]store.Variable, error)
	PutVariable(ctx context.Context, v store.Variable) error
	DropVariable(ctx context.Context, name string) error
}

// Environment is what workflows see as ${workflow.env.NAME}: what was put into it here, never what the process has in
// its own. Safe for concurrent use.
type Environment struct {
	kept Variables

	mu  sync.Mutex // held by whoever changes it
	now flow.Map   // never written to
	set sync.RWMutex
}

// OpenEnvironment reads what is kept.
func OpenEnvironment(ctx context.Context, kept Variables) (*Environment, error) {
	list, err := kept.Environment(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the environment of workflows: %w", err)
	}
	all := flow.Map{}
	for _, v := range list {
		if all[v.Name], err = flow.Decode(v.Doc); err != nil {
			return nil, fmt.Errorf("read the environment variable %s: %w", v.Name, err)
		}
	}
	return &Environment{kept: kept, now: all}, nil
}

// Map gives all of it. It must not be written to.
func (e *Environment) Map() flow.Map {
	e.set.RLock()
	defer e.set.RUnlock()
	return e.now
}

func (e *Environment) put(ctx context.Context, name string, value flow.Value) error {
	doc := flow.Encode(value)
	switch {
	case !variableForm.MatchString(name):
		return invalid("key", "letters, digits, _ and -, at most 100")
	case len(doc) > MaxVariableBytes:
		return invalid("value", "may have %d bytes of JSON", MaxVariableBytes)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := maps.Clone(e.Map())
	next[name] = value
	if len(next) > MaxVariables {
		return badRequest("there are %d variables already", MaxVariables)
	}
	if err := e.kept.PutVariable(ctx, store.Variable{Name: name, Doc: doc}); err != nil {
		return err
	}
	e.is(next)
	return nil
}

func (e *Environment) drop(ctx context.Context, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := maps.Clone(e.Map())
	if _, ok := next[name]; !ok {
		return missing("there is no environment variable %s", name)
	}
	delete(next, name)
	if err := e.kept.DropVariable(ctx, name); err != nil {
		return err
	}
	e.is(next)
	return nil
}

func (e *Environment) is(next flow.Map) {
	e.set.Lock()
	defer e.set.Unlock()
	e.now = next
}

// plain reads a body that is a value: as text of JSON when it is JSON text, as structure when it is an object or a
// list, as what it is otherwise.
func (r *request) plain() (flow.Value, error) {
	data, err := r.body()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		return string(data), nil
	}
	if v, err := flow.Decode(data); err == nil {
		switch v.(type) {
		case string, flow.Map, []any:
			return v, nil
		}
	}
	return string(data), nil
}

func (a *API) listVariables(r *request) (any, error) {
	type variable struct {
		Name  string     `json:"name"`
		Value flow.Value `json:"value"`
		Tags  []tag      `json:"tags"`
	}
	tags, err := a.tagsOf(r.Context(), kindEnvironment)
	if err != nil {
		return nil, err
	}
	all, found := a.Environment.Map(), []variable{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		found = append(found, variable{name, all[name], tags[name]})
	}
	return found, nil
}

func (a *API) getVariable(r *request) (any, error) {
	v, ok := a.Environment.Map()[r.path["key"]]
	if !ok {
		return nil, missing("there is no environment variable %s", r.path["key"])
	}
	if s, ok := v.(string); ok {
		return text(s), nil
	}
	return v, nil
}

func (a *API) putVariable(r *request) (any, error) {
	v, err := r.plain()
	if err != nil {
		return nil, err
	}
	return nothing{}, a.Environment.put(r.Context(), r.path["key"], v)
}

func (a *API) dropVariable(r *request) (any, error) {
	if err := a.Environment.drop(r.Context(), r.path["key"]); err != nil {
		return nil, err
	}
	return nothing{}, a.Shelf.DropTags(r.Context(), kindEnvironment, r.path["key"], nil)
}
