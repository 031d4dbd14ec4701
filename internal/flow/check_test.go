package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The scripts in testdata/definitions check definitions ("check"), or only their tasks ("tasks"), against those that
// are registered ("register"), and task definitions ("taskdef"). "read" shows what a definition is read as. A script in
// a definition does not compile if it says "oops".
func TestDefinitions(t *testing.T) {
	datadriven.Walk(t, "testdata/definitions", func(t *testing.T, file string) {
		world := registry{}
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "check":
				return checked(d.Input, world)
			case "tasks":
				return checked(`{"name": "w", "tasks": [`+d.Input+`]}`, world)
			case "register":
				definition, _, err := Parse([]byte(d.Input))
				if err != nil {
					t.Fatal(err)
				}
				world[definition.Name] = definition
				return ""
			case "taskdef":
				definition, warnings, err := ParseTaskDef([]byte(d.Input))
				if err != nil {
					return err.Error()
				}
				return listed(append(warnings, CheckTaskDef(definition)...))
			case "read":
				return read(t, d)
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

type registry map[string]*Definition

func (r registry) known() Known {
	return Known{
		Workflow: func(name string, version int) *Definition {
			if d := r[name]; d != nil && (version == 0 || version == d.Version) {
				return d
			}
			return nil
		},
		TaskDef: func(name string) *TaskDef {
			if name == "with_uri" {
				return &TaskDef{InputTemplate: Map{"uri": "http://a.example", "method": "GET"}}
			}
			return nil
		},
		Compiles: func(_ Language, script string) error {
			if strings.Contains(script, "oops") {
				return errors.New("oops is unexpected")
			}
			return nil
		},
	}
}

func checked(text string, world registry) string {
	d, warnings, err := Parse([]byte(text))
	if err != nil {
		return err.Error()
	}
	return listed(append(warnings, Check(d, world.known())...))
}

func listed(problems []Problem) string {
	if len(problems) == 0 {
		return "ok"
	}
	var out strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&out, p)
	}
	return out.String()
}

func read(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var v any = new(Definition)
	if d.HasArg("taskdef") {
		v = new(TaskDef)
	}
	if err := json.Unmarshal([]byte(d.Input), v, JSON); err != nil {
		return parseError(err).Error()
	}
	text, err := json.Marshal(v, JSON, jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The check knows what expressions can find, and nothing else.
func TestTheCheckKnowsWhatExpressionsFind(t *testing.T) {
	r := &Run{Definition: &Definition{}, Tasks: []*Attempt{{}}}
	for _, c := range []struct {
		known map[string]bool
		found Map
		also  string
	}{
		{runMembers, r.asValue(), secretsName},
		{attemptMembers, r.Tasks[0].asValue(), ""},
	} {
		for name := range c.found {
			if !c.known[name] {
				t.Errorf("%s is found and not known", name)
			}
		}
		for name := range c.known {
			if _, ok := c.found[name]; !ok && name != c.also {
				t.Errorf("%s is known and not found", name)
			}
		}
	}
}

func TestWhatIsRunIsKnownToTheCheck(t *testing.T) {
	for kind := range started {
		if !slices.Contains(taskTypes, kind) {
			t.Errorf("%s is run and refused", kind)
		}
	}
}
