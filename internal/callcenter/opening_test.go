package callcenter

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := ParseTimezone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// week is settings with the same hours every day.
func week(hours ...string) Settings {
	s := Defaults("Support")
	s.HoursOn = true
	for day := range s.Hours {
		s.Hours[day] = hours
	}
	return s
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

func TestEachDaysKeyOpensThatDayOnly(t *testing.T) {
	monday := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for key, name := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		closed := week()
		open, problems := closed.Apply(decode(t, `{"`+name+`_hours": ["08:00", "18:00"]}`), company(1))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for day := range 7 {
			want := Closed
			if day == key {
				want = Open
			}
			if got := open.Availability(monday.AddDate(0, 0, day), time.UTC, nil).Status; got != want {
				t.Errorf("%s_hours, on day %d of the week: %s, want %s", name, day+1, got, want)
			}
		}
	}
}

func TestAnIntervalIncludesItsOpeningAndExcludesItsClosing(t *testing.T) {
	s := week("08:00", "12:00", "13:00", "24:00")
	for text, want := range map[string]AvailabilityStatus{
		"2026-06-01T07:59:59.999+02:00": Closed,
		"2026-06-01T08:00:00+02:00":     Open,
		"2026-06-01T11:59:59.999+02:00": Open,
		"2026-06-01T12:00:00+02:00":     Closed,
		"2026-06-01T13:00:00+02:00":     Open,
		"2026-06-01T23:59:59.999+02:00": Open,
		"2026-06-02T00:00:00+02:00":     Closed,
		"2026-06-01T06:00:00Z":          Open, // 08:00 in Berlin
	} {
		if got := s.Availability(at(t, text), zone(t, "Europe/Berlin"), nil).Status; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestOrderOfHolidayHoursAndOpen(t *testing.T) {
	never := week()
	off := never
	off.HoursOn = false
	days := func(name string, first, last int, hours ...string) Holiday {
		return Holiday{1, name, Date{2026, time.December, first}, Date{2026, time.December, last}, hours}
	}
	christmas, eve := days("Christmas", 25, 26), days("Week of Christmas", 24, 26, "09:00", "12:00")
	berlin := zone(t, "Europe/Berlin")
	for _, c := range []struct {
		name     string
		s        Settings
		now      string
		holidays []Holiday
		want     Availability
	}{
		{"hours off", off, "2026-12-25T10:00:00+01:00", nil, Availability{Status: Open}},
		{"always closed", never, "2026-12-25T10:00:00+01:00", nil, Availability{Status: Closed}},
		{
			"holiday over hours off", off, "2026-12-25T10:00:00+01:00",
			[]Holiday{christmas},
			Availability{HolidayClosed, "Christmas"},
		},
		{
			"holiday over closed hours", never, "2026-12-24T10:00:00+01:00",
			[]Holiday{eve},
			Availability{HolidayOpen, "Week of Christmas"},
		},
		{
			"outside its hours", never, "2026-12-24T12:00:00+01:00",
			[]Holiday{eve},
			Availability{HolidayClosed, "Week of Christmas"},
		},
		{
			"the first in the list", off, "2026-12-25T10:00:00+01:00",
			[]Holiday{christmas, eve},
			Availability{HolidayClosed, "Christmas"},
		},
		{
			"the first in the list again", off, "2026-12-25T10:00:00+01:00",
			[]Holiday{eve, christmas},
			Availability{HolidayOpen, "Week of Christmas"},
		},
		{
			"by the center's calendar", off, "2026-12-24T23:30:00Z",
			[]Holiday{christmas},
			Availability{HolidayClosed, "Christmas"},
		},
		{
			"the last second", off, "2026-12-26T23:59:59+01:00",
			[]Holiday{christmas},
			Availability{HolidayClosed, "Christmas"},
		},
		{"over", off, "2026-12-27T00:00:00+01:00", []Holiday{christmas}, Availability{Status: Open}},
		{"not yet", never, "2026-12-23T23:59:59+01:00", []Holiday{eve}, Availability{Status: Closed}},
	} {
		got := c.s.Availability(at(t, c.now), berlin, c.holidays)
		if got != c.want || got.IsOpen() != (c.want.Status == Open || c.want.Status == HolidayOpen) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestChangesOfTheClock walks NextChange through a day on which the clock jumps.
func TestChangesOfTheClock(t *testing.T) {
	for _, c := range []struct {
		name, zone, start, want string
		hours                   []string
	}{
		{
			"left out opening", "America/New_York", "2026-03-08T00:00:00-05:00", "03:00-04:00 10:00-04:00",
			[]string{"02:30", "10:00"},
		},
		{
			"left out closing", "America/New_York", "2026-03-08T00:00:00-05:00", "01:00-05:00 03:00-04:00",
			[]string{"01:00", "02:30"},
		},
		{
			"left out altogether", "America/New_York", "2026-03-08T00:00:00-05:00", "02:10-04:00 02:40-04:00",
			[]string{"02:10", "02:40"},
		}, // of the next day
		{
			"repeated closing", "America/New_York", "2026-11-01T00:00:00-04:00",
			"00:30-04:00 01:30-04:00 01:00-05:00 01:30-05:00",
			[]string{"00:30", "01:30"},
		},
		{
			"repeated opening", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "02:30+02:00 02:00+01:00 02:30+01:00 05:00+01:00",
			[]string{"02:30", "05:00"},
		},
		{
			"repeated whole", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "01:00+02:00 05:00+01:00",
			[]string{"01:00", "05:00"},
		},
		{
			"half an hour forward", "Australia/Lord_Howe", "2026-10-04T00:00:00+10:30", "02:30+11:00 04:00+11:00",
			[]string{"02:15", "04:00"},
		},
		{
			"half an hour back", "Australia/Lord_Howe", "2026-04-05T00:00:00+11:00",
			"01:45+11:00 01:30+10:30 01:45+10:30 04:00+10:30",
			[]string{"01:45", "04:00"},
		},
		{
			"quarter hours forward", "Pacific/Chatham", "2026-09-27T00:00:00+12:45", "03:45+13:45 06:00+13:45",
			[]string{"02:50", "06:00"},
		},
		{
			"midnight left out", "America/Havana", "2026-03-07T12:00:00-05:00", "18:00-05:00 01:00-04:00 02:00-04:00",
			[]string{"00:15", "02:00", "06:00", "18:00"},
		},
	} {
		loc := zone(t, c.zone)
		s := week(c.hours...)
		now := at(t, c.start)
		var got []string
		for range strings.Fields(c.want) {
			next := s.NextChange(now, loc, nil)
			if s.Availability(next, loc, nil) == s.Availability(next.Add(-1), loc, nil) {
				t.Errorf("%s: nothing changes at %s", c.name, next.In(loc))
			}
			got = append(got, next.In(loc).Format("15:04-07:00"))
			now = next
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: changes at %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNextChangeLooksAWeekAhead(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	once := week()
	once.Hours[time.Monday] = DayHours{"08:00", "08:01"}
	monday := at(t, "2026-06-01T08:01:00+02:00")
	for _, c := range []struct {
		name     string
		s        Settings
		now      time.Time
		holidays []Holiday
		want     string
	}{
		{"after the only minute of the week", once, monday, nil, "2026-06-08T08:00:00+02:00"},
		{"from the opening itself", once, monday.Add(-time.Minute), nil, "2026-06-01T08:01:00+02:00"},
		{"a nanosecond before it", once, monday.Add(-time.Minute - 1), nil, "2026-06-01T08:00:00+02:00"},
		{"hours off", Defaults("Support"), monday, nil, ""},
		{"always closed", week(), monday, nil, ""},
		{"day and night", week("00:00", "24:00"), monday, nil, ""},
		{
			"a holiday without hours_on", Defaults("Support"), monday,
			[]Holiday{{1, "Corpus Christi", Date{2026, 6, 4}, Date{2026, 6, 4}, nil}},
			"2026-06-04T00:00:00+02:00",
		},
		{
			"from one holiday to the next", Defaults("Support"), at(t, "2026-06-04T12:00:00+02:00"),
			[]Holiday{
				{1, "First", Date{2026, 6, 4}, Date{2026, 6, 4}, nil},
				{2, "Second", Date{2026, 6, 5}, Date{2026, 6, 5}, nil},
			},
			"2026-06-05T00:00:00+02:00",
		},
		{
			"a holiday at the horizon", Defaults("Support"), at(t, "2026-05-27T00:00:00+02:00"),
			[]Holiday{{1, "Corpus Christi", Date{2026, 6, 4}, Date{2026, 6, 4}, nil}},
			"2026-06-04T00:00:00+02:00",
		},
		{
			"a holiday beyond the horizon", Defaults("Support"), at(t, "2026-05-26T23:59:59+02:00"),
			[]Holiday{{1, "Corpus Christi", Date{2026, 6, 4}, Date{2026, 6, 4}, nil}},
			"",
		},
	} {
		got := c.s.NextChange(c.now, berlin, c.holidays)
		if c.want == "" {
			if !got.IsZero() {
				t.Errorf("%s: %s, want never", c.name, got)
			}
			continue
		}
		if !got.Equal(at(t, c.want)) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// zones have the odd jumps: whole and half hours, at midnight, on quarter offsets, and a day left out.
var zones = []string{
	"UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham", "America/Havana",
	"Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "America/Scoresbysund",
}

// clock draws an instant, half of the time within two days of a change of the zone's clock.
func clock(t *rapid.T, loc *time.Location) time.Time {
	now := time.Unix(rapid.Int64Range(1_300_000_000, 1_900_000_000).Draw(t, "unix"), 0).UTC()
	if rapid.Bool().Draw(t, "near a jump") {
		if _, jump := now.In(loc).ZoneBounds(); !jump.IsZero() {
			now = jump.UTC().Add(time.Duration(rapid.IntRange(-2*86_400, 2*86_400).Draw(t, "off")) * time.Second)
		}
	}
	return now
}

func TestNextChangeAgreesWithAScanOfEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := ParseTimezone(name)
		if err != nil {
			t.Fatal(err)
		}
		s := Defaults("Support")
		s.HoursOn = rapid.Bool().Draw(t, "hours_on")
		for day := range s.Hours {
			s.Hours[day] = dayHours().Draw(t, "hours")
		}
		now := clock(t, loc)
		var holidays []Holiday
		if rapid.Bool().Draw(t, "holiday") {
			first := now.In(loc).AddDate(0, 0, rapid.IntRange(-1, 9).Draw(t, "first"))
			last := first.AddDate(0, 0, rapid.IntRange(0, 3).Draw(t, "days"))
			holidays = []Holiday{{1, "Holiday", DateOf(first), DateOf(last), dayHours().Draw(t, "holiday hours")}}
		}
		current := s.Availability(now, loc, holidays)
		var want time.Time
		end := now.Add(NextChangeHorizon)
		for m := now.Truncate(time.Minute).Add(time.Minute); !m.After(end); m = m.Add(time.Minute) {
			if s.Availability(m, loc, holidays) != current {
				want = m
				break
			}
		}
		if got := s.NextChange(now, loc, holidays); !got.Equal(want) {
			t.Fatalf("%s at %s: next change %s, the scan says %s", name, now.In(loc), got.In(loc), want.In(loc))
		}
	})
}

func BenchmarkNextChangeNever(b *testing.B) {
	s, loc, now := week(), zone(b, "Europe/Berlin"), at(b, "2026-10-20T12:00:00Z")
	for b.Loop() {
		s.NextChange(now, loc, nil)
	}
}

func BenchmarkAvailability(b *testing.B) {
	s, loc, now := week("08:00", "12:00", "13:00", "18:00"), zone(b, "Europe/Berlin"), at(b, "2026-10-20T12:00:00Z")
	for b.Loop() {
		s.Availability(now, loc, nil)
	}
}
