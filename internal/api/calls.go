package api

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/graph"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// MaxLabels is how many labels GET /calllabels lists at most.
const MaxLabels = 1000

// double is a number that is written as one, where integers are written as texts.
type double float64

// MarshalJSON implements json.Marshaler.
func (d double) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d), 'f', -1, 64), nil
}

func inMillis(d time.Duration) double { return double(d.Microseconds()) / 1000 }

// contactBody is a CallContact of the document.
type contactBody struct {
	ID    string `json:"id,omitzero"`
	Type  string `json:"type,omitzero"`
	Name  string `json:"name,omitzero"`
	Phone string `json:"phone,omitzero"`
	Email string `json:"email,omitzero"`
}

// recordingDetailsBody is a CallRecordingDetails of the document.
type recordingDetailsBody struct {
	ID       string `json:"id"`
	Duration int64  `json:"duration"`
	Type     string `json:"recording_type"`
	Start    int64  `json:"start_time"`
	URL      string `json:"url"`
}

// callBody is a Call of the document.
type callBody struct {
	ID            route.CallID           `json:"call_id"`
	Direction     string                 `json:"direction"`
	State         graph.State            `json:"state"`
	Started       int64                  `json:"date_started"`
	Queued        int64                  `json:"date_queued,omitzero"`
	Rang          int64                  `json:"date_rang,omitzero"`
	Connected     int64                  `json:"date_connected,omitzero"`
	Ended         int64                  `json:"date_ended,omitzero"`
	Duration      double                 `json:"duration"`
	TotalDuration double                 `json:"total_duration"`
	External      string                 `json:"external_number,omitzero"`
	Internal      string                 `json:"internal_number,omitzero"`
	Target        contactBody            `json:"target"`
	Contact       contactBody            `json:"contact"`
	Entry         route.CallID           `json:"entry_point_call_id,omitzero"`
	EntryTarget   *contactBody           `json:"entry_point_target,omitzero"`
	Master        route.CallID           `json:"master_call_id"`
	OperatorCall  route.CallID           `json:"operator_call_id,omitzero"`
	GroupID       string                 `json:"group_id,omitzero"`
	Labels        []string               `json:"labels"`
	Recorded      bool                   `json:"was_recorded"`
	Recordings    []recordingDetailsBody `json:"recording_details"`
	Transferred   bool                   `json:"is_transferred"`
	Callback      bool                   `json:"callback_requested"`
	CustomData    string                 `json:"custom_data,omitzero"`
	Proxy         contactBody            `json:"proxy_target"`
	Breadcrumbs   []breadcrumbBody       `json:"routing_breadcrumbs"`
	Voicemail     string                 `json:"voicemail_share_link,omitzero"`
}

// breadcrumbBody is a RoutingBreadcrumb of the document.
type breadcrumbBody struct {
	Type       graph.Breadcrumb      `json:"breadcrumb_type"`
	Date       int64                 `json:"date"`
	TargetID   callcenter.ID         `json:"target_id,omitzero"`
	TargetType callcenter.TargetType `json:"target_type,omitzero"`
	Rule       string                `json:"rule"`
	Text       string                `json:"text"`
}

// callBody shows a leg. Recordings and the way belong to the visit, so all of its legs show them.
func (c *call) callBody(leg graph.Leg, notes store.CallNotes) (callBody, error) {
	tapes, err := c.api.Recordings.Recordings(c.context(), store.RecordingQuery{Call: leg.Visit, Limit: MaxPage})
	if err != nil {
		return callBody{}, err
	}
	body := callBody{
		ID: leg.ID, Direction: leg.Direction, State: leg.State, Started: millis(leg.Started), Queued: millis(leg.Queued),
		Rang: millis(leg.Rang), Connected: millis(leg.Connected), Ended: millis(leg.Ended),
		Duration: inMillis(leg.Talk(c.now)), TotalDuration: inMillis(leg.Total(c.now)),
		External: leg.External, Internal: leg.Internal, Target: c.centerContact(leg.Center), Master: leg.Visit,
		OperatorCall: leg.OperatorLeg, Labels: slices.Concat([]string{}, notes.Labels), CustomData: notes.CustomData,
		Recordings: []recordingDetailsBody{}, Callback: leg.Outcome == route.CallbackRequested,
		Proxy: c.proxy(leg), Breadcrumbs: c.breadcrumbs(leg),
	}
	if leg.External != "" {
		body.Contact = contactBody{ID: leg.External, Type: "local", Phone: leg.External}
	}
	if c.snapshot.AtTheDoor(leg.Center).Type == callcenter.TargetCallCenter && leg.Center != 0 {
		body.GroupID = "CallCenter:" + strconv.FormatInt(int64(leg.Center), 10)
	}
	if !leg.IsEntry() {
		target := body.Target
		body.Entry, body.EntryTarget, body.Target = leg.Entry, &target, c.userContact(leg.Operator)
	}
	for _, tape := range tapes {
		if !tape.Complete || !leg.IsEntry() && tape.Operator != leg.Operator {
			continue
		}
		id := strconv.FormatInt(tape.ID, 10)
		body.Recordings = append(body.Recordings, recordingDetailsBody{
			ID: id, Duration: tape.Duration.Milliseconds(), Type: "callrecording", Start: millis(tape.At),
			URL: "/api/v2/x/recordings/" + id + "/audio",
		})
	}
	body.Recorded = leg.Recorded || len(body.Recordings) > 0
	if leg.IsEntry() {
		body.Voicemail, err = c.voicemailLink(leg.Visit)
	}
	return body, err
}

// proxy is in whose name a call out is made, with the number that is shown; nobody: withheld, or a call that came in.
func (c *call) proxy(leg graph.Leg) (shown contactBody) {
	switch {
	case leg.Direction != route.Outbound, leg.Internal == route.CallerIDBlocked:
		return contactBody{}
	case leg.Center != 0:
		shown = c.centerContact(leg.Center)
	case leg.Operator != 0:
		shown = c.userContact(leg.Operator)
	}
	if leg.Internal != "" {
		shown.Phone = leg.Internal
	}
	return shown
}

func (c *call) breadcrumbs(leg graph.Leg) []breadcrumbBody {
	door := c.snapshot.AtTheDoor(leg.Center)
	list := make([]breadcrumbBody, 0, len(leg.Path))
	for _, step := range leg.Path {
		crumb := breadcrumbBody{Type: graph.BreadcrumbOf(step), Date: millis(step.At), Rule: step.Rule, Text: step.Text}
		if leg.Center != 0 {
			crumb.TargetID, crumb.TargetType = leg.Center, door.Type
		}
		list = append(list, crumb)
	}
	return list
}

// voicemailLink is the path of the message that was left in a call; "": there is none, or it is not complete.
func (c *call) voicemailLink(visit route.CallID) (string, error) {
	message, ok, err := c.api.Calls.VoicemailOf(c.context(), visit)
	if err != nil || !ok || !message.Complete {
		return "", err
	}
	return "/api/v2/x/voicemails/" + strconv.FormatInt(message.ID, 10) + "/audio", nil
}

func (c *call) centerContact(id callcenter.ID) contactBody {
	if id == 0 {
		return contactBody{}
	}
	door := c.snapshot.AtTheDoor(id)
	if door.Type == callcenter.TargetUser {
		return c.userContact(callcenter.OperatorID(id))
	}
	body := contactBody{ID: strconv.FormatInt(int64(id), 10), Type: string(door.Type), Phone: c.primaryNumber(door)}
	if center, ok := c.snapshot.Center(id); ok {
		body.Name = center.Settings.Name
	} else if router, ok := c.snapshot.CallRouter(callcenter.RouterID(id)); ok {
		body.Name = router.Name
	}
	return body
}

func (c *call) userContact(id callcenter.OperatorID) contactBody {
	body := contactBody{ID: strconv.FormatInt(int64(id), 10), Type: string(callcenter.TargetUser)}
	if user, ok := c.snapshot.User(id); ok {
		body.Name = displayName(user)
		if len(user.Emails) > 0 {
			body.Email = user.Emails[0]
		}
	}
	body.Phone = c.primaryNumber(userTarget(id))
	return body
}

func (c *call) primaryNumber(target callcenter.Target) string {
	if numbers := c.api.numbersOf(c.snapshot, target); len(numbers) > 0 {
		return numbers[0].E164
	}
	return ""
}

// findCall finds a leg, of a call that goes on or is over.
func findCall(c *call, text string) error {
	id := route.CallID(positive(text))
	if view, place, ok := c.api.Live.LegLive(c.context(), id); ok {
		c.leg = graph.Live(view, place)
		var err error
		c.notes, err = c.api.Calls.CallNotes(c.context(), c.leg.Entry)
		return err
	}
	leg, ok, err := c.api.Calls.CallLeg(c.context(), id)
	if err != nil {
		return err
	}
	if !ok {
		return problem.NotFound("call", id)
	}
	c.leg, c.notes = graph.Of(leg.Record, leg.Place), leg.CallNotes
	return nil
}

func getCall(c *call) (answer, error) {
	body, err := c.callBody(c.leg, c.notes)
	if err != nil {
		return answer{}, err
	}
	return show(body)
}

// listCalls pages from the latest start on. A call that ends meanwhile began earlier than some that were listed, and is
// then not met again; those who must see all ask once more for the time.
func listCalls(c *call) (answer, error) {
	q := store.LegQuery{Limit: int(min(c.query.Int("limit", MaxPage), MaxPage)) + 1}
	if after := c.query.Int("started_after", 0); after > 0 {
		q.StartedAfter = time.UnixMilli(after)
	}
	if c.query.Has("started_before") {
		q.StartedBefore = time.UnixMilli(c.query.Int("started_before", 0))
	}
	q.Target = callcenter.Target{ID: c.query.Int("target_id", 0), Type: callcenter.TargetType(c.query["target_type"])}
	if (q.Target.ID == 0) != (q.Target.Type == "") {
		return answer{}, problem.InvalidQuery("target_id", "and target_type are given together")
	}
	var err error
	if q.BehindStart, q.Behind, err = c.behindLeg(); err != nil {
		return answer{}, err
	}
	legs, err := c.api.Calls.CallLegs(c.context(), q)
	if err != nil {
		return answer{}, err
	}
	p := page[callBody]{Items: []callBody{}}
	for i, leg := range legs {
		if i == q.Limit-1 {
			p.Cursor = c.legCursor(legs[i-1])
			break
		}
		body, err := c.callBody(graph.Of(leg.Record, leg.Place), leg.CallNotes)
		if err != nil {
			return answer{}, err
		}
		p.Items = append(p.Items, body)
	}
	return show(p)
}

// legCursor names the last leg of a page: its start and its id.
func (c *call) legCursor(leg store.CallLeg) string {
	started := graph.Of(leg.Record, leg.Place).Started.UnixNano()
	return base64.RawURLEncoding.EncodeToString([]byte(
		c.route.ID + ":" + strconv.FormatInt(started, 36) + ":" + strconv.FormatInt(int64(leg.ID), 36)))
}

// behindLeg reads the cursor of the request.
func (c *call) behindLeg() (started time.Time, id route.CallID, err error) {
	if !c.query.Has("cursor") {
		return time.Time{}, 0, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(c.query["cursor"])
	parts := strings.Split(string(raw), ":")
	if err == nil && len(parts) == 3 && parts[0] == c.route.ID {
		at, err1 := strconv.ParseInt(parts[1], 36, 64)
		leg, err2 := strconv.ParseInt(parts[2], 36, 64)
		if err1 == nil && err2 == nil && leg > 0 {
			return time.Unix(0, at), route.CallID(leg), nil
		}
	}
	return time.Time{}, 0, problem.InvalidQuery("cursor", "is not one that this list gave")
}

// setLabels replaces the labels of a call; all of its legs show them.
func setLabels(c *call) (answer, error) {
	body, err := decode[struct {
		Labels []string `json:"labels"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	if err := c.refuse(distinct("labels", body.Labels)); err != nil {
		return answer{}, err
	}
	c.notes.Labels = body.Labels
	if err := c.api.Calls.SetCallNotes(c.context(), c.leg.Entry, store.CallNotes{Labels: body.Labels}); err != nil {
		return answer{}, err
	}
	return getCall(c)
}

func listLabels(c *call) (answer, error) {
	labels, err := c.api.Calls.CallLabels(c.context(), int(min(c.query.Int("limit", MaxLabels), MaxLabels)))
	if err != nil {
		return answer{}, err
	}
	return show(struct {
		Labels []string `json:"labels"`
	}{labels})
}

// hangUp ends a call that goes on.
func hangUp(c *call) (answer, error) {
	view, ok := c.api.Live.CallLive(c.context(), c.leg.Visit)
	if !c.mayEnd(c.leg, view) {
		return answer{}, problem.New(problem.Forbidden, "")
	}
	if !ok {
		return answer{}, problem.Conflicts("This call is over.")
	}
	c.api.Live.Say(route.HangupAsked{Call: view.ID})
	c.w.WriteHeader(200)
	return answer{}, nil
}

// mayEnd is the right of company admins, of the operator who talks, and of who supervises the call center.
func (c *call) mayEnd(leg graph.Leg, view route.CallView) bool {
	if c.who.CompanyAdmin() || c.who.User == view.Operator && view.Operator != 0 || c.administers(0) {
		return true
	}
	center, ok := c.snapshot.Center(leg.Center)
	if !ok {
		return false
	}
	member, ok := memberOf(center, c.who.User)
	return ok && member.Role != callcenter.RoleOperator || c.administers(center.OfficeID)
}

// callCreate is a CallCreate of the document.
type callCreate struct {
	Number     string                 `json:"phone_number"`
	User       *callcenter.OperatorID `json:"user_id"`
	GroupID    *callcenter.ID         `json:"group_id"`
	GroupType  callcenter.TargetType  `json:"group_type"`
	CallerID   string                 `json:"outbound_caller_id"`
	CustomData string                 `json:"custom_data"`
}

// center is on whose behalf the call is made; 0: nobody's.
func (b callCreate) center() callcenter.ID {
	if b.GroupID == nil {
		return 0
	}
	return *b.GroupID
}

func (c *call) callRules(b callCreate) func(records) []problem.Field {
	return func(db records) []problem.Field {
		fields := knownUser(db, b.User)
		bad := func(name, message string) {
			fields = append(fields, problem.Field{Name: name, In: problem.InBody, Message: message})
		}
		if b.Number != "" && !c.api.dialable(b.Number) {
			bad("phone_number", "is not one that calls to are allowed")
		}
		switch {
		case b.GroupID == nil && b.GroupType != "":
			bad("group_id", "is required with group_type")
		case b.GroupID != nil && b.GroupType != callcenter.TargetCallCenter:
			bad("group_type", "must be callcenter")
		case b.GroupID != nil && !exists(db, centerTarget(*b.GroupID)):
			bad("group_id", "is no callcenter of the company")
		}
		if b.CallerID != "" && b.CallerID != route.CallerIDBlocked {
			if _, ours := c.api.Settings.Snapshot().Number(b.CallerID); !ours {
				bad("outbound_caller_id", "is no number of the company")
			}
		}
		return fields
	}
}

func (a *API) dialable(number string) bool { return a.Dialable == nil || a.Dialable(number) }

// startCall rings a person, and when they answer, a number. The id is ours: it can be told before anything rang.
func startCall(c *call) (answer, error) {
	body, err := decode[callCreate](c)
	if err != nil {
		return answer{}, err
	}
	if body.User != nil && !c.who.CompanyAdmin() && *body.User != c.who.User && !c.administers(0) {
		return answer{}, problem.New(problem.Forbidden, "")
	}
	if err := c.refuse(c.callRules(body)(c.snapshot)); err != nil {
		return answer{}, err
	}
	view, ok := c.api.Live.OperatorLive(c.context(), *body.User)
	if !ok || !canCall(view) {
		return answer{}, problem.Conflicts("This user is ringing, in a call or without a phone in reach.")
	}
	id := route.CallID(store.RandomID())
	if body.CustomData != "" {
		if err := c.api.Calls.SetCallNotes(c.context(), id, store.CallNotes{CustomData: body.CustomData}); err != nil {
			return answer{}, err
		}
	}
	c.api.Live.Say(route.CallAsked{
		Call: id, Operator: *body.User, Center: body.center(), To: body.Number, CallerID: body.CallerID,
	})
	return show(struct {
		ID route.CallID `json:"call_id"`
	}{id})
}

// canCall says whether a person's phones can be rung for a call of their own. Duty does not matter: it is about the
// calls of call centers.
func canCall(view route.OperatorView) bool {
	switch view.State {
	case route.Ringing, route.OnCall, route.NoDevice:
		return false
	}
	return true
}

// updateActiveCall pauses or resumes the recording of the call that a person is in.
func updateActiveCall(c *call) (answer, error) {
	body, err := decode[struct {
		On bool `json:"is_recording"`
	}](c)
	if err != nil {
		return answer{}, err
	}
	if err := c.refuse(nil); err != nil {
		return answer{}, err
	}
	person, ok := c.api.Live.OperatorLive(c.context(), c.user.ID)
	if !ok || person.Call == 0 {
		return answer{}, problem.Conflicts("This user is in no call.")
	}
	before, _ := c.api.Live.CallLive(c.context(), person.Call)
	if before.Recording == "" {
		return answer{}, problem.Conflicts("This call is not recorded.")
	}
	c.api.Live.Say(route.RecordingSet{Operator: c.user.ID, On: body.On})
	after, ok := c.api.Live.CallLive(c.context(), person.Call)
	if !ok || (after.Recording == "on") != body.On {
		return answer{}, problem.Conflicts("The recording of this call may not be paused.")
	}
	return show(struct {
		ID    route.CallID `json:"id"`
		State graph.State  `json:"call_state"`
		On    bool         `json:"is_recording"`
	}{after.ID, graph.StateOf(after.State), body.On})
}
