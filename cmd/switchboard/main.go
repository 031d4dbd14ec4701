// Command switchboard is the call center: serve runs it, demo runs it with a make-believe company, and the rest helps.
// It refuses to hold logic: each command parses its flags and calls a package.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // opening hours must work on hosts without a tz database

	"github.com/alecthomas/kong"
)

// commands are the flags, SWITCHBOARD_* variables and help of every command.
type commands struct {
	Serve     serveCommand      `cmd:"" help:"Take calls."`
	Demo      demoCommand       `cmd:"" help:"Take calls of a make-believe company: real SIP, simulated people."`
	Simulate  simulateCommand   `cmd:"" help:"Route simulated calls, without a network."`
	Key       keyCommands       `cmd:"" help:"API keys."`
	Directory directoryCommands `cmd:"" help:"The API directory."`
	Backup    backupCommand     `cmd:"" help:"Copy the database while it is in use."`
	Speech    speechCommands    `cmd:"" help:"Speech recognition."`
	Doctor    doctorCommand     `cmd:"" help:"Look for what this host lacks, and say how to mend it."`
}

// Exit codes. A usage error is kong's 80.
const (
	exitOK     = 0
	exitFailed = 1
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	parser := kong.Must(&cli, kong.Name("switchboard"), kong.UsageOnError(), kong.DefaultEnvars("SWITCHBOARD"),
		kong.Description("An open call center that a company runs itself."), kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	// A second Ctrl-C ends the program at once: the first one's handler is given back when it fires.
	context.AfterFunc(ctx, stop)
	if err := command.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "switchboard: "+err.Error())
		return exitFailed
	}
	return exitOK
}

func newLog(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
