package interop

import (
	"strings"
	"testing"
	"time"

	"switchboard/test/lab"
)

// Ctrl-C: new calls are told to try elsewhere, a waiting caller is let go at once, and one who talks has the bound of
// --drain to come to an end, then gets a BYE.
func TestInterruptDrains(t *testing.T) {
	t.Parallel()
	const drain = 6 * time.Second
	server := lab.Serve(t, t.TempDir(), "--drain", drain.String())
	company := server.Company()
	company.Trunk()
	talked := company.Center("Talked", `{}`)
	waited := company.Center("Waited", `{"hold_queue": {"unattended_queue": true}}`)
	phone := called(t, "answer_talk")
	ada := sit(company, talked, "Ada", phone)
	caller := func(center *lab.Center, scenario string, extra ...string) *lab.SIPP {
		return lab.Scenario(t, scenario, server.SIP, bound, append([]string{"-m", "1", "-s", center.Number}, extra...)...)
	}
	talks, waits := caller(talked, "call_until_bye"), caller(waited, "call_until_bye")
	eventually(t, "one talks and one waits", func() bool {
		duty := company.MustAPI("GET", "/api/v2/callcenters/operators/"+ada.ID+"/dutystatus", "")
		return duty.Text("on_duty_status") == "occupied" && waited.Status().Text("pending") == "1"
	})

	began := time.Now()
	server.Interrupt()
	waits.MustSucceed()
	if left := time.Since(began); left > drain-2*time.Second {
		t.Errorf("the waiting caller was let go only after %s", left)
	}
	caller(talked, "refused_503").MustSucceed()
	talks.MustSucceed()
	phone.MustSucceed()
	if talk := time.Since(began); talk < drain-time.Second {
		t.Errorf("the talking caller was cut off after %s", talk)
	}
	if code := server.Exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > drain+3*time.Second {
		t.Errorf("draining took %s", took)
	}
}

func TestSecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	server := lab.Serve(t, t.TempDir(), "--drain", "10m")
	company := server.Company()
	company.Trunk()
	center := company.Center("Support", `{}`)
	phone := called(t, "answer_talk")
	ada := sit(company, center, "Ada", phone)
	lab.Scenario(t, "call_until_bye", server.SIP, bound, "-m", "1", "-s", center.Number)
	eventually(t, "Ada talks", func() bool {
		duty := company.MustAPI("GET", "/api/v2/callcenters/operators/"+ada.ID+"/dutystatus", "")
		return duty.Text("on_duty_status") == "occupied"
	})
	server.Interrupt()
	eventually(t, "the server drains", func() bool { return strings.Contains(server.Output(), "draining") })
	server.Interrupt()
	if code := server.Exit(); code == 0 {
		t.Error("a drain that was cut short ended with exit code 0")
	}
}
