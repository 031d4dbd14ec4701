package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// sql runs a statement on the writer's connection.
func (s *Store) sql(t testing.TB, text string) {
	t.Helper()
	if err := s.submit(t.Context(), &request{raw: func(w *writer) error { return w.execSQL(text) }}); err != nil {
		t.Fatal(err)
	}
}

// held stops the writer in a hook until release is called, so that a test can pile up what comes next.
func held(t *testing.T, s *Store) (release func()) {
	t.Helper()
	gate, once := make(chan struct{}), sync.Once{}
	s.OnCommit(func([]Change) { once.Do(func() { <-gate }) })
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Update(context.Background(), "test", func(tx *Tx) error {
			return tx.PutCenter(center(1, "holds the writer"))
		}); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return func() {
		close(gate)
		wg.Wait()
	}
}

func TestWaitingChangesShareACommit(t *testing.T) {
	for _, c := range []struct{ writers, maxBatch, commits int }{
		{64, 0, 2}, {64, 64, 2}, {65, 64, 3}, {3, 1, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, t.TempDir(), Options{MaxBatch: c.maxBatch})
			release := held(t, s)
			var wg sync.WaitGroup
			for i := range c.writers {
				wg.Go(func() {
					id := callcenter.ID(i + 10)
					if err := s.Update(context.Background(), "test", func(tx *Tx) error {
						return tx.PutCenter(center(id, "c"))
					}); err != nil {
						t.Error(err)
					}
					if _, ok := s.Snapshot().Center(id); !ok {
						t.Errorf("center %d was acknowledged and is not there", id)
					}
				})
			}
			synctest.Wait()
			release()
			wg.Wait()
			if st := s.Stats(); st.Commits != int64(c.commits) || st.Changes != int64(c.writers+1) {
				t.Errorf("%d writers in batches of %d: %+v", c.writers, c.maxBatch, st)
			}
		})
	}
}

func TestFailingChangeLeavesTheRestOfItsBatchAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, Options{})
		s.sql(t, `CREATE TRIGGER poison BEFORE INSERT ON trunk WHEN new.doc LIKE '%poison%'
			BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
		mine := errors.New("mine")
		release := held(t, s)
		results := make([]error, 40)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				results[i] = s.Update(context.Background(), "test", func(tx *Tx) error {
					if err := tx.PutCenter(center(callcenter.ID(i+100), "c", 7)); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return mine
					case 2:
						return tx.PutTrunk(&callcenter.Trunk{ID: callcenter.TrunkID(i + 500), Name: "poison"})
					case 3:
						panic("boom")
					}
					return nil
				})
			})
		}
		synctest.Wait()
		release()
		wg.Wait()
		for i, err := range results {
			boom, panicked := errors.AsType[*PanicError](err)
			right := [4]bool{
				err == nil,
				err == mine, // as it is, not wrapped
				err != nil && strings.Contains(err.Error(), "poisoned"),
				panicked && boom.Value == "boom" && len(boom.Stack) > 0,
			}
			if !right[i%4] {
				t.Errorf("change %d: %v", i, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, n := range []*Snapshot{s.Snapshot(), open(t, dir, Options{}).Snapshot()} {
			if len(n.Centers()) != 11 || len(n.CentersOf(7)) != 10 || len(n.Trunks()) != 0 {
				t.Errorf("%d centers, %d of operator 7, %d trunks",
					len(n.Centers()), len(n.CentersOf(7)), len(n.Trunks()))
			}
			if !slices.IsSortedFunc(n.Centers(), func(a, b *callcenter.Center) int { return int(a.Seq - b.Seq) }) {
				t.Error("centers are not in Seq order")
			}
		}
	})
}

func TestFailedCommitChangesNothingAndKeepsTheJournal(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, furnish)
	// RAISE(ROLLBACK) ends the whole transaction, as a full disk does.
	s.sql(t, `CREATE TRIGGER full BEFORE INSERT ON trunk BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END`)
	before := s.Snapshot()
	called := false
	s.OnCommit(func([]Change) { called = true })
	s.Journal(JournalEntry{Step: 1, At: time.Now(), Event: "Tick", Body: []byte("{}")})
	err := s.Update(t.Context(), "test", func(tx *Tx) error {
		return errors.Join(tx.PutCenter(center(50, "c")), tx.PutTrunk(&callcenter.Trunk{ID: 51}))
	})
	if err == nil || !strings.Contains(err.Error(), "disk full") || called {
		t.Fatalf("Update: %v; hooks called: %v", err, called)
	}
	if s.Snapshot() != before || s.Stats().LastError == nil || s.Stats().Waiting != 1 {
		t.Errorf("after a failed commit: %+v", s.Stats())
	}
	s.sql(t, "DROP TRIGGER full")
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.PutTrunk(&callcenter.Trunk{ID: 51}) })
	entries, err := s.Entries(t.Context(), 0, 10)
	if err != nil || len(entries) != 1 || s.Stats().LastError != nil {
		t.Errorf("%d entries, %v, %+v", len(entries), err, s.Stats())
	}
}

func TestHooksHearChangesInOrderBeforeTheAnswer(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	var heard []string
	s.OnCommit(func(changes []Change) {
		for _, c := range changes {
			name := func(v any) string {
				if v == nil {
					return "none"
				}
				return v.(*callcenter.Center).Settings.Name
			}
			now, ok := s.Snapshot().Center(1)
			if ok != (c.New != nil) || ok && now != c.New {
				t.Error("a hook ran before the snapshot was published")
			}
			heard = append(heard, fmt.Sprintf("%s by %s: %s > %s", c.Kind, c.By, name(c.Old), name(c.New)))
		}
	})
	s.OnCommit(func([]Change) { heard = append(heard, "second hook") })
	update(t, s, func(tx *Tx) error { return tx.PutCenter(center(1, "a")) })
	if len(heard) != 2 { // before Update returned: no waiting here
		t.Fatalf("heard %q", heard)
	}
	update(t, s, func(*Tx) error { return nil })
	if err := s.Update(t.Context(), "test", func(tx *Tx) error {
		return errors.Join(tx.PutCenter(center(1, "x")), errors.New("no"))
	}); err == nil {
		t.Fatal("no error")
	}
	update(t, s, func(tx *Tx) error { return tx.PutCenter(center(1, "b")) })
	update(t, s, func(tx *Tx) error {
		_, err := tx.DeleteCenter(1)
		return err
	})
	want := []string{
		"callcenter by test: none > a", "second hook", "callcenter by test: a > b", "second hook",
		"callcenter by test: b > none", "second hook",
	}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

func TestProgrammersErrorsArePanicsThatEndInAnError(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	update(t, s, furnish)
	var kept *Tx
	update(t, s, func(tx *Tx) error {
		kept = tx
		return nil
	})
	for name, change := range map[string]func(*Tx) error{
		"copy it first": func(tx *Tx) error {
			c, _ := tx.Center(22)
			return tx.PutCenter(c)
		},
		"without a valid id": func(tx *Tx) error { return tx.PutCenter(center(0, "c")) },
		"valid id":           func(tx *Tx) error { return tx.PutCenter(center(MaxID+1, "c")) },
		"after its change":   func(*Tx) error { return kept.PutCenter(center(5, "c")) },
	} {
		err := s.Update(t.Context(), "test", change)
		if _, ok := errors.AsType[*PanicError](err); !ok || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	update(t, s, func(tx *Tx) error { return tx.PutCenter(center(MaxID, "c")) })
}

func TestCancelledChangeIsNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		release := held(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		ran := false
		var wg sync.WaitGroup
		wg.Go(func() {
			err := s.Update(ctx, "test", func(*Tx) error {
				ran = true
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Update: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		release()
		update(t, s, func(*Tx) error { return nil })
		if ran {
			t.Error("a cancelled change was run")
		}
		if err := s.Update(ctx, "test", func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("Update with an ended context: %v", err)
		}
	})
}

func TestClosedStoreRefuses(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), "test", func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Update: %v", err)
	}
	s.Journal(JournalEntry{Step: 1})
	if st := s.Stats(); st.Dropped != 1 || st.Waiting != 0 {
		t.Errorf("journal after Close: %+v", st)
	}
}

func TestJournalIsOnDiskWithin100ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.Journal(JournalEntry{Step: 1, At: time.Now(), Event: "Tick"})
		time.Sleep(100 * time.Millisecond) // of the bubble's own clock
		synctest.Wait()
		if entries, err := s.Entries(t.Context(), 0, 10); err != nil || len(entries) != 1 {
			t.Errorf("%d entries, %v", len(entries), err)
		}
	})
}

func TestJournalIsBoundedAndCountsWhatItDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 8
		s := open(t, t.TempDir(), Options{MaxJournal: most})
		release := held(t, s)
		for i := range most + 3 {
			s.Journal(JournalEntry{Step: uint64(i + 1), At: time.Now(), Event: "Tick"})
		}
		if st := s.Stats(); st.Waiting != most || st.Dropped != 3 {
			t.Errorf("%+v", st)
		}
		release()
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		entries, err := s.Entries(t.Context(), 0, 100)
		if err != nil || len(entries) != most || entries[most-1].Step != most {
			t.Errorf("%d entries, %v: the oldest should have stayed", len(entries), err)
		}
	})
}

func TestJournalSurvivesCloseAndKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	const n = maxEntries + 500 // more than one commit takes
	at := time.Date(2026, 1, 1, 0, 0, 0, 1, time.UTC)
	for i := range n {
		s.Journal(JournalEntry{Step: uint64(i + 1), At: at, Event: "Digit", Body: []byte(`{"Digit":1}`)})
	}
	s.Journal(JournalEntry{Step: 1, At: at, Event: "again"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Entries != n || st.Dropped != 1 {
		t.Errorf("%+v", st)
	}
	s = open(t, dir, Options{})
	if step, err := s.MaxStep(t.Context()); err != nil || step != n {
		t.Errorf("MaxStep %d, %v", step, err)
	}
	entries, err := s.Entries(t.Context(), 0, n+1)
	if err != nil || len(entries) != n {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	e := entries[0]
	if e.Step != 1 || !e.At.Equal(at) || e.Event != "Digit" || string(e.Body) != `{"Digit":1}` {
		t.Errorf("first entry: %+v", e)
	}
	if tail, err := s.Entries(t.Context(), n-2, 1); err != nil || len(tail) != 1 || tail[0].Step != n-1 {
		t.Errorf("tail: %v, %v", tail, err)
	}
}

func TestTrimJournalKeepsTheLastStep(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const n = trimChunk + 10
	for i := range n {
		s.Journal(JournalEntry{Step: uint64(i + 1), At: start.Add(time.Duration(i) * time.Second), Event: "Tick"})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before time.Time
		gone   int64
	}{
		{start, 0},
		{start.Add(time.Second), 1},
		{start.Add((n - 2) * time.Second), n - 3},
		{start.Add(time.Hour * 1000), 1},
		{start.Add(time.Hour * 1000), 0},
	} {
		if gone, err := s.TrimJournal(t.Context(), c.before); err != nil || gone != c.gone {
			t.Errorf("before %v: %d gone, want %d, %v", c.before, gone, c.gone, err)
		}
	}
	if step, err := s.MaxStep(t.Context()); err != nil || step != n {
		t.Errorf("MaxStep %d, %v", step, err)
	}
}

func TestCallsAreListedNewestFirst(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 10 {
		s.SaveCall(route.CallRecord{
			Call: route.CallID(i + 1), Center: 22, From: "+431", Outcome: route.Abandoned, Arrived: start,
			Ended: start.Add(time.Duration(i) * time.Minute),
		})
	}
	kept := route.CallRecord{
		Call: 10, Center: 22, Outcome: route.Answered, Operator: 11, Arrived: start, Ended: start.Add(9 * time.Minute),
		Offers: []route.OfferRecord{{Operator: 11, At: start, Until: start, Result: "answered", Why: "idle longest"}},
	}
	s.SaveCall(kept)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := s.Calls(t.Context(), 4, time.Time{})
	if err != nil || len(page) != 4 || page[3].Call != 7 || fmt.Sprint(page[0]) != fmt.Sprint(kept) {
		t.Fatalf("first page: %+v, %v", page, err)
	}
	rest, err := s.Calls(t.Context(), 100, page[3].Ended)
	if err != nil || len(rest) != 6 || rest[0].Call != 6 || rest[5].Call != 1 {
		t.Errorf("the rest: %+v, %v", rest, err)
	}
	kept.Offers = nil
	past, err := s.PastCalls(t.Context(), start.Add(5*time.Minute), 3)
	if err != nil || len(past) != 3 || past[2].Call != 8 || fmt.Sprint(past[0]) != fmt.Sprint(kept) {
		t.Errorf("past: %+v, %v", past, err)
	}
	if past, err = s.PastCalls(t.Context(), start.Add(5*time.Minute), 9); err != nil || len(past) != 4 {
		t.Errorf("%d ended in the last four minutes, %v", len(past), err)
	}
}
