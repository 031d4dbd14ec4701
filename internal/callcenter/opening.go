package callcenter

import "time"

// Holiday is a run of days on which Hours replace the hours of the week, also where hours_on is false. No Hours:
// closed.
type Holiday struct {
	ID    HolidayID
	Name  string
	First Date
	Last  Date // included
	Hours DayHours
}

// Date is a day of the calendar, in no particular time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day on which t falls in its location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

func (d Date) number() int { return d.Year*10_000 + int(d.Month)*100 + d.Day }

func (h Holiday) includes(d Date) bool {
	return h.First.number() <= d.number() && d.number() <= h.Last.number()
}

// Availability says whether the center takes calls at now. The first of holidays that includes today in loc rules, then
// the hours of the week if they are on, else the center is open. An interval counts by what the clock on the wall
// shows: from its opening time up to, but not including, its closing time. So where clocks go forward a time that is
// left out means the next one there is, and where they go back a repeated time counts twice
// (docs/reference/opening-hours.md).
func (s Settings) Availability(now time.Time, loc *time.Location, holidays []Holiday) Availability {
	if !s.HoursOn && len(holidays) == 0 {
		return Availability{Status: Open}
	}
	local := now.In(loc)
	minute := local.Hour()*60 + local.Minute()
	hours, holiday := s.hoursOf(local, holidays)
	switch {
	case holiday != nil && hours.open(minute):
		return Availability{Status: HolidayOpen, Holiday: holiday.Name}
	case holiday != nil:
		return Availability{Status: HolidayClosed, Holiday: holiday.Name}
	case !s.HoursOn || hours.open(minute):
		return Availability{Status: Open}
	}
	return Availability{Status: Closed}
}

// hoursOf are the hours of local's day, and the holiday whose they are or nil.
func (s Settings) hoursOf(local time.Time, holidays []Holiday) (DayHours, *Holiday) {
	today := DateOf(local)
	for i := range holidays {
		if holidays[i].includes(today) {
			return holidays[i].Hours, &holidays[i]
		}
	}
	return s.Hours[local.Weekday()], nil
}

// NextChange is the first instant after now at which Availability differs from what it is now, or zero if there is none
// up to NextChangeHorizon from now; with holidays to come, ask again by then.
func (s Settings) NextChange(now time.Time, loc *time.Location, holidays []Holiday) time.Time {
	if !s.HoursOn && len(holidays) == 0 {
		return time.Time{}
	}
	now = now.Round(0) // the wall clock decides, not the monotonic one
	current := s.Availability(now, loc, holidays)
	end := now.Add(NextChangeHorizon)
	for t := s.nextBoundary(now, loc, holidays); !t.After(end); t = s.nextBoundary(t, loc, holidays) {
		if s.Availability(t, loc, holidays) != current {
			return t
		}
	}
	return time.Time{}
}

// nextBoundary is the first instant after t at which the availability could change: an opening or closing time of t's
// day, its end, or a jump of the clock.
func (s Settings) nextBoundary(t time.Time, loc *time.Location, holidays []Holiday) time.Time {
	local := t.In(loc)
	hour, minute, second := local.Clock()
	sinceMidnight := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
	hours, _ := s.hoursOf(local, holidays)
	next := t.Add(time.Duration(hours.next(hour*60+minute))*time.Minute - sinceMidnight)
	if _, jump := local.ZoneBounds(); !jump.IsZero() && jump.Before(next) {
		return jump.In(t.Location())
	}
	return next
}
