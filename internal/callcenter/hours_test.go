package callcenter

import (
	"fmt"
	"testing"
)

func TestHoursOfADay(t *testing.T) {
	const f = "monday_hours"
	var ten, eleven DayHours
	for hour := range 11 {
		pair := DayHours{fmt.Sprintf("%02d:00", 2*hour), fmt.Sprintf("%02d:00", 2*hour+1)}
		if hour < 10 {
			ten = append(ten, pair...)
		}
		eleven = append(eleven, pair...)
	}
	for _, c := range []struct {
		hours DayHours
		want  string
	}{
		{nil, ""},
		{DayHours{}, ""},
		{DayHours{"00:00", "24:00"}, ""},
		{DayHours{"00:00", "23:59"}, ""},
		{DayHours{"08:00", "12:00", "12:01", "24:00"}, ""},
		{ten, ""},
		{eleven, f},
		{DayHours{"08:00"}, f},
		{DayHours{"08:00", "12:00", "13:00"}, f},
		{DayHours{"08:00", "08:00"}, f + ".1"},
		{DayHours{"18:00", "08:00"}, f + ".1"},
		{DayHours{"08:00", "12:00", "12:00", "13:00"}, f + ".2"},
		{DayHours{"08:00", "12:00", "11:00", "13:00"}, f + ".2"},
		{DayHours{"08:00", "24:00", "24:00", "24:00"}, f + ".1 " + f + ".2 " + f + ".3"},
		{DayHours{"24:00", "24:00"}, f + ".0 " + f + ".1"},
		{DayHours{"08:00", "24:01"}, f + ".1"},
		{DayHours{"08:00", "25:00"}, f + ".1"},
		{DayHours{"08:60", "18:00"}, f + ".0"},
		{DayHours{"8:00", "18:00"}, f + ".0"},
		{DayHours{"08:00", "6pm"}, f + ".1"},
		{DayHours{"08.00", "18:00"}, f + ".0"},
		{DayHours{"0८:0", ""}, f + ".0 " + f + ".1"},
		{DayHours{"-1:00", "+2:00"}, f + ".0 " + f + ".1"},
		{DayHours{" 8:00", "18:00\n"}, f + ".0 " + f + ".1"},
	} {
		if got := fields(c.hours.Problems(f)); got != c.want {
			t.Errorf("%q: bad fields %q, want %q", c.hours, got, c.want)
		}
	}
}

func TestHoursAreJudgedWhileTheyAreOff(t *testing.T) {
	refusals(t, Defaults("Support"), company(1), []struct{ body, want string }{
		{`{"hours_on":false,"sunday_hours":["10:00"]}`, "sunday_hours"},
		{
			`{"sunday_hours":["10:00","09:00"],"monday_hours":["1:00","2:00"]}`,
			"monday_hours.0 monday_hours.1 sunday_hours.1",
		},
		{`{"hours_on":true,"monday_hours":[],"tuesday_hours":[],"wednesday_hours":[],"thursday_hours":[],
		   "friday_hours":[]}`, ""},
	})
}
