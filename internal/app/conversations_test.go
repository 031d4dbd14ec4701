package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/engine"
	"switchboard/internal/route"
	"switchboard/internal/store"
	"switchboard/internal/voice"
)

func openTalks(t *testing.T) (*conversations, *store.Store) {
	t.Helper()
	db, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return newConversations(db, slog.New(slog.DiscardHandler)), db
}

func TestAConversationIsSeenWhileItGoesOnAndKeptAfter(t *testing.T) {
	v, db := openTalks(t)
	kept := func() (store.Conversation, bool) {
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, ok, err := db.Conversation(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		return c, ok
	}
	if _, ok, err := v.Conversation(t.Context(), 7); ok || err != nil {
		t.Errorf("there is one before: %v", err)
	}
	l := v.Begin(route.StartVoice{Call: 7, Center: 5, Operator: 3, Direction: route.Inbound}, "+491", time.Now())
	prompt, _ := audio.Prompt("CLOSED")
	sound := make([]int16, len(prompt))
	for i, b := range prompt {
		sound[i] = audio.DecodeULaw(b)
	}
	l.Tick(0)
	for at := 0; at+160 <= len(sound); at += 160 {
		l.Frame(voice.Operator, time.Duration(at)*time.Second/audio.Rate, sound[at:at+160])
		l.Tick(time.Duration(at) * time.Second / audio.Rate)
	}
	live, ok, err := v.Conversation(t.Context(), 7)
	if err != nil || !ok || live.Complete || live.Report.Legs[voice.Operator].Talk < 2*time.Second || live.Center != 5 {
		t.Errorf("live: %+v, %v", live, err)
	}
	if _, ok := kept(); ok {
		t.Error("it is saved already")
	}
	l.Turn(10*time.Second, voice.Paused)
	l.Tick(saveEvery)
	if cut, ok := kept(); !ok || cut.Complete || cut.Report.Paused == 0 {
		t.Errorf("what a crash would leave: %+v", cut)
	}
	if list := v.talks(1); len(list) != 1 || list[0].Call != 7 || len(list[0].Report.Turns) != 1 {
		t.Errorf("the pages see %+v", list)
	}
	l.Ended(40*time.Second, 3)
	last, ok := kept()
	if !ok || !last.Complete || last.Dropped != 3 || last.Report.Paused != 30*time.Second || last.Number != "+491" {
		t.Errorf("kept: %+v", last)
	}
	if again, _, _ := v.Conversation(t.Context(), 7); !again.Complete || len(v.talks(1)) != 0 {
		t.Errorf("after it: %+v", again)
	}
	v.Begin(route.StartVoice{Call: 8}, "", time.Now()).Ended(0, 0) // it could not be listened to
	if _, ok, _ := db.Conversation(t.Context(), 8); ok || len(v.talks(1)) != 0 {
		t.Error("a conversation that never began is kept")
	}
}

func TestPagesAreToldOfConversationsInTurns(t *testing.T) {
	var all []engine.Talk
	for i := range maxTalks {
		all = append(all, engine.Talk{Call: route.CallID(10 * (i + 1))})
	}
	if got := turnOf(all, 35); len(got) != maxTalks || got[0].Call != 10 {
		t.Errorf("%d of %d, from %d", len(got), maxTalks, got[0].Call)
	}
	all = append(all, engine.Talk{Call: 9999})
	if got := turnOf(all, 35); len(got) != maxTalks || got[0].Call != 40 || got[maxTalks-1].Call != 20 {
		t.Errorf("%d from %d to %d", len(got), got[0].Call, got[len(got)-1].Call)
	}
	v, _ := openTalks(t)
	v.Begin(route.StartVoice{Call: 7}, "", time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan []engine.Talk, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.tell(ctx, func(list []engine.Talk) { told <- list })
	}()
	if list := <-told; len(list) != 1 || list[0].Call != 7 {
		t.Errorf("told %+v", list)
	}
	cancel()
	<-done
}
