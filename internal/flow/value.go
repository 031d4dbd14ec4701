package flow

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxValueDepth is how deep lists and objects may be nested in a value that is read.
const MaxValueDepth = 1000

var errTooDeep = fmt.Errorf("nested more than %d deep", MaxValueDepth)

// JSON are the options under which everything of this package is read and written with json.Unmarshal and json.Marshal:
// the rule of numbers (docs/reference/workflows.md, "Values"), members of objects in the order of their names.
var JSON = json.JoinOptions(
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) (err error) {
		*v, err = decodeValue(d, 0)
		return err
	})),
	json.Deterministic(true),
)

// Decode reads one JSON value. A number without a fraction that fits an int64 becomes one, any other a float64.
func Decode(data []byte) (Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	if d.PeekKind() == 0 && len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("no JSON value")
	}
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	switch _, err := d.ReadToken(); {
	case err == nil:
		return nil, errors.New("more than one JSON value")
	case isSyntax(err):
		return nil, err
	}
	return v, nil
}

func isSyntax(err error) bool {
	var bad *jsontext.SyntacticError
	return errors.As(err, &bad)
}

func decodeValue(d *jsontext.Decoder, depth int) (Value, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return decodeNumber(token.String())
	}
	if depth >= MaxValueDepth {
		return nil, errTooDeep
	}
	if token.Kind() == '[' {
		return decodeList(d, depth+1)
	}
	return decodeObject(d, depth+1)
}

func decodeList(d *jsontext.Decoder, depth int) (Value, error) {
	list := []any{}
	for d.PeekKind() != ']' {
		v, err := decodeValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.ReadToken()
	return list, err
}

func decodeObject(d *jsontext.Decoder, depth int) (Value, error) {
	object := Map{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		if object[key], err = decodeValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, err
}

func decodeNumber(text string) (Value, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %.40s is out of range", text)
	}
	return Number(f), nil
}

// Number is f as a value: an int64 if it has no fraction and fits. What is no number at all is nil, as it is in JSON.
func Number(f float64) Value {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil
	case f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64: // the latter rounds up to 2^63
		return int64(f)
	}
	return f
}

// Encode writes a value as JSON, members of objects in the order of their names, so that equal values are equal bytes.
func Encode(v Value) []byte { return appendValue(nil, v) }

func appendValue(b []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		if n, ok := Number(v).(float64); ok {
			return append(b, jsontext.Float(n).String()...)
		}
		return appendValue(b, Number(v))
	case string:
		// broken UTF-8 comes out as U+FFFD
		b, _ = jsontext.AppendQuote(b, v)
		return b
	case []any:
		return appendList(b, v)
	case Map:
		return appendObject(b, v)
	}
	other, err := json.Marshal(v, JSON)
	if err != nil {
		panic(fmt.Sprintf("flow: %T is no JSON value: %v", v, err))
	}
	return append(b, other...)
}

func appendList(b []byte, list []any) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']')
}

func appendObject(b []byte, object Map) []byte {
	b = append(b, '{')
	for i, key := range sortedKeys(object) {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, key)
		b = append(b, ':')
		b = appendValue(b, object[key])
	}
	return append(b, '}')
}

func sortedKeys[V any](object map[string]V) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
