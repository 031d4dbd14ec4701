package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"switchboard/internal/console"
	"switchboard/internal/store"
)

// voicemailShelf gives the pages the voicemails.
type voicemailShelf struct {
	store *store.Store
	dir   string // the data directory
}

// List implements console.Shelf. A place is the order in which voicemails ended.
func (s voicemailShelf) List(ctx context.Context, behind string, limit int) ([]console.Tape, string, error) {
	var seq int64
	if behind != "" {
		if n, err := fmt.Sscanf(behind, "%d", &seq); n != 1 || err != nil || seq < 1 {
			return nil, "", console.ErrPlace
		}
	}
	list, err := s.store.NewestVoicemails(ctx, seq, limit)
	if err != nil {
		return nil, "", err
	}
	tapes := make([]console.Tape, 0, len(list))
	for _, v := range list {
		heard, err := s.store.VoicemailAccesses(ctx, v.ID)
		if err != nil {
			return nil, "", err
		}
		tapes = append(tapes, console.Tape{
			ID: v.ID, Call: v.Call, Center: v.Center, Operator: v.User, Number: v.From, Reason: v.Reason,
			At: v.At, Length: v.Duration, Complete: true, Heard: hearings(s.store.Snapshot(), heard),
		})
	}
	next := ""
	if len(list) == limit {
		next = fmt.Sprint(list[limit-1].Seq)
	}
	return tapes, next, nil
}

// Open implements console.Shelf.
func (s voicemailShelf) Open(ctx context.Context, id int64) (io.ReadSeekCloser, error) {
	v, ok, err := s.store.Voicemail(ctx, id)
	return openTape(s.dir, v.Path, ok && v.Complete, err)
}

// Heard implements console.Shelf.
func (s voicemailShelf) Heard(ctx context.Context, id int64, by string) error {
	return noTape(s.store.VoicemailAccessed(ctx, id, store.Actor(by)))
}

// recordingShelf gives the pages the recordings of calls.
type recordingShelf struct {
	store *store.Store
	dir   string // the data directory
}

// List implements console.Shelf. A place is the beginning of a recording and its id.
func (s recordingShelf) List(ctx context.Context, behind string, limit int) ([]console.Tape, string, error) {
	q := store.RecordingQuery{Limit: limit}
	if behind != "" {
		var at, id int64
		if n, err := fmt.Sscanf(behind, "%d-%d", &at, &id); n != 2 || err != nil {
			return nil, "", console.ErrPlace
		}
		q.Behind = &store.RecordingRecord{At: time.Unix(0, at), ID: id}
	}
	list, err := s.store.Recordings(ctx, q)
	if err != nil {
		return nil, "", err
	}
	tapes := make([]console.Tape, 0, len(list))
	for _, r := range list {
		heard, err := s.store.RecordingAccesses(ctx, r.ID)
		if err != nil {
			return nil, "", err
		}
		tapes = append(tapes, console.Tape{
			ID: r.ID, Call: r.Call, Center: r.Center, Operator: r.Operator, Number: r.Number, Direction: r.Direction,
			At: r.At, Length: r.Duration, Complete: r.Complete, Heard: hearings(s.store.Snapshot(), heard),
		})
	}
	next := ""
	if len(list) == limit {
		next = fmt.Sprintf("%d-%d", list[limit-1].At.UnixNano(), list[limit-1].ID)
	}
	return tapes, next, nil
}

// Open implements console.Shelf.
func (s recordingShelf) Open(ctx context.Context, id int64) (io.ReadSeekCloser, error) {
	r, ok, err := s.store.Recording(ctx, id)
	return openTape(s.dir, r.Path, ok && r.Complete, err)
}

// Heard implements console.Shelf.
func (s recordingShelf) Heard(ctx context.Context, id int64, by string) error {
	return noTape(s.store.RecordingAccessed(ctx, id, store.Actor(by)))
}

// openTape opens a file below the data directory, and nothing outside of it.
func openTape(dir, path string, complete bool, err error) (io.ReadSeekCloser, error) {
	switch {
	case err != nil:
		return nil, err
	case !complete:
		return nil, console.ErrNoTape
	}
	file, err := os.OpenInRoot(dir, filepath.FromSlash(path))
	if errors.Is(err, fs.ErrNotExist) {
		err = console.ErrNoTape
	}
	if err != nil {
		return nil, err
	}
	return file, nil
}

func noTape(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return console.ErrNoTape
	}
	return err
}

// hearings names who listened as people know them.
func hearings(snapshot *store.Snapshot, list []store.Access) []console.Hearing {
	named := make([]console.Hearing, 0, len(list))
	for _, a := range list {
		by := string(a.By)
		if a.Operator != 0 {
			by = fmt.Sprintf("user %d", a.Operator)
			if user, ok := snapshot.User(a.Operator); ok {
				by = displayName(user)
			}
		}
		named = append(named, console.Hearing{At: a.At, By: by})
	}
	return named
}
