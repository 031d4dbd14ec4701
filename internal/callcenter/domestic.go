package callcenter

import "strings"

// MinDialDigits is how many digits a number that is called has at least, its country code included. Shorter ones are
// service codes (911, 112, 110) behind a country code.
const MinDialDigits = 7

// Domestic says whether a number (E.164) is an ordinary one of a country (ISO 3166-1 alpha-2, in any case): not of
// another country with the same country code, no service code, and none of those that are known to cost extra
// (docs/reference/security.md, "Calls out").
func Domestic(country, number string) bool {
	country = strings.ToLower(country)
	code := DialPrefix(country)
	national, ours := strings.CutPrefix(number, code)
	if code == "" || !ours || !ValidE164(number) || len(number)-1 < MinDialDigits {
		return false
	}
	if code == northAmerica {
		return domesticNANP(country, national)
	}
	if code == "+44" && len(national) < minBritish {
		return false // 118 and six digits: directory enquiries, where Reading's area code 118 has ten
	}
	own, shared := ownBeginnings[country]
	if shared && !beginsWith(national, own) {
		return false
	}
	for other, theirs := range ownBeginnings {
		if other != country && DialPrefix(other) == code && !shared && beginsWith(national, theirs) {
			return false
		}
	}
	return !beginsWith(national, extraCost[strings.TrimPrefix(code, "+")])
}

// minBritish is how many digits follow +44 at least.
const minBritish = 9

// ownBeginnings are what the national numbers of countries begin with that share their code with a larger one. The
// larger one has all others.
var ownBeginnings = map[string]string{
	"kz": "6 7",
	"va": "06698",
	"gg": "1481 7781 7839 79111 79117",
	"im": "1624 7524 7624 7924",
	"je": "1534 7509 77003 7797 7829 7937",
	"cx": "89164",
	"cc": "89162",
	"yt": "269 639",
	"bq": "3 4 7",
	"nf": "3",
	"aq": "1",
}

// extraCost are beginnings of national numbers, by country code, for which whoever calls pays the one who is called, or
// a price that the called one sets.
var extraCost = map[string]string{
	"7":   "803 809",
	"27":  "86",
	"30":  "90",
	"31":  "900 906 909",
	"32":  "90",
	"33":  "89",
	"34":  "803 806 807 905 907",
	"36":  "90 91",
	"39":  "89 1",
	"40":  "90",
	"41":  "900 901 906",
	"43":  "90 93 118",
	"44":  "9 84 87 70 760 761 763 764 765 766 767 768 769 7620 7621 7622 7623 7625 7626 7627 7628 7629",
	"45":  "90",
	"46":  "900 939 944 99",
	"47":  "82",
	"48":  "70",
	"49":  "900 137 118 12 190",
	"52":  "900",
	"54":  "600 609",
	"55":  "900",
	"56":  "700",
	"57":  "901",
	"61":  "19",
	"64":  "900",
	"65":  "1900",
	"66":  "1900",
	"81":  "990 570",
	"82":  "60",
	"90":  "900",
	"351": "6",
	"358": "600 700",
	"359": "90",
	"370": "900",
	"371": "90",
	"372": "900",
	"375": "902",
	"380": "900",
	"385": "60 61",
	"386": "89 90",
	"420": "90",
	"421": "900",
	"852": "900",
}

// beginsWith says whether a number begins with one of the words.
func beginsWith(number, words string) bool {
	for word := range strings.FieldsSeq(words) {
		if strings.HasPrefix(number, word) {
			return true
		}
	}
	return false
}
