// Package directory is the API directory: it finds operations of web APIs by words, keeps OpenAPI documents, shows what
// an operation takes and answers, and prepares a request for it. Its own index of operations holds facts only (names,
// methods, paths, addresses of documents); everything else comes from documents that the company has or fetches.
// docs/reference/directory.md has the rules.
//
// It refuses to send a prepared request, to open connections of its own (documents come through the client that it is
// given), to follow references out of a document, and to lose a whole document for one broken part of it.
package directory

//go:generate go run ./gen -out operations.zst
