// Package graph shows calls as integrators know them: one leg for the caller, one for each operator who was rung, each
// with an id, a state and times; from the record of an ended call, or step by step while a call goes on.
//
// It refuses to decide anything, to do I/O and to know the formats in which legs are written.
package graph

import (
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// State is where a leg stands: one of the constants below.
type State string

// The states of a leg, by the API's names (docs/reference/events.md, "States").
const (
	Calling           State = "calling"
	Ringing           State = "ringing"
	Queued            State = "queued"
	Connected         State = "connected"
	Missed            State = "missed"
	Voicemail         State = "voicemail"
	VoicemailUploaded State = "voicemail_uploaded"
	Recording         State = "recording"
	Hangup            State = "hangup"
)

// StateOf is the state of the caller's leg of a call that goes on, by its route.CallView.State.
func StateOf(view string) State {
	switch view {
	case "offering":
		return Ringing
	case "queued", "callback":
		return Queued
	case "connected":
		return Connected
	case "voicemail":
		return Voicemail
	}
	return Calling
}

// Leg is one leg of a call. Zero times: it did not come to that.
type Leg struct {
	ID          route.CallID
	Entry       route.CallID // of the caller's leg; that leg has its own ID here
	Visit       route.CallID // of the caller's first leg, when several call centers took them
	Place       int          // 0: the caller's leg; n: the n-th offer
	Center      callcenter.ID
	Operator    callcenter.OperatorID // who was rung, or on the caller's leg who answered
	OperatorLeg route.CallID          // on the caller's leg: that of the operator who answered
	Direction   string                // route.Inbound or route.Outbound
	External    string                // the number that is not ours, "" when withheld
	Internal    string                // ours
	State       State

	Started   time.Time
	Queued    time.Time
	Rang      time.Time
	Connected time.Time
	Ended     time.Time

	Outcome  route.Outcome // once ended
	Reason   string
	Callback bool             // the caller is called back
	Recorded bool             // known while the call goes on
	Path     []route.PathStep // of the call, not to be written to
}

// Breadcrumb is the type of a routing breadcrumb, by the API's names.
type Breadcrumb string

// The types of breadcrumbs (docs/reference/events.md, "Payloads").
const (
	OurRouting  Breadcrumb = "callrouter"
	ExternalAPI Breadcrumb = "external_api"
)

// BreadcrumbOf is the type of a step of a call's path: that a program of the company was asked and what it said, or
// what our own routing did.
func BreadcrumbOf(step route.PathStep) Breadcrumb {
	if step.Rule == route.RuleRouter || step.Rule == route.RuleRouterFailed {
		return ExternalAPI
	}
	return OurRouting
}

// IsEntry says whether the leg is the caller's.
func (l Leg) IsEntry() bool { return l.Place == 0 }

// Talk is how long caller and operator were connected until now, or until the end.
func (l Leg) Talk(now time.Time) time.Duration { return until(l.Connected, l.Ended, now) }

// Total is how long the leg has been, until now or until its end.
func (l Leg) Total(now time.Time) time.Duration { return until(l.Started, l.Ended, now) }

func until(from, to, now time.Time) time.Duration {
	switch {
	case from.IsZero():
		return 0
	case to.IsZero():
		return max(0, now.Sub(from))
	}
	return max(0, to.Sub(from))
}

// Of is a leg of an ended call: place 0 is the caller's, n the n-th offer. It panics for an offer that is not there.
func Of(rec route.CallRecord, place int) Leg {
	leg := Leg{
		ID: rec.Call, Entry: rec.Call, Visit: rec.Visit, Place: place, Center: rec.Center, Direction: rec.Direction,
		External: rec.From, Internal: rec.To, Outcome: rec.Outcome, Reason: rec.Reason, Callback: rec.Callback,
		Started: rec.Arrived, Ended: rec.Ended, State: Hangup, Path: rec.Path,
	}
	if leg.Visit == 0 {
		leg.Visit = rec.Call // of a record from before visits had several entry legs
	}
	if leg.Direction == "" {
		leg.Direction = route.Inbound
	}
	if leg.Direction == route.Outbound {
		leg.External, leg.Internal = rec.To, rec.From
	}
	if place > 0 {
		return ofOffer(leg, rec, rec.Offers[place-1])
	}
	leg.Queued, leg.Connected, leg.Operator = rec.Entered, rec.Connected, rec.Operator
	for i, offer := range rec.Offers {
		if leg.Rang.IsZero() {
			leg.Rang = offer.At
		}
		if offer.Result == route.ResultAnswered {
			leg.OperatorLeg = route.OfferCall(rec.Call, i+1)
		}
	}
	switch rec.Outcome {
	case route.Voicemail:
		leg.State = Voicemail
	case route.Abandoned, route.ShortAbandoned:
		leg.State = Missed
	}
	return leg
}

// Live is a leg of a call that goes on, as route.Machine.Leg finds it.
func Live(view route.CallView, place int) Leg {
	leg := Of(route.CallRecord{
		Call: view.Entry, Visit: view.ID, Center: view.Center, From: view.From, To: view.To, Direction: view.Direction,
		Callback: view.Callback, Operator: view.Operator, Arrived: view.Arrived, Entered: view.Entered,
		Offers: view.Offers, Path: view.Path,
	}, place)
	talks := StateOf(view.State) == Connected
	if place == 0 {
		leg.State, leg.Recorded = StateOf(view.State), view.Recording != ""
		leg.Operator = 0
		if talks {
			leg.Connected, leg.Operator = view.Since, view.Operator
		}
		return leg
	}
	switch offer := view.Offers[place-1]; {
	case offer.Result == "", offer.Result == route.ResultAnswered && !talks:
		leg.State, leg.Connected, leg.Ended = Ringing, time.Time{}, time.Time{}
	case offer.Result == route.ResultAnswered:
		leg.State, leg.Connected, leg.Ended, leg.Recorded = Connected, view.Since, time.Time{}, view.Recording != ""
	}
	return leg
}

func ofOffer(leg Leg, rec route.CallRecord, offer route.OfferRecord) Leg {
	leg.ID = route.OfferCall(rec.Call, leg.Place)
	leg.Operator, leg.Started, leg.Rang, leg.Ended = offer.Operator, offer.At, offer.At, offer.Until
	if leg.Ended.IsZero() {
		leg.Ended = rec.Ended
	}
	switch offer.Result {
	case route.ResultMissed:
		leg.State = Missed
	case route.ResultAnswered:
		leg.Connected, leg.Ended = offer.Until, rec.Ended
		if !rec.Connected.IsZero() && offer.Operator == rec.Operator {
			leg.Connected = rec.Connected
		}
	}
	return leg
}
