package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a definition (docs/reference/workflows.md, "Limits").
const (
	MaxTasks          = 1000 // together with those within tasks and inline definitions
	MaxTaskDepth      = 32   // tasks within each other
	MaxNameLength     = 255  // characters
	MaxScriptSize     = 64 << 10
	MaxInlineSize     = 4 << 20 // bytes of all definitions written out, those within each other counted at each level
	MaxRetryCount     = 1000
	MaxPeriodSeconds  = 10 * 366 * 24 * 3600 // of any delay or timeout that is given in seconds
	MaxConcurrentExec = 1_000_000
	MaxProblems       = 1000 // that are listed; as many warnings besides
)

// Known is what a check asks about the world around a definition. What is nil is not asked.
type Known struct {
	Workflow func(name string, version int) *Definition // version 0: the latest; nil: there is none
	TaskDef  func(name string) *TaskDef                 // nil: there is none
	Compiles func(Language, string) error               // what is wrong with a script
}

// Check says everything that is wrong with a definition, in the order of the places; with one problem that is more
// than a warning it must not be registered or started.
func Check(d *Definition, known Known) []Problem {
	c := &checker{known: known, own: d, places: map[string]*place{}, all: &totals{inline: map[*Task]*Definition{}}}
	c.definition(d)
	if c.all.tasks <= MaxTasks && c.all.inlineSize <= MaxInlineSize {
		c.cycles(d)
	}
	sortProblems(c.problems)
	return c.problems
}

// CheckTaskDef says everything that is wrong with a task definition.
func CheckTaskDef(d *TaskDef) []Problem {
	c := &checker{}
	c.name("/name", d.Name)
	c.taskDef("", d)
	sortProblems(c.problems)
	return c.problems
}

type checker struct {
	known    Known
	own      *Definition // that is checked
	base     string      // where the definition is within the one that is checked
	depth    int         // of the task that holds it
	problems []Problem
	refusals int // problems that are no warnings, with those that are not listed
	warnings int
	places   map[string]*place
	order    []*place // as the tasks stand
	dynamic  bool     // there is a dynamic fork, which may bring tasks
	all      *totals
}

// totals are over a definition and all that it writes out.
type totals struct {
	tasks      int
	inlineSize int // bytes
	inline     map[*Task]*Definition
}

// place is where a task stands.
type place struct {
	task   *Task
	path   string
	at     int // in the order in which the tasks stand
	inside []enclosure
	next   *Task // that follows it; nil: none
}

// enclosure is a task that holds others, and in which of its lists.
type enclosure struct {
	task *Task
	line string
}

func (c *checker) bad(path, format string, args ...any) { c.add(false, path, format, args...) }

func (c *checker) warn(path, format string, args ...any) { c.add(true, path, format, args...) }

func (c *checker) add(warning bool, path, format string, args ...any) {
	said := &c.refusals
	if warning {
		said = &c.warnings
	}
	if *said++; *said <= MaxProblems {
		c.problems = append(c.problems, Problem{c.base + path, fmt.Sprintf(format, args...), warning})
	}
}

func (c *checker) definition(d *Definition) {
	c.name("/name", d.Name)
	if d.Version < 1 {
		c.bad("/version", "must be 1 or more")
	}
	if d.SchemaVersion != SchemaVersion {
		c.bad("/schemaVersion", "must be %d", SchemaVersion)
	}
	c.period("/timeoutSeconds", d.TimeoutSeconds)
	c.oneOf("/timeoutPolicy", d.TimeoutPolicy, TimeOutWorkflow, AlertOnly)
	c.oneOf("/engine", d.Engine, "", "conductor")
	if d.FailureWorkflowVersion < 0 {
		c.bad("/failureWorkflowVersion", "must be 0 or more")
	}
	if l := d.RateLimit; l != nil {
		if l.Key == "" {
			c.bad("/rateLimitConfig/rateLimitKey", "is missing")
		}
		c.templates(nil, "/rateLimitConfig/rateLimitKey", l.Key)
		c.between("/rateLimitConfig/concurrentExecLimit", int64(l.ConcurrentExecLimit), 1, MaxConcurrentExec)
	}
	c.idle("/cacheConfig", d.CacheConfig != nil)
	c.idle("/enforceSchema", d.EnforceSchema)
	c.idle("/workflowStatusListenerEnabled", d.StatusListenerEnabled)
	if len(d.Tasks) == 0 {
		c.bad("/tasks", "must have at least one task")
	}
	c.collect(d.Tasks, "/tasks", nil)
	if c.all.tasks > MaxTasks {
		c.bad("/tasks", "more than %d tasks", MaxTasks)
		return
	}
	for _, p := range c.order {
		c.task(p)
	}
	c.templates(nil, "/outputParameters", d.Output)
	c.otherWorkflow("/failureWorkflow", d.FailureWorkflow, d.FailureWorkflowVersion)
}

// collect notes where every task stands.
func (c *checker) collect(tasks []*Task, path string, inside []enclosure) {
	for i, t := range tasks {
		if c.all.tasks++; c.all.tasks > MaxTasks {
			return
		}
		p := &place{task: t, path: path + "/" + strconv.Itoa(i), at: len(c.order), inside: inside}
		if i+1 < len(tasks) {
			p.next = tasks[i+1]
		}
		c.order = append(c.order, p)
		c.dynamic = c.dynamic || t.Type == TypeForkDynamic
		if first := c.places[t.Ref]; first != nil {
			c.bad(p.path+"/taskReferenceName", "%s is used by %s already", quote(t.Ref), first.path)
		} else {
			c.places[t.Ref] = p
		}
		if c.depth+len(inside) >= MaxTaskDepth {
			c.bad(p.path, "nested more than %d deep", MaxTaskDepth)
			continue
		}
		for _, line := range t.lines() {
			c.collect(line.tasks, p.path+line.path, append(slices.Clip(inside), enclosure{t, line.path}))
		}
	}
}

// turnSuffix is what the attempts of a turn of a loop have behind their reference name.
var turnSuffix = regexp.MustCompile(`__[0-9]+$`)

// task checks one task, but for those within it.
func (c *checker) task(p *place) {
	t := p.task
	c.name(p.path+"/name", t.Name)
	ref := p.path + "/taskReferenceName"
	switch {
	case t.Ref == "workflow" || t.Ref == "CPEWF_TASK_ID":
		c.bad(ref, "%s means something else in expressions", quote(t.Ref))
	case turnSuffix.MatchString(t.Ref):
		c.bad(ref, "must not end in __ and a number: turns of loops are named so")
	default:
		c.name(ref, t.Ref)
		if strings.ContainsAny(t.Ref, notInNames) {
			c.warn(ref, "no expression can name %s: it has a space or one of %s", quote(t.Ref), notInNames[4:])
		}
	}
	if reason, refused := refusedType(t.Type); refused {
		c.bad(p.path+"/type", "%s is not run here: %s", t.Type, reason)
		return
	}
	if !c.ofType(p) {
		c.bad(p.path+"/type", "%s is no task type; known are %s", quote(t.Type), strings.Join(taskTypes, ", "))
		return
	}
	c.period(p.path+"/startDelay", t.StartDelay)
	if t.RetryCount != nil {
		c.between(p.path+"/retryCount", int64(*t.RetryCount), 0, MaxRetryCount)
	}
	c.idle(p.path+"/cacheConfig", t.CacheConfig != nil)
	c.idle(p.path+"/onStateChange", t.OnStateChange != nil)
	if t.Def != nil {
		c.taskDef(p.path+"/taskDefinition", t.Def)
	}
	c.inputExpression(p)
	c.templates(p, p.path+"/inputParameters", t.Input)
	c.templates(p, p.path+"/sink", t.Sink)
	if t.Def != nil {
		c.templates(p, p.path+"/taskDefinition/inputTemplate", t.Def.InputTemplate)
	}
}

// inputExpression has one expression in place of all of the input.
func (c *checker) inputExpression(p *place) {
	if p.task.InputExpression == nil {
		return
	}
	path := p.path + "/inputExpression"
	if kind, ok := p.task.InputExpression["type"].(string); ok && kind != "JSON_PATH" {
		c.bad(path+"/type", "must be JSON_PATH")
	}
	expression, _ := p.task.InputExpression["expression"].(string)
	if strings.TrimSpace(expression) == "" {
		c.bad(path+"/expression", "is missing")
		return
	}
	c.expression(p, path+"/expression", expression, 0, 0)
}

// taskDef checks all but the name, that a task definition within a task may leave out.
func (c *checker) taskDef(path string, d *TaskDef) {
	c.between(path+"/retryCount", int64(d.RetryCount), 0, MaxRetryCount)
	c.oneOf(path+"/retryLogic", d.RetryLogic, RetryFixed, RetryExponential, RetryLinear)
	c.oneOf(path+"/timeoutPolicy", d.TimeoutPolicy, TimeOutWorkflow, RetryOnTimeout, AlertOnly)
	c.period(path+"/retryDelaySeconds", d.RetryDelaySeconds)
	c.period(path+"/maxRetryDelaySeconds", d.MaxRetryDelaySeconds)
	c.period(path+"/totalTimeoutSeconds", d.TotalTimeoutSeconds)
	c.period(path+"/timeoutSeconds", d.TimeoutSeconds)
	c.period(path+"/responseTimeoutSeconds", d.ResponseTimeout)
	c.period(path+"/pollTimeoutSeconds", d.PollTimeout)
	c.period(path+"/rateLimitFrequencyInSeconds", int64(d.RateLimitFreqSeconds))
	c.between(path+"/backoffScaleFactor", d.BackoffScaleFactor, 1, MaxPeriodSeconds)
	c.between(path+"/backoffJitterMs", d.BackoffJitterMs, 0, MaxPeriodSeconds)
	c.between(path+"/concurrentExecLimit", int64(d.ConcurrentExecLimit), 0, MaxConcurrentExec)
	c.between(path+"/rateLimitPerFrequency", int64(d.RateLimitPerFreq), 0, MaxConcurrentExec)
	c.idle(path+"/enforceSchema", d.EnforceSchema)
	c.idle(path+"/isolationGroupId", d.IsolationGroupID != "")
	c.idle(path+"/executionNameSpace", d.ExecutionNameSpace != "")
	if d.TimeoutSeconds > 0 && d.ResponseTimeout > d.TimeoutSeconds {
		c.warn(path+"/responseTimeoutSeconds", "is longer than timeoutSeconds, which ends the task first")
	}
}

// idle warns of what is kept and given back, but does nothing.
func (c *checker) idle(path string, given bool) {
	if given {
		c.warn(path, "has no effect here")
	}
}

// name checks what workflows, tasks and task definitions are called.
func (c *checker) name(path, name string) {
	switch {
	case name == "":
		c.bad(path, "is missing")
	case utf8.RuneCountInString(name) > MaxNameLength:
		c.bad(path, "longer than %d characters", MaxNameLength)
	case strings.ContainsAny(name, ":/\\?%"):
		c.bad(path, `must have none of : / \ ? %%`)
	case strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl):
		c.bad(path, "must have no control characters and no space at its ends")
	}
}

func (c *checker) oneOf(path, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	names := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	c.bad(path, "%s is not one of %s", quote(value), strings.Join(names, ", "))
}

func (c *checker) period(path string, seconds int64) { c.between(path, seconds, 0, MaxPeriodSeconds) }

func (c *checker) between(path string, n, least, most int64) {
	if n < least || n > most {
		c.bad(path, "must be from %d to %d", least, most)
	}
}

// otherWorkflow warns of a workflow that is not there yet: it may be registered later.
func (c *checker) otherWorkflow(path, name string, version int) {
	if strings.Contains(name, "${") {
		c.templates(nil, path, name)
		return
	}
	if name == "" || c.known.Workflow == nil || c.known.Workflow(name, version) != nil {
		return
	}
	if c.own != nil && name == c.own.Name && (version == 0 || version == c.own.Version) {
		return // registered with this
	}
	if version > 0 {
		c.warn(path, "no version %d of %s is registered", version, quote(name))
		return
	}
	c.warn(path, "no workflow %s is registered", quote(name))
}

// quote shows a text, short, within a message.
func quote(text string) string {
	if utf8.RuneCountInString(text) > 60 {
		text = string([]rune(text)[:60]) + "…"
	}
	return strconv.Quote(text)
}
