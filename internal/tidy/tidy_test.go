package tidy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// The sizes that keep a file readable.
const (
	maxFunctionLines = 70
	maxFileLines     = 600
	maxLineLength    = 120
)

const root = "../.."

// vagueNames say nothing about what is in a package.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "base"}

func TestSizes(t *testing.T) {
	for _, file := range goFiles(t, true) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) > maxFileLines {
			t.Errorf("%s: %d lines, more than %d", file, len(lines), maxFileLines)
		}
		for i, line := range lines {
			if length := utf8.RuneCountInString(line); length > maxLineLength {
				t.Errorf("%s:%d: %d characters, more than %d", file, i+1, length, maxLineLength)
			}
		}
		files := token.NewFileSet()
		for _, decl := range parse(t, files, file).Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := files.Position(f.Pos()).Line, files.Position(f.End()).Line
			if n := last - first + 1; n > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d", file, first, f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func TestNamesAndComments(t *testing.T) {
	explained := map[string]bool{}
	packages := map[string]string{}
	for _, file := range goFiles(t, false) {
		dir := filepath.Dir(file)
		parsed := parse(t, token.NewFileSet(), file)
		packages[dir] = parsed.Name.Name
		explained[dir] = explained[dir] || parsed.Doc != nil
		if parsed.Name.Name == "main" {
			continue
		}
		for _, decl := range parsed.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: exported %s has no comment", file, name)
			}
		}
	}
	for dir, name := range packages {
		if !explained[dir] {
			t.Errorf("%s: no package comment", dir)
		}
		for _, vague := range vagueNames {
			if name == vague {
				t.Errorf("%s: a package called %s says nothing about what is in it", dir, name)
			}
		}
	}
}

// undocumented lists the exported names of a declaration that have no comment. A comment on a group of constants or
// variables speaks for all of it.
func undocumented(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && d.Name.Name != "Error" && d.Name.Name != "String" {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && s.Doc == nil && d.Doc == nil && s.Comment == nil {
					names = append(names, s.Names[0].Name)
				}
			}
		}
		return names
	}
	return nil
}

// exportedReceiver is false for methods of unexported types: an interface says what they do.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	expr := f.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return true
		}
	}
}

func TestNothingIsLeftUndone(t *testing.T) {
	marks := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "not imple" + "mented"}
	for _, file := range goFiles(t, true) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, mark := range marks {
				if _, comment, ok := strings.Cut(line, "//"); ok && strings.Contains(comment, mark) {
					t.Errorf("%s:%d: %s", file, i+1, strings.TrimSpace(line))
				}
			}
		}
	}
}

func parse(t *testing.T, files *token.FileSet, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(files, filepath.Join(root, file), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// goFiles lists the Go files of the product, by path from the root; with tests or without.
func goFiles(t *testing.T, tests bool) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		switch name := entry.Name(); {
		case entry.IsDir() && (name == "node_modules" || name == "testdata" || strings.HasPrefix(rel, ".git")):
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".go"), !tests && strings.HasSuffix(name, "_test.go"):
			return nil
		}
		files = append(files, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files found: looking in the wrong place", len(files))
	}
	return files
}
