package hooks

import (
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/graph"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/trigger"
)

// The events that workflows can wait for besides those of calls (docs/reference/triggers.md, "Events").
const (
	eventDuty     = "switchboard:operator.duty"
	eventAlert    = "switchboard:alert." // and its kind
	eventCallback = "switchboard:callback.requested"
	eventCreated  = "switchboard:callcenter.created"
	eventUpdated  = "switchboard:callcenter.updated"
	eventDeleted  = "switchboard:callcenter.deleted"
)

// Events of calls, by the state that a leg came into.
var (
	eventsOfCaller = map[graph.State][]string{
		graph.Calling:           {"switchboard:call.started"},
		graph.Queued:            {"switchboard:call.queued"},
		graph.Ringing:           {"switchboard:call.ringing"},
		graph.Connected:         {"switchboard:call.connected"},
		graph.Missed:            {"switchboard:call.abandoned", "switchboard:call.missed"},
		graph.Hangup:            {"switchboard:call.ended"},
		graph.VoicemailUploaded: {"switchboard:call.voicemail"},
		graph.Recording:         {"switchboard:call.recorded"},
	}
	eventsOfOperator = map[graph.State][]string{
		graph.Ringing:   {"switchboard:call.offered"},
		graph.Connected: {"switchboard:call.answered"},
		graph.Missed:    {"switchboard:call.missed"},
	}
)

func (h *Hooks) wanted(name string) bool { return h.cfg.Events != nil && h.cfg.Events.Wanted(name) }

// wantedOf are the events that a leg's state is and that somebody wants.
func (h *Hooks) wantedOf(leg graph.Leg) []string {
	names := eventsOfCaller[leg.State]
	if !leg.IsEntry() {
		names = eventsOfOperator[leg.State]
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !h.wanted(name) })
}

// event tells of one. What it is about and when make it the one that it is.
func (h *Hooks) event(name string, about int64, at time.Time, payload []byte) {
	if h.wanted(name) {
		h.cfg.Events.Tell(trigger.Event{
			ID: fmt.Sprintf("%s:%d:%d", name, about, at.UnixMilli()), Name: name, At: at, Payload: payload,
		})
	}
}

// callbackEvent is a callback that was booked, as it is told.
type callbackEvent struct {
	CallID    int64  `json:"call_id"` // of the call that will be
	External  string `json:"external_number"`
	Asked     int64  `json:"date_requested"`
	Timestamp int64  `json:"event_timestamp"`
	Target    party  `json:"target"`
}

func (w writer) callback(at time.Time, c route.Callback) []byte {
	return encode(callbackEvent{
		CallID: int64(c.Call), External: c.Number, Asked: c.Asked.UnixMilli(), Timestamp: at.UnixMilli(),
		Target: w.center(c.Center),
	})
}

// centerEvent is a change of a call center's settings, as it is told.
type centerEvent struct {
	ChangedBy string `json:"changed_by"`
	Version   int64  `json:"version"`
	Timestamp int64  `json:"event_timestamp"`
	Target    party  `json:"target"`
}

// centerEventName is which event a change of a call center is.
func centerEventName(change store.Change) string {
	now, there := change.New.(*callcenter.Center)
	switch {
	case !there || now.State == callcenter.StateDeleted:
		return eventDeleted
	case change.Old == nil:
		return eventCreated
	}
	return eventUpdated
}

func (h *Hooks) centerEvent(w writer, f fact) {
	center, ok := f.center.New.(*callcenter.Center)
	if !ok {
		if center, ok = f.center.Old.(*callcenter.Center); !ok {
			return
		}
	}
	e := centerEvent{
		ChangedBy: string(f.center.By), Version: center.Version, Timestamp: f.at.UnixMilli(), Target: w.center(center.ID),
	}
	if e.Target.Name == nil {
		e.Target.Name = &center.Settings.Name
	}
	name := centerEventName(*f.center)
	if h.wanted(name) {
		h.cfg.Events.Tell(trigger.Event{
			ID: fmt.Sprintf("%s:%d:%d", name, center.ID, center.Version), Name: name, At: f.at, Payload: encode(e),
		})
	}
}
