package callcenter

import (
	"strings"
	"testing"
)

func TestDialPrefix(t *testing.T) {
	for country, want := range map[string]string{
		"us": "+1", "CA": "+1", "de": "+49", "gb": "+44", "kz": "+7", "uz": "+998", "vg": "+1", "": "", "zz": "", "49": "",
	} {
		if got := DialPrefix(country); got != want {
			t.Errorf("%q: %q, want %q", country, got, want)
		}
	}
	seen := map[string]bool{}
	for _, word := range strings.Fields(dialCodes) {
		if seen[word] {
			t.Errorf("%s is there twice", word)
		}
		seen[word] = true
	}
}
