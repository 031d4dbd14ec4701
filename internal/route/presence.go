package route

import "switchboard/internal/callcenter"

// CallState is a call's CallView.State and its call center without the rest of the view; "": there is no such call.
func (m *Machine) CallState(id CallID) (state string, at callcenter.ID) {
	c := m.calls[id]
	if c == nil {
		return "", 0
	}
	if c.center != nil {
		at = c.center.id
	}
	return callStates[c.state], at
}
