package tidy

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// layers is the import table (docs/internals/architecture.md): a package may import only packages of lower layers.
// Packages of one layer do not know each other.
var layers = map[string]int{
	"openapi": 0, "web": 0, "internal/memnet": 0, "internal/callcenter": 0, "internal/problem": 0, "internal/audio": 0,
	"internal/route": 1, "internal/schema": 1, "internal/flow": 1, "internal/transcript": 1, "internal/vosk": 1,
	"internal/voice": 1, "internal/cron": 1,
	"workflows": 2, "internal/store": 2, "internal/sim": 2, "internal/graph": 2, "internal/script": 2,
	"internal/engine": 3, "internal/auth": 3, "internal/limit": 3, "internal/egress": 3,
	"internal/runner": 3, "internal/vault": 3, "internal/trigger": 3,
	"internal/sipd": 4, "internal/media": 4, "internal/api": 4, "internal/console": 4, "internal/exchange": 4,
	"internal/speech": 4, "internal/hooks": 4, "internal/directory": 4, "internal/httptask": 4, "internal/conductor": 4,
	"internal/app": 5, "internal/softphone": 5,
	"internal/demo": 6, "internal/chaos": 6,
	"cmd/switchboard": 7, "cmd/switchboard-speech": 7,
	// made at development time, not part of the program
	"internal/audio/prompts/encode": 1, "internal/directory/gen": 5,
}

// owners are the only packages, or folders of them, that may import a module.
var owners = map[string]string{
	"github.com/emiago/sipgo":       "internal/sipd",
	"modernc.org/sqlite":            "internal/store",
	"github.com/pion/sdp/v3":        "internal/media",
	"github.com/hajimehoshi/go-mp3": "internal/media",
	"github.com/alecthomas/kong":    "cmd",
	"github.com/ebitengine/purego":  "internal/vosk", // what it loads must be in the worker's process alone
	"github.com/kljensen/snowball":  "internal/transcript",
}

// stdOnly are the packages that import nothing but the standard library.
var stdOnly = map[string]bool{"internal/callcenter": true, "internal/audio": true}

// impure are imports that the core must do without: it has no clock, no goroutines and no I/O of its own.
var impure = []string{"os", "net", "sync", "context", "log", "log/slog", "net/http", "io", "database/sql"}

var pure = map[string]bool{
	"internal/callcenter": true, "internal/route": true, "internal/flow": true, "internal/voice": true,
}

func TestImportsPointDown(t *testing.T) {
	for _, file := range goFiles(t, false) {
		pkg := filepath.ToSlash(filepath.Dir(file))
		if pkg == "internal/tidy" || strings.HasPrefix(pkg, "test/") {
			continue
		}
		layer, ok := layers[pkg]
		if !ok {
			t.Errorf("%s: package %s is not in the import table", file, pkg)
			continue
		}
		for _, path := range importsOf(t, file) {
			checkImport(t, file, pkg, layer, path)
		}
	}
}

func checkImport(t *testing.T, file, pkg string, layer int, path string) {
	t.Helper()
	if own, ok := strings.CutPrefix(path, "switchboard/"); ok {
		if to, known := layers[own]; !known || to >= layer {
			t.Errorf("%s: %s (layer %d) imports %s (layer %d)", file, pkg, layer, own, to)
		}
		return
	}
	first, _, _ := strings.Cut(path, "/")
	if stdOnly[pkg] && strings.Contains(first, ".") {
		t.Errorf("%s: %s imports %s; it may import only the standard library", file, pkg, path)
	}
	for module, owner := range owners {
		if (path == module || strings.HasPrefix(path, module+"/")) && pkg != owner && !strings.HasPrefix(pkg, owner+"/") {
			t.Errorf("%s: %s imports %s; only %s may", file, pkg, path, owner)
		}
	}
	if pure[pkg] {
		for _, banned := range impure {
			if path == banned {
				t.Errorf("%s: %s is pure and imports %s", file, pkg, path)
			}
		}
	}
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}
