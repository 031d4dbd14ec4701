package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/api"
	"switchboard/internal/auth"
	apidir "switchboard/internal/directory"
	"switchboard/internal/flow"
	"switchboard/internal/problem"
	"switchboard/internal/runner"
	"switchboard/internal/vault"
)

// A test request is a run of a workflow of one HTTP task, which this is the name of.
const (
	testWorkflow = "test_request"
	testTask     = "test"
)

// maxTests bounds the test requests under way at once.
const maxTests = 8

// What a test waits for unless it says so itself, in milliseconds: people watch, so it may be longer than in a run.
const (
	testConnectMs = int64(5_000)
	testReadMs    = int64(30_000)
)

// testRequests implements api.TestRequests.
type testRequests struct {
	workflows atomic.Pointer[runner.Runner] // there once the server is about to serve
	apis      *apidir.Directory
	slots     chan struct{} // as many as may be under way
}

func newTestRequests(apis *apidir.Directory) *testRequests {
	return &testRequests{apis: apis, slots: make(chan struct{}, maxTests)}
}

// runner is what runs them. Only a run that an earlier process left could ask before there is one.
func (t *testRequests) runner() (*runner.Runner, error) {
	if r := t.workflows.Load(); r != nil {
		return r, nil
	}
	return nil, problem.New(problem.Unavailable, "")
}

// Send implements api.TestRequests.
func (t *testRequests) Send(
	ctx context.Context, who auth.Principal, test api.TestRequest,
) (jsontext.Value, error) {
	workflows, err := t.runner()
	if err != nil {
		return nil, err
	}
	start, err := testStart(test)
	if err != nil {
		return nil, err
	}
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	default:
		return nil, problem.Limited(strconv.Itoa(maxTests)+" test requests are under way.", time.Second)
	}
	identity := "page"
	if who.Key != auth.Page().Key {
		identity = "key:" + who.Key
	}
	start.CreatedBy = string(who.Actor())
	run, err := workflows.Execute(ctx, start, identity, nil, runner.MaxExecuteWait)
	if err != nil {
		return nil, testError(err)
	}
	return t.show(run)
}

// testStart makes a run of a test.
func testStart(test api.TestRequest) (flow.StartRequest, error) {
	request, err := mapOf(test.Request)
	if err != nil {
		return flow.StartRequest{}, problem.InvalidBody("request", "is not JSON that can be sent: "+err.Error())
	}
	input, err := mapOf(test.Input)
	if err != nil {
		return flow.StartRequest{}, problem.InvalidBody("input", "is not JSON that can be sent: "+err.Error())
	}
	for name, value := range map[string]int64{"connectionTimeOut": testConnectMs, "readTimeOut": testReadMs} {
		if _, said := request[name]; !said {
			request[name] = value
		}
	}
	never := 0
	definition := &flow.Definition{
		Name: testWorkflow, Version: 1, SchemaVersion: flow.SchemaVersion, TimeoutPolicy: "ALERT_ONLY",
		Tasks: []*flow.Task{{
			Name: testWorkflow, Ref: testTask, Type: flow.TypeHTTP, RetryCount: &never,
			Input: flow.Map{"http_request": request}, Metadata: flow.Map{"exchange": true},
		}},
		Metadata: flow.Map{
			"document_url": test.DocumentURL, "method": strings.ToUpper(test.Method), "path": test.Path,
		},
	}
	return flow.StartRequest{
		Name: testWorkflow, Definition: definition, Input: input, CorrelationID: operationKey(test.Operation),
	}, nil
}

func mapOf(raw jsontext.Value) (flow.Map, error) {
	if len(raw) == 0 {
		return flow.Map{}, nil
	}
	value, err := flow.Decode(raw)
	m, _ := value.(flow.Map) // the document says that it is an object
	return m, err
}

// operationKey finds the tests of an operation again.
func operationKey(of api.Operation) string {
	if of == (api.Operation{}) {
		return ""
	}
	sum := sha256.Sum256([]byte(of.DocumentURL + "\x00" + strings.ToUpper(of.Method) + "\x00" + of.Path))
	return hex.EncodeToString(sum[:16])
}

// testError says what is wrong with a request where its sender finds it.
func testError(err error) error {
	var refused *runner.Error
	if !errors.As(err, &refused) {
		return err
	}
	if len(refused.Problems) == 0 {
		return problem.InvalidBody("request", refused.Message)
	}
	var fields []problem.Field
	for _, p := range refused.Problems {
		if p.Warning {
			continue
		}
		name := strings.TrimPrefix(p.Path, "/tasks/0/inputParameters/http_request")
		name = strings.TrimSuffix("request."+strings.ReplaceAll(strings.TrimPrefix(name, "/"), "/", "."), ".")
		fields = append(fields, problem.Field{Name: name, In: problem.InBody, Message: p.Message})
	}
	return problem.Invalid(fields...)
}

// List implements api.TestRequests.
func (t *testRequests) List(ctx context.Context, of api.Operation, limit int) (jsontext.Value, error) {
	workflows, err := t.runner()
	if err != nil {
		return nil, err
	}
	found, _, err := workflows.Search(ctx, runner.Query{
		Name: testWorkflow, Correlation: operationKey(of), Size: limit,
	})
	if err != nil {
		return nil, err
	}
	items := make([]any, 0, len(found))
	for _, s := range found {
		run, err := workflows.Run(ctx, s.ID, true)
		if errors.Is(err, runner.ErrNotFound) {
			continue // removed in the meantime
		}
		if err != nil {
			return nil, err
		}
		items = append(items, testItem(run))
	}
	return flow.Encode(flow.Map{"items": items}), nil
}

// attempt is the one that a test made; nil: it did not come to that.
func testAttempt(run *flow.Run) *flow.Attempt {
	at := slices.IndexFunc(run.Tasks, func(a *flow.Attempt) bool { return a.Ref == testTask })
	if at < 0 {
		return nil
	}
	return run.Tasks[at]
}

func testItem(run *flow.Run) flow.Map {
	item := flow.Map{
		"id": string(run.ID), "date": strconv.FormatInt(run.Created.UnixMilli(), 10), "state": string(run.State),
		"method": "", "url": "", "status_code": "0", "duration_ms": "0",
	}
	if run.Reason != "" {
		item["reason"] = run.Reason
	}
	attempt := testAttempt(run)
	if attempt == nil {
		return item
	}
	request, _ := flow.PlainMap(attempt.Input)["http_request"].(flow.Map)
	item["method"], item["url"] = textIn(request, "method"), textIn(request, "uri")
	exchange, _ := attempt.Output["exchange"].(flow.Map)
	if sent, _ := exchange["requests"].([]any); len(sent) > 0 {
		first, _ := sent[0].(flow.Map)
		item["url"] = textIn(first, "url")
	}
	response, _ := attempt.Output["response"].(flow.Map)
	for name, member := range map[string]string{"status_code": "statusCode", "duration_ms": "durationMs"} {
		if n, ok := response[member].(int64); ok {
			item[name] = strconv.FormatInt(n, 10)
		}
	}
	return item
}

// maskedRequest is a request as it was asked for. What somebody wrote into headers that hold keys is not shown; the
// name of a secret is.
func maskedRequest(attempt *flow.Attempt) flow.Map {
	request, _ := flow.PlainMap(attempt.Input)["http_request"].(flow.Map)
	headers, _ := request["headers"].(flow.Map)
	headers = maps.Clone(headers)
	for name, value := range headers {
		if text, _ := value.(string); vault.MaskedHeader(name) && !strings.Contains(text, "${workflow.secrets.") {
			headers[name] = vault.Mask
		}
	}
	if headers != nil {
		request = maps.Clone(request)
		request["headers"] = headers
	}
	return request
}

func textIn(m flow.Map, name string) string {
	text, _ := m[name].(string)
	return text
}

// Get implements api.TestRequests.
func (t *testRequests) Get(ctx context.Context, id string) (jsontext.Value, error) {
	workflows, err := t.runner()
	if err != nil {
		return nil, err
	}
	run, err := workflows.Run(ctx, flow.RunID(id), true)
	if errors.Is(err, runner.ErrNotFound) || err == nil && run.Definition.Name != testWorkflow {
		return nil, problem.NotFound("test request", id)
	}
	if err != nil {
		return nil, err
	}
	return t.show(run)
}

// show is all that is known of a test.
func (t *testRequests) show(run *flow.Run) (jsontext.Value, error) {
	shown := flow.Map{
		"id": string(run.ID), "date": strconv.FormatInt(run.Created.UnixMilli(), 10), "state": string(run.State),
	}
	if run.Reason != "" {
		shown["reason"] = run.Reason
	}
	if attempt := testAttempt(run); attempt != nil {
		shown["request"] = maskedRequest(attempt)
		if attempt.Reason != "" {
			shown["reason"] = attempt.Reason
		}
		output := flow.Map{}
		for name, value := range attempt.Output {
			if name != "exchange" {
				output[name] = value
			}
		}
		shown["output"] = output
		if exchange, ok := attempt.Output["exchange"].(flow.Map); ok {
			shown["exchange"] = exchange
			t.judge(shown, run.Definition.Metadata, exchange)
		}
	}
	return flow.Encode(shown), nil
}

// judge adds whether request and answer fit the document of the operation.
func (t *testRequests) judge(shown, tested, exchange flow.Map) {
	if textIn(tested, "document_url") == "" {
		return
	}
	doc, here := t.apis.Open(textIn(tested, "document_url"))
	if !here {
		return
	}
	request, response := judge(doc, textIn(tested, "method"), textIn(tested, "path"), exchange)
	shown["request_verdict"], shown["response_verdict"] = verdictValue(request), verdictValue(response)
}
