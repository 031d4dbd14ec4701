package directory

import (
	"context"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/problem"
)

// Operation is what there is to say of an operation, once its document is here; until then, how far that is.
type Operation struct {
	Progress
	Document  *Stored    `json:"document,omitzero"`
	Reference *Reference `json:"reference,omitzero"`
	Prepared  *Prepared  `json:"prepared,omitzero"`
}

// Operation explains an operation of a document that the company has, or that the embedded index knows: such a one is
// fetched, and waited for at most as long as wait says.
func (d *Directory) Operation(ctx context.Context, at, method, path string, wait time.Duration) (Operation, error) {
	doc, stored, loading, err := d.locate(at)
	if err != nil {
		return Operation{}, err
	}
	if loading != nil {
		loading.await(ctx, wait)
		if progress, _ := loading.now(); progress.State != StateReady {
			return Operation{Progress: progress}, nil
		}
		if doc, stored, loading, err = d.locate(at); err != nil {
			return Operation{}, err
		}
		if loading != nil { // somebody deleted it at once
			return Operation{Progress: Progress{State: StateLoading}}, nil
		}
	}
	ref, found := doc.Reference(method, path)
	if !found {
		return Operation{}, problem.New(problem.Missing, fmt.Sprintf(
			"The document %s has no operation %s %s any more. Search again: its other operations can be found.",
			at, strings.ToUpper(method), path))
	}
	own := ""
	if stored.ID == ownID && d.cfg.Origin != nil {
		own = d.cfg.Origin()
	}
	return Operation{
		Progress: readyOf(&stored), Document: &stored,
		Reference: ref, Prepared: Prepare(ref, own),
	}, nil
}

// Open gives a document that is here, for those who judge requests and answers by it; false: it is not here.
func (d *Directory) Open(at string) (*Document, bool) {
	if at == OwnURL {
		doc, _ := d.own()
		return doc, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return nil, false
	}
	found := d.shelf.find(func(s *Stored) bool { return s.DocumentURL == at })
	if found == nil {
		return nil, false
	}
	doc, err := d.open(found)
	return doc, err == nil
}
