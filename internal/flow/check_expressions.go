package flow

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// runMembers is what ${workflow. } can go on with.
var runMembers = set("input", "output", "variables", "env", secretsName, "status", "workflowId", "correlationId",
	"version", "workflowType", "workflowName", "parentWorkflowId", "parentWorkflowTaskId", "reasonForIncompletion",
	"priority", "createdBy", "createTime", "updateTime", "startTime", "taskToDomain", "failedTaskId", "schemaVersion")

// attemptMembers is what the reference name of a task can go on with.
var attemptMembers = set("input", "output", "status", "taskId", "retryCount", "referenceTaskName", "taskType",
	"taskDefName", "seq", "iteration", "pollCount", "scheduledTime", "startTime", "updateTime", "endTime",
	"reasonForIncompletion", "workerId", "subWorkflowId", "callbackAfterSeconds", "domain")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, name := range names {
		m[name] = true
	}
	return m
}

// templates checks the expressions in a value. The place is that of the task whose input it is; nil: of none.
func (c *checker) templates(p *place, path string, v Value) {
	switch v := v.(type) {
	case string:
		c.template(p, path, v, 0, 0)
	case []any:
		for i, member := range v {
			c.templates(p, path+"/"+strconv.Itoa(i), member)
		}
	case Map:
		for _, key := range sortedKeys(v) {
			c.templates(p, path+"/"+pointer(key), v[key])
		}
	}
}

// template checks the expressions in a text that begins at a character of the whole.
func (c *checker) template(p *place, path, text string, from, nests int) {
	if !strings.Contains(text, "${") {
		return
	}
	for _, part := range split(text) {
		at := from + part.at
		switch {
		case part.open:
			c.bad(path, "${ at character %d is never closed (for text write $${)", at+1)
		case part.expression:
			c.expression(p, path, part.text, at+len("${"), nests)
		}
	}
}

// expression checks what stands between ${ and }. What is filled into it first is taken to be a number, which is right
// wherever a name or a number may stand.
func (c *checker) expression(p *place, path, inner string, at, nests int) {
	if nests >= MaxExpressionNests {
		c.bad(path, "expressions nested more than %d deep", MaxExpressionNests)
		return
	}
	static, fixedRoot, dynamic := inner, true, false
	if strings.Contains(inner, "${") {
		c.template(p, path, inner, at, nests+1)
		var b strings.Builder
		for i, part := range split(inner) {
			if part.open {
				return // said already
			}
			if part.expression {
				dynamic = true
				fixedRoot = fixedRoot && i > 0 && strings.ContainsAny(b.String(), ".[")
				b.WriteByte('0')
				continue
			}
			b.WriteString(part.text)
		}
		static = b.String()
	}
	if strings.TrimSpace(static) == "" {
		return
	}
	parsed, err := parsePath(static)
	if err != nil {
		c.unreadable(path, static, at, err, dynamic)
		return
	}
	if parsed.secret() {
		c.secret(p, path, static, dynamic)
		return
	}
	if fixedRoot {
		c.reference(p, path, parsed, dynamic)
	}
}

// unreadable says where in the text an expression is wrong; after something else was filled in the place is not known.
func (c *checker) unreadable(path, inner string, at int, err error, dynamic bool) {
	wrong, ok := err.(*syntaxError)
	if !ok || dynamic {
		c.bad(path, "${%s} cannot be read: %v (for text write $${)", inner, err)
		return
	}
	leading := utf8.RuneCountInString(inner) - utf8.RuneCountInString(strings.TrimLeft(inner, " \t\r\n"))
	c.bad(path, "character %d: %s (for text write $${)", at+leading+wrong.at+1, wrong.message)
}

func (c *checker) secret(p *place, path, inner string, dynamic bool) {
	switch {
	case dynamic:
		c.bad(path, "a secret must be named in the definition, not chosen by a value")
	case secretReference(inner) == "":
		c.bad(path, "a secret is written ${workflow.secrets.NAME} or ${workflow.secrets.NAME.path}")
	case p == nil || p.task.Type != TypeHTTP && p.task.Type != TypeHTTPPoll:
		c.warn(path, "stays text: secrets are put only into the requests of HTTP and HTTP_POLL tasks")
	}
}

// reference checks what an expression starts from.
func (c *checker) reference(p *place, path string, e path, dynamic bool) {
	members := attemptMembers
	switch e.root {
	case "CPEWF_TASK_ID":
		return
	case "workflow":
		members = runMembers
	default:
		target := c.places[e.root]
		if target == nil {
			c.noTask(path, e.root)
			return
		}
		if p != nil {
			c.comesBefore(path, p, target)
		}
	}
	if !dynamic && len(e.steps) > 0 && e.steps[0].kind == stepName && !members[e.steps[0].name] {
		c.warn(path, "%s.%s is always null", e.root, e.steps[0].name)
	}
}

// noTask is about a name that no task of the definition has. A dynamic fork may bring one that has.
func (c *checker) noTask(path, ref string) {
	switch {
	case c.dynamic:
		c.warn(path, "there is no task %s, unless a dynamic fork brings it", quote(ref))
	case ref == strings.ToUpper(ref) && ref != strings.ToLower(ref):
		c.bad(path, "there is no task %s; variables of the environment are workflow.env.NAME", quote(ref))
	default:
		c.bad(path, "there is no task %s", quote(ref))
	}
}

// comesBefore says if a task looks at one that cannot have been run by then.
func (c *checker) comesBefore(path string, p, target *place) {
	if target == p {
		c.warn(path, "the task looks at itself: its output is not there yet")
		return
	}
	for i, outer := range p.inside {
		if i >= len(target.inside) || target.inside[i].task != outer.task {
			break
		}
		if outer.task.Type == TypeDoWhile {
			return // the turn before may have run it
		}
		if target.inside[i].line == outer.line {
			continue
		}
		if outer.task.Type == TypeSwitch {
			c.warn(path, "%s is in another case, which is not run with this one", quote(target.task.Ref))
			return
		}
		c.warn(path, "%s is in another branch and may not be over by then", quote(target.task.Ref))
		return
	}
	if target.at < p.at {
		return
	}
	if p.task.Type == TypeDoWhile && holds(target, p.task) {
		return
	}
	c.bad(path, "%s comes later", quote(target.task.Ref))
}

func holds(p *place, t *Task) bool {
	for _, outer := range p.inside {
		if outer.task == t {
			return true
		}
	}
	return false
}
