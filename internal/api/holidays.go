package api

import (
	"cmp"
	"slices"
	"strconv"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// holidayBody is a Holiday of the document.
type holidayBody struct {
	ID    callcenter.HolidayID `json:"id"`
	Name  string               `json:"name"`
	Start string               `json:"start_date"`
	End   string               `json:"end_date"`
	Hours callcenter.DayHours  `json:"hours"`
}

// holidayUpdate is what a request says of a holiday.
type holidayUpdate struct {
	Name  *string              `json:"name"`
	Start *string              `json:"start_date"`
	End   *string              `json:"end_date"`
	Hours *callcenter.DayHours `json:"hours"`
}

func showHoliday(h callcenter.Holiday) holidayBody {
	return holidayBody{h.ID, h.Name, h.First.String(), h.Last.String(), slices.Concat(callcenter.DayHours{}, h.Hours)}
}

// holidayPlace orders a listing by first day, in a way that does not change when others come and go.
func holidayPlace(h callcenter.Holiday) int64 {
	days := int64(h.First.Year)*10_000 + int64(h.First.Month)*100 + int64(h.First.Day)
	return days<<32 | int64(h.ID)&(1<<32-1)
}

func byPlace(a, b callcenter.Holiday) int { return cmp.Compare(holidayPlace(a), holidayPlace(b)) }

func findHoliday(c *call, text string) (err error) {
	c.holiday, err = holidayIn(c.center, callcenter.HolidayID(positive(text)))
	return err
}

func holidayIn(center *callcenter.Center, id callcenter.HolidayID) (callcenter.Holiday, error) {
	at := slices.IndexFunc(center.Holidays, func(h callcenter.Holiday) bool { return h.ID == id })
	if at < 0 {
		return callcenter.Holiday{}, problem.NotFound("holiday", id)
	}
	return center.Holidays[at], nil
}

func listHolidays(c *call) (answer, error) {
	list := slices.SortedFunc(slices.Values(c.center.Holidays), byPlace)
	return showPage(c, list, holidayPlace, nil, showHoliday)
}

// onto is the holiday as it is with the update, and what is wrong with that. Without a last day a new one has one day;
// a first day behind the last moves neither.
func (u holidayUpdate) onto(h callcenter.Holiday) (callcenter.Holiday, []problem.Field) {
	var fields []problem.Field
	bad := func(name, message string) {
		fields = append(fields, problem.Field{Name: name, In: problem.InBody, Message: message})
	}
	if u.Name != nil {
		h.Name = *u.Name
		if err := callcenter.CheckName(h.Name); err != nil {
			bad("name", err.Error())
		}
	}
	day := func(name string, text *string, into *callcenter.Date) {
		if text == nil {
			return
		}
		read, ok := callcenter.ParseDate(*text)
		if !ok {
			bad(name, "is no day of the calendar")
		}
		*into = read
	}
	day("start_date", u.Start, &h.First)
	day("end_date", u.End, &h.Last)
	if h.Last == (callcenter.Date{}) {
		h.Last = h.First
	}
	if len(fields) == 0 && h.Last.Before(h.First) {
		bad("end_date", "must not be before start_date")
	}
	if u.Hours != nil {
		h.Hours = *u.Hours
		fields = append(fields, bodyFields(h.Hours.Problems("hours"))...)
	}
	return h, fields
}

func createHoliday(c *call) (answer, error) {
	body, err := decode[holidayUpdate](c)
	if err != nil {
		return answer{}, err
	}
	made, fields := body.onto(callcenter.Holiday{})
	err = c.change(func(records) []problem.Field { return fields }, func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		if len(center.Holidays) >= callcenter.MaxHolidays {
			return problem.Conflicts("This call center has " + strconv.Itoa(callcenter.MaxHolidays) +
				" holidays, which is the most.")
		}
		made.ID = callcenter.HolidayID(tx.NewID())
		return putHolidays(tx, center, append(slices.Clone(center.Holidays), made))
	})
	if err != nil {
		return answer{}, err
	}
	return show(showHoliday(made))
}

func updateHoliday(c *call) (answer, error) {
	body, err := decode[holidayUpdate](c)
	if err != nil {
		return answer{}, err
	}
	made, fields := body.onto(c.holiday)
	err = c.change(func(records) []problem.Field { return fields }, func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		now, err := holidayIn(center, c.holiday.ID)
		if err != nil {
			return err
		}
		next, fields := body.onto(now)
		if len(fields) > 0 {
			return problem.Invalid(fields...)
		}
		made = next
		if showHoliday(now).same(showHoliday(next)) {
			return nil
		}
		return putHolidays(tx, center, append(withoutHoliday(center, now.ID), next))
	})
	if err != nil {
		return answer{}, err
	}
	return show(showHoliday(made))
}

func (h holidayBody) same(other holidayBody) bool {
	return h.Name == other.Name && h.Start == other.Start && h.End == other.End && slices.Equal(h.Hours, other.Hours)
}

func withoutHoliday(center *callcenter.Center, id callcenter.HolidayID) []callcenter.Holiday {
	return slices.DeleteFunc(slices.Clone(center.Holidays), func(h callcenter.Holiday) bool { return h.ID == id })
}

func putHolidays(tx *store.Tx, center *callcenter.Center, list []callcenter.Holiday) error {
	slices.SortFunc(list, byPlace)
	changed := *center
	changed.Holidays = list
	return tx.PutCenter(&changed)
}

func deleteHoliday(c *call) (answer, error) {
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		if _, err := holidayIn(center, c.holiday.ID); err != nil {
			return err
		}
		return putHolidays(tx, center, withoutHoliday(center, c.holiday.ID))
	})
	if err != nil {
		return answer{}, err
	}
	return show(showHoliday(c.holiday))
}

// extrasBody is an Extras of the document.
type extrasBody struct {
	MaxMissed   int  `json:"max_missed_calls"`
	ShortAfter  int  `json:"short_abandon_seconds"`
	AlertCalls  int  `json:"alert_min_calls"`
	Announce    bool `json:"announce_center_name"`
	WrapUpExtra int  `json:"wrap_up_extension_seconds"`
	Retention   int  `json:"recording_retention_days"`
	Voice       int  `json:"voice_retention_days"`
}

// extrasUpdate is an ExtrasUpdate of the document.
type extrasUpdate struct {
	MaxMissed   *int  `json:"max_missed_calls"`
	ShortAfter  *int  `json:"short_abandon_seconds"`
	AlertCalls  *int  `json:"alert_min_calls"`
	Announce    *bool `json:"announce_center_name"`
	WrapUpExtra *int  `json:"wrap_up_extension_seconds"`
	Retention   *int  `json:"recording_retention_days"`
	Voice       *int  `json:"voice_retention_days"`
}

// onto is e with what the update says.
func (u extrasUpdate) onto(e callcenter.Extras) callcenter.Extras {
	set := func(into *int, value *int) {
		if value != nil {
			*into = *value
		}
	}
	set(&e.MaxMissedCalls, u.MaxMissed)
	set(&e.ShortAbandonSeconds, u.ShortAfter)
	set(&e.AlertMinCalls, u.AlertCalls)
	set(&e.WrapUpExtensionSeconds, u.WrapUpExtra)
	set(&e.RecordingRetentionDays, u.Retention)
	set(&e.VoiceRetentionDays, u.Voice)
	if u.Announce != nil {
		e.AnnounceCenterName = *u.Announce
	}
	return e
}

func showExtras(center *callcenter.Center) (answer, error) {
	e := center.Extras
	return showVersion(extrasBody{
		e.MaxMissedCalls, e.ShortAbandonSeconds, e.AlertMinCalls, e.AnnounceCenterName, e.WrapUpExtensionSeconds,
		e.RecordingRetentionDays, e.VoiceRetentionDays,
	}, center.Version)
}

func getExtras(c *call) (answer, error) { return showExtras(c.center) }

func updateExtras(c *call) (answer, error) {
	body, err := decode[extrasUpdate](c)
	if err != nil {
		return answer{}, err
	}
	var after *callcenter.Center
	err = c.change(noRules, func(tx *store.Tx) error {
		center, err := c.centerIn(tx, c.center.ID)
		if err != nil {
			return err
		}
		if err := c.ifMatch(center.Version); err != nil {
			return err
		}
		after = center
		next := body.onto(center.Extras)
		if next == center.Extras {
			return nil
		}
		changed := *center
		changed.Extras = next
		after = &changed
		return tx.PutCenter(after)
	})
	if err != nil {
		return answer{}, err
	}
	return showExtras(after)
}
