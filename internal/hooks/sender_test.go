package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/store"
)

// box is an outbox in memory, so that time can be virtual.
type box struct {
	mu   sync.Mutex
	list map[int64]store.Delivery
	next int64
}

func (b *box) AddDeliveries(_ context.Context, list []store.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range list {
		b.next++
		list[i].ID = b.next
		b.list[b.next] = list[i]
	}
	return nil
}

func (b *box) Deliveries(context.Context, int) ([]store.Delivery, error) { return nil, nil }

func (b *box) Delivery(_ context.Context, id int64) (store.Delivery, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.list[id]
	return d, ok, nil
}

func (b *box) SettleDelivery(d store.Delivery, done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done {
		delete(b.list, d.ID)
		return
	}
	d.Body = b.list[d.ID].Body
	b.list[d.ID] = d
}

func (b *box) ReviveDelivery(_ context.Context, id int64) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.list[id]
	if !ok || !d.Dead {
		return false, nil
	}
	d.Dead, d.Attempts, d.Created, d.Due = false, 0, time.Now(), time.Now()
	b.list[id] = d
	return true, nil
}

func (b *box) DropDeliveriesOf(context.Context, callcenter.WebhookID) error { return nil }

func (b *box) TrimDeliveries(context.Context, time.Time) error { return nil }

// still is settings that do not change.
type still struct{ snapshot *store.Snapshot }

func (s still) Snapshot() *store.Snapshot { return s.snapshot }

func (s still) Update(context.Context, store.Actor, func(*store.Tx) error) error {
	return errors.New("nothing changes here")
}

// web answers requests in place of a network.
type web func(body string) (status int, err error)

func (w web) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	status, err := w(string(body))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// inVirtualTime runs hooks that send to w, with a webhook 61.
func inVirtualTime(t *testing.T, w web, test func(t *testing.T, h *Hooks, b *box)) {
	t.Helper()
	co := newCompany(t, t.TempDir())
	co.furnish("https://example.com/in", "", callcenter.Subscription{Kind: callcenter.CallEvents})
	settings := still{co.store.Snapshot()}
	synctest.Test(t, func(t *testing.T) {
		b := &box{list: map[int64]store.Delivery{}}
		h, err := New(t.Context(), Config{
			Settings: settings, Outbox: b, Log: slog.New(slog.DiscardHandler),
			Webhooks: &http.Client{Transport: w, Timeout: DeliveryTimeout},
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, h, b)
		h.Close()
	})
}

// events puts events into a lane: their bodies are the lane and a number.
func (b *box) events(t *testing.T, h *Hooks, lane int64, n int) {
	t.Helper()
	var list []store.Delivery
	for i := range n {
		list = append(list, store.Delivery{
			Webhook: 61, Lane: lane, Event: "call", Body: fmt.Appendf(nil, "%d-%d", lane, i),
			Created: time.Now(), Due: time.Now(),
		})
	}
	if err := b.AddDeliveries(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	h.sender.add(list)
}

func TestOrderIsKeptPerCallAndOthersDoNotWait(t *testing.T) {
	var mu sync.Mutex
	var got []string
	failures := 3
	inVirtualTime(t, func(body string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if body == "1-0" && failures > 0 {
			failures--
			return 500, nil
		}
		got = append(got, body)
		return 204, nil
	}, func(t *testing.T, h *Hooks, b *box) {
		b.events(t, h, 1, 3)
		b.events(t, h, 2, 3)
		synctest.Wait()
		mu.Lock()
		if want := []string{"2-0", "2-1", "2-2"}; !slices.Equal(got, want) {
			t.Errorf("while call 1 fails: %v, want %v", got, want)
		}
		mu.Unlock()
		time.Sleep(10 * time.Second) // 1 + 2 + 4, each at most 1.2 times
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"2-0", "2-1", "2-2", "1-0", "1-1", "1-2"}; !slices.Equal(got, want) {
			t.Errorf("in the end: %v, want %v", got, want)
		}
		if len(b.list) != 0 {
			t.Errorf("left: %v", b.list)
		}
	})
}

func TestAnEventIsGivenUpAfterADayAndCanBeReplayed(t *testing.T) {
	var mu sync.Mutex
	var at []time.Time
	down := true
	inVirtualTime(t, func(string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		if down {
			return 0, errors.New("connection refused")
		}
		return 200, nil
	}, func(t *testing.T, h *Hooks, b *box) {
		began := time.Now()
		b.events(t, h, 1, 1)
		time.Sleep(GiveUpAfter + 2*MaxRetry)
		synctest.Wait()
		dead := b.list[1]
		if !dead.Dead || !strings.Contains(dead.Error, "connection refused") || dead.Attempts != len(at) {
			t.Errorf("%+v after %d attempts", dead, len(at))
		}
		if len(at) < 30 || len(at) > 45 {
			t.Errorf("%d attempts in a day", len(at))
		}
		for i := 1; i < len(at); i++ {
			wait := at[i].Sub(at[i-1])
			if least := min(MaxRetry, MinRetry<<min(i-1, 12)) * 79 / 100; wait < least || wait > MaxRetry*121/100 {
				t.Errorf("attempt %d came %s after the one before", i+1, wait)
			}
		}
		if last := at[len(at)-1].Sub(began); last < GiveUpAfter {
			t.Errorf("given up after %s", last)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		if ok, err := h.Replay(t.Context(), 1); !ok || err != nil {
			t.Errorf("replay: %v, %v", ok, err)
		}
		synctest.Wait()
		if len(b.list) != 0 {
			t.Errorf("left: %+v", b.list)
		}
		if ok, err := h.Replay(t.Context(), 1); ok || err != nil {
			t.Errorf("replay of nothing: %v, %v", ok, err)
		}
	})
}

func TestAWebhookGetsFewAttemptsAtATime(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	inVirtualTime(t, func(string) (int, error) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		now--
		return 200, nil
	}, func(t *testing.T, h *Hooks, b *box) {
		for lane := range int64(50) {
			b.events(t, h, lane+1, 2)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if most != MaxInFlight || len(b.list) != 0 {
			t.Errorf("%d at a time, %d left", most, len(b.list))
		}
	})
}
