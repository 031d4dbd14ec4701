package api

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func TestCallCenterLife(t *testing.T) {
	co := newCompany(t)
	got := co.send("POST", centers, map[string]any{
		"name": "Support", "office_id": int64(co.office), "ring_seconds": "20", "hours_on": true,
	}).want(200)
	id := got.text("id")
	for path, want := range map[string]any{
		"ring_seconds": "20", "timezone": "America/New_York", "country": "us", "state": "active", "first_action": "operators",
		"no_operators_action": "voicemail", "availability_status": "closed", // noon UTC is 7 in New York
		"office_id": strconv.FormatInt(int64(co.office), 10), "hold_queue.max_hold_seconds": "900",
	} {
		if got.at(path) != want {
			t.Errorf("%s is %v, want %v", path, got.at(path), want)
		}
	}
	co.later(time.Hour)
	if got := co.send("GET", centers+"/"+id, nil); got.at("availability_status") != "open" {
		t.Errorf("at 8: %s", got.body)
	}
	other := co.center("Ünder%cover")
	for search, want := range map[string]int{"ünder": 1, "%": 1, "_": 0, "SUPPORT": 1, "e": 1, "zzz": 0} {
		got := co.send("GET", centers+"?name_search="+strings.ReplaceAll(search, "%", "%25"), nil).want(200)
		if len(got.items()) != want {
			t.Errorf("search %q: %d items, want %d", search, len(got.items()), want)
		}
	}
	office := fmt.Sprintf("/api/v2/offices/%d", co.office)
	if got := co.send("GET", office+"/callcenters", nil).want(200); len(got.items()) != 2 {
		t.Errorf("of the office: %s", got.body)
	}
	co.send("GET", "/api/v2/offices/12345/callcenters", nil).want(404)

	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+14155550100"]}`).want(200)
	co.send("POST", "/api/v2/numbers/+14155550100/assign", `{"target_id":`+id+`,"target_type":"callcenter"}`).want(200)
	deleted := co.send("DELETE", centers+"/"+id, nil).want(200)
	if deleted.at("state") != "deleted" || deleted.header.Get("ETag") != "" {
		t.Errorf("deleted: %s", deleted.body)
	}
	for _, path := range []string{"", "/status", "/operators"} {
		co.send("GET", centers+"/"+id+path, nil).want(404)
	}
	co.send("DELETE", centers+"/"+id, nil).want(404)
	number := co.send("GET", "/api/v2/numbers/+14155550100", nil)
	if number.at("status") != "available" || number.at("target_id") != nil {
		t.Errorf("its number: %s", number.body)
	}
	if got := co.send("GET", centers, nil); len(got.items()) != 1 || got.at("items.0.id") != other {
		t.Errorf("list: %s", got.body)
	}
	bad := co.send("POST", centers, `{"name":"x","office_id":"12345"}`).want(400)
	if bad.locations() != "office_id" {
		t.Errorf("unknown office: %s", bad.body)
	}
}

func TestCenterStatus(t *testing.T) {
	co := newCompany(t)
	id := co.center("Support")
	got := co.send("GET", centers+"/"+id+"/status", nil).want(200)
	if got.at("availability.status") != "open" || got.at("pending") != "0" || got.at("longest_call_wait_time") != "0" {
		t.Errorf("unknown to the core: %s", got.body)
	}
	co.core.centers[centerID(t, id)] = route.CenterView{
		Waiting: 3, Capacity: 2, OnDuty: 4, OldestEntry: noon.Add(-61500 * time.Millisecond),
	}
	got = co.send("GET", centers+"/"+id+"/status", nil).want(200)
	want := `{"availability":{"status":"open"},"capacity":"2","on_duty_operators":"4","pending":"3",` +
		`"longest_call_wait_time":"61"}` + "\n"
	if string(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
}

func TestOperatorsOfACenter(t *testing.T) {
	co := newCompany(t)
	id, ada, bob := co.center("Support"), co.user("ada"), co.user("bob")
	target := centers + "/" + id + "/operators"
	got := co.send("POST", target, `{"user_id":"`+ada+`","role":"supervisor","skill_level":"7"}`).want(200)
	if got.at("id") != ada || got.at("name") != "ada" || got.at("is_on_duty") != false {
		t.Errorf("added: %s", got.body)
	}
	checkEnvelope(t, co.send("POST", target, `{"user_id":`+ada+`}`), 409, problem.Conflict)
	co.send("POST", target, `{"user_id":`+bob+`,"license_type":"agents","keep_paid_numbers":false}`).want(200)
	list := co.send("GET", target, nil).want(200)
	if list.at("users.0.id") != ada || list.at("users.1.id") != bob || list.at("users.2") != nil ||
		list.at("users.0.group_details.0.role") != "supervisor" {
		t.Errorf("list: %s", list.body)
	}
	for body, location := range map[string]string{
		`{"user_id":12345}`: "user_id", `{}`: "user_id", `{"user_id":` + bob + `,"skill_level":0}`: "skill_level",
		`{"user_id":12345,"role":"boss"}`: "role user_id",
	} {
		if got := co.send("POST", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}

	skill := target + "/" + ada + "/skill"
	if got := co.send("GET", skill, nil).want(200); got.at("skill_level") != "7" || got.at("call_center_id") != id {
		t.Errorf("skill: %s", got.body)
	}
	before := co.send("GET", skill, nil).header.Get("ETag")
	changed := co.send("PATCH", skill, `{"skill_level":0}`, with("If-Match", before)).want(200)
	if changed.at("skill_level") != "0" {
		t.Errorf("skill: %s", changed.body)
	}
	co.send("PATCH", skill, `{"skill_level":1}`, with("If-Match", before)).want(412)
	co.send("PATCH", skill, `{"skill_level":101}`).want(400)
	co.send("PATCH", skill, `{}`).want(400)

	if got := co.send("DELETE", target, `{"user_id":`+ada+`}`).want(200); got.at("id") != ada {
		t.Errorf("removed: %s", got.body)
	}
	co.send("DELETE", target, `{"user_id":`+ada+`}`).want(404)
	co.send("GET", skill, nil).want(404)
	for query, location := range map[string]string{"": "user_id", "?user_id=x": "user_id", "?user_id=0": "user_id"} {
		if got := co.send("DELETE", target+query, nil).want(400); got.locations() != location {
			t.Errorf("%q: %s", query, got.body)
		}
	}
	co.send("DELETE", target+"?user_id="+bob, nil).want(200) // proxies drop the bodies of DELETE
	if got := co.send("DELETE", target, nil).want(400); got.locations() != "user_id" {
		t.Errorf("nobody: %s", got.body)
	}
}

func TestRightsOfUserKeys(t *testing.T) {
	co := newCompany(t)
	first, second := co.center("First"), co.center("Second")
	ids := map[string]string{}
	keys := map[string]string{"nobody": co.key(store.RoleUser, 0)}
	for _, name := range []string{"admin", "supervisor", "operator", "other", "chief"} {
		ids[name] = co.user(name)
		keys[name] = co.key(store.RoleUser, operatorID(t, ids[name]))
	}
	for _, role := range []string{"admin", "supervisor", "operator"} {
		body := fmt.Sprintf(`{"user_id":%s,"role":%q}`, ids[role], role)
		co.send("POST", centers+"/"+first+"/operators", body).want(200)
	}
	co.send("POST", centers+"/"+second+"/operators", `{"user_id":`+ids["other"]+`}`).want(200)
	co.send("PATCH", "/api/v2/users/"+ids["chief"], `{"is_super_admin":true}`).want(200)

	duty := func(id string) string { return centers + "/operators/" + id + "/dutystatus" }
	skill := centers + "/" + first + "/operators/" + ids["operator"] + "/skill"
	for _, test := range []struct {
		who, method, target, body string
		status                    int
	}{
		{"operator", "PATCH", duty("me"), `{"on_duty":true}`, 200},
		{"operator", "PATCH", duty(ids["operator"]), `{"on_duty":true}`, 200},
		{"operator", "PATCH", duty(ids["supervisor"]), `{"on_duty":true}`, 403},
		{"operator", "PATCH", duty("12345"), `{"on_duty":true}`, 403},
		{"supervisor", "PATCH", duty(ids["operator"]), `{"on_duty":true}`, 200},
		{"supervisor", "PATCH", duty(ids["other"]), `{"on_duty":true}`, 403},
		{"chief", "PATCH", duty(ids["other"]), `{"on_duty":true}`, 200},
		{"nobody", "PATCH", duty("me"), `{"on_duty":true}`, 403},
		{"nobody", "GET", duty("me"), ``, 404},
		{"nobody", "GET", duty(ids["other"]), ``, 200},
		{"operator", "GET", "/api/v2/users/me", ``, 200},
		{"nobody", "GET", "/api/v2/users/me", ``, 404},
		{"supervisor", "PATCH", skill, `{"skill_level":5}`, 403},
		{"admin", "PATCH", skill, `{"skill_level":5}`, 200},
		{"operator", "GET", skill, ``, 200},
		{"admin", "POST", centers + "/" + first + "/operators", `{"user_id":` + ids["other"] + `}`, 200},
		{"admin", "POST", centers + "/" + second + "/operators", `{"user_id":` + ids["admin"] + `}`, 403},
		{"admin", "DELETE", centers + "/" + first + "/operators", `{"user_id":` + ids["other"] + `}`, 200},
		{"chief", "POST", centers + "/" + second + "/operators", `{"user_id":` + ids["admin"] + `}`, 200},
		{"admin", "PATCH", centers + "/" + first, `{"ring_seconds":20}`, 403},
		{"chief", "DELETE", centers + "/" + first, ``, 403},
		{"admin", "POST", centers, `{}`, 403},
		{"chief", "POST", "/api/v2/users", `{}`, 403},
		{"admin", "GET", "/api/v2/numbers", ``, 403},
		{"operator", "GET", "/api/v2/users", ``, 200},
		{"operator", "GET", "/api/v2/x/users/me/devices", ``, 403},
		{"operator", "PATCH", "/api/v2/users/me/togglednd", `{"do_not_disturb":false}`, 200},
		{"supervisor", "PATCH", "/api/v2/users/" + ids["operator"] + "/togglednd", `{"do_not_disturb":false}`, 403},
		{"chief", "PATCH", "/api/v2/users/" + ids["operator"] + "/togglednd", `{"do_not_disturb":false}`, 200},
		{"nobody", "PATCH", "/api/v2/users/me/togglednd", `{"do_not_disturb":false}`, 403},
		{"operator", "PATCH", "/api/v2/x/users/me/wrapup", `{"action":"end"}`, 409},
		{"operator", "PATCH", "/api/v2/x/users/" + ids["other"] + "/wrapup", `{"action":"end"}`, 403},
		{"chief", "GET", "/api/v2/x/trunks", ``, 403},
	} {
		got := co.send(test.method, test.target, test.body, as(keys[test.who]))
		if got.status != test.status {
			t.Errorf("%s: %s %s: %d, want %d: %s", test.who, test.method, test.target, got.status, test.status, got.body)
		}
	}
	co.send("GET", "/api/v2/users/me", nil).want(400) // me needs a user key
}

func TestDuty(t *testing.T) {
	co := newCompany(t)
	ada := co.user("ada")
	id := operatorID(t, ada)
	target := centers + "/operators/" + ada + "/dutystatus"
	started := strconv.FormatInt(noon.UnixMilli(), 10)
	got := co.send("GET", target, nil).want(200)
	if got.at("on_duty") != false || got.at("on_duty_status") != "unavailable" ||
		got.at("duty_status_started") != started {
		t.Errorf("at first: %s", got.body)
	}
	co.later(time.Minute)
	co.send("PATCH", target, `{"on_duty":true,"duty_status_reason":"dropped"}`).want(200)
	user, _ := co.store.Snapshot().User(id)
	want := callcenter.Duty{
		On: true, Since: noon.Add(time.Minute), OnSince: noon.Add(time.Minute), ChangedBy: user.Duty.ChangedBy,
	}
	if user.Duty != want || !strings.HasPrefix(user.Duty.ChangedBy, "key sb_") {
		t.Errorf("duty %+v", user.Duty)
	}
	co.later(time.Minute)
	etag := co.send("GET", target, nil).header.Get("ETag")
	co.send("PATCH", target, `{"on_duty":true}`, with("If-Match", etag)).want(200)
	if again, _ := co.store.Snapshot().User(id); again.Version != user.Version {
		t.Error("the same duty again is a change")
	}
	co.send("PATCH", target, `{"on_duty":false,"duty_status_reason":"Lunch"}`, with("If-Match", etag)).want(200)
	if user, _ := co.store.Snapshot().User(id); user.Duty.Reason != "Lunch" || !user.Duty.OnSince.Equal(want.OnSince) {
		t.Errorf("duty %+v", user.Duty)
	}
	for body, location := range map[string]string{
		`{}`: "on_duty", `{"on_duty":"yes"}`: "on_duty",
		`{"on_duty":true,"duty_status_reason":"two\nlines"}`: "duty_status_reason",
	} {
		if got := co.send("PATCH", target, body).want(400); got.locations() != location {
			t.Errorf("%s: %s", body, got.body)
		}
	}
}

func TestDutyStatusInWords(t *testing.T) {
	co := newCompany(t)
	ada := co.user("ada")
	id := operatorID(t, ada)
	on := callcenter.Duty{On: true, Since: noon, OnSince: noon}
	for _, test := range []struct {
		view   route.OperatorView
		on     bool
		status string
	}{
		{route.OperatorView{State: route.OffDuty}, false, "unavailable"},
		{route.OperatorView{State: route.NoDevice, Duty: on}, true, "busy"},
		{route.OperatorView{State: route.DND, Duty: on}, true, "busy"},
		{route.OperatorView{State: route.Ringing, Duty: on}, true, "busy"},
		{route.OperatorView{State: route.Available, Duty: on}, true, "available"},
		{route.OperatorView{State: route.OnCall, Duty: on}, true, "occupied"},
		{route.OperatorView{State: route.OnCall, OffAfter: true}, true, "occupied-end"},
		{route.OperatorView{State: route.WrapUp, Duty: on}, true, "wrapup"},
		{route.OperatorView{State: route.WrapUp, OffAfter: true, Duty: on}, true, "wrapup-end"},
	} {
		co.core.operators[id] = test.view
		got := co.send("GET", centers+"/operators/"+ada+"/dutystatus", nil).want(200)
		if got.at("on_duty") != test.on || got.at("on_duty_status") != test.status {
			t.Errorf("%s: %s", test.view.State, got.body)
		}
		user := co.send("GET", "/api/v2/users/"+ada, nil).want(200)
		busy := test.view.State == route.OnCall || test.view.State == route.Ringing
		if user.at("on_duty_status") != test.status || user.at("is_available") == busy {
			t.Errorf("%s: %s", test.view.State, user.body)
		}
	}
	// The core has just put Ada off duty by a rule, and the store has not heard of it: on duty still reaches the core.
	co.core.operators[id] = route.OperatorView{State: route.OffDuty}
	co.send("PATCH", centers+"/operators/"+ada+"/dutystatus", `{"on_duty":true}`).want(200)
	co.core.said = nil
	co.send("PATCH", centers+"/operators/"+ada+"/dutystatus", `{"on_duty":true}`).want(200)
	if len(co.core.said) != 1 {
		t.Fatalf("said %v", co.core.said)
	}
	if set, ok := co.core.said[0].(route.DutySet); !ok || !set.On || set.Operator != id {
		t.Errorf("said %+v", co.core.said[0])
	}
}

func TestWrapUp(t *testing.T) {
	co := newCompany(t)
	ada := co.user("ada")
	target := "/api/v2/x/users/" + ada + "/wrapup"
	checkEnvelope(t, co.send("PATCH", target, `{"action":"end"}`), 409, problem.Conflict)
	co.core.operators[operatorID(t, ada)] = route.OperatorView{State: route.WrapUp, Duty: callcenter.Duty{On: true}}
	if got := co.send("PATCH", target, `{"action":"end"}`).want(200); got.at("user_id") != ada {
		t.Errorf("%s", got.body)
	}
	if len(co.core.said) != 1 || co.core.said[0] != (route.WrapUpEnded{Operator: operatorID(t, ada)}) {
		t.Errorf("said %v", co.core.said)
	}
	checkEnvelope(t, co.send("PATCH", target, `{"action":"extend"}`), 409, problem.Conflict)
	if got := co.send("PATCH", target, `{"action":"stretch"}`).want(400); got.locations() != "action" {
		t.Errorf("%s", got.body)
	}
	co.send("PATCH", target, `{}`).want(400)
}

func TestOffices(t *testing.T) {
	co := newCompany(t)
	got := co.send("GET", "/api/v2/offices?active_only=true", nil).want(200)
	id := strconv.FormatInt(int64(co.office), 10)
	if got.at("items.0.id") != id || got.at("items.0.is_primary_office") != true || len(got.items()) != 1 {
		t.Errorf("list: %s", got.body)
	}
	if got := co.send("GET", "/api/v2/offices/"+id, nil).want(200); got.at("timezone") != "America/New_York" {
		t.Errorf("office: %s", got.body)
	}
	co.send("GET", "/api/v2/offices/7", nil).want(404)
}

func TestUsers(t *testing.T) {
	co := newCompany(t)
	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+14155550100","+14155550101"]}`).want(200)
	body := fmt.Sprintf(`{"email":"Ada@Example.com","office_id":%d,"first_name":"Ada","last_name":"L","auto_assign":true}`,
		co.office)
	got := co.send("POST", "/api/v2/users", body).want(200)
	ada := got.text("id")
	if got.at("display_name") != "Ada L" || got.at("license") != "talk" || got.at("phone_numbers.0") != "+14155550100" ||
		got.at("date_added") != "2026-03-02T12:00:00" || got.at("state") != "active" {
		t.Errorf("created: %s", got.body)
	}
	same := fmt.Sprintf(`{"email":"ada@example.COM","office_id":%d}`, co.office)
	checkEnvelope(t, co.send("POST", "/api/v2/users", same), 409, problem.Conflict)
	if got := co.send("POST", "/api/v2/users", `{"email":"no address","office_id":5}`).want(400); got.locations() !=
		"email office_id" {
		t.Errorf("bad user: %s", got.body)
	}
	bob := co.user("bob")
	target := "/api/v2/users/" + ada
	got = co.send("PATCH", target, `{"first_name":"","extension":"12","is_super_admin":true,"license":"agents",
		"emails":["a@example.com","b@example.com"],"forwarding_numbers":["+1"]}`).want(200)
	if got.at("first_name") != nil || got.at("extension") != "12" || got.at("is_admin") != true ||
		got.at("emails.1") != "b@example.com" || got.header.Get("Switchboard-Ignored-Fields") != "forwarding_numbers" {
		t.Errorf("changed: %s %v", got.body, got.header)
	}
	checkEnvelope(t, co.send("PATCH", target, `{"emails":["bob@example.com"]}`), 409, problem.Conflict)
	for body, location := range map[string]string{
		`{"emails":[]}`: "emails", `{"emails":["x@y","X@Y"]}`: "emails.1", `{"office_id":5}`: "office_id",
		`{"phone_numbers":["+14155550101"]}`: "phone_numbers.0", `{"state":"deleted"}`: "state",
		`{"extension":"x","office_id":5}`: "extension office_id",
	} {
		if got := co.send("PATCH", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	for query, want := range map[string]int{
		"": 2, "?state=active": 2, "?state=all": 2, "?state=suspended": 0, "?company_admin=true": 1,
		"?company_admin=false": 1, "?email=B@example.com": 1, "?email=": 2, "?number=%2B14155550100": 1,
		"?number=%2B14155550101": 0, "?email=b@example.com&company_admin=false": 0,
	} {
		if got := co.send("GET", "/api/v2/users"+query, nil).want(200); len(got.items()) != want {
			t.Errorf("%s: %d users, want %d", query, len(got.items()), want)
		}
	}
	co.send("GET", "/api/v2/users?state=asleep", nil).want(400)
	_ = bob
}

func TestDeletingAUserTidiesUp(t *testing.T) {
	co := newCompany(t)
	id, ada := co.center("Support"), co.user("ada")
	co.send("POST", centers+"/"+id+"/operators", `{"user_id":`+ada+`}`).want(200)
	co.send("POST", "/api/v2/x/users/"+ada+"/devices", `{"kind":"registered"}`).want(200)
	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+14155550100"]}`).want(200)
	co.send("POST", "/api/v2/users/"+ada+"/assign_number", `{"number":"+14155550100"}`).want(200)
	person := map[string]any{
		"action": "person", "action_target_id": ada, "action_target_type": "user", "try_dial_operators": true,
	}
	routing := map[string]any{"routing_options": map[string]any{"open": person, "closed": person}}
	co.send("PATCH", centers+"/"+id, routing).want(200)

	got := co.send("DELETE", "/api/v2/users/"+ada, nil).want(200)
	if got.at("state") != "deleted" || got.at("is_on_duty") != false {
		t.Errorf("deleted: %s", got.body)
	}
	co.send("GET", "/api/v2/users/"+ada, nil).want(404)
	snapshot := co.store.Snapshot()
	center, _ := snapshot.Center(centerID(t, id))
	number, _ := snapshot.Number("+14155550100")
	if len(center.Members) != 0 || len(snapshot.Devices()) != 0 || number.Status != callcenter.NumberReserved {
		t.Errorf("left over: %v %v %+v", center.Members, snapshot.Devices(), number)
	}
	co.send("PATCH", centers+"/"+id, string(co.send("GET", centers+"/"+id, nil).body)).want(200) // still sends back
	co.user("ada")
}
