package app

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// maxPastCalls bounds what a start reads of the calls of the day before: three tenths of a second of one processor.
const maxPastCalls = 20_000

// tellPast gives the core what the calls of the day before came to, and who talked last.
func (a *App) tellPast(ctx context.Context, now time.Time) error {
	past, err := a.store.PastCalls(ctx, now.Add(-route.FiguresFor), maxPastCalls)
	if err != nil {
		return fmt.Errorf("read the calls of the day before: %w", err)
	}
	byCenter := map[callcenter.ID][]route.CallRecord{}
	for _, record := range past {
		byCenter[record.Center] = append(byCenter[record.Center], record)
	}
	for _, center := range a.store.Snapshot().Centers() {
		if records := byCenter[center.ID]; len(records) > 0 {
			target := time.Duration(center.Settings.Alerts.ServiceLevelSeconds) * time.Second
			a.engine.Say(route.RestoreFigures{Figures: route.FiguresOf(center.ID, target, records, now)})
		}
	}
	changes, err := a.store.Journalled(ctx, now.Add(-longestWrapUp), "WrapUpEnded", "WrapUpExtended")
	if err != nil {
		return fmt.Errorf("read what became of wrap-ups: %w", err)
	}
	for _, talk := range a.lastTalks(past) {
		if err := changed(&talk, changes); err != nil {
			return fmt.Errorf("read what became of wrap-ups: %w", err)
		}
		a.engine.Say(talk)
	}
	return nil
}

// longestWrapUp is how long one can last that was extended.
const longestWrapUp = (callcenter.MaxWrapUpSeconds + callcenter.MaxWrapUpExtensionSeconds) * time.Second

// lastTalks finds each operator's last call, of records that begin with the latest. The wrap-up after it is as long as
// the settings say.
func (a *App) lastTalks(past []route.CallRecord) (talks []route.RestoreTalk) {
	seen := map[callcenter.OperatorID]bool{}
	for _, r := range past {
		if r.Operator == 0 || r.Outcome != route.Answered || r.Connected.IsZero() || seen[r.Operator] {
			continue
		}
		seen[r.Operator] = true
		center, ok := a.store.Snapshot().Center(r.Center)
		if !ok {
			continue
		}
		wrap := time.Duration(center.Settings.AdvancedSettings.MaxWrapUpSeconds) * time.Second
		talks = append(talks, route.RestoreTalk{
			Operator: r.Operator, Ended: r.Ended, WrapUp: r.Ended.Add(wrap),
			Extend: time.Duration(center.Extras.WrapUpExtensionSeconds) * time.Second,
		})
	}
	return talks
}

// changed ends or extends a wrap-up as the journal has it.
func changed(talk *route.RestoreTalk, journal []store.JournalEntry) error {
	for _, entry := range journal {
		var event struct {
			Operator callcenter.OperatorID
			Extra    string
		}
		if err := json.Unmarshal(entry.Body, &event); err != nil {
			return fmt.Errorf("step %d: %w", entry.Step, err)
		}
		switch {
		case event.Operator != talk.Operator || entry.At.Before(talk.Ended) || entry.At.After(talk.WrapUp):
		case entry.Event == "WrapUpEnded":
			talk.WrapUp = entry.At
			return nil
		case talk.Extend > 0:
			extra, err := time.ParseDuration(event.Extra)
			if err != nil {
				return fmt.Errorf("step %d: %w", entry.Step, err)
			}
			if extra < 0 {
				continue
			}
			if extra == 0 || extra > talk.Extend {
				extra = talk.Extend
			}
			talk.WrapUp, talk.Extend = talk.WrapUp.Add(extra), 0
		}
	}
	return nil
}
