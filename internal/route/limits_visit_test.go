package route

import (
	"fmt"
	"strings"
	"testing"

	"switchboard/internal/callcenter"
)

// visitMachine has one center that does an action at once, and so many operators called "Ada Abel 1" and so on.
func visitMachine(operators int, action callcenter.Action) *Machine {
	m := benchMachine(operators, callcenter.FixedOrder)
	at := m.centers[1]
	at.settings.RoutingOptions.Open.TryDialOperators = false
	at.settings.RoutingOptions.Open.Action = action
	at.settings.RoutingOptions.Open.Target = callcenter.Target{ID: 7, Type: callcenter.TargetCallRouter}
	for i, o := range m.ops {
		is := Operator{
			ID: o.id, Name: fmt.Sprintf("Ada Abel %d", i+1), FirstName: "Ada", LastName: "Abel", Active: true,
			Devices: []Device{{ID: callcenter.DeviceID(o.id), Static: true}},
		}
		m.Step(scriptStart, OperatorChanged{is})
	}
	m.Step(scriptStart, CallArrived{Call: 1, Center: 1, To: "+15550100"})
	return m
}

func press(m *Machine, keys string) (effects []Effect) {
	for _, k := range []byte(keys) {
		effects = m.Step(scriptStart, Digit{1, k})
	}
	return effects
}

func TestRouterWithin(t *testing.T) {
	m := visitMachine(0, callcenter.ActionScriptedIVR)
	m.Step(scriptStart.Add(AnswerWithin), Tick{})
	if got := m.Step(scriptStart.Add(RouterWithin-1), Tick{}); len(got) > 0 {
		t.Errorf("before its time: %v", got)
	}
	if got := orders[Play](m.Step(scriptStart.Add(RouterWithin), Tick{})); len(got) != 1 {
		t.Errorf("at its time: %v", got)
	}
}

func TestMaxAsks(t *testing.T) {
	m := visitMachine(0, callcenter.ActionScriptedIVR)
	ask := RouterAnswered{Call: 1, Answer: RouterAnswer{Action: RouterAsk, NumDigits: 1, Message: "One more?"}}
	for range MaxAsks {
		got := orders[Play](m.Step(scriptStart, ask))
		if len(got) != 1 || got[0].Phrases[0].Prompt != PromptText {
			t.Fatalf("asked: %v", got)
		}
		if sent := orders[AskRouter](press(m, "1")); len(sent) != 1 {
			t.Fatalf("sent: %v", sent)
		}
	}
	got := orders[Play](m.Step(scriptStart, ask))
	if len(got) != 1 || got[0].Phrases[0].Prompt != PromptVoicemail {
		t.Errorf("asked once more: %v", got)
	}
}

func TestMaxAskedDigits(t *testing.T) {
	for wish, want := range map[int]int{
		-1: 1, 0: 1, 1: 1, MaxAskedDigits: MaxAskedDigits, MaxAskedDigits + 1: MaxAskedDigits,
	} {
		m := visitMachine(0, callcenter.ActionScriptedIVR)
		m.Step(scriptStart, RouterAnswered{Call: 1, Answer: RouterAnswer{Action: RouterAsk, NumDigits: wish}})
		if early := orders[AskRouter](press(m, strings.Repeat("5", want-1))); len(early) > 0 {
			t.Errorf("%d asked for: sent %v", wish, early)
		}
		if sent := orders[AskRouter](press(m, "5")); len(sent) != 1 || len(sent[0].Digits) != want {
			t.Errorf("%d asked for: sent %v", wish, sent)
		}
	}
}

func TestMaxSpelledAndExtensionDigits(t *testing.T) {
	for action, most := range map[callcenter.Action]int{
		callcenter.ActionDirectory: MaxSpelled, callcenter.ActionExtension: MaxExtensionDigits,
	} {
		m := visitMachine(1, action)
		if got := orders[Play](press(m, strings.Repeat("9", most-1))); len(got) > 0 {
			t.Errorf("%s: too early %v", action, got)
		}
		got := orders[Play](press(m, "9"))
		if len(got) != 1 || got[0].Phrases[0].Prompt != PromptNotFound {
			t.Errorf("%s: after %d keys %v", action, most, got)
		}
	}
}

func TestMaxFound(t *testing.T) {
	for _, extra := range []int{0, 1} {
		m := visitMachine(MaxFound+extra, callcenter.ActionDirectory)
		got := orders[Play](press(m, "2235#"))
		if len(got) != 1 || len(got[0].Phrases) != MaxFound {
			t.Fatalf("to choose from %d: %v", MaxFound+extra, got)
		}
		if rings := orders[Ring](press(m, "9")); len(rings) != 1 {
			t.Errorf("the last of them: %v", rings)
		}
	}
}

// TestEntryIDs: the ids of later entry legs are those of no other, exact in JavaScript, and always the same.
func TestEntryIDs(t *testing.T) {
	seen := map[CallID]bool{}
	for visit := range CallID(1000) {
		for n := range MaxHops {
			id := entryID(visit+1, n+1)
			if id <= 0 || id >= 1<<52 || seen[id] || id != entryID(visit+1, n+1) {
				t.Fatalf("entry leg %d of %d is %d", n+1, visit+1, id)
			}
			seen[id] = true
		}
	}
}

// TestSpellings reads names as callers spell them.
func TestSpellings(t *testing.T) {
	for _, c := range []struct{ name, first, last, wantLast, wantFirst string }{
		{"", "Ada", "Lovelace", "56835223", "232"},
		{"Ada Lovelace", "", "", "56835223", "232"},
		{"Ada King Lovelace", "", "", "56835223", "2325464"},
		{"Plato", "", "", "75286", ""},
		{"", "Søren", "Åkesson-Ek", "2537766" + "35", "76736"},
		{"", "X Æ", "O'Neill", "663455", "92"},
	} {
		last, first := Operator{Name: c.name, FirstName: c.first, LastName: c.last}.spellings()
		if last != c.wantLast || first != c.wantFirst {
			t.Errorf("%s%s %s is spelled %s, %s", c.name, c.first, c.last, last, first)
		}
	}
}
