// Package openapi holds the OpenAPI 3.1 document of the REST API: the one description that the request checker, the
// reference pages and the contract tests all read.
//
// It refuses to interpret the document; that is the work of package schema.
package openapi

import _ "embed"

// JSON is the document as served at /openapi.json. It must not be changed.
//
//go:embed openapi.json
var JSON []byte
