package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// apiShelf stands in for the API directory: it has one document and says what it was asked.
type apiShelf struct{ asked []string }

func (s *apiShelf) note(format string, args ...any) {
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
}

const shelfDocument = `{"id":"one","source":"url","provider":"example.com","api":"Pets","version":"1",` +
	`"document_url":"https://example.com/pets.json","openapi":"3.0.0","license":{},"operations":"1","bytes":"100"}`

const readyDocument = `{"state":"ready","received_bytes":"100","total_bytes":"100","document":` + shelfDocument + `}`

func (s *apiShelf) known(id, body string) (jsontext.Value, error) {
	if id != "one" {
		return nil, problem.NotFound("document", id)
	}
	return jsontext.Value(body), nil
}

func (s *apiShelf) Search(words string, limit int) (jsontext.Value, error) {
	s.note("search %s %d", words, limit)
	return jsontext.Value(`{"items":[{"provider":"example.com","api":"Pets","version":"1","method":"GET",` +
		`"path":"/pets","operation_id":"","summary":"","document_url":"https://example.com/pets.json"}]}`), nil
}

func (s *apiShelf) Operation(
	_ context.Context, document, method, path string, wait time.Duration,
) (jsontext.Value, error) {
	s.note("operation %s %s %s %s", document, method, path, wait)
	return jsontext.Value(`{"state":"loading","received_bytes":"10","total_bytes":"0"}`), nil
}

func (s *apiShelf) Documents(after string, limit int) (jsontext.Value, error) {
	s.note("documents %s %d", after, limit)
	return jsontext.Value(`{"items":[` + shelfDocument + `],"cursor":"one"}`), nil
}

func (s *apiShelf) Document(id string) (jsontext.Value, error) {
	return s.known(id, `{"document":`+shelfDocument+`,"operations":[],"more":"0"}`)
}

func (s *apiShelf) AddURL(_ context.Context, url string, wait time.Duration) (jsontext.Value, error) {
	s.note("add %s %s", url, wait)
	return jsontext.Value(readyDocument), nil
}

func (s *apiShelf) AddText(content []byte, name string) (jsontext.Value, error) {
	s.note("text %d %s", len(content), name)
	return jsontext.Value(readyDocument), nil
}

func (s *apiShelf) Refresh(_ context.Context, id string, wait time.Duration) (jsontext.Value, error) {
	s.note("refresh %s %s", id, wait)
	return s.known(id, readyDocument)
}

func (s *apiShelf) Delete(id string) (jsontext.Value, error) { return s.known(id, shelfDocument) }

func TestDirectory(t *testing.T) {
	shelf := &apiShelf{}
	co := newCompany(t, func(c *Config) { c.Directory = shelf })
	const target = "/api/v2/x/directory/"
	co.send("GET", target+"search?q=call+center+update", nil).want(200)
	co.send("GET", target+"search?q=pets&limit=100", nil).want(200)
	for _, query := range []string{"q=a&limit=0", "q=a&limit=101", "q=" + strings.Repeat("x", 201)} {
		co.send("GET", target+"search?"+query, nil).want(400)
	}
	co.send("GET", target+"operation?document_url=u&method=GET&path=/pets&wait=0", nil).want(200)
	co.send("GET", target+"operation?document_url=u&method=GET&path=/pets&wait=31", nil).want(400)
	if got := co.send("GET", target+"operation?method=GET", nil).want(400); got.locations() != "document_url path" {
		t.Errorf("%s", got.body)
	}
	co.send("GET", target+"documents?cursor=one&limit=500", nil).want(200)
	co.send("POST", target+"documents?wait=1", `{"url":"https://example.com/pets.json"}`).want(200)
	large, _ := json.Marshal(map[string]string{"content": strings.Repeat("x", MaxBody), "name": "pets.yaml"})
	co.send("POST", target+"documents", string(large)).want(200)
	for _, body := range []string{`{}`, `{"url":"https://example.com","content":"{}"}`} {
		if got := co.send("POST", target+"documents", body).want(400); got.locations() != "url" {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	co.send("GET", target+"documents/one", nil).want(200)
	co.send("POST", target+"documents/one/refresh", nil).want(200)
	co.send("DELETE", target+"documents/one", nil).want(200)
	checkEnvelope(t, co.send("GET", target+"documents/two", nil), 404, problem.Missing)
	want := []string{
		"search call center update 20", "search pets 100", "operation u GET /pets 0s", "documents one 100",
		"add https://example.com/pets.json 1s", fmt.Sprintf("text %d pets.yaml", MaxBody), "refresh one 20s",
	}
	if got := strings.Join(shelf.asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked\n%s", got)
	}
	user := co.key(store.RoleUser, operatorID(t, co.user("ada")))
	for _, path := range []string{"search?q=a", "documents", "documents/one"} {
		co.send("GET", target+path, nil, as(user)).want(403)
	}
}
