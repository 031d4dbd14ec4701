package transcript

import (
	"strings"
	"time"
)

// Band is a mood in one of three.
type Band string

// The bands.
const (
	Negative Band = "negative"
	Neutral  Band = "neutral"
	Positive Band = "positive"
)

// Mood is an estimate of the customer's mood, for each third of the conversation.
type Mood struct {
	Note   string  `json:"note"` // always "estimate"
	Thirds [3]Band `json:"thirds"`
}

// leastHits is how many words must speak for a band before it is not neutral.
const leastHits = 2

// courtesies are said in any mood.
var courtesies = []string{
	"thank you for calling", "thanks for calling", "thank you for holding", "please hold", "no problem",
	"have a good day", "have a nice day", "good morning", "good afternoon", "good evening", "thank you", "thanks",
	"please", "you are welcome",
	"would like", "i'd like", "fire alarm", "all right",
}

// Words that speak for a mood on calls, by their stems.
var (
	gladWords = stemSet("great good perfect wonderful excellent happy glad pleased love lovely helpful amazing " +
		"fantastic awesome nice brilliant appreciate grateful resolved solved works fixed satisfied")
	sadWords = stemSet("bad terrible awful horrible worst angry upset annoyed annoying ridiculous unacceptable " +
		"disappointed disappointing useless wrong broken fail failed failing problem complaint complain frustrated never " +
		"waiting waste poor rude unhappy hate cancel refund lawyer mistake overcharged sick tired hung")
	negations = map[string]bool{
		"not": true, "no": true, "isn't": true, "wasn't": true, "don't": true, "didn't": true, "doesn't": true,
		"can't": true, "won't": true, "hardly": true,
	}
	// holdPhrases weigh like a word: they have no word of their own that says it.
	holdPhrases = []string{
		"on hold for", "been waiting", "third time", "second time", "fed up", "had enough", "still waiting",
	}
)

func stemSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, stem := range stemsOf(strings.Fields(words)) {
		set[stem] = true
	}
	return set
}

// MoodOf estimates a mood by the customer's words; nil when the customer said nothing that is English enough to tell.
func MoodOf(lines []Line) *Mood {
	var end time.Duration
	said := 0
	for _, line := range lines {
		end = max(end, line.End)
		if line.Leg == Customer {
			said += len(Words(line.Text))
		}
	}
	if said == 0 || end == 0 {
		return nil
	}
	var glad, sad [3]int
	for _, line := range lines {
		if line.Leg == Customer {
			third := min(2, int(3*line.Start/end))
			g, s := weigh(line.Text)
			glad[third] += g
			sad[third] += s
		}
	}
	m := &Mood{Note: "estimate"}
	for i := range m.Thirds {
		switch {
		case sad[i] >= leastHits && sad[i] > glad[i]:
			m.Thirds[i] = Negative
		case glad[i] >= leastHits && glad[i] > sad[i]:
			m.Thirds[i] = Positive
		default:
			m.Thirds[i] = Neutral
		}
	}
	return m
}

// weigh counts the words for either mood.
func weigh(text string) (glad, sad int) {
	plain := " " + strings.Join(Words(text), " ") + " "
	for _, phrase := range holdPhrases {
		sad += strings.Count(plain, " "+phrase+" ")
	}
	for _, phrase := range courtesies {
		plain = strings.ReplaceAll(plain, " "+phrase+" ", " ")
	}
	words := strings.Fields(plain)
	for i, stem := range stemsOf(words) {
		denied := i > 0 && negations[words[i-1]] || i > 1 && negations[words[i-2]]
		switch {
		case gladWords[stem] && !denied, sadWords[stem] && denied:
			glad++
		case sadWords[stem], gladWords[stem]:
			sad++
		}
	}
	return glad, sad
}
