package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// TestARouterWithANumberIsAskedAndItsCallsAreTold lets a caller dial a router's number: the router names a call center,
// and a webhook is told of the visit.
func TestARouterWithANumberIsAskedAndItsCallsAreTold(t *testing.T) {
	asked, told := make(chan map[string]any, 10), make(chan map[string]any, 100)
	take := func(into chan map[string]any, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		into <- body
	}
	program := http.NewServeMux()
	program.HandleFunc("/route", func(w http.ResponseWriter, r *http.Request) {
		take(asked, r)
		_, _ = io.WriteString(w, `{"action":"route","target_type":"callcenter","target_id":5}`)
	})
	program.HandleFunc("/hook", func(_ http.ResponseWriter, r *http.Request) { take(told, r) })
	server := httptest.NewServer(program)
	defer server.Close()
	a, err := New(t.Context(), Config{
		DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", EgressAllow: []string{"127.0.0.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	office := a.store.Snapshot().Offices()[0].ID
	target := callcenter.Target{ID: 51, Type: callcenter.TargetCallRouter}
	err = a.store.Update(t.Context(), "test", func(tx *store.Tx) error {
		settings := callcenter.Defaults("Support")
		for _, err := range []error{
			tx.PutCenter(&callcenter.Center{ID: 5, OfficeID: office, State: callcenter.StateActive, Settings: settings}),
			tx.PutCallRouter(&callcenter.CallRouter{
				ID: 51, OfficeID: office, Name: "script", RoutingURL: server.URL + "/route", Enabled: true,
			}),
			tx.PutNumber(&callcenter.Number{E164: "+14155550100", Status: callcenter.NumberCallRouter, Target: target}),
			tx.PutWebhook(&callcenter.Webhook{ID: 61, URL: server.URL + "/hook"}),
			tx.PutSubscription(&callcenter.Subscription{ID: 71, Kind: callcenter.CallEvents, Webhook: 61, Enabled: true}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	center, ok := directory{a.store}.CenterOf("+14155550100")
	if !ok || center != 51 {
		t.Fatalf("the number leads to %d, %v", center, ok)
	}
	a.engine.Say(route.CallArrived{Call: 1000, Center: center, From: "+491234", To: "+14155550100"})
	if question := <-asked; question["external_number"] != "+491234" || question["call_id"] != 1000.0 {
		t.Errorf("asked %v", question)
	}
	entries := map[float64]string{}
	for len(entries) < 2 {
		event := <-told
		if id, _ := event["call_id"].(float64); event["entry_point_call_id"] == nil {
			target, _ := event["target"].(map[string]any)
			entries[id] = fmt.Sprintf("%v %v %v", target["type"], target["id"], event["group_id"])
		}
	}
	if entries[1000] != "callrouter 51 <nil>" {
		t.Errorf("entry legs %v", entries)
	}
}
