package httptask

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// methods are those that a task may use; true: sending one twice does no more than once (RFC 9110, section 9.2.2).
var methods = map[string]bool{
	"GET": true, "HEAD": true, "POST": false, "PUT": true, "PATCH": false, "DELETE": true, "OPTIONS": true, "TRACE": true,
}

// ours are headers that the connection decides, not a task: they are left out.
var ours = []string{
	"Host", "Content-Length", "Connection", "Transfer-Encoding", "Upgrade", "Trailer", "Te", "Keep-Alive",
	"Proxy-Connection", "Proxy-Authorization", "Expect",
}

// request is a task's request, ready to be sent.
type request struct {
	method   string
	url      *url.URL
	header   http.Header
	body     []byte // nil: none
	red      *vault.Redactor
	identity string

	connect, read, total time.Duration
	copies               int
	accepted             []int // statuses besides 200 to 299
	async                bool  // a good answer leaves the attempt in progress
	own                  bool  // to our own API
}

func (r *request) accepts(status int) bool {
	return status >= 200 && status <= 299 || slices.Contains(r.accepted, status)
}

// prepare reads what a task says. An error says in words what is wrong, and holds no secret.
func (c *Client) prepare(run *flow.Run, attempt *flow.Attempt) (*request, error) {
	stored := attempt.Input
	if within, ok := stored["http_request"]; ok {
		if stored, ok = within.(flow.Map); !ok {
			return nil, errors.New("http_request is no object")
		}
	}
	plain := flow.PlainMap(stored)
	method, target, err := target(plain)
	if err != nil {
		return nil, err
	}
	to := vault.Destination{Host: target.Hostname(), Port: portOf(target), Chosen: hostChosen(attempt)}
	filled, red, err := c.Secrets.Fill(stored, to)
	if err != nil {
		return nil, err
	}
	spec, _ := filled.(flow.Map)
	r := &request{method: method, red: red, identity: run.Identity, header: http.Header{}}
	if r.url, err = r.address(spec, target); err != nil {
		return nil, err
	}
	if err := errors.Join(r.readBody(spec), r.readHeaders(spec)); err != nil {
		return nil, errors.New(red.Text(err.Error()))
	}
	if err := r.readLimits(plain); err != nil {
		return nil, err
	}
	if password, ok := r.url.User.Password(); (ok || r.url.User.Username() != "") && r.header.Get("Authorization") == "" {
		basic := base64.StdEncoding.EncodeToString([]byte(r.url.User.Username() + ":" + password))
		r.header.Set("Authorization", "Basic "+basic)
	}
	r.async = attempt.Task != nil && attempt.Task.AsyncComplete ||
		plain["asyncComplete"] == true || attempt.Input["asyncComplete"] == true
	r.own = c.Own != nil && c.Own.Serves(r.url)
	if plain["idempotencyKey"] != false && r.header.Get("Idempotency-Key") == "" {
		r.header.Set("Idempotency-Key", string(attempt.ID))
	}
	if r.header.Get("User-Agent") == "" {
		r.header.Set("User-Agent", c.userAgent(attempt))
	}
	return r, nil
}

func (c *Client) userAgent(attempt *flow.Attempt) string {
	agent := "Switchboard/" + c.Version
	if attempt.Task != nil && attempt.Task.Metadata[detailed] == true {
		agent += " (test)"
	}
	return agent
}

// target reads method and address as they are before secrets come in. None may be part of the host.
func target(plain flow.Map) (method string, u *url.URL, err error) {
	text, _ := plain["uri"].(string)
	if text = strings.TrimSpace(text); text == "" {
		return "", nil, errors.New("uri is missing: where to send the request")
	}
	name, _ := plain["method"].(string)
	method = strings.ToUpper(strings.TrimSpace(name))
	if _, known := methods[method]; !known {
		if method == "" {
			return "", nil, errors.New("method is missing: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
		}
		return "", nil, fmt.Errorf("method %.20q is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE", method)
	}
	u, err = url.Parse(text)
	switch {
	case err != nil:
		return "", nil, errors.New("uri is malformed: " + reason(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return "", nil, errors.New("uri must begin with http:// or https://")
	case u.Hostname() == "":
		return "", nil, errors.New("uri has no host")
	case strings.Contains(u.Host, "{"):
		return "", nil, errors.New("uri has a secret in its host, where none may be")
	}
	return method, u, nil
}

// reason leaves out of a url.Error what it is about.
func reason(err error) string {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err.Error()
	}
	return err.Error()
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// hostChosen says whether a value chose the host: true, unless the definition itself writes it down.
func hostChosen(attempt *flow.Attempt) bool {
	if attempt.Task == nil {
		return true
	}
	templates := []flow.Map{attempt.Task.Input}
	if attempt.Def != nil {
		templates = append(templates, attempt.Def.InputTemplate)
	}
	for _, template := range templates {
		if within, ok := template["http_request"]; ok {
			template, _ = within.(flow.Map)
		}
		if uri, ok := template["uri"].(string); ok {
			return !hostWritten(uri)
		}
	}
	return true
}

// hostWritten says whether an address up to its path is free of expressions.
func hostWritten(uri string) bool {
	uri = strings.TrimSpace(uri)
	_, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return false
	}
	expression := strings.Index(uri, "${")
	end := strings.IndexAny(rest, `/?#\`)
	return expression < 0 || end >= 0 && expression > len(uri)-len(rest)+end
}

// address is where to send it, with its query encoded unless the task says that it is. A secret in it must not lead
// elsewhere.
func (r *request) address(spec flow.Map, planned *url.URL) (*url.URL, error) {
	text, _ := spec["uri"].(string)
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != planned.Scheme || u.Host != planned.Host {
		return nil, errors.New("uri has a secret at a place where it would change the host")
	}
	if spec["encode"] != false {
		u.RawQuery = encoded(u.RawQuery)
	} else if strings.ContainsFunc(u.RawQuery, unfit) {
		return nil, errors.New("uri has characters in its query that must be encoded, and encode is false")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// unfit are characters that a query may not hold as they are (RFC 3986, section 3.4).
func unfit(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"<>\^`+"`{|}", c) }

// encoded escapes what a query may not hold, and leaves what is escaped already.
func encoded(query string) string {
	var b strings.Builder
	for i := 0; i < len(query); i++ {
		c := query[i]
		lonely := c == '%' && (i+2 >= len(query) || !isHex(query[i+1]) || !isHex(query[i+2]))
		if lonely || c >= 0x80 || unfit(rune(c)) {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

func (r *request) readBody(spec flow.Map) error {
	contentType, ok := spec["contentType"].(string)
	if !ok || contentType == "" {
		contentType = "application/json"
	}
	switch body := spec["body"].(type) {
	case nil:
		return nil
	case string:
		r.body = []byte(body)
	case flow.Map:
		if strings.HasPrefix(strings.ToLower(contentType), "application/x-www-form-urlencoded") {
			r.body = []byte(form(body))
			break
		}
		r.body = flow.Encode(body)
	default:
		r.body = flow.Encode(body)
	}
	if len(r.body) > MaxRequest {
		return fmt.Errorf("body has %d bytes, at most %d", len(r.body), MaxRequest)
	}
	r.header.Set("Content-Type", contentType)
	return nil
}

// form writes an object as the fields of a form; a list is a field several times.
func form(body flow.Map) string {
	values := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		list, ok := body[name].([]any)
		if !ok {
			list = []any{body[name]}
		}
		for _, value := range list {
			if value != nil {
				values.Add(name, asText(value))
			}
		}
	}
	return values.Encode()
}

func asText(v flow.Value) string {
	if text, ok := v.(string); ok {
		return text
	}
	return string(flow.Encode(v))
}

func (r *request) readHeaders(spec flow.Map) error {
	accept := "application/json"
	switch value := spec["accept"].(type) {
	case string:
		accept = value
	case []any:
		var kinds []string
		for _, kind := range value {
			kinds = append(kinds, asText(kind))
		}
		accept = strings.Join(kinds, ", ")
	}
	if accept != "" {
		r.header.Set("Accept", accept)
	}
	given, ok := spec["headers"].(flow.Map)
	if !ok && spec["headers"] != nil {
		return errors.New("headers is no object")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		values, several := given[name].([]any)
		if !several {
			values = []any{given[name]}
		}
		if slices.Contains(ours, http.CanonicalHeaderKey(name)) || given[name] == nil {
			continue
		}
		r.header.Del(name)
		for _, value := range values {
			text := asText(value)
			if !headerName(name) || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return fmt.Errorf("headers: %.50q has characters in its name or value that no header may have", name)
			}
			r.header.Add(name, text)
		}
	}
	return nil
}

// headerName says whether text is a token (RFC 9110, section 5.6.2).
func headerName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// readLimits reads times, copies and good statuses.
func (r *request) readLimits(plain flow.Map) (err error) {
	if r.connect, err = milliseconds(plain, "connectionTimeOut", DefaultConnect, MaxConnect); err != nil {
		return err
	}
	if r.read, err = milliseconds(plain, "readTimeOut", DefaultRead, MaxTimeout); err != nil {
		return err
	}
	r.total = max(DefaultTimeout, r.read)
	if hedging, ok := plain["hedgingConfig"].(flow.Map); ok && methods[r.method] {
		n, _ := whole(hedging["maxAttempts"])
		r.copies = int(min(n, MaxCopies))
	}
	switch list := plain["acceptedStatusCodes"].(type) {
	case nil:
	case []any:
		for _, one := range list {
			status, ok := whole(one)
			if !ok || status < 100 || status > 999 {
				return fmt.Errorf("acceptedStatusCodes: %.20s is no status", asText(one))
			}
			r.accepted = append(r.accepted, int(status))
		}
	default:
		return errors.New("acceptedStatusCodes is no list")
	}
	return nil
}

// milliseconds reads a time; 0 means as long as is allowed.
func milliseconds(spec flow.Map, name string, otherwise, most time.Duration) (time.Duration, error) {
	if spec[name] == nil {
		return otherwise, nil
	}
	n, ok := whole(spec[name])
	if !ok || n < 0 {
		return 0, fmt.Errorf("%s: %.20s is no number of milliseconds", name, asText(spec[name]))
	}
	if limit := most.Milliseconds(); n == 0 || n > limit {
		n = limit
	}
	return time.Duration(n) * time.Millisecond, nil
}

// whole reads a whole number, also one written as text, as expressions in a longer text give it.
func whole(v flow.Value) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), v == float64(int64(v))
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n, err == nil
	}
	return 0, false
}
