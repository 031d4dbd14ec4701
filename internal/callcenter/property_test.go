package callcenter

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// dayHours draws the valid hours of a day.
func dayHours() *rapid.Generator[DayHours] {
	return rapid.Custom(func(t *rapid.T) DayHours {
		minutes := rapid.SliceOfNDistinct(rapid.IntRange(0, 24*60), 0, 8, rapid.ID[int]).Draw(t, "minutes")
		slices.Sort(minutes)
		hours := DayHours{}
		for _, m := range minutes[:len(minutes)/2*2] {
			hours = append(hours, fmt.Sprintf("%02d:%02d", m/60, m%60))
		}
		return hours
	})
}

// targetFor draws an action and a target that is valid in company.
func targetFor(t *rapid.T) (Action, Target) {
	user, office := Target{5, TargetUser}, Target{2, TargetOffice}
	switch action := rapid.SampledFrom(actions).Draw(t, "action"); action {
	case ActionPerson:
		return action, user
	case ActionDepartment:
		return action, office
	case ActionBridgeTarget:
		return action, rapid.SampledFrom([]Target{user, office}).Draw(t, "target")
	case ActionVoicemail:
		return action, rapid.SampledFrom([]Target{{}, user}).Draw(t, "target")
	case ActionScriptedIVR:
		return action, rapid.SampledFrom([]Target{{}, {8, TargetCallRouter}}).Draw(t, "target")
	default:
		return action, Target{}
	}
}

func branch(t *rapid.T) Branch {
	b := Branch{
		TryDialOperators: rapid.Bool().Draw(t, "dial"),
		OperatorRouting:  rapid.SampledFrom(strategies).Draw(t, "strategy"),
		DTMF:             []MenuKey{},
	}
	for _, digit := range rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 1, 10, rapid.ID[int]).Draw(t, "keys") {
		action, target := targetFor(t)
		b.DTMF = append(b.DTMF, MenuKey{fmt.Sprint(digit), action, target})
	}
	b.Action, b.Target = targetFor(t)
	if b.Action != ActionMenu && rapid.Bool().Draw(t, "no menu") {
		b.DTMF = []MenuKey{}
	}
	return b
}

// validSettings draws settings that keep every rule.
func validSettings() *rapid.Generator[Settings] {
	return rapid.Custom(func(t *rapid.T) Settings {
		flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
		number := func(low, high int, name string) int { return rapid.IntRange(low, high).Draw(t, name) }
		s := Settings{
			Name:             rapid.StringMatching(`[a-zA-Zäöü] ?[0-9]{0,20}`).Draw(t, "name"),
			GroupDescription: rapid.StringMatching(`[a-z\n\t]{0,30}`).Draw(t, "description"),
			HoursOn:          flag("hours_on"),
			RingSeconds:      number(MinRingSeconds, MaxRingSeconds, "ring"),
			RoutingOptions:   RoutingOptions{branch(t), branch(t)},
			Alerts:           Alerts{number(0, 100, "percent"), number(1, 3600, "seconds")},
			AdvancedSettings: AdvancedSettings{
				number(0, 3600, "wrap"), AutoCallRecording{flag("in"), flag("out"), flag("pause")},
			},
			VoiceIntelligence: VoiceIntelligence{flag("auto"), flag("pause")},
			Timezone:          rapid.SampledFrom([]string{"", "Asia/Kathmandu"}).Draw(t, "zone"),
			HoldQueue: HoldQueue{
				MaxHoldCount:                number(MinHoldCount, MaxHoldCount, "count"),
				MaxHoldSeconds:              number(MinHoldSeconds, MaxHoldSeconds, "hold"),
				AnnouncementIntervalSeconds: number(10, 3600, "interval"),
				AllowQueueCallback:          flag("callback"),
				QueueCallbackDTMF:           rapid.SampledFrom([]string{"1", "9", "#"}).Draw(t, "callback digit"),
				QueueCallbackThreshold:      number(0, 1000, "threshold"),
				QueueEscapeDTMF:             rapid.SampledFrom([]string{"2", "0", "*"}).Draw(t, "escape digit"),
				StayInQueueAfterClosing:     flag("stay"),
				UnattendedQueue:             flag("unattended"),
			},
		}
		s.HoldQueue.AnnouncePosition = s.HoldQueue.MaxHoldSeconds >= MinAnnouncedHoldSeconds && flag("announce")
		for day := range s.Hours {
			s.Hours[day] = dayHours().Draw(t, "hours")
		}
		return s
	})
}

func TestSettingsAppliedToThemselvesStayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := validSettings().Draw(t, "settings")
		body, err := json.Marshal(s.Patch())
		if err != nil {
			t.Fatal(err)
		}
		var p Patch
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(p, s.Patch()) {
			t.Fatalf("through JSON %s became another patch", body)
		}
		next, problems := s.Apply(p, company(1))
		if len(problems) != 0 || !reflect.DeepEqual(next, s) {
			t.Fatalf("%s\ngave %+v\n(%v)", body, next, problems)
		}
	})
}

func TestSettingsAppliedToOthersMakeThemEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := validSettings().Draw(t, "from"), validSettings().Draw(t, "to")
		next, problems := from.Apply(to.Patch(), company(1))
		if len(problems) != 0 || !next.Equal(to) {
			t.Fatalf("got %+v\nwant %+v\n(%v)", next, to, problems)
		}
		if from.Equal(to) != reflect.DeepEqual(from, to) {
			t.Fatalf("Equal and DeepEqual differ over %+v and %+v", from, to)
		}
	})
}
