package speech

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// WorkerProgram is the name of our worker.
const WorkerProgram = "switchboard-speech"

// workerStart bounds how long a worker may take to load its model.
const workerStart = 2 * time.Minute

// readyLine is what a worker prints when it takes streams; its address follows.
const readyLine = "Ready. Listening on "

// WorkerConfig is how a worker of ours is started.
type WorkerConfig struct {
	Program    string // path of switchboard-speech; "": beside this program, else by the PATH
	Library    string // path of libvosk; "": by the system's rules
	Model      string // folder
	Listen     string // "": a free port of loopback
	Streams    int    // 0: the worker's default
	Processors int    // 0: the worker's default
	Errors     io.Writer
}

// Worker is a running worker of ours, a process of its own.
type Worker struct {
	URL string // for VoskConfig

	command *exec.Cmd
	ended   chan struct{}
	once    sync.Once
}

// StartWorker starts a worker and waits until it takes streams. The error says what the worker said. The context bounds
// the start, not the worker.
func StartWorker(ctx context.Context, cfg WorkerConfig) (*Worker, error) {
	program, err := findWorker(cfg.Program)
	if err != nil {
		return nil, err
	}
	listen := cfg.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := []string{"--listen", listen, "--model", cfg.Model}
	if cfg.Library != "" {
		args = append(args, "--library", cfg.Library)
	}
	if cfg.Streams > 0 {
		args = append(args, "--streams", strconv.Itoa(cfg.Streams))
	}
	if cfg.Processors > 0 {
		args = append(args, "--processors", strconv.Itoa(cfg.Processors))
	}
	said := &tail{next: cfg.Errors}
	w := &Worker{command: exec.Command(program, args...), ended: make(chan struct{})}
	w.command.Stderr = said
	w.command.WaitDelay = time.Second
	out, err := w.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.command.Start(); err != nil {
		return nil, fmt.Errorf("start the speech worker: %w", err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(w.ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if at, ok := strings.CutPrefix(lines.Text(), readyLine); ok {
				select {
				case address <- at:
				default: // it says so once
				}
			}
		}
		_ = w.command.Wait() // why it ended is in what it said
	}()
	late := time.NewTimer(workerStart)
	defer late.Stop()
	select {
	case at := <-address:
		w.URL = "ws://" + at
		return w, nil
	case <-w.ended:
		return nil, errors.New("the speech worker ended: " + said.last())
	case <-late.C:
		err = errors.New("the speech worker did not become ready")
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.Close()
	return nil, err
}

func findWorker(program string) (string, error) {
	if program != "" {
		return program, nil
	}
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), WorkerProgram)
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	found, err := exec.LookPath(WorkerProgram)
	if err != nil {
		return "", fmt.Errorf("%s is neither beside this program nor in the PATH: make build makes it", WorkerProgram)
	}
	return found, nil
}

// PID is the worker's process.
func (w *Worker) PID() int { return w.command.Process.Pid }

// Ended is closed when the process is gone.
func (w *Worker) Ended() <-chan struct{} { return w.ended }

// Close ends the worker and waits until it is gone.
func (w *Worker) Close() {
	w.once.Do(func() { _ = w.command.Process.Kill() }) // it has nothing to save
	<-w.ended
}

// CPU is the processor time that the worker has used; 0 where the system does not tell.
func (w *Worker) CPU() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.PID()))
	if err != nil {
		return 0
	}
	// Behind the name in parentheses: state is field 3, utime and stime are 14 and 15, in ticks of 10 ms (proc(5)).
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// tail keeps the end of what a program says.
type tail struct {
	next io.Writer // gets all of it; nil: nobody does
	mu   sync.Mutex
	text string
}

const tailKept = 2048

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text += string(b)
	t.text = t.text[max(0, len(t.text)-tailKept):]
	if t.next != nil {
		return t.next.Write(b)
	}
	return len(b), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(t.text), "\n")
	return lines[len(lines)-1]
}
