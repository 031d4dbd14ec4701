package app

import (
	"context"
	"path/filepath"

	apidir "switchboard/internal/directory"
)

// ImportAPIs adds documents to the API directory of a data directory, where a server may be running. from is a file, a
// folder, a .tgz or an address, reached as far as the egress guard lets it. progress hears how far it is, 0..1.
func ImportAPIs(
	ctx context.Context, cfg Config, from string, progress func(done float64, name string),
) (apidir.Imported, error) {
	guard, err := cfg.guard()
	if err != nil {
		return apidir.Imported{}, err
	}
	shelf := apidir.New(apidir.Config{
		Dir: filepath.Join(cfg.DataDir, apisDir), Client: guard.Client(apidir.FetchTimeout),
	})
	defer shelf.Close()
	return shelf.Import(ctx, from, progress)
}
