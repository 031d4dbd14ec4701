package speech

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/transcript"
)

// scripted is an engine whose streams say what the test wants.
type scripted struct {
	mu      sync.Mutex
	refuse  int // streams that are refused first
	streams []*scriptedStream
}

type scriptedStream struct {
	results chan Result
	heard   time.Duration
}

func (*scripted) Caps() Caps { return Caps{Name: "scripted", Streaming: true} }

func (e *scripted) Open(StreamOpts) (Stream, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse > 0 {
		e.refuse--
		return nil, ErrBusy
	}
	s := &scriptedStream{results: make(chan Result, 20)}
	e.streams = append(e.streams, s)
	return s, nil
}

func (s *scriptedStream) Write(_ time.Duration, pcm []int16) {
	s.heard += time.Duration(len(pcm)) * time.Second / audio.Rate
}
func (s *scriptedStream) Results() <-chan Result { return s.results }
func (s *scriptedStream) Close(context.Context)  { close(s.results) }
func (s *scriptedStream) Dropped() time.Duration { return time.Second }

// page is a reader that writes everything down.
type page struct {
	captions, lines, moments []string
	done                     chan time.Duration
}

func (p *page) Caption(c Caption) { p.captions = append(p.captions, c.Text) }
func (p *page) Line(l transcript.Line) {
	p.lines = append(p.lines, fmt.Sprintf("%s %s-%s %s%s", l.Leg, l.Start, l.End, l.Text, l.Gap))
}

func (p *page) Moment(m transcript.Moment) { p.moments = append(p.moments, m.Class+" by "+m.Engine) }
func (p *page) Done(dropped time.Duration) { p.done <- dropped }

func frames(c *Captions, leg transcript.Leg, from, to time.Duration) {
	frame := make([]int16, audio.Rate/50)
	for at := from; at < to; at += 20 * time.Millisecond {
		c.Frame(leg, at, frame)
	}
}

func TestAConversationIsWrittenDownMaskedWithItsMomentsAndGaps(t *testing.T) {
	engine, p := &scripted{}, &page{done: make(chan time.Duration, 1)}
	scribe := NewScribe(engine, slog.New(slog.DiscardHandler))
	defer scribe.Close()
	c := scribe.Begin(p, transcript.UsualPhrases)
	frames(c, transcript.Customer, 0, time.Second)
	frames(c, transcript.Operator, 0, time.Second)
	customer := engine.streams[0]
	for _, r := range []Result{
		{Text: "my number is four one one"},
		{Text: "my number is four one one one one one", Final: true, End: time.Second},
		{Text: "one one one one one one one", Final: true, Start: time.Second, End: 2 * time.Second},
		{Text: "and i want a refund", Final: true, Start: 3 * time.Second, End: 4 * time.Second},
		{Gap: GapEngine, Final: true, Start: 5 * time.Second, End: 6 * time.Second},
	} {
		customer.results <- r
	}
	c.Pause(10*time.Second, GapPaused)
	c.Tick(12 * time.Second)
	c.Resume(15 * time.Second)
	c.End(20 * time.Second)
	if dropped := <-p.done; dropped != 2*time.Second {
		t.Errorf("%s dropped", dropped)
	}
	slices.Sort(p.lines)
	want := []string{
		" 10s-15s paused", "customer 0s-1s my number is [masked]", "customer 1s-2s [masked]",
		"customer 3s-4s and i want a refund", "customer 5s-6s engine",
	}
	if !slices.Equal(p.lines, want) {
		t.Errorf("lines %q", p.lines)
	}
	if !slices.Equal(p.moments, []string{"refund by scripted"}) ||
		!slices.Equal(p.captions, []string{"my number is [masked]"}) {
		t.Errorf("moments %q, captions %q", p.moments, p.captions)
	}
	if dropped, refused := scribe.Stats(); dropped != 2*time.Second || refused != 0 {
		t.Errorf("%s dropped, %d refused", dropped, refused)
	}
}

func TestALegWithoutAStreamAsksAgainAndHasAGap(t *testing.T) {
	engine, p := &scripted{refuse: 1}, &page{done: make(chan time.Duration, 1)}
	scribe := NewScribe(engine, slog.New(slog.DiscardHandler))
	defer scribe.Close()
	c := scribe.Begin(p, nil)
	frames(c, transcript.Customer, time.Second, 10*time.Second)
	engine.refuse = 100
	frames(c, transcript.Operator, time.Second, 10*time.Second)
	c.End(10 * time.Second)
	<-p.done
	slices.Sort(p.lines)
	if want := []string{"customer 1s-6s busy", "operator 1s-10s busy"}; !slices.Equal(p.lines, want) {
		t.Errorf("lines %q", p.lines)
	}
	if heard := engine.streams[0].heard; heard != 4*time.Second {
		t.Errorf("%s heard", heard)
	}
	if _, refused := scribe.Stats(); refused != 3 {
		t.Errorf("%d refused", refused)
	}
}

func TestANumberThatNeverGoesOnIsLetGo(t *testing.T) {
	engine, p := &scripted{}, &page{done: make(chan time.Duration, 1)}
	scribe := NewScribe(engine, slog.New(slog.DiscardHandler))
	c := scribe.Begin(p, nil)
	frames(c, transcript.Customer, 0, time.Second)
	c.mu.Lock()
	c.sides[0].masker.Add(transcript.Line{Text: "one two", End: time.Second})
	c.mu.Unlock()
	c.Tick(time.Second + transcript.HoldTime + lastWords)
	c.late.Wait()
	if len(p.lines) != 0 {
		t.Errorf("too early: %q", p.lines)
	}
	c.Tick(time.Second + transcript.HoldTime + lastWords + 1)
	c.late.Wait()
	if len(p.lines) != 1 {
		t.Errorf("lines %q", p.lines)
	}
	c.End(time.Minute)
	<-p.done
	scribe.Close()
}
