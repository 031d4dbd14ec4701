package app

import (
	"context"
	"fmt"

	"switchboard/internal/hooks"
	"switchboard/internal/route"
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
