package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/audio"
)

const (
	// MaxRecording is the longest Record that is accepted.
	MaxRecording = 2 * time.Hour

	ringSlots   = 256 // frames between the line and the disk: 5 s
	writeEvery  = 200 * time.Millisecond
	stampLeeway = 2 * audio.Rate // samples by which a stream's timestamps may differ from the clock
	sampleBytes = 2
)

// ErrRecording says that this port already records.
var ErrRecording = errors.New("port is already recording")

// Recording is a finished one.
type Recording struct {
	Path     string
	Duration time.Duration // of the sound in the file
	Dropped  uint64        // frames that the disk was too slow for
	Err      error         // the disk failed; the file holds what came before
}

// frames is a ring of frames between the line and who takes them, one goroutine at each end. It is made with the first
// frame: many calls have no sound.
type frames struct {
	slots   uint32        // of the ring: a power of two
	ring    []recorded    // the reader sees it once head moved
	head    atomic.Uint32 // next to fill
	tail    atomic.Uint32 // next to write
	dropped atomic.Uint64
	deaf    atomic.Bool  // paused: nothing is taken
	floor   atomic.Int64 // what was said before this sample of the recording is not taken: it belongs to a pause
}

type recorded struct {
	stamp uint32
	at    int64
	floor int64
	law   audio.Law
	size  int
	sound [frameSize]byte
}

// tap never blocks: what finds the ring full is dropped and counted.
func (f *frames) tap(payload []byte, stamp uint32, law audio.Law, now int64) {
	if f.deaf.Load() {
		return
	}
	if f.ring == nil {
		f.ring = make([]recorded, f.slots)
	}
	for len(payload) > 0 {
		head := f.head.Load()
		if head-f.tail.Load() == f.slots {
			f.dropped.Add(1)
			return
		}
		slot := &f.ring[head%f.slots]
		slot.size = copy(slot.sound[:], payload)
		slot.stamp, slot.at, slot.law, slot.floor = stamp, now, law, f.floor.Load()
		payload, stamp = payload[slot.size:], stamp+uint32(slot.size)
		f.head.Store(head + 1)
	}
}

// next is the oldest frame that was not taken yet, nil for none. It stays until taken.
func (f *frames) next() *recorded {
	tail := f.tail.Load()
	if tail == f.head.Load() {
		return nil
	}
	return &f.ring[tail%f.slots]
}

func (f *frames) taken() { f.tail.Add(1) }

// pause takes nothing from now on, or something again: what is said from a sample of the recording on.
func (f *frames) pause(on bool, from int64) {
	if !on && f.deaf.Load() {
		// What was said during the pause may still be on its way: see doubt.
		f.floor.Store(from)
	}
	f.deaf.Store(on)
}

// timeline says where a stream's timestamps lie on the clock.
type timeline struct {
	begun bool
	base  uint32 // timestamp of sample 0
	began int64  // ns, when sample 0 came
}

// place is the sample at which a frame belongs, by its timestamp as long as that agrees with the clock; else it comes
// at its time or right after what came before.
func (t *timeline) place(slot *recorded, after int64) int64 {
	at := int64(int32(slot.stamp - t.base))
	clock := samplesIn(time.Duration(slot.at - t.began))
	if at < clock-stampLeeway || at > clock+stampLeeway {
		at = max(clock, after)
		t.base = slot.stamp - uint32(at)
	}
	return at
}

// recorder takes frames from the line and writes them to a WAV file.
type recorder struct {
	frames
	quit chan struct{}
	once sync.Once

	// The writer's own:
	timeline
	file    *os.File
	max     int64 // samples
	end     int64 // samples in the file
	batch   []byte
	batchAt int64 // sample at which batch begins
}

func newRecorder(file *os.File, limit time.Duration) *recorder {
	r := &recorder{quit: make(chan struct{}), file: file, max: samplesIn(limit)}
	r.slots = ringSlots
	return r
}

func (r *recorder) stop() { r.once.Do(func() { close(r.quit) }) }

// Record writes what the far side says to a new WAV file, 16-bit PCM at 8 kHz, until limit passed, the far side presses
// #, StopRecord or Close. done is then called once, from a goroutine that must not be blocked for long. The file is
// playable at every moment: its header follows the sound within 200 ms, so a killed process loses no more than that.
func (pt *Port) Record(path string, limit time.Duration, done func(Recording)) error {
	if limit <= 0 || limit > MaxRecording {
		return fmt.Errorf("record %s: limit %s is not within 0 and %s", path, limit, MaxRecording)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	r := newRecorder(file, limit)
	err = r.header()
	if err == nil {
		err = pt.attach(r, path, limit, done)
	}
	if err != nil {
		file.Close()
		os.Remove(path)
		return fmt.Errorf("record %s: %w", path, err)
	}
	return nil
}

// attach starts the writer and lets it hear the line.
func (pt *Port) attach(r *recorder, path string, limit time.Duration, done func(Recording)) error {
	pt.pool.mu.Lock() // Close of the pool waits for the writer, so it must not begin afterwards
	defer pt.pool.mu.Unlock()
	if pt.pool.closed || pt.closed.Load() {
		return ErrClosed
	}
	if !pt.recorder.CompareAndSwap(nil, r) {
		return ErrRecording
	}
	pt.pool.wg.Go(func() {
		err := r.run(limit)
		pt.recorder.CompareAndSwap(r, nil)
		err = errors.Join(err, r.finish())
		done(Recording{
			Path: path, Duration: time.Duration(r.end) * time.Second / audio.Rate, Dropped: r.dropped.Load(), Err: err,
		})
	})
	if pt.closed.Load() {
		pt.StopRecord() // Close came in between and saw no recorder
	}
	return nil
}

func samplesIn(d time.Duration) int64 { return int64(d / (time.Second / audio.Rate)) }

func samplesAt(n int64) time.Duration { return time.Duration(n) * (time.Second / audio.Rate) }

// StopRecord ends a recording, if there is one; its done hears of it.
func (pt *Port) StopRecord() { pt.stopRecord() }

// stopRecord tells whether there was one.
func (pt *Port) stopRecord() bool {
	r := pt.recorder.Swap(nil)
	if r == nil {
		return false
	}
	r.stop()
	return true
}

func (r *recorder) run(limit time.Duration) error {
	ticker, timer := time.NewTicker(writeEvery), time.NewTimer(limit)
	defer ticker.Stop()
	defer timer.Stop()
	for {
		select {
		case <-r.quit:
			return nil
		case <-timer.C:
			return nil
		case <-ticker.C:
			if err := r.flush(); err != nil {
				return err
			}
		}
	}
}

// finish writes what is left and makes it last.
func (r *recorder) finish() error {
	return errors.Join(r.flush(), r.file.Sync(), r.file.Close())
}

// flush empties the ring into the file and brings the header up to date.
func (r *recorder) flush() error {
	before := r.end
	for slot := r.next(); slot != nil; slot = r.next() {
		err := r.put(slot)
		r.taken()
		if err != nil {
			return err
		}
	}
	if err := r.write(); err != nil {
		return err
	}
	if r.end == before {
		return nil
	}
	return r.header()
}

// put adds a frame to the batch, or begins a new one where it does not follow: gaps in the file read as silence.
func (r *recorder) put(slot *recorded) error {
	if !r.begun {
		r.begun, r.base, r.began = true, slot.stamp, slot.at
	}
	at := r.place(slot, r.batchAt+int64(len(r.batch)/sampleBytes))
	size := min(int64(slot.size), r.max-at)
	if at < 0 || size <= 0 {
		return nil
	}
	if at != r.batchAt+int64(len(r.batch)/sampleBytes) {
		if err := r.write(); err != nil {
			return err
		}
		r.batchAt = at
	}
	for _, b := range slot.sound[:size] {
		r.batch = binary.LittleEndian.AppendUint16(r.batch, uint16(slot.law.Decode(b)))
	}
	return nil
}

func (r *recorder) write() error {
	if len(r.batch) == 0 {
		return nil
	}
	if _, err := r.file.WriteAt(r.batch, audio.WAVHeaderSize+r.batchAt*sampleBytes); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	r.batchAt += int64(len(r.batch) / sampleBytes)
	r.end = max(r.end, r.batchAt)
	r.batch = r.batch[:0]
	return nil
}

func (r *recorder) header() error {
	h := audio.WAVHeader(uint32(r.end * sampleBytes))
	if _, err := r.file.WriteAt(h[:], 0); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}
