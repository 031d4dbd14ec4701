// Command switchboard-speech recognises speech for switchboard: it loads libvosk and a model folder and serves Vosk's
// websocket protocol. It is a program of its own so that a fault in the library ends it, and no call
// (docs/reference/speech.md, The worker).
//
// It refuses to listen where other hosts reach it, and to keep or log audio and text.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"switchboard/internal/vosk"
)

// flags are those of the program; each is also a variable SWITCHBOARD_SPEECH_*.
type flags struct {
	Model      string `required:"" type:"path" help:"Folder of a Vosk model, as its maker gives it out."`
	Library    string `default:"libvosk.so" help:"Path of libvosk."`
	Listen     string `default:"127.0.0.1:2700" help:"Loopback host:port, or unix:/path of a socket."`
	Streams    int    `default:"8" help:"Streams at a time; a call has two."`
	Processors int    `help:"Streams that compute at the same moment (default: half of the processors)."`
	Nice       int    `default:"10" help:"How much this program stands back for others, 0 to 19."`
	Verbose    bool   `short:"v" help:"Log more."`
}

// Validate implements kong's interface.
func (f flags) Validate() error {
	switch {
	case f.Streams < 1 || f.Streams > vosk.MaxStreams:
		return fmt.Errorf("--streams must be from 1 to %d", vosk.MaxStreams)
	case f.Processors < 0 || f.Processors > vosk.MaxStreams:
		return fmt.Errorf("--processors must be from 1 to %d", vosk.MaxStreams)
	case f.Nice < 0 || f.Nice > 19:
		return errors.New("--nice must be from 0 to 19")
	}
	return nil
}

func main() {
	var f flags
	parser := kong.Must(&f, kong.Name("switchboard-speech"), kong.UsageOnError(),
		kong.DefaultEnvars("SWITCHBOARD_SPEECH"), kong.Description("Recognises speech for switchboard."))
	_, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "switchboard-speech: "+err.Error())
		os.Exit(1)
	}
}

func run(f flags) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	level := slog.LevelInfo
	if f.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, f.Nice); err != nil {
		log.Warn("the priority could not be lowered", "error", err)
	}
	if err := vosk.CheckFolder(f.Model); err != nil {
		return err
	}
	listener, err := listen(ctx, f.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	library, err := vosk.Load(f.Library)
	if err != nil {
		return err
	}
	model, err := library.Open(f.Model)
	if err != nil {
		return err
	}
	defer model.Close()
	if f.Processors == 0 {
		f.Processors = max(1, runtime.NumCPU()/2)
	}
	return serve(ctx, listener, vosk.NewServer(vosk.Of(model), f.Streams, f.Processors, log), log)
}

// listen opens a socket that only this host reaches.
func listen(ctx context.Context, where string) (net.Listener, error) {
	var config net.ListenConfig
	if path, ok := strings.CutPrefix(where, "unix:"); ok {
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(path) // of a run that was killed; if not, Listen says so
		}
		listener, err := config.Listen(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		return listener, os.Chmod(path, 0o600)
	}
	host, _, err := net.SplitHostPort(where)
	if err != nil {
		return nil, fmt.Errorf("--listen: %q is neither host:port nor unix:/path", where)
	}
	if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
		return nil, fmt.Errorf("--listen: %q is no loopback address", host)
	}
	return config.Listen(ctx, "tcp", where)
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("Ready. Listening on %s\n", listener.Addr())
	log.Info("ready", "address", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
