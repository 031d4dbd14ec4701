package flow

// Resolved fills in the expressions of a template that stands in the definition beside the tasks, as far as they are
// about the run itself: the key of rateLimitConfig.
func (r *Run) Resolved(template Value) Value {
	r.prepare()
	return Plain(resolve(template, r.lookup(scope{}, "")))
}
