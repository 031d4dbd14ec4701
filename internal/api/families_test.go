package api

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/auth"
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
	if got := co.send("GET", "/api/v2/numbers/+14155550100", nil); got.at("status") != "available" || got.at("target_id") != nil {
		t.Errorf("its number: %s", got.body)
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
	if got := co.send("PATCH", skill, `{"skill_level":0}`, with("If-Match", before)).want(200); got.at("skill_level") != "0" {
		t.Errorf("skill: %s", got.body)
	}
	co.send("PATCH", skill, `{"skill_level":1}`, with("If-Match", before)).want(412)
	co.send("PATCH", skill, `{"skill_level":101}`).want(400)
	co.send("PATCH", skill, `{}`).want(400)

	if got := co.send("DELETE", target, `{"user_id":`+ada+`}`).want(200); got.at("id") != ada {
		t.Errorf("removed: %s", got.body)
	}
	co.send("DELETE", target, `{"user_id":`+ada+`}`).want(404)
	co.send("GET", skill, nil).want(404)
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
	if got.at("on_duty") != false || got.at("on_duty_status") != "unavailable" || got.at("duty_status_started") != started {
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

func TestNumbers(t *testing.T) {
	co := newCompany(t)
	id, ada := co.center("Support"), co.user("ada")
	office := strconv.FormatInt(int64(co.office), 10)
	got := co.send("POST", "/api/v2/x/numbers",
		`{"numbers":["+14155550100","+14155550101","+18005550102","+493012345"]}`).want(200)
	if len(got.items()) != 4 || got.at("items.0.area_code") != "415" || got.at("items.2.type") != "tollfree" ||
		got.at("items.3.area_code") != nil || got.at("items.0.status") != "available" {
		t.Errorf("pool: %s", got.body)
	}
	checkEnvelope(t, co.send("POST", "/api/v2/x/numbers", `{"numbers":["+1415","+14155550100"]}`), 409, problem.Conflict)
	co.send("GET", "/api/v2/numbers/+1415", nil).want(404) // all or none
	for body, location := range map[string]string{
		`{"numbers":[]}`: "numbers", `{"numbers":["+2345","+2345"]}`: "numbers.1", `{"numbers":["0123"]}`: "numbers.0",
	} {
		if got := co.send("POST", "/api/v2/x/numbers", body).want(400); got.locations() != location {
			t.Errorf("%s: %s", body, got.body)
		}
	}

	toCenter := `"target_type":"callcenter","target_id":"` + id + `"`
	got = co.send("POST", "/api/v2/numbers/assign", `{"number":"+14155550100",`+toCenter+`}`).want(200)
	if got.at("status") != "call_center" || got.at("target_id") != id || got.at("office_id") != office {
		t.Errorf("assigned: %s", got.body)
	}
	co.send("POST", "/api/v2/numbers/+18005550102/assign", `{`+toCenter+`}`).want(200)
	co.send("POST", "/api/v2/numbers/%2B493012345/assign", `{"primary":false,`+toCenter+`}`).want(200)
	center := co.send("GET", centers+"/"+id, nil)
	for i, want := range []string{"+18005550102", "+14155550100", "+493012345"} {
		if got := center.at("phone_numbers." + strconv.Itoa(i)); got != want {
			t.Errorf("number %d is %v, want %s", i, got, want)
		}
	}
	got = co.send("POST", "/api/v2/users/"+ada+"/assign_number", `{"area_code":"415"}`).want(200)
	if got.at("number") != "+14155550101" || got.at("status") != "user" {
		t.Errorf("by area code: %s", got.body)
	}
	checkEnvelope(t, co.send("POST", "/api/v2/users/"+ada+"/assign_number", `{"area_code":"415"}`), 409, problem.Conflict)
	got = co.send("POST", "/api/v2/offices/"+office+"/assign_number", `{"number":"+14155550101"}`).want(200)
	if got.at("status") != "office" || got.at("target_id") != office {
		t.Errorf("reassigned: %s", got.body)
	}
	if got := co.send("GET", "/api/v2/offices/"+office, nil); got.at("phone_numbers.0") != "+14155550101" {
		t.Errorf("office: %s", got.body)
	}
	for target, bodies := range map[string]map[string]string{
		"/api/v2/numbers/assign": {
			`{` + toCenter + `}`: "number", `{"number":"+1999",` + toCenter + `}`: "number",
			`{"number":"+14155550100","target_type":"user","target_id":5}`: "target_id",
			`{"number":"+14155550100","target_type":"room","target_id":5}`: "target_type",
			`{"number":"x"}`: "number target_id target_type",
		},
		"/api/v2/offices/" + office + "/unassign_number": {`{"number":"+18005550102"}`: "number", `{}`: "number"},
	} {
		for body, location := range bodies {
			if got := co.send("POST", target, body).want(400); !sameWords(got.locations(), location) {
				t.Errorf("%s %s: %s", target, body, got.body)
			}
		}
	}
	got = co.send("POST", "/api/v2/offices/"+office+"/unassign_number", `{"number":"+14155550101"}`).want(200)
	if got.at("status") != "available" || got.at("target_id") != nil {
		t.Errorf("unassigned: %s", got.body)
	}
	if got := co.send("GET", "/api/v2/numbers?status=available", nil); len(got.items()) != 1 {
		t.Errorf("pool: %s", got.body)
	}
	if got := co.send("DELETE", "/api/v2/numbers/+18005550102", nil).want(200); got.at("status") != "available" {
		t.Errorf("to the pool: %s", got.body)
	}
	co.send("DELETE", "/api/v2/numbers/+18005550102", nil).want(200)
	if got := co.send("DELETE", "/api/v2/numbers/+18005550102?release=true", nil).want(200); got.at("deleted") != true {
		t.Errorf("released: %s", got.body)
	}
	co.send("DELETE", "/api/v2/numbers/+18005550102", nil).want(404)
}

func TestOrderOfAUsersNumbers(t *testing.T) {
	co := newCompany(t)
	ada := co.user("ada")
	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+2001","+2002","+2003"]}`).want(200)
	for _, number := range []string{"+2001", "+2002", "+2003"} {
		co.send("POST", "/api/v2/users/"+ada+"/assign_number", `{"number":"`+number+`"}`).want(200)
	}
	got := co.send("PATCH", "/api/v2/users/"+ada, `{"phone_numbers":["+2001","+2003"]}`).want(200)
	if got.at("phone_numbers.0") != "+2001" || got.at("phone_numbers.1") != "+2003" || got.at("phone_numbers.2") != nil {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", "/api/v2/numbers/+2002", nil); got.at("status") != "available" {
		t.Errorf("left out: %s", got.body)
	}
	co.send("POST", "/api/v2/users/"+ada+"/unassign_number", `{"number":"+2001"}`).want(200)
}

func TestDevices(t *testing.T) {
	co := newCompany(t)
	ada, bob := co.user("ada"), co.user("bob")
	target := "/api/v2/x/users/" + ada + "/devices"
	made := co.send("POST", target, `{"kind":"registered"}`).want(200)
	name, password := made.text("username"), made.text("password")
	device, ok := co.store.Snapshot().DeviceByUsername(name)
	if !ok || device.HA1 != auth.DigestOf(name, password) || made.at("state") != "offline" {
		t.Fatalf("registered: %s %+v", made.body, device)
	}
	static := co.send("POST", target, `{"kind":"static","contact":"sip:ada@192.0.2.7:5062"}`).want(200)
	if static.at("username") != nil || static.at("password") != nil || static.at("state") != "online" {
		t.Errorf("static: %s", static.body)
	}
	co.core.online[device.ID] = true
	list := co.send("GET", target, nil).want(200)
	if len(list.items()) != 2 || strings.Contains(string(list.body), "password") || list.at("items.0.state") != "online" ||
		list.at("items.1.contact") != "sip:ada@192.0.2.7:5062" {
		t.Errorf("list: %s", list.body)
	}
	for body, location := range map[string]string{
		`{}`: "kind", `{"kind":"static"}`: "contact", `{"kind":"registered","contact":"sip:a@b"}`: "contact",
		`{"kind":"static","contact":"sips:a@b"}`: "contact", `{"kind":"static","contact":"sip:a@b:0"}`: "contact",
		`{"kind":"carrier","contact":"x"}`: "kind contact",
	} {
		if got := co.send("POST", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	co.send("DELETE", "/api/v2/x/users/"+bob+"/devices/"+made.text("id"), nil).want(404)
	if got := co.send("DELETE", target+"/"+made.text("id"), nil).want(200); got.at("id") != made.text("id") {
		t.Errorf("deleted: %s", got.body)
	}
	co.send("DELETE", target+"/"+made.text("id"), nil).want(404)
	for range MaxDevices - 1 {
		co.send("POST", target, `{"kind":"registered"}`).want(200)
	}
	checkEnvelope(t, co.send("POST", target, `{"kind":"registered"}`), 409, problem.Conflict)
	if got := co.send("GET", "/api/v2/users/"+ada, nil); got.at("is_online") != true {
		t.Errorf("user: %s", got.body)
	}
}

func TestContacts(t *testing.T) {
	for contact, want := range map[string]bool{
		"sip:ada@192.0.2.7:5060": true, "sip:ada@192.0.2.7": true, "sip:+1.2_x@phone-1.example.com:1": true,
		"sip:ada@[2001:db8::1]:5060": true, "sip:ada@[2001:db8::1]": true, "sip:ada@host:65535": true,
		"sip:ada@host:65536": false, "sip:ada@host:0": false, "sip:ada@host:": false, "sip:ada@host:05": false,
		"sip:@host": false, "sip:ada@": false, "ada@host": false, "sip:a da@host": false, "sip:ada@ho st": false,
		"sip:ada@[192.0.2.7]": false, "sip:ada@[2001:db8::1": false, "sip:ada@2001:db8::1": false, "sip:ada@.host": false,
		"sip:ada@a..b": false, "sip:a@b@c": false, "sip:ada@host;transport=tcp": false, "sip:ada@host\r\nX: y": false,
	} {
		if got := validContact(contact); got != want {
			t.Errorf("%q: %v, want %v", contact, got, want)
		}
	}
}

func TestTrunks(t *testing.T) {
	co := newCompany(t)
	target := "/api/v2/x/trunks"
	got := co.send("POST", target, `{"name":"Carrier","addresses":["192.0.2.0/24","2001:db8::1"]}`).want(200)
	id := got.text("id")
	if got.at("addresses.1") != "2001:db8::1" {
		t.Errorf("created: %s", got.body)
	}
	checkEnvelope(t, co.send("POST", target, `{"name":"Carrier","addresses":["192.0.2.1"]}`), 409, problem.Conflict)
	for body, location := range map[string]string{
		`{}`: "name addresses", `{"name":" ","addresses":["192.0.2.1"]}`: "name",
		`{"name":"x","addresses":["192.0.2.1","300.1.1.1","192.0.2.1"]}`: "addresses.1 addresses.2",
		`{"name":"x","addresses":["192.0.2.0/33"]}`:                      "addresses.0",
		`{"name":"x","addresses":["::ffff:192.0.2.1"]}`:                  "addresses.0",
		`{"name":"x","addresses":["example.com"]}`:                       "addresses.0",
	} {
		if got := co.send("POST", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	if got := co.send("GET", target, nil).want(200); len(got.items()) != 1 || got.at("items.0.id") != id {
		t.Errorf("list: %s", got.body)
	}
	co.send("DELETE", target+"/"+id, nil).want(200)
	co.send("DELETE", target+"/"+id, nil).want(404)
}

func TestVoicemails(t *testing.T) {
	co := newCompany(t)
	center, ada := co.center("Support"), co.user("ada")
	audio := []byte("RIFF....WAVEfmt and so on")
	write(t, filepath.Join(co.dir, "one.wav"), audio)
	for i, m := range []store.VoicemailRecord{
		{ID: 11, Path: "one.wav", Complete: true, From: "+14155550123", Reason: "timeout"},
		{ID: 12, Path: "two.wav"},
		{ID: 13, Path: "../outside.wav", Complete: true},
		{ID: 14, Path: "gone.wav", Complete: true},
	} {
		m.Call, m.Center, m.At = route.CallID(100+i), centerID(t, center), noon.Add(time.Duration(i)*time.Second)
		m.Duration = 2500 * time.Millisecond
		co.store.SaveVoicemail(m)
	}
	if err := co.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	target := "/api/v2/x/voicemails"
	list := co.send("GET", target+"?limit=2", nil).want(200)
	if len(list.items()) != 2 || list.at("items.0.id") != "11" || list.at("items.1.id") != "13" {
		t.Errorf("list: %s", list.body)
	}
	if next := co.send("GET", target+"?cursor="+list.text("cursor"), nil).want(200); next.at("items.0.id") != "14" {
		t.Errorf("next: %s", next.body)
	}
	one := co.send("GET", target+"/11", nil).want(200)
	if one.at("duration") != "2500" || one.at("external_number") != "+14155550123" || one.at("target_id") != center ||
		one.at("date") != strconv.FormatInt(noon.UnixMilli(), 10) || one.at("listened_by.0") != nil {
		t.Errorf("one: %s", one.body)
	}
	co.send("GET", target+"/12", nil).want(404)       // still being recorded
	co.send("GET", target+"/13/audio", nil).want(500) // never outside of the data directory
	checkEnvelope(t, co.send("GET", target+"/14/audio", nil), 404, problem.Missing)

	heard := co.key(store.RoleCompanyAdmin, operatorID(t, ada))
	got := co.send("GET", target+"/11/audio", nil, as(heard)).want(200)
	if string(got.body) != string(audio) || got.header.Get("Content-Type") != "audio/wav" {
		t.Errorf("audio: %q %v", got.body, got.header)
	}
	part := co.send("GET", target+"/11/audio", nil, with("Range", "bytes=4-7")).want(206)
	if string(part.body) != "...." || part.header.Get("Content-Range") != fmt.Sprintf("bytes 4-7/%d", len(audio)) {
		t.Errorf("part: %q %v", part.body, part.header)
	}
	checkEnvelope(t, co.send("GET", target+"/11/audio", nil, with("Range", "bytes=99-")), 416, problem.RangeNotSatisfiable)
	co.send("GET", target+"/11/audio", nil, with("If-None-Match", got.header.Get("ETag"))).want(304)
	if one := co.send("GET", target+"/11", nil); one.at("listened_by.0") != ada || one.at("listened_by.1") != nil {
		t.Errorf("listened: %s", one.body)
	}
}

func TestHistory(t *testing.T) {
	co := newCompany(t)
	id, ada := co.center("Support"), co.user("ada")
	co.send("PATCH", centers+"/"+id, `{"ring_seconds":20}`).want(200)
	co.send("PATCH", centers+"/"+id, `{"ring_seconds":20}`).want(200) // changes nothing
	co.send("POST", centers+"/"+id+"/operators", `{"user_id":`+ada+`}`).want(200)
	target := "/api/v2/x/callcenters/" + id + "/history"
	got := co.send("GET", target, nil).want(200)
	if len(got.items()) != 3 || got.at("items.0.before") != nil || got.at("items.1.before.ring_seconds") != "30" ||
		got.at("items.1.after.ring_seconds") != "20" || got.at("items.2.after.operators.0.user_id") != ada {
		t.Errorf("history: %s", got.body)
	}
	if actor := got.text("items.1.actor"); !strings.HasPrefix(actor, "key sb_") || strings.Contains(co.admin, actor) {
		t.Errorf("actor %q", actor)
	}
	first := co.send("GET", target+"?limit=1", nil).want(200)
	second := co.send("GET", target+"?limit=1&cursor="+first.text("cursor"), nil).want(200)
	if second.at("items.0.id") != got.at("items.1.id") {
		t.Errorf("second page: %s", second.body)
	}
}

func TestCircleOfCentersIsNamed(t *testing.T) {
	co := newCompany(t)
	a, b := co.center("A"), co.center("B")
	bridge := func(to string) map[string]any {
		branch := map[string]any{
			"action": "bridge_target", "action_target_id": to, "action_target_type": "callcenter", "try_dial_operators": true,
		}
		return map[string]any{"routing_options": map[string]any{"open": branch, "closed": branch}}
	}
	co.send("PATCH", centers+"/"+a, bridge(b)).want(200)
	got := co.send("PATCH", centers+"/"+b, bridge(a)).want(400)
	if !strings.Contains(string(got.body), "routing_options.open.action_target_id") {
		t.Errorf("circle: %s", got.body)
	}
	co.send("PATCH", centers+"/"+a, bridge(a)).want(400)
}
