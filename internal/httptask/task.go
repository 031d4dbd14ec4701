// Package httptask performs the requests of workflows' HTTP tasks and of Test request: it reads what a task says, puts
// secrets in, sends, follows a few redirects, and makes of the answer what the next tasks read
// (docs/reference/egress.md, Requests).
//
// It refuses to connect but through the transport it is given (package egress has the guard), to let a secret go along
// to another host or into anything that is kept, and to reach our own API over the network: that it hands over inside.
package httptask

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// The limits of a request.
const (
	// DefaultTimeout is how long a whole request may take, redirects and answer included; MaxTimeout, when its
	// readTimeOut asks for more.
	DefaultTimeout = 30 * time.Second
	MaxTimeout     = 120 * time.Second
	// DefaultConnect and DefaultRead are connectionTimeOut and readTimeOut where a task has none, as in Conductor;
	// MaxConnect is the most for the former.
	DefaultConnect = 3 * time.Second
	DefaultRead    = 3 * time.Second
	MaxConnect     = 5 * time.Second
	// MaxRequest bounds a request's body, in bytes.
	MaxRequest = 1 << 20
	// MaxRead bounds what is read of an answer, MaxKept what is kept of it, in bytes after decompression.
	MaxRead = 5 << 20
	MaxKept = 256 << 10
	// MaxRedirects is how many are followed.
	MaxRedirects = 3
	// MaxCopies bounds hedgingConfig.maxAttempts.
	MaxCopies = 5
)

// Secrets puts secrets into requests.
type Secrets interface {
	Fill(stored flow.Value, to vault.Destination) (flow.Value, *vault.Redactor, error)
}

// OwnAPI answers requests to this very server, with the rights of whoever started the run.
type OwnAPI interface {
	Serves(u *url.URL) bool
	Do(identity string, r *http.Request) (*http.Response, error)
}

// Config is what requests are sent with. All but Own are required.
type Config struct {
	Transport http.RoundTripper // behind the guard
	Secrets   Secrets
	Own       OwnAPI // nil: there is no API of our own
	Version   string // for the User-Agent
}

// Client performs HTTP attempts. Safe for concurrent use.
type Client struct{ Config }

// New makes a client.
func New(config Config) *Client { return &Client{config} }

// detailed in a task's metadata asks that its attempts keep all of the exchange in their output, as "exchange".
const detailed = "exchange"

// Do performs an attempt of an HTTP or HTTP_POLL task and says what came of it. A failed attempt keeps the answer as
// well, if there was one: {response: {statusCode, headers, body, reasonPhrase, size, durationMs}}, and says why in
// words. The attempt keeps the whole exchange too when its task's metadata has "exchange": true.
func (c *Client) Do(ctx context.Context, run *flow.Run, attempt *flow.Attempt) flow.Reported {
	report, exchange := c.perform(ctx, run, attempt)
	if attempt.Task != nil && attempt.Task.Metadata[detailed] == true {
		report.Output["exchange"] = exchange().value()
	}
	return report
}

// Try is Do with all that was seen on the way, without secrets and with the run's maskedFields masked.
func (c *Client) Try(ctx context.Context, run *flow.Run, attempt *flow.Attempt) (flow.Reported, *Exchange) {
	report, exchange := c.perform(ctx, run, attempt)
	return report, exchange()
}

// perform is Do; exchange puts together what was seen, for those who want to know.
func (c *Client) perform(
	ctx context.Context, run *flow.Run, attempt *flow.Attempt,
) (report flow.Reported, exchange func() *Exchange) {
	report = flow.Reported{Task: attempt.ID, Status: flow.TaskFailed, Output: flow.Map{}}
	started := time.Now()
	r, err := c.prepare(run, attempt)
	if err != nil {
		report.Reason = err.Error()
		return report, func() *Exchange { return &Exchange{Error: err.Error()} }
	}
	ctx, cancel := context.WithTimeout(ctx, r.total)
	defer cancel()
	a := c.hedged(ctx, r)
	a.took = time.Since(started)
	a.fill(&report, r)
	return report, func() *Exchange { return a.exchange(r, run.Definition, report.Reason) }
}

// hedged sends as many copies at once as the task wants; the first good answer counts.
func (c *Client) hedged(ctx context.Context, r *request) *answer {
	if r.copies <= 1 {
		return c.send(ctx, r)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan *answer, r.copies)
	for range r.copies {
		go func() { answers <- c.send(ctx, r) }() // each ends with ctx, at the latest
	}
	var last *answer
	for range r.copies {
		a := <-answers
		if last == nil || last.failed() && !a.failed() {
			last = a
		}
		if !a.failed() && r.accepts(a.status) {
			last = a
			cancel() // the others; they are waited for
		}
	}
	return last
}
