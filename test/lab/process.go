package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built once for all tests of a package.
var binary struct {
	once sync.Once
	dir  string
	err  error
}

// Binary is the path of a freshly built switchboard. Main removes it.
func Binary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "switchboard-lab-"); binary.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(binary.dir, "switchboard"), "switchboard/cmd/switchboard")
		if output, err := build.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("build the program: %w\n%s", err, output)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return filepath.Join(binary.dir, "switchboard")
}

// Main runs the tests of a package that uses Binary.
func Main(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(binary.dir)
	os.Exit(code)
}

// Run runs a command of switchboard to its end. It answers what it printed, its complaints, and its exit code.
func Run(t testing.TB, args ...string) (out, complaints string, code int) {
	t.Helper()
	program := Binary(t) // outside the patience: on a busy machine the build takes long
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	command.Dir, command.Stdout, command.Stderr = t.TempDir(), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), command.ProcessState.ExitCode()
}

// Process is a "switchboard serve" of its own.
type Process struct {
	URL   string
	SIP   netip.AddrPort
	Key   string        // of the first start; "" on later ones
	Ready time.Duration // from its start to its readiness, as seen from outside

	t       testing.TB
	command *exec.Cmd
	out     output
	done    chan struct{}
	err     error
}

var (
	readyLine = regexp.MustCompile(`Pages and API: (\S+)  Calls: sip:(\S+)`)
	keyLine   = regexp.MustCompile(`API key of the company admin \(shown once\): (\S+)`)
)

// Serve starts a server on a data directory and waits until it is ready. It is killed when the test ends.
func Serve(t testing.TB, dir string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, done: make(chan struct{})}
	p.command = exec.Command(Binary(t), append([]string{
		"serve", "--data", dir, "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--rtp-ports", "0-0",
		"--timezone", "UTC", "--rate-limit", "1000000", "--company-rate-limit", "1000000",
	}, args...)...)
	p.command.Stdout, p.command.Stderr = &p.out, &p.out
	started := time.Now()
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(p.done); p.err = p.command.Wait() }()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", lastLines(p.out.String(), 40))
		}
	})
	for deadline := started.Add(Patience); ; time.Sleep(2 * time.Millisecond) {
		if found := readyLine.FindStringSubmatch(p.out.String()); found != nil {
			p.Ready, p.URL, p.SIP = time.Since(started), found[1], netip.MustParseAddrPort(found[2])
			break
		}
		select {
		case <-p.done:
			t.Fatalf("the server did not start: %v\n%s", p.err, p.out.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server is not ready after %s:\n%s", Patience, p.out.String())
		}
	}
	if found := keyLine.FindStringSubmatch(p.out.String()); found != nil {
		p.Key = found[1]
	}
	return p
}

// Company is the server's company, as the first start's admin sees it.
func (p *Process) Company() *Company {
	p.t.Helper()
	return NewCompany(p.t, p.URL, p.SIP, p.Key)
}

// Output is what it printed so far.
func (p *Process) Output() string { return p.out.String() }

// Kill is kill -9; nothing happens to one that has ended.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // fails for one that has ended
	<-p.done
}

// Interrupt is Ctrl-C.
func (p *Process) Interrupt() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
}

// Exit waits for its end, and answers its exit code.
func (p *Process) Exit() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		p.t.Fatalf("the server did not end within %s:\n%s", Patience, p.out.String())
	}
	return p.command.ProcessState.ExitCode()
}
