package interop

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/media"
	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// nobody is whom a sipp calls that is called itself.
var nobody netip.AddrPort

// bound ends a sipp that hangs.
const bound = 40 * time.Second

// ringShort are settings under which operators ring in the order of adding, for as short as the API allows.
const ringShort = `{"ring_seconds": 10, "routing_options": {
	"open": {"action": "message", "try_dial_operators": true, "operator_routing": "fixedorder"},
	"closed": {"action": "message", "try_dial_operators": false}}}`

// room is a lab that lets loopback call, with one call center.
func room(t *testing.T) (*lab.Lab, *lab.Center) {
	t.Helper()
	t.Parallel()
	l := lab.New(t, nil)
	l.Trunk()
	return l, l.Center("Support", ringShort)
}

// sit makes an operator of the center whose static contact is where a sipp listens.
func sit(l *lab.Company, center *lab.Center, name string, phone *lab.SIPP) *lab.Operator {
	l.T.Helper()
	o := l.Operator(name)
	o.StaticPhone(name, phone.Addr)
	center.Add(o, 50)
	return o
}

// called runs a scenario that is called once.
func called(t *testing.T, scenario string, extra ...string) *lab.SIPP {
	t.Helper()
	return lab.Scenario(t, scenario, nobody, bound, append([]string{"-m", "1"}, extra...)...)
}

// calls runs a scenario that calls the center once.
func calls(l *lab.Lab, center *lab.Center, scenario string, extra ...string) *lab.SIPP {
	l.T.Helper()
	return lab.Scenario(l.T, scenario, l.SIP, bound, append([]string{"-m", "1", "-s", center.Number}, extra...)...)
}

// over waits until a center has n calls of an outcome and no leg is left.
func over(l *lab.Lab, center *lab.Center, outcome route.Outcome, n int) lab.Picture {
	l.T.Helper()
	p := l.Until(fmt.Sprintf("%d calls %s", n, outcome), func(p lab.Picture) bool {
		return p.Center(center).Outcomes[outcome] == n
	})
	eventually(l.T, "no leg is left", func() bool { return l.App.SIPStats().Legs == 0 })
	return p
}

// eventually waits for what no feed tells.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(lab.Patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for: %s", lab.Patience, what)
		}
	}
}

// crossed checks that packets came in from both sides and went out to both. One side alone, of a call of so many
// seconds, gives fifty a second.
func crossed(l *lab.Lab, seconds uint64) {
	l.T.Helper()
	one := seconds * 50
	if s := l.App.MediaStats(); s.Received < one*3/2 || s.Sent < one*3/2 {
		l.T.Errorf("audio did not flow both ways: %+v", s)
	}
}

func TestCallReachesAnOperatorAndTheCallersByeEndsBoth(t *testing.T) {
	l, center := room(t)
	phone := called(t, "answer_talk")
	ada := sit(l.Company, center, "Ada", phone)
	caller := calls(l, center, "call_talk", "-d", "4000")
	l.Until("Ada is on the call", func(p lab.Picture) bool { return p.Operator(ada).State == route.OnCall })
	caller.MustSucceed()
	phone.MustSucceed()
	over(l, center, route.Answered, 1)
	crossed(l, 4)
}

func TestOperatorsByeEndsBoth(t *testing.T) {
	l, center := room(t)
	phone := called(t, "answer_hangup", "-d", "2000")
	sit(l.Company, center, "Ada", phone)
	caller := calls(l, center, "call_until_bye")
	phone.MustSucceed()
	caller.MustSucceed()
	over(l, center, route.Answered, 1)
}

func TestCallOverTCP(t *testing.T) {
	l, center := room(t)
	phone := called(t, "answer_talk")
	sit(l.Company, center, "Ada", phone)
	caller := calls(l, center, "call_talk", "-d", "2000", "-t", "t1")
	caller.MustSucceed()
	phone.MustSucceed()
	over(l, center, route.Answered, 1)
	crossed(l, 2)
}

func TestCallerWhoGivesUpCancelsTheRinging(t *testing.T) {
	l, center := room(t)
	phone := called(t, "no_answer")
	ada := sit(l.Company, center, "Ada", phone)
	caller := calls(l, center, "cancel", "-d", "1000")
	l.Until("Ada's phone rings", func(p lab.Picture) bool { return p.Operator(ada).State == route.Ringing })
	caller.MustSucceed()
	phone.MustSucceed()
	p := over(l, center, route.Abandoned, 1)
	if p.Operator(ada).Missed != 0 {
		t.Error("Ada missed a call that its caller gave up")
	}
}

func TestBusyPhoneGoesToTheNextOperator(t *testing.T) {
	l, center := room(t)
	busy, next := called(t, "refuse_busy"), called(t, "answer")
	sit(l.Company, center, "Ada", busy)
	sit(l.Company, center, "Bob", next)
	calls(l, center, "call", "-d", "500").MustSucceed()
	busy.MustSucceed()
	next.MustSucceed()
	over(l, center, route.Answered, 1)
}

func TestUnansweredPhoneGoesToTheNextOperatorAfterRingSeconds(t *testing.T) {
	l, center := room(t)
	silent, next := called(t, "no_answer"), called(t, "answer")
	ada := sit(l.Company, center, "Ada", silent)
	bob := sit(l.Company, center, "Bob", next)
	caller := calls(l, center, "call", "-d", "12000") // from the answer, which brings ringback, after two seconds
	rung := l.Until("Ada rings", func(p lab.Picture) bool { return p.Operator(ada).State == route.Ringing })
	talks := l.Until("Bob talks", func(p lab.Picture) bool { return p.Operator(bob).State == route.OnCall })
	caller.MustSucceed()
	silent.MustSucceed()
	next.MustSucceed()
	rang := talks.Operator(bob).Since.Sub(rung.Operator(ada).Since)
	if rang < 10*time.Second {
		t.Errorf("Ada's phone rang for %s only", rang)
	}
	p := over(l, center, route.Answered, 1)
	if duty := p.Operator(ada).Duty; duty.On || duty.Reason != "Missed call" {
		t.Errorf("Ada's duty after the missed call: %+v", duty)
	}
}

func TestRedirectingPhoneIsNotFollowed(t *testing.T) {
	t.Parallel()
	for name, elsewhere := range map[string]string{
		"a good target": "", "nobody there": "127.0.0.1:1", "no host": "300.1.2.3", "a name": "nowhere.invalid",
		"no port": "127.0.0.1:99999", "not even an address": "a b<",
	} {
		t.Run(name, func(t *testing.T) { redirected(t, elsewhere) })
	}
}

// redirected has Ada's phone answer 302; "": to a phone that would answer. The caller stays served.
func redirected(t *testing.T, elsewhere string) {
	l, center := room(t)
	if elsewhere == "" {
		elsewhere = lab.Scenario(t, "answer", nobody, bound).Addr.String()
	}
	moved := called(t, "refuse_moved", "-key", "elsewhere", elsewhere)
	next := called(t, "answer")
	sit(l.Company, center, "Ada", moved)
	sit(l.Company, center, "Bob", next)
	calls(l, center, "call", "-d", "500").MustSucceed()
	moved.MustSucceed()
	next.MustSucceed()
	over(l, center, route.Answered, 1)
	if invited := l.App.SIPStats().CallsOut; invited != 2 {
		t.Errorf("%d phones were invited instead of two", invited)
	}
}

// tone is a second of a frequency, to be looped.
func tone(hz float64) *media.Track {
	return media.NewTrack(audio.EncodeAll(audio.Sine(audio.Rate, audio.SpeechLevel, hz), audio.ULaw))
}

func TestEachSideHearsTheOthersTone(t *testing.T) {
	l, center := room(t)
	station := l.Station()
	ada := l.Operator("Ada")
	center.Add(ada, 50)
	heard := map[string]string{}
	for _, who := range []string{"operator", "caller"} {
		heard[who] = filepath.Join(t.TempDir(), "heard.wav")
	}
	ada.Phone(station, func(c *softphone.Call) {
		c.Answer()
		c.Loop(tone(1000))
		if err := c.Record(heard["operator"]); err != nil {
			t.Error(err)
		}
		c.Wait(context.Background(), softphone.EndedEvent)
	})
	call, err := station.Call("+13035550100", center.Number)
	if err != nil {
		t.Fatal(err)
	}
	l.Until("Ada talks", func(p lab.Picture) bool { return p.Operator(ada).State == route.OnCall })
	call.Loop(tone(440))
	if err := call.Record(heard["caller"]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	call.Hangup()
	over(l, center, route.Answered, 1)
	for who, hz := range map[string]float64{"operator": 440, "caller": 1000} {
		if !lab.Hears(lab.Recording(t, heard[who]), hz) {
			t.Errorf("the %s did not hear %.0f Hz", who, hz)
		}
	}
}
