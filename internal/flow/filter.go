package flow

import (
	"cmp"
	"strconv"
	"strings"
)

// filter is the condition in [?(...)]: a tree of && and || over comparisons and bare paths.
type filter struct {
	kind        filterKind
	left, right *filter // and, or; left: not
	a, b        operand // compare; a: exists
	op          string
}

type filterKind int

const (
	filterExists filterKind = iota
	filterCompare
	filterAnd
	filterOr
	filterNot
)

// operand is a path from @, or a literal.
type operand struct {
	isPath bool
	path   path
	value  Value
}

// comparisons, longest first, so that <= is not read as <.
var comparisons = []string{"==", "!=", "<=", ">=", "<", ">"}

// filter reads what follows [? up to the ].
func (s *scanner) filter() (*filter, error) {
	if s.peek() != '(' {
		return nil, s.fail("a condition is written [?( )]")
	}
	return s.primary(0)
}

func (s *scanner) either(depth int) (*filter, error) {
	return s.chain("||", filterOr, depth, s.both)
}

func (s *scanner) both(depth int) (*filter, error) {
	return s.chain("&&", filterAnd, depth, s.primary)
}

func (s *scanner) chain(op string, kind filterKind, depth int, next func(int) (*filter, error)) (*filter, error) {
	left, err := next(depth)
	for err == nil {
		if s.spaces(); !s.take(op) {
			return left, nil
		}
		var right *filter
		right, err = next(depth)
		left = &filter{kind: kind, left: left, right: right}
	}
	return nil, err
}

// primary reads a condition in parentheses, a negation, or a comparison.
func (s *scanner) primary(depth int) (*filter, error) {
	if depth > MaxFilterDepth {
		return nil, s.fail("a condition nested more than %d deep", MaxFilterDepth)
	}
	s.spaces()
	switch {
	case s.take("("):
		inner, err := s.either(depth + 1)
		if err != nil {
			return nil, err
		}
		if s.spaces(); !s.take(")") {
			return nil, s.fail(") is missing, or a comparison that is not supported")
		}
		return inner, nil
	case s.peek() == '!':
		s.at++
		inner, err := s.primary(depth + 1)
		return &filter{kind: filterNot, left: inner}, err
	}
	return s.comparison()
}

func (s *scanner) comparison() (*filter, error) {
	a, err := s.operand()
	if err != nil {
		return nil, err
	}
	s.spaces()
	for _, op := range comparisons {
		if !s.take(op) {
			continue
		}
		s.spaces()
		b, err := s.operand()
		return &filter{kind: filterCompare, a: a, b: b, op: op}, err
	}
	if !a.isPath {
		return nil, s.fail("a comparison is missing: one of %s", strings.Join(comparisons, " "))
	}
	return &filter{kind: filterExists, a: a}, nil
}

func (s *scanner) operand() (operand, error) {
	switch c := s.peek(); {
	case c == '@':
		s.at++
		p, err := s.relative()
		return operand{isPath: true, path: p}, err
	case c == '\'' || c == '"':
		text, err := s.quoted()
		return operand{value: text}, err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	start := s.at
	switch s.word() {
	case "true":
		return operand{value: true}, nil
	case "false":
		return operand{value: false}, nil
	case "null":
		return operand{}, nil
	}
	s.at = start
	return operand{}, s.fail("a path from @, 'text', a number, true, false or null is missing")
}

func (s *scanner) number() (operand, error) {
	start := s.at
	for !s.done() && strings.IndexByte("+-.0123456789eE", s.peek()) >= 0 {
		s.at++
	}
	text := s.text[start:s.at]
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.at = start
		return operand{}, s.fail("this is not a number")
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return operand{value: n}, nil
	}
	return operand{value: Number(f)}, nil
}

// relative reads the names and numbers after @.
func (s *scanner) relative() (path, error) {
	var p path
	for s.peek() == '.' || s.peek() == '[' {
		step, err := s.step()
		if err != nil {
			return p, err
		}
		if step.kind.many() {
			return p, s.fail("a condition compares single values: only .name, ['name'] and [n] are possible after @")
		}
		if p.steps = append(p.steps, step); len(p.steps) > MaxPathSteps {
			return p, s.fail("more than %d steps", MaxPathSteps)
		}
	}
	return p, nil
}

// holds says whether the condition is true of a value.
func (f *filter) holds(v Value, w *work) bool {
	switch f.kind {
	case filterAnd:
		return f.left.holds(v, w) && f.right.holds(v, w)
	case filterOr:
		return f.left.holds(v, w) || f.right.holds(v, w)
	case filterNot:
		return !f.left.holds(v, w)
	case filterExists:
		_, ok := f.a.of(v, w)
		return ok
	}
	a, okA := f.a.of(v, w)
	b, okB := f.b.of(v, w)
	if !okA || !okB {
		return f.op == "!=" && okA != okB
	}
	return compare(a, f.op, b)
}

func (o operand) of(v Value, w *work) (Value, bool) {
	if !o.isPath {
		return o.value, true
	}
	return o.path.follow(v, w)
}

// compare compares two numbers, or two texts; of other values it only says whether they are the same.
func compare(a Value, op string, b Value) bool {
	order, comparable := 0, false
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			order, comparable = strings.Compare(x, y), true
		}
	case int64, float64:
		order, comparable = compareNumbers(a, b)
	}
	if !comparable {
		switch op {
		case "==":
			return simple(a) && simple(b) && a == b
		case "!=":
			return !simple(a) || !simple(b) || a != b
		}
		return false
	}
	switch op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// simple says whether Go can compare the value: lists and objects it cannot.
func simple(v Value) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string:
		return true
	}
	return false
}

func compareNumbers(a, b Value) (order int, ok bool) {
	x, isInt := a.(int64)
	y, bothInt := b.(int64)
	if isInt && bothInt {
		return cmp.Compare(x, y), true
	}
	f, okA := asFloat(a)
	g, okB := asFloat(b)
	return cmp.Compare(f, g), okA && okB
}

func asFloat(v Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
