package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// CallLeg is one leg of an ended call: the caller's own, or that of an operator who was rung.
type CallLeg struct {
	ID     route.CallID
	Place  int // 0: the caller's leg, whose ID is the call's; n: the n-th offer
	Record route.CallRecord
	CallNotes
}

// CallNotes are what people and programs attached to a call.
type CallNotes struct {
	Labels     []string // in the order in which they were set
	CustomData string
}

// LegQuery chooses legs. Zero fields choose all.
type LegQuery struct {
	StartedAfter  time.Time // at or after it
	StartedBefore time.Time // before it
	Target        callcenter.Target
	BehindStart   time.Time // with Behind: goes on behind this leg
	Behind        route.CallID
	Limit         int // required
}

// writeLegs makes the legs of an ended call findable.
func (w *writer) writeLegs(rec route.CallRecord) error {
	_, err := w.stmts.saveLeg.Exec(int64(rec.Call), int64(rec.Call), 0, nanos(rec.Arrived),
		string(callcenter.TargetCallCenter), int64(rec.Center))
	for i, offer := range rec.Offers {
		if err != nil {
			return err
		}
		_, err = w.stmts.saveLeg.Exec(int64(route.OfferCall(rec.Call, i+1)), int64(rec.Call), i+1, nanos(offer.At),
			string(callcenter.TargetUser), int64(offer.Operator))
	}
	return err
}

const legSQL = `SELECT call_leg.id, place, doc, coalesce(labels, '[]'), coalesce(custom_data, '')
	FROM call_leg JOIN call ON call.id = call_leg.call LEFT JOIN call_note ON call_note.call = call_leg.call WHERE `

// CallLegs lists legs of ended calls, the latest start first. What SaveCall queued appears within 100 ms.
func (s *Store) CallLegs(ctx context.Context, q LegQuery) ([]CallLeg, error) {
	where, args := []string{"started >= ?"}, []any{nanos(q.StartedAfter)}
	add := func(clause string, values ...any) {
		where, args = append(where, clause), append(args, values...)
	}
	if !q.StartedBefore.IsZero() {
		add("started < ?", nanos(q.StartedBefore))
	}
	if q.Target != (callcenter.Target{}) {
		add("target_type = ? AND target_id = ?", string(q.Target.Type), q.Target.ID)
	}
	if q.Behind != 0 {
		add("(started, call_leg.id) < (?, ?)", nanos(q.BehindStart), int64(q.Behind))
	}
	args = append(args, q.Limit)
	return query(ctx, s.readers, scanLeg,
		legSQL+strings.Join(where, " AND ")+" ORDER BY started DESC, call_leg.id DESC LIMIT ?", args...)
}

// CallLeg finds one leg of an ended call. One that SaveCall queued is written for it: nobody who asks for a call that
// has just ended is told that there is none.
func (s *Store) CallLeg(ctx context.Context, id route.CallID) (CallLeg, bool, error) {
	list, err := query(ctx, s.readers, scanLeg, legSQL+"call_leg.id = ?", int64(id))
	if err == nil && len(list) == 0 {
		if err = s.Flush(ctx); err == nil {
			list, err = query(ctx, s.readers, scanLeg, legSQL+"call_leg.id = ?", int64(id))
		}
	}
	if err != nil || len(list) == 0 {
		return CallLeg{}, false, err
	}
	return list[0], true, nil
}

// CallNotes reads the notes of a call, also of one that still goes on; none are the zero value.
func (s *Store) CallNotes(ctx context.Context, call route.CallID) (CallNotes, error) {
	list, err := query(ctx, s.readers, scanNotes,
		"SELECT labels, custom_data FROM call_note WHERE call = ?", int64(call))
	if err != nil || len(list) == 0 {
		return CallNotes{}, err
	}
	return list[0], nil
}

// SetCallNotes replaces the labels of a call, and its custom data unless that is empty. The call may still go on.
func (s *Store) SetCallNotes(ctx context.Context, call route.CallID, notes CallNotes) error {
	labels, err := encode(slices.Concat([]string{}, notes.Labels))
	if err != nil {
		return err
	}
	return s.submit(ctx, &request{raw: func(w *writer) error {
		return w.execSQL(`INSERT INTO call_note (call, labels, custom_data) VALUES (?, ?, ?)
			ON CONFLICT (call) DO UPDATE SET labels = excluded.labels,
				custom_data = CASE excluded.custom_data WHEN '' THEN custom_data ELSE excluded.custom_data END`,
			int64(call), string(labels), notes.CustomData)
	}})
}

// CallLabels lists the labels that calls have, in alphabetical order, at most limit.
func (s *Store) CallLabels(ctx context.Context, limit int) ([]string, error) {
	return query(ctx, s.readers, scanText,
		"SELECT DISTINCT value FROM call_note, json_each(labels) ORDER BY value LIMIT ?", limit)
}

func scanLeg(rows *sql.Rows) (leg CallLeg, err error) {
	var doc, labels []byte
	if err = rows.Scan(&leg.ID, &leg.Place, &doc, &labels, &leg.CustomData); err != nil {
		return leg, err
	}
	rec, err := decode[route.CallRecord](doc)
	list, err2 := decode[[]string](labels)
	if err = errors.Join(err, err2); err == nil {
		leg.Record, leg.Labels = *rec, *list
	}
	return leg, err
}

func scanNotes(rows *sql.Rows) (notes CallNotes, err error) {
	var labels []byte
	if err = rows.Scan(&labels, &notes.CustomData); err != nil {
		return notes, err
	}
	list, err := decode[[]string](labels)
	if err == nil {
		notes.Labels = *list
	}
	return notes, err
}
