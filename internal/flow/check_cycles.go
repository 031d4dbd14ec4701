package flow

import (
	"slices"
	"strconv"
	"strings"
)

// MaxRunDepth is how many runs may be within each other: those that SUB_WORKFLOW tasks start, and failure workflows.
const MaxRunDepth = 32

// subWorkflow checks which workflow a SUB_WORKFLOW task runs. One that is written out is checked like any other.
func (c *checker) subWorkflow(p *place) {
	path := p.path + "/subWorkflowParam"
	sub := p.task.SubWorkflow
	byInput, _ := c.input(p, "subWorkflowName")
	if sub == nil {
		if byInput == nil {
			c.bad(path, "is missing")
		}
		return
	}
	c.templates(p, path+"/name", sub.Name)
	c.templates(p, path+"/version", sub.Version)
	c.templates(p, path+"/priority", sub.Priority)
	c.templates(p, path+"/idempotencyKey", sub.IdempotencyKey)
	version, ok := c.version(path+"/version", sub.Version)
	switch inline := sub.Definition.(type) {
	case nil:
		if sub.Name == "" && byInput == nil {
			c.bad(path+"/name", "is missing")
		} else if ok && !strings.Contains(sub.Name, "${") {
			c.otherWorkflow(path+"/name", sub.Name, version)
		}
	case string:
		if !strings.Contains(inline, "${") {
			c.bad(path+"/workflowDefinition", "must be an object or an expression")
		}
		c.templates(p, path+"/workflowDefinition", inline)
	case Map:
		c.inlineDefinition(p, path+"/workflowDefinition", inline)
	default:
		c.bad(path+"/workflowDefinition", "must be an object or an expression")
	}
}

// version reads the version of a workflow that another names; ok is false if only a run knows it.
func (c *checker) version(path string, v Value) (version int, ok bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		if v < 0 || v > 1<<31-1 {
			c.bad(path, "must be 0 or more")
			return 0, false
		}
		return int(v), true
	case string:
		if strings.Contains(v, "${") {
			return 0, false
		}
		if n, err := strconv.ParseInt(v, 10, 32); err == nil && n >= 0 {
			return int(n), true
		}
	}
	c.bad(path, "must be a whole number or an expression")
	return 0, false
}

func (c *checker) inlineDefinition(p *place, path string, raw Map) {
	if c.depth+len(p.inside) >= MaxTaskDepth {
		return // said already
	}
	text := Encode(raw)
	if c.all.inlineSize += len(text); c.all.inlineSize > MaxInlineSize {
		c.bad(path, "the definitions that are written out have more than %d bytes together", MaxInlineSize)
		return
	}
	d, warnings, err := Parse(text)
	if err != nil {
		wrong := parseError(err)
		c.bad(path+wrong.Path, "%s", wrong.Message)
		return
	}
	for _, w := range warnings {
		c.warn(path+w.Path, "%s", w.Message)
	}
	inner := &checker{
		known: c.known, base: c.base + path, depth: c.depth + len(p.inside) + 1, places: map[string]*place{},
		all: c.all, own: c.own,
	}
	c.all.inline[p.task] = d
	inner.definition(d)
	c.problems = append(c.problems, inner.problems...)
}

func (c *checker) startWorkflow(p *place) {
	path := p.path + "/inputParameters/startWorkflow"
	v, unknown := c.input(p, "startWorkflow")
	if s, ok := v.(string); unknown || ok && strings.Contains(s, "${") {
		return
	}
	request, ok := v.(Map)
	if !ok {
		c.bad(path, "must be an object that names a workflow")
		return
	}
	version, known := c.version(path+"/version", request["version"])
	name, ok := request["name"].(string)
	switch {
	case !ok && request["name"] != nil:
		c.bad(path+"/name", "must be text")
	case name == "" && request["workflowDef"] == nil:
		c.bad(path+"/name", "is missing")
	case known && !strings.Contains(name, "${"):
		if name == c.own.Name {
			c.warn(path+"/name", "starts the same workflow again: make sure that it ends")
		}
		c.otherWorkflow(path+"/name", name, version)
	}
}

// cycles refuses a workflow that certainly runs itself again, as a child within a child without end, and warns of one
// that may. What is run on a condition may end: a TERMINATE task, a case of a SWITCH.
func (c *checker) cycles(d *Definition) {
	if d.Name == "" {
		return
	}
	seen := map[string]bool{}
	c.descend(d, d, certain, nil, seen)
}

// certainty says whether a child is run whenever its parent is.
type certainty int

const (
	certain certainty = iota
	perhaps
)

// child is a workflow that a definition names in a SUB_WORKFLOW task.
type child struct {
	name    string
	version int
	path    string
	sure    certainty
}

func (c *checker) descend(start, d *Definition, sure certainty, trail []child, seen map[string]bool) {
	if c.known.Workflow == nil && d != start || len(trail) > MaxRunDepth {
		return
	}
	for _, next := range children(d, c.all.inline, 0) {
		next.sure = max(next.sure, sure)
		way := append(trail[:len(trail):len(trail)], next)
		if next.name == start.Name && (next.version == 0 || next.version == start.Version) {
			c.cycle(way)
			continue
		}
		key := next.name + "\x00" + string(rune('0'+next.sure))
		if seen[key] || c.known.Workflow == nil {
			continue
		}
		seen[key] = true
		if inner := c.known.Workflow(next.name, next.version); inner != nil {
			c.descend(start, inner, next.sure, way, seen)
		}
	}
}

func (c *checker) cycle(way []child) {
	var names []string
	for _, step := range way {
		names = append(names, step.name)
	}
	trail := strings.Join(names, ", which runs ")
	path := way[0].path + "/subWorkflowParam"
	if way[len(way)-1].sure == certain {
		c.bad(path, "runs %s: that would go on without end", trail)
		return
	}
	c.warn(path, "may run %s; runs may be %d deep within each other", trail, MaxRunDepth)
}

// children lists the workflows that a definition runs as parts of itself, also from within those it writes out.
func children(d *Definition, parsed map[*Task]*Definition, depth int) []child {
	c := &checker{all: &totals{}, places: map[string]*place{}}
	c.collect(d.Tasks, "/tasks", nil)
	ends := slices.ContainsFunc(c.order, func(p *place) bool { return p.task.Type == TypeTerminate })
	var found []child
	for _, p := range c.order {
		sub := p.task.SubWorkflow
		if p.task.Type != TypeSubWorkflow || sub == nil {
			continue
		}
		sure := certain
		if ends || conditional(p) {
			sure = perhaps
		}
		if inline, ok := sub.Definition.(Map); ok {
			within := parsed[p.task]
			if within == nil && depth < MaxTaskDepth {
				within, _, _ = Parse(Encode(inline))
			}
			if within == nil {
				continue
			}
			for _, next := range children(within, parsed, depth+1) {
				found = append(found, child{next.name, next.version, p.path, max(next.sure, sure)})
			}
			continue
		}
		if sub.Definition == nil && !strings.Contains(sub.Name, "${") {
			version, _ := sub.Version.(int64)
			found = append(found, child{sub.Name, int(version), p.path, sure})
		}
	}
	return found
}

func conditional(p *place) bool {
	for _, outer := range p.inside {
		if outer.task.Type == TypeSwitch {
			return true
		}
	}
	return false
}
