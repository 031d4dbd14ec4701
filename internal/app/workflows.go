package app

import (
	"context"
	"fmt"
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
		Store: a.store, Doer: a.requests, Evaluator: a.scripts, Env: a.environment.Map, Log: a.cfg.Log,
		Limits: runner.Limits{Retention: time.Duration(a.cfg.WorkflowDays) * 24 * time.Hour},
		Compiles: func(language flow.Language, text string) error {
			ctx, cancel := context.WithTimeout(context.Background(), compileTime)
			defer cancel()
			return a.scripts.Compile(ctx, language, text)
		},
	}
	if a.cluster != nil {
		config.Elsewhere = a.cluster
	}
	if a.runner, err = runner.New(ctx, config); err != nil {
		return fmt.Errorf("read the workflows: %w", err)
	}
	return nil
}

// Workflows runs workflows.
func (a *App) Workflows() *runner.Runner { return a.runner }
