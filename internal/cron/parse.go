package cron

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxLength bounds the text of an expression, in bytes.
const MaxLength = 200

// fieldCount is how many fields an expression has.
const fieldCount = 6

// bound is what one field may hold.
type bound struct {
	name      string
	low, high int
	names     []string // of low, low+1 and so on
	any       bool     // may be ?
}

var bounds = [fieldCount]bound{
	{name: "second", high: 59},
	{name: "minute", high: 59},
	{name: "hour", high: 23},
	{name: "day of the month", low: 1, high: 31, any: true},
	{name: "month", low: 1, high: 12, names: []string{
		"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
	}},
	{name: "weekday", high: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}, any: true},
}

var macros = map[string]string{
	"@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *", "@weekly": "0 0 0 * * 0",
	"@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *", "@hourly": "0 0 * * * *",
}

func split(text string) ([]string, error) {
	if len(text) > MaxLength {
		return nil, fmt.Errorf("may have %d characters", MaxLength)
	}
	text = strings.TrimSpace(text)
	if whole, ok := macros[strings.ToLower(text)]; ok {
		text = whole
	}
	fields := strings.Fields(strings.ToUpper(text))
	if len(fields) != fieldCount {
		return nil, fmt.Errorf("needs %d fields (second, minute, hour, day of the month, month, weekday), has %d",
			fieldCount, len(fields))
	}
	return fields, nil
}

// set reads a field of numbers, names, ranges and steps.
func (b bound) set(field string) (set uint64, err error) {
	for item := range strings.SplitSeq(field, ",") {
		one, err := b.item(item)
		if err != nil {
			return 0, err
		}
		set |= one
	}
	return set, nil
}

func (b bound) item(item string) (set uint64, err error) {
	whole, step, stepped := strings.Cut(item, "/")
	every := 1
	if stepped {
		if every, err = strconv.Atoi(step); err != nil || every < 1 || every > 59 {
			return 0, fmt.Errorf("%q: the step must be from 1 to 59", item)
		}
	}
	low, high := b.low, b.high
	from, to, ranged := strings.Cut(whole, "-")
	switch {
	case whole == "*", whole == "?" && b.any && !stepped:
		if b.name == "weekday" {
			high = 6
		}
	case ranged:
		if low, err = b.number(from); err != nil {
			return 0, err
		}
		if high, err = b.number(to); err != nil {
			return 0, err
		}
		if b.name == "weekday" && low == 7 {
			low = 0
		}
		if low > high {
			return 0, fmt.Errorf("%q: ends before it begins", item)
		}
	default:
		if low, err = b.number(whole); err != nil {
			return 0, err
		}
		if !stepped {
			high = low
		}
	}
	for n := low; n <= high; n += every {
		set |= 1 << n
	}
	return set, nil
}

func (b bound) number(text string) (int, error) {
	if i := slices.Index(b.names, text); i >= 0 {
		if b.name == "weekday" && i == 0 {
			return 7, nil // so that FRI-SUN is a range
		}
		return b.low + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || len(text) > 2 || n < b.low || n > b.high || text[0] == '+' || text[0] == '-' {
		return 0, fmt.Errorf("%q is not from %d to %d", text, b.low, b.high)
	}
	return n, nil
}

func (d *days) read(field string) error {
	b := bounds[3]
	for item := range strings.SplitSeq(field, ",") {
		before, last := strings.CutPrefix(item, "L-")
		nearest, work := strings.CutSuffix(item, "W")
		switch {
		case item == "L":
			d.fromLast = append(d.fromLast, 0)
		case item == "LW":
			d.lastWork = true
		case last:
			n, err := strconv.Atoi(before)
			if err != nil || n < 1 || n > 30 {
				return fmt.Errorf("%q: must be from L-1 to L-30", item)
			}
			d.fromLast = append(d.fromLast, n)
		case work:
			n, err := b.number(nearest)
			if err != nil {
				return err
			}
			d.nearest = append(d.nearest, n)
		default:
			set, err := b.item(item)
			if err != nil {
				return err
			}
			d.bits |= set
		}
	}
	return nil
}

func (w *weekdays) read(field string) error {
	b := bounds[5]
	for item := range strings.SplitSeq(field, ",") {
		of, n, nth := strings.Cut(item, "#")
		last, ends := strings.CutSuffix(item, "L")
		switch {
		case nth:
			day, err := b.number(of)
			if err != nil {
				return err
			}
			if len(n) != 1 || n < "1" || n > "5" {
				return fmt.Errorf("%q: the number behind # must be from 1 to 5", item)
			}
			w.nth = append(w.nth, ordinal{day % 7, int(n[0] - '0')})
		case ends:
			day, err := b.number(last)
			if err != nil {
				return err
			}
			w.last = append(w.last, day%7)
		default:
			set, err := b.item(item)
			if err != nil {
				return err
			}
			w.bits |= set
		}
	}
	if w.bits&(1<<7) != 0 {
		w.bits |= 1
	}
	return nil
}
