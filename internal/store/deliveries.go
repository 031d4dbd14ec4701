package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"switchboard/internal/callcenter"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID       int64 // given by AddDeliveries; later ones are greater
	Webhook  callcenter.WebhookID
	Lane     int64  // events of one webhook and lane go out in order
	Event    string // what it is, in words
	Body     []byte // JSON, unsigned; not read by Deliveries
	Created  time.Time
	Due      time.Time // the next attempt
	Attempts int
	Error    string // of the last attempt
	Dead     bool   // given up; kept for people to see
}

// AddDeliveries keeps events that must reach webhooks, durably and all or none, and fills in their IDs.
func (s *Store) AddDeliveries(ctx context.Context, list []Delivery) error {
	return s.submit(ctx, &request{raw: func(w *writer) error {
		for i := range list {
			d := &list[i]
			res, err := w.conn.ExecContext(context.Background(), `INSERT INTO delivery
				(webhook, lane, event, body, created, due, attempts, error, dead) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				int64(d.Webhook), d.Lane, d.Event, string(d.Body), nanos(d.Created), nanos(d.Due), d.Attempts, d.Error,
				d.Dead)
			if err != nil {
				return err
			}
			if d.ID, err = res.LastInsertId(); err != nil {
				return err
			}
		}
		return nil
	}})
}

const deliverySQL = "SELECT id, webhook, lane, event, created, due, attempts, error, dead FROM delivery WHERE "

// Deliveries lists those that are not given up, oldest first, without bodies, at most limit.
func (s *Store) Deliveries(ctx context.Context, limit int) ([]Delivery, error) {
	return query(ctx, s.readers, scanDelivery, deliverySQL+"dead = 0 ORDER BY id LIMIT ?", limit)
}

// DeadDeliveries lists those that were given up, oldest first, from behind an id, without bodies.
func (s *Store) DeadDeliveries(ctx context.Context, after int64, limit int) ([]Delivery, error) {
	return query(ctx, s.readers, scanDelivery, deliverySQL+"dead = 1 AND id > ? ORDER BY id LIMIT ?", after, limit)
}

// Delivery finds one with its body.
func (s *Store) Delivery(ctx context.Context, id int64) (Delivery, bool, error) {
	list, err := query(ctx, s.readers, scanDelivery, deliverySQL+"id = ?", id)
	if err != nil || len(list) == 0 {
		return Delivery{}, false, err
	}
	var body []byte
	err = s.readers.QueryRowContext(ctx, "SELECT body FROM delivery WHERE id = ?", id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, false, nil
	}
	if err != nil {
		return Delivery{}, false, fmt.Errorf("read delivery %d: %w", id, err)
	}
	list[0].Body = body
	return list[0], true, nil
}

// SettleDelivery queues what became of an attempt, as Journal does: done removes the delivery, else Attempts, Due,
// Error and Dead are kept.
func (s *Store) SettleDelivery(d Delivery, done bool) { s.queue.push(settled{d, done}) }

// ReviveDelivery takes a dead delivery up again, due now; false: there is none that is dead.
func (s *Store) ReviveDelivery(ctx context.Context, id int64) (bool, error) {
	return s.touchDelivery(ctx, `UPDATE delivery SET dead = 0, attempts = 0, created = ?2, due = ?2
		WHERE id = ?1 AND dead = 1`, id, nanos(s.opts.Now()))
}

// DropDelivery removes a dead delivery; false: there is none that is dead.
func (s *Store) DropDelivery(ctx context.Context, id int64) (bool, error) {
	return s.touchDelivery(ctx, "DELETE FROM delivery WHERE id = ? AND dead = 1", id)
}

// DropDeliveriesOf removes all deliveries to a webhook.
func (s *Store) DropDeliveriesOf(ctx context.Context, webhook callcenter.WebhookID) error {
	_, err := s.touchDelivery(ctx, "DELETE FROM delivery WHERE webhook = ?", int64(webhook))
	return err
}

// TrimDeliveries removes dead deliveries that were made before a time.
func (s *Store) TrimDeliveries(ctx context.Context, before time.Time) error {
	_, err := s.touchDelivery(ctx, "DELETE FROM delivery WHERE dead = 1 AND created < ?", nanos(before))
	return err
}

func (s *Store) touchDelivery(ctx context.Context, text string, args ...any) (touched bool, err error) {
	err = s.submit(ctx, &request{raw: func(w *writer) error {
		res, err := w.conn.ExecContext(context.Background(), text, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		touched = n > 0
		return err
	}})
	return touched && err == nil, err
}

func scanDelivery(rows *sql.Rows) (d Delivery, err error) {
	var created, due int64
	err = rows.Scan(&d.ID, &d.Webhook, &d.Lane, &d.Event, &created, &due, &d.Attempts, &d.Error, &d.Dead)
	d.Created, d.Due = instant(created), instant(due)
	return d, err
}

type settled struct {
	delivery Delivery
	done     bool
}

func (e settled) write(w *writer) error {
	d := e.delivery
	if e.done {
		_, err := w.stmts.dropDelivery.Exec(d.ID)
		return err
	}
	_, err := w.stmts.settleDelivery.Exec(d.Attempts, nanos(d.Due), d.Error, d.Dead, d.ID)
	return err
}
