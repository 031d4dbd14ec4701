package app

import (
	"context"
	"fmt"
	"maps"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

// compileTime bounds the check of one script at registration.
const compileTime = 10 * time.Second

// openWorkflows starts what runs workflows. Those that an earlier process left are taken up in the background.
func (a *App) openWorkflows(ctx context.Context) (err error) {
	if err := a.openEnvironment(ctx); err != nil {
		return err
	}
	if err := a.openCluster(); err != nil {
		return err
	}
	config := runner.Config{
		Store: a.store, Doer: a.requests, Evaluator: a.scripts, Env: a.surroundings, Log: a.cfg.Log,
		Publish: func(ctx context.Context, id flow.TaskID, sink string, payload flow.Map) error {
			return a.triggers.Publish(ctx, string(id), sink, payload)
		},
		Limits:   runner.Limits{Retention: time.Duration(a.cfg.WorkflowDays) * 24 * time.Hour},
		Compiles: a.compiles,
	}
	if a.cluster != nil {
		config.Elsewhere = a.cluster
	}
	if a.runner, err = runner.New(ctx, config); err != nil {
		return fmt.Errorf("read the workflows: %w", err)
	}
	a.runs.are(a.runner)
	return nil
}

func (a *App) compiles(language flow.Language, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), compileTime)
	defer cancel()
	return a.scripts.Compile(ctx, language, text)
}

// envURL is where workflows find our own address, as ${workflow.env.SWITCHBOARD_URL}.
const envURL = "SWITCHBOARD_URL"

// surroundings is what workflows see as ${workflow.env.NAME}: what was set, and our own address unless that was.
func (a *App) surroundings() flow.Map {
	set := a.environment.Map()
	if _, ok := set[envURL]; ok {
		return set
	}
	all := flow.Map{envURL: a.URL()}
	maps.Copy(all, set)
	return all
}

// Workflows runs workflows.
func (a *App) Workflows() *runner.Runner { return a.runner }
