package callcenter

import (
	"fmt"
	"time"
)

// minutesOfDay is 24:00, the end of a day.
const minutesOfDay = 24 * 60

// hoursFields are the settings of a week by weekday, by their names in the API.
var hoursFields = [7]string{
	time.Sunday:    "sunday_hours",
	time.Monday:    "monday_hours",
	time.Tuesday:   "tuesday_hours",
	time.Wednesday: "wednesday_hours",
	time.Thursday:  "thursday_hours",
	time.Friday:    "friday_hours",
	time.Saturday:  "saturday_hours",
}

// mondayFirst is the order in which days are read and reported.
var mondayFirst = [7]time.Weekday{
	time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday,
}

// Problems are what is wrong with the hours of one day; field names them.
func (h DayHours) Problems(field string) Problems {
	if len(h) > 2*MaxDayIntervals {
		return Problems{{field, fmt.Sprintf("must have at most %d intervals", MaxDayIntervals)}}
	}
	var problems Problems
	if len(h)%2 != 0 {
		problems = Problems{{field, "must be pairs of an opening and a closing time"}}
	}
	last, lastText := -1, ""
	for i, text := range h {
		at, ok := parseMinute(text)
		place := fmt.Sprintf("%s.%d", field, i)
		switch {
		case !ok:
			problems = append(problems, Problem{place, "must be a time HH:MM from 00:00 to 23:59"})
			continue
		case at == minutesOfDay && (i%2 == 0 || i != len(h)-1):
			problems = append(problems, Problem{place, "may be 24:00 only as the last closing time"})
		case at <= last:
			problems = append(problems, Problem{place, "must be later than " + lastText + " before it"})
		}
		last, lastText = at, text
	}
	return problems
}

// parseMinute is the minute of the day that text says, 24:00 being the last.
func parseMinute(text string) (int, bool) {
	if len(text) != len("HH:MM") || text[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	hour := int(text[0]-'0')*10 + int(text[1]-'0')
	minute := int(text[3]-'0')*10 + int(text[4]-'0')
	if minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return hour*60 + minute, true
}

// open says whether the clock, which shows minute of the day, is within one of the intervals.
func (h DayHours) open(minute int) bool {
	for i := 0; i+1 < len(h); i += 2 {
		from, okFrom := parseMinute(h[i])
		to, okTo := parseMinute(h[i+1])
		if okFrom && okTo && from <= minute && minute < to {
			return true
		}
	}
	return false
}

// next is the first opening or closing time later than minute, or the end of the day.
func (h DayHours) next(minute int) int {
	for _, text := range h {
		if at, ok := parseMinute(text); ok && at > minute {
			return at
		}
	}
	return minutesOfDay
}
