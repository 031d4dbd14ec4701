package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"switchboard/internal/audio"
)

const (
	// MaxTape is the longest recording of a call; what is said later is not in it. A WAV file cannot be much longer.
	MaxTape = 12 * time.Hour

	tapeWindow = 3 * audio.Rate // samples that can still be put in their place
	frameBytes = 2 * sampleBytes
)

// Tape records two connected legs side by side: what the far side of the first says is on the left, what that of the
// second says on the right. Its methods may be called from any goroutine and do not block.
type Tape struct {
	pool  *Pool
	began int64 // ns on the pool's clock: sample 0 of both sides
	ends  [2]tapeEnd
	quit  chan struct{}
	once  sync.Once
	mu    sync.Mutex // orders Pause

	// The writer's own:
	file   disk
	window []byte // sample n is at n modulo tapeWindow
	top    int64  // the sample after the last that the window has
	lo, hi int64  // samples that are not in the file yet
	end    int64  // samples in the file
}

// disk is a file; tests have slow ones.
type disk interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// tapeEnd is one leg's way onto a tape.
type tapeEnd struct {
	tape *Tape
	lane
}

// RecordPair writes what the far sides of two ports say to a new WAV file of two channels, 16-bit PCM at 8 kHz, until
// Stop, MaxTape, or the end of either port. Both sides have one clock, so a frame that never came, or that the disk was
// too slow for, is silence and moves nothing. done is called once, from a goroutine that must not be blocked for long.
// As with Record, the file is playable at every moment. A port can be on one tape at a time: ErrRecording.
func (p *Pool) RecordPair(path string, left, right *Port, done func(Recording)) (*Tape, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	t := newTape(p, file)
	err = t.header()
	if err == nil {
		err = t.attach(path, left, right, done)
	}
	if err != nil {
		file.Close()
		os.Remove(path)
		return nil, fmt.Errorf("record %s: %w", path, err)
	}
	return t, nil
}

func newTape(p *Pool, file disk) *Tape {
	t := &Tape{
		pool: p, began: p.now(), quit: make(chan struct{}), file: file,
		window: make([]byte, tapeWindow*frameBytes), top: tapeWindow,
	}
	for i := range t.ends {
		end := &t.ends[i]
		end.tape, end.began, end.slots = t, t.began, ringSlots
		end.lay = func(slot *recorded) error { return t.lay(end, slot) }
	}
	return t
}

// attach starts the writer and lets it hear both lines.
func (t *Tape) attach(path string, left, right *Port, done func(Recording)) error {
	t.pool.mu.Lock() // Close of the pool waits for the writer, so it must not begin afterwards
	defer t.pool.mu.Unlock()
	if t.pool.closed || left.closed.Load() || right.closed.Load() {
		return ErrClosed
	}
	if !left.tape.CompareAndSwap(nil, &t.ends[0]) {
		return ErrRecording
	}
	if !right.tape.CompareAndSwap(nil, &t.ends[1]) {
		left.tape.Store(nil)
		return ErrRecording
	}
	t.pool.wg.Go(func() {
		err := t.run()
		left.tape.CompareAndSwap(&t.ends[0], nil)
		right.tape.CompareAndSwap(&t.ends[1], nil)
		err = errors.Join(err, t.finish())
		done(Recording{
			Path: path, Duration: time.Duration(t.end) * time.Second / audio.Rate, Err: err,
			Dropped: t.ends[0].dropped.Load() + t.ends[1].dropped.Load(),
		})
	})
	if left.closed.Load() || right.closed.Load() {
		t.Stop() // Close came in between and saw no tape
	}
	return nil
}

// Stop ends the recording; its done hears of it.
func (t *Tape) Stop() { t.once.Do(func() { close(t.quit) }) }

// Pause leaves out what is said from now on, until Pause(false): it is never written, and silence of the same length
// stands in its place.
func (t *Tape) Pause(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.ends {
		t.ends[i].pause(on, t.clock())
	}
}

// clock is the sample that is being said now.
func (t *Tape) clock() int64 { return samplesIn(time.Duration(t.pool.now() - t.began)) }

func (t *Tape) run() error {
	ticker, timer := time.NewTicker(writeEvery), time.NewTimer(MaxTape)
	defer ticker.Stop()
	defer timer.Stop()
	for {
		select {
		case <-t.quit:
			return nil
		case <-timer.C:
			return nil
		case <-ticker.C:
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
}

// finish writes what is left, with the silence at the end, and makes it last.
func (t *Tape) finish() error {
	err := t.flush()
	if err == nil {
		err = errors.Join(t.ends[0].decide(), t.ends[1].decide(), t.write())
	}
	if err == nil {
		t.end = max(t.end, min(t.clock(), samplesIn(MaxTape)))
		err = errors.Join(t.file.Truncate(audio.WAVHeaderSize+t.end*frameBytes), t.header())
	}
	return errors.Join(err, t.file.Sync(), t.file.Close())
}

// flush empties both rings into the file, oldest frame first, and brings the header up to date.
func (t *Tape) flush() error {
	now := t.pool.now() // before the rings are looked at: what came by then is in them
	for {
		end := t.oldest()
		if end == nil {
			break
		}
		slot := end.next()
		err := t.settle(slot.at)
		if err == nil {
			err = end.put(slot)
		}
		end.taken()
		if err != nil {
			return err
		}
	}
	if err := t.settle(now); err != nil {
		return err
	}
	if t.lo == t.hi {
		return nil
	}
	if err := t.write(); err != nil {
		return err
	}
	return t.header()
}

// oldest is the side whose next frame came first, nil when there is none.
func (t *Tape) oldest() *tapeEnd {
	left, right := t.ends[0].next(), t.ends[1].next()
	switch {
	case left == nil && right == nil:
		return nil
	case right == nil, left != nil && left.at <= right.at:
		return &t.ends[0]
	default:
		return &t.ends[1]
	}
}

// settle decides about what either side has set aside for long enough.
func (t *Tape) settle(now int64) error {
	return errors.Join(t.ends[0].settle(now), t.ends[1].settle(now))
}

// lay puts a frame into its place in the window.
func (t *Tape) lay(end *tapeEnd, slot *recorded) error {
	at := end.place(slot, end.after)
	to := at + int64(slot.size)
	if at < slot.floor || at < t.top-tapeWindow || at < 0 || to > samplesIn(MaxTape) {
		return nil
	}
	end.after = max(end.after, to)
	if err := t.reach(at, to); err != nil {
		return err
	}
	channel := sampleBytes
	if end == &t.ends[0] {
		channel = 0
	}
	for i, b := range slot.sound[:slot.size] {
		where := (at+int64(i))%tapeWindow*frameBytes + int64(channel)
		binary.LittleEndian.PutUint16(t.window[where:], uint16(slot.law.Decode(b)))
	}
	if t.lo == t.hi {
		t.lo, t.hi = at, to
	}
	t.lo, t.hi = min(t.lo, at), max(t.hi, to)
	return nil
}

// reach moves the window on until it holds the samples up to to; what it passes is written, and what is new is silence.
func (t *Tape) reach(at, to int64) error {
	if to <= t.top {
		return nil
	}
	if t.lo < to-tapeWindow {
		if err := t.write(); err != nil {
			return err
		}
	}
	if at-t.top >= tapeWindow {
		clear(t.window)
		t.top = to
		return nil
	}
	for ; t.top < to; t.top++ {
		clear(t.window[t.top%tapeWindow*frameBytes:][:frameBytes])
	}
	return nil
}

// write brings what is new in the window to the file; the samples between it and what is there already read as silence.
func (t *Tape) write() error {
	for t.lo < t.hi {
		from := t.lo % tapeWindow
		n := min(t.hi-t.lo, tapeWindow-from)
		part := t.window[from*frameBytes : (from+n)*frameBytes]
		if _, err := t.file.WriteAt(part, audio.WAVHeaderSize+t.lo*frameBytes); err != nil {
			return fmt.Errorf("write recording: %w", err)
		}
		t.lo += n
	}
	t.end = max(t.end, t.hi)
	return nil
}

func (t *Tape) header() error {
	h := audio.StereoWAVHeader(uint32(t.end * frameBytes))
	if _, err := t.file.WriteAt(h[:], 0); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}
