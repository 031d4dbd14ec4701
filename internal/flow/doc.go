// Package flow runs workflow programs written in Conductor's JSON (schemaVersion 2): it reads and checks definitions,
// fills in expressions, and decides after every event what a run does next (docs/reference/workflows.md).
//
// It refuses to have a clock, a goroutine, a disk or a network of its own: time and results come in as events, work
// goes out as effects. It runs no scripts: those go out as effects too, since they must be bounded in time and memory.
// It knows no secret: a reference to one stays text until the request is sent.
package flow
