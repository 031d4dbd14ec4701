package openapi_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"switchboard/openapi"
)

func TestDocumentIsSoundOpenAPI(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.JSON)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("validate: %v", err)
	}
}
