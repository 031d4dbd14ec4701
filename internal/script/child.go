package script

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"switchboard/internal/flow"
)

// childMark in the environment makes a process of this program a child that runs scripts.
const childMark = "SWITCHBOARD_RUNS_SCRIPTS"

// overtime is what a script gets beyond its limit to stop when it is told to; patience, what its child gets beyond that
// to end itself.
const (
	overtime = 300 * time.Millisecond
	patience = 5 * time.Second
)

// maxFrame bounds what goes through a pipe at once: the largest input with the longest script.
const maxFrame = MaxInput + 8*MaxText

// request is one script for a child.
type request struct {
	Language    flow.Language   `json:"language"`
	Text        string          `json:"text"`
	Input       json.RawMessage `json:"input,omitempty"`
	OnlyCompile bool            `json:"compile,omitempty"`
	Limit       time.Duration   `json:"limit"` // nanoseconds
}

// answer is what a child says of it. With an Error there is no Value.
type answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
	Cause string          `json:"cause,omitempty"` // of Error: one of the causes, empty: the script itself
}

const (
	causeTime  = "time"
	causeLarge = "large"
)

// child is a process that runs one script at a time.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	last   *lastWords
	ending sync.Once
}

// start begins a child. On Linux it is the very program that runs, even if its file was replaced meanwhile.
func start() (*child, error) {
	path := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		var err error
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find the program to run scripts with: %w", err)
		}
	}
	c := &child{cmd: exec.Command(path), last: &lastWords{}}
	c.cmd.Args = []string{"switchboard-script"}
	c.cmd.Env = []string{childMark + "=1", "GOMAXPROCS=2", "GOTRACEBACK=none"}
	c.cmd.Stderr = c.last
	var err error
	if c.in, err = c.cmd.StdinPipe(); err == nil {
		c.out, err = c.cmd.StdoutPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start a process for scripts: %w", err)
	}
	return c, nil
}

// ask hands over a request and waits. After an error the child is of no use any more.
func (c *child) ask(ctx context.Context, r request) (answer, error) {
	late := time.AfterFunc(r.Limit+patience, c.kill) // if even its watch fails it
	defer late.Stop()
	defer context.AfterFunc(ctx, c.kill)()
	err := writeFrame(c.in, r)
	var a answer
	if err == nil {
		err = readFrame(c.out, &a)
	}
	if err == nil {
		return a, nil
	}
	if ctx.Err() != nil {
		return a, ctx.Err()
	}
	return a, c.causeOfDeath()
}

// causeOfDeath turns the end of the process into words.
func (c *child) causeOfDeath() error {
	c.end()
	said := c.last.text()
	switch code := c.cmd.ProcessState.ExitCode(); {
	case code == exitMemory, strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate"):
		return ErrMemory
	case code == exitTime, code == -1: // killed: by us, after the limit
		return ErrTime
	case strings.Contains(said, "stack"):
		return errors.New("the script is nested too deeply and was stopped")
	default:
		return fmt.Errorf("the process that ran the script ended: %s %s", c.cmd.ProcessState, said)
	}
}

func (c *child) kill() { _ = c.cmd.Process.Kill() }

// end ends the child, which holds nothing that anybody needs, and waits for it. One that ended by itself keeps its
// reason.
func (c *child) end() {
	c.ending.Do(func() {
		c.kill()
		_ = c.cmd.Wait()
	})
}

// lastWords keeps the beginning of what a dying child says.
type lastWords struct {
	mu   sync.Mutex
	said bytes.Buffer
}

const maxLastWords = 512

// Write implements io.Writer.
func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := maxLastWords - l.said.Len(); room > 0 {
		l.said.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (l *lastWords) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

func writeFrame(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxFrame {
		return fmt.Errorf("a message of %d bytes, at most %d", size, maxFrame)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
