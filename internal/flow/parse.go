package flow

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxDefinitionSize is how many bytes of JSON a definition may have.
const MaxDefinitionSize = 1 << 20

// What a definition that says nothing about it has.
const (
	DefaultRetryCount             = 3
	DefaultRetryDelaySeconds      = 60
	DefaultResponseTimeoutSeconds = 3600
)

// Timeout policies and retry logics, as definitions name them.
const (
	TimeOutWorkflow = "TIME_OUT_WF"
	AlertOnly       = "ALERT_ONLY"
	RetryOnTimeout  = "RETRY"

	RetryFixed       = "FIXED"
	RetryExponential = "EXPONENTIAL_BACKOFF"
	RetryLinear      = "LINEAR_BACKOFF"
)

// Old task types, that Parse turns into what they became.
const (
	oldDecision    = "DECISION"
	oldLambda      = "LAMBDA"
	oldUserDefined = "USER_DEFINED"
)

// How SWITCH and INLINE tasks come to their result.
const (
	EvaluatorValueParam = "value-param"
	EvaluatorJavaScript = "javascript"
	EvaluatorGraalJS    = "graaljs"
)

// Problem is what is wrong with a definition, or with Warning what only may be.
type Problem struct {
	Path    string `json:"path"` // JSON pointer (RFC 6901) into the definition; empty: the whole
	Message string `json:"message"`
	Warning bool   `json:"warning,omitzero"`
}

// String is the place and the message.
func (p Problem) String() string {
	kind := ""
	if p.Warning {
		kind = "warning: "
	}
	return fmt.Sprintf("%s: %s%s", p.Path, kind, p.Message)
}

// Refused says whether any of the problems is more than a warning.
func Refused(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// Parse reads a workflow definition. The warnings name members that are not known, which are left out. An error is a
// *ParseError; whether what was read can be run, Check says.
func Parse(data []byte) (*Definition, []Problem, error) {
	d := new(Definition)
	warnings, err := parse(data, d, reflect.TypeFor[Definition]())
	if err != nil {
		return nil, nil, err
	}
	return d, warnings, nil
}

// ParseTaskDef reads a task definition, as Parse does a workflow definition.
func ParseTaskDef(data []byte) (*TaskDef, []Problem, error) {
	d := new(TaskDef)
	warnings, err := parse(data, d, reflect.TypeFor[TaskDef]())
	if err != nil {
		return nil, nil, err
	}
	return d, warnings, nil
}

func parse(data []byte, to any, kind reflect.Type) ([]Problem, error) {
	if len(data) > MaxDefinitionSize {
		return nil, &ParseError{Message: fmt.Sprintf("longer than %d bytes", MaxDefinitionSize)}
	}
	raw, err := Decode(data)
	if err != nil {
		return nil, parseError(err)
	}
	if _, ok := raw.(Map); !ok {
		return nil, &ParseError{Message: "must be an object"}
	}
	u := unknown{fields: map[reflect.Type]map[string]reflect.Type{}}
	if u.look(raw, kind, ""); u.tasks > MaxTasks {
		return nil, &ParseError{"/tasks", fmt.Sprintf("more than %d tasks", MaxTasks)}
	}
	if err := json.Unmarshal(data, to, JSON); err != nil {
		return nil, parseError(err)
	}
	sortProblems(u.found)
	return u.found, nil
}

// ParseError says where and why a definition cannot be read.
type ParseError struct {
	Path    string // JSON pointer
	Message string
}

func (e *ParseError) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

func parseError(err error) *ParseError {
	var own *ParseError
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return &ParseError{string(syntactic.JSONPointer), "is there twice"}
	case errors.As(err, &syntactic):
		return &ParseError{string(syntactic.JSONPointer), "this is not JSON: " + syntactic.Err.Error()}
	case errors.As(err, &semantic):
		if errors.As(err, &own) {
			return &ParseError{string(semantic.JSONPointer) + own.Path, own.Message}
		}
		if semantic.GoType != nil {
			return &ParseError{string(semantic.JSONPointer), "must be " + wanted(semantic.GoType)}
		}
		return &ParseError{string(semantic.JSONPointer), semantic.Err.Error()}
	}
	if errors.As(err, &own) {
		return own
	}
	return &ParseError{Message: err.Error()}
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return wanted(t.Elem())
	}
	return "an object"
}

// UnmarshalJSONFrom reads a definition with its defaults, whatever the options are.
func (d *Definition) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain Definition
	*d = Definition{Version: 1, SchemaVersion: SchemaVersion, Restartable: true, TimeoutPolicy: AlertOnly}
	if err := json.UnmarshalDecode(dec, (*plain)(d), JSON); err != nil {
		return err
	}
	if d.TimeoutPolicy == "" {
		d.TimeoutPolicy = AlertOnly
	}
	return noNullTasks(d.Tasks, "/tasks")
}

// UnmarshalJSONFrom reads a task and turns an old type into what it became.
func (t *Task) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain Task
	*t = Task{}
	if err := json.UnmarshalDecode(dec, (*plain)(t), JSON); err != nil {
		return err
	}
	t.modernise()
	return nil
}

// UnmarshalJSONFrom reads a task definition with its defaults, whatever the options are.
func (d *TaskDef) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain TaskDef
	*d = TaskDef{
		RetryCount: DefaultRetryCount, RetryLogic: RetryFixed, RetryDelaySeconds: DefaultRetryDelaySeconds,
		BackoffScaleFactor: 1, TimeoutPolicy: TimeOutWorkflow, ResponseTimeout: DefaultResponseTimeoutSeconds,
	}
	if err := json.UnmarshalDecode(dec, (*plain)(d), JSON); err != nil {
		return err
	}
	if d.RetryLogic == "" {
		d.RetryLogic = RetryFixed
	}
	if d.TimeoutPolicy == "" {
		d.TimeoutPolicy = TimeOutWorkflow
	}
	if d.BackoffScaleFactor == 0 {
		d.BackoffScaleFactor = 1
	}
	return nil
}

// modernise turns a task of an old type into what the type became.
func (t *Task) modernise() {
	switch t.Type {
	case "", oldUserDefined:
		t.Type = TypeSimple
	case oldDecision:
		t.Type = TypeSwitch
		switch {
		case t.EvaluatorType != "":
		case t.CaseExpression != "":
			t.EvaluatorType, t.Expression = EvaluatorJavaScript, t.CaseExpression
		default:
			t.EvaluatorType, t.Expression = EvaluatorValueParam, t.CaseValueParam
		}
		t.CaseExpression, t.CaseValueParam = "", ""
	case oldLambda:
		t.Type = TypeInline
		script, given := t.Input["scriptExpression"]
		if !given && t.ScriptExpression != "" {
			script, given = t.ScriptExpression, true
		}
		if given {
			delete(t.Input, "scriptExpression")
			if t.Input == nil {
				t.Input = Map{}
			}
			t.Input["expression"] = lambda(script)
		}
		if t.Input != nil && t.Input["evaluatorType"] == nil {
			t.Input["evaluatorType"] = EvaluatorJavaScript
		}
		t.ScriptExpression = ""
	}
}

// lambda makes a LAMBDA's script, which is the body of a function, into an expression. One that returns nothing by that
// word is an expression already.
func lambda(script Value) Value {
	text, ok := script.(string)
	if !ok || !returns.MatchString(text) {
		return script
	}
	return "(function () {" + text + "\n})()"
}

var returns = regexp.MustCompile(`\breturn\b`)

// noNullTasks makes sure that nobody who walks through tasks meets one that is nothing.
func noNullTasks(tasks []*Task, path string) error {
	for i, t := range tasks {
		at := path + "/" + strconv.Itoa(i)
		if t == nil {
			return &ParseError{at, "must be an object"}
		}
		for _, line := range t.lines() {
			if err := noNullTasks(line.tasks, at+line.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// taskLine is a list of tasks within a task.
type taskLine struct {
	path  string // from the task
	tasks []*Task
}

// lines are the lists of tasks within a task, in the order of what Conductor's JSON calls them; cases by name.
func (t *Task) lines() []taskLine {
	var lines []taskLine
	for _, name := range sortedKeys(t.DecisionCases) {
		lines = append(lines, taskLine{"/decisionCases/" + pointer(name), t.DecisionCases[name]})
	}
	if len(t.DefaultCase) > 0 {
		lines = append(lines, taskLine{"/defaultCase", t.DefaultCase})
	}
	for i, branch := range t.ForkTasks {
		lines = append(lines, taskLine{"/forkTasks/" + strconv.Itoa(i), branch})
	}
	if len(t.LoopOver) > 0 {
		lines = append(lines, taskLine{"/loopOver", t.LoopOver})
	}
	return lines
}

// pointer writes a name as a part of a JSON pointer.
func pointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// unknown finds members that a struct has no field for, deep in lists and objects of structs. It also counts the tasks,
// before each takes much more memory than its text.
type unknown struct {
	tasks  int
	fields map[reflect.Type]map[string]reflect.Type
	found  []Problem // at most MaxProblems
}

func (u *unknown) look(v Value, kind reflect.Type, path string) {
	switch kind.Kind() {
	case reflect.Pointer:
		u.look(v, kind.Elem(), path)
	case reflect.Slice:
		list, _ := v.([]any)
		for i, member := range list {
			u.look(member, kind.Elem(), path+"/"+strconv.Itoa(i))
		}
	case reflect.Map:
		object, _ := v.(Map)
		for _, name := range sortedKeys(object) {
			u.look(object[name], kind.Elem(), path+"/"+pointer(name))
		}
	case reflect.Struct:
		object, _ := v.(Map)
		if kind == reflect.TypeFor[Task]() {
			u.tasks++
		}
		fields := u.fieldsOf(kind)
		for _, name := range sortedKeys(object) {
			at := path + "/" + pointer(name)
			if field, ok := fields[name]; ok {
				u.look(object[name], field, at)
			} else if len(u.found) < MaxProblems {
				u.found = append(u.found, Problem{at, "is not known and left out", true})
			}
		}
	}
}

func (u *unknown) fieldsOf(kind reflect.Type) map[string]reflect.Type {
	if fields := u.fields[kind]; fields != nil {
		return fields
	}
	fields := map[string]reflect.Type{}
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		fields[name] = kind.Field(i).Type
	}
	u.fields[kind] = fields
	return fields
}

// sortProblems puts problems in the order of their places; of one place they keep theirs.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return comparePointers(a.Path, b.Path) })
}

// comparePointers compares part by part, numbers as numbers.
func comparePointers(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX == nil && errY == nil {
			return x - y
		}
		return strings.Compare(a, b)
	})
}
