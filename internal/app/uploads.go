package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"switchboard/internal/audio"
	"switchboard/internal/callcenter"
	"switchboard/internal/media"
	"switchboard/internal/store"
)

const (
	uploadDir = "uploads" // where uploads lie, below the data directory
	speechDir = "speech"  // where spoken texts lie

	holdMusic     = "HOLD_MUSIC" // the upload type that is heard in place of the music
	maxFresh      = 16           // uploads that were saved but are not in the settings yet
	musicDistance = audio.MusicLevel - audio.SpeechLevel
)

// uploads are what callers hear in place of the built-in prompts and music.
type uploads struct {
	dir   string // the data directory
	store *store.Store
	log   *slog.Logger
	heard atomic.Pointer[map[slot]upload] // what is selected now; callers of calls only read it

	mu     sync.Mutex // of what follows, and of changing heard
	loaded map[string][]byte
	fresh  []string // paths in loaded that were just saved, oldest first
}

// slot is a place that an upload may take.
type slot struct {
	target callcenter.Target
	kind   string // the API's type
}

type upload struct {
	ulaw  []byte
	track *media.Track // of hold music only
}

// newUploads reads what is selected.
func newUploads(dir string, db *store.Store, log *slog.Logger) (*uploads, error) {
	if err := os.MkdirAll(filepath.Join(dir, uploadDir), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of uploaded prompts: %w", err)
	}
	u := &uploads{dir: dir, store: db, log: log, loaded: map[string][]byte{}}
	u.load()
	return u, nil
}

// Save makes a prompt of an uploaded file and keeps it. It implements api.Uploads.
func (u *uploads) Save(ctx context.Context, id callcenter.PromptID, file []byte) (path string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	sound, err := media.Upload(file)
	if err != nil {
		return "", err
	}
	path = filepath.Join(uploadDir, fmt.Sprintf("%d.ulaw", id))
	if err := media.WriteWhole(filepath.Join(u.dir, path), sound); err != nil {
		return "", fmt.Errorf("could not be kept: %w", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.loaded[path] = sound
	u.fresh = append(u.fresh, path)
	if len(u.fresh) > maxFresh {
		u.fresh = u.fresh[1:]
	}
	return path, nil
}

// Remove deletes the audio of an upload that is gone. It implements api.Uploads.
func (u *uploads) Remove(path string) error {
	if filepath.Dir(path) != uploadDir || strings.Contains(path, "..") {
		return fmt.Errorf("remove an uploaded prompt: %q is none", path)
	}
	err := os.Remove(filepath.Join(u.dir, path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// changed takes over what the settings select now. It does not touch the disk: what was just saved is in memory. What
// is not is read by the function that it gives, nil for nothing; until then callers hear the built-in prompt.
func (u *uploads) changed() (read func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.choose() {
		return nil
	}
	return u.load
}

// load reads what is selected and not in memory.
func (u *uploads) load() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range u.store.Snapshot().CustomPrompts() {
		if _, ok := u.loaded[p.Path]; ok || !p.Selected {
			continue
		}
		sound, err := os.ReadFile(filepath.Join(u.dir, p.Path))
		if err != nil {
			u.log.Error("an uploaded prompt cannot be read; callers hear the built-in one", "error", err)
		}
		u.loaded[p.Path] = sound
	}
	u.choose()
}

// choose makes the table of what callers hear, of what is in memory; false: something is missing. Called with mu held.
func (u *uploads) choose() (whole bool) {
	heard, used := map[slot]upload{}, map[string]bool{}
	whole = true
	var before map[slot]upload
	if table := u.heard.Load(); table != nil {
		before = *table
	}
	for _, p := range u.store.Snapshot().CustomPrompts() {
		if !p.Selected {
			continue
		}
		used[p.Path] = true
		sound, ok := u.loaded[p.Path]
		whole = whole && ok
		if len(sound) < audio.Rate/50 {
			continue
		}
		at := slot{p.Target, p.Type}
		heard[at] = upload{ulaw: sound}
		if p.Type == holdMusic {
			heard[at] = musicOf(sound, before[at])
		}
	}
	for path := range u.loaded {
		if !used[path] && !slices.Contains(u.fresh, path) {
			delete(u.loaded, path)
		}
	}
	u.heard.Store(&heard)
	return whole
}

// musicOf keeps the track of music that stays, so that who listens goes on where they were.
func musicOf(sound []byte, before upload) upload {
	if before.track != nil && len(before.ulaw) == len(sound) && &before.ulaw[0] == &sound[0] {
		return before
	}
	return upload{ulaw: sound, track: media.NewTrack(audio.Gain(sound, musicDistance))}
}

// find is the upload that a center's callers hear: its own, or else its office's.
func (u *uploads) find(id callcenter.ID, kind string) (upload, bool) {
	table := *u.heard.Load()
	if len(table) == 0 {
		return upload{}, false
	}
	found, ok := table[slot{callcenter.Target{ID: int64(id), Type: callcenter.TargetCallCenter}, kind}]
	if ok {
		return found, true
	}
	center, ok := u.store.Snapshot().Center(id)
	if !ok {
		return upload{}, false
	}
	found, ok = table[slot{callcenter.Target{ID: int64(center.OfficeID), Type: callcenter.TargetOffice}, kind}]
	return found, ok
}
