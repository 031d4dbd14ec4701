package app

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/exchange"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// recordingDir is where recordings of calls lie, below the data directory.
const recordingDir = "recordings"

// recordings keeps recordings of calls: the audio as files, what is known of them in the database.
type recordings struct {
	dir    string // the data directory
	store  *store.Store
	notice func(text string)
	log    *slog.Logger

	mu   sync.Mutex
	open map[int64]store.RecordingRecord
}

func newRecordings(dir string, db *store.Store, notice func(string), log *slog.Logger) (*recordings, error) {
	if err := os.MkdirAll(filepath.Join(dir, recordingDir), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of recordings: %w", err)
	}
	return &recordings{dir: dir, store: db, notice: notice, log: log, open: map[int64]store.RecordingRecord{}}, nil
}

// Begin implements exchange.Recordings: the record is in the database before the first word, so that a crash in
// mid-sentence loses neither.
func (r *recordings) Begin(order route.RecordCall, number string, at time.Time) (int64, string, error) {
	id := newVoicemailID()
	rec := store.RecordingRecord{
		ID: id, Call: order.Call, Center: order.Center, Operator: order.Operator, Number: number,
		Direction: order.Direction, At: at, Path: filepath.Join(recordingDir, fmt.Sprintf("%d.wav", id)),
	}
	r.mu.Lock()
	r.open[id] = rec
	r.mu.Unlock()
	r.store.SaveRecording(rec)
	return id, filepath.Join(r.dir, rec.Path), nil
}

// End implements exchange.Recordings. What a failing disk took before it failed is kept.
func (r *recordings) End(id int64, result exchange.Recorded) {
	r.mu.Lock()
	rec, ok := r.open[id]
	delete(r.open, id)
	r.mu.Unlock()
	if !ok {
		return
	}
	if result.Err != nil {
		r.notice("A call could not be recorded: " + result.Err.Error())
	}
	if result.Length > 0 {
		rec.Duration, rec.Complete = result.Length, true
		r.store.SaveRecording(rec)
		return
	}
	r.store.DropRecording(rec.ID)
	removeFile(filepath.Join(r.dir, rec.Path), r.log)
}

func removeFile(path string, log *slog.Logger) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Error("a file could not be removed", "path", path, "error", err)
	}
}

// recover completes the recordings that a crash cut off: what is on disk is what there is.
func (r *recordings) recover(ctx context.Context) error {
	cut, err := r.store.InterruptedRecordings(ctx)
	if err != nil {
		return fmt.Errorf("look for interrupted recordings: %w", err)
	}
	for _, rec := range cut {
		length, err := stereoLength(filepath.Join(r.dir, rec.Path))
		if err != nil {
			r.log.Error("a recording that a crash cut off cannot be read", "call", rec.Call, "error", err)
		}
		r.mu.Lock()
		r.open[rec.ID] = rec
		r.mu.Unlock()
		r.End(rec.ID, exchange.Recorded{Length: length})
		r.log.Info("a recording was cut off by a crash", "call", rec.Call, "length", length)
	}
	return nil
}

// stereoLength is how much a recording's header promises. It may be hours: the samples are not read.
func stereoLength(path string) (time.Duration, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var header [audio.WAVHeaderSize]byte
	if _, err := io.ReadFull(file, header[:]); err != nil {
		return 0, err
	}
	const bytesPerSample = 4 // two channels of 16 bits
	samples := int64(binary.LittleEndian.Uint32(header[40:])) / bytesPerSample
	return time.Duration(samples) * time.Second / audio.Rate, nil
}
