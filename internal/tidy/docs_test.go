package tidy

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a page names between backquotes: a test, with or without a part of it, or a script of the core.
var (
	namedTest   = regexp.MustCompile("`(Test[A-Za-z0-9_]*)[`/]")
	namedScript = regexp.MustCompile("[ |]`([a-z0-9]+(?:_[a-z0-9]+)+)`[, ]")
)

// testingPage has scripts in the second column of its tables: words with underscores.
const testingPage = "docs/internals/testing.md"

func TestDocsNameTestsThatExist(t *testing.T) {
	tests := map[string]bool{}
	for _, file := range goFiles(t, true) {
		for _, decl := range parse(t, token.NewFileSet(), file).Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	named := 0
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range namedTest.FindAllStringSubmatch(string(text), -1) {
			if named++; !tests[name[1]] {
				t.Errorf("%s names %s, which does not exist", path, name[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if named < 100 {
		t.Errorf("the pages name only %d tests", named)
	}
}

func TestTheTestingPageNamesScriptsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, testingPage))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 4 || !strings.HasPrefix(line, "|") {
			continue
		}
		for _, name := range namedScript.FindAllStringSubmatch(cells[2], -1) {
			named++
			if _, err := os.Stat(filepath.Join(root, "internal/route/testdata", name[1]+".txt")); err != nil {
				t.Errorf("%s names a script that does not exist: %v", testingPage, err)
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d scripts are named", named)
	}
}
