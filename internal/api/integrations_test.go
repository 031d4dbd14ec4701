package api

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

func TestHolidays(t *testing.T) {
	co := newCompany(t)
	id := co.center("Support")
	target := "/api/v2/x/callcenters/" + id + "/holidays"
	christmas := co.send("POST", target,
		`{"name":"Christmas","start_date":"2026-12-24","end_date":"2026-12-26"}`).want(200)
	co.send("POST", target, `{"name":"Today","start_date":"2026-03-02","hours":["00:00","24:00"]}`).want(200)
	list := co.send("GET", target, nil).want(200)
	if list.at("items.0.name") != "Today" || list.at("items.1.name") != "Christmas" ||
		list.at("items.0.end_date") != "2026-03-02" || list.at("items.2") != nil {
		t.Errorf("list: %s", list.body)
	}
	first := co.send("GET", target+"?limit=1", nil).want(200)
	second := co.send("GET", target+"?limit=1&cursor="+first.text("cursor"), nil).want(200)
	if second.at("items.0.name") != "Christmas" || second.at("cursor") != nil {
		t.Errorf("pages: %s %s", first.body, second.body)
	}
	if got := co.send("GET", centers+"/"+id+"/status", nil); got.at("availability.status") != "holiday_open" ||
		got.at("availability.name") != "Today" {
		t.Errorf("status: %s", got.body)
	}
	if got := co.send("GET", centers+"/"+id, nil); got.at("availability_status") != "holiday_open" {
		t.Errorf("center: %s", got.body)
	}
	one := target + "/" + christmas.text("id")
	if got := co.send("PATCH", one, `{"end_date":"2026-12-27"}`).want(200); got.at("start_date") != "2026-12-24" ||
		got.at("end_date") != "2026-12-27" {
		t.Errorf("changed: %s", got.body)
	}
	co.send("PATCH", one, string(co.send("GET", target, nil).body)).want(200)
	for body, location := range map[string]string{
		`{"name":" ","start_date":"2026-02-30"}`:                                "name start_date",
		`{"start_date":"2026-1-1"}`:                                             "name start_date",
		`{"name":"x","start_date":"2026-02-02","end_date":"2026-02-01"}`:        "end_date",
		`{"name":"x","start_date":"2026-02-02","hours":["10:00","09:00"]}`:      "hours.1",
		`{"name":"x","start_date":"2026-02-02","hours":["10:00"]}`:              "hours",
		`{"name":"x","start_date":"2026-02-02","end_date":"2026-02-02 "}`:       "end_date",
		`{"name":"x","start_date":"2026-02-02","hours":["10:00",null]}`:         "hours.1",
		`{"name":"x","start_date":"2026-02-02","end_date":20260203}`:            "end_date",
		`{"name":"` + strings.Repeat("x", 101) + `","start_date":"2026-01-01"}`: "name",
	} {
		if got := co.send("POST", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	co.send("DELETE", one, nil).want(200)
	co.send("DELETE", one, nil).want(404)
	for n := range callcenter.MaxHolidays - 1 {
		co.send("POST", target, fmt.Sprintf(`{"name":"%d","start_date":"2027-01-01"}`, n)).want(200)
	}
	checkEnvelope(t, co.send("POST", target, `{"name":"x","start_date":"2027-01-01"}`), 409, problem.Conflict)
}

func TestExtras(t *testing.T) {
	co := newCompany(t)
	target := "/api/v2/x/callcenters/" + co.center("Support") + "/extras"
	got := co.send("GET", target, nil).want(200)
	want := `{"max_missed_calls":"1","short_abandon_seconds":"5","alert_min_calls":"10","announce_center_name":false,` +
		`"wrap_up_extension_seconds":"0","recording_retention_days":"0","voice_retention_days":"0"}` + "\n"
	if string(got.body) != want {
		t.Errorf("defaults %s", got.body)
	}
	same := co.send("PATCH", target, string(got.body)).want(200)
	if same.header.Get("ETag") != got.header.Get("ETag") {
		t.Error("what was read and sent back made a new version")
	}
	for field, most := range map[string]int{
		"max_missed_calls": 10, "short_abandon_seconds": 60, "alert_min_calls": 1000, "wrap_up_extension_seconds": 3600,
		"recording_retention_days": 3650, "voice_retention_days": 3650,
	} {
		got := co.send("PATCH", target, fmt.Sprintf(`{"%s":%d}`, field, most)).want(200)
		if got.at(field) != strconv.Itoa(most) {
			t.Errorf("%s: %s", field, got.body)
		}
		for _, bad := range []int{-1, most + 1} {
			if got := co.send("PATCH", target, fmt.Sprintf(`{"%s":%d}`, field, bad)).want(400); got.locations() != field {
				t.Errorf("%s: %s", field, got.body)
			}
		}
	}
	co.send("PATCH", target, `{"alert_min_calls":0}`).want(400)
	if got := co.send("PATCH", target, `{"announce_center_name":true}`).want(200); got.at("announce_center_name") != true {
		t.Errorf("%s", got.body)
	}
	co.send("PATCH", target, `{"max_missed_calls":2}`, with("If-Match", got.header.Get("ETag"))).want(412)
}

func TestCallRouters(t *testing.T) {
	co := newCompany(t)
	center := co.center("Support")
	body := map[string]any{
		"name": "script", "office_id": int64(co.office), "routing_url": "https://example.com/route",
		"default_target_id": center, "default_target_type": "callcenter", "secret": strings.Repeat("s", 32),
	}
	const target = "/api/v2/callrouters"
	made := co.send("POST", target, body).want(200)
	id := made.text("id")
	if made.at("enabled") != true || made.at("signature.algo") != "HS256" || made.at("signature.type") != "jwt" ||
		made.at("error_count") != "0" {
		t.Errorf("made: %s", made.body)
	}
	for field, value := range map[string]any{
		"name": "", "office_id": 5, "routing_url": "ftp://example.com", "default_target_id": 5,
		"default_target_type": "callrouter", "secret": "short", "enabled": "yes",
	} {
		bad := map[string]any{}
		for k, v := range body {
			bad[k] = v
		}
		bad[field] = value
		if got := co.send("POST", target, bad).want(400); got.locations() != field {
			t.Errorf("%s: %s", field, got.body)
		}
	}
	for _, url := range []string{
		"example.com", "https://", "http://user:pass@example.com", "https://exa mple.com", "//x",
	} {
		body["routing_url"] = url
		co.send("POST", target, body).want(400)
	}
	one := target + "/" + id
	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+14155550100"]}`).want(200)
	number := co.send("POST", one+"/assign_number", `{"number":"+14155550100"}`).want(200)
	if number.at("status") != "call_router" || number.at("target_type") != "callrouter" {
		t.Errorf("number: %s", number.body)
	}
	got := co.send("GET", one, nil).want(200)
	if got.at("phone_numbers.0") != "+14155550100" {
		t.Errorf("router: %s", got.body)
	}
	if same := co.send("PATCH", one, string(got.body)).want(200); same.header.Get("ETag") != got.header.Get("ETag") {
		t.Error("what was read and sent back made a new version")
	}
	co.send("PATCH", centers+"/"+center, `{"routing_options":{"open":{"action":"scripted_ivr","try_dial_operators":false,
		"action_target_id":"`+id+`","action_target_type":"callrouter"},
		"closed":{"action":"voicemail","try_dial_operators":false}}}`).want(200)
	co.disable(id)
	if got := co.send("GET", one, nil); got.at("enabled") != false || got.at("error_count") != "11" {
		t.Errorf("disabled: %s", got.body)
	}
	if got := co.send("PATCH", one, `{"enabled":true}`).want(200); got.at("error_count") != "11" {
		t.Errorf("enabled: %s", got.body)
	}
	if got := co.send("PATCH", one, `{"reset_error_count":true}`).want(200); got.at("error_count") != "0" {
		t.Errorf("reset: %s", got.body)
	}
	co.send("DELETE", one, nil).want(200)
	co.send("GET", one, nil).want(404)
	if got := co.send("GET", "/api/v2/numbers/+14155550100", nil); got.at("status") != "available" {
		t.Errorf("its number: %s", got.body)
	}
}

// disable makes a router what eleven errors make it.
func (co *company) disable(id string) {
	co.t.Helper()
	err := co.store.Update(co.t.Context(), "rule", func(tx *store.Tx) error {
		router, _ := tx.CallRouter(callcenter.RouterID(operatorID(co.t, id)))
		changed := *router
		changed.Enabled = false
		changed.Errors = slices.Repeat([]time.Time{co.clock()}, callcenter.MaxRouterErrors+1)
		return tx.PutCallRouter(&changed)
	})
	if err != nil {
		co.t.Fatal(err)
	}
}

func TestACallRouterIsChangedOnceInFiveMinutes(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.RateLimit = 1200 })
	center := co.center("Support")
	make := func(name string) string {
		return co.send("POST", "/api/v2/callrouters", map[string]any{
			"name": name, "office_id": int64(co.office), "routing_url": "https://example.com",
			"default_target_id": center, "default_target_type": "callcenter",
		}).want(200).text("id")
	}
	one, two := make("one"), make("two")
	co.send("PATCH", "/api/v2/callrouters/"+one, `{"name":"1"}`).want(200)
	co.send("PATCH", "/api/v2/callrouters/"+two, `{"name":"2"}`).want(200)
	got := co.send("PATCH", "/api/v2/callrouters/"+one, `{"name":"3"}`).want(429)
	if got.header.Get("Retry-After") != "300" {
		t.Errorf("Retry-After %s", got.header.Get("Retry-After"))
	}
	co.later(5 * time.Minute)
	co.send("PATCH", "/api/v2/callrouters/"+one, `{"name":"3"}`).want(200)
}

func TestWebhooksAndSubscriptions(t *testing.T) {
	co := newCompany(t)
	center := co.center("Support")
	hook := co.send("POST", "/api/v2/webhooks", `{"hook_url":"https://example.com/in","secret":"s3cret"}`).want(200)
	id := hook.text("id")
	if hook.at("signature.secret") != "s3cret" {
		t.Errorf("hook: %s", hook.body)
	}
	if got := co.send("POST", "/api/v2/webhooks", `{"hook_url":"gopher://x"}`).want(400); got.locations() != "hook_url" {
		t.Errorf("%s", got.body)
	}
	changed := co.send("PATCH", "/api/v2/webhooks/"+id, `{"secret":""}`).want(200)
	if changed.at("signature") != nil || changed.at("hook_url") != "https://example.com/in" {
		t.Errorf("changed: %s", changed.body)
	}
	const calls, duty = "/api/v2/subscriptions/call", "/api/v2/subscriptions/agent_status"
	sub := co.send("POST", calls, `{"endpoint_id":"`+id+`","call_states":["hangup","alert"],"group_calls_only":true,
		"target_type":"callcenter","target_id":`+center+`}`).want(200)
	if sub.at("webhook.id") != id || sub.at("enabled") != true || sub.at("target_id") != center ||
		sub.at("call_states.1") != "alert" {
		t.Errorf("subscription: %s", sub.body)
	}
	for body, location := range map[string]string{
		`{"endpoint_id":5}`: "endpoint_id", `{}`: "endpoint_id",
		`{"endpoint_id":` + id + `,"target_id":5}`:                                 "target_type",
		`{"endpoint_id":` + id + `,"target_id":5,"target_type":"callcenter"}`:      "target_id",
		`{"endpoint_id":` + id + `,"target_type":"user"}`:                          "target_id",
		`{"endpoint_id":` + id + `,"call_states":["gone"]}`:                        "call_states.0",
		`{"endpoint_id":` + id + `,"enabled":"no","call_states":["ringing",null]}`: "enabled call_states.1",
	} {
		if got := co.send("POST", calls, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	agent := co.send("POST", duty, `{"endpoint_id":"`+id+`","agent_type":"callcenter"}`).want(200)
	co.send("GET", calls+"/"+agent.text("id"), nil).want(404)
	if got := co.send("PATCH", duty+"/"+agent.text("id"), `{"enabled":false}`).want(200); got.at("enabled") != false {
		t.Errorf("%s", got.body)
	}
	all := co.send("PATCH", calls+"/"+sub.text("id"), `{"call_states":[]}`).want(200)
	if len(all.at("call_states").([]any)) != 0 || all.at("target_id") != center {
		t.Errorf("%s", all.body)
	}
	if got := co.send("GET", calls+"?target_type=callcenter&target_id="+center, nil); len(got.items()) != 1 {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", calls+"?target_type=callcenter&target_id=5", nil); len(got.items()) != 0 {
		t.Errorf("%s", got.body)
	}
	co.send("DELETE", "/api/v2/webhooks/"+id, nil).want(200)
	for _, path := range []string{calls, duty} {
		if got := co.send("GET", path, nil); len(got.items()) != 0 {
			t.Errorf("left of a deleted webhook: %s", got.body)
		}
	}
	for _, path := range []string{"/api/v2/webhooks", calls, duty, "/api/v2/callrouters", "/api/v2/x/deadletters"} {
		co.send("GET", path, nil, as(co.key(store.RoleUser, operatorID(t, co.user("u"+strconv.Itoa(len(path))))))).want(403)
	}
}

func TestDeadLetters(t *testing.T) {
	co := newCompany(t)
	var list []store.Delivery
	for n := range 3 {
		list = append(list, store.Delivery{
			Webhook: 5, Event: "call hangup", Body: []byte(`{"call_id":` + strconv.Itoa(n) + `}`), Created: noon,
			Attempts: 12, Error: "answered 500", Dead: n != 1,
		})
	}
	if err := co.store.AddDeliveries(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	const target = "/api/v2/x/deadletters"
	first := co.send("GET", target+"?limit=1", nil).want(200)
	second := co.send("GET", target+"?limit=1&cursor="+first.text("cursor"), nil).want(200)
	if first.at("items.0.payload") != `{"call_id":0}` || second.at("items.0.payload") != `{"call_id":2}` ||
		second.at("cursor") != nil || first.at("items.0.error") != "answered 500" {
		t.Errorf("%s %s", first.body, second.body)
	}
	ids := []string{first.text("items.0.id"), second.text("items.0.id")}
	co.send("POST", target+"/"+ids[0]+"/replay", nil).want(200)
	co.send("POST", target+"/"+ids[0]+"/replay", nil).want(404)
	co.send("DELETE", target+"/"+ids[1], nil).want(200)
	if got := co.send("GET", target, nil); len(got.items()) != 0 {
		t.Errorf("%s", got.body)
	}
}

func TestCustomIVRs(t *testing.T) {
	co := newCompany(t)
	center := co.center("Support")
	const target = "/api/v2/customivrs"
	upload := func(kind, file string) reply {
		return co.send("POST", target, map[string]any{
			"file": base64.StdEncoding.EncodeToString([]byte(file)), "ivr_type": kind, "target_type": "callcenter",
			"target_id": center, "name": file,
		})
	}
	first := upload("HOLD_MUSIC", "RIFF1").want(200)
	second := upload("HOLD_MUSIC", "RIFF2").want(200)
	upload("GREETING", "RIFF3").want(200)
	if got := upload("HOLD_MUSIC", "noise").want(400); got.locations() != "file" {
		t.Errorf("%s", got.body)
	}
	for body, location := range map[string]string{
		`{"file":"!!","ivr_type":"MENU","target_type":"callcenter","target_id":` + center + `}`: "file",
		`{"file":"UklGRg==","ivr_type":"MENU","target_type":"office","target_id":5}`:            "target_id",
		`{"file":"UklGRg==","ivr_type":"SONG","target_type":"department","target_id":5}`:        "ivr_type target_id",
	} {
		if got := co.send("POST", target, body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	query := target + "?target_type=callcenter&target_id=" + center
	list := co.send("GET", query, nil).want(200)
	if list.at("items.0.ivr_type") != "GREETING" || list.at("items.1.ivrs.0.selected") != false ||
		list.at("items.1.ivrs.1.selected") != true || list.at("items.1.ivrs.1.name") != "RIFF2" {
		t.Errorf("%s", list.body)
	}
	if got := co.send("GET", target, nil).want(400); got.locations() != "target_id target_type" {
		t.Errorf("%s", got.body)
	}
	renamed := co.send("PATCH", target+"/"+first.text("id"), `{"description":"old"}`).want(200)
	if renamed.at("description") != "old" {
		t.Errorf("%s", renamed.body)
	}
	slot := target + "/callcenter/" + center + "/HOLD_MUSIC"
	chosen := co.send("PATCH", slot, `{"ivr_id":`+first.text("id")+`}`).want(200)
	if chosen.at("ivrs.0.selected") != true || chosen.at("ivrs.1.selected") != false {
		t.Errorf("%s", chosen.body)
	}
	co.send("PATCH", slot, `{"ivr_id":5}`).want(400)
	if got := co.send("DELETE", slot, nil).want(200); got.at("id") != first.at("id") {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", query, nil); got.at("items.1.ivrs.0.id") != second.at("id") ||
		got.at("items.1.ivrs.0.selected") != true {
		t.Errorf("the one that is left is not heard: %s", got.body)
	}
	co.send("DELETE", slot, `{"ivr_id":`+second.text("id")+`}`).want(200)
	co.send("DELETE", slot, nil).want(404)
	for _, path := range []string{"/room/" + center + "/MENU", "/callcenter/" + center + "/SONG", "/callcenter/x/MENU"} {
		co.send("DELETE", target+path, nil).want(400)
	}
	co.send("DELETE", target+"/callcenter/5/MENU", nil).want(404)
	big := `{"ivr_type":"MENU","target_type":"callcenter","target_id":` + center + `,"file":"` +
		base64.StdEncoding.EncodeToString(append([]byte("RIFF"), make([]byte, 1<<20)...)) + `"}`
	co.send("POST", target, big).want(200)
	if got := co.send("POST", centers, strings.Repeat(" ", MaxBody+1)); got.status != 413 {
		t.Errorf("another body of that size: %d", got.status)
	}
}
