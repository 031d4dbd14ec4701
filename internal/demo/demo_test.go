package demo

import (
	"net/netip"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

func TestTheCompanyIsWhole(t *testing.T) {
	db, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	outside := netip.MustParseAddrPort("127.0.0.1:5099")
	if _, err := found(t.Context(), db, nil, outside); err == nil {
		t.Error("a company without an office was founded")
	}
	if err := db.Update(t.Context(), "test", func(tx *store.Tx) error {
		if err := tx.PutCompany(&callcenter.Company{ID: 1, Name: "Fernwood"}); err != nil {
			return err
		}
		return tx.PutOffice(&callcenter.Office{ID: 2, Country: "us", Timezone: "UTC", State: callcenter.StateActive})
	}); err != nil {
		t.Fatal(err)
	}
	c, err := found(t.Context(), db, nil, outside)
	if err != nil {
		t.Fatal(err)
	}
	snapshot := db.Snapshot()
	if trunk := snapshot.Trunks()[0]; trunk.Outbound != "sip:127.0.0.1:5099" {
		t.Errorf("calls go out to %q", trunk.Outbound)
	}
	desk, ok := snapshot.Center(c.desk)
	if !ok || len(desk.Settings.RoutingOptions.Open.DTMF) != 4 {
		t.Fatalf("the desk's menu is %+v", desk)
	}
	for _, key := range desk.Settings.RoutingOptions.Open.DTMF {
		if key.Action != callcenter.ActionBridgeTarget {
			continue
		}
		if to, ok := snapshot.Center(callcenter.ID(key.Target.ID)); !ok || len(to.Members) == 0 {
			t.Errorf("key %s leads to nobody", key.Input)
		}
	}
	sales, _ := snapshot.Center(c.sales)
	if rec := sales.Settings.AdvancedSettings.AutoCallRecording; !rec.Inbound || !rec.AllowPause {
		t.Errorf("Sales records %+v", rec)
	}
}

// Every part of the product that the demo promises to show has callers who use it.
func TestCallersUseEverything(t *testing.T) {
	kinds := map[string]int{}
	const steps = 20
	for where := range steps {
		for menu := range steps {
			for line := range steps {
				p := planFor(float64(where)/steps, float64(menu)/steps, float64(line)/steps)
				kinds["to "+p.number]++
				for _, d := range p.deeds {
					kinds[d.keys]++
					if d.after <= 0 || p.length() > 2*time.Minute {
						t.Fatalf("a caller would do %+v", p)
					}
				}
				if p.leaves {
					kinds["leaves"]++
				}
			}
		}
	}
	for _, kind := range []string{
		"to " + deskNumber, "to " + supportNumber, "to " + salesNumber, "leaves", directoryName, string(menuSupport),
		string(menuSales), string(menuHours), string(menuNames), string(callbackKey), string(confirmKey),
		string(escapeKey),
	} {
		if kinds[kind] == 0 {
			t.Errorf("nobody does %q", kind)
		}
	}
}

func TestTheDayHasABusyHour(t *testing.T) {
	if night, noon := callsAMinute(2), callsAMinute(12.5); night != quietHour || noon < 0.99*busyHour {
		t.Errorf("%v calls a minute at night, %v at noon", night, noon)
	}
}
