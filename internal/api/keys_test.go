package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"switchboard/internal/auth"
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
