package directory

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"switchboard/internal/problem"
	"switchboard/openapi"
)

// OwnURL is the address of Switchboard's own document, which the directory always has.
const OwnURL = "/openapi.json"

const ownID = "switchboard"

//go:embed operations.zst
var operations []byte

// wide is the embedded index, made at its first use.
var wide = sync.OnceValue(func() *segment {
	b := newBuilder()
	if err := readTable(operations, b.add); err != nil {
		panic("directory: " + err.Error()) // what go generate wrote
	}
	return b.build()
})

// Doer sends requests for documents. It decides where they may go, and does not follow redirects.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Config is what a directory stands on. Dir and Client are required.
type Config struct {
	Dir    string           // where documents are kept
	Client Doer             // for documents that are elsewhere
	Origin func() string    // where our own API is: "https://switchboard.example.com"; nil: nobody knows
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nowhere
}

// Directory finds, keeps and explains. Safe for concurrent use.
type Directory struct {
	cfg Config
	own func() (*Document, Stored)

	mu     sync.Mutex // of the shelf and what follows
	shelf  shelf
	looked time.Time // when the shelf was last compared with the disk
	cache  cache
	loads  map[string]*load
	local  atomic.Pointer[collection]

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// collection is what the company has, as searches see it.
type collection struct {
	single, bulk *segment
	bulkKey      string          // says of which documents bulk was made
	urls         map[string]bool // of all documents
}

// lookAgain is how old the view of the shelf may be: another program may import while this one runs.
const lookAgain = time.Second

// New makes a directory. Nothing is read before the first search.
func New(cfg Config) *Directory {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Directory{cfg: cfg, shelf: shelf{dir: cfg.Dir}, loads: map[string]*load{}}
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.own = sync.OnceValues(readOwn)
	return d
}

// Close ends what still loads and waits for it.
func (d *Directory) Close() {
	d.stop()
	d.wg.Wait()
}

func readOwn() (*Document, Stored) {
	doc, err := newDocument(openapi.JSON, OwnURL)
	if err != nil {
		panic("directory: our own document " + err.Error())
	}
	stored := describe(doc, doc.Facts())
	stored.ID, stored.Source = ownID, SourceOwn
	return doc, stored
}

// describe says of a document what the list of documents shows.
func describe(doc *Document, facts API) Stored {
	license := doc.info.object("license")
	return Stored{
		Provider: facts.Provider, Service: facts.Service, API: facts.Title, Version: facts.Version,
		DocumentURL: facts.URL, OpenAPI: doc.version, Operations: len(facts.Operations), Bytes: len(doc.text),
		License: License{license.text("name"), license.text("identifier"), safeLink(license.text("url"))},
	}
}

// safeLink is a link that a page may show; "": it is none.
func safeLink(link string) string {
	for _, scheme := range []string{"https://", "http://", "mailto:"} {
		if strings.HasPrefix(strings.ToLower(link), scheme) {
			return link
		}
	}
	return ""
}

// Search finds operations by words of their API, provider, path, name or method, best first, at most limit.
func (d *Directory) Search(text string, limit int) ([]Item, error) {
	if utf8.RuneCountInString(text) > MaxQuery {
		return nil, problem.InvalidQuery("q", fmt.Sprintf("must have at most %d characters", MaxQuery))
	}
	if limit < 1 || limit > MaxLimit {
		return nil, problem.InvalidQuery("limit", fmt.Sprintf("must be 1 to %d", MaxLimit))
	}
	mine, err := d.collection()
	if err != nil {
		return nil, err
	}
	q := parseQuery(text)
	type scored struct {
		hit
		from *segment
	}
	var all []scored
	for i, s := range []*segment{mine.single, mine.bulk, wide()} {
		var hidden map[string]bool
		if i == 2 {
			hidden = mine.urls
		}
		for _, h := range s.search(q, hidden, limit) {
			if i < 2 {
				h.score += meritOwn
			}
			all = append(all, scored{h, s})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	items := make([]Item, 0, min(limit, len(all)))
	for i, one := range all[:min(limit, len(all))] {
		if i >= fewItems && one.score/perWord < all[0].score/perWord {
			break
		}
		items = append(items, one.from.item(one.id))
	}
	return items, nil
}

// Size counts the operations of the embedded index.
func (d *Directory) Size() int { return len(wide().ops) }

// collection is what the company has now. Searches do not wait for a document that is being stored.
func (d *Directory) collection() (*collection, error) {
	if !d.mu.TryLock() {
		if last := d.local.Load(); last != nil {
			return last, nil
		}
		d.mu.Lock()
	}
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return nil, err
	}
	return d.local.Load(), nil
}

// look compares the shelf with the disk, when that was long ago, and makes the collection anew where needed. d.mu is
// held.
func (d *Directory) look() error {
	now := d.cfg.Now()
	if d.local.Load() != nil && now.Sub(d.looked) < lookAgain && now.Sub(d.looked) >= 0 {
		return nil
	}
	d.looked = now
	changed, err := d.shelf.reload()
	if err != nil {
		return err
	}
	if changed || d.local.Load() == nil {
		d.collect()
	}
	return nil
}

// collect indexes the documents of the shelf. A table that cannot be read costs its document its place in searches,
// and nothing else.
func (d *Directory) collect() {
	doc, _ := d.own()
	next := &collection{urls: map[string]bool{}}
	single, bulk := newBuilder(), newBuilder()
	single.add(doc.Facts())
	var key strings.Builder
	var imported []string
	for i := range d.shelf.list {
		one := &d.shelf.list[i]
		next.urls[one.DocumentURL] = true
		if one.Source == SourceImport {
			fmt.Fprintln(&key, one.ID, one.Checked.UnixNano())
			imported = append(imported, one.ID)
			continue
		}
		d.index([]string{one.ID}, single)
	}
	next.single = single.build()
	if last := d.local.Load(); last != nil && last.bulkKey == key.String() {
		next.bulk = last.bulk
	} else {
		d.index(imported, bulk)
		next.bulk = bulk.build()
	}
	next.bulkKey = key.String()
	d.local.Store(next)
}

func (d *Directory) index(ids []string, into *builder) {
	var apis []API
	for _, id := range ids {
		facts, err := d.shelf.facts(id)
		if err != nil {
			d.cfg.Log.Error("the operations of a document could not be read", "document", id, "error", err)
			continue
		}
		apis = append(apis, facts)
	}
	Rank(apis)
	for _, api := range apis {
		into.add(api)
	}
}

// Documents lists what the company has: Switchboard's own document first, then by provider and API.
func (d *Directory) Documents() ([]Stored, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return nil, err
	}
	list := slices.Clone(d.shelf.list)
	slices.SortFunc(list, func(a, b Stored) int {
		return cmp.Or(strings.Compare(a.Provider, b.Provider), strings.Compare(a.API, b.API), strings.Compare(a.ID, b.ID))
	})
	_, own := d.own()
	return slices.Insert(list, 0, own), nil
}

// Document finds a document and its operations by its id.
func (d *Directory) Document(id string) (Stored, []Fact, error) {
	if id == ownID {
		doc, stored := d.own()
		return stored, doc.Facts().Operations, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return Stored{}, nil, err
	}
	found := d.shelf.find(func(s *Stored) bool { return s.ID == id })
	if found == nil {
		return Stored{}, nil, problem.NotFound("document", id)
	}
	facts, err := d.shelf.facts(id)
	return *found, facts.Operations, err
}

// Delete forgets a document. The operations of one that the embedded index knows stay to be found.
func (d *Directory) Delete(id string) (Stored, error) {
	if id == ownID {
		return Stored{}, problem.Conflicts("Switchboard's own document is part of the program.")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var gone Stored
	err := d.changeShelf(func() error {
		found := d.shelf.find(func(s *Stored) bool { return s.ID == id })
		if found == nil {
			return problem.NotFound("document", id)
		}
		gone = *found
		d.shelf.remove(id)
		return nil
	})
	d.cache.drop(id)
	return gone, err
}

// changeShelf changes the shelf and what searches see. d.mu is held.
func (d *Directory) changeShelf(f func() error) error {
	if err := d.shelf.change(f); err != nil {
		return err
	}
	d.looked = time.Time{}
	return d.look()
}

// cache keeps the documents that were read last.
type cache struct {
	docs []cached // the last used last
}

type cached struct {
	id  string
	doc *Document
}

// The bounds of the cache.
const (
	maxCached      = 16
	maxCachedBytes = 48 << 20
)

func (c *cache) get(id string) *Document {
	at := slices.IndexFunc(c.docs, func(o cached) bool { return o.id == id })
	if at < 0 {
		return nil
	}
	found := c.docs[at]
	c.docs = append(slices.Delete(c.docs, at, at+1), found)
	return found.doc
}

func (c *cache) put(id string, doc *Document) {
	c.drop(id)
	c.docs = append(c.docs, cached{id, doc})
	bytes := 0
	for _, one := range c.docs {
		bytes += len(one.doc.text)
	}
	for len(c.docs) > 1 && (len(c.docs) > maxCached || bytes > maxCachedBytes) {
		bytes -= len(c.docs[0].doc.text)
		c.docs = slices.Delete(c.docs, 0, 1)
	}
}

func (c *cache) drop(id string) {
	c.docs = slices.DeleteFunc(c.docs, func(o cached) bool { return o.id == id })
}
