package directory

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxChanges bounds how many operations of each kind a Changes names.
const MaxChanges = 200

// Changes is what a refresh found: operations as "PATCH /path".
type Changes struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"` // their own description, or one that they refer to
	More    int      `json:"more,string"`
}

func noChanges() *Changes {
	return &Changes{Added: []string{}, Removed: []string{}, Changed: []string{}}
}

// compare says what became of a document's operations.
func compare(before, after *Document) *Changes {
	was, order := before.fingerprints()
	is, newOrder := after.fingerprints()
	c := noChanges()
	note := func(list *[]string, name string) {
		if len(*list) == MaxChanges {
			c.More++
			return
		}
		*list = append(*list, name)
	}
	for _, name := range newOrder {
		old, known := was[name]
		switch {
		case !known:
			note(&c.Added, name)
		case old != is[name]:
			note(&c.Changed, name)
		}
	}
	for _, name := range order {
		if _, left := is[name]; !left {
			note(&c.Removed, name)
		}
	}
	return c
}

// maxFollowed bounds how many references a comparison follows from one operation.
const maxFollowed = 300

// fragment is a place that references lead to: a sum of its text, and where it refers to itself.
type fragment struct {
	sum  [32]byte
	refs []string
}

// fingerprints are the operations with a sum over all that says what they do.
func (d *Document) fingerprints() (sums map[string][32]byte, order []string) {
	sums = map[string][32]byte{}
	known := map[string]fragment{}
	lookUp := func(ref string) fragment {
		found, ok := known[ref]
		if !ok {
			raw, _ := d.find(ref)
			found = fragment{sha256.Sum256(raw), references(raw)}
			known[ref] = found
		}
		return found
	}
	for _, at := range d.paths.operations(MaxOperations) {
		item := d.paths.object(at.path)
		sum := sha256.New()
		text := item.raw(at.method)
		sum.Write(text)
		sum.Write(item.raw("parameters"))
		seen := map[string]bool{}
		queue := references(text)
		for len(queue) > 0 && len(seen) < maxFollowed {
			ref := queue[0]
			queue = queue[1:]
			if seen[ref] {
				continue
			}
			seen[ref] = true
			found := lookUp(ref)
			sum.Write([]byte(ref))
			sum.Write(found.sum[:])
			queue = append(queue, found.refs...)
		}
		name := strings.ToUpper(at.method) + " " + at.path
		sums[name] = [32]byte(sum.Sum(nil))
		order = append(order, name)
	}
	return sums, order
}

// references lists where a part of a document refers to.
func references(raw jsontext.Value) []string {
	if !bytes.Contains(raw, []byte(`"$ref"`)) {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), tolerant...)
	var found []string
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return found
		}
		kind, length := dec.StackIndex(dec.StackDepth())
		if kind == '{' && length%2 == 1 && token.Kind() == '"' && token.String() == "$ref" && dec.PeekKind() == '"' {
			if value, err := dec.ReadToken(); err == nil {
				found = append(found, value.String())
			}
		}
	}
}
