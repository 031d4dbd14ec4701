package console

import (
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/engine"
	"switchboard/internal/route"
	"switchboard/internal/voice"
)

// The JSON of the stream. Ids are strings, times are milliseconds since 1970, what is absent is left out.
type (
	wireUpdate struct {
		Seq              uint64         `json:"seq"`
		At               int64          `json:"at"`
		Centers          []wireCenter   `json:"centers,omitempty"`
		Operators        []wireOperator `json:"operators,omitempty"`
		Calls            []wireCall     `json:"calls,omitempty"`
		Ended            []wireEnded    `json:"ended,omitempty"`
		DeletedCenters   []string       `json:"deleted_centers,omitempty"`
		DeletedOperators []string       `json:"deleted_operators,omitempty"`
		Notices          []wireNotice   `json:"notices,omitempty"`
		Talks            []wireTalk     `json:"talks,omitempty"`
	}
	wireCenter struct {
		ID               string         `json:"id"`
		Name             string         `json:"name"`
		Description      string         `json:"description,omitzero"`
		Availability     string         `json:"availability"`
		Holiday          string         `json:"holiday,omitzero"`
		Strategy         string         `json:"strategy"`
		RingSeconds      int            `json:"ring_seconds,omitzero"`
		Waiting          int            `json:"waiting"`
		OldestEntry      int64          `json:"oldest_entry,omitzero"`
		OnDuty           int            `json:"on_duty"`
		Capacity         int            `json:"capacity"`
		GoalPercent      int            `json:"goal_percent"`
		GoalSeconds      int            `json:"goal_seconds"`
		ServiceLevel     *float64       `json:"service_level"` // null: no data
		Outcomes         map[string]int `json:"outcomes"`
		MaxHoldCount     int            `json:"max_hold_count"`
		LongestWaitMS    int64          `json:"longest_wait_ms"`
		AnsweredInTarget int            `json:"answered_in_target"`
		Callbacks        int            `json:"callbacks,omitzero"` // of those waiting
		Alert            *wireAlert     `json:"alert,omitempty"`
	}
	wireAlert struct {
		Since int64  `json:"since"`
		Text  string `json:"text"`
	}
	wireOperator struct {
		ID       string   `json:"id"`
		Name     string   `json:"name"`
		State    string   `json:"state"`
		Since    int64    `json:"since,omitzero"`
		Until    int64    `json:"until,omitzero"`
		Reason   string   `json:"reason,omitzero"`
		OffAfter bool     `json:"off_after,omitzero"`
		ExtendMS int64    `json:"extend_ms,omitzero"` // how much longer this wrap-up may still be made
		Call     string   `json:"call,omitzero"`
		Missed   int      `json:"missed,omitzero"`
		Centers  []string `json:"centers"`
	}
	wireCall struct {
		ID       string     `json:"id"`
		Center   string     `json:"center,omitzero"`
		From     string     `json:"from,omitzero"`
		To       string     `json:"to,omitzero"`
		State    string     `json:"state"`
		Since    int64      `json:"since,omitzero"`
		Arrived  int64      `json:"arrived,omitzero"`
		Entered  int64      `json:"entered,omitzero"`
		Position int        `json:"position,omitzero"`
		Operator string     `json:"operator,omitzero"`
		Path     []wireStep `json:"path"`

		Direction string `json:"direction,omitzero"`
		Callback  bool   `json:"callback,omitzero"`
		Recording string `json:"recording,omitzero"`
		Voice     string `json:"voice,omitzero"` // likewise: whether the conversation is listened to
	}
	// wireTalk is a conversation that goes on. Pairs are of the customer and the operator. Turns are of the last seconds,
	// in a reset of the last minutes: a turn with the start of one that the page has replaces it.
	wireTalk struct {
		Call          string     `json:"call"`
		Began         int64      `json:"began"` // times of turns and gaps are milliseconds after it
		AtMS          int64      `json:"at_ms"` // as far as it is judged
		State         string     `json:"state,omitzero"`
		Speaking      [2]bool    `json:"speaking"`
		TalkMS        [2]int64   `json:"talk_ms"`
		MonologueMS   [2]int64   `json:"monologue_ms"`
		TurnCount     [2]int     `json:"turn_count"`
		OverlapMS     int64      `json:"overlap_ms"`
		Interruptions int        `json:"interruptions"`
		SilenceMS     int64      `json:"silence_ms"`
		DeadAirMS     int64      `json:"dead_air_ms"`
		DeadAirs      int        `json:"dead_airs"`
		ResponseMS    int64      `json:"response_ms,omitzero"` // on average
		Turns         [][3]int64 `json:"turns"`                // side (0 the customer, 1 the operator), start, end
		Gaps          []wireGap  `json:"gaps,omitempty"`
	}
	wireGap struct {
		Kind  string `json:"kind"` // "paused", "held"
		Start int64  `json:"start"`
		End   int64  `json:"end"`
	}
	wireEnded struct {
		ID       string     `json:"id"`
		Visit    string     `json:"visit,omitzero"` // the call of the lists that it was of; absent: this one
		At       int64      `json:"at"`
		Center   string     `json:"center,omitzero"`
		From     string     `json:"from,omitzero"`
		To       string     `json:"to,omitzero"`
		Outcome  string     `json:"outcome"`
		Reason   string     `json:"reason,omitzero"`
		Operator string     `json:"operator,omitzero"`
		WaitMS   int64      `json:"wait_ms"`
		Path     []wireStep `json:"path"`

		Direction string `json:"direction,omitzero"`
		Callback  bool   `json:"callback,omitzero"`
	}
	wireStep struct {
		At   int64  `json:"at"`
		Rule string `json:"rule"`
		Text string `json:"text"`
	}
	wireNotice struct {
		At    int64  `json:"at"`
		Level string `json:"level"`
		Text  string `json:"text"`
		Alert string `json:"alert,omitzero"` // "raised", "reminded", "cleared": it tells of an alert
	}
)

// appendUpdate appends one server-sent event. Names and numbers come from phones, so bytes that are no UTF-8 are
// replaced, never refused.
func appendUpdate(b []byte, u engine.Update) ([]byte, error) {
	body, err := json.Marshal(toWire(u), jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		return b, err
	}
	if u.Reset {
		b = append(b, "event: reset\nid: "...)
	} else {
		b = append(b, "event: update\nid: "...)
	}
	b = strconv.AppendUint(b, u.Seq, 10)
	b = append(b, "\ndata: "...)
	b = append(b, body...)
	return append(b, "\n\n"...), nil
}

// appendBeat appends a heartbeat: an event without an id, so that the page notices a dead connection and the server's
// clock, and the place in the stream stays.
func appendBeat(b []byte, now time.Time) []byte {
	b = append(b, ": heartbeat\nevent: beat\ndata: {\"at\":"...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	return append(b, "}\n\n"...)
}

func toWire(u engine.Update) wireUpdate {
	return wireUpdate{
		Seq: u.Seq, At: millis(u.At),
		Centers:        each(u.Centers, toCenter),
		Operators:      each(u.Operators, toOperator),
		Calls:          each(u.Calls, toCall),
		Ended:          each(u.Ended, toEnded),
		DeletedCenters: each(u.DeletedCenters, id), DeletedOperators: each(u.DeletedOperators, id),
		Notices: each(u.Notices, func(n engine.Notice) wireNotice {
			return wireNotice{At: millis(n.At), Level: n.Level, Text: n.Text, Alert: string(n.Alert)}
		}),
		Talks: each(u.Talks, toTalk),
	}
}

func toCenter(v route.CenterView) wireCenter {
	w := wireCenter{
		ID: id(v.ID), Name: v.Name, Description: v.Description,
		Availability: string(v.Availability.Status), Holiday: v.Availability.Holiday,
		Strategy: string(v.Strategy), RingSeconds: v.RingSeconds, Waiting: v.Waiting, OldestEntry: millis(v.OldestEntry),
		OnDuty: v.OnDuty, Capacity: v.Capacity,
		GoalPercent: v.Goal.ServiceLevelPercent, GoalSeconds: v.Goal.ServiceLevelSeconds,
		Outcomes: make(map[string]int, len(v.Outcomes)), MaxHoldCount: v.MaxHoldCount,
		LongestWaitMS: v.LongestWait.Milliseconds(), AnsweredInTarget: v.AnsweredInTarget, Callbacks: v.Callbacks,
	}
	if !v.Alert.Since.IsZero() {
		w.Alert = &wireAlert{Since: millis(v.Alert.Since), Text: v.Alert.Text}
	}
	if v.ServiceLevel >= 0 && !math.IsInf(v.ServiceLevel, 1) { // false for NaN too
		w.ServiceLevel = new(math.Round(v.ServiceLevel*10) / 10)
	}
	for outcome, n := range v.Outcomes {
		w.Outcomes[string(outcome)] = n
	}
	return w
}

func toOperator(v route.OperatorView) wireOperator {
	return wireOperator{
		ID: id(v.ID), Name: v.Name, State: string(v.State), Since: millis(v.Since), Until: millis(v.Until),
		Reason: v.Duty.Reason, OffAfter: v.OffAfter, Call: id(v.Call), Missed: v.Missed, Centers: each(v.Centers, id),
		ExtendMS: v.Extend.Milliseconds(),
	}
}

func toCall(v route.CallView) wireCall {
	return wireCall{
		ID: id(v.ID), Center: id(v.Center), From: v.From, To: v.To, State: v.State,
		Since: millis(v.Since), Arrived: millis(v.Arrived), Entered: millis(v.Entered),
		Position: v.Position, Operator: id(v.Operator), Path: each(v.Path, toStep),
		Direction: v.Direction, Callback: v.Callback, Recording: v.Recording,
		Voice: v.Voice,
	}
}

func toEnded(r route.CallRecord) wireEnded {
	visit := r.Visit
	if visit == r.Call {
		visit = 0
	}
	return wireEnded{
		ID: id(r.Call), Visit: id(visit), At: millis(r.Ended), Center: id(r.Center),
		From: r.From, To: r.To, Outcome: string(r.Outcome),
		Reason: r.Reason, Operator: id(r.Operator), WaitMS: r.Wait().Milliseconds(), Path: each(r.Path, toStep),
		Direction: r.Direction, Callback: r.Callback,
	}
}

func toTalk(t engine.Talk) wireTalk {
	r := &t.Report
	w := wireTalk{
		Call: id(t.Call), Began: millis(t.Began), AtMS: r.At.Milliseconds(), State: r.State.Word(), Speaking: r.Speaking,
		OverlapMS: r.Overlap.Milliseconds(), Interruptions: r.Interruptions, SilenceMS: r.Silence.Milliseconds(),
		DeadAirMS: r.DeadAir.Milliseconds(), DeadAirs: r.DeadAirs,
		Turns: each(r.Turns, func(turn voice.Turn) [3]int64 {
			return [3]int64{int64(turn.Leg), turn.Start.Milliseconds(), turn.End.Milliseconds()}
		}),
		Gaps: each(r.Gaps, func(g voice.Gap) wireGap {
			return wireGap{g.State.Word(), g.Start.Milliseconds(), g.End.Milliseconds()}
		}),
	}
	for leg, side := range r.Legs {
		w.TalkMS[leg], w.MonologueMS[leg] = side.Talk.Milliseconds(), side.Monologue.Milliseconds()
		w.TurnCount[leg] = side.Turns
	}
	if response, ok := r.Response(); ok {
		w.ResponseMS = response.Milliseconds()
	}
	return w
}

func toStep(p route.PathStep) wireStep {
	return wireStep{At: millis(p.At), Rule: p.Rule, Text: p.Text}
}

// id writes an id as the pages see it: a string, "" for none.
func id[T ~int64](n T) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, v := range in {
		out = append(out, f(v))
	}
	return out
}
