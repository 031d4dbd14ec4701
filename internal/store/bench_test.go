package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
)

// BenchmarkUpdate is durable changes of one setting among 1,000 call centers, by writers that each wait for the answer.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, b.TempDir(), Options{})
			fill(b, s, 1000)
			before := s.Stats()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				share := b.N / writers
				if w < b.N%writers {
					share++
				}
				wg.Go(func() {
					for n := range share {
						if err := ringSeconds(s, callcenter.ID((w*share+n)%1000+1), n); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			after := s.Stats()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
			b.ReportMetric(float64(b.N)/float64(after.Commits-before.Commits), "changes/commit")
		})
	}
}

// BenchmarkJournal is entries per second from Journal to the disk.
func BenchmarkJournal(b *testing.B) {
	s := open(b, b.TempDir(), Options{MaxJournal: max(b.N, 1)})
	body := []byte(`{"Leg":{"Call":1234567890123456,"N":1}}`)
	at := time.Now()
	b.ResetTimer()
	for i := range b.N {
		s.Journal(JournalEntry{Step: uint64(i + 1), At: at, Event: "LegRinging", Body: body})
	}
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkOpen is a start with 1,000 call centers of ten people each.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, Options{})
	fill(b, s, 1000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func fill(b *testing.B, s *Store, centers int) {
	b.Helper()
	update(b, s, func(tx *Tx) error {
		for i := range centers {
			c := center(callcenter.ID(i+1), "a call center of a thousand")
			for m := range 10 {
				op := callcenter.OperatorID(5000 + (i*10+m)%1000)
				c.Members = append(c.Members, callcenter.Member{Operator: op, Role: callcenter.RoleOperator})
			}
			if err := tx.PutCenter(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func ringSeconds(s *Store, id callcenter.ID, n int) error {
	return s.Update(context.Background(), "bench", func(tx *Tx) error {
		c, ok := tx.Center(id)
		if !ok {
			return ErrNotFound
		}
		changed := *c
		changed.Settings.RingSeconds = 10 + n%300
		return tx.PutCenter(&changed)
	})
}
