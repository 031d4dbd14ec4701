package callcenter

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// company is what the tests take for the rest of the company: user 5, office 2, router 8 and the given centers.
func company(self ID, centers ...*Center) Place {
	byID := map[ID]*Center{}
	for _, c := range centers {
		byID[c.ID] = c
	}
	known := map[Target]bool{
		{5, TargetUser}: true, {6, TargetUser}: true, {2, TargetOffice}: true, {8, TargetCallRouter}: true,
	}
	return Place{
		Self:           self,
		OfficeTimezone: "Europe/Berlin",
		Exists: func(t Target) bool {
			return known[t] || t.Type == TargetCallCenter && (byID[ID(t.ID)] != nil || ID(t.ID) == self)
		},
		Center: func(id ID) (*Center, bool) { c, ok := byID[id]; return c, ok },
	}
}

func decode(t *testing.T, body string) Patch {
	t.Helper()
	var p Patch
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return p
}

func fields(problems Problems) string {
	var names []string
	for _, p := range problems {
		names = append(names, p.Field)
	}
	return strings.Join(names, " ")
}

// refusals holds bodies to the fields that are refused in them; none: the body is taken.
func refusals(t *testing.T, s Settings, at Place, cases []struct{ body, want string }) {
	t.Helper()
	for _, c := range cases {
		next, problems := s.Apply(decode(t, c.body), at)
		if got := fields(problems); got != c.want {
			t.Errorf("%s\n got bad fields %q\nwant %q\n(%v)", c.body, got, c.want, problems)
		}
		if len(problems) > 0 && !next.Equal(s) {
			t.Errorf("%s was refused and changed something", c.body)
		}
		for _, p := range problems {
			if p.Message == "" {
				t.Errorf("%s: %s has no message", c.body, p.Field)
			}
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	s, problems := Create(decode(t, `{"name":"Support"}`), company(0))
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	if !reflect.DeepEqual(s, Defaults("Support")) {
		t.Errorf("created from a name alone: %+v", s)
	}
	if s.HoursOn || s.RingSeconds != 30 || s.HoldQueue.MaxHoldCount != 50 || s.HoldQueue.MaxHoldSeconds != 900 ||
		!s.HoldQueue.AnnouncePosition || s.Alerts != (Alerts{95, 60}) ||
		s.VoiceIntelligence != (VoiceIntelligence{true, true}) {
		t.Errorf("defaults: %+v", s)
	}
	if s.FirstAction() != "operators" || s.NoOperatorsAction() != ActionVoicemail {
		t.Errorf("first action %s, no operators action %s", s.FirstAction(), s.NoOperatorsAction())
	}
}

func TestCreateNeedsAName(t *testing.T) {
	for body, message := range map[string]string{
		`{}`:            "is required",
		`{"name":null}`: "is required",
		`{"name":""}`:   "must not be blank",
		`{"name":" "}`:  "must not be blank",
	} {
		_, problems := Create(decode(t, body), company(0))
		if len(problems) != 1 || problems[0] != (Problem{"name", message}) {
			t.Errorf("create %s: %v, want name %s", body, problems, message)
		}
	}
}

func TestNullAndAbsentChangeNothing(t *testing.T) {
	before := Defaults("Support")
	before.GroupDescription = "first line\n\tsecond"
	for _, body := range []string{
		`{}`,
		`{"name":null,"group_description":null,"hours_on":null,"monday_hours":null,"ring_seconds":null,"timezone":null,
		  "routing_options":null,"hold_queue":null,"alerts":null,"advanced_settings":null,"voice_intelligence":null}`,
		`{"hold_queue":{},"alerts":{},"advanced_settings":{},"voice_intelligence":{}}`,
		`{"hold_queue":{"max_hold_count":null,"max_hold_seconds":null,"announce_position":null,"queue_escape_dtmf":null},
		  "alerts":{"cc_service_level":null,"cc_service_level_seconds":null},
		  "advanced_settings":{"max_wrap_up_seconds":null,"auto_call_recording":{"call_recording_inbound":null}},
		  "voice_intelligence":{"auto_start":null}}`,
		`{"routing_options":{"open":{"action":"voicemail","try_dial_operators":true,"operator_routing":null,"dtmf":null,
		  "action_target_id":null},"closed":{"action":"voicemail","try_dial_operators":false}}}`,
	} {
		next, problems := before.Apply(decode(t, body), company(1))
		if len(problems) != 0 || !next.Equal(before) {
			t.Errorf("%s changed %+v (%v)", body, next, problems)
		}
	}
}

func TestLimitsAtTheirEdges(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ä", n) }
	refusals(t, Defaults("Support"), company(1), []struct{ body, want string }{
		{`{"name":"` + long(100) + `"}`, ""},
		{`{"name":"` + long(101) + `"}`, "name"},
		{`{"name":"a\tb"}`, "name"},
		{`{"group_description":"` + long(256) + `"}`, ""},
		{`{"group_description":"` + long(257) + `"}`, "group_description"},
		{`{"group_description":"a\n\tb"}`, ""},
		{`{"group_description":"a\rb"}`, "group_description"},
		{`{"group_description":""}`, ""},
		{`{"ring_seconds":9}`, "ring_seconds"},
		{`{"ring_seconds":10}`, ""},
		{`{"ring_seconds":45}`, ""},
		{`{"ring_seconds":46}`, "ring_seconds"},
		{`{"hold_queue":{"max_hold_count":0}}`, "hold_queue.max_hold_count"},
		{`{"hold_queue":{"max_hold_count":1}}`, ""},
		{`{"hold_queue":{"max_hold_count":1000}}`, ""},
		{`{"hold_queue":{"max_hold_count":1001}}`, "hold_queue.max_hold_count"},
		{`{"hold_queue":{"max_hold_seconds":29}}`, "hold_queue.max_hold_seconds"},
		{`{"hold_queue":{"max_hold_seconds":30}}`, ""},
		{`{"hold_queue":{"max_hold_seconds":18000}}`, ""},
		{`{"hold_queue":{"max_hold_seconds":18001}}`, "hold_queue.max_hold_seconds"},
		{`{"hold_queue":{"announcement_interval_seconds":9}}`, "hold_queue.announcement_interval_seconds"},
		{`{"hold_queue":{"announcement_interval_seconds":10}}`, ""},
		{`{"hold_queue":{"announcement_interval_seconds":3600}}`, ""},
		{`{"hold_queue":{"announcement_interval_seconds":3601}}`, "hold_queue.announcement_interval_seconds"},
		{`{"hold_queue":{"queue_callback_threshold":-1}}`, "hold_queue.queue_callback_threshold"},
		{`{"hold_queue":{"queue_callback_threshold":0}}`, ""},
		{`{"hold_queue":{"queue_callback_threshold":1000}}`, ""},
		{`{"hold_queue":{"queue_callback_threshold":1001}}`, "hold_queue.queue_callback_threshold"},
		{`{"hold_queue":{"queue_callback_dtmf":"#"}}`, ""},
		{`{"hold_queue":{"queue_callback_dtmf":"A"}}`, "hold_queue.queue_callback_dtmf"},
		{`{"hold_queue":{"queue_escape_dtmf":""}}`, "hold_queue.queue_escape_dtmf"},
		{`{"hold_queue":{"queue_escape_dtmf":"12"}}`, "hold_queue.queue_escape_dtmf"},
		{`{"hold_queue":{"queue_escape_dtmf":"0"}}`, ""},
		{`{"alerts":{"cc_service_level":-1}}`, "alerts.cc_service_level"},
		{`{"alerts":{"cc_service_level":0}}`, ""},
		{`{"alerts":{"cc_service_level":100}}`, ""},
		{`{"alerts":{"cc_service_level":101}}`, "alerts.cc_service_level"},
		{`{"alerts":{"cc_service_level_seconds":0}}`, "alerts.cc_service_level_seconds"},
		{`{"alerts":{"cc_service_level_seconds":1}}`, ""},
		{`{"alerts":{"cc_service_level_seconds":3600}}`, ""},
		{`{"alerts":{"cc_service_level_seconds":3601}}`, "alerts.cc_service_level_seconds"},
		{`{"advanced_settings":{"max_wrap_up_seconds":-1}}`, "advanced_settings.max_wrap_up_seconds"},
		{`{"advanced_settings":{"max_wrap_up_seconds":0}}`, ""},
		{`{"advanced_settings":{"max_wrap_up_seconds":3600}}`, ""},
		{`{"advanced_settings":{"max_wrap_up_seconds":3601}}`, "advanced_settings.max_wrap_up_seconds"},
	})
}

func TestEveryBadFieldIsNamedInOrder(t *testing.T) {
	refusals(t, Defaults("Support"), company(1), []struct{ body, want string }{{
		`{"timezone":"Mars/Base","alerts":{"cc_service_level":101,"cc_service_level_seconds":0},"name":"",
		  "hold_queue":{"max_hold_count":0,"max_hold_seconds":1,"announce_position":true,"queue_escape_dtmf":"x"},
		  "tuesday_hours":["9:00","25:00"],"monday_hours":["08:00"],"ring_seconds":1,
		  "routing_options":{"open":{"action":"fly","operator_routing":"psychic",
		  "dtmf":[{"input":"x","options":{"action":"person"}}]}}}`,
		"name monday_hours tuesday_hours.0 tuesday_hours.1 ring_seconds routing_options.open.action " +
			"routing_options.open.try_dial_operators routing_options.open.operator_routing " +
			"routing_options.open.dtmf.0.input routing_options.open.dtmf.0.options.action_target_id " +
			"routing_options.open.dtmf.0.options.action_target_type routing_options.closed " +
			"hold_queue.max_hold_count hold_queue.max_hold_seconds hold_queue.announce_position " +
			"hold_queue.queue_escape_dtmf alerts.cc_service_level alerts.cc_service_level_seconds timezone",
	}})
}

func TestMergingIsFieldByField(t *testing.T) {
	s := Defaults("Support")
	next, problems := s.Apply(decode(t, `{"hold_queue":{"max_hold_count":7},"alerts":{"cc_service_level":80},
		"advanced_settings":{"auto_call_recording":{"call_recording_outbound":true}},
		"voice_intelligence":{"allow_pause":false},"monday_hours":[],"hours_on":true}`), company(1))
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	want := Defaults("Support")
	want.HoursOn = true
	want.Hours[1] = DayHours{}
	want.HoldQueue.MaxHoldCount = 7
	want.Alerts.ServiceLevelPercent = 80
	want.AdvancedSettings.AutoCallRecording.Outbound = true
	want.VoiceIntelligence.AllowPause = false
	if !next.Equal(want) {
		t.Errorf("got  %+v\nwant %+v", next, want)
	}
	if s.Hours[1][0] != "08:00" {
		t.Error("the settings before were changed")
	}
}

func TestPositionsAreNotAnnouncedInAShortQueue(t *testing.T) {
	steps := []struct {
		body     string
		refused  string
		announce bool
	}{
		{`{"hold_queue":{"max_hold_seconds":120}}`, "", true},
		{`{"hold_queue":{"max_hold_seconds":119,"announce_position":true}}`, "hold_queue.announce_position", true},
		{`{"hold_queue":{"max_hold_seconds":119}}`, "", false},
		{`{"hold_queue":{"announce_position":true}}`, "hold_queue.announce_position", false},
		{`{"hold_queue":{"max_hold_seconds":900}}`, "", false},
		{`{"hold_queue":{"announce_position":true}}`, "", true},
	}
	s := Defaults("Support")
	for _, step := range steps {
		next, problems := s.Apply(decode(t, step.body), company(1))
		if fields(problems) != step.refused || next.HoldQueue.AnnouncePosition != step.announce {
			t.Errorf("%s: refused %q, announces %v", step.body, fields(problems), next.HoldQueue.AnnouncePosition)
		}
		s = next
	}
	made, problems := Create(decode(t, `{"name":"a","hold_queue":{"max_hold_seconds":60}}`), company(0))
	if len(problems) != 0 || made.HoldQueue.AnnouncePosition {
		t.Errorf("created with a short wait: %+v (%v)", made.HoldQueue, problems)
	}
}

func TestDigitsOfTheQueueClashOnlyWhileCallbacksAreAllowed(t *testing.T) {
	equal := Defaults("Support")
	equal.HoldQueue.QueueEscapeDTMF = "9"
	refusals(t, equal, company(1), []struct{ body, want string }{
		{`{"name":"Other"}`, ""},
		{`{"hold_queue":{"allow_queue_callback":true}}`, "hold_queue.allow_queue_callback"},
		{`{"hold_queue":{"allow_queue_callback":true,"queue_escape_dtmf":"8"}}`, ""},
	})
	allowed := Defaults("Support")
	allowed.HoldQueue.AllowQueueCallback = true
	refusals(t, allowed, company(1), []struct{ body, want string }{
		{`{"hold_queue":{"queue_callback_dtmf":"*"}}`, "hold_queue.queue_callback_dtmf"},
		{`{"hold_queue":{"queue_escape_dtmf":"9"}}`, "hold_queue.queue_escape_dtmf"},
		{`{"hold_queue":{"queue_escape_dtmf":"9","queue_callback_dtmf":"*"}}`, ""},
		{`{"hold_queue":{"queue_escape_dtmf":"9","allow_queue_callback":false}}`, ""},
	})
}

func TestTimezoneFollowsTheOffice(t *testing.T) {
	s := Defaults("Support")
	steps := []struct{ zone, want string }{
		{"Europe/Berlin", ""}, // the office's: the answer sent back
		{"America/New_York", "America/New_York"},
		{"Europe/Berlin", "Europe/Berlin"}, // now a wish
		{"", ""},
	}
	for _, step := range steps {
		next, problems := s.Apply(Patch{Timezone: &step.zone}, company(1))
		if len(problems) != 0 || next.Timezone != step.want {
			t.Errorf("timezone %q stored as %q (%v)", step.zone, next.Timezone, problems)
		}
		s = next
	}
	refusals(t, s, company(1), []struct{ body, want string }{
		{`{"timezone":"Local"}`, "timezone"},
		{`{"timezone":"Berlin"}`, "timezone"},
		{`{"timezone":"../../etc/passwd"}`, "timezone"},
	})
	if loc, err := s.Location("America/New_York"); err != nil || loc.String() != "America/New_York" {
		t.Errorf("location of the office: %v, %v", loc, err)
	}
	s.Timezone = "Asia/Kathmandu"
	if loc, err := s.Location("America/New_York"); err != nil || loc.String() != "Asia/Kathmandu" {
		t.Errorf("location of the center: %v, %v", loc, err)
	}
	if _, err := Defaults("a").Location(""); err == nil {
		t.Error("no zone at all was taken")
	}
}

func TestResultSharesNoMemoryWithThePatch(t *testing.T) {
	p := Defaults("Support").Patch()
	s, problems := Create(p, company(0))
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	(*p.MondayHours)[0] = "23:00"
	if s.Hours[1][0] != "08:00" {
		t.Error("changing the patch changed the settings")
	}
}

func TestProblemsAsAnError(t *testing.T) {
	if err := (Problems{}).Err(); err != nil {
		t.Errorf("no problem is the error %v", err)
	}
	err := Problems{{"name", "is required"}, {"ring_seconds", "must be from 10 to 45"}}.Err()
	if err == nil || err.Error() != "name is required; ring_seconds must be from 10 to 45" {
		t.Errorf("error reads %v", err)
	}
}
