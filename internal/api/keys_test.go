package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/callcenter"
	"switchboard/internal/limit"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

func TestBadKeysAreBounded(t *testing.T) {
	co := newCompany(t)
	guess := "sb_" + strings.Repeat("a", 10) + "_" + strings.Repeat("A", 43)
	for range limit.MaxAPIFailures {
		co.send("GET", centers, nil, as(guess)).want(401)
	}
	got := co.send("GET", centers, nil, as(guess))
	checkEnvelope(t, got, 429, problem.TooManyFailures)
	if got.header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
	}
	if !strings.Contains(string(got.body), "address") {
		t.Errorf("body %s", got.body)
	}
	co.send("GET", centers, nil).want(200) // a good key is no guess
	co.send("GET", centers, nil, as(co.key(store.RoleCompanyAdmin, 0))).want(200)
	co.address = "192.0.2.2:4000"
	co.send("GET", centers, nil, as(guess)).want(401)
	co.address = "192.0.2.1:4000"
	co.later(time.Minute)
	co.send("GET", centers, nil, as(guess)).want(401)
}

func TestWhatIsNoKeyIsNoGuess(t *testing.T) {
	co := newCompany(t)
	for range limit.MaxAPIFailures + 1 {
		for _, text := range []string{"", "sb_bad"} {
			co.send("GET", centers, nil, as(text)).want(401)
		}
	}
}

// lateKeys has a key on disk that no snapshot has: another process has just made it.
type lateKeys struct {
	Settings
	late *store.Key
}

func (l lateKeys) Key(ctx context.Context, id string) (*store.Key, bool, error) {
	if id == l.late.ID {
		return l.late, true, nil
	}
	return l.Settings.Key(ctx, id)
}

func TestKeyOfAnotherProcessWorksWhereOthersGuessed(t *testing.T) {
	text, key := auth.Generate(store.RoleCompanyAdmin, 0)
	co := newCompany(t, func(c *Config) { c.Settings = lateKeys{c.Settings, &key} })
	for range limit.MaxAPIFailures {
		co.send("GET", centers, nil, as(text[:len(text)-43]+strings.Repeat("A", 43))).want(401)
	}
	co.send("GET", centers, nil, as(text)).want(200)
}

func TestAdminOfAnOffice(t *testing.T) {
	co := newCompany(t)
	branch := callcenter.OfficeID(77)
	err := co.store.Update(t.Context(), "system", func(tx *store.Tx) error {
		return tx.PutOffice(&callcenter.Office{ID: branch, Name: "Branch", Timezone: "UTC", State: callcenter.StateActive})
	})
	if err != nil {
		t.Fatal(err)
	}
	here, there := co.center("Here", map[string]any{"office_id": "77"}), co.center("There")
	ada, bob := co.user("ada"), co.user("bob")
	target, key := "/api/v2/users/"+ada, co.key(store.RoleUser, operatorID(t, ada))
	for body, location := range map[string]string{
		`{"admin_office_ids":[5]}`:           "admin_office_ids.0",
		`{"admin_office_ids":["77","77"]}`:   "admin_office_ids.1",
		`{"admin_office_ids":[77,null]}`:     "admin_office_ids.1",
		`{"admin_office_ids":"77"}`:          "admin_office_ids",
		`{"admin_office_ids":[0,"x",77,20]}`: "admin_office_ids.0 admin_office_ids.1",
	} {
		if got := co.send("PATCH", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	add := func(center string) reply {
		return co.send("POST", centers+"/"+center+"/operators", `{"user_id":`+bob+`}`, as(key))
	}
	duty := func() reply {
		return co.send("PATCH", centers+"/operators/"+bob+"/dutystatus", `{"on_duty":true}`, as(key))
	}
	add(here).want(403)
	got := co.send("PATCH", target, `{"admin_office_ids":["77"]}`).want(200)
	if got.at("admin_office_ids.0") != "77" || got.at("is_admin") != true || got.at("is_super_admin") != false {
		t.Errorf("appointed: %s", got.body)
	}
	if again := co.send("PATCH", target, string(got.body)).want(200); again.header.Get("ETag") != got.header.Get("ETag") {
		t.Errorf("sent back: %s", again.body)
	}
	add(there).want(403)
	duty().want(403)
	add(here).want(200)
	duty().want(200)
	co.send("PATCH", centers+"/"+here+"/operators/"+bob+"/skill", `{"skill_level":7}`, as(key)).want(200)
	co.send("PATCH", centers+"/"+here, `{"ring_seconds":20}`, as(key)).want(403)
	if got := co.send("PATCH", target, `{"admin_office_ids":[]}`).want(200); got.at("is_admin") != false {
		t.Errorf("dismissed: %s", got.body)
	}
	duty().want(403)
}
