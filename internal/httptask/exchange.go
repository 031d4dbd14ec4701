package httptask

import (
	"crypto/tls"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// Exchange is all that was seen of a request, for people. No secret is in it.
type Exchange struct {
	Requests []Sent // one, and one for each redirect that was followed
	Answer   *Answer
	Took     time.Duration
	Curl     string // the first request as a command line
	Own      bool   // answered by our own API, inside
	Error    string // why it failed; empty: it did not
}

// Sent is one request as it was sent.
type Sent struct {
	Method   string
	URL      string
	Headers  flow.Map // name to list
	Body     string   // its beginning
	Size     int      // of the body, in bytes
	Status   int      // of the answer; 0: there was none
	Location string   // where the answer redirected to
	Dropped  []string // headers left out since it went to another host
	Address  string   // IP and port
	DNS      time.Duration
	Connect  time.Duration
	TLS      time.Duration
	First    time.Duration // until the first byte of the answer, from the start
	All      time.Duration
}

// Answer is the last answer.
type Answer struct {
	Status    int
	Phrase    string
	Protocol  string // HTTP/1.1, HTTP/2.0
	Headers   flow.Map
	Body      string // as it came, its beginning
	Pretty    string // JSON with indents; empty: it is none
	Encoding  string // of Body: base64; empty: none
	Size      int    // of what was read, in bytes after decompression
	Truncated bool
	TLS       *TLS
}

// TLS is how an answer was protected.
type TLS struct {
	Version, Cipher, Subject, Issuer string
	Expires                          time.Time
}

func (a *answer) exchange(r *request, definition *flow.Definition, failed string) *Exchange {
	var fields []string
	if definition != nil {
		fields = definition.MaskedFields
	}
	x := &Exchange{Took: a.took, Own: r.own, Error: failed}
	for _, h := range a.hops {
		body := masked(string(h.body), fields)
		x.Requests = append(x.Requests, Sent{
			Method: h.method, URL: shownURL(h.url, r.red), Headers: headersOf(h.header, r.red),
			Body: shortened(r.red.Text(body), MaxKept), Size: len(h.body), Status: h.status,
			Location: r.red.Text(h.location), Dropped: h.dropped, Address: h.address,
			DNS: h.times.dns, Connect: h.times.connect, TLS: h.times.tls, First: h.times.first, All: h.times.all,
		})
	}
	x.Curl = curl(r, fields)
	if a.status != 0 {
		x.Answer = a.shown(r, fields)
	}
	return x
}

func (a *answer) shown(r *request, fields []string) *Answer {
	answer := &Answer{
		Status: a.status, Phrase: r.red.Text(a.phrase), Protocol: a.protocol, Headers: headersOf(a.header, r.red),
		Size: len(a.body),
	}
	if text, ok := textOf(a.body, a.header); ok {
		text = r.red.Text(masked(text, fields))
		answer.Body, answer.Truncated = shortened(text, MaxKept), a.cut || len(text) > MaxKept
		if pretty := jsontext.Value(text); !answer.Truncated && pretty.Indent() == nil {
			answer.Pretty = string(pretty)
		}
	} else {
		value, truncated, encoding := a.content(r)
		answer.Body, _ = value.(string)
		answer.Truncated, answer.Encoding = truncated, encoding
	}
	if a.tls != nil {
		answer.TLS = &TLS{Version: tls.VersionName(a.tls.Version), Cipher: tls.CipherSuiteName(a.tls.CipherSuite)}
		if len(a.tls.PeerCertificates) > 0 {
			first := a.tls.PeerCertificates[0]
			answer.TLS.Subject, answer.TLS.Issuer = first.Subject.String(), first.Issuer.String()
			answer.TLS.Expires = first.NotAfter
		}
	}
	return answer
}

// masked is a text with the fields masked, if it is JSON that has them.
func masked(text string, fields []string) string {
	if len(fields) == 0 {
		return text
	}
	value, err := flow.Decode([]byte(text))
	if err != nil {
		return text
	}
	return string(flow.Encode(vault.Masked(value, fields)))
}

func shownURL(u *url.URL, red *vault.Redactor) string { return red.Text(u.Redacted()) }

// curl is a request as a command line of curl, for a POSIX shell.
func curl(r *request, fields []string) string {
	words := []string{"curl", "--request", r.method, quoted(shownURL(r.url, r.red))}
	shown := headersOf(r.header, r.red)
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		for _, value := range shown[name].([]any) {
			words = append(words, "--header", quoted(name+": "+value.(string)))
		}
	}
	if r.body != nil {
		words = append(words, "--data-raw", quoted(shortened(r.red.Text(masked(string(r.body), fields)), MaxKept)))
	}
	return strings.Join(words, " ")
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// value is the exchange as it is kept in an attempt's output; times are in milliseconds with three decimals.
func (x *Exchange) value() flow.Map {
	requests := make([]any, len(x.Requests))
	for i, s := range x.Requests {
		requests[i] = s.value()
	}
	value := flow.Map{
		"requests": requests, "durationMs": inMilliseconds(x.Took), "curl": x.Curl, "own": x.Own,
	}
	if x.Error != "" {
		value["error"] = x.Error
	}
	if x.Answer != nil {
		value["response"] = x.Answer.value()
	}
	return value
}

func (s *Sent) value() flow.Map {
	value := flow.Map{
		"method": s.Method, "url": s.URL, "headers": s.Headers, "body": s.Body, "size": int64(s.Size),
		"statusCode": int64(s.Status), "address": s.Address,
		"times": flow.Map{
			"dnsMs": inMilliseconds(s.DNS), "connectMs": inMilliseconds(s.Connect), "tlsMs": inMilliseconds(s.TLS),
			"firstByteMs": inMilliseconds(s.First), "totalMs": inMilliseconds(s.All),
		},
	}
	if s.Location != "" {
		value["location"] = s.Location
	}
	if len(s.Dropped) > 0 {
		list := make([]any, len(s.Dropped))
		for i, name := range s.Dropped {
			list[i] = name
		}
		value["droppedHeaders"] = list
	}
	return value
}

func (a *Answer) value() flow.Map {
	value := flow.Map{
		"statusCode": int64(a.Status), "reasonPhrase": a.Phrase, "protocol": a.Protocol, "headers": a.Headers,
		"body": a.Body, "pretty": a.Pretty, "size": int64(a.Size), "truncated": a.Truncated,
	}
	if a.Encoding != "" {
		value["bodyEncoding"] = a.Encoding
	}
	if a.TLS != nil {
		value["tls"] = flow.Map{
			"version": a.TLS.Version, "cipher": a.TLS.Cipher, "subject": a.TLS.Subject, "issuer": a.TLS.Issuer,
			"expires": a.TLS.Expires.UTC().Format(time.RFC3339),
		}
	}
	return value
}

func inMilliseconds(d time.Duration) flow.Value {
	return flow.Number(float64(d.Microseconds()) / 1000)
}
