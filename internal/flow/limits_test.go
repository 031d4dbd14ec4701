package flow

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// problemsOf parses and checks a definition that has these tasks.
func problemsOf(t *testing.T, tasks string) []Problem {
	t.Helper()
	d, _, err := Parse([]byte(`{"name": "w", "tasks": [` + tasks + `]}`))
	if err != nil {
		return []Problem{{Message: err.Error()}}
	}
	return Check(d, Known{})
}

// atTheEdge makes sure that a definition as large as the limit passes and one that is larger by one does not.
func atTheEdge(t *testing.T, limit int, says string, tasks func(n int) string) {
	t.Helper()
	if problems := problemsOf(t, tasks(limit)); Refused(problems) {
		t.Errorf("%d: %v", limit, problems)
	}
	problems := problemsOf(t, tasks(limit+1))
	for _, p := range problems {
		if !p.Warning && strings.Contains(p.Message, says) {
			return
		}
	}
	t.Errorf("%d: %v", limit+1, problems)
}

func simpleTask(ref string) string {
	return fmt.Sprintf(`{"name": "t", "taskReferenceName": "%s"}`, ref)
}

func withInput(text string) string {
	return fmt.Sprintf(`{"name": "t", "taskReferenceName": "r", "inputParameters": {"x": %s}}`, Encode(text))
}

func TestLimitsOfDefinitions(t *testing.T) {
	atTheEdge(t, MaxTasks, "more than 1000 tasks", func(n int) string {
		var refs []string
		for i := range n {
			refs = append(refs, simpleTask(fmt.Sprintf("r%d", i)))
		}
		return strings.Join(refs, ",")
	})
	atTheEdge(t, MaxTasks, "more than 1000 tasks", func(n int) string {
		var refs []string
		for i := range n - 1 {
			refs = append(refs, simpleTask(fmt.Sprintf("r%d", i)))
		}
		return fmt.Sprintf(`{"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW", "subWorkflowParam":
			{"workflowDefinition": {"name": "w", "tasks": [%s]}}}`, strings.Join(refs, ","))
	})
	atTheEdge(t, MaxTaskDepth, "nested more than 32 deep", func(n int) string {
		text := simpleTask("r")
		for i := range n - 1 {
			text = fmt.Sprintf(`{"name": "d", "taskReferenceName": "d%d", "type": "DO_WHILE", "loopCondition": "1",
				"loopOver": [%s]}`, i, text)
		}
		return text
	})
	atTheEdge(t, MaxTaskDepth, "nested more than 32 deep", func(n int) string {
		text := simpleTask("r")
		for range n - 1 {
			text = fmt.Sprintf(`{"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW", "subWorkflowParam":
				{"workflowDefinition": {"name": "w", "tasks": [%s]}}}`, text)
		}
		return text
	})
	atTheEdge(t, MaxNameLength, "longer than 255 characters", func(n int) string {
		return simpleTask(strings.Repeat("é", n))
	})
	atTheEdge(t, MaxScriptSize, "longer than 65536 bytes", func(n int) string {
		return fmt.Sprintf(`{"name": "i", "taskReferenceName": "i", "type": "INLINE", "inputParameters":
			{"evaluatorType": "javascript", "expression": "%s"}}`, strings.Repeat("1", n))
	})
	atTheEdge(t, MaxRetryCount, "must be from 0 to 1000", func(n int) string {
		return fmt.Sprintf(`{"name": "t", "taskReferenceName": "t", "retryCount": %d}`, n)
	})
	atTheEdge(t, MaxPeriodSeconds, "must be from 0 to", func(n int) string {
		return fmt.Sprintf(`{"name": "t", "taskReferenceName": "t", "startDelay": %d}`, n)
	})
}

func TestDefinitionsThatAreWrittenOutAreBounded(t *testing.T) {
	text := fmt.Sprintf(`{"name": "t", "taskReferenceName": "r", "inputParameters": {"x": "%s"}}`,
		strings.Repeat("x", MaxInlineSize/8))
	levels := func(n int) string {
		text := text
		for range n {
			text = fmt.Sprintf(`{"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW", "subWorkflowParam":
				{"workflowDefinition": {"name": "w", "tasks": [%s]}}}`, text)
		}
		return text
	}
	if problems := problemsOf(t, levels(7)); Refused(problems) {
		t.Error(problems)
	}
	if problems := problemsOf(t, levels(8)); !Refused(problems) {
		t.Error("8 levels passed")
	}
}

func TestLimitsOfExpressions(t *testing.T) {
	atTheEdge(t, MaxPathLength, "longer than 2000 bytes", func(n int) string {
		return withInput("${workflow.input." + strings.Repeat("x", n-len("workflow.input.")) + "}")
	})
	atTheEdge(t, MaxPathSteps, "more than 64 steps", func(n int) string {
		return withInput("${workflow.input" + strings.Repeat("[0]", n-1) + "}")
	})
	atTheEdge(t, MaxFilterDepth, "a condition nested more than 16 deep", func(n int) string {
		return withInput("${workflow.input[?" + strings.Repeat("(", n) + "@.x" + strings.Repeat(")", n) + "]}")
	})
	atTheEdge(t, MaxExpressionNests, "expressions nested more than 8 deep", func(n int) string {
		return withInput(strings.Repeat("${workflow.input.", n) + "x" + strings.Repeat("}", n))
	})
	roots := rootsOf(Map{"workflow": Map{"input": Map{"x": "x"}}})
	for n, want := range map[int]Value{MaxExpressionNests: "x", MaxExpressionNests + 1: nil} {
		text := strings.Repeat("${workflow.input.", n) + "x" + strings.Repeat("}", n)
		if v := resolve(text, roots); v != want {
			t.Errorf("%d within each other: %v", n, v)
		}
	}
}

func TestDefinitionsThatAreTooLongAreNotRead(t *testing.T) {
	text := `{"name": "w", "tasks": []}`
	long := text + strings.Repeat(" ", MaxDefinitionSize-len(text))
	if _, _, err := Parse([]byte(long)); err != nil {
		t.Error(err)
	}
	if _, _, err := Parse([]byte(long + " ")); err == nil {
		t.Error("read one byte too many")
	}
	if _, _, err := ParseTaskDef([]byte(`{"name": "` + long + `"}`)); err == nil {
		t.Error("read a task definition that is too long")
	}
}

// Each of these takes minutes if a text is gone through again for every expression in it.
func TestLongTextsAreGoneThroughOnce(t *testing.T) {
	roots := rootsOf(Map{"a": Map{"b": "é"}})
	for _, c := range []struct {
		one  string
		fits bool
	}{
		{"${a.b}", true},
		{"${a['b']} é $${", true},
		{"${", false},
		{"${a.b", false},
		{"${'", false},
	} {
		text := strings.Repeat(c.one, (MaxDefinitionSize-200)/(len(c.one)+1))
		problems := problemsOf(t, `{"name": "t", "taskReferenceName": "a", "inputParameters": {"x": "`+text+`"}}`)
		if c.fits == Refused(problems) {
			t.Errorf("%s: %d problems", c.one, len(problems))
		}
		if v, err := resolveWithin(text, roots); v == nil || err != nil {
			t.Errorf("%s: %v, %v", c.one, v, err)
		}
	}
}

// A warning must not take the place of a refusal, however many there are of it.
func TestListedProblemsAreBounded(t *testing.T) {
	var inputs []string
	for i := range MaxProblems + 1 {
		inputs = append(inputs, fmt.Sprintf(`"a%d": "${workflow.gone}", "b%d": "${gone.output}"`, i, i))
	}
	problems := problemsOf(t,
		`{"name": "t", "taskReferenceName": "r", "inputParameters": {`+strings.Join(inputs, ",")+`}}`)
	if len(problems) != 2*MaxProblems || !Refused(problems) {
		t.Errorf("%d problems", len(problems))
	}
}

func TestEveryFieldComesOutAsItWentIn(t *testing.T) {
	for _, v := range []any{new(Definition), new(TaskDef)} {
		fill(reflect.ValueOf(v).Elem(), 0)
		text, err := json.Marshal(v, JSON)
		if err != nil {
			t.Fatal(err)
		}
		again := reflect.New(reflect.TypeOf(v).Elem())
		if err := json.Unmarshal(text, again.Interface()); err != nil { // without options, as others may
			t.Fatal(err)
		}
		if !reflect.DeepEqual(v, again.Interface()) {
			more, _ := json.Marshal(again.Interface(), JSON)
			t.Errorf("%s\nbecame\n%s", text, more)
		}
	}
}

// fill gives everything in a struct a value that is not its default, tasks two deep.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth)
		}
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*Task]() {
			if depth++; depth > 2 {
				v.Set(reflect.ValueOf(&Task{Type: TypeNoop, Input: Map{}}))
				return
			}
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		member := reflect.New(v.Type().Elem()).Elem()
		fill(member, depth)
		v.SetMapIndex(reflect.ValueOf("k"), member)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(v.Type() == reflect.TypeFor[bool]())
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Interface:
		v.Set(reflect.ValueOf(int64(9007199254740993)))
	}
}
