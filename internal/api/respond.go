package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"switchboard/internal/problem"
)

// answer is what a handler found out. The zero answer means that it wrote the response itself.
type answer struct {
	body    []byte
	version int64 // of the record that the body shows; 0: it shows no single record
}

// encode renders a body: integers as decimal strings, arrays never null.
func encode(value any) []byte {
	body, err := json.Marshal(value, json.StringifyNumbers(true), json.Deterministic(true))
	if err != nil {
		panic("api: " + err.Error()) // our own types: it cannot fail
	}
	return append(body, '\n')
}

func show(value any) (answer, error) { return answer{body: encode(value)}, nil }

func showVersion(value any, version int64) (answer, error) {
	return answer{encode(value), version}, nil
}

// etag names what was answered. It begins with the record's version, all that If-Match looks at; the hash behind it
// covers what else the body shows, such as whether the center is open now.
func (a answer) etag() string {
	sum := sha256.Sum256(a.body)
	return `"` + strconv.FormatInt(a.version, 10) + "-" + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
}

// write sends an answer, or 304 where the client has it already.
func (c *call) write(a answer) {
	if a.body == nil {
		return
	}
	header := c.w.Header()
	header.Set("Content-Type", problem.TypeJSON)
	header.Set("Cache-Control", "private, no-cache")
	reading := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	if reading || a.version > 0 {
		header.Set("ETag", a.etag())
	}
	if len(c.ignored) > 0 {
		header.Set("Switchboard-Ignored-Fields", strings.Join(c.ignored, ", "))
	}
	if reading && matches(c.r.Header.Values("If-None-Match"), header.Get("ETag")) {
		header.Del("Content-Type")
		c.w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(a.body) // a client that is gone reads no answer
	}
}

// matches compares weakly, as RFC 9110 section 13.1.2 wants for If-None-Match.
func matches(lines []string, etag string) bool {
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || tag == etag {
				return true
			}
		}
	}
	return false
}

// ifMatch refuses a change of a record whose version is none that the client named. It runs inside the writer, so
// nothing comes between the comparison and the change. Weak tags never match (RFC 9110, section 13.1.1).
func (c *call) ifMatch(version int64) error {
	lines := c.r.Header.Values("If-Match")
	if len(lines) == 0 {
		return nil
	}
	prefix := `"` + strconv.FormatInt(version, 10)
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimSpace(tag)
			rest, ok := strings.CutPrefix(tag, prefix)
			if tag == "*" || ok && (rest == `"` || strings.HasPrefix(rest, "-") && strings.HasSuffix(rest, `"`)) {
				return nil
			}
		}
	}
	stale := problem.New(problem.PreconditionFailed, "")
	stale.ETag = prefix + `"`
	return stale
}

// fail answers with an error; one that is not from the catalogue is logged and becomes a 500 that tells nothing.
func (c *call) fail(err error) {
	found, known := problem.From(c.translate(err))
	if !known {
		c.api.Log.Error("a request failed", "operation", c.operation(), "error", err.Error())
	}
	found.Write(c.w, c.r)
}

func (c *call) operation() string {
	if c.route == nil {
		return ""
	}
	return c.route.ID
}
