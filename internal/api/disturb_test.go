package api

import (
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
)

func TestDoNotDisturb(t *testing.T) {
	co := newCompany(t)
	ada := co.user("ada")
	id, target := operatorID(t, ada), "/api/v2/users/"+ada+"/togglednd"
	first, second := co.center("Support"), co.center("Sales")
	co.send("POST", centers+"/"+first+"/operators", `{"user_id":`+ada+`,"skill_level":7}`).want(200)

	got := co.send("PATCH", target, `{"do_not_disturb":true}`).want(200)
	if got.at("id") != ada || got.at("do_not_disturb") != true || got.at("group_id") != nil ||
		got.at("group_type") != nil {
		t.Errorf("answered %s", got.body)
	}
	user, _ := co.store.Snapshot().User(id)
	if !user.DoNotDisturb || co.send("GET", "/api/v2/users/"+ada, nil).at("do_not_disturb") != true {
		t.Errorf("Ada can be disturbed: %+v", user)
	}
	etag := got.header.Get("ETag")
	co.send("PATCH", target, `{"do_not_disturb":true}`, with("If-Match", etag)).want(200)
	if again, _ := co.store.Snapshot().User(id); again.Version != user.Version {
		t.Error("the same again is a change")
	}
	co.send("PATCH", target, `{"do_not_disturb":false}`, with("If-Match", etag)).want(200)
	stale := co.send("PATCH", target, `{"do_not_disturb":true}`, with("If-Match", etag))
	checkEnvelope(t, stale, 412, problem.PreconditionFailed)

	group := `{"do_not_disturb":true,"group_type":"callcenter","group_id":` + first + `}`
	got = co.send("PATCH", target, group).want(200)
	if got.at("group_id") != first || got.at("group_type") != "callcenter" || got.at("do_not_disturb") != true {
		t.Errorf("answered %s", got.body)
	}
	center, _ := co.store.Snapshot().Center(callcenter.ID(operatorID(t, first)))
	want := callcenter.Member{Operator: id, Role: callcenter.RoleOperator, SkillLevel: 7, DoNotDisturb: true}
	if len(center.Members) != 1 || center.Members[0] != want {
		t.Errorf("members %+v", center.Members)
	}
	co.send("PATCH", target, group, with("If-Match", got.header.Get("ETag"))).want(200)
	if again, _ := co.store.Snapshot().Center(center.ID); again.Version != center.Version {
		t.Error("the same again is a change")
	}
	shown := co.send("GET", "/api/v2/users/"+ada, nil).want(200)
	if shown.at("do_not_disturb") != false || shown.at("group_details.0.do_not_disturb") != true {
		t.Errorf("shown as %s", shown.body)
	}

	for body, field := range map[string]string{
		`{}`:                       "do_not_disturb",
		`{"do_not_disturb":"yes"}`: "do_not_disturb",
		`{"do_not_disturb":true,"group_id":` + first + `}`:                              "group_type",
		`{"do_not_disturb":true,"group_type":"callcenter"}`:                             "group_id",
		`{"do_not_disturb":true,"group_type":"office","group_id":` + first + `}`:        "group_type",
		`{"do_not_disturb":true,"group_type":"callcenter","group_id":12345}`:            "group_id",
		`{"do_not_disturb":true,"group_type":"callcenter","group_id":` + second + `}`:   "group_id",
		`{"do_not_disturb":true,"group_type":"callcenter","group_id":"` + ada + `"}`:    "group_id",
		`{"do_not_disturb":true,"group_type":"callcenter","group_id":"` + first + `x"}`: "group_id",
	} {
		if got := co.send("PATCH", target, body).want(400); got.locations() != field {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	if user, _ := co.store.Snapshot().User(id); user.DoNotDisturb {
		t.Error("a refused request changed something")
	}
}
