package app

import (
	"context"
	"fmt"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/sipd"
	"switchboard/internal/store"
)

// reasonCrash is the Reason of the record of a call that was lost with the process.
const reasonCrash = "crash"

// dialogs keeps sipd's dialogs in the database.
type dialogs struct{ store *store.Store }

// SaveDialog implements sipd.Keeper.
func (d dialogs) SaveDialog(id string, state []byte) {
	d.store.SaveDialog(store.Dialog{ID: id, State: state})
}

// DropDialog implements sipd.Keeper.
func (d dialogs) DropDialog(id string) { d.store.DropDialog(id) }

// lostCalls gives every call that was lost with the process before this one its one outcome.
func (a *App) lostCalls(ctx context.Context) error {
	lost, err := a.store.LostCalls(ctx)
	if err != nil {
		return fmt.Errorf("look for calls that a crash ended: %w", err)
	}
	ended := a.store.LastAlive()
	for _, arrived := range lost {
		a.store.SaveCall(route.CallRecord{
			Call: arrived.Call, Visit: arrived.Call, Center: arrived.Center, From: arrived.From, To: arrived.To,
			Direction: route.Inbound, Outcome: route.Failed, Reason: reasonCrash, Arrived: arrived.At,
			Ended: latest(ended, arrived.At),
		})
	}
	if len(lost) > 0 {
		if err := a.store.Flush(ctx); err != nil { // the figures are made of what is on disk
			return fmt.Errorf("write down the calls that a crash ended: %w", err)
		}
		a.cfg.Log.Warn("calls were lost with the process before this one", "calls", len(lost))
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tellSurvivors gives the core the callbacks and places that outlived the process before this one.
func (a *App) tellSurvivors(ctx context.Context) error {
	callbacks, err := a.store.Callbacks(ctx)
	if err != nil {
		return fmt.Errorf("read callbacks: %w", err)
	}
	for _, callback := range callbacks {
		a.engine.Say(route.RestoreCallback{Callback: callback})
	}
	places, err := a.store.Places(ctx)
	if err != nil {
		return fmt.Errorf("read places: %w", err)
	}
	for _, place := range places {
		a.engine.Say(route.RestorePlace{Place: place, Lost: a.store.LastAlive()})
	}
	return nil
}

// endOrphans hangs up whoever still believes in a call of the process before this one.
func (a *App) endOrphans(ctx context.Context, sip *sipd.Server) error {
	left, err := a.store.Dialogs(ctx)
	if err != nil {
		return fmt.Errorf("read dialogs: %w", err)
	}
	for _, dialog := range left {
		if err := sip.Orphan(dialog.State); err != nil {
			a.cfg.Log.Error("a dialog cannot be ended", "leg", dialog.ID, "error", err)
			a.store.DropDialog(dialog.ID)
		}
	}
	if len(left) > 0 {
		a.cfg.Log.Info("dialogs of the process before this one are being ended", "dialogs", len(left))
	}
	return nil
}
