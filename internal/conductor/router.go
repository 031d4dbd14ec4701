package conductor

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// route is one method at one path. In the path {name} stands for any one segment.
type route struct {
	method string
	path   string
	handle handle
	open   bool // nobody needs to say who they are
}

// node is where the routes of a beginning of paths part. http.ServeMux is no choice: it refuses to hold both
// /api/tasks/{id}/log and /api/tasks/poll/{type}. Here a segment that is written out goes before a wildcard, from the
// left to the right.
type node struct {
	next   map[string]*node
	wild   *node
	routes map[string]*route // by method
	names  []string          // of the wildcards on the way here
}

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// add panics when there is such a route already, or one with other names of wildcards: a mistake in the program.
func (n *node) add(r route) {
	var names []string
	for _, s := range segments(r.path) {
		var next *node
		if name, wild := strings.CutPrefix(s, "{"); wild {
			names = append(names, strings.TrimSuffix(name, "}"))
			if n.wild == nil {
				n.wild = &node{}
			}
			next = n.wild
		} else {
			if n.next == nil {
				n.next = map[string]*node{}
			}
			if n.next[s] == nil {
				n.next[s] = &node{}
			}
			next = n.next[s]
		}
		n = next
	}
	if n.routes == nil {
		n.routes = map[string]*route{}
		n.names = names
	}
	if n.routes[r.method] != nil || !slices.Equal(n.names, names) {
		panic(fmt.Sprintf("conductor: two routes for %s %s", r.method, r.path))
	}
	n.routes[r.method] = &r
}

// find gives the route of a request and the values of its wildcards, or which methods the path takes.
func (n *node) find(method, escaped string) (*route, map[string]string, []string) {
	parts := segments(escaped)
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "" {
			return nil, nil, nil
		}
		parts[i] = plain
	}
	at, values := n.walk(parts, nil)
	if at == nil {
		return nil, nil, nil
	}
	found := at.routes[method]
	if found == nil {
		return nil, nil, slices.Sorted(maps.Keys(at.routes))
	}
	path := map[string]string{}
	for i, name := range at.names {
		path[name] = values[i]
	}
	return found, path, nil
}

// walk finds where a path leads, and its segments that wildcards took.
func (n *node) walk(parts, values []string) (*node, []string) {
	if len(parts) == 0 {
		if n.routes == nil {
			return nil, nil
		}
		return n, values
	}
	if next := n.next[parts[0]]; next != nil {
		if at, taken := next.walk(parts[1:], values); at != nil {
			return at, taken
		}
	}
	if n.wild != nil {
		return n.wild.walk(parts[1:], append(slices.Clip(values), parts[0]))
	}
	return nil, nil
}
