package route

import (
	"time"

	"switchboard/internal/callcenter"
)

// OperatorState is an operator's presence, in exactly the words people see.
type OperatorState string

// The presence of an operator.
const (
	OffDuty   OperatorState = "off duty"
	NoDevice  OperatorState = "no device" // on duty, but no phone of theirs can be reached
	DND       OperatorState = "do not disturb"
	Available OperatorState = "available"
	Ringing   OperatorState = "ringing"
	OnCall    OperatorState = "on call"
	WrapUp    OperatorState = "wrap-up"
)

// CenterView is a call center at this instant.
type CenterView struct {
	ID               callcenter.ID
	Name             string
	Description      string // group_description
	Availability     callcenter.Availability
	Strategy         callcenter.Strategy
	Waiting          int       // callbacks included
	Callbacks        int       // of those waiting
	OldestEntry      time.Time // of those waiting on the line, not of callbacks; zero: nobody waits
	OnDuty           int       // with or without a device
	Capacity         int       // could be rung now
	Goal             callcenter.Alerts
	ServiceLevel     float64         // percent over the rolling 30 minutes; -1: no data
	Outcomes         map[Outcome]int // since the machine started, and before; those that did not occur are left out
	AnsweredInTarget int             // likewise
	MaxHoldCount     int
	RingSeconds      int           // how long an offer rings
	LongestWait      time.Duration // likewise
	Alert            AlertView
}

// AlertView is a service level alert that was raised and not cleared. The zero value: there is none.
type AlertView struct {
	Since time.Time
	Text  string // one sentence, of the level as it is now
}

// OperatorView is a person at this instant.
type OperatorView struct {
	ID       callcenter.OperatorID
	Name     string
	State    OperatorState
	Since    time.Time
	Until    time.Time // wrap-up only: when it ends
	Duty     callcenter.Duty
	OffAfter bool // goes off duty when the call or wrap-up ends
	Call     CallID
	Missed   int           // in a row
	Extend   time.Duration // how much longer this wrap-up may still be made
	Centers  []callcenter.ID
}

// CallView is a call at this instant.
type CallView struct {
	ID       CallID
	Entry    CallID // of the entry leg: ID, until another call center takes the caller over
	Center   callcenter.ID
	From     string
	To       string
	State    string // "arrived", "offering", "queued", "connected", "prompt", "voicemail", "dialling", "callback"
	Since    time.Time
	Arrived  time.Time
	Entered  time.Time
	Position int // in the queue, from 1; 0: not in it
	Operator callcenter.OperatorID
	Path     []PathStep

	Direction string // Inbound or Outbound
	Callback  bool
	Recording string // "", "on" or "paused"
	Voice     string // likewise: whether the conversation is listened to

	Offers []OfferRecord // of this entry leg, in order; only Machine.Leg fills them in
}

// PathStep is one thing that happened to a call, in words.
type PathStep struct {
	At   time.Time
	Rule string
	Text string
}
