package interop

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// fifty is how many callers wait while settings change.
const fifty = 50

// full is a call center with fifty sipp callers in line, since Ada, Ben and Cid talk.
func (h *hall) full() (center *lab.Center, desks []*desk, talking []*softphone.Call, crowd *lab.SIPP) {
	h.T.Helper()
	center, desks = h.office("fixedorder", talks)
	center.Patch(`{"ring_seconds": 10}`)
	for _, d := range desks {
		h.caller(center)
		talking = append(talking, d.next())
		h.stands(d, route.OnCall)
	}
	crowd = h.crowd(center, fifty, fifty)
	h.waiting(center, fifty)
	return center, desks, talking, crowd
}

// line lists the callers in line as they are at this moment. Their positions must be 1 to the last without a gap.
func (h *hall) line(center *lab.Center) []route.CallID {
	h.T.Helper()
	var waiting []route.CallView
	for _, c := range h.now().Calls {
		if c.Center == center.CenterID() && c.Position > 0 {
			waiting = append(waiting, c)
		}
	}
	slices.SortFunc(waiting, func(a, b route.CallView) int { return a.Position - b.Position })
	var line []route.CallID
	for i, c := range waiting {
		if c.Position != i+1 {
			h.T.Fatalf("the caller behind %d others is told to be number %d", i, c.Position)
		}
		line = append(line, c.ID)
	}
	return line
}

// unmoved checks that those who were in line are so still, in their order.
func (h *hall) unmoved(what string, center *lab.Center, before []route.CallID) {
	h.T.Helper()
	if now := h.line(center); !slices.Equal(now, before) {
		h.T.Fatalf("%s: the line of %d callers is now %d long or in another order", what, len(before), len(now))
	}
}

// serve has one operator serve so many callers, one after the other, and then go off duty.
func (h *hall) serve(d *desk, callers int) {
	h.T.Helper()
	left := callers
	d.now(func(ctx context.Context, c *softphone.Call) {
		if left--; left > 0 {
			serves(ctx, c)
		} else {
			talks(ctx, c)
		}
	})
	d.Duty(true)
	for range callers - 1 {
		d.next()
	}
	last := d.next()
	h.stands(d, route.OnCall)
	d.Duty(false)
	last.Hangup()
	h.stands(d, route.OffDuty)
}

// byID finds records.
func byID(records []route.CallRecord) map[route.CallID]route.CallRecord {
	found := map[route.CallID]route.CallRecord{}
	for _, r := range records {
		found[r.Call] = r
	}
	return found
}

// allServed checks that each of a crowd was hung up on in good order, by sipp's own count.
func allServed(t *testing.T, crowd *lab.SIPP) {
	t.Helper()
	crowd.MustSucceed()
	if got := crowd.Counts(); got.Failed != 0 || got.Successful != fifty {
		t.Errorf("sipp counts %+v, want %d calls without a failure", got, fifty)
	}
}

// outcomes sums up how calls ended.
func outcomes(records []route.CallRecord) string {
	count := map[string]int{}
	for _, r := range records {
		count[string(r.Outcome)+" "+r.Reason]++
	}
	return fmt.Sprint(count)
}

func TestSettingsChangeWhileFiftyWait(t *testing.T) {
	h := newHall(t)
	center, desks, talking, crowd := h.full()
	line := h.line(center)

	// max_hold_count below those who wait: nobody is thrown out, new callers are refused until there is room.
	center.Patch(`{"hold_queue": {"max_hold_count": 10}}`)
	h.ended(h.caller(center), route.Message, "queue_full")
	h.unmoved("max_hold_count lowered", center, line)
	center.Patch(`{"hold_queue": {"max_hold_count": 60}}`)
	h.caller(center)
	h.waiting(center, fifty+1)
	line = append(line, h.line(center)[fifty])

	// hours_on, where those who wait stay after closing: only new callers notice.
	center.Patch(`{"hold_queue": {"stay_in_queue_after_closing": true}}`)
	center.Patch(noHours)
	h.ended(h.caller(center), route.Message, "closed")
	h.unmoved("closed, callers stay", center, line)
	center.Patch(`{"hours_on": false}`)

	// ring_seconds and operator_routing: the offer that rings is left alone, the next one has the new ones.
	desks[0].now(ringsOn)
	talking[0].Hangup()
	ringing := desks[0].next()
	center.Patch(`{"ring_seconds": 45}`)
	center.Patch(routing("mostskilled"))
	desks[0].ends(ringing)
	h.stands(desks[0], route.OffDuty)
	h.unmoved("an offer was missed", center, line)
	const served = 10
	h.serve(desks[0], served)
	h.unmoved("served from the head", center, line[served:])

	// max_hold_seconds: those who have waited for longer have 30 s of grace from the change.
	patched := time.Now()
	center.Patch(`{"hold_queue": {"max_hold_seconds": 30}}`)
	h.unmoved("max_hold_seconds lowered", center, line[served:])
	allServed(t, crowd)
	h.waiting(center, 0)
	talking[1].Hangup()
	talking[2].Hangup()
	calls := h.records(3 + fifty + 1 + 2) // who talked, waited, joined later and was refused
	wantText(t, "outcomes", outcomes(calls), fmt.Sprint(map[string]int{
		"answered operator_hung_up": 3 + served, "message queue_full": 1, "message closed": 1,
		"message timeout": fifty + 1 - served,
	}))
	checkOrder(t, byID(calls), line, served, patched)
}

// checkOrder looks at how those in line fared.
func checkOrder(t *testing.T, calls map[route.CallID]route.CallRecord, line []route.CallID, served int,
	patched time.Time,
) {
	t.Helper()
	head := calls[line[0]]
	wantText(t, "offers of the head", results(head), "missed answered")
	if rang := head.Offers[0].Until.Sub(head.Offers[0].At); rang < shortRing || rang >= longRing {
		t.Errorf("ring_seconds changed while it rang: it rang %s, want %s", rang, shortRing)
	}
	wantText(t, "why the first offer", head.Offers[0].Why, "number 1 of the list")
	wantText(t, "why the second offer", head.Offers[1].Why, "skill 50")
	for i, id := range line {
		switch c := calls[id]; {
		case i >= served && c.Ended.Before(patched.Add(30*time.Second)):
			t.Errorf("number %d was sent away %s after the change", i+1, c.Ended.Sub(patched))
		case i > 0 && i < served && c.Connected.Before(calls[line[i-1]].Connected):
			t.Errorf("number %d was served before the one ahead", i+1)
		}
	}
}

func TestClosingWhileFiftyWaitSendsThemToTheClosedAction(t *testing.T) {
	h := newHall(t)
	center, _, talking, crowd := h.full()
	asked := time.Now()
	center.Patch(noHours)
	answered := time.Now()
	h.waiting(center, 0)
	var decided time.Time
	h.Until("the reason is in a caller's path", func(p lab.Picture) bool {
		for _, call := range p.Calls {
			for _, step := range call.Path {
				if step.Rule == "closing" {
					decided = step.At
				}
			}
		}
		return !decided.IsZero()
	})
	t.Logf("PATCH of hours_on with %d waiting: answered after %s, all sent away %s after the answer", fifty,
		answered.Sub(asked), decided.Sub(answered))
	allServed(t, crowd)
	for _, c := range talking { // whoever talks goes on
		c.Hangup()
	}
	calls := h.records(3 + fifty)
	wantText(t, "outcomes", outcomes(calls),
		fmt.Sprint(map[string]int{"answered operator_hung_up": 3, "message closing": fifty}))
}
