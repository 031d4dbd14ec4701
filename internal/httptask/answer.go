package httptask

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// maxExcerpt bounds what a reason quotes of an answer, in bytes.
const maxExcerpt = 300

// fill says in a report what the answer means.
func (a *answer) fill(report *flow.Reported, r *request) {
	if a.status != 0 {
		report.Output["response"] = a.response(r)
	}
	switch {
	case a.err != nil:
		report.Reason = a.err.Error()
	case !r.accepts(a.status):
		report.Reason = fmt.Sprintf("the answer was %d %s", a.status, a.phrase)
		if text, _ := textOf(a.body, a.header); len(text) > 0 {
			report.Reason += ": " + shortened(strings.TrimSpace(r.red.Text(text)), maxExcerpt)
		}
		report.Reason = strings.TrimSpace(r.red.Text(report.Reason))
	case r.async:
		report.Status = flow.InProgress
	default:
		report.Status = flow.TaskCompleted
	}
}

// response is what later tasks read of an answer. Nothing of it holds a secret.
func (a *answer) response(r *request) flow.Map {
	response := flow.Map{
		"statusCode": int64(a.status), "reasonPhrase": r.red.Text(a.phrase), "headers": headersOf(a.header, r.red),
		"size": int64(len(a.body)), "durationMs": a.took.Milliseconds(),
	}
	value, truncated, encoding := a.content(r)
	response["body"] = value
	if truncated {
		response["truncated"] = true
	}
	if encoding != "" {
		response["bodyEncoding"] = encoding
	}
	return response
}

// content is an answer's body: what its JSON says, else text, else bytes in base64. Of what is longer than MaxKept it
// is the beginning, as text.
func (a *answer) content(r *request) (value flow.Value, truncated bool, encoding string) {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, a.cut, ""
	}
	if !a.cut && len(a.body) <= MaxKept {
		if value, err := flow.Decode(a.body); err == nil {
			return r.red.Value(value), false, ""
		}
	}
	if text, ok := textOf(a.body, a.header); ok {
		text = r.red.Text(text)
		return shortened(text, MaxKept), a.cut || len(text) > MaxKept, ""
	}
	kept := []byte(r.red.Text(string(a.body)))
	most := base64.StdEncoding.DecodedLen(MaxKept)
	return base64.StdEncoding.EncodeToString(kept[:min(len(kept), most)]), a.cut || len(kept) > most, "base64"
}

// textOf is a body as text; false: it is none. Of character sets only UTF-8 and Latin-1 are known.
func textOf(body []byte, header http.Header) (string, bool) {
	_, parameters, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch strings.ToLower(parameters["charset"]) {
	case "iso-8859-1", "latin1":
		runes := make([]rune, len(body))
		for i, b := range body {
			runes[i] = rune(b)
		}
		return string(runes), true
	}
	if utf8.Valid(body) && !bytes.ContainsRune(body, 0) {
		return string(body), true
	}
	return "", false
}

// shortened is the beginning of a text, whole characters of it.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// headersOf are headers as they are kept: each name with all its values.
func headersOf(header http.Header, red *vault.Redactor) flow.Map {
	headers := make(flow.Map, len(header))
	for name, values := range header {
		list := make([]any, len(values))
		for i, value := range values {
			if list[i] = red.Text(value); vault.MaskedHeader(name) {
				list[i] = vault.Mask
			}
		}
		headers[red.Text(name)] = list
	}
	return headers
}
