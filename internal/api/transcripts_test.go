package api

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/transcript"
)

// words is Speech on a store alone.
type words struct{ *store.Store }

func (words) Rough(call route.CallID) []transcript.Line {
	return []transcript.Line{{Leg: transcript.Operator, Text: "and so"}}
}

func (w words) SpeechSettings(center callcenter.ID) store.SpeechSettings {
	set, _ := w.Store.SpeechSettings(context.Background(), center)
	return set
}

func (w words) Erase(ctx context.Context, number string, _ store.Actor) (store.Erased, error) {
	return w.EraseNumber(ctx, number)
}

// transcribed keeps a transcript of call 50, with a call that goes on to find it by.
func transcribed(t *testing.T) (co *company, ada, ben callcenter.OperatorID) {
	t.Helper()
	co = newCompany(t)
	ada, ben = operatorID(t, co.user("ada")), operatorID(t, co.user("ben"))
	support := centerID(t, co.center("Support"))
	co.core.calls[50] = route.CallView{
		ID: 50, Entry: 50, State: "connected", Center: support, Operator: ada, Arrived: noon, Since: noon,
	}
	co.store.SaveTranscript(store.Transcript{
		Call: 50, Center: support, Operator: ada, Number: "+4930123", Direction: route.Inbound, At: noon, Engine: "vosk-ws",
		Complete: true, Summary: transcript.Summary{Kind: "extractive", Reason: "the reason", Length: time.Minute},
	})
	for _, l := range []transcript.Line{
		{Leg: transcript.Customer, Start: time.Second, End: 2 * time.Second, Text: "i want a refund", Confidence: 0.5},
		{Start: 3 * time.Second, End: 4 * time.Second, Gap: "paused"},
		{Leg: transcript.Operator, Start: 5 * time.Second, End: 6 * time.Second, Text: "certainly"},
	} {
		co.store.SaveTranscriptLine(store.TranscriptLine{Call: 50, Line: l})
	}
	co.store.SaveMoment(store.TranscriptMoment{Call: 50, Moment: transcript.Moment{
		At: 1500 * time.Millisecond, Leg: transcript.Customer, Class: "refund", Phrase: "refund", Engine: "vosk-ws",
	}})
	if err := co.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return co, ada, ben
}

func TestTheTranscriptOfACall(t *testing.T) {
	co, ada, ben := transcribed(t)
	got := co.send("GET", "/api/v2/transcripts/50", nil, as(co.key(store.RoleUser, ada))).want(200)
	for path, want := range map[string]any{
		"call_id": "50", "lines.0.type": "transcript", "lines.0.content": "i want a refund", "lines.0.name": "+4930123",
		"lines.0.time": noon.Add(time.Second).UTC().Format("2006-01-02T15:04:05") + ".000000",
		"lines.1.type": "moment", "lines.1.content": "refund", "lines.2.content": "certainly",
		"lines.2.user_id": fmt.Sprint(int64(ada)),
	} {
		if got.at(path) != want {
			t.Errorf("%s is %v, want %v", path, got.at(path), want)
		}
	}
	co.send("GET", "/api/v2/transcripts/50", nil, as(co.key(store.RoleUser, ben))).want(403)
	url := co.send("GET", "/api/v2/transcripts/50/url", nil).want(200)
	if url.at("url") != "https://calls.example.com/calls/50?tab=transcript" {
		t.Errorf("%s", url.body)
	}
	read := co.send("GET", "/api/v2/x/calls/50/transcript/accesses", nil).want(200)
	if len(read.items()) != 2 {
		t.Errorf("%s", read.body)
	}
	co.core.calls[51] = co.core.calls[50]
	view := co.core.calls[51]
	view.ID, view.Entry = 51, 51
	co.core.calls[51] = view
	checkEnvelope(t, co.send("GET", "/api/v2/transcripts/51", nil), 404, problem.Missing)
}

func TestWhatWasSaidInFull(t *testing.T) {
	co, _, _ := transcribed(t)
	got := co.send("GET", "/api/v2/x/calls/50/transcript", nil).want(200)
	for path, want := range map[string]any{
		"state": "ended", "quality": "rough", "lines.1.gap": "paused", "lines.1.start": "3000", "moments.0.class": "refund",
		"moments.0.at": "1500", "summary.kind": "extractive", "summary.reason": "the reason", "unfinished.0.text": "and so",
		"lines.0.side": "customer", "lines.0.confidence": 0.5,
	} {
		if got.at(path) != want {
			t.Errorf("%s is %v, want %v", path, got.at(path), want)
		}
	}
}

func TestWordsAreFoundInTranscripts(t *testing.T) {
	co, ada, _ := transcribed(t)
	got := co.send("GET", "/api/v2/x/transcripts?q=refunded", nil).want(200)
	if len(got.items()) != 1 || got.at("items.0.line.text") != "i want a refund" || got.at("items.0.call_id") != "50" {
		t.Errorf("%s", got.body)
	}
	if read := co.send("GET", "/api/v2/x/calls/50/transcript/accesses", nil).want(200); len(read.items()) != 1 {
		t.Errorf("%s", read.body)
	}
	if none := co.send("GET", "/api/v2/x/transcripts", nil).want(200); len(none.items()) != 0 {
		t.Errorf("%s", none.body)
	}
	co.send("GET", "/api/v2/x/transcripts?q=a", nil, as(co.key(store.RoleUser, ada))).want(403)
}

func TestWhatACenterWantsToHearOf(t *testing.T) {
	co := newCompany(t)
	target := "/api/v2/x/callcenters/" + co.center("Support") + "/speech"
	if got := co.send("GET", target, nil).want(200); got.at("phrases.0.class") != "cancel" || got.at("mood") != false {
		t.Errorf("%s", got.body)
	}
	body := `{"phrases":[{"class":"rival","phrase":"other provider"}],"mood":true}`
	if got := co.send("PUT", target, body).want(200); strings.TrimSpace(string(got.body)) != body {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", target, nil).want(200); strings.TrimSpace(string(got.body)) != body {
		t.Errorf("%s", got.body)
	}
	for _, bad := range []string{
		`{}`, `{"phrases":[{"class":"","phrase":"a"}],"mood":true}`, `{"phrases":[{"class":"a","phrase":"?"}],"mood":true}`,
		`{"phrases":[{"class":"a","phrase":"a a a a a a a a a"}],"mood":true}`,
	} {
		co.send("PUT", target, bad).want(400)
	}
}

func TestWhatIsKeptOfANumber(t *testing.T) {
	co, ada, _ := transcribed(t)
	const target = "/api/v2/x/held/%2B4930123"
	got := co.send("GET", target, nil).want(200)
	if got.at("transcripts.0.lines.0.text") != "i want a refund" || got.at("number") != "+4930123" {
		t.Errorf("%s", got.body)
	}
	co.send("DELETE", target, nil, as(co.key(store.RoleUser, ada))).want(403)
	if got := co.send("DELETE", target, nil).want(200); got.at("transcripts") != "1" {
		t.Errorf("%s", got.body)
	}
	if got := co.send("GET", target, nil).want(200); got.at("transcripts.0") != nil {
		t.Errorf("%s", got.body)
	}
	co.send("GET", "/api/v2/x/held/4930123", nil).want(400)
}
