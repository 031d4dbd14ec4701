package flow

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// FuzzResolve fills in any template from any value: no secret is named but by the template, what comes out can be
// stored and read again, and a value taken over as it is can be seen as it was.
func FuzzResolve(f *testing.F) {
	for _, seed := range [][2]string{
		{`"${v}"`, `"${workflow.secrets.A}"`},
		{`"a ${v.b[0]} $${c} ${workflow.secrets.A.b} ${v['b']}"`, `{"b": ["$${workflow.secrets.A}"]}`},
		{`["${v..n}", {"x": "${v[?(@.n > 1 && !(@.m == 'x') || @ != null)]}"}]`, `[{"n": 1}, {"n": 2.5, "m": "x"}]`},
		{`"${v.a}${v.b}{workflow.secrets.A}$"`, `{"a": "$", "b": "${workflow.secrets."}`},
		{`"${v.${v.k}} ${} ${v[-1]} ${v[*]} ${"`, `{"k": "k"}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, template, value string) {
		from, err := Decode([]byte(template))
		if err != nil {
			return
		}
		v, err := Decode([]byte(value))
		if err != nil {
			return
		}
		roots := rootsOf(Map{"v": v, "workflow": Map{"input": v}})
		stored, err := resolveWithin(from, roots)
		if err != nil {
			return
		}
		if refs := Secrets(stored); len(refs) > strings.Count(template, "secrets")+strings.Count(template, `\u`) {
			t.Fatalf("%s from %s refers to %v", template, value, refs)
		}
		again, err := Decode(Encode(stored))
		if err != nil || !reflect.DeepEqual(again, stored) {
			t.Fatalf("%s is read again as %s, %v", Encode(stored), Encode(again), err)
		}
		whole := resolve("${v}", roots)
		if refs := Secrets(whole); len(refs) > 0 || !reflect.DeepEqual(Plain(whole), v) {
			t.Fatalf("%s was taken over as %s and refers to %v", value, Encode(whole), refs)
		}
		joined, _ := resolve("a${v}b", roots).(string)
		if refs := Secrets(joined); len(refs) > 0 || Plain(joined) != "a"+asText(v)+"b" {
			t.Fatalf("%s was joined as %s and refers to %v", value, joined, refs)
		}
		beside, _ := resolve("${v}${workflow.secrets.S}${v}", roots).(string)
		if filled, _ := Fill(beside, named); filled != asText(v)+"<S>"+asText(v) {
			t.Fatalf("%s beside a secret became %s", value, filled)
		}
	})
}

// FuzzParse reads and checks any definition: one that is read comes out as it would be read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"name": "w", "tasks": [{"name": "t", "taskReferenceName": "r", "inputParameters": {"x": "${r.output[0]}"}}]}`,
		`{"name": "w", "tasks": [{"type": "SWITCH", "evaluatorType": "value-param", "decisionCases": {"a": [{}]}}]}`,
		`{"name": "w", "tasks": [{"type": "LAMBDA"}, {"type": "DECISION"}, {"type": "FORK_JOIN", "forkTasks": [[{}], []]}]}`,
		`{"tasks": [{"type": "SUB_WORKFLOW", "subWorkflowParam": {"workflowDefinition": {"tasks": [{}]}, "version": 1}}]}`,
		`{"tasks": [{"type": "HTTP_POLL", "inputParameters": {"http_request": {"uri": 1, "accept": [1]}}}], "version": 1e3}`,
		`{"tasks": [{"type": "START_WORKFLOW", "inputParameters": {"startWorkflow": {"name": "x"}}, "retryCount": null}]}`,
		`{"tasks": [{"type": "DO_WHILE", "loopOver": [{"taskReferenceName": "__1"}], "items": [1], "joinOn": ["a"]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, _, err := Parse(data)
		if err != nil {
			if d != nil || err.Error() == "" {
				t.Fatalf("%v with %v", d, err)
			}
			return
		}
		Check(d, Known{Workflow: func(string, int) *Definition { return d }})
		first, err := json.Marshal(d, JSON)
		if err != nil {
			t.Fatal(err)
		}
		again, warnings, err := Parse(first)
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v, %v", first, err, warnings)
		}
		if second, _ := json.Marshal(again, JSON); !bytes.Equal(first, second) {
			t.Fatalf("%s\nis read again as\n%s", first, second)
		}
	})
}
