// Package speech turns what is said on calls into text, by engines outside of this process: vosk-ws streams to a Vosk
// server or to our own worker, openai-http posts pieces to a transcription server, exec runs a program after the call,
// and none does nothing. Each leg is a stream of its own, so nobody has to guess who speaks.
//
// It refuses to make a call wait: frames go into a bounded ring, and what an engine cannot take is dropped, counted and
// shown as a gap. It refuses to load an engine into this process, and to log text or audio.
package speech

import (
	"context"
	"errors"
	"fmt"
	"time"

	"switchboard/internal/audio"
)

// The bounds of what an engine may do to us (docs/reference/speech.md, Bounds). Each is tested at its edge.
const (
	MaxText       = 4096                   // bytes of one result; the rest is cut
	MaxWords      = 512                    // of one result
	MaxAnswer     = 256 << 10              // bytes of one message of an engine
	MaxRubbish    = 10                     // messages that make no sense, before an engine is left alone for a while
	RingLength    = 8 * time.Second        // of a leg's audio that waits for the engine
	resultsKept   = 64                     // results that wait for their reader
	pieceLength   = 100 * time.Millisecond // of audio in one message
	wideSample    = time.Second / audio.WideRate
	longestFill   = 2 * time.Second       // a shorter hole in the audio is filled with silence
	jitter        = 60 * time.Millisecond // frames so much beside their place are in it
	DefaultStream = 32                    // streams at a time
)

// ErrBusy says that the cap on streams is reached.
var ErrBusy = errors.New("all speech streams are taken")

// Recognizer is an engine.
type Recognizer interface {
	// Open starts a stream, without waiting for the engine. The error is ErrBusy.
	Open(o StreamOpts) (Stream, error)
	Caps() Caps
}

// Caps says what an engine can do.
type Caps struct {
	Name      string // "vosk-ws"
	Streaming bool   // results come while the call runs
	Partials  bool   // words come before their utterance has ended
}

// StreamOpts describe a stream.
type StreamOpts struct {
	Rate    int      // of the audio that will be written: audio.Rate or audio.WideRate
	Phrases []string // nothing but these can be recognised; none: everything. Engines without grammars ignore it
}

// Stream is one leg being recognised.
type Stream interface {
	// Write hands over a piece of audio with its place in the call. It never blocks and keeps nothing of pcm. Pieces
	// come in the order of their places; a hole of two seconds or more ends what is recognised in one go.
	Write(at time.Duration, pcm []int16)
	// Results gives what was recognised, and is closed after the last.
	Results() <-chan Result
	// Close says that there is no more audio, and waits until the engine has answered all, or the context ends.
	Close(ctx context.Context)
	// Dropped is how much audio the engine could not take so far.
	Dropped() time.Duration
}

// Result is something that was recognised, or a gap.
type Result struct {
	Start, End time.Duration // in the call
	Text       string
	Words      []Word  // none where the engine does not tell
	Final      bool    // false: it may still change
	Conf       float64 // 0 to 1; of an engine that does not tell: 0
	Gap        Gap     // not "": nothing was heard from Start to End, for this reason
}

// Word is one word of a result.
type Word struct {
	Text       string
	Start, End time.Duration // in the call
	Conf       float64
}

// Gap is why there is no text for a stretch of a call.
type Gap string

// The reasons.
const (
	GapEngine Gap = "engine" // it could not be reached, or went away
	GapSlow   Gap = "slow"   // it was too slow
	GapBusy   Gap = "busy"   // it, or we, had no place for a stream
	GapPaused Gap = "paused" // somebody paused
	GapHeld   Gap = "held"   // somebody was on hold
)

// None recognises nothing: the default.
type None struct{}

// Caps implements Recognizer.
func (None) Caps() Caps { return Caps{Name: "none"} }

// Open implements Recognizer.
func (None) Open(StreamOpts) (Stream, error) {
	results := make(chan Result)
	close(results)
	return noStream{results}, nil
}

type noStream struct{ results chan Result }

func (noStream) Write(time.Duration, []int16)  {}
func (s noStream) Results() <-chan Result      { return s.results }
func (noStream) Close(context.Context)         {}
func (noStream) Dropped() (none time.Duration) { return 0 }

// Capped is an engine with at most so many streams at a time.
func Capped(engine Recognizer, streams int) Recognizer {
	return &capped{Recognizer: engine, places: make(chan struct{}, streams)}
}

type capped struct {
	Recognizer
	places chan struct{}
}

// Open implements Recognizer.
func (c *capped) Open(o StreamOpts) (Stream, error) {
	select {
	case c.places <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	stream, err := c.Recognizer.Open(o)
	if err != nil {
		<-c.places
		return nil, err
	}
	return &cappedStream{Stream: stream, places: c.places}, nil
}

type cappedStream struct {
	Stream
	places chan struct{}
	closed bool
}

// Close implements Stream. It is called once.
func (s *cappedStream) Close(ctx context.Context) {
	s.Stream.Close(ctx)
	if !s.closed {
		s.closed = true
		<-s.places
	}
}

func checkRate(rate int) error {
	if rate != audio.Rate && rate != audio.WideRate {
		return fmt.Errorf("audio of %d Hz cannot be recognised", rate)
	}
	return nil
}
