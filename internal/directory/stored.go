package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
)

// MaxDocuments bounds how many documents a company can have.
const MaxDocuments = 10_000

// Source says how a document came here.
type Source string

// The sources of documents.
const (
	SourceOwn       Source = "own"       // Switchboard's own
	SourceDirectory Source = "directory" // fetched because somebody clicked on one of its operations
	SourceURL       Source = "url"       // added by its address
	SourceText      Source = "text"      // pasted, or uploaded as a file
	SourceImport    Source = "import"    // by the command, from a file, folder or archive
)

// License is what a document says of its own licence.
type License struct {
	Name       string `json:"name,omitzero"`
	Identifier string `json:"identifier,omitzero"` // SPDX
	URL        string `json:"url,omitzero"`
}

// Stored is what is known of a document that the company has.
type Stored struct {
	ID           string    `json:"id"`
	Source       Source    `json:"source"`
	Provider     string    `json:"provider"`
	Service      string    `json:"service,omitzero"`
	API          string    `json:"api"`
	Version      string    `json:"version"`
	DocumentURL  string    `json:"document_url"`
	Name         string    `json:"name,omitzero"` // of the file
	OpenAPI      string    `json:"openapi"`
	License      License   `json:"license"`
	Operations   int       `json:"operations,string"`
	Bytes        int       `json:"bytes,string"` // as JSON
	ETag         string    `json:"etag,omitzero"`
	LastModified string    `json:"last_modified,omitzero"`
	Added        time.Time `json:"added,omitzero"`
	Checked      time.Time `json:"checked,omitzero"` // when it was last fetched or found unchanged
	Changes      *Changes  `json:"changes,omitzero"`
}

// Refreshable says whether the document can be fetched again.
func (s *Stored) Refreshable() bool { return strings.HasPrefix(s.DocumentURL, "http") }

// pasted is the address of documents that have none.
const pasted = "document:"

// idOf names a document by its address, or by what it is where it has none.
func idOf(s *Stored) string {
	of := s.DocumentURL
	if of == "" {
		of = strings.Join([]string{s.Provider, s.Service, s.API, s.Version}, "\x00")
	}
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:8])
}

// shelf keeps documents in a folder: for each its text and its table of operations, and one list of all. Programs that
// share the folder see each other's changes.
type shelf struct {
	dir   string
	list  []Stored // by ID
	stamp string   // of the list's file when it was read
}

const shelfList = "documents.json"

func (s *shelf) path(name string) string { return filepath.Join(s.dir, name) }

func (s *shelf) document(id string) string { return s.path(id + ".document.zst") }

func (s *shelf) table(id string) string { return s.path(id + ".operations.zst") }

// reload reads the list when it is not the one that was read last. changed says that it was read.
func (s *shelf) reload() (changed bool, err error) {
	at, err := os.Stat(s.path(shelfList))
	if errors.Is(err, fs.ErrNotExist) {
		changed = s.stamp != ""
		s.list, s.stamp = nil, ""
		return changed, nil
	}
	if err != nil {
		return false, err
	}
	stamp := fmt.Sprint(at.ModTime().UnixNano(), at.Size())
	if sys, ok := at.Sys().(*syscall.Stat_t); ok {
		stamp += fmt.Sprint(" ", sys.Ino)
	}
	if stamp == s.stamp {
		return false, nil
	}
	text, err := os.ReadFile(s.path(shelfList))
	if err != nil {
		return false, err
	}
	var list []Stored
	if err := json.Unmarshal(text, &list); err != nil {
		return false, fmt.Errorf("read %s: %w", s.path(shelfList), err)
	}
	s.list, s.stamp = list, stamp
	return true, nil
}

func (s *shelf) find(match func(*Stored) bool) *Stored {
	for i := range s.list {
		if match(&s.list[i]) {
			return &s.list[i]
		}
	}
	return nil
}

// change has f change the list while no other program does, and writes it. A list that is as it was is not written.
func (s *shelf) change(f func() error) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(s.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // gives the lock back
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := s.reload(); err != nil {
		return err
	}
	before := encoded(s.list)
	if err := f(); err != nil {
		return err
	}
	slices.SortFunc(s.list, func(a, b Stored) int { return strings.Compare(a.ID, b.ID) })
	after := encoded(s.list)
	if bytes.Equal(before, after) {
		return nil
	}
	s.stamp = ""
	return writeFile(s.path(shelfList), after)
}

// put writes a document's files and its line in the list, within change.
func (s *shelf) put(stored Stored, doc *Document, facts API) error {
	known := s.find(func(o *Stored) bool { return o.ID == stored.ID })
	if known == nil && len(s.list) >= MaxDocuments {
		return fmt.Errorf("there are %d documents already, and no room for more", MaxDocuments)
	}
	packed, err := pack(doc.text)
	if err != nil {
		return err
	}
	if err := writeFile(s.document(stored.ID), packed); err != nil {
		return err
	}
	var table bytes.Buffer
	if err := WriteTable(&table, []API{facts}); err != nil {
		return err
	}
	if err := writeFile(s.table(stored.ID), table.Bytes()); err != nil {
		return err
	}
	if known != nil {
		*known = stored
	} else {
		s.list = append(s.list, stored)
	}
	return nil
}

// remove takes a document off the list, within change, and then its files away.
func (s *shelf) remove(id string) {
	s.list = slices.DeleteFunc(s.list, func(o Stored) bool { return o.ID == id })
	_ = os.Remove(s.document(id)) // a file that stays is in nobody's way
	_ = os.Remove(s.table(id))
}

func (s *shelf) read(id string) ([]byte, error) {
	packed, err := os.ReadFile(s.document(id))
	if err != nil {
		return nil, err
	}
	return unpack(packed)
}

// facts reads the operations of a document.
func (s *shelf) facts(id string) (API, error) {
	packed, err := os.ReadFile(s.table(id))
	if err != nil {
		return API{}, err
	}
	var found API
	err = readTable(packed, func(api API) { found = api })
	return found, err
}

func pack(text []byte) ([]byte, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer packer.Close()
	return packer.EncodeAll(text, nil), nil
}

func unpack(packed []byte) ([]byte, error) {
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*maxFromYAML))
	if err != nil {
		return nil, err
	}
	defer unpacker.Close()
	return unpacker.DecodeAll(packed, nil)
}

// writeFile replaces a file: others see the old one or the new one, also after a crash.
func writeFile(name string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
