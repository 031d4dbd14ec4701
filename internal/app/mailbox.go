package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
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

// voicemailDir is where messages lie, below the data directory.
const voicemailDir = "voicemail"

// mailbox keeps voicemails: the audio as files, what is known of them in the database.
type mailbox struct {
	dir   string // the data directory
	store *store.Store
	log   *slog.Logger

	mu   sync.Mutex
	open map[route.CallID]store.VoicemailRecord
}

func newMailbox(dir string, db *store.Store, log *slog.Logger) (*mailbox, error) {
	if err := os.MkdirAll(filepath.Join(dir, voicemailDir), 0o700); err != nil {
		return nil, fmt.Errorf("make the voicemail folder: %w", err)
	}
	return &mailbox{dir: dir, store: db, log: log, open: map[route.CallID]store.VoicemailRecord{}}, nil
}

// Begin implements exchange.Mailbox: the record is in the database before the first word, so that a crash in
// mid-sentence loses neither.
func (m *mailbox) Begin(order route.Record, at time.Time) (string, error) {
	id := newVoicemailID()
	rec := store.VoicemailRecord{
		ID: id, Call: order.Call, Center: order.Center, User: order.User, From: order.From, At: at,
		Reason: order.Reason, Path: filepath.Join(voicemailDir, fmt.Sprintf("%d.wav", id)),
	}
	m.mu.Lock()
	m.open[order.Call] = rec
	m.mu.Unlock()
	m.store.SaveVoicemail(rec)
	return filepath.Join(m.dir, rec.Path), nil
}

// End implements exchange.Mailbox.
func (m *mailbox) End(call route.CallID, length time.Duration, kept bool) {
	m.mu.Lock()
	rec, ok := m.open[call]
	delete(m.open, call)
	m.mu.Unlock()
	if !ok {
		return
	}
	if kept {
		rec.Duration, rec.Complete = length, true
		m.store.SaveVoicemail(rec)
		return
	}
	m.store.DropVoicemail(rec.ID)
	if err := os.Remove(filepath.Join(m.dir, rec.Path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		m.log.Error("a discarded voicemail could not be removed", "error", err)
	}
}

// recover completes the messages that a crash cut off: what is on disk is what there is.
func (m *mailbox) recover(ctx context.Context) error {
	all, err := m.store.Voicemails(ctx)
	if err != nil {
		return fmt.Errorf("look for interrupted voicemails: %w", err)
	}
	for _, rec := range all {
		if rec.Complete {
			continue
		}
		m.mu.Lock()
		m.open[rec.Call] = rec
		m.mu.Unlock()
		length, err := lengthOf(filepath.Join(m.dir, rec.Path))
		m.End(rec.Call, length, err == nil && length >= exchange.MinVoicemail)
		m.log.Info("a voicemail was cut off by a crash", "call", rec.Call, "length", length)
	}
	return nil
}

// lengthOf is how much was said before a crash.
func lengthOf(path string) (time.Duration, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	sound, err := audio.ReadWAV(file)
	if err != nil {
		return 0, err
	}
	return sound.Length(), nil
}

func newVoicemailID() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return int64(binary.LittleEndian.Uint64(b[:])&(1<<52-1)) | 1
}
