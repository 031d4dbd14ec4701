package directory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// API is what is known of one document without reading it.
type API struct {
	Provider   string // whose it is: "stripe.com"
	Service    string // which of the provider's APIs; "": it has one
	Title      string
	Version    string
	URL        string // where the document is
	Old        bool   // the provider has a newer version of it
	Operations []Fact
}

// Fact is one operation. Summaries are only in tables of documents that the company has.
type Fact struct {
	Method  string
	Path    string
	ID      string // operationId; may be ""
	Tags    []string
	Summary string
}

// tableHeader is the first line of a table; the number rises with the format.
const tableHeader = "switchboard operations 1"

// maxTable bounds an unpacked table, in bytes.
const maxTable = 256 << 20

// tableNote bounds each text of a table, in bytes: what is longer is no name.
const tableNote = 1000

// WriteTable packs APIs and their operations: lines of tab-separated fields, compressed with zstd.
func WriteTable(w io.Writer, apis []API) error {
	packed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(packed)
	fmt.Fprintln(out, tableHeader)
	for _, api := range apis {
		old := ""
		if api.Old {
			old = "old"
		}
		line(out, "A", api.Provider, api.Service, api.Title, api.Version, api.URL, old)
		for _, op := range api.Operations {
			line(out, op.Method, op.Path, op.ID, strings.Join(op.Tags, "|"), op.Summary)
		}
	}
	return errors.Join(out.Flush(), packed.Close())
}

func line(w io.Writer, fields ...string) {
	for i, field := range fields {
		field = strings.Join(strings.Fields(field), " ")
		if len(field) > tableNote {
			field = strings.ToValidUTF8(field[:tableNote], "")
		}
		if i > 0 {
			field = "\t" + field
		}
		_, _ = io.WriteString(w, field) // a bufio.Writer keeps its error until Flush
	}
	_, _ = io.WriteString(w, "\n")
}

// errTable is the error of a file that is no table.
var errTable = errors.New("is no table of operations")

// readTable unpacks a table and calls f for each API, whose operations are in it. The strings are parts of one text.
func readTable(packed []byte, f func(API)) error {
	unpacker, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer unpacker.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, io.LimitReader(unpacker, maxTable)); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	rest, found := strings.CutPrefix(text.String(), tableHeader+"\n")
	if !found {
		return errTable
	}
	var api *API
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if kind, fields, _ := strings.Cut(line, "\t"); kind == "A" {
			if api != nil {
				f(*api)
			}
			api = &API{}
			var old string
			cut(fields, &api.Provider, &api.Service, &api.Title, &api.Version, &api.URL, &old)
			api.Old = old != ""
		} else if api == nil {
			return errTable
		} else {
			op := Fact{Method: kind}
			var tags string
			cut(fields, &op.Path, &op.ID, &tags, &op.Summary)
			if tags != "" {
				op.Tags = strings.Split(tags, "|")
			}
			api.Operations = append(api.Operations, op)
		}
	}
	if api != nil {
		f(*api)
	}
	return nil
}

func cut(line string, fields ...*string) {
	for _, field := range fields {
		*field, line, _ = strings.Cut(line, "\t")
	}
}
