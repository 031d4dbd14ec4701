package callcenter

import "time"

// ParseDate reads a day written as 2026-12-24; false: there is no such day.
func ParseDate(text string) (Date, bool) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, false
	}
	return DateOf(day), true
}

// String is the date as ParseDate reads it.
func (d Date) String() string {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// Before says whether d comes before other.
func (d Date) Before(other Date) bool { return d.number() < other.number() }
