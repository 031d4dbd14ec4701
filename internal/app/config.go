// Package app builds the whole server from a Config: New, Run, Close. It is the only place that knows all the parts,
// and every end-to-end test starts here.
//
// It refuses to hold rules or protocols of its own: it hands one part to another behind the user's interface.
package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/conductor"
	"switchboard/internal/egress"
	"switchboard/internal/hooks"
)

// Defaults of a Config. Everything listens on loopback until told otherwise.
const (
	DefaultHTTP             = "127.0.0.1:8080"
	DefaultSIP              = "127.0.0.1:5060"
	DefaultRTPPorts         = "20000-29999"
	DefaultRateLimit        = 1200 // requests a minute per operation and key
	DefaultCompanyRateLimit = 20   // requests a second per company
	DefaultCountry          = "us"
	DefaultConductorSecret  = "conductor"
	DefaultDrain            = 10 * time.Second
	DefaultDialCap          = 100 // calls out an hour
	DefaultWorkflowDays     = 30
	DefaultWorkflowRate     = conductor.DefaultRateLimit
)

const maxWorkflowDays = 3650

// Config is one server. The zero value of a field means its default above; DataDir is required.
type Config struct {
	DataDir           string
	HTTP              string // host:port; port 0 picks a free one
	SIP               string // host:port for UDP and TCP; port 0 picks a free one
	RTPPorts          string // "low-high"; "0-0": any free port
	Advertise         string // the address told to phones and trunks; "": the listener's
	Timezone          string // of the office that a first start creates; "": the host's, else UTC
	Country           string // of that office
	Company           string // its name
	RateLimit         int
	CompanyRateLimit  int
	Prompts           string   // folder of recorded prompts; "": found by itself
	NewCallsPerSec    int      // beyond it new calls get 503; 0: sipd's default
	DialAllow         []string // beginnings of numbers that may be called; none: as callcenter.Domestic says
	DialCap           int      // calls out an hour
	EgressAllow       []string // what may be reached besides the internet's ports 80 and 443: see egress.New
	PublicURL         string   // where others reach the pages and the API, behind a proxy; "": the listener's address
	SecretKey         string   // of the secrets of workflows; "": the file of package vault
	WorkflowRateLimit int      // requests a second of one key to the workflows' API
	WorkflowDays      int      // for how many days workflow runs are kept after their end
	ConductorURL      string   // of a Conductor cluster that runs definitions of engine "conductor"; "": there is none
	ConductorSecret   string   // name of the secret with its keyId and keySecret
	EgressProxy       string   // URL of the proxy for all that goes out over HTTP; "": none
	SMTP              string   // host:port of the server that alerts are mailed through; "": none are
	MailFrom          string   // who mails them
	MailTo            []string // who gets all of them, besides the supervisors
	Speech            SpeechConfig
	Drain             time.Duration
	Log               *slog.Logger
}

func (c Config) withDefaults() Config {
	text := func(value *string, otherwise string) {
		if *value == "" {
			*value = otherwise
		}
	}
	number := func(value *int, otherwise int) {
		if *value == 0 {
			*value = otherwise
		}
	}
	text(&c.HTTP, DefaultHTTP)
	text(&c.SIP, DefaultSIP)
	text(&c.RTPPorts, DefaultRTPPorts)
	text(&c.Country, DefaultCountry)
	text(&c.ConductorSecret, DefaultConductorSecret)
	text(&c.Company, "My company")
	number(&c.RateLimit, DefaultRateLimit)
	number(&c.CompanyRateLimit, DefaultCompanyRateLimit)
	number(&c.DialCap, DefaultDialCap)
	number(&c.WorkflowDays, DefaultWorkflowDays)
	number(&c.WorkflowRateLimit, DefaultWorkflowRate)
	if c.Drain == 0 {
		c.Drain = DefaultDrain
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// check names every setting that cannot work.
func (c Config) check() error {
	var wrong []error
	if c.DataDir == "" {
		wrong = append(wrong, errors.New("data: a directory is required"))
	}
	for name, addr := range map[string]string{"http": c.HTTP, "sip": c.SIP} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %q is not host:port", name, addr))
		}
	}
	if _, _, err := portRange(c.RTPPorts); err != nil {
		wrong = append(wrong, fmt.Errorf("rtp-ports: %w", err))
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		wrong = append(wrong, fmt.Errorf("timezone: %q is not in the tz database", c.Timezone))
	}
	if len(c.Country) != 2 {
		wrong = append(wrong, fmt.Errorf("country: %q is not a two-letter code", c.Country))
	}
	if c.WorkflowDays < 1 || c.WorkflowDays > maxWorkflowDays {
		wrong = append(wrong, fmt.Errorf("workflow-days: must be from 1 to %d", maxWorkflowDays))
	}
	if c.RateLimit < 0 || c.CompanyRateLimit < 0 || c.WorkflowRateLimit < 0 {
		wrong = append(wrong, errors.New("rate-limit, company-rate-limit, workflow-rate-limit: must be positive"))
	}
	for _, prefix := range c.DialAllow {
		if prefix != "+" && !callcenter.ValidE164(prefix+"0") {
			wrong = append(wrong, fmt.Errorf("dial-allow: %q is not the beginning of a number, such as +49", prefix))
		}
	}
	if _, err := c.guard(); err != nil {
		wrong = append(wrong, err)
	}
	if c.ConductorURL != "" {
		if _, err := conductor.NewCluster(c.ConductorURL, nil, nil, ""); err != nil {
			wrong = append(wrong, fmt.Errorf("conductor-url: %w", err))
		}
	}
	if _, err := c.publicURL(); err != nil {
		wrong = append(wrong, err)
	}
	if c.SMTP != "" {
		if _, err := hooks.NewSMTP(c.SMTP, c.MailFrom, c.MailTo); err != nil {
			wrong = append(wrong, err)
		}
	}
	if err := c.Speech.check(); err != nil {
		wrong = append(wrong, err)
	}
	if c.DialCap < 0 {
		wrong = append(wrong, errors.New("dial-cap: must be positive"))
	}
	return errors.Join(wrong...)
}

// guard judges where requests to other servers lead.
func (c Config) guard() (*egress.Guard, error) {
	guard, err := egress.New(c.EgressAllow)
	if err != nil {
		return nil, fmt.Errorf("egress-allow: %w", err)
	}
	if guard, err = guard.Through(c.EgressProxy); err != nil {
		return nil, fmt.Errorf("egress-proxy: %w", err)
	}
	return guard, nil
}

func portRange(text string) (low, high int, err error) {
	a, b, ok := strings.Cut(text, "-")
	if ok {
		if low, err = strconv.Atoi(a); err == nil {
			high, err = strconv.Atoi(b)
		}
	}
	if !ok || err != nil || low < 0 || high > 65535 || low > high || (low == 0) != (high == 0) {
		return 0, 0, fmt.Errorf("%q is not a range like %s", text, DefaultRTPPorts)
	}
	return low, high, nil
}

// sipHost is the address that audio binds to: that of the SIP listener.
func (c Config) sipHost() (netip.Addr, error) {
	host, _, err := net.SplitHostPort(c.SIP)
	if err != nil {
		return netip.Addr{}, err
	}
	if host == "" {
		return netip.IPv4Unspecified(), nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("sip: %q is not an IP address", host)
	}
	return addr, nil
}

// advertised is what phones are told in place of the address that they reach us at; invalid: just that.
func (c Config) advertised() (netip.Addr, error) {
	if c.Advertise == "" {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(c.Advertise)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("advertise: %q is not an IP address", c.Advertise)
	}
	return addr, nil
}

// Networks are those of this host that reach the SIP listener; none when it listens on loopback only.
func (a *App) Networks() []netip.Prefix {
	if !a.sip.Addr().Addr().IsUnspecified() {
		return nil
	}
	return ownNetworks()
}

// ownNetworks are the IPv4 networks of this host but loopback and link-local.
func ownNetworks() []netip.Prefix {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var networks []netip.Prefix
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().Is4() && !prefix.Addr().IsLoopback() && !prefix.Addr().IsLinkLocalUnicast() {
			networks = append(networks, prefix)
		}
	}
	return networks
}

// outwardAddress is the first address of this host that another computer could reach; loopback where there is none.
func outwardAddress() netip.Addr {
	for _, network := range ownNetworks() {
		return network.Addr()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
