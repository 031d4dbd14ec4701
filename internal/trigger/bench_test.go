package trigger

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// counting is Runs that only count.
type counting struct {
	Runs
	n atomic.Int64
}

// Start implements Runs.
func (c *counting) Start(context.Context, flow.StartRequest, string, string) (flow.RunID, error) {
	c.n.Add(1)
	return "r", nil
}

// BenchmarkEvents measures what telling costs whoever tells, and how fast events come through the disk to their action.
func BenchmarkEvents(b *testing.B) {
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	runs := &counting{}
	t, err := New(b.Context(), Config{Store: s, Runs: runs, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	if err := t.PutHandlers(b.Context(), "b", []flow.EventHandler{*starter("tell", ended)}, false); err != nil {
		b.Fatal(err)
	}
	payload := []byte(`{"call":{"id":7,"from":"+4930"}}`)
	told := time.Duration(0)
	for i := range b.N {
		for t.Stats().Waiting > MaxWaiting/2 {
			time.Sleep(time.Millisecond)
		}
		began := time.Now()
		t.Tell(Event{ID: fmt.Sprint(i), Name: ended, At: began, Payload: payload})
		told += time.Since(began)
	}
	for runs.n.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(told.Nanoseconds())/float64(b.N), "ns/tell")
	b.ReportMetric(float64(t.Stats().Dropped), "dropped")
}
