package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/transcript"
)

// TestWireTypesAreTheDocuments holds the Go types of bodies and the schemas of the document to each other, both ways.
func TestWireTypesAreTheDocuments(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"CallCenter": centerBody{}, "CallCenterStatus": statusBody{}, "DutyStatus": dutyBody{}, "Skill": skillBody{},
		"Office": officeBody{}, "User": userBody{}, "GroupDetails": groupBody{}, "UserOrRoom": userOrRoomBody{},
		"Number": numberBody{}, "Device": deviceBody{}, "Trunk": trunkBody{}, "Voicemail": messageBody{},
		"Revision": revisionBody{}, "CallCenterCreate": centerCreate{}, "CallCenterUpdate": callcenter.Patch{},
		"UserCreate": userCreate{}, "UserUpdate": userUpdate{}, "NumberAssignGeneric": numberAssign{},
		"HoldQueueInput": callcenter.HoldQueuePatch{}, "BranchInput": callcenter.BranchPatch{},
		"Conversation": conversationBody{}, "ConversationSide": sideBody{}, "DeadAir": deadAirBody{},
		"ResponseTime": responseBody{}, "Turn": turnBody{}, "Gap": gapBody{}, "ConversationAverage": averageBody{},
		"ConversationAverages": averagesBody{}, "Transcript": transcriptBody{}, "TranscriptLine": lineBody{},
		"SpokenCall": spokenBody{}, "SpokenLine": spokenLineBody{}, "SpokenWord": spokenWordBody{},
		"SpokenMoment": momentBody{}, "CallSummary": summaryBody{}, "Extract": extractBody{}, "Mood": moodBody{},
		"TranscriptHit": hitBody{}, "SpeechSettings": speechBody{}, "MomentPhrase": transcript.Phrase{},
		"HeldData": heldBody{}, "Erased": erasedBody{},
		"AlertsInput": callcenter.AlertsPatch{}, "MenuOptionsInput": callcenter.MenuOptionsPatch{},
	} {
		schema := doc.Components.Schemas[name]
		if schema == nil {
			t.Errorf("the document has no %s", name)
			continue
		}
		var documented []string
		for property := range schema.Value.Properties {
			documented = append(documented, property)
		}
		slices.Sort(documented)
		if written := jsonNames(reflect.TypeOf(value)); !slices.Equal(written, documented) {
			t.Errorf("%s\nin Go       %v\ndocumented  %v", name, written, documented)
		}
	}
}

// jsonNames are the keys that a type has in JSON.
func jsonNames(typ reflect.Type) []string {
	var names []string
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Anonymous {
			names = append(names, jsonNames(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestContractIsChecked proves that the check behind every test of this package sees what it should.
func TestContractIsChecked(t *testing.T) {
	header := http.Header{"Content-Type": {"application/json"}, "Etag": {`"1"`}}
	skill := centers + "/1/operators/2/skill"
	good := `{"call_center_id":"1","user_id":"2","skill_level":"3"}`
	for body, want := range map[string]bool{
		good: true, strings.Replace(good, `"3"`, `3`, 1): false, `{"call_center_id":"1","user_id":"2"}`: false,
		strings.Replace(good, `"3"`, `null`, 1): false, `[]`: false,
	} {
		err := holdToDocument(httptest.NewRequest("GET", skill, nil), reply{t, 200, header, []byte(body)})
		if (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
	err := holdToDocument(httptest.NewRequest("GET", skill, nil), reply{t, 201, header, []byte(good)})
	if err == nil {
		t.Error("a status that is not documented passed")
	}
	bad := httptest.NewRequest("PATCH", skill, strings.NewReader(`{"skill_level":101}`))
	bad.Header.Set("Content-Type", "application/json")
	if err := holdToDocument(bad, reply{t, 200, header, []byte(good)}); err == nil {
		t.Error("a request that the document forbids was answered 200, and that passed")
	}
}

func TestProblemJSON(t *testing.T) {
	co := newCompany(t)
	got := co.send("GET", centers+"/1", nil, with("Accept", "application/problem+json")).want(404)
	if got.header.Get("Content-Type") != problem.TypeProblemJSON || got.at("status") != 404.0 {
		t.Errorf("%v %s", got.header, got.body)
	}
}

func TestDocumentIsServed(t *testing.T) {
	co := newCompany(t)
	got := co.send("GET", "/openapi.json", nil, as("")).want(200)
	if !json.Valid(got.body) || got.at("openapi") != "3.1.0" {
		t.Errorf("%.80s", got.body)
	}
	co.send("GET", "/openapi.json", nil, as(""), with("If-None-Match", got.header.Get("ETag"))).want(304)
	checkEnvelope(t, co.send("POST", "/openapi.json", nil), 405, problem.MethodNotAllowed)
}

// TestReadersAndWritersTogether is for the race detector: bodies and numbers are cached across requests.
func TestReadersAndWritersTogether(t *testing.T) {
	co := newCompany(t)
	id := co.center("Support")
	co.send("POST", "/api/v2/x/numbers", `{"numbers":["+2001","+2002"]}`).want(200)
	do := func(method, target, body string) int {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+co.admin)
		w := httptest.NewRecorder()
		co.api.ServeHTTP(w, r)
		return w.Code
	}
	assign := `{"target_type":"callcenter","target_id":"` + id + `"}`
	requests := [][3]string{
		{"PATCH", centers + "/" + id, `{"ring_seconds":20}`},
		{"PATCH", centers + "/" + id, `{"ring_seconds":21}`},
		{"POST", "/api/v2/numbers/+2001/assign", assign},
		{"DELETE", "/api/v2/numbers/+2001", ""},
		{"GET", centers, ""},
		{"GET", centers + "/" + id, ""},
	}
	var wg sync.WaitGroup
	for _, r := range requests {
		wg.Go(func() {
			for range 20 {
				if status := do(r[0], r[1], r[2]); status != http.StatusOK {
					t.Errorf("%s %s: %d", r[0], r[1], status)
				}
			}
		})
	}
	wg.Wait()
	co.send("POST", "/api/v2/numbers/+2002/assign", assign).want(200)
	got := co.send("GET", centers+"/"+id, nil).want(200)
	center, _ := co.store.Snapshot().Center(centerID(t, id))
	if got.at("phone_numbers.0") != "+2002" || got.at("ring_seconds") != strconv.Itoa(center.Settings.RingSeconds) {
		t.Errorf("an old body was kept: %s", got.body)
	}
}
