package conductor

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"switchboard/internal/runner"
)

func quiet(config runner.Config) runner.Config {
	config.Log = slog.New(slog.DiscardHandler)
	return config
}

// TestContract plays scripts of requests against the API; -rewrite writes what is answered into them.
func TestContract(t *testing.T) {
	datadriven.Walk(t, "testdata/contract", func(t *testing.T, file string) {
		w := newWorld(t, nil)
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string { return w.run(t, d) })
	})
}

// TestEveryRouteIsInAScript holds the scripts to the routes.
func TestEveryRouteIsInAScript(t *testing.T) {
	files, err := os.ReadDir("testdata/contract")
	if err != nil {
		t.Fatal(err)
	}
	api := newWorld(t, nil).api
	called := map[*route]bool{}
	for _, file := range files {
		f, err := os.Open("testdata/contract/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		for line := range strings.Lines(string(text)) {
			method, path, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok || !strings.HasPrefix(path, "/") {
				continue
			}
			path, _, _ = strings.Cut(path, "?")
			if found, _, _ := api.routes.find(method, path); found != nil {
				called[found] = true
			}
		}
	}
	for _, r := range api.routes.all() {
		if !called[r] {
			t.Errorf("no script calls %s %s", r.method, r.path)
		}
	}
}
