package hooks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/egress"
	"switchboard/internal/engine"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// receiver is a program that takes events.
type receiver struct {
	mu     sync.Mutex
	bodies []string
	types  []string
	status int // answered; 0: 200
	came   chan struct{}
	server *httptest.Server
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{came: make(chan struct{}, 1000)}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	if r.status == 0 {
		r.bodies = append(r.bodies, string(body))
		r.types = append(r.types, req.Header.Get("Content-Type"))
	} else {
		w.WriteHeader(r.status)
	}
	r.mu.Unlock()
	r.came <- struct{}{}
}

// wait returns the bodies once there are n.
func (r *receiver) wait(t *testing.T, n int) []string {
	t.Helper()
	for {
		r.mu.Lock()
		if len(r.bodies) >= n {
			defer r.mu.Unlock()
			return slices.Clone(r.bodies)
		}
		r.mu.Unlock()
		select {
		case <-r.came:
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
}

// company is a store with a call center, an operator, a webhook and a subscription.
type company struct {
	t       *testing.T
	store   *store.Store
	notices []string
	mu      sync.Mutex
}

func newCompany(t *testing.T, dir string) *company {
	t.Helper()
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &company{t: t, store: db}
}

func (co *company) change(f func(tx *store.Tx) error) {
	co.t.Helper()
	if err := co.store.Update(co.t.Context(), "test", f); err != nil {
		co.t.Fatal(err)
	}
}

func (co *company) furnish(url, secret string, sub callcenter.Subscription) {
	co.t.Helper()
	settings := callcenter.Defaults("Support")
	settings.Timezone = "UTC"
	sub.ID, sub.Webhook, sub.Enabled = 71, 61, true
	co.change(func(tx *store.Tx) error {
		for _, err := range []error{
			tx.PutOffice(&callcenter.Office{ID: 1, Name: "Home", Timezone: "UTC", State: callcenter.StateActive}),
			tx.PutUser(&callcenter.User{
				ID: 7, FirstName: "Ada", Emails: []string{"ada@example.com"}, State: callcenter.StateActive,
			}),
			tx.PutCenter(&callcenter.Center{
				ID: 5, OfficeID: 1, State: callcenter.StateActive, Settings: settings, Extras: callcenter.DefaultExtras(),
				Members: []callcenter.Member{{Operator: 7, Role: callcenter.RoleSupervisor}},
			}),
			tx.PutWebhook(&callcenter.Webhook{ID: 61, URL: url, Secret: secret}),
			tx.PutSubscription(&sub),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (co *company) config() Config {
	guard, err := egress.New([]string{"127.0.0.1"})
	if err != nil {
		co.t.Fatal(err)
	}
	return Config{
		Settings: co.store, Outbox: co.store, Calls: co.store, Log: slog.New(slog.DiscardHandler),
		Webhooks: guard.Client(DeliveryTimeout), Routers: guard.Client(RouterTimeout),
		Notice: func(text string) {
			co.mu.Lock()
			defer co.mu.Unlock()
			co.notices = append(co.notices, text)
		},
	}
}

func start(t *testing.T, config Config) *Hooks {
	t.Helper()
	h, err := New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// core is a machine whose steps hooks observe.
type core struct {
	machine *route.Machine
	hooks   *Hooks
	leg     route.LegID
}

func newCore(co *company, h *Hooks) *core {
	c := &core{machine: route.New(route.Config{Company: 1, Seed: 1}), hooks: h}
	c.say(route.OperatorChanged{Operator: route.Operator{
		ID: 7, Name: "Ada", Active: true, Devices: []route.Device{{ID: 70, Static: true}},
		Duty: callcenter.Duty{On: true, Since: time.Now(), OnSince: time.Now()},
	}})
	center, _ := co.store.Snapshot().Center(5)
	c.say(route.CenterChanged{Center: center})
	return c
}

func (c *core) say(event route.Event) {
	now := time.Now()
	effects := c.machine.Step(now, event)
	for _, effect := range effects {
		if ring, ok := effect.Order.(route.Ring); ok {
			c.leg = ring.Leg
		}
	}
	c.hooks.Observe(now, c.machine, event, effects)
}

// visit is an answered call.
func (c *core) visit(call route.CallID) {
	c.say(route.CallArrived{Call: call, Center: 5, From: "+491234", To: "+14155550100"})
	c.say(route.LegAnswered{Leg: c.leg})
	c.say(route.CallerHungUp{Call: call})
}

// opened checks a JWS as somebody else would, and gives its claims.
func opened(t *testing.T, body, secret string) map[string]any {
	t.Helper()
	parts := strings.Split(body, ".")
	if len(parts) != 3 {
		t.Fatalf("no compact JWS: %s", body)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, parts[0]+"."+parts[1])
	if got, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		t.Fatalf("the signature is wrong: %v", err)
	}
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	if string(header) != `{"alg":"HS256","typ":"JWT"}` {
		t.Errorf("header %s", header)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return object(t, string(payload))
}

func object(t *testing.T, body string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal([]byte(body), &claims); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return claims
}

func TestAVisitAsAProgramSeesIt(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	co.furnish(to.server.URL, "s3cret", callcenter.Subscription{Kind: callcenter.CallEvents})
	c := newCore(co, start(t, co.config()))
	c.visit(1000)
	bodies := to.wait(t, 7)
	var story []string
	var last map[string]any
	for i, body := range bodies {
		if to.types[i] != "application/jwt" {
			t.Errorf("content type %s", to.types[i])
		}
		last = opened(t, body, "s3cret")
		who := "caller"
		if last["entry_point_call_id"] != nil {
			who = "operator"
		}
		story = append(story, who+" "+last["state"].(string))
		if crumbs, _ := last["routing_breadcrumbs"].([]any); len(crumbs) == 0 {
			t.Errorf("event %d, %s, has no breadcrumbs", i, story[i])
		}
	}
	want := "caller calling, operator ringing, caller ringing, operator connected, caller connected, " +
		"operator hangup, caller hangup"
	if got := strings.Join(story, ", "); got != want {
		t.Errorf("told   %s\nwanted %s", got, want)
	}
	for name, want := range map[string]any{
		"call_id": 1000.0, "entry_point_call_id": nil, "external_number": "+491234", "group_id": "CallCenter:5",
		"direction": "inbound", "master_call_id": 1000.0, "operator_call_id": float64(route.OfferCall(1000, 1)),
		"callback_requested": false, "mos_score": nil, "was_recorded": false, "voicemail_link": nil,
	} {
		if got, there := last[name]; got != want || !there {
			t.Errorf("%s is %v (there: %v), want %v", name, got, there, want)
		}
	}
	crumbs, _ := last["routing_breadcrumbs"].([]any)
	first, _ := crumbs[0].(map[string]any)
	if len(crumbs) < 3 || first["rule"] != "arrival" || first["text"] != "Arrived at Support, open" ||
		first["breadcrumb_type"] != "callrouter" || first["target_id"] != 5.0 || first["date"] == 0.0 {
		t.Errorf("the way of the call: %v", crumbs)
	}
	target, _ := last["target"].(map[string]any)
	if target["id"] != 5.0 || target["type"] != "callcenter" || target["name"] != "Support" {
		t.Errorf("target %v", target)
	}
	if proxy, _ := last["proxy_target"].(map[string]any); proxy == nil || len(proxy) != 0 {
		t.Errorf("an absent target is %v, not {}", last["proxy_target"])
	}
}

func TestSubscriptionsChoose(t *testing.T) {
	for name, check := range map[string]struct {
		sub  callcenter.Subscription
		want string
	}{
		"one state": {callcenter.Subscription{States: []string{"hangup"}}, "operator hangup, caller hangup"},
		"all": {
			callcenter.Subscription{States: []string{"all"}, GroupCallsOnly: true}, "caller calling, operator ringing",
		},
		"a person": {
			callcenter.Subscription{Target: callcenter.Target{ID: 7, Type: callcenter.TargetUser}, States: []string{"ringing"}},
			"operator ringing",
		},
		"an office": {
			callcenter.Subscription{
				Target: callcenter.Target{ID: 1, Type: callcenter.TargetOffice}, States: []string{"connected"},
			}, "operator connected, caller connected",
		},
	} {
		co, to := newCompany(t, t.TempDir()), newReceiver(t)
		check.sub.Kind = callcenter.CallEvents
		co.furnish(to.server.URL, "", check.sub)
		newCore(co, start(t, co.config())).visit(1000)
		want := strings.Split(check.want, ", ")
		for i, body := range to.wait(t, len(want))[:len(want)] {
			claims, who := object(t, body), "caller"
			if claims["entry_point_call_id"] != nil {
				who = "operator"
			}
			if got := who + " " + claims["state"].(string); got != want[i] {
				t.Errorf("%s: event %d is %s, want %s", name, i, got, want[i])
			}
		}
	}
}

func TestNothingIsSentForOthers(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents, States: []string{"hangup"}})
	co.change(func(tx *store.Tx) error {
		for id, sub := range map[callcenter.SubscriptionID]callcenter.Subscription{
			72: {Kind: callcenter.CallEvents, Webhook: 61, Enabled: false},
			73: {Kind: callcenter.CallEvents, Webhook: 61, Enabled: true, Target: callcenter.Target{ID: 6, Type: "callcenter"}},
			74: {Kind: callcenter.AgentStatusEvents, Webhook: 61, Enabled: true},
			75: {Kind: callcenter.CallEvents, Webhook: 61, Enabled: true, States: []string{"hangup", "alert"}},
		} {
			sub.ID = id
			if err := tx.PutSubscription(&sub); err != nil {
				return err
			}
		}
		return nil
	})
	h := start(t, co.config())
	newCore(co, h).visit(1000)
	to.wait(t, 2)
	h.Close()
	if n := len(to.wait(t, 0)); n != 2 {
		t.Errorf("%d events, want the two hangups once each", n)
	}
}

// TestEventsSurviveARestart has a webhook that is down while calls come, and a server that is killed meanwhile.
func TestEventsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	co, to := newCompany(t, dir), newReceiver(t)
	to.status = 500
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents})
	h, err := New(t.Context(), co.config())
	if err != nil {
		t.Fatal(err)
	}
	newCore(co, h).visit(1000)
	<-to.came
	h.Close()
	if err := co.store.Close(); err != nil {
		t.Fatal(err)
	}
	to.mu.Lock()
	to.status = 0
	to.mu.Unlock()
	co = newCompany(t, dir)
	start(t, co.config())
	var states []string
	for _, body := range to.wait(t, 7) {
		states = append(states, object(t, body)["state"].(string))
	}
	if want := []string{
		"calling", "ringing", "ringing", "connected", "connected", "hangup", "hangup",
	}; !slices.Equal(states, want) {
		t.Errorf("%v, want %v", states, want)
	}
}

func TestADeletedWebhookGetsNothingMore(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	to.status = 503
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents})
	h := start(t, co.config())
	co.store.OnCommit(h.Committed)
	newCore(co, h).visit(1000)
	<-to.came
	co.change(func(tx *store.Tx) error {
		_, err := tx.DeleteWebhook(61)
		return err
	})
	h.Close() // waits for what was told
	if left, err := co.store.Deliveries(t.Context(), 9); err != nil || len(left) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
}

// script is a reader of given updates.
type script struct{ updates []engine.Update }

func (s *script) Next(context.Context) (engine.Update, bool) {
	if len(s.updates) == 0 {
		return engine.Update{}, false
	}
	next := s.updates[0]
	s.updates = s.updates[1:]
	return next, true
}

func TestDutyEvents(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.AgentStatusEvents})
	h := start(t, co.config())
	view := func(state route.OperatorState, duty callcenter.Duty) engine.Update {
		return engine.Update{At: time.UnixMilli(1_750_000_000_000), Operators: []route.OperatorView{
			{ID: 7, State: state, Duty: duty, Centers: []callcenter.ID{5}},
		}}
	}
	on, off := callcenter.Duty{On: true}, callcenter.Duty{Reason: "lunch"}
	first := view(route.Available, on)
	first.Reset = true
	h.Watch(&script{updates: []engine.Update{
		first, view(route.Available, on), view(route.OnCall, on), view(route.OffDuty, off),
	}})
	bodies := to.wait(t, 2)
	talking, gone := object(t, bodies[0]), object(t, bodies[1])
	if talking["availability_status"] != "unavailable" || talking["on_duty_status"] != "occupied" ||
		talking["on_duty_status_reason"] != nil || talking["event_timestamp"] != 1.75e12 ||
		len(talking["call_center_ids"].([]any)) != 1 || talking["call_center_ids"].([]any)[0] != "5" {
		t.Errorf("%v", talking)
	}
	if gone["on_duty_status"] != "unavailable" || gone["on_duty_status_reason"] != "lunch" ||
		len(gone["call_center_ids"].([]any)) != 0 || gone["target"].(map[string]any)["email"] != "ada@example.com" {
		t.Errorf("%v", gone)
	}
}

// post takes mail.
type post struct {
	mu   sync.Mutex
	got  []string
	sent chan struct{}
}

func (p *post) Send(_ context.Context, to []string, subject, text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, strings.Join(to, ",")+"|"+subject+"|"+text)
	p.sent <- struct{}{}
	return nil
}

func TestAnAlertGoesToWebhookAndMail(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents, States: []string{"alert"}})
	config, mails := co.config(), &post{sent: make(chan struct{}, 1)}
	config.Mail = mails
	h := start(t, config)
	h.Observe(time.Now(), route.New(route.Config{Company: 1}), route.Tick{}, []route.Effect{{Order: route.Alert{
		Center: 5, Kind: route.AlertRaised, Level: 71, Calls: 34,
		Text: "Support answered 71 % of the last 34 calls within 20 s",
		Goal: callcenter.Alerts{ServiceLevelPercent: 80, ServiceLevelSeconds: 20},
	}}})
	event := object(t, to.wait(t, 1)[0])
	if event["event"] != "alert" || event["kind"] != "raised" || event["service_level"] != 71.0 || event["goal"] != 80.0 ||
		event["target"].(map[string]any)["id"] != 5.0 {
		t.Errorf("%v", event)
	}
	<-mails.sent
	if !strings.HasPrefix(mails.got[0], "ada@example.com|Service level of Support: raised|Support answered 71 %") {
		t.Errorf("%v", mails.got)
	}
}

func TestARecordingIsToldWhenItsFileIsComplete(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents, States: []string{"recording"}})
	h := start(t, co.config())
	c := newCore(co, h)
	c.say(route.CallArrived{Call: 1000, Center: 5, From: "+491234", To: "+14155550100"})
	c.say(route.LegAnswered{Leg: c.leg})
	h.Observe(time.Now(), c.machine, route.Tick{}, []route.Effect{
		{Order: route.RecordCall{Call: 1000, Leg: c.leg, Center: 5, Operator: 7}},
	})
	c.say(route.CallerHungUp{Call: 1000})
	co.store.SaveRecording(store.RecordingRecord{
		ID: 9, Call: 1000, Operator: 7, At: time.Now(), Duration: time.Minute, Complete: true,
	})
	event := object(t, to.wait(t, 1)[0])
	tapes, _ := event["recording_details"].([]any)
	if event["was_recorded"] != true || len(tapes) != 1 || tapes[0].(map[string]any)["id"] != 9.0 ||
		tapes[0].(map[string]any)["duration"] != 60000.0 {
		t.Errorf("%v", event)
	}
}
