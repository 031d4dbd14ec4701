package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Processors of the measured server: one of its own, or for requests all that there are.
const (
	ownCore  = "0"
	allCores = "0-1"
)

// clockTick is the unit of CPU times in /proc (USER_HZ, 100 on every Linux port that Go runs on).
const clockTick = 10 * time.Millisecond

// server is a measured process: the real binary, on its own processor, in a directory of its own.
type server struct {
	command *exec.Cmd
	dir     string
	url     string
	key     string
	office  string
	sip     netip.AddrPort
	ready   time.Duration // from exec to the line that says so
	http    *http.Client
	numbers int
	log     *os.File
}

var readyLine = regexp.MustCompile(`Pages and API: (\S+)\s+Calls: sip:(\S+)`)

// startServer runs the binary until stop. Extra flags follow ours.
func startServer(ctx context.Context, extra ...string) (*server, error) {
	return startServerOn(ctx, ownCore, extra...)
}

func startServerOn(ctx context.Context, cores string, extra ...string) (*server, error) {
	dir, err := os.MkdirTemp("", "switchboard-bench-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}}
	if err := s.launch(ctx, cores, extra); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	offices, err := s.api("GET", "/api/v2/offices", nil)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	items, _ := offices["items"].([]any)
	first, _ := items[0].(map[string]any)
	s.office, _ = first["id"].(string)
	_, err = s.api("POST", "/api/v2/x/trunks", object{"name": "loopback", "addresses": []string{"127.0.0.0/8"}})
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) launch(ctx context.Context, cores string, extra []string) error {
	args := []string{
		"-c", cores, program, "serve", "--data", filepath.Join(s.dir, "data"), "--http", "127.0.0.1:0",
		"--sip", "127.0.0.1:0", "--timezone", "UTC", "--rate-limit", "100000000", "--company-rate-limit", "1000000",
		"--drain", "1s", "--rtp-ports", "10000-31999",
	}
	s.command = exec.CommandContext(ctx, "taskset", append(args, extra...)...)
	s.command.Cancel = func() error { return s.command.Process.Signal(os.Interrupt) }
	s.command.WaitDelay = 20 * time.Second
	// A section that fails leaves its server behind: it ends with this program, whatever happens to that.
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	var err error
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	s.command.Stderr = s.log
	out, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.command.Start(); err != nil {
		return err
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, s.command.Process.Pid, serverNice) // only root may; then as it is
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, key, ok := strings.Cut(lines.Text(), "(shown once): "); ok {
			s.key = strings.TrimSpace(key)
		}
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			s.ready, s.url = time.Since(began), m[1]
			s.sip, err = netip.ParseAddrPort(m[2])
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return err
		}
	}
	text, _ := os.ReadFile(s.log.Name())
	return fmt.Errorf("the server did not start: %w\n%s", s.command.Wait(), text)
}

// stop ends the process as Ctrl-C does and removes its directory.
func (s *server) stop() error {
	_ = s.command.Process.Signal(os.Interrupt)
	err := s.command.Wait()
	_ = s.log.Close()
	if text, _ := os.ReadFile(s.log.Name()); bytes.Contains(text, []byte("panick")) || err != nil {
		err = errors.Join(err, fmt.Errorf("the server's log:\n%s", text))
	}
	s.http.CloseIdleConnections()
	return errors.Join(err, os.RemoveAll(s.dir))
}

type object = map[string]any

// api sends a request with the admin's key and wants 200.
func (s *server) api(method, path string, body any) (object, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if body == nil {
		text = nil
	}
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s %s: %s %s", method, path, text, res.Status, raw)
	}
	answer := object{}
	return answer, json.Unmarshal(raw, &answer)
}

// center is a call center with its number.
type center struct{ id, number string }

// openCenter makes a call center that is always open. Settings add to, or replace, those that let 1,000 callers wait.
func (s *server) openCenter(name string, settings object) (center, error) {
	body := object{
		"name": name, "office_id": s.office,
		"hold_queue": object{"max_hold_count": 1000, "max_hold_seconds": 18000, "announce_position": false},
		"alerts":     object{"cc_service_level": 0},
	}
	for k, v := range settings {
		body[k] = v
	}
	made, err := s.api("POST", "/api/v2/callcenters", body)
	if err != nil {
		return center{}, err
	}
	s.numbers++
	c := center{number: fmt.Sprintf("+1202555%04d", s.numbers)}
	c.id, _ = made["id"].(string)
	if _, err := s.api("POST", "/api/v2/x/numbers", object{"numbers": []string{c.number}}); err != nil {
		return center{}, err
	}
	_, err = s.api("POST", "/api/v2/numbers/"+c.number+"/assign",
		object{"target_id": c.id, "target_type": "callcenter"})
	return c, err
}

// hire makes n operators on duty in a center, reached at sip:<prefix><0..n-1>@at.
func (s *server) hire(c center, n int, prefix string, at netip.AddrPort) error {
	const hiring = 16 // requests at a time; more gain nothing on two processors
	work := make(chan int)
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	for range min(hiring, n) {
		wg.Go(func() {
			for i := range work {
				if err := s.hireOne(c, fmt.Sprintf("%s%d", prefix, i), i, at); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	return errors.Join(errs...)
}

func (s *server) hireOne(c center, user string, rank int, at netip.AddrPort) error {
	made, err := s.api("POST", "/api/v2/users",
		object{"email": user + "@bench.example", "office_id": s.office, "first_name": user})
	if err != nil {
		return err
	}
	id, _ := made["id"].(string)
	steps := []struct {
		method, path string
		body         object
	}{
		{
			"POST", "/api/v2/x/users/" + id + "/devices",
			object{"kind": "static", "contact": fmt.Sprintf("sip:%s@%s", user, at)},
		},
		{"POST", "/api/v2/callcenters/" + c.id + "/operators", object{"user_id": id, "skill_level": 1 + rank%100}},
		{"PATCH", "/api/v2/callcenters/operators/" + id + "/dutystatus", object{"on_duty": true}},
	}
	for _, step := range steps {
		if _, err := s.api(step.method, step.path, step.body); err != nil {
			return err
		}
	}
	return nil
}

// usage is what a process has taken of the machine.
type usage struct {
	at      time.Time
	cpu     time.Duration // user and system, all threads
	rss     int64         // bytes
	threads int
	files   int
}

func (s *server) usage() usage {
	u := usage{at: time.Now()}
	proc := fmt.Sprintf("/proc/%d/", s.command.Process.Pid)
	stat, _ := os.ReadFile(proc + "stat")
	// The name may hold anything, so fields are counted from behind its closing parenthesis (proc_pid_stat(5)).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	number := func(i int) int64 {
		if i >= len(fields) {
			return 0
		}
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return n
	}
	u.cpu = time.Duration(number(11)+number(12)) * clockTick
	u.threads = int(number(17))
	u.rss = number(21) * int64(os.Getpagesize())
	files, _ := os.ReadDir(proc + "fd")
	u.files = len(files)
	return u
}

// written is how much the process has had written to the disk (proc_pid_io(5)).
func (s *server) written() (n int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", s.command.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			n, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return n
}

// since is the CPU used since an earlier look, and as a share of one processor in percent.
func (u usage) since(before usage) (cpu time.Duration, percent float64) {
	cpu = u.cpu - before.cpu
	return cpu, 100 * float64(cpu) / float64(u.at.Sub(before.at))
}
