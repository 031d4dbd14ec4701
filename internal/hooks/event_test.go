package hooks

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/graph"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/trigger"
)

// listener is Events: it takes all but the one that it does not want.
type listener struct {
	unwanted string

	mu   sync.Mutex
	told []trigger.Event
}

// Wanted implements Events.
func (l *listener) Wanted(name string) bool { return name != l.unwanted }

// Tell implements Events.
func (l *listener) Tell(e trigger.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, e)
}

// names are those of what was told, without the provider.
func (l *listener) names() (names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.told {
		names = append(names, strings.TrimPrefix(e.Name, "switchboard:"))
	}
	return names
}

// listening is hooks that nobody subscribed to, but for a listener.
func listening(t *testing.T, unwanted string) (*core, *listener, *Hooks) {
	t.Helper()
	co := newCompany(t, t.TempDir())
	co.furnish("http://127.0.0.1:1/", "", callcenter.Subscription{
		Kind: callcenter.CallEvents, States: []string{"barge"},
	})
	l := &listener{unwanted: unwanted}
	config := co.config()
	config.Events = l
	h := start(t, config)
	return newCore(co, h), l, h
}

func TestEventsOfCalls(t *testing.T) {
	c, l, h := listening(t, "")
	c.visit(1000)
	c.say(route.CallArrived{Call: 2000, Center: 5, From: "+491234", To: "+14155550100"})
	c.say(route.CallerHungUp{Call: 2000})
	h.Close()
	want := []string{
		"call.started", "call.offered", "call.ringing", "call.answered", "call.connected", "call.ended",
		"call.started", "call.offered", "call.ringing", "call.abandoned", "call.missed", "call.ended",
	}
	if got := l.names(); !slices.Equal(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
	ids := map[string]bool{}
	for _, e := range l.told {
		if ids[e.ID] = true; !strings.Contains(string(e.Payload), `"call_id":`) || e.At.IsZero() {
			t.Errorf("%s says %s at %s", e.Name, e.Payload, e.At)
		}
	}
	if len(ids) != len(want) {
		t.Errorf("%d ids of %d events", len(ids), len(want))
	}
}

func TestEventsThatAreNoCalls(t *testing.T) {
	c, l, h := listening(t, "switchboard:alert.reminded")
	at := time.Now()
	observe := func(order route.Order) {
		h.Observe(at, c.machine, route.Tick{}, []route.Effect{{Order: order}})
	}
	observe(route.Alert{Center: 5, Kind: route.AlertRaised})
	observe(route.Alert{Center: 5, Kind: route.AlertReminded})
	observe(route.Alert{Center: 5, Kind: route.AlertCleared})
	observe(route.SaveCallback{Callback: route.Callback{Call: 9, Center: 5, Number: "+4930", Asked: at}})
	observe(route.SaveCallback{Callback: route.Callback{Call: 9, Center: 5, Number: "+4930", Asked: at, Tries: 1}})
	old := &callcenter.Center{ID: 5, Record: callcenter.Record{Version: 1}}
	changed := &callcenter.Center{ID: 5, Record: callcenter.Record{Version: 2}}
	gone := &callcenter.Center{ID: 5, Record: callcenter.Record{Version: 3}, State: callcenter.StateDeleted}
	h.Committed([]store.Change{
		{Kind: store.KindCenter, By: "ada", New: old},
		{Kind: store.KindCenter, By: "ada", Old: old, New: changed},
		{Kind: store.KindCenter, By: "ada", Old: changed, New: gone},
		{Kind: store.KindCenter, By: "ada", Old: changed},
		{Kind: store.KindUser},
	})
	h.put(fact{at: at, duty: &route.OperatorView{ID: 7}})
	h.Close()
	want := []string{
		"alert.raised", "alert.cleared", "callback.requested", "callcenter.created", "callcenter.updated",
		"callcenter.deleted", "callcenter.deleted", "operator.duty",
	}
	if got := l.names(); !slices.Equal(got, want) {
		t.Fatalf("told of %v, want %v", got, want)
	}
	for i, holds := range map[int]string{
		0: `"kind":"raised"`, 2: `"external_number":"+4930"`, 4: `"changed_by":"ada","version":2`, 7: `"on_duty_status"`,
	} {
		if !strings.Contains(string(l.told[i].Payload), holds) {
			t.Errorf("%s says %s, want %s", l.told[i].Name, l.told[i].Payload, holds)
		}
	}
}

// TestOneEventIsOneIdentity: told again after a restart, it is known.
func TestOneEventIsOneIdentity(t *testing.T) {
	_, l, h := listening(t, "")
	at := time.UnixMilli(1_795_000_000_000)
	leg := graph.Leg{ID: 1000, Entry: 1000, Visit: 1000, State: graph.Hangup}
	for range 2 {
		h.put(fact{at: at, change: &graph.Change{Leg: leg, At: at}})
	}
	h.Close()
	if len(l.told) != 2 || l.told[0].ID != l.told[1].ID || l.told[0].ID != "switchboard:call.ended:1000:1795000000000" {
		t.Errorf("told %v", l.told)
	}
}
