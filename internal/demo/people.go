package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"switchboard/internal/softphone"
)

// How the demo's people behave.
const (
	missChance    = 0.06 // an operator lets a call ring
	declineChance = 0.03
	awayTime      = 20 * time.Second // how long one who missed a call stays away from the desk
	answerDelay   = 3 * time.Second
	talkTime      = 25 * time.Second
	leastTalk     = 8 * time.Second
	pauseCode     = "*2" // an operator's, to pause and go on
	patience      = 75 * time.Second
	pauseChance   = 0.2 // an operator pauses the recording for a while; where nothing is recorded nothing happens
	pauseTime     = 5 * time.Second
	reachedChance = 0.85 // one who is called back picks up

	quietHour = 3.0  // calls a minute in the dead of night
	busyHour  = 22.0 // and at noon: more than everybody together can take
)

// staff registers everybody's phone.
func (w *world) staff(ctx context.Context, phones *softphone.Station) error {
	for _, person := range w.company.staff {
		_, err := phones.Register(person.username, person.password, func(call *softphone.Call) {
			w.attend(ctx, person, call)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// attend is an operator whose phone rings.
func (w *world) attend(ctx context.Context, person *colleague, call *softphone.Call) {
	switch {
	case w.chance(missChance):
		call.Wait(ctx, softphone.EndedEvent)
		w.wg.Go(func() { w.comeBack(ctx, person) })
		return
	case w.chance(declineChance):
		call.Decline(486)
		w.wg.Go(func() { w.comeBack(ctx, person) })
		return
	}
	picking, cancel := context.WithTimeout(ctx, w.about(answerDelay, time.Second))
	_, gone := call.Wait(picking, softphone.EndedEvent)
	cancel()
	if gone || ctx.Err() != nil {
		return
	}
	call.Answer()
	call.Loop(w.voice)
	talking, done := context.WithTimeout(ctx, w.about(talkTime, leastTalk))
	defer done()
	if w.chance(pauseChance) && sleep(talking, pauseTime) {
		press(talking, call, pauseCode)
		if sleep(talking, pauseTime) {
			press(talking, call, pauseCode)
		}
	}
	call.Wait(talking, softphone.EndedEvent)
	call.Hangup()
}

// calledBack is a customer whose phone rings because they asked for it.
func (w *world) calledBack(ctx context.Context, call *softphone.Call) {
	if !w.chance(reachedChance) {
		call.Wait(ctx, softphone.EndedEvent)
		return
	}
	picking, cancel := context.WithTimeout(ctx, w.about(answerDelay, time.Second))
	_, gone := call.Wait(picking, softphone.EndedEvent)
	cancel()
	if gone || ctx.Err() != nil {
		return
	}
	call.Answer()
	call.Loop(w.voice)
	call.Wait(ctx, softphone.EndedEvent)
	call.Hangup()
}

// comeBack puts an operator whom a missed call set off duty back on, by the API.
func (w *world) comeBack(ctx context.Context, person *colleague) {
	if !sleep(ctx, w.about(awayTime, awayTime/2)) {
		return
	}
	url := fmt.Sprintf("%s/api/v2/callcenters/operators/%d/dutystatus", w.server.URL(), person.id)
	if err := w.patch(ctx, url, `{"on_duty": true}`); err != nil && ctx.Err() == nil {
		w.server.Engine().Notice("warning", "The demo could not put "+person.first+" back on duty: "+err.Error())
	}
}

func (w *world) patch(ctx context.Context, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, answer)
	}
	return err
}

// arrivals lets callers call: a Poisson process whose rate follows the hours of a day.
func (w *world) arrivals(ctx context.Context, phones *softphone.Station) {
	started := time.Now()
	for {
		// a day begins at seven in the morning, so that a newcomer does not watch the night
		hour := math.Mod(7+time.Since(started).Hours()*w.cfg.Speed, 24)
		perMinute := callsAMinute(hour)
		if !sleep(ctx, w.about(time.Duration(float64(time.Minute)/perMinute), 0)) {
			return
		}
		w.wg.Go(func() { w.visit(ctx, phones) })
	}
}

// callsAMinute is the shape of the day: one hump around noon, a quiet night.
func callsAMinute(hour float64) float64 {
	daylight := math.Max(0, math.Sin(math.Pi*(hour-5)/15)) // from five to eight in the evening
	return quietHour + (busyHour-quietHour)*daylight
}

// visit is one caller from the first ring to the end.
func (w *world) visit(ctx context.Context, phones *softphone.Station) {
	from := fmt.Sprintf("+1202555%04d", 1000+int(w.uniform()*8999))
	plan := planFor(w.uniform(), w.uniform(), w.uniform())
	call, err := phones.Call(from, plan.number)
	if err != nil {
		w.server.Engine().Notice("warning", "The demo could not call: "+err.Error())
		return
	}
	defer call.Hangup()
	waiting, cancel := context.WithTimeout(ctx, w.about(patience, 10*time.Second))
	defer cancel()
	if _, ok := call.Wait(waiting, softphone.AnsweredEvent); !ok {
		return
	}
	call.Loop(w.voice)
	// Whether an operator, the queue or a recorder answered cannot be heard by a program: the caller does what they set
	// out to do, and then stays while the patience and one talk last.
	staying, done := context.WithTimeout(ctx, w.about(patience+talkTime, talkTime)+plan.length())
	defer done()
	for _, deed := range plan.deeds {
		if !stay(staying, call, deed.after) {
			return
		}
		press(staying, call, deed.keys)
	}
	if plan.leaves {
		stay(staying, call, messageTime)
		return
	}
	call.Wait(staying, softphone.EndedEvent)
}

// stay lets time pass in a call; false: it is over.
func stay(ctx context.Context, call *softphone.Call, d time.Duration) bool {
	pause, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	_, ended := call.Wait(pause, softphone.EndedEvent)
	return !ended && ctx.Err() == nil
}

// press presses keys as fast as a finger does.
func press(ctx context.Context, call *softphone.Call, keys string) {
	for _, key := range []byte(keys) {
		call.Press(key)
		if !sleep(ctx, keyTime) {
			return
		}
	}
}
