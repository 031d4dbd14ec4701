package interop

import (
	"net/netip"
	"testing"
	"time"

	"switchboard/test/lab"
)

var nobody netip.AddrPort

// operatorAt makes an operator with a static contact where a sipp listens.
func operatorAt(l *lab.Lab, c *lab.Center, name string, phone *lab.SIPP) *lab.Operator {
	o := l.Operator(name)
	o.StaticPhone(name, phone.Addr)
	c.Add(o, 50)
	return o
}

func TestCallReachesAnOperatorAndAudioFlowsBothWays(t *testing.T) {
	t.Parallel()
	l := lab.New(t, nil)
	l.Trunk()
	center := l.Center("Support", `{}`)
	phone := lab.Scenario(t, "answer_talk", nobody, 30*time.Second, "-m", "1")
	operatorAt(l, center, "Ada", phone)
	caller := lab.Scenario(t, "call_talk", l.App.SIPAddr(), 30*time.Second, "-m", "1", "-s", center.Number, "-d", "4000")
	caller.MustSucceed()
	phone.MustSucceed()
	t.Logf("%+v", l.App.MediaStats())
}
