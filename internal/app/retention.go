package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// sweepEvery is how often recordings and voicemails that are too old are looked for.
const sweepEvery = time.Hour

// retentionPage is how many recordings are looked at in one go.
const retentionPage = 500

// retention removes recordings and voicemails, rows and files, that are older than their call center keeps them.
type retention struct {
	dir   string // the data directory
	store *store.Store
	log   *slog.Logger
}

// run sweeps now and then until the context ends.
func (r retention) run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if n, err := r.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			r.log.Error("old recordings could not be removed", "error", err)
		} else if n > 0 {
			r.log.Info("old recordings and voicemails were removed", "files", n)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep removes what is too old at now and says how many that were.
func (r retention) sweep(ctx context.Context, now time.Time) (removed int, err error) {
	limits, err := r.limits(ctx, now)
	if err != nil {
		return 0, err
	}
	if len(limits) == 0 {
		return 0, nil
	}
	for center, limit := range limits {
		n, err := r.recordings(ctx, center, limit)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	voicemails, err := r.store.Voicemails(ctx)
	if err != nil {
		return removed, err
	}
	for _, v := range voicemails {
		if limit, ok := limits[v.Center]; ok && v.Complete && v.At.Before(limit) {
			removeFile(filepath.Join(r.dir, v.Path), r.log)
			r.store.DropVoicemail(v.ID)
			removed++
		}
	}
	return removed, nil
}

// limits says of each call center that does not keep for ever how old at now its recordings may be. What was left of a
// call center that was deleted is kept as long as that last said.
func (r retention) limits(ctx context.Context, now time.Time) (map[callcenter.ID]time.Time, error) {
	deleted, err := r.store.DeletedCenters(ctx)
	if err != nil {
		return nil, err
	}
	limits := map[callcenter.ID]time.Time{}
	for _, center := range append(deleted, r.store.Snapshot().Centers()...) {
		if days := center.Extras.RecordingRetentionDays; days > 0 {
			limits[center.ID] = now.AddDate(0, 0, -days)
		}
	}
	return limits, nil
}

func (r retention) recordings(ctx context.Context, center callcenter.ID, limit time.Time) (removed int, err error) {
	query := store.RecordingQuery{Center: center, Before: limit, Limit: retentionPage}
	for {
		page, err := r.store.Recordings(ctx, query)
		if err != nil {
			return removed, err
		}
		for _, rec := range page {
			if rec.Complete {
				removeFile(filepath.Join(r.dir, rec.Path), r.log)
				r.store.DropRecording(rec.ID)
				removed++
			}
		}
		if len(page) < retentionPage {
			return removed, nil
		}
		query.Behind = &page[len(page)-1]
	}
}
