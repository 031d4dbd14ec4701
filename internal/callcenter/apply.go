package callcenter

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Place is where settings are changed: what the rules need to know of the rest of the company. All of it must be of one
// moment, the one in which the change is written.
type Place struct {
	Self           ID                       // 0: being created, so nothing leads there yet
	OfficeTimezone string                   // tz database name of the office's zone
	Exists         func(Target) bool        // of the company; nil: nothing does
	Center         func(ID) (*Center, bool) // the others, to follow their bridges; nil: there are none
}

func (at Place) exists(t Target) bool {
	return at.Exists != nil && t.Type != TargetUnknown && at.Exists(t)
}

func (at Place) center(id ID) (*Center, bool) {
	if at.Center == nil {
		return nil, false
	}
	return at.Center(id)
}

// Create makes the settings of a new call center: the defaults changed by p, in which the name is required.
func Create(p Patch, at Place) (Settings, Problems) { return Defaults("").Apply(p, at) }

// Apply changes s by p. It judges the whole result and returns either that or every bad field together with s as it
// was. A target that was there before and has disappeared since is no problem while p leaves it where it is. Neither s
// nor p is changed, and the result shares no memory with p.
func (s Settings) Apply(p Patch, at Place) (Settings, Problems) {
	a := applying{before: s, next: s, at: at}
	a.text(p)
	a.hours(p)
	a.ring(p.RingSeconds)
	a.routing(p.RoutingOptions)
	a.holdQueue(p.HoldQueue)
	a.alerts(p.Alerts)
	a.advanced(p.AdvancedSettings)
	if p.VoiceIntelligence != nil {
		replace(&a.next.VoiceIntelligence.AutoStart, p.VoiceIntelligence.AutoStart)
		replace(&a.next.VoiceIntelligence.AllowPause, p.VoiceIntelligence.AllowPause)
	}
	a.timezone(p.Timezone)
	if len(a.problems) > 0 {
		return s, a.problems
	}
	return a.next, nil
}

// applying is one run of Apply.
type applying struct {
	before   Settings
	next     Settings
	at       Place
	problems Problems
}

func replace[T any](setting *T, value *T) {
	if value != nil {
		*setting = *value
	}
}

func (a *applying) bad(field, format string, args ...any) {
	a.problems = append(a.problems, Problem{field, fmt.Sprintf(format, args...)})
}

func (a *applying) refuse(field string, err error) {
	if err != nil {
		a.bad(field, "%v", err)
	}
}

func (a *applying) within(field string, value, low, high int) {
	if value < low || value > high {
		a.bad(field, "must be from %d to %d", low, high)
	}
}

func (a *applying) text(p Patch) {
	replace(&a.next.Name, p.Name)
	replace(&a.next.GroupDescription, p.GroupDescription)
	if a.next.Name == "" && p.Name == nil {
		a.bad("name", "is required")
	} else {
		a.refuse("name", CheckName(a.next.Name))
	}
	a.refuse("group_description", CheckMultiLine(a.next.GroupDescription, MaxDescriptionLength))
}

func (a *applying) hours(p Patch) {
	replace(&a.next.HoursOn, p.HoursOn)
	days := p.hours()
	for _, day := range mondayFirst {
		if days[day] != nil {
			a.next.Hours[day] = append(DayHours{}, *days[day]...)
		}
		a.problems = append(a.problems, a.next.Hours[day].Problems(hoursFields[day])...)
	}
}

func (a *applying) ring(p *int) {
	replace(&a.next.RingSeconds, p)
	a.within("ring_seconds", a.next.RingSeconds, MinRingSeconds, MaxRingSeconds)
}

func (a *applying) routing(p *RoutingOptionsPatch) {
	if p == nil {
		return // the branches were judged when they were written, and nothing else bears on them
	}
	found := len(a.problems)
	options := &a.next.RoutingOptions
	options.Open = a.branch("routing_options.open", options.Open, p.Open)
	options.Closed = a.branch("routing_options.closed", options.Closed, p.Closed)
	if len(a.problems) == found {
		a.circles()
	}
}

func (a *applying) branch(field string, old Branch, p *BranchPatch) Branch {
	if p == nil {
		a.bad(field, "is required in routing_options")
		return old
	}
	next := old
	replace(&next.Action, p.Action)
	wish := wish{p.Action, p.ActionTargetID, p.ActionTargetType}
	next.Target = a.target(field, wish, old.Target)
	if p.TryDialOperators == nil {
		a.bad(field+".try_dial_operators", "is required")
	}
	replace(&next.TryDialOperators, p.TryDialOperators)
	replace(&next.OperatorRouting, p.OperatorRouting)
	if !slices.Contains(strategies, next.OperatorRouting) {
		a.bad(field+".operator_routing", "must be one of %s", list(strategies))
	}
	if p.DTMF != nil {
		next.DTMF = a.keys(field+".dtmf", old.DTMF, *p.DTMF)
	}
	if next.Action == ActionMenu && len(next.DTMF) == 0 {
		a.bad(field+".dtmf", "must have at least one key with action menu")
	}
	return next
}

func (a *applying) keys(field string, old []MenuKey, p []MenuKeyPatch) []MenuKey {
	next := make([]MenuKey, 0, len(p))
	var seen [10]bool
	for i, key := range p {
		place := fmt.Sprintf("%s.%d", field, i)
		var made MenuKey
		replace(&made.Input, key.Input)
		switch digit, ok := menuDigit(made.Input); {
		case key.Input == nil:
			a.bad(place+".input", "is required")
		case !ok:
			a.bad(place+".input", `must be one of "0" to "9"`)
		case seen[digit]:
			a.bad(place+".input", "must be unique, and %q is taken", made.Input)
		default:
			seen[digit] = true
		}
		if key.Options == nil {
			a.bad(place+".options", "is required")
			continue
		}
		replace(&made.Action, key.Options.Action)
		wish := wish{key.Options.Action, key.Options.ActionTargetID, key.Options.ActionTargetType}
		made.Target = a.target(place+".options", wish, targetOfKey(old, made.Input))
		next = append(next, made)
	}
	return next
}

func menuDigit(input string) (int, bool) {
	if len(input) != 1 || input[0] < '0' || input[0] > '9' {
		return 0, false
	}
	return int(input[0] - '0'), true
}

func targetOfKey(keys []MenuKey, input string) Target {
	for _, key := range keys {
		if key.Input == input {
			return key.Target
		}
	}
	return Target{}
}

func (a *applying) holdQueue(p *HoldQueuePatch) {
	if p == nil {
		p = &HoldQueuePatch{}
	}
	q := &a.next.HoldQueue
	replace(&q.MaxHoldCount, p.MaxHoldCount)
	replace(&q.MaxHoldSeconds, p.MaxHoldSeconds)
	replace(&q.AnnouncePosition, p.AnnouncePosition)
	replace(&q.AnnouncementIntervalSeconds, p.AnnouncementIntervalSeconds)
	replace(&q.AllowQueueCallback, p.AllowQueueCallback)
	replace(&q.QueueCallbackDTMF, p.QueueCallbackDTMF)
	replace(&q.QueueCallbackThreshold, p.QueueCallbackThreshold)
	replace(&q.QueueEscapeDTMF, p.QueueEscapeDTMF)
	replace(&q.StayInQueueAfterClosing, p.StayInQueueAfterClosing)
	replace(&q.UnattendedQueue, p.UnattendedQueue)

	a.within("hold_queue.max_hold_count", q.MaxHoldCount, MinHoldCount, MaxHoldCount)
	a.within("hold_queue.max_hold_seconds", q.MaxHoldSeconds, MinHoldSeconds, MaxHoldSeconds)
	a.announcing(p.AnnouncePosition)
	a.within("hold_queue.announcement_interval_seconds", q.AnnouncementIntervalSeconds,
		MinAnnouncementIntervalSeconds, MaxAnnouncementIntervalSeconds)
	a.digit("hold_queue.queue_callback_dtmf", q.QueueCallbackDTMF)
	a.within("hold_queue.queue_callback_threshold", q.QueueCallbackThreshold,
		MinCallbackThreshold, MaxCallbackThreshold)
	a.digit("hold_queue.queue_escape_dtmf", q.QueueEscapeDTMF)
	if q.AllowQueueCallback && q.QueueCallbackDTMF == q.QueueEscapeDTMF {
		a.bad(clashing(p), "must not make queue_callback_dtmf and queue_escape_dtmf both %q while callbacks are allowed",
			q.QueueEscapeDTMF)
	}
}

// announcing keeps positions unannounced in a queue that is left too soon for them: asked for, that is a problem; come
// about by a shorter wait, announcing ends and does not return by itself.
func (a *applying) announcing(asked *bool) {
	q := &a.next.HoldQueue
	if !q.AnnouncePosition || q.MaxHoldSeconds >= MinAnnouncedHoldSeconds {
		return
	}
	if asked != nil {
		a.bad("hold_queue.announce_position", "must be false with max_hold_seconds below %d",
			MinAnnouncedHoldSeconds)
	}
	q.AnnouncePosition = false
}

// clashing is the field by which p made the two digits of the queue clash.
func clashing(p *HoldQueuePatch) string {
	switch {
	case p.QueueCallbackDTMF != nil:
		return "hold_queue.queue_callback_dtmf"
	case p.QueueEscapeDTMF != nil:
		return "hold_queue.queue_escape_dtmf"
	}
	return "hold_queue.allow_queue_callback"
}

func (a *applying) digit(field, value string) {
	if len(value) != 1 || !strings.Contains("0123456789*#", value) {
		a.bad(field, `must be one of "0" to "9", "*" and "#"`)
	}
}

func (a *applying) alerts(p *AlertsPatch) {
	alerts := &a.next.Alerts
	if p != nil {
		replace(&alerts.ServiceLevelPercent, p.ServiceLevelPercent)
		replace(&alerts.ServiceLevelSeconds, p.ServiceLevelSeconds)
	}
	a.within("alerts.cc_service_level", alerts.ServiceLevelPercent, MinServiceLevelPercent, MaxServiceLevelPercent)
	a.within("alerts.cc_service_level_seconds", alerts.ServiceLevelSeconds,
		MinServiceLevelSeconds, MaxServiceLevelSeconds)
}

func (a *applying) advanced(p *AdvancedSettingsPatch) {
	advanced := &a.next.AdvancedSettings
	if p != nil {
		replace(&advanced.MaxWrapUpSeconds, p.MaxWrapUpSeconds)
		if recording := p.AutoCallRecording; recording != nil {
			replace(&advanced.AutoCallRecording.Inbound, recording.Inbound)
			replace(&advanced.AutoCallRecording.Outbound, recording.Outbound)
			replace(&advanced.AutoCallRecording.AllowPause, recording.AllowPause)
		}
	}
	a.within("advanced_settings.max_wrap_up_seconds", advanced.MaxWrapUpSeconds, MinWrapUpSeconds, MaxWrapUpSeconds)
}

// timezone keeps a zone that is in force already as it is, be it the office's or the center's own, so that an answer
// sent back, which names the effective zone, does not cut the center off from its office's.
func (a *applying) timezone(p *string) {
	effective := a.before.Timezone
	if effective == "" {
		effective = a.at.OfficeTimezone
	}
	if p == nil || *p == effective {
		return
	}
	if *p != "" {
		_, err := ParseTimezone(*p)
		a.refuse("timezone", err)
	}
	a.next.Timezone = *p
}

// Location is the time zone in which the center's hours are read: its own, or the office's of that name.
func (s Settings) Location(office string) (*time.Location, error) {
	if s.Timezone != "" {
		office = s.Timezone
	}
	loc, err := ParseTimezone(office)
	if err != nil {
		return nil, fmt.Errorf("time zone of a call center: %w", err)
	}
	return loc, nil
}
