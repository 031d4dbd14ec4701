package app

import (
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

func TestWhereANumberLeads(t *testing.T) {
	number := func(e164 string, id int64, kind callcenter.TargetType) *callcenter.Number {
		return &callcenter.Number{E164: e164, Target: callcenter.Target{ID: id, Type: kind}}
	}
	db := newStore(t, func(tx *store.Tx) error {
		for _, c := range []callcenter.Center{
			{ID: 5, OfficeID: 1, State: callcenter.StateDeleted},
			{ID: 6, OfficeID: 1, State: callcenter.StateActive},
			{ID: 7, OfficeID: 1, State: callcenter.StateActive},
		} {
			if err := tx.PutCenter(&c); err != nil {
				return err
			}
		}
		for _, u := range []callcenter.User{
			{ID: 21, State: callcenter.StateActive}, {ID: 22, State: callcenter.StateDeleted},
		} {
			if err := tx.PutUser(&u); err != nil {
				return err
			}
		}
		for _, n := range []*callcenter.Number{
			number("+1001", 5, callcenter.TargetCallCenter), number("+1002", 7, callcenter.TargetCallCenter),
			number("+1003", 21, callcenter.TargetUser), number("+1004", 22, callcenter.TargetUser),
			number("+1005", 1, callcenter.TargetOffice), number("+1006", 2, callcenter.TargetOffice),
			number("+1007", 0, ""), number("+1008", 51, callcenter.TargetCallRouter),
		} {
			if err := tx.PutNumber(n); err != nil {
				return err
			}
		}
		return nil
	})
	for dialled, want := range map[string]callcenter.ID{
		"+1001": 0, "+1002": 7, "+1003": 21, "1003": 21, "+1004": 0, "+1005": 6, "+1006": 0, "+1007": 0, "+1008": 51,
		"+1009": 0, "": 0, "+": 0, "++1002": 0,
	} {
		if id, ok := (directory{db}).CenterOf(dialled); id != want || ok != (want != 0) {
			t.Errorf("%q leads to %d, %v, want %d", dialled, id, ok, want)
		}
	}
}

// TestPeoplesDesksAreNoCallCentersOfThePages gives a person a number, a new name, and takes them away.
func TestPeoplesDesksAreNoCallCentersOfThePages(t *testing.T) {
	a, err := New(t.Context(), Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	office := a.store.Snapshot().Offices()[0].ID
	ada := callcenter.User{ID: 21, OfficeID: office, FirstName: "Ada", State: callcenter.StateActive}
	put := func(change func(*store.Tx) error) {
		t.Helper()
		if err := a.store.Update(t.Context(), "test", change); err != nil {
			t.Fatal(err)
		}
	}
	look := func() (view route.CenterView, ok bool, shown int) {
		t.Helper()
		err := a.engine.Ask(t.Context(), func(m *route.Machine, _ time.Time) {
			view, ok = m.Center(21)
			shown = len(m.CenterIDs())
		})
		if err != nil {
			t.Fatal(err)
		}
		return view, ok, shown
	}
	put(func(tx *store.Tx) error { return tx.PutUser(&ada) })
	if _, ok, _ := look(); ok {
		t.Error("a person without a number has a desk")
	}
	put(func(tx *store.Tx) error {
		return tx.PutNumber(&callcenter.Number{E164: "+1003", Target: callcenter.Target{ID: 21, Type: callcenter.TargetUser}})
	})
	if view, ok, shown := look(); !ok || view.Name != "Ada" || shown != 0 {
		t.Errorf("desk %+v %v, %d call centers are shown", view, ok, shown)
	}
	grace := ada
	grace.FirstName = "Grace"
	put(func(tx *store.Tx) error { return tx.PutUser(&grace) })
	if view, _, _ := look(); view.Name != "Grace" {
		t.Errorf("after the change: %q", view.Name)
	}
	gone := ada
	gone.State = callcenter.StateDeleted
	put(func(tx *store.Tx) error { return tx.PutUser(&gone) })
	if _, ok, _ := look(); ok {
		t.Error("who is gone has a desk")
	}
}
