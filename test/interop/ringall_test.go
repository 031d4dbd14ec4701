package interop

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// roundsEnv is how many calls fifty operators answer at once; without it, so many that it takes some seconds.
const (
	roundsEnv  = "SWITCHBOARD_ROUNDS"
	fewRounds  = 50
	allAtOnce  = 5 * time.Millisecond // in which the fifty answers go out, unless the machine is busy
	mostRounds = 10_000
	pace       = 40 * time.Millisecond // of rounds: the phones share a station, which takes 2,000 calls a second
)

func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv(roundsEnv)
	if text == "" {
		return fewRounds
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostRounds {
		t.Fatalf("%s=%q is no number of 1 to %d", roundsEnv, text, mostRounds)
	}
	return n
}

// crew is the most operators that are rung for one caller, each at a phone that rings and waits for a sign.
type crew struct {
	*lab.Lab
	center  *lab.Center
	station *softphone.Station
	staff   []*lab.Operator
	rang    chan *softphone.Call
	prompt  int // rounds in which all answers went out within allAtOnce
}

func newCrew(t *testing.T) *crew {
	l := lab.New(t, nil)
	l.Trunk()
	c := &crew{
		Lab: l, station: l.Station(), center: l.Center("Support", routing("simultaneous")),
		rang: make(chan *softphone.Call, 4*route.MaxSimultaneous),
	}
	for i := range route.MaxSimultaneous {
		name := fmt.Sprintf("crew%d", i)
		o := l.Operator(name)
		o.StaticPhone(name, c.station.Addr())
		c.station.Static(name, func(call *softphone.Call) { c.rang <- call })
		c.center.Add(o, 50)
		o.Duty(true)
		c.staff = append(c.staff, o)
	}
	return c
}

// phones are all that ring for one caller.
func (c *crew) phones(ctx context.Context) []*softphone.Call {
	c.T.Helper()
	var calls []*softphone.Call
	for range c.staff {
		select {
		case call := <-c.rang:
			calls = append(calls, call)
		case <-ctx.Done():
			c.T.Fatalf("%d of %d phones rang", len(calls), len(c.staff))
		}
	}
	return calls
}

// round is one caller whom all answer at once: the one who got the call is heard from, all others are told that it is
// over.
func (c *crew) round(n int) {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.T.Context(), lab.Patience)
	defer cancel()
	caller, err := c.station.Call("+13035550100", c.center.Number)
	if err != nil {
		c.T.Fatal(err)
	}
	calls := c.phones(ctx)
	c.answer(calls)
	if _, ok := caller.Wait(ctx, softphone.AnsweredEvent); !ok {
		c.T.Fatalf("round %d: nobody got the caller", n)
	}
	over := make(chan *softphone.Call, len(calls))
	pressed := make(chan *softphone.Call, len(calls))
	listening, stop := context.WithCancel(ctx)
	var ears sync.WaitGroup
	for _, call := range calls {
		ears.Go(func() { listen(listening, call, pressed, over) })
	}
	for lost := range len(calls) - 1 {
		select {
		case <-over:
		case <-ctx.Done():
			c.T.Fatalf("round %d: %d of %d who came too late were told", n, lost, len(calls)-1)
		}
	}
	caller.Press('7')
	select {
	case <-pressed: // the only one who is left
	case <-over:
		c.T.Fatalf("round %d: no operator has the caller", n)
	case <-ctx.Done():
		c.T.Fatalf("round %d: the operator does not hear the caller", n)
	}
	caller.Hangup()
	select {
	case <-over:
	case <-ctx.Done():
		c.T.Fatalf("round %d: the operator was not told that the caller left", n)
	}
	stop()
	ears.Wait()
	if extra := len(pressed) + len(over) + len(c.rang); extra > 0 {
		c.T.Fatalf("round %d: %d things happened twice", n, extra)
	}
}

// answer picks up all phones.
func (c *crew) answer(calls []*softphone.Call) {
	began := time.Now()
	for _, call := range calls {
		call.Answer()
	}
	if time.Since(began) < allAtOnce {
		c.prompt++
	}
}

// listen tells of the end of a call, and of a key before it.
func listen(ctx context.Context, call *softphone.Call, pressed, over chan<- *softphone.Call) {
	for {
		e, ok := call.Next(ctx)
		switch {
		case !ok:
			return
		case e.Kind == softphone.DigitEvent:
			pressed <- call
		case e.Kind == softphone.EndedEvent:
			over <- call
			return
		}
	}
}

// left counts what the server still holds, by its own metrics.
func (c *crew) left(metric string) int {
	c.T.Helper()
	for line := range strings.Lines(string(c.MustAPI("GET", "/metrics", "").Raw)) {
		if text, ok := strings.CutPrefix(line, metric+" "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				c.T.Fatal(err)
			}
			return n
		}
	}
	c.T.Fatalf("there is no metric %s", metric)
	return 0
}

func TestOneOfFiftyWhoAnswerAtOnceGetsTheCaller(t *testing.T) {
	c, n := newCrew(t), rounds(t)
	next := time.NewTicker(pace)
	defer next.Stop()
	for i := range n {
		c.round(i + 1)
		<-next.C
	}
	t.Logf("%d answers within %s in %d of %d rounds", len(c.staff), allAtOnce, c.prompt, n)
	seen := c.Until("every call has ended and every operator is free", func(p lab.Picture) bool {
		free := 0
		for _, o := range c.staff {
			if p.Operator(o).State == route.Available {
				free++
			}
		}
		return len(p.Records) == n && free == len(c.staff)
	})
	for id, r := range seen.Records {
		count := map[string]int{}
		for _, o := range r.Offers {
			count[o.Result]++
		}
		if r.Outcome != route.Answered || count[route.ResultAnswered] != 1 ||
			count[route.ResultCancelled] != len(c.staff)-1 {
			t.Errorf("call %d: %s, offers %v", id, r.Outcome, count)
		}
	}
	for _, metric := range []string{"switchboard_sip_legs", "switchboard_media_open"} {
		if left := c.left(metric); left != 0 {
			t.Errorf("%s is %d after all calls", metric, left)
		}
	}
}
