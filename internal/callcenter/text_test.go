package callcenter

import (
	"strings"
	"testing"
)

func TestValidE164(t *testing.T) {
	for number, want := range map[string]bool{
		"+12":               true,
		"+1":                false,
		"+123456789012345":  true,
		"+1234567890123456": false,
		"+0123456789":       false,
		"15551234567":       false,
		"+1555 1234567":     false,
		"+1555-1234567":     false,
		"++15551234567":     false,
		"+":                 false,
		"":                  false,
		"+٣٤٥٦٧٨٩":          false,
		"+15551234567":      true,
		"+4930123456\n":     false,
	} {
		if got := ValidE164(number); got != want {
			t.Errorf("%q: %v, want %v", number, got, want)
		}
	}
}

func TestCheckText(t *testing.T) {
	cases := []struct {
		text          string
		single, multi bool
	}{
		{"", true, true},
		{"Ünïcödé 日本 👩‍👩‍👧", true, true},
		{"two\nlines", false, true},
		{"a\ttab", false, true},
		{"cr\r", false, false},
		{"nul\x00", false, false},
		{"escape\x1b[2J", false, false},
		{"delete\x7f", false, false},
		{"next line \u0085", false, false},
		{"\xff", false, false},
		{strings.Repeat("ж", 20), true, true},
		{strings.Repeat("ж", 21), false, false},
	}
	for _, c := range cases {
		if err := CheckSingleLine(c.text, 20); (err == nil) != c.single {
			t.Errorf("single line %q: %v", c.text, err)
		}
		if err := CheckMultiLine(c.text, 20); (err == nil) != c.multi {
			t.Errorf("multi line %q: %v", c.text, err)
		}
	}
	if err := CheckName(" kept as it is "); err != nil {
		t.Errorf("a name with white space around it: %v", err)
	}
	if CheckName(" \u00a0\u3000") == nil {
		t.Error("a name of white space was taken")
	}
}

func TestParseTimezone(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Australia/Lord_Howe"} {
		if loc, err := ParseTimezone(name); err != nil || loc.String() != name {
			t.Errorf("%s: %v, %v", name, loc, err)
		}
	}
	for _, name := range []string{
		"", "Local", "localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin", "Europe",
		"Europe/Atlantis", "/etc/localtime", "../zoneinfo/UTC", "Europe/Berlin ", "Europe\\Berlin", "zone.tab",
		"Europe/Berlin\x00", strings.Repeat("x", 5000),
	} {
		if loc, err := ParseTimezone(name); err == nil {
			t.Errorf("%q is the zone %v", name, loc)
		}
	}
}
