package api

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/problem"
)

// Directory is the API directory. It answers JSON as the document describes it, and errors of package problem.
type Directory interface {
	Search(words string, limit int) (jsontext.Value, error)
	Operation(ctx context.Context, document, method, path string, wait time.Duration) (jsontext.Value, error)
	Documents(after string, limit int) (jsontext.Value, error)
	Document(id string) (jsontext.Value, error)
	AddURL(ctx context.Context, url string, wait time.Duration) (jsontext.Value, error)
	AddText(content []byte, name string) (jsontext.Value, error)
	Refresh(ctx context.Context, id string, wait time.Duration) (jsontext.Value, error)
	Delete(id string) (jsontext.Value, error)
}

// How long a request waits for a document that is being fetched, in seconds, unless it says so itself.
const (
	DefaultWait = 20
	MaxWait     = 30
)

// anyDocument leaves it to the directory which documents there are.
var anyDocument = []pathID{{name: "id", words: func(string) bool { return true }, find: ignorePath}}

func (c *call) wait() time.Duration {
	return time.Duration(c.query.Int("wait", DefaultWait)) * time.Second
}

// passOn answers what the directory said.
func passOn(body jsontext.Value, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{body: append(body, '\n')}, nil
}

func searchDirectory(c *call) (answer, error) {
	return passOn(c.api.Directory.Search(c.query["q"], int(c.query.Int("limit", 20))))
}

// explainOperation needs to know which operation: all that is missing is named.
func explainOperation(c *call) (answer, error) {
	var missing []problem.Field
	for _, name := range []string{"document_url", "method", "path"} {
		if !c.query.Has(name) {
			missing = append(missing, problem.Field{Name: name, In: problem.InQuery, Message: "is required"})
		}
	}
	if len(missing) > 0 {
		return answer{}, problem.Invalid(missing...)
	}
	return passOn(c.api.Directory.Operation(
		c.context(), c.query["document_url"], c.query["method"], c.query["path"], c.wait()))
}

func listDocuments(c *call) (answer, error) {
	return passOn(c.api.Directory.Documents(c.query["cursor"], int(min(c.query.Int("limit", MaxPage), MaxPage))))
}

func getAPIDocument(c *call) (answer, error) {
	return passOn(c.api.Directory.Document(c.r.PathValue("id")))
}

// documentAdd is a document by its address or as text.
type documentAdd struct {
	URL     string `json:"url"`
	Content string `json:"content"`
	Name    string `json:"name"`
}

func addDocument(c *call) (answer, error) {
	body, err := decode[documentAdd](c)
	if err != nil {
		return answer{}, err
	}
	if len(c.bad) == 0 && (body.URL == "") == (body.Content == "") {
		c.bad = append(c.bad, problem.Field{
			Name: "url", In: problem.InBody, Message: "or content is required, and not both",
		})
	}
	if len(c.bad) > 0 {
		return answer{}, problem.Invalid(c.bad...)
	}
	if body.URL != "" {
		return passOn(c.api.Directory.AddURL(c.context(), body.URL, c.wait()))
	}
	return passOn(c.api.Directory.AddText([]byte(body.Content), body.Name))
}

func refreshDocument(c *call) (answer, error) {
	return passOn(c.api.Directory.Refresh(c.context(), c.r.PathValue("id"), c.wait()))
}

func deleteDocument(c *call) (answer, error) {
	return passOn(c.api.Directory.Delete(c.r.PathValue("id")))
}
