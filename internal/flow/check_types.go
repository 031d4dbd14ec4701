package flow

import (
	"slices"
	"strconv"
	"strings"
)

// taskTypes are the types that are run.
var taskTypes = []string{
	TypeSimple, TypeHTTP, TypeHTTPPoll, TypeSwitch, TypeSetVariable, TypeWait, TypeTerminate, TypeInline, TypeJQ, TypeNoop,
	TypeFork, TypeForkDynamic, TypeJoin, TypeExclusiveJoin, TypeDoWhile, TypeSubWorkflow, TypeStartWorkflow, TypeHuman,
	TypeEvent, TypeDynamic, TypeUpdateTask, TypeGetWorkflow, TypeTerminateRuns, TypeWaitForWebhook,
}

// refusedTypes are types of Conductor that are not run here, with the reason and what to do instead.
var refusedTypes = map[string]string{
	"KAFKA_PUBLISH":          "there is no Kafka client; use an HTTP task with Kafka's REST proxy",
	"JDBC":                   "workflows reach no databases; use an HTTP task with an API of the data",
	"PULL_WORKFLOW_MESSAGES": "runs have no queue of messages; use WAIT or WAIT_FOR_WEBHOOK",
	"AGENT":                  "there are no language models; use an HTTP task with an API that has them",
	"MCP":                    "there is no MCP client; use an HTTP task",
	"GRPC":                   "there is no gRPC client; use an HTTP task",
	"BUSINESS_RULE":          "there are no rule sheets; use SWITCH or INLINE",
	"SENDGRID":               "there is no mail client; use an HTTP task with the API of SendGrid",
	"OPS_GENIE":              "there is no Opsgenie client; use an HTTP task with its API",
	"JUMP":                   "a run goes on in the order of its definition; use SWITCH and DO_WHILE",
	"YIELD":                  "it belongs to a commercial server; use WAIT",
	"UPDATE_SECRET":          "workflows cannot change secrets",
	"GET_SIGNED_JWT":         "workflows cannot sign; use an HTTP task with a service that does",
	"QUERY_PROCESSOR":        "it belongs to a commercial server; use an HTTP task",
}

// refusedFamilies are beginnings, or with * ends, of types that are refused together.
var refusedFamilies = []struct{ prefix, reason string }{
	{"LLM_", "there are no language models; use an HTTP task with an API that has them"},
	{"AGENT_", "there are no language models; use an HTTP task with an API that has them"},
	{"GENERATE_", "no media are made here; use an HTTP task with an API that makes them"},
	{"MCP_", "there is no MCP client; use an HTTP task"},
	{"LIST_MCP_", "there is no MCP client; use an HTTP task"},
	{"CALL_MCP_", "there is no MCP client; use an HTTP task"},
}

func refusedType(kind string) (reason string, refused bool) {
	if reason, refused = refusedTypes[kind]; refused {
		return reason, true
	}
	for _, family := range refusedFamilies {
		if strings.HasPrefix(kind, family.prefix) {
			return family.reason, true
		}
	}
	return "", false
}

// ofType checks what a task of its type must have. It says whether there is such a type.
func (c *checker) ofType(p *place) bool {
	switch p.task.Type {
	case TypeHTTP, TypeHTTPPoll:
		c.http(p)
	case TypeSwitch:
		c.switches(p)
	case TypeWait:
		c.waits(p)
	case TypeTerminate:
		c.terminate(p)
	case TypeInline:
		c.inline(p)
	case TypeJQ:
		c.script(p, "/inputParameters/queryExpression", JQ, c.need(p, "queryExpression"))
	case TypeFork, TypeForkDynamic:
		c.fork(p)
	case TypeJoin, TypeExclusiveJoin:
		c.join(p)
	case TypeDoWhile:
		c.loop(p)
	case TypeSubWorkflow:
		c.subWorkflow(p)
	case TypeStartWorkflow:
		c.startWorkflow(p)
	case TypeEvent:
		c.event(p)
	case TypeDynamic:
		c.named(p, "dynamicTaskNameParam", p.task.DynamicTaskNameParam)
	case TypeUpdateTask:
		c.updateTask(p)
	case TypeGetWorkflow:
		if v, unknown := c.input(p, "workflowId"); v == nil && !unknown {
			c.need(p, "id")
		}
	case TypeTerminateRuns:
		c.need(p, "workflowId")
	default:
		return slices.Contains(taskTypes, p.task.Type)
	}
	return true
}

// templateOf is what the task definition gives for inputs that are absent.
func (c *checker) templateOf(t *Task) Map {
	if t.Def != nil {
		return t.Def.InputTemplate
	}
	if c.known.TaskDef != nil {
		if def := c.known.TaskDef(t.Name); def != nil {
			return def.InputTemplate
		}
	}
	return nil
}

// input gives a member of a task's input as the definition has it. Unknown says that only a run knows it.
func (c *checker) input(p *place, name string) (v Value, unknown bool) {
	if v = p.task.Input[name]; v == nil {
		v = c.templateOf(p.task)[name]
	}
	return v, v == nil && p.task.InputExpression != nil
}

// need complains if a member of a task's input is missing.
func (c *checker) need(p *place, name string) Value {
	v, unknown := c.input(p, name)
	if !unknown && (v == nil || v == "") {
		c.bad(p.path+"/inputParameters/"+name, "is missing")
	}
	return v
}

// named complains if a field that names a member of the input is empty or names none.
func (c *checker) named(p *place, field, name string) {
	if name == "" {
		c.bad(p.path+"/"+field, "is missing")
		return
	}
	if v, unknown := c.input(p, name); v == nil && !unknown {
		c.bad(p.path+"/"+field, "the input %s, which it names, is missing", quote(name))
	}
}

// fixed is a value that is text without expressions.
func fixed(v Value) (string, bool) {
	s, ok := v.(string)
	return s, ok && s != "" && !strings.Contains(s, "${")
}

// script checks a script that is not put together by expressions.
func (c *checker) script(p *place, path string, language Language, v Value) {
	if v == nil {
		return
	}
	text, ok := v.(string)
	switch {
	case !ok:
		c.bad(p.path+path, "must be text")
	case len(text) > MaxScriptSize:
		c.bad(p.path+path, "longer than %d bytes", MaxScriptSize)
	case c.known.Compiles == nil || strings.Contains(text, "${") && strings.HasPrefix(path, "/inputParameters"):
	default:
		if err := c.known.Compiles(language, text); err != nil {
			c.bad(p.path+path, "is no %s: %v", language, err)
		}
	}
}

func (c *checker) evaluator(path, kind string) {
	c.oneOf(path, kind, EvaluatorValueParam, EvaluatorJavaScript, EvaluatorGraalJS)
}

func (c *checker) switches(p *place) {
	t := p.task
	switch {
	case t.EvaluatorType == "":
		c.bad(p.path+"/evaluatorType", "is missing")
	case t.Expression == "":
		c.bad(p.path+"/expression", "is missing")
	case t.EvaluatorType == EvaluatorValueParam:
		c.named(p, "expression", t.Expression)
	default:
		c.evaluator(p.path+"/evaluatorType", t.EvaluatorType)
		c.script(p, "/expression", JavaScript, t.Expression)
	}
	if len(t.DecisionCases) == 0 && len(t.DefaultCase) == 0 {
		c.bad(p.path+"/decisionCases", "must have at least one case, or a defaultCase")
	}
}

func (c *checker) inline(p *place) {
	input := "/inputParameters/"
	kind, _ := c.input(p, "evaluatorType")
	if kind == nil {
		kind = p.task.EvaluatorType
	}
	text, isFixed := fixed(kind)
	if isFixed {
		c.evaluator(p.path+input+"evaluatorType", text)
	}
	expression, unknown := c.input(p, "expression")
	if expression == nil {
		input = "/"
		expression = p.task.Expression
	}
	switch {
	case unknown:
	case expression == nil || expression == "":
		c.bad(p.path+"/inputParameters/expression", "is missing")
	case text == EvaluatorValueParam:
		name, _ := expression.(string)
		c.named(p, "inputParameters/expression", name)
	default:
		c.script(p, input+"expression", JavaScript, expression)
	}
}

func (c *checker) waits(p *place) {
	duration, _ := c.input(p, "duration")
	until, _ := c.input(p, "until")
	if isGiven(duration) && isGiven(until) {
		c.bad(p.path+"/inputParameters", "a WAIT task takes duration or until, not both")
	}
	if text, ok := fixed(duration); ok {
		if _, err := parseWait(text); err != nil {
			c.bad(p.path+"/inputParameters/duration", "%v", err)
		}
	}
	if text, ok := fixed(until); ok {
		if _, err := parseUntil(text); err != nil {
			c.bad(p.path+"/inputParameters/until", "%v", err)
		}
	}
}

func (c *checker) terminate(p *place) {
	if text, ok := fixed(c.need(p, "terminationStatus")); ok {
		c.oneOf(p.path+"/inputParameters/terminationStatus", text,
			string(Completed), string(Failed), string(Terminated))
	}
	if p.task.Optional {
		c.bad(p.path+"/optional", "a TERMINATE task cannot be optional")
	}
}

func (c *checker) fork(p *place) {
	t := p.task
	if p.next == nil || !joins(p.next) {
		c.bad(p.path, "must be followed by a JOIN task")
	}
	if t.Type == TypeForkDynamic {
		c.forkDynamic(p)
		return
	}
	if len(t.ForkTasks) == 0 {
		c.bad(p.path+"/forkTasks", "must have at least one branch")
	}
	for i, branch := range t.ForkTasks {
		if len(branch) == 0 {
			c.bad(p.path+"/forkTasks/"+strconv.Itoa(i), "must have at least one task")
		}
	}
}

// forkDynamic takes either a list of tasks with their inputs, or one task or workflow for each of a list of inputs.
func (c *checker) forkDynamic(p *place) {
	if inputs, _ := c.input(p, "forkTaskInputs"); inputs != nil {
		return
	}
	c.named(p, "dynamicForkTasksParam", p.task.DynamicForkTasksParam)
	c.named(p, "dynamicForkTasksInputParamName", p.task.DynamicForkTasksInputParam)
}

func (c *checker) join(p *place) {
	list := func(field string, refs []string) {
		for i, ref := range refs {
			path := p.path + "/" + field + "/" + strconv.Itoa(i)
			target := c.places[ref]
			switch {
			case target == nil:
				c.noTask(path, ref)
			case target.at >= p.at:
				c.bad(path, "%s comes later: it would be waited for without end", quote(ref))
			}
		}
	}
	list("joinOn", p.task.JoinOn)
	list("defaultExclusiveJoinTask", p.task.DefaultJoinTask)
	if p.task.Type == TypeExclusiveJoin && len(p.task.JoinOn) == 0 {
		c.bad(p.path+"/joinOn", "must name at least one task")
	}
}

func (c *checker) loop(p *place) {
	t := p.task
	if len(t.LoopOver) == 0 {
		c.bad(p.path+"/loopOver", "must have at least one task")
	}
	if t.KeepLastN < 0 {
		c.bad(p.path+"/keepLastN", "must be 0 or more")
	}
	items, _ := c.input(p, "items")
	switch t.Items.(type) {
	case nil:
	case []any, string:
		c.templates(p, p.path+"/items", t.Items)
		items = t.Items
	default:
		c.bad(p.path+"/items", "must be a list or an expression")
		return
	}
	switch {
	case t.LoopCondition == "" && items == nil:
		c.bad(p.path+"/loopCondition", "is missing, and so is items")
	case t.LoopCondition != "" && t.EvaluatorType == EvaluatorValueParam:
		c.named(p, "loopCondition", t.LoopCondition)
	case t.LoopCondition != "":
		c.script(p, "/loopCondition", JavaScript, t.LoopCondition)
	}
}

// event checks where an EVENT task sends its event.
func (c *checker) event(p *place) {
	path, sink := p.path+"/sink", p.task.Sink
	if own, ok := p.task.Input["sink"].(string); ok && sink == "" {
		path, sink = p.path+"/inputParameters/sink", own
	}
	provider, name, found := strings.Cut(sink, ":")
	switch {
	case sink == "":
		c.bad(path, "is missing")
	case strings.Contains(provider, "${") || sink == "conductor":
	case provider != "conductor" && provider != "switchboard":
		c.bad(path, "events go to switchboard:NAME or conductor:NAME, not to %s", quote(provider))
	case !found || name == "":
		c.bad(path, "has no name behind %s:", provider)
	}
}

func (c *checker) updateTask(p *place) {
	if text, ok := fixed(c.need(p, "taskStatus")); ok {
		c.oneOf(p.path+"/inputParameters/taskStatus", text, string(InProgress), string(TaskCompleted),
			string(CompletedWithErrors), string(TaskFailed), string(FailedTerminally), string(TaskTimedOut),
			string(Canceled), string(Skipped))
	}
	if id, unknown := c.input(p, "taskId"); id == nil && !unknown {
		c.need(p, "workflowId")
		c.need(p, "taskRefName")
	}
}
