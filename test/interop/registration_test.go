package interop

import (
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/test/lab"
)

func TestBaresipRegistersAndAnswersACaller(t *testing.T) {
	t.Parallel()
	for name, tcp := range map[string]bool{"UDP": false, "TCP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lab.New(t, nil)
			l.Trunk()
			center := l.Center("Support", `{}`)
			ada := l.Operator("Ada")
			center.Add(ada, 50)
			username, password := ada.SIPDevice()
			phone := lab.StartBaresip(t, lab.Account{
				Server: l.App.SIPAddr(), Username: username, Password: password, TCP: tcp,
			})
			l.Until("Ada is available", func(p lab.Picture) bool { return p.Operator(ada).State == route.Available })
			caller := lab.Scenario(t, "call_talk", l.App.SIPAddr(), 30*time.Second, "-m", "1", "-s", center.Number, "-d", "4000")
			phone.Wait("CALL_INCOMING", 1)
			phone.Do("accept", "")
			phone.Wait("CALL_ESTABLISHED", 1)
			caller.MustSucceed()
			phone.Wait("CALL_CLOSED", 1)
			if !lab.Hears(phone.Heard(), lab.Tone) {
				t.Error("baresip did not hear the caller's tone")
			}
			t.Logf("%+v", l.App.MediaStats())
		})
	}
}
