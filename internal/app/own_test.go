package app

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// withACenter is a server with call center 5 and the operator 7, who is nobody's admin.
func withACenter(t *testing.T) *App {
	t.Helper()
	a, err := New(t.Context(), Config{
		DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0",
		PublicURL: "https://calls.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	office := a.store.Snapshot().Offices()[0].ID
	settle(t, a, func(tx *store.Tx) error {
		ada := &callcenter.User{ID: 7, OfficeID: office, Emails: []string{"ada@lab.example"}, State: callcenter.StateActive}
		if err := tx.PutUser(ada); err != nil {
			return err
		}
		return tx.PutCenter(&callcenter.Center{
			ID: 5, OfficeID: office, State: callcenter.StateActive, Settings: callcenter.Defaults("Support"),
		})
	})
	return a
}

func settle(t *testing.T, a *App, f func(*store.Tx) error) {
	t.Helper()
	if err := a.store.Update(t.Context(), "test", f); err != nil {
		t.Fatal(err)
	}
}

// patch has a workflow of identity set the ring seconds of call center 5, with the headers given.
func patch(t *testing.T, a *App, base, identity string, seconds int64, headers flow.Map) (status any, reason string) {
	t.Helper()
	input := flow.Map{
		"uri": base + "/api/v2/callcenters/5", "method": "PATCH", "headers": headers,
		"body": flow.Map{"ring_seconds": seconds},
	}
	run := &flow.Run{ID: "r", Identity: identity, Definition: &flow.Definition{}}
	report := a.requests.Do(t.Context(), run, &flow.Attempt{ID: "t", Input: input, Task: &flow.Task{Input: input}})
	response, _ := report.Output["response"].(flow.Map)
	return response["statusCode"], report.Reason
}

func ringSeconds(a *App) int {
	center, _ := a.store.Snapshot().Center(5)
	return center.Settings.RingSeconds
}

func keyIn(t *testing.T, a *App, role store.KeyRole, user callcenter.OperatorID) (text string, key store.Key) {
	t.Helper()
	text, key = auth.Generate(role, user)
	stored := key
	settle(t, a, func(tx *store.Tx) error { return tx.PutKey(&stored) })
	return text, key
}

// TestWorkflowsUseOurAPIWithTheRightsOfWhoStartedThem sends every kind of identity to each of our addresses.
func TestWorkflowsUseOurAPIWithTheRightsOfWhoStartedThem(t *testing.T) {
	a := withACenter(t)
	_, admin := keyIn(t, a, store.RoleCompanyAdmin, 0)
	_, user := keyIn(t, a, store.RoleUser, 7)
	_, port, _ := strings.Cut(a.listener.Addr().String(), ":")
	for i, base := range []string{
		a.URL(), "http://localhost:" + port, "http://127.0.0.1:" + port, "https://calls.example.com",
		"https://CALLS.example.com:443",
	} {
		seconds := int64(20 + i)
		status, reason := patch(t, a, base, "key:"+admin.ID, seconds, nil)
		if status != int64(200) || ringSeconds(a) != int(seconds) {
			t.Errorf("%s: %v, %s", base, status, reason)
		}
	}
	if status, _ := patch(t, a, a.URL(), "page", 31, nil); status != int64(200) || ringSeconds(a) != 31 {
		t.Error("of a signed-in admin:", status)
	}
	if revisions, err := a.store.History(t.Context(), store.KindCenter, "5"); err != nil || revisions[0].By != "page" ||
		revisions[1].By != store.Actor("key sb_"+admin.ID) {
		t.Error(revisions[:2], err)
	}
	if status, _ := patch(t, a, a.URL(), "key:"+user.ID, 32, nil); status != int64(403) {
		t.Error("of an operator:", status)
	}
	if status, _ := patch(t, a, a.URL(), "", 32, nil); status != int64(401) {
		t.Error("of nobody:", status)
	}
	for _, nobody := range []string{"key:nosuchkey1", "key:", "somebody", "key:" + admin.ID + "x"} {
		status, reason := patch(t, a, a.URL(), nobody, 32, nil)
		if status != nil || !strings.Contains(reason, "may not use this API") {
			t.Errorf("%s: %v, %s", nobody, status, reason)
		}
	}
	if ringSeconds(a) != 31 {
		t.Error("it was changed by one who may not")
	}
}

func TestRightsEndWithTheKeyAndThePerson(t *testing.T) {
	a := withACenter(t)
	text, admin := keyIn(t, a, store.RoleCompanyAdmin, 7)
	own := flow.Map{"Authorization": "Bearer " + text}
	if status, _ := patch(t, a, a.URL(), "", 21, own); status != int64(200) {
		t.Error("a key in the request:", status)
	}
	wrong := flow.Map{"Authorization": "Bearer " + text[:len(text)-3] + "xyz"}
	if status, _ := patch(t, a, a.URL(), "page", 22, wrong); status != int64(401) {
		t.Error("a wrong key in the request, which wins over the run's rights:", status)
	}
	suspended, _ := a.store.Snapshot().User(7)
	away := *suspended
	away.State = callcenter.StateSuspended
	settle(t, a, func(tx *store.Tx) error { return tx.PutUser(&away) })
	status, reason := patch(t, a, a.URL(), "key:"+admin.ID, 23, nil)
	if status != nil || !strings.Contains(reason, "not active") {
		t.Error("of one who is suspended:", status, reason)
	}
	back := away
	back.State = callcenter.StateActive
	settle(t, a, func(tx *store.Tx) error { return tx.PutUser(&back) })
	over := admin
	over.ExpiresAt = time.Now().Add(-time.Minute)
	settle(t, a, func(tx *store.Tx) error { return tx.PutKey(&over) })
	if status, _ := patch(t, a, a.URL(), "key:"+admin.ID, 23, nil); status != nil {
		t.Error("of a key whose time is over:", status)
	}
	settle(t, a, func(tx *store.Tx) error {
		_, err := tx.DeleteKey(admin.ID)
		return err
	})
	if status, _ := patch(t, a, a.URL(), "key:"+admin.ID, 23, nil); status != nil || ringSeconds(a) != 21 {
		t.Error("of a key that is gone:", status)
	}
}

func TestWhichAddressesAreOurs(t *testing.T) {
	public, _ := url.Parse("https://calls.example.com")
	for listens, cases := range map[string]map[string]bool{
		"127.0.0.1:8080": {
			"http://127.0.0.1:8080/x": true, "http://localhost:8080": true, "http://LOCALHOST.:8080": true,
			"https://calls.example.com/": true, "https://calls.example.com:443/": true, "http://calls.example.com/": false,
			"https://calls.example.com:8080/": false, "https://127.0.0.1:8080/": false, "http://127.0.0.1/": false,
			"http://127.0.0.1:8081/": false, "http://127.0.0.2:8080/": false, "http://[::1]:8080/": false,
			"http://[::ffff:127.0.0.1]:8080/": true, "http://calls.example.com.evil.test:8080": false,
			"http://0.0.0.0:8080": false,
		},
		"[::]:80": {
			"http://127.0.0.1/": true, "http://localhost/": true, "http://[::1]/": true, "http://127.0.0.1:80/": true,
			"http://10.255.255.254/": false, "http://example.com/": false,
		},
		"10.1.2.3:80": {"http://10.1.2.3/": true, "http://localhost/": false, "http://127.0.0.1/": false},
	} {
		own := ownAPI{listens: netip.MustParseAddrPort(listens), public: public}
		for text, want := range cases {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if own.Serves(u) != want {
				t.Errorf("%s, listening on %s: %v", text, listens, !want)
			}
		}
	}
}

// TestOtherAnswersOfOurs asks for what is no JSON of the API.
func TestOtherAnswersOfOurs(t *testing.T) {
	a := withACenter(t)
	for path, want := range map[string]int64{
		"/healthz": 200, "/nowhere": 404, "/api/v2/nowhere": 404, "/openapi.json": 200,
	} {
		input := flow.Map{"uri": a.URL() + path, "method": "GET"}
		report := a.requests.Do(t.Context(), &flow.Run{Identity: "page", Definition: &flow.Definition{}},
			&flow.Attempt{ID: "t", Input: input, Task: &flow.Task{Input: input}})
		if response, _ := report.Output["response"].(flow.Map); response["statusCode"] != want {
			t.Errorf("%s: %v, %s", path, response["statusCode"], report.Reason)
		}
	}
}

func TestSettingsOfRequestsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"egress-allow": func(c *Config) { c.EgressAllow = []string{"http://x"} },
		"egress-proxy": func(c *Config) { c.EgressProxy = "proxy" },
		"public-url":   func(c *Config) { c.PublicURL = "calls.example.com" },
		"SECRET_KEY":   func(c *Config) { c.SecretKey = "short" },
	} {
		cfg := Config{DataDir: filepath.Join(t.TempDir(), strconv.Itoa(len(name))), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0"}
		spoil(&cfg)
		if a, err := New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				_ = a.Close()
			}
		}
	}
}
