package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"switchboard/internal/conductor"
)

// tokenKeyFile holds what signs the tokens of clients of the workflows' API, below the data directory.
const (
	tokenKeyFile  = "token-key"
	tokenKeyBytes = 32
)

// tokenKey reads the key, or makes it.
func tokenKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, tokenKeyFile)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, tokenKeyBytes)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of tokens: %w", err)
	}
	if len(key) != tokenKeyBytes {
		return nil, fmt.Errorf("%s has not %d bytes: remove it, and another is made", path, tokenKeyBytes)
	}
	return key, nil
}

// openEnvironment reads what workflows see as ${workflow.env.NAME}.
func (a *App) openEnvironment(ctx context.Context) (err error) {
	a.environment, err = conductor.OpenEnvironment(ctx, a.store)
	return err
}

// openCluster makes the way to the cluster that runs what is not run here, if there is one.
func (a *App) openCluster() error {
	if a.cfg.ConductorURL == "" {
		return nil
	}
	guard, err := a.cfg.guard()
	if err != nil {
		return err
	}
	a.cluster, err = conductor.NewCluster(a.cfg.ConductorURL, guard.Client(conductor.ClusterTimeout), a.vault,
		a.cfg.ConductorSecret)
	if err != nil {
		return fmt.Errorf("conductor-url: %w", err)
	}
	return nil
}

// openAutomation makes the API that clients of Conductor know.
func (a *App) openAutomation(where *later) error {
	key, err := tokenKey(a.cfg.DataDir)
	if err != nil {
		return err
	}
	where.is(conductor.New(conductor.Config{
		Runner: a.runner, Keys: a.store, Shelf: a.store, Secrets: a.vault, Environment: a.environment,
		Evaluator: a.scripts, Cluster: a.cluster,
		TokenKey: key, Version: Version, RateLimit: a.cfg.WorkflowRateLimit, Log: a.cfg.Log,
		Scheduler: schedules{a.triggers}, Events: a.triggers, Webhooks: a.triggers,
	}))
	return nil
}

// later is a handler that is not there yet when the first request may come: that of a run which an earlier process left
// and which uses our own API.
type later struct {
	ready   chan struct{}
	handler http.Handler
}

func newLater() *later { return &later{ready: make(chan struct{})} }

func (l *later) is(handler http.Handler) {
	l.handler = handler
	close(l.ready)
}

// ServeHTTP implements http.Handler.
func (l *later) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-l.ready:
		l.handler.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
}
