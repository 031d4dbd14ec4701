package app

import (
	"net/http"
	"net/url"
	"strings"

	apidir "switchboard/internal/directory"
	"switchboard/internal/flow"
)

// judge compares the exchange of a test with the document of the operation that was tested. What was masked is judged
// as it is shown.
func judge(doc *apidir.Document, method, path string, exchange flow.Map) (request, response apidir.Verdict) {
	requests, _ := exchange["requests"].([]any)
	if len(requests) == 0 {
		unsent := apidir.Verdict{Findings: []apidir.Finding{}, Unchecked: "Nothing was sent."}
		return unsent, unsent
	}
	first, _ := requests[0].(flow.Map)
	request = judgeRequest(doc, method, path, first)
	answer, there := exchange["response"].(flow.Map)
	switch {
	case !there:
		response.Unchecked = "There was no answer."
	case len(requests) > 1:
		response.Unchecked = "The answer is that of a redirect."
	case answer["truncated"] == true || answer["bodyEncoding"] != nil:
		response.Unchecked = "The body is too long, or no text."
	default:
		status, _ := answer["statusCode"].(int64)
		response = doc.ValidateResponse(method, path, int(status), headerOf(answer), []byte(textIn(answer, "body")))
	}
	return request, response
}

func judgeRequest(doc *apidir.Document, method, path string, sent flow.Map) apidir.Verdict {
	at, err := url.Parse(textIn(sent, "url"))
	body := textIn(sent, "body")
	if size, _ := sent["size"].(int64); err != nil || int(size) > len(body) {
		return apidir.Verdict{Unchecked: "The body is too long."}
	}
	return doc.Validate(method, path, apidir.Sent{
		Path: pathValues(path, at.EscapedPath()), Query: at.Query(), Header: headerOf(sent), Body: []byte(body),
	})
}

// pathValues finds the parameters of an operation's path in the path that was sent, which may have something before it.
func pathValues(path, sent string) map[string]string {
	want, got := strings.Split(strings.Trim(path, "/"), "/"), strings.Split(strings.Trim(sent, "/"), "/")
	values := map[string]string{}
	if len(want) > len(got) {
		return values
	}
	got = got[len(got)-len(want):]
	for i, segment := range want {
		if name, ok := strings.CutPrefix(segment, "{"); ok && strings.HasSuffix(name, "}") {
			if value, err := url.PathUnescape(got[i]); err == nil {
				values[strings.TrimSuffix(name, "}")] = value
			}
		}
	}
	return values
}

func headerOf(m flow.Map) http.Header {
	header := http.Header{}
	headers, _ := m["headers"].(flow.Map)
	for name, values := range headers {
		list, _ := values.([]any)
		for _, value := range list {
			if text, ok := value.(string); ok {
				header.Add(name, text)
			}
		}
	}
	return header
}

// verdictValue is a verdict as the API gives it.
func verdictValue(v apidir.Verdict) flow.Map {
	findings := make([]any, len(v.Findings))
	for i, f := range v.Findings {
		findings[i] = flow.Map{"in": f.In, "at": f.At, "message": f.Message}
	}
	shown := flow.Map{"findings": findings}
	if v.Unchecked != "" {
		shown["unchecked"] = v.Unchecked
	}
	return shown
}
