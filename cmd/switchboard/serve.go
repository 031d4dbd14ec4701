package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/term"

	"switchboard/internal/app"
)

// secretKeyVariable is no flag, as anybody on the host can see those.
const secretKeyVariable = "SWITCHBOARD_SECRET_KEY"

// serverFlags are what serve and demo share.
type serverFlags struct {
	HTTP              string        `default:"127.0.0.1:8080" help:"Address of the pages and the API."`
	SIP               string        `default:"127.0.0.1:5060" help:"Address for calls; 0.0.0.0:5060: the network."`
	RTPPorts          string        `default:"20000-29999" help:"UDP ports for audio."`
	Advertise         string        `help:"Address told to phones, when it differs."`
	Timezone          string        `help:"Time zone of the first office (default: the host's)."`
	Country           string        `default:"us" help:"Country of that office, two letters."`
	RateLimit         int           `default:"1200" help:"API requests a minute, per operation and key."`
	CompanyRateLimit  int           `default:"20" help:"API requests a second, per company."`
	NewCallsPerSec    int           `name:"new-calls-per-second" default:"2000" help:"New calls a second."`
	Prompts           string        `help:"Folder of recorded prompts."`
	DialAllow         []string      `help:"How numbers to call may begin, as +49 (default: offices' countries)."`
	DialCap           int           `default:"100" help:"Calls that may go out within an hour."`
	EgressAllow       []string      `help:"HOST, NETWORK, both also with :PORT, or :PORT, open besides the internet."`
	PublicURL         string        `name:"public-url" help:"Where others reach pages and API, when it differs."`
	WorkflowRateLimit int           `default:"500" help:"Requests a second of one key to the workflows' API."`
	WorkflowDays      int           `default:"30" help:"Days for which workflow runs are kept after their end."`
	ConductorURL      string        `name:"conductor-url" help:"Conductor cluster for workflows of engine conductor."`
	ConductorSecret   string        `default:"conductor" help:"Name of the secret with the cluster's keyId and keySecret."`
	EgressProxy       string        `help:"Proxy for requests to other servers, http://HOST:PORT."`
	SMTP              string        `name:"smtp" help:"Mail server for alerts, host:port."`
	MailFrom          string        `help:"Sender of mailed alerts."`
	MailTo            []string      `help:"Who gets all alerts by mail, besides the supervisors."`
	Speech            speechFlags   `embed:"" prefix:"speech-"`
	Drain             time.Duration `default:"10s" help:"How long running calls may go on after Ctrl-C."`
	Verbose           bool          `short:"v" help:"Log more."`
}

// Validate refuses limits that would let nothing through; an unset flag has its default.
func (f serverFlags) Validate() error {
	if f.RateLimit < 1 || f.CompanyRateLimit < 1 || f.NewCallsPerSec < 1 {
		return errors.New("--rate-limit, --company-rate-limit and --new-calls-per-second must be at least 1")
	}
	return nil
}

func (f serverFlags) config(dir string) app.Config {
	return app.Config{
		DataDir: dir, HTTP: f.HTTP, SIP: f.SIP, RTPPorts: f.RTPPorts, Advertise: f.Advertise, Timezone: f.Timezone,
		Country: f.Country, RateLimit: f.RateLimit, CompanyRateLimit: f.CompanyRateLimit, Prompts: f.Prompts,
		NewCallsPerSec: f.NewCallsPerSec, Drain: f.Drain,
		EgressAllow: f.EgressAllow, WorkflowDays: f.WorkflowDays, WorkflowRateLimit: f.WorkflowRateLimit,
		ConductorURL: f.ConductorURL, ConductorSecret: f.ConductorSecret,
		EgressProxy: f.EgressProxy, PublicURL: f.PublicURL,
		Speech:    f.Speech.config(),
		SecretKey: os.Getenv(secretKeyVariable), SMTP: f.SMTP, MailFrom: f.MailFrom, MailTo: f.MailTo,
		DialAllow: f.DialAllow, DialCap: f.DialCap, Log: newLog(f.Verbose),
	}
}

type serveCommand struct {
	serverFlags
	Data string `default:"switchboard-data" type:"path" help:"Directory of the database, voicemails and recordings."`
}

// Run serves until Ctrl-C.
func (c *serveCommand) Run(ctx context.Context) (err error) {
	started := time.Now()
	if n := processors(runtime.GOMAXPROCS(0), os.Getenv("GOMAXPROCS")); n > 0 {
		runtime.GOMAXPROCS(n)
	}
	server, err := app.New(ctx, c.config(c.Data))
	if err != nil {
		return explainPort(err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if server.NeedsAdmin() {
		if err := welcome(ctx, server); err != nil {
			return err
		}
	}
	fmt.Printf("Ready in %s. Pages and API: %s  Calls: sip:%s  (Ctrl-C drains and stops)\n",
		time.Since(started).Round(time.Millisecond), server.URL(), server.PublicSIPAddr())
	return server.Run(ctx)
}

// leastProcessors is how many processors Go is told it has, at least. What writes to the disk holds one of them until
// it is seen to wait: with a single one, every call would wait for the disk too (docs/internals/benchmarks.md).
const leastProcessors = 2

// processors is the GOMAXPROCS to set, or 0 to leave it: it is right, or somebody asked for it in the environment.
func processors(have int, asked string) int {
	if have >= leastProcessors || asked != "" {
		return 0
	}
	return leastProcessors
}

// welcome prints what only a first start can: the first key and the way into the pages.
func welcome(ctx context.Context, server *app.App) error {
	key, err := server.NewAdminKey(ctx, "first start")
	if err != nil {
		return err
	}
	link, err := server.SignInLink(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("A new company was created.\n"+
		"  API key of the company admin (shown once): %s\n"+
		"  Sign a browser in (works once, within an hour): %s\n", key, link)
	return nil
}

// explainPort adds what to do about a port that is taken.
func explainPort(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" {
		return fmt.Errorf("%w\n  Another program listens there. Stop it, or choose another address with --http or --sip", err)
	}
	return err
}

// stdoutIsTerminal and stderrIsTerminal say whether a person watches, so that progress may move.
func stdoutIsTerminal() bool { return term.IsTerminal(int(os.Stdout.Fd())) }

func stderrIsTerminal() bool { return term.IsTerminal(int(os.Stderr.Fd())) }
