package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Limits of text-to-speech. What is beyond them is not spoken.
const (
	MaxSpeechText = 500  // characters of one text
	MaxSpeech     = 1000 // texts kept in memory; the oldest goes
	speechQueue   = 64   // texts that wait to be rendered
	speechTimeout = 10 * time.Second
	speechVoice   = "rms"
)

// ErrNoSpeech says that a text cannot be spoken: no program for it is installed, or the text has nothing to say.
var ErrNoSpeech = errors.New("text cannot be spoken here")

// Speech turns text into sound with flite, where that is installed: beside the calls, one text at a time, each only
// once. What it made is kept as files in its folder.
type Speech struct {
	dir     string
	program string // "": none
	log     *slog.Logger
	wanted  chan string
	stop    context.CancelFunc
	ended   chan struct{}
	wg      sync.WaitGroup

	mu     sync.Mutex
	clips  map[string][]byte // by text; nil: being rendered, or it failed
	order  []string
	waits  map[string][]chan struct{}
	failed map[string]bool
}

// NewSpeech looks for flite and starts to render. dir is made when it is first needed.
func NewSpeech(dir string, log *slog.Logger) *Speech {
	program, err := exec.LookPath("flite")
	if err != nil {
		program = ""
	}
	return newSpeech(dir, program, log)
}

func newSpeech(dir, program string, log *slog.Logger) *Speech {
	ctx, stop := context.WithCancel(context.Background())
	s := &Speech{
		dir: dir, program: program, log: log, wanted: make(chan string, speechQueue), stop: stop, ended: make(chan struct{}),
		clips: map[string][]byte{}, waits: map[string][]chan struct{}{}, failed: map[string]bool{},
	}
	s.wg.Go(func() { s.run(ctx) })
	return s
}

// Close stops rendering and waits for it.
func (s *Speech) Close() {
	s.stop()
	s.wg.Wait()
	close(s.ended)
}

// Clip is the sound of a text, mu-law at 8 kHz. It never waits: false means that there is none yet; it is then being
// made, for the next time.
func (s *Speech) Clip(text string) ([]byte, bool) {
	if text = speakable(text); text == "" || s.program == "" {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want(text)
}

// want asks for a text that is not there. Called with mu held.
func (s *Speech) want(text string) ([]byte, bool) {
	clip, known := s.clips[text]
	if known {
		return clip, clip != nil
	}
	if s.failed[text] {
		return nil, false
	}
	select {
	case s.wanted <- text:
		s.clips[text] = nil
	default: // too many wait; it is asked for again the next time
	}
	return nil, false
}

// Prepare waits until a text can be spoken without delay.
func (s *Speech) Prepare(ctx context.Context, text string) error {
	if text = speakable(text); text == "" || s.program == "" {
		return ErrNoSpeech
	}
	s.mu.Lock()
	if _, ok := s.want(text); ok {
		s.mu.Unlock()
		return nil
	}
	if _, queued := s.clips[text]; !queued {
		s.mu.Unlock()
		return ErrNoSpeech
	}
	done := make(chan struct{})
	s.waits[text] = append(s.waits[text], done)
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
	case <-s.ended:
	}
	if _, ok := s.Clip(text); !ok {
		return ErrNoSpeech
	}
	return nil
}

// speakable is text on one line, without control characters; "" when there is nothing to say, or too much.
func speakable(text string) string {
	gap := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
	text = strings.Join(strings.FieldsFunc(text, gap), " ")
	if len([]rune(text)) > MaxSpeechText {
		return ""
	}
	return text
}

func (s *Speech) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-s.wanted:
			clip, err := s.sound(ctx, text)
			if err != nil && ctx.Err() == nil {
				s.log.Warn("a text could not be spoken", "error", err)
			}
			s.put(text, clip)
		}
	}
}

// put keeps a clip, nil for one that failed, and wakes who waits for it.
func (s *Speech) put(text string, clip []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) >= MaxSpeech {
		delete(s.clips, s.order[0])
		delete(s.failed, s.order[0])
		s.order = s.order[1:]
	}
	s.order = append(s.order, text)
	if clip == nil {
		s.failed[text] = true
		delete(s.clips, text)
	} else {
		s.clips[text] = clip
	}
	for _, done := range s.waits[text] {
		close(done)
	}
	delete(s.waits, text)
}

// sound reads the clip of an earlier time, or renders it.
func (s *Speech) sound(ctx context.Context, text string) ([]byte, error) {
	sum := sha256.Sum256([]byte(speechVoice + "\n" + text))
	path := filepath.Join(s.dir, hex.EncodeToString(sum[:])+".ulaw")
	if clip, err := os.ReadFile(path); err == nil && len(clip) > 0 {
		return clip, nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of spoken texts: %w", err)
	}
	clip, err := s.render(ctx, text)
	if err != nil {
		return nil, err
	}
	return clip, WriteWhole(path, clip)
}

// render runs the program. The text is one argument: no shell sees it.
func (s *Speech) render(ctx context.Context, text string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, speechTimeout)
	defer cancel()
	wav := filepath.Join(s.dir, "rendering.wav")
	defer os.Remove(wav)
	command := exec.CommandContext(ctx, s.program, "-voice", speechVoice, "-o", wav, "-t", text)
	command.WaitDelay = time.Second
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("run flite: %w: %s", err, out[:min(len(out), 200)])
	}
	clip, err := readPrompt(strings.TrimSuffix(wav, ".wav"))
	if err != nil {
		return nil, fmt.Errorf("read what flite said: %w", err)
	}
	return clip, nil
}

// WriteWhole makes a file that is there with all of its bytes or not at all, also after a crash.
func WriteWhole(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".*.part")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(file.Name()))
	}
	return nil
}
