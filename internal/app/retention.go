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

// retention removes recordings, voicemails and conversations, rows and files, that are older than their call center
// keeps them.
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
			r.log.Info("old recordings, voicemails, conversations and transcripts were removed", "removed", n)
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
	limits := map[callcenter.ID]time.Time{}
	for _, center := range r.store.Snapshot().Centers() {
		if days := center.Extras.VoiceRetentionDays; days > 0 {
			before := now.AddDate(0, 0, -days)
			n, err := r.store.TrimConversations(ctx, center.ID, before)
			removed += int(n)
			if err == nil {
				n, err = r.store.TrimTranscripts(ctx, center.ID, before)
				removed += int(n)
			}
			if err != nil {
				return removed, err
			}
		}
		if days := center.Extras.RecordingRetentionDays; days > 0 {
			limits[center.ID] = now.AddDate(0, 0, -days)
		}
	}
	if len(limits) == 0 {
		return removed, nil
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
