package callcenter

import (
	"reflect"
	"strings"
	"testing"
)

// branches is a body that sets the open branch; the closed one goes to voicemail.
func branches(open string) string {
	return `{"routing_options":{"open":` + open + `,"closed":{"action":"voicemail","try_dial_operators":false}}}`
}

func TestRoutingOptionsNeedBothBranches(t *testing.T) {
	full := `{"action":"voicemail","try_dial_operators":true}`
	refusals(t, Defaults("Support"), company(1), []struct{ body, want string }{
		{`{"routing_options":{"open":` + full + `}}`, "routing_options.closed"},
		{`{"routing_options":{"closed":` + full + `}}`, "routing_options.open"},
		{`{"routing_options":{}}`, "routing_options.open routing_options.closed"},
		{branches(`{"action":"voicemail"}`), "routing_options.open.try_dial_operators"},
		{branches(`{"try_dial_operators":true}`), "routing_options.open.action"},
		{branches(`{"action":"Voicemail","try_dial_operators":true}`), "routing_options.open.action"},
		{
			branches(`{"action":"voicemail","try_dial_operators":true,"operator_routing":"fastest"}`),
			"routing_options.open.operator_routing",
		},
	})
}

func TestTargetsByAction(t *testing.T) {
	const id, kind = "routing_options.open.action_target_id", "routing_options.open.action_target_type"
	other := &Center{ID: 9, State: StateActive, Settings: Defaults("Sales")}
	var cases []struct{ body, want string }
	for _, c := range []struct{ action, target, want string }{
		{"person", ``, id + " " + kind},
		{"person", `"action_target_id":5`, kind},
		{"person", `"action_target_type":"user"`, id},
		{"person", `"action_target_id":5,"action_target_type":"user"`, ""},
		{"person", `"action_target_id":7,"action_target_type":"user"`, id},
		{"person", `"action_target_id":2,"action_target_type":"office"`, kind},
		{"person", `"action_target_id":0,"action_target_type":"office"`, kind + " " + id},
		{"person", `"action_target_id":-5,"action_target_type":"user"`, id},
		{"person", `"action_target_id":5,"action_target_type":"robot"`, kind},
		{"department", ``, id + " " + kind},
		{"department", `"action_target_id":2,"action_target_type":"office"`, ""},
		{"department", `"action_target_id":9,"action_target_type":"callcenter"`, ""},
		{"department", `"action_target_id":1,"action_target_type":"callcenter"`, id},
		{"department", `"action_target_id":3,"action_target_type":"department"`, id},
		{"department", `"action_target_id":5,"action_target_type":"user"`, kind},
		{"bridge_target", ``, id + " " + kind},
		{"bridge_target", `"action_target_id":5,"action_target_type":"user"`, ""},
		{"bridge_target", `"action_target_id":9,"action_target_type":"callcenter"`, ""},
		{"bridge_target", `"action_target_id":1,"action_target_type":"callcenter"`, id},
		{"bridge_target", `"action_target_id":5,"action_target_type":"unknown"`, id},
		{"voicemail", ``, ""},
		{"voicemail", `"action_target_id":5`, kind},
		{"voicemail", `"action_target_type":"user"`, id},
		{"voicemail", `"action_target_id":5,"action_target_type":"user"`, ""},
		{"voicemail", `"action_target_id":1,"action_target_type":"callcenter"`, ""},
		{"voicemail", `"action_target_id":7,"action_target_type":"user"`, id},
		{"scripted_ivr", ``, ""},
		{"scripted_ivr", `"action_target_id":8,"action_target_type":"callrouter"`, ""},
		{"scripted_ivr", `"action_target_id":5,"action_target_type":"user"`, kind},
		{"disabled", `"action_target_id":7,"action_target_type":"user"`, ""},
		{"disabled", `"action_target_id":7`, ""},
		{"message", `"action_target_type":"robot"`, kind},
	} {
		open := `{"action":"` + c.action + `","try_dial_operators":true`
		if c.target != "" {
			open += "," + c.target
		}
		cases = append(cases, struct{ body, want string }{branches(open + "}"), c.want})
	}
	refusals(t, Defaults("Support"), company(1, other), cases)
}

func TestTargetBelongsToItsAction(t *testing.T) {
	s := Defaults("Support")
	apply := func(open string) Branch {
		t.Helper()
		next, problems := s.Apply(decode(t, branches(open)), company(1))
		if len(problems) != 0 {
			t.Fatal(problems)
		}
		s = next
		return next.RoutingOptions.Open
	}
	b := apply(`{"action":"person","action_target_id":5,"action_target_type":"user","try_dial_operators":false,
		"operator_routing":"random","dtmf":[{"input":"1","options":{"action":"operator"}}]}`)
	if b.Target != (Target{5, TargetUser}) || s.FirstAction() != "menu" || s.NoOperatorsAction() != ActionPerson {
		t.Errorf("person: %+v, first action %s", b, s.FirstAction())
	}
	b = apply(`{"action":"voicemail","try_dial_operators":true}`)
	if b.Target != (Target{}) || b.OperatorRouting != Random || len(b.DTMF) != 1 {
		t.Errorf("the target goes with its action, routing and menu stay: %+v", b)
	}
	b = apply(`{"action":"disabled","action_target_id":5,"action_target_type":"user","try_dial_operators":true,"dtmf":[]}`)
	if b.Target != (Target{}) || b.DTMF == nil || len(b.DTMF) != 0 {
		t.Errorf("an idle target is dropped and the menu emptied: %+v", b)
	}
}

func TestMenus(t *testing.T) {
	const dtmf = "routing_options.open.dtmf"
	menu := func(keys string) string {
		return branches(`{"action":"menu","try_dial_operators":false,"dtmf":[` + keys + `]}`)
	}
	key := func(input, options string) string { return `{"input":"` + input + `","options":{` + options + `}}` }
	voicemail := `"action":"voicemail"`
	var all []string
	for digit := '0'; digit <= '9'; digit++ {
		all = append(all, key(string(digit), voicemail))
	}
	refusals(t, Defaults("Support"), company(1), []struct{ body, want string }{
		{branches(`{"action":"menu","try_dial_operators":false}`), dtmf},
		{menu(``), dtmf},
		{menu(key("1", voicemail)), ""},
		{menu(strings.Join(all, ",")), ""},
		{menu(key("1", voicemail) + "," + key("2", voicemail) + "," + key("1", voicemail)), dtmf + ".2.input"},
		{menu(key("*", voicemail)), dtmf + ".0.input"},
		{menu(key("#", voicemail)), dtmf + ".0.input"},
		{menu(key("10", voicemail)), dtmf + ".0.input"},
		{menu(key("", voicemail)), dtmf + ".0.input"},
		{menu(`{"options":{"action":"voicemail"}}`), dtmf + ".0.input"},
		{menu(key("1", voicemail) + `,{"input":"2"}`), dtmf + ".1.options"},
		{menu(key("1", ``)), dtmf + ".0.options.action"},
		{menu(key("1", `"action":"person","action_target_id":5,"action_target_type":"user"`)), ""},
		{
			menu(key("1", `"action":"person","action_target_id":99,"action_target_type":"user"`)),
			dtmf + ".0.options.action_target_id",
		},
		{
			menu(key("1", `"action":"bridge_target","action_target_id":1,"action_target_type":"callcenter"`)),
			dtmf + ".0.options.action_target_id",
		},
	})
}

// bridging is a center whose open branch bridges to another, by a menu key if byKey.
func bridging(id, to ID, name string, byKey bool) *Center {
	s := Defaults(name)
	target := Target{int64(to), TargetCallCenter}
	if byKey {
		s.RoutingOptions.Closed.DTMF = []MenuKey{{"3", ActionDepartment, target}}
	} else {
		s.RoutingOptions.Open.Action, s.RoutingOptions.Open.Target = ActionBridgeTarget, target
	}
	return &Center{ID: id, State: StateActive, Settings: s}
}

func TestCirclesAreNamed(t *testing.T) {
	at := company(1, bridging(2, 3, "Sales", false), bridging(3, 1, "Billing", true), bridging(4, 4, "Odd", false))
	body := `{"action":"bridge_target","action_target_id":2,"action_target_type":"callcenter","try_dial_operators":true}`
	_, problems := Defaults("Support").Apply(decode(t, branches(body)), at)
	want := Problems{{
		"routing_options.open.action_target_id",
		`leads back to the call center itself: "Support" (1) > "Sales" (2) > "Billing" (3) > "Support" (1)`,
	}}
	if !reflect.DeepEqual(problems, want) {
		t.Errorf("got %v, want %v", problems, want)
	}
	for _, free := range []Place{
		company(7, bridging(2, 3, "Sales", false), bridging(3, 1, "Billing", true)), // nothing leads to 7
		company(0, bridging(2, 3, "Sales", false)),                                  // being created
		company(1, bridging(2, 4, "Sales", false), bridging(4, 2, "Odd", false)),    // a circle of others
	} {
		if _, problems := Defaults("Support").Apply(decode(t, branches(body)), free); len(problems) != 0 {
			t.Errorf("from %d: %v", free.Self, problems)
		}
	}
	deleted := bridging(2, 1, "Sales", false)
	deleted.State = StateDeleted
	if _, problems := Defaults("Support").Apply(decode(t, branches(body)), company(1, deleted)); len(problems) != 0 {
		t.Errorf("over a deleted center: %v", problems)
	}
}

func TestDisappearedTargetStaysWhileItIsLeftAlone(t *testing.T) {
	s := Defaults("Support")
	s.RoutingOptions.Open.Action, s.RoutingOptions.Open.Target = ActionPerson, Target{99, TargetUser}
	s.RoutingOptions.Open.DTMF = []MenuKey{{"1", ActionPerson, Target{98, TargetUser}}}
	next, problems := s.Apply(s.Patch(), company(1))
	if len(problems) != 0 || !next.Equal(s) {
		t.Errorf("its own answer sent back: %v", problems)
	}
	refusals(t, s, company(1), []struct{ body, want string }{
		{`{"name":"Other"}`, ""},
		{
			branches(`{"action":"person","action_target_id":98,"action_target_type":"user","try_dial_operators":true}`),
			"routing_options.open.action_target_id",
		},
		{branches(`{"action":"voicemail","try_dial_operators":true,"dtmf":[{"input":"2","options":{"action":"person",
			"action_target_id":98,"action_target_type":"user"}}]}`), "routing_options.open.dtmf.0.options.action_target_id"},
	})
}

func TestEffectiveIsVoicemailWhereTheTargetIsGone(t *testing.T) {
	exists := company(1).Exists
	gone, here := Target{99, TargetUser}, Target{5, TargetUser}
	whole := Branch{
		Action: ActionPerson, Target: here, OperatorRouting: Random, TryDialOperators: true,
		DTMF: []MenuKey{{"1", ActionPerson, here}, {"2", ActionOperator, Target{}}},
	}
	if got, broken := whole.Effective(exists); broken || !reflect.DeepEqual(got, whole) {
		t.Errorf("a whole branch became %+v", got)
	}
	torn := whole
	torn.Target = gone
	torn.DTMF = []MenuKey{{"1", ActionPerson, here}, {"2", ActionScriptedIVR, Target{99, TargetCallRouter}}}
	want := whole
	want.Action, want.Target = ActionVoicemail, Target{}
	want.DTMF = []MenuKey{{"1", ActionPerson, here}, {"2", ActionVoicemail, Target{}}}
	if got, broken := torn.Effective(exists); !broken || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if torn.DTMF[1].Action != ActionScriptedIVR {
		t.Error("the stored branch was changed")
	}
	for _, c := range []struct {
		action Action
		target Target
		broken bool
	}{
		{ActionVoicemail, Target{}, false},
		{ActionVoicemail, gone, true},
		{ActionScriptedIVR, Target{}, false},
		{ActionPerson, Target{}, true},
		{ActionMessage, gone, false},
	} {
		got, broken := Branch{Action: c.action, Target: c.target}.Effective(exists)
		if broken != c.broken || broken && (got.Action != ActionVoicemail || got.Target != Target{}) {
			t.Errorf("%s to %v: %+v, broken %v", c.action, c.target, got, broken)
		}
	}
	s := Defaults("Support")
	s.RoutingOptions.Closed = torn
	wantBroken := []BrokenTarget{
		{"routing_options.closed.action_target_id", ActionPerson, gone},
		{"routing_options.closed.dtmf.1.options.action_target_id", ActionScriptedIVR, Target{99, TargetCallRouter}},
	}
	if got := s.BrokenTargets(exists); !reflect.DeepEqual(got, wantBroken) {
		t.Errorf("broken targets %+v", got)
	}
}
