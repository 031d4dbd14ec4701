package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/callcenter"
)

// uploadDir is where uploaded prompts lie, below the data directory: mu-law, 8 kHz, without a header.
const uploadDir = "uploads"

// maxUpload bounds how long an uploaded prompt is.
const maxUpload = 5 * time.Minute

// uploads turns uploaded files into audio that callers can hear.
type uploads struct{ dir string } // the data directory

// Save implements api.Uploads. The file is complete under its name or not there at all.
func (u uploads) Save(_ context.Context, id callcenter.PromptID, file []byte) (string, error) {
	samples, err := soundOf(file)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(u.dir, uploadDir), 0o700); err != nil {
		return "", fmt.Errorf("could not be kept: %w", err)
	}
	path := filepath.Join(uploadDir, fmt.Sprintf("%d.ulaw", id))
	temporary := filepath.Join(u.dir, path+".new")
	err = os.WriteFile(temporary, audio.EncodeAll(samples, audio.ULaw), 0o600)
	if err == nil {
		err = os.Rename(temporary, filepath.Join(u.dir, path))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("could not be kept: %w", err), os.Remove(temporary))
	}
	return path, nil
}

// Remove implements api.Uploads. A file that is gone already is no error.
func (u uploads) Remove(path string) error {
	if err := os.Remove(filepath.Join(u.dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// soundOf is a file's sound at 8 kHz.
func soundOf(file []byte) ([]int16, error) {
	sound, err := audio.ReadWAV(file)
	if err != nil {
		return nil, fmt.Errorf("cannot be played: %w", err)
	}
	if length := sound.Length(); length > maxUpload {
		return nil, fmt.Errorf("lasts %s, longer than %s", length.Round(time.Second), maxUpload)
	}
	samples, err := audio.Resample(sound)
	if err != nil {
		return nil, fmt.Errorf("cannot be played: %w", err)
	}
	return samples, nil
}
