package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/callcenter"
)

// center creates or changes a call center. Without hours it is always open.
func (s *script) center(name string, kv map[string]string) Event {
	c := s.centers[name]
	if c == nil {
		c = &callcenter.Center{ID: callcenter.ID(len(s.centers) + 1), State: callcenter.StateActive}
		c.Settings = callcenter.Defaults(strings.ToUpper(name[:1]) + name[1:])
		c.Settings.Timezone = "UTC"
		c.Settings.VoiceIntelligence = callcenter.VoiceIntelligence{} // few scripts are about it
		c.Settings.RoutingOptions.Open.OperatorRouting = callcenter.FixedOrder
		c.Settings.HoldQueue.AnnouncePosition = false
		c.Extras = s.extras
		s.centers[name], s.titles[c.ID] = c, name
	}
	next := *c
	for _, k := range slices.Sorted(keys(kv)) {
		s.setting(&next, k, kv[k])
	}
	*c = next
	sent := next
	return CenterChanged{Center: &sent}
}

func keys(kv map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range kv {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *script) setting(c *callcenter.Center, k, v string) {
	set := &c.Settings
	open, shut, q := &set.RoutingOptions.Open, &set.RoutingOptions.Closed, &set.HoldQueue
	switch k {
	case "strategy":
		open.OperatorRouting = callcenter.Strategy(v)
	case "dial":
		open.TryDialOperators = v == "true"
	case "action":
		open.Action = callcenter.Action(v)
	case "closed.dial":
		shut.TryDialOperators = v == "true"
	case "closed.action":
		shut.Action = callcenter.Action(v)
	case "closed.strategy":
		shut.OperatorRouting = callcenter.Strategy(v)
	case "ring":
		set.RingSeconds = s.number(v)
	case "max":
		q.MaxHoldCount = s.number(v)
	case "hold":
		q.MaxHoldSeconds = s.number(v)
	case "announce":
		q.AnnouncePosition = v == "true"
	case "interval":
		q.AnnouncementIntervalSeconds = s.number(v)
	case "escape":
		q.QueueEscapeDTMF = v
	case "stay":
		q.StayInQueueAfterClosing = v == "true"
	case "unattended":
		q.UnattendedQueue = v == "true"
	case "wrap":
		set.AdvancedSettings.MaxWrapUpSeconds = s.number(v)
	case "goal":
		_, err := fmt.Sscanf(v, "%d/%d", &set.Alerts.ServiceLevelPercent, &set.Alerts.ServiceLevelSeconds)
		s.must(err)
	case "hours":
		set.HoursOn = v != "off"
		if from, to, ok := strings.Cut(v, "-"); ok {
			for day := range set.Hours {
				set.Hours[day] = callcenter.DayHours{from, to}
			}
		}
	case "target":
		open.Target = s.target(v)
	case "closed.target":
		shut.Target = s.target(v)
	case "menu":
		open.DTMF = s.menu(v)
	case "closed.menu":
		shut.DTMF = s.menu(v)
	case "holiday":
		c.Holidays = append(slices.Clone(c.Holidays), s.holiday(v))
	case "state":
		c.State = callcenter.State(v)
	case "zone":
		set.Timezone = v
	default:
		if !s.callbackSetting(c, k, v) {
			s.t.Fatalf("unknown setting %s", k)
		}
	}
}

// operator creates or changes a person: by default on duty, with one static phone, in no center.
func (s *script) operator(name string, kv map[string]string) Event {
	o := s.operators[name]
	if o == nil {
		o = &Operator{ID: callcenter.OperatorID(len(s.operators) + 1), Name: strings.ToUpper(name[:1]) + name[1:]}
		o.Active = true
		o.Duty = callcenter.Duty{On: true, Since: s.now, OnSince: s.now}
		o.Devices = []Device{{ID: callcenter.DeviceID(o.ID*10 + 1), Static: true}}
		s.operators[name], s.names[o.ID] = o, name
	}
	for k, v := range kv {
		switch k {
		case "duty":
			o.Duty.On = v == "on"
		case "active":
			o.Active = v == "true"
		case "dnd":
			o.DoNotDisturb = v == "true"
		case "ext":
			o.Extension = v
		case "name":
			o.FirstName, o.LastName, _ = strings.Cut(v, "_")
			o.Name = strings.TrimSpace(o.FirstName + " " + o.LastName)
		case "phones":
			o.Devices = nil
			for i, kind := range strings.Split(v, ",") {
				if kind != "" {
					id := callcenter.DeviceID(int(o.ID)*10 + i + 1)
					o.Devices = append(o.Devices, Device{ID: id, Static: kind == "static"})
				}
			}
		default:
			s.t.Fatalf("unknown attribute %s", k)
		}
	}
	return OperatorChanged{*o}
}

// member adds an operator to a center, changes their place, or removes them.
func (s *script) member(center, name string, kv map[string]string) Event {
	c := s.centers[center]
	id := callcenter.OperatorID(99)
	if o := s.operators[name]; o != nil {
		id = o.ID
	}
	next := *c
	next.Members = slices.Clone(c.Members)
	i := slices.IndexFunc(next.Members, func(b callcenter.Member) bool { return b.Operator == id })
	if _, gone := kv["gone"]; gone {
		next.Members = slices.Delete(next.Members, i, i+1)
	} else {
		if i < 0 {
			i = len(next.Members)
			next.Members = append(next.Members, callcenter.Member{Operator: id, SkillLevel: 100})
		}
		if v, ok := kv["skill"]; ok {
			next.Members[i].SkillLevel = s.number(v)
		}
		if v, ok := kv["dnd"]; ok {
			next.Members[i].DoNotDisturb = v == "true"
		}
	}
	*c = next
	sent := next
	return CenterChanged{Center: &sent}
}

// text is one order as the scripts show it.
func (s *script) text(f Effect) string {
	switch o := f.Order.(type) {
	case Progress:
		return fmt.Sprintf("%d: 180", o.Call)
	case Refuse:
		return fmt.Sprintf("%d: refuse %d retry-after=%d", o.Call, o.Status, o.RetryAfter)
	case Answer:
		return fmt.Sprintf("%d: 200", o.Call)
	case Play:
		var say []string
		for _, p := range o.Phrases {
			word := string(p.Prompt)
			if p.Number > 0 || p.Prompt == PromptHoldEscape || p.Prompt == PromptMenuOption {
				word += fmt.Sprintf("(%d)", p.Number)
			}
			if p.Text != "" {
				word += "(" + p.Text + ")"
			}
			say = append(say, word)
		}
		who := fmt.Sprint(o.Call)
		if o.Leg > 0 {
			who += fmt.Sprintf(".%d", o.Leg)
		}
		return fmt.Sprintf("%s: play %s [%s]", who, strings.Join(say, " "), f.Why.Rule)
	case Music:
		return fmt.Sprintf("%d: music", o.Call)
	case Ringback:
		if o.Leg > 0 {
			return fmt.Sprintf("%d.%d: ringback", o.Call, o.Leg)
		}
		return fmt.Sprintf("%d: ringback", o.Call)
	case Silence:
		return fmt.Sprintf("%d: silence", o.Call)
	case Hangup:
		return fmt.Sprintf("%d: hang up [%s]", o.Call, f.Why.Rule)
	case Record:
		box := s.titles[o.Center]
		if o.User != 0 {
			box = s.names[o.User]
		}
		return fmt.Sprintf("%d: record up to %s in the box of %s: %s", o.Call, o.Limit, box, o.Reason)
	case AskRouter:
		return fmt.Sprintf("%d: ask router %d, %s=%q", o.Call, o.Router, o.Hint, o.Digits)
	case Pass:
		return "passed on: " + s.endText(o.Record)
	case StopRecord:
		return fmt.Sprintf("%d: stop recording", o.Call)
	case End:
		return s.endText(o.Record)
	}
	return s.legText(f)
}

func (s *script) legText(f Effect) string {
	switch o := f.Order.(type) {
	case Ring:
		text := fmt.Sprintf("%d.%d: ring %s", o.Leg.Call, o.Leg.N, f.Why.Text)
		if int64(o.Device) != int64(o.Operator)*10+1 {
			text += fmt.Sprintf(" (phone %d)", int64(o.Device)%10)
		}
		if len(f.Why.LeftOut) > 0 {
			var names []string
			for _, id := range f.Why.LeftOut {
				names = append(names, s.names[id])
			}
			text += "; not " + strings.Join(names, ", ")
		}
		return text
	case CancelLeg:
		if o.Elsewhere {
			return fmt.Sprintf("%d.%d: cancel, answered elsewhere", o.Leg.Call, o.Leg.N)
		}
		return fmt.Sprintf("%d.%d: cancel", o.Leg.Call, o.Leg.N)
	case Bridge:
		return fmt.Sprintf("%d: talk with %d.%d", o.Call, o.Leg.Call, o.Leg.N)
	case HangupLeg:
		return fmt.Sprintf("%d.%d: hang up [%s]", o.Leg.Call, o.Leg.N, f.Why.Rule)
	case SetDuty:
		return fmt.Sprintf("%s: duty %v %q by %q", s.names[o.Operator], o.Duty.On, o.Duty.Reason, o.Duty.ChangedBy)
	case Warn:
		return fmt.Sprintf("%s: warn %s", s.titles[o.Center], o.Text)
	}
	return s.laterText(f)
}

func (s *script) endText(r CallRecord) string {
	var offers []string
	for _, o := range r.Offers {
		offers = append(offers, s.names[o.Operator]+" "+o.Result)
	}
	text := fmt.Sprintf("%d: END %s (%s), waited %s", r.Call, r.Outcome, r.Reason, r.Wait())
	if r.Callback {
		text += ", callback"
	} else if r.Direction == Outbound {
		text += ", outbound"
	}
	if r.Operator != 0 {
		text += ", talked with " + s.names[r.Operator]
	}
	if len(offers) > 0 {
		text += ", offers: " + strings.Join(offers, ", ")
	}
	return text
}

// show prints views.
func (s *script) show(f []string) {
	switch f[0] {
	case "center":
		v, ok := s.m.Center(s.centers[f[1]].ID)
		if !ok {
			fmt.Fprintf(s.out, "%s: gone\n", f[1])
			return
		}
		fmt.Fprintf(s.out, "%s: %s, %s, waiting %d, on duty %d, can ring %d, level %.1f, in target %d, longest %s\n",
			f[1], v.Availability.Status, v.Strategy, v.Waiting, v.OnDuty, v.Capacity, v.ServiceLevel,
			v.AnsweredInTarget, v.LongestWait.Round(time.Second))
	case "operator":
		v, ok := s.m.Operator(s.operators[f[1]].ID)
		if !ok {
			fmt.Fprintf(s.out, "%s: gone\n", f[1])
			return
		}
		fmt.Fprintf(s.out, "%s: %s since %s, missed %d", f[1], v.State, s.clock(v.Since), v.Missed)
		if !v.Until.IsZero() {
			fmt.Fprintf(s.out, ", until %s", s.clock(v.Until))
		}
		if v.OffAfter {
			fmt.Fprint(s.out, ", then off duty")
		}
		if v.Call != 0 {
			fmt.Fprintf(s.out, ", call %d", v.Call)
		}
		if v.Duty.Reason != "" {
			fmt.Fprintf(s.out, ", reason %q", v.Duty.Reason)
		}
		fmt.Fprintln(s.out)
	case "call":
		v, ok := s.m.Call(s.callOrLeg(f[1]).Call)
		if !ok {
			fmt.Fprintf(s.out, "%s: over\n", f[1])
			return
		}
		fmt.Fprintf(s.out, "%s: %s since %s, position %d\n", f[1], v.State, s.clock(v.Since), v.Position)
		if v.Recording != "" {
			fmt.Fprintf(s.out, "    recording %s, masked %v\n", v.Recording, s.m.Masks(v.ID))
		}
		if v.Voice != "" {
			fmt.Fprintf(s.out, "    voice analysis %s, masked %v\n", v.Voice, s.m.Masks(v.ID))
		}
		for _, p := range v.Path {
			fmt.Fprintf(s.out, "    %s %s: %s\n", s.clock(p.At), p.Rule, p.Text)
		}
	default:
		s.t.Fatalf("show what? %s", f[0])
	}
}
