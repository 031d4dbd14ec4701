// Package store keeps the truth on disk: settings and their history, keys, sessions, calls, voicemails and the journal,
// in one SQLite database with one writer that commits in groups.
//
// It refuses to know rules: what may be written is decided by its callers, inside the change they hand to Update. It
// keeps no plain secret, and it never makes a call wait for the disk.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// The defaults of Options.
const (
	DefaultMaxBatch   = 256
	DefaultMaxJournal = 65_536
)

// Options bound the writer. The zero Options are the defaults.
type Options struct {
	MaxBatch   int              // changes per commit; DefaultMaxBatch
	MaxJournal int              // journal entries waiting; DefaultMaxJournal; more are dropped and counted
	Now        func() time.Time // the clock; time.Now
}

// What callers may want to tell apart.
var (
	ErrClosed   = errors.New("the store is closed")
	ErrInUse    = errors.New("the data directory is in use by another switchboard")
	ErrNewer    = errors.New("the database was written by a newer switchboard")
	ErrNotFound = errors.New("not found")
)

// Store is an open database. Safe for concurrent use.
type Store struct {
	dir       string
	opts      Options
	lock      *os.File
	lastAlive time.Time
	readers   *sql.DB
	writer    *writer
	inbox     chan *request // unbuffered: a change is either the writer's or still the caller's
	closing   chan struct{}
	once      sync.Once
	closeErr  error
	wg        sync.WaitGroup
	queue     queue
	runs      *runQueue
	current   atomic.Pointer[Snapshot]

	mu    sync.Mutex // of the two below
	hooks []func([]Change)
	stats Stats
}

// Stats count what the writer did since Open.
type Stats struct {
	Batches int64 // groups taken
	Commits int64 // of them, those that wrote something
	Changes int64 // Updates that were committed
	Entries int64 // journal entries, calls, voicemails and the like written
	Dropped int64 // the same, dropped: the queue was full, or a step came twice
	Waiting int   // the same, not yet written

	RunChanges  int64 // changes of workflow runs written
	RunsWaiting int   // the same, not yet written

	LastError error // why the last commit failed; nil: it did not
}

// Open opens DIR/switchboard.db, creating both where missing (readable by this user only), brings it up to date and
// reads the settings. A second process that opens the same directory gets ErrInUse; a database of a later version
// gives ErrNewer.
func Open(dir string, opts Options) (*Store, error) {
	if opts.MaxBatch <= 0 {
		opts.MaxBatch = DefaultMaxBatch
	}
	if opts.MaxJournal <= 0 {
		opts.MaxJournal = DefaultMaxJournal
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	var lastAlive time.Time
	if before, err := os.Stat(filepath.Join(dir, lockName)); err == nil {
		lastAlive = before.ModTime()
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: dir, opts: opts, lock: lock, lastAlive: lastAlive,
		inbox: make(chan *request), closing: make(chan struct{}),
		queue: queue{max: opts.MaxJournal, wake: make(chan struct{}, 1)}, runs: newRunQueue(),
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", s.path(), err), s.release())
	}
	s.wg.Go(s.writer.run)
	s.wg.Go(s.stayAlive)
	return s, nil
}

func (s *Store) path() string { return filepath.Join(s.dir, fileName) }

func (s *Store) open() error {
	ctx := context.Background()
	// SQLite gives its WAL the mode of the database, so the first byte decides who may read the secrets.
	f, err := os.OpenFile(s.path(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	s.writer = &writer{s: s, db: connect(s.path(), 1, false)}
	if err := migrate(ctx, s.writer.db); err != nil {
		return err
	}
	if err := s.writer.prepare(ctx); err != nil {
		return err
	}
	s.readers = connect(s.path(), maxReaders, true)
	snapshot, err := load(ctx, s.readers)
	if err != nil {
		return err
	}
	s.current.Store(snapshot)
	return nil
}

// release gives back whatever open took.
func (s *Store) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Close writes what Journal and its like still hold, waits for the writer and closes the database. Changes handed in
// later get ErrClosed. It reports entries that could not be written. Calling it again does nothing.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		s.wg.Wait()
		var lost error
		if n := s.queue.shut(); n > 0 {
			lost = fmt.Errorf("%d journal entries could not be written: %w", n, s.Stats().LastError)
		}
		for _, r := range s.runs.shut() {
			lost = errors.Join(lost, fmt.Errorf("%d changes of workflow runs could not be written", len(r.changes)))
			r.done(ErrClosed)
		}
		s.closeErr = errors.Join(lost, s.release())
	})
	return s.closeErr
}

// Snapshot is the settings as of the last commit: never nil, immutable, free of charge.
func (s *Store) Snapshot() *Snapshot { return s.current.Load() }

// OnCommit has f called after every commit that changed settings, with its changes in order: the Snapshot has them
// already, the Updates have not returned yet. Hooks run one after the other, in the order of OnCommit, on the writer's
// goroutine: f must not block, nor call Update.
func (s *Store) OnCommit(f func([]Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, f)
}

// Stats is what the writer did so far.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	waiting, dropped := s.queue.figures()
	st.Waiting = waiting
	st.RunsWaiting = s.runs.figures()
	st.Dropped += dropped
	return st
}

// Update runs change on the writer's goroutine and returns nil once what it did is on disk, in the Snapshot and told to
// the hooks. The change's own error is returned as it is, and then nothing of the change remains; a panic in it becomes
// a *PanicError. When ctx ends before the writer took the change, nothing is written and ctx.Err is returned; later
// the answer is waited for. Changes run one at a time in an order of the store's choosing and must not block.
func (s *Store) Update(ctx context.Context, by Actor, change func(*Tx) error) error {
	return s.submit(ctx, &request{by: by, change: change})
}

func (s *Store) submit(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.ctx, r.done = ctx, make(chan struct{})
	select {
	case s.inbox <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
	<-r.done
	return r.err
}
