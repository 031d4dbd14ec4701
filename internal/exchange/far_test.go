package exchange

import (
	"errors"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

const called = "+43155500100"

// operatorFirst lets an operator answer a call that has no other side yet.
func operatorFirst(b *bench, id route.CallID) route.LegID {
	ring := route.LegID{Call: id, N: 1}
	b.next.name = "operator"
	b.do(route.Ring{Leg: ring, Device: 70, From: "callback for " + called})
	b.events[0].Answered([]byte("ok"))
	return ring
}

func TestANumberIsCalledForAnOperator(t *testing.T) {
	b := newBench()
	ring := operatorFirst(b, 9)
	b.do(route.Ringback{Call: 9, Leg: 1}, route.DialFar{Call: 9, To: called})
	if b.invited[1].Contact != "sip:"+called+"@192.0.2.1:5060" || b.offered[0] != "offer" ||
		b.offered[1] != "offer like caller" { // the bench calls its first port so
		t.Fatalf("invited %+v with %q", b.invited, b.offered)
	}
	want(t, "the operator hears", b.ports[0].did, "ringback")
	b.events[1].Ringing(nil)
	b.events[1].Answered([]byte("ok"))
	b.do(route.Bridge{Call: 9, Leg: ring})
	if b.ports[1].peer != Port(b.ports[0]) {
		t.Error("the number and the operator are not connected")
	}
	b.events[1].Ended("bye", false)
	b.do(route.End{Record: route.CallRecord{Call: 9, Visit: 9}})
	want(t, "said", b.said, route.Event(route.LegAnswered{Leg: ring}), route.Event(route.FarAnswered{Call: 9}),
		route.Event(route.CallerHungUp{Call: 9}))
	if callers, devices := b.Legs(); callers != 0 || devices != 1 || b.ports[1].closed != 1 {
		t.Errorf("%d callers, %d devices, port closed %d times", callers, devices, b.ports[1].closed)
	}
}

func TestANumberThatCannotBeReachedMayBeCalledAgain(t *testing.T) {
	b := newBench()
	dial := route.DialFar{Call: 9, To: called}
	b.do(dial)
	b.events[0].Failed(486)
	b.events[0].Failed(486)
	b.do(dial)
	b.events[1].Answered([]byte("bad"))
	want(t, "second leg", b.legs[1].did, "hangup")
	b.line = 403
	b.do(dial)
	b.line = 0
	b.do(dial, route.Hangup{Call: 9}) // given up while it rang
	b.events[2].Failed(487)
	want(t, "third leg", b.legs[2].did, "hangup")
	want(t, "said", b.said, route.Event(route.FarFailed{Call: 9, Status: 486}),
		route.Event(route.FarFailed{Call: 9, Status: 488}), route.Event(route.FarFailed{Call: 9, Status: 403}))
	for i, p := range b.ports {
		if p.closed != 1 {
			t.Errorf("port %d was closed %d times", i, p.closed)
		}
	}
	if callers, _ := b.Legs(); callers != 0 {
		t.Errorf("%d callers left", callers)
	}
	b.openErr = errors.New("full")
	b.do(dial)
	want(t, "said last", b.said[3:], route.Event(route.FarFailed{Call: 9, Status: 503}))
}

func TestACallerIsForwardedToANumber(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	forward := route.LegID{Call: id, N: 1}
	b.line = 403
	b.do(route.DialFar{Call: id, Leg: 1, To: called})
	b.line = 0
	b.do(route.DialFar{Call: id, Leg: 1, To: called})
	b.events[0].Answered([]byte("ok"))
	b.do(route.Bridge{Call: id, Leg: forward})
	if b.ports[0].peer != Port(b.ports[1]) {
		t.Error("the caller is not connected")
	}
	want(t, "said", b.said[1:], route.Event(route.LegFailed{Leg: forward, Status: 403}),
		route.Event(route.LegAnswered{Leg: forward}))
}

func TestWhatAnOperatorHearsAndPresses(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	ring := route.LegID{Call: id, N: 1}
	b.do(route.Ring{Leg: ring, Device: 70}, route.Play{Call: id, ID: 4, Leg: 1}, route.Play{Call: id, ID: 5, Leg: 2})
	want(t, "operator", b.ports[1].did, "play")
	want(t, "caller", b.ports[0].did)
	b.ports[1].done()
	b.digits[1]('*')
	want(t, "said", b.said[1:], route.Event(route.PlayDone{Call: id, Play: 4}),
		route.Event(route.OperatorDigit{Leg: ring, Digit: '*'}))
}

func TestACallIsRecordedCallerLeft(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	id, _ := b.arrive(t, l)
	order := route.RecordCall{Call: id, Leg: route.LegID{Call: id, N: 1}, Center: 5, Operator: 7, Direction: route.Inbound}
	b.do(order) // nobody is there yet
	b.do(route.Ring{Leg: order.Leg, Device: 70}, order, route.PauseCallRecording{Call: id, Pause: true},
		route.PauseCallRecording{Call: id}, route.StopCallRecording{Call: id}, route.StopCallRecording{Call: id},
		route.PauseCallRecording{Call: id, Pause: true})
	want(t, "port", b.ports[0].did, "tape with first", "pause true", "pause false", "stop tape")
	want(t, "orders", b.tapes, order)
	b.ports[0].taped(Recorded{Length: time.Minute, Lost: 3})
	b.do(order, route.End{Record: route.CallRecord{Visit: id}})
	want(t, "port at the end", b.ports[0].did[4:], "tape with first", "stop tape")
	want(t, "ended", b.ended, Recorded{Length: time.Minute, Lost: 3})
}

func TestADiskThatRefusesCostsTheRecordingNotTheCall(t *testing.T) {
	b, l := newBench(), &leg{offer: []byte("sdp")}
	b.next.recordErr = errors.New("no space")
	id, _ := b.arrive(t, l)
	ring := route.LegID{Call: id, N: 1}
	b.do(route.Ring{Leg: ring, Device: 70}, route.RecordCall{Call: id, Leg: ring},
		route.PauseCallRecording{Call: id, Pause: true})
	if len(b.ended) != 1 || b.ended[0].Err == nil || len(b.said) != 1 {
		t.Errorf("ended %+v, said %v", b.ended, b.said)
	}
	want(t, "port", b.ports[0].did, "tape with first")
}

func TestACallRouterThatCannotBeAskedIsAnError(t *testing.T) {
	b := newBench()
	b.do(route.AskRouter{Call: 9})
	answer, ok := b.said[0].(route.RouterAnswered)
	if !ok || answer.Call != 9 || answer.Err == "" {
		t.Errorf("said %+v", b.said[0])
	}
}

// router says the same to everybody.
type router route.RouterAnswered

func (r router) Ask(_ route.AskRouter, answered func(route.RouterAnswered)) {
	answered(route.RouterAnswered(r))
}

func TestACallRouterAnswersTheCallThatAsked(t *testing.T) {
	b := newBench()
	says := route.RouterAnswered{
		Answer:        route.RouterAnswer{Action: route.RouterEnd, Message: "Goodbye"},
		DefaultTarget: callcenter.Target{ID: 5, Type: callcenter.TargetCallCenter},
	}
	b.cfg.Routers = router(says)
	b.do(route.AskRouter{Call: 9})
	says.Call = 9
	want(t, "prepared", b.prepared, "Goodbye")
	want(t, "said", b.said, route.Event(says))
}
