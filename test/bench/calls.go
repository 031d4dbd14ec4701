package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// callTime is how long each rate of calls is offered.
const callTime = 8 * time.Second

// measureBridged raises the rate of calls to sipp operators until some fail. Beyond the highest rate here it is the two
// sipps on their one processor that fail.
func measureBridged(ctx context.Context, r *report) error {
	return climb(ctx, r, []int{200, 400, 600, 800, 1000, 1200, 1400}, true)
}

// measureAnswered raises the rate of calls that the server answers with a message.
func measureAnswered(ctx context.Context, r *report) error {
	return climb(ctx, r, []int{600, 1000, 1500, 1900}, false)
}

// climb offers rate after rate until one fails. A rate that fails is tried once more, since a
// neighbour on the machine may have been the reason; both rows are shown.
func climb(ctx context.Context, r *report, rates []int, bridged bool) error {
	for _, rate := range rates {
		ok, err := runCalls(ctx, r, rate, bridged)
		if err == nil && !ok {
			ok, err = runCalls(ctx, r, rate, bridged)
		}
		if err != nil || !ok {
			return err
		}
	}
	return nil
}

// runCalls offers one rate to a fresh server; ok says that no call failed.
func runCalls(ctx context.Context, r *report, rate int, bridged bool) (ok bool, err error) {
	const operators = 400
	message := object{"try_dial_operators": false, "action": "message"}
	settings := object{"routing_options": object{"open": message, "closed": message}}
	if bridged {
		settings = nil
	}
	s, c, err := startCenter(ctx, "Calls", settings)
	if err != nil {
		return false, err
	}
	var desk *sipp
	if bridged {
		if desk, err = startSIPP(ctx, "answer", netip.AddrPort{}, "-d", "0"); err != nil {
			return false, err
		}
		defer desk.stop()
		if err := s.hire(c, operators, "op", desk.addr); err != nil {
			return false, err
		}
	}
	n := rate * int(callTime/time.Second)
	before := s.usage()
	callers, err := startSIPP(ctx, "call", s.sip, "-s", c.number, "-r", strconv.Itoa(rate), "-m", strconv.Itoa(n),
		"-d", "0", "-l", "20000", "-timeout", fmt.Sprintf("%ds", int(callTime/time.Second)+10))
	if err != nil {
		return false, err
	}
	defer callers.stop()
	<-callers.done
	took := time.Since(before.at)
	sleep(ctx, 1200*time.Millisecond) // sipp writes its figures once a second
	after := s.usage()
	made := callers.counts()
	figure, aim, reached := fmt.Sprintf("answered by the server, %d/s", rate), "peer 0.91-1.1 ms", made.successful
	if bridged {
		figure, aim = fmt.Sprintf("answered by operators and bridged, %d/s", rate), "peer 6.1-7.1 ms, 120/s"
		reached = min(reached, desk.counts().successful)
		desk.explain(r, "the operators' sipp")
	}
	switch {
	case rate == 600 && !bridged:
		aim = ">= 600/s; peer 600/s, 0.91-1.1 ms, RSS 2.66 GB"
	case rate == 700 && !bridged:
		aim = "peer fails"
	}
	callers.explain(r, "the callers' sipp")
	cpu, _ := after.since(before)
	failed := n - reached
	r.add(figure, aim, "%d of %d failed in %.1f s, CPU %.2f ms a call, %d retransmits, to 200 mean %s, RSS after %s",
		failed, n, took.Seconds(), ms2(cpu, n), made.retransmits, made.mean, megabytes(after.rss))
	return failed == 0 && took < callTime+2*time.Second, s.stop()
}

func ms2(d time.Duration, n int) float64 {
	return float64(d) / float64(time.Millisecond) / float64(max(1, n))
}

// sipp is one running sipp.
type sipp struct {
	addr    netip.AddrPort
	dir     string
	command *exec.Cmd
	done    chan struct{}
	output  bytes.Buffer
}

// startSIPP runs a scenario of test/sipp; the zero target is for those who are called.
func startSIPP(ctx context.Context, scenario string, target netip.AddrPort, extra ...string) (*sipp, error) {
	dir, err := os.MkdirTemp("", "switchboard-sipp-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	x := &sipp{addr: aimAt(port), dir: dir, done: make(chan struct{})}
	path, err := filepath.Abs(filepath.Join("test", "sipp", scenario+".xml"))
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"-sf", path, "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", strconv.Itoa(port), "-nostdin", "-trace_stat",
		"-stf", filepath.Join(dir, "stat.csv"), "-fd", "1", "-buff_size", strconv.Itoa(bufferBytes),
	}, extra...)
	if target.IsValid() {
		args = append(args, target.String())
	}
	x.command = exec.CommandContext(ctx, "sipp", args...)
	x.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	x.command.Dir, x.command.Stdout, x.command.Stderr = dir, &x.output, &x.output
	if err := x.command.Start(); err != nil {
		return nil, err
	}
	go func() { defer close(x.done); _ = x.command.Wait() }() // its figures say how it went
	return x, nil
}

func (x *sipp) stop() {
	_ = x.command.Process.Kill()
	<-x.done
	_ = os.RemoveAll(x.dir)
}

func freePort() (int, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
}

// counts are sipp's own totals.
type counts struct {
	successful, failed, retransmits int
	mean                            string // INVITE to 200
}

// statistics are the columns of sipp's last line of figures.
func (x *sipp) statistics() map[string]string {
	file, err := os.Open(filepath.Join(x.dir, "stat.csv"))
	if err != nil {
		return nil
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma, reader.FieldsPerRecord, reader.LazyQuotes = ';', -1, true
	rows, _ := reader.ReadAll()
	if len(rows) < 2 {
		return nil
	}
	columns := map[string]string{}
	for i, value := range rows[len(rows)-1] {
		if i < len(rows[0]) {
			columns[rows[0][i]] = value
		}
	}
	return columns
}

func (x *sipp) counts() counts {
	columns := x.statistics()
	number := func(name string) int {
		n, _ := strconv.Atoi(columns[name])
		return n
	}
	return counts{
		number("SuccessfulCall(C)"), number("FailedCall(C)"), number("Retransmissions(C)"),
		meanTime(columns["ResponseTime1(C)"]),
	}
}

// explain shows why calls failed, in sipp's words.
func (x *sipp) explain(r *report, who string) {
	columns := x.statistics()
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		if strings.HasPrefix(name, "Failed") && strings.HasSuffix(name, "(C)") && columns[name] != "0" {
			r.say("  %s: %s %s", who, name, columns[name])
		}
	}
}

// meanTime reads sipp's hours:minutes:seconds:microseconds.
func meanTime(text string) string {
	var hours, minutes, seconds, micros int
	if _, err := fmt.Sscanf(text, "%d:%d:%d:%d", &hours, &minutes, &seconds, &micros); err != nil {
		return "?"
	}
	return ms(time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute +
		time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond)
}
