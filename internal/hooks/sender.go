package hooks

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// How events are sent (docs/reference/events.md, "Delivery").
const (
	DeliveryTimeout = 10 * time.Second // for one attempt
	MinRetry        = time.Second      // after the first attempt that failed; doubled after each
	MaxRetry        = time.Hour
	GiveUpAfter     = 24 * time.Hour      // from the event
	DeadLife        = 30 * 24 * time.Hour // how long events that were given up are kept
	MaxInFlight     = 8                   // attempts at a time to one webhook
	MaxPending      = 100_000             // events that wait in memory; more wait on disk for the next start

	jitter    = 0.2      // of each wait, either way, so that many do not come back at once
	maxAnswer = 64 << 10 // bytes of an answer that are read
)

// lane is the events of one webhook about one call, in order. Only its head is ever sent.
type lane struct {
	webhook callcenter.WebhookID
	waiting []store.Delivery // without bodies
	busy    bool
}

type laneKey struct {
	webhook callcenter.WebhookID
	lane    int64
}

// sender sends deliveries.
type sender struct {
	cfg  Config
	wake chan struct{}
	wg   sync.WaitGroup

	mu       sync.Mutex
	lanes    map[laneKey]*lane
	inFlight map[callcenter.WebhookID]int
	pending  int
}

func newSender(cfg Config) *sender {
	return &sender{
		cfg: cfg, wake: make(chan struct{}, 1), lanes: map[laneKey]*lane{},
		inFlight: map[callcenter.WebhookID]int{},
	}
}

// add has deliveries sent that are on disk.
func (s *sender) add(list []store.Delivery) {
	s.mu.Lock()
	for _, d := range list {
		if s.pending >= MaxPending {
			s.cfg.Log.Warn("an event has to wait for the next start: too many wait already", "webhook", d.Webhook)
			continue
		}
		key := laneKey{d.Webhook, d.Lane}
		l := s.lanes[key]
		if l == nil {
			l = &lane{webhook: d.Webhook}
			s.lanes[key] = l
		}
		d.Body = nil
		l.waiting = append(l.waiting, d)
		s.pending++
	}
	s.mu.Unlock()
	s.poke()
}

// forget drops what waits for a webhook.
func (s *sender) forget(webhook callcenter.WebhookID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, l := range s.lanes {
		if key.webhook == webhook {
			s.pending -= len(l.waiting)
			l.waiting = nil
			delete(s.lanes, key)
		}
	}
}

func (s *sender) poke() {
	select {
	case s.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
}

// run starts attempts as they come due.
func (s *sender) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(s.start(ctx))
		select {
		case <-s.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// start begins every attempt that may be made now, and says how long there is none.
func (s *sender) start(ctx context.Context) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, idle := s.cfg.Now(), MaxRetry
	for key, l := range s.lanes {
		switch {
		case len(l.waiting) == 0:
			delete(s.lanes, key)
		case l.busy, s.inFlight[l.webhook] >= MaxInFlight:
		case l.waiting[0].Due.After(now):
			idle = min(idle, l.waiting[0].Due.Sub(now))
		default:
			l.busy = true
			s.inFlight[l.webhook]++
			head := l.waiting[0]
			s.wg.Go(func() { s.attempt(ctx, l, head) })
		}
	}
	return idle
}

// attempt sends the head of a lane once.
func (s *sender) attempt(ctx context.Context, l *lane, d store.Delivery) {
	err := s.send(ctx, d)
	if ctx.Err() == nil {
		d = s.settle(d, err)
	}
	s.mu.Lock()
	l.busy = false
	s.inFlight[l.webhook]--
	if ctx.Err() == nil && len(l.waiting) > 0 {
		if l.waiting[0] = d; err == nil || d.Dead {
			l.waiting = l.waiting[1:]
			s.pending--
		}
	}
	s.mu.Unlock()
	s.poke()
}

// settle writes down what became of an attempt.
func (s *sender) settle(d store.Delivery, err error) store.Delivery {
	d.Attempts++
	if err == nil {
		s.cfg.Outbox.SettleDelivery(d, true)
		return d
	}
	now := s.cfg.Now()
	d.Error, d.Due = err.Error(), now.Add(retryAfter(d.Attempts))
	if now.Sub(d.Created) >= GiveUpAfter {
		d.Dead = true
		s.cfg.Notice("A webhook took no " + d.Event + " event for a day; it is kept under dead letters: " + d.Error)
	}
	s.cfg.Outbox.SettleDelivery(d, false)
	return d
}

// retryAfter is how long to wait after so many attempts.
func retryAfter(attempts int) time.Duration {
	wait := MaxRetry
	if doubled := MinRetry << min(attempts-1, 12); doubled < wait {
		wait = doubled
	}
	return time.Duration(float64(wait) * (1 - jitter + 2*jitter*rand.Float64()))
}

// send makes one attempt. A webhook that was deleted takes everything.
func (s *sender) send(ctx context.Context, d store.Delivery) error {
	webhook, ok := s.cfg.Settings.Snapshot().Webhook(d.Webhook)
	if !ok {
		return nil
	}
	full, ok, err := s.cfg.Outbox.Delivery(ctx, d.ID)
	if err != nil {
		return err
	}
	if !ok {
		return nil
	}
	body, contentType := sealed(full.Body, webhook.Secret)
	ctx, cancel := context.WithTimeout(ctx, DeliveryTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, webhook.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	dress(r, contentType)
	r.Header.Set("Switchboard-Delivery", strconv.FormatInt(d.ID, 10))
	answer, err := s.cfg.Webhooks.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // so that the connection can be used again
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("answered %d", answer.StatusCode)
	}
	return nil
}
