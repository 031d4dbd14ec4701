package app

import (
	"slices"
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func TestTheCoreIsToldOfSelectedUploadsOfACenter(t *testing.T) {
	of := func(id int64, kind callcenter.TargetType) callcenter.Target {
		return callcenter.Target{ID: id, Type: kind}
	}
	db := newStore(t, func(tx *store.Tx) error {
		for i, p := range []callcenter.CustomPrompt{
			{Target: of(5, callcenter.TargetCallCenter), Type: "GREETING", Selected: true},
			{Target: of(5, callcenter.TargetCallCenter), Type: "MENU"},
			{Target: of(6, callcenter.TargetCallCenter), Type: "CLOSED", Selected: true},
			{Target: of(5, callcenter.TargetOffice), Type: "HOLD_INTRO", Selected: true},
		} {
			p.ID = callcenter.PromptID(i + 1)
			if err := tx.PutCustomPrompt(&p); err != nil {
				return err
			}
		}
		return nil
	})
	said := uploaded(db.Snapshot(), &callcenter.Center{ID: 5, OfficeID: 9})
	if said.Center != 5 || !slices.Equal(said.Prompts, []route.Prompt{route.PromptGreeting}) {
		t.Errorf("%+v", said)
	}
	said = uploaded(db.Snapshot(), &callcenter.Center{ID: 7, OfficeID: 5})
	if !slices.Equal(said.Prompts, []route.Prompt{route.PromptHoldIntro}) {
		t.Errorf("of its office: %+v", said)
	}
}

func TestTheCoreSeesExtrasAndHowNamesAreSpelled(t *testing.T) {
	db := newStore(t, func(*store.Tx) error { return nil })
	a := &App{store: db}
	plain := a.forTheCore(&callcenter.Center{ID: 5})
	if plain.Extras != callcenter.DefaultExtras() || plain.Settings.Timezone != "UTC" {
		t.Errorf("a center without extras and office is told as %+v", plain)
	}
	own := callcenter.Extras{MaxMissedCalls: 3}
	if told := a.forTheCore(&callcenter.Center{ID: 5, Extras: own}); told.Extras != own {
		t.Errorf("extras %+v are told as %+v", own, told.Extras)
	}
	op := a.operator(&callcenter.User{ID: 7, FirstName: "Ada", LastName: "Lovelace", Extension: "204"})
	if op.FirstName != "Ada" || op.LastName != "Lovelace" || op.Extension != "204" || op.Name != "Ada Lovelace" {
		t.Errorf("told as %+v", op)
	}
}
