package app

import (
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// pastDay makes a data directory with a call center, 9, three operators and their calls: of what a process that ended
// knew of its calls.
func pastDay(t *testing.T, cfg Config, ended time.Time) {
	t.Helper()
	server, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := server.Store()
	if err := db.Update(t.Context(), "test", func(tx *store.Tx) error {
		line := &callcenter.Center{ID: 9, State: callcenter.StateActive, Settings: callcenter.Defaults("Line")}
		line.Settings.Alerts.ServiceLevelSeconds = 20
		line.Settings.AdvancedSettings.MaxWrapUpSeconds = 600
		line.Extras.WrapUpExtensionSeconds = 60
		for id := callcenter.OperatorID(1); id <= 3; id++ {
			line.Members = append(line.Members, callcenter.Member{Operator: id})
			if err := tx.PutUser(&callcenter.User{
				ID: id, State: callcenter.StateActive, Duty: callcenter.Duty{On: true},
			}); err != nil {
				return err
			}
		}
		return tx.PutCenter(line)
	}); err != nil {
		t.Fatal(err)
	}
	entered := ended.Add(-time.Minute)
	for i, waited := range []time.Duration{20 * time.Second, 21 * time.Second, 30 * time.Second} {
		at := entered.Add(waited)
		db.SaveCall(route.CallRecord{
			Call: route.CallID(i + 1), Center: 9, Outcome: route.Answered, Operator: callcenter.OperatorID(i + 1),
			Arrived: entered, Entered: entered, Connected: at, LeftAt: at, LeftAs: "answered", Ended: ended,
		})
	}
	db.SaveCall(route.CallRecord{Call: 4, Center: 9, Outcome: route.Voicemail, Arrived: entered, Ended: ended})
	journal := &records{store: db, log: cfg.Log}
	journal.Journal(1001, ended.Add(time.Second), route.WrapUpEnded{Operator: 2})
	journal.Journal(1002, ended.Add(time.Second), route.WrapUpExtended{Operator: 3, Extra: 30 * time.Second})
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
}

// The next process shows the figures on its first picture, and wrap-ups go on to the end that they had.
func TestFiguresOutliveTheProcess(t *testing.T) {
	cfg := Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", Timezone: "UTC"}
	ended := time.Now().Add(-10 * time.Second).Round(0)
	pastDay(t, cfg, ended)
	server, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var line route.CenterView
	people := map[callcenter.OperatorID]route.OperatorView{}
	reader := server.Engine().Subscribe(0)
	for people[3].State != route.WrapUp {
		update, ok := reader.Next(t.Context())
		if !ok {
			t.Fatal("nobody was shown in wrap-up")
		}
		for _, v := range update.Centers {
			line = v
		}
		for _, v := range update.Operators {
			people[v.ID] = v
		}
	}
	if line.Outcomes[route.Answered] != 3 || line.Outcomes[route.Voicemail] != 1 || line.AnsweredInTarget != 1 ||
		int(line.ServiceLevel) != 33 || line.LongestWait != 30*time.Second {
		t.Errorf("%+v", line)
	}
	for id, want := range map[callcenter.OperatorID]struct {
		until  time.Time
		extend time.Duration
	}{1: {ended.Add(600 * time.Second), time.Minute}, 2: {}, 3: {ended.Add(630 * time.Second), 0}} {
		if v := people[id]; !v.Until.Equal(want.until) || v.Extend != want.extend {
			t.Errorf("operator %d is in %s until %s, and %s more; want %s, %s", id, v.State, v.Until, v.Extend, want.until,
				want.extend)
		}
	}
}
