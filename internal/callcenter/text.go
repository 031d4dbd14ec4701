package callcenter

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// E.164 (ITU-T, section 6.1): a country code, which never begins with 0, and a number within it, 15 digits at most.
const (
	MinE164Digits = 2
	MaxE164Digits = 15
)

// ValidE164 says whether s is a phone number with + and country code, without any separators.
func ValidE164(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	if !ok || len(digits) < MinE164Digits || len(digits) > MaxE164Digits || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// CheckName refuses what is no name: more than MaxNameLength code points, several lines, nothing but white space. The
// error reads after the field's name.
func CheckName(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("must not be blank")
	}
	return CheckSingleLine(s, MaxNameLength)
}

// CheckSingleLine refuses text of more than limit Unicode code points and any control character.
func CheckSingleLine(s string, limit int) error { return checkText(s, limit, "") }

// CheckMultiLine refuses text of more than limit Unicode code points and control characters other than \n and \t.
func CheckMultiLine(s string, limit int) error { return checkText(s, limit, "\n\t") }

func checkText(s string, limit int, allowed string) error {
	if !utf8.ValidString(s) {
		return errors.New("must be valid UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Errorf("must have at most %d characters, not %d", limit, n)
	}
	for _, r := range s {
		if unicode.IsControl(r) && !strings.ContainsRune(allowed, r) {
			return fmt.Errorf("must not contain the control character %U", r)
		}
	}
	return nil
}

// ParseTimezone finds a time zone of the tz database by its name, in the copy that the host or the program carries. It
// refuses "" and "Local", which mean whatever the server's clock is set to, and the database's own aliases of that.
func ParseTimezone(name string) (*time.Location, error) {
	switch name {
	case "", "Local", "localtime", "posixrules", "Factory":
		return nil, fmt.Errorf("must be a time zone of the tz database such as Europe/Berlin, not %q", name)
	}
	// right/ counts leap seconds, so its clocks differ from everybody's; posix/ only repeats the other names.
	if !strings.HasPrefix(name, "right/") && !strings.HasPrefix(name, "posix/") {
		if loc, err := time.LoadLocation(name); err == nil {
			return loc, nil
		}
	}
	return nil, fmt.Errorf("must be a time zone of the tz database such as Europe/Berlin, not %q", name)
}
