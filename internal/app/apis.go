package app

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	apidir "switchboard/internal/directory"
	"switchboard/internal/problem"
)

// apisDir is where the documents of the API directory are, below the data directory.
const apisDir = "directory"

// maxListed bounds the operations that the answer with one document lists; searches find the others.
const maxListed = 2000

// openAPIs makes the API directory. Nothing is loaded before somebody searches.
func (a *App) openAPIs() error {
	guard, err := a.cfg.guard()
	if err != nil {
		return err
	}
	a.apis = apidir.New(apidir.Config{
		Dir: filepath.Join(a.cfg.DataDir, apisDir), Client: guard.Client(apidir.FetchTimeout), Origin: a.origin,
		Log: a.cfg.Log,
	})
	return nil
}

// origin is where requests to our own API lead: an address that ownAPI knows as ours, and that a person can read.
func (a *App) origin() string {
	if a.cfg.PublicURL != "" {
		return strings.TrimSuffix(a.cfg.PublicURL, "/")
	}
	at, err := netip.ParseAddrPort(a.listener.Addr().String())
	if err == nil && at.Addr().IsUnspecified() {
		return "http://localhost:" + strconv.Itoa(int(at.Port()))
	}
	return a.URL()
}

// apis gives the API the directory's answers as JSON.
type apis struct{ *apidir.Directory }

// asJSON is a value of package directory, whose integers are strings already where the API wants that.
func asJSON(value any, err error) (jsontext.Value, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
}

// Search implements api.Directory.
func (a apis) Search(words string, limit int) (jsontext.Value, error) {
	items, err := a.Directory.Search(words, limit)
	return asJSON(struct {
		Items []apidir.Item `json:"items"`
	}{items}, err)
}

// Operation implements api.Directory.
func (a apis) Operation(
	ctx context.Context, document, method, path string, wait time.Duration,
) (jsontext.Value, error) {
	return asJSON(a.Directory.Operation(ctx, document, method, path, wait))
}

// Documents implements api.Directory. A page begins behind the document whose id its cursor is.
func (a apis) Documents(after string, limit int) (jsontext.Value, error) {
	list, err := a.Directory.Documents()
	if after != "" {
		at := slices.IndexFunc(list, func(s apidir.Stored) bool { return s.ID == after })
		if at < 0 && err == nil {
			err = problem.InvalidQuery("cursor", "is not one that this list gave")
		}
		list = list[at+1:]
	}
	var page struct {
		Items  []apidir.Stored `json:"items"`
		Cursor string          `json:"cursor,omitzero"`
	}
	page.Items = list[:min(limit, len(list))]
	if len(list) > limit {
		page.Cursor = list[limit-1].ID
	}
	return asJSON(page, err)
}

// Document implements api.Directory.
func (a apis) Document(id string) (jsontext.Value, error) {
	stored, facts, err := a.Directory.Document(id)
	type operation struct {
		Method  string   `json:"method"`
		Path    string   `json:"path"`
		ID      string   `json:"operation_id"`
		Summary string   `json:"summary"`
		Tags    []string `json:"tags"` // json v2 writes nil as []
	}
	listed := make([]operation, 0, min(len(facts), maxListed))
	for _, fact := range facts[:min(len(facts), maxListed)] {
		listed = append(listed, operation{fact.Method, fact.Path, fact.ID, fact.Summary, fact.Tags})
	}
	return asJSON(struct {
		Document   apidir.Stored `json:"document"`
		Operations []operation   `json:"operations"`
		More       int           `json:"more,string"`
	}{stored, listed, len(facts) - len(listed)}, err)
}

// AddURL implements api.Directory.
func (a apis) AddURL(ctx context.Context, url string, wait time.Duration) (jsontext.Value, error) {
	return asJSON(a.Directory.AddURL(ctx, url, wait))
}

// AddText implements api.Directory.
func (a apis) AddText(content []byte, name string) (jsontext.Value, error) {
	return asJSON(a.Directory.AddText(content, name))
}

// Refresh implements api.Directory.
func (a apis) Refresh(ctx context.Context, id string, wait time.Duration) (jsontext.Value, error) {
	return asJSON(a.Directory.Refresh(ctx, id, wait))
}

// Delete implements api.Directory.
func (a apis) Delete(id string) (jsontext.Value, error) { return asJSON(a.Directory.Delete(id)) }
