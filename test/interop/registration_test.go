package interop

import (
	"context"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/limit"
	"switchboard/internal/media"
	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// baresipOperator makes an operator of the center whose baresip has registered.
func baresipOperator(l *lab.Lab, center *lab.Center, name string, account lab.Account) (*lab.Operator, *lab.Baresip) {
	l.T.Helper()
	o := l.Operator(name)
	center.Add(o, 50)
	account.Server = l.SIP
	account.Username, account.Password = o.SIPDevice()
	phone := lab.StartBaresip(l.T, account)
	l.Until(name+" is available", func(p lab.Picture) bool { return p.Operator(o).State == route.Available })
	return o, phone
}

func TestBaresipRegistersAndAnswersACaller(t *testing.T) {
	t.Parallel()
	for name, tcp := range map[string]bool{"UDP": false, "TCP": true} {
		t.Run(name, func(t *testing.T) {
			l, center := room(t)
			_, phone := baresipOperator(l, center, "Ada", lab.Account{TCP: tcp})
			caller := calls(l, center, "call_talk", "-d", "4000")
			phone.Wait("CALL_INCOMING", 1)
			phone.Do("accept", "")
			phone.Wait("CALL_ESTABLISHED", 1)
			caller.MustSucceed()
			phone.Wait("CALL_CLOSED", 1)
			over(l, center, route.Answered, 1)
			crossed(l, 4)
			if !lab.Hears(phone.Heard(), lab.Tone) {
				t.Error("baresip did not hear the caller's tone")
			}
		})
	}
}

func TestHoldAndResumeKeepTheCall(t *testing.T) {
	l, center := room(t)
	ada, phone := baresipOperator(l, center, "Ada", lab.Account{Says: 1000})
	call, err := l.Station().Call("+13035550100", center.Number)
	if err != nil {
		t.Fatal(err)
	}
	call.Loop(tone(lab.Tone))
	phone.Wait("CALL_INCOMING", 1)
	phone.Do("accept", "")
	l.Until("Ada talks", func(p lab.Picture) bool { return p.Operator(ada).State == route.OnCall })
	came := func(what string, packets uint64) {
		from := call.Stats().Received
		eventually(t, what, func() bool { return call.Stats().Received >= from+packets })
	}
	came("a second of the operator", 50)
	phone.Do("hold", "")
	eventually(t, "the operator is silent", func() bool {
		from := call.Stats().Received
		time.Sleep(200 * time.Millisecond)
		return call.Stats().Received == from
	})
	heard := filepath.Join(t.TempDir(), "heard.wav")
	if err := call.Record(heard); err != nil {
		t.Fatal(err)
	}
	phone.Do("resume", "")
	came("two seconds of the operator after the hold", 100)
	if now := l.Now(); now.Operator(ada).State != route.OnCall {
		t.Errorf("after hold and resume Ada is %s", now.Operator(ada).State)
	}
	call.Hangup()
	phone.Wait("CALL_CLOSED", 1)
	over(l, center, route.Answered, 1)
	if !lab.Hears(lab.Recording(t, heard), 1000) {
		t.Error("the caller does not hear the operator after the hold")
	}
}

func TestGuessedPasswordsAreRefusedForAMinuteAndShown(t *testing.T) {
	l, center := room(t)
	ada := l.Operator("Ada")
	center.Add(ada, 50)
	username, password := ada.SIPDevice()
	wrong := func() {
		lab.Scenario(t, "guess", l.SIP, bound,
			"-m", "1", "-key", "user", username, "-au", username, "-ap", "guess").MustSucceed()
	}
	wrong()
	// baresip guesses on and on, each time it is asked again, until it is refused.
	account := lab.Account{Server: l.SIP, Username: username, Password: "guess"}
	guesser := lab.StartBaresip(t, account)
	eventually(t, "ten failures", func() bool { return l.App.SIPStats().AuthFailed == limit.MaxSIPFailures })
	l.Until("the page shows the address that is refused", func(p lab.Picture) bool {
		for _, notice := range p.Notices {
			if notice.Level == "warning" && strings.Contains(notice.Text, "127.0.0.1") {
				return true
			}
		}
		return false
	})
	refused := time.Now()
	guesser.Stop()
	lab.Scenario(t, "refused", l.SIP, bound, "-m", "1", "-key", "user", username).MustSucceed()

	account.Password, account.At = password, netip.MustParseAddr("127.0.0.2")
	lab.StartBaresip(t, account)
	l.Until("a phone at another address registers", func(p lab.Picture) bool {
		return p.Operator(ada).State == route.Available
	})
	time.Sleep(time.Until(refused.Add(limit.GuardRefusal)))
	wrong()
	if failed := l.App.SIPStats().AuthFailed; failed != limit.MaxSIPFailures+1 {
		t.Errorf("%d failures were counted", failed)
	}
}

func TestBaresipCallsOverATrunk(t *testing.T) {
	l, center := room(t)
	phone := called(t, "answer_talk")
	ada := sit(l.Company, center, "Ada", phone)
	caller := lab.StartBaresip(t, lab.Account{Server: l.SIP, Username: "+13035550100"})
	caller.Do("dial", "sip:"+center.Number+"@"+l.SIP.String())
	caller.Wait("CALL_ESTABLISHED", 1)
	l.Until("Ada talks", func(p lab.Picture) bool { return p.Operator(ada).State == route.OnCall })
	time.Sleep(3 * time.Second)
	caller.Do("hangup", "")
	phone.MustSucceed()
	over(l, center, route.Answered, 1)
	if !lab.Hears(caller.Heard(), lab.Tone) {
		t.Error("baresip did not hear the operator's tone")
	}
}

func TestALawCallerAndMuLawOperatorHearEachOther(t *testing.T) {
	l, center := room(t)
	_, operator := baresipOperator(l, center, "Ada", lab.Account{Codec: "pcmu", Says: 1000})
	caller := lab.StartBaresip(t, lab.Account{Server: l.SIP, Username: "+13035550100", Codec: "pcma", Says: 700})
	caller.Do("dial", "sip:"+center.Number+"@"+l.SIP.String())
	operator.Wait("CALL_INCOMING", 1)
	operator.Do("accept", "")
	operator.Wait("CALL_ESTABLISHED", 1)
	caller.Wait("CALL_ESTABLISHED", 1)
	caller.Prints("Set audio encoder: PCMA")
	operator.Prints("Set audio encoder: PCMU")
	time.Sleep(3 * time.Second)
	caller.Do("hangup", "")
	operator.Wait("CALL_CLOSED", 1)
	over(l, center, route.Answered, 1)
	if !lab.Hears(operator.Heard(), 700) {
		t.Error("the mu-law operator did not hear the A-law caller's tone")
	}
	if !lab.Hears(caller.Heard(), 1000) {
		t.Error("the A-law caller did not hear the mu-law operator's tone")
	}
}

func TestDeclinedSoftphoneAndBaresipShareAQueue(t *testing.T) {
	l, center := room(t)
	ada := l.Operator("Ada")
	center.Add(ada, 50)
	ada.Phone(l.Station(), func(c *softphone.Call) { c.Decline(603) })
	_, phone := baresipOperator(l, center, "Bob", lab.Account{})
	call, err := l.Station().Call("+13035550100", center.Number)
	if err != nil {
		t.Fatal(err)
	}
	phone.Wait("CALL_INCOMING", 1)
	phone.Do("accept", "")
	phone.Wait("CALL_ESTABLISHED", 1)
	phone.Do("hangup", "")
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	defer cancel()
	call.Wait(ctx, softphone.EndedEvent)
	over(l, center, route.Answered, 1)
}

// A phone that lost its power sends no BYE. Its silence ends the call, so that nobody waits for it for ever.
func TestPhoneThatDiesLetsTheCallerGo(t *testing.T) {
	l, center := room(t)
	ada, phone := baresipOperator(l, center, "Ada", lab.Account{})
	caller := lab.Scenario(t, "call_until_bye", l.SIP, media.SilenceLimit+bound, "-m", "1", "-s", center.Number)
	phone.Wait("CALL_INCOMING", 1)
	phone.Do("accept", "")
	l.Until("Ada talks", func(p lab.Picture) bool { return p.Operator(ada).State == route.OnCall })
	time.Sleep(time.Second)
	phone.Stop()
	caller.MustSucceed()
	over(l, center, route.Answered, 1)
}
