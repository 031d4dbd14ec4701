package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/route"
)

// greet prints what a newcomer needs: the page, the key, the number to call, and a change to try.
func (w *world) greet(ctx context.Context, took time.Duration) error {
	link, err := w.server.SignInLink(ctx)
	if err != nil {
		return err
	}
	sip, url := w.server.PublicSIPAddr(), w.server.URL()
	fmt.Fprintf(w.cfg.Out, `
Switchboard demo: Fernwood Travel, 3 call centers, %d operators on real SIP phones. Ready in %s.

  Page      %s
            (signs this browser in, once; it updates by itself)
  API key   %s
  Call      sip:%s@%s   Travel desk: 1 Support, 2 Sales, 3 the hours, 0 a person by name
            sip:%s@%s   Support
            sip:%s@%s   Sales        (any softphone %s, no account)

What to look for on the page, in the first minutes:

  menus       callers of the Travel desk choose by key and walk on to Support or Sales; open a call for its path
  callbacks   who waits in Support behind others presses 9, then 1; the place stays in the line and is called back
  recordings  callers of Sales are told, then recorded; operators pause it now and then (*2); play them at the bottom
  voicemails  some press * and leave a message; "new" until somebody plays it
  wrap-up     after a call an operator has some seconds, counted down, before the next
  alert       the morning grows busier than eight people can take: Support falls below its goal and turns red

Try it: the next caller of Support rings every operator at once, and the page says so.

  curl -X PATCH '%s/api/v2/callcenters/%d' \
    -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \
    -d '{"ring_seconds": 20, "routing_options": {
          "open":   {"action": "voicemail", "try_dial_operators": true, "operator_routing": "simultaneous"},
          "closed": {"action": "voicemail", "try_dial_operators": false}}}'

Ctrl-C stops: no new calls, running ones are ended.

`, len(w.company.staff), took.Round(time.Millisecond), link, w.key,
		deskNumber, sip, supportNumber, sip, salesNumber, sip, w.company.reach, url, w.company.support, w.key)
	return nil
}

// How often the state is said: a person sees it move, a log gets a line now and then.
const (
	terminalPace = time.Second
	logPace      = 15 * time.Second
)

// report says how the company does, until the context ends.
func (w *world) report(ctx context.Context) {
	pace := logPace
	if w.cfg.Terminal {
		pace = terminalPace
	}
	for sleep(ctx, pace) {
		line, err := w.status(ctx)
		switch {
		case err != nil:
			return
		case w.cfg.Terminal:
			fmt.Fprintf(w.cfg.Out, "\r\x1b[K%s", line)
		default:
			fmt.Fprintln(w.cfg.Out, line)
		}
	}
	if w.cfg.Terminal {
		fmt.Fprintln(w.cfg.Out)
	}
}

func (w *world) status(ctx context.Context) (string, error) {
	var parts []string
	err := w.server.Engine().Ask(ctx, func(m *route.Machine, _ time.Time) {
		states := map[route.OperatorState]int{}
		for _, id := range m.OperatorIDs() {
			view, _ := m.Operator(id)
			states[view.State]++
		}
		parts = append(parts, fmt.Sprintf("operators: %d available, %d ringing, %d on call, %d wrap-up, %d off duty",
			states[route.Available], states[route.Ringing], states[route.OnCall], states[route.WrapUp],
			states[route.OffDuty]))
		for _, id := range m.CenterIDs() {
			view, _ := m.Center(id)
			level := "no data"
			if view.ServiceLevel >= 0 {
				level = fmt.Sprintf("%.0f %%", view.ServiceLevel)
			}
			parts = append(parts, fmt.Sprintf("%s: %d waiting, %d answered, service level %s",
				view.Name, view.Waiting, view.Outcomes[route.Answered], level))
		}
	})
	return strings.Join(parts, " | "), err
}
