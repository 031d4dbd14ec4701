package flow

// Resolved fills in the expressions of a template that stands in the definition beside the tasks, as far as they are
// about the run itself: the key of rateLimitConfig.
func (r *Run) Resolved(template Value) Value {
	r.prepare()
	return Plain(resolve(template, r.lookup(scope{}, "")))
}

// Filled fills in the expressions of a template that stands outside of any run, such as the input that an event handler
// gives: ${name.path} is of the member name of roots. A reference to a secret stays text.
func Filled(template Value, roots Map) (Value, error) {
	v, err := resolveWithin(template, func(name string) (Value, bool) {
		root, ok := roots[name]
		return root, ok
	})
	if err != nil {
		return nil, err
	}
	return Plain(v), nil
}
