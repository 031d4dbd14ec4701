package speech

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"switchboard/internal/audio"
)

// quick is a pace for tests: an engine that is judged too slow is so by far.
var quick = pace{
	connect: time.Second, write: 300 * time.Millisecond, stall: 300 * time.Millisecond, finish: 300 * time.Millisecond,
	again: time.Millisecond, longest: 10 * time.Millisecond,
}

// fakeEngine is a Vosk server in the test's hands: script answers one message of audio, or the end (nil).
type fakeEngine struct {
	*httptest.Server
	connections atomic.Int32
	received    atomic.Int64 // samples
}

type line struct {
	*websocket.Conn
	ctx   context.Context
	place int // of this connection, from 1
	audio int // messages so far
}

func (l *line) say(text string) { _ = l.Write(l.ctx, websocket.MessageText, []byte(text)) }

func newFakeEngine(t *testing.T, script func(l *line, pcm []byte) (on bool)) *fakeEngine {
	t.Helper()
	f := &fakeEngine{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		l := &line{Conn: conn, ctx: r.Context(), place: int(f.connections.Add(1))}
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			switch {
			case kind == websocket.MessageBinary:
				l.audio++
				f.received.Add(int64(len(message) / 2))
				if !script(l, message) {
					return
				}
			case strings.Contains(string(message), "eof"):
				if script(l, nil) {
					conn.Close(websocket.StatusNormalClosure, "")
				}
				return
			}
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeEngine) stream(t *testing.T) *voskStream {
	t.Helper()
	engine, err := NewVosk(VoskConfig{
		URL: "ws" + strings.TrimPrefix(f.URL, "http"), Client: f.Client(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	engine.pace = quick
	stream, err := engine.Open(StreamOpts{Rate: audio.Rate})
	if err != nil {
		t.Fatal(err)
	}
	return stream.(*voskStream)
}

// write hands over so much audio in frames of 20 ms.
func write(s Stream, at, length time.Duration) {
	frame := make([]int16, audio.Rate/50)
	for end := at + length; at < end; at += 20 * time.Millisecond {
		s.Write(at, frame)
	}
}

// hears waits for n final results.
func hears(t *testing.T, s Stream, n int) (finals []Result) {
	t.Helper()
	patience := time.After(5 * time.Second)
	for len(finals) < n {
		select {
		case r := <-s.Results():
			if r.Final {
				finals = append(finals, r)
			}
		case <-patience:
			t.Fatalf("%d results of %d: %+v", len(finals), n, finals)
		}
	}
	return finals
}

// closing ends a stream and gives its final results.
func closing(t *testing.T, s Stream) (finals []Result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.Close(ctx)
	}()
	for r := range s.Results() {
		if r.Final {
			finals = append(finals, r)
		}
	}
	<-closed
	if ctx.Err() != nil {
		t.Error("the stream did not end by itself")
	}
	return finals
}

func utterance(text string, start, end float64) string {
	b, _ := json.Marshal(map[string]any{"text": text, "result": []map[string]any{
		{"word": text, "start": start, "end": end, "conf": 0.8},
	}})
	return string(b)
}

func TestResultsHaveTheirPlaceInTheCall(t *testing.T) {
	f := newFakeEngine(t, func(l *line, pcm []byte) bool {
		if pcm == nil {
			l.say(utterance(fmt.Sprint("go", l.place), 0.25, 0.5))
			return true
		}
		l.say(`{"partial": "g"}`)
		return true
	})
	s := f.stream(t)
	write(s, 10*time.Second, time.Second)
	write(s, 30*time.Second, time.Second) // a hole: another go
	finals := closing(t, s)
	if len(finals) != 2 || f.connections.Load() != 2 {
		t.Fatalf("%d connections, results %+v", f.connections.Load(), finals)
	}
	for i, want := range []time.Duration{10250 * time.Millisecond, 30250 * time.Millisecond} {
		r := finals[i]
		if r.Start != want || r.End != want+250*time.Millisecond || r.Text != fmt.Sprint("go", i+1) || r.Conf != 0.8 {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	if got := f.received.Load(); got != 2*audio.WideRate {
		t.Errorf("%d samples arrived, want %d", got, 2*audio.WideRate)
	}
}

func TestShortHolesAreFilledAndRepeatedFramesLeftOut(t *testing.T) {
	f := newFakeEngine(t, func(l *line, pcm []byte) bool {
		l.say(`{"text": ""}`)
		return true
	})
	s := f.stream(t)
	write(s, 0, time.Second)
	write(s, longestFill+time.Second-20*time.Millisecond, time.Second) // one frame below the limit
	write(s, 2*time.Second, 500*time.Millisecond)                      // was there
	closing(t, s)
	if got, want := f.received.Load(), int64(2*(4*audio.Rate-audio.Rate/50)); got != want || f.connections.Load() != 1 {
		t.Errorf("%d samples in %d connections, want %d in one", got, f.connections.Load(), want)
	}
}

func TestAnEngineThatDiesLeavesAGapAndIsAskedAgain(t *testing.T) {
	died := make(chan struct{})
	f := newFakeEngine(t, func(l *line, pcm []byte) bool {
		if l.place == 1 && l.audio == 5 {
			close(died)
			return false
		}
		l.say(utterance("here", float64(l.audio-1)/10, float64(l.audio)/10))
		return true
	})
	s := f.stream(t)
	// What an engine said is lost with its connection when nobody has read it yet: here it is read before the end.
	write(s, 0, 400*time.Millisecond)
	finals := hears(t, s, 4)
	write(s, 400*time.Millisecond, 600*time.Millisecond)
	<-died
	at := time.Second
	for until := time.Now().Add(5 * time.Second); f.connections.Load() < 2 && time.Now().Before(until); {
		write(s, at, 100*time.Millisecond)
		at += 100 * time.Millisecond
		time.Sleep(5 * time.Millisecond)
	}
	write(s, at, time.Second)
	at += time.Second
	finals = append(finals, closing(t, s)...)
	gaps := gapsOf(finals)
	if len(gaps) != 1 || gaps[0].Gap != GapEngine || gaps[0].Start != 400*time.Millisecond {
		t.Fatalf("gaps %+v", gaps)
	}
	last := finals[len(finals)-1]
	if last.Text != "here" || last.End < at-100*time.Millisecond || f.connections.Load() != 2 {
		t.Errorf("%d connections, the last result %+v", f.connections.Load(), last)
	}
}

func gapsOf(results []Result) (gaps []Result) {
	for _, r := range results {
		if r.Gap != "" {
			gaps = append(gaps, r)
		}
	}
	return gaps
}

// Engines that are of no use: the stream ends all the same, with a gap over all that was said, and within bounds.
func TestUselessEnginesAreBoundedAndLeaveAGap(t *testing.T) {
	for name, script := range map[string]func(l *line, pcm []byte) bool{
		"silent": func(*line, []byte) bool { return true },
		"rubbish": func(l *line, _ []byte) bool {
			for range MaxRubbish {
				l.say(`{"hello": [`)
			}
			return true
		},
		"long": func(l *line, _ []byte) bool {
			l.say(`{"text": "` + strings.Repeat("a", MaxAnswer) + `"}`)
			return true
		},
		"dead": func(*line, []byte) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFakeEngine(t, script).stream(t)
			write(s, 0, 5*time.Second)
			gaps := gapsOf(closing(t, s))
			if len(gaps) == 0 || gaps[0].Start != 0 || gaps[len(gaps)-1].End != 5*time.Second {
				t.Errorf("gaps %+v", gaps)
			}
		})
	}
}

func TestAnEngineThatFloodsIsLeft(t *testing.T) {
	f := newFakeEngine(t, func(l *line, pcm []byte) bool {
		for range floodSlack + window {
			l.say(`{"text": ""}`)
		}
		return true
	})
	s := f.stream(t)
	for at := time.Duration(0); f.connections.Load() < 2; at += 100 * time.Millisecond {
		write(s, at, 100*time.Millisecond)
		for s.Waiting() > time.Second && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if at > time.Hour {
			t.Fatal("it is listened to for an hour")
		}
	}
	closing(t, s)
}

func TestAnEngineThatIsNotThereLeavesAGap(t *testing.T) {
	f := newFakeEngine(t, nil)
	s := f.stream(t)
	f.Close()
	write(s, time.Second, 3*time.Second)
	gaps := gapsOf(closing(t, s))
	if len(gaps) != 1 || gaps[0].Start > time.Second || gaps[0].End != 4*time.Second || gaps[0].Gap != GapEngine {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestABusyEngineIsSaidToBeBusy(t *testing.T) {
	f := &fakeEngine{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "full", http.StatusServiceUnavailable)
	}))}
	t.Cleanup(f.Close)
	s := f.stream(t)
	write(s, 0, time.Second)
	if gaps := gapsOf(closing(t, s)); len(gaps) != 1 || gaps[0].Gap != GapBusy {
		t.Errorf("gaps %+v", gaps)
	}
}

// Whoever writes to the ring is never held up, whatever the engine does, and memory is bounded.
func TestASlowEngineLosesAudioAndHoldsNobodyUp(t *testing.T) {
	free := make(chan struct{})
	f := newFakeEngine(t, func(l *line, pcm []byte) bool {
		<-free
		l.say(`{"text": ""}`)
		return true
	})
	s := f.stream(t)
	s.engine.pace.stall = 5 * time.Second
	write(s, 0, 3*RingLength)
	if s.Waiting() > RingLength {
		t.Errorf("%v wait in a ring of %v", s.Waiting(), RingLength)
	}
	if s.Dropped() == 0 {
		t.Error("nothing was dropped")
	}
	close(free)
	gaps := gapsOf(closing(t, s))
	if len(gaps) == 0 || gaps[0].Gap != GapSlow {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestTextOfEnginesIsCleanedAndBounded(t *testing.T) {
	if got := clean("a\x00b\n\xffc\u202e d"); got != "a b c d" {
		t.Errorf("%q", got)
	}
	if got := clean(strings.Repeat("é", MaxText)); len(got) > MaxText || !strings.HasSuffix(got, "é") {
		t.Errorf("%d bytes", len(got))
	}
	f := newFakeEngine(t, func(l *line, pcm []byte) bool {
		words := strings.Repeat(`{"word":"w","start":-3,"end":1e300,"conf":7},`, MaxWords)
		l.say(`{"text":"w","result":[` + words + `{}]}`)
		return true
	})
	s := f.stream(t)
	write(s, time.Second, 100*time.Millisecond)
	r := closing(t, s)[0]
	if len(r.Words) != MaxWords || r.Start != time.Second || r.End > 1100*time.Millisecond || r.Conf != 1 {
		t.Errorf("%d words from %v to %v, confidence %v", len(r.Words), r.Start, r.End, r.Conf)
	}
}

func TestTheCapOnStreams(t *testing.T) {
	engine := Capped(None{}, 1)
	first, err := engine.Open(StreamOpts{Rate: audio.Rate})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open(StreamOpts{Rate: audio.Rate}); err != ErrBusy {
		t.Errorf("the second stream: %v", err)
	}
	first.Close(t.Context())
	if _, err := engine.Open(StreamOpts{Rate: audio.Rate}); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
}

func TestAddressesOfVosk(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:2700", "http://127.0.0.1:2700", "ws:///x", "ws://a b"} {
		if _, err := NewVosk(VoskConfig{URL: bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
