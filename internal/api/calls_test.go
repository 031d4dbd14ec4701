package api

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"switchboard/internal/auth"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// ended stores a call that came in at a time and was answered by the second operator who was rung.
func (co *company) ended(id route.CallID, center string, at time.Time, operators ...string) {
	co.t.Helper()
	rec := route.CallRecord{
		Call: id, Visit: id, Direction: route.Inbound, Center: centerID(co.t, center), From: "+491234567", To: "+14155550100",
		Outcome: route.Abandoned, Arrived: at, Entered: at, Ended: at.Add(90 * time.Second),
	}
	for i, operator := range operators {
		rung := at.Add(time.Duration(i) * 10 * time.Second)
		offer := route.OfferRecord{
			Operator: operatorID(co.t, operator), At: rung, Until: rung.Add(10 * time.Second), Result: route.ResultMissed,
		}
		if i == len(operators)-1 {
			offer.Result = route.ResultAnswered
			rec.Outcome, rec.Operator, rec.Connected = route.Answered, offer.Operator, offer.Until
		}
		rec.Offers = append(rec.Offers, offer)
	}
	co.store.SaveCall(rec)
	if err := co.store.Flush(co.t.Context()); err != nil {
		co.t.Fatal(err)
	}
}

func TestCallsAndTheirLegs(t *testing.T) {
	co := newCompany(t)
	center, ada, bob := co.center("Support"), co.user("ada"), co.user("bob")
	co.ended(1000, center, noon, ada, bob)
	co.store.SaveRecording(store.RecordingRecord{
		ID: 7, Call: 1000, Operator: operatorID(t, bob), Direction: route.Inbound, At: noon, Duration: time.Minute,
		Path: "7.wav", Complete: true,
	})
	if err := co.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := strconv.FormatInt(int64(route.OfferCall(1000, 2)), 10)
	entry := co.send("GET", "/api/v2/call/1000", nil).want(200)
	for path, want := range map[string]any{
		"call_id": "1000", "state": "hangup", "direction": "inbound", "duration": 70000.0, "total_duration": 90000.0,
		"external_number": "+491234567", "target.id": center, "target.type": "callcenter", "target.name": "Support",
		"contact.phone": "+491234567", "entry_point_call_id": nil, "operator_call_id": second,
		"group_id": "CallCenter:" + center, "was_recorded": true, "recording_details.0.id": "7",
		"date_started": strconv.FormatInt(noon.UnixMilli(), 10), "master_call_id": "1000",
	} {
		if got := entry.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	leg := co.send("GET", "/api/v2/call/"+second, nil).want(200)
	if leg.at("entry_point_call_id") != "1000" || leg.at("target.id") != bob ||
		leg.at("target.email") != "bob@example.com" ||
		leg.at("entry_point_target.id") != center || leg.at("duration") != 70000.0 {
		t.Errorf("leg: %s", leg.body)
	}
	first := co.send("GET", fmt.Sprintf("/api/v2/call/%d", route.OfferCall(1000, 1)), nil).want(200)
	if first.at("state") != "missed" || first.at("duration") != 0.0 || first.at("was_recorded") != false {
		t.Errorf("missed leg: %s", first.body)
	}
	co.send("GET", "/api/v2/call/5", nil).want(404)
	co.send("GET", "/api/v2/call/x", nil).want(400)
}

func TestCallsAreListedLatestFirst(t *testing.T) {
	co := newCompany(t)
	center, ada, bob := co.center("Support"), co.user("ada"), co.user("bob")
	co.ended(1000, center, noon, ada, bob)
	co.ended(1001, center, noon.Add(time.Minute))
	second := strconv.FormatInt(int64(route.OfferCall(1000, 2)), 10)
	var seen []string
	for target := "/api/v2/call?limit=1"; ; {
		page := co.send("GET", target, nil).want(200)
		for i := range page.items() {
			seen = append(seen, page.text(fmt.Sprintf("items.%d.call_id", i)))
		}
		cursor, more := page.at("cursor").(string)
		if !more {
			break
		}
		target = "/api/v2/call?limit=1&cursor=" + cursor
	}
	want := []string{"1001", second, "1000", strconv.FormatInt(int64(route.OfferCall(1000, 1)), 10)}
	slices.Sort(seen[2:])
	slices.Sort(want[2:])
	if !slices.Equal(seen, want) {
		t.Errorf("pages: %v, want %v", seen, want)
	}
	for query, n := range map[string]int{
		"?target_type=user&target_id=" + bob: 1, "?target_type=callcenter&target_id=" + center: 2,
		"?target_type=callcenter&target_id=5": 0, fmt.Sprintf("?started_after=%d", noon.UnixMilli()+1000): 2,
		fmt.Sprintf("?started_before=%d", noon.UnixMilli()+1): 2, "?started_before=0": 0,
	} {
		if got := co.send("GET", "/api/v2/call"+query, nil).want(200); len(got.items()) != n {
			t.Errorf("%s: %d, want %d", query, len(got.items()), n)
		}
	}
	for _, query := range []string{"?target_id=5", "?target_type=user", "?cursor=abc", "?started_after=x"} {
		co.send("GET", "/api/v2/call"+query, nil).want(400)
	}
	narrowed := co.key(store.RoleCompanyAdmin, 0, func(k *store.Key) { k.Scopes = []string{auth.ScopeRecordingsExport} })
	co.send("GET", "/api/v2/call", nil, as(narrowed)).want(403)
	co.send("GET", "/api/v2/call/1000", nil, as(co.key(store.RoleUser, 0))).want(200)
}

func TestACallIsReadTenTimesAMinute(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.RateLimit = 1200 })
	co.ended(1000, co.center("Support"), noon)
	for range 10 {
		co.send("GET", "/api/v2/call/1000", nil).want(200)
	}
	got := co.send("GET", "/api/v2/call/1000", nil).want(429)
	if got.header.Get("RateLimit-Limit") != "10" || got.header.Get("Retry-After") != "60" {
		t.Errorf("%v", got.header)
	}
}

// TestOwnLimitsAreTheDocuments holds the table of limits and the document to each other.
func TestOwnLimitsAreTheDocuments(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			rate, _ := op.Extensions["x-rate-limit"].(map[string]any)
			own, special := ownLimits[op.OperationID]
			if special {
				found++
				if rate["requests"] != float64(own.requests) || rate["seconds"] != own.window.Seconds() {
					t.Errorf("%s: %v, here %+v", op.OperationID, rate, own)
				}
			} else if rate != nil && rate["requests"] != 1200.0 && rate["per"] != "company" {
				t.Errorf("%s is limited to %v in the document only", op.OperationID, rate)
			}
		}
	}
	if found != len(ownLimits) {
		t.Errorf("%d of %d limits are in the document", found, len(ownLimits))
	}
}

func TestLabels(t *testing.T) {
	co := newCompany(t)
	co.ended(1000, co.center("Support"), noon, co.user("ada"))
	leg := fmt.Sprintf("/api/v2/call/%d", route.OfferCall(1000, 1))
	co.send("PUT", "/api/v2/call/1000/labels", `{"labels":["a","b"]}`).want(200)
	got := co.send("PUT", leg+"/labels", `{"labels":["c"]}`).want(200)
	if got.at("labels.0") != "c" || got.at("labels.1") != nil {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", "/api/v2/call/1000", nil); got.at("labels.0") != "c" {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", "/api/v2/calllabels", nil).want(200); got.at("labels.0") != "c" || got.at("labels.1") != nil {
		t.Errorf("%s", got.body)
	}
	if got := co.send("PUT", leg+"/labels", `{"labels":["x","X"]}`).want(400); got.locations() != "labels.1" {
		t.Errorf("%s", got.body)
	}
	co.send("PUT", leg+"/labels", `{}`).want(400)
	co.send("PUT", leg+"/labels", `{"labels":[""]}`).want(400)
	co.send("PUT", leg+"/labels", `{"labels":[]}`).want(200)
	co.send("PUT", leg+"/labels", `{"labels":[]}`, as(co.key(store.RoleUser, 0))).want(403)
}

func TestLiveCallsAndHangup(t *testing.T) {
	co := newCompany(t)
	center, ada := co.center("Support"), co.user("ada")
	co.core.calls[77] = route.CallView{
		ID: 77, Entry: 77, Center: centerID(t, center), From: "+491", To: "+1415", State: "connected",
		Since: noon.Add(-time.Second), Arrived: noon.Add(-time.Minute), Operator: operatorID(t, ada), Recording: "on",
		Offers: []route.OfferRecord{
			{Operator: 5, At: noon.Add(-20 * time.Second), Until: noon.Add(-5 * time.Second), Result: route.ResultMissed},
			{Operator: operatorID(t, ada), At: noon.Add(-5 * time.Second), Until: noon, Result: route.ResultAnswered},
		},
	}
	got := co.send("GET", "/api/v2/call/77", nil).want(200)
	if got.at("state") != "connected" || got.at("duration") != 1000.0 || got.at("was_recorded") != true ||
		got.at("date_ended") != nil {
		t.Errorf("%s", got.body)
	}
	bob := as(co.key(store.RoleUser, operatorID(t, co.user("bob"))))
	co.send("PUT", "/api/v2/call/77/actions/hangup", nil, bob).want(403)
	missed := co.send("GET", fmt.Sprintf("/api/v2/call/%d", route.OfferCall(77, 1)), nil).want(200)
	if missed.at("state") != "missed" || missed.at("total_duration") != 15000.0 {
		t.Errorf("%s", missed.body)
	}
	leg := fmt.Sprintf("/api/v2/call/%d", route.OfferCall(77, 2))
	talks := co.send("GET", leg, nil).want(200)
	if talks.at("state") != "connected" || talks.at("duration") != 1000.0 || talks.at("total_duration") != 5000.0 ||
		talks.at("entry_point_call_id") != "77" || talks.at("target.id") != ada || talks.at("was_recorded") != true {
		t.Errorf("%s", talks.body)
	}
	co.send("PUT", leg+"/labels", `{"labels":["x"]}`).want(200)
	if got := co.send("GET", "/api/v2/call/77", nil); got.at("labels.0") != "x" {
		t.Errorf("%s", got.body)
	}
	for _, key := range []string{co.admin, co.key(store.RoleUser, operatorID(t, ada))} {
		if got := co.send("PUT", "/api/v2/call/77/actions/hangup", nil, as(key)).want(200); len(got.body) != 0 {
			t.Errorf("%s", got.body)
		}
		co.send("PUT", leg+"/actions/hangup", nil, as(key)).want(200)
	}
	asked := route.HangupAsked{Call: 77}
	if !slices.Equal(co.core.said, []route.Event{asked, asked, asked, asked}) {
		t.Errorf("%v", co.core.said)
	}
	co.ended(78, center, noon)
	checkEnvelope(t, co.send("PUT", "/api/v2/call/78/actions/hangup", nil), 409, problem.Conflict)
}

func TestTheWayOfACallAndItsVoicemail(t *testing.T) {
	co := newCompany(t)
	center := co.center("Support")
	path := []route.PathStep{
		{At: noon, Rule: "arrival", Text: "Arrived at Support, open"}, {At: noon, Rule: route.RuleRouter, Text: "Asked"},
	}
	co.core.calls[77] = route.CallView{
		ID: 77, Entry: 77, Center: centerID(t, center), From: "+4911", To: "+4922", State: "queued", Arrived: noon,
		Path: path, Direction: route.Outbound,
	}
	co.store.SaveCall(route.CallRecord{
		Call: 78, Visit: 78, Center: centerID(t, center), Outcome: route.Voicemail, Arrived: noon, Ended: noon, Path: path,
		Offers: []route.OfferRecord{{Operator: 7, At: noon}},
	})
	co.store.SaveVoicemail(store.VoicemailRecord{ID: 5, Call: 78, Center: centerID(t, center), At: noon, Complete: true})
	live := co.send("GET", "/api/v2/call/77", nil).want(200)
	ended := co.send("GET", "/api/v2/call/78", nil).want(200)
	rung := co.send("GET", fmt.Sprintf("/api/v2/call/%d", route.OfferCall(78, 1)), nil).want(200)
	for _, leg := range []reply{live, ended, rung} {
		if leg.at("routing_breadcrumbs.0.text") != "Arrived at Support, open" ||
			leg.at("routing_breadcrumbs.0.breadcrumb_type") != "callrouter" ||
			leg.at("routing_breadcrumbs.1.breadcrumb_type") != "external_api" ||
			leg.at("routing_breadcrumbs.1.target_id") != center ||
			leg.at("routing_breadcrumbs.0.date") != strconv.FormatInt(noon.UnixMilli(), 10) ||
			leg.at("routing_breadcrumbs.2") != nil {
			t.Errorf("%s", leg.body)
		}
	}
	if live.at("proxy_target.name") != "Support" || live.at("proxy_target.phone") != "+4911" ||
		ended.at("proxy_target.name") != nil {
		t.Errorf("in whose name: %s and %s", live.body, ended.body)
	}
	if live.at("voicemail_share_link") != nil || rung.at("voicemail_share_link") != nil ||
		ended.at("voicemail_share_link") != "/api/v2/x/voicemails/5/audio" {
		t.Errorf("voicemail: %s\n%s\n%s", live.body, rung.body, ended.body)
	}
}

func TestCallingSomebody(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.Dialable = func(n string) bool { return n != "+881" } })
	center, ada := co.center("Support"), co.user("ada")
	co.core.operators[operatorID(t, ada)] = route.OperatorView{State: route.OffDuty}
	body := map[string]any{
		"phone_number": "+4930123", "user_id": ada, "group_id": center, "group_type": "callcenter",
		"outbound_caller_id": "blocked", "custom_data": "order 5",
	}
	got := co.send("POST", "/api/v2/call", body).want(200)
	asked, ok := co.core.said[0].(route.CallAsked)
	if !ok || strconv.FormatInt(int64(asked.Call), 10) != got.text("call_id") || asked.To != "+4930123" ||
		asked.CallerID != route.CallerIDBlocked || asked.Center != centerID(t, center) {
		t.Errorf("%+v %s", co.core.said, got.body)
	}
	if notes, err := co.store.CallNotes(t.Context(), asked.Call); err != nil || notes.CustomData != "order 5" {
		t.Errorf("%+v %v", notes, err)
	}
	co.send("POST", "/api/v2/call", body, as(co.key(store.RoleUser, operatorID(t, ada)))).want(200)
	co.send("POST", "/api/v2/call", body, as(co.key(store.RoleUser, operatorID(t, co.user("bob"))))).want(403)
	for field, value := range map[string]any{
		"phone_number": "+881", "user_id": 5, "group_id": 5, "group_type": "office", "outbound_caller_id": "+4999",
	} {
		bad := map[string]any{}
		for k, v := range body {
			bad[k] = v
		}
		bad[field] = value
		if got := co.send("POST", "/api/v2/call", bad).want(400); got.locations() != field {
			t.Errorf("%s: %s", field, got.body)
		}
	}
	co.core.operators[operatorID(t, ada)] = route.OperatorView{State: route.OnCall}
	checkEnvelope(t, co.send("POST", "/api/v2/call", body), 409, problem.Conflict)
}

func TestCallbacks(t *testing.T) {
	co := newCompany(t)
	center := co.center("Support")
	body := `{"call_center_id":"` + center + `","phone_number":"+4930123"}`
	co.core.position = 3
	if got := co.send("POST", "/api/v2/callback", body).want(200); got.at("position") != "3" {
		t.Errorf("%s", got.body)
	}
	dry := co.send("POST", "/api/v2/callback/validate", body).want(200)
	if dry.at("success") != true || co.core.dryRuns != 1 {
		t.Errorf("%s", dry.body)
	}
	co.core.position = 0
	for _, why := range []string{route.RefusedClosed, route.RefusedFull, route.RefusedNotAllowed, route.RefusedDuplicate} {
		co.core.refused = why
		for _, path := range []string{"", "/validate"} {
			got := co.send("POST", "/api/v2/callback"+path, body)
			checkEnvelope(t, got, 409, problem.Conflict)
			if got.at("error.message") != callbackRefused[why] {
				t.Errorf("%s: %s", why, got.body)
			}
		}
	}
	for body, location := range map[string]string{
		`{}`: "call_center_id phone_number", `{"call_center_id":5,"phone_number":"+4930123"}`: "call_center_id",
		`{"call_center_id":` + center + `,"phone_number":"030123"}`: "phone_number",
	} {
		if got := co.send("POST", "/api/v2/callback", body).want(400); !sameWords(got.locations(), location) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
}

func TestCallbacksAreLimitedByNumberAndCenter(t *testing.T) {
	co := newCompany(t, func(c *Config) { c.RateLimit = 1200 })
	center, other := co.center("Support"), co.center("Sales")
	co.core.position = 1
	ask := func(center, number string) reply {
		return co.send("POST", "/api/v2/callback", `{"call_center_id":`+center+`,"phone_number":"`+number+`"}`)
	}
	for range CallbacksPerNumber {
		ask(center, "+4930123").want(200)
	}
	if got := ask(other, "+4930123").want(429); got.header.Get("Retry-After") != "60" {
		t.Errorf("%v", got.header)
	}
	for n := range CallbacksPerCenter - CallbacksPerNumber {
		ask(center, fmt.Sprintf("+49301%03d", n)).want(200)
	}
	ask(center, "+493099999").want(429)
	ask(other, "+493099999").want(200)
}

func TestRecordings(t *testing.T) {
	co := newCompany(t)
	for id := int64(1); id <= 6; id++ { // from the third on they go on
		name := fmt.Sprintf("%d.wav", id)
		write(t, filepath.Join(co.dir, name), []byte("RIFFsound"))
		co.store.SaveRecording(store.RecordingRecord{
			ID: id, Call: route.CallID(100 + id), Center: 9, Operator: 8, Number: "+491", Direction: route.Inbound,
			At: noon.Add(time.Duration(id) * time.Minute), Duration: 5 * time.Second, Path: name, Complete: id < 3,
		})
	}
	if err := co.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	const target = "/api/v2/x/recordings"
	list := co.send("GET", target, nil).want(200)
	if list.at("items.0.id") != "2" || list.at("items.1.id") != "1" || len(list.items()) != 2 ||
		list.at("items.0.duration") != "5000" || list.at("items.0.user_id") != "8" {
		t.Errorf("%s", list.body)
	}
	page := co.send("GET", target+"?limit=1", nil).want(200)
	if len(page.items()) != 1 || page.at("items.0.id") != "2" {
		t.Errorf("the first page: %s", page.body)
	}
	rest := co.send("GET", target+"?limit=1&cursor="+page.text("cursor"), nil).want(200)
	if rest.at("items.0.id") != "1" || rest.at("cursor") != nil {
		t.Errorf("the last page: %s", rest.body)
	}
	if got := co.send("GET", target+"?call_id=101", nil); len(got.items()) != 1 {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", target+"?call_center_id=5", nil); len(got.items()) != 0 {
		t.Errorf("%s", got.body)
	}
	co.send("GET", target+"/3", nil).want(404)
	if got := co.send("GET", target+"/1/audio", nil, with("Range", "bytes=4-6")).want(206); string(got.body) != "sou" {
		t.Errorf("%s", got.body)
	}
	co.send("HEAD", target+"/1/audio", nil).want(200)
	narrowed := co.key(store.RoleCompanyAdmin, 0, func(k *store.Key) { k.Scopes = []string{auth.ScopeCallsList} })
	co.send("GET", target+"/1/audio", nil, as(narrowed)).want(403)
	if got := co.send("GET", target+"/1/accesses", nil).want(200); len(got.items()) != 1 ||
		got.text("items.0.actor")[:7] != "key sb_" {
		t.Errorf("%s", got.body)
	}
	if err := os.Remove(filepath.Join(co.dir, "2.wav")); err != nil {
		t.Fatal(err)
	}
	co.send("GET", target+"/2/audio", nil).want(404)
}

func TestPausingARecording(t *testing.T) {
	co := newCompany(t)
	ada := operatorID(t, co.user("ada"))
	target := "/api/v2/users/" + strconv.FormatInt(int64(ada), 10) + "/activecall"
	checkEnvelope(t, co.send("PATCH", target, `{"is_recording":false}`), 409, problem.Conflict)
	co.core.operators[ada] = route.OperatorView{State: route.OnCall, Call: 77}
	co.core.calls[77] = route.CallView{ID: 77, State: "connected"}
	checkEnvelope(t, co.send("PATCH", target, `{"is_recording":false}`), 409, problem.Conflict)
	co.core.calls[77] = route.CallView{ID: 77, State: "connected", Recording: "on"}
	checkEnvelope(t, co.send("PATCH", target, `{"is_recording":false}`), 409, problem.Conflict) // not allowed
	co.core.heard = func(event route.Event) {
		if set, ok := event.(route.RecordingSet); ok {
			state := map[bool]string{true: "on", false: "paused"}[set.On]
			co.core.calls[77] = route.CallView{ID: 77, State: "connected", Recording: state}
		}
	}
	got := co.send("PATCH", target, `{"is_recording":false,"play_message":true,"recording_type":"all"}`).want(200)
	if got.at("is_recording") != false || got.at("id") != "77" || got.at("call_state") != "connected" {
		t.Errorf("%s", got.body)
	}
	if got := co.send("PATCH", target, `{"is_recording":true}`).want(200); got.at("is_recording") != true {
		t.Errorf("%s", got.body)
	}
	co.send("PATCH", target, `{}`).want(400)
	co.send("PATCH", "/api/v2/users/me/activecall", `{"is_recording":true}`, as(co.key(store.RoleUser, ada))).want(200)
}

func TestWrapUpIsExtendedWhereItIsGranted(t *testing.T) {
	co := newCompany(t)
	ada := operatorID(t, co.user("ada"))
	target := fmt.Sprintf("/api/v2/x/users/%d/wrapup", ada)
	co.core.operators[ada] = route.OperatorView{State: route.WrapUp}
	checkEnvelope(t, co.send("PATCH", target, `{"action":"extend"}`), 409, problem.Conflict)
	co.core.operators[ada] = route.OperatorView{State: route.WrapUp, Extend: time.Minute}
	co.send("PATCH", target, `{"action":"extend"}`).want(200)
	if len(co.core.said) != 1 || co.core.said[0] != (route.WrapUpExtended{Operator: ada}) {
		t.Errorf("%v", co.core.said)
	}
}
