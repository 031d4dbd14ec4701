package hooks

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/graph"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// party is somebody in a call. An absent one is {}.
type party struct {
	ID       jsontext.Value `json:"id,omitzero"` // a number; null for a contact, who has none
	Type     string         `json:"type,omitzero"`
	Name     *string        `json:"name,omitzero"`
	Phone    *string        `json:"phone,omitzero"`
	Email    *string        `json:"email,omitzero"`
	OfficeID *int64         `json:"office_id,omitzero"`
}

// tape is a recording in an event.
type tape struct {
	ID        int64  `json:"id"`
	Duration  int64  `json:"duration"` // milliseconds
	Type      string `json:"recording_type"`
	StartTime int64  `json:"start_time"`
	URL       string `json:"url"`
}

// crumb is one thing that happened to a call on its way. What a call router was asked and said is not kept.
type crumb struct {
	Type       graph.Breadcrumb `json:"breadcrumb_type"`
	Date       int64            `json:"date"`
	TargetID   *int64           `json:"target_id"`
	TargetType *string          `json:"target_type"`
	Rule       string           `json:"rule"`
	Text       string           `json:"text"`
	URL        *string          `json:"url"`
	Request    *string          `json:"request"`
	Response   *string          `json:"response"`
}

// callEvent is a call event as it is sent: ids and times are numbers, what is absent is null
// (docs/reference/events.md).
type callEvent struct {
	CallID             int64    `json:"call_id"`
	State              string   `json:"state"`
	Direction          string   `json:"direction"`
	Started            *int64   `json:"date_started"`
	FirstRang          *int64   `json:"date_first_rang"`
	Queued             *int64   `json:"date_queued"`
	Rang               *int64   `json:"date_rang"`
	Connected          *int64   `json:"date_connected"`
	Ended              *int64   `json:"date_ended"`
	Timestamp          int64    `json:"event_timestamp"`
	Duration           *float64 `json:"duration"`
	TotalDuration      *float64 `json:"total_duration"`
	TalkTime           *float64 `json:"talk_time"`
	HoldTime           *float64 `json:"hold_time"`
	External           *string  `json:"external_number"`
	Internal           *string  `json:"internal_number"`
	Contact            party    `json:"contact"`
	Target             party    `json:"target"`
	EntryCallID        *int64   `json:"entry_point_call_id"`
	EntryTarget        party    `json:"entry_point_target"`
	OperatorCallID     *int64   `json:"operator_call_id"`
	ProxyTarget        party    `json:"proxy_target"`
	GroupID            *string  `json:"group_id"`
	MasterCallID       *int64   `json:"master_call_id"`
	Transferred        bool     `json:"is_transferred"`
	TransferredFrom    party    `json:"transferred_from"`
	IsInternal         bool     `json:"is_internal"`
	CallbackRequested  *bool    `json:"callback_requested"`
	TargetAvailability *string  `json:"target_availability_status"`
	Labels             []string `json:"labels"`
	Recorded           bool     `json:"was_recorded"`
	Recordings         []tape   `json:"recording_details"`
	RecordingIDs       []int64  `json:"call_recording_ids"`
	VoicemailLink      *string  `json:"voicemail_link"`
	VoicemailID        *int64   `json:"voicemail_recording_id"`
	Transcription      *string  `json:"transcription_text"`
	CSAT               *string  `json:"csat_score"`
	MOS                *float64 `json:"mos_score"`
	Breadcrumbs        []crumb  `json:"routing_breadcrumbs"`
	ReviewLink         *string  `json:"public_call_review_share_link"`
	Integrations       struct{} `json:"integrations"`
	CustomData         *string  `json:"custom_data"`
}

// statusEvent is a duty event as it is sent.
type statusEvent struct {
	Availability string   `json:"availability_status"`
	Duty         string   `json:"on_duty_status"`
	Reason       *string  `json:"on_duty_status_reason"`
	Centers      []string `json:"call_center_ids"`
	Date         string   `json:"date"`
	Timestamp    int64    `json:"event_timestamp"`
	Powerdialer  bool     `json:"powerdialer_mode"`
	Target       party    `json:"target"`
}

// alertEvent is a service level alert as it is sent.
type alertEvent struct {
	Event        string  `json:"event"` // always alert
	Kind         string  `json:"kind"`  // raised, reminded or cleared
	Text         string  `json:"text"`
	ServiceLevel float64 `json:"service_level"` // percent
	Goal         int     `json:"goal"`          // percent
	GoalSeconds  int     `json:"goal_seconds"`
	Calls        int     `json:"calls"`
	Since        *int64  `json:"date_raised"`
	Timestamp    int64   `json:"event_timestamp"`
	Target       party   `json:"target"`
}

func encode(event any) []byte {
	body, err := json.Marshal(event)
	if err != nil {
		panic("hooks: " + err.Error()) // our own types: it cannot fail
	}
	return body
}

// some is nil for the zero value.
func some[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMilli())
}

func duration(d time.Duration) *float64 { return new(float64(d.Microseconds()) / 1000) }

func number(id int64) jsontext.Value { return strconv.AppendInt(nil, id, 10) }

// writer fills in what events tell of the company's settings.
type writer struct{ snapshot *store.Snapshot }

func (w writer) center(id callcenter.ID) party {
	if id == 0 {
		return party{}
	}
	door := w.snapshot.AtTheDoor(id)
	if door.Type == callcenter.TargetUser {
		return w.user(callcenter.OperatorID(id))
	}
	p := party{ID: number(int64(id)), Type: string(door.Type), Phone: w.phone(door)}
	if center, ok := w.snapshot.Center(id); ok {
		p.Name, p.OfficeID = some(center.Settings.Name), new(int64(center.OfficeID))
	} else if router, ok := w.snapshot.CallRouter(callcenter.RouterID(id)); ok {
		p.Name, p.OfficeID = some(router.Name), new(int64(router.OfficeID))
	}
	return p
}

func (w writer) user(id callcenter.OperatorID) party {
	p := party{
		ID: number(int64(id)), Type: string(callcenter.TargetUser),
		Phone: w.phone(callcenter.Target{ID: int64(id), Type: callcenter.TargetUser}),
	}
	if user, ok := w.snapshot.User(id); ok {
		p.Name, p.OfficeID = some(strings.TrimSpace(user.FirstName+" "+user.LastName)), new(int64(user.OfficeID))
		if len(user.Emails) > 0 {
			p.Email = &user.Emails[0]
		}
	}
	return p
}

// phone is the primary number of a target.
func (w writer) phone(target callcenter.Target) *string {
	var best *callcenter.Number
	for _, n := range w.snapshot.Numbers() {
		if n.Target == target && (best == nil || n.Rank < best.Rank) {
			best = n
		}
	}
	if best == nil {
		return nil
	}
	return &best.E164
}

func (w writer) crumbs(leg graph.Leg) []crumb {
	door := w.snapshot.AtTheDoor(leg.Center)
	list := make([]crumb, 0, len(leg.Path))
	for _, step := range leg.Path {
		c := crumb{Type: graph.BreadcrumbOf(step), Date: step.At.UnixMilli(), Rule: step.Rule, Text: step.Text}
		if leg.Center != 0 {
			c.TargetID, c.TargetType = new(int64(leg.Center)), new(string(door.Type))
		}
		list = append(list, c)
	}
	return list
}

// proxy is in whose name a call out is made, with the number that is shown; nobody: withheld, or a call that came in.
func (w writer) proxy(leg graph.Leg) (shown party) {
	switch {
	case leg.Direction != route.Outbound, leg.Internal == route.CallerIDBlocked:
		return party{}
	case leg.Center != 0:
		shown = w.center(leg.Center)
	case leg.Operator != 0:
		shown = w.user(leg.Operator)
	}
	if leg.Internal != "" {
		shown.Phone = &leg.Internal
	}
	return shown
}

// call writes a call event.
func (w writer) call(change graph.Change, notes store.CallNotes, tapes []store.RecordingRecord, box int64) []byte {
	leg := change.Leg
	e := callEvent{
		CallID: int64(leg.ID), State: string(leg.State), Direction: leg.Direction,
		Started: millis(leg.Started), Queued: millis(leg.Queued), Rang: millis(leg.Rang), FirstRang: millis(leg.Rang),
		Connected: millis(leg.Connected), Ended: millis(leg.Ended), Timestamp: change.At.UnixMilli(),
		TotalDuration: duration(leg.Total(change.At)), External: some(leg.External), Internal: some(leg.Internal),
		Target: w.center(leg.Center), OperatorCallID: some(int64(leg.OperatorLeg)), MasterCallID: some(int64(leg.Visit)),
		Labels: append([]string{}, notes.Labels...), CustomData: some(notes.CustomData), Recorded: leg.Recorded,
		Recordings: []tape{}, RecordingIDs: []int64{}, Breadcrumbs: w.crumbs(leg), ProxyTarget: w.proxy(leg),
	}
	if !leg.Connected.IsZero() {
		talk := duration(leg.Talk(change.At))
		e.Duration, e.TalkTime, e.HoldTime = talk, talk, duration(0)
	}
	if leg.External != "" {
		e.Contact = party{ID: jsontext.Value("null"), Type: "local", Phone: &leg.External}
	}
	if leg.Center != 0 && w.snapshot.AtTheDoor(leg.Center).Type == callcenter.TargetCallCenter {
		e.GroupID = new("CallCenter:" + strconv.FormatInt(int64(leg.Center), 10))
	}
	if leg.Outcome != "" {
		e.CallbackRequested = new(leg.Outcome == route.CallbackRequested)
	}
	if !leg.IsEntry() {
		e.EntryCallID, e.EntryTarget, e.Target = new(int64(leg.Entry)), e.Target, w.user(leg.Operator)
	}
	for _, t := range tapes {
		e.Recorded = true
		e.RecordingIDs = append(e.RecordingIDs, t.ID)
		e.Recordings = append(e.Recordings, tape{
			t.ID, t.Duration.Milliseconds(), "callrecording", t.At.UnixMilli(),
			"/api/v2/x/recordings/" + strconv.FormatInt(t.ID, 10) + "/audio",
		})
	}
	if box != 0 {
		e.VoicemailID = &box
		e.VoicemailLink = new("/api/v2/x/voicemails/" + strconv.FormatInt(box, 10) + "/audio")
	}
	return encode(e)
}

// status writes a duty event.
func (w writer) status(at time.Time, view route.OperatorView) []byte {
	e := statusEvent{
		Availability: "unavailable", Duty: dutyStatus(view), Reason: some(view.Duty.Reason), Centers: []string{},
		Date: at.UTC().Format("2006-01-02T15:04:05"), Timestamp: at.UnixMilli(), Target: w.user(view.ID),
	}
	if view.State == route.Available {
		e.Availability = "available"
	}
	if view.Duty.On {
		for _, id := range view.Centers {
			e.Centers = append(e.Centers, strconv.FormatInt(int64(id), 10))
		}
	}
	return encode(e)
}

// dutyStatus is a person's presence in the API's words.
func dutyStatus(view route.OperatorView) string {
	end := ""
	if view.OffAfter {
		end = "-end"
	}
	switch view.State {
	case route.Available:
		return "available"
	case route.OnCall:
		return "occupied" + end
	case route.WrapUp:
		return "wrapup" + end
	case route.OffDuty:
		return "unavailable"
	}
	return "busy"
}

// alert writes an alert event.
func (w writer) alert(at time.Time, a route.Alert) []byte {
	return encode(alertEvent{
		Event: stateAlert, Kind: string(a.Kind), Text: a.Text, ServiceLevel: a.Level, Goal: a.Goal.ServiceLevelPercent,
		GoalSeconds: a.Goal.ServiceLevelSeconds, Calls: a.Calls, Since: millis(a.Since), Timestamp: at.UnixMilli(),
		Target: w.center(a.Center),
	})
}

// presence is what of an operator's view a duty event is about: when it is the same, nothing is sent.
type presence struct {
	availability bool
	duty, reason string
}

func presenceOf(view route.OperatorView) presence {
	return presence{view.State == route.Available, dutyStatus(view), view.Duty.Reason}
}

// changed are the operators of an update whose presence is another than before. A Reset only teaches what is.
func changed(known map[callcenter.OperatorID]presence, update engine.Update) []route.OperatorView {
	var list []route.OperatorView
	for _, view := range update.Operators {
		now := presenceOf(view)
		if before, ok := known[view.ID]; !update.Reset && (!ok || before != now) {
			list = append(list, view)
		}
		known[view.ID] = now
	}
	for _, id := range update.DeletedOperators {
		delete(known, id)
	}
	return list
}
