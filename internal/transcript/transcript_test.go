package transcript

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWordErrors(t *testing.T) {
	for _, c := range []struct {
		said, heard string
		want        int
	}{
		{"", "", 0},
		{"a b c", "a b c", 0},
		{"A, b. C!", "a b c", 0},
		{"a b c", "", 3},
		{"", "a b", 2},
		{"a b c", "a x c", 1},
		{"a b c", "a c", 1},
		{"a b c", "a b b c d", 2},
	} {
		if got := WordErrors(Words(c.said), Words(c.heard)); got != c.want {
			t.Errorf("%q heard as %q: %d errors, want %d", c.said, c.heard, got, c.want)
		}
	}
}

// masked has one leg say lines, two seconds each, and gives what comes out in the end.
func masked(lines ...string) string {
	var m Masker
	var out []string
	for i, text := range lines {
		at := time.Duration(2*i) * time.Second
		for _, line := range m.Add(Line{Start: at, End: at + time.Second, Text: text}) {
			out = append(out, line.Text)
		}
	}
	for _, line := range m.Flush() {
		out = append(out, line.Text)
	}
	return strings.Join(out, " | ")
}

func TestRunsOfDigitsAreMasked(t *testing.T) {
	for _, c := range [][2]string{
		{"my card is 4111 1111 1111 1111 thanks", "my card is [masked] thanks"},
		{"4111-1111-1111-1111", "[masked]"},
		{"call 5550123 or 2 of 3", "call 5550123 or 2 of 3"},
		{"12345678901", "12345678901"},
		{"123456789012", "[masked]"},
		{"one two three four five six seven", "one two three four five six seven"},
		{"is four one one one uh one one one one and one one one one one one one one ok", "is [masked] ok"},
		{"four double one one triple one one one one one one", "[masked]"},
		{"forty one eleven eleven eleven eleven eleven", "[masked]"},
		{"forty-one forty-two forty-three forty-four forty-five forty-six", "[masked]"},
		{"forty two forty three forty four forty five six", "forty two forty three forty four forty five six"},
		{"one to three for five six seven ate nine one two three", "[masked]"},
		{"one two three four five six and so on seven eight nine ten", "one two three four five six and so on " +
			"seven eight nine ten"},
	} {
		if got := masked(c[0]); got != c[1] {
			t.Errorf("%q\n  becomes %q\n  want    %q", c[0], got, c[1])
		}
	}
}

func TestARunOverSeveralLinesIsMaskedBeforeAnyOfThemIsSeen(t *testing.T) {
	got := masked("here it is four one one one", "one one one one", "um one one one one", "one one one one", "got it")
	if got != "here it is [masked] | [masked] | [masked] | [masked] | got it" {
		t.Errorf("%q", got)
	}
	var m Masker
	if ready := m.Add(Line{Text: "four one one one", End: time.Second}); len(ready) != 0 {
		t.Errorf("the beginning of a number is seen: %+v", ready)
	}
	if since, waits := m.Waits(); !waits || since != time.Second {
		t.Errorf("waits %v since %v", waits, since)
	}
	if ready := m.Add(Line{Text: "is my extension and nothing else", Start: 2 * time.Second}); len(ready) != 2 {
		t.Errorf("a short number is held: %+v", ready)
	}
}

func TestHowLongLinesWaitForTheRestOfANumber(t *testing.T) {
	hold := func(pause time.Duration) int {
		var m Masker
		m.Add(Line{Text: "one two three", End: time.Second})
		return len(m.Add(Line{Text: "four five six", Start: time.Second + pause}))
	}
	if hold(HoldTime) != 0 || hold(HoldTime+1) != 1 {
		t.Errorf("after %v %d lines, a moment later %d", HoldTime, hold(HoldTime), hold(HoldTime+1))
	}
	var m Masker
	for i := range HoldLines {
		if ready := m.Add(Line{Text: "uh one"}); len(ready) > 0 && i < HoldLines {
			t.Fatalf("line %d let go of %d", i, len(ready))
		}
	}
	if ready := m.Add(Line{Text: "one"}); len(ready) != HoldLines || ready[0].Text != "uh "+Mask {
		t.Errorf("behind the longest hold: %+v", ready)
	}
}

func TestWordsOfALineAreMaskedWithIt(t *testing.T) {
	line := Line{Text: "is 411111 111111 ok is it"}
	for i, w := range strings.Fields(line.Text) {
		line.Words = append(line.Words, Word{Text: w, Start: time.Duration(i), End: time.Duration(i + 1), Confidence: 0.5})
	}
	got := (&Masker{}).Add(line)
	if len(got) == 0 {
		t.Fatal("a run that has ended is held")
	}
	want := []Word{{"is", 0, 1, 0.5}, {Mask, 1, 3, 0}, {"ok", 3, 4, 0.5}, {"is", 4, 5, 0.5}, {"it", 5, 6, 0.5}}
	if fmt.Sprint(got[0].Words) != fmt.Sprint(want) {
		t.Errorf("%+v", got[0].Words)
	}
	line = Line{Text: "411111 111111 a b c", Words: []Word{{Text: "411111111111"}}}
	if got := (&Masker{}).Add(line); len(got) != 1 || len(got[0].Words) != 0 {
		t.Errorf("words that do not fit the text are kept: %+v", got)
	}
}

func TestLiveTextShowsNoPartOfANumber(t *testing.T) {
	for said, want := range map[string]string{
		"it is four one":       "it is four one",
		"it is four one one":   "it is [masked]",
		"it is 4111 1111 uh 1": "it is [masked]",
	} {
		if got := MaskLive(said); got != want {
			t.Errorf("%q becomes %q, want %q", said, got, want)
		}
	}
}

func TestMomentsAreFoundByTheirStems(t *testing.T) {
	f := NewFinder(append([]Phrase{{"rival", "other provider"}}, UsualPhrases...), "vosk-ws")
	line := Line{Leg: Customer, Start: time.Second, Confidence: 0.7}
	for said, want := range map[string]string{
		"i want to cancel this":                    "cancel/cancel",
		"it was cancelled twice":                   "cancel/cancel",
		"cancelling and canceling":                 "cancel/cancel cancel/cancel",
		"let me speak to your managers":            "manager/manager",
		"i want my money back":                     "refund/money back",
		"my money is back":                         "",
		"other providers refund that to my lawyer": "rival/other provider refund/refund legal/lawyer",
		"can sell": "",
	} {
		line.Text = said
		var got []string
		for _, m := range f.Find(line) {
			got = append(got, m.Class+"/"+m.Phrase)
			if m.At != time.Second || m.Leg != Customer || m.Confidence != 0.7 || m.Engine != "vosk-ws" {
				t.Errorf("%+v", m)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %q", said, got, want)
		}
	}
}

func TestAMomentHasThePlaceAndConfidenceOfItsWords(t *testing.T) {
	line := Line{Text: "my money back", Confidence: 0.1, Words: []Word{
		{"my", 1, 2, 0.1}, {"money", 2, 3, 0.6}, {"back", 3, 4, 0.8},
	}}
	got := NewFinder(UsualPhrases, "x").Find(line)
	if len(got) != 1 || got[0].At != 2 || got[0].Confidence < 0.699 || got[0].Confidence > 0.701 {
		t.Errorf("%+v", got)
	}
}

func TestMomentsOfACallAreBounded(t *testing.T) {
	f := NewFinder(UsualPhrases, "x")
	n := 0
	for range MaxMoments + 1 {
		n += len(f.Find(Line{Text: "refund"}))
	}
	if n != MaxMoments {
		t.Errorf("%d moments", n)
	}
}

func TestPhrasesThatCannotBe(t *testing.T) {
	long, words := strings.Repeat("é", MaxClass), strings.Repeat("a ", MaxPhraseWords)
	if err := (Phrase{long, words}).Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Phrase{{"", "a"}, {long + "é", "a"}, {"a", ""}, {"a", "?!"}, {"a", words + "a"}} {
		if bad.Check() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func TestTheSummaryIsMadeOfExtracts(t *testing.T) {
	lines := []Line{
		{Leg: Operator, Text: "good morning how may i help you today sir"},
		{Leg: Customer, Text: "hi"},
		{Leg: Customer, Text: "my invoice of last month is wrong again"},
		{Leg: Operator, Start: 5, Text: "I'll send you a new one today"},
		{Leg: Operator, Text: "yes I will"},
		{Leg: Customer, Text: "i will wait for that then"},
	}
	moments := []Moment{{Class: "refund"}, {Class: "cancel"}, {Class: "refund"}}
	got := Summarize(lines, moments, Facts{Menu: "1", Disposition: "invoice", Outcome: "answered", Length: 7}, false)
	want := Summary{
		Kind: "extractive", Reason: "my invoice of last month is wrong again", Menu: "1", Close: "invoice",
		Outcome: "answered", Length: 7, Promises: []Extract{{5, "I'll send you a new one today"}},
		Classes: []Count{{"refund", 2}, {"cancel", 1}},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v", got)
	}
	for range MaxPromises {
		lines = append(lines, Line{Leg: Operator, Text: "we will see to it " + strings.Repeat("x", maxExtract)})
	}
	got = Summarize(lines, nil, Facts{}, false)
	if len(got.Promises) != MaxPromises || len([]rune(got.Promises[4].Text)) > maxExtract+1 {
		t.Errorf("%d promises", len(got.Promises))
	}
}

func TestTheMoodIsOfTheCustomerAndInThirds(t *testing.T) {
	lines := []Line{
		{Leg: Operator, Start: 0, End: 1, Text: "terrible awful horrible"},
		{Leg: Customer, Start: 1, End: 9, Text: "this is terrible i was on hold for forty minutes"},
		{Leg: Customer, Start: 12, End: 15, Text: "thank you for calling please hold no problem the fire alarm works"},
		{Leg: Customer, Start: 25, End: 30, Text: "that is great you were not bad at all"},
	}
	m := Summarize(lines, nil, Facts{}, true).Mood
	if m == nil || m.Note != "estimate" || m.Thirds != [3]Band{Negative, Neutral, Positive} {
		t.Errorf("%+v", m)
	}
	if Summarize(lines, nil, Facts{}, false).Mood != nil {
		t.Error("nobody asked for a mood")
	}
	if MoodOf(lines[:1]) != nil {
		t.Error("an operator's mood is estimated")
	}
}
