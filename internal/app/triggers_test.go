package app

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
)

// ask sends a request of an admin.
func (s *shop) ask(method, path, body string, header ...string) (status int, answer string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// want is ask for an answer of this status that holds some text.
func (s *shop) want(status int, holds, method, path, body string, header ...string) {
	s.t.Helper()
	if got, answer := s.ask(method, path, body, header...); got != status || !strings.Contains(answer, holds) {
		s.t.Errorf("%s %s: %d %s, want %d and %s", method, path, got, answer, status, holds)
	}
}

// TestWebhookOfAnotherProgram starts one workflow and completes a task of another, which tells of an event, for which a
// third is started.
func TestWebhookOfAnotherProgram(t *testing.T) {
	s := newShop(t)
	for _, text := range []string{
		`{"name":"paid","version":1,"schemaVersion":2,"tasks":[{"name":"n","taskReferenceName":"n","type":"NOOP"}]}`,
		`{"name":"ship","version":1,"schemaVersion":2,"tasks":[
			{"name":"w","taskReferenceName":"w","type":"WAIT_FOR_WEBHOOK","inputParameters":{
				"matches":{"$['order']['id']":"${workflow.input.order}"}}},
			{"name":"e","taskReferenceName":"e","type":"EVENT","sink":"switchboard:order.shipped",
				"inputParameters":{"order":"${w.output.order.id}"}}]}`,
		`{"name":"tell","version":1,"schemaVersion":2,"tasks":[{"name":"n","taskReferenceName":"n","type":"NOOP"}]}`,
	} {
		if err := define(t, s.App, text); err != nil {
			t.Fatal(err)
		}
	}
	s.want(200, "", "POST", "/api/event", `{"name":"shipped","event":"switchboard:order.shipped","active":true,
		"actions":[{"action":"start_workflow","start_workflow":{"name":"tell","input":{"order":"${order}"}}}]}`)
	hook := `{"name":"shop","verifier":"HEADER_BASED","headerKey":"X-Token","secretKey":"shop_token",
		"workflowsToStart":{"paid":0},"receiverWorkflowNamesToVersions":{"ship":0}}`
	s.want(400, "secretKey", "POST", "/api/metadata/webhook", hook)
	s.want(200, "", "PUT", "/api/secrets/shop_token", `"a long token"`)
	s.want(400, "secretValue", "POST", "/api/metadata/webhook", `{"name":"shop","secretValue":"x"}`)
	s.want(200, `"path":"/hooks/in/shop"`, "POST", "/api/metadata/webhook", hook)
	s.want(200, `"name":"shop"`, "GET", "/api/metadata/webhook", "")
	for _, order := range []int64{1, 2} {
		req := flow.StartRequest{Name: "ship", Input: flow.Map{"order": order}, CorrelationID: "ship"}
		if _, err := s.runner.Start(t.Context(), req, s.admin, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.until("both wait", func() bool {
		list, err := s.store.TasksForWebhook(t.Context(), "ship", 0, 10)
		return err == nil && len(list) == 2
	})
	s.want(401, "X-Token", "POST", "/hooks/in/shop", `{"order":{"id":2}}`, "X-Token", "a guess")
	s.want(200, `"paid":"`, "POST", "/hooks/in/shop", `{"order":{"id":2}}`, "X-Token", "a long token", "Webhook-Id", "1")
	s.want(200, `"paid":"`, "POST", "/hooks/in/shop", `{"order":{"id":2}}`, "X-Token", "a long token", "Webhook-Id", "1")
	if run := s.only("paid", flow.Completed); run.Event != "webhook:shop" || run.CreatedBy != "webhook:shop" {
		t.Errorf("started by %s, %s", run.Event, run.CreatedBy)
	}
	if run := s.only("tell", flow.Completed); run.Input["order"] != int64(2) {
		t.Errorf("told of %v", run.Input)
	}
	done, _, err := s.runner.Search(t.Context(), runner.Query{Name: "ship", States: []string{string(flow.Completed)}})
	if err != nil || len(done) != 1 || done[0].Input["order"] != int64(2) {
		t.Errorf("shipped %v, %v", done, err)
	}
	s.want(200, "", "DELETE", "/api/metadata/webhook/shop", "")
	s.want(404, "shop", "GET", "/api/metadata/webhook/shop", "")
	s.want(404, "", "POST", "/hooks/in/shop", `{}`, "X-Token", "a long token")
}

func TestTemplatesAreInstalledAsTheyAre(t *testing.T) {
	s := newShop(t)
	s.want(200, `"name":"tell-missed-calls"`, "GET", "/api/templates", "")
	for _, name := range []string{
		"close-for-a-holiday", "help-when-the-line-is-long", "tell-missed-calls", "back-up-the-settings",
	} {
		s.want(200, name, "POST", "/api/templates/"+name, "")
		s.want(409, "exists already", "POST", "/api/templates/"+name, "")
		s.want(200, name, "POST", "/api/templates/"+name+"?overwrite=true", "")
	}
	s.want(404, "nothing", "POST", "/api/templates/nothing", "")
	s.want(200, `"name":"tell_missed_calls"`, "GET", "/api/event", "")
	s.want(200, `"paused":true`, "GET", "/api/scheduler/schedules/nightly_backup", "")
	for _, h := range s.triggers.Handlers() {
		if h.Active || h.Identity != s.admin {
			t.Errorf("%s is active, or %s's", h.Name, h.Identity)
		}
	}
	if n := len(s.runner.Definitions()); n != 4 {
		t.Errorf("%d definitions", n)
	}
}

// TestSchedulesAreSeenThroughTheAPI runs one every second.
func TestSchedulesAreSeenThroughTheAPI(t *testing.T) {
	s := newShop(t)
	err := define(t, s.App, `{"name":"n","version":1,"schemaVersion":2,"tasks":[
		{"name":"n","taskReferenceName":"n","type":"NOOP"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	s.want(400, "cronExpression", "POST", "/api/scheduler/schedules",
		`{"name":"s","cronExpression":"* * * * *","startWorkflowRequest":{"name":"n"}}`)
	s.want(200, "", "POST", "/api/scheduler/schedules",
		`{"name":"s","cronExpression":"* * * * * ?","zoneId":"Europe/Berlin","startWorkflowRequest":{"name":"n"}}`)
	s.until("an execution", func() bool {
		status, answer := s.ask("GET", "/api/scheduler/search/executions?query=scheduleName%3Ds", "")
		return status == 200 && strings.Contains(answer, `"state":"EXECUTED"`) &&
			strings.Contains(answer, `"zoneId":"Europe/Berlin"`)
	})
	s.want(200, "[1", "GET", "/api/scheduler/nextFewSchedules?cronExpression=0+0+9+*+*+MON-FRI&limit=5", "")
	s.want(200, "", "PUT", "/api/scheduler/schedules/s/pause?reason=enough", "")
	s.want(200, `"pausedReason":"enough"`, "GET", "/api/scheduler/schedules/s", "")
}
