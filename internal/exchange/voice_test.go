package exchange

import (
	"errors"
	"testing"

	"switchboard/internal/route"
)

func TestACallIsListenedToUntilItEnds(t *testing.T) {
	b, v := newBench(), &voices{}
	b.cfg.Voices = v
	id, _ := b.arrive(t, &leg{offer: []byte("sdp")})
	ring := route.LegID{Call: id, N: 1}
	start := route.StartVoice{Call: id, Leg: ring, Center: 5, Operator: 7, Direction: route.Inbound}
	b.do(start, route.PauseVoice{Call: id}) // nobody is there yet
	b.do(route.Ring{Leg: ring, Device: 70}, start, route.PauseVoice{Call: id}, route.ResumeVoice{Call: id},
		route.StopVoice{Call: id}, route.StopVoice{Call: id}, route.PauseVoice{Call: id})
	want(t, "port", b.ports[0].did, "listen with first", "hush true", "hush false", "listen no more")
	want(t, "orders", v.begun, start)
	want(t, "number", v.numbers, "+13035550001")
	b.do(start, start, route.End{Record: route.CallRecord{Visit: id}})
	want(t, "port at the end", b.ports[0].did[4:], "listen with first", "listen no more", "listen with first",
		"listen no more")
}

func TestWhoCannotListenIsTold(t *testing.T) {
	b, v := newBench(), &voices{}
	b.next.recordErr = errors.New("closed")
	id, _ := b.arrive(t, &leg{offer: []byte("sdp")})
	ring := route.LegID{Call: id, N: 1}
	start := route.StartVoice{Call: id, Leg: ring}
	b.do(route.Ring{Leg: ring, Device: 70}, start) // where nobody is to listen, nobody does
	b.cfg.Voices = v
	b.do(start, route.PauseVoice{Call: id})
	want(t, "port", b.ports[0].did, "listen with first")
	if v.ended != 1 {
		t.Errorf("ended %d times", v.ended)
	}
}
