package app

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/media"
	"switchboard/internal/route"
)

// speechPatience is how long a caller waits for a text that was never spoken before.
const speechPatience = 5 * time.Second

// prompts turns the core's phrases into clips: of an upload, else of the library.
type prompts struct {
	library *media.Library
	uploads *uploads
	speech  *media.Speech
}

// Prepare implements exchange.Prompts. A text that cannot be spoken is left out.
func (p prompts) Prepare(text string) {
	ctx, cancel := context.WithTimeout(context.Background(), speechPatience)
	defer cancel()
	if err := p.speech.Prepare(ctx, text); err != nil {
		p.uploads.log.Warn("what a call router says is not heard", "error", err)
	}
}

// openVariants are what is heard while a center is closed where nothing was uploaded for that.
var openVariants = map[route.Prompt]route.Prompt{
	route.PromptClosedMenu:       route.PromptMenu,
	route.PromptClosedMenuOption: route.PromptMenuOption,
	route.PromptVoicemailClosed:  route.PromptVoicemail,
}

// uploadOnly are the prompts that are nothing unless they were uploaded (docs/reference/prompts.md, "Uploads").
var uploadOnly = []route.Prompt{
	route.PromptGreeting, route.PromptHoldWait, route.PromptCallbackAgain, route.PromptCallbackHere,
	route.PromptOperatorReady, route.PromptNextTarget, route.PromptPersonAway, route.PromptDepartment,
	route.PromptDepartmentClosed,
}

// The uploads that take the place of a part of a prompt.
const (
	numberConfirmed = "HOLD_CALLBACK_CONFIRM_NUMBER"
	sameNumber      = "HOLD_CALLBACK_SAME_NUMBER"
	differentNumber = "HOLD_CALLBACK_DIFFERENT_NUMBER"
	callbackTaken   = "HOLD_CALLBACK_ACCEPTED"
)

// Clips implements exchange.Prompts.
func (p prompts) Clips(phrase route.Phrase) [][]byte {
	kind := phrase.Prompt
	if own, ok := p.own(phrase.Center, kind, phrase.Number); ok {
		return [][]byte{own}
	}
	if open, closed := openVariants[kind]; closed {
		kind = open
		if own, ok := p.own(phrase.Center, kind, phrase.Number); ok {
			return [][]byte{own}
		}
	}
	if slices.Contains(uploadOnly, kind) {
		return nil
	}
	return p.withParts(phrase.Center, kind, p.library.Say(string(kind), phrase.Number, phrase.Text))
}

func (p prompts) own(center callcenter.ID, kind route.Prompt, number int) ([]byte, bool) {
	found, ok := p.uploads.find(center, media.UploadType(string(kind), number))
	return found.ulaw, ok
}

// withParts replaces the sentences around what a prompt spells: the first, and the choice at the end, which is one
// sentence of ours and two uploads.
func (p prompts) withParts(center callcenter.ID, kind route.Prompt, clips [][]byte) [][]byte {
	if len(clips) == 0 {
		return clips
	}
	clips = slices.Clone(clips)
	switch kind {
	case route.PromptCallbackFor:
		if own, ok := p.uploads.find(center, callbackTaken); ok {
			clips[0] = own.ulaw
		}
	case route.PromptCallbackConfirm:
		if own, ok := p.uploads.find(center, numberConfirmed); ok {
			clips[0] = own.ulaw
		}
		same, one := p.uploads.find(center, sameNumber)
		other, two := p.uploads.find(center, differentNumber)
		if one && two {
			clips = append(clips[:len(clips)-1], same.ulaw, other.ulaw)
		}
	}
	return clips
}
