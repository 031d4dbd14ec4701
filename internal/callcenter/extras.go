package callcenter

import "time"

// Extras are what a call center can be told beyond the sixteen settings (docs/reference/api.md, Extras).
type Extras struct {
	MaxMissedCalls         int  // misses in a row that set an operator off duty; 0: never
	ShortAbandonSeconds    int  // an abandoned call that waited less is short; 0: none is
	AlertMinCalls          int  // fewer offered calls in the window raise no alert
	AnnounceCenterName     bool // the operator hears the center's name before the caller
	WrapUpExtensionSeconds int  // how much longer an operator may make one wrap-up; 0: not at all
	RecordingRetentionDays int  // recordings and voicemails older are removed; 0: never
	VoiceRetentionDays     int  // likewise of what the voice analysis keeps
}

// DefaultExtras are the extras of a call center that was told nothing.
func DefaultExtras() Extras {
	return Extras{MaxMissedCalls: 1, ShortAbandonSeconds: 5, AlertMinCalls: 10}
}

// HolidayID names one holiday of one call center.
type HolidayID int64

// RouterID names a call router.
type RouterID int64

// CallRouter is a program of the company that says, call by call, where a caller goes.
type CallRouter struct {
	Record
	ID            RouterID
	OfficeID      OfficeID
	Name          string
	RoutingURL    string
	DefaultTarget Target // when the program fails
	Enabled       bool
	Secret        string      // signs what we send; "": nothing is signed
	Errors        []time.Time // the latest within an hour, at most MaxRouterErrors+1; kept while the router is disabled
}

// PromptID names an uploaded prompt.
type PromptID int64

// CustomPrompt is an upload that callers hear in place of a built-in prompt. Its audio is a file below the data
// directory: mu-law, 8 kHz.
type CustomPrompt struct {
	Record
	ID          PromptID
	Target      Target // a call center, office or user
	Type        string // the API's ivr_type: "HOLD_MUSIC", "MENU", ...
	Name        string
	Description string
	Selected    bool // of those of one target and type, the one that is heard
	Path        string
}
