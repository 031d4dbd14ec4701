package callcenter

// FirstAction is the API's first_action: "operators" when an open center rings them, else "menu".
func (s Settings) FirstAction() string {
	if s.RoutingOptions.Open.TryDialOperators {
		return "operators"
	}
	return "menu"
}

// NoOperatorsAction is the API's no_operators_action: what an open center does with a call that no operator takes.
func (s Settings) NoOperatorsAction() Action { return s.RoutingOptions.Open.Action }
