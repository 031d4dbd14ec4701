package api

import (
	"context"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/graph"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/voice"
)

// AveragedDays is how far averages of conversations go back unless asked.
const AveragedDays = 30

// Conversations are what the sound of calls came to, those that go on among them.
type Conversations interface {
	Conversation(ctx context.Context, call route.CallID) (store.Conversation, bool, error)
	ConversationSums(ctx context.Context, q store.Averaged) ([]store.ConversationSum, error)
}

// The sides and states of a conversation by their names in the document.
const (
	sideCustomer = "customer"
	sideOperator = "operator"
	talkLive     = "live"
	talkEnded    = "ended"
)

// conversationBody is a Conversation of the document. Durations are in milliseconds.
type conversationBody struct {
	Call          route.CallID          `json:"call_id"`
	State         string                `json:"state"`
	TargetID      callcenter.ID         `json:"target_id,omitzero"`
	TargetType    callcenter.TargetType `json:"target_type,omitzero"`
	User          callcenter.OperatorID `json:"user_id,omitzero"`
	Direction     string                `json:"direction"`
	Date          int64                 `json:"date"`
	Measured      int64                 `json:"measured"`
	Paused        int64                 `json:"paused"`
	Held          int64                 `json:"held"`
	Customer      sideBody              `json:"customer"`
	Operator      sideBody              `json:"operator"`
	Overlap       int64                 `json:"overlap"`
	Interruptions int                   `json:"interruptions"`
	Silence       int64                 `json:"silence"`
	DeadAir       deadAirBody           `json:"dead_air"`
	Response      responseBody          `json:"response"`
	Missed        int64                 `json:"missed"`
	Timeline      []turnBody            `json:"timeline"`
	Gaps          []gapBody             `json:"gaps"`
	Truncated     bool                  `json:"truncated"`
}

// sideBody is a ConversationSide of the document.
type sideBody struct {
	Talk      int64   `json:"talk"`
	Share     *double `json:"talk_share,omitzero"`
	Turns     int     `json:"turns"`
	Monologue int64   `json:"longest_monologue"`
}

// deadAirBody is a DeadAir of the document.
type deadAirBody struct {
	Total   int64 `json:"total"`
	Count   int   `json:"count"`
	Longest int64 `json:"longest"`
}

// responseBody is a ResponseTime of the document.
type responseBody struct {
	Count   int    `json:"count"`
	Average *int64 `json:"average,omitzero"`
	Longest int64  `json:"longest"`
}

// turnBody is a Turn of the document.
type turnBody struct {
	Side  string `json:"side"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
}

// gapBody is a Gap of the document.
type gapBody struct {
	Kind  string `json:"kind"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
}

func showSide(f *voice.Figures, leg voice.Leg) sideBody {
	side := f.Legs[leg]
	body := sideBody{Talk: side.Talk.Milliseconds(), Turns: side.Turns, Monologue: side.Monologue.Milliseconds()}
	if share, ok := f.Share(leg); ok {
		body.Share = new(double(share))
	}
	return body
}

func showResponse(f *voice.Figures) responseBody {
	body := responseBody{Count: f.Responses, Longest: f.LongestResponse.Milliseconds()}
	if average, ok := f.Response(); ok {
		body.Average = new(average.Milliseconds())
	}
	return body
}

func showDeadAir(f *voice.Figures) deadAirBody {
	return deadAirBody{Total: f.DeadAir.Milliseconds(), Count: f.DeadAirs, Longest: f.LongestDead.Milliseconds()}
}

func showConversation(c store.Conversation) conversationBody {
	r := &c.Report
	body := conversationBody{
		Call: c.Call, State: talkLive, TargetID: c.Center, User: c.Operator, Direction: c.Direction, Date: millis(c.At),
		Measured: r.Measured.Milliseconds(), Paused: r.Paused.Milliseconds(), Held: r.Held.Milliseconds(),
		Customer: showSide(&r.Figures, voice.Customer), Operator: showSide(&r.Figures, voice.Operator),
		Overlap: r.Overlap.Milliseconds(), Interruptions: r.Interruptions, Silence: r.Silence.Milliseconds(),
		DeadAir: showDeadAir(&r.Figures), Response: showResponse(&r.Figures), Missed: int64(c.Dropped),
		Timeline: make([]turnBody, 0, len(r.Turns)), Gaps: make([]gapBody, 0, len(r.Gaps)), Truncated: r.Cut,
	}
	switch {
	case c.Complete:
		body.State = talkEnded
	case r.State != voice.Open:
		body.State = r.State.Word()
	}
	if c.Center != 0 {
		body.TargetType = callcenter.TargetCallCenter
	}
	for _, turn := range r.Turns {
		side := [voice.Legs]string{sideCustomer, sideOperator}[turn.Leg]
		body.Timeline = append(body.Timeline, turnBody{side, turn.Start.Milliseconds(), turn.End.Milliseconds()})
	}
	for _, gap := range r.Gaps {
		body.Gaps = append(body.Gaps, gapBody{gap.State.Word(), gap.Start.Milliseconds(), gap.End.Milliseconds()})
	}
	return body
}

// getConversation is for the operator who talks, the supervisors of the call center, and admins.
func getConversation(c *call) (answer, error) {
	if !c.mayEnd(c.leg, route.CallView{Operator: c.leg.Operator}) {
		return answer{}, problem.New(problem.Forbidden, "")
	}
	found, ok, err := c.api.Conversations.Conversation(c.context(), c.leg.Visit)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return answer{}, problem.New(problem.Missing, "Nobody listened to this call: it has no conversation.")
	}
	return show(showConversation(found))
}

// averageBody is a ConversationAverage of the document.
type averageBody struct {
	TargetID      int64                 `json:"target_id,omitzero"`
	TargetType    callcenter.TargetType `json:"target_type,omitzero"`
	Conversations int                   `json:"conversations"`
	Measured      int64                 `json:"measured"`
	Customer      sideBody              `json:"customer"`
	Operator      sideBody              `json:"operator"`
	Overlap       int64                 `json:"overlap"`
	Interruptions double                `json:"interruptions"`
	Silence       int64                 `json:"silence"`
	DeadAir       deadAirBody           `json:"dead_air"`
	Response      responseBody          `json:"response"`
}

// averageOf is per conversation, but for what is the longest of all and the counts of dead airs, turns and responses.
func averageOf(s store.ConversationSum) averageBody {
	body := averageBody{
		Conversations: s.Conversations, Customer: showSide(&s.Figures, voice.Customer),
		Operator: showSide(&s.Figures, voice.Operator), DeadAir: showDeadAir(&s.Figures), Response: showResponse(&s.Figures),
	}
	if s.Conversations == 0 {
		return body
	}
	n := time.Duration(s.Conversations)
	each := func(d time.Duration) int64 { return (d / n).Milliseconds() }
	body.Measured, body.Overlap, body.Silence = each(s.Measured), each(s.Overlap), each(s.Silence)
	body.Customer.Talk, body.Operator.Talk = each(s.Legs[voice.Customer].Talk), each(s.Legs[voice.Operator].Talk)
	body.DeadAir.Total = each(s.Figures.DeadAir)
	body.Interruptions = double(float64(s.Interruptions) / float64(s.Conversations))
	return body
}

// together adds sums up.
func together(list []store.ConversationSum) (all store.ConversationSum) {
	for _, s := range list {
		all.Conversations += s.Conversations
		all.Measured += s.Measured
		all.Overlap += s.Overlap
		all.Interruptions += s.Interruptions
		all.Silence += s.Silence
		all.DeadAir += s.DeadAir
		all.DeadAirs += s.DeadAirs
		all.LongestDead = max(all.LongestDead, s.LongestDead)
		all.Responses += s.Responses
		all.ResponseTotal += s.ResponseTotal
		all.LongestResponse = max(all.LongestResponse, s.LongestResponse)
		for leg := range all.Legs {
			into, from := &all.Legs[leg], s.Legs[leg]
			into.Talk += from.Talk
			into.Turns += from.Turns
			into.Monologue = max(into.Monologue, from.Monologue)
		}
	}
	return all
}

// averageConversations shows a call center by its operators, or an operator by their call centers.
func averageConversations(c *call) (answer, error) {
	target := callcenter.Target{ID: c.query.Int("target_id", 0), Type: callcenter.TargetType(c.query["target_type"])}
	q := store.Averaged{From: c.now.AddDate(0, 0, -AveragedDays), To: c.now}
	switch {
	case target.ID == 0 || target.Type == "":
		return answer{}, problem.InvalidQuery("target_id", "and target_type are required")
	case target.Type == callcenter.TargetCallCenter:
		q.Center = callcenter.ID(target.ID)
	case target.Type == callcenter.TargetUser:
		q.Operator = callcenter.OperatorID(target.ID)
	default:
		return answer{}, problem.InvalidQuery("target_type", "must be callcenter or user")
	}
	if c.query.Has("started_after") {
		q.From = time.UnixMilli(c.query.Int("started_after", 0))
	}
	if c.query.Has("started_before") {
		q.To = time.UnixMilli(c.query.Int("started_before", 0))
	}
	if !c.supervises(q) {
		return answer{}, problem.New(problem.Forbidden, "")
	}
	if !exists(c.snapshot, target) {
		return answer{}, problem.NotFound(string(target.Type), target.ID)
	}
	sums, err := c.api.Conversations.ConversationSums(c.context(), q)
	if err != nil {
		return answer{}, err
	}
	return show(showAverages(target, q, sums))
}

// averagesBody is a ConversationAverages of the document.
type averagesBody struct {
	Target averageBody   `json:"target"`
	Items  []averageBody `json:"items"`
}

func showAverages(target callcenter.Target, q store.Averaged, sums []store.ConversationSum) averagesBody {
	body := averagesBody{Target: averageOf(together(sums)), Items: make([]averageBody, 0, len(sums))}
	body.Target.TargetID, body.Target.TargetType = target.ID, target.Type
	for _, s := range sums {
		item := averageOf(s)
		item.TargetID, item.TargetType = int64(s.Operator), callcenter.TargetUser
		if q.Center == 0 {
			item.TargetID, item.TargetType = int64(s.Center), callcenter.TargetCallCenter
		}
		body.Items = append(body.Items, item)
	}
	return body
}

// supervises is the right of company admins, of who supervises the call center or the person, and of the person.
func (c *call) supervises(q store.Averaged) bool {
	if c.who.CompanyAdmin() || c.administers(0) || q.Operator != 0 && q.Operator == c.who.User {
		return true
	}
	of := c.snapshot.CentersOf(q.Operator)
	if center, ok := c.snapshot.Center(q.Center); ok && q.Center != 0 {
		of = []*callcenter.Center{center}
	}
	for _, center := range of {
		member, ok := memberOf(center, c.who.User)
		if ok && member.Role != callcenter.RoleOperator || c.administers(center.OfficeID) {
			return true
		}
	}
	return false
}

// toggleVoice pauses, resumes or begins the voice analysis of the call that a person is in.
func toggleVoice(c *call) (answer, error) {
	body, err := decode[struct {
		On     bool   `json:"enable_vi"`
		Locale string `json:"vi_locale"`
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
	c.api.Live.Say(route.VoiceSet{Operator: c.user.ID, On: body.On})
	after, ok := c.api.Live.CallLive(c.context(), person.Call)
	if !ok || (after.Voice == "on") != body.On {
		return answer{}, problem.Conflicts("The voice analysis of this call may not be paused or begun.")
	}
	return show(struct {
		ID     route.CallID `json:"id"`
		State  graph.State  `json:"call_state"`
		On     bool         `json:"enable_vi"`
		Locale string       `json:"vi_locale,omitzero"`
	}{after.ID, graph.StateOf(after.State), body.On, body.Locale})
}
