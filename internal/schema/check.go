package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Check checks the body of an operation, which must be one that takes a body. An empty body counts as {}.
func (s *Schema) Check(operationID string, body []byte) Result {
	n := s.bodies[operationID]
	if n == nil {
		panic("schema: no operation " + operationID + " takes a body")
	}
	if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
		body = []byte("{}")
	}
	c := &checker{
		in: body, dec: jsontext.NewDecoder(bytes.NewBuffer(body)), path: make([]byte, 0, 64), out: make([]byte, 0, len(body)),
	}
	if c.dec.PeekKind() == '{' {
		if err := c.object(n); err != nil {
			return Result{Problems: []Problem{c.broken(err)}}
		}
	} else {
		if err := c.skip(); err != nil {
			return Result{Problems: []Problem{c.broken(err)}}
		}
		c.out = nil
		c.add("must be a JSON object")
	}
	if _, err := c.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return Result{Problems: []Problem{{Message: fmt.Sprintf("has more after its end, at byte %d", c.dec.InputOffset())}}}
	}
	return c.result()
}

// checker is one run over one body.
type checker struct {
	in       []byte
	dec      *jsontext.Decoder
	path     []byte // dotted, of the value being read
	out      []byte
	scratch  []byte
	problems []Problem
	found    int // problems, listed or not
	ignored  []string
}

// These two end a check at once, as a syntax error does.
var (
	errDepth = fmt.Errorf("has more than %d objects and lists inside each other", MaxDepth)
	errNUL   = errors.New("contains the character NUL")
)

// result closes the lists.
func (c *checker) result() Result {
	if more := c.found - len(c.problems); more > 0 {
		c.problems = append(c.problems, Problem{Message: fmt.Sprintf("has %d more problems that are not listed", more)})
	}
	if len(c.ignored) > MaxIgnored {
		c.ignored[MaxIgnored] = "..."
	}
	return Result{Problems: c.problems, Ignored: c.ignored, JSON: c.out}
}

// add notes a problem of the value at the present path.
func (c *checker) add(message string) {
	if c.found++; c.found <= MaxProblems {
		c.problems = append(c.problems, Problem{string(c.path), message})
	}
}

// addAt notes a problem of a member of the object at the present path.
func (c *checker) addAt(name, message string) {
	mark := c.push(name)
	c.add(message)
	c.path = c.path[:mark]
}

// push makes the path longer and returns its former length.
func (c *checker) push(name string) int {
	mark := len(c.path)
	if mark > 0 {
		c.path = append(c.path, '.')
	}
	c.path = append(c.path, name...)
	return mark
}

// broken puts an error that ended the check in words.
func (c *checker) broken(err error) Problem {
	p := Problem{Location: string(c.path)}
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		errors.As(err, &syntax)
		p.Location, p.Message = dotted(syntax.JSONPointer), "is given twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		p.Message = fmt.Sprintf("is not JSON: it ends too early, at byte %d", c.dec.InputOffset())
	case errors.As(err, &syntax):
		p.Location = dotted(syntax.JSONPointer)
		p.Message = fmt.Sprintf("is not JSON at byte %d: %v", syntax.ByteOffset, syntax.Err)
	default:
		p.Message = fmt.Sprintf("%v, at byte %d", err, c.dec.InputOffset())
	}
	return p
}

// dotted turns an RFC 6901 pointer into a path as ours are.
func dotted(pointer jsontext.Pointer) string {
	var names []string
	for token := range pointer.Tokens() {
		names = append(names, shown(token))
	}
	return strings.Join(names, ".")
}

// shown makes a key that a client chose safe to repeat in a header or a log.
func shown(key string) string {
	strange := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ',' || r == '"' }
	if key != "" && len(key) <= maxKeyShown && !strings.ContainsFunc(key, strange) {
		return key
	}
	quoted := strconv.QuoteToASCII(key)
	if len(quoted) > maxKeyShown {
		return quoted[:maxKeyShown] + "..."
	}
	return quoted
}

// value checks the next value, which is not null. False: it is bad, and nothing was written.
func (c *checker) value(n *node) (bool, error) {
	k := c.dec.PeekKind()
	switch {
	case n.kind == kindObject && k == '{':
		return true, c.object(n)
	case n.kind == kindArray && k == '[':
		return c.array(n)
	case n.kind == kindFree && k == '{':
		return true, c.free()
	case n.kind == kindBool && (k == 't' || k == 'f'), n.kind == kindString && k == '"',
		n.kind == kindInt && (k == '0' || k == '"'):
		raw, err := c.dec.ReadValue()
		if err != nil {
			return false, err
		}
		return c.scalar(n, raw)
	}
	if err := c.skip(); err != nil {
		return false, err
	}
	c.add(wanted[n.kind])
	return false, nil
}

// wanted says what each kind asks for.
var wanted = [...]string{
	kindBool:   "must be true or false",
	kindInt:    `must be an integer, such as 30 or "30"`,
	kindString: "must be a string",
	kindObject: "must be an object",
	kindArray:  "must be a list",
	kindFree:   "must be an object",
}

// scalar checks a value that has the right type and writes it.
func (c *checker) scalar(n *node, raw jsontext.Value) (bool, error) {
	text := []byte(raw)
	if raw.Kind() == '"' {
		var err error
		if text, err = c.unquote(raw); err != nil {
			return false, err
		}
	}
	if n.kind == kindBool {
		c.out = append(c.out, raw...)
		return true, nil
	}
	number, message := n.judge(text)
	if message != "" {
		c.add(message)
		return false, nil
	}
	if n.kind == kindInt {
		c.out = strconv.AppendInt(c.out, number, 10)
	} else {
		c.out = append(c.out, raw...)
	}
	return true, nil
}

// unquote gives the text of a JSON string. It is good until the next call.
func (c *checker) unquote(raw jsontext.Value) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	text, err := jsontext.AppendUnquote(c.scratch[:0], raw)
	c.scratch = text
	if err == nil && bytes.IndexByte(text, 0) >= 0 {
		err = errNUL
	}
	return text, err
}

// judge says what is wrong with the text of a string or an integer, and the integer's value.
func (n *node) judge(text []byte) (int64, string) {
	if n.kind == kindInt {
		number, message := integer(text)
		if message == "" && (number < n.min || number > n.max) {
			message = n.bounds
		}
		return number, message
	}
	if n.bounds != "" {
		if length := int64(utf8.RuneCount(text)); length < n.min || length > n.max {
			return 0, n.bounds
		}
	}
	if n.enum != nil && !slices.Contains(n.enum, string(text)) {
		return 0, "must be one of " + strings.Join(n.enum, ", ")
	}
	if n.pattern != nil && !n.pattern.Match(text) {
		return 0, n.means
	}
	return 0, ""
}

// integer reads JSON's form of an integer, without fraction and exponent, so that no double rounds it on the way.
func integer(text []byte) (int64, string) {
	digits := bytes.TrimPrefix(text, []byte("-"))
	plain := len(digits) > 0 && (len(digits) == 1 || digits[0] != '0')
	for _, d := range digits {
		plain = plain && d >= '0' && d <= '9'
	}
	if !plain {
		return 0, wanted[kindInt]
	}
	number, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, "must be an integer of at most 64 bits"
	}
	return number, ""
}

// enter reads the start of an object or a list.
func (c *checker) enter() error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if c.dec.StackDepth() > MaxDepth {
		return errDepth
	}
	return nil
}

// object checks the next value, an object, and writes what is sound of it.
func (c *checker) object(n *node) error {
	if err := c.enter(); err != nil {
		return err
	}
	c.out = append(c.out, '{')
	first, seen := len(c.out), make([]bool, len(n.required))
	for c.dec.PeekKind() != '}' {
		raw, err := c.dec.ReadValue()
		if err != nil {
			return err
		}
		key, err := c.unquote(raw)
		if err != nil {
			return err
		}
		m := n.members[string(key)]
		if m == nil || m.readOnly {
			if err := c.ignore(string(key)); err != nil {
				return err
			}
			continue
		}
		if err := c.member(m, seen, first); err != nil {
			return err
		}
	}
	for i, name := range n.required {
		if !seen[i] {
			c.addAt(name, "is required")
		}
	}
	c.out = append(c.out, '}')
	_, err := c.dec.ReadToken()
	return err
}

// member checks the value of a known field. Null is the same as leaving it out.
func (c *checker) member(m *member, seen []bool, first int) error {
	if c.dec.PeekKind() == 'n' {
		_, err := c.dec.ReadToken()
		return err
	}
	if m.required >= 0 {
		seen[m.required] = true
	}
	start := len(c.out)
	if start > first {
		c.out = append(c.out, ',')
	}
	c.out = append(c.out, m.quoted...)
	mark := c.push(m.name)
	ok, err := c.value(m.node)
	if err != nil {
		return err // the path stays where it was, for broken
	}
	c.path = c.path[:mark]
	if !ok {
		c.out = c.out[:start]
	}
	return nil
}

// ignore skips the value of a field that is not used.
func (c *checker) ignore(key string) error {
	null := c.dec.PeekKind() == 'n'
	mark := c.push(shown(key))
	if err := c.skip(); err != nil {
		return err
	}
	if !null && len(c.ignored) <= MaxIgnored {
		c.ignored = append(c.ignored, string(c.path))
	}
	c.path = c.path[:mark]
	return nil
}

// array checks the next value, a list. With a bad place it is bad as a whole: a shorter one would mean something else.
func (c *checker) array(n *node) (bool, error) {
	start, sound := len(c.out), true
	if err := c.enter(); err != nil {
		return false, err
	}
	c.out = append(c.out, '[')
	count := int64(0)
	for ; c.dec.PeekKind() != ']'; count++ {
		ok, err := c.item(n, count)
		if err != nil {
			return false, err
		}
		sound = sound && ok
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return false, err
	}
	if count < n.min || count > n.max {
		c.add(n.bounds)
		sound = false
	}
	if !sound {
		c.out = c.out[:start]
		return false, nil
	}
	c.out = append(c.out, ']')
	return true, nil
}

// item checks one place of a list. Those beyond the greatest length are not looked at: their number is the problem.
func (c *checker) item(n *node, place int64) (bool, error) {
	if place >= n.max {
		return false, c.skip()
	}
	mark := c.push(strconv.FormatInt(place, 10))
	null := c.dec.PeekKind() == 'n'
	ok := false
	var err error
	if null {
		_, err = c.dec.ReadToken()
		c.add("must not be null")
	} else {
		if place > 0 {
			c.out = append(c.out, ',')
		}
		ok, err = c.value(n.items)
	}
	if err == nil {
		c.path = c.path[:mark]
	}
	return ok, err
}

// free keeps an object as it is written.
func (c *checker) free() error {
	from := c.dec.InputOffset() // behind the name; the colon and spaces follow
	err := c.skip()
	if err == nil {
		text := c.in[from:c.dec.InputOffset()]
		c.out = append(c.out, text[bytes.IndexByte(text, '{'):]...)
	}
	return err
}

// skip reads a value of any kind, which must still be sound JSON without NUL and not too deep.
func (c *checker) skip() error {
	outer := c.dec.StackDepth()
	for {
		if c.dec.PeekKind() == '"' {
			raw, err := c.dec.ReadValue()
			if err != nil {
				return err
			}
			if _, err := c.unquote(raw); err != nil {
				return err
			}
		} else if err := c.enter(); err != nil {
			return err
		}
		if c.dec.StackDepth() == outer {
			return nil
		}
	}
}
