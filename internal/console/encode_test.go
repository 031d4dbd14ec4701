package console

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/route"
	"switchboard/internal/voice"
)

func encode(t *testing.T, u engine.Update) string {
	t.Helper()
	b, err := appendUpdate(nil, u)
	if err != nil {
		t.Fatal(err)
	}
	head, data, ok := strings.Cut(string(b), "data: ")
	if !ok || !strings.HasSuffix(data, "\n\n") || strings.Count(data, "\n") != 2 || !strings.Contains(head, "id: ") {
		t.Fatalf("not one event: %q", b)
	}
	return strings.TrimSpace(data)
}

func TestFullUpdate(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	u := engine.Update{
		Seq: 9, At: at,
		Centers: []route.CenterView{{
			ID: 1 << 51, Name: "Support", Description: "Help", Strategy: callcenter.LongestIdle,
			RingSeconds: 25, Waiting: 2, OldestEntry: at,
			Availability: callcenter.Availability{Status: callcenter.HolidayClosed, Holiday: "Labour Day"},
			OnDuty:       4, Capacity: 1, Goal: callcenter.Alerts{ServiceLevelPercent: 80, ServiceLevelSeconds: 20},
			ServiceLevel: 71.4499, Outcomes: map[route.Outcome]int{route.Voicemail: 1, route.Answered: 3},
			MaxHoldCount: 50, LongestWait: 1500 * time.Millisecond, AnsweredInTarget: 2, Callbacks: 1,
			Alert: route.AlertView{Since: at, Text: "Too slow"},
		}},
		Operators: []route.OperatorView{{
			ID: 12, Name: "Ada", State: route.WrapUp, Since: at, Until: at.Add(time.Second), OffAfter: true, Missed: 1,
			Extend: time.Minute, Duty: callcenter.Duty{Reason: "Lunch"}, Centers: []callcenter.ID{1, 2},
		}},
		Calls: []route.CallView{{
			ID: 5, Center: 1, From: "+15550100", To: "+15550199", State: "queued", Since: at, Arrived: at, Entered: at,
			Direction: route.Outbound, Callback: true, Recording: "paused", Voice: "on", Position: 1,
			Operator: 12, Path: []route.PathStep{{At: at, Rule: "longestidle", Text: "Rang Ada"}},
		}},
		Ended: []route.CallRecord{{
			Call: 4, Visit: 8, Center: 1, From: "+15550100", To: "+15550199", Outcome: route.Voicemail, Reason: "timeout",
			Direction: route.Inbound, Arrived: at, Entered: at, Ended: at.Add(2 * time.Second),
			Path: []route.PathStep{{At: at, Rule: "timeout", Text: "Waited too long"}},
		}},
		DeletedCenters: []callcenter.ID{3}, DeletedOperators: []callcenter.OperatorID{6},
		Notices: []engine.Notice{{At: at, Level: "warning", Text: "Blocked", Alert: route.AlertRaised}},
	}
	want := `{"seq":9,"at":1700000000123,"centers":[{"id":"2251799813685248","name":"Support","description":"Help",` +
		`"availability":"holiday_closed","holiday":"Labour Day","strategy":"longestidle","ring_seconds":25,"waiting":2,` +
		`"oldest_entry":1700000000123,"on_duty":4,"capacity":1,"goal_percent":80,"goal_seconds":20,` +
		`"service_level":71.4,"outcomes":{"answered":3,"voicemail":1},"max_hold_count":50,"longest_wait_ms":1500,` +
		`"answered_in_target":2,"callbacks":1,` +
		`"alert":{"since":1700000000123,"text":"Too slow"}}],` +
		`"operators":[{"id":"12","name":"Ada","state":"wrap-up","since":1700000000123,` +
		`"until":1700000001123,"reason":"Lunch","off_after":true,"extend_ms":60000,"missed":1,"centers":["1","2"]}],` +
		`"calls":[{"id":"5","center":"1","from":"+15550100","to":"+15550199","state":"queued",` +
		`"since":1700000000123,"arrived":1700000000123,"entered":1700000000123,"position":1,"operator":"12",` +
		`"path":[{"at":1700000000123,"rule":"longestidle","text":"Rang Ada"}],` +
		`"direction":"outbound","callback":true,"recording":"paused","voice":"on"}],` +
		`"ended":[{"id":"4","visit":"8","at":1700000002123,"center":"1",` +
		`"from":"+15550100","to":"+15550199","outcome":"voicemail","reason":"timeout","wait_ms":2000,` +
		`"path":[{"at":1700000000123,"rule":"timeout","text":"Waited too long"}],"direction":"inbound"}],` +
		`"deleted_centers":["3"],"deleted_operators":["6"],` +
		`"notices":[{"at":1700000000123,"level":"warning","text":"Blocked","alert":"raised"}]}`
	if got := encode(t, u); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTalksOfAnUpdate(t *testing.T) {
	r := voice.Report{
		At: 9 * time.Second, State: voice.Held, Speaking: [2]bool{false, true},
		Turns: []voice.Turn{{Leg: voice.Operator, Start: time.Second, End: 2500 * time.Millisecond}},
		Gaps:  []voice.Gap{{State: voice.Paused, Start: 3 * time.Second, End: 4 * time.Second}},
	}
	r.Legs[voice.Operator] = voice.LegFigures{Talk: 1500 * time.Millisecond, Turns: 1, Monologue: time.Second}
	r.Overlap, r.Interruptions, r.Silence, r.DeadAir, r.DeadAirs = 20*time.Millisecond, 2, time.Second, time.Minute, 3
	r.Responses, r.ResponseTotal = 2, 3*time.Second
	got := encode(t, engine.Update{Talks: []engine.Talk{
		{Call: 5, Began: time.UnixMilli(1_700_000_000_123), Report: r}, {Call: 6},
	}})
	want := `{"seq":0,"at":0,"talks":[{"call":"5","began":1700000000123,"at_ms":9000,"state":"held",` +
		`"speaking":[false,true],"talk_ms":[0,1500],"monologue_ms":[0,1000],"turn_count":[0,1],"overlap_ms":20,` +
		`"interruptions":2,"silence_ms":1000,"dead_air_ms":60000,"dead_airs":3,"response_ms":1500,` +
		`"turns":[[1,1000,2500]],"gaps":[{"kind":"paused","start":3000,"end":4000}]},` +
		`{"call":"6","began":0,"at_ms":0,"speaking":[false,false],"talk_ms":[0,0],"monologue_ms":[0,0],` +
		`"turn_count":[0,0],"overlap_ms":0,"interruptions":0,"silence_ms":0,"dead_air_ms":0,"dead_airs":0,"turns":[]}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAbsentIsLeftOut(t *testing.T) {
	got := encode(t, engine.Update{
		Centers: []route.CenterView{{ID: 1, ServiceLevel: -1}}, Operators: []route.OperatorView{{ID: 2}},
		Calls: []route.CallView{{ID: 3}},
	})
	want := `{"seq":0,"at":0,"centers":[{"id":"1","name":"","availability":"","strategy":"","waiting":0,"on_duty":0,` +
		`"capacity":0,"goal_percent":0,"goal_seconds":0,"service_level":null,"outcomes":{},"max_hold_count":0,` +
		`"longest_wait_ms":0,"answered_in_target":0}],"operators":[{"id":"2","name":"","state":"","centers":[]}],` +
		`"calls":[{"id":"3","state":"","path":[]}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestServiceLevelWithoutDataIsNull(t *testing.T) {
	for level, want := range map[float64]string{
		-1: "null", math.NaN(): "null", math.Inf(1): "null", 0: "0", 100: "100", 99.96: "100", 79.94: "79.9",
	} {
		got := encode(t, engine.Update{Centers: []route.CenterView{{ServiceLevel: level}}})
		if !strings.Contains(got, `"service_level":`+want+`,`) {
			t.Errorf("level %v: %s, want %s", level, got, want)
		}
	}
}

// A caller chooses the bytes of their number: nothing in them may break the stream or end an event.
func FuzzCallerCannotBreakTheStream(f *testing.F) {
	f.Add("+1555\r\ndata: x\n\n")
	f.Add("\xff\x00</script>\u2028")
	f.Fuzz(func(t *testing.T, from string) {
		got := encode(t, engine.Update{Calls: []route.CallView{{From: from}}})
		if !json.Valid([]byte(got)) {
			t.Errorf("not JSON: %q", got)
		}
	})
}
