package speech

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/audio"
)

// The bounds of a program that transcribes after the call.
const (
	ExecLongest = 2 * time.Hour   // of a leg's audio; what is said later is a gap
	execTimeout = 2 * time.Hour   // for one leg
	execRing    = 5 * time.Second // of audio that waits for the disk
	maxOutput   = 8 << 20         // bytes that a program may say
	maxExecLine = MaxAnswer
)

// ExecConfig is a program that reads a WAV file of 8 or 16 kHz from its standard input and prints a line of JSON for
// each thing said: {"start": seconds, "end": seconds, "text": "...", "conf": 0 to 1}.
type ExecConfig struct {
	Program []string // and its arguments
	Spool   string   // folder for the audio of calls that go on; nothing there has a name or outlives this process
	Log     *slog.Logger
}

// Exec is an engine that works after the call, one leg at a time.
type Exec struct {
	cfg  ExecConfig
	turn chan struct{} // one place
}

// NewExec checks that there is such a program.
func NewExec(cfg ExecConfig) (*Exec, error) {
	if len(cfg.Program) == 0 {
		return nil, errors.New("a program is required")
	}
	path, err := exec.LookPath(cfg.Program[0])
	if err != nil {
		return nil, err
	}
	cfg.Program = append([]string{path}, cfg.Program[1:]...)
	return &Exec{cfg: cfg, turn: make(chan struct{}, 1)}, nil
}

// Caps implements Recognizer.
func (e *Exec) Caps() Caps { return Caps{Name: "exec"} }

// Open implements Recognizer.
func (e *Exec) Open(o StreamOpts) (Stream, error) {
	if err := checkRate(o.Rate); err != nil {
		return nil, err
	}
	s := &execStream{leg: newLeg(o.Rate, execRing), engine: e}
	go s.run(s.work)
	return s, nil
}

type execStream struct {
	*leg
	engine *Exec
	spool  *os.File
	size   time.Duration // of what is in the spool
	goes   []stretch     // of the spool, in order
}

// stretch is a part of the spool that is one go of the call.
type stretch struct{ spool, call time.Duration }

func (s *execStream) work() {
	var err error
	s.spool, err = openSpool(s.engine.cfg.Spool)
	if err != nil {
		s.engine.cfg.Log.Error("the audio of a call cannot be kept for its transcript", "error", err)
		s.tell(Result{End: s.drain(), Final: true, Gap: GapEngine})
		return
	}
	defer func() { _ = s.spool.Close() }()
	if end, err := s.keep(); err != nil {
		s.engine.cfg.Log.Error("the audio of a call could not be kept for its transcript", "error", err)
		s.tell(Result{Start: end, End: s.drain(), Final: true, Gap: GapEngine})
	}
	if s.size == 0 || s.ctx.Err() != nil {
		return
	}
	select {
	case s.engine.turn <- struct{}{}:
		defer func() { <-s.engine.turn }()
	case <-s.ctx.Done():
		return
	}
	if err := s.transcribe(); err != nil {
		s.engine.cfg.Log.Warn("the program that transcribes failed", "error", err)
		s.tell(Result{Start: s.goes[0].call, End: s.inCall(s.size), Final: true, Gap: GapEngine})
	}
}

// openSpool makes a file without a name: it is gone with this process, however that ends.
func openSpool(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "speech-*.wav")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// drain waits for the end of the call, and says where that was.
func (s *execStream) drain() time.Duration {
	for {
		if _, ok, _ := s.ring.take(s.ctx); !ok {
			return s.ring.end()
		}
	}
}

// keep writes the audio of a call to the spool until the end, and says how far it came.
func (s *execStream) keep() (end time.Duration, err error) {
	header := audio.HeaderOf(s.ring.rate, 0)
	if _, err := s.spool.Write(header); err != nil {
		return 0, err
	}
	for {
		p, ok, _ := s.ring.take(s.ctx)
		if !ok {
			return end, nil
		}
		if p.lost {
			s.tell(Result{Start: end, End: p.at, Final: true, Gap: GapSlow})
		}
		if s.size >= ExecLongest {
			return end, fmt.Errorf("it is longer than %s", ExecLongest)
		}
		if p.fresh {
			s.goes = append(s.goes, stretch{s.size, p.at})
		}
		if _, err := s.spool.Write(audio.AppendPCM(nil, p.pcm)); err != nil {
			return end, err
		}
		end = p.end(s.ring.rate)
		s.size += end - p.at
	}
}

// inCall is where in the call a place in the spool is.
func (s *execStream) inCall(at time.Duration) time.Duration {
	at = min(at, s.size)
	place := s.goes[0]
	for _, one := range s.goes {
		if one.spool <= at {
			place = one
		}
	}
	return place.call + at - place.spool
}

func (s *execStream) transcribe() error {
	samples := int(s.size * time.Duration(s.ring.rate) / time.Second)
	header := audio.HeaderOf(s.ring.rate, samples)
	if _, err := s.spool.WriteAt(header, 0); err != nil {
		return err
	}
	if _, err := s.spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, execTimeout)
	defer cancel()
	program := s.engine.cfg.Program
	command := exec.CommandContext(ctx, program[0], program[1:]...)
	command.Stdin = s.spool
	command.WaitDelay = time.Second
	var out bounded
	command.Stdout = &out
	if err := command.Run(); err != nil {
		return err
	}
	return s.read(out.said)
}

// bounded keeps what a program says, up to maxOutput; more ends the program.
type bounded struct{ said []byte }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if len(b.said)+len(p) > maxOutput {
		return 0, fmt.Errorf("it says more than %d bytes", maxOutput)
	}
	b.said = append(b.said, p...)
	return len(p), nil
}

func (s *execStream) read(text []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxExecLine)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var said struct {
			Start float64 `json:"start"`
			End   float64 `json:"end"`
			Text  string  `json:"text"`
			Conf  float64 `json:"conf"`
		}
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			return errors.New("it prints a line that is no JSON")
		}
		if words := clean(said.Text); words != "" {
			start := s.inCall(seconds(said.Start))
			s.tell(Result{
				Start: start, End: max(start, s.inCall(seconds(said.End))), Text: words, Final: true,
				Conf: share(said.Conf),
			})
		}
	}
	return lines.Err()
}
