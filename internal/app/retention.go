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
	centers, err := r.centers(ctx)
	if err != nil {
		return 0, err
	}
	limits := map[callcenter.ID]time.Time{} // of recordings and voicemails
	for _, center := range centers {
		if days := center.Extras.VoiceRetentionDays; days > 0 {
			n, err := r.conversations(ctx, center.ID, now.AddDate(0, 0, -days))
			removed += n
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

// centers are all call centers, the deleted ones too: what was left of those is kept as long as they last said.
func (r retention) centers(ctx context.Context) ([]*callcenter.Center, error) {
	deleted, err := r.store.DeletedCenters(ctx)
	if err != nil {
		return nil, err
	}
	return append(deleted, r.store.Snapshot().Centers()...), nil
}

// conversations removes those of before limit, and their transcripts.
func (r retention) conversations(ctx context.Context, center callcenter.ID, limit time.Time) (removed int, err error) {
	figures, err := r.store.TrimConversations(ctx, center, limit)
	if err != nil {
		return int(figures), err
	}
	words, err := r.store.TrimTranscripts(ctx, center, limit)
	return int(figures + words), err
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
