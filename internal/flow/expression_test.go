package flow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The scripts in testdata/expressions set the values that expressions start from ("values") and fill in templates
// ("resolve"): below stands the stored form, and where they differ what people see ("plain") and what is sent
// ("filled", every secret being its name and path in angle brackets).
func TestExpressions(t *testing.T) {
	datadriven.Walk(t, "testdata/expressions", func(t *testing.T, file string) {
		values := Map{}
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "values":
				values = decoded(t, d.Input).(Map)
				return ""
			case "resolve":
				return resolved(t, d.Input, values)
			case "path":
				if _, err := parsePath(d.Input); err != nil {
					return err.Error()
				}
				return "ok"
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func decoded(t *testing.T, text string) Value {
	t.Helper()
	v, err := Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func rootsOf(values Map) lookup {
	return func(name string) (Value, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// resolved fills in one template a line.
func resolved(t *testing.T, input string, values Map) string {
	t.Helper()
	var out strings.Builder
	for _, line := range strings.Split(input, "\n") {
		stored := resolve(decoded(t, line), rootsOf(values))
		fmt.Fprintf(&out, "%s\n", Encode(stored))
		plain := Plain(stored)
		if string(Encode(plain)) != string(Encode(stored)) {
			fmt.Fprintf(&out, "  plain  %s\n", Encode(plain))
		}
		filled, err := Fill(stored, named)
		if err != nil {
			t.Fatal(err)
		}
		if string(Encode(filled)) != string(Encode(plain)) {
			fmt.Fprintf(&out, "  filled %s\n", Encode(filled))
		}
	}
	return out.String()
}

func named(ref SecretRef) (Value, error) {
	return "<" + strings.Join(append([]string{ref.Name}, ref.Path...), " ") + ">", nil
}

func TestFillEndsWithTheFirstError(t *testing.T) {
	gone := errors.New("no such secret")
	stored := decoded(t, `{"a": "${workflow.secrets.A}", "b": ["${workflow.secrets.B} x"]}`)
	before := string(Encode(stored))
	if v, err := Fill(stored, func(SecretRef) (Value, error) { return nil, gone }); !errors.Is(err, gone) || v != nil {
		t.Fatalf("filled %v, %v", v, err)
	}
	if string(Encode(stored)) != before {
		t.Fatalf("Fill changed what it was given: %s", Encode(stored))
	}
	if refs := fmt.Sprint(Secrets(stored)); refs != "[{A []} {B []}]" {
		t.Fatalf("refers to %s", refs)
	}
}

func TestFillingInIsBounded(t *testing.T) {
	big := strings.Repeat("x", MaxFilledWork/4)
	values := Map{"big": big, "list": []any{big}}
	for name, template := range map[string]Value{
		"one text":      strings.Repeat("${big}", 5),
		"many values":   []any{"${big}", "${big}", "${big}", "${big}", "${big}"},
		"shared values": []any{"${list}", "${list}", "${list}", "${list}", "${list}"},
	} {
		if v, err := resolveWithin(template, rootsOf(values)); !errors.Is(err, errFilledTooLarge) || v != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := resolveWithin([]any{"${big}", "${list}"}, rootsOf(values)); err != nil {
		t.Error(err)
	}
}

func TestFillingInIsBoundedInDepth(t *testing.T) {
	nested := func(depth int) Value {
		var v Value = int64(1)
		for range depth {
			v = []any{v}
		}
		return v
	}
	for depth, fits := range map[int]bool{MaxFilledDepth: true, MaxFilledDepth + 1: false} {
		_, err := resolveWithin("${a}", rootsOf(Map{"a": nested(depth)}))
		if fits != (err == nil) {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
	text := strings.Repeat("[", MaxValueDepth) + strings.Repeat("]", MaxValueDepth)
	if _, err := Decode([]byte(text)); err != nil {
		t.Error(err)
	}
	if _, err := Decode([]byte("[" + text + "]")); err == nil {
		t.Error("a value nested too deep was read")
	}
}

func TestInputOfATaskIsNeverNil(t *testing.T) {
	if m, err := resolveMap(nil, rootsOf(nil)); m == nil || len(m) != 0 || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	m, err := resolveMap(Map{"a": "${b}"}, rootsOf(Map{"b": int64(1)}))
	if err != nil || string(Encode(m)) != `{"a":1}` {
		t.Fatalf("%v, %v", m, err)
	}
}

func BenchmarkResolve(b *testing.B) {
	template := Map{"http_request": Map{
		"uri": "https://a.example/calls/${workflow.input.id}", "method": "POST",
		"headers": Map{"Authorization": "Bearer ${workflow.secrets.KEY}", "X-Center": "${get.output.response.body.center}"},
		"body":    Map{"who": "${get.output.response.body.calls[0].who}", "all": "${get.output.response.body.calls}"},
	}}
	calls := []any{Map{"who": "Ada", "n": int64(3)}, Map{"who": "Bob", "n": int64(5)}}
	roots := rootsOf(Map{
		"workflow": Map{"input": Map{"id": int64(7)}},
		"get":      Map{"output": Map{"response": Map{"body": Map{"center": "sales", "calls": calls}}}},
	})
	for b.Loop() {
		if _, err := resolveMap(template, roots); err != nil {
			b.Fatal(err)
		}
	}
}
