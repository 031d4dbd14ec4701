package api

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

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
	badNumberBodies(t, co, toCenter, office)
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

func badNumberBodies(t *testing.T, co *company, toCenter, office string) {
	t.Helper()
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

func TestWhereCallsGoOut(t *testing.T) {
	for text, want := range map[string]bool{
		"sip:192.0.2.1": true, "sip:192.0.2.1:5060": true, "sip:192.0.2.1:5060;transport=tcp": true,
		"sip:[2001:db8::1]": true, "sip:[2001:db8::1]:5061;transport=udp": true, "sip:2001:db8::1": false,
		"sip:[192.0.2.1]": false, "192.0.2.1": false, "sip:192.0.2.1:0": false, "sip:a@192.0.2.1": false,
		"sip:example.com": false, "sip:192.0.2.1;lr": false, "sip:": false,
	} {
		if got := validOutbound(text); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
	}
}

func TestContacts(t *testing.T) {
	for contact, want := range map[string]bool{
		"sip:ada@192.0.2.7:5060": true, "sip:ada@192.0.2.7": true, "sip:+1.2_x@192.0.2.1:1": true,
		"sip:ada@[2001:db8::1]:5060": true, "sip:ada@[2001:db8::1]": true, "sip:ada@127.0.0.1:65535": true,
		"sip:ada@192.0.2.7:65536": false, "sip:ada@192.0.2.7:0": false, "sip:ada@192.0.2.7:": false,
		"sip:ada@192.0.2.7:05": false, "sip:@192.0.2.7": false, "sip:ada@": false, "ada@192.0.2.7": false,
		"sip:a da@192.0.2.7": false, "sip:ada@192.0. 2.7": false, "sip:a@b@192.0.2.7": false,
		"sip:ada@[192.0.2.7]": false, "sip:ada@[2001:db8::1": false, "sip:ada@2001:db8::1": false,
		"sip:ada@192.0.2.7;transport=tcp": false, "sip:ada@192.0.2.7\r\nX: y": false,
		"sip:ada@phone.example.com": false, "sip:ada@localhost:5060": false, // never looked up
		"sip:ada@0.0.0.0": false, "sip:ada@[::]:5060": false, "sip:ada@224.0.0.1": false, "sip:ada@[fe80::1%eth0]": false,
	} {
		if got := validContact(contact); got != want {
			t.Errorf("%q: %v, want %v", contact, got, want)
		}
	}
}

func TestTrunks(t *testing.T) {
	co := newCompany(t)
	target := "/api/v2/x/trunks"
	got := co.send("POST", target, `{"name":"Carrier","addresses":["192.0.2.0/24","2001:db8::1"],
		"outbound":"sip:192.0.2.5:5060"}`).want(200)
	if got.at("outbound") != "sip:192.0.2.5:5060" {
		t.Errorf("calls go out over %v", got.at("outbound"))
	}
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
		`{"name":"x","addresses":["192.0.2.1"],"outbound":"sip:a.b"}`:    "outbound",
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
		if m.ID == 13 {
			m.User = operatorID(t, ada)
		}
		m.Call, m.Center, m.At = route.CallID(100+i), centerID(t, center), noon.Add(time.Duration(i)*time.Second)
		m.Duration = 2500 * time.Millisecond
		co.store.SaveVoicemail(m)
	}
	if err := co.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	target := "/api/v2/x/voicemails"
	list := co.send("GET", target+"?limit=2", nil).want(200)
	if len(list.items()) != 2 || list.at("items.0.id") != "11" || list.at("items.1.id") != "13" ||
		list.at("items.0.target_id") != center || list.at("items.1.target_id") != ada ||
		list.at("items.1.target_type") != "user" {
		t.Errorf("list: %s", list.body)
	}
	if next := co.send("GET", target+"?cursor="+list.text("cursor"), nil).want(200); next.at("items.0.id") != "14" {
		t.Errorf("next: %s", next.body)
	}
	co.send("GET", target+"/12", nil).want(404) // still being recorded
	co.store.DropVoicemail(12)
	if err := co.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Nothing was said in it: the page behind a cursor does not move.
	if next := co.send("GET", target+"?cursor="+list.text("cursor"), nil).want(200); next.at("items.0.id") != "14" {
		t.Errorf("next after a drop: %s", next.body)
	}
	one := co.send("GET", target+"/11", nil).want(200)
	if one.at("duration") != "2500" || one.at("external_number") != "+14155550123" || one.at("target_id") != center ||
		one.at("date") != strconv.FormatInt(noon.UnixMilli(), 10) || one.at("listened_by.0") != nil {
		t.Errorf("one: %s", one.body)
	}
	co.send("GET", target+"/13/audio", nil).want(500) // never outside of the data directory
	checkEnvelope(t, co.send("GET", target+"/14/audio", nil), 404, problem.Missing)

	heard := co.key(store.RoleCompanyAdmin, operatorID(t, ada))
	got := co.send("GET", target+"/11/audio", nil, as(heard)).want(200)
	if string(got.body) != string(audio) || got.header.Get("Content-Type") != "audio/wav" {
		t.Errorf("audio: %q %v", got.body, got.header)
	}
	co.later(time.Second)
	part := co.send("GET", target+"/11/audio", nil, with("Range", "bytes=4-7")).want(206)
	if list := co.send("GET", target+"/11/accesses", nil).want(200); len(list.items()) != 2 ||
		list.at("items.0.user_id") != ada || list.at("items.0.actor") != nil || list.at("items.1.user_id") != nil ||
		!strings.HasPrefix(list.text("items.1.actor"), "key sb_") {
		t.Errorf("who heard it: %s", list.body)
	}
	co.send("GET", target+"/12/accesses", nil).want(404)
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
