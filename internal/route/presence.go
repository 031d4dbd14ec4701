package route

import (
	"slices"

	"switchboard/internal/callcenter"
)

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

// CallPath is a call's CallView.Path, not to be written to: it stays as it is while the call goes on. nil: there is no
// such call.
func (m *Machine) CallPath(id CallID) []PathStep {
	c := m.calls[id]
	if c == nil {
		return nil
	}
	return slices.Clip(c.path)
}
