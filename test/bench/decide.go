package main

import (
	"context"
	"time"
)

// measurePatch changes whom the next caller rings, dials the moment the 200 is read, and looks at who is rung: alone,
// and while other calls come in.
func measurePatch(ctx context.Context, r *report) error {
	for _, c := range []struct {
		name   string
		others int // calls a second beside it
	}{{"quiet", 0}, {"with 50 other calls/s", 50}} {
		delays, stale, err := runPatch(ctx, c.others)
		if err != nil {
			return err
		}
		r.add("PATCH 200 to an INVITE by the new rule, "+c.name, "<= 100 ms, typically < 5 ms",
			"%s (INVITE in and out included); %d of %d first decisions by the old rule",
			delays.spread(), stale, len(delays))
	}
	return nil
}

const patchTrials = 200

func branch(routing string) object {
	return object{"action": "voicemail", "try_dial_operators": true, "operator_routing": routing}
}

func runPatch(ctx context.Context, others int) (delays times, stale int, err error) {
	s, c, err := startCenter(ctx, "Patched", nil)
	if err != nil {
		return nil, 0, err
	}
	desk, err := openPhones(s.sip)
	if err != nil {
		return nil, 0, err
	}
	defer desk.close()
	callers, err := openPhones(s.sip)
	if err != nil {
		return nil, 0, err
	}
	defer callers.close()
	// The first of the list is the least skilled: the two rules choose different operators.
	for i, user := range []string{"first", "skilled"} {
		if err := s.hireOne(c, user, 10+i, desk.addr()); err != nil {
			return nil, 0, err
		}
	}
	rung, talking := make(chan *dialog, 100), make(chan struct{}, 100)
	callers.up = func(*dialog, time.Time) { talking <- struct{}{} }
	ended := make(chan struct{}, 100)
	desk.rang = func(d *dialog, _ time.Time) {
		if d.user == "first" || d.user == "skilled" {
			rung <- d
		}
	}
	desk.over = func(d *dialog, _ time.Time) {
		if d.user == "first" || d.user == "skilled" {
			ended <- struct{}{}
		}
	}
	stop, err := s.otherCalls(ctx, desk, others)
	if err != nil {
		return nil, 0, err
	}
	rules := []struct{ routing, rings string }{{"mostskilled", "skilled"}, {"fixedorder", "first"}}
	for trial := range patchTrials {
		rule := rules[trial%2]
		_, err := s.api("PATCH", "/api/v2/callcenters/"+c.id,
			object{"routing_options": object{"open": branch(rule.routing), "closed": branch(rule.routing)}})
		if err != nil {
			return nil, 0, err
		}
		answered := time.Now()
		for first := true; ctx.Err() == nil; first = false {
			caller := callers.Call(c.number, 0)
			d := <-rung
			<-talking
			callers.Bye(caller)
			<-ended
			if d.user == rule.rings {
				delays = append(delays, d.began.Sub(answered))
				break
			}
			if first {
				stale++
			}
		}
	}
	stop()
	return delays, stale, s.stop()
}

// otherCalls keeps calls going on in a center beside the measured one, at a rate, until stop.
func (s *server) otherCalls(ctx context.Context, desk *phones, rate int) (stop func(), err error) {
	if rate == 0 {
		return func() {}, nil
	}
	c, err := s.openCenter("Others", nil)
	if err != nil {
		return nil, err
	}
	if err := s.hire(c, rate, "other", desk.addr()); err != nil {
		return nil, err
	}
	callers, err := openPhones(s.sip)
	if err != nil {
		return nil, err
	}
	callers.up = func(d *dialog, _ time.Time) { callers.bye(d) }
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		dialAtRate(ctx, callers, c.number, rate*3600, rate)
	}()
	return func() { cancel(); <-over; callers.close() }, nil
}
