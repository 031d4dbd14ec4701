package vosk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
)

// The bounds of the server (docs/reference/speech.md, The worker).
const (
	Rate           = 16000           // samples a second: at others the models hear nothing and say so to nobody
	MaxStreams     = 1000            // that a Server may be told to take
	MaxMessage     = 256 << 10       // bytes of one message of a client
	MaxPhrases     = 5000            // of a grammar
	idleTimeout    = 2 * time.Minute // without a message
	answerTimeout  = 10 * time.Second
	bytesPerSample = 2
)

// Recognizer is one voice being recognised; Stream is the real one.
type Recognizer interface {
	Accept(pcm []int16) (answer string, err error)
	Finish() string
	Close()
}

// Server takes streams over websockets: a client sends {"config":{"sample_rate":16000}}, then 16-bit PCM in binary
// messages, each of which is answered by {"partial"} or {"result","text"}, and at the end {"eof":1}, which is answered
// by the last result.
type Server struct {
	open    func(grammar string) (Recognizer, error)
	streams chan struct{} // a place for each stream
	turns   chan struct{} // a place for each that computes at the same time
	refused atomic.Uint64
	log     *slog.Logger
}

// NewServer takes at most streams at a time, of which at most processors compute at the same moment.
func NewServer(open func(grammar string) (Recognizer, error), streams, processors int, log *slog.Logger) *Server {
	return &Server{
		open: open, streams: make(chan struct{}, streams), turns: make(chan struct{}, processors), log: log,
	}
}

// Of makes the streams of a model.
func Of(m *Model) func(grammar string) (Recognizer, error) {
	return func(grammar string) (Recognizer, error) { return m.Stream(Rate, grammar) }
}

// Streams counts the streams that are open, and those that found no place.
func (s *Server) Streams() (open int, refused uint64) { return len(s.streams), s.refused.Load() }

// ServeHTTP serves one stream. Pages of a browser have no business here: whoever names an Origin is refused.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != "" {
		http.Error(w, "not for browsers", http.StatusForbidden)
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		s.refused.Add(1)
		http.Error(w, "all streams are taken", http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it answered already
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(MaxMessage)
	v := &visit{server: s, conn: conn}
	defer v.close()
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("a stream panicked", "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	if err := v.run(r.Context()); err != nil {
		s.log.Debug("a stream ended early", "error", err)
		_ = conn.Close(websocket.StatusPolicyViolation, short(err.Error()))
		return
	}
	_ = conn.Close(websocket.StatusNormalClosure, "")
}

// short fits a reason into a close frame (RFC 6455, section 5.5: 125 bytes with the status).
func short(text string) string { return text[:min(len(text), 120)] }

// visit is one client.
type visit struct {
	server     *Server
	conn       *websocket.Conn
	grammar    string
	recognizer Recognizer // nil before the first audio
}

func (v *visit) close() {
	if v.recognizer != nil {
		v.recognizer.Close()
	}
}

// order is a text message of a client.
type order struct {
	EOF    int `json:"eof"`
	Config *struct {
		SampleRate float64  `json:"sample_rate"`
		Phrases    []string `json:"phrase_list"`
	} `json:"config"`
}

func (v *visit) run(ctx context.Context) error {
	for {
		reading, cancel := context.WithTimeout(ctx, idleTimeout)
		kind, message, err := v.conn.Read(reading)
		cancel()
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			if err := v.listen(ctx, message); err != nil {
				return err
			}
			continue
		}
		var o order
		if err := json.Unmarshal(message, &o); err != nil {
			return errors.New("a text message is no JSON of this protocol")
		}
		if o.EOF != 0 {
			return v.finish(ctx)
		}
		if err := v.configure(o); err != nil {
			return err
		}
	}
}

func (v *visit) configure(o order) error {
	switch {
	case o.Config == nil:
		return nil // a newer client's
	case v.recognizer != nil:
		return errors.New("config: it must come before the audio")
	case o.Config.SampleRate != 0 && o.Config.SampleRate != Rate:
		return fmt.Errorf("sample_rate: must be %d", Rate)
	case len(o.Config.Phrases) > MaxPhrases:
		return fmt.Errorf("phrase_list: at most %d", MaxPhrases)
	case len(o.Config.Phrases) > 0:
		text, err := json.Marshal(o.Config.Phrases)
		if err != nil {
			return err
		}
		v.grammar = string(text)
	}
	return nil
}

// listen answers a piece of audio, when it has a turn to compute.
func (v *visit) listen(ctx context.Context, message []byte) error {
	if len(message)%bytesPerSample != 0 {
		return errors.New("audio: half a sample at the end")
	}
	pcm := make([]int16, len(message)/bytesPerSample)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(message[bytesPerSample*i:]))
	}
	var answer string
	err := v.turn(ctx, func() (err error) {
		if v.recognizer == nil {
			if v.recognizer, err = v.server.open(v.grammar); err != nil {
				return err
			}
		}
		answer, err = v.recognizer.Accept(pcm)
		return err
	})
	if err != nil {
		return err
	}
	return v.answer(ctx, answer)
}

func (v *visit) finish(ctx context.Context) error {
	answer := `{"text": ""}`
	if v.recognizer != nil {
		err := v.turn(ctx, func() error {
			answer = v.recognizer.Finish()
			return nil
		})
		if err != nil {
			return err
		}
	}
	return v.answer(ctx, answer)
}

func (v *visit) turn(ctx context.Context, compute func() error) error {
	select {
	case v.server.turns <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-v.server.turns }()
	return compute()
}

func (v *visit) answer(ctx context.Context, text string) error {
	writing, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return v.conn.Write(writing, websocket.MessageText, []byte(text))
}
