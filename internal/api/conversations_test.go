package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/voice"
)

// spoken is a conversation of a minute, in which the customer speaks so long and the operator twice that.
func spoken(
	call route.CallID, center callcenter.ID, operator callcenter.OperatorID, talk time.Duration,
) store.Conversation {
	c := store.Conversation{
		Call: call, Center: center, Operator: operator, Number: "+491", Direction: route.Inbound, At: noon, Complete: true,
		Dropped: 2, Report: voice.Report{
			Turns: []voice.Turn{{Leg: voice.Operator, Start: time.Second, End: 3 * time.Second}},
			Gaps:  []voice.Gap{{State: voice.Paused, Start: 4 * time.Second, End: 5 * time.Second}},
		},
	}
	f := &c.Report.Figures
	f.Measured, f.Paused, f.Overlap, f.Interruptions = time.Minute, time.Second, 200*time.Millisecond, 1
	f.Silence, f.DeadAir, f.DeadAirs, f.LongestDead = 20*time.Second, 6*time.Second, 1, 6*time.Second
	f.Responses, f.ResponseTotal, f.LongestResponse = 2, 3*time.Second, 2*time.Second
	f.Legs[voice.Customer] = voice.LegFigures{Talk: talk, Turns: 3, Monologue: 4 * time.Second}
	f.Legs[voice.Operator] = voice.LegFigures{Talk: 2 * talk, Turns: 4, Monologue: 5 * time.Second}
	return c
}

func TestTheConversationOfACall(t *testing.T) {
	co := newCompany(t)
	ada, ben := operatorID(t, co.user("ada")), operatorID(t, co.user("ben"))
	support := centerID(t, co.center("Support"))
	co.core.calls[50] = route.CallView{
		ID: 50, Entry: 50, State: "connected", Center: support, Operator: ada, Arrived: noon, Since: noon,
	}
	const target = "/api/v2/x/calls/50/conversation"
	checkEnvelope(t, co.send("GET", target, nil), 404, problem.Missing)
	live := spoken(50, support, ada, 9*time.Second)
	live.Complete, live.Report.State = false, voice.Held
	co.keep(live)
	if got := co.send("GET", target, nil).want(200); got.at("state") != "held" {
		t.Errorf("%s", got.body)
	}
	co.keep(spoken(50, support, ada, 9*time.Second))
	got := co.send("GET", target, nil, as(co.key(store.RoleUser, ada))).want(200)
	for path, want := range map[string]any{
		"call_id": "50", "state": "ended", "measured": "60000", "paused": "1000", "held": "0", "overlap": "200",
		"interruptions": "1", "dead_air.total": "6000", "dead_air.count": "1", "response.average": "1500",
		"response.longest": "2000", "customer.talk": "9000", "operator.turns": "4", "operator.longest_monologue": "5000",
		"timeline.0.side": "operator", "timeline.0.end": "3000", "gaps.0.kind": "paused", "gaps.0.start": "4000",
		"missed": "2", "truncated": false,
	} {
		if got.at(path) != want {
			t.Errorf("%s is %v, want %v", path, got.at(path), want)
		}
	}
	if share, ok := got.at("customer.talk_share").(float64); !ok || share < 0.333 || share > 0.334 {
		t.Errorf("the customer's share is %v", got.at("customer.talk_share"))
	}
	co.send("GET", target, nil, as(co.key(store.RoleUser, ben))).want(403)
	co.send("GET", "/api/v2/x/calls/51/conversation", nil).want(404)
	co.keep(store.Conversation{Call: 50, Direction: route.Inbound, At: noon})
	silent := co.send("GET", target, nil).want(200)
	if strings.Contains(string(silent.body), "talk_share") || silent.at("response.average") != nil {
		t.Errorf("%s", silent.body)
	}
}

func (co *company) keep(list ...store.Conversation) {
	co.t.Helper()
	for _, c := range list {
		co.store.SaveConversation(c)
	}
	if err := co.store.Flush(co.t.Context()); err != nil {
		co.t.Fatal(err)
	}
}

func TestAveragesOfConversations(t *testing.T) {
	co := newCompany(t)
	ada, ben := operatorID(t, co.user("ada")), operatorID(t, co.user("ben"))
	ada, ben = min(ada, ben), max(ada, ben) // items are in the order of ids
	support, sales := centerID(t, co.center("Support")), centerID(t, co.center("Sales"))
	path := func(kind string, id int64) string {
		return fmt.Sprintf("/api/v2/x/conversations/averages?target_type=%s&target_id=%d", kind, id)
	}
	old := spoken(5, support, ada, time.Second)
	old.At = noon.AddDate(0, 0, -AveragedDays-1)
	co.keep(spoken(1, support, ada, 6*time.Second), spoken(2, support, ada, 12*time.Second),
		spoken(3, support, ben, 30*time.Second), spoken(4, sales, ada, 3*time.Second), old)
	co.later(time.Minute)
	got := co.send("GET", path("callcenter", int64(support)), nil).want(200)
	if len(got.items()) != 2 || got.at("target.conversations") != "3" || got.at("target.customer.talk") != "16000" ||
		got.at("target.interruptions") != 1.0 || got.at("target.dead_air.count") != "3" ||
		got.at("items.0.customer.talk") != "9000" || got.at("items.0.target_type") != "user" ||
		got.at("items.1.target_id") != fmt.Sprint(int64(ben)) || got.at("target.response.average") != "1500" {
		t.Errorf("%s", got.body)
	}
	mine := co.send("GET", path("user", int64(ada)), nil, as(co.key(store.RoleUser, ada))).want(200)
	if len(mine.items()) != 2 || mine.at("target.conversations") != "3" || mine.at("items.1.target_type") != "callcenter" {
		t.Errorf("%s", mine.body)
	}
	early := co.send("GET", path("user", int64(ada))+fmt.Sprintf("&started_after=1&started_before=%d",
		noon.UnixMilli()), nil).want(200)
	if early.at("target.conversations") != "1" {
		t.Errorf("%s", early.body)
	}
	none := co.send("GET", path("user", int64(ben))+"&started_after=99999999999999", nil).want(200)
	if none.at("target.conversations") != "0" || len(none.items()) != 0 {
		t.Errorf("%s", none.body)
	}
	for _, bad := range []string{"", "?target_type=user", "?target_id=5", "?target_type=office&target_id=5"} {
		co.send("GET", "/api/v2/x/conversations/averages"+bad, nil).want(400)
	}
	co.send("GET", path("user", 99), nil).want(404)
	co.send("GET", path("user", int64(ada)), nil, as(co.key(store.RoleUser, ben))).want(403)
	co.send("GET", path("callcenter", int64(support)), nil, as(co.key(store.RoleUser, ben))).want(403)
}

func TestTogglingTheVoiceAnalysis(t *testing.T) {
	co := newCompany(t)
	ada := operatorID(t, co.user("ada"))
	target := fmt.Sprintf("/api/v2/users/%d/togglevi", ada)
	checkEnvelope(t, co.send("PATCH", target, `{"enable_vi":false}`), 409, problem.Conflict)
	co.core.operators[ada] = route.OperatorView{State: route.OnCall, Call: 77}
	co.core.calls[77] = route.CallView{ID: 77, State: "connected", Voice: "on"}
	checkEnvelope(t, co.send("PATCH", target, `{"enable_vi":false}`), 409, problem.Conflict) // not allowed
	co.core.heard = func(event route.Event) {
		if set, ok := event.(route.VoiceSet); ok {
			state := map[bool]string{true: "on", false: "paused"}[set.On]
			co.core.calls[77] = route.CallView{ID: 77, State: "connected", Voice: state}
		}
	}
	got := co.send("PATCH", target, `{"enable_vi":false,"vi_locale":"en"}`).want(200)
	if got.at("enable_vi") != false || got.at("id") != "77" || got.at("vi_locale") != "en" {
		t.Errorf("%s", got.body)
	}
	me := as(co.key(store.RoleUser, ada))
	got = co.send("PATCH", "/api/v2/users/me/togglevi", `{"enable_vi":true}`, me).want(200)
	if got.at("enable_vi") != true {
		t.Errorf("%s", got.body)
	}
	co.send("PATCH", target, `{}`).want(400)
	co.send("PATCH", target, `{"enable_vi":true}`, as(co.key(store.RoleUser, operatorID(t, co.user("ben"))))).want(403)
}
