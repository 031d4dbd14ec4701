package engine

import (
	"context"
	"testing"
	"time"

	"switchboard/internal/route"
)

func TestADecisionReachesWhoAsked(t *testing.T) {
	var a answers
	first, second := a.expect(1), a.expect(2)
	a.decided(route.CallbackDecided{Call: 2, Position: 4})
	a.decided(route.CallbackDecided{Call: 3}) // nobody asked
	a.decided(route.CallbackDecided{Call: 2}) // twice
	if got := <-second; got.Position != 4 || len(first) != 0 || len(a.pending) != 1 {
		t.Errorf("%+v, %d pending", got, len(a.pending))
	}
	a.forget(1)
	if len(a.pending) != 0 {
		t.Errorf("%d pending", len(a.pending))
	}
}

func TestWhoAsksAnEngineThatStoppedIsTold(t *testing.T) {
	e := New(Config{Company: 1, Records: &world{}, Performer: &world{}})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	e.Run(ctx)
	if _, _, err := e.AskCallback(t.Context(), 5, "+491", false); err == nil {
		t.Error("no error")
	}
	if _, _, err := e.AskCallback(ctx, 5, "+491", false); err == nil {
		t.Errorf("%v", err)
	}
	if len(e.waiting.pending) != 0 {
		t.Errorf("%d still wait", len(e.waiting.pending))
	}
}

// kept counts what a Keeper was told.
type kept struct{ callbacks, places []route.CallID }

func (k *kept) SaveCallback(c route.Callback)  { k.callbacks = append(k.callbacks, c.Call) }
func (k *kept) DropCallback(call route.CallID) { k.callbacks = append(k.callbacks, -call) }
func (k *kept) SavePlace(p route.Place)        { k.places = append(k.places, p.Call) }
func (k *kept) DropPlace(call route.CallID)    { k.places = append(k.places, -call) }

func TestOrdersThatAreNotAboutLegs(t *testing.T) {
	k, performed := &kept{}, &world{}
	var alerts []route.Alert
	e := New(Config{
		Company: 1, Records: performed, Performer: performed, Keeper: k,
		Alert: func(_ time.Time, a route.Alert) { alerts = append(alerts, a) },
	})
	answer := e.waiting.expect(8)
	for _, order := range []route.Order{
		route.SaveCallback{Callback: route.Callback{Call: 3}},
		route.DropCallback{Call: 3},
		route.SavePlace{Place: route.Place{Call: 4}},
		route.DropPlace{Call: 4},
		route.Alert{Kind: route.AlertRaised, Text: "low"},
		route.Alert{Kind: route.AlertCleared, Text: "well"},
		route.CallbackDecided{Call: 8, Refused: route.RefusedFull},
	} {
		e.perform(time.Now(), route.Effect{Order: order})
	}
	if len(k.callbacks) != 2 || len(k.places) != 2 || k.callbacks[1] != -3 || k.places[0] != 4 {
		t.Errorf("kept %+v", k)
	}
	if got := <-answer; got.Refused != route.RefusedFull {
		t.Errorf("%+v", got)
	}
	notices := e.notices.fresh
	if len(alerts) != 2 || len(notices) != 2 || notices[0].Level != "warning" || notices[1].Level != "info" {
		t.Errorf("alerts %+v, notices %+v", alerts, notices)
	}
}

func TestWhatIsTypedWhileTheRecordingIsPausedIsNotWrittenDown(t *testing.T) {
	e := New(Config{Company: 1, Records: &world{}, Performer: &world{}})
	for _, event := range []route.Event{
		route.Digit{Call: 9, Digit: '4'}, route.OperatorDigit{Leg: route.LegID{Call: 9}, Digit: '4'}, route.Tick{},
	} {
		if got := e.masked(event); got != event {
			t.Errorf("%+v became %+v though nothing is recorded", event, got)
		}
	}
}
