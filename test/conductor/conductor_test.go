package conductor

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"switchboard/test/lab"
)

// inCI makes missing programs failures.
var inCI = os.Getenv("SWITCHBOARD_INTEROP") != ""

const (
	installTime = 3 * time.Minute
	driveTime   = 5 * time.Minute
)

func TestMain(m *testing.M) { lab.Main(m) }

// install puts the client's package into this folder, as the lock file has it.
func install(t *testing.T) {
	t.Helper()
	missing := func(what string) {
		t.Helper()
		if inCI {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(program + " is not there: nothing can run Conductor's client")
		}
	}
	if _, err := os.Stat("node_modules/@io-orkes/conductor-javascript"); err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), installTime)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		missing("Conductor's client cannot be installed: " + err.Error() + "\n" + string(out))
	}
}

// drive runs the tests of a file against a server.
func drive(t *testing.T, server *lab.Process, file string, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), driveTime)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", file)
	node.Env = append(os.Environ(), append(env, "CI=", "SWITCHBOARD_URL="+server.URL, "SWITCHBOARD_KEY="+server.Key)...)
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func TestClientOfConductor(t *testing.T) {
	install(t)
	server := lab.Serve(t, t.TempDir())
	for _, file := range []string{"workers.test.mjs", "runs.test.mjs", "shelf.test.mjs", "triggers.test.mjs"} {
		t.Run(file, func(t *testing.T) { drive(t, server, file) })
	}
}
