package cron

import (
	"strings"
	"testing"
	"time"
)

const layout = "2006-01-02 15:04:05 -0700"

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(layout, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

type nextCase struct{ name, expression, zone, after, next string }

func (c nextCase) check(t *testing.T) {
	t.Helper()
	e, err := Parse(c.expression)
	if err != nil {
		t.Fatal(err)
	}
	if next := e.Next(moment(t, c.after), zone(t, c.zone)).Format(layout); next != c.next {
		t.Errorf("%s: %s after %s is %s, want %s", c.name, c.expression, c.after, next, c.next)
	}
}

func TestNext(t *testing.T) {
	for _, c := range []nextCase{
		{"every second", "* * * * * *", "UTC", "2026-11-23 03:50:00 +0000", "2026-11-23 03:50:01 +0000"},
		{"within the second", "0 * * * * ?", "UTC", "2026-11-23 03:50:00 +0000", "2026-11-23 03:51:00 +0000"},
		{"every 15 minutes", "0 */15 * * * *", "UTC", "2026-11-23 03:50:00 +0000", "2026-11-23 04:00:00 +0000"},
		{"a start and a step", "0 10/20 * * * *", "UTC", "2026-11-23 03:31:00 +0000", "2026-11-23 03:50:00 +0000"},
		{"working days", "0 0 9 ? * MON-FRI", "UTC", "2026-11-20 09:00:00 +0000", "2026-11-23 09:00:00 +0000"},
		{"to Sunday", "0 0 9 ? * fri-sun", "UTC", "2026-11-22 09:00:00 +0000", "2026-11-27 09:00:00 +0000"},
		{"from Sunday", "0 0 9 ? * SUN-TUE", "UTC", "2026-11-24 09:00:00 +0000", "2026-11-29 09:00:00 +0000"},
		{"both Sundays", "0 0 9 ? * 0,7", "UTC", "2026-11-23 09:00:00 +0000", "2026-11-29 09:00:00 +0000"},
		{"day and weekday, both", "0 0 0 13 * FRI", "UTC", "2026-03-14 00:00:00 +0000", "2026-11-13 00:00:00 +0000"},
		{"last day", "0 0 0 L * *", "UTC", "2028-02-01 00:00:00 +0000", "2028-02-29 00:00:00 +0000"},
		{"third to last", "0 0 0 L-3 * *", "UTC", "2026-11-01 00:00:00 +0000", "2026-11-27 00:00:00 +0000"},
		{"last working day", "0 0 0 LW * *", "UTC", "2026-10-31 00:00:00 +0000", "2026-11-30 00:00:00 +0000"},
		{
			"last working day before a Sunday", "0 0 0 LW * *", "UTC", "2026-05-01 00:00:00 +0000",
			"2026-05-29 00:00:00 +0000",
		},
		{"near a Saturday", "0 0 0 15W * *", "UTC", "2026-08-01 00:00:00 +0000", "2026-08-14 00:00:00 +0000"},
		{"near a Sunday", "0 0 0 15W * *", "UTC", "2026-11-01 00:00:00 +0000", "2026-11-16 00:00:00 +0000"},
		{
			"near a first that is a Saturday", "0 0 0 1W * *", "UTC", "2026-07-31 00:00:00 +0000",
			"2026-08-03 00:00:00 +0000",
		},
		{"second Monday", "0 0 0 ? * MON#2", "UTC", "2026-11-01 00:00:00 +0000", "2026-11-09 00:00:00 +0000"},
		{"fifth Monday", "0 0 0 ? * 1#5", "UTC", "2026-11-01 00:00:00 +0000", "2026-11-30 00:00:00 +0000"},
		{"last Friday", "0 0 0 ? * 5L", "UTC", "2026-11-01 00:00:00 +0000", "2026-11-27 00:00:00 +0000"},
		{"leap day", "0 0 0 29 2 *", "UTC", "2096-03-01 00:00:00 +0000", "2104-02-29 00:00:00 +0000"},
		{"leap Monday", "0 0 0 29 FEB MON", "UTC", "2072-03-01 00:00:00 +0000", "2112-02-29 00:00:00 +0000"},
		{"new year", "@yearly", "UTC", "2026-11-23 03:50:00 +0000", "2027-01-01 00:00:00 +0000"},
	} {
		c.check(t)
	}
}

func TestNextWhereClocksChange(t *testing.T) {
	for _, c := range []nextCase{
		{"another zone", "0 0 9 * * *", "Asia/Kolkata", "2026-11-23 03:50:00 +0000", "2026-11-24 09:00:00 +0530"},
		// Berlin: 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.
		{"left out", "0 30 2 * * *", "Europe/Berlin", "2026-03-28 03:00:00 +0100", "2026-03-29 03:00:00 +0200"},
		{"and then again", "0 30 2 * * *", "Europe/Berlin", "2026-03-29 03:00:00 +0200", "2026-03-30 02:30:00 +0200"},
		{
			"left out, of every hour", "0 30 * * * *", "Europe/Berlin", "2026-03-29 01:30:00 +0100",
			"2026-03-29 03:30:00 +0200",
		},
		{
			"left out and right behind it", "0 0 2,3 * * *", "Europe/Berlin", "2026-03-29 01:00:00 +0100",
			"2026-03-29 03:00:00 +0200",
		},
		{"only once", "0 0 2,3 * * *", "Europe/Berlin", "2026-03-29 03:00:00 +0200", "2026-03-30 02:00:00 +0200"},
		{"twice", "0 30 2 * * *", "Europe/Berlin", "2026-10-25 01:00:00 +0200", "2026-10-25 02:30:00 +0200"},
		{"but due once", "0 30 2 * * *", "Europe/Berlin", "2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100"},
		{
			"twice, of every hour", "0 30 * * * *", "Europe/Berlin", "2026-10-25 02:30:00 +0200",
			"2026-10-25 02:30:00 +0100",
		},
		{"midnight is left out", "0 0 0 * * *", "Africa/Cairo", "2026-04-23 12:00:00 +0200", "2026-04-24 01:00:00 +0300"},
		{
			"half an hour", "0 15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00:00 +1030",
			"2026-10-04 02:30:00 +1100",
		},
		{
			"a day without a date", "0 0 12 30 12 *", "Pacific/Apia", "2011-12-29 12:00:00 -1000",
			"2011-12-31 00:00:00 +1400",
		},
	} {
		c.check(t)
	}
}

func TestWhatIsNoExpression(t *testing.T) {
	for expression, why := range map[string]string{
		"": "needs 6 fields", "* * * * *": "has 5", "* * * * * * *": "has 7", "60 * * * * *": "second",
		"* 60 * * * *": "minute", "* * 24 * * *": "hour", "* * * 32 * *": "day of the month", "* * * 0 * *": "day",
		"* * * * 13 *": "month", "* * * * * 8": "weekday", "? * * * * *": "second", "*/0 * * * * *": "step",
		"*/60 * * * * *": "step", "10-5 * * * * *": "ends before", "a * * * * *": "second", "+5 * * * * *": "second",
		"1,,2 * * * * *": "second", "* * * L-31 * *": "L-30", "* * * 32W * *": "day", "* * * * * MON#6": "#",
		"* * * * * #1": "weekday", "* * * * * L": "weekday", "0 0 0 30 2 *": "no such day", "@never": "fields",
		"0 0 0 31 4,6 ?": "no such day", "?/5 * * * * *": "second", "* * * ?/2 * *": "day", "001 * * * * *": "second",
		"* * * * * MON#": "#", strings.Repeat("0", MaxLength+1): "200",
	} {
		if _, err := Parse(expression); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want something about %q", expression, err, why)
		}
	}
	if _, err := Parse(strings.Repeat(" ", MaxLength-11) + "* * * * * *"); err != nil {
		t.Errorf("of %d characters: %v", MaxLength, err)
	}
}

// TestEveryTimeIsOneThatTheClockShows holds Next to the slow way: trying second by second.
func TestEveryTimeIsOneThatTheClockShows(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	e, err := Parse("*/20 */7 * * * *")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"2026-03-29 00:00:00 +0100", "2026-10-25 00:00:00 +0200"} {
		at := moment(t, day).Add(-time.Second)
		next := e.Next(at, berlin)
		for tried := at; tried.Before(at.Add(5 * time.Hour)); {
			tried = tried.Add(time.Second)
			shown := tried.In(berlin)
			if due := shown.Minute()%7 == 0 && shown.Second()%20 == 0; due != next.Equal(tried) {
				t.Fatalf("%s: due %t, next is %s", shown, due, next)
			}
			if next.Equal(tried) {
				next = e.Next(next, berlin)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0 0 9 ? * MON-FRI", "*/5 1-2 3,4 L-3 * *", "0 0 0 15W 2 1#2", "@daily"} {
		f.Add(seed)
	}
	from := time.Date(2026, 11, 23, 3, 50, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		if next := e.Next(from, time.UTC); !next.After(from) {
			t.Errorf("%q: %s is not after %s", text, next, from)
		}
	})
}
