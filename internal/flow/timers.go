package flow

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// bell is what time does to an attempt.
type bell int

const (
	bellDue      bell = iota // it is to be begun, or gone on with
	bellTotal                // totalTimeoutSeconds: all attempts together
	bellTimeout              // timeoutSeconds
	bellResponse             // responseTimeoutSeconds
	bellPoll                 // pollTimeoutSeconds
)

// Next is when Tick is wanted, or the zero time if nothing comes with time.
func (r *Run) Next() time.Time {
	r.prepare()
	if r.State != Running {
		return time.Time{}
	}
	next := r.deadline()
	for _, a := range r.mem.live {
		if at, _ := a.soonest(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// deadline is when the run itself times out; the zero time: never.
func (r *Run) deadline() time.Time {
	if r.Definition.TimeoutSeconds <= 0 || r.Definition.TimeoutPolicy == AlertOnly || len(r.Tasks) == 0 {
		return time.Time{}
	}
	from := r.Tasks[0].ScheduledAt // it may have had to wait for its turn before
	if r.LastRetried.After(from) {
		from = r.LastRetried
	}
	return from.Add(seconds(r.Definition.TimeoutSeconds))
}

// soonest is what time does to the attempt next; the zero time: nothing.
func (a *Attempt) soonest() (at time.Time, what bell) {
	if a.Status.Final() {
		return time.Time{}, 0
	}
	first := func(t time.Time, b bell) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, what = t, b
		}
	}
	if a.Type != TypeSimple {
		first(a.DueAt, bellDue)
	}
	def := a.Def
	if def == nil {
		return at, what
	}
	if def.TotalTimeoutSeconds > 0 && !a.FirstAt.IsZero() {
		first(a.FirstAt.Add(seconds(def.TotalTimeoutSeconds)), bellTotal)
	}
	if def.TimeoutPolicy == AlertOnly {
		return at, what
	}
	if def.TimeoutSeconds > 0 && !a.StartedAt.IsZero() {
		first(a.StartedAt.Add(seconds(def.TimeoutSeconds)), bellTimeout)
	}
	if a.answers() && def.ResponseTimeout > 0 {
		first(a.UpdatedAt.Add(seconds(def.ResponseTimeout)), bellResponse)
	}
	if a.Type == TypeSimple && a.Status == Scheduled && def.PollTimeout > 0 {
		from := a.UpdatedAt
		if a.DueAt.After(from) {
			from = a.DueAt
		}
		first(from.Add(seconds(def.PollTimeout)), bellPoll)
	}
	return at, what
}

// answers says whether somebody is at work on the attempt who must be heard of within responseTimeoutSeconds.
func (a *Attempt) answers() bool {
	if a.Status != InProgress || a.Task.AsyncComplete {
		return false
	}
	return a.Type == TypeSimple || a.Type == TypeHTTP || (a.Type == TypeHTTPPoll && a.DueAt.IsZero())
}

// expire does what time has brought about: once for an attempt and step.
func (r *Run) expire() {
	if at := r.deadline(); !at.IsZero() && !r.mem.now.Before(at) {
		r.end(TimedOut, fmt.Sprintf("the run took longer than %d seconds", r.Definition.TimeoutSeconds), nil)
		return
	}
	for _, a := range r.mem.live {
		at, what := a.soonest()
		if at.IsZero() || r.mem.now.Before(at) {
			continue
		}
		r.ring(a, what)
		if r.State.Final() {
			return
		}
	}
}

func (r *Run) ring(a *Attempt, what bell) {
	switch what {
	case bellDue:
		r.due(a)
	case bellTotal:
		r.timeOut(a, fmt.Sprintf("its attempts took longer than totalTimeoutSeconds %d", a.Def.TotalTimeoutSeconds), false)
	case bellTimeout:
		r.timeOut(a, fmt.Sprintf("it took longer than timeoutSeconds %d", a.Def.TimeoutSeconds),
			a.Def.TimeoutPolicy != RetryOnTimeout)
	case bellResponse:
		r.timeOut(a, fmt.Sprintf("nothing was heard of it for responseTimeoutSeconds %d", a.Def.ResponseTimeout), false)
	case bellPoll:
		r.timeOut(a, fmt.Sprintf("no worker took it within pollTimeoutSeconds %d", a.Def.PollTimeout),
			a.Def.TimeoutPolicy != RetryOnTimeout)
	}
}

// due goes on with an attempt that was to wait until now.
func (r *Run) due(a *Attempt) {
	switch {
	case a.Status == Scheduled:
		r.begin(a)
	case a.Type == TypeHTTPPoll:
		r.touch(a)
		a.DueAt = time.Time{}
		r.ask(a)
	default:
		r.finish(a, TaskCompleted, "")
	}
}

// timeOut ends an attempt that took too long, and with it the run if that is the policy.
func (r *Run) timeOut(a *Attempt, reason string, whole bool) {
	r.withdraw(a)
	r.finish(a, TaskTimedOut, reason)
	if whole {
		r.end(TimedOut, a.Ref+": "+reason, a)
	}
}

// beginWait says until when a WAIT task waits: for a duration, until a time, or until it is updated.
func (r *Run) beginWait(a *Attempt) {
	input := PlainMap(a.Input)
	duration, until := input["duration"], input["until"]
	var at time.Time
	var err error
	switch {
	case isGiven(duration) && isGiven(until):
		err = errors.New("give duration or until, not both")
	case isGiven(duration):
		var d time.Duration
		d, err = parseWait(asText(duration))
		at = r.mem.now.Add(d)
	case isGiven(until):
		at, err = parseUntil(asText(until))
	default:
		return // until it is updated
	}
	switch {
	case err != nil:
		r.finish(a, FailedTerminally, err.Error())
	case at.After(r.mem.now):
		a.DueAt = at
	default:
		r.finish(a, TaskCompleted, "")
	}
}

func isGiven(v Value) bool { return v != nil && v != "" }

var waitUnits = map[string]time.Duration{
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
}

var errWait = errors.New(`duration is nothing like "2 days 3 hours", "90s" or "1h 30m"`)

// parseWait reads a duration in words.
func parseWait(text string) (time.Duration, error) {
	var sum time.Duration
	rest := strings.ToLower(strings.TrimSpace(text))
	if rest == "" {
		return 0, errWait
	}
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil {
			return 0, errWait
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		unit, ok := waitUnits[rest[:letters]]
		if !ok {
			return 0, errWait
		}
		rest = strings.TrimLeft(rest[letters:], " ")
		sum += min(time.Duration(n), 10*MaxDelay/unit) * unit
		if sum > MaxDelay {
			return 0, fmt.Errorf("duration is longer than %d days", MaxDelay/(24*time.Hour))
		}
	}
	return sum, nil
}

// parseUntil reads a time: of a day, of a minute, with the name of a zone behind it or none (UTC), or of RFC 3339.
func parseUntil(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return plainTime(at), nil
	}
	parts := strings.Fields(text)
	zone := time.UTC
	if n := len(parts); n > 1 && !strings.Contains(parts[n-1], ":") {
		var err error
		if zone, err = time.LoadLocation(parts[n-1]); err != nil {
			return time.Time{}, fmt.Errorf("until: %q is no time zone", parts[n-1])
		}
		parts = parts[:n-1]
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, strings.Join(parts, " "), zone); err == nil {
			return plainTime(at), nil
		}
	}
	return time.Time{}, errors.New(`until is nothing like "2026-12-24 18:00 Europe/Berlin"`)
}
