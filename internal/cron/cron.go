// Package cron says when a schedule is due: expressions of six fields, second to weekday, in a time zone
// (docs/reference/triggers.md, "Schedules").
//
// It refuses to read the clock and to guess: an expression that no day can meet is an error, and what happens when a
// clock is put forward or back is fixed by rule.
package cron

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// horizon is how many years ahead a time is looked for; the rarest day of all, a certain weekday on 29 February, comes
// within 40.
const horizon = 41

// Expression is a cron expression that was read.
type Expression struct {
	seconds, minutes, hours, months uint64 // bits by value
	everyHour                       bool   // the hours begin with *: it is about time that passes, not about a clock
	days                            days
	weekdays                        weekdays
}

// days are those of a month. A day that any of them names is meant.
type days struct {
	bits     uint64
	fromLast []int // days before the last one: L is 0
	lastWork bool  // LW: the last weekday from Monday to Friday
	nearest  []int // 15W: the day from Monday to Friday that is nearest, in the same month
}

// weekdays are those of a week, 0 is Sunday. A day that any of them names is meant.
type weekdays struct {
	bits uint64
	nth  []ordinal // MON#2
	last []int     // FRIL
}

type ordinal struct{ weekday, n int }

// Next is the first time after after at which the expression is due in a time zone; the zero time: there is none.
//
// An hour that comes twice when clocks are put back counts once, the first time, and a time that is left out when they
// are put forward is due at the moment of the change. Expressions whose hours begin with * are due whenever a clock
// shows their time: twice in the one night, not at all in the other.
func (e *Expression) Next(after time.Time, zone *time.Location) time.Time {
	at := after.Truncate(time.Second).Add(time.Second).In(zone)
	end := at.AddDate(horizon, 0, 0)
	for at.Before(end) {
		began, ends := at.ZoneBounds()
		_, offset := at.Zone()
		from := wall(at, offset)
		if !began.IsZero() && !e.everyHour {
			_, before := began.Add(-time.Second).Zone()
			shown, shows := wall(began, before), wall(began, offset)
			if from.Before(shown) {
				from = shown // shown for the second time until then
			}
			if _, missed := e.within(shown, shows); missed && at.Equal(began) {
				return began.In(zone)
			}
		}
		until := wall(end, offset)
		if !ends.IsZero() {
			until = wall(ends, offset)
		}
		if due, ok := e.within(from, until); ok {
			return due.Add(-time.Duration(offset) * time.Second).In(zone)
		}
		if ends.IsZero() {
			break
		}
		at = ends.In(zone)
	}
	return time.Time{}
}

// wall is what a clock shows that is offset seconds ahead, written as a time in UTC.
func wall(at time.Time, offset int) time.Time {
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// within is the first time from from on, and before until, that a clock shows and the expression names.
func (e *Expression) within(from, until time.Time) (time.Time, bool) {
	y, m, d := from.Date()
	h, mi, s := from.Clock()
	for day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); day.Before(until); h, mi, s = 0, 0, 0 {
		if e.months&(1<<day.Month()) == 0 {
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if e.days.has(day) && e.weekdays.has(day) {
			if of, ok := e.clock(h, mi, s); ok {
				due := day.Add(of)
				return due, due.Before(until)
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}

// clock is the first time of a day from h:m:s on.
func (e *Expression) clock(h, m, s int) (time.Duration, bool) {
	for hour := first(e.hours, h); hour >= 0; hour = first(e.hours, hour+1) {
		if hour > h {
			m, s = 0, 0
		}
		for minute := first(e.minutes, m); minute >= 0; minute = first(e.minutes, minute+1) {
			if minute > m {
				s = 0
			}
			if second := first(e.seconds, s); second >= 0 {
				return time.Duration(hour*3600+minute*60+second) * time.Second, true
			}
		}
	}
	return 0, false
}

// first is the first number in a set from from on; -1: there is none.
func first(set uint64, from int) int {
	if from > 63 {
		return -1
	}
	if rest := set >> from << from; rest != 0 {
		return bits.TrailingZeros64(rest)
	}
	return -1
}

func lastOf(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (d days) has(day time.Time) bool {
	n, last := day.Day(), lastOf(day)
	if d.bits&(1<<n) != 0 || d.lastWork && n == nearestWork(day, last) {
		return true
	}
	for _, before := range d.fromLast {
		if n == last-before {
			return true
		}
	}
	for _, want := range d.nearest {
		if want <= last && n == nearestWork(day, want) {
			return true
		}
	}
	return false
}

// nearestWork is the day from Monday to Friday that is nearest to the n-th, in the month of day.
func nearestWork(day time.Time, n int) int {
	switch time.Date(day.Year(), day.Month(), n, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == lastOf(day) {
			return n - 2
		}
		return n + 1
	}
	return n
}

func (w weekdays) has(day time.Time) bool {
	of, n := int(day.Weekday()), day.Day()
	if w.bits&(1<<of) != 0 {
		return true
	}
	for _, o := range w.nth {
		if o.weekday == of && (n+6)/7 == o.n {
			return true
		}
	}
	for _, last := range w.last {
		if last == of && n > lastOf(day)-7 {
			return true
		}
	}
	return false
}

var errNever = errors.New("there is no such day")

// Parse reads an expression: six fields, or one of the macros @yearly, @annually, @monthly, @weekly, @daily, @midnight,
// @hourly. The error names the field.
func Parse(text string) (*Expression, error) {
	fields, err := split(text)
	if err != nil {
		return nil, err
	}
	e := &Expression{everyHour: fields[2][0] == '*'}
	for i, set := range []*uint64{&e.seconds, &e.minutes, &e.hours, nil, &e.months, nil} {
		if set == nil {
			continue
		}
		if *set, err = bounds[i].set(fields[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", bounds[i].name, err)
		}
	}
	if err := e.days.read(fields[3]); err != nil {
		return nil, fmt.Errorf("%s: %w", bounds[3].name, err)
	}
	if err := e.weekdays.read(fields[5]); err != nil {
		return nil, fmt.Errorf("%s: %w", bounds[5].name, err)
	}
	if e.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC).IsZero() {
		return nil, errNever
	}
	return e, nil
}
