package route

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// TestPure reads this package's own source: no clock, no goroutine, no channel, and nothing imported that could block.
func TestPure(t *testing.T) {
	allowed := []string{
		"cmp", "fmt", "math/bits", "math/rand/v2", "slices", "sort", "strconv", "strings", "time",
		"switchboard/internal/callcenter",
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if path := strings.Trim(i.Path.Value, `"`); !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
				t.Errorf("%s has a %T", name, n)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" &&
					slices.Contains([]string{"Now", "Since", "Until", "After", "Tick", "Sleep"}, n.Sel.Name) {
					t.Errorf("%s asks for the time of day: time.%s", name, n.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestSameEventsSameEffects plays the same soup twice: any dependence on the order of a map would show.
func TestSameEventsSameEffects(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	for range 20 {
		data := make([]byte, 3000)
		for i := range data {
			data[i] = byte(random.UintN(256))
		}
		var seen [2]strings.Builder
		for k := range seen {
			s := &soup{data: data, now: scriptStart}
			m := New(Config{Company: 1, Seed: 5})
			for id := range callcenter.OperatorID(5) {
				m.Step(s.now, s.operatorEvent(id+1))
			}
			for id := range callcenter.ID(3) {
				m.Step(s.now, s.centerEvent(id+1))
			}
			for len(s.data) > 0 {
				s.now = s.now.Add(time.Duration(s.n(40)) * time.Second / 4)
				fmt.Fprintf(&seen[k], "%+v\n", m.Step(s.now, s.next()))
				fmt.Fprintf(&seen[k], "%+v\n", m.Changed())
			}
		}
		if seen[0].String() != seen[1].String() {
			t.Fatal("the same events gave other effects")
		}
	}
}

// TestUnknownEventPanics: an event of no known type is a fault of the program.
func TestUnknownEventPanics(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "unknown event") {
			t.Errorf("recovered %v", r)
		}
	}()
	New(Config{}).Step(scriptStart, nil)
}
