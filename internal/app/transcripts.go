package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/exchange"
	"switchboard/internal/route"
	"switchboard/internal/speech"
	"switchboard/internal/store"
	"switchboard/internal/transcript"
	"switchboard/internal/voice"
)

// maxLines bounds what is kept in memory of a call that goes on, for its summary and for who looks.
const maxLines = 5000

// startedLife is how long it is known when a conversation began: listening to it may begin again.
const startedLife = 24 * time.Hour

// transcripts has calls recognised and keeps what comes of it.
type transcripts struct {
	dir    string // the data directory
	store  *store.Store
	scribe *speech.Scribe
	log    *slog.Logger
	tell   func(call route.CallID, of store.Transcript, m transcript.Moment)

	mu       sync.Mutex
	settings map[callcenter.ID]store.SpeechSettings
	live     map[route.CallID]*spokenCall
	began    map[route.CallID]time.Time
}

func newTranscripts(
	ctx context.Context, dir string, db *store.Store, engine speech.Recognizer, log *slog.Logger,
	tell func(route.CallID, store.Transcript, transcript.Moment),
) (*transcripts, error) {
	settings, err := db.AllSpeechSettings(ctx)
	if err == nil {
		err = db.FinishTranscripts(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read the transcripts: %w", err)
	}
	return &transcripts{
		dir: dir, store: db, scribe: speech.NewScribe(engine, log), log: log, tell: tell, settings: settings,
		live: map[route.CallID]*spokenCall{}, began: map[route.CallID]time.Time{},
	}, nil
}

// spokenCall is a call that is being recognised: the listener of the media, and the reader of the scribe.
type spokenCall struct {
	of       *transcripts
	captions *speech.Captions
	offset   time.Duration // of this listening from the beginning of the conversation
	mood     bool
	last     time.Duration

	mu      sync.Mutex
	kept    store.Transcript
	saved   bool // there is something to read
	lines   []transcript.Line
	moments []transcript.Moment
	now     map[transcript.Leg]speech.Caption
}

// begin has a call recognised.
func (v *transcripts) begin(order route.StartVoice, number string, at time.Time) *spokenCall {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.began, func(_ route.CallID, began time.Time) bool { return at.Sub(began) > startedLife })
	if _, again := v.began[order.Call]; !again {
		v.began[order.Call] = at
	}
	set := v.settings[order.Center]
	c := &spokenCall{of: v, offset: at.Sub(v.began[order.Call]), mood: set.Mood, kept: store.Transcript{
		Call: order.Call, Center: order.Center, Operator: order.Operator, Number: number, Direction: order.Direction,
		At: v.began[order.Call], Engine: v.scribe.Engine().Name,
	}, now: map[transcript.Leg]speech.Caption{}}
	if before := v.live[order.Call]; before != nil { // it still waits for its last words
		before.mu.Lock()
		c.lines, c.moments = slices.Clone(before.lines), slices.Clone(before.moments)
		before.mu.Unlock()
	}
	phrases := set.Phrases
	if phrases == nil {
		phrases = transcript.UsualPhrases
	}
	c.captions = v.scribe.Begin(c, phrases)
	v.live[order.Call] = c
	return c
}

// sides are the legs as the transcript names them.
var sides = [voice.Legs]transcript.Leg{voice.Customer: transcript.Customer, voice.Operator: transcript.Operator}

// Frame implements exchange.Listener.
func (c *spokenCall) Frame(leg voice.Leg, at time.Duration, pcm []int16) {
	c.captions.Frame(sides[leg], c.offset+at, pcm)
}

// Turn implements exchange.Listener.
func (c *spokenCall) Turn(at time.Duration, state voice.State) {
	switch state {
	case voice.Paused:
		c.captions.Pause(c.offset+at, speech.GapPaused)
	case voice.Held:
		c.captions.Pause(c.offset+at, speech.GapHeld)
	default:
		c.captions.Resume(c.offset + at)
	}
}

// Tick implements exchange.Listener.
func (c *spokenCall) Tick(at time.Duration) { c.captions.Tick(c.offset + at) }

// Ended implements exchange.Listener.
func (c *spokenCall) Ended(at time.Duration, _ uint64) {
	c.last = c.offset + at
	c.captions.End(c.last)
}

// Caption implements speech.Reader.
func (c *spokenCall) Caption(caption speech.Caption) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now[caption.Leg] = caption
}

// Line implements speech.Reader.
func (c *spokenCall) Line(l transcript.Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.now, l.Leg)
	if !c.saved {
		c.saved = true
		c.of.store.SaveTranscript(c.kept)
	}
	if len(c.lines) < maxLines {
		c.lines = append(c.lines, l)
	}
	c.of.store.SaveTranscriptLine(store.TranscriptLine{Call: c.kept.Call, Line: l})
}

// Moment implements speech.Reader.
func (c *spokenCall) Moment(m transcript.Moment) {
	c.mu.Lock()
	c.moments = append(c.moments, m)
	kept := c.kept
	c.mu.Unlock()
	c.of.store.SaveMoment(store.TranscriptMoment{Call: kept.Call, Moment: m})
	if c.of.tell != nil {
		c.of.tell(kept.Call, kept, m)
	}
}

// Done implements speech.Reader.
func (c *spokenCall) Done(dropped time.Duration) {
	c.mu.Lock()
	if c.saved {
		slices.SortStableFunc(c.lines, func(a, b transcript.Line) int { return int(a.Start - b.Start) })
		c.kept.Complete, c.kept.Dropped = true, dropped
		c.kept.Summary = transcript.Summarize(c.lines, c.moments,
			transcript.Facts{Outcome: string(route.Answered), Length: c.last}, c.mood)
		c.of.store.SaveTranscript(c.kept)
	}
	call := c.kept.Call
	c.mu.Unlock()
	if dropped > 0 {
		c.of.log.Warn("the speech engine could not take all audio", "call", call, "dropped", dropped)
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.of.live[call] == c {
		delete(c.of.live, call)
	}
}

// Rough implements api.Speech: what is being said now.
func (v *transcripts) Rough(call route.CallID) (list []transcript.Line) {
	v.mu.Lock()
	c := v.live[call]
	v.mu.Unlock()
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, leg := range sides {
		if now, ok := c.now[leg]; ok {
			list = append(list, transcript.Line{
				Leg: leg, Start: now.Start, End: now.End, Text: now.Text, Confidence: now.Confidence,
			})
		}
	}
	return list
}

// SpeechSettings implements api.Speech.
func (v *transcripts) SpeechSettings(center callcenter.ID) store.SpeechSettings {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.settings[center]
}

// SetSpeechSettings implements api.Speech: calls that begin later have them.
func (v *transcripts) SetSpeechSettings(ctx context.Context, center callcenter.ID, set store.SpeechSettings) error {
	if err := v.store.SetSpeechSettings(ctx, center, set); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settings[center] = set
	return nil
}

// HeldOf implements api.Speech.
func (v *transcripts) HeldOf(ctx context.Context, number string) (store.Held, error) {
	return v.store.HeldOf(ctx, number)
}

// Erase implements api.Speech: rows and files.
func (v *transcripts) Erase(ctx context.Context, number string, by store.Actor) (store.Erased, error) {
	held, err := v.store.HeldOf(ctx, number)
	if err != nil {
		return store.Erased{}, err
	}
	n, err := v.store.EraseNumber(ctx, number)
	if err != nil {
		return n, err
	}
	for _, rec := range held.Recordings {
		removeFile(filepath.Join(v.dir, rec.Path), v.log)
	}
	for _, message := range held.Voicemails {
		removeFile(filepath.Join(v.dir, message.Path), v.log)
	}
	v.log.Info("what was kept of a number was erased", "by", by, "calls", n.Calls, "recordings", n.Recordings,
		"voicemails", n.Voicemails, "transcripts", n.Transcripts)
	return n, nil
}

// heard lets both the figures and the words of a call listen.
type heard struct {
	figures *conversations
	words   *transcripts // nil: no engine
}

// Begin implements exchange.Voices.
func (h heard) Begin(order route.StartVoice, number string, at time.Time) exchange.Listener {
	figures := h.figures.Begin(order, number, at)
	if h.words == nil || h.words.scribe.Engine().Name == (speech.None{}).Caps().Name {
		return figures
	}
	return both{figures, h.words.begin(order, number, at)}
}

// both are two listeners of one call.
type both struct{ first, second exchange.Listener }

// Frame implements exchange.Listener.
func (b both) Frame(leg voice.Leg, at time.Duration, pcm []int16) {
	b.first.Frame(leg, at, pcm)
	b.second.Frame(leg, at, pcm)
}

// Turn implements exchange.Listener.
func (b both) Turn(at time.Duration, state voice.State) {
	b.first.Turn(at, state)
	b.second.Turn(at, state)
}

// Tick implements exchange.Listener.
func (b both) Tick(at time.Duration) {
	b.first.Tick(at)
	b.second.Tick(at)
}

// Ended implements exchange.Listener.
func (b both) Ended(at time.Duration, dropped uint64) {
	b.first.Ended(at, dropped)
	b.second.Ended(at, dropped)
}
