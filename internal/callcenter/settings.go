package callcenter

import "time"

// Settings are the sixteen settings of a call center, plus its time zone, in effective form: defaults are filled in.
type Settings struct {
	Name              string
	GroupDescription  string
	HoursOn           bool
	Hours             [7]DayHours // indexed by time.Weekday
	RingSeconds       int
	RoutingOptions    RoutingOptions
	HoldQueue         HoldQueue
	Alerts            Alerts
	AdvancedSettings  AdvancedSettings
	VoiceIntelligence VoiceIntelligence
	Timezone          string // tz database name; "": the office's
}

// DayHours are the opening intervals of one weekday: "HH:MM" pairs open, close, ascending; empty: closed that day.
type DayHours []string

// RoutingOptions say what happens to a call while the center is open and while it is closed.
type RoutingOptions struct {
	Open   Branch
	Closed Branch
}

// Strategy chooses the operator who rings: see the Strategy constants.
type Strategy string

// The six strategies, by their names in the API.
const (
	FixedOrder   Strategy = "fixedorder"
	LongestIdle  Strategy = "longestidle"
	MostSkilled  Strategy = "mostskilled"
	Random       Strategy = "random"
	RoundRobin   Strategy = "roundrobin"
	Simultaneous Strategy = "simultaneous"
)

// Action is what happens to a call that no operator takes: see the Action constants.
type Action string

// The actions of the API.
const (
	ActionBridgeTarget     Action = "bridge_target"
	ActionCompanyDirectory Action = "company_directory"
	ActionDepartment       Action = "department"
	ActionDirectory        Action = "directory"
	ActionDisabled         Action = "disabled"
	ActionExtension        Action = "extension"
	ActionMenu             Action = "menu"
	ActionMessage          Action = "message"
	ActionOperator         Action = "operator"
	ActionPerson           Action = "person"
	ActionScriptedIVR      Action = "scripted_ivr"
	ActionVoicemail        Action = "voicemail"
)

// Target is whom an action leads to. The zero Target is none.
type Target struct {
	ID   int64
	Type TargetType
}

// TargetType is the kind of a Target, by its name in the API.
type TargetType string

// The target types of the API.
const (
	TargetCallCenter    TargetType = "callcenter"
	TargetCallRouter    TargetType = "callrouter"
	TargetChannel       TargetType = "channel"
	TargetCoachingGroup TargetType = "coachinggroup"
	TargetContact       TargetType = "contact"
	TargetContactGroup  TargetType = "contactgroup"
	TargetDepartment    TargetType = "department"
	TargetOffice        TargetType = "office"
	TargetRoom          TargetType = "room"
	TargetStaffGroup    TargetType = "staffgroup"
	TargetUnknown       TargetType = "unknown"
	TargetUser          TargetType = "user"
)

// Branch is the routing of one state of the center, open or closed.
type Branch struct {
	Action           Action
	Target           Target
	TryDialOperators bool
	OperatorRouting  Strategy
	DTMF             []MenuKey
}

// MenuKey is what one digit of a menu does.
type MenuKey struct {
	Input  string // "0".."9"
	Action Action
	Target Target
}

// HoldQueue says who waits, how long and what they hear.
type HoldQueue struct {
	MaxHoldCount                int
	MaxHoldSeconds              int
	AnnouncePosition            bool
	AnnouncementIntervalSeconds int
	AllowQueueCallback          bool
	QueueCallbackDTMF           string
	QueueCallbackThreshold      int
	QueueEscapeDTMF             string
	StayInQueueAfterClosing     bool
	UnattendedQueue             bool
}

// MaxHold is MaxHoldSeconds as a duration.
func (q HoldQueue) MaxHold() time.Duration { return time.Duration(q.MaxHoldSeconds) * time.Second }

// Alerts are the service level goal: Percent of calls answered within Seconds. Percent 0: no alert.
type Alerts struct {
	ServiceLevelPercent int
	ServiceLevelSeconds int
}

// AdvancedSettings are wrap-up and recording.
type AdvancedSettings struct {
	MaxWrapUpSeconds  int
	AutoCallRecording AutoCallRecording
}

// AutoCallRecording says which calls are recorded.
type AutoCallRecording struct {
	Inbound    bool
	Outbound   bool
	AllowPause bool
}

// VoiceIntelligence says which conversations are measured (docs/reference/voice.md).
type VoiceIntelligence struct {
	AutoStart  bool
	AllowPause bool
}
