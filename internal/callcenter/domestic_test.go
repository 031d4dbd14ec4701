package callcenter

import (
	"strings"
	"testing"
)

// TestWhichNumbersAreDomestic goes along the edges: the last ordinary number on one side, the first that is not on the
// other.
func TestWhichNumbersAreDomestic(t *testing.T) {
	for _, check := range []struct {
		country string
		yes, no string
	}{
		{
			"us", "+12025550100 +14155550123 +12122000000 +17875550100 +16715550100 +18005550100 +18885550100 +19015550100",
			"+18765550100 +16585550100 +18095550100 +18295550100 +18495550100 +12425550100 +14165550100 +18675550100 " +
				"+19005550100 +12029765550 +911 +1911 +19115550100 +12029115550 +12021115550 +11025550100 +12020555010 " +
				"+1202555010 +120255501000 +15005550100 +17005550100 +442079460000 +4930123456",
		},
		{"US", "+12025550100", "+18765550100"},
		{"pr", "+17875550100 +12025550100", "+18095550100"},
		{"ca", "+14165550100 +18675550100 +18005550100", "+12025550100 +18765550100 +19005550100 +14169765550"},
		{"jm", "+18765550100 +16585550100", "+12025550100 +18685550100 +18005550100 +18769765550"},
		{"ru", "+74951234567 +79161234567 +78001234567", "+77012345678 +76001234567 +78091234567 +78031234567"},
		{"kz", "+77012345678 +77172123456", "+74951234567 +79161234567"},
		{
			"gb", "+442079460000 +447700900123 +441189460000 +448001111111 +443001231234 +447401234567",
			"+441534123456 +441481123456 +441624123456 +447624123456 +447797123456 +449012345678 +448712345678 " +
				"+448451234567 +447012345678 +447600123456 +44118118 +44118500 +44999 +44112",
		},
		{"je", "+441534123456 +447797123456", "+442079460000 +441481123456 +441624123456 +449012345678"},
		{"im", "+441624123456 +447624123456", "+442079460000 +441534123456"},
		{"it", "+390612345678 +393331234567", "+390669812345 +39899123456 +39892424 +39112"},
		{"va", "+390669812345", "+390612345678"},
		{"au", "+61291234567 +61412345678", "+61891641234 +61891621234 +611902123456"},
		{"re", "+262262123456", "+262269123456 +262639123456"},
		{"yt", "+262269123456", "+262262123456"},
		{
			"de",
			"+4930123456 +491701234567 +498001234567 +4920123",
			"+499001234567 +49137123456 +4911833 +49110 +4312345678",
		},
		{"fr", "+33123456789 +33801234567", "+33891234567 +33112"},
		{"at", "+4319012345 +436641234567", "+43900123456 +43930123456 +43118123"},
		{"nu", "+6834123", "+683412"},
		{"", "", "+12025550100 +4930123456"},
		{"zz", "", "+12025550100"},
	} {
		for number := range strings.FieldsSeq(check.yes) {
			if !Domestic(check.country, number) {
				t.Errorf("%s is no domestic number of %q", number, check.country)
			}
		}
		for number := range strings.FieldsSeq(check.no) {
			if Domestic(check.country, number) {
				t.Errorf("%s is a domestic number of %q", number, check.country)
			}
		}
	}
}

// TestTablesOfNumbers: no area code belongs to two countries, and every country of the tables has the code for it.
func TestTablesOfNumbers(t *testing.T) {
	seen := map[string]string{}
	for country, list := range areas {
		if DialPrefix(country) != northAmerica {
			t.Errorf("%s has no country code 1", country)
		}
		for area := range strings.FieldsSeq(list) {
			if seen[area] != "" || len(area) != 3 || !isNXX(area) || beginsWith(area, tollFree+" "+costlyAreas) {
				t.Errorf("area %s of %s (also %q)", area, country, seen[area])
			}
			seen[area] = country
		}
	}
	for country := range ownBeginnings {
		if code := DialPrefix(country); code == "" || code == northAmerica {
			t.Errorf("%s has the code %q", country, code)
		}
	}
	for code := range extraCost {
		if !strings.Contains("\n"+dialCodes, "\n"+code+" ") {
			t.Errorf("there is no country code %s", code)
		}
	}
}
