package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"switchboard/internal/demo"
)

type demoCommand struct {
	serverFlags
	Data  string  `type:"path" help:"An empty directory to use (default: a fresh one, removed at the end)."`
	Seed  uint64  `default:"1" help:"Makes the people behave the same way again."`
	Speed float64 `default:"144" help:"How much faster than real time a day of calls passes."`
	Quiet bool    `help:"No simulated callers: call by yourself."`
}

// Run plays the demo until Ctrl-C.
func (c *demoCommand) Run(ctx context.Context) error {
	dir := c.Data
	if dir == "" {
		made, err := os.MkdirTemp("", "switchboard-demo-")
		if err != nil {
			return fmt.Errorf("make the demo's data directory: %w", err)
		}
		defer os.RemoveAll(made)
		dir = made
	}
	server := c.config(dir)
	server.Company = "Fernwood Travel"
	if !c.Verbose { // the status line says what matters; the log would break it
		server.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	return explainPort(demo.Run(ctx, demo.Config{
		Server: server, Out: os.Stdout, Terminal: stdoutIsTerminal(), Seed: c.Seed, Speed: c.Speed, Quiet: c.Quiet,
	}))
}
