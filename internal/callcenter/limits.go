package callcenter

import "time"

// The limits of the settings, both ends included. docs/reference/callcenter-settings.md explains each.
const (
	MaxNameLength        = 100 // Unicode code points; at least one of them is not white space
	MaxDescriptionLength = 256 // Unicode code points
	MaxDayIntervals      = 10  // opening intervals of one day

	MinRingSeconds = 10
	MaxRingSeconds = 45

	MinHoldCount                   = 1
	MaxHoldCount                   = 1000
	MinHoldSeconds                 = 30
	MaxHoldSeconds                 = 18_000
	MinAnnouncementIntervalSeconds = 10
	MaxAnnouncementIntervalSeconds = 3600
	MinCallbackThreshold           = 0
	MaxCallbackThreshold           = 1000

	// MinAnnouncedHoldSeconds is the shortest max_hold_seconds with which positions are announced.
	MinAnnouncedHoldSeconds = 120

	MinServiceLevelPercent = 0
	MaxServiceLevelPercent = 100
	MinServiceLevelSeconds = 1
	MaxServiceLevelSeconds = 3600

	MinWrapUpSeconds = 0
	MaxWrapUpSeconds = 3600
)

// NextChangeHorizon is how far NextChange looks ahead: a week of hours and a day for the clocks to change in.
const NextChangeHorizon = 8 * 24 * time.Hour

// The limits of holidays and extras (docs/reference/api.md).
const (
	MaxHolidays               = 100 // of one call center
	MaxMissedCalls            = 10
	MaxShortAbandonSeconds    = 60
	MinAlertCalls             = 1
	MaxAlertCalls             = 1000
	MaxWrapUpExtensionSeconds = 3600
	MaxRetentionDays          = 3650
)
