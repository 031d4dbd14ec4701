package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// records makes the core's facts durable without making it wait.
type records struct {
	store *store.Store
	log   *slog.Logger
	wg    sync.WaitGroup // duty changes being written
}

// durationsAsText writes durations as people do ("1m30s"); json has no default for them.
var durationsAsText = json.WithMarshalers(json.MarshalFunc(func(d time.Duration) ([]byte, error) {
	return json.Marshal(d.String())
}))

// Journal implements engine.Records.
func (r *records) Journal(step uint64, at time.Time, event route.Event) {
	body, err := json.Marshal(event, durationsAsText)
	if err != nil { // a bug: every event is plain data
		r.log.Error("an event could not be written down", "event", fmt.Sprintf("%T", event), "error", err)
		return
	}
	name := fmt.Sprintf("%T", event)[len("route."):]
	r.store.Journal(store.JournalEntry{Step: step, At: at, Event: name, Body: body})
}

// SaveCall implements engine.Records.
func (r *records) SaveCall(record route.CallRecord) { r.store.SaveCall(record) }

// SaveDuty implements engine.Records. A newer change of the same person's duty, made through the API meanwhile, stands.
func (r *records) SaveDuty(operator callcenter.OperatorID, duty callcenter.Duty) {
	r.wg.Go(func() {
		err := r.store.Update(context.Background(), ruleActor, func(tx *store.Tx) error {
			user, ok := tx.User(operator)
			if !ok || user.Duty.Since.After(duty.Since) {
				return nil
			}
			changed := *user
			changed.Duty = duty
			return tx.PutUser(&changed)
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			r.log.Error("a duty change could not be written", "error", err)
		}
	})
}
