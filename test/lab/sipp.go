package lab

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/audio"
)

// Need skips the test where a program is missing, and fails it instead where SWITCHBOARD_INTEROP says that it must be
// there.
func Need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("SWITCHBOARD_INTEROP") != "" {
			t.Fatalf("%s is not installed; sh test/interop/install.sh installs it", program)
		}
		t.Skipf("%s is not installed; sh test/interop/install.sh installs it", program)
	}
}

// SIPP is a running sipp.
type SIPP struct {
	t    testing.TB
	Addr netip.AddrPort // where it listens

	dir    string
	cancel context.CancelFunc
	done   chan struct{}
	output output
	once   sync.Once
	err    error
}

// Scenario runs one of test/sipp/*.xml. Target is who it calls; the zero AddrPort for scenarios that are called. Extra
// arguments follow ours: "-m", "10", "-r", "5", "-s", number, "-d", milliseconds. It is killed when the test ends, or
// after its bound.
func Scenario(t testing.TB, name string, target netip.AddrPort, bound time.Duration, extra ...string) *SIPP {
	t.Helper()
	return ScenarioAt(t, loopback, name, target, bound, extra...)
}

// ScenarioAt is Scenario at another address of this host.
func ScenarioAt(
	t testing.TB, at netip.Addr, name string, target netip.AddrPort, bound time.Duration, extra ...string,
) *SIPP {
	t.Helper()
	Need(t, "sipp")
	s := &SIPP{t: t, Addr: netip.AddrPortFrom(at, freePort(t, at)), dir: t.TempDir(), done: make(chan struct{})}
	s.furnish()
	args := []string{
		"-sf", scenarioFile(name), "-i", at.String(), "-mi", at.String(), "-p", fmt.Sprint(s.Addr.Port()),
		"-nostdin", "-buff_size", "1048576", "-trace_stat", "-stf", filepath.Join(s.dir, "stat.csv"), "-fd", "1",
		"-trace_err", "-error_file", filepath.Join(s.dir, "errors.log"), "-timeout", fmt.Sprintf("%ds", int(bound.Seconds())),
	}
	args = append(args, extra...)
	if target.IsValid() {
		args = append(args, target.String())
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound+5*time.Second)
	s.cancel = cancel
	command := exec.CommandContext(ctx, "sipp", args...)
	command.Dir, command.Stdout, command.Stderr = s.dir, &s.output, &s.output
	if err := command.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() { defer close(s.done); s.err = command.Wait() }()
	t.Cleanup(func() {
		over := s.over()
		s.Stop()
		if err := s.Wait(); over && err != nil && t.Failed() {
			t.Logf("%s: %v", name, err)
		}
	})
	return s
}

// over says whether it has ended by itself.
func (s *SIPP) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Tone is what the talking scenarios play: this frequency, in Hz.
const Tone = 440

// furnish puts the sounds that scenarios name into sipp's folder: a second of tone, and the key presses that Debian
// ships with sipp.
func (s *SIPP) furnish() {
	tone := audio.Sine(audio.Rate, audio.SpeechLevel, Tone)
	for name, law := range map[string]audio.Law{"tone.ulaw": audio.ULaw, "tone.alaw": audio.ALaw} {
		if err := os.WriteFile(filepath.Join(s.dir, name), audio.EncodeAll(tone, law), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	presses, err := filepath.Glob("/usr/share/sip-tester/*.pcap")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, file := range presses {
		if err := os.Symlink(file, filepath.Join(s.dir, filepath.Base(file))); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Stop ends it; nothing happens to one that has ended.
func (s *SIPP) Stop() {
	s.once.Do(s.cancel)
	<-s.done
}

// Wait waits for its end. The error says what sipp says: unexpected messages, failed calls.
func (s *SIPP) Wait() error {
	<-s.done
	if s.err == nil {
		return nil
	}
	unexpected, _ := os.ReadFile(filepath.Join(s.dir, "errors.log"))
	if len(unexpected) > 4000 {
		unexpected = unexpected[:4000]
	}
	return fmt.Errorf("sipp: %w\n%s\n%s", s.err, unexpected, lastLines(s.output.String(), 30))
}

// MustSucceed is Wait for scenarios in which no call may fail.
func (s *SIPP) MustSucceed() {
	s.t.Helper()
	if err := s.Wait(); err != nil {
		s.t.Fatal(err)
	}
}

// Counts are sipp's own totals, after its end.
type Counts struct{ Successful, Failed, Retransmissions int }

// Counts reads the totals.
func (s *SIPP) Counts() Counts {
	s.t.Helper()
	file, err := os.Open(filepath.Join(s.dir, "stat.csv"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma, reader.FieldsPerRecord = ';', -1
	rows, err := reader.ReadAll()
	if err != nil || len(rows) < 2 {
		s.t.Fatalf("sipp's statistics: %d rows, %v", len(rows), err)
	}
	last := rows[len(rows)-1]
	value := func(name string) int {
		for i, column := range rows[0] {
			if column == name && i < len(last) {
				n, _ := strconv.Atoi(last[i])
				return n
			}
		}
		s.t.Fatalf("sipp's statistics have no column %s", name)
		return 0
	}
	return Counts{value("SuccessfulCall(C)"), value("FailedCall(C)"), value("Retransmissions(C)")}
}

func scenarioFile(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "sipp", name+".xml")
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
