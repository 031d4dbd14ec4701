package callcenter

import "time"

// Defaults are the settings of a call center of which only the name is known.
func Defaults(name string) Settings {
	s := Settings{
		Name:        name,
		RingSeconds: 30,
		RoutingOptions: RoutingOptions{
			Open: Branch{
				Action: ActionVoicemail, TryDialOperators: true, OperatorRouting: LongestIdle, DTMF: []MenuKey{},
			},
			Closed: Branch{
				Action: ActionVoicemail, TryDialOperators: false, OperatorRouting: LongestIdle, DTMF: []MenuKey{},
			},
		},
		HoldQueue: HoldQueue{
			MaxHoldCount:                50,
			MaxHoldSeconds:              900,
			AnnouncePosition:            true,
			AnnouncementIntervalSeconds: 120,
			QueueCallbackDTMF:           "9",
			QueueCallbackThreshold:      5,
			QueueEscapeDTMF:             "*",
		},
		Alerts:            Alerts{ServiceLevelPercent: 95, ServiceLevelSeconds: 60},
		VoiceIntelligence: VoiceIntelligence{AutoStart: true, AllowPause: true},
	}
	for day := range s.Hours {
		s.Hours[day] = DayHours{"08:00", "18:00"}
	}
	s.Hours[time.Saturday] = DayHours{}
	s.Hours[time.Sunday] = DayHours{}
	return s
}
