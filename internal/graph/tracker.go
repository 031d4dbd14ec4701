package graph

import (
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// Change says that a leg came into a state. A leg can come into Recording and VoicemailUploaded after its end.
type Change struct {
	Leg   Leg // its State is the new one
	At    time.Time
	Other []Leg // the caller's leg for one of an operator, the operators' for the caller's
}

// Tracker follows calls while they go on. It is fed every step of the core, in order, by one goroutine.
type Tracker struct {
	emit   func(Change)
	stands Stands                            // of the step that is being taken
	ended  map[route.CallID][]route.PathStep // paths of the calls that this step ends: the core knows them no more
	visits map[route.CallID]*visit
	boxes  map[route.CallID]Leg // calls that are over, whose voicemail is not yet complete

	promised map[route.CallID]string // numbers to call back, by the call that will be
}

// visit is one caller.
type visit struct {
	entry Leg
	rungs []*rung
	boxed bool // a voicemail is being recorded
}

// rung is one operator's leg and their phones.
type rung struct {
	leg    Leg
	phones map[int]bool // by LegID.N: still there
	missed bool
}

// NewTracker returns a tracker that knows no calls. emit is called from Step.
func NewTracker(emit func(Change)) *Tracker {
	return &Tracker{
		emit: emit, ended: map[route.CallID][]route.PathStep{}, visits: map[route.CallID]*visit{},
		boxes: map[route.CallID]Leg{}, promised: map[route.CallID]string{},
	}
}

// Live is how many calls are being followed.
func (t *Tracker) Live() int { return len(t.visits) }

// Stands says where a call stands after a step: a route.Machine does.
type Stands interface {
	CallState(call route.CallID) (state string, at callcenter.ID)
	CallPath(call route.CallID) []route.PathStep
}

// Step takes one step of the core.
func (t *Tracker) Step(now time.Time, event route.Event, effects []route.Effect, stands Stands) {
	t.stands = stands
	t.note(effects)
	touched := t.event(now, event)
	for _, effect := range effects {
		if call := t.order(now, effect); call != 0 && call != touched {
			t.settle(now, touched)
			touched = call
		}
	}
	t.settle(now, touched)
	if done, ok := event.(route.RecordingEnded); ok {
		t.uploaded(now, done) // behind the end of the call, if that came with it
	}
}

// note keeps the paths of what is over after the step: an operator's leg is told to end before its call is.
func (t *Tracker) note(effects []route.Effect) {
	clear(t.ended)
	for _, effect := range effects {
		switch o := effect.Order.(type) {
		case route.End:
			t.ended[o.Record.Call] = o.Record.Path
		case route.Pass:
			t.ended[o.Record.Call] = o.Record.Path
		}
	}
}

// event reads what happened, and says which caller it is about; 0: none that is known.
func (t *Tracker) event(now time.Time, event route.Event) route.CallID {
	switch e := event.(type) {
	case route.CallArrived:
		t.begin(now, e.Call, e.Center, route.Inbound, e.From, e.To)
		return e.Call
	case route.CallAsked:
		t.begin(now, e.Call, e.Center, route.Outbound, e.To, e.CallerID)
		return e.Call
	case route.LegAnswered:
		return e.Leg.Call
	case route.LegFailed:
		t.phoneGone(now, e.Leg, e.Status == 408 || e.Status == 480 || e.Status == 487)
		return e.Leg.Call
	case route.LegHungUp:
		t.phoneGone(now, e.Leg, false)
		return e.Leg.Call
	case route.RestoreCallback:
		t.promised[e.Callback.Call] = e.Callback.Number
	case route.RecordingEnded:
		return e.Call
	case route.Digit:
		return e.Call
	case route.PlayDone:
		return e.Call
	}
	return 0
}

func (t *Tracker) begin(now time.Time, call route.CallID, center callcenter.ID, direction, external, internal string) {
	if t.visits[call] != nil {
		return
	}
	v := &visit{entry: Leg{
		ID: call, Entry: call, Visit: call, Center: center, Direction: direction, External: external, Internal: internal,
		Started: now,
	}}
	t.visits[call] = v
	t.enter(v, now, Calling)
}

// order reads what was ordered, and says which caller it is about; 0: none that is known.
func (t *Tracker) order(now time.Time, effect route.Effect) route.CallID {
	switch o := effect.Order.(type) {
	case route.Ring:
		t.ring(now, o)
		return o.Leg.Call
	case route.CancelLeg:
		t.phoneGone(now, o.Leg, effect.Why.Rule == route.ResultMissed)
		return o.Leg.Call
	case route.HangupLeg:
		t.phoneGone(now, o.Leg, false)
		return o.Leg.Call
	case route.Bridge:
		t.bridge(now, o)
		return o.Call
	case route.Record:
		if v := t.visits[o.Call]; v != nil {
			v.boxed = true
		}
		return o.Call
	case route.SaveCallback:
		t.promised[o.Callback.Call] = o.Callback.Number
	case route.DropCallback:
		delete(t.promised, o.Call)
	case route.RecordCall:
		t.recorded(o)
		return o.Call
	case route.Pass:
		t.pass(now, o)
		return o.Record.Visit
	case route.End:
		t.end(now, o.Record)
		return 0
	case route.Music:
		return o.Call
	case route.Play:
		return o.Call
	}
	return 0
}

func (t *Tracker) ring(now time.Time, o route.Ring) {
	v := t.visits[o.Leg.Call]
	if v == nil { // a callback: nobody arrived
		t.begin(now, o.Leg.Call, o.Center, route.Outbound, t.promised[o.Leg.Call], "")
		v = t.visits[o.Leg.Call]
	}
	for _, r := range v.rungs {
		if r.leg.Operator == o.Operator && r.leg.Ended.IsZero() {
			r.phones[o.Leg.N] = true
			return
		}
	}
	place := len(v.rungs) + 1
	r := &rung{phones: map[int]bool{o.Leg.N: true}, leg: v.entry}
	r.leg.ID, r.leg.Place, r.leg.Operator = route.OfferCall(v.entry.ID, place), place, o.Operator
	r.leg.Started, r.leg.Rang, r.leg.Queued, r.leg.Connected = now, now, time.Time{}, time.Time{}
	v.rungs = append(v.rungs, r)
	if v.entry.Rang.IsZero() {
		v.entry.Rang = now
	}
	t.turn(v, r, now, Ringing)
}

// rungOf finds the leg that a phone belongs to.
func (t *Tracker) rungOf(id route.LegID) (*visit, *rung) {
	v := t.visits[id.Call]
	if v == nil {
		return nil, nil
	}
	for _, r := range v.rungs {
		if r.phones[id.N] {
			return v, r
		}
	}
	return v, nil
}

// phoneGone ends the leg of an operator with its last phone.
func (t *Tracker) phoneGone(now time.Time, id route.LegID, missed bool) {
	v, r := t.rungOf(id)
	if r == nil {
		return
	}
	delete(r.phones, id.N)
	r.missed = r.missed || missed
	if len(r.phones) == 0 {
		t.over(v, r, now)
	}
}

func (t *Tracker) over(v *visit, r *rung, now time.Time) {
	if !r.leg.Ended.IsZero() {
		return
	}
	r.leg.Ended = now
	if r.missed && r.leg.Connected.IsZero() {
		t.turn(v, r, now, Missed)
		return
	}
	t.turn(v, r, now, Hangup)
}

func (t *Tracker) bridge(now time.Time, o route.Bridge) {
	v, r := t.rungOf(o.Leg)
	if v != nil && r == nil && v.entry.Connected.IsZero() {
		v.entry.Connected = now // forwarded: a number answered
	}
	if r == nil || !r.leg.Connected.IsZero() {
		return
	}
	r.leg.Connected = now
	if v.entry.Connected.IsZero() {
		v.entry.Connected, v.entry.Operator, v.entry.OperatorLeg = now, r.leg.Operator, r.leg.ID
	}
	t.turn(v, r, now, Connected)
}

func (t *Tracker) recorded(o route.RecordCall) {
	v := t.visits[o.Call]
	if v == nil {
		return
	}
	v.entry.Recorded = true
	for _, r := range v.rungs {
		if r.leg.Operator == o.Operator && r.leg.Ended.IsZero() {
			r.leg.Recorded = true
		}
	}
}

// settle brings the caller's leg to where the core says that the call stands.
func (t *Tracker) settle(now time.Time, call route.CallID) {
	v := t.visits[call]
	if v == nil {
		return
	}
	state, center := t.stands.CallState(call)
	if center != 0 {
		v.entry.Center = center
	}
	next := StateOf(state)
	if next == Calling {
		next = v.entry.State // a prompt, or over: nothing that programs are told of
	}
	if next == Queued && v.entry.Queued.IsZero() {
		v.entry.Queued = now
	}
	if next != v.entry.State {
		t.enter(v, now, next)
	}
}

// pass ends the caller's leg of one call center and begins that of the next.
func (t *Tracker) pass(now time.Time, o route.Pass) {
	v := t.visits[o.Record.Visit]
	if v == nil {
		return
	}
	t.close(v, now, o.Record)
	next := &visit{entry: Leg{
		ID: o.Next, Entry: o.Next, Visit: o.Record.Visit, Center: o.Center, Direction: v.entry.Direction,
		External: v.entry.External, Internal: v.entry.Internal, Started: now,
	}}
	t.visits[o.Record.Visit] = next
	t.enter(next, now, Calling)
}

func (t *Tracker) end(now time.Time, rec route.CallRecord) {
	id := rec.Visit
	if id == 0 {
		id = rec.Call
	}
	v := t.visits[id]
	if v == nil {
		return
	}
	t.close(v, now, rec)
	delete(t.visits, id)
	if v.boxed {
		t.boxes[id] = v.entry
	}
}

// close ends what is left of an entry leg. A caller whom nobody answered is missed before the end.
func (t *Tracker) close(v *visit, now time.Time, rec route.CallRecord) {
	final := Of(rec, 0)
	v.entry.Path = final.Path
	for _, r := range v.rungs {
		r.leg.Path = final.Path
		t.over(v, r, now)
	}
	v.entry.Center, v.entry.Outcome, v.entry.Reason = final.Center, final.Outcome, final.Reason
	v.entry.Callback, v.entry.Ended = final.Callback, now
	if final.State == Missed {
		t.enter(v, now, Missed)
	}
	t.enter(v, now, Hangup)
	if v.entry.Recorded {
		t.enter(v, now, Recording)
	}
}

func (t *Tracker) uploaded(now time.Time, e route.RecordingEnded) {
	if v := t.visits[e.Call]; v != nil {
		v.boxed = false
		if e.Kept {
			t.tell(v.entry, now, VoicemailUploaded, nil)
		}
		return
	}
	leg, ok := t.boxes[e.Call]
	delete(t.boxes, e.Call)
	if ok && e.Kept {
		t.tell(leg, now, VoicemailUploaded, nil)
	}
}

// enter and turn bring a leg into a state: the caller's, or an operator's.
func (t *Tracker) enter(v *visit, now time.Time, state State) {
	v.entry.State = state
	var others []Leg
	for _, r := range v.rungs {
		others = append(others, r.leg)
	}
	t.tell(v.entry, now, state, others)
}

func (t *Tracker) turn(v *visit, r *rung, now time.Time, state State) {
	r.leg.State = state
	t.tell(r.leg, now, state, []Leg{v.entry})
}

func (t *Tracker) tell(leg Leg, now time.Time, state State, others []Leg) {
	leg.State = state
	if leg.Path == nil {
		leg.Path = t.ended[leg.Entry]
	}
	if leg.Path == nil { // the call goes on
		leg.Path = t.stands.CallPath(leg.Visit)
	}
	t.emit(Change{Leg: leg, At: now, Other: others})
}
