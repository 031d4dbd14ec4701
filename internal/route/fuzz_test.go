package route

import (
	"math/rand/v2"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// soup reads events from bytes: any bytes are some events, sensible or not, about few ids so that they meet.
type soup struct {
	data []byte
	now  time.Time
}

func (s *soup) n(below int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := int(s.data[0])
	s.data = s.data[1:]
	return b % below
}

func (s *soup) event() Event {
	call, op, at := CallID(s.n(12)), callcenter.OperatorID(s.n(6)), callcenter.ID(s.n(4))
	leg := LegID{call, s.n(6)}
	switch s.n(28) {
	case 0:
		return s.centerEvent(at)
	case 1:
		return CenterDeleted{at}
	case 2:
		return s.operatorEvent(op)
	case 3:
		return OperatorDeleted{op}
	case 4, 5:
		return DutySet{Operator: op, On: s.n(3) > 0, Reason: "lunch"}
	case 6:
		return DeviceReachable{op, callcenter.DeviceID(s.n(3)), s.n(3) > 0}
	case 7, 8, 9, 10, 11:
		return CallArrived{Call: call, Center: at}
	case 12:
		return CallerHungUp{Call: call, Lost: s.n(4) == 0}
	case 13:
		return CallFailed{call, "broken"}
	case 14:
		return Digit{call, "0123456789*#"[s.n(12)]}
	case 15, 16:
		return PlayDone{call, s.n(4)}
	case 17, 18:
		return LegAnswered{leg}
	case 19:
		return LegFailed{leg, []int{302, 404, 408, 480, 486, 503, 603}[s.n(7)]}
	case 20:
		return LegHungUp{leg}
	case 21:
		return RecordingEnded{Call: call, Kept: s.n(2) == 0, Err: []string{"", "full"}[s.n(2)]}
	case 22:
		return WrapUpExtended{op, time.Duration(s.n(60)) * time.Second}
	case 23, 24, 25:
		return s.routerEvent(call)
	case 26:
		return PromptsUploaded{Center: at, Prompts: optionalPrompts[:s.n(len(optionalPrompts)+1)]}
	}
	if s.n(200) == 199 {
		return Draining{}
	}
	return WrapUpEnded{op}
}

// optionalPrompts are those that are only heard as uploads.
var optionalPrompts = []Prompt{
	PromptGreeting, PromptHoldWait, PromptNextTarget, PromptCallbackAgain, PromptCallbackHere, PromptOperatorReady,
	PromptPersonAway, PromptDepartment, PromptDepartmentClosed,
}

func (s *soup) centerEvent(at callcenter.ID) Event {
	c := &callcenter.Center{ID: at, State: callcenter.StateActive, Settings: callcenter.Defaults("Soup")}
	set := &c.Settings
	set.Timezone = "Europe/Berlin"
	set.RingSeconds = 10 + s.n(35)
	set.HoursOn = s.n(3) == 0
	set.RoutingOptions.Open.OperatorRouting = strategies[s.n(len(strategies))]
	set.RoutingOptions.Open.TryDialOperators = s.n(6) > 0
	set.RoutingOptions.Open = s.branch(set.RoutingOptions.Open)
	set.RoutingOptions.Closed = s.branch(set.RoutingOptions.Closed)
	set.RoutingOptions.Closed.TryDialOperators = s.n(2) == 0
	set.AdvancedSettings.AutoCallRecording.Inbound = s.n(3) == 0
	c.Extras = callcenter.Extras{
		MaxMissedCalls: s.n(3), ShortAbandonSeconds: 5, AlertMinCalls: 1, AnnounceCenterName: s.n(3) == 0,
		WrapUpExtensionSeconds: s.n(3) * 10,
	}
	if s.n(3) == 0 {
		today := callcenter.DateOf(s.now)
		c.Holidays = []callcenter.Holiday{{
			Name: "Soup Day", First: today, Last: today, Hours: callcenter.DayHours{"10:00", "12:03"},
		}}
	}
	set.HoldQueue.MaxHoldCount = 1 + s.n(5)
	set.HoldQueue.MaxHoldSeconds = 30 + s.n(200)
	set.HoldQueue.UnattendedQueue = s.n(2) == 0
	set.HoldQueue.StayInQueueAfterClosing = s.n(2) == 0
	set.HoldQueue.AnnouncementIntervalSeconds = 10 + s.n(60)
	set.AdvancedSettings.MaxWrapUpSeconds = s.n(3) * 20
	for range s.n(6) {
		c.Members = append(c.Members, callcenter.Member{
			Operator: callcenter.OperatorID(s.n(6)), SkillLevel: s.n(4), DoNotDisturb: s.n(8) == 7,
		})
	}
	return CenterChanged{Center: c}
}

var actions = []callcenter.Action{
	"voicemail", "message", "menu", "operator", "person", "department", "bridge_target", "directory",
	"company_directory", "extension", "scripted_ivr", "disabled",
}

func (s *soup) target() callcenter.Target {
	kinds := []callcenter.TargetType{"callcenter", "user", "callrouter", "office"}
	return callcenter.Target{ID: int64(s.n(6)), Type: kinds[s.n(4)]}
}

func (s *soup) branch(b callcenter.Branch) callcenter.Branch {
	b.Action, b.Target = actions[s.n(len(actions))], s.target()
	for i := range s.n(5) {
		b.DTMF = append(b.DTMF, callcenter.MenuKey{
			Input: string("0123456789"[i]), Action: actions[s.n(len(actions))], Target: s.target(),
		})
	}
	return b
}

func (s *soup) routerEvent(call CallID) Event {
	does := []RouterAction{RouterRoute, RouterForward, RouterAsk, RouterEnd, "dance"}
	return RouterAnswered{
		Call: call, Err: []string{"", "", "", "500"}[s.n(4)], DefaultTarget: s.target(),
		Answer: RouterAnswer{
			Action: does[s.n(5)], Target: s.target(), ForwardTo: []string{"", "+15550199"}[s.n(2)], Message: "Soup",
			HintName: "soup", NumDigits: s.n(4),
		},
	}
}

var strategies = []callcenter.Strategy{
	callcenter.FixedOrder, callcenter.LongestIdle, callcenter.MostSkilled, callcenter.Random,
	callcenter.RoundRobin, callcenter.Simultaneous,
}

func (s *soup) operatorEvent(id callcenter.OperatorID) Event {
	o := Operator{ID: id, Name: []string{"Ada Abel", "Bea Abel", "Op"}[s.n(3)]}
	o.Active, o.DoNotDisturb = s.n(8) > 0, s.n(8) == 7
	o.Duty.On = s.n(4) > 0
	o.Extension = string("0123456789"[s.n(10)])
	for i := range s.n(3) {
		o.Devices = append(o.Devices, Device{ID: callcenter.DeviceID(i), Static: s.n(2) == 0})
	}
	return OperatorChanged{o}
}

// FuzzEvents throws any events at the machine: it neither panics nor breaks an invariant, every call ends once, and
// after the caller is gone nothing is left of it.
func FuzzEvents(f *testing.F) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 150 {
		data := make([]byte, 2000)
		for i := range data {
			data[i] = byte(random.UintN(256))
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &soup{data: data, now: scriptStart}
		m := New(Config{Company: 1, Seed: 1})
		books := newLedger()
		step := func(e Event) {
			before := m.CallIDs()
			effects := m.Step(s.now, e)
			if err := books.note(before, m.CallIDs(), e, effects); err != nil {
				t.Fatalf("after %#v: %v", e, err)
			}
			if err := m.Check(); err != nil {
				t.Fatalf("after %#v: %v", e, err)
			}
		}
		for id := range callcenter.ID(3) {
			step(s.centerEvent(id + 1))
		}
		for id := range callcenter.OperatorID(5) {
			step(s.operatorEvent(id + 1))
		}
		for len(s.data) > 0 {
			s.now = s.now.Add(time.Duration(s.n(40)) * time.Second / 4)
			step(s.next())
		}
		finishAll(t, m, step)
		for id, n := range books.began {
			if books.ended[id] != n {
				t.Fatalf("call %d began %d times and ended %d times", id, n, books.ended[id])
			}
		}
	})
}

// finishAll has every caller hang up and every recording end.
func finishAll(t *testing.T, m *Machine, step func(Event)) {
	for _, id := range m.CallIDs() {
		step(CallerHungUp{Call: id})
		step(RecordingEnded{Call: id, Kept: true})
		step(HangupAsked{id})
	}
	if left := m.CallIDs(); len(left) > 0 {
		t.Fatalf("calls %v never end", left)
	}
	for _, id := range m.OperatorIDs() {
		if v, _ := m.Operator(id); v.State == Ringing || v.State == OnCall {
			t.Fatalf("operator %d is %s with no call left", id, v.State)
		}
	}
}
