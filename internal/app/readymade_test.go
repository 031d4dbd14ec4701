package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/flow"
	"switchboard/internal/graph"
	"switchboard/internal/route"
	"switchboard/internal/runner"
	"switchboard/internal/store"
	"switchboard/workflows"
)

// shop is a server with call center 5 and the operators 7 and 8, of whom 8 is not in it, a web server of somebody else,
// and the rights of an admin.
type shop struct {
	*App
	t     *testing.T
	admin string // identity
	key   string // of that admin
	web   *httptest.Server

	mu  sync.Mutex
	got map[string]string // bodies, by method and path
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, got: map[string]string{}}
	s.web = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got[r.Method+" "+r.URL.Path] = string(body)
	}))
	t.Cleanup(s.web.Close)
	var err error
	s.App, err = New(t.Context(), Config{
		DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", RateLimit: 100_000,
		CompanyRateLimit: 1000, EgressAllow: []string{"127.0.0.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	office := s.store.Snapshot().Offices()[0].ID
	settle(t, s.App, func(tx *store.Tx) error {
		for id := callcenter.OperatorID(7); id <= 8; id++ {
			user := &callcenter.User{
				ID: id, OfficeID: office, Emails: []string{fmt.Sprintf("op%d@lab.example", id)}, State: callcenter.StateActive,
			}
			if err := tx.PutUser(user); err != nil {
				return err
			}
		}
		return tx.PutCenter(&callcenter.Center{
			ID: 5, OfficeID: office, State: callcenter.StateActive, Settings: callcenter.Defaults("Support"),
			Members: []callcenter.Member{{Operator: 7, Role: callcenter.RoleOperator, SkillLevel: 100}},
		})
	})
	text, key := keyIn(t, s.App, store.RoleCompanyAdmin, 0)
	s.key, s.admin = text, "key:"+key.ID
	return s
}

// variable sets one of the environment, as people do.
func (s *shop) variable(name, value string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, s.URL()+"/api/environment/"+name,
		strings.NewReader(value))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	answer, err := http.DefaultClient.Do(req)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("set %s: %v, %v", name, answer, err)
	}
	_ = answer.Body.Close()
}

// install registers a template; its handlers are made active.
func (s *shop) install(name string) workflows.Template {
	s.t.Helper()
	all := workflows.All()
	i := slices.IndexFunc(all, func(t workflows.Template) bool { return t.Name == name })
	if i < 0 {
		s.t.Fatalf("there is no template %s", name)
	}
	template := all[i]
	if err := s.runner.PutDefinitions(s.t.Context(), "test", template.Workflows, false); err != nil {
		s.t.Fatal(err)
	}
	for i := range template.Handlers {
		template.Handlers[i].Active, template.Handlers[i].Identity = true, s.admin
	}
	return template
}

func (s *shop) handlers(template workflows.Template) {
	s.t.Helper()
	if err := s.triggers.PutHandlers(s.t.Context(), "test", template.Handlers, false); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) body(what string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.got[what]
	return body, ok
}

// until waits until ok.
func (s *shop) until(what string, ok func() bool) {
	s.t.Helper()
	for began := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			s.t.Fatalf("not seen: %s; runs: %s", what, s.became())
		}
	}
}

// became is what became of all runs, for messages.
func (s *shop) became() string {
	list, _, err := s.runner.Search(s.t.Context(), runner.Query{})
	text := fmt.Sprint(err)
	for _, run := range list {
		text += fmt.Sprintf("\n%s %s %s %v", run.Name, run.State, run.Reason, run.FailedRefs)
	}
	return text
}

// only is the one run of a workflow, once it stands as it should.
func (s *shop) only(name string, state flow.State) *flow.Run {
	s.t.Helper()
	var found runner.Summary
	s.until(name+" "+string(state), func() bool {
		list, _, err := s.runner.Search(s.t.Context(), runner.Query{Name: name})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(list) == 1 {
			found = list[0]
		}
		return len(list) == 1 && list[0].State == state
	})
	run, err := s.runner.Run(s.t.Context(), found.ID, true)
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

// waits says whether the task of a reference name is what the only run of a workflow waits for.
func (s *shop) waits(name, ref string) bool {
	run := s.only(name, flow.Running)
	return slices.ContainsFunc(run.Tasks, func(a *flow.Attempt) bool {
		return a.Ref == ref && a.Status == flow.InProgress
	})
}

func (s *shop) center(id callcenter.ID) *callcenter.Center {
	center, _ := s.store.Snapshot().Center(id)
	return center
}

// TestAllCentersCloseForAHolidayAndReopen has more call centers than a page shows.
func TestAllCentersCloseForAHolidayAndReopen(t *testing.T) {
	const centers = 30
	s := newShop(t)
	settle(t, s.App, func(tx *store.Tx) error {
		for id := callcenter.ID(1001); id < 1000+centers; id++ {
			err := tx.PutCenter(&callcenter.Center{
				ID: id, OfficeID: s.center(5).OfficeID, State: callcenter.StateActive, Settings: callcenter.Defaults("Other"),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	closed := func() (n int) {
		for _, center := range s.store.Snapshot().Centers() {
			if len(center.Holidays) == 1 && center.Holidays[0].Name == "Outing" && len(center.Holidays[0].Hours) == 0 {
				n++
			}
		}
		return n
	}
	s.install("close-for-a-holiday")
	today := time.Now().UTC().Format(time.DateOnly)
	id, err := s.runner.Start(t.Context(), flow.StartRequest{
		Name: "close_for_a_holiday", Input: flow.Map{"name": "Outing", "first_day": today, "last_day": today},
	}, s.admin, "")
	if err != nil {
		t.Fatal(err)
	}
	s.until("closed", func() bool { return s.waits("close_for_a_holiday", "reopen") })
	if n := closed(); n != centers {
		t.Errorf("%d of %d centers have the holiday", n, centers)
	}
	if status := s.center(5).Settings.Availability(time.Now(), time.UTC, s.center(5).Holidays).Status; status !=
		callcenter.HolidayClosed {
		t.Errorf("center 5 is %s", status)
	}
	if _, err := s.runner.ReportByRef(t.Context(), id, "reopen", flow.Reported{Status: flow.TaskCompleted}); err != nil {
		t.Fatal(err)
	}
	run := s.only("close_for_a_holiday", flow.Completed)
	if list, _ := run.Output["closed"].([]any); len(list) != centers || closed() != 0 {
		t.Errorf("%d of %d centers were told of, %d are still closed", len(list), centers, closed())
	}
}

// alert has the core's host tell of an alert of center 5, as it does when the core ordered one.
func (s *shop) alert(kind route.AlertKind, level float64) {
	s.t.Helper()
	err := s.engine.Ask(s.t.Context(), func(m *route.Machine, now time.Time) {
		s.hooks.Observe(now, m, route.Tick{}, []route.Effect{{Order: route.Alert{Center: 5, Kind: kind, Level: level}}})
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestAlertLengthensTheLineAndBringsOperatorsUntilItClears(t *testing.T) {
	s := newShop(t)
	template := s.install("help-when-the-line-is-long")
	template.Handlers[0].Actions[0].Start.Input["backups"] = []any{int64(7), int64(8)}
	s.handlers(template)
	members := func() (ids []callcenter.OperatorID) {
		for _, m := range s.center(5).Members {
			ids = append(ids, m.Operator)
		}
		slices.Sort(ids)
		return ids
	}
	before := s.center(5).Settings.HoldQueue
	s.alert(route.AlertRaised, 40)
	s.until("help", func() bool {
		list, _, err := s.runner.Search(t.Context(), runner.Query{Name: "help_when_the_line_is_long"})
		return err == nil && len(list) == 1 && s.waits("help_when_the_line_is_long", "cleared")
	})
	helped := s.center(5).Settings.HoldQueue
	if helped.MaxHoldCount != before.MaxHoldCount+10 || helped.MaxHoldSeconds != before.MaxHoldSeconds+600 ||
		!slices.Equal(members(), []callcenter.OperatorID{7, 8}) {
		t.Errorf("helped with %+v and %v", helped, members())
	}
	s.alert(route.AlertCleared, 92)
	run := s.only("help_when_the_line_is_long", flow.Completed)
	if s.center(5).Settings.HoldQueue != before || !slices.Equal(members(), []callcenter.OperatorID{7}) {
		t.Errorf("left with %+v and %v", s.center(5).Settings.HoldQueue, members())
	}
	if run.Output["level"] != int64(92) || run.CorrelationID != "alert 5" || run.Event != "switchboard:alert.raised" {
		t.Errorf("%v, %s, %s", run.Output, run.CorrelationID, run.Event)
	}
}

// TestMissedCallIsPosted has a caller come, wait and go.
func TestMissedCallIsPosted(t *testing.T) {
	s := newShop(t)
	s.variable("MISSED_CALLS_URL", s.web.URL+"/missed")
	s.handlers(s.install("tell-missed-calls"))
	s.engine.Say(route.CallArrived{Call: 1000, Center: 5, From: "+491234", To: "+14155550100"})
	s.engine.Say(route.CallerHungUp{Call: 1000})
	s.only("tell_missed_call", flow.Completed)
	text, _ := s.body("POST /missed")
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	center, _ := body["call_center"].(map[string]any)
	if body["call_id"] != 1000.0 || body["external_number"] != "+491234" || center["name"] != "Support" {
		t.Errorf("posted %s", text)
	}
}

func TestSettingsAreBackedUpWhenItIsTime(t *testing.T) {
	s := newShop(t)
	s.variable("BACKUP_URL", s.web.URL+"/backup")
	template := s.install("back-up-the-settings")
	if len(template.Schedules) != 1 || !template.Schedules[0].Paused {
		t.Fatalf("schedules %+v", template.Schedules)
	}
	nightly := template.Schedules[0]
	if err := s.triggers.PutSchedule(t.Context(), "test", nightly); err != nil {
		t.Fatal(err)
	}
	nightly.Name, nightly.Cron, nightly.Paused, nightly.Identity = "often", "* * * * * *", false, s.admin
	if err := s.triggers.PutSchedule(t.Context(), "test", nightly); err != nil {
		t.Fatal(err)
	}
	s.until("a backup", func() bool {
		list, _, err := s.runner.Search(context.Background(), runner.Query{Name: "back_up_the_settings"})
		return err == nil && len(list) > 0 && list[len(list)-1].State == flow.Completed
	})
	list, _, err := s.runner.Search(t.Context(), runner.Query{Name: "back_up_the_settings", Ascending: true})
	if err != nil {
		t.Fatal(err)
	}
	folder, _ := list[0].Output["folder"].(string)
	for file, holds := range map[string]string{
		"callcenters-1.json": `"name":"Support"`, "offices-1.json": `"timezone"`, "users-1.json": "op8@lab.example",
	} {
		if body, ok := s.body("PUT /backup/" + folder + "/" + file); !ok || !strings.Contains(body, holds) {
			t.Errorf("%s of %s: %.200s", file, folder, body)
		}
	}
	if _, err := time.Parse(time.DateOnly, folder); err != nil {
		t.Errorf("the folder is %s", folder)
	}
}

// TestCallEndsAreTold holds what events say to a call that an operator missed and its caller gave up.
func TestCallEndsAreTold(t *testing.T) {
	s := newShop(t)
	wait := map[string]string{
		"started": string(graph.Calling), "ended": string(graph.Hangup), "abandoned": string(graph.Missed),
	}
	err := define(t, s.App, `{"name":"note","version":1,"schemaVersion":2,"tasks":[
		{"name":"n","taskReferenceName":"n","type":"NOOP"}],"outputParameters":{"call":"${workflow.input.call}"}}`)
	if err != nil {
		t.Fatal(err)
	}
	for name := range wait {
		err := s.triggers.PutHandlers(t.Context(), "test", []flow.EventHandler{{
			Name: name, Event: "switchboard:call." + name, Active: true, Actions: []flow.Action{{
				Action: "start_workflow", Start: &flow.StartRequest{
					Name: "note", CorrelationID: name, Input: flow.Map{"call": "${call_id}", "state": "${state}"},
				},
			}},
		}}, false)
		if err != nil {
			t.Fatal(err)
		}
	}
	s.engine.Say(route.CallArrived{Call: 1000, Center: 5, From: "+491234", To: "+14155550100"})
	s.engine.Say(route.CallerHungUp{Call: 1000})
	s.until("all events", func() bool {
		list, _, err := s.runner.Search(t.Context(), runner.Query{Name: "note", States: []string{string(flow.Completed)}})
		return err == nil && len(list) == len(wait)
	})
	list, _, err := s.runner.Search(t.Context(), runner.Query{Name: "note"})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range list {
		if run.Input["state"] != wait[run.CorrelationID] || run.Output["call"] != int64(1000) {
			t.Errorf("%s: %v, %v", run.CorrelationID, run.Input, run.Output)
		}
	}
}
