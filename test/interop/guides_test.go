package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"switchboard/test/lab"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestGuides pastes the shell paragraphs of a guide into a shell, as its reader would, and expects the proof at their
// end.
func TestGuides(t *testing.T) {
	t.Parallel()
	for guide, want := range map[string][]string{
		"automation.md": {
			"PATCH /api/v2/callcenters/{id}: ", "tested: 200, rings for 25 s", ": COMPLETED",
			"Support rings for 35 seconds now", "scheduled: evenings, on events: busy",
		},
	} {
		t.Run(guide, func(t *testing.T) {
			for _, program := range []string{"sh", "curl", "node"} {
				lab.Need(t, program)
			}
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", guide))
			if err != nil {
				t.Fatal(err)
			}
			var script strings.Builder
			for _, block := range shellBlock.FindAllSubmatch(text, -1) {
				script.Write(block[1])
			}
			server := lab.Serve(t, t.TempDir())
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			shell := exec.CommandContext(ctx, "sh", "-eu")
			shell.Dir, shell.Stdin = t.TempDir(), strings.NewReader(script.String())
			shell.Env = append(os.Environ(), "SWITCHBOARD="+server.URL, "KEY="+server.Key)
			out, err := shell.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			at := 0
			for _, line := range want {
				found := strings.Index(string(out[at:]), line)
				if found < 0 {
					t.Fatalf("%q is missing behind %d bytes of:\n%s", line, at, out)
				}
				at += found
			}
		})
	}
}
