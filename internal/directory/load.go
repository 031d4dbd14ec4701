package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"switchboard/internal/problem"
)

// The limits of fetching documents.
const (
	MaxLoads     = 4 // at once
	MaxRedirects = 3
	FetchTimeout = 60 * time.Second // of one document, redirects and all
	keepFailed   = 10 * time.Second // how long a failure is told before the next request tries again
)

// State is how far a document is.
type State string

// The states of a document.
const (
	StateReady   State = "ready"
	StateLoading State = "loading"
	StateFailed  State = "failed"
)

// Progress says how far a document is, for a page to show.
type Progress struct {
	State    State  `json:"state"`
	Received int64  `json:"received_bytes,string"`
	Total    int64  `json:"total_bytes,string"` // 0: nobody knows
	Message  string `json:"message,omitzero"`   // why it failed
}

// load is one document on its way here.
type load struct {
	done chan struct{} // closed when the rest is settled

	mu       sync.Mutex
	progress Progress
	stored   Stored // when it is ready
	ended    time.Time
}

func (l *load) note(f func(*Progress)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.progress)
}

func (l *load) now() (Progress, Stored) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.progress, l.stored
}

// await gives a load some time to end.
func (l *load) await(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// source is where a document can be had, in the order of trying, and what is known of it.
type source struct {
	urls     []string
	kind     Source
	known    *Stored // what a refresh begins with
	provider API     // what the embedded index says of it
}

// start begins to load a document unless it is being loaded. d.mu is held.
func (d *Directory) start(key string, from source) (*load, error) {
	running := 0
	for at, one := range d.loads {
		progress, _ := one.now()
		switch {
		case progress.State == StateLoading:
			running++
		case d.cfg.Now().Sub(one.ended) > keepFailed:
			delete(d.loads, at)
		}
	}
	if one := d.loads[key]; one != nil {
		progress, _ := one.now()
		if progress.State == StateLoading || progress.State == StateFailed && from.kind == SourceDirectory {
			return one, nil
		}
	}
	if d.ctx.Err() != nil {
		return nil, problem.New(problem.Unavailable, "The server is stopping.")
	}
	if running >= MaxLoads {
		return nil, problem.Limited(fmt.Sprintf("%d documents are being fetched already.", MaxLoads), time.Second)
	}
	one := &load{done: make(chan struct{}), progress: Progress{State: StateLoading}}
	d.loads[key] = one
	d.wg.Go(func() {
		stored, err := d.fetch(from, one)
		one.mu.Lock()
		one.progress.State, one.stored, one.ended = StateReady, stored, d.cfg.Now()
		if err != nil {
			one.progress.State, one.progress.Message = StateFailed, err.Error()
		}
		one.mu.Unlock()
		close(one.done)
	})
	return one, nil
}

// fetched is what came of one address.
type fetched struct {
	doc         *Document
	etag, date  string
	notModified bool
}

// fetch tries the addresses of a document and keeps the first that is one.
func (d *Directory) fetch(from source, progress *load) (Stored, error) {
	var first error
	for _, at := range from.urls {
		got, err := d.get(at, from.known, progress)
		if err == nil {
			return d.keepFetched(from, got)
		}
		if first == nil {
			first = err
		}
		if d.ctx.Err() != nil {
			break
		}
	}
	d.cfg.Log.Info("a document could not be fetched", "url", from.urls[0], "error", first)
	return Stored{}, first
}

// get fetches one address. Its errors are whole sentences, for people.
func (d *Directory) get(at string, known *Stored, progress *load) (fetched, error) {
	ctx, cancel := context.WithTimeout(d.ctx, FetchTimeout)
	defer cancel()
	base, err := url.Parse(at)
	if err != nil {
		return fetched{}, fmt.Errorf("%s is no address", at)
	}
	next := base
	for range MaxRedirects + 1 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil)
		if err != nil {
			return fetched{}, fmt.Errorf("%s is no address", next)
		}
		request.Header.Set("Accept", "application/json, application/yaml, text/yaml, */*;q=0.5")
		request.Header.Set("User-Agent", "Switchboard (API directory)")
		if known != nil && next == base {
			setValidators(request.Header, known)
		}
		response, err := d.cfg.Client.Do(request)
		if err != nil {
			return fetched{}, unreachable(next, err)
		}
		got, location, err := readAnswer(response, next, progress)
		if err != nil || location == "" {
			return got, err
		}
		if next, err = next.Parse(location); err != nil || next.Scheme != "http" && next.Scheme != "https" {
			return fetched{}, fmt.Errorf("%s leads to %s, which is no web address", at, location)
		}
	}
	return fetched{}, fmt.Errorf("%s leads on and on: more than %d redirects", at, MaxRedirects)
}

func setValidators(header http.Header, known *Stored) {
	if known.ETag != "" {
		header.Set("If-None-Match", known.ETag)
	}
	if known.LastModified != "" {
		header.Set("If-Modified-Since", known.LastModified)
	}
}

// unreachable says in a sentence that no answer came.
func unreachable(at *url.URL, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s took longer than %s", at.Host, FetchTimeout)
	}
	return fmt.Errorf("%s cannot be reached from this server (%w). Without a way there, import the document as a file",
		at.Host, err)
}

// readAnswer reads a document, or where it is instead.
func readAnswer(response *http.Response, at *url.URL, progress *load) (got fetched, location string, err error) {
	defer response.Body.Close()
	switch status := response.StatusCode; {
	case status == http.StatusNotModified:
		return fetched{notModified: true}, "", nil
	case status >= 300 && status < 400 && response.Header.Get("Location") != "":
		return fetched{}, response.Header.Get("Location"), nil
	case status != http.StatusOK:
		return fetched{}, "", fmt.Errorf("%s answered %d for the document %s", at.Host, status, at)
	}
	progress.note(func(p *Progress) { p.Received, p.Total = 0, max(0, response.ContentLength) })
	content, err := io.ReadAll(&counted{io.LimitReader(response.Body, MaxDocument+1), progress})
	if err != nil {
		return fetched{}, "", unreachable(at, err)
	}
	doc, err := ReadDocument(content, at.String())
	if err != nil {
		return fetched{}, "", fmt.Errorf("the document %s %w", at, err)
	}
	return fetched{
		doc: doc, etag: response.Header.Get("ETag"), date: response.Header.Get("Last-Modified"),
	}, "", nil
}

// counted tells how much was read.
type counted struct {
	from     io.Reader
	progress *load
}

// Read implements io.Reader.
func (c *counted) Read(into []byte) (int, error) {
	n, err := c.from.Read(into)
	c.progress.note(func(p *Progress) { p.Received += int64(n) })
	return n, err
}

// keepFetched puts a document on the shelf under the address that it is known by.
func (d *Directory) keepFetched(from source, got fetched) (Stored, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if got.notModified {
		return d.unchanged(from.known.ID)
	}
	facts := got.doc.Facts()
	facts.URL = from.urls[0]
	if from.provider.Provider != "" { // the same names as in searches
		facts.Provider, facts.Service = from.provider.Provider, from.provider.Service
	}
	stored := describe(got.doc, facts)
	stored.Source, stored.ETag, stored.LastModified = from.kind, got.etag, got.date
	if from.known != nil {
		stored.Source, stored.Name = from.known.Source, from.known.Name
	}
	return d.keep(stored, got.doc, facts)
}

func (d *Directory) unchanged(id string) (Stored, error) {
	var stored Stored
	err := d.changeShelf(func() error {
		found := d.shelf.find(func(s *Stored) bool { return s.ID == id })
		if found == nil {
			return problem.NotFound("document", id)
		}
		found.Checked, found.Changes = d.cfg.Now().UTC(), noChanges()
		stored = *found
		return nil
	})
	return stored, err
}

// keep stores a document, in place of an earlier one of the same id, from which it notes the changes. d.mu is held.
func (d *Directory) keep(stored Stored, doc *Document, facts API) (Stored, error) {
	stored.ID = idOf(&stored)
	if stored.DocumentURL == "" {
		stored.DocumentURL = pasted + stored.ID
		facts.URL = stored.DocumentURL
	}
	stored.Checked = d.cfg.Now().UTC()
	stored.Added = stored.Checked
	err := d.changeShelf(func() error {
		if known := d.shelf.find(func(s *Stored) bool { return s.ID == stored.ID }); known != nil {
			stored.Added = known.Added
			if before, err := d.open(known); err == nil {
				stored.Changes = compare(before, doc)
			}
		}
		return d.shelf.put(stored, doc, facts)
	})
	if err != nil {
		return Stored{}, err
	}
	d.cache.put(stored.ID, doc)
	return stored, nil
}

// open reads a document of the shelf. d.mu is held.
func (d *Directory) open(stored *Stored) (*Document, error) {
	if doc := d.cache.get(stored.ID); doc != nil {
		return doc, nil
	}
	text, err := d.shelf.read(stored.ID)
	if err != nil {
		return nil, fmt.Errorf("read document %s: %w", stored.ID, err)
	}
	doc, err := newDocument(text, stored.DocumentURL)
	if err != nil {
		return nil, fmt.Errorf("document %s %w", stored.ID, err)
	}
	d.cache.put(stored.ID, doc)
	return doc, nil
}

// Added is what came of adding or refreshing a document.
type Added struct {
	Progress
	Document *Stored `json:"document,omitzero"` // once it is ready
}

// AddURL fetches a document and keeps it, waiting for it at most as long as wait says. A document that is here already
// is fetched again.
func (d *Directory) AddURL(ctx context.Context, at string, wait time.Duration) (Added, error) {
	parsed, err := url.Parse(at)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil {
		return Added{}, problem.InvalidBody("url", "must be a web address without user and password")
	}
	parsed.Fragment = ""
	return d.bring(ctx, source{urls: []string{parsed.String()}, kind: SourceURL}, wait)
}

// Refresh fetches a document again and says what changed.
func (d *Directory) Refresh(ctx context.Context, id string, wait time.Duration) (Added, error) {
	stored, _, err := d.Document(id)
	if err != nil {
		return Added{}, err
	}
	if !stored.Refreshable() {
		return Added{}, problem.Conflicts("This document has no address to fetch it from; add its new text instead.")
	}
	return d.bring(ctx, source{urls: []string{stored.DocumentURL}, kind: SourceURL, known: &stored}, wait)
}

func (d *Directory) bring(ctx context.Context, from source, wait time.Duration) (Added, error) {
	d.mu.Lock()
	one, err := d.start(from.urls[0], from)
	d.mu.Unlock()
	if err != nil {
		return Added{}, err
	}
	one.await(ctx, wait)
	progress, stored := one.now()
	added := Added{Progress: progress}
	if progress.State == StateReady {
		added.Document = &stored
	}
	return added, nil
}

// AddText keeps a document that somebody pasted or uploaded; name is that of the file, if there is one.
func (d *Directory) AddText(content []byte, name string) (Added, error) {
	doc, err := ReadDocument(content, "")
	if err != nil {
		return Added{}, problem.InvalidBody("content", err.Error())
	}
	facts := doc.Facts()
	stored := describe(doc, facts)
	stored.Source, stored.Name = SourceText, name
	d.mu.Lock()
	defer d.mu.Unlock()
	stored, err = d.keep(stored, doc, facts)
	return Added{readyOf(&stored), &stored}, err
}

// readyOf is the progress of a document that is here.
func readyOf(stored *Stored) Progress {
	return Progress{State: StateReady, Received: int64(stored.Bytes), Total: int64(stored.Bytes)}
}

// locate finds the document of an address: here, or on its way here. Both nil: nobody knows the address.
func (d *Directory) locate(at string) (*Document, Stored, *load, error) {
	if at == OwnURL {
		doc, stored := d.own()
		return doc, stored, nil, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return nil, Stored{}, nil, err
	}
	if found := d.shelf.find(func(s *Stored) bool { return s.DocumentURL == at }); found != nil {
		doc, err := d.open(found)
		return doc, *found, nil, err
	}
	for i := range wide().apis {
		api := &wide().apis[i]
		if api.URL != at {
			continue
		}
		from := source{urls: []string{at}, kind: SourceDirectory, provider: *api}
		if other := api.copyURL(); other != at && strings.HasPrefix(other, copies) {
			from.urls = append(from.urls, other)
		}
		one, err := d.start(at, from)
		return nil, Stored{}, one, err
	}
	return nil, Stored{}, nil, problem.NotFound("document", at)
}
