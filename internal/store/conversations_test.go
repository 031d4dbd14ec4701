package store

import (
	"reflect"
	"testing"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/voice"
)

// spokenFor is a minute in which the customer speaks so long and the operator twice that.
func spokenFor(talk time.Duration) voice.Report {
	r := voice.Report{
		At: time.Minute, State: voice.Paused, Speaking: [voice.Legs]bool{true, false},
		Turns: []voice.Turn{{Leg: voice.Operator, Start: time.Second, End: 3 * time.Second}},
		Gaps:  []voice.Gap{{State: voice.Paused, Start: 4 * time.Second, End: 5 * time.Second}},
	}
	r.Measured, r.Paused, r.Silence, r.DeadAir = time.Minute, time.Second, 20*time.Second, 6*time.Second
	r.DeadAirs, r.LongestDead, r.Interruptions = 1, talk, 2
	r.Responses, r.ResponseTotal, r.LongestResponse = 2, 3*time.Second, 2*time.Second
	r.Legs[voice.Customer] = voice.LegFigures{Talk: talk, Turns: 3, Monologue: talk}
	r.Legs[voice.Operator] = voice.LegFigures{Talk: 2 * talk, Turns: 4, Monologue: talk}
	return r
}

func TestConversationsAreKeptSummedTrimmedAndErased(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	began := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var all []Conversation
	for i, talk := range []time.Duration{10 * time.Second, 4 * time.Second, 5 * time.Second, time.Second} {
		c := Conversation{
			Call: route.CallID(i + 1), Center: 9, Operator: 7, Number: "+4930111", Direction: route.Inbound,
			At: began.Add(time.Duration(i) * time.Hour), Report: spokenFor(talk), Dropped: 5, Complete: true,
		}
		all = append(all, c)
	}
	all[1].Operator, all[2].Number, all[3].Complete = 8, "+4930222", false
	for _, c := range all {
		s.SaveConversation(Conversation{Call: c.Call})
		s.SaveConversation(c)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, ok, err := s.Conversation(t.Context(), 1)
	if err != nil || !ok || !reflect.DeepEqual(got, all[0]) {
		t.Errorf("%+v, %v, %v\nwant %+v", got, ok, err, all[0])
	}
	if _, ok, err := s.Conversation(t.Context(), 99); ok || err != nil {
		t.Errorf("an unknown call has one: %v, %v", ok, err)
	}
	whole := Averaged{Center: 9, From: began, To: began.Add(10 * time.Hour)}
	sums, err := s.ConversationSums(t.Context(), whole)
	if err != nil || len(sums) != 2 || sums[0].Operator != 7 || sums[1].Operator != 8 || sums[0].Conversations != 2 {
		t.Fatalf("%+v, %v", sums, err)
	}
	if f := sums[0].Figures; f.Legs[voice.Customer].Talk != 15*time.Second || f.LongestDead != 10*time.Second ||
		f.ResponseTotal != 6*time.Second || f.Measured != 2*time.Minute || f.Legs[voice.Operator].Turns != 8 {
		t.Errorf("%+v", f)
	}
	for _, q := range []Averaged{
		{Operator: 8, From: began, To: whole.To},
		{Center: 9, From: began, To: began.Add(time.Hour)},
		{Center: 9, From: began.Add(2 * time.Hour), To: whole.To},
	} {
		if one, err := s.ConversationSums(t.Context(), q); err != nil || len(one) != 1 || one[0].Conversations != 1 {
			t.Errorf("%+v: %+v, %v", q, one, err)
		}
	}
	if n, err := s.FinishConversations(t.Context()); n != 1 || err != nil {
		t.Errorf("%d were cut off, %v", n, err)
	}
	if list, err := s.ConversationsOf(t.Context(), "+4930111"); err != nil || len(list) != 3 || list[0].Call != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if n, err := s.TrimConversations(t.Context(), 9, began.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d were trimmed, %v", n, err)
	}
	if n, err := s.EraseConversations(t.Context(), "+4930111"); n != 2 || err != nil {
		t.Errorf("%d were erased, %v", n, err)
	}
	if _, ok, _ := s.Conversation(t.Context(), 3); !ok {
		t.Error("another number's is gone")
	}
}
