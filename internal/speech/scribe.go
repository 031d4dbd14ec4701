package speech

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/transcript"
)

// How long the end of a call waits for its last words, and how often a leg without a stream asks for one.
const (
	lastWords    = 20 * time.Second
	lastJob      = 5 * time.Hour // of an engine that works after the call
	streamRetry  = 5 * time.Second
	scribedSides = 2
)

// Caption is text as it is shown while people speak: it may still change until it is final.
type Caption struct {
	Leg        transcript.Leg
	Start, End time.Duration
	Text       string
	Confidence float64
}

// Reader gets what is recognised of one call, masked. Its methods are called one at a time, from goroutines of the
// scribe: a reader that is slow delays the text of its own call, and nothing else.
type Reader interface {
	Caption(c Caption)          // not final, not to be kept
	Line(l transcript.Line)     // final, a gap among them
	Moment(transcript.Moment)   // behind the line that it is in
	Done(dropped time.Duration) // nothing comes after it
}

// Scribe has calls recognised by one engine.
type Scribe struct {
	engine  Recognizer
	log     *slog.Logger
	ctx     context.Context
	stop    context.CancelFunc
	wg      sync.WaitGroup
	dropped atomic.Int64 // audio
	refused atomic.Int64 // streams
}

// NewScribe has an engine recognise calls.
func NewScribe(engine Recognizer, log *slog.Logger) *Scribe {
	s := &Scribe{engine: engine, log: log}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Engine says what recognises.
func (s *Scribe) Engine() Caps { return s.engine.Caps() }

// Stats are how much audio engines could not take, and how often a leg got no stream.
func (s *Scribe) Stats() (dropped time.Duration, refused int64) {
	return time.Duration(s.dropped.Load()), s.refused.Load()
}

// Close gives up what is not recognised yet, and waits. No call may begin any more.
func (s *Scribe) Close() {
	s.stop()
	s.wg.Wait()
}

// Begin starts to recognise a call.
func (s *Scribe) Begin(reader Reader, phrases []transcript.Phrase) *Captions {
	c := &Captions{scribe: s, reader: reader, finder: transcript.NewFinder(phrases, s.engine.Caps().Name)}
	for i, leg := range [scribedSides]transcript.Leg{transcript.Customer, transcript.Operator} {
		c.sides[i] = side{of: c, leg: leg}
	}
	return c
}

// Captions are one call being recognised. Frame, Pause, Resume, Tick and End are called from one goroutine, and do not
// block; times are from the beginning.
type Captions struct {
	scribe *Scribe
	reader Reader
	sides  [scribedSides]side
	gap    Gap // "": listening; of the calling goroutine
	since  time.Duration

	mu      sync.Mutex // orders what the reader hears of
	finder  *transcript.Finder
	readers sync.WaitGroup // of results
	late    sync.WaitGroup // of lines that the calling goroutine could not wait for
}

// side is one leg. Stream and times are of the calling goroutine; the masker is guarded by mu.
type side struct {
	of     *Captions
	leg    transcript.Leg
	stream Stream
	again  time.Duration // when a stream is asked for
	from   time.Duration // where there was none yet
	begun  bool
	masker transcript.Masker
}

// Frame takes 8 kHz samples of a leg. Nothing of pcm is kept.
func (c *Captions) Frame(leg transcript.Leg, at time.Duration, pcm []int16) {
	for i := range c.sides {
		if s := &c.sides[i]; s.leg == leg {
			s.open(at)
			if s.stream != nil {
				s.stream.Write(at, pcm)
			}
		}
	}
}

func (s *side) open(at time.Duration) {
	if s.stream != nil || s.begun && at < s.again {
		return
	}
	if !s.begun {
		s.begun, s.from = true, at
	}
	stream, err := s.of.scribe.engine.Open(StreamOpts{Rate: audio.Rate})
	if err != nil {
		s.of.scribe.refused.Add(1)
		s.again = at + streamRetry
		return
	}
	s.stream = stream
	if at > s.from {
		s.of.line(transcript.Line{Leg: s.leg, Start: s.from, End: at, Gap: string(GapBusy)})
	}
	s.of.readers.Go(func() { s.read(stream) })
}

// read turns results into lines until there are no more.
func (s *side) read(stream Stream) {
	for r := range stream.Results() {
		if !r.Final {
			s.of.mu.Lock()
			s.of.reader.Caption(Caption{s.leg, r.Start, r.End, transcript.MaskLive(r.Text), r.Conf})
			s.of.mu.Unlock()
			continue
		}
		line := transcript.Line{
			Leg: s.leg, Start: r.Start, End: r.End, Text: r.Text, Confidence: r.Conf, Gap: string(r.Gap),
		}
		for _, w := range r.Words {
			line.Words = append(line.Words, transcript.Word{Text: w.Text, Start: w.Start, End: w.End, Confidence: w.Conf})
		}
		if r.Gap != "" {
			s.of.line(line)
			continue
		}
		s.of.mu.Lock()
		s.of.lines(s.masker.Add(line))
		s.of.mu.Unlock()
	}
}

// line tells of one line that needs no masking.
func (c *Captions) line(l transcript.Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines([]transcript.Line{l})
}

// lines tells of lines and the moments in them. Called with mu held.
func (c *Captions) lines(ready []transcript.Line) {
	for _, l := range ready {
		c.reader.Line(l)
		for _, m := range c.finder.Find(l) {
			c.reader.Moment(m)
		}
	}
}

// Pause says that nothing is heard from a time on, and why.
func (c *Captions) Pause(at time.Duration, why Gap) {
	c.Resume(at)
	c.gap, c.since = why, at
}

// Resume says that both are heard again. The gap is of both sides: its line has no leg.
func (c *Captions) Resume(at time.Duration) {
	if c.gap != "" && at > c.since {
		gap := transcript.Line{Start: c.since, End: at, Gap: string(c.gap)}
		c.late.Go(func() { c.line(gap) }) // the reader may take its time; the caller may not
	}
	c.gap = ""
}

// Tick says how far the call is: lines that wait for the rest of a number do so for a while only.
func (c *Captions) Tick(at time.Duration) {
	if !c.mu.TryLock() {
		return // the next one does
	}
	defer c.mu.Unlock()
	for i := range c.sides {
		if since, waits := c.sides[i].masker.Waits(); waits && at-since > transcript.HoldTime+lastWords {
			held := c.sides[i].masker.Flush()
			c.late.Go(func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.lines(held)
			})
		}
	}
}

// End says that the call is over at a time. What the engine still has to say comes, and then Done.
func (c *Captions) End(at time.Duration) {
	c.Resume(at)
	c.scribe.wg.Go(func() { c.finish(at) })
}

func (c *Captions) finish(at time.Duration) {
	wait := lastWords
	if !c.scribe.engine.Caps().Streaming {
		wait = lastJob
	}
	ctx, cancel := context.WithTimeout(c.scribe.ctx, wait)
	defer cancel()
	var closing sync.WaitGroup
	var dropped time.Duration
	for i := range c.sides {
		s := &c.sides[i]
		switch {
		case s.stream != nil:
			closing.Go(func() { s.stream.Close(ctx) })
		case s.begun:
			c.line(transcript.Line{Leg: s.leg, Start: s.from, End: at, Gap: string(GapBusy)})
		}
	}
	closing.Wait()
	c.readers.Wait()
	c.late.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.sides {
		c.lines(c.sides[i].masker.Flush())
		if stream := c.sides[i].stream; stream != nil {
			dropped += stream.Dropped()
		}
	}
	c.scribe.dropped.Add(int64(dropped))
	c.reader.Done(dropped)
}
