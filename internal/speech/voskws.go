package speech

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"

	"switchboard/internal/audio"
)

// pace is how long we wait for an engine.
type pace struct {
	connect, write time.Duration
	stall          time.Duration // with unanswered audio out there
	finish         time.Duration // for the last answer
	again, longest time.Duration // between attempts
}

var usualPace = pace{
	connect: 5 * time.Second, write: 5 * time.Second, stall: 15 * time.Second, finish: 5 * time.Second,
	again: 250 * time.Millisecond, longest: 10 * time.Second,
}

// The bounds of one connection.
const (
	window     = 30  // messages of audio that may be unanswered
	floodSlack = 200 // messages of an engine beyond one for each of ours
)

// VoskConfig is where a Vosk server is.
type VoskConfig struct {
	URL    string       // ws://, wss:// or http://
	Client *http.Client // what connects; it must not have a timeout of its own
	Fold   float64      // dB by which the mirror image lies below, see audio.Folder
	Log    *slog.Logger
}

// Vosk is an engine behind the protocol of Vosk's server, which our worker speaks too.
type Vosk struct {
	cfg  VoskConfig
	pace pace
}

// NewVosk checks the address; nothing is connected before the first stream.
func NewVosk(cfg VoskConfig) (*Vosk, error) {
	at, err := url.Parse(cfg.URL)
	if err != nil || at.Host == "" || at.Scheme != "ws" && at.Scheme != "wss" {
		return nil, fmt.Errorf("%q is no URL of a Vosk server, such as ws://127.0.0.1:2700", cfg.URL)
	}
	return &Vosk{cfg: cfg, pace: usualPace}, nil
}

// Caps implements Recognizer.
func (v *Vosk) Caps() Caps { return Caps{Name: "vosk-ws", Streaming: true, Partials: true} }

// Open implements Recognizer.
func (v *Vosk) Open(o StreamOpts) (Stream, error) {
	if err := checkRate(o.Rate); err != nil {
		return nil, err
	}
	s := &voskStream{leg: newLeg(o.Rate, RingLength), engine: v, opts: o}
	go s.run(s.work)
	return s, nil
}

// voskStream is one leg. All but the ring is of its goroutine.
type voskStream struct {
	*leg
	engine *Vosk
	opts   StreamOpts

	first   *piece        // what the next connection begins with
	settled time.Duration // up to here everything has its text, or its gap
	broken  Gap           // "": the engine is there; else why nothing is heard from settled on
}

// Waiting is how much audio waits for the engine.
func (s *voskStream) Waiting() time.Duration { return s.ring.waiting() }

func (s *voskStream) work() {
	wait := s.engine.pace.again
	for s.next() {
		answered, err := s.connection()
		if answered {
			wait = s.engine.pace.again
		}
		if err == nil {
			continue
		}
		if s.broken == "" || answered {
			s.broken = reason(err)
			s.engine.cfg.Log.Warn("the speech engine failed", "error", err, "again", wait)
		}
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
		}
		wait = min(2*wait, s.engine.pace.longest)
	}
	if s.broken != "" {
		s.gap(s.ring.end())
	}
}

// errBusy is an engine that has no place.
var errBusy = errors.New("the engine has no place for a stream")

func reason(err error) Gap {
	if errors.Is(err, errBusy) {
		return GapBusy
	}
	return GapEngine
}

// next finds what the next connection begins with; false: there is nothing more to hear.
func (s *voskStream) next() bool {
	if s.ctx.Err() != nil || s.first != nil && s.broken != "" && s.ring.over() {
		return false
	}
	if s.first != nil && s.broken != "" && !s.ring.follows() {
		s.ring.dropped.Add(int64(len(s.first.pcm))) // what comes behind the hole is more of use
		s.first = nil
	}
	if s.first == nil {
		p, ok, _ := s.ring.take(s.ctx)
		if !ok {
			return false
		}
		s.first = &p
	}
	return true
}

// gap tells of a gap up to a place.
func (s *voskStream) gap(end time.Duration) {
	if end > s.settled {
		s.tell(Result{Start: s.settled, End: end, Final: true, Gap: s.broken})
	}
	s.settled, s.broken = end, ""
}

// connection recognises one go of audio: until a hole, the end, or a failure. answered: the engine has said something.
func (s *voskStream) connection() (answered bool, err error) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	conn, err := s.dial(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(MaxAnswer)
	g := &voskGo{
		stream: s, conn: conn, base: s.first.at, unanswered: make(chan struct{}, window), read: make(chan struct{}),
		folder: audio.NewFolder(s.engine.cfg.Fold),
	}
	s.begin(*s.first)
	g.settled = s.settled
	go func() {
		defer close(g.read)
		g.err = g.listen(ctx)
		cancel(g.err)
	}()
	err = g.talk(ctx)
	if err != nil {
		cancel(err)
	}
	<-g.read
	s.settled = max(s.settled, g.settled)
	if g.err != nil {
		err = g.err
	}
	if err == nil {
		s.settled = max(s.settled, g.sentUpTo())
	}
	return g.answers > 0, err
}

// begin tells of the gap before the first piece of a connection.
func (s *voskStream) begin(p piece) {
	if s.broken == "" && p.lost {
		s.broken = GapSlow
	}
	if s.broken != "" {
		s.gap(p.at)
	}
	s.settled = max(s.settled, p.at)
}

func (s *voskStream) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.engine.pace.connect)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, s.engine.cfg.URL, &websocket.DialOptions{
		HTTPClient: s.engine.cfg.Client, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if response != nil && response.StatusCode == http.StatusServiceUnavailable {
			return nil, errBusy
		}
		return nil, err
	}
	config := map[string]any{"sample_rate": audio.WideRate, "words": true}
	if len(s.opts.Phrases) > 0 {
		config["phrase_list"] = s.opts.Phrases
	}
	text, err := json.Marshal(map[string]any{"config": config})
	if err == nil {
		err = conn.Write(ctx, websocket.MessageText, text)
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return conn, nil
}

// voskGo is one connection: talk is of the stream's goroutine, listen of one of its own.
type voskGo struct {
	stream     *voskStream
	conn       *websocket.Conn
	folder     *audio.Folder
	base       time.Duration
	unanswered chan struct{} // a place for each message that waits for its answer
	read       chan struct{} // closed when listen has ended
	wide       []int16
	bytes      []byte

	mu      sync.Mutex // guards these:
	samples int        // sent, at 16 kHz
	sent    int        // messages of audio
	eof     bool

	// Of listen until read is closed:
	err     error
	answers int
	rubbish int
	settled time.Duration
	partial string
}

// talk sends until the end of this go, and waits for the last answer.
func (g *voskGo) talk(ctx context.Context) error {
	s := g.stream
	for {
		p := *s.first
		s.first = nil
		if err := g.send(ctx, p); err != nil {
			return err
		}
		next, ok, ended := s.ring.take(ctx)
		switch {
		case ended:
			return g.end(ctx)
		case !ok:
			return context.Cause(ctx)
		}
		s.first = &next
		if next.fresh {
			return g.end(ctx)
		}
	}
}

func (g *voskGo) send(ctx context.Context, p piece) error {
	select {
	case g.unanswered <- struct{}{}:
	default:
		stalled := time.NewTimer(g.stream.engine.pace.stall)
		defer stalled.Stop()
		select {
		case g.unanswered <- struct{}{}:
		case <-stalled.C:
			return errors.New("the engine does not answer")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	g.wide = g.wide[:0]
	if g.stream.opts.Rate == audio.Rate {
		g.wide = g.folder.Fold(g.wide, p.pcm)
	} else {
		g.wide = append(g.wide, p.pcm...)
	}
	g.bytes = audio.AppendPCM(g.bytes[:0], g.wide)
	g.mu.Lock()
	g.samples += len(g.wide)
	g.sent++
	g.mu.Unlock()
	return g.write(ctx, websocket.MessageBinary, g.bytes)
}

func (g *voskGo) write(ctx context.Context, kind websocket.MessageType, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, g.stream.engine.pace.write)
	defer cancel()
	return g.conn.Write(ctx, kind, message)
}

// end asks for the last result and waits for it.
func (g *voskGo) end(ctx context.Context) error {
	g.mu.Lock()
	g.eof = true
	g.mu.Unlock()
	if err := g.write(ctx, websocket.MessageText, []byte(`{"eof" : 1}`)); err != nil {
		return err
	}
	late := time.NewTimer(g.stream.engine.pace.finish)
	defer late.Stop()
	select {
	case <-g.read:
		return nil
	case <-late.C:
		return errors.New("the engine gives no last answer")
	}
}

func (g *voskGo) sentUpTo() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.base + time.Duration(g.samples)*wideSample
}

// listen reads answers until the last.
func (g *voskGo) listen(ctx context.Context) error {
	for {
		kind, message, err := g.conn.Read(ctx)
		g.mu.Lock()
		eof, sent := g.eof, g.sent
		g.mu.Unlock()
		if err != nil {
			if closed := websocket.CloseStatus(err) == websocket.StatusNormalClosure || errors.Is(err, io.EOF); closed {
				err = errors.New("the engine left before it had answered all")
			}
			if eof && g.answers > 0 && g.answers >= sent {
				return nil
			}
			return err
		}
		if kind != websocket.MessageText || !g.take(message) {
			if g.rubbish++; g.rubbish >= MaxRubbish {
				return errors.New("the engine makes no sense")
			}
			continue
		}
		if g.answers++; g.answers > sent+floodSlack {
			return errors.New("the engine sends more than it was asked")
		}
		select {
		case <-g.unanswered:
		default: // it said more than it was asked
		}
		if eof && g.answers > sent {
			return nil
		}
	}
}

// voskAnswer is what an engine says.
type voskAnswer struct {
	Partial *string `json:"partial"`
	Text    *string `json:"text"`
	Result  []struct {
		Word  string  `json:"word"`
		Start float64 `json:"start"`
		End   float64 `json:"end"`
		Conf  float64 `json:"conf"`
	} `json:"result"`
}

// take understands an answer; false: it is rubbish.
func (g *voskGo) take(message []byte) bool {
	var a voskAnswer
	if err := json.Unmarshal(message, &a); err != nil || a.Partial == nil && a.Text == nil {
		return false
	}
	upTo := g.sentUpTo()
	if a.Text == nil {
		text := clean(*a.Partial)
		if text != "" && text != g.partial {
			g.stream.tell(Result{Start: g.settled, End: upTo, Text: text})
		}
		g.partial = text
		return true
	}
	g.partial = ""
	r := Result{Start: g.settled, End: upTo, Text: clean(*a.Text), Final: true}
	if r.Text == "" {
		return true
	}
	for _, w := range a.Result[:min(len(a.Result), MaxWords)] {
		r.Words = append(r.Words, Word{
			Text: clean(w.Word), Start: g.place(w.Start, upTo), End: g.place(w.End, upTo), Conf: share(w.Conf),
		})
	}
	r.judge()
	g.stream.tell(r)
	g.settled = max(g.settled, r.End)
	return true
}

// place is where in the call so many seconds of this connection are.
func (g *voskGo) place(seconds float64, upTo time.Duration) time.Duration {
	if !(seconds > 0 && seconds < longest.Seconds()) {
		return g.base
	}
	return min(upTo, g.base+time.Duration(seconds*float64(time.Second)))
}
