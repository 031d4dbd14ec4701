package app

import (
	"context"
	"fmt"
	"slices"

	"switchboard/internal/callcenter"
	"switchboard/internal/hooks"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// openHooks starts what tells programs of the company what happens. What an earlier run left is sent from now on.
func (a *App) openHooks(ctx context.Context) error {
	guard, err := a.cfg.guard()
	if err != nil {
		return err
	}
	config := hooks.Config{
		Settings: a.store, Outbox: a.store, Calls: a.store, Notice: a.warn, Log: a.cfg.Log, Events: a.triggers,
		Webhooks: guard.Client(hooks.DeliveryTimeout), Routers: guard.Client(hooks.RouterTimeout),
	}
	if a.cfg.SMTP != "" {
		if config.Mail, err = hooks.NewSMTP(a.cfg.SMTP, a.cfg.MailFrom, a.cfg.MailTo); err != nil {
			return err
		}
	}
	if a.hooks, err = hooks.New(ctx, config); err != nil {
		return fmt.Errorf("read the events that were not sent: %w", err)
	}
	return nil
}

// programs asks call routers.
type programs struct{ hooks *hooks.Hooks }

// Ask implements exchange.Routers.
func (p programs) Ask(order route.AskRouter, answered func(route.RouterAnswered)) {
	p.hooks.AskRouter(order, answered)
}

// frontDesks tells the core of the call routers that have a number of their own. Each is shown to it as a call center
// without operators that is always open and does nothing but ask the router: so a caller of that number is a visit like
// any other. The router's id, which no call center has, is the center's.
func (a *App) frontDesks() {
	snapshot := a.store.Snapshot()
	var open []callcenter.ID
	for _, router := range snapshot.CallRouters() {
		target := callcenter.Target{ID: int64(router.ID), Type: callcenter.TargetCallRouter}
		if slices.ContainsFunc(snapshot.Numbers(), func(n *callcenter.Number) bool { return n.Target == target }) {
			open = append(open, callcenter.ID(router.ID))
			a.engine.Say(route.CenterChanged{Center: a.forTheCore(frontDesk(router))})
		}
	}
	for _, id := range a.desks {
		if !slices.Contains(open, id) {
			a.engine.Say(route.CenterDeleted{ID: id})
		}
	}
	a.desks = open
}

func frontDesk(router *callcenter.CallRouter) *callcenter.Center {
	settings := callcenter.Defaults(router.Name)
	ask := callcenter.Branch{
		Action: callcenter.ActionScriptedIVR, OperatorRouting: callcenter.LongestIdle,
		Target: callcenter.Target{ID: int64(router.ID), Type: callcenter.TargetCallRouter},
	}
	settings.RoutingOptions.Open, settings.RoutingOptions.Closed = ask, ask
	return &callcenter.Center{
		Record: router.Record, ID: callcenter.ID(router.ID), OfficeID: router.OfficeID, State: callcenter.StateActive,
		Settings: settings, Extras: callcenter.DefaultExtras(),
	}
}

// touchesDesks says whether a change is about call routers or their numbers.
func touchesDesks(change store.Change) bool {
	if change.Kind == store.KindRouter {
		return true
	}
	for _, side := range []any{change.Old, change.New} {
		if n, ok := side.(*callcenter.Number); ok && n.Target.Type == callcenter.TargetCallRouter {
			return true
		}
	}
	return false
}
