package app

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"switchboard/internal/callcenter"
	"switchboard/internal/media"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/openapi"
)

// played are all prompts that the core orders and that an upload can take the place of, with the numbers they say.
func played() (kinds []string) {
	for n := range 12 { // positions from 1, keys from 0 to the hash
		kinds = append(kinds, media.UploadType(string(route.PromptHoldPosition), n+1),
			media.UploadType(string(route.PromptHoldEscape), n))
	}
	for _, prompt := range slices.Concat(uploadOnly, []route.Prompt{
		route.PromptHoldIntro, route.PromptHoldInterrupt,
		route.PromptClosed, route.PromptVoicemail, route.PromptMenu, route.PromptMenuOption,
		route.PromptRecordingNotice, route.PromptCallbackOffer, route.PromptCallbackType, route.PromptCallbackBooked,
		route.PromptCallbackRefused, route.PromptCallbackInvalid, route.PromptClosedMenu, route.PromptClosedMenuOption,
		route.PromptVoicemailClosed,
	}) {
		kinds = append(kinds, media.UploadType(string(prompt), 0))
	}
	return append(kinds, holdMusic, numberConfirmed, sameNumber, differentNumber, callbackTaken)
}

// TestEveryUploadTypeIsHeardOrNamedWithTheReason holds the API's types to what is played, and the rest of them to the
// list of docs/reference/prompts.md.
func TestEveryUploadTypeIsHeardOrNamedWithTheReason(t *testing.T) {
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Enum []string `json:"enum"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openapi.JSON, &document); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/reference/prompts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(page), "## Uploads that nobody hears")
	if !found {
		t.Fatal("the page has no list of types that nobody hears")
	}
	list, _, _ = strings.Cut(list, "\n## ")
	var unheard []string
	for line := range strings.Lines(list) {
		names, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|") // not those of the reason
		for _, name := range regexp.MustCompile("`[A-Z_]+`").FindAllString(names, -1) {
			unheard = append(unheard, strings.Trim(name, "`"))
		}
	}
	types, heard := document.Components.Schemas["CustomIVRCreate"].Properties["ivr_type"].Enum, played()
	if len(types) != 67 {
		t.Errorf("%d types", len(types))
	}
	for _, kind := range types {
		if slices.Contains(heard, kind) == slices.Contains(unheard, kind) {
			t.Errorf("%s: played %v, on the list %v", kind, slices.Contains(heard, kind), slices.Contains(unheard, kind))
		}
	}
}

// TestUploadsForAMoment gives a center uploads one by one and listens to the prompts that they change.
func TestUploadsForAMoment(t *testing.T) {
	db := newStore(t, func(tx *store.Tx) error { return tx.PutCenter(&callcenter.Center{ID: 5, OfficeID: 2}) })
	log := slog.New(slog.DiscardHandler)
	u, err := newUploads(t.TempDir(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	speech := media.NewSpeech(t.TempDir(), log)
	t.Cleanup(speech.Close)
	said := prompts{media.NewLibrary("", speech, log), u, speech}
	// heard is the tones of the clips; 0: our own voice.
	heard := func(prompt route.Prompt) string {
		var tones []int
		for _, clip := range said.Clips(route.Phrase{Prompt: prompt, Center: 5, Text: "+12"}) {
			tones = append(tones, toneOf(clip))
		}
		return fmt.Sprint(tones)
	}
	id := callcenter.PromptID(100)
	for _, step := range []struct {
		upload string
		hz     float64
		prompt route.Prompt
		want   string
	}{
		{"", 0, route.PromptClosedMenu, "[0]"},
		{"MENU", 400, route.PromptClosedMenu, "[400]"},
		{"CLOSED_MENU", 500, route.PromptClosedMenu, "[500]"},
		{"", 0, route.PromptMenu, "[400]"},
		{"", 0, route.PromptClosedMenuOption, "[0]"},
		{"CLOSED_MENU_OPTION", 500, route.PromptClosedMenuOption, "[500]"},
		{"", 0, route.PromptMenuOption, "[0]"},
		{"VM_UNAVAILABLE", 400, route.PromptVoicemailClosed, "[400]"},
		{"VM_UNAVAILABLE_CLOSED", 600, route.PromptVoicemailClosed, "[600]"},
		{"", 0, route.PromptVoicemail, "[400]"},
		{"", 0, route.PromptCallbackInvalid, "[0]"},
		{"HOLD_CALLBACK_INVALID_NUMBER", 700, route.PromptCallbackInvalid, "[700]"},
		{"", 0, route.PromptCallbackConfirm, "[0 0 0 0 0]"},
		{"HOLD_CALLBACK_CONFIRM_NUMBER", 400, route.PromptCallbackConfirm, "[400 0 0 0 0]"},
		{"HOLD_CALLBACK_SAME_NUMBER", 500, route.PromptCallbackConfirm, "[400 0 0 0 0]"},
		{"HOLD_CALLBACK_DIFFERENT_NUMBER", 600, route.PromptCallbackConfirm, "[400 0 0 0 500 600]"},
		{"", 0, route.PromptCallbackFor, "[0 0 0 0]"},
		{"HOLD_CALLBACK_ACCEPTED", 700, route.PromptCallbackFor, "[700 0 0 0]"},
		{"", 0, route.PromptHoldWait, "[]"},
		{"HOLD_WAIT", 400, route.PromptHoldWait, "[400]"},
	} {
		if step.upload != "" {
			id++
			putPrompt(t, u, id, callcenter.Target{ID: 5, Type: callcenter.TargetCallCenter}, step.upload, step.hz)
		}
		if got := heard(step.prompt); got != step.want {
			t.Errorf("%s, after an upload of %q: %s, want %s", step.prompt, step.upload, got, step.want)
		}
	}
	for _, prompt := range uploadOnly {
		if prompt != route.PromptHoldWait && heard(prompt) != "[]" {
			t.Errorf("%s, which nobody uploaded, is heard", prompt)
		}
	}
}
