package callcenter

import (
	"slices"
	"time"
)

// Patch is a change of settings: the body of PATCH and POST /api/v2/callcenters as plain JSON decoding fills it. A nil
// field, which is what null and an absent key both decode to, leaves the setting as it is.
type Patch struct {
	Name              *string                 `json:"name,omitzero"`
	GroupDescription  *string                 `json:"group_description,omitzero"`
	HoursOn           *bool                   `json:"hours_on,omitzero"`
	MondayHours       *DayHours               `json:"monday_hours,omitzero"`
	TuesdayHours      *DayHours               `json:"tuesday_hours,omitzero"`
	WednesdayHours    *DayHours               `json:"wednesday_hours,omitzero"`
	ThursdayHours     *DayHours               `json:"thursday_hours,omitzero"`
	FridayHours       *DayHours               `json:"friday_hours,omitzero"`
	SaturdayHours     *DayHours               `json:"saturday_hours,omitzero"`
	SundayHours       *DayHours               `json:"sunday_hours,omitzero"`
	RingSeconds       *int                    `json:"ring_seconds,omitzero"`
	RoutingOptions    *RoutingOptionsPatch    `json:"routing_options,omitzero"`
	HoldQueue         *HoldQueuePatch         `json:"hold_queue,omitzero"`
	Alerts            *AlertsPatch            `json:"alerts,omitzero"`
	AdvancedSettings  *AdvancedSettingsPatch  `json:"advanced_settings,omitzero"`
	VoiceIntelligence *VoiceIntelligencePatch `json:"voice_intelligence,omitzero"`
	Timezone          *string                 `json:"timezone,omitzero"`
}

// RoutingOptionsPatch is the routing_options of a Patch. Both branches are required.
type RoutingOptionsPatch struct {
	Open   *BranchPatch `json:"open,omitzero"`
	Closed *BranchPatch `json:"closed,omitzero"`
}

// BranchPatch replaces action, target and try_dial_operators of a branch; nil operator_routing and dtmf are kept.
type BranchPatch struct {
	Action           *Action         `json:"action,omitzero"`
	ActionTargetID   *int64          `json:"action_target_id,omitzero"`
	ActionTargetType *TargetType     `json:"action_target_type,omitzero"`
	TryDialOperators *bool           `json:"try_dial_operators,omitzero"`
	OperatorRouting  *Strategy       `json:"operator_routing,omitzero"`
	DTMF             *[]MenuKeyPatch `json:"dtmf,omitzero"`
}

// MenuKeyPatch is one digit of a menu. Input and Options are required.
type MenuKeyPatch struct {
	Input   *string           `json:"input,omitzero"`
	Options *MenuOptionsPatch `json:"options,omitzero"`
}

// MenuOptionsPatch is what a digit does. Action is required.
type MenuOptionsPatch struct {
	Action           *Action     `json:"action,omitzero"`
	ActionTargetID   *int64      `json:"action_target_id,omitzero"`
	ActionTargetType *TargetType `json:"action_target_type,omitzero"`
}

// HoldQueuePatch is the hold_queue of a Patch.
type HoldQueuePatch struct {
	MaxHoldCount                *int    `json:"max_hold_count,omitzero"`
	MaxHoldSeconds              *int    `json:"max_hold_seconds,omitzero"`
	AnnouncePosition            *bool   `json:"announce_position,omitzero"`
	AnnouncementIntervalSeconds *int    `json:"announcement_interval_seconds,omitzero"`
	AllowQueueCallback          *bool   `json:"allow_queue_callback,omitzero"`
	QueueCallbackDTMF           *string `json:"queue_callback_dtmf,omitzero"`
	QueueCallbackThreshold      *int    `json:"queue_callback_threshold,omitzero"`
	QueueEscapeDTMF             *string `json:"queue_escape_dtmf,omitzero"`
	StayInQueueAfterClosing     *bool   `json:"stay_in_queue_after_closing,omitzero"`
	UnattendedQueue             *bool   `json:"unattended_queue,omitzero"`
}

// AlertsPatch is the alerts of a Patch.
type AlertsPatch struct {
	ServiceLevelPercent *int `json:"cc_service_level,omitzero"`
	ServiceLevelSeconds *int `json:"cc_service_level_seconds,omitzero"`
}

// AdvancedSettingsPatch is the advanced_settings of a Patch.
type AdvancedSettingsPatch struct {
	MaxWrapUpSeconds  *int                    `json:"max_wrap_up_seconds,omitzero"`
	AutoCallRecording *AutoCallRecordingPatch `json:"auto_call_recording,omitzero"`
}

// AutoCallRecordingPatch is the auto_call_recording of a Patch.
type AutoCallRecordingPatch struct {
	Inbound    *bool `json:"call_recording_inbound,omitzero"`
	Outbound   *bool `json:"call_recording_outbound,omitzero"`
	AllowPause *bool `json:"allow_pause_recording,omitzero"`
}

// VoiceIntelligencePatch is the voice_intelligence of a Patch.
type VoiceIntelligencePatch struct {
	AutoStart  *bool `json:"auto_start,omitzero"`
	AllowPause *bool `json:"allow_pause,omitzero"`
}

// hours are the days of p by weekday.
func (p Patch) hours() [7]*DayHours {
	return [7]*DayHours{
		time.Sunday:    p.SundayHours,
		time.Monday:    p.MondayHours,
		time.Tuesday:   p.TuesdayHours,
		time.Wednesday: p.WednesdayHours,
		time.Thursday:  p.ThursdayHours,
		time.Friday:    p.FridayHours,
		time.Saturday:  p.SaturdayHours,
	}
}

// Patch is s as a change: applied to any other settings of the same company, it makes them equal to s. Marshalled, it
// is the settings part of a call center's answer, with true integers.
func (s Settings) Patch() Patch {
	var days [7]DayHours
	for day, hours := range s.Hours {
		days[day] = append(DayHours{}, hours...)
	}
	return Patch{
		Name:             new(s.Name),
		GroupDescription: new(s.GroupDescription),
		HoursOn:          new(s.HoursOn),
		MondayHours:      &days[time.Monday],
		TuesdayHours:     &days[time.Tuesday],
		WednesdayHours:   &days[time.Wednesday],
		ThursdayHours:    &days[time.Thursday],
		FridayHours:      &days[time.Friday],
		SaturdayHours:    &days[time.Saturday],
		SundayHours:      &days[time.Sunday],
		RingSeconds:      new(s.RingSeconds),
		RoutingOptions: &RoutingOptionsPatch{
			Open:   s.RoutingOptions.Open.patch(),
			Closed: s.RoutingOptions.Closed.patch(),
		},
		HoldQueue: s.HoldQueue.patch(),
		Alerts: &AlertsPatch{
			ServiceLevelPercent: new(s.Alerts.ServiceLevelPercent),
			ServiceLevelSeconds: new(s.Alerts.ServiceLevelSeconds),
		},
		AdvancedSettings: &AdvancedSettingsPatch{
			MaxWrapUpSeconds: new(s.AdvancedSettings.MaxWrapUpSeconds),
			AutoCallRecording: &AutoCallRecordingPatch{
				Inbound:    new(s.AdvancedSettings.AutoCallRecording.Inbound),
				Outbound:   new(s.AdvancedSettings.AutoCallRecording.Outbound),
				AllowPause: new(s.AdvancedSettings.AutoCallRecording.AllowPause),
			},
		},
		VoiceIntelligence: &VoiceIntelligencePatch{
			AutoStart:  new(s.VoiceIntelligence.AutoStart),
			AllowPause: new(s.VoiceIntelligence.AllowPause),
		},
		Timezone: new(s.Timezone),
	}
}

func (b Branch) patch() *BranchPatch {
	keys := make([]MenuKeyPatch, 0, len(b.DTMF))
	for _, key := range b.DTMF {
		id, kind := key.Target.patch()
		keys = append(keys, MenuKeyPatch{
			Input:   new(key.Input),
			Options: &MenuOptionsPatch{Action: new(key.Action), ActionTargetID: id, ActionTargetType: kind},
		})
	}
	id, kind := b.Target.patch()
	return &BranchPatch{
		Action:           new(b.Action),
		ActionTargetID:   id,
		ActionTargetType: kind,
		TryDialOperators: new(b.TryDialOperators),
		OperatorRouting:  new(b.OperatorRouting),
		DTMF:             &keys,
	}
}

func (t Target) patch() (*int64, *TargetType) {
	if t == (Target{}) {
		return nil, nil
	}
	return new(t.ID), new(t.Type)
}

func (q HoldQueue) patch() *HoldQueuePatch {
	return &HoldQueuePatch{
		MaxHoldCount:                new(q.MaxHoldCount),
		MaxHoldSeconds:              new(q.MaxHoldSeconds),
		AnnouncePosition:            new(q.AnnouncePosition),
		AnnouncementIntervalSeconds: new(q.AnnouncementIntervalSeconds),
		AllowQueueCallback:          new(q.AllowQueueCallback),
		QueueCallbackDTMF:           new(q.QueueCallbackDTMF),
		QueueCallbackThreshold:      new(q.QueueCallbackThreshold),
		QueueEscapeDTMF:             new(q.QueueEscapeDTMF),
		StayInQueueAfterClosing:     new(q.StayInQueueAfterClosing),
		UnattendedQueue:             new(q.UnattendedQueue),
	}
}

// Equal says whether s and o are the same settings. An empty list and none are the same.
func (s Settings) Equal(o Settings) bool {
	for day := range s.Hours {
		if !slices.Equal(s.Hours[day], o.Hours[day]) {
			return false
		}
	}
	return s.Name == o.Name && s.GroupDescription == o.GroupDescription && s.HoursOn == o.HoursOn &&
		s.RingSeconds == o.RingSeconds && s.RoutingOptions.Open.equal(o.RoutingOptions.Open) &&
		s.RoutingOptions.Closed.equal(o.RoutingOptions.Closed) && s.HoldQueue == o.HoldQueue &&
		s.Alerts == o.Alerts && s.AdvancedSettings == o.AdvancedSettings &&
		s.VoiceIntelligence == o.VoiceIntelligence && s.Timezone == o.Timezone
}

func (b Branch) equal(o Branch) bool {
	return b.Action == o.Action && b.Target == o.Target && b.TryDialOperators == o.TryDialOperators &&
		b.OperatorRouting == o.OperatorRouting && slices.Equal(b.DTMF, o.DTMF)
}
