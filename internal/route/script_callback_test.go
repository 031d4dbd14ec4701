package route

import (
	"fmt"
	"strings"

	"switchboard/internal/callcenter"
)

// callOrLeg reads "7", "7.2" or, for the callback that call 7 booked, "7b" and "7b.2".
func (s *script) callOrLeg(v string) LegID {
	call, n, isLeg := strings.Cut(v, ".")
	from, booked := strings.CutSuffix(call, "b")
	id := LegID{Call: CallID(s.number(from))}
	if booked {
		id.Call = CallbackCall(id.Call)
	}
	if isLeg {
		id.N = s.number(n)
	}
	return id
}

// named puts "7b" in place of the long id of the callback that call 7 booked.
func (s *script) named(text string) string {
	for id, name := range s.derived {
		text = strings.ReplaceAll(text, id, name)
	}
	return text
}

func (s *script) callbackSetting(c *callcenter.Center, k, v string) bool {
	q, r := &c.Settings.HoldQueue, &c.Settings.AdvancedSettings.AutoCallRecording
	switch k {
	case "callback":
		q.AllowQueueCallback = v != "off"
		if key, threshold, ok := strings.Cut(v, "/"); ok {
			q.QueueCallbackDTMF, q.QueueCallbackThreshold = key, s.number(threshold)
		}
	case "record":
		r.Inbound, r.Outbound = strings.Contains(v, "in"), strings.Contains(v, "out")
		r.AllowPause = strings.Contains(v, "pause")
	case "voice":
		c.Settings.VoiceIntelligence = callcenter.VoiceIntelligence{
			AutoStart: strings.Contains(v, "auto"), AllowPause: strings.Contains(v, "pause"),
		}
	case "alert_min":
		c.Extras.AlertMinCalls = s.number(v)
	default:
		return false
	}
	return true
}

// laterEvent reads the facts of callbacks, outbound calls, recordings and places; nil: it is none of them.
func (s *script) laterEvent(f []string) Event {
	switch f[0] {
	case "ask", "validate":
		return CallbackAsked{
			Call: CallID(s.number(f[1])), Center: s.centers[f[2]].ID, Number: f[3], DryRun: f[0] == "validate",
		}
	case "dial":
		kv := pairs(f[4:])
		e := CallAsked{Call: CallID(s.number(f[1])), To: f[3], CallerID: kv["from"]}
		if o := s.operators[f[2]]; o != nil {
			e.Operator = o.ID
		}
		if c := s.centers[kv["at"]]; c != nil {
			e.Center = c.ID
		}
		return e
	case "pause", "resume":
		return RecordingSet{Operator: s.operators[f[1]].ID, On: f[0] == "resume"}
	case "hush", "listen":
		return VoiceSet{Operator: s.operators[f[1]].ID, On: f[0] == "listen"}
	case "far":
		id := s.callOrLeg(f[1]).Call
		if f[2] == "answered" {
			return FarAnswered{id}
		}
		return FarFailed{id, s.number(f[2])}
	case "end":
		return HangupAsked{s.callOrLeg(f[1]).Call}
	case "key":
		return OperatorDigit{s.callOrLeg(f[1]), f[2][0]}
	case "restore":
		kv := pairs(f[4:])
		cb := Callback{Call: CallID(s.number(f[1])), Number: f[3], Asked: s.now, Entered: s.now.Add(-s.duration(kv["age"]))}
		cb.Center = 99
		if c := s.centers[f[2]]; c != nil {
			cb.Center = c.ID
		}
		if v := kv["tries"]; v != "" {
			cb.Tries = s.number(v)
		}
		if v := kv["after"]; v != "" {
			cb.After = s.now.Add(s.duration(v))
		}
		return RestoreCallback{cb}
	case "place":
		kv := pairs(f[4:])
		e := RestorePlace{Place: Place{
			Call: CallID(s.number(f[1])), Center: s.centers[f[2]].ID, From: f[3], Entered: s.now.Add(-s.duration(kv["age"])),
		}}
		if v := kv["lost"]; v != "" {
			e.Lost = s.now.Add(-s.duration(v))
		}
		return e
	}
	return nil
}

// laterText shows the orders of callbacks, outbound calls, recordings, alerts and places.
func (s *script) laterText(f Effect) string {
	switch o := f.Order.(type) {
	case DialFar:
		who := o.From
		if who == "" && o.Center+callcenter.ID(o.Operator) == 0 {
			who = "nobody"
		}
		return fmt.Sprintf("%d: dial %s as %q", o.Call, o.To, who)
	case RecordCall:
		return fmt.Sprintf("%d: record %s talking with %d.%d", o.Call, o.Direction, o.Leg.Call, o.Leg.N)
	case PauseCallRecording:
		return fmt.Sprintf("%d: recording paused %v", o.Call, o.Pause)
	case StopCallRecording:
		return fmt.Sprintf("%d: recording ends", o.Call)
	case StartVoice:
		return fmt.Sprintf("%d: listen %s to them and %d.%d [%s]", o.Call, o.Direction, o.Leg.Call, o.Leg.N, f.Why.Rule)
	case PauseVoice:
		return fmt.Sprintf("%d: listen no more [%s]", o.Call, f.Why.Rule)
	case ResumeVoice:
		return fmt.Sprintf("%d: listen again [%s]", o.Call, f.Why.Rule)
	case StopVoice:
		return fmt.Sprintf("%d: listening ends", o.Call)
	case Alert:
		return fmt.Sprintf("%s: ALERT %s since %s: %s", s.titles[o.Center], o.Kind, s.clock(o.Since), o.Text)
	case CallbackDecided:
		if o.Refused != "" {
			return fmt.Sprintf("%d: callback refused: %s", o.Call, o.Refused)
		}
		return fmt.Sprintf("%d: callback is number %d", o.Call, o.Position)
	case SaveCallback:
		cb := o.Callback
		return fmt.Sprintf("%d: save callback %s, place of %s, tries %d, not before %s",
			cb.Call, cb.Number, s.clock(cb.Entered), cb.Tries, s.clock(cb.After))
	case DropCallback:
		return fmt.Sprintf("%d: drop callback", o.Call)
	case SavePlace:
		return fmt.Sprintf("%d: save place of %s: %s", o.Place.Call, o.Place.From, s.clock(o.Place.Entered))
	case DropPlace:
		return fmt.Sprintf("%d: drop place", o.Call)
	}
	return fmt.Sprintf("unknown order %T", f.Order)
}

// hidden says that an order is not shown: places are saved at every step of the line, which few scripts are about.
func (s *script) hidden(o Order) bool {
	switch o.(type) {
	case SavePlace, DropPlace:
		return !s.places
	}
	return false
}
