package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/route"
)

// Picture is what a supervisor's page shows: the sum of the updates so far.
type Picture struct {
	Centers   map[callcenter.ID]route.CenterView
	Operators map[callcenter.OperatorID]route.OperatorView
	Calls     map[route.CallID]route.CallView // live ones and, with their last view, ended ones
	Ended     map[route.CallID]bool
	Records   map[route.CallID]route.CallRecord // of those that ended
	Notices   []engine.Notice
}

func newPicture() Picture {
	return Picture{
		Centers:   map[callcenter.ID]route.CenterView{},
		Operators: map[callcenter.OperatorID]route.OperatorView{},
		Calls:     map[route.CallID]route.CallView{},
		Ended:     map[route.CallID]bool{},
		Records:   map[route.CallID]route.CallRecord{},
	}
}

func (p *Picture) take(u engine.Update) {
	if u.Reset { // it replaces all that was known; calls that it does not name are over
		for id := range p.Calls {
			p.Ended[id] = true
		}
		for _, v := range u.Calls {
			delete(p.Ended, v.ID)
		}
		p.Centers, p.Operators = map[callcenter.ID]route.CenterView{}, map[callcenter.OperatorID]route.OperatorView{}
		p.Notices = nil
	}
	for _, v := range u.Centers {
		p.Centers[v.ID] = v
	}
	for _, v := range u.Operators {
		p.Operators[v.ID] = v
	}
	for _, v := range u.Calls {
		p.Calls[v.ID] = v
	}
	for _, record := range u.Ended {
		p.Ended[record.Call] = true
		p.Records[record.Call] = record
	}
	for _, id := range u.DeletedCenters {
		delete(p.Centers, id)
	}
	for _, id := range u.DeletedOperators {
		delete(p.Operators, id)
	}
	p.Notices = append(p.Notices, u.Notices...)
}

func (p *Picture) clone() Picture {
	return Picture{
		Centers: maps.Clone(p.Centers), Operators: maps.Clone(p.Operators), Calls: maps.Clone(p.Calls),
		Ended: maps.Clone(p.Ended), Records: maps.Clone(p.Records), Notices: slices.Clone(p.Notices),
	}
}

// watch follows the live feed from the server's start to its end, so that a test that looks late misses nothing.
type watch struct {
	mu      sync.Mutex
	picture Picture
	changed chan struct{} // closed and replaced at each update
}

// start follows until the test ends. It returns once the first update is in.
func (w *watch) start(t testing.TB, feed *engine.Engine) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.picture, w.changed = newPicture(), make(chan struct{})
	reader := feed.Subscribe(0)
	first, ok := reader.Next(ctx)
	if !ok {
		t.Fatal("the live feed is closed")
	}
	w.take(first)
	var follower sync.WaitGroup
	follower.Go(func() {
		for {
			update, ok := reader.Next(ctx)
			if !ok {
				return
			}
			w.take(update)
		}
	})
	t.Cleanup(func() {
		cancel()
		follower.Wait()
	})
}

func (w *watch) take(update engine.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.picture.take(update)
	close(w.changed)
	w.changed = make(chan struct{})
}

// now is a copy of the picture, and a channel that closes when it changes.
func (w *watch) now() (Picture, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.picture.clone(), w.changed
}

// Center is the picture of one center.
func (p Picture) Center(c *Center) route.CenterView { return p.Centers[c.CenterID()] }

// Operator is the picture of one operator.
func (p Picture) Operator(o *Operator) route.OperatorView { return p.Operators[o.OperatorID()] }

// Rules are the rules along the paths of all calls seen, live and ended.
func (p Picture) Rules() []string {
	var rules []string
	for _, call := range p.Calls {
		for _, step := range call.Path {
			rules = append(rules, step.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// String shows a picture with a failing test.
func (p Picture) String() string {
	var b strings.Builder
	for _, c := range p.Centers {
		fmt.Fprintf(&b, "\n  center %s: %s waiting %d on duty %d capacity %d outcomes %v",
			c.Name, c.Availability.Status, c.Waiting, c.OnDuty, c.Capacity, c.Outcomes)
	}
	for _, o := range p.Operators {
		fmt.Fprintf(&b, "\n  operator %s: %s %s", o.Name, o.State, o.Duty.Reason)
	}
	for _, c := range p.Calls {
		fmt.Fprintf(&b, "\n  call %s -> %s: %s ended %t", c.From, c.To, c.State, p.Ended[c.ID])
		for _, step := range c.Path {
			fmt.Fprintf(&b, "\n    %s  %s", step.Rule, step.Text)
		}
	}
	for _, n := range p.Notices {
		fmt.Fprintf(&b, "\n  notice %s", n.Text)
	}
	return b.String()
}
