package flow

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of a path (docs/reference/workflows.md, "Limits").
const (
	MaxPathLength  = 2000 // bytes
	MaxPathSteps   = 64
	MaxFilterDepth = 16 // parentheses and negations within each other
)

// path is what is written between ${ and }: the name of a root and the steps down from it.
type path struct {
	root  string
	steps []pathStep
}

// pathStep goes from a value to some of what is in it.
type pathStep struct {
	kind   stepKind
	name   string
	index  int
	filter *filter
}

type stepKind int

const (
	stepName   stepKind = iota // .x and ['x']
	stepIndex                  // [n], from the end if negative
	stepEach                   // .* and [*]
	stepDeep                   // ..: the value and everything in it
	stepFilter                 // [?(...)]
)

// many says whether the step may lead to any number of values: the result of a path with such a step is a list.
func (k stepKind) many() bool { return k >= stepEach }

// syntaxError is where and why a path cannot be read.
type syntaxError struct {
	at      int // byte within the path
	message string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s (at character %d)", e.message, e.at+1) }

// scanner reads a path from left to right.
type scanner struct {
	text string
	at   int
}

func (s *scanner) fail(format string, args ...any) error {
	return &syntaxError{at: utf8.RuneCountInString(s.text[:s.at]), message: fmt.Sprintf(format, args...)}
}

func (s *scanner) done() bool { return s.at >= len(s.text) }

func (s *scanner) peek() byte {
	if s.done() {
		return 0
	}
	return s.text[s.at]
}

// take skips what is ahead if it is the text given.
func (s *scanner) take(text string) bool {
	if !strings.HasPrefix(s.text[s.at:], text) {
		return false
	}
	s.at += len(text)
	return true
}

func (s *scanner) spaces() {
	for !s.done() && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
}

// notInNames are the characters that a name needs ['...'] for.
const notInNames = " \t\r\n.[](){}'\"?*,$\\=<>!&|"

// word reads a name; empty: there is none.
func (s *scanner) word() string {
	start := s.at
	for !s.done() && strings.IndexByte(notInNames, s.text[s.at]) < 0 {
		s.at++
	}
	return s.text[start:s.at]
}

// parsePath reads a path; its errors are *syntaxError.
func parsePath(text string) (path, error) {
	s := &scanner{text: strings.TrimSpace(text)}
	if len(s.text) > MaxPathLength {
		return path{}, s.fail("longer than %d bytes", MaxPathLength)
	}
	s.take("$.")
	p := path{root: s.word()}
	if p.root == "" {
		return path{}, s.fail("the name of a task, or workflow, is missing")
	}
	deep := false
	for !s.done() {
		step, err := s.step()
		if err != nil {
			return path{}, err
		}
		if step.kind == stepDeep && deep {
			return path{}, s.fail("only one .. is possible")
		}
		deep = deep || step.kind == stepDeep
		if p.steps = append(p.steps, step); len(p.steps) > MaxPathSteps {
			return path{}, s.fail("more than %d steps", MaxPathSteps)
		}
	}
	return p, nil
}

// step reads one step. After .. the name stands without a dot, so it is read as the next step.
func (s *scanner) step() (pathStep, error) {
	switch {
	case s.take(".."):
		if s.peek() != '[' {
			s.at-- // leaves one dot for the step that follows
		}
		return pathStep{kind: stepDeep}, nil
	case s.take("."):
		return s.dotted()
	case s.take("["):
		return s.bracketed()
	}
	return pathStep{}, s.fail("%q is not expected here", s.text[s.at:s.at+1])
}

func (s *scanner) dotted() (pathStep, error) {
	if s.take("*") {
		return pathStep{kind: stepEach}, nil
	}
	name := s.word()
	if name == "" {
		return pathStep{}, s.fail("a name is missing after the dot")
	}
	if s.peek() == '(' {
		return pathStep{}, s.fail("functions such as %s() are not supported: use a JSON_JQ_TRANSFORM or INLINE task", name)
	}
	return pathStep{kind: stepName, name: name}, nil
}

func (s *scanner) bracketed() (pathStep, error) {
	s.spaces()
	var step pathStep
	var err error
	switch c := s.peek(); {
	case c == '*':
		s.at++
		step.kind = stepEach
	case c == '\'' || c == '"':
		step.kind = stepName
		step.name, err = s.quoted()
	case c == '-' || c >= '0' && c <= '9':
		step.kind = stepIndex
		step.index, err = s.integer()
	case c == '?':
		s.at++
		step.kind = stepFilter
		step.filter, err = s.filter()
	default:
		err = s.fail("in [ ] belongs a 'name', a number, * or ?( )")
	}
	if err != nil {
		return pathStep{}, err
	}
	s.spaces()
	if !s.take("]") {
		switch s.peek() {
		case ':':
			return pathStep{}, s.fail("slices are not supported: use a JSON_JQ_TRANSFORM or INLINE task")
		case ',':
			return pathStep{}, s.fail("several names or numbers in one [ ] are not supported")
		}
		return pathStep{}, s.fail("] is missing")
	}
	return step, nil
}

func (s *scanner) integer() (int, error) {
	start := s.at
	if s.peek() == '-' {
		s.at++
	}
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	n, err := strconv.ParseInt(s.text[start:s.at], 10, 32)
	if err != nil {
		s.at = start
		return 0, s.fail("the place in a list is not a number that is possible")
	}
	return int(n), nil
}

// quoted reads text in single or double quotes; a backslash keeps the next character as it is.
func (s *scanner) quoted() (string, error) {
	start, quote := s.at, s.peek()
	var b strings.Builder
	for s.at++; !s.done(); s.at++ {
		switch c := s.peek(); {
		case c == quote:
			s.at++
			return b.String(), nil
		case c == '\\' && s.at+1 < len(s.text):
			s.at++
			b.WriteByte(s.peek())
		default:
			b.WriteByte(c)
		}
	}
	s.at = start
	return "", s.fail("the closing quote is missing")
}

// follow goes down the steps from a value. Found is false if there is no such thing; a path that may lead to many
// values gives a list, empty if what leads to it is there.
func (p path) follow(from Value, w *work) (found Value, ok bool) {
	at, many := []Value{from}, false
	for _, step := range p.steps {
		if !many && (step.kind == stepEach || step.kind == stepFilter) && !holdsValues(at[0]) {
			return nil, false
		}
		var next []Value
		for _, v := range at {
			next = step.from(v, next, w)
		}
		at, many = next, many || step.kind.many()
		if len(at) == 0 && !many {
			return nil, false
		}
	}
	if many {
		return append([]any{}, at...), true
	}
	return at[0], true
}

func holdsValues(v Value) bool {
	switch v.(type) {
	case []any, Map:
		return true
	}
	return false
}

// from appends what the step leads to from v, members of objects in the order of their names.
func (t pathStep) from(v Value, to []Value, w *work) []Value {
	if !w.spend(1) {
		return to
	}
	switch t.kind {
	case stepName:
		if object, ok := v.(Map); ok {
			if member, ok := object[t.name]; ok {
				return append(to, member)
			}
		}
	case stepIndex:
		list, _ := v.([]any)
		i := t.index
		if i < 0 {
			i += len(list)
		}
		if i >= 0 && i < len(list) {
			return append(to, list[i])
		}
	case stepEach:
		each(v, func(member Value) {
			if w.spend(1) {
				to = append(to, member)
			}
		})
	case stepDeep:
		to = append(to, v)
		each(v, func(member Value) { to = t.from(member, to, w) })
	case stepFilter:
		each(v, func(member Value) {
			if w.spend(1) && t.filter.holds(member, w) {
				to = append(to, member)
			}
		})
	}
	return to
}

// each calls do for every element of a list and every member of an object.
func each(v Value, do func(Value)) {
	switch v := v.(type) {
	case []any:
		for _, member := range v {
			do(member)
		}
	case Map:
		for _, key := range sortedKeys(v) {
			do(v[key])
		}
	}
}
