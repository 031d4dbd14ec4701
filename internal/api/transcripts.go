package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/transcript"
)

// Transcripts are what was said on calls, those that go on among them.
type Transcripts interface {
	Transcript(ctx context.Context, call route.CallID) (store.Transcript, bool, error)
	TranscriptLines(ctx context.Context, call route.CallID) ([]transcript.Line, error)
	Moments(ctx context.Context, call route.CallID) ([]transcript.Moment, error)
	SearchTranscripts(ctx context.Context, q store.TranscriptQuery) ([]store.TranscriptHit, error)
	TranscriptAccessed(ctx context.Context, call route.CallID, by store.Actor) error
	TranscriptAccesses(ctx context.Context, call route.CallID) ([]store.Access, error)
}

// Speech is what only the running server knows of them. Rough is text that may still change.
type Speech interface {
	Rough(call route.CallID) []transcript.Line
	SpeechSettings(center callcenter.ID) store.SpeechSettings
	SetSpeechSettings(ctx context.Context, center callcenter.ID, set store.SpeechSettings) error
	HeldOf(ctx context.Context, number string) (store.Held, error)
	Erase(ctx context.Context, number string, by store.Actor) (store.Erased, error)
}

// The kinds of a line of a transcript.
const (
	lineTranscript = "transcript"
	lineMoment     = "moment"
)

// transcriptBody is a Transcript of the document.
type transcriptBody struct {
	Call  route.CallID `json:"call_id"`
	Lines []lineBody   `json:"lines"`
}

// lineBody is a TranscriptLine of the document.
type lineBody struct {
	Time    string                `json:"time"`
	Type    string                `json:"type"`
	Name    string                `json:"name"`
	Content string                `json:"content"`
	User    callcenter.OperatorID `json:"user_id,omitzero"`
	Contact string                `json:"contact_id,omitzero"`
}

// spokenBody is a SpokenCall of the document. Times are in milliseconds from the beginning of the conversation.
type spokenBody struct {
	Call       route.CallID          `json:"call_id"`
	State      string                `json:"state"`
	Quality    string                `json:"quality"`
	Engine     string                `json:"engine"`
	TargetID   callcenter.ID         `json:"target_id,omitzero"`
	TargetType callcenter.TargetType `json:"target_type,omitzero"`
	User       callcenter.OperatorID `json:"user_id,omitzero"`
	Direction  string                `json:"direction"`
	Date       int64                 `json:"date"`
	Dropped    int64                 `json:"dropped"`
	Lines      []spokenLineBody      `json:"lines"`
	Rough      []spokenLineBody      `json:"unfinished"`
	Moments    []momentBody          `json:"moments"`
	Summary    *summaryBody          `json:"summary,omitzero"`
}

// spokenLineBody is a SpokenLine of the document.
type spokenLineBody struct {
	Side       string           `json:"side,omitzero"`
	Start      int64            `json:"start"`
	End        int64            `json:"end"`
	Text       string           `json:"text,omitzero"`
	Confidence double           `json:"confidence"`
	Words      []spokenWordBody `json:"words,omitzero"`
	Gap        string           `json:"gap,omitzero"`
}

// spokenWordBody is a SpokenWord of the document.
type spokenWordBody struct {
	Text       string `json:"text"`
	Start      int64  `json:"start"`
	End        int64  `json:"end"`
	Confidence double `json:"confidence"`
}

// momentBody is a Moment of the document.
type momentBody struct {
	At         int64  `json:"at"`
	Side       string `json:"side"`
	Class      string `json:"class"`
	Phrase     string `json:"phrase"`
	Confidence double `json:"confidence"`
	Engine     string `json:"engine"`
}

// summaryBody is a Summary of the document.
type summaryBody struct {
	Kind     string        `json:"kind"`
	Reason   string        `json:"reason,omitzero"`
	Outcome  string        `json:"outcome,omitzero"`
	Length   int64         `json:"length"`
	Promises []extractBody `json:"promises"`
	Mood     *moodBody     `json:"mood,omitzero"`
}

// extractBody is an Extract of the document.
type extractBody struct {
	At   int64  `json:"at"`
	Text string `json:"text"`
}

// moodBody is a Mood of the document.
type moodBody struct {
	Note   string             `json:"note"`
	Thirds [3]transcript.Band `json:"thirds"`
}

// readTranscript finds the transcript of the call in the path for who may read it, and notes that they do.
func (c *call) readTranscript() (store.Transcript, error) {
	if !c.mayEnd(c.leg, route.CallView{Operator: c.leg.Operator}) {
		return store.Transcript{}, problem.New(problem.Forbidden, "")
	}
	found, ok, err := c.api.Transcripts.Transcript(c.context(), c.leg.Visit)
	if err != nil {
		return found, err
	}
	if !ok {
		return found, problem.New(problem.Missing, "This call has no transcript.")
	}
	return found, c.api.Transcripts.TranscriptAccessed(c.context(), found.Call, c.who.Actor())
}

// getTranscript answers as Dialpad's API does: lines and moments in the order of their time, without gaps.
func getTranscript(c *call) (answer, error) {
	t, err := c.readTranscript()
	if err != nil {
		return answer{}, err
	}
	lines, err := c.api.Transcripts.TranscriptLines(c.context(), t.Call)
	if err != nil {
		return answer{}, err
	}
	moments, err := c.api.Transcripts.Moments(c.context(), t.Call)
	if err != nil {
		return answer{}, err
	}
	body := transcriptBody{Call: t.Call, Lines: []lineBody{}}
	for _, l := range lines {
		for ; len(moments) > 0 && moments[0].At < l.Start; moments = moments[1:] {
			body.Lines = append(body.Lines, c.lineOf(t, moments[0].Leg, moments[0].At, lineMoment, moments[0].Class))
		}
		if l.Gap == "" {
			body.Lines = append(body.Lines, c.lineOf(t, l.Leg, l.Start, lineTranscript, l.Text))
		}
	}
	for _, m := range moments {
		body.Lines = append(body.Lines, c.lineOf(t, m.Leg, m.At, lineMoment, m.Class))
	}
	return show(body)
}

func (c *call) lineOf(t store.Transcript, leg transcript.Leg, at time.Duration, kind, content string) lineBody {
	line := lineBody{
		Time: t.At.Add(at).UTC().Format("2006-01-02T15:04:05.000000"), Type: kind, Content: content, Name: t.Number,
	}
	if leg == transcript.Operator {
		line.User, line.Name = t.Operator, ""
		if user, ok := c.snapshot.User(t.Operator); ok {
			line.Name = strings.TrimSpace(user.FirstName + " " + user.LastName)
		}
	}
	return line
}

// transcriptURL says where a browser shows it. The page asks for its reader by itself.
func transcriptURL(c *call) (answer, error) {
	t, err := c.readTranscript()
	if err != nil {
		return answer{}, err
	}
	return show(struct {
		Call route.CallID `json:"call_id"`
		URL  string       `json:"url"`
	}{t.Call, c.api.PublicURL() + "/calls/" + strconv.FormatInt(int64(t.Call), 10) + "?tab=transcript"})
}

func getSpoken(c *call) (answer, error) {
	t, err := c.readTranscript()
	if err != nil {
		return answer{}, err
	}
	lines, err := c.api.Transcripts.TranscriptLines(c.context(), t.Call)
	if err != nil {
		return answer{}, err
	}
	moments, err := c.api.Transcripts.Moments(c.context(), t.Call)
	if err != nil {
		return answer{}, err
	}
	return show(c.spoken(t, lines, moments))
}

func (c *call) spoken(t store.Transcript, lines []transcript.Line, moments []transcript.Moment) spokenBody {
	body := spokenBody{
		Call: t.Call, State: talkLive, Quality: "rough", Engine: t.Engine, TargetID: t.Center, User: t.Operator,
		Direction: t.Direction, Date: millis(t.At), Dropped: t.Dropped.Milliseconds(), Lines: showLines(lines),
		Moments: make([]momentBody, 0, len(moments)), Rough: showLines(c.api.Speech.Rough(t.Call)),
	}
	if t.Center != 0 {
		body.TargetType = callcenter.TargetCallCenter
	}
	for _, m := range moments {
		body.Moments = append(body.Moments, momentBody{
			m.At.Milliseconds(), string(m.Leg), m.Class, m.Phrase, double(m.Confidence), m.Engine,
		})
	}
	if t.Complete {
		body.State, body.Summary = talkEnded, showSummary(t.Summary)
	}
	return body
}

func showLines(lines []transcript.Line) []spokenLineBody {
	list := make([]spokenLineBody, 0, len(lines))
	for _, l := range lines {
		body := spokenLineBody{
			Side: string(l.Leg), Start: l.Start.Milliseconds(), End: l.End.Milliseconds(), Text: l.Text,
			Confidence: double(l.Confidence), Gap: l.Gap,
		}
		for _, w := range l.Words {
			body.Words = append(body.Words, spokenWordBody{
				w.Text, w.Start.Milliseconds(), w.End.Milliseconds(), double(w.Confidence),
			})
		}
		list = append(list, body)
	}
	return list
}

func showSummary(s transcript.Summary) *summaryBody {
	if s.Kind == "" {
		return nil // a crash came before it
	}
	body := &summaryBody{
		Kind: s.Kind, Reason: s.Reason, Outcome: s.Outcome, Length: s.Length.Milliseconds(), Promises: []extractBody{},
	}
	for _, p := range s.Promises {
		body.Promises = append(body.Promises, extractBody{p.At.Milliseconds(), p.Text})
	}
	if s.Mood != nil {
		body.Mood = &moodBody{s.Mood.Note, s.Mood.Thirds}
	}
	return body
}

func listReaders(c *call) (answer, error) {
	list, err := c.api.Transcripts.TranscriptAccesses(c.context(), c.leg.Visit)
	if err != nil {
		return answer{}, err
	}
	return showAccesses(list)
}

// hitBody is a TranscriptHit of the document.
type hitBody struct {
	Call       route.CallID          `json:"call_id"`
	TargetID   callcenter.ID         `json:"target_id,omitzero"`
	TargetType callcenter.TargetType `json:"target_type,omitzero"`
	User       callcenter.OperatorID `json:"user_id,omitzero"`
	Date       int64                 `json:"date"`
	Line       spokenLineBody        `json:"line"`
}

// searchSpoken finds lines. Each transcript that something is shown of is read.
func searchSpoken(c *call) (answer, error) {
	limit := int(min(c.query.Int("limit", MaxPage), MaxPage))
	hits, err := c.api.Transcripts.SearchTranscripts(c.context(), store.TranscriptQuery{
		Words: c.query["q"], Center: callcenter.ID(c.query.Int("call_center_id", 0)), Limit: limit,
	})
	if err != nil {
		return answer{}, err
	}
	body := page[hitBody]{Items: []hitBody{}}
	noted := map[route.CallID]bool{}
	for _, h := range hits {
		if !noted[h.Call] {
			noted[h.Call] = true
			if err := c.api.Transcripts.TranscriptAccessed(c.context(), h.Call, c.who.Actor()); err != nil {
				return answer{}, err
			}
		}
		one := hitBody{
			Call: h.Call, TargetID: h.Center, User: h.Operator, Date: millis(h.At),
			Line: showLines([]transcript.Line{h.Line})[0],
		}
		if h.Center != 0 {
			one.TargetType = callcenter.TargetCallCenter
		}
		body.Items = append(body.Items, one)
	}
	return show(body)
}

// speechBody is a SpeechSettings of the document.
type speechBody struct {
	Phrases []transcript.Phrase `json:"phrases"`
	Mood    bool                `json:"mood"`
}

func getSpeech(c *call) (answer, error) {
	set := c.api.Speech.SpeechSettings(c.center.ID)
	if set.Phrases == nil {
		set.Phrases = transcript.UsualPhrases
	}
	return show(speechBody(set))
}

// updateSpeech replaces all of the settings; calls that begin later have them.
func updateSpeech(c *call) (answer, error) {
	var rules []problem.Field
	body, err := decode[speechBody](c)
	if len(c.bad) > 0 || err != nil {
		return answer{}, c.refuse(nil)
	}
	for _, p := range body.Phrases {
		if err := p.Check(); err != nil {
			rules = append(rules, problem.Field{Name: "phrases", In: problem.InBody, Message: "has one whose " + err.Error()})
			break
		}
	}
	if err := c.refuse(rules); err != nil {
		return answer{}, err
	}
	if body.Phrases == nil {
		body.Phrases = []transcript.Phrase{}
	}
	if err := c.api.Speech.SetSpeechSettings(c.context(), c.center.ID, store.SpeechSettings(body)); err != nil {
		return answer{}, err
	}
	return show(body)
}

// heldBody is a HeldData of the document.
type heldBody struct {
	Number      string          `json:"number"`
	Calls       []route.CallID  `json:"call_ids"`
	Recordings  []recordingBody `json:"recordings"`
	Voicemails  []int64         `json:"voicemail_ids"`
	Transcripts []spokenBody    `json:"transcripts"`
}

// exportNumber gathers what is kept of a number; it counts as reading the transcripts.
func exportNumber(c *call) (answer, error) {
	number := c.r.PathValue("number")
	held, err := c.api.Speech.HeldOf(c.context(), number)
	if err != nil {
		return answer{}, err
	}
	body := heldBody{
		Number: number, Calls: []route.CallID{}, Recordings: []recordingBody{}, Voicemails: []int64{},
		Transcripts: []spokenBody{},
	}
	for _, rec := range held.Calls {
		body.Calls = append(body.Calls, rec.Call)
	}
	for _, rec := range held.Recordings {
		body.Recordings = append(body.Recordings, showRecording(rec))
	}
	for _, message := range held.Voicemails {
		body.Voicemails = append(body.Voicemails, message.ID)
	}
	for _, t := range held.Transcripts {
		if err := c.api.Transcripts.TranscriptAccessed(c.context(), t.Call, c.who.Actor()); err != nil {
			return answer{}, err
		}
		var lines []transcript.Line
		for _, l := range t.Lines {
			lines = append(lines, l.Line)
		}
		var moments []transcript.Moment
		for _, m := range t.Moments {
			moments = append(moments, m.Moment)
		}
		body.Transcripts = append(body.Transcripts, c.spoken(t.Transcript, lines, moments))
	}
	return show(body)
}

// erasedBody is an Erased of the document.
type erasedBody struct {
	Calls         int64 `json:"calls"`
	Recordings    int64 `json:"recordings"`
	Voicemails    int64 `json:"voicemails"`
	Transcripts   int64 `json:"transcripts"`
	Conversations int64 `json:"conversations"`
}

func eraseNumber(c *call) (answer, error) {
	n, err := c.api.Speech.Erase(c.context(), c.r.PathValue("number"), c.who.Actor())
	if err != nil {
		return answer{}, err
	}
	return show(erasedBody(n))
}
